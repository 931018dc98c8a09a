"""Downloading a model: progress that never goes back, an end at any time, and every fault in plain words."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.ollama.real_server import RealServer, find_program, running
from tests.ollama.registry import SLOW, serving_models
from tests.ollama.scripted_server import CUT, MODEL, Reply, Request, ScriptedServer
from tests.waiting import AT_ONCE, PATIENCE, until
from xinv_nb.models.language_model import LanguageModel
from xinv_nb.models.server.address import Address
from xinv_nb.models.server.connection import Connection
from xinv_nb.models.server.download import DownloadProgress, download, source_of
from xinv_nb.models.server.downloads import Download, DownloadState, download_of
from xinv_nb.models.server.faults import OllamaUnavailable
from xinv_nb.models.server.ollama import OllamaServer

FOREVER = 60
BIG, SMALL, SECOND = "sha256:big", "sha256:small", "sha256:second"
MANIFEST = {"status": "pulling manifest"}
VERIFYING = {"status": "verifying sha256 digest"}
SUCCESS = {"status": "success"}


def layer(digest: str, completed: int | None, total: int | None) -> dict[str, object]:
    """A line about a part of a model, as Ollama writes it."""
    known = {"completed": completed, "total": total}
    return {"status": "pulling", "digest": digest, **{k: v for k, v in known.items() if v is not None}}


def downloaded(server: ScriptedServer, *steps: object, **limits: Any) -> list[DownloadProgress]:
    server.replies["/api/pull"] = Reply(*steps)
    return list(download(Address(server.host), "m:1b", **limits))


def asked(server: ScriptedServer) -> list[Request]:
    return [request for request in server.requests if request.path == "/api/pull"]


# ---------------------------------------------------------------------- progress


def test_progress_is_that_of_all_layers_together(scripted: ScriptedServer) -> None:
    told = downloaded(
        scripted,
        MANIFEST,
        layer(BIG, None, 2_000_000_000),
        layer(BIG, 600_000_000, 2_000_000_000),
        layer(BIG, 2_000_000_000, 2_000_000_000),
        layer(SMALL, 0, 12_000),
        layer(SMALL, 12_000, 12_000),
        VERIFYING,
        {"status": "writing manifest"},
        SUCCESS,
    )
    assert [(each.text, each.percent) for each in told] == [
        ("waiting for the Ollama library", None),
        ("0.0 of 2.0 GB · 0 %", 0),
        ("0.6 of 2.0 GB · 30 %", 30),
        ("2.0 of 2.0 GB · 99 %", 99),
        ("2.0 of 2.0 GB · 99 %", 99),
        ("2.0 of 2.0 GB · 99 %", 99),
        ("2.0 GB are here and are being checked", 100),
        ("2.0 GB are here and are being checked", 100),
    ]
    (request,) = asked(scripted)
    assert (request.body["model"], request.body["stream"]) == ("m:1b", True)


def test_a_part_that_is_fetched_again_does_not_take_progress_back(scripted: ScriptedServer) -> None:
    told = downloaded(scripted, *(layer(BIG, n * 10_000_000, 10**9) for n in (10, 50, 20, 51)), SUCCESS)
    assert [each.percent for each in told] == [10, 50, 50, 51]
    assert told[2].text == told[1].text


def test_a_second_large_layer_holds_the_bar_and_the_text_stays_true(scripted: ScriptedServer) -> None:
    parts = [layer(BIG, 4 * 10**9, 4 * 10**9), layer(SECOND, 0, 10**9), layer(SECOND, 995_000_000, 10**9)]
    told = downloaded(scripted, *parts, SUCCESS)
    assert [(each.text, each.percent) for each in told] == [
        ("4.0 of 4.0 GB · 99 %", 99),
        ("4.0 of 5.0 GB", 99),
        ("5.0 of 5.0 GB · 99 %", 99),
    ]


def test_a_small_layer_before_the_model_is_not_taken_for_the_whole(scripted: ScriptedServer) -> None:
    told = downloaded(scripted, layer(SMALL, 12_000, 12_000), layer(BIG, 20_000_000, 80_000_000), SUCCESS)
    assert [(each.text, each.percent) for each in told] == [
        ("waiting for the Ollama library", None),
        ("20 of 80 MB · 25 %", 25),
    ]


def test_without_a_total_the_bytes_are_told(scripted: ScriptedServer) -> None:
    told = downloaded(scripted, layer(BIG, 1_300_000_000, None), SUCCESS)
    assert [(each.text, each.percent) for each in told] == [("1.3 GB so far", None)]


def test_a_model_from_elsewhere_is_not_said_to_come_from_the_ollama_library() -> None:
    assert source_of("llama3.2") == source_of("someone/llama3.2:1b") == "the Ollama library"
    assert source_of("hf.co/someone/llama:Q4") == source_of("https://hf.co/someone/llama:Q4") == "hf.co"


# ---------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            'pull model manifest: Get "https://registry.ollama.ai/v2/": dial tcp: lookup registry.ollama.ai: '
            "no such host",
            r"not reach the Ollama library\. Check the internet connection and try again: what was downloaded is kept",
        ),
        ("max retries exceeded: unexpected EOF", "could not reach the Ollama library"),
        ("pull model manifest: file does not exist", r"no model m:1b in the Ollama library\. Check the name"),
        ("write /models/blobs/x-partial: no space left on device", r"The disk is full.*Make room"),
        ("There is not enough space on the disk.", "The disk is full"),
        (
            "pull model manifest: 412: The model you are attempting to pull requires a newer version of Ollama.",
            "m:1b needs a newer Ollama. Update it",
        ),
        ("digest mismatch, file must be downloaded again: want a, got b", "arrived damaged.*Try again"),
        ("mkdir /models: permission denied", "may not write"),
        ("something unheard of", r"broke off: something unheard of\. Try again"),
    ],
)
def test_an_error_in_the_stream_says_what_to_do(scripted: ScriptedServer, said: str, words: str) -> None:
    with pytest.raises(OllamaUnavailable, match=words) as raised:
        downloaded(scripted, MANIFEST, layer(BIG, 1, 10**9), {"error": said})
    assert "dial tcp" not in str(raised.value)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        pytest.param((MANIFEST, CUT), "went away before the download was complete", id="server dies"),
        pytest.param((MANIFEST, layer(BIG, 1, 10**9)), "went away before the download", id="no ending"),
        pytest.param(("<html>Welcome</html>",), "does not answer as Ollama does", id="page of a proxy"),
        pytest.param((MANIFEST, "[1]\n"), "does not answer as Ollama does", id="no object"),
    ],
)
def test_a_stream_that_breaks_is_one_plain_error(scripted: ScriptedServer, steps: Any, words: str) -> None:
    with pytest.raises(OllamaUnavailable, match=words):
        downloaded(scripted, *steps)


def test_a_server_that_is_gone_says_how_to_start_it() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OllamaUnavailable, match="Start it with `ollama serve`"):
        list(download(Address(host), "m:1b"))


def test_silence_is_not_waited_for_without_end_but_checking_has_its_time(scripted: ScriptedServer) -> None:
    with pytest.raises(OllamaUnavailable, match=r"sent nothing for 0\.2 seconds\. Try again"):
        downloaded(scripted, layer(BIG, 1, 10**9), FOREVER, silence=0.2)
    # The server takes its time on purpose: longer than it may be silent before it checks.
    assert downloaded(scripted, layer(BIG, 10**9, 10**9), VERIFYING, 1.5, SUCCESS, silence=1, checking=PATIENCE)


@pytest.mark.parametrize("model", ["big:cloud", "big:120b-cloud"])
def test_a_cloud_model_is_never_downloaded(scripted: ScriptedServer, model: str) -> None:
    with pytest.raises(OllamaUnavailable, match="runs in a cloud"):
        list(download(Address(scripted.host), model))
    assert scripted.requests == []


def test_another_computer_is_not_asked_until_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(OllamaUnavailable, match="Name this host yourself"):
        list(download(Address("http://192.0.2.1:11434"), "m:1b"))


# ---------------------------------------------------------------------- a download of the session


@pytest.fixture
def shared(scripted: ScriptedServer) -> Iterator[Download]:
    found = download_of(Address(scripted.host), "m:1b")
    yield found
    found.cancel()
    assert found.wait(PATIENCE)


def test_two_who_ask_share_one_download_and_each_hears_of_it(scripted: ScriptedServer, shared: Download) -> None:
    both = threading.Event()
    parts = layer(BIG, 1, 10**9), lambda: both.wait(PATIENCE), layer(BIG, 5 * 10**8, 10**9)
    scripted.replies["/api/pull"] = Reply(*parts, SUCCESS)
    first: list[DownloadState] = []
    second: list[DownloadState] = []
    assert not shared.hear(first.append).going
    shared.start()
    until(lambda: asked(scripted))
    other = download_of(Address(scripted.host), "m:1b")
    assert other.hear(second.append).going
    other.start()
    both.set()
    assert shared.wait(PATIENCE)
    assert len(asked(scripted)) == 1
    for heard in (first, second):
        assert heard[-1] == DownloadState(done=True)
        assert [state for state in heard if state.done] == [DownloadState(done=True)]
    assert not shared.hear(first.append).done, "one who comes later has not asked for this"


def test_cancelling_closes_the_connection_and_the_next_start_goes_on(
    scripted: ScriptedServer, shared: Download
) -> None:
    scripted.replies["/api/pull"] = Reply(layer(BIG, 10**8, 10**9), FOREVER)
    heard: list[DownloadState] = []
    shared.hear(heard.append)
    shared.start()
    until(lambda: any(state.progress.percent == 10 for state in heard))
    begin = time.monotonic()
    shared.cancel()
    assert shared.wait(PATIENCE)
    (request,) = asked(scripted)
    assert request.over.wait(PATIENCE)
    assert request.left is not None
    assert request.left - begin < AT_ONCE
    assert heard[-1] == DownloadState(cancelled=True)
    scripted.replies["/api/pull"] = Reply(layer(BIG, 10**9, 10**9), SUCCESS)
    shared.start()
    assert shared.wait(PATIENCE)
    assert heard[-1].done


def test_at_most_four_messages_a_second_and_the_last_word_is_never_left_out(
    scripted: ScriptedServer, shared: Download
) -> None:
    heard: list[tuple[float, DownloadState]] = []

    def told(text: str) -> None:
        """Hold the download up until somebody has heard this."""
        until(lambda: any(text in state.progress.text for _, state in heard))

    # A line each hundredth of a second, so that those in between have to be left out.
    parts = [step for n in range(100) for step in (layer(BIG, n * 10**7, 10**9), 0.01)]
    checked = layer(BIG, 10**9, 10**9), VERIFYING, lambda: told("being checked")
    scripted.replies["/api/pull"] = Reply(*parts, lambda: until(lambda: len(heard) >= 4), *checked, SUCCESS)
    shared.hear(lambda state: heard.append((time.monotonic(), state)))
    shared.start()
    assert shared.wait(PATIENCE)
    times = [at for at, state in heard if state.going]
    assert all(later - earlier > 0.24 for earlier, later in pairwise(times))
    assert len(times) >= 4
    assert [state.progress.text for _, state in heard][-2:] == ["1.0 GB are here and are being checked", ""]


def test_that_it_began_is_told_also_where_it_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A button that waits for it would else wait for ever. A fake: no real server is as fast as it takes."""

    def fails(*_: object) -> Iterator[DownloadProgress]:
        raise OllamaUnavailable("There is no such model.")

    def begin(work: Any, *told_by: threading.Event) -> threading.Thread:
        thread = threading.Thread(target=work, args=told_by)
        thread.start()
        if work.__name__ == "_read":
            thread.join()
        return thread

    monkeypatch.setattr("xinv_nb.models.server.downloads.download", fails)
    monkeypatch.setattr("xinv_nb.models.server.downloads._begin", begin)
    heard: list[DownloadState] = []
    download = Download(Address("http://127.0.0.1:1"), "m:1b")
    download.hear(heard.append)
    download.start()
    assert download.wait(PATIENCE)
    assert [state.going for state in heard] == [True, False]
    assert "no such model" in heard[-1].problem


