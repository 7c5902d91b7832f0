"""What the loopback port shows a browser: the page, its style and script, and the light that it asks for.

Everything comes from this folder and nothing from the network. The page holds no sales and no secrets, and may
therefore be seen without the token that tills may have to send.
"""

import html
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

from edge_agent.errors import EdgeAgentError, SpoolFull
from edge_agent.loopback import LIGHT_PATH
from edge_agent.page.support_codes import SupportCode
from edge_agent.page.traffic_light import Light, light_of, red
from edge_agent.program_version import program_version
from shared.clock import Clock
from shared.wire_json import encode_json

_FOLDER = Path(__file__).parent
_HTML, _JSON = b"text/html; charset=utf-8", b"application/json"

HEADERS = [
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
            b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        ),
    ),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
"""Beside the loopback door's own rules: no other page may frame, read or open this one, and it loads nothing else."""

Leaf = tuple[bytes, bytes]
"""A content type and a body."""


class StorePage:
    """The leaves by their paths."""

    def __init__(
        self, store_id: str, report: Callable[[], dict[str, Any]], clock: Clock, call_support_after: float
    ) -> None:
        """`report` gives the status; sales may wait `call_support_after` seconds before the page is red."""
        self._store_id = store_id
        self._report = report
        self._clock = clock
        self._call_support_after = call_support_after
        self.leaves: dict[str, Callable[[], Leaf]] = {
            "/": self._page,
            "/page.css": lambda: (b"text/css; charset=utf-8", (_FOLDER / "page.css").read_bytes()),
            "/page.js": lambda: (b"text/javascript; charset=utf-8", (_FOLDER / "page.js").read_bytes()),
            LIGHT_PATH: lambda: (_JSON, encode_json(self._shown())),
        }

    def status(self) -> dict[str, Any]:
        """The status, and beside it what the page shows for it. Raises SpoolError."""
        report = self._report()
        light = light_of(report, self._clock.now(), self._call_support_after)
        return {**report, "light": {"colour": light.colour.value, "codes": light.codes}}

    def _page(self) -> Leaf:
        """The page as it is now, so that it tells the truth also where no script runs."""
        shown = self._shown()
        fields = {
            **shown,
            "codes": " ".join(shown["codes"]),
            "hidden": "" if shown["codes"] else "hidden",
            "noAnswerAsk": red(SupportCode.T10).ask,
            "noAnswerHeadline": red(SupportCode.T10).headline,
            "noAnswerAdvice": SupportCode.T10.advice,
            "noAnswerCode": SupportCode.T10.value,
        }
        text = Template((_FOLDER / "page.html").read_text("utf-8"))
        return _HTML, text.substitute({k: html.escape(str(v)) for k, v in fields.items()}).encode()

    def _shown(self) -> dict[str, Any]:
        """What the page says: the light and the few figures below it."""
        light, backlog, last_success = self._light()
        return {
            "colour": light.colour.value,
            "headline": light.headline,
            "advice": light.advice,
            "codes": light.codes,
            "ask": light.ask,
            "waiting": backlog["events"],
            "waitingSince": backlog["oldestAcceptedAt"] or "",
            "lastSuccess": last_success or "",
            "storeId": self._store_id,
            "version": program_version(),
        }

    def _light(self) -> tuple[Light, dict[str, Any], str | None]:
        """The light, also when the status cannot be had: then that is the news."""
        try:
            report = self._report()
        except EdgeAgentError as error:
            code = SupportCode.T30 if isinstance(error, SpoolFull) else SupportCode.T32
            return red(code), {"events": "?", "oldestAcceptedAt": None}, None
        light = light_of(report, self._clock.now(), self._call_support_after)
        return light, report["backlog"], report["lastSuccess"]
