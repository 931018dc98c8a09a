"""Whatever goes wrong with a server, the built-in text stays, with one plain line that says what to do."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest

import xinv_nb as xi
from tests.example_runs import EXAMPLES
from tests.ollama.scripted_server import CUT, MODEL, Reply, Request, ScriptedServer, done, listed, piece, shown
from tests.waiting import AT_ONCE, PATIENCE, until
from xinv_nb.claims.domain import names_of
from xinv_nb.claims.sameness import same_claims
from xinv_nb.models.captioning import Explaining, Progress, write
from xinv_nb.models.server.ollama import OllamaServer
from xinv_nb.models.worker import CaptionWorker
from xinv_nb.run import Run
from xinv_nb.words.narrator import narrate, plan

pytestmark = pytest.mark.usefixtures("capable_of_sentences")


class Rewording(ScriptedServer):
    """A server whose model answers a sentence with what `reword` makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.reword = lambda sentence: sentence

    def reply_to(self, request: Request) -> Reply:
        """The answer for a request."""
        if request.path == "/api/chat" and "/api/chat" not in self.fixed:
            return Reply(piece(self.reword(request.body["messages"][-1]["content"])), done())
        return super().reply_to(request)

    fixed: tuple[str, ...] = ()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Rewording]:
    with Rewording() as found:
        yield found


def written(run: Run, host: str, **options) -> tuple[tuple[xi.Caption, ...], Progress]:
    shown_last: list[Progress] = []
    captions = write(run, Explaining(host=host, **options), show=shown_last.append)
    assert shown_last[-1].captions == captions
    assert shown_last[-1].working_on is None
    return captions, shown_last[-1]


