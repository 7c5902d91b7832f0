"""What can stop the demo: one error, a sentence that says what happened and what to do."""

from sync_server.errors import CannotRun


class DemoFailed(CannotRun):
    """The demo cannot start or cannot go on."""
