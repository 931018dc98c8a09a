"""A real model words the captions: what is shown stays true, and who wrote it is said."""

from __future__ import annotations

import threading
import time

import pytest

from tests.example_runs import EXAMPLES
from tests.ollama.real_server import RealServer
from tests.waiting import AT_ONCE, PATIENCE
from xinv_nb.claims.domain import names_of
from xinv_nb.claims.sameness import same_claims
from xinv_nb.models.captioning import Explaining, Progress, write
from xinv_nb.models.rewording import NOT_REWORDED
from xinv_nb.words.draft import BUILT_IN, Sentence
from xinv_nb.words.narrator import narrate, plan

pytestmark = pytest.mark.usefixtures("capable_of_sentences")


def assert_true(captions, run, model: str) -> int:
    """Each sentence is the narrator's or may stand for it; returns how many the model worded."""
    worded = 0
    for caption, draft in zip(captions, plan(run), strict=True):
        assert caption.text == " ".join(wording.text for wording in caption.sentences)
        for wording, sentence in zip(caption.sentences, draft.sentences, strict=True):
            assert wording.built_in == sentence.text
            if wording.text != sentence.text:
                worded += 1
                assert caption.source == wording.source == model
                assert same_claims(wording.text, sentence.text, names_of(run)) == ""
        assert (caption.source == BUILT_IN) == caption.status.startswith("built-in text")
    return worded


def is_worded(sentence: Sentence) -> bool:
    """Whether a model is asked for the sentence."""
    return all(fact.kind not in NOT_REWORDED for fact in sentence.facts)


@pytest.mark.parametrize("name", ["two_evaluations", "diverging", "projectile"])
def test_what_a_small_model_words_stays_true(ollama_server: RealServer, name: str) -> None:
    run = EXAMPLES[name]()
    told: list[Progress] = []
    captions = write(run, Explaining(host=ollama_server.host), show=told.append)
    sentences = sum(is_worded(sentence) for draft in plan(run) for sentence in draft.sentences)
    assert len(told) == len(plan(run)) + sentences + 1
    assert [p.working_on for p in told][-1] is None
    assert {p.working_on for p in told[:-1]} == set(range(len(plan(run))))
    assert told[-1].writer == f"{ollama_server.model} · local"
    assert told[-1].hint == ""
    for progress in told:
        assert_true(progress.captions, run, ollama_server.model)
    assert captions == told[-1].captions


def test_stop_ends_at_once_and_keeps_true_text(ollama_server: RealServer) -> None:
    run = EXAMPLES["projectile"]()
    stop, results = threading.Event(), []
    begun, told = threading.Event(), []

    def show(progress: Progress) -> None:
        told.append(progress)
        if progress.working_on is not None:
            begun.set()

    thread = threading.Thread(
        target=lambda: results.append(write(run, Explaining(host=ollama_server.host), stop, show))
    )
    thread.start()
    assert begun.wait(PATIENCE)
    started, before = time.monotonic(), len(told)
    stop.set()
    thread.join(PATIENCE)
    assert time.monotonic() - started < AT_ONCE
    assert len(told) <= before + 2, "a sentence that has just come, and the end"
    assert_true(results[0], run, ollama_server.model)


def test_explain_uses_the_server_it_is_given(ollama_server: RealServer) -> None:
    run = EXAMPLES["one_evaluation"]()
    captions = run.explain(model=ollama_server.model, host=ollama_server.host, level="expert")
    assert_true(captions, run, ollama_server.model)
    assert run.captions == captions
    assert run.explain(model=False) == narrate(run)
