"""What the moves of the parameters brought to a watched quantity."""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi
from tests.slopes_read import part_of, quantity_of, to_its_digits
from tests.test_reasons import descend, integrated
from xinv_nb.facts.fact import Fact


def recomputed(run: xi.Run, fact: Fact) -> list[float]:
    """Start, end, and the parts, from slopes that are read off smoothly between evaluations."""
    rows = numpy.flatnonzero(run.accepted)
    name = fact.values["quantity"]
    known = quantity_of(run, name)
    found = [float(known[rows[0]]), float(known[rows[-1]])]
    places = {entry.name: entry.column for entry in run.entries()}
    for clause in fact.slots["parts"].items:
        parts = part_of(run, name, rows, places[clause.slots["parameter"].plain])
        found.append(to_its_digits(parts, clause.slots["part"]))
    return found


def area(x: Any) -> Any:
    return x[0] * x[1] + 0.01 * x[2]


def field(x: Any) -> Any:
    xi.watch(area(x), "area", "m²")
    return np.sum((x - numpy.array([3.0, 1.0, 5.0])) ** 2)


def test_the_main_parts_are_told_and_small_ones_left_out() -> None:
    run = descend(field, numpy.array([1.0, 2.0, 4.0]))
    (fact,) = [fact for fact in run.facts if fact.kind == "brought about"]
    exact = integrated(area, run.parameters["x"])
    assert "moving x[0] raised it by" in fact.text
    assert "moving x[1] lowered it by" in fact.text
    assert "x[2]" not in fact.text
    numpy.testing.assert_allclose(list(fact.data["parts_by_name"].values()), exact, rtol=0.01)
    answer = run.ask("Why did the area change?", model=False)
    assert fact.text in answer.text


def test_nothing_is_told_where_the_parts_do_not_add_up() -> None:
    def jumpy(x: Any) -> Any:
        xi.watch(np.floor(4 * x[0]) + 0.1 * x[1], "floors")
        return np.sum((x - 3.0) ** 2)

    run = descend(jumpy, numpy.array([0.0, 1.0]))
    assert [fact.text for fact in run.facts if fact.kind == "brought about"] == []


def test_of_one_parameter_it_is_no_news() -> None:
    x = 5.0
    with xi.record() as run:
        for _ in range(20):
            x = x - 0.1 * grad(lambda x: xi.watch(x**2, "square") + x)(x)
    assert [fact.text for fact in run.facts if fact.kind == "brought about"] == []


def test_large_arrays_are_told_as_a_whole() -> None:
    weights = numpy.linspace(0.5, 1.5, 50)

    def fit(p: Any) -> Any:
        size = xi.watch(np.sum(p["w"] ** 2) + 3.0 * p["b"], "size", "kg")
        return np.sum((weights * p["w"] - 1.0) ** 2) + (p["b"] - 2.0) ** 2 + 0.01 * size

    with xi.record("network") as run:
        p = {"w": numpy.zeros(50), "b": 0.0}
        for _ in range(60):
            slope = grad(fit)(p)
            p = {name: p[name] - 0.05 * slope[name] for name in p}
    (fact,) = [f for f in run.facts if f.kind == "brought about" and f.values["quantity"] == "size"]
    w, b = run.parameters["w"], run.parameters["b"]
    parts = fact.data["parts_by_name"]
    numpy.testing.assert_allclose(parts["w"], numpy.sum(w[-1] ** 2) - numpy.sum(w[0] ** 2), rtol=0.01)
    numpy.testing.assert_allclose(parts["b"], 3.0 * (b[-1] - b[0]), rtol=0.01)
    assert "moving w raised it by" in fact.text
    answer = run.ask("Why did size rise?", model=False).text
    assert fact.text in answer
    assert "reasons_for" not in answer


def test_steps_that_are_not_too_long_are_not_called_so() -> None:
    """Where nothing is known of derivatives, or each value is of another batch, new evaluations would not tell."""
    with xi.record("by hand") as by_hand:
        x = 3.0
        for _ in range(30):
            by_hand.add(x**2, {"x": x, "y": -x}, {"x": 2 * x, "y": 0.0}, drag=x**2)
            x -= 0.2 * x
    random = numpy.random.RandomState(0)
    rows, targets = random.randn(200, 2), random.randn(200)
    batches = [random.randint(0, 200, 5) for _ in range(300)]

    def loss(w: Any, i: int) -> Any:
        return xi.watch(np.mean((np.dot(rows[batches[i]], w) - targets[batches[i]]) ** 2), "misfit") + 0.1 * w[0]

    with xi.record("batches") as noisy:
        w = numpy.array([4.0, -4.0])
        for i in range(300):
            w = w - 0.02 * grad(loss)(w, i)
    for run, question in ((by_hand, "Why did drag fall?"), (noisy, "Why did misfit fall?")):
        assert "reasons_for" not in run.ask(question, model=False).text


@pytest.mark.parametrize("seed", [1, 7, 13])
def test_errors_of_single_steps_that_cancel_are_no_exactness(seed: int) -> None:
    """Few long steps: what is told of the parts is so to its last digit, by an integration in many pieces."""
    random = numpy.random.RandomState(seed)
    matrix, wanted, rates = random.randn(3, 3), random.randn(3), random.rand(3)

    def detour(x: Any) -> Any:
        return np.sum(np.sqrt(1 + (x - 2) ** 2))

    def loss(x: Any) -> Any:
        misfit = xi.watch(np.sum((np.dot(matrix, x) - wanted) ** 2), "misfit")
        price = xi.watch(np.sum(np.exp(rates * x)), "price")
        return misfit + 0.5 * price + xi.watch(detour(x), "detour")

    with xi.record() as run:
        minimize(value_and_grad(loss), random.randn(3) * 2, jac=True, method="L-BFGS-B")
    exact = integrated(detour, run.parameters["x"][run.accepted])
    for fact in run.facts:
        if fact.kind == "brought about" and fact.values["quantity"] == "detour":
            for clause in fact.slots["parts"].items:
                told, part = clause.slots["part"], abs(exact[int(clause.slots["parameter"].plain[2])])
                unit = 10.0 ** (math.floor(math.log10(told.number)) + 1 - told.digits)
                assert abs(told.number - part) <= 1.5 * unit, fact.text


def convex(p: Any) -> Any:
    bowl = np.sum(np.exp(p) - 2 * p)
    tie = 0.1 * (p[0] - p[1]) ** 2
    return bowl + tie


def test_a_second_look_at_a_point_leaves_no_sentence_without_its_parts() -> None:
    with xi.record() as run:
        end = minimize(value_and_grad(convex), numpy.array([2.0, -1.0]), jac=True, method="L-BFGS-B").x
        grad(convex)(end)  # at a point that is known, in the same evaluation
    for columns in run.history.slopes.values():
        evaluations, _ = columns.arrays()
        assert len(set(evaluations.tolist())) == len(evaluations)
    told = [fact.text for fact in run.facts if fact.kind == "brought about"]
    assert told
    assert all(": moving p[" in text for text in told)