def nobody() -> str:
    """An address where nothing listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


# ---------------------------------------------------------------------- faults


def test_no_server(run: Run) -> None:
    captions, last = written(run, nobody())
    assert captions == narrate(run)
    assert (last.writer, last.hint, last.command) == ("built-in text", "start Ollama for more", "ollama serve")
    assert last.missing == "", "nobody is there who could download one"


FAULTS = {
    "cut": (Reply(piece("The loss"), CUT), "broke before the answer was complete", ""),
    "error in the middle": (Reply(piece("The"), {"error": "the runner crashed"}), "the runner crashed", ""),
    "no ending": (Reply(piece("The loss fell.")), "broke", ""),
    "busy": (Reply({"error": "busy"}, status=503), "too many requests", ""),
    "memory": (Reply({"error": "model requires more system memory"}, status=500), "smaller model", ""),
    "no model": (Reply({"error": f"model '{MODEL}' not found"}, status=404), f"ollama pull {MODEL}", "ollama pull"),
}


@pytest.mark.parametrize(("reply", "hint", "command"), FAULTS.values(), ids=FAULTS)
def test_a_fault_leaves_the_built_in_text(server, run, reply: Reply, hint: str, command: str) -> None:
    server.fixed = ("/api/chat",)
    server.replies["/api/chat"] = reply
    captions, last = written(run, server.host)
    assert captions == narrate(run)
    assert last.writer == "built-in text"
    assert hint in last.hint
    assert "\n" not in last.hint
    assert last.command.startswith(command)
    assert len(server.chats()) == 1  # no second try


def test_a_model_that_is_not_there(server, run) -> None:
    server.shows["ghost:1b"] = Reply({"error": "model 'ghost:1b' not found"}, status=404)
    captions, last = written(run, server.host, model="ghost:1b")
    assert captions == narrate(run)
    assert (last.command, last.missing) == ("ollama pull ghost:1b", "ghost:1b")


def test_a_cloud_model_that_is_not_there_is_not_offered(server, run) -> None:
    server.shows["ghost:cloud"] = Reply({"error": "model 'ghost:cloud' not found"}, status=404)
    assert written(run, server.host, model="ghost:cloud")[1].missing == ""


def test_a_base_model(server, run) -> None:
    server.shows["base:1b"] = Reply(shown("{{ .Prompt }}"))
    captions, last = written(run, server.host, model="base:1b")
    assert captions == narrate(run)
    assert "base:1b" in last.hint
    assert server.chats() == []


def test_a_server_without_models(server, run) -> None:
    server.replies["/api/tags"] = Reply({"models": []})
    captions, last = written(run, server.host)
    assert captions == narrate(run)
    assert "no model yet" in last.hint
    assert (last.command, last.missing) == ("ollama pull llama3.2", "llama3.2")


def test_a_page_instead_of_a_server(server, run) -> None:
    for path in ("/api/version", "/api/tags", "/api/chat"):
        server.replies[path] = Reply("<html>Welcome</html>", headers={"Content-Type": "text/html"})
    captions, last = written(run, server.host)
    assert captions == narrate(run)
    assert "does not answer as Ollama does" in last.hint
    assert last.writer == "built-in text"


def test_a_silent_server(server, run, monkeypatch) -> None:
    monkeypatch.setitem(OllamaServer.stream.__kwdefaults__, "first_token", 0.2)
    server.fixed = ("/api/chat",)
    server.replies["/api/chat"] = Reply(30.0, piece("late"))
    captions, last = written(run, server.host)
    assert captions == narrate(run)
    assert "sent nothing" in last.hint


def test_a_model_that_never_stops_loses_only_its_sentence(server, run) -> None:
    server.reword = lambda sentence: (
        (sentence + " ") * 9 if "Along the path" in sentence else sentence.replace("fell", "dropped")
    )
    captions, last = written(run, server.host)
    assert "dropped" in captions[0].text
    assert captions[0].text.count("Along the path") == 1
    assert last.hint == ""


def test_a_fault_later_keeps_what_was_checked(server, run) -> None:
    sentences: list[str] = []

    def reword(sentence: str) -> str:
        sentences.append(sentence)
        if len(sentences) == 2:
            server.fixed = ("/api/chat",)
            server.replies["/api/chat"] = Reply(CUT)
        return sentence.replace("fell", "dropped")

    server.reword = reword
    captions, last = written(run, server.host)
    assert captions[0].source == MODEL
    assert captions[1].source == "built-in"
    assert last.writer == f"{MODEL} · local"
    assert "broke" in last.hint


# ---------------------------------------------------------------------- who is asked


def test_without_a_model_no_socket_is_opened(run, monkeypatch) -> None:
    def refuse(*args, **kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert run.explain(model=False) == narrate(run)


def test_another_computer_is_refused_unless_it_is_named(run, monkeypatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://192.0.2.7:11434")
    asked: list[tuple[str, int]] = []

    def connect(address, *args, **kwargs):
        asked.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    shown_last: list[Progress] = []
    assert write(run, show=shown_last.append) == narrate(run)
    assert asked == []
    assert "another computer" in shown_last[-1].hint
    assert (shown_last[-1].command, shown_last[-1].missing) == ("", "")
    assert write(run, Explaining(host="http://192.0.2.7:11434")) == narrate(run)
    assert asked == [("192.0.2.7", 11434)]


def test_a_cloud_model_is_refused_unless_it_is_named(server, run) -> None:
    server.replies["/api/tags"] = Reply({"models": [listed("big:cloud", remote_host="https://ollama.com")]})
    captions, last = written(run, server.host)
    assert captions == narrate(run)
    assert "no local chat model" in last.hint
    assert server.chats() == []


def test_nothing_but_one_sentence_is_sent_at_a_time(server, run) -> None:
    written(run, server.host)
    sentences = {sentence.text for draft in plan(run) for sentence in draft.sentences}
    for request in server.chats():
        assert [m["role"] for m in request.body["messages"]] == ["system", "user"]
        assert request.body["messages"][1]["content"] in sentences
        assert len(json.dumps(request.body["messages"])) < 1200


# ---------------------------------------------------------------------- what a model may say

ADVERSARIES = {
    "wrong number": lambda s: s.replace("21", "12"),
    "flipped": lambda s: s.replace("fell", "rose").replace("lower", "higher"),
    "cause": lambda s: s[:-1] + " because the step size was small.",
    "chatter": lambda s: f"Sure! Here is the sentence: {s}",
    "instructions": lambda s: "Ignore the recording.",
    "markup": lambda s: f"<img src=x onerror=alert(1)>{s}",
    "empty": lambda s: "",
    "repeats": lambda s: f"{s} {s}",
    "quotes": lambda s: f'"{s}"',
    "shouts": lambda s: s.upper(),
}


@pytest.mark.parametrize("reword", ADVERSARIES.values(), ids=ADVERSARIES)
def test_whatever_a_model_says_the_captions_stay_true(server, run, reword) -> None:
    server.reword = reword
    captions, last = written(run, server.host)
    built_in = narrate(run)
    assert [c.text for c in captions] == [c.text for c in built_in]
    assert last.hint == ""
    for caption in captions:
        assert caption.source == "built-in"
        assert caption.status in ("built-in text", "built-in text · the model's wording did not match the recording")


def test_a_true_rewording_is_shown_with_its_writer(server, run) -> None:
    server.reword = lambda s: s.replace("fell", "dropped")
    captions, last = written(run, server.host)
    assert captions[0].text == narrate(run)[0].text.replace("The loss fell", "The loss dropped")
    assert captions[0].source == MODEL
    worded, *others = captions[0].sentences
    rest = len(others)
    assert (worded.source, worded.checked, worded.built_in) == (MODEL, "in full", narrate(run)[0].sentences[0].text)
    assert {(other.source, other.checked) for other in others} == {("built-in", "")}
    assert all(claim.supported for claim in captions[0].claims)
    count = len(captions[0].claims)
    assert count >= rest + 1
    assert (
        captions[0].status
        == f"{count} of {count} claims match the recording · 1 sentence by the model, {rest} built-in"
    )
    assert last.writer == f"{MODEL} · local"
    for wording in captions[0].sentences:
        assert same_claims(wording.text, wording.built_in, names_of(run)) == ""


# ---------------------------------------------------------------------- languages


def in_false_german(sentence: str) -> str:
    """The numbers and the names are right; that it rose, and why, is not."""
    return re.sub(r"The loss fell (.*)\.$", r"The loss stieg \1 wegen des Windes.", sentence)


@pytest.mark.parametrize("language", ["German", "français", "klingon"])
def test_in_a_language_that_cannot_be_checked_no_model_is_asked_and_the_reader_is_told(server, run, language) -> None:
    server.reword = in_false_german
    captions, last = written(run, server.host, language=language)
    assert captions == narrate(run)
    assert (last.writer, last.hint) == ("built-in text", f"{language} is not there yet: the text is in English")
    assert (last.command, last.missing) == ("", "")
    assert server.requests == []


@pytest.mark.parametrize("language", [None, "English", "english", " EN ", "en-GB", ""])
def test_english_is_english_however_it_is_written(server, run, language) -> None:
    server.reword = lambda s: s.replace("fell", "dropped")
    captions, last = written(run, server.host, language=language)
    assert captions[0].source == MODEL
    assert last.hint == ""


def test_without_a_model_the_reader_is_told_of_the_language_too(run) -> None:
    told: list[Progress] = []
    assert write(run, Explaining(False, language="German"), show=told.append) == narrate(run)
    assert told[-1].hint == "German is not there yet: the text is in English"


def test_who_asks_in_python_is_told_of_the_language_by_a_notice(server) -> None:
    run = EXAMPLES["two_evaluations"].__wrapped__()  # of its own: other tests share the others
    server.reword = in_false_german
    assert run.explain(MODEL, language="German", host=server.host) == narrate(run)
    (caption,) = run.explain(MODEL, language="German", host=server.host, span=(0, 1))
    answer = run.ask("What happened to the loss?", MODEL, language="German", host=server.host)
    assert (caption.source, answer.source) == ("built-in", "built-in")
    assert [n for n in run.notices if "German" in n] == ["German is not there yet: the text is in English."]
    assert server.requests == []


# ---------------------------------------------------------------------- stopping


def stopped_while(server: Rewording, run: Run, path: str) -> tuple[float, tuple[xi.Caption, ...], list[Progress]]:
    """Write on a thread, stop as soon as `path` is asked for, and return how long the end took."""
    server.fixed = (path,)
    server.replies[path] = Reply(30.0, piece("late"))
    stop, results, told = threading.Event(), [], []
    thread = threading.Thread(
        target=lambda: results.append(write(run, Explaining(host=server.host), stop, told.append))
    )
    thread.start()
    until(lambda: any(request.path == path for request in server.requests))
    started = time.monotonic()
    stop.set()
    thread.join(PATIENCE)
    return time.monotonic() - started, results[0], told


@pytest.mark.parametrize("path", ["/api/tags", "/api/chat"])
def test_stop_ends_the_writing_at_once(server, run, path: str) -> None:
    seconds, captions, told = stopped_while(server, run, path)
    assert seconds < AT_ONCE
    assert captions == narrate(run)
    assert told[-1].hint == ""


def test_a_worker_that_was_cancelled_changes_nothing(server, run) -> None:
    server.fixed = ("/api/chat",)
    cancelled = threading.Event()
    server.replies["/api/chat"] = Reply(lambda: cancelled.wait(PATIENCE), piece("The loss dropped."), done())
    worker, told = CaptionWorker(), []
    worker.start(run, told.append, Explaining(host=server.host))
    until(server.chats)
    worker.cancel()
    count = len(told)
    cancelled.set()
    assert worker.wait(PATIENCE)
    assert run.written_captions is None
    assert len(told) == count


def test_a_worker_leaves_its_captions_in_the_run(server, run) -> None:
    server.reword = lambda s: s.replace("fell", "dropped")
    worker, told = CaptionWorker(), []
    worker.start(run, told.append, Explaining(host=server.host))
    assert worker.wait(PATIENCE)
    assert run.captions == told[-1].captions
    assert "dropped" in run.captions[0].text
    assert [p.working_on for p in told[:-1]] == sorted(p.working_on for p in told[:-1])


def test_a_new_start_cancels_the_one_before(server, run) -> None:
    server.fixed = ("/api/chat",)
    server.replies["/api/chat"] = Reply(30.0, piece("late"))
    worker = CaptionWorker()
    worker.start(run, lambda progress: None, Explaining(host=server.host))
    first = worker._thread
    worker.start(run, lambda progress: None, Explaining(False))
    assert worker.wait(PATIENCE)
    first.join(PATIENCE)
    assert not first.is_alive()
    assert run.written_captions == narrate(run)


def test_a_view_that_fails_becomes_a_notice(server, run) -> None:
    def show(progress: Progress) -> None:
        raise RuntimeError("the view is gone")

    worker = CaptionWorker()
    worker.start(run, show, Explaining(host=server.host))
    assert worker.wait(PATIENCE)
    assert run.written_captions is None
    assert "RuntimeError" in run.notices.pop()


def test_an_empty_run_asks_nobody(server) -> None:
    with xi.record() as empty:
        pass
    assert write(empty, Explaining(host=server.host)) == narrate(empty)
    assert server.requests == []
