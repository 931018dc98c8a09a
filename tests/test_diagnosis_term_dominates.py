"""A term of the loss that outweighs the rest is told, with what it did to the fit; what is balanced is not."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.facts.diagnosis.finding import Finding

KIND = "term-dominates"
DRAW = numpy.random.RandomState(3)
TIMES = numpy.linspace(0.0, 1.0, 30)
SEEN = numpy.sin(6.0 * TIMES) + 0.05 * DRAW.randn(30)
POWERS = TIMES[:, None] ** numpy.arange(6)
SAMPLE = 4.0 + 2.5 * DRAW.randn(50)


def told(run: xi.Run) -> list[Finding]:
    return [finding for finding in run.diagnosis if finding.kind == KIND]


def fitted(weight: float, start: numpy.ndarray) -> tuple[xi.Run, float]:
    """Fit a polynomial with its size weighed; returns the run and the misfit at its end."""

    def objective(c: Any) -> Any:
        misfit = np.sum((np.dot(POWERS, c) - SEEN) ** 2)
        size = weight * np.sum(c**2)
        return misfit + size

    with xi.record() as run:
        end = minimize(value_and_grad(objective), start, jac=True, method="L-BFGS-B").x
    return run, float(numpy.sum((POWERS @ end - SEEN) ** 2))


NEAR = numpy.linalg.lstsq(POWERS, SEEN, rcond=None)[0] * 0.5


def test_a_size_weighed_so_heavily_that_the_fit_is_given_up() -> None:
    run, misfit = fitted(1e3, NEAR)
    (finding,) = told(run)
    assert finding.severity == "warning"
    assert finding in run.diagnosis[:2]
    assert finding.values["misfit_end"] == pytest.approx(misfit, rel=1e-3)
    assert finding.text.startswith("Size outweighs misfit: it fell from")
    assert "weight of size" in finding.advice


def test_with_the_weight_lowered_as_advised_the_fit_is_better_and_nothing_is_told() -> None:
    _, before = fitted(1e3, NEAR)
    run, after = fitted(1e-3, NEAR)
    assert after < 0.2 * before
    assert told(run) == []


def test_terms_that_stand_in_one_line() -> None:
    def loss(m: Any) -> Any:
        return np.mean((m - SEEN) ** 2) + 4000.0 * np.mean(np.diff(m) ** 2)

    with xi.record() as run:
        minimize(value_and_grad(loss), SEEN + 0.1, jac=True, method="L-BFGS-B")
    (finding,) = told(run)
    assert "4000.0 * np.mean(np.diff(m) ** 2) outweighs np.mean((m - SEEN) ** 2)" in finding.text


def test_it_is_told_of_a_saved_run_as_well(tmp_path: Any) -> None:
    run, _ = fitted(1e3, NEAR)
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert [f.text for f in again.diagnosis] == [f.text for f in run.diagnosis]


# ---------------------------------------------------------------------- counted too often


def normal(p: Any) -> Any:
    n = len(SAMPLE)
    return -np.sum(-n / 2 * np.log(2 * np.pi * p[1] ** 2) - (SAMPLE - p[0]) ** 2 / (2 * p[1] ** 2))


def laplace(p: Any) -> Any:
    count = SAMPLE.size
    each = count * np.log(2 * p["width"]) + np.abs(SAMPLE - p["middle"]) / p["width"]
    return np.mean(each)


def right(p: Any) -> Any:
    return len(SAMPLE) / 2 * np.log(2 * np.pi * p[1] ** 2) + np.sum((SAMPLE - p[0]) ** 2) / (2 * p[1] ** 2)


def right_inside(p: Any) -> Any:
    return np.sum(0.5 * np.log(2 * np.pi * p[1] ** 2) + (SAMPLE - p[0]) ** 2 / (2 * p[1] ** 2))


def test_the_constant_of_a_likelihood_inside_the_sum_is_told_with_its_line() -> None:
    with xi.record() as run:
        end = minimize(value_and_grad(normal), [3.0, 2.0], jac=True, method="BFGS").x
    (finding,) = told(run)
    assert (finding.values["count"], finding.values["factor"]) == (50, 25.0)
    assert finding.values["line"] == normal.__code__.co_firstlineno + 2
    assert "counts 50 times too often" in finding.text
    assert abs(end[1]) == pytest.approx(SAMPLE.std() / 50**0.5, rel=1e-3)


def test_a_mean_and_another_likelihood() -> None:
    p = {"middle": 3.0, "width": 2.0}
    with xi.record() as run:
        for _ in range(20):
            slope = grad(laplace)(p)
            p = {name: p[name] - 1e-3 * slope[name] for name in p}
    (finding,) = told(run)
    assert (finding.values["count"], finding.values["operation"]) == (50, "mean")


@pytest.mark.parametrize("loss", [right, right_inside])
def test_what_the_advice_says_gives_the_deviation_of_the_data_and_nothing_is_told(loss: Any) -> None:
    with xi.record() as run:
        end = minimize(value_and_grad(loss), [3.0, 2.0], jac=True, method="BFGS").x
    assert told(run) == []
    assert abs(end[1]) == pytest.approx(SAMPLE.std(), rel=1e-3)


# ---------------------------------------------------------------------- near misses


def test_a_descent_that_starts_at_the_data_cannot_but_leave_them() -> None:
    def loss(m: Any) -> Any:
        misfit = np.sum((m - SEEN) ** 2)
        roughness = 5.0 * np.sum(np.diff(m) ** 2)
        return misfit + roughness

    m = SEEN.copy()
    with xi.record() as run:
        for _ in range(100):
            m = m - 0.02 * grad(loss)(m)
    assert told(run) == []


def test_a_penalty_that_rises_from_nothing_while_the_data_are_fitted() -> None:
    run, _ = fitted(0.1, numpy.zeros(6))
    assert told(run) == []


def test_a_factor_that_is_no_number_of_data_or_no_logarithm() -> None:
    def weighed(p: Any) -> Any:
        return np.sum(25.0 * p[1] ** 2 + (SAMPLE - p[0]) ** 2)

    def other(p: Any) -> Any:
        return np.sum(3.0 * np.log(p[1] ** 2 + 1) + (SAMPLE - p[0]) ** 2)

    for loss in (weighed, other):
        with xi.record() as run:
            minimize(value_and_grad(loss), [3.0, 2.0], jac=True, method="BFGS")
        assert told(run) == []


def test_terms_without_data_trade_against_each_other_in_peace() -> None:
    def rosenbrock(x: Any) -> Any:
        return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

    with xi.record() as run:
        minimize(value_and_grad(rosenbrock), [0.9, -1.0], jac=True, method="BFGS")
    assert told(run) == []


def likelihood(p: Any) -> Any:
    fit = 0.5 * np.sum((SAMPLE / 2.5 - p[0]) ** 2) / p[1] ** 2
    norm = len(SAMPLE) * np.log(p[1])
    return fit + norm


def balance(m: Any) -> Any:
    misfit = np.sum((m - SEEN) ** 2)
    total = 50.0 * (np.sum(m) - 3.0) ** 2
    return misfit + total


def border(m: Any) -> Any:
    misfit = np.sum((m - SEEN) ** 2)
    edge = 100.0 * (m[-1] - 0.5) ** 2
    return misfit + edge


def positive(m: Any) -> Any:
    misfit = np.sum((m - SEEN) ** 2)
    below = 100.0 * np.sum(np.minimum(m, 0.0) ** 2)
    return misfit + below


def line_by_line(m: Any) -> Any:
    loss = np.sum((m - SEEN) ** 2)
    loss = loss + 4000.0 * np.sum(np.diff(m) ** 2)
    return loss  # noqa: RET504 - as programs are written


@pytest.mark.parametrize("loss", [balance, border, positive])
def test_what_has_to_hold_is_let_be(loss: Any) -> None:
    with xi.record() as run:
        minimize(value_and_grad(loss), SEEN + 0.03 * DRAW.randn(30), jac=True, method="L-BFGS-B")
    assert told(run) == []


def test_the_constant_of_a_likelihood_that_falls_with_the_scale_is_sound() -> None:
    with xi.record() as run:
        minimize(value_and_grad(likelihood), [1.5, 5.0], jac=True, method="L-BFGS-B", bounds=[(None, None), (0.1, 9)])
    assert told(run) == []


def test_a_factor_that_is_the_number_of_data_by_chance_is_let_be() -> None:
    times = numpy.abs(SAMPLE) + 0.1

    def gamma(p: Any) -> Any:
        return np.sum(25.0 * np.log(p[0]) + times / p[0])

    with xi.record() as run:
        minimize(value_and_grad(gamma), [2.0], jac=True, method="L-BFGS-B", bounds=[(0.01, 9)])
    assert told(run) == []


@pytest.mark.parametrize(("weight", "found"), [(1e-2, 0), (10.0, 0), (1e3, 1), (1e5, 1)])
def test_a_fit_that_a_penalty_holds_back_where_it_began(weight: float, found: int) -> None:
    inputs, weights = DRAW.randn(50, 8), DRAW.randn(8)
    outputs = inputs @ weights + 0.5 * DRAW.randn(50)

    def ridge(w: Any) -> Any:
        misfit = np.sum((np.dot(inputs, w) - outputs) ** 2)
        size = weight * np.sum(w**2)
        return misfit + size

    with xi.record() as run:
        minimize(value_and_grad(ridge), numpy.zeros(8), jac=True, method="L-BFGS-B")
    assert len(told(run)) == found
    for finding in told(run):
        assert finding.severity == "caution"
        assert "of that at the start, held back by that of size" in finding.text


# ---------------------------------------------------------------------- the right factor, and the logarithm itself


def of_log_sigma(p: Any, factor: float) -> Any:
    middle, log_sigma = p
    return np.sum(0.5 * (SAMPLE - middle) ** 2 * np.exp(-2 * log_sigma) + factor * log_sigma)


def of_log_variance(p: Any, factor: float) -> Any:
    return np.sum(0.5 * (SAMPLE - p["middle"]) ** 2 / np.exp(p["log v"]) + factor * p["log v"])


def of_sigma(p: Any, factor: float) -> Any:
    return np.sum((SAMPLE - p[0]) ** 2 / (2 * p[1] ** 2) + factor * np.log(p[1] ** 2))


def of_mean(p: Any, factor: float) -> Any:
    return np.mean((SAMPLE - p[0]) ** 2 / (2 * p[1] ** 2) + factor * np.log(p[1] ** 2))


def ended(loss: Any, factor: float) -> tuple[list[Finding], float]:
    """Return what is told of a fit with a factor of the logarithm, and the deviation that it ends at."""
    if loss is of_log_variance:
        p = {"middle": 3.5, "log v": 1.0}
        with xi.record() as run:
            for _ in range(1500):
                slope = grad(loss)(p, factor)
                p = {name: p[name] - 0.001 * slope[name] for name in p}
        return told(run), float(numpy.exp(p["log v"] / 2))
    with xi.record() as run:
        end = minimize(value_and_grad(loss), [3.0, 1.0], args=(factor,), jac=True, method="BFGS").x
    return told(run), float(numpy.exp(end[1]) if loss is of_log_sigma else abs(end[1]))


@pytest.mark.parametrize(
    ("loss", "right"), [(of_log_sigma, 1.0), (of_log_variance, 0.5), (of_sigma, 0.5), (of_mean, 0.5)]
)
def test_the_factor_of_the_advice_is_the_right_one(loss: Any, right: float) -> None:
    (finding,), sigma = ended(loss, len(SAMPLE) * right)
    assert "counts 50 times too often" in finding.text
    assert finding.values["right"] == right
    assert f"the factor {right:g} in the place of {50 * right:g}" in finding.advice
    assert ("Take" in finding.advice) == (loss is not of_mean)  # to take a number out of a mean changes nothing
    assert sigma < 0.2 * SAMPLE.std()
    found, sigma = ended(loss, finding.values["right"])
    assert found == []
    assert sigma == pytest.approx(SAMPLE.std(), rel=1e-2)


def test_the_line_of_a_parameter_that_is_the_logarithm() -> None:
    (finding,), _ = ended(of_log_sigma, len(SAMPLE))
    assert finding.values["line"] == of_log_sigma.__code__.co_firstlineno + 2
    assert finding.text.startswith("factor * log_sigma in line")


def test_a_number_of_data_times_a_parameter_that_is_no_logarithm() -> None:
    def poisson(p: Any) -> Any:
        n = len(SAMPLE)
        return np.sum((SAMPLE - p[0]) ** 2 + n * p[1] + np.exp(-p[0]) + (n * p[1] - 3.0) ** 2)

    with xi.record() as run:
        minimize(value_and_grad(poisson), [3.0, 1.0], jac=True, method="BFGS")
    assert told(run) == []


# ---------------------------------------------------------------------- priors that are centred elsewhere

INPUTS = numpy.random.RandomState(2).randn(50, 4)
OUTPUTS = INPUTS @ numpy.array([2.0, -1.0, 3.0, 0.5])
CENTRE = numpy.array([3.0, 3.0, 3.0, 3.0])


def ridge_about_one(w: Any, weight: float) -> Any:
    fit = np.mean((np.dot(INPUTS, w) - OUTPUTS) ** 2)
    penalty = weight * np.sum((w - 1.0) ** 2)
    return fit + penalty


def posterior(w: Any, weight: float) -> Any:
    lik = 0.5 * np.sum((np.dot(INPUTS, w) - OUTPUTS) ** 2)
    prior = 0.5 * weight * np.sum((w - CENTRE) ** 2)
    return lik + prior


def one_by_one(w: Any, weight: float) -> Any:
    data = np.sum((w[0] * np.exp(-w[1] * TIMES) - 3.0 * numpy.exp(-1.2 * TIMES)) ** 2)
    prior = weight * (w[0] - 1.0) ** 2 + weight * (w[1] - 0.2) ** 2
    return data + prior


PRIORS = [
    (ridge_about_one, [2.0, -1.0, 2.5, 0.6], 5e3),
    (posterior, [2.2, -1.2, 2.8, 0.4], 1e6),
    (one_by_one, [2.5, 1.0], 1e5),
]


@pytest.mark.parametrize(("loss", "start", "weight"), PRIORS)
def test_a_prior_that_is_centred_elsewhere_and_far_too_strong(loss: Any, start: Any, weight: float) -> None:
    def fitted(weight: float) -> xi.Run:
        with xi.record() as run:
            minimize(lambda w: value_and_grad(loss)(w, weight), start, jac=True, method="L-BFGS-B")
        return run

    run = fitted(weight)
    (finding,) = told(run)
    assert finding.severity == "warning"
    assert finding.text.split()[0] in ("Penalty", "Prior")
    assert not [fact for fact in run.facts if fact.kind == "minimum"]
    assert told(fitted(1e-8 * weight)) == []


def test_values_that_are_to_hold_at_an_edge_or_measured_themselves_are_no_priors() -> None:
    def pinned(m: Any) -> Any:
        misfit = np.sum((np.cumsum(m) - numpy.cumsum(SEEN)) ** 2)
        ends = 1e4 * (m[0] - 1.0) ** 2 + 1e4 * (m[-1] + 1.0) ** 2
        return misfit + ends

    def measured(m: Any) -> Any:
        roughness = np.sum(np.diff(m) ** 2)
        misfit = 1e4 * np.sum((m - SEEN) ** 2)
        return roughness + misfit

    for loss in (pinned, measured):
        with xi.record() as run:
            minimize(value_and_grad(loss), SEEN + 0.1, jac=True, method="L-BFGS-B")
        assert told(run) == []
