"""The path of one solver over one objective: which evaluations were iterates, which trials, and what stands out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.language.quantities import number
from xinv_nb.language.renderer import said
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.endings import NO_LOWER_LOSS, why_of
from xinv_nb.recorded.history import History
from xinv_nb.recording.solvers.calls import SolverCall
from xinv_nb.recording.solvers.endings import more_of_result, of_result
from xinv_nb.recording.solvers.precision import are_same, sides

Sink = Callable[..., None]
"""Called with an evaluation, a sentence, its numbers, and the event's kind and column where it is about a parameter."""

_MOST_OF_A_KIND = 8
"""Events of one kind on one path; a new extreme is told all the same."""

_MUCH = 10.0
"""Factor from which on a step is much longer or shorter than those before."""

_USUAL = 3
"""Steps in a row that make a usual length."""

_FEWEST_DIRECTIONS = 2
"""Parameters from which on there is more than one direction to go."""

_MOST_AT_ONCE = 3
"""Parameters that reach or leave a bound at the same iterate up to which each is named."""

_ROUNDING = 1e3 * float(np.finfo(float).eps)
"""Share of the losses by which one may be lower than another without being so."""

_REMEMBERED = 4096
"""Points of which it is remembered when they were evaluated; solvers come back to none that is older."""

_LINE_SEARCH = ("BFGS", "L-BFGS-B", "Conjugate gradient", "SLSQP")
_TRUST_REGION = ("trust-constr", "dogleg", "trust-ncg", "trust-krylov", "trust-exact")
_REPORT_ALL = ("COBYLA", "COBYQA")
"""Searches that report every evaluation as an iterate, in some versions of scipy."""
_WITHOUT_RESULT = ("Brute force",)
"""Searches of a grid, over once they have been at all its points."""
_FITS = ("Trust region reflective", "Dogbox", "Levenberg-Marquardt")


