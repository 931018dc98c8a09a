"""Where each of several fits ended, whether they agree, and why one ended higher: told, and answered."""

from __future__ import annotations

import re

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import rmsprop, sgd
from scipy.optimize import differential_evolution, minimize

import xinv_nb as xi
from xinv_nb.claims.numerals import numbers_in
from xinv_nb.facts.fact import Fact
from xinv_nb.run import Run

AIM = numpy.array([1.0, 2.0])


def bowl(x):
    return np.sum(np.array([1.0, 3.0]) * (x - AIM) ** 2)


def wells(x):
    return np.sum(x**4 - 4 * x**2 + 0.8 * x)


def recomputed(run: Run, fact: Fact) -> list[float]:
    """The numbers in the sentence of a fact of this kind, found by other means."""
    fits = run.fits
    rows = [numpy.flatnonzero(run.accepted[fit.start : fit.stop]) + fit.start for fit in fits]
    lowest = [min(run.loss[own]) for own in rows]
    if fact.form == "of one":
        number = [fit.start for fit in fits].index(fact.span[0])
        last = rows[number][-1]
        point = [value for points in run.parameters.values() for value in numpy.ravel(points[last])[:4]]
        slope = [fact.values["why"]["slope"]] if "slope" in (fact.values.get("why") or {}) else []
        return [number + 1, run.loss[last], *point, fits[number].stop - fits[number].start, *slope]
    if fact.form == "fewest":
        counts = [fit.stop - fit.start for fit, loss in zip(fits, lowest, strict=True) if loss - min(lowest) < 1e-8]
        return [len(counts), [fit.start for fit in fits].index(fact.span[0]) + 1, min(counts)]
    if fact.form.startswith("one point"):
        return [len(fits)]
    if fact.form.startswith("points"):
        points = [numpy.concatenate([numpy.ravel(p[fit.best]) for p in run.parameters.values()]) for fit in fits]
        apart: list[int] = []
        for k, point in enumerate(points):
            if not any(numpy.allclose(point, points[j], rtol=1e-2, atol=1e-2) for j in apart):
                apart.append(k)
        told = []
        for k in apart:
            same = sum(numpy.allclose(points[k], point, rtol=1e-2, atol=1e-2) for point in points)
            told += [lowest[k], same] if same > 1 else [lowest[k]]
        rested = [sum("success" in str(fit.ending) or "test" in str(fit.ending) for fit in fits)]
        return [len(fits), len(apart), *told, *(rested if "some converged" in fact.form else [])]
    number, best = [fit.start for fit in fits].index(fact.span[0]), int(numpy.argmin(lowest))
    end = run.loss[rows[number][-1]]
    if fact.form == "as low":
        return [number + 1, best + 1, end]
    if fact.form == "why, precision":
        return [number + 1, end, best + 1, min(lowest)]
    own = [lowest[number]] if fact.form == "why, rose" else []
    return [number + 1, best + 1, end, min(lowest), *own]


def of_kind(run: Run) -> list[str]:
    return [fact.text for fact in run.facts if fact.kind == "ends"]


def answer(run: Run, question: str) -> str:
    return run.ask(question, model=False).text


@pytest.fixture(scope="module")
def several_starts() -> Run:
    with xi.record() as run:
        for start in ([-1.0, -1.2], [1.0, 1.0], [-0.5, -2.0], [1.0, -1.0]):
            minimize(value_and_grad(wells), start, jac=True, method="BFGS")
    return run


@pytest.fixture(scope="module")
def several_rates() -> Run:
    with xi.record() as run:
        for rate in (0.02, 0.15, 0.35):
            x = numpy.zeros(2)
            for _ in range(25):
                x = x - rate * grad(bowl)(x)
    return run


@pytest.fixture(scope="module")
def several_solvers() -> Run:
    with xi.record() as run:
        for method in ("BFGS", "L-BFGS-B", "CG"):
            minimize(value_and_grad(bowl), [0.0, 0.0], jac=True, method=method)
    return run


@pytest.fixture(scope="module")
def several_data() -> Run:
    with xi.record() as run:
        for aim in (1.0, 2.0):
            minimize(lambda x, aim: float(numpy.sum((x - aim) ** 4) + x @ x), [0.0, 0.0], (aim,), method="Nelder-Mead")
    return run


THREE_PLACES = "The 4 fits ended at 3 different points, with losses of −10.3 (2 fits), −5.78 and −8.04, each by its own"


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Where did each fit end?", "Number 2 ended at a loss of −5.78 with x[0] at 1.36 and x[1] at 1.36"),
        ("Where did the fits end?", "Number 4 ended at a loss of −8.04"),
        ("Why did the second fit end higher?", "Number 2 ended higher than number 3, at −5.78 against −10.3: its own"),
        ("Why is fit 4 worse?", "Number 4 ended higher than number 3, at −8.04 against −10.3: its own test"),
        ("Do the starts agree?", THREE_PLACES),
        ("How many minima did it find?", THREE_PLACES),
        ("Do the fits end in the same place?", THREE_PLACES),
        ("Does the result depend on the start?", THREE_PLACES),
        ("Did all fits converge?", THREE_PLACES),
        ("Which fit should I use?", "Number 3 was lowest with x[0] at −1.46 and x[1] at −1.46"),
        ("Which result should I take?", "Number 3 was lowest with"),
        (
            "Which fit was fastest?",
            "Of the 2 fits that ended as low as the lowest, number 1 took the fewest evaluations",
        ),
        ("How many fits were there?", "4 fits were made from different starts, by BFGS"),
        ("What did the third fit do?", "Number 3 ended at a loss of −10.3"),
        ("What did the seventh fit do?", "The recording does not show this."),
    ],
)
def test_questions_about_starts_are_answered_by_what_is_known_of_all(several_starts, question, says):
    assert says in answer(several_starts, question)


