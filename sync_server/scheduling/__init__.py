"""What headquarters does by the clock: jobs, each store in a transaction of its own, run by one leader."""
