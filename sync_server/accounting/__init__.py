"""Books: the chart of accounts, what each posting moves, and journals that balance or do not exist."""
