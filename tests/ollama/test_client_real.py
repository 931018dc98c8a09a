"""The client against a real server with a real model."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
import pytest

from tests.waiting import AT_ONCE, PATIENCE, until
from xinv_nb.models.server.faults import OllamaUnavailable
from xinv_nb.models.server.ollama import OllamaServer

if TYPE_CHECKING:
    from tests.ollama.real_server import RealServer

QUESTION = [{"role": "user", "content": "Say in one sentence: the loss fell from 25 to 2 in 12 steps."}]
ENDLESS = [{"role": "user", "content": "Write a very long story about a lake. Do not stop."}]
LENGTH = 4000
"""Tokens of the stories; all of them take some 30 s."""
LONG_PROMPT = [{"role": "user", "content": "The loss fell. " * 250 + "Write a long story about it."}]


def cpu_seconds(server: RealServer) -> float:
    """What the server and the processes that run its models have computed so far."""
    root = psutil.Process(server.pid)
    return float(sum(sum(process.cpu_times()[:2]) for process in [root, *root.children(recursive=True)]))


def seconds_until_idle(server: RealServer, limit: float = PATIENCE) -> float:
    """How long the server goes on computing from now, with a processor of its own.

    In seconds of its processor time, shared among its threads: on a busy machine the clock would tell of the others.
    """
    started, begin = time.monotonic(), cpu_seconds(server)
    done = begin
    while time.monotonic() - started < limit:
        before = cpu_seconds(server)
        time.sleep(0.2)  # what computes is seen to compute only over a while
        done = cpu_seconds(server)
        if done - before < 0.03:
            break
    return (done - begin) / (os.cpu_count() or 1)


@pytest.fixture(scope="module")
def story(ollama_server: RealServer) -> float:
    """How long the server would compute for a story of `LENGTH` tokens on this machine, in the same seconds."""
    with contextlib.closing(OllamaServer(ollama_server.host).stream(ollama_server.model, ENDLESS)) as pieces:
        for _ in range(5):
            next(pieces)
        begin = cpu_seconds(ollama_server)
        for _ in range(40):
            next(pieces)
        forty = cpu_seconds(ollama_server) - begin
    return LENGTH * forty / 40 / (os.cpu_count() or 1)


def test_the_menu_tells_what_the_server_has(ollama_server: RealServer) -> None:
    client = OllamaServer(ollama_server.host)
    status = client.status()
    (model,) = status.models
    assert (model.name, model.local) == (ollama_server.model, True)
    assert 90e6 < model.size < 110e6
    assert len(model.digest) == 64
    assert (status.reachable, status.default) == (True, model)
    assert status.version
    assert ollama_server.model in status.text


def test_an_answer_comes_in_pieces_and_is_the_same_again(ollama_server: RealServer) -> None:
    client = OllamaServer(ollama_server.host)
    assert client.preload(ollama_server.model)
    first, second = (list(client.stream(ollama_server.model, QUESTION)) for _ in range(2))
    assert len(first) > 5
    assert first == second
    assert "<|im_" not in "".join(first)


def test_a_schema_shapes_the_answer(ollama_server: RealServer) -> None:
    schema = {
        "type": "object",
        "properties": {"fell": {"type": "string", "enum": ["yes", "no"]}},
        "required": ["fell"],
        "additionalProperties": False,
    }
    text = "".join(OllamaServer(ollama_server.host).stream(ollama_server.model, QUESTION, schema=schema))
    assert "".join(text.split()) in ('{"fell":"yes"}', '{"fell":"no"}')


def test_closing_the_iterator_stops_the_server(ollama_server: RealServer, story: float) -> None:
    pieces = OllamaServer(ollama_server.host).stream(ollama_server.model, ENDLESS, num_predict=LENGTH)
    for _ in range(5):
        next(pieces)
    started = time.monotonic()
    pieces.close()
    assert time.monotonic() - started < AT_ONCE
    assert seconds_until_idle(ollama_server) < story / 30


@pytest.mark.parametrize(
    ("messages", "share"),
    [
        pytest.param(ENDLESS, 1 / 30, id="while writing"),
        # This version looks up from a prompt only when it has read it.
        pytest.param(LONG_PROMPT, 1 / 3, id="while reading the prompt"),
    ],
)
def test_the_stop_button_stops_the_server(
    ollama_server: RealServer, story: float, messages: list[dict[str, str]], share: float
) -> None:
    client = OllamaServer(ollama_server.host)
    client.preload(ollama_server.model)
    stop = threading.Event()
    pressed: list[float] = []

    begin = cpu_seconds(ollama_server)

    def press() -> None:
        until(lambda: cpu_seconds(ollama_server) - begin > 0.3)  # it has begun
        pressed.append(time.monotonic())
        stop.set()

    threading.Thread(target=press).start()
    with pytest.raises(OllamaUnavailable, match="Stopped"):
        list(client.stream(ollama_server.model, messages, num_predict=LENGTH, stop=stop))
    assert time.monotonic() - pressed[0] < AT_ONCE
    assert seconds_until_idle(ollama_server) < story * share


def test_a_missing_model_says_how_to_get_it(ollama_server: RealServer) -> None:
    client = OllamaServer(ollama_server.host)
    with pytest.raises(
        OllamaUnavailable, match=r"has no model qwen3:4b\. Get it with `ollama pull qwen3:4b`"
    ) as raised:
        list(client.stream("qwen3:4b", QUESTION))
    assert raised.value.command == "ollama pull qwen3:4b"
    assert not client.preload("qwen3:4b")


def test_an_answer_that_is_cut_off_is_no_answer(ollama_server: RealServer) -> None:
    with pytest.raises(OllamaUnavailable, match="did not come to an end"):
        list(OllamaServer(ollama_server.host).stream(ollama_server.model, ENDLESS, num_predict=5))


def test_a_prompt_that_the_server_shortened_is_noticed(ollama_server: RealServer) -> None:
    client = OllamaServer(ollama_server.host, num_ctx=512)  # this server does so without a word
    with pytest.raises(OllamaUnavailable, match=r"only a part of the prompt \(512 tokens\)"):
        list(client.stream(ollama_server.model, LONG_PROMPT, num_predict=5))


def test_two_cells_at_once_get_the_same_as_one(ollama_server: RealServer) -> None:
    client = OllamaServer(ollama_server.host)

    def ask(_: int) -> str:
        return "".join(client.stream(ollama_server.model, QUESTION))

    alone = ask(0)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(ask, range(2)))
    # Two answers computed in one batch may differ in the last bits, and then in words.
    assert all(len(text) > 20 for text in [alone, *together])


def test_preload_and_answer_load_the_model_once(ollama_server: RealServer) -> None:
    client = OllamaServer(ollama_server.host, spare_core=True)
    assert client.preload(ollama_server.model)
    loads = ollama_server.log.read_text().count("starting llama server")
    assert loads > 0
    "".join(client.stream(ollama_server.model, QUESTION))
    assert ollama_server.log.read_text().count("starting llama server") == loads
