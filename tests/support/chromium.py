"""Debian's Chromium, driven by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

# The same engine without windows takes half as long to open a page as one that makes a window for each and draws none.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def binary() -> str:
    """The path of the installed one; skips where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("needs Chromium")
    return found


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser of its own, with these arguments beside those that root needs; skips where there is none."""
    found = binary()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", *arguments])
        yield browser
        browser.close()
