"""The store's page, as far as no browser is needed."""
