"""A run run again with something changed: the same way where nothing is, and errors that say what to write."""

from __future__ import annotations

import pickle
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam, rmsprop, sgd
from scipy.optimize import curve_fit, least_squares, minimize

import xinv_nb as xi

START = numpy.array([3.0, 2.0])


def cost(p: Any) -> Any:
    return np.sum((p - 1.0) ** 2 * np.array([1.0, 5.0]))


def by_hand(step: float = 0.05, momentum: float = 0.0) -> xi.Run:
    p, speed = START, numpy.zeros(2)
    with xi.record("by hand") as run:
        for _ in range(12):
            speed = momentum * speed - step * grad(cost)(p)
            p = p + speed
    return run


def by(optimizer: Any) -> xi.Run:
    with xi.record("loop") as run:
        optimizer(lambda p, _: grad(cost)(p), START, num_iters=10, step_size=0.1)
    return run


def solved(method: str, *, slopes: bool = True, bounds: Any = None) -> xi.Run:
    with xi.record(method) as run:
        minimize(value_and_grad(cost) if slopes else cost, START, jac=slopes or None, method=method, bounds=bounds)
    return run


RUNS = {
    "descent": by_hand,
    "momentum": lambda: by_hand(0.02, 0.6),
    "adam": lambda: by(adam),
    "sgd": lambda: by(sgd),
    "rmsprop": lambda: by(rmsprop),
    "BFGS": lambda: solved("BFGS"),
    "BFGS by differences": lambda: solved("BFGS", slopes=False),
    "CG": lambda: solved("CG"),
    "L-BFGS-B within bounds": lambda: solved("L-BFGS-B", bounds=[(2, 5), (None, None)]),
    "SLSQP": lambda: solved("SLSQP"),
    "TNC": lambda: solved("TNC"),
    "Nelder-Mead": lambda: solved("Nelder-Mead", slopes=False),
    "Powell": lambda: solved("Powell", slopes=False),
    "COBYLA": lambda: solved("COBYLA", slopes=False),
}


@pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)
def test_with_nothing_changed_it_is_the_same_run(make: Any) -> None:
    run = make()
    again = run.replay(cost)
    numpy.testing.assert_allclose(again.parameters["p"], run.parameters["p"], rtol=1e-9, atol=1e-12)
    assert again.accepted.tolist() == run.accepted.tolist()
    assert again.optimizer == run.optimizer
    assert [fact.form for fact in again.facts if fact.kind == "replay"] == ["again", "the same"]


@pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)
def test_what_is_held_stays_and_the_rest_moves(make: Any) -> None:
    again = make().replay(cost, fixed={"p[1]": 1.5})
    assert (again.parameters["p"][:, 1] == 1.5).all()
    assert numpy.ptp(again.parameters["p"][:, 0]) > 0
    assert again.accepted.any()


def test_a_step_size_of_ones_own() -> None:
    again = by_hand().replay(cost, step_size=0.1)
    p = START
    for row in again.parameters["p"]:
        numpy.testing.assert_allclose(row, p, rtol=1e-9)
        p = p - 0.1 * grad(cost)(p)
    with xi.record() as run:
        adam(lambda p, _: grad(cost)(p), START, num_iters=10, step_size=0.3)
    numpy.testing.assert_array_equal(by(adam).replay(cost, step_size=0.3).parameters["p"], run.parameters["p"])


def test_a_run_that_went_up_goes_up_with_another_step_size() -> None:
    p = START
    with xi.record("up") as run:
        for _ in range(10):
            p = p + 0.05 * grad(lambda p: -cost(p))(p)
    again = run.replay(lambda p: -cost(p), step_size=0.1)
    assert again.loss[-1] > run.loss[-1] > run.loss[0]
    assert "with a step size of 0.1 instead of 0.05." in again.facts[0].text + again.facts[1].text


def test_another_start_and_from_an_iteration_on() -> None:
    run = by_hand()
    assert run.replay(cost, start=[5.0, 5.0]).parameters["p"][0].tolist() == [5.0, 5.0]
    assert run.replay(cost, start={"p[0]": -1}).parameters["p"][0].tolist() == [-1.0, 2.0]
    later = run.replay(cost, from_iteration=4)
    numpy.testing.assert_allclose(later.parameters["p"], run.parameters["p"][4:], rtol=1e-9)
    assert later.notices == []
    assert "begins anew at iteration 4" in by(adam).replay(cost, from_iteration=4).notices[0]


def test_another_optimizer_and_more_iterations() -> None:
    assert by_hand().replay(cost, optimizer="l-bfgs-b").optimizer == "L-BFGS-B"
    again = by_hand().replay(cost, optimizer="adam", step_size=0.1, iterations=30)
    assert again.optimizer.startswith("Adam")
    assert again.evaluations == 30


