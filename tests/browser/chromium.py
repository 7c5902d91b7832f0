"""Debian's Chromium, driven by Playwright, without any of its own conversations with the network."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-first-run", "--disable-gpu", "--disable-quic", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--host-resolver-rules=MAP evil.example 127.0.0.1",  # a name that an attacker has pointed at this PC
]  # fmt: skip


def find_chromium() -> Path | None:
    """The browser on this machine; CHROMIUM names another one."""
    wanted = (os.environ["CHROMIUM"],) if os.environ.get("CHROMIUM") else NAMES
    found = next(filter(None, map(shutil.which, wanted)), None)
    return Path(found) if found else None


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser; closed at the end."""
    executable = find_chromium()
    assert executable is not None
    # Chromium refuses to build its sandbox for root, which is who runs the checks in a container.
    sandbox = [] if os.name == "nt" or os.getuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*QUIET, *sandbox])
        try:
            yield browser
        finally:
            browser.close()
