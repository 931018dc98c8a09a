"""What could not be recorded is told with its cause: a whole number as start, a fit in another thread."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam

import xinv_nb as xi
from xinv_nb.recorded.missed import Missed
from xinv_nb.recorded.writer import RunWriter


def bowl(x):
    return np.sum((x - 5) ** 2)


def refused(program):
    with pytest.raises(TypeError, match="Can't differentiate"), xi.record() as run:
        program()
    return run


STARTS = {
    "a number": (lambda: grad(bowl)(10), "x is 10", "10.0"),
    "a number of NumPy's": (lambda: grad(bowl)(numpy.int64(7)), "x is 7", "7.0"),
    "an array": (lambda: grad(bowl)(numpy.array([1, -2])), "x is [1, -2]", "[1.0, -2.0]"),
    "in a dict": (lambda: grad(lambda p: p["a"] * p["rate"] ** 2)({"a": 2.0, "rate": 3}), "rate is 3", "3.0"),
    "one of two": (lambda: grad(lambda a, b: a * b**2, (0, 1))(2.0, 3), "b is 3", "3.0"),
    "an optimizer's": (
        lambda: adam(lambda x, i: grad(bowl)(x), numpy.arange(6), num_iters=3),
        "[0, 1, 2, 3, …]",
        "0.0",
    ),
}


@pytest.mark.parametrize(("program", "told", "written"), STARTS.values(), ids=STARTS)
def test_a_whole_number_is_named_with_what_to_write(program, told, written):
    run = refused(program)
    (finding,) = run.diagnosis
    assert finding.kind == "integer-start"
    assert told in finding.text
    assert written in finding.advice
    assert "of test_diagnosis_missed.py" in finding.text
    assert run.notices == []
    assert finding.text[1:] in run.captions[0].text
    assert run.ask("What went wrong?", model=False).text.startswith("Autograd cannot")


def test_it_is_kept_in_the_file(tmp_path):
    run = refused(lambda: grad(bowl)(10))
    loaded = xi.load(run.save(tmp_path / "run.npz"))
    assert loaded.missed == run.missed
    assert loaded.diagnosis == run.diagnosis


def test_as_advised_it_runs():
    with xi.record() as run:
        x = 10.0
        for _ in range(5):
            x = x - 0.2 * grad(bowl)(x)
    assert run.diagnosis == ()
    assert run.loss[-1] < run.loss[0]


def test_a_program_that_goes_on_with_another_number_is_not_told_of_it():
    with xi.record() as run:
        try:
            x = 10
            grad(bowl)(x)
        except TypeError:
            x = float(x)
        for _ in range(5):
            x = x - 0.2 * grad(bowl)(x)
    assert run.diagnosis == ()


def test_another_type_error_is_none_of_it():
    def broken(x):
        return x + "a"

    with pytest.raises(TypeError), xi.record() as run:
        grad(broken)(1.0)
    assert run.diagnosis == ()
    assert run.notices


@pytest.mark.parametrize(
    ("missed", "told"),
    [
        (Missed(passes=12, threads=1), "12 times in another thread"),
        (Missed(passes=1, threads=1), "1 time in another thread"),
        (Missed(passes=40, threads=4), "40 times in 4 other threads"),
        (Missed(processes=1), "1 other process was started"),
    ],
)
def test_what_other_threads_and_processes_did_is_told_of_an_empty_run(missed, told, tmp_path):
    with xi.record() as run:
        RunWriter(run).note_missed(missed)
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity) == ("other-thread", "warning")
    assert told in finding.text
    assert told in run.captions[0].text
    assert run.notices == []
    assert xi.load(run.save(tmp_path / "run.npz")).diagnosis == run.diagnosis


def test_beside_a_recorded_fit_other_threads_are_a_caution_and_processes_nothing():
    with xi.record() as run:
        for x in (9.0, 7.0, 6.0):
            grad(bowl)(x)
        RunWriter(run).note_missed(Missed(passes=3, threads=1, processes=2))
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity) == ("other-thread", "caution")


def broken_off(program):
    with pytest.raises(TypeError), xi.record() as run:
        program()
    return run


UNADDABLE = {
    "with a slope of its own": lambda: grad(lambda w: np.sum((w - 1.5) ** 2))(numpy.array([1, 2, 3])),
    "beside a number": lambda: grad(lambda w, b: np.sum((w - 1.5) ** 2) + b**2, (0, 1))(numpy.array([1, 2, 3]), 0.5),
    "in a dict": lambda: grad(lambda p: np.sum((p["w"] - 1.5) ** 2) * p["b"])({"w": numpy.array([1, 2, 3]), "b": 0.5}),
}


@pytest.mark.parametrize("program", UNADDABLE.values(), ids=UNADDABLE)
def test_whole_numbers_to_which_no_slope_can_be_added_are_named(program):
    try:
        with xi.record() as run:
            program()
    except TypeError:
        (finding,) = run.diagnosis
        assert finding.kind == "integer-start"
        assert "[1, 2, 3]" in finding.text
        assert "[1.0, 2.0, 3.0]" in finding.advice
    assert not [notice for notice in run.notices if "recording failed" in notice]


CASTS = {
    "astype": lambda q: (q[0].astype(int) * q[1] - 30.0) ** 2,
    "astype of a sum": lambda q: 2.0 * np.sum(q**2).astype("int64") - q[1],
}


@pytest.mark.parametrize("loss", CASTS.values(), ids=CASTS)
def test_what_makes_a_whole_number_on_the_tape_is_named_with_its_line(loss, tmp_path):
    run = broken_off(lambda: adam(lambda q, i: grad(loss)(q), numpy.array([4.7, 2.0]), num_iters=5))
    (finding,) = run.diagnosis
    assert finding.kind == "cut-off"
    assert f"astype in line {loss.__code__.co_firstlineno} of test_diagnosis_missed.py" in finding.text
    assert run.notices == []
    loaded = xi.load(run.save(tmp_path / "run.npz"))
    assert loaded.diagnosis == run.diagnosis


def test_without_the_cast_it_runs():
    with xi.record() as run:
        adam(lambda q, i: grad(lambda q: (q[0] * q[1] - 30.0) ** 2)(q), numpy.array([4.7, 2.0]), num_iters=20)
    assert run.diagnosis == () or "cut-off" not in [finding.kind for finding in run.diagnosis]
    assert run.evaluations == 20


def test_a_program_that_catches_the_cast_is_not_told_of_it():
    with xi.record() as run:
        try:
            grad(CASTS["astype"])(numpy.array([4.7, 2.0]))
        except TypeError:
            x = 4.0
        for _ in range(5):
            x = x - 0.2 * grad(bowl)(x)
    assert run.diagnosis == ()
