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


@contextmanager
def running_lab(folder: Path) -> Iterator[str]:
    """Serve `folder` with JupyterLab; yields its address, and ends it with its kernels."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = folder / ".jupyter-test"
    tree = str(Path(__file__).parent.parent.parent)
    environment = os.environ | {
        # The kernel runs the code of this tree, wherever the package is installed from.
        "PYTHONPATH": os.pathsep.join(filter(None, [tree, os.environ.get("PYTHONPATH")])),
        "JUPYTER_CONFIG_DIR": str(settings / "config"),
        "JUPYTER_DATA_DIR": str(settings / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "workspaces"),
        "IPYTHONDIR": str(settings / "ipython"),
    }
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--IdentityProvider.token=", "--ServerApp.password=", "--LabApp.expose_app_in_browser=True"]
    command += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    _write_settings(settings / "settings")
    log = (folder / "lab.log").open("wb")
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(address, server, folder / "lab.log")
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
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at once:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{address}/api/status", timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"JupyterLab did not answer:\n{log.read_text()[-3000:]}")


class LabPage:
    """One browser tab with a notebook open in JupyterLab."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._heard(message))

    def _heard(self, message: Any) -> None:
        if message.type == "error" and not re.search(r"favicon|net::ERR_|status of 404", message.text):
            self.errors.append(message.text)

    def open(self, notebook: str) -> None:
        """Open a notebook in an otherwise empty workspace and wait for it."""
        self.page.goto(f"{self.address}/lab/tree/{notebook}?reset")
        self.page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000)
        self.page.evaluate("window.jupyterapp.restored")
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
        self.command("application:toggle-left-area")

    def command(self, name: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands."""
        self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments])

    def start(self, name: str) -> None:
        """Start one of JupyterLab's commands without waiting until it is done."""
        self.page.evaluate("(name) => { window.jupyterapp.commands.execute(name); }", name)

    def run_all(self, timeout: float = 120) -> None:
        """Run all cells and wait until the kernel is idle again."""
        self.wait_for_kernel()
        self.command("notebook:run-all-cells")
        self.wait_until_done(timeout)

    def wait_for_kernel(self, timeout: float = 60) -> None:
        """Wait until the notebook has a kernel that is idle."""
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp.shell.currentWidget;
                return panel?.sessionContext?.session?.kernel?.status === "idle";
            }""",
            timeout=timeout * 1000,
        )

    def wait_until_done(self, timeout: float = 120) -> None:
        """Wait until no cell is running or queued."""
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp.shell.currentWidget;
                const cells = [...panel.content.widgets].filter((c) => c.model.type === "code");
                const done = cells.every((c) => c.model.executionCount !== null || c.model.sharedModel.source === "");
                return done && panel.sessionContext.session?.kernel?.status === "idle";
            }""",
            timeout=timeout * 1000,
        )

    def run_cell(self, index: int, timeout: float = 60) -> None:
        """Run one cell and wait until the kernel is idle again."""
        self.page.evaluate(
            """(index) => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = index;
                notebook.deselectAll();
            }""",
            index,
        )
        self.command("notebook:run-cell")
        self.page.wait_for_timeout(300)
        self.wait_for_kernel(timeout)

    def show(self, element: Any) -> None:
        """Bring an element into view and let the page come to rest."""
        element.scroll_into_view_if_needed()
        self.page.wait_for_timeout(500)

    def open_without_kernel(self, notebook: str) -> None:
        """Open a saved notebook and refuse it a kernel."""
        self.page.goto(f"{self.address}/lab/tree/{notebook}?reset")
        self.page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000)
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
        self.command("application:toggle-left-area")

    def scroll_to_cell_with(self, text: str) -> None:
        """Scroll the notebook to the cell whose source holds `text`."""
        self.page.evaluate(
            """async (text) => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                const index = notebook.widgets.findIndex((c) => c.model.sharedModel.source.includes(text));
                await notebook.scrollToItem(index);
            }""",
            text,
        )
        self.page.wait_for_timeout(1000)

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_timeout(600)

    def save(self) -> None:
        """Save the notebook."""
        self.command("docmanager:save")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=15_000)

    def close_kernel(self) -> None:
        """Shut the notebook's kernel down."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


def notebook(*cells: str) -> str:
    """Return a notebook of code cells as the text of a file."""
    blocks = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
        for i, source in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"cells": blocks, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
