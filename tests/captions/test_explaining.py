"""The words of a widget: phases are worded as they close, questions and chosen stretches while the captions wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import autograd.numpy as np
import pytest
from autograd import grad

import xinv_nb as xi
from tests.captions.test_trial import Model, dropped, each
from tests.ollama.scripted_server import MODEL
from tests.waiting import PATIENCE, until
from xinv_nb.models.captioning import Explaining
from xinv_nb.models.trial import PARAGRAPHS
from xinv_nb.recorded.captions import Caption
from xinv_nb.run import Run
from xinv_nb.view.explaining import Explainer


@pytest.fixture
def server(folder: Path) -> Iterator[Model]:
    with Model(each, dropped) as found:
        yield found


@pytest.fixture
def run() -> Run:
    with xi.record("steps") as run:
        x = np.array([3.0, -2.0])
        for _ in range(40):
            x = x - 0.1 * grad(lambda x: np.sum(x**2))(x)
    return run


def idle(explainer: Explainer) -> None:
    until(lambda: not explainer._captions.is_busy and not explainer._asked.is_busy)


def test_phases_are_worded_as_they_close_while_the_run_goes_on(server: Model) -> None:
    def loss(x):
        return np.tanh(x[0] ** 2) + 0.02 * x[1] ** 2

    worded: list[Caption] = []
    with xi.record("valley") as run:
        explainer = run.widget().explainer
        explainer.make_ready(Explaining(MODEL, host=server.host))
        x = np.array([1.9, 3.0])
        for k in range(240):
            x = x - 0.3 * grad(loss)(x)
            if k % 20 == 19:
                explainer.follow()
                idle(explainer)
                ids = {fact.id for fact in run.facts}
                for caption in run.captions:
                    assert all(cite in ids for cite in caption.cites if cite.startswith("F"))
                worded += [caption for caption in run.captions if caption.source == MODEL]
        assert run.status == "running"
    assert worded
    assert not any(caption.heading == "Summary" for caption in worded), "the summary is for the end"
    assert all(caption.text != caption.built_in for caption in worded)


def test_a_simulation_is_not_asked_about_before_it_is_recorded_nor_where_no_model_is_wanted(server: Model) -> None:
    with xi.record() as run:
        explainer = run.widget().explainer
        explainer.make_ready(Explaining(False, host=server.host))
        explainer.follow()
    idle(explainer)
    assert server.requests == []


def test_an_answer_comes_at_once_and_again_in_the_models_words(server: Model, run: Run) -> None:
    explainer = run.widget().explainer
    explainer.explaining = Explaining(MODEL, host=server.host)
    sent: list[Caption] = []
    explainer.answer("What happened to the loss?", None, sent.append)
    assert [caption.source for caption in sent] == ["built-in"]
    idle(explainer)
    assert [caption.source for caption in sent] == ["built-in", MODEL]
    assert sent[1].built_in == sent[0].text


def test_a_question_does_not_end_the_writing_of_the_captions(server: Model, run: Run) -> None:
    explainer = run.widget().explainer
    explainer.write(Explaining(MODEL, host=server.host))
    sent: list[Caption] = []
    explainer.answer("What happened to the loss?", None, sent.append)
    idle(explainer)
    assert sent[-1].source == MODEL
    assert any(caption.source == MODEL for caption in run.captions)


def test_a_chosen_stretch_becomes_a_caption(server: Model, run: Run) -> None:
    explainer = run.widget().explainer
    explainer.explaining = Explaining(MODEL, host=server.host)
    explainer.explain_span((3, 9))
    explainer.explain_span((3, 9))
    idle(explainer)
    assert [(c.span, c.source) for c in run.captions if c.heading == "Selected iterations"] == [((3, 9), MODEL)]
    with pytest.raises(xi.XinvError, match="between 0 and 39"):
        explainer.explain_span((3, 99))


def test_a_request_that_makes_no_sense_becomes_a_notice(run: Run) -> None:
    widget = run.widget()
    widget._on_request(widget, {"type": "explain", "span": [3, 99]}, None)
    assert "between 0 and 39" in run.notices[-1]
    widget._on_request(widget, {"type": "explain", "span": "everything"}, None)


def test_quiet_ends_the_writing_and_keeps_what_was_checked(server: Model, run: Run) -> None:
    built_in = [caption.text for caption in run.captions]
    explainer = run.widget().explainer
    asked, go_on = threading.Event(), threading.Event()

    def paragraph(sentences: list[str]) -> list[str]:
        if not any(sentence in tried for tried in PARAGRAPHS for sentence in sentences):
            asked.set()
            go_on.wait(PATIENCE)
        return each(sentences)

    server.paragraph = paragraph
    explainer.write(Explaining(MODEL, host=server.host))
    assert asked.wait(PATIENCE)
    widget = run.widget()
    widget._on_request(widget, {"type": "quiet"}, None)
    idle(explainer)
    go_on.set()
    assert not widget.writer.busy
    assert [caption.built_in for caption in run.captions] == built_in


@pytest.mark.parametrize("model", [MODEL, False])
def test_the_view_says_that_a_language_is_not_there_yet(server: Model, run: Run, model) -> None:
    widget = run.widget()
    widget.explainer.write(Explaining(model, language="German", host=server.host))
    idle(widget.explainer)
    assert (widget.writer.text, widget.writer.busy) == ("built-in text", False)
    assert widget.writer.hint == "German is not there yet: the text is in English"
    assert server.requests == []
