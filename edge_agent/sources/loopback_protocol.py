"""uvicorn's HTTP protocol, except that what is no HTTP at all is answered in the spec's error shape as well."""

import asyncio
import secrets
from importlib.util import find_spec

from edge_agent.sources.event_requests import problem_body
from shared.clock import Clock
from shared.problems import ErrorCode


def protocol_class(clock: Clock) -> type[asyncio.Protocol]:
    """The fastest protocol that is installed: httptools is compiled and optional, h11 comes with httpx."""
    if find_spec("httptools"):
        # Imported here, since the other one would cost memory for nothing.
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Fastest
    else:
        # As above.
        from uvicorn.protocols.http.h11_impl import H11Protocol as Fastest  # type: ignore[assignment]

    class LoopbackProtocol(Fastest):
        """Answers unreadable requests like every other error."""

        def send_400_response(self, msg: str) -> None:
            """Called with uvicorn's reason when the bytes are no HTTP request; closes the connection."""
            body = problem_body(
                clock,
                f"req-{secrets.token_hex(8)}",
                ErrorCode.MALFORMED_JSON,
                f"The request is no HTTP that the agent reads ({msg.rstrip('.')}); check the till's client.",
            )
            head = (
                "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode("ascii") + body)
            self.transport.close()

    return LoopbackProtocol
