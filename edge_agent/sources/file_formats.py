"""Which formats the drop folder takes: the one list of file readers."""

from pathlib import Path

from edge_agent.settings import read_source_table
from edge_agent.sources.csv_export.csv_files import CsvFiles
from edge_agent.sources.csv_export.profile import read_profiles
from edge_agent.sources.dropped_file import FileReaders
from edge_agent.sources.json_files import JsonFiles, NdjsonFiles
from edge_agent.sources.poslog.configuration import read_rules
from edge_agent.sources.poslog.journal_files import PoslogFiles


def file_readers(configuration: Path) -> FileReaders:
    """The readers as the TOML file `configuration` has them; raises SettingsError where it makes no sense."""
    profiles = read_profiles(read_source_table(configuration, "csv"))
    rules = read_rules(read_source_table(configuration, "poslog"))
    return FileReaders([JsonFiles(), NdjsonFiles(), CsvFiles(profiles), PoslogFiles(rules)])
