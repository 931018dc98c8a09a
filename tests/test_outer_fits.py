"""An outer optimization written by hand around inner fits is what is told, and the inner ones as what they are."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import least_squares, minimize

import xinv_nb as xi
from xinv_nb.run import Run

RANDOM = numpy.random.RandomState(1)
X = RANDOM.randn(60, 3)
Y = X @ numpy.array([1.0, -2.0, 0.5]) + 0.3 * RANDOM.randn(60)


def lower(y, x):
    return np.sum((y - np.array([x[0] * x[1], x[0] - x[1]])) ** 2) + 0.1 * np.sum(y**4)


def upper(x, y):
    return np.sum((x - 1.5) ** 2) + lower(y, x)


def told(run: Run) -> str:
    return "\n".join([*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)])


def solved(x, y, how):
    if how == "BFGS":
        return minimize(lambda y: lower(y, x), y, jac=grad(lambda y: lower(y, x)), method="BFGS").x
    if how == "Nelder-Mead":
        return minimize(lower, y, args=(x,), method="Nelder-Mead").x
    for _ in range(15):
        y = y - 0.2 * grad(lower)(y, x)
    return y


@pytest.mark.parametrize("rounds", [20, 130])
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("how", ["BFGS", "Nelder-Mead", "loop"])
def test_a_loop_around_inner_fits_is_told_first_and_they_as_inner_ones(how, warm, rounds, tmp_path):
    x, y = numpy.array([0.2, 3.0]), numpy.zeros(2)
    with xi.record() as run:
        for _ in range(rounds if how == "loop" else 20):
            y = solved(x, y if warm else numpy.zeros(2), how)
            x = x - 0.05 * grad(upper)(x, y)
    assert next(iter(run.objectives)) == "upper"
    assert [fit.start for fit in run.fits if fit.objective == "upper"] == [0]
    inner = next(each for name, each in run.objectives.items() if name != "upper")
    text = told(run)
    assert f"Before {run.evaluations} of the" in text
    assert f"was minimized, with {inner.evaluations} evaluations in all" in text
    assert "fits were made" not in text
    assert xi.load(run.save(tmp_path / "run.npz")).facts == run.facts
    assert "was minimized, with" not in told(inner)


def test_a_strength_that_a_loop_of_ones_own_descends_by_differences_is_told_first():
    def trained(strength):
        of = numpy.exp(strength / 2)
        return least_squares(lambda w: numpy.concatenate([X[:40] @ w - Y[:40], of * w]), numpy.zeros(3)).x

    def held_out(strength):
        return float(numpy.mean((X[40:] @ trained(strength) - Y[40:]) ** 2))

    strength = 4.0
    with xi.record() as run:
        for _ in range(8):
            value = held_out(strength)
            slope = (held_out(strength + 1e-3) - value) / 1e-3
            run.add(value, {"strength": strength}, {"strength": slope})
            strength -= 2 * slope
    assert list(run.parameters) == ["strength"]
    assert "Before 8 of these evaluations another objective was minimized" in told(run)


def test_a_likelihood_that_inner_fits_of_changing_weights_lower_is_told_first():
    data = numpy.concatenate([RANDOM.randn(50) - 2, 0.7 * RANDOM.randn(70) + 1.5])
    centres = numpy.array([-1.0, 1.0])

    def parts(centres):
        return numpy.exp(-0.5 * (data[:, None] - centres) ** 2)

    def spread(centres, weights):
        return numpy.sum(weights * (data[:, None] - centres) ** 2)

    with xi.record() as run:
        for _ in range(8):
            run.add(-numpy.sum(numpy.log(parts(centres).sum(axis=1))), {"centres": centres})
            weights = parts(centres) / parts(centres).sum(axis=1, keepdims=True)
            centres = minimize(spread, centres, args=(weights,), method="BFGS").x
    assert list(run.parameters) == ["centres"]
    assert run.evaluations == 8


def test_a_held_out_loss_beside_a_descent_or_beside_folds_is_no_outer_fit():
    def training(w):
        return np.mean((X[:40] @ w - Y[:40]) ** 2)

    def held_out(w):
        return np.mean((X[40:] @ w - Y[40:]) ** 2)

    def penalty(v):
        return np.sum(v**2)

    w = numpy.ones(3)
    with xi.record() as run:
        for k in range(200):
            w = w - 0.05 * grad(training)(w)
            if k % 10 == 9:
                value_and_grad(held_out)(w)
                value_and_grad(penalty)(w[:2])
    assert next(iter(run.objectives)) == "training"
    assert "was minimized" not in told(run)

    def of_fold(w, own):
        return float(numpy.mean((X[own] @ w - Y[own]) ** 2))

    with xi.record() as run:
        for fold in range(5):
            own = numpy.arange(60) % 5 != fold
            w = minimize(of_fold, numpy.zeros(3), args=(own,)).x
            run.add(numpy.mean((X[~own] @ w - Y[~own]) ** 2), w)
    assert run.evaluations > 5
    assert "was minimized" not in told(run)
