"""A real server in hard places: a base model, two runs at once, a server that dies in the middle."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from tests.captions.test_writer_real import assert_true
from tests.example_runs import EXAMPLES
from tests.ollama.real_server import RealServer, find_gguf, find_program, running
from tests.waiting import PATIENCE
from xinv_nb.models.captioning import Explaining, Progress, write
from xinv_nb.recorded.captions import Caption
from xinv_nb.words.narrator import narrate

pytestmark = pytest.mark.usefixtures("capable_of_sentences")


def test_a_base_model_is_not_asked_and_the_reader_is_told(ollama_server: RealServer) -> None:
    run, told = EXAMPLES["two_evaluations"](), []
    ollama_server.create("base:135m", f"FROM {find_gguf()}\nTEMPLATE {{{{ .Prompt }}}}\n")
    try:
        captions = write(run, Explaining("base:135m", host=ollama_server.host), show=told.append)
    finally:  # the other tests know of one model
        body = {"model": "base:135m"}
        httpx.request("DELETE", f"{ollama_server.host}/api/delete", json=body, trust_env=False).raise_for_status()
    assert captions == narrate(run)
    assert "base model" in told[-1].hint


def test_two_runs_at_once_are_each_told_as_alone(ollama_server: RealServer) -> None:
    names = ("two_evaluations", "one_evaluation")
    alone = {name: write(EXAMPLES[name](), Explaining(host=ollama_server.host)) for name in names}
    together: dict[str, tuple[Caption, ...]] = {}

    def explain(name: str) -> None:
        together[name] = write(EXAMPLES[name](), Explaining(host=ollama_server.host))

    threads = [threading.Thread(target=explain, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * PATIENCE)
    for name in names:
        assert_true(together[name], EXAMPLES[name](), ollama_server.model)
        # What of such a small model is dropped, and why, may be another the second time; what is told is the same.
        told = [[(c.heading, c.span, c.built_in) for c in of[name]] for of in (together, alone)]
        assert told[0] == told[1]


def test_a_server_that_dies_in_the_middle_leaves_what_is_true(tmp_path: Path) -> None:
    run, told = EXAMPLES["projectile"](), []
    with running(find_program(), tmp_path, find_gguf()) as server:

        def show(progress: Progress) -> None:
            told.append(progress)
            if len(told) == 3:  # a sentence has been answered, the next is asked for
                os.kill(server.pid, signal.SIGKILL)

        captions = write(run, Explaining(host=server.host), show=show)
        assert_true(captions, run, server.model)
    assert told[-1].working_on is None
    assert "broke" in told[-1].hint or "not running" in told[-1].hint
