"""What the view costs, in the browser and in the kernel, beside two other ways of following a run in a notebook.

    uv run --project benchmarks python benchmarks/view.py            # everything
    uv run --project benchmarks python benchmarks/view.py --quick    # a look

Prints each figure with its aim and whether it was met. What is drawn is measured in the system's Chromium on a bare
page that holds the widget's own bundle; what is sent, in a real kernel process; the longest task of the main thread, in
a real JupyterLab. A live matplotlib redraw and livelossplot, which draw in the kernel at each step, are timed in the
same kernel for the ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from playwright.sync_api import Page, sync_playwright

from tests.browser import chromium_options
from tests.lab.jupyter import LabPage, notebook, running_lab
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import leaves_of
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run
from xinv_nb.view import packets
from xinv_nb.view.front_end import bundle
from xinv_nb.view.head import Writer

_ORIGIN = "http://view.invalid"

# ---------------------------------------------------------------------- figures


def tell(name: str, value: float, unit: str, aim: float | None = None) -> None:
    """Print a figure, and whether it meets its aim (at most)."""
    verdict = "" if aim is None else f"  aim {aim:>8,.1f}  {'met' if value <= aim else 'MISSED'}"
    print(f"{name:<66} {value:>9,.2f} {unit:<5}{verdict}", flush=True)


def finished(evaluations: int, parameters: int) -> Run:
    """Return a run with a plausible course."""
    random = np.random.default_rng(0)
    k = np.linspace(0, 1, evaluations)
    history = History("f", leaves_of([("theta", (parameters,))]))
    values = np.exp(-np.outer(k, np.linspace(1, 9, parameters))) + 1e-3 * random.normal(size=(evaluations, parameters))
    history.loss.extend(50 * np.exp(-8 * k) + 1e-3 * random.random(evaluations))
    history.values.extend(values)
    history.gradients.extend(values - values[-1])
    history.accepted.extend(np.ones(evaluations, dtype=np.bool_))
    run = Run("benchmark")
    RunWriter(run).add_history(history)
    RunWriter(run).end("finished")
    return run


# ---------------------------------------------------------------------- in a browser, the widget's bundle alone

_PAGE = """<!doctype html><meta charset="utf-8"><body style="width:1100px"><div id="view"></div>
<script type="module">
let spent = 0;  // in what the view does before a frame is painted
const later = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (work) => later((at) => {
  const start = performance.now();
  work(at);
  spent += performance.now() - start;
});
const traits = { iteration: -1, span: [], selected: [], _snapshot: null, _has_kernel: true };
const heard = {};
const model = {
  get: (name) => traits[name],
  set: (name, value) => { traits[name] = value; for (const each of heard[`change:${name}`] ?? []) each(); },
  on: (name, each) => (heard[name] ??= []).push(each), off() {}, save_changes() {},
  send: (message) => { window.asked = message; },
};
const widget = (await import("/widget.js")).default();
const signal = new AbortController().signal;
widget.initialize({ model, signal });
widget.render({ model, el: document.getElementById("view"), signal });
const frames = async () => { for (let i = 0; i < 3; i++) await new Promise((resolve) => later(resolve)); };
window.settled = frames;
window.timed = async (act) => {
  spent = 0;
  const start = performance.now();
  act(model, document.querySelector("#view > div").shadowRoot);
  const direct = performance.now() - start;
  await frames();
  return direct + spent;
};
window.packet = async (name = "/packet") => {
  window.bytes = new DataView(await (await fetch(name)).arrayBuffer());
};
window.hear = () => { for (const each of heard["msg:custom"]) each({ type: "packet" }, [bytes]); };
window.workOfAFrame = async () => {
  spent = 0;
  await new Promise((resolve) => later(resolve));
  return spent;
};
window.ready = true;
</script>"""

_PLOTS = "view.querySelector('.plots').dispatchEvent(new KeyboardEvent('keydown', {key: KEY, bubbles: true}))"


@contextmanager
def bare_page(browser: Any, packet: bytes, later: list[bytes] | None = None) -> Iterator[Page]:
    """Open the widget on an empty model, with `packet` at hand in the page, and at "/later" the last one of `later`."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    served = {"/": (_PAGE.encode(), "text/html"), "/widget.js": (bundle().encode(), "text/javascript")}
    served["/packet"] = packet, "application/octet-stream"

    def answer(route: Any) -> None:
        name = route.request.url.removeprefix(_ORIGIN)
        if name == "/later" and later:
            served[name] = later[-1], "application/octet-stream"
        body, kind = served.get(name, (b"", "text/plain"))
        route.fulfill(body=body, content_type=kind)

    page.route(f"{_ORIGIN}/**", answer)
    page.goto(f"{_ORIGIN}/")
    page.wait_for_function("window.ready")
    page.evaluate("async () => { await packet(); await settled(); }")
    yield page
    page.close()


