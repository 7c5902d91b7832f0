"""How the agent logs: one sentence for a person, a stable action name and the time for a machine, on stderr."""

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from shared.clock import instant_text


class LineFormatter(logging.Formatter):
    """`2026-02-10T23:00:00.123Z INFO batch.acknowledged Batch …: 500 events acknowledged`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line per record; a traceback follows on lines of its own."""
        at = datetime.fromtimestamp(record.created, UTC)
        action = getattr(record, "action", record.name)
        line = f"{instant_text(at)} {record.levelname} {action} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def start_logging(level: str, stream: TextIO = sys.stderr) -> None:
    """Sends every log line to `stream`; libraries speak up from WARNING on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("edge_agent").setLevel(level)
    # uvicorn warns of every request that is no HTTP, of which the till is told; APScheduler warns of every
    # duty that is skipped because the former one still waits for headquarters, which is as it should be.
    for library in ("uvicorn", "apscheduler"):
        logging.getLogger(library).setLevel(logging.ERROR)
