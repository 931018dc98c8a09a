"""The story in a real browser, on the dev page: nothing jumps while a run is followed, and a laptop shows it whole."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import keep_picture
from tests.test_front_end import node_modules
from tests.test_screenshots import dev_page

__all__ = ["dev_page", "node_modules"]

WATCH = """() => {
    const parts = [".head", ".scenery", ".reading", ".ask", ".readout", ".track-plot", ".folds"];
    window.places = new Set();
    const look = () => {
        const roots = [...document.querySelectorAll("*")].map((each) => each.shadowRoot?.querySelector(".root"));
        const root = roots.find(Boolean);
        if (root) {
            const at = root.getBoundingClientRect();
            const places = [root, ...parts.map((part) => root.querySelector(part))].map((node) => {
                const { x, y, width, height } = node.getBoundingClientRect();
                return [x - at.x, y - at.y, width, height].map(Math.round).join(" ");
            });
            window.places.add(places.join(" | "));
        }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
"""Keeps where the parts of the widget have been, picture by picture."""


def region_of(page: Any, address: str) -> Any:
    """Return the widget on the dev page, when the run is there."""
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    return page.get_by_role("region").first


@pytest.mark.parametrize("width", [1160, 800])
def test_nothing_jumps_while_a_run_is_followed_nor_at_its_end(chromium: Any, dev_page: str, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.add_init_script(f"addEventListener('DOMContentLoaded', {WATCH})")
    region = region_of(page, f"{dev_page}?pause=15")
    expect(region.get_by_role("status")).to_have_text("converged · 90 iterations")
    places = page.evaluate("[...window.places]")
    assert len(places) == 1, places
    page.close()


def test_a_laptop_shows_the_story_whole(chromium: Any, dev_page: str) -> None:
    page = chromium.new_page(viewport={"width": 1032, "height": 900})
    region = region_of(page, f"{dev_page}?pause=1")
    box = region.bounding_box()
    assert box["width"] == 1000
    assert box["height"] <= 560
    region.get_by_role("button", name="Details").click()
    expect(region.get_by_role("tablist")).to_be_visible()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.get_by_role("region").first.get_by_role("tablist"), "what was unfolded is remembered").to_be_visible()
    page.close()


def test_the_track_is_dragged_and_a_stretch_selected_with_shift(chromium: Any, dev_page: str) -> None:
    page = chromium.new_page(viewport={"width": 1160, "height": 900})
    region = region_of(page, f"{dev_page}?pause=1")
    slider = region.get_by_role("slider", name="iteration")
    box, plot = slider.bounding_box(), region.locator(".track-plot").bounding_box()
    assert (box["width"], box["height"]) == (44, 44), "large enough for a finger"
    page.mouse.move(box["x"] + 22, box["y"] + 22)
    page.mouse.down()
    page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + 40, steps=6)
    page.mouse.up()
    middle = int(slider.get_attribute("aria-valuenow"))
    assert 35 <= middle <= 50
    expect(region.locator(".chapter.open")).to_contain_text("Slow valley")
    assert not region.get_by_role("button", name="Clear the selection").is_visible()
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(plot["x"] + plot["width"] / 2 + 150, plot["y"] + 40, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(region.get_by_role("button", name="Explain these iterations")).to_be_visible()
    assert int(slider.get_attribute("aria-valuenow")) == middle
    keep_picture(region, "track-selected")
    page.close()
