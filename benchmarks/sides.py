"""What is measured, side by side: each side runs once a round on a fresh copy of the database, and is checked."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import (
    agent_drain,
    agent_footprint,
    agent_http,
    agent_intake,
    latency,
    publishing,
    reservation_latency,
)
from benchmarks.direct_posting import DirectPosting
from benchmarks.lean_tables import LeanTables, check_lean_tables, lean_batches, make_lean_tables
from benchmarks.ledger_check import check_ledger, check_same_rows
from benchmarks.load_generator import LoadGenerator, lines_of
from benchmarks.row_by_row import RowByRow
from benchmarks.same_tables import SameTables, begin_streams
from benchmarks.server_process import running_server
from benchmarks.stage import Stage
from benchmarks.starting_gate import Task, lines_a_second, write_task

SERVER_1 = "server, one worker"
SERVER_2 = "server, two workers"
SAME_BATCHES = "server, the same batches again"
NEWLY_CUT = "server, the same events newly cut"
HOT = "server, one hot store"
DIRECT = "posting without HTTP"
ROW_BY_ROW = "SQLModel row by row"
WIDTHS = (1, 2, 4)
"""Connections that a limit is tried with."""
SHARES = max(WIDTHS)

Figures = Mapping[str, float]


def same_tables(width: int) -> str:
    """The series of the first limit with so many connections."""
    return f"same tables by hand, {width} conn."


def lean(width: int) -> str:
    """The series of the second limit with so many connections."""
    return f"lean tables by hand, {width} conn."


@dataclass(frozen=True, slots=True)
class Side:
    """Something that is measured once a round: the series it yields, and how."""

    series: tuple[str, ...]
    measure: Callable[[Stage], Figures]


def _server(stage: Stage) -> Figures:
    """First posting, then the same requests again, then the same events in other batches, on one worker."""
    agents = [agent.batches for agent in stage.agents]
    cut_anew = [agent.cut_anew for agent in stage.agents]
    with _server_running(stage, 1) as load:
        first = load(LoadGenerator(0, {}, agents))
        check_same_rows(stage.headquarters.url, stage.rehearsed[1])
        again = load(LoadGenerator(0, {}, agents, status=200))
        anew = load(LoadGenerator(0, {}, cut_anew, fresh=False))
        check_ledger(stage.headquarters.url, lines_of(agents))
    return {SERVER_1: first, SAME_BATCHES: again, NEWLY_CUT: anew}


def _server_2(stage: Stage) -> Figures:
    agents = [agent.batches for agent in stage.agents]
    with _server_running(stage, 2) as load:
        first = load(LoadGenerator(0, {}, agents))
        check_same_rows(stage.headquarters.url, stage.rehearsed[1])
        check_ledger(stage.headquarters.url, lines_of(agents))
    return {SERVER_2: first}


def _hot_store(stage: Stage) -> Figures:
    with _server_running(stage, 1) as load:
        figure = load(LoadGenerator(0, {}, stage.hot_agents))
        check_ledger(stage.headquarters.url, lines_of(stage.hot_agents))
    return {HOT: figure}


@contextmanager
def _server_running(stage: Stage, workers: int) -> Iterator[Callable[[LoadGenerator], float]]:
    """A server on a fresh database, and how load is put on it."""
    with (
        stage.fresh_database() as url,
        running_server(url, workers, stage.new_path("server"), stage.watchdog) as port,
    ):

        def load(generator: LoadGenerator) -> float:
            generator.port, generator.credentials = port, stage.headquarters.credentials
            return lines_a_second([[write_task(generator, stage.new_path("load.task"))]])

        yield load


def _direct(stage: Stage) -> Figures:
    with stage.fresh_database() as url:
        task = DirectPosting(url, stage.headquarters.credentials, stage.in_order)
        figure = lines_a_second([[write_task(task, stage.new_path("direct.task"))]])
        check_same_rows(url, stage.rehearsed[1])
    return {DIRECT: figure}


def _same_tables(width: int) -> Callable[[Stage], Figures]:
    def measure(stage: Stage) -> Figures:
        rehearsal, counts = stage.rehearsed
        files = _share_files(
            stage,
            "same",
            lambda share: SameTables(stage.headquarters.url, rehearsal.columns, stage.shares(SHARES)[share]),
        )
        with stage.fresh_database() as url:
            begin_streams(url, rehearsal.batches)
            figure = lines_a_second([files[place::width] for place in range(width)])
            check_same_rows(url, counts)
            check_ledger(url, rehearsal.lines)
        return {same_tables(width): figure}

    return measure


def _lean(width: int) -> Callable[[Stage], Figures]:
    def measure(stage: Stage) -> Figures:
        rehearsal = stage.rehearsed[0]
        files = _share_files(
            stage,
            "lean",
            lambda share: LeanTables(
                stage.headquarters.url, lean_batches(rehearsal.columns, stage.shares(SHARES)[share])
            ),
        )
        with stage.fresh_database() as url:
            make_lean_tables(stage.headquarters.owner_url)
            figure = lines_a_second([files[place::width] for place in range(width)])
            check_lean_tables(url, rehearsal.lines)
        return {lean(width): figure}

    return measure


def _share_files(stage: Stage, name: str, task: Callable[[int], Task]) -> list[Path]:
    """The shares' task files; they are the same in every round and for every number of connections."""
    paths = [stage.folder / f"{name}-{share}.task" for share in range(SHARES)]
    return [path if path.exists() else write_task(task(share), path) for share, path in enumerate(paths)]


