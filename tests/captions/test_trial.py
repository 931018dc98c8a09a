"""What a model may do is measured by what it does; a model that is of no help is not used, and the reader is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import xinv_nb as xi
from tests.captions.test_writer_faults import written
from tests.ollama.real_server import RealServer
from tests.ollama.scripted_server import MODEL, Reply, Request, ScriptedServer, done, listed, piece
from xinv_nb.claims.interpretation import read
from xinv_nb.claims.reading import sentences
from xinv_nb.claims.sameness import same_claims
from xinv_nb.models import trial
from xinv_nb.models.alignment import align
from xinv_nb.models.language_model import LanguageModel
from xinv_nb.models.rewording import reword
from xinv_nb.models.server.faults import OllamaUnavailable
from xinv_nb.models.server.ollama import OllamaServer
from xinv_nb.models.trial import DOMAIN, PARAGRAPHS, Ability, ability
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run
from xinv_nb.words.narrator import narrate, plan

Rewriter = Callable[[list[str]], list[str]]


class Model(ScriptedServer):
    """A made-up model: words paragraphs by one function of their sentences, and single sentences by another."""

    def __init__(self, paragraph: Rewriter, sentence: Callable[[str], str] = lambda s: s) -> None:
        super().__init__()
        self.paragraph, self.sentence = paragraph, sentence

    def reply_to(self, request: Request) -> Reply:
        if request.path != "/api/chat":
            return super().reply_to(request)
        said = request.body["messages"][-1]["content"]
        if "format" not in request.body:
            return Reply(piece(self.sentence(said)), done())
        answer = json.dumps({"sentences": self.paragraph(said.rpartition("\n\n")[2].split("\n"))}, ensure_ascii=False)
        return Reply(*(piece(answer[i : i + 7]) for i in range(0, len(answer), 7)), done())


def dropped(sentence: str) -> str:
    return sentence.replace("fell", "went down").replace("rose", "went up")


def each(sentences: list[str]) -> list[str]:
    return [dropped(s) for s in sentences]


def untrue(sentences: list[str]) -> list[str]:
    return [s.replace("fell", "rose") + " That is good." for s in sentences]


def model_of(host: str, model: str = MODEL) -> LanguageModel:
    server = OllamaServer(host)
    return LanguageModel(server, model, server.status(), None, threading.Event())


def test_the_sentences_of_the_test_are_ones_that_the_checker_understands() -> None:
    for sentence in (s for paragraph in PARAGRAPHS for s in paragraph):
        for _, chunks in sentences(sentence, DOMAIN):
            assert not read(chunks).unread, sentence
        assert same_claims(sentence, sentence, DOMAIN) == ""


MODELS = {
    "capable": (each, dropped, "paragraphs"),
    "joins neighbours": (lambda s: [dropped(s[0])[:-1] + "; " + dropped(s[1]), *each(s[2:])], dropped, "paragraphs"),
    "good at one sentence": (untrue, dropped, "sentences"),
    "repeats": (list, lambda s: s, "none"),
    "repeats in other marks": (list, lambda s: s.replace(",", "") + "!", "none"),
    "untrue": (untrue, lambda s: untrue([s])[0], "none"),
    "empty": (lambda s: [], lambda s: "", "none"),
}


@pytest.mark.parametrize(("paragraph", "sentence", "manner"), MODELS.values(), ids=MODELS)
def test_a_model_is_judged_by_what_it_writes(folder: Path, paragraph, sentence, manner: str) -> None:
    with Model(paragraph, sentence) as server:
        assert ability(model_of(server.host)).manner == manner


def test_what_was_found_is_remembered_for_this_model_alone(folder: Path) -> None:
    with Model(untrue, lambda s: s) as server:
        first = ability(model_of(server.host))
        asked = len(server.chats())
        assert ability(model_of(server.host)) == first == Ability("none", first.passed, first.of)
        assert len(server.chats()) == asked > 0
        server.replies["/api/tags"] = Reply({"models": [listed() | {"digest": "another"}]})
        server.paragraph = each
        assert ability(model_of(server.host)).manner == "paragraphs"


def test_a_server_that_fails_is_no_verdict(folder: Path) -> None:
    with Model(each) as server:
        server.reply_to = lambda request: (  # type: ignore[method-assign]
            Reply({"error": "busy"}, status=503)
            if request.path == "/api/chat"
            else ScriptedServer.reply_to(server, request)
        )
        with pytest.raises(OllamaUnavailable):
            ability(model_of(server.host))
        del server.reply_to  # type: ignore[method-assign]
        assert ability(model_of(server.host)).manner == "paragraphs"


def test_a_model_too_small_to_help_is_not_used_and_the_view_says_so(folder: Path, run: Run) -> None:
    with Model(untrue, lambda s: untrue([s])[0]) as server:
        captions, last = written(run, server.host, model=MODEL)
        assert captions == narrate(run)
        assert last.writer == "built-in text"
        assert last.hint == f"{MODEL} is too small to keep to the facts"
        assert (last.command, last.missing) == ("ollama pull llama3.2", "llama3.2")
        # The test is about made-up sentences: nothing of the run was sent.
        told = {sentence for caption in captions for sentence in caption.text.split(". ")}
        assert not any(part in request.body["messages"][-1]["content"] for part in told for request in server.chats())


class TwoModels(Model):
    """A larger model that is of no help, and the suggested one, which is."""

    def __init__(self) -> None:
        super().__init__(untrue, lambda s: untrue([s])[0])
        self.replies["/api/tags"] = Reply({"models": [listed(MODEL, 4 * 10**9), listed("llama3.2:latest", 2 * 10**9)]})

    def reply_to(self, request: Request) -> Reply:
        capable = request.path == "/api/chat" and request.body["model"] == "llama3.2:latest"
        self.paragraph, self.sentence = (each, dropped) if capable else (untrue, lambda s: untrue([s])[0])
        return super().reply_to(request)


def test_where_the_default_is_of_no_help_and_the_suggested_model_is_there_that_one_writes(
    folder: Path, run: Run
) -> None:
    with TwoModels() as server:
        for _ in range(2):
            captions, last = written(run, server.host)
            assert captions[0].source == "llama3.2:latest"
            assert (last.writer, last.hint, last.missing) == ("llama3.2:latest · local", "", "")
        server.requests.clear()
        written(run, server.host)
        assert {request.body["model"] for request in server.chats()} <= {"llama3.2:latest"}, "it was tried once"


def test_a_model_that_was_named_is_not_replaced_and_what_is_there_is_not_offered_again(folder: Path, run: Run) -> None:
    with TwoModels() as server:
        captions, last = written(run, server.host, model=MODEL)
    assert captions == narrate(run)
    assert (
        last.hint
        == f"{MODEL} is too small to keep to the facts. llama3.2:latest is there as well: choose it with --model."
    )
    assert (last.command, last.missing) == ("", "")


def test_a_real_tiny_model_is_refused(folder: Path, ollama_server: RealServer) -> None:
    found = ability(model_of(ollama_server.host, ollama_server.model))
    assert found.manner == "none"
    assert found.passed < 6


# ---------------------------------------------------------------------- paragraphs


@pytest.fixture
def capable(folder: Path) -> Iterator[Model]:
    with Model(each, dropped) as server:
        yield server


def test_a_capable_model_words_a_caption_in_one_request(capable: Model, run: Run) -> None:
    captions, last = written(run, capable.host, model=MODEL)
    asked = [request for request in capable.chats() if "The loss" in request.body["messages"][-1]["content"]]
    assert last.writer == f"{MODEL} · local"
    assert "went down" in captions[0].text
    assert captions[0].built_in == narrate(run)[0].text
    paragraphs = [r for r in asked if "\n" in r.body["messages"][-1]["content"]]
    ours = [r for r in paragraphs if narrate(run)[0].sentences[0].text in r.body["messages"][-1]["content"]]
    assert len(ours) == 1


def test_two_sentences_that_were_joined_stand_for_both_and_a_turned_one_for_none() -> None:
    joined = "The loss dropped from 48.2 to 3.17 in 60 iterations and travel time decreased from 41.3 to 36.8 min."
    turned = "The bend fell from 0.4 to 1.9 km; the gradient asked for this at every iteration."
    found = align(PARAGRAPHS[0], [turned, joined], lambda text, block: same_claims(text, " ".join(block), DOMAIN))
    assert found == {(0, 1): joined}


def test_a_sentence_that_the_model_left_out_or_made_up_is_the_narrators(capable: Model, run: Run) -> None:
    in_the_trial = capable.paragraph

    def some(sentences: list[str]) -> list[str]:
        if any(s in paragraph for paragraph in PARAGRAPHS for s in sentences):
            return in_the_trial(sentences)
        return [*each(sentences[:1]), "All of this was expected.", "x rose to 99."]

    capable.paragraph = some
    captions, _ = written(run, capable.host, model=MODEL)
    first, *others = captions[0].sentences
    assert "went down" in first.text
    assert [other.text for other in others] == [s.text for s in narrate(run)[0].sentences[1:]]
    assert all(other.dropped for other in others)
    assert "expected" not in captions[0].text
    assert "x rose" not in captions[0].text


FORMS = {
    "plain text": lambda s: " ".join(each(s)),
    "an array": lambda s: json.dumps(each(s)),
    "a fence": lambda s: "```json\n" + json.dumps({"sentences": each(s)}) + "\n```",
    "broken off": lambda s: json.dumps({"sentences": each(s)})[:-9],
    "more keys": lambda s: json.dumps({"sentences": each(s), "note": "x rose to 99.", "also": ["y fell to 7."]}),
    "no strings": lambda s: json.dumps({"sentences": [1, None, {"a": "b"}]}),
    "nothing": lambda s: "",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_answer_in_another_form_is_read_or_left_but_never_shown_unchecked(capable: Model, run: Run, form) -> None:
    model = model_of(capable.host)
    assert ability(model).manner == "paragraphs"
    built_in = narrate(run)
    plain = capable.reply_to
    capable.reply_to = lambda request: (  # type: ignore[method-assign]
        Reply(piece(form(request.body["messages"][-1]["content"].split("\n"))), done())
        if request.path == "/api/chat"
        else plain(request)
    )
    captions, last = written(run, capable.host, model=MODEL)
    assert last.hint == ""
    for caption, before in zip(captions, built_in, strict=True):
        assert caption.built_in == before.text
        for wording in caption.sentences:
            assert wording.text in (wording.built_in, dropped(wording.built_in))


def test_a_question_is_answered_in_the_models_words_under_the_same_check(capable: Model, run: Run) -> None:
    answer = run.ask("What happened to the loss?", model=MODEL, host=capable.host)
    plain = run.ask("What happened to the loss?", model=False)
    assert answer.built_in == plain.text
    assert answer.text != plain.text
    assert answer.source == MODEL
    assert answer.cites == plain.cites
    unknown = run.ask("Why is the sky blue?", model=MODEL, host=capable.host)
    assert unknown == run.ask("Why is the sky blue?", model=False)
    assert unknown.status == "the recording does not show it"


def test_a_stretch_is_explained_in_a_caption_of_its_own(capable: Model, run: Run) -> None:
    try:
        (caption,) = run.explain(model=MODEL, host=capable.host, span=(2, 6))
        assert caption.span == (2, 6)
        assert caption.heading == "Selected iterations"
        assert "between iterations 2 and 6" in caption.built_in
        assert caption.source == MODEL
        assert run.captions[-1] == caption
        assert {fact.id for fact in run.facts} >= {cite for cite in caption.cites if cite.startswith("F")}
    finally:
        RunWriter(run).forget_spans()


def test_the_level_reaches_the_model_and_not_its_trial(capable: Model, run: Run) -> None:
    written(run, capable.host, model=MODEL, level="expert")
    asked = [request.body["messages"] for request in capable.chats()]
    assert "for an expert" in asked[-1][0]["content"]
    assert "for a student" in asked[0][0]["content"], "what is found is remembered for every reader"


def test_another_language_as_its_first_use_does_not_make_a_model_too_small(capable: Model, run: Run) -> None:
    """One that writes German where it is told to, as any would; it is capable all the same."""
    reply = capable.reply_to

    def reply_to(request: Request) -> Reply:
        german = "German" in json.dumps(request.body)
        capable.paragraph = (lambda s: ["Der Verlust fiel."] * len(s)) if german else each
        capable.sentence = (lambda s: "Der Verlust fiel.") if german else dropped
        return reply(request)

    capable.reply_to = reply_to  # type: ignore[method-assign]
    captions, last = written(run, capable.host, model=MODEL, language="German")
    assert captions == narrate(run)
    assert last.hint == "German is not there yet: the text is in English"
    assert (last.command, last.missing) == ("", "")
    captions, last = written(run, capable.host, model=MODEL)
    assert (last.writer, last.hint) == (f"{MODEL} · local", "")
    assert captions[0].source == MODEL


def test_what_was_remembered_before_languages_were_told_apart_is_forgotten(folder: Path, run: Run) -> None:
    with Model(each, dropped) as server:
        model = model_of(server.host)
        model.remember({"admission": trial._KEY["trial"]}, json.dumps({"manner": "none", "passed": 0, "of": 7}))
        assert ability(model_of(server.host)).manner == "paragraphs"


def test_no_model_words_what_is_wrong_and_what_to_do(folder: Path) -> None:
    with xi.record() as run:
        for x in (9.0, 4.0, 1.0, -2.0):
            run.add(x**0.5 if x > 0 else float("nan"), x, gradients=0.5)
    (finding,) = run.diagnosis
    with Model(lambda texts: [f"{dropped(text)[:-1]} indeed." for text in texts], dropped) as server:
        for manner in ("paragraphs", "sentences"):
            draft = plan(run)[0]
            *_, worded = reword(run, draft, model_of(server.host), manner)
            assert [s.text for s in worded.sentences[:2]] == [finding.text, finding.advice]
            assert {s.source for s in worded.sentences[:2]} == {"built-in"}
            assert len(worded.sentences) == len(draft.sentences) > 2
        asked = [r.body["messages"][-1]["content"] for r in server.requests if r.path == "/api/chat"]
    assert asked
    assert not any(text in said for text in (finding.text, finding.advice) for said in asked)
