"""Why a parameter turned back: the pushes of the watched quantities where it did."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy
from autograd import grad, jacobian
from autograd.misc.optimizers import adam

import xinv_nb as xi
from tests.slopes_read import cotangents, read_off, to_two_digits
from xinv_nb.facts.fact import Fact


def recomputed(run: xi.Run, fact: Fact) -> list[float]:
    """The iteration, and each push as cotangent times slope, read off evenly between evaluations."""
    at = fact.values["at"]
    column = next(entry.column for entry in run.entries() if entry.name == fact.values["parameter"])
    found = [float(at)]
    if fact.form.startswith("together"):
        after = numpy.sign(run.history.values.array[-1, column] - run.history.values.array[at, column])
        pushes = [push * after for push in fact.data["pushes"].values()]
        sides = [sum(p for p in pushes if p > 0), -sum(p for p in pushes if p < 0)]
        return found + [float(f"{side:.2g}") for side in sides[: 1 if "evenly" in fact.form else 2]]
    for name in (fact.values["quantity"], fact.values["other"])[: 1 if fact.form == "evenly" else 2]:
        evaluations, gradients = run.history.slopes[name].arrays()
        slope = read_off(at, evaluations, gradients[:, column])
        push = abs(float(slope * cotangents(run, name, at)))
        found.append(to_two_digits(push, abs(fact.data["pushes"][name])))
    return found


def told(run: xi.Run) -> list[Fact]:
    return [fact for fact in run.facts if fact.kind == "turned because"]


def terms(p: Any) -> Any:
    return np.array([(p[0] - 4.0) ** 2 + 0.2 * (p[1] - 6.0) ** 2, 0.5 * p[0] * p[1]])


def cost(p: Any, _: int = 0) -> Any:
    misfit, price = terms(p)
    return xi.watch(misfit, "misfit") + xi.watch(price, "price")


def by_adam() -> xi.Run:
    problem = xi.Problem("buy", parameters={"p[1]": xi.Parameter("the amount", "kg", directions=("down", "up"))})
    with xi.record(problem=problem) as run:
        adam(grad(cost), numpy.array([0.0, 0.0]), num_iters=300, step_size=0.1)
    return run


def test_the_pushes_are_those_of_the_exact_derivatives() -> None:
    run = by_adam()
    (fact,) = told(run)
    at = fact.values["at"]
    exact = -jacobian(terms)(run.parameters["p"][at])[:, 1]
    assert fact.values["parameter"] == "p[1]"
    assert run.parameters["p"][at, 1] == max(run.parameters["p"][:, 1])
    numpy.testing.assert_allclose([fact.data["pushes"][name] for name in ("misfit", "price")], exact, rtol=0.02)
    assert fact.values["quantity"] == "price"
    assert "price pushed it down with" in fact.text
    assert "per kg" in fact.text


def test_several_that_are_stronger_together_are_told_together() -> None:
    def parts(p: Any) -> Any:
        far = (p[0] - 4.0) ** 2 + 0.2 * (p[1] - 6.0) ** 2
        return np.array([far, 0.25 * p[0] * p[1], 0.2 * p[0] * p[1] + 0.05 * p[1]])

    def objective(p: Any, _: int = 0) -> Any:
        far, price, rent = parts(p)
        return xi.watch(far, "misfit") + xi.watch(price, "price") + xi.watch(rent, "rent")

    with xi.record() as run:
        adam(grad(objective), numpy.array([0.0, 0.0]), num_iters=300, step_size=0.1)
    (fact,) = told(run)
    exact = -jacobian(parts)(run.parameters["p"][fact.values["at"]])[:, 1]
    numpy.testing.assert_allclose(list(fact.data["pushes"].values()), exact, rtol=0.03)
    assert "price and rent together" in fact.text
    assert max(-exact[1], -exact[2]) < exact[0] < -exact[1] - exact[2]


def test_why_did_it_turn_is_answered_with_it() -> None:
    answer = by_adam().ask("Why did the amount turn back?", model=False)
    assert answer.text.startswith("The amount turned at iteration")


def test_one_quantity_alone_and_momentum_alone_tell_nothing() -> None:
    def bowl(p: Any, _: int = 0) -> Any:
        return xi.watch(np.sum((p - 2.0) ** 2), "misfit")

    with xi.record() as run:
        adam(grad(bowl), numpy.array([0.0, 1.0]), num_iters=100, step_size=0.3)
    assert told(run) == []

    def two(p: Any) -> Any:
        return xi.watch((p[0] - 2.0) ** 2, "near") + xi.watch(0.5 * (p[0] - 2.0) ** 2 + p[1] ** 2, "nearer")

    p, speed = numpy.array([0.0, 1.0]), numpy.zeros(2)
    with xi.record() as run:
        for _ in range(80):
            speed = 0.9 * speed - 0.02 * grad(two)(p)
            p = p + speed
    assert told(run) == []
