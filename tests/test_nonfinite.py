"""Where a value or a gradient that is not finite came from, and that finding it changes nothing."""

from __future__ import annotations

import gc
import inspect
import pickle
import tracemalloc
import warnings

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, tracer, value_and_grad

import xinv_nb as xi
from tests.counted import calls, counted
from xinv_nb.recording import nonfinite


def silent():
    return numpy.errstate(all="ignore")


def found(run):
    return [event for event in run.events if event.name == nonfinite.NAME]


def line_of(function, text):
    lines, start = inspect.getsourcelines(function)
    return start + next(i for i, line in enumerate(lines) if text in line)


def visit(objective, *points, warn=False):
    with xi.record() as run, warnings.catch_warnings():
        warnings.simplefilter("always" if warn else "ignore")
        for point in points:
            grad(objective)(numpy.asarray(point, dtype=float)[()])
    return run


def entropy(x):
    doubled = 2 * x
    logs = np.log(doubled)
    return np.sum(doubled * logs)


def distance(x):
    away = x - 1.0
    return np.sqrt(np.sum(away**2))


def test_in_the_first_evaluation_operation_and_line_are_known():
    with silent():
        (event,) = found(visit(entropy, [1.0, 0.0]))
    line = line_of(entropy, "np.log")
    assert event.text == (
        f"the first value that is not finite came from log(0) in line {line} of test_nonfinite.py (in entropy), "
        "in the forward pass of iteration 0"
    )
    assert event.phase == "forward"
    assert event.values == {
        "pass": "forward",
        "iteration": 0,
        "operation": "log",
        "operands": {"0": 0.0},
        "line": line,
        "file": "test_nonfinite.py",
        "function": "entropy",
    }


def test_later_numpys_own_warning_tells_operation_and_line():
    with xi.record() as run, warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        for x in (3.0, 2.0, 0.0):
            grad(entropy)(x)
    # The filter that was put in last comes first, so this warning was not heard; the tape tells the operation.
    (event,) = found(run)
    assert event.values["operation"] == "log"
    assert event.values["likely_line"] == line_of(entropy, "np.log")


@pytest.mark.parametrize("session", ["first run", "the same cell again", "and again"])
def test_each_run_of_a_session_hears_the_warning(session):
    with xi.record() as run:
        for x in (3.0, 2.0, 0.0):
            grad(entropy)(x)
    (event,) = found(run)
    assert (event.evaluation, event.values["operation"]) == (2, "log")
    assert event.values["line"] == line_of(entropy, "np.log")


def test_a_harmless_overflow_before_does_not_make_it_deaf():
    def loss(x, depth):
        damping = 1 / np.exp(depth)
        return damping + np.exp(x)

    with xi.record() as run:
        for x, depth in ((1.0, 1.0), (1.0, 1e4), (2.0, 1e4), (2e4, 1.0)):
            grad(loss)(x, depth)
    (event,) = found(run)
    assert event.evaluation == 3
    assert event.values["operands"] == {"0": 2e4}
    assert event.values["line"] == line_of(loss, "np.exp(x)")


def test_with_warnings_off_the_tape_tells_the_operation_and_the_first_evaluation_the_likely_line():
    with silent():
        (event,) = found(visit(entropy, 2.0, 1.0, -1.0, np.nan, np.nan))
    assert event.evaluation == 2
    assert event.values["operands"] == {"0": -2.0}
    assert "line" not in event.values
    assert event.values["likely_line"] == line_of(entropy, "np.log")
    assert f"came from log(−2), probably in line {event.values['likely_line']}" in event.text


def test_a_program_that_took_another_way_gets_no_line():
    def loss(x):
        if x > 1:
            return x**2
        return np.log(x) + x

    with silent():
        (event,) = found(visit(loss, 2.0, 0.0))
    assert event.values["operation"] == "log"
    assert not {"line", "likely_line"} & event.values.keys()


def test_a_gradient_that_breaks_though_the_loss_is_finite():
    with silent():
        (event,) = found(visit(distance, [1.0, 1.0]))
    line = line_of(distance, "np.sqrt")
    assert event.phase == "backward"
    assert event.text == (
        f"the first gradient that is not finite came from the derivative of sqrt where x is 0, in line {line} of "
        "test_nonfinite.py (in distance), in the backward pass of iteration 0"
    )


def test_a_gradient_that_breaks_later_is_found_on_the_tape_and_its_line_when_it_comes_again():
    with silent():
        likely, sure = found(visit(distance, [3.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]))
    line = line_of(distance, "np.sqrt")
    assert (likely.evaluation, likely.values["likely_line"]) == (1, line)
    assert (sure.evaluation, sure.values["line"]) == (2, line)


