"""Publishing on a real broker and a real PostgreSQL: what arrives, in which order, under which faults."""
