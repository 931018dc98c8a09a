"""Packages that are built on autograd: what their users get, and that the recording changes no bit of their results."""

from __future__ import annotations

import re

import autograd.numpy as np
import lifelines
import numpy
import pymanopt
import pytest
from autograd import grad
from lifelines.datasets import load_rossi, load_waltons
from numpy.testing import assert_allclose, assert_array_equal
from pymanopt.manifolds import Euclidean, Product, Sphere, Stiefel
from pymanopt.optimizers import ConjugateGradient, SteepestDescent, TrustRegions

import xinv_nb as xi
from tests.same_bits import harmlessly_recorded


def assert_explained(run: xi.Run) -> None:
    """The built-in text speaks of the run, and claims nothing that the recording does not show."""
    claims = [claim for caption in run.captions for claim in caption.claims]
    assert any(claim.supported for claim in claims)
    assert [claim.text for claim in claims if claim.supported is False] == []


def visited(run: xi.Run) -> list[int]:
    """The evaluations at which the point is another than at the one before."""
    rows = run.history.values.array
    return [0, *(1 + numpy.flatnonzero((rows[1:] != rows[:-1]).any(axis=1)))]


# ---------------------------------------------------------------------- pymanopt

SYMMETRIC = numpy.random.RandomState(0).randn(6, 6)
SYMMETRIC = SYMMETRIC + SYMMETRIC.T
TARGET = numpy.random.RandomState(1).randn(3, 4)


def dominant_eigenvector(optimizer, **options):
    """Minimize a Rayleigh quotient on the sphere; the problem is set up anew, as it keeps what it compiled."""
    sphere = Sphere(6)

    @pymanopt.function.autograd(sphere)
    def cost(point):
        return -point @ SYMMETRIC @ point

    found = optimizer(**{"verbosity": 0, "log_verbosity": 1, **options}).run(
        pymanopt.Problem(sphere, cost), initial_point=numpy.ones(6) / numpy.sqrt(6)
    )
    iterations = (found.log or {}).get("iterations", {})
    return found.point, found.cost, found.iterations, iterations.get("cost"), iterations.get("point")


@pytest.mark.parametrize("optimizer", [SteepestDescent, ConjugateGradient])
def test_pymanopt_descent(optimizer):
    run, (_, _, iterations, costs, points) = harmlessly_recorded(lambda: dominant_eigenvector(optimizer))
    assert run.evaluations == iterations > 10
    assert run.loss.tolist() == costs
    assert list(run.parameters) == ["point"]
    assert_array_equal(run.parameters["point"], points)
    assert run.point(-1).shape == (6,)
    assert run.history.objective == "cost"
    assert run.notices == []
    assert_explained(run)
    # On a sphere only the slope along it vanishes.
    assert not any("gradient" in fact.text or "slope" in fact.text for fact in run.facts)
    assert run.gradients["point"].any()


def test_pymanopt_on_a_flat_manifold_is_judged_by_its_gradient():
    flat = Euclidean(3)

    @pymanopt.function.autograd(flat)
    def bowl(point):
        return np.sum((point - 1.0) ** 2 * np.array([1.0, 2.0, 3.0]))

    with xi.record() as run:
        SteepestDescent(verbosity=0).run(pymanopt.Problem(flat, bowl), initial_point=numpy.zeros(3))
    assert any(fact.kind == "gradient" for fact in run.facts)


