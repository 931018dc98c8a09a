"""Evaluations that scatter, under an optimizer that trusts every digit of them."""

from __future__ import annotations

import zlib

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam, sgd
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.run import Run


def objective(sigma: float, seed: int = 0):
    rng = numpy.random.default_rng(seed)

    def energy(x):
        return np.sum((x - 1.0) ** 2) + 0.5 * np.sum(x**4) + sigma * rng.standard_normal()

    return energy


def solved(method: str, sigma: float, *, differences: bool = False) -> Run:
    energy = objective(sigma)
    start = numpy.array([2.0, -1.0, 0.5])
    with xi.record(live=False) as run:
        if differences:
            minimize(energy, start, method=method)
        else:
            minimize(value_and_grad(energy), start, jac=True, method=method)
    return run


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "SLSQP", "trust-constr"])
def test_a_search_on_a_redrawn_objective(method: str) -> None:
    run = solved(method, 0.3)
    assert [finding.kind for finding in run.diagnosis] == ["noisy-evaluations"]
    assert not {"advice", "minimum"} & {fact.kind for fact in run.facts}


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "TNC", "trust-constr"])
def test_finite_differences_of_a_redrawn_objective(method: str) -> None:
    assert solved(method, 0.3, differences=True).diagnosis[0].kind == "noisy-evaluations"


def test_the_scatter_is_about_the_standard_deviation() -> None:
    found = solved("BFGS", 0.3).diagnosis[0]
    assert 0.15 < found.values["scatter"] < 0.6


def test_one_batch_after_the_other() -> None:
    rng = numpy.random.default_rng(3)
    columns = rng.standard_normal((500, 3))
    targets = columns @ numpy.array([1.0, -2.0, 0.5]) + rng.standard_normal(500)

    def misfit(w):
        rows = rng.integers(0, 500, 20)
        return np.mean((np.dot(columns[rows], w) - targets[rows]) ** 2)

    with xi.record(live=False) as run:
        minimize(value_and_grad(misfit), numpy.zeros(3), jac=True, method="L-BFGS-B")
    assert run.diagnosis[0].kind == "noisy-evaluations"


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG"])
def test_with_a_fixed_seed_the_search_converges(method: str) -> None:
    with xi.record(live=False) as run:
        start = numpy.array([2.0, -1.0, 0.5])
        result = minimize(lambda x: value_and_grad(objective(0.3))(x), start, jac=True, method=method)
    assert result.success
    assert not run.diagnosis


@pytest.mark.parametrize("trainer", [adam, sgd])
def test_noise_by_design_is_no_finding(trainer) -> None:
    with xi.record(live=False) as run:
        trainer(lambda x, i: grad(objective(0.3, i))(x), numpy.array([2.0, -1.0, 0.5]), num_iters=200, step_size=0.02)
    assert not run.diagnosis


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_rounding_is_no_noise(offset: float) -> None:
    slope = value_and_grad(lambda x: np.sum((x - 3.0) ** 4) + offset)
    with xi.record(live=False) as run:
        minimize(slope, numpy.zeros(4), jac=True, method="BFGS", tol=1e-14)
    assert "noisy-evaluations" not in {finding.kind for finding in run.diagnosis}


def counted(shots: int):
    random = numpy.random.default_rng(2)

    def mean(p):
        share = 0.5 * (1 + numpy.cos(p[0]) * numpy.cos(p[1] - 0.3))
        return 2 * random.binomial(shots, share) / shots - 1

    return mean


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "trust-constr"])
@pytest.mark.parametrize("shots", [64, 1024, 8192])
def test_counts_are_multiples_of_a_quantum_and_drawn_all_the_same(shots: int, method: str) -> None:
    with xi.record(live=False) as run:
        minimize(counted(shots), [0.7, 0.1], method=method, options={"maxiter": 60})
    assert run.diagnosis[0].kind == "noisy-evaluations"
    assert "seed" in run.diagnosis[0].advice


