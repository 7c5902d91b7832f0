"""The sources that are there only when `agent.toml` describes them: the one list of those."""

from collections.abc import Callable

from edge_agent.data_folder import DataFolder
from edge_agent.intake import Intake
from edge_agent.refused_records import RefusedRecords
from edge_agent.settings import read_source_table
from edge_agent.sources import PosSource
from edge_agent.translation import StoreRule
from shared.clock import Clock


def configured_sources(
    folder: DataFolder,
    intake: Intake,
    refused: RefusedRecords,
    store: Callable[[], StoreRule],
    clock: Clock,
) -> list[PosSource]:
    """A source for each table that describes one; raises SettingsError where a table makes no sense."""
    sources: list[PosSource] = []
    if databases := read_source_table(folder.configuration, "database"):
        # Most stores have no such source, and their PCs shall not carry its code.
        from edge_agent.sources.database_tail.configuration import read_databases
        from edge_agent.sources.database_tail.tail import DatabaseTail

        sources += [
            DatabaseTail(source, folder.positions, intake, refused, store, clock)
            for source in read_databases(databases)
        ]
    return sources
