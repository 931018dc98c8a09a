"""Questions in everyday words about a run as a whole: why it is cheaper, what happened there, is it the best."""

from __future__ import annotations

import functools
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from autograd.tracer import getval
from scipy.optimize import minimize

import xinv_nb as xi


def trip_cost(p: Any, _: int = 0) -> Any:
    hours = xi.watch(300.0 / p[0], "travel time", "h")
    fuel = xi.watch(0.05 * p[0] + 0.002 * p[1] * p[0], "fuel", "l")
    if getval(p[1]) > 3.0:
        xi.event("the van is overloaded")
    return 2.0 * fuel + xi.watch(np.exp(hours - 4.0) - 0.1 * p[1], "fine", "€")


@functools.cache
def trip() -> xi.Run:
    names = {"p[0]": xi.Parameter("the speed", "km/h"), "p[1]": xi.Parameter("the load", "t")}
    cost = xi.Objective("trip cost", "€", lower="cheaper", higher="dearer")
    with xi.record("trip", problem=xi.Problem("Trip", "find the best trip", names, objective=cost)) as run:
        adam(grad(trip_cost), numpy.array([60.0, 5.0]), num_iters=80, step_size=0.05)
    return run


@functools.cache
def two_starts() -> xi.Run:
    def loss(x: Any) -> Any:
        return np.sum(x**4 - x**2 + 0.1 * x)

    with xi.record() as run:
        for start in (-1.0, 1.0):
            minimize(value_and_grad(loss), [start], jac=True)
    return run


def asked(run: xi.Run, question: str) -> str:
    return run.ask(question, model=False).text


@pytest.mark.parametrize(
    "question",
    ["Why is it cheaper?", "What made it cheaper?", "Why did it get cheaper?", "Why did the trip cost fall?"],
)
def test_why_it_is_cheaper_is_told_by_its_terms_and_the_reason(question: str) -> None:
    text = asked(trip(), question)
    assert text.startswith("Trip cost fell from 9.42 to ")
    assert "fuel lowered it by" in text
    assert "the load fell" in text.lower()


@pytest.mark.parametrize("question", ["Why is it dearer?", "Why did it get dearer?", "What made it dearer?"])
def test_what_did_not_happen_has_no_reason(question: str) -> None:
    assert asked(trip(), question).startswith("Trip cost did not rise over the run: it fell from 9.42 €")


def test_words_that_nobody_gave_the_loss_are_no_words_for_it() -> None:
    assert "does not show this" in asked(trip(), "Why did it get greener?")
    assert "does not show this" in asked(trip(), "Is this the best pizza in town?")


@pytest.mark.parametrize(
    "question", ["What happened at iteration 12?", "What was going on around iteration 12?", "Describe step 12."]
)
def test_what_happened_at_an_iteration_is_what_was_recorded_there(question: str) -> None:
    run, text = trip(), asked(trip(), question)
    fuel = float(run.watches["fuel"].values[12])
    assert text.startswith(f"At iteration 12 trip cost was {run.loss[12]:.3g} €, travel time was ")
    assert f"fuel was {fuel:.3g} l" in text
    assert "The simulation said there: the van is overloaded." in text
    assert "There is no iteration 800" in asked(run, "What happened at iteration 800?")
    assert "overloaded" not in asked(run, "What happened at iteration 79?")


@pytest.mark.parametrize(
    "question", ["When did the van get away from overloaded?", "When did it leave the overloaded van?"]
)
def test_when_something_was_left_is_when_it_was_over(question: str) -> None:
    last = int(numpy.flatnonzero(trip().parameters["p"][:, 1] > 3.0)[-1])
    assert asked(trip(), question) == f"Until iteration {last}: the van is overloaded."


@pytest.mark.parametrize(
    "question", ["Has it found the best trip?", "Is this the best solution?", "Did it find the best one?"]
)
def test_whether_it_is_the_best_no_single_run_can_show(question: str) -> None:
    text = asked(trip(), question)
    assert text.startswith("Whether another start ends lower, one run cannot show")
    assert "Adam stopped after 80 iterations" in text
    assert "one run cannot show" not in asked(two_starts(), question)


@pytest.mark.parametrize("question", ["Why did it go there?", "Why did it end up there?", "Why is it where it is?"])
def test_why_it_went_there_is_told_by_the_reasons(question: str) -> None:
    text = asked(trip(), question)
    assert "because this lowered" in text
    assert "Nothing wrong" not in text


@pytest.mark.parametrize("question", ["How many evaluations?", "How often was it evaluated in all?"])
def test_of_several_fits_the_evaluations_of_each_are_told(question: str) -> None:
    counts = [fit.stop - fit.start for fit in two_starts().fits]
    assert asked(two_starts(), question) == (
        f"The 2 fits made {counts[0]} and {counts[1]} evaluations, {sum(counts)} in all."
    )


@functools.cache
def crossing() -> xi.Run:
    ends = {
        "p[0]": xi.Parameter("the west end", "km", directions=("south", "north")),
        "p[1]": xi.Parameter("the east end", "km", directions=("south", "north")),
    }

    def cost(p: Any) -> Any:
        if getval(p[0]) > 1.0:
            xi.event("the road runs past the mill")
        if getval(p[1]) < 2.0:
            xi.event("the ferry stops at the mill", until="the ferry passes the mill by")
        return xi.watch((p[0] + 3.0) ** 2, "bridge", "M€") + xi.watch((p[1] - 6.0) ** 2, "tunnel", "M€")

    with xi.record("crossing", problem=xi.Problem("Crossing", parameters=ends)) as run:
        p = numpy.array([2.0, 0.0])
        for _ in range(40):
            p = p - 0.1 * grad(cost)(p)
    return run


@pytest.mark.parametrize("question", ["Why does the road go south of the mill?", "Why did it go south?"])
def test_why_it_went_one_way_is_answered_by_the_parameters_that_did(question: str) -> None:
    answer = crossing().ask(question, model=False).text
    assert answer.startswith("The west end moved south from 2 to ")
    assert " moved north " not in answer
    assert "another start" in answer


def test_what_one_thing_left_is_not_told_of_another() -> None:
    answer = crossing().ask("When did the ferry leave the mill?", model=False).text
    assert "the ferry passes the mill by" in answer
    answer = crossing().ask("When did the bus leave the mill?", model=False).text
    assert "the ferry passes the mill by" not in answer.partition("The nearest it shows")[0]


def test_fits_that_go_on_where_others_stopped_are_counted_as_well() -> None:
    def loss(x: Any, _: int = 0) -> Any:
        return np.sum((x - 3.0) ** 2 * np.array([1.0, 10.0])) + 0.1 * np.sum(x**4)

    with xi.record() as run:
        x = adam(grad(loss), numpy.zeros(2), num_iters=60, step_size=0.05)
        minimize(value_and_grad(loss), x, jac=True, method="L-BFGS-B")
    counts = [fit.stop - fit.start for fit in run.fits]
    assert len(counts) == 2
    text = run.ask("How many fits were there?", model=False).text
    assert text == f"The 2 fits made {counts[0]} and {counts[1]} evaluations, {sum(counts)} in all."
