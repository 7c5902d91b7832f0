"""Where events come from. One port, `PosSource`; whatever speaks some till's language stands behind it.

| source | file | how events come |
|---|---|---|
| loopback HTTP | `local_http.py`, `event_requests.py` | the till posts them and waits for the answer |
| file drop | `file_drop.py`, `dropped_file.py`, formats in `file_formats.py` | files appear in `spool/in` |
| database | `database_tail/` | a till's own database is asked for what is new |
| others | `third_party.py`, `way_in.py` | as somebody else's class finds them |

`docs/sources/README.md` says how to write one.

A source hands raw records to the intake and moves on (answers, moves its file, remembers its position) only
once the intake has said that they are durable. What was handed over and not confirmed is handed over again;
the intake knows every event once, so that this adds nothing.
"""

from typing import Protocol


class PosSource(Protocol):
    """A way by which events reach the agent."""

    @property
    def name(self) -> str:
        """How logs and `undeliverable` call it."""
        ...

    @property
    def interval(self) -> float | None:
        """Seconds between two calls of `look`; None for a source that is called by its tills."""
        ...

    def start(self) -> None:
        """Opens what the source listens on or reads; raises an EdgeAgentError that says what to do."""
        ...

    def look(self) -> None:
        """Takes what is new; returns soon, and goes on at the next call."""
        ...

    def stop(self) -> None:
        """Stops within two seconds; what is under way is either durable and answered, or not taken."""
        ...
