"""Items and stock: the item master, movements, valuation and the stock ledger."""
