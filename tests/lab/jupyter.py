"""A real JupyterLab on a free loopback port, and what a person does in it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser import STILL, come_to_rest, painted
from tests.waiting import PATIENCE, until

TREE = Path(__file__).parent.parent.parent


@contextmanager
def running_lab(folder: Path, program: str = "lab") -> Iterator[str]:
    """Serve `folder` with JupyterLab (or `program="notebook"`); yields its address, and ends it with its kernels."""
    settings = folder / ".jupyter-test"
    environment = {
        "JUPYTER_CONFIG_DIR": str(settings / "config"),
        "JUPYTER_DATA_DIR": str(settings / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "workspaces"),
        "IPYTHONDIR": str(settings / "ipython"),
    }
    _write_settings(settings / "settings")
    port = free_port()
    command = ["jupyter", program, "--no-browser", "--allow-root", f"--port={port}", "--expose-app-in-browser"]
    command += ["--IdentityProvider.token=", "--ServerApp.password="]
    command += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with serving(command, folder, f"http://127.0.0.1:{port}", "/api/status", environment) as address:
        yield address


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    command: list[str], folder: Path, address: str, path: str, environment: dict[str, str] | None = None
) -> Iterator[str]:
    """Run a Python module as a server in `folder` until it answers at `path`; ends it with all that it started."""
    # Its kernels run the code of this tree, wherever the package is installed from.
    on_path = os.pathsep.join(filter(None, [str(TREE), os.environ.get("PYTHONPATH")]))
    inherited = os.environ | {"PYTHONPATH": on_path} | (environment or {})
    log = (folder / "server.log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=folder, env=inherited, stdout=log, stderr=log, start_new_session=True
    )
    try:
        _wait_until_it_answers(address + path, server, folder / "server.log")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
        log.close()


def _write_settings(folder: Path) -> None:
    """Keep JupyterLab from asking about news, which would cover the page."""
    extension = folder / "@jupyterlab" / "apputils-extension"
    extension.mkdir(parents=True)
    (extension / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')


def _wait_until_it_answers(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended at once:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"the server did not answer:\n{log.read_text()[-3000:]}")


def listen_for_errors(page: Any) -> list[str]:
    """Return a list that grows with each error that the page writes to its console."""
    errors: list[str] = []

    def hear(message: Any) -> None:
        if message.type == "error" and not re.search(r"favicon|net::ERR_|status of 404", message.text):
            errors.append(message.text)

    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", hear)
    return errors


class LabPage:
    """One browser tab with a notebook open in JupyterLab."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.errors = listen_for_errors(page)

    def open(self, notebook: str) -> None:
        """Open a notebook in an otherwise empty workspace and wait for it."""
        self.page.goto(f"{self.address}/lab/tree/{notebook}?reset")
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.page.evaluate("window.jupyterapp.restored")
        self.wait_for_cells()
        self.command("application:toggle-left-area")

    def wait_for_cells(self) -> None:
        """Wait until the notebook is open with all its cells."""
        self.page.wait_for_function(
            """() => {
                const { context, content } = window.jupyterapp?.shell?.currentWidget ?? {};
                return context?.isReady && content.widgets.length === context.model.cells.length;
            }"""
        )
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()

    def command(self, name: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands."""
        self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments])

    def start(self, name: str) -> None:
        """Start one of JupyterLab's commands without waiting until it is done."""
        self.page.evaluate(
            """(name) => {
                window.going = (window.going ?? 0) + 1;
                window.jupyterapp.commands.execute(name).finally(() => { window.going -= 1; });
            }""",
            name,
        )

    def wait_until_over(self) -> None:
        """Wait until what was started is done."""
        self.page.wait_for_function("!window.going")

    def run_all(self) -> None:
        """Run all cells and wait until the kernel is idle again."""
        self.wait_for_kernel()
        self.command("notebook:run-all-cells")
        self.wait_until_done()

    def wait_for_kernel(self) -> None:
        """Wait until the notebook has a kernel that is idle."""
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp?.shell?.currentWidget;
                return panel?.sessionContext?.session?.kernel?.status === "idle";
            }"""
        )

    def wait_until_done(self) -> None:
        """Wait until no cell is running or queued."""
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp?.shell?.currentWidget;
                const cells = [...panel.content.widgets].filter((c) => c.model.type === "code");
                const done = cells.every((c) => c.model.executionCount !== null || c.model.sharedModel.source === "");
                return done && panel.sessionContext.session?.kernel?.status === "idle";
            }"""
        )

    def run_cell(self, index: int) -> None:
        """Run one cell, again where the kernel refuses it right after an interrupted one; wait until it is done."""

        def has_run() -> bool:
            self.choose_cell(index)
            self.command("notebook:run-cell")
            return bool(
                self.page.evaluate(
                    "(index) => window.jupyterapp.shell.currentWidget.content.widgets[index].model.executionCount > 0",
                    index,
                )
            )

        until(has_run)
        self.wait_for_kernel()

    def start_cell(self, index: int) -> None:
        """Start one cell without waiting until it is done."""
        self.choose_cell(index)
        self.start("notebook:run-cell")

    def choose_cell(self, index: int) -> None:
        """Make a cell the active one."""
        self.page.evaluate(
            """(index) => {
                const notebook = window.jupyterapp?.shell?.currentWidget.content;
                notebook.activeCellIndex = index;
                notebook.deselectAll();
            }""",
            index,
        )

    def show(self, element: Any) -> None:
        """Bring an element into view and let the page come to rest."""
        element.scroll_into_view_if_needed()
        come_to_rest(element)

    def open_without_kernel(self, notebook: str) -> None:
        """Open a saved notebook and refuse it a kernel."""
        self.page.goto(f"{self.address}/lab/tree/{notebook}?reset")
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.wait_for_cells()
        self.command("application:toggle-left-area")

    def scroll_to_cell_with(self, text: str) -> None:
        """Scroll the notebook to the cell whose source holds `text`."""
        arrived = f"""async (text) => {{
            const notebook = window.jupyterapp?.shell?.currentWidget.content;
            const index = notebook.widgets.findIndex((c) => c.model.sharedModel.source.includes(text));
            if (index < 0) return false;
            await notebook.scrollToItem(index);
            await ({STILL})(notebook.widgets[index].node);
            const [cell, view] = [notebook.widgets[index], notebook].map((each) => each.node.getBoundingClientRect());
            return cell.bottom > view.top && cell.top < view.bottom;
        }}"""
        until(lambda: self.page.evaluate(arrived, text))  # what is drawn above it meanwhile moves it away

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function("(name) => document.body.dataset.jpThemeName === name", arg=name)
        self.page.wait_for_function("() => document.getElementById('jupyterlab-splash') === null")  # it covers the page
        painted(self.page)

    def save(self) -> None:
        """Save the notebook."""
        self.command("docmanager:save")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")

    def close_kernel(self) -> None:
        """Shut the notebook's kernel down."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


class NotebookPage(LabPage):
    """One browser tab with a notebook open in Notebook 7: JupyterLab's parts around a single document."""

    def open(self, notebook: str) -> None:
        """Open a notebook and wait for it."""
        self.page.goto(f"{self.address}/notebooks/{notebook}")
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.page.evaluate("window.jupyterapp.restored")
        self.wait_for_cells()
        self.errors.clear()  # Notebook 7 makes one of its own while it starts


STUCK = "a step that takes long"


def stuck_run(name: str) -> str:
    """Return the cell of a run that gets stuck after 20 evaluations, says so, and ends only when it is stopped.

    There it is sure to be stopped: what is raised while autograd wraps a function, autograd swallows. And it takes its
    time to end, until there is a file named "seen".
    """
    return f"""\
%%xinv {name} --no-model
import os, time
x = np.array([3.0, -2.0])
for k in range(600):
    if k == 20:
        try:
            print({STUCK!r}, flush=True)
            time.sleep(600)
        except KeyboardInterrupt:
            while not os.path.exists("seen"):
                time.sleep(0.05)
            raise
    x = x - 0.05 * grad(lambda x: np.sum(x**2))(x)
"""


def notebook(*cells: str) -> str:
    """Return a notebook of code cells as the text of a file."""
    blocks = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
        for i, source in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"cells": blocks, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