def test_where_no_point_was_evaluated_twice_the_advice_is_for_either_cause() -> None:
    run = solved("trust-constr", 0.3, differences=True)
    assert run.diagnosis[0].form == "by differences"
    assert "If anything in the objective is drawn" in run.diagnosis[0].advice
    assert "If nothing is" in run.diagnosis[0].advice


def rough(x):
    """Something like an inner solver that stops early: the same each time, and up and down from point to point."""
    inner = 1e-3 * zlib.crc32(numpy.asarray(x).tobytes()) / 2**32
    return numpy.sum((x - 1.0) ** 2) + 0.5 * numpy.sum(x**4) + inner


@pytest.mark.parametrize("settings", [{"jac": lambda x: 2 * (x - 1) + 2 * x**3}, {}], ids=["slopes", "differences"])
def test_what_is_the_same_again_is_rough_and_nothing_is_drawn(settings) -> None:
    with xi.record(live=False) as run:
        minimize(rough, numpy.array([2.0, -1.0, 0.5]), method="BFGS", **settings)
    assert run.diagnosis[0].kind == "noisy-evaluations"
    asked = next(each for each in run.diagnose(rough) if each.kind == "noisy-evaluations")
    assert "the same each time" in asked.text
    assert "seed" not in asked.advice


def wavy(p):
    return float(numpy.sum(numpy.arange(1, len(p) + 1) * (p - 1) ** 2))


def curved(p):
    return float(10 * numpy.sum((p[1:] - p[:-1] ** 2) ** 2) + numpy.sum((1 - p[:-1]) ** 2))


def stepped(p):
    return float(numpy.floor(4 * numpy.sum((p - 1) ** 2)))


def kinked(p):
    return float(numpy.sum(numpy.abs(p - 1.3)) + max(0.0, p[0]))


def broken(p):
    return float(numpy.sum((p - 1.3) ** 2) + (5.0 if p[0] < 1.2 else 0.0))


def searched(method: str, loss, width: int, scatter: float, seed: int = 3) -> Run:
    dice = numpy.random.default_rng(seed)
    with xi.record() as run:
        start = numpy.full(width, -0.5) + 0.3 * numpy.arange(width)
        minimize(lambda p: loss(p) + scatter * dice.standard_normal(), start, method=method)
    return run


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("loss", [wavy, curved])
@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell", "COBYLA", "COBYQA"])
def test_a_search_without_gradients_on_losses_that_scatter(method: str, loss, width: int) -> None:
    run = searched(method, loss, width, 0.2)
    finding = run.diagnosis[0]
    assert finding.kind == "noisy-evaluations"
    text = " ".join([*(caption.text for caption in run.captions), *(fact.text for fact in run.facts)])
    for luck in ("may serve better", "lowest at", "rose and fell", "by turns", "peaks"):
        assert luck not in text
    if finding.form == "at one point":
        first, last = int(finding.values["first"]), int(finding.values["last"])
        points = run.parameters[next(iter(run.parameters))]
        assert (points[first] == points[last]).all()
        assert run.loss[first] != run.loss[last]
    else:
        assert 0.02 < finding.values["scatter"] < 2


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("loss", [wavy, curved, stepped, kinked, broken])
@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell", "COBYLA", "COBYQA"])
def test_a_search_without_gradients_on_what_is_the_same_each_time(method: str, loss, width: int) -> None:
    assert "noisy-evaluations" not in [finding.kind for finding in searched(method, loss, width, 0.0).diagnosis]


def test_with_the_seed_fixed_the_search_arrives() -> None:
    bad = searched("Nelder-Mead", curved, 2, 0.2)
    drawn = 0.2 * numpy.random.default_rng(3).standard_normal()
    good = minimize(lambda p: curved(p) + drawn, numpy.array([-0.5, -0.2]), method="Nelder-Mead")
    found = numpy.array([column[-1] for column in numpy.atleast_2d(bad.parameters[next(iter(bad.parameters))].T)])
    assert curved(good.x) < 1e-6 < curved(found)
