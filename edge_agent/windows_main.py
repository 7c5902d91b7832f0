"""What Windows' service control manager starts: `python -m edge_agent.windows_main`, as install.ps1 registers it."""

import os
import sys

from edge_agent.commands import leave_at_once, start_service_logging
from edge_agent.errors import EdgeAgentError
from edge_agent.process_life import Notice, live
from edge_agent.settings import read_settings
from edge_agent.windows_control import serve
from edge_agent.windows_service import WindowsService
from shared.clock import SystemClock
from shared.stop_request import StopRequest
from shared.zone_data import use_own_zone_data

SERVICE_NAME = "TillSyncEdge"


def life(stopping: StopRequest, notice: Notice) -> None:
    """The agent's life with the settings of this PC. Raises EdgeAgentError."""
    settings = read_settings({}, os.environ)
    start_service_logging(settings)
    live(settings, SystemClock(), stopping, notice)


def main() -> None:
    """Until the manager wants the end."""
    use_own_zone_data()
    try:
        serve(SERVICE_NAME, lambda control: WindowsService(control, lambda: os._exit(3)), life)
    except EdgeAgentError as error:
        sys.exit(f"edge-agent: {error}")
    leave_at_once()


if __name__ == "__main__":
    main()
