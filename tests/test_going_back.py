"""Loops that start again from the point before where the loss rose: what they tried there was turned down."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, hessian, jacobian, value_and_grad

import xinv_nb as xi

TIMES = numpy.linspace(0, 3, 20)


def hills(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def valley(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def bowl(x):
    return np.sum(np.array([1.0, 6.0, 30.0]) * (x - 1) ** 2) + np.sum(x) ** 4


PROGRAMS = [(hills, [-1.0, -3.0]), (valley, [-1.2, 1.0]), (bowl, [3.0, -2.0, 1.0])]


def damped_newton(f, x, *, again: bool):
    """Newton's steps, damped the more the less they help; returns whether each point was kept."""
    x, damping, kept = numpy.array(x), 1.0, [True]
    v, g = value_and_grad(f)(x)
    second = hessian(f)(x)
    for _ in range(25):
        if again:
            second = hessian(f)(x)
        least = max(0.0, -numpy.linalg.eigvalsh(second)[0])
        step = -numpy.linalg.solve(second + (damping + least) * numpy.eye(len(x)), g)
        tried, slope = value_and_grad(f)(x + step)
        kept.append(bool(tried < v))
        if tried < v:
            x, v, g, damping = x + step, tried, slope, damping / 4
            second = hessian(f)(x) if not again else second
        else:
            damping *= 5
        if numpy.linalg.norm(g) < 1e-6:
            break
    return kept


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(("f", "start"), PROGRAMS)
def test_damped_newton_steps_that_did_not_help_are_trials(f, start, again):
    with xi.record() as run:
        kept = damped_newton(f, start, again=again)
    assert run.accepted.tolist() == kept
    if not all(kept):
        assert any("trial" in fact.text for fact in run.facts if fact.kind == "trials")


@pytest.mark.parametrize(("f", "start"), PROGRAMS)
def test_momentum_that_is_dropped_where_the_loss_rose_goes_back(f, start):
    x, velocity, rate, kept = numpy.array(start), 0.0, 0.01, [True]
    with xi.record() as run:
        v, g = value_and_grad(f)(x)
        for _ in range(50):
            step = 0.8 * velocity - rate * g
            tried, slope = value_and_grad(f)(x + step)
            kept.append(bool(tried < v))
            if tried < v:
                x, v, g, velocity, rate = x + step, tried, slope, step, 1.3 * rate
            else:
                velocity, rate = 0.0, rate / 2
            if v < 1e-12:
                break
    assert not all(kept)
    last = kept.index(True, len(kept) - 1 - kept[::-1].index(True))  # behind it nothing shows what came of a trial
    assert run.accepted.tolist()[:last] == kept[:last]


def test_a_fit_by_hand_that_takes_a_jacobian_where_it_steps_from_has_trials():
    def residuals(p):
        return p[0] * np.exp(-p[1] * TIMES) - 2 * numpy.exp(-1.2 * TIMES)

    p, damping, kept = numpy.array([0.3, 4.0]), 1e-3, [True]
    with xi.record() as run:
        r = residuals(p)
        run.add(float(r @ r), p)
        for _ in range(12):
            j = jacobian(residuals)(p)
            step = -numpy.linalg.solve(j.T @ j + damping * numpy.eye(2), j.T @ r)
            tried = residuals(p + step)
            run.add(float(tried @ tried), p + step)
            kept.append(bool(tried @ tried < r @ r))
            if kept[-1]:
                p, r, damping = p + step, tried, damping / 3
            else:
                damping *= 4
            if r @ r < 1e-15:
                break
    assert not all(kept)
    assert run.accepted.tolist() == kept


@pytest.mark.parametrize(("f", "start"), PROGRAMS)
@pytest.mark.parametrize("way", ["newton", "lazy", "momentum", "restarted", "adam"])
def test_loops_that_go_on_from_where_they_are_have_no_trials(f, start, way):
    x, v, s = numpy.array(start), 0.0, 0.0
    with xi.record() as run:
        second = hessian(f)(x)
        before = numpy.inf
        for k in range(60):
            loss, g = value_and_grad(f)(x)
            if way == "newton" or (way == "lazy" and k % 5 == 0):
                second = hessian(f)(x)
            if way in ("newton", "lazy"):
                values, vectors = numpy.linalg.eigh(second)
                x = x - vectors @ ((vectors.T @ g) / (numpy.abs(values) + 1e-3))
            elif way == "adam":
                v, s = 0.8 * v + 0.2 * g, 0.9 * s + 0.1 * g * g
                x = x - 0.3 * v / (numpy.sqrt(s) + 1e-9)
            else:
                if way == "restarted" and loss > before:
                    v = 0.0 * g
                v = 0.9 * v - 5e-4 * g
                x, before = x + v, loss
            if not numpy.isfinite(x).all() or numpy.abs(x).max() > 1e6:
                break
    assert run.accepted.all()


def test_a_lower_point_that_a_step_of_its_own_leads_down_from_was_kept():
    """Steps down the gradient across a valley, to and fro along one line, that all lead lower."""
    rates = [0.3, 0.28, 0.26, 0.31]
    with xi.record() as run:
        x = numpy.array([3.0, 0.0])
        for rate in rates * 4:
            x = x - rate * grad(lambda x: np.sum(np.array([2.5, 1.0]) * x**2))(x)
    assert run.accepted.all()
