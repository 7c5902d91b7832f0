"""From Kafka into the ledger: messages are read, posted once, store by store, or laid aside with their reason."""
