"""What a reader meets first: the headline, what happened along the track, and questions that are answered."""

from __future__ import annotations

import pytest
from autograd import grad
from autograd import numpy as anp

import xinv_nb as xi
from tests.example_runs import EXAMPLES
from xinv_nb.view import protocol
from xinv_nb.view.first_sight import add_first_sight, headline, suggestions
from xinv_nb.view.head import Writer
from xinv_nb.view.texts import captions


def met_first(run: xi.Run) -> protocol.Header:
    header: protocol.Header = {"captions": captions(run, Writer())}  # type: ignore[typeddict-item]
    add_first_sight(header, run)
    return header


def falling_ball() -> xi.Run:
    def miss(x: float) -> float:
        if x > 3:
            xi.event("the ball hits the {thing}", until="the ball clears the {thing}", thing="wall")
        if x < 2:
            xi.event("the ball rolls")
        xi.event("it flies")
        return anp.square(x - 1.0)

    with xi.record() as run:
        x = 6.0
        for _ in range(30):
            x -= 0.1 * grad(miss)(x)
    return run


def test_marks_tell_what_began_and_what_ended_in_its_own_words() -> None:
    run = falling_ball()
    marks = met_first(run)["marks"]
    assert [mark["text"] for mark in marks] == ["the ball clears the wall", "the ball rolls"]
    x = run.parameters["x"]
    assert x[marks[0]["iteration"]] <= 3 < x[marks[0]["iteration"] - 1], "at the first evaluation of which it is so"
    assert x[marks[1]["iteration"]] < 2 <= x[marks[1]["iteration"] - 1]
    assert all(mark["cited"] for mark in marks), "captions tell of both"


@pytest.mark.parametrize("name", ["bowl", "projectile", "route_like", "two_terms", "rosenbrock_adam", "minibatch"])
def test_what_is_suggested_is_answered(name: str) -> None:
    run = EXAMPLES[name]()
    found = suggestions(run)
    assert found
    for question in found:
        answer = run.ask(question, model=False)
        assert "does not show" not in answer.text, question
        assert answer.cites, question


def test_a_run_of_which_nothing_is_known_suggests_nothing() -> None:
    with xi.record() as run:
        assert headline(run) is None
    assert suggestions(run) == []


def test_a_headline_covers_what_is_told_of() -> None:
    found = headline(falling_ball())
    assert found is not None
    assert found["span"] == (0, 29)
    assert found["text"]


@pytest.mark.parametrize("name", ["bowl", "route_like"])
def test_each_chapter_has_one_sentence(name: str) -> None:
    roles = [caption["role"] for caption in captions(EXAMPLES[name](), Writer())]
    assert roles[0] == "summary"
    assert set(roles[1:]) <= {"chapter"}
    for caption in captions(EXAMPLES[name](), Writer()):
        whole = "".join(part["text"] for part in caption["parts"])
        short = "".join(part["text"] for part in caption["short"])
        assert short
        assert len(short) <= len(whole)
