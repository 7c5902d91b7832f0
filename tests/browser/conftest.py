"""One Chromium for all tests in a browser; where there is none they are skipped, and the last lines say so.

It ends with this folder's tests: while it runs, Playwright keeps an event loop in this thread, where other tests
have their own.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chromium import chromium, find_chromium
from tests.browser.no_browser import MISSING


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
