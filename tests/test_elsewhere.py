"""Derivatives in other threads and processes: not recorded, said, and never waited for."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import autograd.numpy as np
import numpy
import pytest
from autograd import core, grad
from autograd.misc.optimizers import adam
from scipy.optimize import curve_fit, differential_evolution, least_squares, minimize, root

import xinv_nb as xi
from tests.waiting import PATIENCE

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def loss(w):
    return np.sum((w - 1.5) ** 2)


def fit(steps: int = 12) -> numpy.ndarray:
    w = numpy.zeros(3)
    for _ in range(steps):
        w = w - 0.1 * grad(loss)(w)
    return w


def in_a_thread(work) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_gradients_in_another_thread_are_counted_and_it_is_said_how_to_record_them() -> None:
    with xi.record() as run:
        in_a_thread(fit)
    assert run.evaluations == 0
    (notice,) = run.notices
    assert notice.startswith("Derivatives were taken 12 times in another thread, and none of them was recorded")
    assert "Run the fit in the thread of the recording, or open a recording inside of the worker" in notice
    assert run.captions[0].text == notice
    assert "another library" not in notice


def test_several_workers_are_counted() -> None:
    barrier = threading.Barrier(3)

    def work(steps: int) -> None:
        barrier.wait()
        fit(steps)

    with xi.record() as run, ThreadPoolExecutor(3) as pool:
        list(pool.map(work, [1, 2, 3]))
    assert run.notices[0].startswith("Derivatives were taken 6 times in 3 other threads")


def test_an_optimizer_is_counted_by_its_evaluations() -> None:
    with xi.record() as run:
        in_a_thread(
            lambda: adam(lambda w, _: grad(lambda w: np.sum(w["a"] ** 2))(w), {"a": numpy.ones(2)}, num_iters=5)
        )
        in_a_thread(lambda: grad(lambda x: grad(lambda y: y**3)(x) ** 2)(1.0))
    assert run.notices[0].startswith("Derivatives were taken 6 times in 2 other threads")


def test_what_was_recorded_stays_and_the_rest_is_told() -> None:
    with xi.record() as run:
        fit(4)
        in_a_thread(lambda: fit(1))
    assert run.evaluations == 4
    assert run.notices[0].startswith("Derivatives were taken once in another thread")


def test_a_thread_with_a_recording_of_its_own_is_seen_there() -> None:
    found = []

    def work() -> None:
        with xi.record("worker") as inner:
            fit(5)
        found.append(inner)

    with xi.record() as run:
        fit(2)
        in_a_thread(work)
    assert (run.evaluations, run.notices) == (2, [])
    assert (found[0].evaluations, found[0].notices) == (5, [])


def test_threads_that_take_no_derivatives_are_not_spoken_of() -> None:
    with xi.record() as run:
        fit(2)
        in_a_thread(lambda: loss(numpy.ones(3)))
        run.captions  # noqa: B018 - our own computing is nobody's thread
    assert run.notices == []


# ---------------------------------------------------------------------- processes


@needs_fork
def test_a_forked_process_computes_as_without_a_recording_and_the_run_says_what_it_missed() -> None:
    context = multiprocessing.get_context("fork")
    with xi.record() as run, ProcessPoolExecutor(2, mp_context=context) as pool:
        found = list(pool.map(fit, [3, 4]))
    assert [w.tolist() for w in found] == [fit(3).tolist(), fit(4).tolist()]
    assert run.evaluations == 0
    assert "started here, and nothing was recorded: what other processes compute cannot be seen" in run.notices[0]


@needs_fork
def test_a_fit_beside_other_processes_is_told_as_ever() -> None:
    with xi.record() as run, ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        fit(3)
        pool.submit(fit, 1).result()
    assert (run.evaluations, run.notices) == (3, [])


def hooks(_: int) -> tuple[bool, int, int]:
    """Return what a forked process sees: whether autograd is its own, and that it can record by itself."""
    is_plain = core.trace.__module__ == "autograd.tracer" and core.backward_pass.__module__ == "autograd.core"
    with xi.record() as run:
        fit(2)
    return is_plain, run.evaluations, len(run.facts)


@needs_fork
def test_a_forked_process_has_no_hook_and_may_record_by_itself() -> None:
    with xi.record() as run, ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        is_plain, evaluations, facts = pool.submit(hooks, 0).result()
        fit(1)
    assert is_plain
    assert evaluations == 2
    assert facts > 0
    assert run.evaluations == 1


_FORK_WITH_EVERY_LOCK_HELD = """
import os, sys, threading
from autograd import grad
import xinv_nb as xi
from xinv_nb.recording.backends import registry
from xinv_nb.recording.backends.autograd import hearing
from xinv_nb.recording.solvers import scipy
ready, done = threading.Event(), threading.Event()
with xi.record("parent") as run:
    grad(lambda x: x**2)(1.0)
    def hold():
        with registry._lock, hearing._lock, scipy._STAND_INS._lock, run.history.lock, run.lock:
            ready.set()
            done.wait()
    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait()
    child = os.fork()
    if child == 0:
        for _ in range(3):
            grad(lambda x: x**2)(1.0)
    else:
        done.set()
        thread.join()
if child == 0:
    with xi.record("child") as own:
        grad(lambda x: x**2)(2.0)
    os._exit(0 if (run.evaluations, own.evaluations) == (1, 1) else 1)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), run.evaluations, run.status)
"""


@needs_fork
def test_a_fork_while_locks_are_held_does_not_hang() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _FORK_WITH_EVERY_LOCK_HELD], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, _ = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert out.split() == ["0", "1", "finished"]


def line(p):
    return p[0] + p[1] * numpy.arange(8.0) - 2.5 * numpy.arange(8.0) - 1


SOLVERS = {
    "least_squares": lambda: least_squares(line, [0.0, 0.0]),
    "curve_fit": lambda: curve_fit(lambda t, a, b: a + b * t, numpy.arange(8.0), 1 + 2 * numpy.arange(8.0)),
    "minimize": lambda: minimize(lambda x: float(x @ x), [1.0, 2.0], method="Nelder-Mead"),
    "differential_evolution": lambda: differential_evolution(lambda x: float(x @ x), [(-1, 1)] * 2, maxiter=3, seed=1),
    "root": lambda: root(lambda x: x**2 - 4, [1.0]),
}


@pytest.mark.parametrize("solve", SOLVERS.values(), ids=SOLVERS)
def test_a_solver_in_another_thread_is_told_of(solve, tmp_path) -> None:
    with xi.record() as run:
        in_a_thread(solve)
    (finding,) = run.diagnosis
    assert finding.kind == "other-thread"
    assert finding.text.startswith("A solver of SciPy was called in another thread, and nothing of that was recorded")
    assert finding.text in run.captions[0].text
    assert xi.load(run.save(tmp_path / "run.npz")).diagnosis == run.diagnosis


@pytest.mark.parametrize("solve", SOLVERS.values(), ids=SOLVERS)
def test_a_solver_in_the_thread_of_the_recording_is_recorded(solve) -> None:
    with xi.record() as run:
        solve()
    assert run.evaluations > 0
    assert "other-thread" not in [finding.kind for finding in run.diagnosis]
    with xi.record() as run:
        solve()
        in_a_thread(solve)
    assert "other-thread" not in [finding.kind for finding in run.diagnosis]
