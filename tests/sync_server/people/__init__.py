"""People, tokens, authentication and the audit trail."""
