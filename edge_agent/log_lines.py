"""How the agent logs: one sentence for a person, a stable action name and the time for a machine.

On stderr, where a service's own log takes it up, and into `log/agent.log` of the data folder, bounded, where
`edge-agent bundle` finds it on every PC alike.
"""

import logging
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from shared.clock import instant_text

LOG_FILE_BYTES = 1_048_576
LOG_FILES = 4


class LineFormatter(logging.Formatter):
    """`2026-02-10T23:00:00.123Z INFO batch.acknowledged Batch …: 500 events acknowledged`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line per record; a traceback follows on lines of its own."""
        at = datetime.fromtimestamp(record.created, UTC)
        action = getattr(record, "action", record.name)
        line = f"{instant_text(at)} {record.levelname} {action} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class LogFile(RotatingFileHandler):
    """The file; a disk that takes no line is no reason to fail, nor to fill stderr with its own complaints."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder / "agent.log",
            maxBytes=LOG_FILE_BYTES,
            backupCount=LOG_FILES - 1,
            encoding="utf-8",
            errors="backslashreplace",
            delay=True,
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the parent's spelling
        """Goes on: the same line is on stderr."""


def start_logging(level: str, folder: Path | None = None, stream: TextIO = sys.stderr) -> None:
    """Sends every log line to `stream` and to a file in `folder`; libraries speak up from WARNING on."""
    handlers: list[logging.Handler] = [logging.StreamHandler(stream)]
    if folder is not None:
        handlers.append(LogFile(folder))
    for handler in handlers:
        handler.setFormatter(LineFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
    logging.getLogger("edge_agent").setLevel(level)
    # uvicorn warns of every request that is no HTTP, of which the till is told; APScheduler warns of every
    # duty that is skipped because the former one still waits for headquarters, which is as it should be.
    for library in ("uvicorn", "apscheduler"):
        logging.getLogger(library).setLevel(logging.ERROR)