def test_pymanopt_trust_regions_with_products_with_the_hessian(capsys):
    run, (point, cost, iterations, *_) = harmlessly_recorded(lambda: dominant_eigenvector(TrustRegions, verbosity=2))
    told = re.findall(r" f: (\S+)", capsys.readouterr().out)
    rows = visited(run)
    assert [f"{loss:+.6e}" for loss in run.loss[rows]] == told[: len(told) // 2]
    assert len(rows) == iterations + 1
    assert run.loss[-1] == cost
    assert_array_equal(run.point(-1), point)
    assert run.history.objective == "cost"
    assert run.notices == []
    assert_explained(run)


def test_pymanopt_product_of_manifolds():
    def program():
        manifold = Product([Euclidean(3, 2), Stiefel(4, 2)])

        @pymanopt.function.autograd(manifold)
        def misfit(scores, basis):
            return np.sum((TARGET - scores @ basis.T) ** 2)

        found = ConjugateGradient(verbosity=0, log_verbosity=1, max_iterations=15).run(
            pymanopt.Problem(manifold, misfit), initial_point=[numpy.ones((3, 2)), numpy.eye(4)[:, :2]]
        )
        return list(found.point), found.log["iterations"]["cost"]

    run, (_, costs) = harmlessly_recorded(program)
    assert {name: rows.shape for name, rows in run.parameters.items()} == {
        "scores": (len(costs), 3, 2),
        "basis": (len(costs), 4, 2),
    }
    assert run.loss.tolist() == costs
    assert run.notices == []
    assert_explained(run)


# ---------------------------------------------------------------------- lifelines


@pytest.fixture
def solutions(monkeypatch):
    """The results of the solvers that lifelines calls, in their order."""
    found = []
    minimize = lifelines.fitters.minimize

    def listening(*args, **options):
        found.append(minimize(*args, **options))
        return found[-1]

    monkeypatch.setattr(lifelines.fitters, "minimize", listening)
    return found


@pytest.mark.parametrize("fitter", ["WeibullFitter", "LogNormalFitter", "LogLogisticFitter"])
def test_lifelines_fits_a_distribution(fitter, solutions):
    data = load_waltons()

    def program():
        solutions.clear()
        fitted = getattr(lifelines, fitter)().fit(data["T"], data["E"])
        return fitted._fitted_parameters_, fitted.variance_matrix_.to_numpy(), fitted.log_likelihood_

    run, (parameters, _, log_likelihood) = harmlessly_recorded(program)
    assert run.evaluations == sum(solution.nfev for solution in solutions)
    assert run.optimizer == "Nelder-Mead, then L-BFGS-B"
    assert list(run.parameters) == ["params"]
    assert run.parameters["params"].shape == (run.evaluations, 2)
    assert_array_equal(run.point(-1), parameters)
    assert [entry.label for entry in run.entries()] == getattr(lifelines, fitter)()._fitted_parameter_names
    assert run.loss[-1] == solutions[-1].fun
    assert run.loss[-1] * len(data) == pytest.approx(-log_likelihood, rel=1e-12)
    assert run.notices == []
    assert_explained(run)


def test_lifelines_fits_a_regression(solutions):
    data = load_rossi()

    def program():
        solutions.clear()
        fitted = lifelines.WeibullAFTFitter().fit(data, "week", "arrest")
        return fitted.params_.to_numpy(), fitted.variance_matrix_.to_numpy(), fitted.log_likelihood_

    run, (parameters, _, log_likelihood) = harmlessly_recorded(program)
    # What lifelines fits first, without the covariates, is only where this starts.
    assert run.parameters["params_array"].shape == (run.evaluations, len(parameters))
    assert run.evaluations == solutions[-1].nfev
    fitted = lifelines.WeibullAFTFitter().fit(data, "week", "arrest")
    labels = [entry.label for entry in run.entries()]
    assert labels == [f"{parameter}.{covariate}" for parameter, covariate in fitted.params_.index]
    assert_allclose(run.point(-1) / fitted._norm_std.to_numpy(), fitted.params_.to_numpy(), rtol=1e-12)
    assert not any("params_array" in caption.text for caption in run.captions)
    assert run.optimizer == "SLSQP"
    assert run.loss.min() == solutions[-1].fun
    assert run.loss.min() * len(data) == pytest.approx(-log_likelihood, rel=1e-9)
    assert run.notices == []
    assert_explained(run)


def test_names_that_a_model_has_for_its_flat_parameters(tmp_path):
    class Decay:
        param_names = ("amplitude", "rate")

        def loss(self, p):
            return (p[0] - 1.0) ** 2 + (p[1] - 2.0) ** 2

        def fit(self, start):
            for _ in range(5):
                start = start - 0.1 * grad(self.loss)(start)

    with xi.record() as run:
        Decay().fit(numpy.zeros(2))
    assert [entry.name for entry in run.entries()] == ["p[0]", "p[1]"]
    assert [entry.label for entry in run.entries()] == ["amplitude", "rate"]
    assert any(fact.text.startswith("rate rose from 0") for fact in run.facts)
    run.save(tmp_path / "run.xinv")
    assert xi.load(tmp_path / "run.xinv").entries() == run.entries()