class SolverPath:
    """What is known of the evaluations that one call of a solver makes of one objective.

    Evaluations and iterates are matched by the bits of the point as scipy passes it, so that it does not matter what
    the user's function makes of it; or else to the solver's precision, where it puts a point within its bounds.
    """

    def __init__(self, call: SolverCall, history: History, first: int, tell: Sink, noted: OptimizerCall) -> None:
        self._call = call
        self._noted = noted
        self._history = history
        self._last = first
        self._tell = tell
        self._rows: dict[int, list[int]] = {}
        """The evaluations by their point, the latest points."""
        self._start: int | None = None
        """The first point."""
        self.evaluations = 0
        """Number of evaluations that were recorded."""
        self._iterates: set[int] = set()
        """The points that the solver accepted."""
        self._iterate: int | None = None
        """The latest of them: an earlier one that is tried again is a trial."""
        self._accepted_row = first - 1
        """The latest evaluation that was accepted."""
        self._open: list[tuple[int, int]] = []
        """Evaluations of which it is not known yet whether they were accepted, with their point."""
        self._latest: list[tuple[int, NDArray[Any]]] = []
        """The latest two points that differ."""
        self._rejected: set[int] = set()
        """Points that were tried since the latest iterate."""
        self._matched = False
        """Whether an iterate beyond the start was found among the evaluations."""
        self._turned_down = False
        """Whether any was no iterate."""
        self._x: NDArray[Any] | None = None
        self._best = math.inf
        """The lowest loss, of a solver whose iterates are the best points so far."""
        self._lengths: list[float] = []
        """Lengths of the latest steps."""
        self._usual_length = 0.0
        """The length that was last spoken of."""
        self._row = first
        """The evaluation of the latest iterate."""
        self._under_way = False
        self._told: dict[str, int] = {}
        self._most_trials = 1
        self._at_bound: NDArray[Any] | None = None
        self._reach: tuple[NDArray[Any], NDArray[Any]] | None = None
        """The lowest and the highest value of each parameter so far, where there are bounds."""

    # ------------------------------------------------------------------ which evaluations were accepted

    def evaluated(self, row: int, x: NDArray[Any], *, is_difference: bool = False) -> None:
        """Take note of an evaluation of the objective at `x`, as the solver sees it."""
        between = slice(self._last + 1, row)
        self._last = row
        self.evaluations += 1
        if is_difference:
            self._history.set_accepted(row, accepted=False)
            differences = self._noted.differences
            if differences and differences[-1][1] == row:
                differences[-1][1] = row + 1
            else:
                differences.append([row, row + 1])
            return
        if self._call.best_so_far:
            self._is_best(row, x, between)
            return
        point = _bits(x)
        is_start = self._start is None
        self._rows.setdefault(point, []).append(row)
        if len(self._rows) > _REMEMBERED:
            self._forget()
        if not self._latest or self._latest[-1][0] != point:
            self._latest = [*self._latest[-1:], (point, x)]
        if is_start:
            self._start = self._iterate = point
            self._iterates.add(point)
            self._x = x
            self._look_at_bounds(row, x)
        elif point == self._iterate:  # the gradient of an iterate may be asked for after it was accepted
            self._matched = self._matched or point != self._start
        else:
            self._open.append((row, point))

    def _is_best(self, row: int, x: NDArray[Any], between: slice) -> None:
        """Accept an evaluation that is better than all before: this is where such a solver has got to.

        Those before are also what a solver that it started evaluated `between` its own.
        """
        self._rows.setdefault(_bits(x), []).append(row)
        if len(self._rows) > _REMEMBERED:
            self._forget()
        loss = float(self._history.loss.array[row])
        if self._x is not None:
            self._best = float(np.fmin.reduce(self._history.loss.array[between], initial=self._best))
        is_better = self._x is None or loss < self._best
        self._history.set_accepted(row, accepted=is_better)
        if is_better:
            self._best = loss if math.isfinite(loss) else math.inf
            self._x = x
            self._look_at_bounds(row, x)

    def goes_on_in(self, history: History) -> None:
        """Go on in a history that has the same evaluations, and more parameters."""
        self._history = history

    def _forget(self) -> None:
        """Forget the older half of the points, which are settled."""
        for point in list(self._rows)[: _REMEMBERED // 2]:
            del self._rows[point]
            self._iterates.discard(point)

    def accepted(self, x: NDArray[Any]) -> None:
        """Mark the evaluations at the iterate `x`, and those that were trials on the way there."""
        if self._call.best_so_far:
            return
        point = self._point_of(x)
        if self._call.name == "SLSQP":  # reports the first trial of its next line search; the iterate came before it
            earlier = [(p, tried) for p, tried in self._latest if p != point]
            if not earlier:
                return
            point, x = earlier[-1]
        is_new = point not in self._iterates
        self._iterates.add(point)
        rows = self._take(point)
        self._matched = self._matched or (bool(rows) and is_new)
        self.settle(rows[-1] if rows and self._call.name == "SLSQP" else self._last)
        if is_new:
            self._look_at(rows[-1] if rows else self._last, x)
            self._x = x
            self._rejected.clear()

    def _take(self, point: int) -> list[int]:
        """Mark the evaluations at an iterate since the one before; where there is none since, the first at it."""
        known = self._rows.get(point, [])
        rows = [row for row in known if row > self._accepted_row] or known[:1]
        for row in rows:
            self._history.set_accepted(row, accepted=True)
        self._open = [(row, tried) for row, tried in self._open if row not in rows]
        self._accepted_row = max([self._accepted_row, *rows])
        self._iterate = point
        return rows

    def _point_of(self, x: NDArray[Any]) -> int:
        """Return the point that `x` is among those that were evaluated; a new one, if it is none of them."""
        point = _bits(x)
        if point not in self._rows:
            for known, tried in self._latest[::-1]:
                if are_same(tried, x, self._way):
                    return known
        return point

    def settle(self, until: int | None = None) -> None:
        """Mark what was tried and is no iterate, if evaluations and iterates can be matched at all."""
        if not self._matched:
            return
        for row, point in self._open:
            if until is None or row <= until:
                self._history.set_accepted(row, accepted=False)
                self._rejected.add(point)
                self._turned_down = True
        self._open = [] if until is None else [(row, point) for row, point in self._open if row > until]

    def ends(self, result: Any = None, *, stopped: bool = False) -> None:
        """Mark the solution and tell why the solver stopped, once."""
        if self._noted.stop is not None:
            return
        x = getattr(result, "x", None)
        if isinstance(x, np.ndarray) and self._call.best_so_far:
            for row in self._rows.get(_bits(self._call.seen(x)), ()):  # which need not be the best
                self._history.set_accepted(row, accepted=True)
        elif isinstance(x, np.ndarray):
            x = self._call.seen(x)
            point = self._point_of(x)
            is_new = point not in self._iterates and point in self._rows
            self._matched = self._matched or point in self._rows
            self._iterates.add(point)
            self._take(point)
            self.settle()
            if is_new:
                self._look_at(self._rows[point][-1], x)
            if self._call.name in _REPORT_ALL and not self._turned_down:
                self._accept_only(point)
        elif self._call.name != "SLSQP":  # which never reports its last iterate
            self.settle()
        evaluations = self.evaluations
        told = of_result(result, bounded=self._call.bounds is not None, stopped=stopped)
        if self._call.name in _WITHOUT_RESULT and evaluations == self._call.options.get("points"):
            told = {"reason": "all points", "message": "All points of the grid were evaluated."}
        told |= self._turned_down_lower(told.get("reason", ""))
        self._noted.stop, self._noted.ending = self._last + 1, told | more_of_result(result, self._call)
        values = {"optimizer": self._call.name, "evaluations": evaluations, **told}
        text = f"{self._call.name} stops after {evaluations} evaluation{'s' * (evaluations != 1)}"
        why = why_of(values)
        self._tell(self._last, text if why is None else f"{text}: {said('why', {'why': why})}", values)

    def _turned_down_lower(self, reason: str) -> dict[str, float]:
        """Return the lowest loss that a search which took no further step had tried, where it is lower all the same.

        It looks for a step that also flattens the slope, and may give up on points that are lower by far.
        """
        if reason not in NO_LOWER_LOSS or "constraints" in self._noted.options:
            return {}
        loss, accepted = self._history.loss.array, self._history.accepted.array
        rows = np.arange(self._noted.start, self._last + 1)
        of_differences = [(rows >= first) & (rows < after) for first, after in self._noted.differences]
        rows = rows[np.isfinite(loss[rows]) & ~np.any(of_differences, axis=0)]
        kept = rows[accepted[rows]]
        tried = rows[rows > kept[-1]] if len(kept) else kept
        if not len(tried):
            return {}
        lowest, end = float(loss[tried].min()), float(loss[kept[-1]])
        return {"tried_lower": lowest} if end - lowest > _ROUNDING * float(np.abs(loss[rows]).max()) else {}

    def _accept_only(self, solution: int) -> None:
        """Accept the start and the solution: a search that reports whatever it evaluates tells no more."""
        ends = {row for point in (self._start, solution) for row in self._rows.get(point, ())}  # type: ignore[arg-type]
        for row in range(self._noted.start, self._last + 1):
            self._history.set_accepted(row, accepted=row in ends)

    # ------------------------------------------------------------------ what stands out

    def _look_at(self, row: int, x: NDArray[Any]) -> None:
        """Look at the way to a new iterate `x`."""
        with np.errstate(all="ignore"):
            self._look_at_trials(row, x)
            self._look_at_restart(row, x)
            self._look_at_step(row, x)
            self._look_at_bounds(row, x)

    def _look_at_trials(self, row: int, x: NDArray[Any]) -> None:
        rejected = len(self._rejected)
        if (
            not rejected
            or not self._call.has_gradient
            or self._call.name not in (*_LINE_SEARCH, *_TRUST_REGION, *_FITS)
        ):
            return  # or what was tried is not for the search of a step only
        if not self._may_tell("trials", record=rejected > self._most_trials):
            return
        self._most_trials = max(self._most_trials, rejected)
        values = {"trials": rejected + 1, "step_length": self._length(x)}
        if self._call.name in _LINE_SEARCH:
            self._tell(row, f"the line search tried {rejected + 1} steps before it accepted one", values, detail=True)
        else:
            steps = "1 step was" if rejected == 1 else f"{rejected} steps were"
            self._tell(row, f"{steps} tried and rejected before this one", values, detail=True)

    def _look_at_restart(self, row: int, x: NDArray[Any]) -> None:
        """Tell when a method that remembers earlier steps goes straight against the gradient, as it did at first."""
        before, self._row = self._row, row
        first, self._under_way = not self._under_way, True
        if first or self._call.name not in ("Conjugate gradient", "L-BFGS-B") or self._call.bounds is not None:
            return
        if self._x is None or len(x) < _FEWEST_DIRECTIONS or self._columns(before, self._x) is None:
            return
        step, slope = x - self._x, self._history.gradients.array[self._history.row_of(before)]
        lengths = np.linalg.norm(step) * np.linalg.norm(slope)
        if lengths > 0 and -np.vdot(step, slope).real > (1 - 1e-10) * lengths and self._may_tell("restarts"):
            text = f"{self._call.name} goes straight down the gradient again, as at its start"
            self._tell(row, text, {"restart": True}, detail=True)

    def _look_at_step(self, row: int, x: NDArray[Any]) -> None:
        """Tell when the steps have another order of magnitude; the median of three, as single ones vary a lot."""
        length = self._length(x)
        if not 0 < length < np.inf:
            return
        self._lengths = [*self._lengths[-2:], length]
        usual, before = sorted(self._lengths)[len(self._lengths) // 2], self._usual_length
        if len(self._lengths) < _USUAL or (before > 0 and before / _MUCH < usual < before * _MUCH):
            return
        self._usual_length = usual
        if before > 0 and self._may_tell("steps"):
            change = "longer" if usual > before else "shorter"
            text = f"the steps have become much {change}: about {number(usual, 2)} after about {number(before, 2)}"
            self._tell(row, text, {"step_length": usual, "step_length_before": before}, detail=True)

    def _length(self, x: NDArray[Any]) -> float:
        if self._x is None or self._x.shape != x.shape:
            return math.nan
        step = x - self._x
        return math.sqrt(np.vdot(step, step).real)

    def _look_at_bounds(self, row: int, x: NDArray[Any]) -> None:
        """Tell which parameters have reached or left a bound."""
        if self._call.bounds is None:
            return
        low, high = (np.broadcast_to(bound, x.shape) for bound in self._call.bounds)
        lowest, highest = (x, x) if self._reach is None else self._reach
        self._reach = np.fmin(lowest, x), np.fmax(highest, x)
        at_bound = sides(x, self._call.bounds, self._reach)
        before = self._at_bound
        self._at_bound = at_bound
        changed = np.flatnonzero(at_bound if before is None else at_bound != before)
        if not len(changed):
            return
        columns = self._columns(row, x)
        if columns is None or len(changed) > _MOST_AT_ONCE:
            if self._may_tell("bounds"):
                held = int(np.count_nonzero(at_bound))
                are = "1 parameter is" if held == 1 else f"{held} parameters are"
                self._tell(row, f"{are} at a bound now", {"at_bound": held, "changed": len(changed)}, detail=True)
            return
        for i in changed:
            side = at_bound[i] or before[i]  # type: ignore[index]
            values = {
                "bound": float(low[i] if side < 0 else high[i]),
                "side": "lower" if side < 0 else "upper",
                "what": "left" if not at_bound[i] else "starts at" if before is None else "reached",
            }
            if self._may_tell(f"bound {i}"):
                self._tell(row, "", values, kind="bound", column=int(columns[i]), detail=True)

    @property
    def _way(self) -> NDArray[Any] | float:
        """How far each parameter has gone, where there are bounds, within which scipy puts what it evaluates."""
        with np.errstate(invalid="ignore"):
            return 0.0 if self._reach is None else self._reach[1] - self._reach[0]

    def _columns(self, row: int, x: NDArray[Any]) -> NDArray[np.intp] | None:
        """Return the column of the history for each number of `x`; None where the objective takes other parameters."""
        values = self._history.values.array[self._history.row_of(row)]
        columns = np.arange(len(values)) if self._call.free is None else self._call.free
        whole = all(leaf.kept is None for leaf in self._history.leaves)
        same = whole and len(columns) == len(x) and are_same(values[columns], x, self._way)
        return columns if same else None

    def _may_tell(self, kind: str, *, record: bool = False) -> bool:
        self._told[kind] = self._told.get(kind, 0) + 1
        return record or self._told[kind] <= _MOST_OF_A_KIND


def _bits(x: NDArray[Any]) -> int:
    return hash(x.tobytes())
