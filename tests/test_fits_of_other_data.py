"""Fits over other data, or with other settings in the objective: told as that, and not compared."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import curve_fit, minimize

import xinv_nb as xi

AIM = numpy.array([1.0, 2.0])


def bowl(x):
    return np.sum(np.array([1.0, 3.0]) * (x - AIM) ** 2)


def misfit_to(data):
    def misfit(x):
        return np.sum((x[0] + x[1] * np.arange(4.0) - data) ** 2)

    return misfit


def test_loops_over_several_sets_of_data_are_fits_that_cannot_be_compared(tmp_path):
    sets = [numpy.array([1.0, 2.0, 2.5, 4.0]) + shift for shift in (0.0, 5.0, -3.0)]
    with xi.record() as run:
        for data in sets:
            x = numpy.array([data.mean(), 0.0])  # each has a start of its own, near enough for no jump
            for _ in range(12):
                x = x - 0.02 * grad(misfit_to(data))(x)
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 12), (12, 24), (24, 36)]
    assert "which cannot be compared" in run.captions[0].text
    assert xi.load(run.save(tmp_path / "run.npz")).fits == run.fits


def test_fits_that_begin_where_one_of_another_strength_ended_are_not_compared():
    setting = {"strength": 10.0}

    def ridge(x):
        return bowl(x) + setting["strength"] * np.sum(x**2)

    x = numpy.zeros(2)
    with xi.record() as run:
        for setting["strength"] in (10.0, 1.0, 0.1):
            x = minimize(value_and_grad(ridge), x, jac=True, method="BFGS").x
    assert len(run.fits) == 3
    assert "which cannot be compared" in run.captions[0].text
    assert "lowest loss of all" not in "\n".join(caption.text for caption in run.captions)


STRENGTH = 10.0
CALLS = 0


def counted_ridge(x):
    global CALLS
    CALLS += 1
    return bowl(x) + STRENGTH * np.sum(x**2)


@pytest.mark.parametrize("by_loop", [True, False])
def test_a_sweep_over_a_number_around_the_objective_makes_fits_that_are_not_compared(monkeypatch, by_loop):
    x = numpy.zeros(2)
    with xi.record() as run:
        for strength in (10.0, 1.0, 0.1):
            monkeypatch.setitem(globals(), "STRENGTH", strength)
            if by_loop:
                for _ in range(15):  # from where the one before ended
                    x = x - 0.04 * grad(counted_ridge)(x)
            else:
                x = minimize(counted_ridge, x + 0.01, method="BFGS").x
    assert len(run.fits) == 3
    assert "which cannot be compared" in run.captions[0].text


def test_a_number_that_changes_at_each_step_makes_no_fits(monkeypatch):
    x = numpy.zeros(2)
    with xi.record() as run:
        for k in range(30):
            monkeypatch.setitem(globals(), "STRENGTH", 1 / (1 + k))
            x = x - 0.04 * grad(counted_ridge)(x)
    assert len(run.fits) == 1


@pytest.mark.parametrize("how", ["curve_fit", "args", "closure"])
def test_fits_by_a_solver_over_several_data_from_starts_of_their_own_are_not_compared(how):
    hours = numpy.linspace(0, 4, 12)
    with xi.record() as run:
        for amount in (2.0, 3.0, 5.0):
            data = amount * numpy.exp(-0.7 * hours) + 0.01 * numpy.cos(9 * hours)
            if how == "curve_fit":
                curve_fit(lambda t, a, b: a * numpy.exp(-b * t), hours, data, p0=[data[0], 1.0])
            elif how == "args":
                minimize(lambda p, d: ((p[0] - d) ** 2).sum(), [data[0]], args=(data,))
            else:
                minimize(misfit_to(data[:4]), [data[0], 1.0])
    assert len(run.fits) == 3
    assert "which cannot be compared" in run.captions[0].text


def test_an_objective_that_counts_its_calls_is_one_from_all_starts():
    class Counting:
        def __init__(self):
            self.calls, self.log = 0, []

        def cost(self, x, aim):
            self.calls += 1
            self.log.append(float(x[0]))
            return ((x - aim) ** 2).sum()

    counting = Counting()
    with xi.record() as run:
        for start in (3.0, -2.0, 7.0):
            minimize(counting.cost, [start, 1.0], args=(AIM,))
    assert "3 fits were made from different starts" in run.captions[0].text


def test_batches_that_an_objective_closes_over_are_no_fits():
    dice = numpy.random.RandomState(0)
    with xi.record() as run:
        x = numpy.zeros(2)
        for _ in range(60):
            batch = numpy.array([1.0, 2.0, 2.5, 4.0]) + 0.1 * dice.randn(4)
            x = x - 0.02 * grad(misfit_to(batch))(x)
    assert len(run.fits) == 1


def test_points_that_are_drawn_anew_every_few_steps_are_batches_and_no_fits(monkeypatch):
    dice, x = numpy.random.default_rng(0), numpy.zeros(2)
    monkeypatch.setitem(globals(), "POINTS", dice.normal(size=(40, 2)))

    def misfit(x):
        return np.mean((x - AIM - 0.1 * POINTS) ** 2)

    with xi.record() as run:
        for k in range(60):
            if k % 5 == 0:
                monkeypatch.setitem(globals(), "POINTS", dice.normal(size=(40, 2)))
            x = x - 0.1 * grad(misfit)(x)
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 60)]
    assert "gradient-wrong" not in [finding.kind for finding in run.diagnosis]


def test_data_of_the_module_that_change_make_fits_that_are_not_compared(monkeypatch):
    def misfit(x):
        return np.sum((x - POINTS) ** 2)

    with xi.record() as run:
        for shift in (0.0, 3.0):
            monkeypatch.setitem(globals(), "POINTS", AIM + shift)
            x = numpy.zeros(2) + 0.1 * shift
            for _ in range(15):
                x = x - 0.04 * grad(misfit)(x)
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 15), (15, 30)]
    assert "which cannot be compared" in run.captions[0].text


POINTS = numpy.zeros(2)


def test_the_last_of_fits_that_cannot_be_compared_is_not_said_to_be_the_lowest() -> None:
    """A penalty of which the weight grows: each loss is higher than the one before, and another function."""
    with xi.record() as run:
        p, weight = numpy.array([2.0, 2.0]), 0.1
        for _ in range(5):
            loss = value_and_grad(lambda p, w=weight: (p[0] - 2) ** 2 + w * np.maximum(0, np.sum(p**2) - 1) ** 2)
            p = minimize(loss, p, jac=True, method="L-BFGS-B").x
            weight *= 10
    said = "\n".join(each.text for each in (*run.facts, *run.captions))
    assert "cannot be compared" in said
    assert "Number 5 was lowest" not in said
    assert "It was lowest" not in said
    assert "cannot be compared" in run.ask("why does the loss jump", model=False).text
