"""Losses or steps that are drawn at random: no swings, no advice against these, and no lowest loss to go back to."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam, rmsprop, sgd

import xinv_nb as xi
from xinv_nb.run import Run

X = numpy.random.default_rng(0).normal(size=(1000, 4))
Y = X @ numpy.array([1.0, -2.0, 0.5, 0.0]) + 0.5 * numpy.random.default_rng(1).normal(size=1000)
SWINGS = ("by turns", "a peak about every", "ess momentum", "swings of the loss")


def batches(size: int):
    """Return the loss over a batch that is another one in each iteration."""

    def loss(w, i):
        chosen = numpy.random.default_rng(i).integers(0, len(X), size)
        return np.mean((np.dot(X[chosen], w) - Y[chosen]) ** 2)

    return loss


def bowl(x, i=0):
    return 0.5 * x[0] ** 2 + 2 * x[1] ** 2


def wells(x, i=0):
    return (x[0] ** 2 - 1) ** 2 + 0.3 * x[0] + x[1] ** 2


def langevin(loss, heat: float, count: int = 400, *, cools: bool = False) -> None:
    dice, x = numpy.random.default_rng(3), numpy.array([1.5, 1.0])
    for i in range(count):
        left = (1 - i / count) ** 2 if cools else 1.0
        x = x - 0.03 * grad(loss)(x) + numpy.sqrt(0.06 * heat * left) * dice.normal(size=2)


def noisy_gradients(optimizer, loss) -> None:
    dice = numpy.random.default_rng(5)
    optimizer(
        lambda x, i: grad(loss)(x) + 0.3 * dice.normal(size=2), numpy.array([1.5, 1.0]), num_iters=300, step_size=0.02
    )


OPTIMIZERS = {
    "adam": lambda gradient: adam(gradient, numpy.zeros(4), num_iters=250, step_size=0.03),
    "lively adam": lambda gradient: adam(gradient, numpy.zeros(4), num_iters=250, step_size=0.2),
    "momentum": lambda gradient: sgd(gradient, numpy.zeros(4), num_iters=250, step_size=0.01, mass=0.9),
    "descent": lambda gradient: sgd(gradient, numpy.zeros(4), num_iters=250, step_size=0.05, mass=0.0),
    "rmsprop": lambda gradient: rmsprop(gradient, numpy.zeros(4), num_iters=250, step_size=0.01),
}
DRAWN_STEPS = {
    "langevin in a bowl": lambda: langevin(bowl, 0.01),
    "langevin between wells": lambda: langevin(wells, 0.1, cools=True),
    "annealed in a bowl": lambda: langevin(bowl, 0.3, cools=True),
    "adam with noise": lambda: noisy_gradients(adam, bowl),
    "momentum with noise": lambda: noisy_gradients(sgd, wells),
    "rmsprop with noise": lambda: noisy_gradients(rmsprop, bowl),
}


def said(run: Run) -> str:
    return " ".join([*(c.text for c in run.captions), *(f.text for f in run.facts), *(d.text for d in run.diagnosis)])


@pytest.mark.parametrize("size", [1, 4, 32, 250])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_losses_of_batches_do_not_swing_and_none_is_the_best(name: str, size: int) -> None:
    with xi.record(live=False) as run:
        OPTIMIZERS[name](grad(batches(size)))
    text = said(run)
    assert not [words for words in SWINGS if words in text]
    assert not run.diagnosis
    assert "The lowest loss" not in text
    assert "the loss was lowest" not in text
    assert not [fact for fact in run.facts if fact.form == "better before"]
    assert "lucky" in run.ask("Which iteration was best?", model=False).text
    assert "random" in run.ask("Is the loss noisy?", model=False).text


def test_medians_of_draws_are_told_where_they_were_lowest() -> None:
    loss = batches(32)
    with xi.record(live=False) as run:
        w = numpy.zeros(4)
        for i in range(400):
            w = w - (0.02 if i < 250 else -0.01) * grad(loss)(w, i)
    (best,) = [fact for fact in run.facts if fact.kind == "best"]
    assert best.form == "of draws, before the end"
    first, last = best.values["first"], best.values["last"]
    assert last - first == best.values["count"] - 1 == 19
    assert first >= 40
    assert numpy.median(run.loss[first : last + 1]) == best.values["median"] < best.values["end"]
    assert numpy.median(run.loss[-20:]) == best.values["end"]


@pytest.mark.parametrize("name", DRAWN_STEPS)
def test_random_steps_do_not_swing_the_loss_with_a_period(name: str) -> None:
    with xi.record(live=False) as run:
        DRAWN_STEPS[name]()
    assert not [words for words in SWINGS if words in said(run)]
    answer = run.ask("Is the loss noisy?", model=False).text
    assert "random numbers to its steps" in answer


def test_swings_of_a_momentum_are_still_told() -> None:
    with xi.record(live=False) as run:
        sgd(grad(bowl), numpy.array([1.5, 1.0]), num_iters=200, step_size=1.0, mass=0.95)
    assert "a peak about every" in said(run)
    with xi.record(live=False) as run:
        adam(grad(bowl), numpy.array([1.5, 1.0]), num_iters=120, step_size=0.6)
    assert "by turns" in said(run) or "going up and down" in said(run)
