"""Several fits in one cell, as a person meets them in JupyterLab: which one is told of, another one, all laid over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser import keep_picture
from tests.lab.jupyter import LabPage, notebook, running_lab

LOAD = "%load_ext xinv_nb\nfrom autograd import grad, value_and_grad, numpy as np\nfrom scipy.optimize import minimize"
STARTS = """\
%%xinv starts --no-model
import numpy
dice = numpy.random.RandomState(3)
for _ in range(5):
    minimize(value_and_grad(lambda x: np.sum(x**4 - 4 * x**2 + 0.8 * x)), 2 * dice.randn(2), jac=True, method="BFGS")
"""
ARROWS = """\
%%xinv arrows --no-model
slope = grad(lambda p: (p[0] - 1.5) ** 2 + 2 * (p[1] + 0.5) ** 2)
p = numpy.array([-2.0, 2.5])
for _ in range(20):
    p = p - 0.12 * slope(p)
for a in numpy.linspace(-3, 3, 7):
    for b in numpy.linspace(-3, 3, 7):
        slope(numpy.array([a, b]))
"""
BOTH = """\
%%xinv both --no-model
def cost(x):
    return np.sum((x - numpy.array([1.5, -0.5])) ** 2)
def risk(y):
    return np.sum((y - 2.0) ** 4)
for rate in (0.02, 0.3):
    x = numpy.zeros(2)
    for _ in range(25):
        x = x - rate * grad(cost)(x)
y = numpy.zeros(1)
for _ in range(12):
    y = y - 0.02 * grad(risk)(y)
"""


def test_the_reader_switches_between_the_fits_of_a_cell_and_lays_them_over_each_other(
    chromium: Any, tmp_path: Path
) -> None:
    (tmp_path / "fits.ipynb").write_text(notebook(LOAD, STARTS, ARROWS, "print('chosen:', starts.chosen_fit)", BOTH))
    with running_lab(tmp_path) as address:
        context = chromium.new_context(viewport={"width": 1360, "height": 1000})
        lab = LabPage(context.new_page(), address)
        lab.open("fits.ipynb")
        lab.run_all()
        lab.scroll_to_cell_with("starts --no-model")
        region = lab.page.get_by_role("region", name="starts", exact=True)
        choice = region.get_by_role("combobox", name="fit")
        slider = region.get_by_role("slider", name="iteration")
        status = region.get_by_role("status")
        headline = region.get_by_role("article").first
        summary = region.get_by_role("article", name=re.compile("^Summary"))
        expect(choice).to_have_value("5")
        assert "3 · BFGS · ended at −10.3 · lowest" in choice.inner_text()
        expect(slider).to_have_attribute("aria-valuenow", "65")
        expect(status).to_contain_text("fit 5 of 5")
        expect(headline).to_contain_text("3 of 5 fits")
        expect(region.get_by_text("fit 2", exact=True), "the others are named on the track").to_be_visible()
        lab.show(region)
        for theme in ("JupyterLab Dark", "JupyterLab Light"):
            lab.theme(theme)
            keep_picture(region, f"fits-{theme.split()[1].lower()}")

        region.get_by_role("button", name="Details").click()
        choice.focus()
        choice.press("ArrowUp")
        expect(slider).to_have_attribute("aria-valuenow", "50")
        expect(choice).to_be_focused()
        choice.select_option("1")
        expect(slider).to_have_attribute("aria-valuenow", "11")
        expect(summary).to_contain_text("What follows tells of number 1")
        expect(summary).to_contain_text("−5.78")
        expect(status).to_contain_text("fit 1 of 5 · BFGS · ended at −5.78")
        expect(lab.page.locator("[data-xinv-record]").first).to_contain_text("What follows tells of number 1")
        slider.focus()
        lab.page.keyboard.press("Home")
        expect(slider).to_have_attribute("aria-valuenow", "0")
        keep_picture(region, "fits-chosen")
        lab.run_cell(3)
        expect(lab.page.get_by_text("chosen: 0", exact=True)).to_be_attached()

        lab.scroll_to_cell_with("starts --no-model")
        region.get_by_role("button", name="Compare the fits").click()
        compared = lab.page.get_by_role("region", name="starts: 5 fits compared")
        expect(compared.get_by_role("article").first).to_contain_text("fit 5 reached the lowest loss")
        expect(compared.get_by_role("list", name="from start to cursor")).to_contain_text("fit 3")
        lab.show(compared)
        keep_picture(compared, "fits-compared")

        lab.scroll_to_cell_with("arrows --no-model")
        arrows = lab.page.get_by_role("region", name="arrows")
        expect(arrows.get_by_role("slider", name="iteration")).to_have_attribute("aria-valuenow", "19")
        expect(arrows.get_by_role("combobox", name="fit")).to_have_count(0)
        lab.show(arrows)
        keep_picture(arrows, "fits-and-a-grid")

        lab.scroll_to_cell_with("both --no-model")
        both = lab.page.get_by_role("region", name="both", exact=True)
        objective = both.get_by_role("combobox", name="objective")
        lab.show(both)
        keep_picture(both, "fits-of-two-objectives")
        objective.select_option("risk · 12 evaluations")
        expect(both.get_by_role("slider", name="iteration")).to_have_attribute("aria-valuenow", "11")
        expect(both.get_by_role("list", name="from start to cursor")).to_contain_text("y[0]")
        expect(both.get_by_role("combobox", name="fit")).to_have_count(0)
        objective.select_option("cost · 50 evaluations")
        expect(both.get_by_role("slider", name="iteration")).to_have_attribute("aria-valuenow", "49")
        expect(both.get_by_role("combobox", name="fit")).to_have_value("2")
        assert lab.errors == []
        context.close()
