"""What the moves of the parameters brought to a watched quantity."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy
from autograd import grad

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
