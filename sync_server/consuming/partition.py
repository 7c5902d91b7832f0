"""A partition as this consumer has it: what was received and is not done, and up to where all is done. Pure."""

from collections import deque
from collections.abc import Iterable

from sync_server.consuming.store_batches import Received


class Partition:
    """Messages come in the order of their offsets and are done in any; the mark stops before the first undone."""

    def __init__(self, topic: str, number: int) -> None:
        self.topic = topic
        self.number = number
        self.committed: int | None = None
        """The offset that Kafka was told last; None before the first time."""
        self._waiting: deque[Received] = deque()
        self._done: set[int] = set()
        self._end: int | None = None

    def receive(self, message: Received) -> None:
        """Takes a message in; one that was received before is left out."""
        if self._end is not None and message.offset < self._end:
            return
        self._waiting.append(message)
        self._end = message.offset + 1

    def waiting(self) -> list[Received]:
        """What is not done yet, in order."""
        return [message for message in self._waiting if message.offset not in self._done]

    def finish(self, offsets: Iterable[int]) -> None:
        """These messages are in the ledger or among the dead letters."""
        self._done.update(offsets)
        while self._waiting and self._waiting[0].offset in self._done:
            self._done.discard(self._waiting.popleft().offset)

    def mark(self) -> int | None:
        """The offset to commit: before the first message that is not done; None when nothing was received."""
        return self._waiting[0].offset if self._waiting else self._end
