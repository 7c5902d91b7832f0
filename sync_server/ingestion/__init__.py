"""From a till event on the wire to the ledger: admission, then one posting transaction per batch and store."""