def test_a_hearer_that_fails_harms_nobody(scripted: ScriptedServer, shared: Download) -> None:
    scripted.replies["/api/pull"] = Reply(SUCCESS)
    heard: list[DownloadState] = []

    def fails(state: DownloadState) -> None:
        raise RuntimeError("the view is gone")

    shared.hear(fails)
    shared.hear(heard.append)
    shared.start()
    assert shared.wait(PATIENCE)
    assert heard[-1].done


def test_one_who_has_left_hears_no_more_and_the_download_goes_on(scripted: ScriptedServer, shared: Download) -> None:
    gone = threading.Event()
    scripted.replies["/api/pull"] = Reply(layer(BIG, 1, 10**9), lambda: gone.wait(PATIENCE), SUCCESS)
    heard: list[DownloadState] = []
    shared.hear(heard.append)
    shared.start()
    until(lambda: asked(scripted))
    shared.leave(heard.append)
    count = len(heard)
    gone.set()
    assert shared.wait(PATIENCE)
    assert len(heard) == count
    assert asked(scripted)[0].left is None, "the client stayed to the end"


def test_a_download_takes_no_turn_of_those_who_write(scripted: ScriptedServer, shared: Download) -> None:
    scripted.replies["/api/pull"] = Reply(layer(BIG, 1, 10**9), FOREVER)
    shared.start()
    until(lambda: asked(scripted))
    server = OllamaServer(scripted.host)
    model = LanguageModel(server, MODEL, server.status(), None, threading.Event())
    assert model.sentence("The loss fell.")[0] == "Hello there."


