"""Blocks of parameters that solvers minimize by turns are one objective, and are told as that."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import least_squares, minimize, minimize_scalar

import xinv_nb as xi
from xinv_nb.run import Run

RANDOM = numpy.random.RandomState(0)
TABLE = numpy.outer([1.0, 2.0, 3.0], [0.5, -1.0, 2.0, 1.0]) + 0.05 * RANDOM.randn(3, 4)


def misfit(a, b):
    return np.sum((np.outer(a, b) - TABLE) ** 2) + 0.01 * np.sum(a**2) + 0.01 * np.sum(b**2)


def number(a, b):
    return float(misfit(a, b))


def told(run: Run) -> str:
    return "\n".join([*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)])


def by_values(a, b):
    return (
        minimize(lambda a: number(a, b), a, method="Nelder-Mead").x,
        lambda a: minimize(lambda b: number(a, b), b, method="Nelder-Mead").x,
    )


def by_arguments(a, b):
    def other(b, a):
        return number(a, b)

    return minimize(number, a, args=(b,)).x, lambda a: minimize(other, b, args=(a,)).x


def by_gradients(a, b):
    return (
        minimize(value_and_grad(lambda a: misfit(a, b)), a, jac=True, method="L-BFGS-B").x,
        lambda a: minimize(lambda b: number(a, b), b, jac=grad(lambda b: misfit(a, b)), method="L-BFGS-B").x,
    )


def by_residuals(a, b):
    def missed(a, b):
        return (numpy.outer(a, b) - TABLE).ravel()

    return least_squares(lambda a: missed(a, b), a).x, lambda a: least_squares(lambda b: missed(a, b), b).x


@pytest.mark.parametrize("turn", [by_values, by_arguments, by_gradients, by_residuals])
def test_blocks_that_solvers_minimize_by_turns_are_one_course(turn, tmp_path):
    a, b, points = numpy.ones(3), numpy.ones(4), []
    with xi.record() as run:
        for _ in range(6):
            a, of_the_other = turn(a, b)
            b = of_the_other(a)
            points.append((a, b))
    assert len(run.objectives) == 1
    assert list(run.parameters) == ["a", "b"]
    loss = run.loss[run.accepted]
    assert (loss[1:] <= loss[:-1] * (1 + 1e-9)).all()
    assert len(run.fits) == 12
    for k, (a, b) in enumerate(points):
        last = run.fits[2 * k + 1]
        assert (run.parameters["a"][last.best] == a).all()
        assert (run.parameters["b"][last.best] == b).all()
    text = told(run)
    assert "a and b took turns: each of 12 calls of" in text
    assert "fits were made" not in text
    assert "cannot be compared" not in text
    assert (run.phases[0].start, run.phases[-1].stop) == (0, run.evaluations)
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert again.facts == run.facts
    assert again.fits == run.fits


def test_three_blocks_are_one_course_and_what_is_watched_stays_with_them():
    def cost(x, y, z):
        xi.watch(x * y, "area")
        return float((x - 1) ** 2 + (y - x) ** 2 + (z - x * y) ** 2 + 0.1 * z**4)

    x, y, z = 3.0, -1.0, 2.0
    with xi.record() as run:
        for _ in range(4):
            (x,) = minimize(lambda x: cost(x[0], y, z), [x], method="BFGS").x  # noqa: B023
            (y,) = minimize(lambda y: cost(x, y[0], z), [y], method="BFGS").x  # noqa: B023
            (z,) = minimize(lambda z: cost(x, y, z[0]), [z], method="BFGS").x  # noqa: B023
    assert list(run.parameters) == ["x", "y", "z"]
    area = run.watches["area"]
    where = area.evaluation
    product = run.parameters["x"][:, 0] * run.parameters["y"][:, 0]
    assert numpy.allclose(area.values, product[where])
    assert "took turns: each of 12 calls of BFGS" in told(run)


@pytest.mark.parametrize("how", ["numbers", "arguments", "an array"])
def test_searches_of_one_number_that_begin_anywhere_take_turns_as_well(how):
    t = numpy.linspace(0, 1, 20)

    def missed(scale, offset):
        return float(numpy.sum((scale * numpy.exp(-t) + offset - 2 * numpy.exp(-t) - 0.3) ** 2) + 0.05 * scale**4)

    z = numpy.array([1.0, 0.2])
    scale, offset = 1.0, 0.2
    with xi.record() as run:
        for _ in range(6):
            if how == "numbers":
                scale = minimize_scalar(lambda s: missed(s, offset)).x  # noqa: B023
                offset = minimize_scalar(lambda o: missed(scale, o)).x  # noqa: B023
            elif how == "arguments":
                scale = minimize_scalar(lambda s, o: missed(s, o), args=(offset,)).x
                offset = minimize_scalar(lambda o, s: missed(s, o), args=(scale,)).x
            else:
                z[0] = minimize_scalar(lambda s: missed(s, z[1])).x
                z[1] = minimize_scalar(lambda o: missed(z[0], o)).x
    first, second = run.parameters.values()
    assert numpy.allclose([missed(a, b) for a, b in zip(first, second, strict=True)], run.loss, rtol=1e-9)
    assert (numpy.diff(run.loss[run.accepted]) <= 1e-9).all()
    assert "s and o took turns: each of 12 calls of Brent's method" in told(run)
    assert "fits were made" not in told(run)
    assert (run.phases[0].start, run.phases[-1].stop) == (0, run.evaluations)


def test_fits_that_have_only_their_order_in_common_stay_apart():
    def one(a):
        return numpy.sum((a - 1) ** 2)

    def other(b, a):
        return numpy.sum((b - a) ** 4) + 0.5

    a, b = numpy.zeros(2), numpy.ones(2)
    with xi.record() as run:
        for _ in range(5):
            a = minimize(one, a, method="Nelder-Mead").x
            b = minimize(other, b, args=(a,), method="Nelder-Mead").x
    assert sorted(run.objectives) == ["one", "other"]
    assert "took turns" not in told(run)


def test_a_block_that_the_program_rescales_meanwhile_is_not_put_together():
    a, b = numpy.ones(3), numpy.ones(4)
    with xi.record() as run:
        for _ in range(5):
            a, of_the_other = by_values(a, b)
            b = of_the_other(a)
            size = numpy.linalg.norm(a)
            a, b = a / size, b * size
    assert len(run.objectives) == 2
