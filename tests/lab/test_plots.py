"""What a pointer does on the plots, in a real browser on an exported page; and what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from autograd import grad
from autograd import numpy as anp
from playwright.sync_api import expect

import xinv_nb as xi
from tests.browser import come_to_rest, keep_picture
from tests.lab.jupyter import LabPage, notebook, running_lab
from tests.waiting import until


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    known = {0: xi.Parameter("speed", "m/s"), 1: xi.Parameter("angle", "rad")}
    with xi.record("throw", problem=xi.Problem("Throw", parameters=known)) as run:
        x = np.array([4.0, 0.7])
        for _ in range(400):
            x = x - 0.01 * grad(lambda x: anp.sum(x**2))(x)
    return run.to_html(tmp_path_factory.mktemp("page") / "run.html")


@pytest.fixture
def page(chromium: Any, page_file: Path) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1200, "height": 600})
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.get_by_role("button", name="Details").click()
    page.locator(".plots").scroll_into_view_if_needed()
    come_to_rest(page.locator(".plots"))
    yield page
    context.close()


def shown(page: Any) -> tuple[int, int]:
    """Return the first and the last iteration that the plots show."""
    text = page.locator(".zoom-bar").inner_text()
    match = re.search(r"iterations (\d+)–(\d+) shown", text)
    return (int(match[1]), int(match[2])) if match else (0, 399)


def test_the_wheel_scrolls_the_page_until_the_plots_have_the_focus(page: Any) -> None:
    box = page.locator(".plots").bounding_box()
    middle = box["x"] + box["width"] * 0.4, box["y"] + 100
    stood = page.evaluate("scrollY")
    page.mouse.move(*middle)
    page.mouse.wheel(0, -120)
    until(lambda: page.evaluate("scrollY") < stood)
    come_to_rest(page.locator(".plots"))
    assert shown(page) == (0, 399)
    page.evaluate("(y) => scrollTo(0, y)", stood)
    come_to_rest(page.locator(".plots"))
    page.mouse.click(*middle)
    before = page.get_by_role("slider", name="iteration").get_attribute("aria-valuenow")
    page.mouse.wheel(0, -400)
    expect(page.get_by_role("button", name="Show the whole run")).to_be_visible()
    first, last = shown(page)
    assert 150 < last - first < 300
    assert first < int(before) < last, "what is under the pointer stays there"
    assert page.evaluate("scrollY") == stood
    keep_picture(page, "zoomed")

    # A drag on the axis moves along; as far as it goes, and not beyond.
    axis = box["y"] + box["height"] - 12
    page.mouse.move(middle[0], axis)
    page.mouse.down()
    page.mouse.move(middle[0] - 100, axis, steps=4)
    page.mouse.up()
    moved = shown(page)
    assert moved[0] > first + 20
    assert abs((moved[1] - moved[0]) - (last - first)) <= 1
    page.mouse.move(middle[0] - 100, axis)
    page.mouse.down()
    page.mouse.move(middle[0] + 3000, axis, steps=4)
    page.mouse.up()
    assert shown(page)[0] == 0
    page.mouse.dblclick(*middle)
    expect(page.get_by_role("button", name="Show the whole run")).to_be_hidden()


def test_a_drag_selects_and_the_selection_can_be_zoomed_to(page: Any) -> None:
    box = page.locator(".plots").bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 150, steps=4)
    page.mouse.up()
    into = page.get_by_role("button", name="Zoom to iterations")
    wanted = tuple(map(int, re.findall(r"\d+", into.inner_text())))
    into.click()
    assert shown(page) == wanted


def test_a_click_on_a_name_beside_its_line_isolates_it(page: Any) -> None:
    box = page.locator(".plots").bounding_box()
    pressed = page.get_by_role("group", name="parameters").get_by_role("button", pressed=True)
    expect(pressed).to_have_count(0)
    for y in range(150, 400, 6):
        page.mouse.click(box["x"] + box["width"] - 20, box["y"] + y)
        if pressed.count():
            break
    expect(pressed).to_have_count(1)
    assert pressed.inner_text().split()[0] in {"speed", "angle"}


def test_nothing_moves_while_one_reads_zooms_and_selects(page: Any) -> None:
    region = page.get_by_role("region", name="Throw")

    def places() -> Any:
        come_to_rest(region)
        return region.evaluate(
            """(region) => [
                ".state", ".texts", ".ask", ".track-plot", ".folds", ".plots", ".legend", ".panels", ".root",
            ].map((name) => {
                const node = name === ".root" ? region : region.querySelector(name);
                const { x, y, width, height } = node.getBoundingClientRect();
                const top = region.getBoundingClientRect().y;  // the page may scroll to what has the focus
                return `${name} ${[x, y - top, width, height].map(Math.round).join(" ")}`;
            })"""
        )

    before = places()
    slider = region.get_by_role("slider", name="iteration")
    slider.focus()
    for key in ("Home", "+", "+", "Shift+ArrowRight", "0", "End"):
        page.keyboard.press(key)
        assert places() == before, key
    region.get_by_role("button", name="Show as table").click()
    assert places() == before
    region.get_by_role("button", name="Show as plots").click()
    region.get_by_role("button", name="Choose").click()
    assert places() == before
    region.get_by_role("button", name="Close").click()
    region.get_by_role("button", name="Export").click()
    assert places() == before


# ---------------------------------------------------------------------- in JupyterLab

LONG = """\
%%xinv long --no-model --no-live
import numpy as onp
loss = grad(lambda x: np.sum(x**2))
for k in range(60_000):
    loss(onp.array([3.0 if k == 41_234 else 1.0 + k / 60_000, 2.0]))
"""


def test_a_part_of_a_long_run_is_shown_with_every_evaluation(chromium: Any, tmp_path: Path) -> None:
    load = "%load_ext xinv_nb\nfrom autograd import grad, numpy as np"
    (tmp_path / "long.ipynb").write_text(notebook(load, LONG, "long.widget().iteration = 41_234"))
    with running_lab(tmp_path) as address:
        context = chromium.new_context(viewport={"width": 1360, "height": 1000})
        lab = LabPage(context.new_page(), address)
        lab.open("long.ipynb")
        lab.run_all()
        region = lab.page.get_by_role("region", name="long")
        thinned = region.get_by_text(re.compile(r"one in [3-5] evaluations is shown"))
        expect(thinned).to_be_visible()
        slider = region.get_by_role("slider", name="iteration")
        expect(slider).to_have_attribute("aria-valuenow", "41234")  # the spike was not thinned away
        slider.focus()
        lab.page.keyboard.press("+")
        lab.page.keyboard.press("+")
        lab.page.keyboard.press("+")
        expect(thinned).to_be_hidden()
        keep_picture(region, "long-zoomed")
        for iteration in range(41_235, 41_240):
            lab.page.keyboard.press("ArrowRight")
            expect(slider).to_have_attribute("aria-valuenow", str(iteration))
        lab.page.keyboard.press("0")
        expect(thinned).to_be_visible()
        assert lab.errors == []
        context.close()
