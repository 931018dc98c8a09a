"""The widget in a real JupyterLab, used as a person uses it; screenshots are left in `artifacts/`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import keep_picture
from tests.lab.jupyter import STUCK, LabPage, notebook, running_lab, stuck_run
from tests.waiting import PATIENCE

DEMO = Path(__file__).parent.parent.parent / "demo_notebooks" / "01_rail_route.ipynb"

RUN = """\
%%xinv run --host {host} --model {model}
x = np.array([3.0, -2.0])
for _ in range(60):
    x = x - 0.05 * grad(lambda x: np.sum(x**2))(x)
"""
FOLLOWED_RUN = """\
%%xinv run --no-model
import os, time
x = np.array([3.0, -2.0])
while not os.path.exists("followed"):
    time.sleep(0.1)
    x = x - 0.05 * grad(lambda x: np.sum(x**2))(x)
"""
LOAD = "%load_ext xinv_nb\nfrom autograd import grad, numpy as np"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(DEMO, folder)
    with running_lab(folder) as address:
        yield address, folder


@pytest.fixture
def tab(chromium: Any, lab: Any) -> Iterator[LabPage]:
    context = chromium.new_context(viewport={"width": 1360, "height": 1000}, device_scale_factor=1.5)
    yield LabPage(context.new_page(), lab[0])
    context.close()


def test_the_first_notebook_from_run_all_to_reopening_without_a_kernel(tab: LabPage, lab: Any) -> None:
    page, folder = tab.page, lab[1]
    tab.open(DEMO.name)
    tab.run_all()
    region = page.get_by_role("region", name="Rail route A→B")
    region.wait_for()
    tab.show(region)

    # The head tells the end in words, and who wrote.
    expect(region.get_by_role("status").first).to_have_text("converged · 300 iterations")
    expect(region.get_by_role("button", name=re.compile("^built-in text"))).to_be_visible()

    # The slider moves by keyboard alone; the cursor's numbers follow.
    slider = region.get_by_role("slider", name="iteration")
    assert slider.count() == 1
    slider.focus()
    for key, value in [("Home", 0), ("ArrowRight", 1), ("PageUp", 11), ("ArrowLeft", 10), ("End", 299)]:
        page.keyboard.press(key)
        expect(slider, key).to_have_attribute("aria-valuenow", str(value))
    page.keyboard.press("Home")
    expect(region.get_by_text("301 M€", exact=True).first, "the plain track at the start").to_be_visible()
    page.keyboard.press("End")
    assert re.match(r"299 of 299, Settled, 593\sM€", slider.get_attribute("aria-valuetext"))

    # On a laptop the story is seen whole.
    page.set_viewport_size({"width": 1180, "height": 800})
    tab.show(region)
    box = region.bounding_box()
    assert box["width"] == 1000
    assert box["height"] <= 560
    page.set_viewport_size({"width": 1360, "height": 1000})

    # The scene is the user's drawing.
    scene = region.get_by_role("img", name=re.compile("simulation at iteration 299"))
    scene.wait_for()

    # The headline and the chapters are articles with their span in their names; a press moves to a chapter's end.
    articles = region.get_by_role("article")
    assert [re.sub(r"^.*, ", "", each.get_attribute("aria-label")) for each in articles.all()] == [
        "iterations 0–299",
        "iterations 0–93",
        "iterations 93–299",
    ]
    region.get_by_role("article", name="Descent, iterations 0–93").get_by_role("button").first.click()
    expect(slider).to_have_attribute("aria-valuenow", "93")
    assert "first point" in region.get_by_role("article", name="Descent, iterations 0–93").inner_text()

    # What happened stands along the track; what a sentence rests on opens in place.
    expect(region.get_by_text("16 the line leaves the reach of the valley")).to_be_visible()
    region.get_by_role("button", name="what this rests on").first.click()
    expect(region.get_by_role("group", name="evidence")).to_contain_text("What this rests on")
    page.keyboard.press("Escape")

    # The details hold the whole text; its claims are those of the recording.
    details = region.get_by_role("button", name="Details")
    details.click()
    summary = region.get_by_role("article", name="Summary, iterations 0–299")
    assert "total cost fell by 15 %, from 699 to 593" in summary.inner_text()
    assert [tab.inner_text().split()[0] for tab in region.get_by_role("tab").all()] == [
        "Explanation",
        "Events",
        "Facts",
    ]
    region.get_by_role("tab", name="Events").click()
    assert "beside the village" in region.get_by_role("tabpanel").inner_text()
    region.get_by_role("tab", name="Explanation").click()
    details.click()

    # A question is answered from the recording, above its box.
    box = region.get_by_role("textbox", name="Ask about this run")
    box.fill("Why did the second point move south?")
    box.press("Enter")
    answer = region.get_by_role("article", name=re.compile("Why did the second point")).first
    expect(answer).to_contain_text(re.compile("second point moved", re.IGNORECASE))
    assert answer.bounding_box()["y"] < box.bounding_box()["y"]
    region.get_by_role("button", name="close the answer").click()
    expect(answer).to_have_count(0)

    # While the widget stands the record is one line; a click unfolds it.
    record = page.locator("[data-xinv-record]")
    picture = record.locator("img")
    assert record.locator("> summary").is_visible()
    assert not picture.is_visible()
    record.locator("> summary").click()
    assert picture.is_visible()
    record.locator("> summary").click()
    assert not picture.is_visible()

    slider.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    tab.show(region)
    keep_picture(region, "widget-light")
    tab.theme("JupyterLab Dark")
    expect(region).to_have_attribute("data-theme", "dark")
    keep_picture(region, "widget-dark")
    tab.theme("JupyterLab Light")
    assert tab.errors == []

    # Saved, its kernel gone, opened again: the whole story is there.
    tab.save()
    tab.close_kernel()
    size = (folder / DEMO.name).stat().st_size - DEMO.stat().st_size
    assert size < 400_000
    reopened = LabPage(page.context.new_page(), tab.address)
    reopened.open_without_kernel(DEMO.name)
    reopened.scroll_to_cell_with("%%xinv route")
    story = reopened.page.locator("[data-xinv-record]")
    story.locator("img").wait_for()
    assert "total cost fell by 15 %, from 699 to 593" in story.inner_text()
    assert story.locator("img").evaluate("(img) => img.complete && img.naturalWidth > 500")
    assert not reopened.page.get_by_text(re.compile("Error displaying widget|Loading widget")).is_visible()
    keep_picture(reopened.page, "reopened")


def test_the_view_follows_a_run_while_the_cell_runs(tab: LabPage, lab: Any) -> None:
    (lab[1] / "followed").unlink(missing_ok=True)
    (lab[1] / "live.ipynb").write_text(notebook(LOAD, FOLLOWED_RUN))
    tab.open("live.ipynb")
    tab.wait_for_kernel()
    tab.start("notebook:run-all-cells")
    region = tab.page.get_by_role("region", name="run")
    region.wait_for()
    expect(region.get_by_role("status").first).to_have_text(re.compile(r"recording · \d+"))
    slider = region.get_by_role("slider", name="iteration")
    seen = [int(slider.get_attribute("aria-valuenow"))]
    while len(seen) < 4 or seen[-1] <= 15:
        expect(slider, "the cursor follows the newest iteration").not_to_have_attribute("aria-valuenow", str(seen[-1]))
        seen.append(int(slider.get_attribute("aria-valuenow")))
    assert seen == sorted(seen)
    assert region.get_by_role("status").first.inner_text().startswith("recording · ")
    keep_picture(region, "live")
    (lab[1] / "followed").touch()
    tab.wait_until_over()
    expect(region.get_by_role("status").first).to_have_text(re.compile("converged|finished"))
    assert tab.errors == []


def test_the_stop_button_ends_the_run_and_what_was_recorded_is_kept(tab: LabPage, lab: Any) -> None:
    (lab[1] / "seen").unlink(missing_ok=True)
    (lab[1] / "stop.ipynb").write_text(notebook(LOAD, stuck_run("run"), "run.status, run.evaluations"))
    tab.open("stop.ipynb")
    tab.wait_for_kernel()
    tab.run_cell(0)
    tab.start_cell(1)
    region = tab.page.get_by_role("region", name="run")
    expect(region.get_by_role("status").first).to_have_text(re.compile(r"recording · \d+"))
    expect(tab.page.get_by_text(STUCK, exact=True)).to_be_visible()
    region.get_by_role("button", name="Stop", exact=True).click()
    expect(region.get_by_role("group", name="Stop")).to_contain_text("is being stopped")
    keep_picture(region, "stopping")
    (lab[1] / "seen").touch()
    expect(region.get_by_role("status").first).to_have_text("interrupted at 20")
    expect(region.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    tab.wait_until_over()
    tab.run_cell(2)
    tab.scroll_to_cell_with("run.status")
    expect(tab.page.get_by_text("('interrupted', 20)")).to_be_visible()
    assert tab.errors == []


def test_an_interrupted_and_a_failing_cell_tell_so(tab: LabPage, lab: Any) -> None:
    failing = "%%xinv bad --no-model\nfor x in (3.0, 2.0):\n    grad(lambda x: x**2)(x)\nraise ValueError('mine')"
    (lab[1] / "endings.ipynb").write_text(notebook(LOAD, stuck_run("run"), failing, "%%xinv nothing\n1 + 1"))
    tab.open("endings.ipynb")
    tab.wait_for_kernel()
    tab.start("notebook:run-all-cells")
    region = tab.page.get_by_role("region", name="run")
    region.wait_for()
    expect(tab.page.get_by_text(STUCK, exact=True)).to_be_visible()
    (lab[1] / "seen").touch()
    tab.command("kernelmenu:interrupt")
    expect(region.get_by_role("status").first).to_have_text("interrupted at 20")
    tab.wait_until_over()  # the kernel refuses what was queued behind the interrupted cell
    for index, name, words in [(2, "bad", "failed: ValueError in line 4"), (3, "nothing", "nothing recorded")]:
        tab.run_cell(index)
        tab.scroll_to_cell_with(f"%%xinv {name}")
        region = tab.page.get_by_role("region", name=name)
        region.wait_for()
        expect(region.get_by_role("status").first).to_have_text(words)
    assert "No evaluation of a loss was seen" in region.inner_text()
    assert tab.errors == []


def test_selected_iterations_are_explained_at_the_press_of_a_button(tab: LabPage, lab: Any) -> None:
    cell = "%%xinv run --no-model\nx = 8.0\nfor _ in range(40):\n    x = x - 0.1 * grad(lambda x: x**2)(x)"
    (lab[1] / "selected.ipynb").write_text(notebook(LOAD, cell))
    tab.open("selected.ipynb")
    tab.run_all()
    region = tab.page.get_by_role("region", name="run")
    region.wait_for()
    tab.show(region)
    box = region.locator(".track-plot").bounding_box()
    middle = box["y"] + box["height"] / 2
    tab.page.mouse.move(box["x"] + 250, middle)
    tab.page.keyboard.down("Shift")
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 500, middle, steps=5)
    tab.page.mouse.up()
    tab.page.keyboard.up("Shift")
    region.get_by_role("button", name="Explain these iterations").click()
    card = region.get_by_role("article", name=re.compile("What happened in iterations"))
    expect(card).to_contain_text(re.compile(r"between iterations \d+ and \d+|from iteration \d+ to \d+", re.IGNORECASE))
    first, last = map(int, re.findall(r"iterations (\d+)–(\d+)", card.get_attribute("aria-label"))[0])
    assert 0 < first < last < 39
    assert tab.errors == []


def test_runs_are_compared_by_the_button_and_by_a_call(tab: LabPage, lab: Any) -> None:
    cells = [
        f"%%xinv {name} --no-model\nx = np.array([3.0, -2.0])\nfor _ in range(60):\n"
        f"    x = x - {step} * grad(lambda x: np.sum(x**2))(x)"
        for name, step in [("slow", 0.02), ("fast", 0.2)]
    ]
    (lab[1] / "compare.ipynb").write_text(notebook(LOAD, *cells, "import xinv_nb as xi\nxi.compare(slow, fast)"))
    tab.open("compare.ipynb")
    tab.run_all()
    said = "fast reached 0.1 % of the loss at the start after 8 evaluations"
    tab.scroll_to_cell_with("xi.compare")
    called = tab.page.get_by_role("region", name="slow and fast compared")
    called.wait_for()
    expect(called.get_by_role("article").first).to_contain_text("fast reached the lowest loss")
    expect(called.get_by_role("article", name=re.compile("Differences"))).to_contain_text(said)
    tab.show(called)
    keep_picture(called, "compared")
    record = tab.page.locator("details").filter(has_text="Record of this comparison: slow and fast compared").first
    expect(record.locator("> div > img")).not_to_be_visible()
    record.locator("> summary").click()
    expect(record.locator("> div > img")).to_be_visible()
    assert said in record.inner_text()

    tab.scroll_to_cell_with("%%xinv fast")
    region = tab.page.get_by_role("region", name="fast", exact=True)
    region.get_by_role("button", name="Compare").click()
    region.get_by_role("checkbox").first.check()
    region.get_by_role("button", name="Lay over this run").click()
    below = tab.page.get_by_role("region", name="fast and slow compared")
    below.wait_for()
    assert said in below.inner_text()
    slider = below.get_by_role("slider", name="iteration")
    slider.focus()
    tab.page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuenow") == "0"
    tab.page.get_by_role("button", name="Close the comparison").click()
    expect(below).to_have_count(0)
    assert tab.errors == []


def test_a_model_words_the_captions_of_a_real_run(tab: LabPage, lab: Any, ollama_server: Any) -> None:
    cell = RUN.format(host=ollama_server.host, model=ollama_server.model)
    (lab[1] / "model.ipynb").write_text(notebook(LOAD, cell))
    tab.open("model.ipynb")
    tab.run_all()
    region = tab.page.get_by_role("region", name="run")
    # A model so small may be found to be none that can help; then the sheet behind the head says so, another one is
    # offered, and the built-in text stays.
    writer = region.get_by_role("button", name=re.compile(rf"{ollama_server.model} · local|get llama3.2 for more"))
    writer.wait_for()
    if "get" in writer.inner_text():
        writer.click()
        expect(region.get_by_text(f"{ollama_server.model} is too small to keep to the facts")).to_be_visible()
        tab.page.keyboard.press("Escape")
    region.get_by_role("button", name="Details").click()
    summary = region.get_by_role("article", name="Summary, iterations 0–59")
    expect(region.get_by_text("being reworded")).to_have_count(0, timeout=3000 * PATIENCE)
    keep_picture(region, "with-model")
    assert "13" in summary.inner_text(), "the loss starts at 13, whoever words it"
    assert tab.errors == []


def test_the_exported_page_needs_no_kernel_and_no_network(chromium: Any, tmp_path: Path) -> None:
    from autograd import grad

    import xinv_nb as xi

    with xi.record("exported") as run:
        x = 4.0
        for _ in range(40):
            x = x - 0.1 * grad(lambda x: x**2)(x)
    path = run.to_html(tmp_path / "run.html")
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    region = page.get_by_role("region", name="exported")
    slider = region.get_by_role("slider", name="iteration")
    slider.focus()
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuenow") == "0"
    assert region.get_by_role("article", name=re.compile("iterations 0–39$")).first.is_visible()
    keep_picture(page, "page")
    for choice, name, start in [
        ("These plots", "exported-plots.png", b"\x89PNG"),
        ("Table of what is drawn", "exported.csv", b"iteration,loss,x,"),
    ]:
        if not region.get_by_role("group", name="Export").is_visible():
            region.get_by_role("button", name="Export").click()
        with page.expect_download() as saved:
            region.get_by_role("button", name=choice).click()
        assert saved.value.suggested_filename == name
        assert Path(saved.value.path()).read_bytes().startswith(start)
    assert errors == []
    assert path.stat().st_size < 200_000
    context.close()


def test_the_saved_notebook_exports_to_html_with_its_story(lab: Any, tmp_path: Path) -> None:
    """Runs after the first test has saved the notebook; executes it itself otherwise."""
    import nbformat
    from nbconvert import HTMLExporter

    saved = nbformat.reads((lab[1] / DEMO.name).read_text(), as_version=4)
    if not any(cell.get("outputs") for cell in saved.cells):
        from nbclient import NotebookClient

        NotebookClient(saved, timeout=PATIENCE).execute()
    html, _ = HTMLExporter().from_notebook_node(saved)
    assert "total cost fell by 15 %, from 699 to 593" in html
    assert len(re.findall(r"<img[^>]+data:image/png", html)) == 1
    assert json.dumps(saved.metadata.get("widgets", {})).count("_esm") <= 1
