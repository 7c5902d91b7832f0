"""The books: what each posting moves, and that it balances."""