@contextmanager
def main_thread(page: Page) -> Iterator[list[float]]:
    """Yield a list that holds, afterwards, the milliseconds that the page's main thread worked."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def worked() -> float:
        found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return 1e3 * float(found["TaskDuration"])

    before, cost = worked(), [0.0]
    yield cost
    cost[0] = worked() - before
    session.detach()


def drawing(browser: Any, quick: bool) -> None:
    """Print what the first paint and each move of the reader cost."""
    packet = packets.snapshot(finished(100_000, 20), packets.Sent(), Writer())
    costs = []
    for _ in range(3 if quick else 9):
        with bare_page(browser, packet) as page:
            with main_thread(page) as cost:
                page.evaluate("async () => { await timed((model) => model.set('_snapshot', bytes)); }")
            costs += cost
    tell("first paint after the run, 10^5 evaluations × 20, main thread", statistics.median(costs), "ms", 150)

    points = 100_000 if quick else 1_000_000
    rows, size = packets.MOST_ROWS, packets.MOST_BYTES
    packets.MOST_ROWS, packets.MOST_BYTES = 2 * points, 10**9  # all of them: more than the kernel sends
    packet = packets.snapshot(finished(points, 4), packets.Sent(), Writer())
    packets.MOST_ROWS, packets.MOST_BYTES = rows, size
    with bare_page(browser, packet) as page:
        page.evaluate("async () => { await timed((model) => model.set('_snapshot', bytes)); }")
        moves = [
            page.evaluate(f"() => timed((model) => model.set('iteration', {int(at)}))")
            for at in np.linspace(0, points - 1, 20)
        ]
        tell(f"cursor move to repaint, {points:,} points × 4, median", statistics.median(moves), "ms", 16)
        tell(f"cursor move to repaint, {points:,} points × 4, slowest", max(moves), "ms")
        for name, key in [("zoom in by a key", "+"), ("show the whole run again", "0")]:
            cost = page.evaluate(f"() => timed((model, view) => {_PLOTS.replace('KEY', json.dumps(key))})")
            tell(f"{name}, {points:,} points × 4", cost, "ms")
        cost = page.evaluate("() => timed((model) => model.set('selected', ['theta[1]']))")
        tell(f"show one parameter alone, {points:,} points × 4", cost, "ms")


def zooming(browser: Any, quick: bool) -> None:
    """Print what it costs to see every evaluation of a part of a run that is too long to be sent whole."""
    evaluations = 100_000 if quick else 1_000_000
    run, sent, parts = finished(evaluations, 20), packets.Sent(), [b""]
    packets.snapshot(run, sent, Writer())  # with the facts and the text, which are found once
    begin = time.process_time()
    packet = packets.snapshot(run, sent, Writer())
    tell(f"snapshot of {evaluations:,} × 20: kernel", 1e3 * (time.process_time() - begin), "ms")
    tell(f"snapshot of {evaluations:,} × 20: size", len(packet) / 1e6, "MB")
    with bare_page(browser, packet, parts) as page:
        page.evaluate("async () => { await timed((model) => model.set('_snapshot', bytes)); }")
        for _ in range(4 if quick else 7):
            page.evaluate(f"() => timed((model, view) => {_PLOTS.replace('KEY', json.dumps('+'))})")
        page.wait_for_function("window.asked?.type === 'rows'")
        asked = page.evaluate("window.asked")
        begin = time.process_time()
        parts.append(packets.rows_update(run, sent, asked["request"], tuple(asked["span"])))
        tell(f"every evaluation of a part of {evaluations:,} × 20: kernel", 1e3 * (time.process_time() - begin), "ms")
        page.evaluate("() => packet('/later')")
        cost = page.evaluate("() => timed(hear)")
        thinned = page.locator(".thinned")
        assert not thinned.is_visible(), "every evaluation is there"
        tell(f"every evaluation of a part of {evaluations:,} × 20: to repaint", cost, "ms", 50)


def playing(browser: Any, quick: bool) -> None:
    """Print the longest task of the main thread, and the longest work for one frame, while a long run plays."""
    most = packets.MOST_ROWS, packets.MOST_BYTES
    for evaluations, width in [(100_000, 20), (100_000 if quick else 1_000_000, 4)]:
        for limits in [most, (2 * evaluations, 10**9)]:
            packets.MOST_ROWS, packets.MOST_BYTES = limits
            packet = packets.snapshot(finished(evaluations, width), packets.Sent(), Writer())
            packets.MOST_ROWS, packets.MOST_BYTES = most
            as_sent = limits == most  # else all of them: more than the kernel sends
            name = f"playing {evaluations:,} × {width}, {'as sent' if as_sent else 'all rows'}"
            aim = 50 if as_sent else None
            with bare_page(browser, packet) as page:
                page.evaluate("async () => { await timed((model) => model.set('_snapshot', bytes)); }")
                page.wait_for_timeout(500)
                longest, frame, frames, moved = page.evaluate(_PLAY, 2_000 if quick else 6_000)
                assert moved, "the cursor moves"
                tell(f"{name}: longest task (0: none above 50)", longest, "ms", aim)
                tell(f"{name}: longest work for a frame, of {frames}", frame, "ms", aim)


_PLAY = """async (duration) => {
    const view = document.querySelector("#view > div").shadowRoot;
    const at = () => view.querySelector("[role=slider]").ariaValueNow;
    let [longest, frame, frames, begin] = [0, 0, 0, 0];
    new PerformanceObserver((list) => {
        for (const each of list.getEntries()) if (each.startTime > begin) longest = Math.max(longest, each.duration);
    }).observe({ entryTypes: ["longtask"] });
    view.querySelector(".play").click();
    await new Promise((done) => setTimeout(done, 300));
    const start = at();
    begin = performance.now();
    while (performance.now() < begin + duration) {
        frame = Math.max(frame, await workOfAFrame());
        frames += 1;
    }
    return [longest, frame, frames, at() !== start];
}"""

# ---------------------------------------------------------------------- in the kernel


def updates(quick: bool) -> None:
    """Print what one message of a live run costs the kernel."""
    import autograd.numpy as anp
    from autograd import grad

    import xinv_nb as xi

    def objective(x: Any) -> Any:
        xi.event("the first gate is passed at {height:.2f}", height=x[0])
        return xi.watch(anp.sum(x**2), "energy")

    cases = [("20 parameters", lambda x: anp.sum(x**2), 20), ("2 parameters, an event, a quantity", objective, 2)]
    for name, loss, width in cases:
        seconds, sizes, sent = [], [], packets.Sent()
        with xi.record("live") as run:
            x, slope = np.ones(width), grad(loss)
            for k in range(4_000 if quick else 16_000):
                x = x - 1e-4 * slope(x)
                if k % 800 == 799:  # 10,000 evaluations a second, a message every 80 ms
                    begin = time.process_time()
                    packet = packets.update(run, sent, Writer())
                    seconds.append(time.process_time() - begin)
                    sizes.append(len(packet))
        tell(f"one live update, {name}: kernel", 1e3 * statistics.median(seconds[1:]), "ms", 0.5)
        tell(f"one live update, {name}: size", max(sizes[1:]) / 1e3, "kB", 20)


_OTHERS = """\
import io, time
%matplotlib inline
from matplotlib import pyplot as plt
from IPython.display import display
steps = []
fig, ax = plt.subplots(); plt.close(fig)
line, = ax.plot([], [])
handle = display(fig, display_id=True)
for k in range(12):
    start = time.perf_counter()
    line.set_data(range(800 * (k + 1)), [1 / (i + 1) for i in range(800 * (k + 1))])
    ax.relim(); ax.autoscale_view(); fig.canvas.draw(); handle.update(fig)
    steps.append(time.perf_counter() - start)
