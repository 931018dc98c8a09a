"""A missing model as a widget shows it: offered, downloaded only when the reader asks, and then it writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from autograd import grad

import xinv_nb as xi
from tests.captions.test_trial import Model, dropped, each
from tests.ollama.scripted_server import Reply, Request, listed
from tests.ollama.test_download import BIG, FOREVER, MANIFEST, SUCCESS, VERIFYING, layer
from tests.packet import unpack
from tests.waiting import PATIENCE, until
from xinv_nb.models.captioning import Explaining
from xinv_nb.models.listing import listing
from xinv_nb.run import Run
from xinv_nb.view.packets import Detail
from xinv_nb.view.page import snapshot_to_keep
from xinv_nb.view.widget import RunWidget

GB = 10**9
SUGGESTED = "llama3.2:latest"


class Library(Model):
    """A server that has no model until one is pulled."""

    def __init__(self) -> None:
        super().__init__(each, dropped)
        self.here: set[str] = set()
        self.go_on = threading.Event()
        """A download waits for this at half of it."""
        self.go_on.set()
        self.while_pulling: tuple[object, ...] = (layer(BIG, GB, 2 * GB), lambda: self.go_on.wait(PATIENCE))

    def reply_to(self, request: Request) -> Reply:
        model = (request.body or {}).get("model", "")
        if request.path == "/api/pull":
            return Reply(MANIFEST, *self.while_pulling, VERIFYING, lambda: self.here.add(f"{model}:latest"), SUCCESS)
        if request.path == "/api/tags":
            return Reply({"models": [listed(name) for name in sorted(self.here)]})
        if request.path in ("/api/show", "/api/chat") and not {model, f"{model}:latest"} & self.here:
            return Reply({"error": f"model '{model}' not found"}, status=404)
        return super().reply_to(request)

    def pulls(self) -> list[Request]:
        """What was asked to be downloaded."""
        return [request for request in self.requests if request.path == "/api/pull"]


@pytest.fixture
def library(folder: Path) -> Iterator[Library]:
    with Library() as server:
        yield server


class Browser:
    """What the browser of one widget is told, and what it asks."""

    def __init__(self, name: str = "steps") -> None:
        with xi.record(name) as self.run:
            x = 3.0
            for _ in range(12):
                x = x - 0.1 * grad(lambda x: x**2)(x)
        self.widget: RunWidget = self.run.widget()
        self.heads: list[dict[str, Any]] = []
        self.widget._send_packet = self.receive  # type: ignore[method-assign]

    def receive(self, packet: bytes) -> None:
        header, _ = unpack(packet)
        self.heads.append(header["head"])

    def press(self, *, cancel: bool = False, **more: object) -> None:
        self.widget._on_request(self.widget, {"type": "pull", "cancel": cancel, **more}, None)

    @property
    def writer(self) -> dict[str, Any]:
        """What the head tells last of who writes."""
        return dict(self.heads[-1]["writer"]) if self.heads else {"pull": None}

    @property
    def download(self) -> dict[str, Any]:
        return dict(self.writer["pull"] or {})

    def explained(self, host: str, model: str | None = None) -> Browser:
        self.widget.explainer.write(Explaining(model, host=host))
        until(lambda: not self.widget.explainer._captions.is_busy)
        return self


def downloading() -> set[threading.Thread]:
    """The threads of downloads: they begin with the press, and do not end before the server was asked."""
    return {thread for thread in threading.enumerate() if thread.name == "xinv-nb-pull"}


def sources(run: Run) -> set[str]:
    return {caption.source for caption in run.captions}


@pytest.mark.parametrize(
    ("named", "size"), [(None, "about 2 GB"), ("other:1b", "")], ids=["no model at all", "the one that was named"]
)
def test_from_the_offer_over_the_download_to_captions_by_the_new_model(
    library: Library, named: str | None, size: str
) -> None:
    model, before = named or "llama3.2", downloading()
    browser = Browser().explained(library.host, named)
    assert sources(browser.run) == {"built-in"}
    offered = browser.download
    assert (offered["model"], offered["size"]) == (model, size)
    assert (offered["going"], offered["problem"]) == (False, "")
    assert "from the Ollama library over the internet" in offered["note"]
    assert ("once the download begins" in offered["note"]) == (size == "")
    assert downloading() <= before, "nothing is downloaded by itself"
    assert library.pulls() == []

    library.go_on.clear()
    browser.press()
    until(lambda: browser.download.get("percent") == 50)
    assert browser.download["text"] == "1.0 of 2.0 GB · 50 %"
    library.go_on.set()
    writes = named or SUGGESTED
    until(lambda: sources(browser.run) == {writes})
    (request,) = library.pulls()
    assert request.body["model"] == model
    until(lambda: not browser.widget.explainer._captions.is_busy)
    assert (browser.writer["text"], browser.writer["pull"]) == (f"{writes} · local", None)
    answers: list[xi.Caption] = []
    browser.widget.explainer.answer("What happened to the loss?", None, answers.append)
    until(lambda: len(answers) == 2)
    assert answers[-1].source == writes


def test_a_model_that_is_too_small_is_replaced_by_the_suggested_one(library: Library) -> None:
    library.here = {"tiny:latest"}
    capable = library.paragraph, library.sentence
    library.paragraph, library.sentence = lambda sentences: [], lambda sentence: ""
    browser = Browser().explained(library.host, "tiny")
    assert "too small" in browser.writer["hint"]
    assert browser.download["model"] == "llama3.2"
    library.paragraph, library.sentence = capable
    browser.press()
    until(lambda: sources(browser.run) == {"llama3.2"})


def test_a_reader_can_cancel_and_is_told_what_becomes_of_it(library: Library) -> None:
    library.while_pulling = (layer(BIG, GB, 2 * GB), FOREVER)
    browser = Browser().explained(library.host)
    browser.press()
    until(lambda: browser.download.get("percent") == 50)
    browser.press(cancel=True)
    until(lambda: not browser.download["going"])
    assert "keeps what it has downloaded" in browser.download["note"]
    assert (browser.download["model"], browser.download["problem"]) == ("llama3.2", "")
    (request,) = library.pulls()
    assert request.over.wait(PATIENCE)
    assert request.left is not None
    assert sources(browser.run) == {"built-in"}


def test_a_fault_is_told_and_another_try_is_offered(library: Library) -> None:
    library.while_pulling = ({"error": "dial tcp: lookup registry.ollama.ai: no such host"},)
    browser = Browser().explained(library.host)
    browser.press()
    until(lambda: browser.download["problem"])
    assert "Check the internet connection" in browser.download["problem"]
    assert not browser.download["going"]
    library.while_pulling = ()
    browser.press()
    until(lambda: sources(browser.run) == {SUGGESTED})


def test_two_widgets_share_one_download_and_both_are_worded(library: Library) -> None:
    browsers = [Browser(name).explained(library.host) for name in ("first", "second")]
    library.go_on.clear()
    browsers[0].press()
    until(lambda: browsers[1].download.get("percent") == 50)
    browsers[1].press()
    library.go_on.set()
    for browser in browsers:
        until(lambda browser=browser: sources(browser.run) == {SUGGESTED})
    assert len(library.pulls()) == 1


def test_a_download_outlives_its_widget_and_the_next_one_shows_it(library: Library) -> None:
    library.go_on.clear()
    first = Browser().explained(library.host)
    first.press()
    until(lambda: first.download.get("percent") == 50)
    first.widget.close()
    told = len(first.heads)
    second = Browser().explained(library.host)
    assert second.download["going"]
    assert second.download["text"] == "1.0 of 2.0 GB · 50 %"
    library.go_on.set()
    until(lambda: sources(second.run) == {SUGGESTED})
    assert len(library.pulls()) == 1
    assert len(first.heads) == told
    assert sources(first.run) == {"built-in"}


def test_stop_writing_does_not_stop_a_download(library: Library) -> None:
    library.go_on.clear()
    browser = Browser().explained(library.host)
    browser.press()
    until(lambda: browser.download.get("percent") == 50)
    browser.widget._on_request(browser.widget, {"type": "quiet"}, None)
    assert browser.download["going"]
    library.go_on.set()
    until(lambda: sources(browser.run) == {SUGGESTED})


def test_a_browser_that_asks_where_nothing_is_offered_gets_nothing(library: Library) -> None:
    library.here = {"chat:1b"}
    browser = Browser().explained(library.host)
    assert browser.download == {}
    before = downloading()
    browser.press()
    browser.press(cancel=True, model="evil")
    assert downloading() <= before
    assert library.pulls() == []


@pytest.mark.parametrize("host", ["http://192.0.2.7:11434", ""])
def test_nothing_is_offered_where_no_server_may_be_asked_or_none_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host or "http://127.0.0.1:9")
    browser = Browser()
    browser.widget.explainer.write(Explaining())
    until(lambda: not browser.widget.explainer._captions.is_busy)
    assert browser.writer["hint"]
    assert browser.download == {}
    browser.press()
    assert browser.download == {}


def test_the_listing_of_models_says_where_the_button_is(library: Library) -> None:
    _, button = listing(Explaining(host=library.host))
    assert "llama3.2 (about 2 GB)" in button
    library.here = {"chat:1b"}
    assert not any("press" in line for line in listing(Explaining(host=library.host)))


def test_an_exported_page_offers_nothing(library: Library) -> None:
    browser = Browser().explained(library.host)
    assert browser.download
    header, _ = unpack(snapshot_to_keep(browser.run, [], Detail()))
    assert header["head"]["writer"]["pull"] is None