def _row_by_row(stage: Stage) -> Figures:
    rehearsal = stage.rehearsed[0]
    batches = rehearsal.batches[: stage.scale.slow_batches]
    with stage.fresh_database() as url:
        begin_streams(url, batches)
        task = RowByRow(url, rehearsal.columns, batches)
        figure = lines_a_second([[write_task(task, stage.new_path("row-by-row.task"))]])
        check_ledger(url, sum(batch.lines for batch in batches))
    return {ROW_BY_ROW: figure}


def _agent(stage: Stage) -> Figures:
    folder = stage.new_path("agent")
    folder.mkdir()
    return agent_intake.measure_agent_intake(folder, stage.scale.agent_events)


def _agent_http(stage: Stage) -> Figures:
    return agent_http.measure_agent_http(stage.new_path("agent-http"), stage.scale.agent_events)


def _agent_footprint(stage: Stage) -> Figures:
    backlog, rest = stage.scale.backlog, stage.scale.rest_seconds
    return agent_footprint.measure_agent_footprint(stage.new_path("footprint"), backlog, rest_seconds=rest)


SIDES = (
    Side((agent_intake.AGENT, agent_intake.RAW), _agent),
    Side(
        tuple(
            name(clients) for clients in agent_http.CLIENTS for name in (agent_http.ours, agent_http.limit)
        ),
        _agent_http,
    ),
    Side((SERVER_1, SAME_BATCHES, NEWLY_CUT), _server),
    *(Side((same_tables(width),), _same_tables(width)) for width in WIDTHS),
    Side((SERVER_2,), _server_2),
    *(Side((lean(width),), _lean(width)) for width in WIDTHS),
    Side((HOT,), _hot_store),
    Side((agent_drain.DRAIN, agent_drain.DRAIN_LIMIT), agent_drain.measure_drain),
    Side((publishing.PUBLISHING, publishing.PRODUCER), publishing.measure_publishing),
    Side((*latency.FIGURES, *map(latency.allowed, latency.FIGURES)), latency.measure_latency),
    Side((DIRECT,), _direct),
    Side((ROW_BY_ROW,), _row_by_row),
    Side(
        (*agent_footprint.FIGURES, *map(agent_footprint.allowed, agent_footprint.FIGURES)), _agent_footprint
    ),
    Side(
        (*reservation_latency.MOST_MS, *map(reservation_latency.allowed, reservation_latency.MOST_MS)),
        reservation_latency.measure_reservations,
    ),
)
