"""A till's own database, read-only, from a remembered position: `[[database]]` in `agent.toml`.

| file | what |
|---|---|
| `configuration.py` | what may be configured; `ready_made/` has it for tills that we know |
| `till_database.py` | one short query: SQLite by the standard library, others by SQLAlchemy |
| `position.py` | how far it was read, and the window before it in which rows may still turn up |
| `portion.py` | rows → transactions, of which the known ones are left out |
| `tail.py` | the source: query → transactions → events, durable → position |

SQLAlchemy is imported only when a database is configured that needs it.
"""
