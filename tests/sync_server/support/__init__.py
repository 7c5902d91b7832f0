"""What support asks of agents, and what it takes in by hand."""
