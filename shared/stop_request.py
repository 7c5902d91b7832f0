"""The wish that a process end, uttered by a signal handler, a service manager or another thread."""

import time

LOOK_AGAIN_SECONDS = 0.5  # float: seconds


class StopRequest:
    """Like `threading.Event`, and safe to set in a signal handler.

    A handler runs between two steps of the main thread, which may hold an Event's lock just then; and a signal
    that comes right before that thread goes to sleep does not wake it. So nothing is locked here, and whoever
    waits looks again soon.
    """

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        """Asks for the end."""
        self._asked = True

    def is_set(self) -> bool:
        """Whether the end has been asked for."""
        return self._asked

    def wait(self, seconds: float | None = None) -> bool:  # float: seconds
        """Waits for the request, at most so many seconds; whether it has come."""
        left = seconds
        while not self._asked and (left is None or left > 0):
            nap = LOOK_AGAIN_SECONDS if left is None else min(LOOK_AGAIN_SECONDS, left)
            time.sleep(nap)
            left = None if left is None else left - nap
        return self._asked
