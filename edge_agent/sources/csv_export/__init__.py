"""CSV files of tills, as their makers write them: columns are mapped by `[csv.NAME]` in `agent.toml`.

| file | what |
|---|---|
| `profile.py` | one configured kind of file |
| `encodings.py` | the file's bytes → lines of text, a bad byte costing its own line only |
| `lines.py` | lines → rows, an open quote costing its own line only |
| `csv_files.py` | the reader that the drop folder knows |

What a row means is decided in `till_rows/`, as for a till's own database.
"""
