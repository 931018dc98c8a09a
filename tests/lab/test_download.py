"""A missing model in a real JupyterLab: offered, asked for by a press, followed, and then the run is worded with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import keep_picture
from tests.captions.test_downloading import GB, Library
from tests.lab.jupyter import LabPage, notebook, running_lab
from tests.ollama.test_download import BIG, FOREVER, layer
from tests.waiting import PATIENCE

RUN = """\
%%xinv run --host {host}
x = np.array([3.0, -2.0])
for _ in range(40):
    x = x - 0.1 * grad(lambda x: np.sum(x**2))(x)
"""
BUSY = "import os, time\nprint('busy', flush=True)\nwhile not os.path.exists('enough'):\n    time.sleep(0.05)"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("XINV_NB_CACHE", str(tmp_path / "answers"))  # what others have cached is no part of this
    with Library() as server:
        yield server


@pytest.fixture
def tab(chromium: Any, library: Library, tmp_path: Path) -> Iterator[LabPage]:
    setup = "%load_ext xinv_nb\nfrom autograd import grad, numpy as np"
    (tmp_path / "run.ipynb").write_text(notebook(setup, RUN.format(host=library.host), BUSY))
    with running_lab(tmp_path) as address:
        context = chromium.new_context(viewport={"width": 1360, "height": 1000})
        page = LabPage(context.new_page(), address)
        page.open("run.ipynb")
        page.wait_for_kernel()
        for cell in range(2):
            page.run_cell(cell)
        yield page
        context.close()


def test_a_missing_model_is_offered_followed_and_then_writes(tab: LabPage, library: Library, tmp_path: Path) -> None:
    region = tab.page.get_by_role("region", name="run").first
    tab.show(region)
    region.get_by_role("button", name="built-in text · get llama3.2 for more").click()
    sheet = region.get_by_role("group", name="who writes")
    get = sheet.get_by_role("button", name="Get llama3.2 (about 2 GB)")
    expect(get).to_be_visible()
    keep_picture(region, "pull-offered")
    assert library.pulls() == []

    library.while_pulling = ({"error": "dial tcp: lookup registry.ollama.ai: no such host"},)
    get.click()
    expect(sheet).to_contain_text("Check the internet connection")
    keep_picture(region, "pull-failed")

    library.while_pulling = (layer(BIG, GB // 5, 2 * GB), FOREVER)
    get.focus()
    tab.page.keyboard.press("Enter")
    bar = sheet.get_by_role("progressbar", name="download of llama3.2")
    expect(bar).to_have_attribute("aria-valuenow", "10")
    expect(sheet).to_contain_text("0.2 of 2.0 GB · 10 %")
    expect(sheet.get_by_role("button", name="Cancel")).to_be_focused()
    keep_picture(region, "pull-going")
    tab.page.keyboard.press("Enter")
    expect(get).to_be_focused()
    expect(sheet).to_contain_text("Ollama keeps what it has downloaded")

    # The notebook stays usable: a cell runs meanwhile.
    library.go_on.clear()
    library.while_pulling = (layer(BIG, GB, 2 * GB), lambda: library.go_on.wait(PATIENCE))
    tab.page.keyboard.press("Enter")
    expect(bar).to_have_attribute("aria-valuenow", "50")
    tab.start_cell(2)
    expect(tab.page.get_by_text("busy", exact=True)).to_be_visible()
    library.go_on.set()
    assert library.pulls()[-1].over.wait(PATIENCE), "it has come while the cell runs"
    (tmp_path / "enough").touch()
    expect(region.locator(".writer")).to_have_text("llama3.2:latest · local")
    region.get_by_role("button", name="Details").click()
    expect(region.get_by_role("tabpanel").get_by_role("article").first).to_contain_text("went down")
    expect(sheet.get_by_role("button", name="Get")).to_have_count(0)
    assert [request.body["model"] for request in library.pulls()] == ["llama3.2"] * 3
    assert library.pulls()[1].left is not None, "Cancel closed the connection"
    assert tab.errors == []


def test_a_press_while_a_cell_runs_is_not_lost(tab: LabPage, library: Library, tmp_path: Path) -> None:
    region = tab.page.get_by_role("region", name="run").first
    tab.show(region)
    tab.start_cell(2)
    expect(tab.page.get_by_text("busy", exact=True)).to_be_visible()
    region.locator(".writer").click()
    region.get_by_role("button", name="Get llama3.2 (about 2 GB)").click()
    (tmp_path / "enough").touch()
    # Whether the kernel hears of it at once or when the cell has ended is the kernel's affair.
    expect(region.locator(".writer")).to_have_text("llama3.2:latest · local")
    assert len(library.pulls()) == 1
