"""A start at which every slope is 0 is told where it is no minimum, and a start at the minimum is left alone."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi

base = numpy.linspace(15, 110, 22)
x = numpy.linspace(-1, 1, 30)


def visibility(d):
    return np.exp(-((d * base / 70.0) ** 2))


def even(p):
    return np.sum((visibility(p[0]) - visibility(1.1)) ** 2)


def by_method(loss, start, method="L-BFGS-B"):
    with xi.record(live=False) as run:
        minimize(value_and_grad(loss), start, jac=True, method=method)
    return run


def descend(loss, p, step=0.01, count=30):
    with xi.record(live=False) as run:
        for _ in range(count):
            p = p - step * grad(loss)(p)
    return run


def curvature(loss, p, h=1e-4):
    """The lowest second derivative, by differences of the gradient."""
    slopes = [(grad(loss)(p + h * e) - grad(loss)(p - h * e)) / (2 * h) for e in numpy.eye(len(p))]
    return float(numpy.linalg.eigvalsh(numpy.array(slopes))[0])


def test_an_even_model_at_0_is_a_maximum_told_with_its_second_derivative():
    run = by_method(even, [0.0])
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity, finding.form) == ("never-moved", "warning", "maximum")
    assert finding.values["bend"] == pytest.approx(curvature(even, numpy.zeros(1)), rel=1e-5)
    assert finding.values["loss"] == pytest.approx(9.01, rel=1e-3)
    assert "the second derivative is −66.5" in finding.text
    assert not [fact for fact in run.facts if fact.kind == "minimum"]
    moved = by_method(even, [0.01])  # as it advises
    assert moved.diagnosis == ()
    assert moved.loss[-1] < 1e-6


def cosines(p):
    return np.sum((np.cos(p[0] * x) * np.cos(p[1] * x) - numpy.cos(2 * x)) ** 2)


def product(p):
    return (p[0] * p[1] - 3) ** 2


@pytest.mark.parametrize(("loss", "form"), [(cosines, "maximum"), (product, "saddle")])
@pytest.mark.parametrize("by", [by_method, descend])
def test_maxima_and_saddles_in_several_parameters(loss, form, by):
    (finding,) = by(loss, numpy.zeros(2)).diagnosis
    assert (finding.kind, finding.form, finding.severity) == ("never-moved", form, "warning")
    assert finding.values["bend"] == pytest.approx(curvature(loss, numpy.zeros(2)), rel=1e-4)
    assert finding.values["who"] == ["p[0]", "p[1]"]


def test_one_parameter_at_rest_while_another_moves_has_a_gradient_that_dies():
    def loss(p):
        return np.sum((p[1] * np.cos(p[0] * x) - 1.5 * numpy.cos(2 * x)) ** 2)

    (finding,) = descend(loss, numpy.array([0.0, 1.0])).diagnosis
    assert (finding.kind, finding.form, finding.values["operation"]) == ("gradient-dies", "level", "cos")


def test_where_nothing_tells_whether_it_is_a_minimum_it_is_a_caution():
    def two_peaks(p):
        return 4 - np.sum(np.exp(-((p - 1.0) ** 2)) + np.exp(-((p + 1.0) ** 2)))

    (finding,) = descend(two_peaks, numpy.zeros(1)).diagnosis
    assert (finding.kind, finding.severity) == ("never-moved", "caution")


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "SLSQP"])
def test_without_gradients_it_is_a_caution(method):
    def model(p):
        return float(numpy.sum((numpy.exp(-((p[0] * base / 70.0) ** 2)) - visibility(1.1)) ** 2))

    with xi.record(live=False) as run:
        minimize(model, [0.0], method=method)
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity) == ("never-moved", "caution")
    with xi.record(live=False) as moved:
        minimize(model, [0.1], method=method)
    assert "never-moved" not in [finding.kind for finding in moved.diagnosis]


@pytest.mark.parametrize(
    "loss",
    [
        lambda p: (p[0] - 1) ** 2 + 3 * (p[1] - 2) ** 2 + 5,
        lambda p: np.abs(p[0] - 1) + (p[1] - 2) ** 2 + 3,
        lambda p: np.sum((p[0] + p[1] * x - 1 - 2 * x) ** 2),
        lambda p: np.cosh(p[0] - 1) + (p[0] - 1) ** 2 * np.cosh(p[1] - 2) + (p[1] - 2) ** 2,
    ],
)
def test_a_start_at_the_minimum_is_well(loss):
    assert by_method(loss, [1.0, 2.0]).diagnosis == ()
    assert descend(loss, numpy.array([1.0, 2.0])).diagnosis == ()


def cancelling(p):
    a = p[0]
    return -np.cosh(a) + 5 * (a - 1) ** 2 + 10 * a  # −10 and 10 beside the level cosh: a minimum


def cancelling_apart(p):
    return np.cosh(p[0]) + np.exp(p[0]) + np.exp(-p[0])


def cancelling_in_a_sum(p):
    return -np.cosh(p[0]) + np.sum((p[0] - numpy.array([-1.0, -2.0, 1.0, 2.0])) ** 2)


@pytest.mark.parametrize("loss", [cancelling, cancelling_apart, cancelling_in_a_sum])
def test_where_slopes_cancel_no_single_operation_is_to_blame(loss) -> None:
    with xi.record(live=False) as run:
        p = numpy.zeros(1)
        for _ in range(6):
            p = p - 0.05 * grad(loss)(p)
    assert not [finding for finding in run.diagnosis if finding.severity == "warning"]
    assert "cosh" not in " ".join(finding.text for finding in run.diagnosis)


def test_nor_where_another_parameter_moves() -> None:
    with xi.record(live=False) as run:
        p = numpy.zeros(2)
        for _ in range(40):
            p = p - 0.05 * grad(lambda p: cancelling(p) + (p[1] - 1) ** 2)(p)
    assert not [finding for finding in run.diagnosis if finding.kind in ("never-moved", "gradient-dies")]


# ---------------------------------------------------------------------- searches that see nothing, and losses of 0

WAVES = numpy.linspace(400, 700, 80)


def peak(p):
    return p[0] * numpy.exp(-0.5 * ((WAVES - p[1]) / p[2]) ** 2)


def searched(loss, start, method):
    with xi.record(live=False) as run:
        minimize(loss, start, method=method)
    return run


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "SLSQP", "Nelder-Mead", "Powell", "COBYLA"])
def test_a_search_to_which_all_points_are_the_same_is_told(method):
    line = peak([5.0, 632.0, 8.0])
    run = searched(lambda p: float(numpy.sum((peak(p) - line) ** 2)), [1.0, 100.0, 5.0], method)
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity, finding.form) == ("never-moved", "caution", "flat")
    assert "the loss is the same to the last digit, 93.3" in finding.text
    near = searched(lambda p: float(numpy.sum((peak(p) - line) ** 2)), [1.0, 620.0, 20.0], method)
    assert "never-moved" not in [each.kind for each in near.diagnosis]  # where they overlap, as it advises


@pytest.mark.parametrize("method", ["BFGS", "Nelder-Mead", "COBYLA"])
def test_a_search_that_starts_at_a_minimum_of_0_or_sees_a_bend_is_let_be(method):
    for loss in (
        lambda p: float((p[0] - 3.0) ** 2),
        lambda p: float(numpy.sum((visibility(p[0]) - visibility(3)) ** 2)),
    ):
        assert "never-moved" not in [each.kind for each in searched(loss, [3.0], method).diagnosis]


def buckling(u):
    return (1 - np.cos(u[0])) * -2 + 0.1 * u[0] ** 2 + u[1] ** 2


@pytest.mark.parametrize("method", ["SLSQP", "BFGS"])
def test_a_saddle_at_which_the_loss_is_0_is_told_and_a_sum_of_squares_of_0_is_not(method):
    (finding,) = by_method(buckling, [0.0, 0.0], method).diagnosis
    assert (finding.kind, finding.form) == ("never-moved", "saddle")
    assert finding.values["bend"] == pytest.approx(-1.8)
    assert by_method(lambda p: np.sum(p**2) + np.sum(p**4), [0.0, 0.0], method).diagnosis == ()
    assert by_method(lambda p: np.sum((np.cos(p[0] * x) - 1.0) ** 2), [0.0], method).diagnosis == ()


@pytest.mark.parametrize("count", [2, 3, 6])
def test_an_entry_that_starts_at_its_minimum_among_others_that_move_is_left_alone(count):
    run = descend(lambda p: np.sum((p - numpy.arange(count)) ** 2) + 1.0, numpy.zeros(count), count=600)
    assert list(run.diagnosis) == []


def test_an_entry_that_starts_at_its_maximum_among_others_that_move_is_told():
    run = descend(lambda p: np.sum(np.cos(p)) + 0.1 * np.sum(p**2), numpy.array([0.0, 1.0]))
    assert run.diagnosis[0].kind == "gradient-dies"
