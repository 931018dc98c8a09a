"""That a run ended at a minimum is not said where it was cut short, however steep its start was."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi


def valley(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def is_told(run: xi.Run) -> bool:
    return any(fact.kind == "minimum" and fact.form == "reached" for fact in run.facts)


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "CG"])
@pytest.mark.parametrize("most", [6, 8, 12])
def test_a_solver_that_was_out_of_steps_is_at_no_minimum(method, most):
    with xi.record() as run:
        end = minimize(value_and_grad(valley), numpy.full(6, -1.0), jac=True, method=method, options={"maxiter": most})
    assert end.fun > 1  # 0 is possible
    assert not is_told(run)


def test_one_that_met_its_own_test_is():
    with xi.record() as run:
        minimize(value_and_grad(valley), numpy.full(6, 0.5), jac=True, method="L-BFGS-B")
    assert is_told(run)