def test_which_of_the_fits_were_not_done_is_said(several_rates):
    assert "its loss was still falling when it ended" in answer(several_rates, "Why did the first fit end higher?")
    assert "had risen from there" in answer(several_rates, "Why did the third fit end higher?")
    assert "whether each of these is a minimum, the recording does not show" in answer(
        several_rates, "How many minima did it find?"
    )


def test_what_solvers_leave_when_their_tests_are_met_sets_no_fits_apart(several_solvers):
    (fact,) = [fact for fact in several_solvers.facts if fact.form == "reached by several, by precision"]
    assert fact.text.startswith("3 of them ended equally low, as far as their own tests for convergence tell")
    assert "All 3 fits ended at the same point" in answer(several_solvers, "Do the fits end in the same place?")
    assert "which tell no such losses apart" in answer(several_solvers, "Why did the second fit end higher?")
    assert not [text for text in of_kind(several_solvers) if "higher" in text]


def test_ends_of_fits_of_other_data_are_not_compared(several_data):
    for question in ("Why did the second fit end higher?", "Do the starts agree?", "Which fit should I use?"):
        assert "which cannot be compared" in answer(several_data, question)
    assert not [text for text in of_kind(several_data) if "higher" in text or "different points" in text]
    assert "Number 1 ended at a loss of 0.579" in answer(several_data, "Where did each fit end?")


def test_a_fit_that_was_out_of_steps_is_said_to_have_been():
    with xi.record() as run:
        for most in (3, 200):
            minimize(value_and_grad(wells), [1.0, -0.3], jac=True, method="CG", options={"maxiter": most})
    assert "it had made as many steps or evaluations as it was allowed" in answer(run, "Why is the first fit worse?")


def test_of_many_fits_each_is_told_when_it_is_asked_for():
    dice = numpy.random.RandomState(1)
    with xi.record() as run:
        for _ in range(9):
            minimize(value_and_grad(wells), 2 * dice.randn(2), jac=True, method="BFGS")
    assert not [fact for fact in run.facts if fact.form == "of one"]
    loss = run.loss[run.fits[6].stop - 1]
    assert f"Number 7 ended at a loss of −{-loss:.3g}" in answer(run, "Where did the seventh fit end?")


def test_one_fit_is_no_second_one_and_agrees_with_nobody():
    with xi.record() as run:
        minimize(value_and_grad(bowl), [0.0, 0.0], jac=True, method="BFGS")
    assert not of_kind(run)
    assert answer(run, "Why did the second fit end higher?").startswith("The recording does not show this.")
    for question in ("Do the starts agree?", "How many minima did it find?", "Are there other minima?"):
        assert answer(run, question).startswith("Whether another start ends lower, one run cannot show")


def test_the_numbers_are_those_of_the_recording(several_starts, several_rates, several_solvers, several_data):
    for run in (several_starts, several_rates, several_solvers, several_data):
        for fact in run.facts:
            if fact.kind == "ends":
                told = numbers_in(re.sub(r"x\[\d\]", "", fact.text))
                assert numpy.allclose(told, recomputed(run, fact), rtol=6e-3, atol=0), fact.text


def test_a_search_that_its_own_last_step_polishes_is_no_second_fit_that_agrees() -> None:
    with xi.record() as run:
        differential_evolution(lambda x: (x[0] - 1) ** 2 + (x[1] + 2) ** 2, [(-5, 5)] * 2, seed=1)
    assert not [fact.text for fact in run.facts if fact.kind == "ends" and fact.form != "of one"]


def test_one_low_loss_of_a_batch_is_no_point_that_a_fit_rose_from() -> None:
    rng = numpy.random.RandomState(1)
    x = rng.randn(200, 3)
    y = x @ numpy.array([1.0, -2.0, 0.5]) + 0.1 * rng.randn(200)

    def loss(w, i):
        batch = slice((i % 10) * 20, (i % 10) * 20 + 20)
        return np.mean((np.dot(x[batch], w) - y[batch]) ** 2)

    with xi.record() as run:
        for steps in (sgd, rmsprop):
            steps(grad(loss), numpy.zeros(3), num_iters=60, step_size=0.05)
    assert len(run.fits) == 2
    assert "had risen from there" not in "\n".join(fact.text for fact in run.facts)
    assert "had risen from there" not in run.ask("why did number 2 end higher", model=False).text
