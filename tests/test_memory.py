"""What a long run, or one with very many parameters, takes of memory, and what is kept of it."""

from __future__ import annotations

import tracemalloc

import autograd.numpy as np
import numpy as onp
import pytest
from autograd import grad
from numpy.testing import assert_array_equal

import xinv_nb as xi
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import leaves_of

MIB = 2**20


def bowl(x):
    return np.sum(x**2)


@pytest.fixture
def small_budget(monkeypatch):
    monkeypatch.setattr("xinv_nb.recorded.history.BUDGET", 0)  # 1,024 rows are kept all the same
    monkeypatch.setattr("xinv_nb.recorded.columns.WATCHED_LIMIT", 1000)


@pytest.fixture
def long_run(small_budget):
    """5,001 evaluations, the best of them the 3,333rd, of which the parameters of some are kept."""
    points = onp.random.default_rng(0).normal(size=(5001, 3)) + 3
    points[3333] = 0.01
    with xi.record("long") as run:
        for x in points:
            grad(bowl)(x)
    return run, points


def test_the_loss_is_kept_of_every_evaluation_and_the_parameters_of_evenly_many(long_run):
    run, points = long_run
    assert_array_equal(run.loss, [bowl(x) for x in points])
    assert len(run.accepted) == run.evaluations == 5001
    assert 500 < len(run.kept) <= 1030
    assert_array_equal(run.parameters["x"], points[run.kept])
    assert_array_equal(run.gradients["x"], 2 * points[run.kept])
    steps = onp.diff(run.kept)
    assert steps.max() <= 8
    assert onp.median(steps) == 8


def test_first_last_best_and_worst_are_always_kept(long_run):
    run, _ = long_run
    assert {0, 3333, int(onp.argmax(run.loss)), 5000} <= set(run.kept.tolist())


def test_what_stands_between_is_the_point_before(long_run):
    run, points = long_run
    column = run.column(run.entries()[1])
    assert len(column) == 5001
    assert_array_equal(column[run.kept], points[run.kept, 1])
    missing = next(i for i in range(5001) if i not in set(run.kept.tolist()))
    before = run.kept[run.kept < missing][-1]
    assert column[missing] == points[before, 1]
    assert_array_equal(run.point(missing), points[before])
    assert_array_equal(run.point(3333), points[3333])


def test_the_run_says_that_it_was_thinned(long_run):
    run, _ = long_run
    (notice,) = run.notices
    assert notice == (
        "This run is long: its parameters and gradients were kept at every 8th evaluation, and at the first, the last, "
        "the best and the worst. The loss was kept at each."
    )


def test_a_thinned_run_is_explained_drawn_and_saved(long_run, tmp_path):
    run, _ = long_run
    assert run.captions[0].text
    assert run.plot().axes
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert_array_equal(again.kept, run.kept)
    assert_array_equal(again.parameters["x"], run.parameters["x"])
    assert_array_equal(again.loss, run.loss)
    frame = run.to_frame()
    assert len(frame) == 5001
    assert_array_equal(onp.flatnonzero(frame["x[0]"].notna()), run.kept)


def test_a_descent_keeps_no_more_than_its_share_although_each_point_is_the_best_so_far(small_budget):
    with xi.record() as run:
        x = onp.array([1.0])
        for _ in range(4000):
            x = x - 1e-4 * grad(bowl)(x)
    assert len(run.kept) <= 1030
    assert run.kept[-1] == 3999
    assert_array_equal(2 * run.parameters["x"], run.gradients["x"])


def test_views_taken_before_stay_as_they_were(small_budget):
    with xi.record() as run:
        for i in range(1000):
            grad(bowl)(onp.array([float(i)]))
        before = run.parameters["x"]
        for i in range(1000, 3000):
            grad(bowl)(onp.array([float(i)]))
    assert_array_equal(before[:, 0], onp.arange(1000.0))


def test_watched_quantities_are_thinned_by_evaluation(small_budget):
    def simulate(x):
        for k in range(4):
            xi.watch(x * k, "reach", "m", at=k)
        return x**2

    with xi.record() as run:
        for i in range(2001):
            grad(simulate)(float(i))
    watch = run.watches["reach"]
    kept = onp.unique(watch.evaluation)
    assert len(watch.values) <= 1004
    assert kept[0] == 0
    assert kept[-1] == 2000
    assert len(kept) > 100
    assert_array_equal(watch.values, watch.evaluation * onp.tile(onp.arange(4.0), len(kept)))
    assert watch.at == (0, 1, 2, 3) * len(kept)


def test_many_rows_stay_within_the_budget(monkeypatch):
    monkeypatch.setattr("xinv_nb.recorded.history.BUDGET", 32 * MIB)
    tracemalloc.start()
    try:
        history = History("f", leaves_of([("x", (1000,))]))
        row = onp.ones(1000)
        for i in range(20_000):  # 320 MB, were they all kept
            history.append(float(i), row, row)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * 32 * MIB
    assert len(history) == 20_000


def test_a_million_parameters_cost_a_summary_each_time():
    x = onp.ones(1_000_000)
    gradient = grad(bowl)
    gradient(x)
    with xi.record() as run:
        gradient(x)
        tracemalloc.start()
        try:
            for _ in range(30):
                gradient(x)
            left, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert run.evaluations == 30  # the loop begins where the gradient was taken before
    assert left < MIB
