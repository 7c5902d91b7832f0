"""Other pages in a real Chromium on the same PC: what they can do to the agent, which is nothing."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.edge_agent.agent_process import AgentProcess
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system

ATTACK = """async (port) => {
  const agent = `http://127.0.0.1:${port}`;
  const sale = JSON.stringify({type: "SALE", itemId: "stolen", quantity: 1, amount: 1});
  const got = [];
  const ask = async (path, options) => {
    try { const answer = await fetch(agent + path, options); got.push([path, await answer.text()]); }
    catch { /* kept out */ }
  };
  for (const path of ["/", "/v1/light", "/v1/status", "/page.js"]) await ask(path, {});
  for (const mode of ["cors", "no-cors"]) {
    await ask("/v1/events", {method: "POST", mode, body: sale, headers: {"Content-Type": "text/plain"}});
    await ask("/v1/events", {method: "POST", mode, body: sale, headers: {"Content-Type": "application/json"}});
  }
  navigator.sendBeacon(agent + "/v1/events", new Blob([sale], {type: "text/plain"}));
  const script = document.createElement("script");
  const loaded = new Promise((done) => { script.onload = () => done(true); script.onerror = () => done(false); });
  script.src = agent + "/page.js";
  document.head.append(script);
  return {read: got.filter(([, text]) => text !== ""), scriptLoaded: await loaded};
}"""


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the parent's spelling
        """Says nothing."""


@pytest.fixture
def agent(browser: Browser, tmp_path: Path) -> Iterator[AgentProcess]:
    """A running agent."""
    with MisbehavingLine() as line, AgentProcess(tmp_path / "agent") as made:
        made.enrol(line.url)
        made.start()
        yield made


@pytest.fixture
def elsewhere(tmp_path: Path, agent: AgentProcess) -> Iterator[str]:
    """A site of somebody else's on this very PC, which frames the agent's page and links to it."""
    folder = tmp_path / "site"
    folder.mkdir()
    own = f"http://127.0.0.1:{agent.port}/"
    folder.joinpath("index.html").write_text(
        f'<iframe src="{own}"></iframe><a href="{own}">open</a>'
        f'<form action="{own}v1/events" method="post" enctype="text/plain"><input name="x" value="y"></form>'
    )
    handler = functools.partial(_Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_another_page_can_neither_read_nor_post_nor_load(
    page: Page, agent: AgentProcess, elsewhere: str
) -> None:
    page.goto(elsewhere)
    outcome = page.evaluate(ATTACK, agent.port)
    assert outcome == {"read": [], "scriptLoaded": False}
    with page.expect_navigation():
        page.evaluate("document.forms[0].submit()")
    expect(page.locator("body")).to_contain_text("FORBIDDEN")
    assert agent.status()["lastSequence"] == 0


def test_another_page_cannot_frame_or_open_it(page: Page, agent: AgentProcess, elsewhere: str) -> None:
    page.goto(elsewhere)
    framed = page.frame_locator("iframe").get_by_role("heading")
    expect(framed).to_have_count(0)
    with page.expect_navigation():
        page.get_by_role("link").click()
    expect(page.locator("body")).to_contain_text("FORBIDDEN")


def test_a_name_that_points_here_gets_nothing(page: Page, agent: AgentProcess) -> None:
    """DNS rebinding: to the browser the attacker's page and the agent are then one origin."""
    answer = page.goto(f"http://evil.example:{agent.port}/")
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("body")).not_to_contain_text("STORE-01")
    assert page.evaluate("fetch('/v1/light').then((answer) => answer.status)") == 403
    sale = '{"type": "SALE", "itemId": "x", "quantity": 1, "amount": 1}'
    post = f"fetch('/v1/events', {{method: 'POST', headers: {{'Content-Type': 'application/json'}}, body: '{sale}'}})"
    assert page.evaluate(f"{post}.then((answer) => answer.status)") == 403
    assert agent.status()["lastSequence"] == 0
