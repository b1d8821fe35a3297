"""A real headless browser for tests; without one they skip with a reason."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@contextmanager
def open_browser(*arguments: str) -> Iterator[Browser]:
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium or Chrome on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # Containers run tests as root, where Chromium's own sandbox does not start.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", *arguments])
        try:
            yield browser
        finally:
            browser.close()


def until(page: Page, condition: str, limit_s: float = 30) -> None:
    """Wait for a JavaScript expression; Playwright's own wait needs `eval`, which our pages forbid."""
    for _ in range(int(limit_s / 0.1)):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never came true: {condition}")
