"""The gradient of each term of a loss: right, read from the same tape, harmless, within its time."""

from __future__ import annotations

import gc
import tracemalloc

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad

import xinv_nb as xi
from tests.counted import calls, counted
from xinv_nb.recording import readings


def cost(x):
    return np.sum((x - 3.0) ** 2)


def time(x):
    return np.sum((x + 1.0) ** 2)


def route(x):
    return xi.watch(cost(x), "construction cost") + 0.5 * xi.watch(time(x), "travel time")


def once(objective, x):
    with xi.record() as run:
        gradient = grad(objective)(x)
    return run, gradient


def read(run):
    return {name: rows[0].tolist() for name, (_, rows) in run.term_gradients.items()}


X = numpy.array([1.0, 2.0])
COST, TIME = grad(cost)(X), grad(time)(X)


def watched_terms(x):
    return xi.watch(cost(x), "cost"), xi.watch(time(x), "time")


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (lambda c, t: c + t, {"cost": COST, "time": TIME}),
        (lambda c, t: (c - 3 * t) / 4, {"cost": COST / 4, "time": -3 * TIME / 4}),
        (lambda c, t: -1.0 * (-c) * 2 + t + 7.0, {"cost": 2 * COST, "time": TIME}),
        (lambda c, t: c + t + c, {"cost": 2 * COST, "time": TIME}),
        (lambda c, t: c + t + np.sin(c) * t, {"cost": COST, "time": TIME}),  # the rest is not the terms' doing
        (lambda c, t: 0.1 * xi.watch(c + t, "loss"), {"cost": 0.1 * COST, "time": 0.1 * TIME}),
        (lambda c, t: xi.watch(xi.watch(c, "again") + t, "loss"), {"again": COST, "time": TIME}),
        (lambda c, t: c * t, {}),
        (lambda c, t: 1 / c + t, {}),
        (lambda c, t: np.sqrt(c + t), {}),
        (lambda c, t: c + 0.0 * 1, {}),
    ],
)
def test_the_gradient_of_each_term(loss, expected):
    run, gradient = once(lambda x: loss(*watched_terms(x)), X)
    assert list(read(run)) == list(expected) or set(read(run)) == set(expected)
    for name, row in read(run).items():
        numpy.testing.assert_allclose(row, expected[name])
    assert run.gradients["x"][0].tolist() == gradient.tolist()


def test_a_term_that_another_one_is_made_of_is_counted_once():
    def loss(x):
        c = xi.watch(cost(x), "cost")
        return c + xi.watch(c**2, "square")

    run, gradient = once(loss, X)
    numpy.testing.assert_allclose(np.sum(list(read(run).values()), axis=0), gradient)


def test_terms_of_a_dict_and_of_several_arguments():
    def loss(p):
        return xi.watch(np.sum(p["a"] ** 2), "a") + xi.watch(p["b"] ** 3, "b")

    run, _ = once(loss, {"a": X, "b": 2.0})
    assert read(run) == {"a": [2.0, 4.0, 0.0], "b": [0.0, 0.0, 12.0]}


def test_terms_of_one_name_are_taken_together():
    def loss(x):
        return sum(xi.watch((x[i] - i) ** 2, "miss") for i in range(2)) + xi.watch(cost(x), "cost")

    run, _ = once(loss, X)
    assert read(run)["miss"] == [2.0, 2.0]


def test_a_conflict_is_told_at_the_beginning_and_when_it_changes():
    problem = xi.Problem("Railway", parameters={"x[0]": xi.Parameter("the first point", directions=("south", "north"))})
    x = numpy.array([1.0, 10.0])
    with xi.record(problem=problem) as run:
        for _ in range(5):
            x = x - 0.01 * grad(route)(x)
    told = [(e.evaluation, e.phase, e.text) for e in run.events if "pulls" in e.text]
    assert told == [
        (0, "backward", "travel time pulls the first point south, construction cost pulls it north"),
    ]
    assert next(e for e in run.events if "pulls" in e.text).values["gradients"] == {
        "construction cost": -4.0,
        "travel time": 2.0,
    }


def test_taps_hear_nothing_of_it():
    run, _ = once(route, X)
    assert {name: watch.cotangents.tolist() for name, watch in run.watches.items()} == {
        "construction cost": [1.0],
        "travel time": [0.5],
    }


def test_the_same_bits(monkeypatch):
    monkeypatch.setattr(readings, "_FREE", 1e9)

    def program():
        x = numpy.array([1.0, 5.0])
        for _ in range(20):
            x = x - 0.05 * value_and_grad(route)(x)[1]
        return x.tobytes()

    plain = program()
    with xi.record() as run:
        assert program() == plain
    rows, _ = run.term_gradients["travel time"]
    assert rows.tolist() == list(range(20))
    numpy.testing.assert_allclose(
        sum(g for _, g in run.term_gradients.values()), run.gradients["x"][rows], rtol=1e-12, atol=1e-12
    )


def test_it_is_read_often_at_first_and_in_the_same_evaluations_each_time():
    found = []
    for _ in range(2):
        with xi.record() as run:
            for _ in range(2000):
                grad(route)(X)
        found.append(run.term_gradients["travel time"][0].tolist())
    assert found[0] == found[1]
    assert found[0][:3] == [0, 1, 2]
    assert found[0][-1] >= 2000 * 0.9
    assert len(found[0]) <= 2000 / 15
    assert run.history.slopes["travel time"].evaluation == found[0], "the tape is read once for both"


def test_the_users_own_derivatives_are_not_called_twice():
    calls.clear()
    run, _ = once(lambda x: xi.watch(cost(counted(x)), "cost") + xi.watch(time(x), "time"), X)
    assert len(calls) == 1
    assert run.term_gradients == {}


def test_no_tape_is_kept_alive(monkeypatch):
    monkeypatch.setattr(readings, "_FREE", 1e9)

    def loss(x):
        big = np.ones(400_000) * x
        return xi.watch(np.mean(big**2), "square") + xi.watch(np.mean(big), "mean")

    with xi.record() as run:
        grad(loss)(1.0)
        gc.collect()
        tracemalloc.start()
        try:
            for k in range(5):
                grad(loss)(float(k))
            gc.collect()
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert grown < 1_000_000
    assert len(run.term_gradients["mean"][0]) == 6


def test_saved_and_loaded(tmp_path):
    run, _ = once(route, X)
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert read(again) == read(run)
    assert [e.text for e in again.events] == [e.text for e in run.events]
