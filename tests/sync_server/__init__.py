"""The server, room by room, on a real PostgreSQL."""
