"""Who may do what, and proof of who did: people, roles, tokens, authentication and the audit trail."""
