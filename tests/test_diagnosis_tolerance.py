"""A tolerance that the loss's unit or a constant met is a warning; one that a minimum met is none."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import least_squares, minimize

import xinv_nb as xi
from xinv_nb.run import Run

t = numpy.linspace(0, 5, 40)


def decay(p):
    return p[0] * np.exp(-p[1] * t)


def fit(method: str, unit: float = 1.0, start=(0.6, 1.4), constant: float = 0.0, **options) -> Run:
    """A fit to exact data of that unit; the first parameter has it, too."""
    data = decay(numpy.array([1.0 * unit, 0.8]))

    def loss(p):
        return constant + np.sum((decay(p) - data) ** 2)

    with xi.record("fit") as run:
        jac = {} if method == "Nelder-Mead" else {"jac": True}
        objective = (lambda p: float(loss(p))) if method == "Nelder-Mead" else value_and_grad(loss)
        minimize(objective, [start[0] * unit, start[1]], method=method, options=options, **jac)
    return run


def kinds(run: Run) -> list[str]:
    return [finding.kind for finding in run.diagnosis]


@pytest.mark.parametrize(
    ("method", "form", "option"),
    [("SLSQP", "loss below", "ftol"), ("BFGS", "slope below", "gtol"), ("CG", "slope below", "gtol"),
     ("L-BFGS-B", "slope below", "gtol")],
)  # fmt: skip
def test_a_loss_in_tiny_units_meets_an_absolute_tolerance(method: str, form: str, option: str) -> None:
    run = fit(method, 1e-8)
    finding = run.diagnosis[0]
    assert (finding.kind, finding.severity, finding.form) == ("tolerance", "warning", form)
    assert option in finding.text
    assert not {"minimum", "gradient", "advice"} & {fact.kind for fact in run.facts}


@pytest.mark.parametrize("method", ["SLSQP", "BFGS", "CG", "L-BFGS-B"])
def test_in_units_of_its_own_size_the_fit_has_no_finding_and_gets_there(method: str) -> None:
    run = fit(method)
    assert kinds(run) == []
    assert run.loss[-1] < 1e-3 * run.loss[0]


@pytest.mark.parametrize("method", ["SLSQP", "BFGS"])
def test_the_advice_to_set_the_tolerance_far_lower_gets_further(method: str) -> None:
    unit = 1e-3
    option = "ftol" if method == "SLSQP" else "gtol"
    before, after = fit(method, unit), fit(method, unit, **{option: 1e-14})
    assert before.loss[-1] > 1e-3 * before.loss[0] > after.loss[-1]
    assert kinds(before)[0] == "tolerance"
    assert "tolerance" not in kinds(after)


def test_an_option_that_the_program_set_is_told_instead_of_the_default() -> None:
    finding = fit("SLSQP", 1e-2, ftol=0.5).diagnosis[0]
    assert (finding.kind, finding.values["tolerance"]) == ("tolerance", 0.5)


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "SLSQP"])
def test_differences_of_the_solvers_own_meet_it_too(method: str) -> None:
    data = 1e-6 * decay(numpy.array([1.0, 0.8]))
    with xi.record("tiny") as run:
        minimize(lambda p: float(np.sum((1e-6 * decay(p) - data) ** 2)), [0.6, 1.4], method=method)
    assert kinds(run)[0] == "tolerance"


def test_a_simplex_that_lies_within_the_tolerances() -> None:
    data = 1e-9 * numpy.array([1.0, 2.0, 3.0])
    with xi.record("tiny") as run:
        minimize(lambda p: float(np.sum((p[0] + p[1] * np.arange(3) - data) ** 2)), [2e-9, 5e-9], method="Nelder-Mead")
    finding = run.diagnosis[0]
    assert (finding.kind, finding.form) == ("tolerance", "simplex")
    assert "xatol" in finding.text


def test_a_constant_meets_a_relative_tolerance() -> None:
    sample = numpy.random.RandomState(5).gamma(2.0, 1.5, 200)

    def nll(p):
        return 2e9 + np.sum(sample / np.exp(p[0]) + p[0] + 0.1 * (p[1] - p[0]) ** 2)

    with xi.record("offset") as run:
        minimize(value_and_grad(nll), [0.0, 1.0], jac=True, method="L-BFGS-B")
    finding = run.diagnosis[0]
    assert (finding.kind, finding.form) == ("tolerance", "relative")
    assert finding.values["tolerance"] == pytest.approx(1e7 * numpy.finfo(float).eps * 2e9, rel=1e-3)
    with xi.record("without") as run:
        minimize(value_and_grad(lambda p: nll(p) - 2e9), [0.0, 1.0], jac=True, method="L-BFGS-B")
    assert kinds(run) == []


def test_a_constant_that_leaves_the_test_sharp_enough_is_no_finding() -> None:
    assert kinds(fit("L-BFGS-B", constant=1e4)) == []


@pytest.mark.parametrize("method", ["SLSQP", "BFGS", "L-BFGS-B", "CG"])
def test_a_start_at_the_solution_is_no_finding(method: str) -> None:
    assert kinds(fit(method, start=(1.0, 0.8 + 1e-12))) == []
    assert kinds(fit(method, 1e-8, start=(1.0, 0.8 + 1e-9))) == []  # nor is a slope of 1e-17 one of 0


def test_a_fit_that_noise_keeps_from_zero_is_no_finding() -> None:
    rng = numpy.random.RandomState(3)
    data = 1e-3 * (decay(numpy.array([1.0, 0.8])) + 0.02 * rng.randn(40))
    with xi.record("noisy") as run:
        least_squares(lambda p: 1e-3 * decay(p) - data, [0.6, 1.4])
    assert kinds(run) == []


def test_a_slope_across_a_bound_is_no_unfinished_fit() -> None:
    def loss(p):
        return 1e-9 * ((p[0] - 3.0) ** 2 + (p[1] + 1.0) ** 2)

    with xi.record("bounded") as run:
        minimize(value_and_grad(loss), [0.5, -1.0], jac=True, method="L-BFGS-B", bounds=[(None, 0.5), (None, None)])
    assert "tolerance" not in kinds(run)


def pair_energy(r):
    return 4 * 1.65e-21 * np.sum((1.0 / r) ** 12 - (1.0 / r) ** 6)


def from_zero(p):
    return 1e-10 * ((p[0] - 2.0) ** 2 + (p[1] + 1.0) ** 2)


@pytest.mark.parametrize(
    ("loss", "start", "method"),
    [(pair_energy, [1.5], "BFGS"), (pair_energy, [1.5], "CG"), (pair_energy, [1.4], "L-BFGS-B"),
     (from_zero, [0.0, 0.0], "trust-constr"), (from_zero, [0.0, 0.0], "BFGS")],
)  # fmt: skip
def test_a_tiny_loss_below_zero_or_parameters_of_0_meet_it_too(loss, start, method: str) -> None:
    with xi.record("tiny") as run:
        minimize(loss, start, jac=lambda p: grad(loss)(p), method=method)
    finding = run.diagnosis[0]
    assert (finding.kind, finding.severity, finding.form) == ("tolerance", "warning", "slope below")
    assert "own size, about −" not in finding.advice
    with xi.record("as advised") as run:
        size = finding.values["size"]
        minimize(lambda p: loss(p) / size, start, jac=lambda p: grad(loss)(p) / size, method=method)
    assert "tolerance" not in kinds(run)
    assert run.loss[-1] < run.loss[0] - 0.1


def small(p):
    return 1e-6 * (np.sum((p - numpy.array([3.0, -2.0])) ** 2) + np.sum(p**4))


def far_step(p):
    return np.mean((1 / (1 + np.exp(-(p[0] - 12.0))) - 0.5) ** 2)


@pytest.mark.parametrize(
    ("loss", "start", "method"),
    [(small, [0.5, 0.5], "CG"), (small, [0.5, 0.5], "BFGS"), (small, [0.5, 0.5], "SLSQP"), (far_step, [-2.0], "BFGS")],
)
def test_a_start_that_meets_it_is_told_with_no_word_of_a_minimum(loss, start, method: str) -> None:
    with xi.record("at once") as run:
        end = minimize(value_and_grad(loss), start, jac=True, method=method).x
    assert (end == start).all()
    finding = run.diagnosis[0]
    assert (finding.kind, finding.severity) == ("tolerance", "caution")
    assert "made no step" in finding.text
    assert "this run does not show" in finding.text
    option = {"ftol" if method == "SLSQP" else "gtol": 1e-6 * float(finding.values["tolerance"])}
    with xi.record("as advised") as run:
        minimize(value_and_grad(loss), start, jac=True, method=method, options=option)
    assert run.loss[-1] < run.loss[0]


def test_a_fall_that_a_constant_hides_is_not_told_as_none() -> None:
    def loss(p):
        return 1e10 + 4 * (p[0] - 3.0) ** 2 + (p[1] + 1.0) ** 2

    with xi.record("offset") as run:
        minimize(value_and_grad(loss), [1.0, 1.0], jac=True, method="L-BFGS-B")
    assert kinds(run)[0] == "tolerance"
    assert "hardly changed" not in " ".join(fact.text for fact in run.facts)
