"""What a loss that falls for ever, and a path that hardly left a line, do not show."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi


@pytest.mark.parametrize(
    "fall", [lambda x: x[0], lambda x: -np.sqrt(1 + x[0] ** 2), lambda x: -np.logaddexp(0.0, x[0])]
)
def test_of_a_loss_that_falls_for_ever_no_method_is_said_to_need_fewer_steps(fall):
    x = numpy.array([1.0, 1.0])
    with xi.record() as run:
        for _ in range(200):
            x = x - 0.05 * grad(lambda x: fall(x) + 0.5 * x[1] ** 2)(x)
    assert run.diagnosis
    assert not any("BFGS" in finding.advice for finding in run.diagnosis)


@pytest.mark.parametrize("fall", [lambda x: x[0] * x[1] + 0.1 * x[0] ** 2, lambda x: x[0] ** 2 - 2 * x[1] ** 2])
def test_a_loss_without_a_lowest_value_is_not_blamed_on_its_start(fall):
    x = numpy.array([1.0, 0.5])
    with xi.record() as run:
        for _ in range(200):
            x = x - 0.05 * grad(fall)(x)
    assert [finding.kind for finding in run.diagnosis] == ["unbounded"]


@pytest.mark.parametrize("aim", [[2.0, 1.0], [3.0, 1.0], [1.5, -0.7]])
@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
def test_a_penalty_that_is_raised_step_by_step_leaves_no_combination_undetermined(aim, method):
    """Its last fits go along one line, but for rounding; the loss bends across it as well."""
    x = numpy.full(2, 0.1)
    with xi.record() as run:
        for weight in (1.0, 10.0, 100.0, 1000.0, 1e4):

            def loss(x, weight=weight):
                return np.sum((x - numpy.array(aim)) ** 2) + weight * np.maximum(0.0, np.sum(x**2) - 1) ** 2

            x = minimize(value_and_grad(loss), x, jac=True, method=method).x
    assert not any(finding.kind == "undetermined" for finding in run.diagnosis)
