"""Which quantity pushed a parameter, at an iteration, in a stretch, and over the run."""

from __future__ import annotations

import re
from typing import Any

import autograd.numpy as np
import numpy
from autograd import grad, jacobian
from autograd.misc.optimizers import adam

import xinv_nb as xi
from tests.slopes_read import cotangents, read_off, to_two_digits
from xinv_nb.facts.fact import Fact


def recomputed(run: xi.Run, fact: Fact) -> list[float]:
    """The iterations, and the mean of cotangent times slope, read off evenly between evaluations."""
    column = next(entry.column for entry in run.entries() if entry.name == fact.values["parameter"])
    rows = numpy.flatnonzero(run.accepted)
    at = fact.values.get("at")
    rows = rows[rows == at] if at is not None else rows[(rows >= fact.span[0]) & (rows <= fact.span[1])]
    found = [float(at)] if at is not None else []
    if fact.form == "in a stretch":
        found = [float(fact.span[0]), float(fact.span[1])]
    for clause in fact.slots["pushes"].items:
        name = clause.slots["quantity"].plain
        evaluations, gradients = run.history.slopes[name].arrays()
        slopes = read_off(rows, evaluations, gradients[:, column])
        push = abs(float(numpy.mean(slopes * cotangents(run, name, rows))))
        found.append(to_two_digits(push, abs(fact.data["parts"][name])))
    return found


def terms(p: Any) -> Any:
    return np.array([(p[0] - 4.0) ** 2 + 0.2 * (p[1] - 6.0) ** 2, 0.5 * p[0] * p[1]])


def cost(p: Any, _: int = 0) -> Any:
    misfit, price = terms(p)
    return xi.watch(misfit, "misfit", "€") + 2.0 * xi.watch(price / 2.0, "price", "€")


def by_adam() -> xi.Run:
    problem = xi.Problem("buy", parameters={"p[1]": xi.Parameter("the amount", "kg", directions=("down", "up"))})
    with xi.record(problem=problem) as run:
        adam(grad(cost), numpy.array([0.0, 0.0]), num_iters=300, step_size=0.1)
    return run


def test_what_pushed_at_an_iteration_is_the_exact_descent_direction_by_quantity() -> None:
    run = by_adam()
    answer = run.ask("What pushed the amount at iteration 100?", model=False)
    (fact,) = [
        f
        for f in run.with_span((100, 100)).facts
        if f.kind == "push" and f.span == (100, 100) and f.values["parameter"] == "p[1]"
    ]
    exact = -jacobian(terms)(run.parameters["p"][100])[:, 1]
    numpy.testing.assert_allclose([fact.data["parts"][name] for name in ("misfit", "price")], exact, rtol=0.02)
    assert answer.text.startswith("At iteration 100 the amount was pushed ")
    assert "up by misfit with" in answer.text
    assert "per kg" in answer.text


def test_a_stretch_and_the_whole_run_are_told_on_average() -> None:
    run = by_adam()
    part = run.ask("What pushed the amount between iterations 5 and 25?", model=False).text
    assert part.startswith("Between iterations 5 and 25 the amount was pushed on average "), part
    assert run.ask("What pushed the amount?", model=False).text.startswith("Over the run the amount was pushed")


def test_an_iteration_that_is_not_there_is_said_to_be_so() -> None:
    assert "does not show" in by_adam().ask("What pushed the amount at iteration 3000?", model=False).text


def test_nothing_is_told_where_something_else_pushes_as_well() -> None:
    def half(p: Any, _: int = 0) -> Any:
        misfit, price = terms(p)
        return np.sqrt(xi.watch(misfit, "misfit") ** 2 + price**2 + 1.0)

    with xi.record() as run:
        adam(grad(half), numpy.array([0.0, 0.0]), num_iters=100, step_size=0.1)
    assert [f for f in run.facts if f.kind == "push" and f.values["parameter"] == "p[1]"] == []


def test_a_direction_that_is_no_place_is_what_a_parameter_becomes() -> None:
    def cost(p: Any) -> Any:
        return xi.watch((p["d"] - 5.0) ** 2, "price", "€") + xi.watch(3.0 * p["d"] + (p["n"] - 4.0) ** 2, "heat", "W")

    names = {
        "d": xi.Parameter("the wall", "cm", directions=("thinner", "thicker")),
        "n": xi.Parameter("the stop", "km", directions=("south", "north")),
    }
    with xi.record(problem=xi.Problem("Wall", parameters=names)) as run:
        p = {"d": 1.0, "n": 0.0}
        for _ in range(40):
            slope = grad(cost)(p)
            p = {name: p[name] - 0.1 * slope[name] for name in p}
    texts = [fact.text for fact in run.facts] + [event.text for event in run.events]
    assert not [text for text in texts if re.search(r"(?:mov\w+|pushed it|pulls it|wall) (?:thicker|thinner)", text)]
    told = next(fact.text for fact in run.facts if fact.kind == "movement" and "wall" in fact.text)
    assert told.startswith("The wall became thicker from 1 to 3.5 cm")
    assert any(text.startswith("The stop moved north from 0 to 4 km") for text in texts)
    assert "to be thicker by price" in run.ask("What pushed the wall at iteration 3?", model=False).text
    for text, is_true in (("The wall became thicker.", True), ("The wall got thinner.", False)):
        assert [claim.supported for claim in run.check(text)] == [is_true]
