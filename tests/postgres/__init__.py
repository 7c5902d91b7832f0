"""What the database itself must hold to, tried on a real PostgreSQL with the application's own role."""
