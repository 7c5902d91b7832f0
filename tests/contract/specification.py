"""The specification's own examples, read from a verbatim copy of its section on the API."""

import re
from dataclasses import dataclass
from pathlib import Path

_TEXT = (Path(__file__).parent / "specification.md").read_text(encoding="utf-8")
_REQUEST = re.compile(
    r"```http\n(?P<method>[A-Z]+) (?P<path>\S+)\n(?P<headers>.*?)\n\n(?P<body>.*?)\n```", re.DOTALL
)
_ERROR = re.compile(
    r"\*\*Error Response \((?P<status>\d+) [^)]*\)\*\*.*?```json\n(?P<body>.*?)\n```", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class ExampleRequest:
    """One of the specification's requests, its path filled in for a store."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def example_request(ending: str, store_id: str) -> ExampleRequest:
    """The example whose path ends so, `pos-batches` or `reconcile`."""
    for found in _REQUEST.finditer(_TEXT):
        if found["path"].endswith(f"/{ending}"):
            headers = dict(line.split(": ", 1) for line in found["headers"].splitlines())
            path = found["path"].replace("{storeId}", store_id)
            return ExampleRequest(found["method"], path, headers, found["body"].encode())
    raise LookupError(f"the specification has no request to {ending}")


def example_error() -> tuple[int, bytes]:
    """The specification's error: its HTTP status and its body."""
    found = _ERROR.search(_TEXT)
    if found is None:
        raise LookupError("the specification has no error response")
    return int(found["status"]), found["body"].encode()
