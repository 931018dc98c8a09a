"""Findings about what the data determine, when to stop and where to start; and silence where all is well."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import curve_fit, least_squares, minimize

import xinv_nb as xi
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.run import Run

T = numpy.linspace(0.0, 5.0, 40)
NOISE = numpy.random.default_rng(0).standard_normal(40)


def kinds(run: Run) -> list[str]:
    return [each.kind for each in run.diagnosis]


def the(run: Run, kind: str) -> Finding:
    (finding,) = [each for each in run.diagnosis[:2] if each.kind == kind]
    return finding


# ---------------------------------------------------------------------- undetermined


def amplitude_and_gain(p):
    return np.mean((p[0] * p[1] * np.exp(-p[2] * T) - 3.0 * numpy.exp(-0.8 * T) - 0.05 * NOISE) ** 2)


def sum_of_rates(p):
    return np.sum((np.exp(-(np.exp(p[0]) + np.exp(p[1])) * T) - numpy.exp(-0.7 * T) - 0.02 * NOISE) ** 2)


def ratio(p):
    """Only p[0] / p[1] enters, as a mobility does: permeability by viscosity."""
    return np.sum((p[0] / p[1] * T - 1.5 * T - 0.1 * NOISE) ** 2)


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "Newton-CG", "gd"])
@pytest.mark.parametrize(
    ("loss", "start", "rate", "pair"),
    [
        (amplitude_and_gain, [1.0, 2.0, 0.5], 0.05, {"p[0]", "p[1]"}),
        (sum_of_rates, [-2.0, -1.0], 0.05, {"p[0]", "p[1]"}),
        (ratio, [2.0, 1.2], 1e-3, {"p[0]", "p[1]"}),
    ],
)
def test_where_only_a_combination_enters_that_is_told(loss, start, rate: float, pair, method: str) -> None:
    with xi.record(live=False) as run:
        p = numpy.array(start)
        if method == "gd":
            for _ in range(400):
                p = p - rate * grad(loss)(p)
        else:
            minimize(value_and_grad(loss), p, jac=True, method=method)
    run.identify(loss)
    finding = the(run, "undetermined")
    assert finding.form == "flat"
    moves = finding.values["moves"]
    assert set(moves) == pair
    end = run.point(-1)
    step = numpy.array([moves.get(f"p[{k}]", 0.0) for k in range(len(end))])
    assert abs(loss(end + step) - loss(end)) <= 1e-3 * numpy.ptp(run.loss)


def test_the_advice_to_fix_one_of_them_determines_the_other() -> None:
    def fixed(q):
        return ratio(np.array([q[0], 1.2]))

    with xi.record(live=False) as run:
        minimize(value_and_grad(fixed), numpy.array([2.0]), jac=True, method="BFGS")
    run.identify(fixed)
    assert kinds(run) == []


def test_residuals_that_are_blind_to_a_combination() -> None:
    with xi.record(live=False) as run:
        least_squares(lambda p: (p[0] + p[1]) * T + p[2] - 2 * T - 1 - 0.1 * NOISE, [0.5, 0.7, 0.0])
    finding = the(run, "undetermined")
    assert finding.form == "flat, by the data"


def test_a_parameter_without_effect_and_too_few_data() -> None:
    with xi.record(live=False) as run:
        least_squares(lambda p: p[0] * T + 0 * p[1] - 2 * T - 0.1 * NOISE, [0.5, 0.7])
    assert the(run, "undetermined").text.startswith("At the end no residual changes with p[1], by the derivatives")

    def few(p):
        return numpy.array([p[0] + p[1] - 1.0, p[1] * p[2] - 2.0])

    with xi.record(live=False) as run:
        for k in range(20):
            p = numpy.array([0.5 + 0.02 * k, 0.3, 1.0])
            run.add(float(few(p) @ few(p)), p, residuals=few(p))
    assert the(run, "undetermined").text == "Not determined: 2 residuals cannot tell the values of 3 parameters."


def test_a_tie_with_its_truth_is_told_by_the_readers_names() -> None:
    """A line far from the origin, stopped early: intercept and slope stand in for each other."""
    t = numpy.linspace(9.0, 11.0, 30)

    def loss(q):
        return np.sum((q["intercept"] + q["slope"] * t - 2.0 - 0.5 * t) ** 2)

    known = {"intercept": xi.Parameter("intercept", "m", truth=2.0), "slope": xi.Parameter("slope", "m/s", truth=0.5)}
    with xi.record("line", problem=xi.Problem("A line", parameters=known), live=False) as run:
        adam(lambda q, i: grad(loss)(q), {"intercept": 0.0, "slope": 0.2}, num_iters=150, step_size=0.01)
    run.identify(loss)
    finding = the(run, "undetermined")
    assert "are tied: their correlation is −0.998" in finding.text
    assert "(true value: 2 m)" in finding.text
    with xi.record(live=False) as advised:  # a method that uses the curvature
        minimize(
            value_and_grad(lambda p: loss({"intercept": p[0], "slope": p[1]})), numpy.zeros(2), jac=True, method="BFGS"
        )
    assert advised.loss[-1] < 1e-3 * run.loss[-1]


def test_what_is_determined_is_not_suspected() -> None:
    """Correlated and ill-conditioned, but at a minimum; a coefficient of 0; a perfect fit; a parameter near 0."""
    line = numpy.column_stack([numpy.ones(40), T + 5.0, (T + 5.0) ** 2])

    def quadratic(w):
        return np.mean((np.dot(line, w) - line @ numpy.array([1.0, 0.0, 1e-3]) - 0.1 * NOISE) ** 2)

    def rosenbrock(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    for loss, start in ((quadratic, numpy.zeros(3)), (rosenbrock, numpy.array([-1.2, 1.0]))):
        with xi.record(live=False) as run:
            minimize(value_and_grad(loss), start, jac=True, method="BFGS")
        run.identify(loss)
        assert kinds(run) == []
    with xi.record(live=False) as run:
        curve_fit(lambda t, a, b: a * numpy.exp(-b * t), T, 2 * numpy.exp(-T) + 0.02 * NOISE, p0=[1.0, 0.5])
    assert kinds(run) == []


# ---------------------------------------------------------------------- overfit


def polynomial(degree: int, steps: int, *, watched: bool = True) -> Run:
    """A polynomial trained on a few noisy points, with others kept out."""
    draws = numpy.random.default_rng(4)
    t, other = numpy.linspace(-1, 1, 12), numpy.linspace(-0.95, 0.95, 30)
    powers, kept_out = (numpy.polynomial.chebyshev.chebvander(x, degree) for x in (t, other))
    y = numpy.sin(3 * t) + 0.4 * draws.standard_normal(12)

    def loss(w):
        return np.mean((np.dot(powers, w) - y) ** 2)

    with xi.record(live=False) as run:
        w = numpy.zeros(degree + 1)
        for _ in range(steps):
            if watched:
                xi.watch(float(numpy.mean((kept_out @ w - numpy.sin(3 * other)) ** 2)), "validation loss")
            w = w - 0.1 * grad(loss)(w)
    return run


def test_a_held_out_loss_that_rises_is_overfitting() -> None:
    run = polynomial(11, 400)
    finding = the(run, "overfit")
    at = finding.values["at"]
    curve = numpy.asarray(run.watches["validation loss"].values, dtype=float)
    assert curve[at] == pytest.approx(curve.min(), rel=0.02)
    assert f"run.point({at})" in finding.advice
    assert "overfit" not in kinds(polynomial(11, 400, watched=False))
    assert "overfit" not in kinds(polynomial(3, 60))


def test_a_held_out_loss_of_a_program_recorded_by_hand() -> None:
    with xi.record(live=False) as run:
        for k in range(60):
            run.add(2.0 * 0.95**k, 0.1 * k, -0.1, held_out_error=1.0 + 0.01 * (k - 20) ** 2)
    assert the(run, "overfit").values["at"] == 20


# ---------------------------------------------------------------------- misfit at the noise


def smoothed_out(steps: int, penalty: float = 0.0, sigma: float = 0.3) -> Run:
    """A profile of as many values as there are data."""
    heights = numpy.sin(T) + 0.3 * NOISE

    def loss(x):
        misfit = xi.data((x - heights), "heights", sigma=sigma)
        return np.sum((misfit / sigma) ** 2) + penalty * np.sum(np.diff(x) ** 2)

    with xi.record(live=False) as run:
        x = numpy.full(40, 3.0)
        if penalty:
            minimize(value_and_grad(loss), x, jac=True, method="L-BFGS-B", options={"maxiter": steps})
        for _ in range(0 if penalty else steps):
            x = x - 0.1 * sigma**2 * grad(loss)(x)
    return run


def test_the_iteration_is_told_at_which_the_data_were_met() -> None:
    run = smoothed_out(120)
    finding = the(run, "misfit-at-noise")
    squares = numpy.sum((run.parameters["x"] - numpy.sin(T) - 0.3 * NOISE) ** 2, axis=1) / 0.3**2
    at = finding.values["at"]
    assert squares[at] <= 40 < squares[at - 1]
    assert finding.values["end"] == pytest.approx(squares[-1])
    weighed = smoothed_out(200, penalty=100.0)  # the advice: a penalty that lets the sum end near the number of data
    errors = [numpy.mean((each.parameters["x"][-1] - numpy.sin(T)) ** 2) for each in (run, weighed)]
    assert "misfit-at-noise" not in kinds(weighed)
    assert errors[1] < 0.7 * errors[0]


def test_a_fit_that_stops_at_the_noise_or_has_few_parameters_is_left_alone() -> None:
    assert "misfit-at-noise" not in kinds(smoothed_out(14))
    assert "misfit-at-noise" not in kinds(smoothed_out(120, penalty=300.0))

    def line(p):
        misfit = xi.data(p[0] + p[1] * T - 1.0 - 2.0 * T - 0.3 * NOISE, "heights", sigma=3.0)
        return np.sum((misfit / 3.0) ** 2)

    with xi.record(live=False) as run:  # sigma is too large: that is told elsewhere
        p = numpy.zeros(2)
        for _ in range(200):
            p = p - 0.01 * grad(line)(p)
    assert "misfit-at-noise" not in kinds(run)


# ---------------------------------------------------------------------- a poor start


def well(x):
    return np.sum(1.0 - np.exp(-((x - 1.0) ** 2) / 2))


def saturated(w):
    return np.mean((1 / (1 + np.exp(-w * T)) - 1 / (1 + numpy.exp(T))) ** 2)


@pytest.mark.parametrize(("loss", "start", "rate"), [(well, 5.2, 1.0), (well, -3.3, 1.0), (saturated, 11.0, 4.0)])
def test_a_start_on_a_plateau_is_told(loss, start: float, rate: float) -> None:
    with xi.record(live=False) as run:
        x = start
        for _ in range(100_000):
            x = x - rate * grad(loss)(x)
            if run.evaluations > 30 and run.loss[-1] < 0.02 * run.loss[0]:
                break
            if run.evaluations > 3000:
                break
    assert run.loss[-1] < 0.5 * run.loss[0], "the program itself should get there"
    finding = the(run, "poor-start")
    assert finding.span[0] == 0
    with xi.record(live=False) as advised:  # nearer
        x = 1.0 + (start - 1.0) / 3 if loss is well else start / 3
        for _ in range(run.evaluations // 2):
            x = x - rate * grad(loss)(x)
    assert advised.loss[-1] <= run.loss[-1]


def test_slow_but_steady_is_no_poor_start() -> None:
    for start in (1.2, 2.2):
        with xi.record(live=False) as run:
            x = start
            for _ in range(200):
                x = x - 0.05 * grad(well)(x)
        assert "poor-start" not in kinds(run)


def test_an_exact_fit_tells_only_what_its_residuals_depend_on() -> None:
    times = numpy.linspace(0, 5, 40)
    with xi.record(live=False) as run:
        least_squares(lambda p: (p[0] + p[1]) * times + p[2] - 2 * times - 1, [0.0, 0.0, 0.0])
    assert run.loss[-1] < 1e-20
    assert run.diagnosis[0].kind == "undetermined"
