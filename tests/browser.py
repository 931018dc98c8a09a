"""The system's Chromium, driven by Playwright; a developer without it gets a skip that says what to install."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE

ARTIFACTS = Path(__file__).parent.parent / "artifacts"
"""Where tests leave screenshots; ignored by git."""

DOCS = ARTIFACTS.parent / "docs"

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--font-render-hinting=none",
]


def unavailable(reason: str) -> None:
    """Skip on a developer's machine; fail where the test has to run."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (CI needs it)")
    pytest.skip(reason)


def painted(page: Any) -> None:
    """Wait until the page has painted what has changed so far."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


STILL = """(node) => new Promise((resolve, reject) => {
    let before = "", still = 0, frames = 0;
    const look = () => {
        const { x, y, width, height } = node.getBoundingClientRect();
        const now = [x, y, width, height].join();
        still = now === before ? still + 1 : 0;
        before = now;
        if (still === 20) resolve();
        else if (++frames === 5000) reject(new Error("it does not come to rest"));
        else requestAnimationFrame(look);
    };
    look();
})"""
"""A function that waits until a node has kept its place for some pictures: of a slow page they come slowly."""


def come_to_rest(element: Any) -> None:
    """Wait until an element keeps its place."""
    element.evaluate(STILL)


def keep_picture(of: Any, name: str) -> None:
    """Leave a screenshot of a page or an element in `artifacts/`, and renew the README's where that is asked for."""
    ARTIFACTS.mkdir(exist_ok=True)
    picture = ARTIFACTS / f"{name}.png"
    of.screenshot(path=picture)
    if os.environ.get("XINV_UPDATE_SCREENSHOTS") and (DOCS / picture.name).exists():
        shutil.copy(picture, DOCS)


def chromium_options() -> dict[str, Any]:
    """Return how to launch the system's Chromium; the path is empty where there is none."""
    path = os.environ.get("XINV_CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), "")
    return {"executable_path": path, "args": _FLAGS}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A running headless Chromium; for one module, since Playwright occupies the thread's event loop meanwhile."""
    options = chromium_options()
    if not options["executable_path"]:
        unavailable("no Chromium on this machine: install Debian's package chromium, or name one in XINV_CHROMIUM")
    from playwright.sync_api import expect, sync_playwright

    patience = 1000 * PATIENCE
    expect.set_options(timeout=patience)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options, timeout=patience)
        browser.on("context", lambda context: context.set_default_timeout(patience))
        yield browser
        browser.close()
