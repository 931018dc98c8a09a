"""What is wrong, above the explanation in a real browser: seen and heard, light and dark, wide and narrow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from autograd import grad
from autograd import numpy as anp
from playwright.sync_api import expect

import xinv_nb as xi
from tests.browser import keep_picture, painted
from tests.lab import test_accessibility
from tests.lab.test_accessibility import violations

NAME = "A well that runs dry"
axe = test_accessibility.axe


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run whose simulator is left behind: the square root of what is negative."""

    def misfit(x: Any) -> Any:
        level = xi.watch(anp.sqrt(2.0 - x[0]), "level", "m")
        return (level - 0.2) ** 2 + 0.1 * (x[1] - 1) ** 2

    wells = {0: xi.Parameter("depth", "m"), 1: xi.Parameter("width", "m")}
    with xi.record("well", problem=xi.Problem(NAME, parameters=wells)) as run, np.errstate(all="ignore"):
        x = np.array([-6.0, 3.0])
        for _ in range(40):
            x = x - 1.2 * grad(misfit)(x)
    assert [finding.kind for finding in run.diagnosis][:1] == ["not-finite"]
    return run.to_html(tmp_path_factory.mktemp("page") / "run.html")


@pytest.mark.parametrize(("theme", "width"), [("light", 1200), ("dark", 1200), ("light", 360), ("dark", 360)])
def test_what_is_wrong_comes_first_and_is_accessible(
    chromium: Any,
    page_file: Path,
    axe: str,
    theme: str,
    width: int,
) -> None:
    context = chromium.new_context(color_scheme=theme, viewport={"width": width, "height": 1000})
    page = context.new_page()
    page.goto(page_file.as_uri())
    region = page.get_by_role("region", name=NAME)
    warning = region.get_by_role("article", name=re.compile(r"^Warning, iterations 8–39$"))
    expect(warning).to_contain_text("no finite number")
    expect(warning).to_contain_text("What to do")
    assert warning.evaluate("(node) => node.getRootNode().querySelector('article') === node")
    box, outer = warning.bounding_box(), region.bounding_box()
    assert box["x"] >= outer["x"]
    assert box["x"] + box["width"] <= outer["x"] + outer["width"]
    assert violations(page, axe) == []
    warning.scroll_into_view_if_needed()
    painted(page)
    keep_picture(page, f"finding-{theme}-{width}")
    warning.get_by_role("button", name=re.compile("iterations 8–39")).click()
    slider = region.get_by_role("slider", name="iteration")
    assert slider.get_attribute("aria-valuenow") == "8"
    context.close()
