"""Where the gradient of a parameter ends is told with its operation and line, and a fit that is well is left alone."""

from __future__ import annotations

import inspect

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.scipy.special import expit
from scipy.optimize import minimize

import xinv_nb as xi
from tests.same_bits import harmlessly_recorded

x = numpy.linspace(-1, 1, 30)
rng = numpy.random.RandomState(0)


def descend(loss, p, step=0.05, count=40):
    with xi.record(live=False) as run:
        for _ in range(count):
            p = p - step * grad(loss)(p)
    return run


def line_of(function, text):
    lines, start = inspect.getsourcelines(function)
    return start + next(i for i, line in enumerate(lines) if text in line)


def facts_that_mislead(run):
    return [fact for fact in run.facts if fact.kind in ("minimum", "identifiability", "idle")]


def clipped(p):
    return np.sum((np.clip(p[0], 0.0, 1.0) * p[1] * x - 0.45 * x) ** 2)


def test_a_clip_is_named_with_its_line_its_range_and_the_value_beyond_it():
    run = descend(clipped, numpy.array([1.4, 0.15]), count=90)
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity) == ("gradient-dies", "warning")
    line = line_of(clipped, "np.clip")
    assert finding.text.startswith(
        f"The gradient of p[0] is exactly 0 at all 90 iterations because clip in line {line} of "
        "test_diagnosis_gradient_dies.py is flat outside 0 to 1 and p[0] is 1.4: a gradient of up to "
    )
    assert finding.text.endswith("and nothing goes on. Only p[1] moves, from 0.15 to 0.45.")
    assert finding.values["line"] == line
    assert not facts_that_mislead(run)
    (event,) = [event for event in run.events if event.kind == "tape"]
    assert finding.cites == (event.id,)
    assert event.text.startswith(f"the gradient ends at clip in line {line} ")


def test_its_advice_helps():
    assert descend(clipped, numpy.array([0.9, 0.15]), count=90).diagnosis == ()
    bounded = minimize(
        value_and_grad(lambda p: np.sum((p[0] * p[1] * x - 0.45 * x) ** 2)),
        [1.0, 0.15],
        jac=True,
        bounds=[(0, 1), (None, None)],
    )
    assert bounded.fun < 1e-9


def network(w):
    hidden = np.maximum(0.0, np.dot(inputs, w["into"]) + w["bias"])
    return np.mean((np.dot(hidden, w["out"]) + w["mean"] - inputs[:, 0]) ** 2)


inputs = rng.randn(20, 3)


def trained(bias):
    w = {"into": rng.randn(3, 4), "bias": numpy.array(bias), "out": rng.randn(4), "mean": 0.0}
    with xi.record(live=False) as run:
        for _ in range(40):
            slope = grad(network)(w)
            w = {name: w[name] - 0.05 * slope[name] for name in w}
    return run


def test_a_layer_that_is_off_is_told_and_a_single_unit_is_not():
    (finding,) = trained([-50.0] * 4).diagnosis
    assert (finding.kind, finding.values["operation"]) == ("gradient-dies", "maximum")
    assert finding.values["line"] == line_of(network, "np.maximum")
    assert "and 12 others is exactly 0" in finding.text
    assert trained([0.0, 0.0, -50.0, 0.0]).diagnosis == ()


def branch(p):
    return (np.where(p[0] > 0, p[0], 0.0) * p[1] - 2) ** 2 + (p[1] - 1) ** 2


def masked(p):
    return ((p[0] > 0) * p[0] * p[1] - 2) ** 2 + (p[1] - 1) ** 2


@pytest.mark.parametrize(("loss", "operation"), [(branch, "where"), (masked, "a product with a condition")])
def test_the_branch_that_is_not_taken_is_told_and_not_the_comparison(loss, operation):
    (finding,) = descend(loss, numpy.array([-1.0, 0.5])).diagnosis
    assert (finding.kind, finding.values["operation"]) == ("gradient-dies", operation)


def far_peak(p):
    return np.sum((p[0] * np.exp(-0.5 * ((energy - p[1]) / p[2]) ** 2) - spectrum) ** 2)


energy = numpy.linspace(22, 38, 160)
spectrum = 7 * numpy.exp(-0.5 * ((energy - 30) / 0.8) ** 2)


