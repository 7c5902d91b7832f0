"""A row of a till's table, whether of a CSV file or of its database, read as a till event by configuration.

| file | what |
|---|---|
| `configuration.py` | what may be configured, and what is said of a configuration that makes no sense |
| `amounts.py` | texts and database values → exact decimals |
| `moments.py` | texts and database values → ISO 8601, by a format of our own that no locale can change |
| `cells.py` | where a value stands: column, columns, constant, default |
| `mapping.py` | a row → an event, or every column that cannot be understood |
"""
