"""One Chromium for all tests in a browser; where there is none they are skipped, and the last lines say so.

It ends with this folder's tests: while it runs, Playwright keeps an event loop in this thread, where other tests
have their own.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chromium import chromium, find_chromium

MISSING = "no Chromium on this machine: tests in a browser did NOT run (install one, or name it in CHROMIUM)"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    if find_chromium() is None:
        pytest.skip(MISSING)
    with chromium() as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A profile of this test's own."""
    with browser.new_context(viewport={"width": 1024, "height": 700}) as made:
        made.set_default_timeout(15_000)
        yield made


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A blank page."""
    return context.new_page()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A skipped browser must not look like a tested one."""
    skipped = [report for report in terminalreporter.getreports("skipped") if MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.section("TESTS IN A BROWSER DID NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.write_line(f"{len(skipped)} tests skipped: {MISSING}")
