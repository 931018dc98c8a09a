"""Trials of searches that a program wrote itself: told apart from iterates, also without gradients."""

from __future__ import annotations

import warnings

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import line_search

import xinv_nb as xi


def valley(x):
    return (1 - x[0]) ** 2 + 60 * (x[1] - x[0] ** 2) ** 2


def backtrack(f, x, steps: int, *, shrink: float = 0.5, again: bool = False, first: float = 1.0):
    """Descend with an Armijo search; returns the losses of its iterates. `again` evaluates each iterate anew."""
    both = value_and_grad(f)
    v, g = both(x)
    accepted = [float(v)]
    for _ in range(steps):
        s = first
        if again:
            v, g = both(x)
        while True:
            v1, g1 = both(x - s * g)
            if v1 <= v - 1e-4 * s * np.dot(g, g):
                break
            s = s * shrink
        x, v, g = x - s * g, v1, g1
        accepted.append(float(v))
    return accepted


def test_steps_to_and_fro_that_all_lead_lower_are_no_trials():
    with xi.record() as run:
        x = numpy.array([0.0, 0.0])
        for _ in range(40):
            x = x - 0.33 * grad(lambda x: np.sum(np.array([1.0, 3.0]) * (x - np.array([1.0, 2.0])) ** 2))(x)
    assert run.accepted.all()


def test_steps_down_that_swing_along_one_axis_once_the_others_are_at_rest_are_no_trials():
    data = numpy.arange(4.0)
    with xi.record() as run:
        s = numpy.array([0.0, 0.5])
        for _ in range(30):
            s = s - 0.05 * grad(lambda s: 3 * 4 * np.log(s[1]) + np.sum((data - s[0]) ** 2) / s[1])(s)
    assert run.accepted.all()


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("shrink", [0.5, 0.3, 0.8])
def test_a_backtracking_search_of_ones_own_is_no_noise(shrink, again):
    with xi.record() as run:
        accepted = backtrack(valley, numpy.array([-1.0, 1.2]), 25, shrink=shrink, again=again)
    assert list(dict.fromkeys(run.loss[run.accepted].tolist())) == accepted
    text = "\n".join([*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)])
    assert "noise" not in text
    assert "jumped back and forth" not in text
    assert "were trials that the optimizer did not accept" in text


def test_a_search_along_one_line_is_told_apart_from_ringing():
    with xi.record() as run:
        accepted = backtrack(lambda x: (x[0] - 3.0) ** 4, numpy.array([9.0]), 12)
    assert run.loss[run.accepted].tolist() == accepted


@pytest.mark.parametrize("rate", [0.3, 0.45, 0.55, 0.95])
def test_steps_that_ring_along_one_line_are_all_iterates(rate):
    with xi.record() as run:
        x = 3.0
        for _ in range(30):
            x = x - rate * 2 * grad(lambda x: x**2 / 1.0)(x) * 0.9
    assert run.accepted.all()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("width", [1, 2, 5])
def test_noise_of_batches_is_no_search(seed, width):
    dice = numpy.random.RandomState(seed)
    data = dice.randn(100, width)
    with xi.record() as run:
        x = 3 * dice.randn(width)
        for _ in range(80):
            batch = data[dice.randint(0, 100, 6)]
            x = x - 0.2 * grad(lambda x, batch=batch: np.mean((x - batch) ** 2))(x)
    assert run.accepted.all()


def test_a_search_that_is_broken_off_has_accepted_nothing_higher():
    both = value_and_grad(valley)
    x = numpy.array([-1.0, 1.2])
    with xi.record() as run:
        _, g = both(x)
        for s in (1.0, 0.5, 0.25):
            both(x - s * g)
    assert run.accepted.tolist() == [True, False, False, False]


def test_a_random_search_without_gradients_goes_from_lowest_to_lowest():
    dice = numpy.random.RandomState(0)
    best, x = numpy.inf, numpy.array([3.0, -2.0])
    with xi.record() as run:
        for _ in range(300):
            trial = x + 0.3 * dice.randn(2)
            loss = float(numpy.sum(trial**2))
            run.add(loss, trial)
            if loss < best:
                best, x = loss, trial
    iterates = run.loss[run.accepted]
    assert (numpy.diff(iterates) < 0).all()
    assert "noise" not in " ".join(fact.text for fact in run.facts)


@pytest.mark.parametrize("seed", range(6))
def test_a_log_of_losses_without_gradients_hides_no_rise(seed):
    """Losses of batches, handed over without gradients, are a walk: no evaluation of it was taken back."""
    dice = numpy.random.RandomState(seed)
    x = dice.randn(3)
    with xi.record() as run:
        for _ in range(150):
            run.add(float(x @ x + 0.5 * dice.randn()), x)
            x = x - 0.1 * (x + 0.8 * dice.randn(3))
    assert run.accepted.all()


