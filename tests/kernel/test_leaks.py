"""Many runs in one kernel: what nobody can see or name any more is gone, and what somebody can stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from tests.captions.test_trial import Model, dropped, each
from tests.ollama.scripted_server import MODEL
from tests.waiting import PATIENCE, until

LOAD = """\
%load_ext xinv_nb
import gc, threading, weakref
import psutil
import xinv_nb as xi
from autograd import grad, numpy as np
from xinv_nb.run import Run
from xinv_nb.view.widget import RunWidget
import ipywidgets.widgets.widget as registry

def left():
    gc.collect()
    return {
        "widgets": len(registry._instances),
        "comms": len(get_ipython().kernel.comm_manager.comms),
        "runs": sum(isinstance(each, Run) for each in gc.get_objects()),
        "views": sum(isinstance(each, RunWidget) for each in gc.get_objects()),
        "threads": threading.active_count(),
        "listeners": sum(map(len, get_ipython().events.callbacks.values())),
    }

def megabytes():
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6
"""
RUN = "%%xinv run --no-model\nx = 3.0\nfor _ in range(10):\n    x = x - 0.1 * grad(lambda x: x**2)(x)"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run_cell(client: Any, code: str, cell: str = "") -> str:
    """Run a cell as JupyterLab does, which names it in the request's metadata; returns its printed text."""
    request = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = client.session.msg("execute_request", request, metadata={"cellId": cell} if cell else {})
    client.shell_channel.send(message)
    reply = client.get_shell_msg(timeout=PATIENCE)
    assert reply["content"]["status"] == "ok", reply["content"]
    text = ""
    while True:
        heard = client.get_iopub_msg(timeout=PATIENCE)
        if heard["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        if heard["msg_type"] == "stream":
            text += heard["content"]["text"]
        if heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle":
            return text


def left(client: Any) -> dict[str, int]:
    """Return how many widgets, runs, threads and the like the kernel holds."""
    found: dict[str, int] = json.loads(run_cell(client, "import json; print(json.dumps(left()))"))
    return found


def megabytes(client: Any) -> float:
    """Return how much memory the kernel has taken."""
    return float(run_cell(client, "print(megabytes())"))


def test_a_cell_that_is_run_100_times_leaves_nothing_behind(client: Any) -> None:
    run_cell(client, LOAD)
    wide = RUN.replace("3.0", "np.full(60, 3.0)").replace("range(10)", "range(500)").replace("x**2", "np.sum(x**2)")
    for _ in range(20):
        run_cell(client, wide, "again")
    first, before = left(client), megabytes(client)
    for _ in range(100):
        run_cell(client, wide, "again")
    assert left(client) == first
    assert first["runs"] <= 2, "this one, and the one before it, which can be compared"
    values_and_gradients = 100 * 500 * 60 * 2 * 8 / 1e6
    assert megabytes(client) - before < values_and_gradients / 3


def test_runs_in_100_cells_that_a_model_words_leave_no_thread_and_take_little_memory_each(client: Any) -> None:
    run_cell(client, LOAD)
    with Model(each, dropped) as server:
        worded = RUN.replace("--no-model", f"--host {server.host}")
        for _ in range(15):
            run_cell(client, worded, "first")
        settled(client, worded_by=MODEL)
        first, before = left(client), megabytes(client)
        for i in range(100):
            run_cell(client, worded, f"cell {i}")
        settled(client, worded_by=MODEL)
    last = left(client)
    assert last["views"] - first["views"] == last["runs"] - first["runs"] == 100, "each of them can be seen"
    assert last["widgets"] - first["widgets"] == last["comms"] - first["comms"] == 200, "with a layout each"
    assert last["threads"] <= first["threads"]
    assert last["listeners"] == first["listeners"]
    assert (megabytes(client) - before) / 100 < 0.3, "recording, captions, and the picture of the record"


def settled(client: Any, worded_by: str) -> None:
    """Wait until nothing is worded any more, and look who worded the last run."""
    at_work = "print(any('xinv' in each.name for each in threading.enumerate()))"
    until(lambda: "True" not in run_cell(client, at_work))
    assert run_cell(client, "print(run.captions[0].source)").strip() == worded_by


def test_what_somebody_can_see_or_name_stays(client: Any) -> None:
    run_cell(client, LOAD)
    run_cell(client, RUN.replace("%%xinv run", "%%xinv named"), "name")
    run_cell(client, "mine = named; held = mine.widget()")
    run_cell(client, RUN.replace("%%xinv run", "%%xinv named"), "name")
    assert run_cell(client, "print(held.comm is not None, mine.widget() is held)").split() == ["True", "True"]

    run_cell(client, RUN.replace("%%xinv run", "%%xinv other"), "other cell")
    run_cell(client, "first = other; kept = weakref.ref(other.memo['widget'])")
    run_cell(client, RUN, "a cell of its own")
    assert run_cell(client, "print(kept().comm is not None)").strip() == "True", "its output still stands"
    run_cell(client, RUN.replace("%%xinv run", "%%xinv other"), "other cell")
    assert run_cell(client, "print(kept().comm, first.evaluations, first.widget().comm is not None)").split() == [
        "None",
        "10",
        "True",
    ]


def test_several_runs_of_one_execution_stand_together(client: Any) -> None:
    run_cell(client, LOAD)
    several = (
        "runs = []\nfor k in range(3):\n    with xi.record(live=True) as run:\n        grad(lambda x: x**2)(3.0)\n"
    )
    run_cell(client, several + "    runs.append(run)", "loop")
    run_cell(client, "former = [run.memo['widget'] for run in runs]")
    assert run_cell(client, "print([w.comm is not None for w in former])").strip() == "[True, True, True]"
    run_cell(client, several + "    runs.append(run)", "loop")
    assert run_cell(client, "print([w.comm is not None for w in former])").strip() == "[False, False, False]"
