"""The advice of every kind of finding is tried: a program does as it says, and is better off."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi
from tests.test_diagnosis_determination import polynomial
from xinv_nb.facts.diagnosis.kinds import all_finding_kinds
from xinv_nb.run import Run

TRIED = {
    "best-not-last": "test_diagnosis_best_not_last.py::test_the_advice_helps",
    "bound": "test_diagnosis_bound.py::test_the_advice_to_widen_the_bound_lowers_the_loss",
    "broadcast": "test_diagnosis_broadcast.py::test_weights_in_a_column",
    "cancellation": "test_diagnosis_rounding.py::"
    "test_a_small_difference_of_large_numbers_is_told_and_another_form_of_it_is_well",
    "constraint-active": "test_diagnosis_constraints.py::test_the_advice_to_loosen_a_constraint_lowers_the_loss",
    "constraint-violated": "test_advice.py::test_loosened_or_given_time_constraints_hold",
    "cut-off": "test_diagnosis_cut_off.py::test_its_advice_helps_and_is_left_alone",
    "exchangeable": "test_advice.py::test_in_an_order_that_is_demanded_parameters_cannot_be_exchanged",
    "gradient-dies": "test_diagnosis_gradient_dies.py::test_its_advice_helps",
    "gradient-wrong": "test_diagnosis_gradient_wrong.py::test_with_the_right_gradient_nothing_is_wrong",
    "integer-start": "test_diagnosis_missed.py::test_as_advised_it_runs",
    "jump": "test_diagnosis_jump.py::test_what_the_advice_says_gets_past_the_edge",
    "left-to-gain": "test_diagnosis_left_to_gain.py::test_a_method_with_curvature_gets_there_as_the_advice_says",
    "maximized": "test_advice.py::test_minimized_by_its_negative_a_likelihood_comes_to_the_same_end",
    "misfit-at-noise": "test_diagnosis_determination.py::test_the_iteration_is_told_at_which_the_data_were_met",
    "never-moved": "test_diagnosis_never_moved.py::"
    "test_an_even_model_at_0_is_a_maximum_told_with_its_second_derivative",
    "noisy-evaluations": "test_diagnosis_noisy_evaluations.py::test_with_a_fixed_seed_the_search_converges",
    "not-finite": "test_diagnosis_not_finite.py::test_as_advised_it_goes_on",
    "not-the-minimized-function": "test_diagnosis_maximized.py::"
    "test_as_advised_the_whole_by_autograd_has_no_such_finding",
    "other-starts-differ": "test_diagnose.py::test_a_lower_point_from_another_start_is_found",
    "other-thread": "test_advice.py::test_recorded_inside_of_the_worker_a_fit_is_seen",
    "overfit": "test_advice.py::test_the_parameters_from_before_it_overfitted_are_nearer_to_the_truth",
    "poor-start": "test_diagnosis_determination.py::test_a_start_on_a_plateau_is_told",
    "saturated": "test_diagnosis_saturated.py::test_the_advice_helps",
    "scale": "test_diagnosis_scale.py::test_scaled_as_advised_the_fit_succeeds",
    "sigmas": "test_diagnosis_sigmas.py::test_with_the_sigmas_multiplied_as_advised_nothing_is_said",
    "single-precision": "test_diagnosis_rounding.py::test_32_bits_stop_a_search_and_64_do_not",
    "speed-limit": "test_diagnosis_speed_limit.py::test_a_network_with_outputs_that_have_to_grow",
    "step-too-long": "test_diagnosis_step_too_long.py::test_the_limit_is_that_of_theory_and_half_of_it_converges",
    "step-too-short": "test_diagnosis_step_too_short.py::test_the_newton_step_is_orders_longer_and_does_better",
    "term-dominates": "test_diagnosis_term_dominates.py::"
    "test_with_the_weight_lowered_as_advised_the_fit_is_better_and_nothing_is_told",
    "tolerance": "test_diagnosis_tolerance.py::test_the_advice_to_set_the_tolerance_far_lower_gets_further",
    "twins": "test_diagnosis_twins.py::test_as_advised_random_units_are_no_copies_and_reach_lower",
    "unbounded": "test_diagnosis_unbounded.py::test_as_advised_its_negative_has_a_lowest_value",
    "undetermined": "test_diagnosis_determination.py::test_the_advice_to_fix_one_of_them_determines_the_other",
}
"""The test in which the advice of each kind is tried."""


def test_the_advice_of_every_kind_is_tried_somewhere() -> None:
    assert set(TRIED) == {kind.name for kind in all_finding_kinds()}
    for where in TRIED.values():
        file, _, name = where.partition("::")
        tree = ast.parse((Path(__file__).parent / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, where


def kinds(run: Run) -> list[str]:
    return [finding.kind for finding in run.diagnosis]


# ---------------------------------------------------------------------- constraints


def held(*limits: float, method: str = "SLSQP", **options) -> Run:
    """The way to (3, 1) beside a lower and an upper limit of the first parameter."""
    low, high = limits
    rules = [{"type": "ineq", "fun": lambda p: p[0] - low}, {"type": "ineq", "fun": lambda p: high - p[0]}]
    with xi.record(live=False) as run:
        slope = lambda p: 2 * (p - numpy.array([3.0, 1.0]))  # noqa: E731
        loss = lambda p: float(numpy.sum((p - numpy.array([3.0, 1.0])) ** 2))  # noqa: E731
        minimize(loss, [0.4, 0.9], jac=slope, method=method, constraints=rules, options=options)
    return run


def test_loosened_or_given_time_constraints_hold() -> None:
    broken = held(2.0, 0.5)
    assert kinds(broken)[0] == "constraint-violated"
    assert broken.diagnosis[0].advice.startswith("Loosen constraints[")
    assert "constraint-violated" not in kinds(held(2.0, 2.5))
    assert "constraint-violated" not in kinds(held(0.2, 0.5))


# ---------------------------------------------------------------------- parameters that can be exchanged


def roots(p):
    """A sum and a product of two roots."""
    return (p[0] + p[1] - 3.0) ** 2 + (p[0] * p[1] - 1.4) ** 2


def ordered(q):
    """The same by the lower root and how far above it the other lies."""
    return roots(np.array([q[0], q[0] + q[1]]))


def test_in_an_order_that_is_demanded_parameters_cannot_be_exchanged() -> None:
    fine = {"ftol": 1e-15, "gtol": 1e-9}
    with xi.record(live=False) as run:
        minimize(value_and_grad(roots), [0.2, 2.0], jac=True, method="L-BFGS-B", options=fine)
    assert "exchangeable" in [finding.kind for finding in run.diagnose(roots)]
    assert "order" in next(each for each in run.diagnosis if each.kind == "exchangeable").advice
    with xi.record(live=False) as advised:
        bounds = [(None, None), (0.0, None)]
        minimize(value_and_grad(ordered), [0.2, 1.8], jac=True, method="L-BFGS-B", bounds=bounds, options=fine)
    assert advised.diagnose(ordered) == ()
    assert advised.loss[-1] < 1e-9


# ---------------------------------------------------------------------- the gradient, and what is drawn


def test_with_its_kink_smoothed_a_loss_has_none() -> None:
    def recorded(loss, slope) -> Run:
        with xi.record(live=False) as run:
            for x in ([2.0, 3.0], [1.8, 2.0], [1.9, 1.5], [2.1, 1.2]):
                run.add(loss(numpy.array(x)), numpy.array(x), slope(numpy.array(x)))
        return run

    def sharp(x):
        return float(numpy.abs(x[0] - 2.0) + (x[1] - 1.0) ** 2)

    def smooth(x):
        return float(numpy.hypot(x[0] - 2.0, 0.1) + (x[1] - 1.0) ** 2)

    kinked = recorded(sharp, lambda x: numpy.array([1.0 if x[0] >= 2.0 else -1.0, 2 * (x[1] - 1.0)]))
    (finding,) = [each for each in kinked.diagnose(sharp) if each.kind == "gradient-wrong"]
    assert finding.advice.startswith("Smooth the kink")
    by_hand = recorded(smooth, lambda x: numpy.array([(x[0] - 2.0) / numpy.hypot(x[0] - 2.0, 0.1), 2 * (x[1] - 1.0)]))
    assert "gradient-wrong" not in [each.kind for each in by_hand.diagnose(smooth)]


def test_with_its_seed_fixed_an_objective_can_be_diagnosed() -> None:
    def drawn(x, draws) -> float:
        return float(numpy.sum((x - 1.0) ** 2)) + 0.1 * draws.standard_normal()

    def run_of(objective) -> Run:
        with xi.record(live=False) as run:
            x = numpy.array([3.0, 2.0])
            for _ in range(30):
                run.add(objective(x), x, 2 * (x - 1.0))
                x = x - 0.1 * 2 * (x - 1.0)
        return run

    draws = numpy.random.default_rng(1)
    scattered = run_of(lambda x: drawn(x, draws)).diagnose(lambda x: drawn(x, draws))
    assert "Fix the seed" in next(each for each in scattered if each.kind == "noisy-evaluations").advice
    fixed = lambda x: drawn(x, numpy.random.default_rng(1))  # noqa: E731
    assert run_of(fixed).diagnose(fixed) == ()


# ---------------------------------------------------------------------- which end is wanted


def test_minimized_by_its_negative_a_likelihood_comes_to_the_same_end() -> None:
    heights = 2.0 + 0.5 * numpy.random.default_rng(3).standard_normal(40)

    def likelihood(p):
        return -np.sum((heights - p[0]) ** 2) / 0.5 - 0.1 * p[1] ** 2

    def climbed(way: float) -> Run:
        with xi.record(live=False) as run:
            p = numpy.array([0.0, 3.0])
            for _ in range(200):
                p = p - 0.005 * grad(lambda p: way * likelihood(p))(p)
        return run

    with xi.record(live=False) as up:
        p = numpy.array([0.0, 3.0])
        for _ in range(200):
            p = p + 0.005 * grad(likelihood)(p)
    assert kinds(up)[0] == "maximized"
    down = climbed(-1.0)
    assert "maximized" not in kinds(down)
    assert down.loss[-1] == pytest.approx(-up.loss[-1])


# ---------------------------------------------------------------------- where it was recorded, and when to stop


def test_recorded_inside_of_the_worker_a_fit_is_seen() -> None:
    def bowl(x):
        return np.sum((x - 3.0) ** 2)

    def fit() -> None:
        x = numpy.zeros(2)
        for _ in range(30):
            x = x - 0.1 * grad(bowl)(x)

    def in_a_thread(work) -> None:
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()

    with xi.record(live=False) as outside:
        in_a_thread(fit)
    assert kinds(outside) == ["other-thread"]
    assert "open a recording inside of the worker" in outside.diagnosis[0].advice
    inside: list[Run] = []

    def recorded() -> None:
        with xi.record(live=False) as run:
            fit()
        inside.append(run)

    in_a_thread(recorded)
    assert (inside[0].evaluations, kinds(inside[0])) == (30, [])


def test_the_parameters_from_before_it_overfitted_are_nearer_to_the_truth() -> None:
    run = polynomial(11, 400)
    finding = next(each for each in run.diagnosis if each.kind == "overfit")
    row = finding.values["row"]
    assert f"run.point({row})" in finding.advice
    t = numpy.linspace(-0.9, 0.9, 200)
    powers = numpy.polynomial.chebyshev.chebvander(t, 11)
    errors = [numpy.mean((powers @ run.point(at) - numpy.sin(3 * t)) ** 2) for at in (row, -1)]
    assert errors[0] < 0.9 * errors[1]
