"""What each parameter's move brought to each quantity adds up, and is what an independent integration says."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, jacobian, value_and_grad
from autograd.extend import defvjp, primitive
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi


def descend(objective: Any, x: Any, steps: int = 120, rate: float = 0.02) -> xi.Run:
    with xi.record() as run:
        for _ in range(steps):
            x = x - rate * grad(objective)(x)
    return run


def integrated(quantity: Any, path: numpy.ndarray, pieces: int = 40) -> numpy.ndarray:
    """Integrate the exact derivatives of a quantity along a path, each step in many pieces, by the midpoint rule."""
    slope = jacobian(quantity)
    parts = numpy.zeros(path.shape[1])
    for one, other in itertools.pairwise(path):
        for k in range(pieces):
            parts += slope(one + (k + 0.5) / pieces * (other - one)) * (other - one) / pieces
    return parts


# ---------------------------------------------------------------------- a railway


HILLS = ((13.0, 6.5, 3.0, 12.0), (31.0, 8.0, 4.0, 4.0), (46.0, 5.0, 4.0, 14.0))


def length(north: Any) -> Any:
    return np.sum(np.sqrt(12.0**2 + np.diff(np.concatenate([np.array([4.0]), north, np.array([9.0])])) ** 2))


def ground(north: Any) -> Any:
    east = numpy.array([12.0, 24.0, 36.0, 48.0])
    return sum(w * np.sum(np.exp(-((east - e) ** 2 + (north - n) ** 2) / r**2)) for e, n, r, w in HILLS)


def line(north: Any, _: int = 0) -> Any:
    return xi.watch(ground(north), "ground", "M€") + 2.0 * xi.watch(length(north), "length", "km")


@pytest.fixture(scope="module")
def rail() -> xi.Run:
    with xi.record() as run:
        adam(grad(line), numpy.array([6.0, 7.0, 8.0, 8.0]), num_iters=300, step_size=0.1)
    return run


def test_parts_add_up_and_are_those_of_an_independent_integration(rail: xi.Run) -> None:
    reasons = rail.reasons
    assert reasons.why_not == ""
    assert list(reasons.parameters) == [f"north[{i}]" for i in range(4)]
    assert (list(reasons.quantities), list(reasons.units)) == (["ground", "length", "loss"], ["M€", "km", ""])
    numpy.testing.assert_allclose(reasons.parts.sum(axis=0) + reasons.remainder, reasons.changes)
    for q, quantity in enumerate([ground, length, line]):
        exact = integrated(quantity, rail.parameters["north"], pieces=4)
        largest = numpy.abs(exact).max()
        numpy.testing.assert_allclose(reasons.parts[:, q], exact, atol=0.01 * largest)
        assert abs(reasons.remainder[q]) < 0.01 * largest
    assert reasons.evaluations < 150, "the tape is read now and then only"


def test_a_stretch_has_reasons_of_its_own(rail: xi.Run) -> None:
    early, late = rail.reasons.over(0, 100), rail.reasons.over(100, 299)
    numpy.testing.assert_allclose(early.parts + late.parts, rail.reasons.parts, atol=1e-9)
    assert (early.span, late.span) == ((0, 100), (100, 299))
    numpy.testing.assert_allclose(early.changes[2], rail.loss[100] - rail.loss[0])


def test_reasons_are_of_a_saved_run_too(rail: xi.Run, tmp_path: Path) -> None:
    again = xi.load(rail.save(tmp_path / "rail.npz"))
    numpy.testing.assert_array_equal(again.reasons.parts, rail.reasons.parts)
    numpy.testing.assert_array_equal(again.pushes(7).parts, rail.pushes(7).parts)


def test_pushes_are_the_descent_direction_taken_apart(rail: xi.Run) -> None:
    for iteration in (0, 40, 299):
        pushes = rail.pushes(iteration)
        x = rail.parameters["north"][iteration]
        exact = -numpy.array([grad(ground)(x), 2.0 * grad(length)(x)]).T
        assert list(pushes.quantities) == ["ground", "length"]
        numpy.testing.assert_allclose(pushes.parts, exact, atol=0.03 * numpy.abs(exact).max())
        numpy.testing.assert_allclose(pushes.parts.sum(axis=1) + pushes.rest, -rail.gradients["north"][iteration])
    mean = rail.pushes()
    assert mean.iteration is None
    numpy.testing.assert_allclose(mean.parts.sum(axis=1) + mean.rest, -rail.gradients["north"].mean(axis=0))


# ---------------------------------------------------------------------- other simulators


@pytest.mark.parametrize("seed", range(20))
def test_sums_equal_changes_on_random_simulators(seed: int) -> None:
    draw = numpy.random.RandomState(seed)
    count = draw.randint(2, 7)
    mixing, centres = draw.randn(5, count) / count, draw.randn(5)

    def inner(x: Any) -> Any:
        return np.sum(np.tanh(np.dot(mixing, x) - centres))

    def outer(x: Any) -> Any:
        return np.sum((np.dot(mixing, x) - centres) ** 2) + 0.3 * np.sin(x[0]) * x[1]

    def objective(x: Any) -> Any:
        return xi.watch(outer(x), "outer") + 0.5 * xi.watch(inner(x), "inner") ** 2

    run = descend(objective, draw.randn(count), rate=0.05)
    reasons = run.reasons
    assert reasons.why_not == ""
    path = run.parameters["x"]
    for name, quantity in (("outer", outer), ("inner", inner)):
        q = list(reasons.quantities).index(name)
        exact = integrated(quantity, path)
        scale = max(numpy.abs(exact).max(), abs(reasons.changes[q]))
        numpy.testing.assert_allclose(reasons.parts[:, q], exact, atol=0.01 * scale)
        assert abs(reasons.remainder[q]) < 0.01 * scale


def test_a_quantity_inside_another_pushes_only_through_that_one() -> None:
    def objective(x: Any) -> Any:
        speed = xi.watch(100.0 - x[0] ** 2, "speed", "km/h")
        hours = xi.watch(500.0 / speed, "travel time", "h")
        return hours + xi.watch(x[1] ** 2 / speed, "fuel")

    run = descend(objective, numpy.array([3.0, 2.0]), rate=0.5)
    assert list(run.reasons.quantities) == ["speed", "travel time", "fuel", "loss"]
    assert list(run.pushes(3).quantities) == ["travel time", "fuel"]
    pushes = run.pushes(3)
    numpy.testing.assert_allclose(pushes.parts.sum(axis=1), -run.gradients["x"][3], rtol=1e-9)


def test_a_quantity_beside_the_loss_has_reasons_and_pushes_nothing() -> None:
    def objective(x: Any) -> Any:
        xi.watch(x[0] / x[1], "ratio")
        return np.sum((x - 3.0) ** 2)

    run = descend(objective, numpy.array([1.0, 2.0]))
    q = list(run.reasons.quantities).index("ratio")
    assert abs(run.reasons.remainder[q]) < 0.01 * abs(run.reasons.changes[q])
    assert run.pushes().quantities == ()
    assert run.pushes().why_not


def test_a_loop_of_many_steps_in_the_simulator() -> None:
    def objective(x: Any) -> Any:
        height, speed = 0.0 * x[0], x[0]
        for _ in range(200):
            speed = speed - 0.01 * (9.81 + x[1] * speed)
            height = height + 0.01 * speed
        return (xi.watch(height, "height", "m") - 5.0) ** 2

    run = descend(objective, numpy.array([8.0, 0.4]), steps=100, rate=0.0002)
    q = list(run.reasons.quantities).index("height")
    assert abs(run.reasons.remainder[q]) < 0.01 * abs(run.reasons.changes[q])


def test_parameters_in_a_dict_of_arrays_and_large_arrays_as_a_whole() -> None:
    def objective(p: Any) -> Any:
        return xi.watch(np.sum((p["w"] - 1.0) ** 2), "misfit") + xi.watch(p["b"] ** 2, "offset")

    x = {"w": numpy.linspace(-1, 1, 60), "b": 2.0}
    with xi.record() as run:
        for _ in range(40):
            slope = grad(objective)(x)
            x = {name: x[name] - 0.05 * slope[name] for name in x}
    reasons = run.reasons
    assert sorted(reasons.parameters) == ["b", "w"]
    row = list(reasons.parameters).index("w")
    numpy.testing.assert_allclose(reasons.parts[row, 0], reasons.changes[0], rtol=0.01)
    assert reasons.parts[1 - row, 0] == 0


# ---------------------------------------------------------------------- long steps


def case(name: str) -> dict[str, Any]:
    def loss(x: Any) -> Any:
        decay = xi.watch(np.exp(-3.0 * x[0]) / x[1], "decay")
        return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + decay

    with xi.record() as run:
        minimize(value_and_grad(loss), [-3.0, 4.0], jac=True, method=name)
    return {"run": run, "loss": loss}


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
def test_long_steps_are_refused_and_subdivided_on_request(method: str) -> None:
    found = case(method)
    run, loss = found["run"], found["loss"]
    assert "run.reasons_for(objective)" in run.reasons.why_not
    before = run.evaluations
    reasons = run.reasons_for(loss)
    assert (reasons.why_not, run.evaluations) == ("", before)
    assert f"{reasons.evaluations + 2} times more" in run.notices[-1]
    iterates = run.parameters["x"][run.accepted]
    exact = integrated(loss, iterates, pieces=200)
    numpy.testing.assert_allclose(reasons.parts[:, -1], exact, atol=0.01 * numpy.abs(exact).max())
    assert numpy.all(numpy.abs(reasons.remainder) < 0.01 * numpy.abs(reasons.parts).max(axis=0))


def test_errors_that_cancel_between_parameters_are_doubted_and_not_told() -> None:
    def ratio(x: Any) -> Any:
        return x[0] / x[1]

    def loss(x: Any) -> Any:
        xi.watch(ratio(x), "reproduction number")
        return np.sum((x - numpy.array([12.0, 10.0])) ** 2)

    x = numpy.array([1.1, 1.0])
    with xi.record() as run:
        for _ in range(8):
            x = x - 0.15 * grad(loss)(x)
    exact = integrated(ratio, run.parameters["x"])
    reasons, largest = run.reasons, numpy.abs(exact).max()
    apart = numpy.abs(reasons.parts[:, 0] - exact)
    assert abs(reasons.remainder[0]) < 0.04 * largest < 0.15 * largest < apart.min(), "hardly anything is left over"
    assert (apart < 2.5 * reasons.doubts[:, 0]).all()
    assert not [fact.text for fact in run.facts if fact.kind == "brought about"]
    fine = run.reasons_for(loss)
    assert (fine.doubts[:, 0] < 0.02 * largest).all()


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
def test_terms_that_nobody_watches_are_subdivided_too_or_it_is_said_what_to_write(method: str) -> None:
    times = numpy.linspace(0, 2, 20)

    def misfit_of(x: Any) -> Any:
        return 100 * np.sum((x[0] * np.exp(-x[1] * times) - numpy.exp(-times)) ** 2)

    def size_of(x: Any) -> Any:
        return 0.1 * np.sum(x**2)

    def loss(x: Any) -> Any:
        misfit = misfit_of(x)
        size = size_of(x)
        return misfit + size

    with xi.record() as run:
        minimize(value_and_grad(loss), [-3.0, 4.0], jac=True, method=method)
    assert list(run.reasons.quantities) == ["misfit", "size", "loss"]
    known = [name for name, is_told in zip(run.reasons.quantities, run.reasons.is_told, strict=True) if is_told]
    reasons = run.reasons_for(loss)
    assert (reasons.why_not, all(reasons.is_told)) == ("", True)
    assert set(known) <= set(reasons.quantities), "what the recording alone tells, this tells as well"
    path = run.parameters["x"][run.accepted]
    exact = {"misfit": integrated(misfit_of, path), "size": integrated(size_of, path)}
    for name in ("misfit", "size"):
        if name in reasons.quantities:
            parts = reasons.parts[:, list(reasons.quantities).index(name)]
            numpy.testing.assert_allclose(parts, exact[name], atol=0.1 * numpy.abs(exact[name]).max())
        else:
            assert f"xi.watch({name}, '{name}')" in run.notices[-1]


def test_another_objective_is_refused() -> None:
    run = case("BFGS")["run"]
    with pytest.raises(xi.XinvError, match="another function"):
        run.reasons_for(lambda x: np.sum(x**2))
    with pytest.raises(xi.XinvError, match="could not be evaluated"):
        run.reasons_for(lambda x, y: np.sum(x**2))


# ---------------------------------------------------------------------- what cannot be had, and what must not be done


def test_batches_leave_over_too_much_and_it_is_said() -> None:
    draw = numpy.random.RandomState(0)

    def objective(x: Any, batch: Any) -> Any:
        return xi.watch(np.mean((x[0] + x[1] * batch - 2.0 * batch) ** 2), "error") + 0.0 * x[0]

    x = numpy.array([1.0, 0.0])
    with xi.record() as run:
        for _ in range(80):
            x = x - 0.02 * grad(objective)(x, draw.randn(3) * draw.choice([0.1, 5.0]))
    reasons = run.reasons
    q = list(reasons.quantities).index("error") if "error" in reasons.quantities else -1
    assert reasons.why_not or abs(reasons.remainder[q]) < 0.1 * abs(reasons.parts[:, q]).max()


def test_a_quantity_that_begins_in_mid_run_is_told_of_where_it_is() -> None:
    state = {"iteration": 0}

    def objective(x: Any) -> Any:
        if state["iteration"] >= 20:
            xi.watch(x[0] * x[1], "area")
        return np.sum((x - 2.0) ** 2)

    x = numpy.array([0.0, 1.0])
    with xi.record() as run:
        for k in range(60):
            state["iteration"] = k
            x = x - 0.03 * grad(objective)(x)
    assert list(run.reasons.quantities) == ["loss"]
    late = run.reasons.over(40, 59)
    assert list(late.quantities) == ["area", "loss"]
    assert abs(late.remainder[0]) < 0.1 * abs(late.changes[0])


def test_the_users_own_derivatives_are_not_called_again() -> None:
    calls = []

    @primitive
    def cube(x: Any) -> Any:
        return x**3

    def slope_of_cube(ans: Any, x: Any) -> Any:
        def passed_on(g: Any) -> Any:
            calls.append(x)
            return g * 3 * x**2

        return passed_on

    defvjp(cube, slope_of_cube)
    run = descend(lambda x: xi.watch(cube(x[0]) ** 2, "wear"), numpy.array([1.0, 2.0]), steps=9)
    assert len(calls) == run.evaluations == 9
    assert list(run.reasons.quantities) == ["loss"]


def test_nothing_recorded_and_bad_numbers_are_told_plainly() -> None:
    with xi.record() as run:
        pass
    assert run.reasons.why_not
    assert run.pushes().why_not
    run = descend(line, numpy.array([6.0, 7.0, 8.0, 8.0]), steps=5)
    for first, last in ((-1, 3), (3, 1), (0, 5), (0.5, 3)):
        with pytest.raises(xi.XinvError, match=r"reasons\.over"):
            run.reasons.over(first, last)  # type: ignore[arg-type]
    for iteration in (-1, 5, 1.5, "last"):
        with pytest.raises(xi.XinvError, match=r"run\.pushes"):
            run.pushes(iteration)  # type: ignore[arg-type]


def test_a_recording_by_hand_has_reasons_of_its_loss() -> None:
    with xi.record() as run:
        for k in range(50):
            x = numpy.array([3.0, -1.0]) * 0.9**k
            run.add(x @ x, x, 2 * x, size=float(numpy.abs(x).sum()))
    assert list(run.reasons.quantities) == ["loss"]
    numpy.testing.assert_allclose(run.reasons.parts.sum(), run.reasons.changes[0], rtol=0.01)


@pytest.mark.parametrize("objective", [lambda x: None, lambda x: "text", lambda x: 3.0])
def test_an_objective_that_returns_no_number_is_refused(objective: Any) -> None:
    with pytest.raises(xi.XinvError, match="objective"):
        case("BFGS")["run"].reasons_for(objective)


def test_numbers_of_numpy_name_evaluations_too(rail: xi.Run) -> None:
    assert rail.reasons.over(numpy.int64(0), numpy.int64(5)).span == (0, 5)


def test_a_quantity_that_the_program_calls_loss_is_told_apart_from_the_loss() -> None:
    run = descend(
        lambda x: xi.watch((x[0] - 1.0) ** 2, "loss") + xi.watch(0.1 * x[1] ** 2, "c"), numpy.array([3.0, 1.0])
    )
    assert list(run.reasons.quantities) == ["loss", "c", "whole loss"]
