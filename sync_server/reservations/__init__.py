"""Ship-from-store: goods reserved in a store, released, expired, fulfilled; and what every store can promise."""