# ---------------------------------------------------------------------- the real server


@pytest.mark.parametrize(
    ("model", "words"),
    [
        # Nothing of these tests may reach the internet: a registry that does not exist is asked for.
        pytest.param("registry.invalid/someone/llama3.2", "could not reach registry.invalid", id="no such registry"),
        pytest.param("127.0.0.1:9/someone/llama3.2", r"could not reach 127\.0\.0\.1:9", id="nobody there"),
    ],
)
def test_a_real_server_that_reaches_no_library_is_one_plain_error(
    ollama_server: RealServer, model: str, words: str
) -> None:
    with pytest.raises(OllamaUnavailable, match=words):
        list(download(Address(ollama_server.host), model))


def test_a_real_server_downloads_a_model_is_cancelled_and_goes_on_from_there(
    ollama_server: RealServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The library of this test has no certificate, which Ollama allows only to a pull that says so.
    plain = Connection.lines

    def insecure(connection: Connection, path: str, body: Any, kind: Any) -> Any:
        return plain(connection, path, {**body, "insecure": True}, kind)

    monkeypatch.setattr(Connection, "lines", insecure)
    with running(find_program(), tmp_path, None) as other, serving_models(ollama_server.folder / "models") as registry:
        name = f"{registry.address}/someone/smol"
        (size,) = (model.size for model in OllamaServer(ollama_server.host).status().models)
        registry.quick = 0.4 * size  # what follows comes so slowly that the test is in time, however slow it is
        stop = threading.Event()
        told = download(Address(other.host), name, stop)
        until(lambda: (next(told).percent or 0) >= 20)
        stop.set()
        with pytest.raises(OllamaUnavailable, match="Stopped"):
            list(told)
        sent = -1
        while registry.sent != sent:
            sent = registry.sent
            time.sleep(4 * SLOW)  # that no piece comes any more takes as long to see as several pieces would take
        assert sent < size, "the server stopped before it had everything"

        registry.quick = math.inf
        rest = list(download(Address(other.host), name))
        percents = [each.percent for each in rest if each.percent is not None]
        assert percents == sorted(percents)
        assert percents[0] >= 10, "what was downloaded is kept"
        assert rest[-1].text.endswith("are here and are being checked")
        (model,) = OllamaServer(other.host).status().models
        assert (model.name, model.size > 90e6) == (f"{name}:latest", True)