def test_what_where_hides_from_the_value_breaks_the_gradient():
    with silent():
        (event,) = found(visit(lambda x: np.where(x > 0, np.log(x), 0.0), 1.0, 0.0))
    assert event.phase == "backward"
    assert (event.values["operation"], event.values["operands"]) == ("log", {"x": 0.0})


def test_taps_do_not_hide_the_operation_and_hear_nothing_twice():
    def loss(x):
        return xi.watch(np.sqrt(xi.watch(x**2, "square")), "root")

    with silent():
        run = visit(loss, 1.0, 0.0)
    (event,) = found(run)
    assert event.values["operation"] == "sqrt"
    assert len(run.watches["square"].cotangents) == 2
    assert len([e for e in run.events if e.name == "root" and e.phase == "backward"]) == 2


def test_data_that_is_not_finite_is_told_as_such():
    data = np.array([1.0, np.nan])
    (event,) = found(visit(lambda x: np.sum((x - data) ** 2), [0.0, 0.0]))
    assert "came into the computation as an operand of subtract(0, not a number)" in event.text


def test_parameters_that_are_not_finite_are_the_origin_themselves():
    (event,) = found(run := visit(distance, [1.0, np.nan], [np.inf, 1.0]))
    assert event.text == "the parameters of iteration 0 are not finite themselves"
    assert run.notices == []


def test_where_the_operation_cannot_be_told_the_watched_quantities_narrow_it_down():
    def loss(x):
        speed = xi.watch(x * 2, "speed")
        return xi.watch(speed + (np.inf if x > 2 else 0.0), "height")

    (event,) = found(visit(loss, 1.0, 3.0))
    assert "after speed and no later than height" in event.text


def test_no_more_than_a_few_are_told():
    with silent():
        run = visit(lambda x: np.log(x) + 1 / (x + 1) + np.exp(-1e3 * x), *([1.0, 0.0, -1.0, -2.0] * 30))
    assert len(found(run)) <= 3


# ---------------------------------------------------------------------- nothing else changes


def test_the_users_own_functions_and_derivatives_run_once():
    forward = []

    def loss(x):
        forward.append(x)
        return counted(np.sqrt(counted(x)))

    calls.clear()
    with silent():
        run = visit(loss, 1.0, 0.0, 0.0)
    assert run.evaluations == len(forward) == 3
    assert len(calls) == 6
    (event,) = found(run)
    assert event.text.startswith("the gradient stopped being finite")


def test_the_same_bits_and_the_same_warnings():
    def program():
        x, seen = np.array([1.0, 1.5]), []
        for _ in range(4):
            seen.append(value_and_grad(lambda x: np.sum(np.log(x)) - np.sqrt(np.sum((x - 1.5) ** 2)))(x))
            x = x - 1.0 * seen[-1][1]
        return [(np.asarray(v).tobytes(), g.tobytes()) for v, g in seen]

    def watched(recorded):
        vars(tracer).pop("__warningregistry__", None)
        with warnings.catch_warnings():
            shown = []
            warnings.showwarning = lambda *a: shown.append((str(a[0]), a[2], a[3]))
            warnings.simplefilter("default")
            for _ in range(3):
                if recorded:
                    with xi.record():
                        bits = program()
                else:
                    bits = program()
        return bits, shown

    assert watched(recorded=True) == watched(recorded=False)


def test_filters_and_registry_are_left_as_they_were():
    before = list(warnings.filters)
    with xi.record():
        grad(entropy)(0.0)
        with xi.record():
            grad(entropy)(0.0)
        grad(entropy)(0.0)
        entry = warnings.filters[0]
        assert pickle.loads(pickle.dumps(entry[1])).match("overflow encountered in exp") is None
    assert warnings.filters == before
    assert any("log" in str(key) for key in vars(tracer)["__warningregistry__"])


def test_errors_instead_of_warnings_reach_the_user():
    with pytest.raises(FloatingPointError), xi.record() as run, numpy.errstate(all="raise"):
        grad(entropy)(0.0)
    assert run.status == "failed"


def test_neither_observed_nor_searched_tapes_are_kept_alive():
    def loss(x):
        return np.sqrt(np.sum((np.ones(400_000) * x) ** 2))

    with xi.record() as run, silent():
        grad(loss)(1.0)
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(5):
                grad(loss)(0.0)
            gc.collect()
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert grown < 1_000_000
    assert found(run)


def test_a_run_with_such_an_event_is_saved_and_loaded(tmp_path):
    with silent():
        run = visit(entropy, 1.0, 0.0)
    assert [e.values for e in found(xi.load(run.save(tmp_path / "run.npz")))] == [e.values for e in found(run)]