print("matplotlib", sorted(steps)[6])
try:
    from livelossplot import PlotLosses
except ImportError:
    pass
else:
    losses, steps = PlotLosses(), []
    for k in range(8):
        start = time.perf_counter()
        losses.update({"loss": 1 / (k + 1)}); losses.send()
        steps.append(time.perf_counter() - start)
    print("livelossplot", sorted(steps)[4])
"""


def others() -> None:
    """Print what a live redraw costs in other hands."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    texts: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            texts.extend(message["content"]["text"].splitlines())

    client.execute_interactive(_OTHERS, output_hook=hear, timeout=120)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    for text in texts:
        name, _, seconds = text.partition(" ")
        if name in {"matplotlib", "livelossplot"}:
            tell(f"one live redraw by {name}: kernel", 1e3 * float(seconds), "ms")


# ---------------------------------------------------------------------- in JupyterLab

_LOAD = """\
%load_ext xinv_nb
import time
import autograd.numpy as np
from xinv_nb import session
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import leaves_of
from xinv_nb.run import Run
import numpy as onp
from IPython.display import display
from xinv_nb.view.live import show, finish
"""
_PACED = """\
def work(): return sum(range(6000))  # as much as an evaluation of a small simulator

def paced(seconds, live):
    "Record a small evaluation again and again; returns how many in a second of CPU time, and by the clock."
    run = Run("paced"); history = History("f", leaves_of([("theta", (6,))])); RunWriter(run).add_history(history)
    poll = show(run) if live else (lambda: None)
    row, count, begin, cpu = onp.ones(6), 0, time.perf_counter(), time.thread_time()
    while time.perf_counter() - begin < seconds:
        work(); history.append(1.0 / (count + 1), row, row); count += 1
        poll()
    return count / (time.thread_time() - cpu), count / seconds
"""