def test_an_exponential_that_underflows_is_told_with_what_is_left():
    with xi.record(live=False) as run:
        minimize(value_and_grad(far_peak), [1.0, 2.0, 0.7], jac=True, method="BFGS")
    (finding,) = run.diagnosis
    assert (finding.kind, finding.values["operation"]) == ("gradient-dies", "exp")
    assert finding.values["largest"] == pytest.approx(1.82e-195, rel=0.01)
    assert finding.values["result"] == pytest.approx(5.46e-178, rel=0.01)
    assert "although the loss is 690" in finding.text.lower()


def test_one_that_underflows_to_0_is_told_as_that():
    with xi.record(live=False) as run:
        minimize(value_and_grad(far_peak), [1.0, -40.0, 0.7], jac=True, method="BFGS")
    (finding,) = run.diagnosis
    assert finding.form == "underflows to 0"
    assert "is exactly 0" in finding.text
    with xi.record(live=False) as started_as_advised:
        found = minimize(value_and_grad(far_peak), [1.0, float(energy[spectrum.argmax()]), 0.7], jac=True)
    assert found.fun < 1e-6
    assert started_as_advised.diagnosis == ()


def test_a_unit_that_dies_on_the_way_is_told_from_then_on():
    def loss(p):
        return (np.maximum(p[0], 0.0) * 4 - 2) ** 2 + (p[1] - 1) ** 2 * 0.1

    (finding,) = descend(loss, numpy.array([1.5, 0.5]), step=0.1).diagnosis
    assert (finding.kind, finding.severity, finding.span) == ("gradient-dies", "caution", (1, 39))
    assert "from iteration 1 on" in finding.text


def test_a_hinge_loss_that_is_satisfied_is_well():
    def loss(w):
        return np.sum(np.maximum(0.0, 1 - numpy.sign(x) * (w[0] * x + w[1])))

    assert descend(loss, numpy.array([1.0, 0.3]), step=2.0, count=300).diagnosis == ()
    assert descend(loss, numpy.array([300.0, 0.0])).diagnosis == ()


def test_a_loss_that_is_next_to_0_itself_is_well():
    def margins(w):
        return np.sum(np.exp(-numpy.sign(x) * (w[0] * x + w[1] + 300 * numpy.sign(x))))

    def softplus(w):
        return np.sum(np.logaddexp(0.0, -numpy.sign(x) * (w[0] * x + w[1] + 300 * numpy.sign(x))))

    for loss in (margins, softplus):
        assert descend(loss, numpy.array([1.0, 0.0])).diagnosis == ()


def test_a_saturated_sigmoid_is_told_with_its_line():
    def steep(p):
        return np.sum((np.tanh(100 * p[0] * x + p[1]) * p[2] - np.sign(x + 0.1)) ** 2)

    def logistic(p):
        return np.sum((expit(p[0] + p[1] * x) - (x > 0)) ** 2)

    def by_hand(p):
        return np.sum((1 / (1 + np.exp(-p[0] - p[1] * x)) - (x > 0)) ** 2)

    for loss, start, operation, text in (
        (steep, [30.0, 200.0, 0.1], "tanh", "np.tanh"),
        (logistic, [800.0, 1.0], "expit", "expit"),
        (by_hand, [60.0, 1.0], "1 / (1 + exp)", "np.exp"),
        (by_hand, [-60.0, 1.0], "1 / (1 + exp)", "np.exp"),
    ):
        (finding,) = descend(loss, numpy.array(start), step=0.01).diagnosis
        assert (finding.kind, finding.values["operation"]) == ("saturated", operation)
        assert finding.values["line"] == line_of(loss, text)
    for loss in (by_hand, logistic):
        (finding,) = descend(loss, numpy.array([0.0, 1.0]), step=0.01).diagnosis
        assert (finding.kind, finding.form) == ("left-to-gain", "steep")


def test_the_look_changes_nothing_and_is_saved(tmp_path):
    def program():
        p = numpy.array([1.4, 0.15])
        for _ in range(20):
            p = p - 0.05 * grad(clipped)(p)
        return p

    run, _ = harmlessly_recorded(program)
    run.save(tmp_path / "run.npz")
    again = xi.load(tmp_path / "run.npz")
    assert [finding.text for finding in again.diagnosis] == [finding.text for finding in run.diagnosis] != []
