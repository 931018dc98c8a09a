"""Terms of a loss that nobody watched: found by how the program writes them, with reasons and pushes of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam

import xinv_nb as xi
from tests.test_reasons import descend, ground, integrated, length

SEEN = numpy.sin(numpy.linspace(0.0, 6.0, 12))
LAM = 0.5
SIDES = numpy.sign(SEEN)
ROWS = numpy.random.RandomState(0).randn(12, 12)


def both(m: Any) -> tuple[Any, Any]:
    return np.sum((m - SEEN) ** 2), np.sum(m**2)


def in_one_line(m: Any) -> Any: return np.sum((m - SEEN) ** 2) + LAM * np.sum(m**2)  # fmt: skip


by_lambda = lambda m: np.sum((m - SEEN) ** 2) + LAM * np.sum(m**2)  # noqa: E731


def over_lines(m: Any) -> Any:
    misfit, size = both(m)
    return (
        misfit
        # the weight is a guess
        + LAM * size
    )


def halved(m: Any) -> Any:
    misfit, size = both(m)
    return (misfit + size) / 2


def halved_later(m: Any) -> Any:
    misfit, size = both(m)
    total = misfit + size
    return 0.5 * total


def of_an_array(m: Any) -> Any:
    misfit, size = both(m)
    return np.sum(np.array([misfit, size]))


def weighed_array(m: Any) -> Any:
    misfit, size = both(m)
    terms = np.array([misfit, size])
    return np.dot(numpy.array([1.0, LAM]), terms)


def of_a_list(m: Any) -> Any:
    misfit, size = both(m)
    return sum([misfit, size])


def line_by_line(m: Any) -> Any:
    loss = np.sum((m - SEEN) ** 2)
    loss += LAM * np.sum(m**2)
    loss = loss + 0.1 * np.sum(np.diff(m) ** 2)
    return loss  # noqa: RET504 - as programs are written


def watched_in_part(m: Any) -> Any:
    misfit, size = both(m)
    return xi.watch(misfit, "misfit to the data") + LAM * xi.watch(size, "size of the model") + 0.1 * np.sum(m**4)


WRITTEN = ("np.sum((m - SEEN) ** 2)", "LAM * np.sum(m ** 2)")


@pytest.mark.parametrize(
    ("loss", "names", "weights"),
    [
        (in_one_line, WRITTEN, (1.0, 1.0)),
        (by_lambda, WRITTEN, (1.0, 1.0)),
        (over_lines, ("misfit", "LAM * size"), (1.0, 1.0)),
        (halved, ("misfit", "size"), (0.5, 0.5)),
        (halved_later, ("misfit", "size"), (0.5, 0.5)),
        (of_an_array, ("misfit", "size"), (1.0, 1.0)),
        (weighed_array, ("misfit", "size"), (1.0, 0.5)),
        (of_a_list, ("misfit", "size"), (1.0, 1.0)),
        (line_by_line, (*WRITTEN, "0.1 * np.sum(np.diff(m) ** 2)"), (1.0, 1.0, 1.0)),
        (watched_in_part, ("misfit to the data", "size of the model", "0.1 * np.sum(m ** 4)"), (1.0, LAM, 1.0)),
    ],
)
def test_terms_have_the_names_of_the_program_and_account_for_the_loss(
    loss: Any, names: tuple[str, ...], weights: tuple[float, ...]
) -> None:
    run = descend(loss, numpy.linspace(-1.0, 2.0, 12), steps=40, rate=0.05)
    reasons, pushes = run.reasons, run.pushes(5)
    assert reasons.why_not == ""
    assert list(reasons.quantities) == [*names, "loss"]
    numpy.testing.assert_allclose(reasons.changes[:-1] @ weights, reasons.changes[-1], rtol=1e-9)
    numpy.testing.assert_allclose(reasons.parts[:, :-1] @ weights, reasons.parts[:, -1], atol=1e-2)
    assert list(pushes.quantities) == list(names)
    numpy.testing.assert_allclose(pushes.parts.sum(axis=1), -run.gradients["m"][5], atol=1e-9 + 1e-3)
    assert numpy.abs(pushes.rest).max() < 1e-3


def unwatched_line(north: Any, _: int = 0) -> Any:
    millions = ground(north)
    return millions + 2.0 * length(north)


def test_a_railway_with_nothing_watched_has_the_parts_of_an_independent_integration(tmp_path: Path) -> None:
    with xi.record() as run:
        adam(grad(unwatched_line), numpy.array([6.0, 7.0, 8.0, 8.0]), num_iters=300, step_size=0.1)
    reasons = run.reasons
    assert list(reasons.quantities) == ["millions", "2.0 * length(north)", "loss"]
    for q, quantity in enumerate([ground, lambda x: 2.0 * length(x)]):
        exact = integrated(quantity, run.parameters["north"], pieces=4)
        numpy.testing.assert_allclose(reasons.parts[:, q], exact, atol=0.01 * numpy.abs(exact).max())
    numpy.testing.assert_array_equal(
        reasons.changes[0], ground(run.parameters["north"][-1]) - ground(numpy.array([6.0, 7.0, 8.0, 8.0]))
    )
    again = xi.load(run.save(tmp_path / "rail.npz"))
    numpy.testing.assert_array_equal(again.reasons.parts, reasons.parts)
    answer = run.ask("Why did north[0] fall?", model=False)
    assert "because this lowered millions by" in answer.text


@pytest.mark.parametrize(
    "loss",
    [
        lambda m: np.sqrt(np.sum((m - SEEN) ** 2) + np.sum(m**2)),
        lambda m: np.sum((m - SEEN) ** 2) * np.sum(m**2),
        lambda m: sum((m[k] - SEEN[k]) ** 2 for k in range(3)),
        lambda m: np.sum((m - SEEN) ** 2) + 3.0,
    ],
)
def test_what_is_no_sum_of_things_with_names_has_no_terms(loss: Any) -> None:
    run = descend(loss, numpy.linspace(-1.0, 2.0, 12), steps=5)
    assert list(run.reasons.quantities) == ["loss"]
    assert run.pushes().why_not


def test_a_loss_that_is_made_in_another_way_later_has_no_values_of_terms_there() -> None:
    state = {"k": 0}

    def loss(m: Any) -> Any:
        misfit, size = both(m)
        if state["k"] >= 3:
            return misfit * 2.0 - size
        return misfit + size

    x = numpy.linspace(-1.0, 2.0, 12)
    with xi.record() as run:
        for k in range(6):
            state["k"] = k
            x = x - 0.01 * grad(loss)(x)
    assert run.history.sums.evaluation.array.tolist() == [0, 1, 2]
    assert list(run.reasons.quantities) == ["loss"]


def test_a_quantity_that_is_a_part_of_a_term_stands_in_its_place() -> None:
    def loss(x: Any) -> Any:
        speed = xi.watch(100.0 - x[0] ** 2, "speed", "km/h")
        hours = 500.0 / speed
        return hours + 0.1 * x[1] ** 2

    run = descend(loss, numpy.array([3.0, 2.0]), steps=30)
    assert list(run.reasons.quantities) == ["speed", "hours", "0.1 * x[1] ** 2", "loss"]
    assert list(run.pushes(3).quantities) == ["speed", "0.1 * x[1] ** 2"]
    numpy.testing.assert_allclose(run.pushes(3).rest, 0.0, atol=1e-6)


def logistic(w: Any) -> Any:
    return np.mean(np.log(1 + np.exp(-SIDES * np.dot(ROWS, w)))) + 100.0 * np.sum(w**2)


def test_a_penalty_that_holds_back_a_logistic_loss_is_told() -> None:
    run = descend(logistic, numpy.zeros(12), steps=40, rate=1e-3)
    (finding,) = [finding for finding in run.diagnosis if finding.kind == "term-dominates"]
    assert finding.form in ("held back", "held fast")


def test_a_term_that_is_watched_dominates_as_well() -> None:
    def loss(m: Any) -> Any:
        misfit, size = both(m)
        return xi.watch(misfit, "misfit") + 1e3 * xi.watch(size, "size")

    run = descend(loss, 0.8 * SEEN, steps=60, rate=4e-4)
    (finding,) = [finding for finding in run.diagnosis if finding.kind == "term-dominates"]
    assert finding.text.startswith("Size outweighs misfit")


def test_the_loss_is_known_by_what_it_is_also_where_long_steps_are_subdivided() -> None:
    def objective(x: Any) -> Any:
        return xi.watch((x[0] - 1.0) ** 2, "loss") + xi.watch(0.1 * x[1] ** 2, "c")

    run = descend(objective, numpy.array([3.0, 1.0]), steps=20)
    for reasons in (run.reasons, run.reasons_for(objective)):
        assert list(reasons.quantities) == ["loss", "c", "whole loss"]
        numpy.testing.assert_allclose(reasons.changes[0] + reasons.changes[1], reasons.changes[2])


def test_what_is_no_function_is_refused_with_what_to_write() -> None:
    run = descend(halved, numpy.linspace(-1.0, 2.0, 12), steps=5)
    with pytest.raises(xi.XinvError, match=r"write run\.reasons_for\(loss\)"):
        run.reasons_for("halved")  # type: ignore[arg-type]


def test_the_path_is_computed_once() -> None:
    run = descend(halved, numpy.linspace(-1.0, 2.0, 12), steps=20)
    assert run.reasons._path is run.reasons._path


def test_a_sum_over_a_generator_is_named_as_it_is_written() -> None:
    def loss(x: Any) -> Any:
        return np.sum((x - 1.0) ** 2) + sum(0.01 * x[k] ** 4 for k in range(2))

    x = numpy.array([3.0, -2.0])
    with xi.record() as run:
        for _ in range(20):
            x = x - 0.05 * grad(loss)(x)
    assert "sum(0.01 * x[k] ** 4 for k in range(2))" in run.reasons.quantities


def test_what_a_loop_adds_up_is_one_term_by_the_name_of_its_variable() -> None:
    """What is added in each round is written in one place: by that, the last round would be told as all of them."""

    def loss(x: Any) -> Any:
        speed, total = x[0], 0.0
        for _ in range(10):
            speed = speed * (1 - 0.05 * x[1])
            total = total + 0.1 * speed**2
        total = total + 3.0 * (x[1] - 1.0) ** 2
        total += (speed - 2.0) ** 2
        return total

    def of_parts(x: Any) -> Any:
        parts, found = {"fit": np.sum((x - 1.0) ** 2), "size": np.sum(x**2)}, 0.0
        for name, weight in (("fit", 2.0), ("size", 0.5)):
            found = found + weight * parts[name]
        return found

    def of_watched(x: Any) -> Any:
        parts, found = {"fit": np.sum((x - 1.0) ** 2), "size": np.sum(x**2)}, 0.0
        for name, weight in (("fit", 2.0), ("size", 0.5)):
            found = found + weight * xi.watch(parts[name], name)
        return found

    start = numpy.array([3.0, 0.5])
    run = descend(loss, start, steps=20, rate=0.005)
    assert list(run.reasons.quantities) == ["total", "3.0 * (x[1] - 1.0) ** 2", "(speed - 2.0) ** 2", "loss"]
    numpy.testing.assert_allclose(run.pushes(3).rest, 0.0, atol=1e-9)
    assert list(descend(of_parts, start, steps=20).reasons.quantities) == ["loss"]
    watched = descend(of_watched, start, steps=20)
    assert list(watched.reasons.quantities) == ["fit", "size", "loss"]
    assert [term.weight for term in watched.history.sums.terms] == [2.0, 0.5]
