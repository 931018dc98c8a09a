"""The life of a widget in a real JupyterLab: two views, a page that is left and reopened, a cell that runs again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import come_to_rest
from tests.lab.jupyter import LabPage, notebook, running_lab
from tests.waiting import until

LOAD = "%load_ext xinv_nb\nfrom autograd import grad, numpy as np"
RUN = """\
%%xinv run --no-model
x = np.array([3.0, -2.0])
for _ in range(12):
    x = x - 0.05 * grad(lambda x: np.sum(x**2))(x)
"""


LONG_RUN = """\
%%xinv run --no-model
import os, time
x = np.array([3.0, -2.0])
for k in range(150):
    while k == 100 and not os.path.exists("reloaded"):
        time.sleep(0.05)
    x = x - 0.05 * grad(lambda x: np.sum(x**2))(x)
"""
"""It waits for the test before its last third."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("notebooks")
    with running_lab(folder) as address:
        yield address, folder


@pytest.fixture
def tab(chromium: Any, lab: Any) -> Iterator[LabPage]:
    context = chromium.new_context(viewport={"width": 1360, "height": 900})
    yield LabPage(context.new_page(), lab[0])
    context.close()


def test_a_cell_that_is_run_again_leaves_one_view_and_one_model_in_the_page(tab: LabPage, lab: Any) -> None:
    (lab[1] / "again.ipynb").write_text(notebook(LOAD, RUN))
    tab.open("again.ipynb")
    tab.wait_for_kernel()
    tab.run_cell(0)
    regions = tab.page.get_by_role("region", name="run")
    for _ in range(4):
        tab.run_cell(1)
    expect(regions).to_have_count(1)
    expect(regions.first.get_by_role("status").first).to_have_text(re.compile("iterations"))
    first = held(tab)
    times = 20
    for _ in range(times):
        tab.run_cell(1)
    expect(regions).to_have_count(1)
    expect(regions.first.get_by_role("status").first).to_have_text(re.compile("iterations"))
    last = held(tab)
    each = {name: (last[name] - first[name]) / times for name in first}
    assert each["models"] == each["style sheets"] == 0
    # JupyterLab keeps a little of each execution itself: 7 listeners and 20 kB, whatever the cell does.
    assert each["listeners of the page"] < 0.5, "on window, document and body"
    assert each["Nodes"] < 10, "no view and no record"
    assert each["JSEventListeners"] < 10, "nothing that listens for a view"
    assert each["JSHeapUsedSize"] < 180_000, "no recording and no view; anywidget keeps the widget's module"
    assert tab.errors == []


def test_a_reloaded_page_and_a_second_view_catch_up_with_a_run(tab: LabPage, lab: Any) -> None:
    (lab[1] / "views.ipynb").write_text(notebook(LOAD, LONG_RUN))
    tab.open("views.ipynb")
    tab.wait_for_kernel()
    tab.run_cell(0)
    tab.start_cell(1)
    regions = tab.page.get_by_role("region", name="run")
    expect(regions.first.get_by_role("status").first).to_have_text(re.compile(r"recording · \d+"))
    tab.start("notebook:create-output-view")
    expect(regions).to_have_count(2)
    for view in (regions.nth(0), regions.nth(1)):
        expect(view.get_by_role("status").first).to_have_text(re.compile(r"recording · \d+"))
    tab.command("docmanager:save")
    until(lambda: "widget-view" in (lab[1] / "views.ipynb").read_text())
    tab.page.reload()
    (lab[1] / "reloaded").touch()
    expect(regions.first.get_by_role("status").first).to_have_text(re.compile("iterations"))
    expect(regions.first.get_by_role("slider", name="iteration")).to_have_attribute("aria-valuemax", "149")


def test_the_record_takes_the_place_of_a_widget_whose_kernel_was_restarted(tab: LabPage, lab: Any) -> None:
    (lab[1] / "restart.ipynb").write_text(notebook(LOAD, RUN))
    tab.open("restart.ipynb")
    tab.run_all()
    region, record = tab.page.get_by_role("region", name="run"), tab.page.locator("[data-xinv-record]")
    region.wait_for()
    expect(record.locator("img")).not_to_be_visible()
    tab.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    tab.wait_for_kernel()
    # Whatever JupyterLab leaves of the view until the page is opened anew, the story is to be had.

    def is_unfolded() -> bool:
        if not record.locator("img").is_visible():
            record.locator("summary").first.click()
        return bool(record.locator("img").is_visible())

    until(is_unfolded)
    expect(record).to_contain_text("loss fell")
    tab.run_all()
    expect(region.get_by_role("status").first).to_have_text(re.compile("12 iterations"))
    assert tab.errors == []


def test_a_view_that_was_scrolled_away_comes_back_as_it_was(tab: LabPage, lab: Any) -> None:
    tall = [f"print('\\n' * 40, {i})" for i in range(12)]
    (lab[1] / "long.ipynb").write_text(notebook(LOAD, RUN, *tall))
    tab.open("long.ipynb")
    tab.run_all()
    tab.scroll_to_cell_with("%%xinv run")
    region = tab.page.get_by_role("region", name="run")
    region.wait_for()
    slider = region.get_by_role("slider", name="iteration")
    slider.focus()
    tab.page.keyboard.press("Home")
    tab.page.keyboard.press("ArrowRight")
    for _ in range(3):
        tab.scroll_to_cell_with("40, 11)")
        expect(region).not_to_be_in_viewport()
        tab.scroll_to_cell_with("%%xinv run")
        expect(region).to_be_in_viewport()
    expect(region).to_have_count(1)
    assert slider.get_attribute("aria-valuenow") == "1", "the cursor is where the reader left it"
    painted = region.locator("canvas.past").evaluate(
        "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v > 0)"
    )
    assert painted
    assert tab.errors == []


def held(tab: LabPage) -> dict[str, float]:
    """Return what the page holds after a garbage collection: models, DOM nodes, listeners, bytes of JavaScript."""
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Performance.enable")

    def collected() -> dict[str, float]:
        session.send("HeapProfiler.collectGarbage")
        come_to_rest(tab.page.locator("body"))  # what the page does once something is gone takes a turn or more
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return {name: metrics[name] for name in ("Nodes", "JSEventListeners", "JSHeapUsedSize")}

    former, metrics = collected(), collected()
    while metrics["Nodes"] < former["Nodes"]:
        former, metrics = metrics, collected()
    listeners = 0
    for name in ("window", "document", "document.body"):
        node = session.send("Runtime.evaluate", {"expression": name})["result"]["objectId"]
        listeners += len(session.send("DOMDebugger.getEventListeners", {"objectId": node})["listeners"])
    session.detach()
    return {
        "models": tab.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel._comms.size"),
        "style sheets": tab.page.evaluate("document.adoptedStyleSheets.length"),
        "listeners of the page": listeners,
        **metrics,
    }