def in_lab(browser: Any, quick: bool) -> None:
    """Print what a cell of 10,000 evaluations a second pays, and the page that follows it."""
    seconds = 2 if quick else 5
    cell = f"{_PACED}\nrates = [(paced({seconds}, False), paced({seconds}, True)) for _ in range({1 if quick else 5})]"
    report = "print('RATES', sorted(live[0] / still[0] for still, live in rates)[len(rates) // 2], rates[0][1][1])"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "paced.ipynb").write_text(notebook(_LOAD, cell, report))
        with running_lab(folder) as address:
            tab = LabPage(browser.new_page(viewport={"width": 1360, "height": 900}), address)
            counted = {"messages": 0}

            def count(frame: Any) -> None:
                counted["messages"] += b'"comm_msg"' in (frame if isinstance(frame, bytes) else frame.encode())

            tab.page.on("websocket", lambda socket: socket.on("framereceived", count))
            tab.open("paced.ipynb")
            tab.wait_for_kernel()
            tab.run_cell(0)
            tab.page.evaluate(
                """() => { window.longest = 0; new PerformanceObserver((list) => {
                    for (const each of list.getEntries()) window.longest = Math.max(window.longest, each.duration);
                }).observe({ entryTypes: ["longtask"] }); }"""
            )
            tab.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
            tab.start("notebook:run-cell")
            tab.page.get_by_role("region").filter(has_text="recording").first.wait_for(timeout=60_000)
            tab.page.wait_for_timeout(600)
            tab.page.evaluate("window.longest = 0")  # the view stands; from here on it follows
            before, begin = counted["messages"], time.monotonic()
            tab.page.wait_for_timeout(1000 * seconds * 0.6)
            rate = (counted["messages"] - before) / (time.monotonic() - begin)
            longest = tab.page.evaluate("window.longest")
            tab.wait_for_kernel(120)
            tab.run_cell(2)
            text = tab.page.locator(".jp-OutputArea-output").filter(has_text="RATES").last.inner_text()
            ratio, reached = map(float, text.split()[1:])
            tell(f"a cell at {reached:,.0f} evaluations a second is slower by", 100 * (1 / ratio - 1), "%", 3)
            tell("longest task of the notebook's main thread (0: none above 50)", longest, "ms", 50)
            tell("messages a second", rate, "", 20)
            tab.page.close()


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, shorter runs")
    quick = parser.parse_args().quick
    updates(quick)
    others()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_options())
        drawing(browser, quick)
        zooming(browser, quick)
        playing(browser, quick)
        in_lab(browser, quick)
        browser.close()


if __name__ == "__main__":
    main()
