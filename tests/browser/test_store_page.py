"""The store's page in a real Chromium, in front of a real agent: what a shop assistant sees."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system

AWAY = {"status": 503, "marked": True}


@pytest.fixture
def line() -> Iterator[MisbehavingLine]:
    """A headquarters that behaves until it is told otherwise."""
    with MisbehavingLine() as started:
        yield started


@pytest.fixture
def agent(browser: Browser, tmp_path: Path, line: MisbehavingLine) -> Iterator[AgentProcess]:
    """A running agent; asks for the browser first, so that nothing is started in vain."""
    with AgentProcess(tmp_path / "agent") as made:
        made.enrol(line.url)
        made.start()
        yield made


def show(page: Page, agent: AgentProcess) -> None:
    """Opens the page as a shop does, with a clock that the test can wind forward."""
    page.clock.install()
    page.goto(f"http://127.0.0.1:{agent.port}/")


def next_look(page: Page) -> None:
    """Lets the page's five seconds pass."""
    page.clock.run_for(5_100)


def expect_light(page: Page, colour: str, headline: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-colour", colour)
    expect(page.get_by_role("heading")).to_have_text(headline)
    expect(page).to_have_title(f"{headline} – STORE-01")
    for sign in ("green", "amber", "red"):
        assert page.locator(f".sign .{sign}").is_visible() == (sign == colour)


def expect_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    expect(page.get_by_role("status")).to_have_attribute("aria-live", "polite")


def test_green_when_all_sales_are_safe_and_sent(page: Page, agent: AgentProcess) -> None:
    agent.sell(sale(), sale())
    agent.until_delivered()
    show(page, agent)
    expect_light(page, "green", "All sales are safe and sent.")
    expect(page.get_by_text("There is nothing you need to do.")).to_be_visible()
    expect(page.locator("#call")).to_be_hidden()
    expect(page.locator("#waiting")).to_have_text("0")
    expect_accessible(page)


def test_amber_while_sales_wait_for_the_line_and_green_by_itself_when_it_is_back(
    page: Page, agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.always(**AWAY)
    agent.sell(*[sale(eventId=f"till-{n}") for n in range(3)])
    eventually("the agent notices", lambda: agent.status()["trouble"])
    show(page, agent)
    expect_light(page, "amber", "All sales are safe here. They are waiting for the line.")
    expect(page.get_by_text("Carry on selling.")).to_be_visible()
    expect(page.locator("#waiting")).to_have_text("3")
    expect_accessible(page)
    line.always()
    agent.until_delivered()
    eventually("the agent is online", lambda: agent.status()["online"])
    next_look(page)
    expect_light(page, "green", "All sales are safe and sent.")


def test_red_with_a_code_when_headquarters_does_not_know_the_device(
    page: Page, agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.set(credential="rotated")
    agent.sell(sale())
    eventually("the agent notices", lambda: agent.status()["enrolmentNeeded"])
    show(page, agent)
    expect_light(page, "red", "Please call support.")
    expect(page.get_by_text("Tell them this code: T20")).to_be_visible()
    expect_accessible(page)
    agent.enrol(line.url)
    agent.until_delivered()
    next_look(page)
    expect_light(page, "green", "All sales are safe and sent.")


def test_red_with_a_code_when_headquarters_refused_a_sale(
    page: Page, agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.set(poison=["poison"])
    agent.sell(sale(itemId="poison"), sale())
    eventually("it is set aside", lambda: agent.status()["undeliverable"])
    show(page, agent)
    expect_light(page, "red", "Please call support.")
    expect(page.locator("#codes")).to_have_text("T40")


def test_a_page_whose_agent_is_gone_says_so_and_recovers_with_it(page: Page, agent: AgentProcess) -> None:
    show(page, agent)
    expect_light(page, "green", "All sales are safe and sent.")
    agent.kill()
    next_look(page)
    expect_light(page, "amber", "Checking …")
    expect_accessible(page)
    for _ in range(4):
        next_look(page)
    expect_light(page, "red", "Please call support.")
    expect(page.locator("#codes")).to_have_text("T10")
    agent.start()
    next_look(page)
    expect_light(page, "green", "All sales are safe and sent.")


def test_it_loads_nothing_from_elsewhere_and_breaks_no_rule_of_its_own(
    page: Page, agent: AgentProcess
) -> None:
    asked: list[str] = []
    said: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    show(page, agent)
    with page.expect_response("**/v1/light"):
        next_look(page)
    own = f"http://127.0.0.1:{agent.port}/"
    assert {url.removeprefix(own) for url in asked if not url.startswith("data:")} == {
        "", "page.css", "page.js", "v1/light",
    }  # fmt: skip
    assert not said


def test_it_tells_the_truth_without_scripts_too(
    browser: Browser, agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.always(**AWAY)
    agent.sell(sale())
    eventually("the agent notices", lambda: agent.status()["trouble"])
    with browser.new_context(java_script_enabled=False) as plain:
        page = plain.new_page()
        page.goto(f"http://127.0.0.1:{agent.port}/")
        expect_light(page, "amber", "All sales are safe here. They are waiting for the line.")
        assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "15"


def test_an_updated_agent_brings_its_own_page(page: Page, agent: AgentProcess) -> None:
    def newer(route: Any) -> None:
        route.fulfill(response=(answer := route.fetch()), json={**answer.json(), "version": "99"})

    show(page, agent)
    expect_light(page, "green", "All sales are safe and sent.")
    page.route("**/v1/light", newer, times=1)
    with page.expect_navigation():
        next_look(page)
    expect_light(page, "green", "All sales are safe and sent.")


@pytest.mark.parametrize("size", [(320, 480), (1920, 1080)])
def test_it_fits_every_screen(page: Page, agent: AgentProcess, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    show(page, agent)
    expect_light(page, "green", "All sales are safe and sent.")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
