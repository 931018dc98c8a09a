"""What a replay changed, in sentences: each number read off both runs."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam

import xinv_nb as xi
from xinv_nb.facts.fact import Fact


def recomputed(run: xi.Run, fact: Fact) -> list[float]:
    """None of the example runs is a replay; the tests below read both runs."""
    return []


def told(run: xi.Run) -> dict[str, Fact]:
    return {fact.form: fact for fact in run.facts if fact.kind == "replay"}


def trip(p: Any) -> Any:
    return xi.watch((p[0] - 4.0) ** 2, "time", "h") + xi.watch(0.5 * p[0] * p[1], "price", "€") + (p[1] - 1.0) ** 2


def run_of(start: Any = (0.0, 0.5), step_size: float = 0.05, count: int = 40) -> xi.Run:
    p = numpy.array(start)
    with xi.record("trip") as run:
        for _ in range(count):
            p = p - step_size * grad(trip)(p)
    return run


def test_what_changed_where_it_ended_and_what_differed_first() -> None:
    run = run_of()
    again = run.replay(trip, step_size=0.1)
    facts = told(again)
    assert facts["again, with changes"].text == "This repeats trip, with a step size of 0.1 instead of 0.05."
    lower = facts["loss, lower"].values
    assert (lower["loss"], lower["other_loss"]) == (again.loss[-1], run.loss[-1])
    first = facts["apart at once"].values
    column = int(first["parameter"][2])
    assert (first["value"], first["other"]) == (again.parameters["p"][1, column], run.parameters["p"][1, column])
    for fact in again.facts:
        if fact.kind == "replay" and fact.form == "point":
            column = int(fact.values["parameter"][2])
            ends = again.parameters["p"][-1, column], run.parameters["p"][-1, column]
            assert (fact.values["value"], fact.values["other"]) == ends


def test_the_reason_that_turned_is_that_of_both_runs() -> None:
    run = run_of()
    again = run.replay(trip, start=[6.0, -2.0])
    (fact,) = [fact for fact in again.facts if fact.form == "reason turned" and fact.values["quantity"] == "price"]
    place = run.reasons.parameters.index(fact.values["parameter"])
    quantity = run.reasons.quantities.index("price")
    before, after = run.reasons.parts[place, quantity], again.reasons.parts[place, quantity]
    assert before * after < 0
    assert (fact.values["part"], fact.values["other_part"]) == (abs(after), abs(before))
    assert (fact.values["did"] == "raised") == (after > 0)


def test_what_is_held_is_no_news_and_another_start_differs_from_the_start() -> None:
    held = told(run_of().replay(trip, fixed={"p[1]": 3.0}))
    assert "p[1] held at 3" in held["again, with changes"].text
    again = run_of().replay(trip, fixed={"p[1]": 3.0})
    assert not [f for f in again.facts if f.kind == "replay" and f.values.get("parameter") == "p[1]"]
    moved = told(run_of().replay(trip, start={"p[0]": 2.0}))
    assert "another start (p[0] at 2)" in moved["again, with changes"].text
    assert not {"apart at once", "apart later"} & set(moved)


def test_of_draws_from_a_noise_no_ends_are_compared() -> None:
    random = numpy.random.RandomState(0)
    x = random.randn(200, 2)
    y = x @ numpy.array([1.0, -2.0]) + random.randn(200)

    def loss(w: Any, i: int = 0) -> Any:
        rows = slice(4 * i % 200, 4 * i % 200 + 4)
        return np.mean((np.dot(x[rows], w) - y[rows]) ** 2)

    with xi.record() as run:
        adam(grad(loss), np.zeros(2), num_iters=300, step_size=0.02)
    facts = told(run.replay(loss, step_size=0.05))
    assert not [form for form in facts if form.startswith("loss")]


def test_a_question_for_the_difference_is_answered_with_it() -> None:
    again = run_of().replay(trip, step_size=0.1)
    assert again.ask("What was different from before?", model=False).text.startswith("This repeats trip")


@pytest.mark.parametrize(
    ("question", "is_of_it"),
    [
        ("What did the larger step change?", True),
        ("What did it change?", True),
        ("Is it better than trip?", True),
        ("How does it compare with the original run?", True),
        ("Is the loss lower than at the start?", False),
        ("What did speed change?", False),
    ],
)
def test_questions_that_compare_are_answered_by_the_replay(question: str, is_of_it: bool) -> None:
    again = run_of().replay(trip, step_size=0.1, name="again")
    text = again.ask(question, model=False).text
    assert text.startswith("This repeats trip, with a step size of 0.1 instead of 0.05.") == is_of_it, text


def test_what_a_replay_changed_stands_in_the_comparison() -> None:
    run = run_of()
    again = run.replay(trip, step_size=0.1, name="again")
    statements = xi.compare(run, again).statements
    assert statements[0] == "again repeats trip, with a step size of 0.1 instead of 0.05."
    assert statements[1].startswith("The first step of again led elsewhere than that of trip: ")
    assert not any("repeats" in each for each in xi.compare(run, run_of()).statements)


def test_a_run_that_goes_off_went_its_way_no_longer_than_it_did() -> None:
    """How far apart two points are is measured by how large they were until there, not by where the other one went."""

    def well(p: Any) -> Any:
        return np.sum((p - np.array([1.0, 2.0])) ** 2)

    p = numpy.array([3.0, 4.0])
    with xi.record("well") as run:
        for _ in range(30):
            p = p - 0.1 * grad(well)(p)
    again = run.replay(well, step_size=40.0)
    assert numpy.abs(again.parameters["p"][-1]).max() > 1e30
    assert "apart later" not in told(again)
    assert told(again)["apart at once"].text.startswith("Its first step led elsewhere than that of well: ")


def test_the_iterations_of_a_solver_are_not_called_evaluations() -> None:
    from autograd import value_and_grad
    from scipy.optimize import minimize

    with xi.record("trip") as run:
        minimize(value_and_grad(trip), numpy.array([0.0, 0.5]), jac=True, method="BFGS")
    again = run.replay(trip, iterations=2)
    assert again.evaluations > 2
    assert told(again)["again, with changes"].text == "This repeats trip, with 2 iterations at most."


def test_an_array_that_is_held_or_set_is_told_as_a_whole() -> None:
    def fit(p: Any) -> Any:
        return np.sum((p["w"] - 1.0) ** 2) + np.sum((p["b"] - 2.0) ** 2)

    p = {"w": numpy.zeros(3), "b": numpy.zeros(20)}
    with xi.record("net") as run:
        for _ in range(10):
            slope = grad(fit)(p)
            p = {name: p[name] - 0.1 * slope[name] for name in p}
    held = told(run.replay(fit, fixed=["b"]))["again, with changes"].text
    assert held == "This repeats net, with b held at 0."
    started = told(run.replay(fit, start={"b": numpy.ones(20), "w": numpy.array([1.0, 0.0, 0.0])}))
    assert started["again, with changes"].text == "This repeats net, with another start (b at 1 and w[0] at 1)."
