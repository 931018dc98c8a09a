"""Questions that the recording can answer are answered: fits, optimizers, Jacobians, errors, parts of numbers."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import rmsprop
from scipy.optimize import curve_fit, differential_evolution, least_squares, minimize

import xinv_nb as xi

t = numpy.linspace(0, 3, 24)


def answer(run, question):
    return run.ask(question, model=False).text


def straight(x, a, b):
    return a + b * x


def bent(x, a, b, c):
    return a + b * x + c * x**2


def test_models_of_one_cell_are_all_told_with_where_they_ended():
    data = numpy.exp(-t) + 0.01 * numpy.sin(9 * t)
    with xi.record() as run:
        for model in (straight, bent):
            found, _ = curve_fit(model, t, data)
    ends = {model: run.objectives[model].loss[run.objectives[model].iterates[-1]] for model in ("straight", "bent")}
    assert ends["bent"] == pytest.approx(numpy.sum((bent(t, *found) - data) ** 2) / 2)
    text = answer(run, "How many fits were there?")
    assert text.startswith("2 objectives were minimized, each by itself")
    for model, end in ends.items():
        assert f"{end:.3g} ({model})" in text
    assert text.split(".")[0] in run.captions[0].text
    assert answer(run, "Which model fits best?") == text


def test_what_is_added_up_in_a_loop_are_no_objectives_by_themselves():
    def misfit(x):
        return np.sum((x - 3) ** 2)

    def prior(x):
        return np.sum(x**2) / 9

    with xi.record() as run:
        x = numpy.array([0.0, 1.0])
        for _ in range(30):
            x = x - 0.1 * (grad(misfit)(x) + grad(prior)(x))
    assert "objectives were minimized" not in " ".join(fact.text for fact in run.facts)


def test_one_fit_is_counted():
    with xi.record() as run:
        minimize(value_and_grad(lambda x: np.sum((x - 3) ** 4)), [0.0, 1.0], jac=True, method="BFGS")
    assert answer(run, "How many fits were there?") == f"There was one fit, with {run.evaluations} evaluations."


def test_a_wrong_jacobian_is_told_of_where_it_is_asked_for():
    data = 2 * numpy.exp(-0.7 * t)

    def residuals(p):
        return p[0] * numpy.exp(-p[1] * t) - data

    def jacobian(p):
        return numpy.stack([numpy.exp(-p[1] * t), p[0] * t * numpy.exp(-p[1] * t)], axis=1)

    with xi.record() as run:
        least_squares(residuals, [1.0, 2.0], jac=jacobian)
    assert run.diagnosis[0].kind == "gradient-wrong"
    for question in ("Is the Jacobian right?", "Are my derivatives correct?", "Is this the right Jacobian?"):
        assert run.diagnosis[0].text in answer(run, question)


@pytest.mark.parametrize(
    "question", ["standard errors?", "What is the uncertainty of p[1]?", "What are the error bars?"]
)
def test_why_there_are_no_errors_is_told_where_they_are_asked_for(question):
    data = 3 * numpy.exp(-0.7 * t)
    with xi.record() as run:
        least_squares(lambda p: p[0] * numpy.exp(-p[1] * t) - data, [1.0, 0.5], bounds=([0, 0], [2, 9]))
    assert run.uncertainty.why_not in answer(run, question)
    assert "run.identify" not in answer(run, question)


def test_the_optimizer_is_named():
    def bumps(x):
        return float(numpy.sum(x**2 - 3 * numpy.cos(4 * x)))

    with xi.record() as search:
        differential_evolution(bumps, [(-4, 4)] * 2, seed=2, maxiter=30, popsize=6)
    assert answer(search, "Which optimizer was used?") == "The optimizers were differential evolution and L-BFGS-B."
    text = " ".join([*(caption.text for caption in search.captions), *(fact.text for fact in search.facts)])
    assert "L-BFGS-B took over from differential evolution" in text
    own = search.history.calls[-1]
    rejected = int((~search.accepted[own.start : own.stop]).sum()) - sum(b - a for a, b in own.differences)
    if rejected:
        assert f"{rejected} of the {own.stop - own.start} evaluations of L-BFGS-B" in text
    assert f"of {search.evaluations} evaluations were trials" not in text

    with xi.record() as run:
        rmsprop(lambda x, i: grad(lambda x: np.sum(x**2))(x), numpy.ones(2), num_iters=20, step_size=0.05)
    assert answer(run, "Which step size was used?") == "The optimizer was RMSProp, with a step size of 0.05."

    with xi.record() as run:
        x = numpy.array([3.0, 1.0])
        for _ in range(20):
            x = x - 0.1 * grad(lambda x: np.sum(x**2))(x)
    assert answer(run, "Which optimizer was used?").endswith("by itself, with a step size of 0.1.")
    assert "optimizer" not in answer(run, "Which data were used?")


def test_parts_of_complex_parameters_are_asked_for_in_words():
    with xi.record() as run:
        z = numpy.array([1 + 0.5j, 3 - 1j])
        for _ in range(60):
            z = z - 0.1 * numpy.conj(grad(lambda z: np.sum(np.abs(z - (2 + 1j)) ** 2))(z))
    assert answer(run, "Did the imaginary part of z[1] move?").startswith("Im z[1] rose from −1 to 1")
    assert answer(run, "What was the real part of z[0] at the end?").startswith("At the end Re z[0] was 2")
    both = answer(run, "Did z[1] move?")
    assert "Im z[1] rose" in both
    assert "Re z[1]" in both