def test_parameters_are_given_back_as_they_were_taken() -> None:
    def nested(p: Any) -> Any:
        return cost(np.array([p["a"], p["more"][0]])) + np.sum(p["more"][1] ** 2)

    start = {"a": 3.0, "more": (2.0, numpy.array([1.0, 2.0]))}
    with xi.record() as run:
        adam(lambda p, _: grad(nested)(p), start, num_iters=6, step_size=0.1)
    again = run.replay(nested)
    assert {name: values.shape for name, values in again.parameters.items()} == {
        name: values.shape for name, values in run.parameters.items()
    }
    for name, values in run.parameters.items():
        numpy.testing.assert_allclose(again.parameters[name], values, rtol=1e-12)
    assert again.point(2)["more"][0] == run.point(2)["more"][0]
    assert run.replay(nested, start={"a": 1.0}).point(0)["a"] == 1.0
    whole = run.replay(nested, start={"a": 1.0, "more": (0.0, [0.5, 0.5])}).point(0)
    assert (whole["a"], whole["more"][1].tolist()) == (1.0, [0.5, 0.5])

    def two(a: Any, b: Any) -> Any:
        return (a - 1.0) ** 2 + np.sum(b**2)

    with xi.record() as run:
        a, b = 3.0, numpy.ones(2)
        for _ in range(6):
            slopes = grad(two, (0, 1))(a, b)
            a, b = a - 0.1 * slopes[0], b - 0.1 * slopes[1]
    again = run.replay(two, fixed=["b[0]"])
    numpy.testing.assert_allclose(again.parameters["a"], run.parameters["a"], rtol=1e-12)
    assert (again.parameters["b"][:, 0] == 1.0).all()


def test_fits_by_their_residuals() -> None:
    t = numpy.linspace(0, 1, 10)
    y = 2 * numpy.exp(-t)
    with xi.record() as run:
        least_squares(lambda p: p[0] * numpy.exp(-p[1] * t) - y, [1.0, 2.0], method="lm", xtol=1e-6)
    residuals = lambda p: p[0] * numpy.exp(-p[1] * t) - y  # noqa: E731
    numpy.testing.assert_array_equal(run.replay(residuals).parameters["p"], run.parameters["p"])
    held = run.replay(residuals, fixed={"p[1]": 1.5})
    assert (held.parameters["p"][:, 1] == 1.5).all()
    assert held.residuals is not None
    for bounds in ((-numpy.inf, numpy.inf), (0, [3, 3])):
        with xi.record() as run:
            curve_fit(lambda t, a, b: a * numpy.exp(-b * t), t, y, [1.0, 2.0], bounds=bounds)
        again = run.replay(lambda a, b: a * numpy.exp(-b * t) - y)
        numpy.testing.assert_array_equal(again.parameters["a"], run.parameters["a"])
    with pytest.raises(xi.XinvError, match=r"Residual 0 is .* where .* was recorded"):
        run.replay(lambda a, b: a * numpy.exp(-b * t) - y + 1)


def test_batches_are_chosen_by_the_iteration() -> None:
    random = numpy.random.RandomState(0)
    x = random.randn(100, 2)
    y = x @ numpy.array([1.0, -2.0])

    def loss(w: Any, i: int = 0) -> Any:
        rows = slice(5 * i % 100, 5 * i % 100 + 5)
        return np.mean((np.dot(x[rows], w) - y[rows]) ** 2)

    with xi.record() as run:
        adam(grad(loss), np.zeros(2), num_iters=60, step_size=0.05)
    numpy.testing.assert_array_equal(run.replay(loss).parameters["w"], run.parameters["w"])
    with pytest.raises(xi.XinvError, match="another value each time"):
        run.replay(lambda w: loss(w, 0))


def test_more_iterations_than_there_are_batches_say_what_to_write() -> None:
    batches = [numpy.array([1.0, k / 10]) for k in range(40)]

    def loss(w: Any, i: int) -> Any:
        return np.sum((batches[i] * w - 1.0) ** 2)

    with xi.record() as run:
        adam(grad(loss), np.ones(2), num_iters=40, step_size=0.05)
    with pytest.raises(
        xi.XinvError, match=r"at iteration 40 .*IndexError.* iterations=40.*batches\[i % len"
    ) as refused:
        run.replay(loss, iterations=60)
    assert isinstance(refused.value.__cause__, IndexError)
    with pytest.raises(xi.XinvError, match=r"iterations=25"):
        run.replay(loss, from_iteration=15, iterations=60)
    assert run.replay(loss, from_iteration=15, iterations=25).evaluations == 25


