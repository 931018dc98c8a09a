"""The reasons as a person meets them in JupyterLab: read, pressed, followed with the slider, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import keep_picture
from tests.lab.jupyter import LabPage, notebook, running_lab
from tests.lab.test_accessibility import axe, violations
from tests.test_reasons_view import rail
from tests.waiting import until

__all__ = ["axe", "rail"]

LOAD = "%load_ext xinv_nb\nimport numpy\nfrom autograd import grad\nfrom autograd.misc.optimizers import adam"
PROBLEM = "from tests.test_reasons_view import line, railway\nproblem = railway()"
ROUTE = """\
%%xinv route --problem problem --no-model
end = adam(grad(line), numpy.array([6.0, 7.0, 8.0, 8.0]), num_iters=300, step_size=0.1)
"""


def test_the_reader_presses_a_cell_and_moves_the_slider(chromium: Any, tmp_path: Path) -> None:
    say = "print('selected:', route.widget().span)"
    (tmp_path / "reasons.ipynb").write_text(notebook(LOAD, PROBLEM, ROUTE, say))
    with running_lab(tmp_path) as address:
        context = chromium.new_context(viewport={"width": 1360, "height": 1000})
        lab = LabPage(context.new_page(), address)
        lab.open("reasons.ipynb")
        lab.run_all()
        lab.scroll_to_cell_with("route --problem")
        lab.page.get_by_role("button", name="Reasons", exact=True).click()
        panel = lab.page.get_by_role("region", name="Reasons")
        brought = panel.get_by_role("table", name="What moving each brought, iterations 0–299 · M€")
        pushes = panel.get_by_role("table", name="What pushes it at iteration")
        assert brought.get_by_role("columnheader").all_inner_texts() == [
            "length", "fountain", "village", "valley", "together",
        ]  # fmt: skip
        total = brought.get_by_role("button", name="together, together")
        expect(total).to_have_accessible_name(f"together, together: {total.inner_text()[1:]} M€ cheaper")
        lab.show(panel)
        for theme in ("JupyterLab Dark", "JupyterLab Light"):
            lab.theme(theme)
            keep_picture(panel, f"reasons-{theme.split()[1].lower()}")

        slider = lab.page.get_by_role("slider", name="iteration")
        slider.focus()
        lab.page.keyboard.press("Home")
        expect(pushes.get_by_role("button", name="first point, fountain: pushed south")).to_have_count(1)
        expect(panel.get_by_text("iteration 0", exact=True).first).to_be_visible()
        at_start = pushes.get_by_role("button").nth(4).inner_text()
        lab.page.keyboard.press("End")
        expect(panel.get_by_text("iteration 299", exact=True).first).to_be_visible()
        assert pushes.get_by_role("button").nth(4).inner_text() != at_start

        panel.get_by_role("button", name="1 descent").click()
        cell = panel.get_by_role("button", name="first point, fountain: ").first
        cell.click()
        expect(panel.get_by_role("button", name="first point, fountain: ").first).to_have_attribute(
            "aria-current", "true"
        )
        expect(panel.get_by_role("button", name="first point, fountain: ").first).to_be_focused()
        lab.page.keyboard.press("ArrowDown")
        expect(panel.get_by_role("button", name="second point, fountain: ").first).to_be_focused()
        first, last = panel.get_by_role("table").first.locator("caption").inner_text().split()[5].split("–")
        said = lab.page.get_by_text(f"selected: [{first}, {last}]", exact=True)
        until(lambda: lab.run_cell(3) or said.count())
        assert lab.errors == []
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1160, 800, 380, 320])
def test_the_reasons_of_an_exported_page_fit_and_can_be_read_by_all(
    chromium: Any, rail: Any, axe: str, tmp_path: Path, theme: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce")
    page.goto(rail.to_html(tmp_path / "rail.html").as_uri())
    page.get_by_role("button", name="Reasons", exact=True).click()
    panel = page.get_by_role("region", name="Reasons")
    panel.wait_for()
    if width < 700:
        panel.get_by_role("combobox", name="parameter").select_option("fourth point")
    cell = panel.get_by_role("button", name="fourth point, valley: ").last
    cell.click()
    expect(panel.locator("[aria-current]:visible").last).to_be_visible()
    keep_picture(panel, f"reasons-{width}-{theme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page, axe) == []
    page.close()
