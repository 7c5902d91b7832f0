"""The command line: one file a subject, each a small typer application; what they do lies in the rooms."""
