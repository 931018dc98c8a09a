"""A run that ended above its best is told so; noise, and runs that ended at their best, are not."""

from __future__ import annotations

import autograd.numpy as np
import numpy
from autograd import grad
from autograd.misc.optimizers import adam, rmsprop, sgd
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.run import Run


def kinds(run: Run) -> list[str]:
    return [finding.kind for finding in run.diagnosis]


t = numpy.linspace(0, 4, 35)
y = 3.0 * numpy.exp(-0.9 * t)


def decay(p, i=0):
    return np.mean((p[0] * np.exp(-p[1] * t) - y) ** 2)


def lively(step: float, count: int = 24) -> Run:
    with xi.record("decay") as run:
        adam(grad(decay), np.array([6.0, 0.15]), num_iters=count, step_size=step)
    return run


def test_the_best_its_place_and_the_step_size_are_told() -> None:
    run = lively(0.8)
    finding = run.diagnosis[0]
    assert (finding.kind, finding.severity) == ("best-not-last", "caution")
    best = int(numpy.argmin(run.loss))
    assert finding.values["iteration"] == best
    assert finding.values["times"] == run.loss[-1] / run.loss[best]
    assert f"run.point({best})" in finding.advice
    assert "step size of Adam from 0.8" in finding.advice
    assert not any("More iterations" in fact.text or "with more iterations" in fact.text for fact in run.facts)


def test_the_advice_helps() -> None:
    run = lively(0.8)
    best = run.diagnosis[0].values["iteration"]
    assert decay(run.point(best)) < run.loss[-1] / 4
    assert "best-not-last" not in kinds(lively(0.05, 600))


def test_momentum_that_swings_away_from_a_good_point() -> None:
    with xi.record("heavy") as run:
        sgd(lambda x, i: grad(lambda x: np.sum((x - 2.0) ** 2))(x), np.array([9.0, 8.0]), num_iters=24, mass=0.9)
    assert run.loss[-1] > 1.5 * run.loss.min()
    assert kinds(run)[0] == "best-not-last"


def test_a_loop_of_the_users_own_without_gradients() -> None:
    """As of a search that goes on past a good point."""
    losses = [9.0, 5.0, 2.0, 1.0, 1.4, 2.2, 2.9, 3.3]
    with xi.record("search") as run:
        for place, loss in enumerate(losses):
            run.add(loss, float(place))
    (finding,) = run.diagnosis
    assert (finding.kind, finding.values["iteration"]) == ("best-not-last", 3)
    assert "3.3 times that" in finding.text


def test_a_loss_below_zero_has_no_multiple() -> None:
    with xi.record("below") as run:
        for x in (4.0, 1.0, 0.0, 2.0, 3.0):
            run.add(x**2 - 5, x, gradients=2 * x)
    assert "ended above it, at 4" in run.diagnosis[0].text


def test_losses_of_mini_batches_are_no_finding() -> None:
    rng = numpy.random.RandomState(0)
    x, noise = rng.randn(400, 3), 0.3 * rng.randn(400)
    z = x @ numpy.array([1.0, -2.0, 0.5]) + noise
    batches = [rng.randint(0, 400, 8) for _ in range(300)]

    def loss(w, i):
        return np.mean((z[batches[i]] - np.dot(x[batches[i]], w)) ** 2)

    with xi.record("batches") as run:
        rmsprop(grad(loss), np.zeros(3), num_iters=300, step_size=0.05)
    assert run.loss[-1] > 1.5 * run.loss.min()
    assert "best-not-last" not in kinds(run)


def test_a_run_that_ends_at_its_best_but_for_rounding_is_no_finding() -> None:
    with xi.record("exact") as run:
        minimize(lambda p: p @ p, [3.0, -2.0], jac=lambda p: 2 * p, method="BFGS")
    assert kinds(run) == []
    with xi.record("settled") as run:
        x = 1.0
        for _ in range(60):
            x = x - 0.3 * grad(lambda x: (x - 2) ** 2)(x)
    assert kinds(run) == []


def test_a_step_that_a_line_search_refused_is_not_where_the_run_ended() -> None:
    with xi.record("valley") as run:
        minimize(
            lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
            [-1.2, 1.0],
            jac=grad(lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2),
            method="BFGS",
        )
    assert kinds(run) == []
