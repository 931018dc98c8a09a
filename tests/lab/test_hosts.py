"""Other hosts than JupyterLab, in a real browser: Notebook 7 and marimo."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import keep_picture, painted
from tests.lab.jupyter import (
    STUCK,
    NotebookPage,
    free_port,
    listen_for_errors,
    notebook,
    running_lab,
    serving,
    stuck_run,
)

LOAD = "%load_ext xinv_nb\nfrom autograd import grad, numpy as np"
RUN = """\
%%xinv bowl --no-model
x = np.array([3.0, -2.0])
for _ in range(60):
    x = x - 0.05 * grad(lambda x: np.sum(x**2))(x)
"""
SETTINGS = """\
[tool.marimo.display]
theme = "system"
[tool.marimo.runtime]
auto_instantiate = true
"""


def use(page: Any, region: Any, last: int) -> None:
    """Move the slider by keyboard, and ask a question."""
    slider = region.get_by_role("slider", name="iteration")
    slider.focus()
    for key, value in [("Home", 0), ("ArrowRight", 1), ("End", last), ("PageUp", last), ("PageDown", last - 10)]:
        page.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuenow", str(value))
    box = region.get_by_role("textbox", name="Ask about this run")
    box.fill("Why did the loss fall?")
    box.press("Enter")
    answer = region.get_by_role("article", name=re.compile("Why did the loss fall")).first
    expect(answer).to_contain_text("loss")


def test_notebook_7_from_running_to_reopening_without_a_kernel(chromium: Any, tmp_path: Path) -> None:
    (tmp_path / "bowl.ipynb").write_text(notebook(LOAD, RUN))
    with running_lab(tmp_path, "notebook") as address:
        context = chromium.new_context(viewport={"width": 1360, "height": 1000})
        tab = NotebookPage(context.new_page(), address)
        tab.open("bowl.ipynb")
        tab.run_all()
        region = tab.page.get_by_role("region", name="bowl")
        region.wait_for()
        use(tab.page, region, 59)
        record = tab.page.locator("[data-xinv-record]")
        expect(record.locator("img")).not_to_be_visible()
        for theme in ("Dark", "Light"):
            tab.theme(f"JupyterLab {theme}")
            expect(region).to_have_attribute("data-theme", theme.lower())
            keep_picture(tab.page, f"notebook-7-{theme.lower()}")
        assert tab.errors == []
        tab.save()
        tab.close_kernel()
        reopened = NotebookPage(context.new_page(), address)
        reopened.open("bowl.ipynb")
        story = reopened.page.locator("[data-xinv-record]")
        story.locator("img").wait_for()
        assert re.search(r"loss fell .*from 13", story.inner_text())
        keep_picture(reopened.page, "notebook-7-reopened")
        context.close()


def test_the_stop_button_interrupts_a_run_in_notebook_7(chromium: Any, tmp_path: Path) -> None:
    (tmp_path / "seen").touch()  # it ends as soon as it is stopped
    (tmp_path / "stuck.ipynb").write_text(notebook(LOAD, stuck_run("bowl")))
    with running_lab(tmp_path, "notebook") as address:
        context = chromium.new_context(viewport={"width": 1360, "height": 1000})
        tab = NotebookPage(context.new_page(), address)
        tab.open("stuck.ipynb")
        tab.wait_for_kernel()
        tab.start("notebook:run-all-cells")
        region = tab.page.get_by_role("region", name="bowl")
        state = region.get_by_role("status").first
        expect(state).to_have_text(re.compile(r"recording · \d+"))
        expect(tab.page.get_by_text(STUCK, exact=True)).to_be_visible()
        region.get_by_role("button", name="Stop", exact=True).click()
        expect(state).to_have_text("interrupted at 20")
        expect(region.get_by_role("slider", name="iteration")).to_have_attribute("aria-valuemax", "19")
        expect(region.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
        expect(region.get_by_role("article", name=re.compile("iterations 0–19$")).first).to_be_visible()
        expect(tab.page.get_by_text("KeyboardInterrupt").first).to_be_visible()
        assert tab.errors == []
        keep_picture(tab.page, "notebook-7-stopped")
        context.close()


@pytest.mark.parametrize("mode", ["run", "edit"])
def test_marimo(chromium: Any, tmp_path: Path, mode: str) -> None:
    app = shutil.copy(Path(__file__).parent / "marimo_app.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    port = free_port()
    command = ["marimo", "--yes", "--quiet", mode, str(app), "--headless", "--no-token", f"--port={port}"]
    with serving(command, tmp_path, f"http://127.0.0.1:{port}", "/health") as address:
        context = chromium.new_context(viewport={"width": 1360, "height": 1000}, color_scheme="dark")
        page = context.new_page()
        errors = listen_for_errors(page)
        page.goto(address)
        following = page.get_by_role("region", name="live", exact=True)
        slider = following.get_by_role("slider", name="iteration")
        for _ in range(6):
            seen = slider.get_attribute("aria-valuenow")
            expect(slider, "the view follows the run").not_to_have_attribute("aria-valuenow", seen)
        (tmp_path / "followed").touch()
        expect(page.get_by_role("region", name="bowl and live compared")).to_be_visible()

        shown, wrapped = page.get_by_role("region", name="bowl", exact=True).all()
        use(page, shown, 59)
        expect(page.get_by_text("the cursor stands at 49")).to_be_visible()
        expect(wrapped.get_by_role("slider", name="iteration")).to_have_attribute("aria-valuenow", "49")
        assert page.locator("[data-xinv-record]").count() == 0, "marimo keeps no outputs"

        shown.scroll_into_view_if_needed()
        for theme in ("dark", "light"):
            page.emulate_media(color_scheme=theme)
            expect(shown).to_have_attribute("data-theme", theme)
            painted(page)
            keep_picture(page, f"marimo-{mode}-{theme}")
        assert errors == []
        context.close()
