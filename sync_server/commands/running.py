"""`sync-server serve`, `migrate` and `publish`: running the server and looking after what it runs on."""

from enum import StrEnum
from typing import Annotated

import typer

from shared.clock import SystemClock
from sync_server.commands.house import (
    DataDir,
    House,
    database_access,
    make_schema_current,
    opened,
    settings_for,
)
from sync_server.commands.output import AsJson, print_json
from sync_server.database import Database
from sync_server.migrations import migrate as bring_up_to_date
from sync_server.migrations import needed_version
from sync_server.publishing.republish import publish_from, read_position
from sync_server.settings import LogFormat, LogLevel, Part


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default=False)] = None,
    port: Annotated[
        int | None, typer.Option(help="TCP port; 0 takes a free one.", show_default=False)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that serve the API.", show_default=False)
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            help="Run these parts alone, with commas between: api,relay,consumer,scheduler.",
            show_default=False,
        ),
    ] = None,
    log_format: Annotated[
        LogFormat | None, typer.Option(help="How logs are written.", show_default=False)
    ] = None,
    log_level: Annotated[
        LogLevel | None, typer.Option(help="The least severe line that is logged.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Runs the server: the API, the scheduler, relay and consumer where a Kafka is named. Ends on Ctrl-C or SIGTERM."""
    # What watches over processes takes a moment to load, which no other command shall wait for.
    from sync_server.serving import serve_until_stopped

    parts = _parts(only)
    settings = settings_for(
        data_dir, host=host, port=port, workers=workers, log_format=log_format, log_level=log_level
    )
    with database_access(settings) as access:
        database = Database(access.url, pool_size=1)
        try:
            make_schema_current(access, database)
        finally:
            database.close()

        def announce(url: str) -> None:
            if as_json:
                print_json({"url": url})
            else:
                print(
                    f"TillSync serves {url}; its data lies in {settings.data_dir}. Ctrl-C ends it.",
                    flush=True,
                )

        serve_until_stopped(settings, access.url, parts, access.embedded, SystemClock(), announce)


def migrate(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Brings the database's schema up to date, all of it or nothing."""
    settings = settings_for(data_dir)
    with database_access(settings) as access:
        before = bring_up_to_date(access.owner_url)
    if as_json:
        print_json({"before": before.current, "now": needed_version()})
    elif before.is_current:
        print(f"The schema was up to date already: version {before.current}.")
    else:
        print(f"The schema is at version {needed_version()} now; it was {before.current or 'empty'}.")


def publish(
    position: Annotated[
        str,
        typer.Option(
            "--from", help="`beginning`, an instant such as 2026-02-10T23:00:00Z, or STORE-01:1201."
        ),
    ],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Publishes messages again, with the same ids, for a broker that lost its topics."""
    start = read_position(position)
    with opened(data_dir) as house:
        again = publish_from(house.database, start)
        sent = _send_what_waits(house)
    if as_json:
        print_json({"stores": again.stores, "messages": again.messages, "pruned": again.pruned, "sent": sent})
        return
    done = "have been sent again" if sent else "will be sent again by the relay of `serve`"
    print(f"{again.messages} messages of {again.stores} stores {done}.")
    if again.pruned:
        print(
            f"Of {again.pruned} stores older messages are pruned from the outbox and cannot be sent again; "
            "how long they are kept is SYNC_SERVER_OUTBOX_KEEP_DAYS."
        )


def _send_what_waits(house: House) -> bool:
    """Empties the outbox into Kafka; false where none is named or the relay of a running server does it."""
    if house.settings.kafka_bootstrap_servers is None:
        return False
    # The Kafka client costs a moment, which no other command shall wait for.
    from sync_server.kafka_access import cluster_of
    from sync_server.publishing.catching_up import catch_up

    return catch_up(house.database, cluster_of(house.settings), house.clock)


def _parts(only: str | None) -> frozenset[Part]:
    if only is None:
        return frozenset(Part)
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in _names(Part)]
    if unknown or not names:
        raise typer.BadParameter(
            f"parts are {', '.join(_names(Part))}; there is no {', '.join(unknown) or 'part in an empty list'}",
            param_hint="--only",
        )
    return frozenset(Part(name) for name in names)


def _names(parts: type[StrEnum]) -> list[str]:
    return [part.value for part in parts]
