"""The sources that are there only when `agent.toml` describes them: the one list of those."""

from collections.abc import Callable

from edge_agent.data_folder import DataFolder
from edge_agent.errors import SettingsError
from edge_agent.intake import Intake
from edge_agent.refused_records import RefusedRecords
from edge_agent.settings import read_source_table
from edge_agent.sources import PosSource
from edge_agent.sources.way_in import WayIn
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
    if others := read_source_table(folder.configuration, "source"):
        from edge_agent.sources.third_party import third_party_name, third_party_source  # as rare as they are

        for index, table in enumerate(others if type(others) is list else [others]):
            name = third_party_name(index, table)
            way_in = WayIn(name, intake, refused, folder.positions, clock)
            sources.append(third_party_source(table, way_in))
    names = [source.name for source in sources]
    if twice := [name for name in names if names.count(name) > 1]:
        raise SettingsError(f"agent.toml names two sources {twice[0]!r}; give each a name of its own.")
    return sources
