"""What is said of an end: no minimum where a run was cut short, no fall that ended long ago."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
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


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_noisy_loss_that_fell_long_ago_is_not_said_to_be_falling_still(goes_on):
    """Two batches by turns: after a hundred iterations nothing moves any more but from one to the other."""
    rng = numpy.random.RandomState(1)
    x = rng.randn(40, 4)
    y = x @ numpy.ones(4) + 0.5 * rng.randn(40)

    def loss(w, batch):
        return np.mean((np.dot(x[batch], w) - y[batch]) ** 2)

    with xi.record() as run:
        w = numpy.zeros(4)
        for i in range(300):
            w = w - (0.0015 if goes_on else 0.1) * grad(loss)(w, slice(i % 2 * 20, i % 2 * 20 + 20))
    assert any("still falling" in fact.text for fact in run.facts) == goes_on
    assert any("More iterations" in fact.text for fact in run.facts) <= goes_on


def test_a_parameter_that_the_program_clips_is_not_said_to_be_on_its_way():
    with xi.record() as run:
        p = numpy.array([0.0, 1.0])
        for _ in range(40):
            p = numpy.clip(p - 0.1 * grad(lambda p: (p[0] - 3) ** 2 + (p[1] + 1) ** 2)(p), 0, 2)
    assert not [fact.text for fact in run.facts if fact.kind == "minimum"]


@pytest.mark.parametrize("seed", range(6))
def test_a_loss_that_scatters_on_its_last_level_is_not_said_to_be_rising_or_falling(seed):
    """A fall so deep that its noise is seen on a logarithmic scale alone (simultaneous perturbations, Spall 1992)."""
    rng = numpy.random.RandomState(seed)
    with xi.record() as run:
        x = numpy.zeros(3)
        for k in range(150):
            way, width = rng.choice([-1, 1], 3), 0.1 / (k + 1) ** 0.1
            up, down = (numpy.sum((x + s * width * way - 1) ** 2) + 0.02 * rng.randn() for s in (1, -1))
            run.add((up + down) / 2, {"x": x})
            x = x - 0.1 / (k + 10) ** 0.6 * (up - down) / (2 * width) * way
    told = next(fact for fact in run.facts if fact.kind == "ending")
    assert told.data["doing"] not in ("rise", "descent")


def slowly(count: int, fall: float, seed: int) -> xi.Run:
    """Draws about a level that goes on falling, or does not any more."""
    rng = numpy.random.RandomState(seed)
    with xi.record() as run:
        for k in range(count):
            level = 0.7 * numpy.exp(-k / 30) + 0.15 - fall * k / count
            run.add(level * (1 + 0.3 * rng.randn()), {"x": numpy.array([k + rng.randn()])})
    return run


@pytest.mark.parametrize("seed", range(6))
def test_of_a_slow_fall_below_its_noise_it_is_not_said_that_there_is_none(seed):
    texts = [fact.text for fact in slowly(400, 0.08, seed).facts]
    assert not any("no fall" in text or "below this noise" in text for text in texts)


def test_of_a_level_that_its_draws_lie_about_it_is_said():
    said = [any("no fall" in fact.text for fact in slowly(400, 0.0, seed).facts) for seed in range(6)]
    assert sum(said) >= 4


def absolute(w):
    rng = numpy.random.RandomState(0)
    x = numpy.c_[numpy.ones(31), rng.randn(31)]
    return np.sum(np.abs(np.dot(x, w) - x @ numpy.array([1.0, 2.0]) - rng.standard_t(2, 31) * 0.3))


def wedge(x):
    return np.maximum(x[0] ** 2 + x[1], 3 * x[1] ** 2 - x[0])


@pytest.mark.parametrize("method", ["BFGS", "CG"])
@pytest.mark.parametrize(("loss", "start"), [(absolute, [0.0, 0.0]), (wedge, [1.0, 2.0])])
def test_a_search_that_a_kink_stops_is_told_so_and_as_advised_comes_lower(loss, start, method):
    with xi.record() as run:
        end = minimize(value_and_grad(loss), numpy.array(start), jac=True, method=method)
    told = [fact.text for fact in run.facts if fact.kind == "advice"]
    assert "a kink" in told[0]
    assert "gradient is exact" not in " ".join(told)
    assert minimize(loss, end.x, method="Nelder-Mead").fun < end.fun
