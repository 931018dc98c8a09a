"""A search that tries several step lengths on one line and keeps the best: only what it kept are iterates."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad

import xinv_nb as xi


def valley(x):
    return (1 - x[0]) ** 2 + 60 * (x[1] - x[0] ** 2) ** 2


def bowl(x):
    return (x[0] - 1) ** 2 + 8 * (x[1] + 1) ** 2


def chain(x):
    return np.sum(np.array([1.0, 3.0, 10.0, 2.0]) * (x - 1) ** 4 + x**2)


def best_of(f, x, lengths, steps, *, again=False):
    """Descend along the gradient to the lowest of some step lengths; returns the points that were kept."""
    both = value_and_grad(f)
    value, slope = both(x)
    kept = [x]
    for _ in range(steps):
        if again:
            value, slope = both(x)
        best = value, x, slope
        for length in lengths:
            there = x - length * slope
            v, g = both(there)
            if v < best[0]:
                best = v, there, g
        value, x, slope = best
        kept.append(x)
    return kept


def forward(f, x, first, steps):
    """Double the step for as long as the loss falls; the step before the first that raises it is kept."""
    both = value_and_grad(f)
    value, slope = both(x)
    kept = [x]
    for _ in range(steps):
        length, last = first, None
        while True:
            v, g = both(x - length * slope)
            if v >= (value if last is None else last[0]):
                break
            last = v, x - length * slope, g
            length *= 2
        if last is None:
            break
        value, x, slope = last
        kept.append(x)
    return kept


def quasi_newton(f, x, steps):
    """BFGS whose step is the best of four lengths."""
    both = value_and_grad(f)
    value, slope = both(x)
    kept, inverse = [x], 0.01 * numpy.eye(len(x))
    for _ in range(steps):
        way = -inverse @ slope
        best = value, x, slope
        for length in (2.0, 1.0, 0.5, 0.25):
            v, g = both(x + length * way)
            if v < best[0]:
                best = v, x + length * way, g
        step, change = best[1] - x, best[2] - slope
        value, x, slope = best
        kept.append(x)
        if not step @ change > 0:
            break
        share, one = 1 / (step @ change), numpy.eye(len(x))
        inverse = (one - share * numpy.outer(step, change)) @ inverse @ (one - share * numpy.outer(change, step))
        inverse = inverse + share * numpy.outer(step, step)
    return kept


def distinct(points):
    points = [numpy.asarray(point).tolist() for point in points]
    return [point for k, point in enumerate(points) if k == 0 or point != points[k - 1]]


STARTS = {
    "valley": (valley, [-1.0, 1.2], 0.001),
    "bowl": (bowl, [-2.0, 2.0], 0.009),
    "chain": (chain, [2, -1, 0.5, 0.0], 0.002),
}
SEARCHES = {
    "from short to long": lambda f, x, s: best_of(f, x, (s, 3 * s, 12 * s, 50 * s), 15),
    "from long to short": lambda f, x, s: best_of(f, x, (50 * s, 12 * s, 3 * s, s), 15),
    "in any order": lambda f, x, s: best_of(f, x, (3 * s, 50 * s, s, 12 * s, 6 * s), 15),
    "each start anew": lambda f, x, s: best_of(f, x, (s, 3 * s, 50 * s, 12 * s), 15, again=True),
    "until it rises": lambda f, x, s: forward(f, x, s, 15),
    "of a quasi-Newton": lambda f, x, s: quasi_newton(f, x, 12),
}


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize("search", SEARCHES)
def test_only_the_best_of_each_line_is_an_iterate(name, search):
    f, start, length = STARTS[name]
    with xi.record() as run:
        kept = SEARCHES[search](f, numpy.array(start), length)
    assert distinct(run.parameters["x"][run.accepted]) == distinct(kept)
    text = "\n".join([*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)])
    assert "were trials that the optimizer did not accept" in text
    for wrong in ("sampler", "smaller step size", "was rising", "noise", "up and down"):
        assert wrong not in text
    assert not run.diagnosis


def momentum(f, x, dice):
    velocity = 0 * x
    for _ in range(80):
        velocity = 0.8 * velocity - 0.002 * grad(f)(x)
        x = x + velocity


def signs(f, x, dice):
    for k in range(120):
        x = x - 0.1 / (1 + k) ** 0.5 * numpy.sign(grad(f)(x))


def equal_signs(f, x, dice):
    for _ in range(80):
        x = x - 0.05 * numpy.sign(grad(f)(x))


def one_at_a_time(f, x, dice):
    for _ in range(120):
        step = numpy.zeros(len(x))
        which = dice.randint(len(x))
        step[which] = 0.004 * grad(f)(x)[which]
        x = x - step


def extrapolated(f, x, dice):
    for _ in range(60):
        x = x - 0.004 * grad(f)(x - 0.002 * grad(f)(x))


def one_slope_for_several_steps(f, x, dice):
    for k in range(60):
        slope = grad(f)(x)
        if k % 3 == 0:
            used = slope
        x = x - 0.002 * used


def of_batches(f, x, dice):
    for _ in range(80):
        away = 0.1 * dice.randn(len(x))
        x = x - 0.004 * grad(lambda x, away=away: f(x + away))(x)


@pytest.mark.parametrize(
    "loop", [momentum, signs, equal_signs, one_at_a_time, extrapolated, of_batches, one_slope_for_several_steps]
)
@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize("seed", range(3))
def test_loops_of_single_steps_take_nothing_back(loop, name, seed):
    dice = numpy.random.RandomState(seed)
    f, start, _ = STARTS[name]
    with xi.record() as run:
        loop(f, numpy.array(start) + 0.1 * seed * numpy.round(dice.randn(len(start)), 1), dice)
    assert run.accepted.all()