def test_gradients_by_hand_and_a_recording_that_is_open() -> None:
    with xi.record() as run:
        x = 4.0
        for _ in range(8):
            run.add(x**2, {"x": x}, {"x": 2 * x})
            x -= 0.1 * 2 * x
    with xi.record() as other:
        again = run.replay(lambda p: (p["x"] ** 2, {"x": 2 * p["x"]}), step_size=0.2)
    assert other.evaluations == 0
    assert again.parameters["x"][1] == pytest.approx(4.0 - 0.2 * 8.0)


def test_the_objective_may_be_the_problems() -> None:
    problem = xi.Problem("bowl", objective=xi.Objective("depth", "m", function=cost))
    with xi.record(problem=problem) as run:
        adam(lambda p, _: grad(cost)(p), START, num_iters=10, step_size=0.1)
    again = run.replay(step_size=0.2)
    assert "depth" in next(fact.text for fact in again.facts if fact.form.startswith("loss"))


def test_it_is_saved_with_what_it_changed() -> None:
    again = by_hand().replay(cost, step_size=0.1)
    copy = pickle.loads(pickle.dumps(again))
    assert [fact.text for fact in copy.facts] == [fact.text for fact in again.facts]


def scheduled() -> xi.Run:
    p = START
    with xi.record() as run:
        for k in range(12):
            p = p - 0.05 / (k + 1) * grad(cost)(p)
    return run


def constrained() -> xi.Run:
    with xi.record() as run:
        limit = {"type": "ineq", "fun": lambda p: p[0] - 2}
        minimize(value_and_grad(cost), START, jac=True, method="SLSQP", constraints=limit)
    return run


@pytest.mark.parametrize(
    ("make", "arguments", "says"),
    [
        (by_hand, {}, r"Objective\(…, function=…\)"),
        (by_hand, {"objective": 3}, "cannot be called"),
        (by_hand, {"objective": lambda p: cost(p) + 1}, "The objective is 10 at iteration 0, .* recorded loss is 9"),
        (by_hand, {"objective": lambda p: p}, "one real number"),
        (by_hand, {"objective": lambda a, b, c: a}, "takes the recorded parameters and nothing else"),
        (by_hand, {"objective": lambda p: float(numpy.sum(cost(p)))}, "could not be differentiated .*Nelder-Mead"),
        (by_hand, {"objective": cost, "fixed": {"p[2]": 1}}, r"no parameter 'p\[2\]'; did you mean 'p\[1\]'"),
        (by_hand, {"objective": cost, "fixed": 3}, "maps names of parameters"),
        (by_hand, {"objective": cost, "fixed": ["p"]}, "none is left to move"),
        (by_hand, {"objective": cost, "start": {"speed": 1}}, "there is no parameter 'speed'"),
        (by_hand, {"objective": cost, "start": [1, 2, 3]}, "structure of the parameters"),
        (by_hand, {"objective": cost, "start": {"p[0]": "x"}}, "a finite number"),
        (by_hand, {"objective": cost, "step_size": "large"}, "a positive number"),
        (by_hand, {"objective": cost, "step_size": -0.1}, "a positive number"),
        (by_hand, {"objective": cost, "from_iteration": 12}, "from 0 to 11"),
        (by_hand, {"objective": cost, "iterations": 0}, "from 1 to"),
        (by_hand, {"objective": cost, "optimizer": "best"}, "knows 'adam', 'rmsprop', 'sgd'"),
        (by_hand, {"objective": cost, "optimizer": "adam"}, "needs a step size"),
        (lambda: solved("BFGS"), {"objective": cost, "step_size": 0.1}, "chooses the length of its steps"),
        (scheduled, {"objective": cost}, "size of its steps changed"),
        (constrained, {"objective": cost, "optimizer": "BFGS"}, "constraints are functions"),
        (
            lambda: solved("L-BFGS-B", bounds=[(2, 5), (0, 5)]),
            {"objective": cost, "optimizer": "BFGS"},
            "bounds, which BFGS does not take",
        ),
        (
            lambda: solved("L-BFGS-B", bounds=[(2, 5), (0, 5)]),
            {"objective": cost, "optimizer": "adam", "step_size": 0.1},
            "bounds, which Adam does not take",
        ),
        (
            lambda: solved("L-BFGS-B", bounds=[(2, 5), (0, None)]),
            {"objective": cost, "start": {"p[0]": 7}},
            r"p\[0\] would start at 7, beyond its upper bound of 5.* fixed=\{'p\[0\]': 7\}",
        ),
    ],
)
def test_what_cannot_be_done_says_what_to_write(make: Any, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(xi.XinvError, match=says):
        make().replay(**arguments)
