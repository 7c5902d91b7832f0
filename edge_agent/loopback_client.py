"""How the command line speaks to the running agent: over the loopback port, never through its file."""

from http.client import HTTPConnection, HTTPException
from typing import Any

from edge_agent.errors import AgentDown, AgentRefused
from edge_agent.loopback import DAY_DIGESTS_PATH, FILES_PATH, LOOPBACK, STATUS_PATH, read_token
from edge_agent.settings import Settings
from shared.wire_json import JsonError, decode_json, encode_json

ANSWER_SECONDS = 60.0


class LoopbackClient:
    """Asks the agent that the settings name."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError when the token file cannot be read."""
        self._port = settings.port
        self._token = read_token(settings.token_file)

    def status(self) -> dict[str, Any]:
        """What `GET /v1/status` says. Raises AgentDown or AgentRefused."""
        answer: dict[str, Any] = self._ask("GET", STATUS_PATH, None)
        return answer

    def take_file(self, name: str) -> dict[str, Any]:
        """Has the agent take a file of its drop folder now; what became of it."""
        answer: dict[str, Any] = self._ask("POST", FILES_PATH, {"file": name})
        return answer

    def prove_days(self) -> list[dict[str, Any]]:
        """Has the agent send the digest of every day that is not proven; what headquarters said to each."""
        answer: list[dict[str, Any]] = self._ask("POST", DAY_DIGESTS_PATH, {})
        return answer

    def ask(self, path: str, document: Any = None, *, seconds: float = ANSWER_SECONDS) -> Any:
        """What the agent answers at `path` within `seconds`: to a GET without a document, to a POST with one.

        Raises AgentDown or AgentRefused.
        """
        return self._ask("GET" if document is None else "POST", path, document, seconds)

    def _ask(self, method: str, path: str, document: Any, seconds: float = ANSWER_SECONDS) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = HTTPConnection(LOOPBACK, self._port, timeout=seconds)
        try:
            connection.request(method, path, None if document is None else encode_json(document), headers)
            response = connection.getresponse()
            answer = decode_json(response.read())
        except (OSError, HTTPException) as error:
            raise AgentDown(
                f"No agent answers on {LOOPBACK}:{self._port} ({str(error) or type(error).__name__}); "
                "start it with `edge-agent run`, or check --data-dir and --port."
            ) from error
        except JsonError as error:
            raise AgentDown(
                f"Another program answers on {LOOPBACK}:{self._port}; "
                "choose another port for the agent with --port."
            ) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise AgentRefused(str(answer.get("message", answer)))
        return answer
