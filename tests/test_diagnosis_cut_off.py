"""What takes a number off autograd's tape is told with its line, and nothing of the user's computation changes."""

from __future__ import annotations

import inspect

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, tracer, value_and_grad
from autograd.tracer import getval
from scipy.optimize import minimize

import xinv_nb as xi
from tests.same_bits import harmlessly_recorded

x = numpy.linspace(-1, 1, 30)
table = numpy.arange(10.0) ** 2


def descend(loss, p, step=0.01, count=30):
    with xi.record(live=False) as run:
        for _ in range(count):
            p = p - step * grad(loss)(p)
    return run


def line_of(function, text):
    lines, start = inspect.getsourcelines(function)
    return start + next(i for i, line in enumerate(lines) if text in line)


def rounded(p):
    shells = np.round(p[1])
    return np.sum((shells * np.exp(-((x * p[0]) ** 2)) - 6 * np.exp(-((7 * x) ** 2))) ** 2)


def floored(p):
    return np.sum((p[0] * x * np.floor(p[1]) - 3 * x) ** 2)


def indexed(p):
    return (p[0] * table[int(getval(p[1]))] - 9.0) ** 2


def read(p):
    return (p[0] * float(p[1]._value) - 9.0) ** 2


def unboxed(p):
    bare = getval(p[1])
    return (p[0] * bare - 9.0) ** 2


def compared(p):
    return np.sum((p[0] * (x > p[1]) - 2.0 * (x > 0.2)) ** 2)


def stopped_at(p):
    height = p[0]
    for _ in range(20):
        height = height - 0.1 * x[3] * height
        if height > 100 + p[1]:
            break
    return (height - 3.0) ** 2


def sorted_in(p):
    return np.sum((p[0] * x + np.searchsorted(x, p[1]) / 30 - x) ** 2)


@pytest.mark.parametrize(
    ("loss", "operation", "where"),
    [
        (rounded, "round", "np.round"),
        (floored, "floor", "np.floor"),
        (indexed, "int", "getval"),
        (read, "float", "_value"),
        (unboxed, "getval", "getval"),
        (compared, "greater", "x >"),
        (stopped_at, "greater", "height >"),
        (sorted_in, "searchsorted", "searchsorted"),
    ],
)
def test_what_takes_it_off_the_tape_is_told_with_its_line(loss, operation, where):
    start = 1.0 if loss is not compared else 0.4
    run = descend(loss, numpy.array([0.5, start + 0.2]))
    finding, *others = run.diagnosis
    assert (finding.kind, finding.severity) == ("cut-off", "warning")
    assert {other.kind for other in others} <= {"left-to-gain"}  # by the other parameter
    assert finding.values["operation"] == operation
    assert finding.values["line"] == line_of(loss, where)
    assert finding.text.startswith("The gradient of p[1] is exactly 0 at all 30 iterations")
    told = " ".join([*(fact.text for fact in run.facts if fact.kind != "finding"), *run.notices])
    assert "depend" not in told
    assert "minimum" not in told


def test_with_no_way_from_parameters_to_loss_left_it_is_told_all_the_same():
    def loss(delay):
        return (table[int(getval(delay))] - 9.0) ** 2

    run = descend(loss, 7.2)
    (finding,) = run.diagnosis
    assert (finding.kind, finding.values["value"]) == ("cut-off", 7.2)
    assert not any("depend" in notice for notice in run.notices)


def test_arguments_that_are_differentiated_one_after_the_other():
    def loss(shells, scale):
        return (np.round(shells) * scale - 3.0) ** 2

    with xi.record(live=False) as run:
        shells, scale = 3.2, 0.5
        for _ in range(20):
            by_shells, by_scale = grad(loss, 0)(shells, scale), grad(loss, 1)(shells, scale)
            shells, scale = shells - 0.01 * by_shells, scale - 0.01 * by_scale
    (finding,) = run.diagnosis
    assert (finding.kind, finding.values["who"]) == ("cut-off", ["shells"])


def test_its_advice_helps_and_is_left_alone():
    def blended(p):
        whole = int(getval(p[0]))
        part = p[0] - whole
        return ((1 - part) * table[whole] + part * table[whole + 1] - 20.0) ** 2 + (p[1] - 1) ** 2

    run = descend(blended, numpy.array([3.4, 0.0]), step=0.002, count=200)
    assert run.diagnosis == ()
    assert run.loss[-1] < 0.5


def test_printing_and_deciding_by_parameters_that_have_a_gradient_is_well():
    def loss(p):
        if p[0] > 10 or getval(p[1]) > 10:
            return np.sum(p)
        return np.sum((p - 1) ** 2) + 0 * np.sum(np.isfinite(p))

    assert descend(loss, numpy.array([0.0, 0.5]), count=300).diagnosis == ()


def test_boxes_are_as_they_were_and_results_the_same():
    before = tracer.Box.__dict__["_value"]

    def program():
        found = minimize(value_and_grad(indexed), [0.5, 1.2], jac=True, method="L-BFGS-B")
        return found.x, found.fun, found.nfev

    harmlessly_recorded(program)
    assert tracer.Box.__dict__["_value"] is before

    def broken(p):
        raise RuntimeError(f"at {getval(p[0])}")

    with xi.record(live=False), pytest.raises(RuntimeError, match=r"at 0\.5"):
        grad(broken)(numpy.array([0.5]))
    assert tracer.Box.__dict__["_value"] is before


PLACES = numpy.linspace(-1, 1, 41)


def brightest(p):
    beam = p[1] * np.exp(-(((PLACES - p[0]) / 0.2) ** 2))
    place = PLACES[int(np.argmax(getval(beam)))]
    return (place - 0.3) ** 2 + (np.max(beam) - 2.0) ** 2


def deepest(p):
    dip = p[1] * (PLACES - p[0]) ** 2 - p[1]
    place = PLACES[np.argmin(dip)]
    return (place - 0.3) ** 2 + (np.min(dip) + 2.0) ** 2


@pytest.mark.parametrize(("loss", "text"), [(brightest, "argmax"), (deepest, "argmin")])
def test_the_place_of_the_largest_entry_is_blamed_and_not_the_entry(loss, text):
    with xi.record(live=False) as run:
        minimize(value_and_grad(loss), [-0.5, 1.0], jac=True, method="L-BFGS-B")
    finding = run.diagnosis[0]
    assert (finding.kind, finding.form) == ("cut-off", "rounded")
    assert finding.values["operation"].rpartition(".")[2] == text
    assert finding.values["line"] == line_of(loss, "place = ")
    assert "bounds" not in finding.advice
    blended = min(float(loss(numpy.array([place, 2.0]))) for place in PLACES)  # each in a loop, as it advises
    assert blended < 1e-6 < run.loss[-1]


def test_a_level_start_is_not_blamed_on_what_is_printed_there():
    def even(p):
        width = getval(p[0])
        lines.append(f"{width:.2f}")
        return np.sum((np.cos(p[0] * PLACES) - numpy.cos(2 * PLACES)) ** 2)

    lines: list[str] = []
    assert [finding.kind for finding in descend(even, numpy.array([0.0])).diagnosis] == ["never-moved"]


def test_what_a_maximum_did_not_choose_is_flat():
    def hinge(p):
        return (np.max(np.array([0.0, p[0] - 3.0])) - 1.0) ** 2 + (p[1] - 1.0) ** 2

    finding = descend(hinge, numpy.array([1.0, 2.0])).diagnosis[0]
    assert (finding.kind, finding.values["operation"]) == ("gradient-dies", "max")
