"""The tills of one store as the agent sees them: HTTP on loopback, now and then a file in the drop folder."""

import asyncio
import http.client
from pathlib import Path

from shared.wire_json import decode_json, encode_json
from sync_server.demo.errors import DemoFailed
from sync_server.demo.till_events import TillTransaction

_TIMEOUT_SECONDS = 10
_PAUSE_SECONDS = 0.2
_TRY_AGAIN = (429, 500, 503, 507)


class Till:
    """Hands transactions to one agent and does not let go before the agent has them."""

    def __init__(self, agent_port: int, drop_folder: Path) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", agent_port, timeout=_TIMEOUT_SECONDS)
        self._drop_folder = drop_folder
        self.retries = 0
        """Requests that found no agent, or no answer, and were sent again as they were."""

    async def hand_over(self, transaction: TillTransaction) -> list[str]:
        """The ids of the transaction's events, once the agent has answered for them.

        An agent that is away is waited for, and the very same request sent again: what a till does.
        """
        body = encode_json(list(transaction.events))
        while True:
            try:
                return self._ids(transaction, *await asyncio.to_thread(self._post, body))
            except (OSError, http.client.HTTPException, _AgentBusy):
                self._connection.close()
                self.retries += 1
                await asyncio.sleep(_PAUSE_SECONDS)

    async def drop(self, transaction: TillTransaction) -> list[str]:
        """Writes the transaction as a file into the agent's drop folder; the ids are the till's own."""
        event_ids = [str(event["eventId"]) for event in transaction.events]
        await asyncio.to_thread(self._write, event_ids[0], transaction)
        return event_ids

    def close(self) -> None:
        """Closes the connection to the agent."""
        self._connection.close()

    def _post(self, body: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _ids(self, transaction: TillTransaction, status: int, answer: bytes) -> list[str]:
        if status in _TRY_AGAIN:
            raise _AgentBusy
        if status != 201:
            raise DemoFailed(
                f"The agent of {transaction.store_id} refused a transaction with status {status}: "
                f"{answer[:500].decode(errors='replace')}"
            )
        accepted = [str(line["eventId"]) for line in decode_json(answer)]
        given = [
            event.get("eventId", found) for event, found in zip(transaction.events, accepted, strict=True)
        ]
        if given != accepted:
            raise DemoFailed(
                f"The agent of {transaction.store_id} answered for other events than it was given."
            )
        return accepted

    def _write(self, name: str, transaction: TillTransaction) -> None:
        """The file gets its name once it is whole, so that nobody takes half of it."""
        lines = [encode_json(event) + b"\n" for event in transaction.events]
        growing = self._drop_folder / f"{name}.part"
        growing.write_bytes(b"".join(lines))
        growing.rename(growing.with_suffix(".ndjson"))


class _AgentBusy(Exception):
    """The agent asked to be tried again."""
