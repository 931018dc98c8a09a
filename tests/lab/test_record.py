"""What is left of a run when its kernel is gone: reopened, exported, printed, shown on a forge; and how large it is."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bleach
import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import expect

from tests.browser import keep_picture
from tests.lab.jupyter import TREE, LabPage, notebook, running_lab
from tests.waiting import PATIENCE

CELLS = (
    f"import sys; sys.path.insert(0, {str(TREE)!r})\n%load_ext xinv_nb\nimport xinv_nb as xi\n"
    "from autograd import grad, numpy as np",
    """\
def draw(ax, x):
    ax.plot(x, "o-")
    ax.set_ylim(-4, 4)
bowl = xi.Problem("Ten springs", scene=draw)
noise = np.random.default_rng(0).normal(size=(1000, 10))
""",
    """\
%%xinv springs --problem bowl --no-model
x = 3 * noise[0]
for step in range(1000):
    x = x - 0.01 * grad(lambda x: np.sum(np.arange(1, 11) * x**2))(x) + 0.01 * noise[step]
""",
)
"""A run of 1,000 evaluations of ten parameters that jitter, which deflates badly."""

STORY = "loss fell"


@pytest.fixture(scope="module")
def saved() -> Any:
    """The notebook as a program runs it and saves it: with the state of its widgets."""
    run = nbformat.reads(notebook(*CELLS), as_version=4)
    NotebookClient(run, timeout=PATIENCE).execute()
    return run


@pytest.fixture(scope="module")
def record(saved: Any) -> dict[str, str]:
    (found,) = [o["data"] for o in saved.cells[2].outputs if "image/png" in o.get("data", {})]
    return found


def test_a_run_adds_little_to_a_notebook_whatever_is_saved_of_its_widget(saved: Any) -> None:
    state = next(iter(saved.metadata.widgets.values()))["state"]
    assert any("_esm" in model["state"] for model in state.values()), "the widget's state is saved as well"
    added = len(nbformat.writes(saved)) - len(notebook(*CELLS))
    assert added < 400_000


def test_a_forge_that_removes_scripts_frames_and_styles_shows_picture_and_text(record: dict[str, str]) -> None:
    kept = {"details", "summary", "div", "p", "strong", "br", "small", "img"}
    shown = bleach.clean(
        record["text/html"].replace("<style>", "<!--").replace("</style>", "-->"),
        tags=kept,
        attributes={"img": ["src", "alt"], "details": ["open"]},
        protocols={"data", "https"},
        strip=True,
    )
    assert STORY in shown
    assert '<img alt="Ten springs' in shown
    assert "data:image/png" in shown
    assert not any(word in shown for word in ("srcdoc", "color-scheme", "data-xinv"))
    # One that shows no HTML has the same in other forms.
    assert STORY in record["text/markdown"]
    assert STORY in record["text/plain"]


def test_an_exported_page_has_the_story_scrubs_and_prints(saved: Any, chromium: Any, tmp_path: Path) -> None:
    from nbconvert import HTMLExporter
    from pypdf import PdfReader

    without_state = nbformat.from_dict(saved)
    without_state.metadata.pop("widgets")
    html, _ = HTMLExporter().from_notebook_node(without_state)
    (tmp_path / "springs.html").write_text(html)
    page = chromium.new_page(viewport={"width": 1100, "height": 1000})
    page.goto((tmp_path / "springs.html").as_uri())
    record = page.locator("[data-xinv-record]")
    assert STORY in record.inner_text()
    printed = PdfReader(io.BytesIO(page.pdf()))
    text = " ".join(" ".join(sheet.extract_text() for sheet in printed.pages).split())
    assert STORY in text
    assert "Interactive page" not in text
    assert max(image.image.width for sheet in printed.pages for image in sheet.images) == 1000
    scrub(page, record)
    page.close()


def scrub(page: Any, record: Any) -> None:
    """Unfold the interactive page of a record, and use it without a kernel."""
    record.get_by_text("Interactive page", exact=True).click()
    region = record.frame_locator("iframe").get_by_role("region", name="Ten springs")
    slider = region.get_by_role("slider", name="iteration")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "0")
    expect(region.get_by_role("img", name="simulation at iteration 0")).to_be_visible()
    expect(region.get_by_role("article").first).to_contain_text(STORY)
    expect(record.locator("> div img")).not_to_be_visible()


@pytest.fixture(scope="module")
def lab(saved: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from nbformat.sign import NotebookNotary

    folder = tmp_path_factory.mktemp("record")
    without_state = nbformat.from_dict(json.loads(nbformat.writes(saved)))
    without_state.metadata.pop("widgets")
    nbformat.write(without_state, folder / "foreign.ipynb")
    without_state.cells[0].source += "\n"
    nbformat.write(without_state, folder / "own.ipynb")
    data = folder / ".jupyter-test" / "data"
    data.mkdir(parents=True)
    with running_lab(folder) as address:
        NotebookNotary(data_dir=str(data)).sign(nbformat.read(folder / "own.ipynb", 4))
        yield address


@pytest.mark.parametrize("name", ["own", "foreign"])
def test_a_reopened_notebook_scrubs_where_it_is_trusted_and_tells_its_story_anywhere(
    lab: str, chromium: Any, name: str
) -> None:
    context = chromium.new_context(viewport={"width": 1360, "height": 1000})
    tab = LabPage(context.new_page(), lab)
    tab.open_without_kernel(f"{name}.ipynb")
    tab.scroll_to_cell_with("%%xinv")
    record = tab.page.locator("details").filter(has_text="Record of this run").first
    picture = record.locator("> div > img")
    expect(picture).to_be_visible()
    assert STORY in record.inner_text()
    if name == "own":
        tab.theme("JupyterLab Dark")
        scrub(tab.page, record)
        region = record.frame_locator("iframe").get_by_role("region", name="Ten springs")
        for theme in ("dark", "light"):
            tab.theme(f"JupyterLab {theme.title()}")
            expect(region).to_have_attribute("data-theme", theme)
            keep_picture(tab.page, f"record-{theme}")
        assert [error for error in tab.errors if "widget model not found" not in error] == [], (
            "JupyterLab tells of that"
        )
    else:
        record.get_by_text("Interactive page", exact=True).click()
        expect(record.get_by_text("once the notebook is trusted")).to_be_visible()
        expect(picture).to_be_visible()
        keep_picture(tab.page, "record-untrusted")
    context.close()


def test_with_the_state_of_widgets_saved_a_reopened_notebook_shows_the_run_and_promises_nothing(
    chromium: Any, tmp_path: Path
) -> None:
    settings = tmp_path / ".jupyter-test" / "settings" / "@jupyter-widgets" / "jupyterlab-manager"
    settings.mkdir(parents=True)
    (settings / "plugin.jupyterlab-settings").write_text('{"saveState": true}')
    file = tmp_path / "springs.ipynb"
    file.write_text(notebook(*CELLS))
    with running_lab(tmp_path) as address:
        context = chromium.new_context(viewport={"width": 1360, "height": 1000})
        tab = LabPage(context.new_page(), address)
        tab.open(file.name)
        tab.run_all()
        region = tab.page.get_by_role("region", name="Ten springs")
        expect(region.get_by_role("status").first).to_have_text(re.compile("1000 iterations"))
        expect(region.get_by_role("textbox", name="Ask about this run")).to_be_enabled()
        tab.save()
        assert tab.errors == []
        assert "_esm" in json.dumps(json.loads(file.read_text())["metadata"]["widgets"]), "Jupyter has saved the widget"
        assert file.stat().st_size - len(notebook(*CELLS)) < 400_000
        tab.close_kernel()
        tab.page.close()

        reopened = LabPage(context.new_page(), address)
        reopened.open_without_kernel(file.name)
        reopened.scroll_to_cell_with("%%xinv")
        region = reopened.page.get_by_role("region", name="Ten springs")
        slider = region.get_by_role("slider", name="iteration")
        slider.focus()
        reopened.page.keyboard.press("Home")
        expect(slider).to_have_attribute("aria-valuenow", "0")
        expect(region.get_by_role("article").first).to_contain_text(STORY)
        expect(region.get_by_role("textbox", name="Ask about this run")).to_be_disabled()
        expect(region.get_by_role("button", name="Compare")).to_have_count(0)
        expect(region.get_by_text("Pictures of the scene need a running kernel")).to_be_visible()
        record = reopened.page.locator("[data-xinv-record]")
        record.locator("> summary").click()
        expect(record.locator("> div > img")).to_be_visible()
        assert reopened.errors == []
        keep_picture(reopened.page, "saved-state-reopened")
        context.close()
