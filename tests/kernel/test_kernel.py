"""`%%xinv` in a real kernel process: what goes over the wire, and what an interrupt leaves."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from tests.captions.test_trial import Model, dropped, each
from tests.ollama.scripted_server import MODEL
from tests.waiting import PATIENCE
from xinv_nb.models.trial import PARAGRAPHS

LOAD = "%load_ext xinv_nb\nimport xinv_nb as xi\nfrom autograd import grad\nimport autograd.numpy as np"

ENDLESS = """\
%%xinv run --no-model
import itertools, time
x, slope = np.ones(3), grad(lambda x: np.sum(x**2))
for k in itertools.count(1):
    x = x - 1e-3 * slope(x)
    if k % 200 == 0:
        print(time.time(), flush=True)
"""
"""It tells now and then that it goes on, and when that was."""


@pytest.fixture
def kernel() -> Iterator[tuple[Any, Any]]:
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def execute(
    client: Any, code: str, meanwhile: Callable[[dict[str, Any]], object] = lambda message: None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a cell; returns the reply and all messages, `meanwhile` being called with each of them as it comes."""
    messages: list[dict[str, Any]] = []

    def hear(message: dict[str, Any]) -> None:
        messages.append(message)
        meanwhile(message)

    reply = client.execute_interactive(code, output_hook=hear, timeout=PATIENCE)
    return reply["content"], messages


class Stopping:
    """Presses Stop once the loop runs, and again where it goes on.

    Autograd swallows what is raised while it wraps a function. What the loop printed a while after the press shows that
    it goes on; its end, which takes its time on a busy machine, is not to be stopped.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._pressed = 0.0

    def __call__(self, message: dict[str, Any]) -> None:
        is_printed = message["msg_type"] == "stream" and message["content"]["name"] == "stdout"
        printed = message["content"]["text"].split() if is_printed else []
        if printed and float(printed[-1]) > self._pressed + 0.5:
            self._manager.interrupt_kernel()
            self._pressed = time.time()


def test_an_interrupt_ends_the_cell_as_ever_and_the_record_tells_of_it(kernel: Any) -> None:
    manager, client = kernel
    execute(client, LOAD)
    reply, messages = execute(client, ENDLESS, Stopping(manager))
    assert reply["status"] == "error"
    assert reply["ename"] == "KeyboardInterrupt"
    (line,) = reply["traceback"]
    assert re.match(r"Stopped by you after [\d,]+ iterations\.", line)
    records = [m["content"]["data"] for m in messages if "image/png" in m["content"].get("data", {})]
    assert "interrupted at" in records[0]["text/markdown"]
    reply, messages = execute(client, "print(run.status, run.evaluations > 100, np.all(np.isfinite(run.loss)))")
    texts = [m["content"]["text"] for m in messages if m["msg_type"] == "stream"]
    assert texts == ["interrupted True True\n"]


def test_a_fast_loop_sends_few_and_small_messages(kernel: Any, tmp_path: Path) -> None:
    _, client = kernel
    execute(client, LOAD)
    followed = tmp_path / "followed"
    # How many a second is seen over some seconds; and it goes on until the view has followed it.
    loop = f"""\
%%xinv run --no-model
import os, time
x, start = np.ones(3), time.perf_counter()
while time.perf_counter() - start < 3 or not os.path.exists({str(followed)!r}):
    x = x - 1e-3 * grad(lambda x: np.sum(x**2))(x)
"""
    live: list[dict[str, Any]] = []

    def follow(message: dict[str, Any]) -> None:
        if message["msg_type"] == "comm_msg" and message["content"]["data"].get("method") == "custom":
            live.append(message)
        if len(live) == 10:
            followed.touch()

    begin = time.monotonic()
    _, messages = execute(client, loop, follow)
    seconds = time.monotonic() - begin
    assert len(messages) / seconds < 20
    largest = max(sum(len(b) for b in m["buffers"]) for m in live)
    assert largest < 200_000


def test_stop_on_error_stops_run_all_as_without_the_magic(kernel: Any) -> None:
    _, client = kernel
    execute(client, LOAD)
    reply, messages = execute(client, "%%xinv\nx = grad(lambda x: x**2)(1.0)\nraise ValueError('mine')")
    assert (reply["status"], reply["ename"], reply["evalue"]) == ("error", "ValueError", "mine")
    assert len([m for m in messages if m["msg_type"] == "error"]) == 1


def test_the_record_says_what_the_view_says_once_a_model_has_worded_it(kernel: Any) -> None:
    _, client = kernel
    with Model(each, dropped) as server:
        execute(client, LOAD)
        cell = (
            f"%%xinv run --host {server.host}\nx = 4.0\nfor _ in range(9):\n    x = x - 0.2 * grad(lambda x: x**2)(x)"
        )
        _, messages = execute(client, cell)
        records = [m["content"] for m in messages if "image/png" in m["content"].get("data", {})]
        built_in = records[0]["data"]["text/markdown"]
        assert "loss fell" in built_in
        while True:
            message = client.get_iopub_msg(timeout=PATIENCE)
            if message["msg_type"] == "update_display_data":
                break
    content = message["content"]
    assert content["transient"]["display_id"] == records[0]["transient"]["display_id"]
    assert "loss went down" in content["data"]["text/markdown"]
    assert "loss went down" in content["data"]["text/html"]
    assert "loss went down" not in built_in
    assert content["data"]["image/png"] == records[0]["data"]["image/png"], "the picture is drawn once"


def test_the_kernel_is_free_while_a_model_writes(kernel: Any) -> None:
    _, client = kernel
    begun, go_on = threading.Event(), threading.Event()

    def slowly(sentences: list[str]) -> list[str]:
        if not any(s in paragraph for paragraph in PARAGRAPHS for s in sentences):
            begun.set()
            go_on.wait(PATIENCE)
        return each(sentences)

    with Model(slowly, lambda sentence: slowly([sentence])[0]) as server:
        execute(client, LOAD)
        cell = (
            f"%%xinv run --host {server.host}\nx = 4.0\nfor _ in range(9):\n    x = x - 0.2 * grad(lambda x: x**2)(x)"
        )
        execute(client, cell)
        assert begun.wait(PATIENCE)
        _, messages = execute(client, "print({caption.source for caption in run.captions})")
        go_on.set()
        assert [m["content"]["text"] for m in messages if m["msg_type"] == "stream"] == ["{'built-in'}\n"]
        while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "update_display_data":
            pass
        _, messages = execute(client, "print(run.captions[0].source)")
    assert [m["content"]["text"] for m in messages if m["msg_type"] == "stream"] == [f"{MODEL}\n"]
