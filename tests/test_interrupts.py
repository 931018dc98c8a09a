"""An interrupt at any line of ours leaves a recording that can be read, saved, loaded and explained, and no hook.

A stop is pressed anywhere: also while the recorder writes a row, or while the recording closes. The tests raise
`KeyboardInterrupt` at each line of this package that a program runs through, one in each run of the program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import core, grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy import optimize
from typing_extensions import Self

import xinv_nb as xi
from xinv_nb.recorded import history
from xinv_nb.recording import context
from xinv_nb.session import Recording

_OURS = str(Path(xi.__file__).parent)
_WRITING = (
    "session.py", "recorder.py", "rows.py", "kept_events.py", "follower.py", "solvers/scipy.py", "registry.py",
    "hearing.py", "hook.py", "history.py", "columns.py", "writer.py", "standins.py", "asked.py", "fitting.py",
    "minimizing.py", "data.py", "turns.py", "joining.py",
)  # fmt: skip
"""The files whose every line is interrupted."""
_ONE_IN = 8
"""Of the lines of other files, every which."""

Program = Callable[["Stop"], xi.Run]


class Stop:
    """Raises `KeyboardInterrupt` at one line of this package; counts the lines where it is told none."""

    def __init__(self, at: int | None = None) -> None:
        self._at = at
        self.lines: list[tuple[str, int]] = []
        self.is_raised = False

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_OURS) or self.is_raised:
            return None
        if event == "line":
            self.lines.append((frame.f_code.co_filename, frame.f_lineno))
            if len(self.lines) - 1 == self._at:
                self.is_raised = True
                raise KeyboardInterrupt
        return self._trace


def loss(x: Any) -> Any:
    xi.event("evaluated at {x}", x=x[0])
    miss = xi.watch(np.sum((x - 1.0) ** 2), "misfit", "K")
    size = xi.watch(np.sum(x**2), "size")
    xi.watch(np.tanh(x), "profile", at=3)
    return miss + 0.1 * size


def gradients(stop: Stop) -> xi.Run:
    with xi.record("gradients", parameters=["x"]) as run, stop:
        x = numpy.array([3.0, -1.0])
        for _ in range(3):
            x = x - 0.3 * grad(loss)(x)
            xi.event("a step is made")
        value_and_grad(lambda x: np.sum(x / 0.0))(x)
    return run


def trainer(stop: Stop) -> xi.Run:
    with xi.record("trainer") as run, stop:
        adam(lambda x, _: grad(loss)(x), numpy.array([3.0, -1.0]), num_iters=3)
    return run


def solver(stop: Stop) -> xi.Run:
    with xi.record("solver") as run, stop:
        for method, bounds in ("BFGS", None), ("L-BFGS-B", [(0.0, 2.0), (-1.0, 0.5)]):
            start = numpy.array([1.5, -1.0])
            optimize.minimize(value_and_grad(loss), start, jac=True, method=method, bounds=bounds)
    return run


def fits(stop: Stop) -> xi.Run:
    def residuals(p: Any) -> Any:
        r = p[0] * numpy.exp(-p[1] * times) - 1.0 / (1.0 + times)
        xi.data(r, "decay", sigma=0.1)
        return r

    times = numpy.linspace(0.0, 2.0, 6)
    with xi.record("fits") as run, stop:
        optimize.least_squares(residuals, [1.0, 1.0], max_nfev=3)
        optimize.curve_fit(lambda t, a, b: a * t + b, times, times**2)
        optimize.minimize(lambda x: float(numpy.sum((x - 1.0) ** 2)), numpy.zeros(2), method="Nelder-Mead")
    return run


def by_turns(stop: Stop) -> xi.Run:
    def miss(a: Any, b: Any) -> Any:
        return np.sum((a - 1.0) ** 2) + np.sum((a * b - 2.0) ** 2)

    with xi.record("by turns") as run, stop:
        a, b = numpy.array([3.0, -1.0]), numpy.array([0.5, 0.5])
        for _ in range(4):
            a = a - 0.1 * grad(miss, 0)(a, b)
            b = b - 0.1 * grad(miss, 1)(a, b)
            xi.watch(float(a @ b), "outside")
    return run


def by_hand(stop: Stop) -> xi.Run:
    with xi.record("by hand") as run, stop:
        for k in range(4):
            residuals, jacobian = numpy.array([1.0 / (k + 1), 2.0]), numpy.eye(2)
            given = {"jacobian": jacobian} if k % 2 else {}
            point = {"a": 1.0 + k, "b": 2.0 - k}
            run.add(residuals @ residuals, point, residuals=residuals, held_out=(3.0 - k, "K"), **given)
    return run


def long(stop: Stop) -> xi.Run:
    with xi.record("long") as run:
        for k in range(37):
            run.add(1.0 / (k + 1), numpy.full(3, float(k)), level=numpy.full(3, k))
        with stop:
            for k in range(37, 44):
                run.add(1.0 / (k + 1), numpy.full(3, float(k)), numpy.ones(3), level=numpy.full(3, k))
    return run


def nested(stop: Stop) -> xi.Run:
    with xi.record("outer") as run:
        grad(loss)(numpy.array([3.0, -1.0]))
        with xi.record("inner"), stop:
            grad(loss)(numpy.array([2.0, -1.0]))
    return run


def opening_and_closing(stop: Stop) -> xi.Run:
    with stop, xi.record("opened and closed") as run:
        grad(loss)(numpy.array([3.0, -1.0]))
    return run


PROGRAMS: list[Program] = [gradients, trainer, solver, fits, by_turns, by_hand, long, nested, opening_and_closing]


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_FEWEST_ROWS", 8)
    monkeypatch.setattr(history, "BUDGET", 8 * 2 * 8 * 3)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.usefixtures("little_memory")
def test_an_interrupt_at_any_line_leaves_a_run_that_can_be_read(program: Program, tmp_path: Path) -> None:
    hooks = core.trace, core.backward_pass, optimize._optimize._wrap_callback, list(sys.meta_path)
    out_of_range = numpy.geterr()
    program(Stop())  # what is imported when it is needed is there from now on
    program(counted := Stop())
    for number in _some_of(counted.lines):
        before = xi.last_run()
        stop = Stop(number)
        where = counted.lines[number]
        is_interrupted = False
        try:
            program(stop)
        except KeyboardInterrupt:
            is_interrupted = True
        assert is_interrupted == stop.is_raised, where  # what is remembered from run to run saves some lines
        run = xi.last_run()
        found = core.trace, core.backward_pass, optimize._optimize._wrap_callback, list(sys.meta_path)
        assert found == hooks, where
        assert context.active() is None, where
        assert numpy.geterr() == out_of_range, where
        if run is before:
            continue  # interrupted before it began
        assert run.status != "running", where
        assert_whole(run, tmp_path / "run.npz", where)


def assert_whole(run: xi.Run, path: Path, where: object) -> None:
    """Assert that a run can be read, explained, saved and loaded."""
    for each in [run, *run.objectives.values()]:
        lengths = [len(each.loss), len(each.accepted)]
        assert set(lengths) == {each.evaluations}, where
        rows = [*each.parameters.values(), *each.gradients.values()]
        rows += [] if each.residuals is None else [each.residuals]
        rows += [group.residuals for group in each.data.values()]
        assert {len(row) for row in rows} <= {len(each.kept)}, where
        for watch in each.watches.values():
            lengths = [len(watch.evaluation), len(watch.values), len(watch.cotangents), len(watch.at)]
            assert len(set(lengths)) == 1, where
            assert lengths[0] > 0, where
        assert all(event.evaluation < max(each.evaluations, 1) for event in each.events), where
    facts, captions = run.facts, run.captions
    again = xi.load(run.save(path))
    numpy.testing.assert_array_equal(again.loss, run.loss)
    assert again.facts == facts, where
    assert [caption.text for caption in again.captions] == [caption.text for caption in captions], where


def _some_of(lines: list[tuple[str, int]]) -> list[int]:
    """Return where each line comes last; of files that write nothing, some lines."""
    last = {line: number for number, line in enumerate(lines)}
    return [n for (file, line), n in last.items() if file.endswith(_WRITING) or line % _ONE_IN == 0]


def test_a_run_is_saved_though_stop_is_pressed_while_it_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    presses = iter([KeyboardInterrupt])
    save = xi.Run.save

    def interrupted(run: xi.Run, path: Path) -> Path:
        for press in presses:
            raise press
        return save(run, path)

    monkeypatch.setattr(xi.Run, "save", interrupted)
    run = xi.Run("saved")
    recording = Recording(run, save=tmp_path / "run.npz")
    recording.open()
    grad(loss)(numpy.array([3.0, -1.0]))
    with pytest.raises(KeyboardInterrupt):
        recording.close()
    assert xi.load(tmp_path / "run.npz").evaluations == 1
    assert (run.status, run.notices) == ("finished", [])


def test_who_presses_stop_twice_is_told_what_was_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(run: xi.Run, path: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(xi.Run, "save", interrupted)
    run = xi.Run("not saved")
    recording = Recording(run, save=tmp_path / "run.npz")
    recording.open()
    with pytest.raises(KeyboardInterrupt):
        recording.close(ValueError("of the cell"))
    assert run.status == "failed"
    assert "The run could not be saved (you stopped it)." in run.notices
    assert "The run could not be saved (you stopped it)." in capsys.readouterr().err
    assert context.active() is None


def test_a_program_that_catches_an_interrupt_goes_on_and_its_rows_are_right() -> None:
    """Each row is that of an evaluation, and its quantity that of the same one, wherever the interrupt came."""

    def program(stop: Stop) -> xi.Run:
        with xi.record() as run:
            for k in range(6):
                try:
                    # That a caught interrupt may leave NumPy's own `errstate` without its end no recording can know.
                    with numpy.errstate(), stop if k == 3 else Stop():
                        run.add(float(k), {"a": k + 0.5}, {"a": k + 0.25} if k % 3 else None, doubled=2.0 * k)
                except KeyboardInterrupt:
                    pass
        return run

    program(Stop())
    program(counted := Stop())
    for number in range(len(counted.lines)):
        run = program(Stop(number))
        assert run.evaluations in {5, 6}
        numpy.testing.assert_array_equal(run.parameters["a"], run.loss + 0.5)
        known = run.loss % 3 != 0
        numpy.testing.assert_array_equal(run.gradients["a"][known], run.loss[known] + 0.25)
        assert numpy.isnan(run.gradients["a"][~known]).all()
        watch = run.watches["doubled"]
        numpy.testing.assert_array_equal(watch.values, 2.0 * run.loss[watch.evaluation])
