"""The client against a server that fails: a user gets one plain sentence, never half an answer."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.ollama.scripted_server import (
    BASE_TEMPLATE,
    CUT,
    MODEL,
    Reply,
    Request,
    ScriptedServer,
    done,
    listed,
    piece,
    shown,
)
from tests.waiting import AT_ONCE, PATIENCE, until
from xinv_nb.models.server.address import parse_address
from xinv_nb.models.server.connection import CONNECT_LIMIT
from xinv_nb.models.server.faults import OllamaUnavailable
from xinv_nb.models.server.ollama import OllamaServer

if TYPE_CHECKING:
    from collections.abc import Iterable

QUESTION = [{"role": "user", "content": "Why did it go up?"}]
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
FOREVER = 60


def ask(server: ScriptedServer, model: str = MODEL) -> str:
    return "".join(OllamaServer(server.host).stream(model, QUESTION))


def answer(server: ScriptedServer, *pieces: str) -> str:
    """What the reader gets when the model writes these pieces."""
    server.replies["/api/chat"] = Reply(*map(piece, pieces), done())
    return ask(server)


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def wait_until_left(request: Request) -> float:
    """When the server saw the client go."""
    assert request.over.wait(PATIENCE), "the server still talks to nobody"
    assert request.left is not None, "the client stayed to the end"
    return request.left


# ---------------------------------------------------------------------------- broken answers


def test_a_whole_answer_comes_through(scripted: ScriptedServer) -> None:
    assert ask(scripted) == "Hello there."


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        pytest.param(Reply(piece("Half"), done("length")), "did not come to an end", id="length"),
        pytest.param(Reply(piece("Half"), done("unload")), r"early \(unload\)", id="unloaded"),
        pytest.param(Reply(piece("Half"), done(None)), "early", id="no reason"),
        pytest.param(Reply(piece("Half")), "broke before the answer was complete", id="no done"),
        pytest.param(Reply(piece("Half"), CUT), "broke before the answer was complete", id="cut"),
        pytest.param(Reply(CUT, piece("x")), "broke before the answer was complete", id="cut at once"),
        pytest.param(Reply(piece("Half"), {"error": "unexpected EOF"}), "unexpected EOF", id="error line"),
        pytest.param(Reply(piece("Half"), "\n", done()), "not answer as Ollama", id="blank line"),
        pytest.param(Reply(piece("Half"), '{"mess\n', done()), "not answer as Ollama", id="broken line"),
        pytest.param(Reply("[1, 2]\n"), "not answer as Ollama", id="no object"),
        pytest.param(Reply('{"message": 3}\n'), "not answer as Ollama", id="wrong types"),
        pytest.param(Reply(b"\xff\xfe\n"), "not answer as Ollama", id="no text"),
        pytest.param(Reply(HTML), "not answer as Ollama", id="page of a proxy"),
        pytest.param(Reply(HTML, status=502), "not answer as Ollama", id="error page of a proxy"),
        pytest.param(
            Reply('{"error":"model \'chat:1b\' not found"}', status=404), "Get it with `ollama pull chat:1b`", id="404"
        ),
        pytest.param(Reply("404 page not found", status=404), "not answer as Ollama", id="other server"),
        pytest.param(
            Reply('{"error":"server busy, please try again.  maximum pending requests exceeded"}', status=503),
            "too many requests. Try again in a minute",
            id="queue full",
        ),
        pytest.param(
            Reply('{"error":"model requires more system memory (9 GiB) than is available (2 GiB)"}', status=500),
            "does not fit into the server's memory. Choose a smaller model",
            id="memory",
        ),
        pytest.param(Reply("", status=403), r"refused the request \(status 403\)", id="forbidden"),
        pytest.param(Reply('{"error":"prompt too long"}', status=400), "prompt too long", id="refused prompt"),
    ],
)
def test_an_incomplete_answer_is_one_plain_error(scripted: ScriptedServer, reply: Reply, words: str) -> None:
    scripted.replies["/api/chat"] = reply
    with pytest.raises(OllamaUnavailable, match=words) as raised:
        ask(scripted)
    message = str(raised.value)
    assert "\n" not in message
    assert "<" not in message
    assert len(message) < 400


@pytest.mark.parametrize("count", [4096, 4090, 2048, 2050])
def test_a_prompt_that_was_shortened_is_noticed(scripted: ScriptedServer, count: int) -> None:
    scripted.replies["/api/chat"] = Reply(piece("Fine."), done(prompt_eval_count=count))
    with pytest.raises(OllamaUnavailable, match="only a part of the prompt"):
        ask(scripted)


def test_a_server_that_dies_is_named(scripted: ScriptedServer) -> None:
    client = OllamaServer(closed_port())
    with pytest.raises(
        OllamaUnavailable, match=r"is not running at http://127.* Start it with `ollama serve`"
    ) as raised:
        list(client.stream(MODEL, QUESTION))
    assert raised.value.command == "ollama serve"
    assert not client.preload(MODEL)


# ---------------------------------------------------------------------------- silence and stop


@pytest.mark.parametrize(
    ("steps", "first", "following"),
    [
        pytest.param((FOREVER,), 0.3, 20, id="at the start"),
        pytest.param((piece("Half"), FOREVER), 20, 0.3, id="in the middle"),
    ],
)
def test_silence_is_not_waited_for_without_end(
    scripted: ScriptedServer, steps: tuple[object, ...], first: float, following: float
) -> None:
    scripted.replies["/api/chat"] = Reply(*steps, done())
    started = time.monotonic()
    with pytest.raises(OllamaUnavailable, match=r"sent nothing for 0\.3 seconds"):
        list(OllamaServer(scripted.host).stream(MODEL, QUESTION, first_token=first, next_token=following))
    assert time.monotonic() - started < AT_ONCE


def test_a_model_that_is_loaded_slowly_is_waited_for(scripted: ScriptedServer) -> None:
    # The server takes its time on purpose: longer than a question without a model may take.
    scripted.replies["/api/chat"] = Reply(2.5, piece("Here."), done())
    assert ask(scripted) == "Here."


def test_a_slow_reader_is_no_fault_of_the_server(scripted: ScriptedServer) -> None:
    pieces = OllamaServer(scripted.host).stream(MODEL, QUESTION, next_token=0.3)
    read = []
    for text in pieces:
        assert scripted.chats()[0].over.wait(PATIENCE), "only the reader is slow"
        time.sleep(0.5)  # on purpose longer than the server may be silent
        read.append(text)
    assert read == ["Hello", " there."]


@pytest.mark.parametrize("steps", [(), (piece("Half"),)], ids=["at the start", "in the middle"])
def test_stop_works_while_the_server_is_silent(scripted: ScriptedServer, steps: tuple[object, ...]) -> None:
    silent, stop = threading.Event(), threading.Event()
    scripted.replies["/api/chat"] = Reply(*steps, silent.set, FOREVER, done())
    read: list[str] = []
    pressed: list[float] = []

    def press() -> None:
        until(lambda: silent.is_set() and len(read) == len(steps))
        pressed.append(time.monotonic())
        stop.set()

    threading.Thread(target=press).start()
    with pytest.raises(OllamaUnavailable, match="Stopped before the answer was complete"):
        list(map(read.append, OllamaServer(scripted.host).stream(MODEL, QUESTION, stop=stop)))
    assert time.monotonic() - pressed[0] < AT_ONCE
    assert wait_until_left(scripted.chats()[0]) - pressed[0] < AT_ONCE


def test_stop_works_while_nobody_reads(scripted: ScriptedServer) -> None:
    scripted.replies["/api/chat"] = Reply(piece("Half"), FOREVER, done())
    stop = threading.Event()
    pieces = OllamaServer(scripted.host).stream(MODEL, QUESTION, stop=stop)
    next(pieces)
    stop.set()
    pressed = time.monotonic()
    assert wait_until_left(scripted.chats()[0]) - pressed < AT_ONCE
    with pytest.raises(OllamaUnavailable, match="Stopped"):
        next(pieces)


def test_stop_before_the_start_sends_no_prompt(scripted: ScriptedServer) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(OllamaUnavailable, match="Stopped"):
        list(OllamaServer(scripted.host).stream(MODEL, QUESTION, stop=stop))
    assert scripted.requests == []


def test_nothing_is_read_after_stop_even_if_it_has_come(scripted: ScriptedServer) -> None:
    come, stop = threading.Event(), threading.Event()
    scripted.replies["/api/chat"] = Reply(piece("Hello"), piece(" there."), done(), come.set, FOREVER)
    pieces = OllamaServer(scripted.host).stream(MODEL, QUESTION, stop=stop)
    next(pieces)
    assert come.wait(PATIENCE)
    stop.set()
    wait_until_left(scripted.chats()[0])
    with pytest.raises(OllamaUnavailable, match="Stopped"):
        next(pieces)


def test_closing_the_iterator_hangs_up(scripted: ScriptedServer) -> None:
    scripted.replies["/api/chat"] = Reply(piece("Half"), FOREVER, done())
    pieces = OllamaServer(scripted.host).stream(MODEL, QUESTION)
    next(pieces)
    closed = time.monotonic()
    pieces.close()
    assert wait_until_left(scripted.chats()[0]) - closed < AT_ONCE


def test_no_thread_is_left_behind(scripted: ScriptedServer) -> None:
    def watches() -> Iterable[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "xinv-nb-ollama-watch"]

    for _ in range(5):
        ask(scripted)
    scripted.replies["/api/chat"] = Reply(CUT, "x")
    with pytest.raises(OllamaUnavailable):
        ask(scripted)
    until(lambda: watches() == [])


# ---------------------------------------------------------------------------- thinking


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<think>Is it 3?</think>It fell.", "It fell."),
        ("\n<think>a</think>\nIt <think>b</think>fell.", "\n\nIt fell."),
        ("a < b, and <thin air", "a < b, and <thin air"),
        ("ends in <th", "ends in <th"),
    ],
)
def test_thinking_is_left_out_however_it_is_cut_into_pieces(scripted: ScriptedServer, written: str, read: str) -> None:
    for size in (1, 3, 7, len(written)):
        assert answer(scripted, *(written[i : i + size] for i in range(0, len(written), size))) == read


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Is it 3?</think>It fell.", "mixed its thinking"),
        ("Is it 3?</think>It fell.<think>Yes.</think>", "mixed its thinking"),
        ("<think>Is it 3?", "still thinking"),
    ],
)
def test_thinking_is_never_taken_for_the_answer(scripted: ScriptedServer, written: str, words: str) -> None:
    for pieces in (written, [written]):
        with pytest.raises(OllamaUnavailable, match=words):
            answer(scripted, *pieces)


@pytest.mark.parametrize("thinks", [True, False])
def test_only_a_model_that_thinks_is_told_not_to(scripted: ScriptedServer, thinks: bool) -> None:
    scripted.shows[MODEL] = Reply(shown(capabilities=["completion", *(["thinking"] if thinks else [])]))
    ask(scripted)
    assert scripted.chats()[0].body.get("think", "unsaid") == (False if thinks else "unsaid")


# ---------------------------------------------------------------------------- what is sent


def test_a_request_asks_for_the_same_answer_every_time(scripted: ScriptedServer) -> None:
    client = OllamaServer(scripted.host)
    client.preload(MODEL)
    list(client.stream(MODEL, QUESTION, schema={"type": "object"}, num_predict=99))
    body = scripted.chats()[0].body
    assert body["options"] == {"num_ctx": 4096, "num_predict": 99, "temperature": 0.0, "seed": 1}
    assert (body["messages"], body["format"], body["keep_alive"]) == (QUESTION, {"type": "object"}, "10m")
    assert (body["truncate"], body["shift"]) == (False, False)
    (load,) = (request.body for request in scripted.requests if request.path == "/api/generate")
    assert (load["options"], load["keep_alive"]) == ({"num_ctx": 4096}, "10m")
    assert not load.get("prompt")


def test_one_core_is_left_to_the_simulation_when_asked(scripted: ScriptedServer) -> None:
    list(OllamaServer(scripted.host, spare_core=True).stream(MODEL, QUESTION))
    threads = scripted.chats()[0].body["options"]["num_thread"]
    assert threads == max(1, len(os.sched_getaffinity(0)) - 1)


def test_the_key_of_the_user_is_sent_to_nobody(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "top-secret")
    client = OllamaServer(scripted.host)
    client.status()
    client.preload(MODEL)
    ask(scripted)
    assert len(scripted.requests) > 5
    assert "top-secret" not in repr([(request.headers, request.body) for request in scripted.requests])


def test_a_proxy_of_the_environment_is_not_used(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, closed_port())
    assert OllamaServer(scripted.host).status().reachable
    assert ask(scripted) == "Hello there."


def test_a_redirect_is_not_followed(scripted: ScriptedServer) -> None:
    with ScriptedServer() as elsewhere:
        scripted.replies["/api/chat"] = Reply("", status=307, headers={"Location": f"{elsewhere.host}/api/chat"})
        with pytest.raises(OllamaUnavailable, match="not answer as Ollama"):
            ask(scripted)
        assert elsewhere.requests == []


# ---------------------------------------------------------------------------- what may be used


@pytest.mark.parametrize(
    "host", ["http://192.0.2.1:11434", "gpu.example.org", "10.0.0.5:11434", "localhost.example.org"]
)
def test_another_computer_is_not_asked_until_it_is_named(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    client = OllamaServer(host)
    assert not client.is_local
    status = client.status()
    assert not status.reachable
    assert "is another computer" in status.text
    with pytest.raises(OllamaUnavailable, match="Name this host yourself"):
        list(client.stream(MODEL, QUESTION))
    assert OllamaServer(host, allow_remote=True).refusal() is None


def test_the_variable_of_the_environment_names_no_other_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "gpu.example.org")
    assert "another computer" in OllamaServer().status().text


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("", "http://127.0.0.1:11434"),
        ("localhost", "http://localhost:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("http://0.0.0.0:5000/", "http://127.0.0.1:5000"),
        (":5000", "http://127.0.0.1:5000"),
        ("http://gpu", "http://gpu:80"),
        ("https://gpu", "https://gpu:443"),
        ("gpu:1234/base/", "http://gpu:1234/base"),
        ("::1", "http://[::1]:11434"),
        ("[::]:5000", "http://[::1]:5000"),
    ],
)
def test_a_host_is_read_as_ollama_reads_it(written: str, host: str) -> None:
    assert parse_address(written) == host


@pytest.mark.parametrize(
    "written", ["127.0.0.1:port", "ftp://127.0.0.1", "my server", "http://[::1", "1.2.3.4:99999", "a..b", "a\tb"]
)
def test_a_host_that_cannot_be_read_is_told(written: str) -> None:
    status = OllamaServer(written).status()
    assert not status.reachable
    assert "is not the address of a server" in status.text


@pytest.mark.parametrize(
    ("name", "tag", "show"),
    [
        ("big:cloud", {}, {}),
        ("big:120b-cloud", {}, {}),
        ("alias:latest", {"remote_host": "https://cloud.example.org"}, {"remote_host": "https://cloud.example.org"}),
        ("alias", {}, {"remote_model": "big:120b"}),
    ],
)
def test_a_cloud_model_gets_nothing_until_it_is_named(
    scripted: ScriptedServer, name: str, tag: dict[str, str], show: dict[str, str]
) -> None:
    scripted.replies["/api/tags"] = Reply({"models": [listed(name, 300, **tag)]})
    scripted.shows[name] = Reply(shown(**show))
    client = OllamaServer(scripted.host)
    assert client.status().default is None
    with pytest.raises(OllamaUnavailable, match=f"{name} runs in a cloud"):
        list(client.stream(name, QUESTION))
    assert scripted.chats() == []
    assert not client.preload(name)
    named = OllamaServer(scripted.host, allow_cloud=[name])
    assert "".join(named.stream(name, QUESTION)) == "Hello there."
    assert named.status().default is None


@pytest.mark.parametrize(
    ("show", "words"),
    [
        (shown(BASE_TEMPLATE), "is a base model"),
        (shown(""), "is a base model"),
        (shown(capabilities=["embedding"]), "does not write text"),
    ],
)
def test_a_model_that_cannot_answer_is_not_asked(scripted: ScriptedServer, show: dict[str, object], words: str) -> None:
    scripted.shows[MODEL] = Reply(show)
    with pytest.raises(OllamaUnavailable, match=words):
        ask(scripted)
    assert scripted.chats() == []
    status = OllamaServer(scripted.host).status()
    assert (status.reachable, status.default) == (True, None)
    assert "no local chat model" in status.text
    assert status.command.startswith("ollama pull ")


def test_a_model_with_a_renderer_needs_no_template(scripted: ScriptedServer) -> None:
    scripted.shows[MODEL] = Reply(shown(BASE_TEMPLATE, renderer="qwen3"))
    assert ask(scripted) == "Hello there."


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ({"a": 1e9, "b": 5e9, "c": 40e9}, "b"),
        ({"c": 40e9, "d": 20e9}, "d"),
        ({"a": 1e9, "base": 5e9, "far:cloud": 300, "broken": 4e9}, "a"),
        ({}, None),
    ],
)
def test_the_default_is_the_best_that_runs_here(
    scripted: ScriptedServer, sizes: dict[str, float], chosen: str | None
) -> None:
    scripted.replies["/api/tags"] = Reply({"models": [listed(name, int(size)) for name, size in sizes.items()]})
    scripted.shows["base"] = Reply(shown(BASE_TEMPLATE))
    scripted.shows["broken"] = Reply('{"error":"bad manifest"}', status=500)
    default = OllamaServer(scripted.host).status().default
    assert (default.name if default else None) == chosen


def test_the_menu_puts_what_runs_here_first(scripted: ScriptedServer) -> None:
    models = [listed("z"), listed("a:cloud"), listed("alias", remote_host="https://cloud.example.org"), listed("b")]
    scripted.replies["/api/tags"] = Reply({"models": models})
    menu = OllamaServer(scripted.host).status().models
    assert [(model.name, model.local) for model in menu] == [
        ("b", True),
        ("z", True),
        ("a:cloud", False),
        ("alias", False),
    ]


# ---------------------------------------------------------------------------- status


def test_no_server_is_an_answer_at_once() -> None:
    client = OllamaServer(closed_port())
    started = time.monotonic()
    status = client.status()
    assert time.monotonic() - started < CONNECT_LIMIT / 2, "nothing is waited for"
    assert (status.reachable, status.command, status.models) == (False, "ollama serve", ())
    assert "Start it with `ollama serve`" in status.text


def test_without_a_server_the_ollama_package_is_not_even_imported() -> None:
    program = (
        "import sys\n"
        "from xinv_nb.models.server.ollama import OllamaServer\n"
        f"assert not OllamaServer({closed_port()!r}).status().reachable\n"
        "assert not {'ollama', 'httpx', 'pydantic'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)


@pytest.mark.parametrize("path", ["/api/version", "/api/tags"])
def test_a_server_that_never_answers_costs_two_seconds(scripted: ScriptedServer, path: str) -> None:
    scripted.replies[path] = Reply(FOREVER)
    started = time.monotonic()
    status = OllamaServer(scripted.host).status()
    assert time.monotonic() - started < AT_ONCE
    assert not status.reachable
    (waited,) = re.findall(r"sent nothing for ([\d.]+) seconds", status.text)
    assert float(waited) <= 2


def test_a_slow_model_does_not_hide_the_menu(scripted: ScriptedServer) -> None:
    scripted.shows[MODEL] = Reply(FOREVER)
    started = time.monotonic()
    status = OllamaServer(scripted.host).status()
    assert time.monotonic() - started < AT_ONCE
    assert (status.reachable, len(status.models), status.default) == (True, 1, None)


@pytest.mark.parametrize("page", [Reply(HTML), Reply(HTML, status=502), Reply("[]"), Reply({"models": 3}), Reply({})])
def test_another_server_is_not_taken_for_ollama(scripted: ScriptedServer, page: Reply) -> None:
    scripted.replies["/api/tags"] = page
    status = OllamaServer(scripted.host).status()
    assert (status.reachable, status.models) == (False, ())
    assert "does not answer as Ollama does. Check the address and the port" in status.text


@pytest.mark.parametrize("models", [[], None])
def test_a_server_without_models_says_how_to_get_one(scripted: ScriptedServer, models: object) -> None:
    scripted.replies["/api/tags"] = Reply({"models": models})
    status = OllamaServer(scripted.host).status()
    assert (status.reachable, status.version) == (True, "0.32.0")
    assert "no model yet" in status.text
    assert status.command.startswith("ollama pull ")