def test_a_live_run_has_its_trials_told_apart():
    seen = []
    both = value_and_grad(valley)
    with xi.record() as run:
        x = numpy.array([-1.0, 1.2])
        v, g = both(x)
        for _ in range(20):
            s = 1.0
            while True:
                v1, g1 = both(x - s * g)
                if v1 <= v - 1e-4 * s * np.dot(g, g):
                    break
                s = s / 2
            x, v, g = x - s * g, v1, g1
            seen.append(int((~run.accepted).sum()))
    assert seen[-1] > 50


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(("method", "scale"), [("steepest", 0.001), ("steepest", 0.003), ("bfgs", 1.0)])
def test_what_a_line_search_of_scipy_tries_for_ones_own_loop_are_trials(method, scale, again):
    slope = grad(valley)
    x, inverse = numpy.array([-1.2, 1.5]), numpy.eye(2)
    iterates = [x]
    with xi.record() as run:
        g = slope(x)
        for _ in range(12):
            p = -scale * (inverse @ g)
            found = line_search(valley, slope, x, p, g)
            if found[0] is None:
                break
            step = found[0] * p
            x_new = x + step
            g_new = slope(x_new) if again else found[5]
            if method == "bfgs":
                y = g_new - g
                r, one = 1 / (y @ step), numpy.eye(2)
                inverse = (one - r * numpy.outer(step, y)) @ inverse @ (one - r * numpy.outer(y, step))
                inverse = inverse + r * numpy.outer(step, step)
            x, g = x_new, g_new
            iterates.append(x)
    assert numpy.allclose(run.parameters["x"][run.accepted], iterates)
    assert run.evaluations > len(iterates)
    assert f"{run.evaluations - len(iterates)} of {run.evaluations} evaluations w" in "\n".join(
        fact.text for fact in run.facts if fact.kind == "trials"
    )


def test_a_line_search_that_finds_nothing_ends_where_it_began():
    x, slope = numpy.array([-1.2, 1.5]), grad(valley)
    with xi.record() as run, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        g = slope(x)
        assert line_search(lambda x: -valley(x), slope, x, -g, g, maxiter=3)[0] is None
        assert line_search(valley, lambda x: -slope(x), x, g, -g, maxiter=3)[0] is None
        slope(x)
    assert run.evaluations > 2
    assert {tuple(point) for point in run.parameters["x"][run.accepted]} == {tuple(x)}


def test_finite_differences_that_a_program_takes_by_itself_are_no_trials():
    x = numpy.array([2.0, 2.5])
    with xi.record() as run:
        for _ in range(12):
            points = [x, *(x + 1e-6 * numpy.eye(2))]
            losses = [float(numpy.sum(numpy.array([1.0, 3.0]) * (point - [1.0, 2.0]) ** 2)) for point in points]
            for loss, point in zip(losses, points, strict=True):
                run.add(loss, point)
            x = x - 0.1 * (numpy.array(losses[1:]) - losses[0]) / 1e-6
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 36)]
    (text,) = [fact.text for fact in run.facts if fact.kind == "trials"]
    assert "evaluations were for finite differences that the program takes by itself" in text


def test_of_a_search_that_may_accept_what_is_no_lower_nothing_is_said_to_be_turned_down():
    dice, temperature = numpy.random.RandomState(5), 3.0
    x, lowest = numpy.array([3.0, -2.0]), []
    with xi.record() as run:
        loss = float(x @ x + 5 * numpy.sin(3 * x[0]))
        for _ in range(400):
            tried = x + 0.5 * dice.randn(2)
            value = float(tried @ tried + 5 * numpy.sin(3 * tried[0]))
            run.add(value, tried)
            lowest.append(value)
            if value < loss or dice.rand() < numpy.exp(-(value - loss) / temperature):
                x, loss = tried, value
            temperature *= 0.985
    (text,) = [fact.text for fact in run.facts if fact.kind == "trials"]
    no_lower = sum(value >= min(lowest[:k]) for k, value in enumerate(lowest) if k)
    assert text.startswith(f"{no_lower} of 400 evaluations were no lower than the lowest before them")


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_steps_by_the_sign_of_each_slope_are_no_trials(width: int) -> None:
    """Rprop: each number has a step of its own, longer by a fifth while its slope keeps its sign, else half as long."""
    random = numpy.random.RandomState(width)
    bends, aims = numpy.exp(random.randn(width)), random.randn(width)

    def loss(x):
        return np.sum(bends * (x - aims) ** 2) + 0.3 * np.sum(x) ** 2

    with xi.record() as run:
        x, size, before = 3 * random.randn(width), numpy.full(width, 0.1), numpy.zeros(width)
        for _ in range(60):
            slope = grad(loss)(x)
            turned = numpy.sign(slope * before)
            size = numpy.where(turned > 0, 1.2 * size, numpy.where(turned < 0, 0.5 * size, size))
            x, before = x - numpy.sign(slope) * size, slope
    assert run.accepted.all()
