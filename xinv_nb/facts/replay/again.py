"""Runs an optimization again with something changed: the work of `Run.replay`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from xinv_nb.errors import XinvError, shown
from xinv_nb.facts.analysis import shown_excerpt
from xinv_nb.facts.counting import noun_of
from xinv_nb.facts.measures.names import named_optimizer
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.facts.replay.differing import what_differs
from xinv_nb.facts.replay.recorded import (
    DESCENT,
    FITTERS,
    LOOPS,
    MINIMIZERS,
    SEARCHES,
    Recorded,
    recorded_optimizer,
)
from xinv_nb.facts.replay.wishes import Point, Wishes, all_entries, optimizer_named, point_wished, positive, whole
from xinv_nb.recorded.problem import Problem
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter

if TYPE_CHECKING:
    from xinv_nb.recording.replaying import Again

R = TypeVar("R", bound=RecordedRun)

_WITH_BOUNDS = frozenset({"L-BFGS-B", "SLSQP", "TNC", "Nelder-Mead", "Powell", "COBYLA"})
_FITTERS_WITH_BOUNDS = frozenset({"Trust region reflective", "Dogbox"})
_MOST_ITERATIONS = 10_000_000
_ANEW = (
    "It begins anew at {} {} of {}: what {} had gathered until there, such as momentum or averages, is not recorded."
)
_BEYOND = (
    "The objective could not be evaluated at iteration {} ({}: {}): the run had {} iterations, and the objective takes "
    "their number. Ask for no more than iterations={}, or let it begin again with its batches, such as "
    "batches[i % len(batches)]."
)


def replay(
    run: R,
    objective: Callable[..., Any] | None,
    wishes: Wishes,
    new: Callable[[str, Problem | None], R],
    name: str | None = None,
) -> R:
    """Return a run like this one, but for what is wished to be otherwise; `new` makes it of its name and problem."""
    told = told_of_loss(run)
    function = objective if objective is not None else told.function if told is not None else None
    if function is None:
        raise XinvError(
            "run.replay(objective) takes the function that was minimized, of the parameters alone; or give it with the "
            "problem, as xinv_nb.Objective(…, function=…)."
        )
    if not callable(function):
        raise XinvError(f"run.replay(objective) takes a function; {shown(function)} cannot be called.")
    if run.status == "running" or not run.evaluations:
        raise XinvError("run.replay runs again what was recorded: this run has not ended, or nothing was recorded.")
    if name is not None and not isinstance(name, str):
        raise XinvError(f"run.replay(name=…): the new run's name is text; {shown(name)} is none.")
    from xinv_nb.recording.reevaluating import point_of
    from xinv_nb.recording.replaying import Replayed

    part, places = shown_excerpt(run)
    first, last = places.back(0), places.back(part.evaluations - 1)
    at = first if wishes.from_iteration is None else whole(wishes.from_iteration, "from_iteration", first, last)
    row = places.there(at)
    base = point_of(part.history, row)
    point = point_wished(part, base, wishes)
    recorded = recorded_optimizer(part)
    changes: list[dict[str, Any]] = []
    again = _plan(part, recorded, wishes, point, row, changes)
    known = [(at, row), (last, part.evaluations - 1)]
    replayed = Replayed(function, run.history, known[: 1 if at == last or part.history.kept is not None else 2])
    if again.with_slopes and part.history.residuals is not None:
        raise XinvError("The run is of a fit of residuals; name an optimizer of those: optimizer='trf', say.")
    changes[:0] = [{"what": "from", "at": at}] if row else []
    changes += _of_the_point(part, point, base)
    found = new(name if name is not None else f"{run.name or 'run'}, again", run.problem)
    try:
        replayed.run_into(found, again)
    except Exception as error:
        if replayed.takes_iteration and replayed.iteration >= (count := part.evaluations):
            raise XinvError(
                _BEYOND.format(replayed.iteration, type(error).__name__, error, count, count - row)
            ) from error
        raise
    _mend_bounds(found, again)
    writer = RunWriter(found)
    if row and (recorded.optimizer != DESCENT or recorded.rule[0]):
        writer.notice(_ANEW.format(noun_of(run), at, _called(run), named_optimizer(recorded.optimizer).label))
    if found.evaluations:
        with np.errstate(all="ignore"):
            differs = what_differs(run, found, row, point.free, is_moved=bool(point.moved))
        writer.keep_replay_of({"original": _called(run), "changes": changes, **differs})
    return found


def _called(run: RecordedRun) -> str:
    """Return what to call a run beside its replay, which has the same title."""
    title = run.problem.title if run.problem is not None else ""
    return run.name or title or "the original run"


def _plan(
    run: RecordedRun, recorded: Recorded, wishes: Wishes, point: Point, row: int, changes: list[dict[str, Any]]
) -> Again:
    """Return what to run, and add to `changes` what of the optimizer is otherwise."""
    of_residuals = run.history.residuals is not None
    wished = None if wishes.optimizer is None else optimizer_named(wishes.optimizer, of_residuals=of_residuals)
    if not recorded.is_free:
        raise XinvError(
            f"The run cannot be run again: {recorded.why_not}. Run it in a recording of its own, with "
            "xinv_nb.record(…), and lay the two beside each other with xinv_nb.compare."
        )
    if wished is None and not recorded.optimizer:
        raise XinvError(
            f"The run cannot be run again as it was: {recorded.why_not}. Name an optimizer, such as "
            + ("optimizer='trf'." if of_residuals else "optimizer='L-BFGS-B', or optimizer='adam' with step_size=0.1.")
        )
    is_same = wished is None or wished == recorded.optimizer
    optimizer = recorded.optimizer if wished is None else wished
    if not is_same:
        changes.append({"what": "optimizer", "value": optimizer, "before": recorded.optimizer})
    step_size = _step_size(recorded, wishes, optimizer, changes, is_same=is_same)
    steps = _steps(run, recorded, wishes, optimizer, row, changes)
    if any(pair != [None, None] for pair in _limits(recorded)):
        _check_bounds(run, recorded, optimizer, point, is_fit=of_residuals)
    if optimizer in LOOPS or optimizer == DESCENT:
        return _loop(recorded, optimizer, step_size, steps, point, row, is_same=is_same)
    return _solver(run, recorded, optimizer, steps, point, is_same=is_same)


def _limits(recorded: Recorded) -> list[list[float | None]]:
    """Return the bounds of each parameter, None where there is none."""
    pairs = recorded.bounds or []
    return [[None if each is None or np.isinf(each) else float(each) for each in pair] for pair in pairs]


def _check_bounds(run: RecordedRun, recorded: Recorded, optimizer: str, point: Point, *, is_fit: bool) -> None:
    """Raise `XinvError` where the optimizer takes no bounds, or the start is beyond one, which solvers move or refuse.

    What is held may be beyond its bounds: the solver does not see it.
    """
    if optimizer not in (_FITTERS_WITH_BOUNDS if is_fit else _WITH_BOUNDS):
        such = "trf" if is_fit else "L-BFGS-B"
        raise XinvError(f"The run has bounds, which {optimizer} does not take; name one that does: optimizer={such!r}.")
    for entry, x, is_free, (low, high) in zip(all_entries(run), point.x, point.free, _limits(recorded), strict=False):
        if is_free and ((low is not None and x < low) or (high is not None and x > high)):
            side = "lower" if low is not None and x < low else "upper"
            bound = low if side == "lower" else high
            raise XinvError(
                f"run.replay(start=…): {entry.name} would start at {x:.6g}, beyond its {side} bound of {bound:.6g}. "
                f"Start within it, or hold it there: fixed={{{entry.name!r}: {x:.6g}}}."
            )


def _step_size(
    recorded: Recorded, wishes: Wishes, optimizer: str, changes: list[dict[str, Any]], *, is_same: bool
) -> float | None:
    takes_one = optimizer in LOOPS or optimizer == DESCENT
    if wishes.step_size is None:
        if takes_one and not is_same:
            raise XinvError(f"{optimizer} needs a step size: name it by step_size=…, such as step_size=0.1.")
        return recorded.step_size
    size = positive(wishes.step_size, "step_size", "0.1")
    if not takes_one:
        raise XinvError(
            f"{optimizer} chooses the length of its steps by itself: step_size=… is for optimizer='adam', 'rmsprop', "
            "'sgd' and 'gradient descent'."
        )
    if size != recorded.step_size or not is_same:
        changes.append({"what": "step size", "value": size, "before": recorded.step_size if is_same else None})
    return size


def _steps(
    run: RecordedRun, recorded: Recorded, wishes: Wishes, optimizer: str, row: int, changes: list[dict[str, Any]]
) -> int:
    """Return how many evaluations a loop makes, or how many iterations a solver may; 0 for as many as it needs."""
    is_loop = optimizer in LOOPS or optimizer == DESCENT
    if wishes.iterations is None:
        return max((recorded.steps or run.evaluations) - row, 1) if is_loop else 0
    count = whole(wishes.iterations, "iterations", 1, _MOST_ITERATIONS)
    before = recorded.steps if is_loop and recorded.steps else None
    if count != before:
        changes.append({"what": "iterations", "value": count, "before": before})
    return count


def _loop(
    recorded: Recorded, optimizer: str, step_size: float | None, steps: int, point: Point, row: int, *, is_same: bool
) -> Again:
    from xinv_nb.recording.replaying import Again

    if optimizer == DESCENT:
        rule = recorded.rule if is_same else (0.0, -float(step_size or 0.0), 0.0)
        if is_same and step_size is not None and recorded.step_size and step_size != recorded.step_size:
            times = step_size / recorded.step_size
            rule = rule[0], rule[1] * times, rule[2] * times
        return Again("descent", point.x, point.free, steps, rule=rule, first=row)
    settings = dict(recorded.settings) if is_same else {}
    settings["step_size"] = step_size
    return Again(optimizer, point.x, point.free, steps, settings, first=row)


def _solver(run: RecordedRun, recorded: Recorded, optimizer: str, steps: int, point: Point, *, is_same: bool) -> Again:
    from xinv_nb.recording.replaying import Again

    is_fit = optimizer in FITTERS
    settings = dict(recorded.settings) if is_same else {}
    bounds = recorded.bounds
    if is_fit and not point.free.all() and settings.get("loss", "linear") != "linear":
        raise XinvError("Of a fit with a robust loss no parameter can be held: leave fixed=… out.")
    if bounds and len(bounds) == len(point.free):
        bounds = [pair for pair, may_move in zip(bounds, point.free, strict=True) if may_move]
    if is_fit:
        is_older = is_same and "x_scale" not in settings
        limit: dict[str, Any] = {("maxfev" if is_older else "max_nfev"): steps} if steps else {}
        if is_older:
            return Again("leastsq", point.x, point.free, 0, settings | limit, with_slopes=False)
        if bounds:
            low = [-np.inf if pair[0] is None else pair[0] for pair in bounds]
            limit["bounds"] = (low, [np.inf if pair[1] is None else pair[1] for pair in bounds])
        scale = settings.get("x_scale")
        if isinstance(scale, list) and len(scale) == len(point.free):
            settings["x_scale"] = [size for size, may_move in zip(scale, point.free, strict=True) if may_move]
        settings["method"] = FITTERS[optimizer]
        return Again("least_squares", point.x, point.free, 0, settings | limit, with_slopes=False)
    options = settings | ({"maxiter": steps} if steps else {})
    given: dict[str, Any] = {"options": options} | ({"bounds": bounds} if bounds else {})
    has_slopes = recorded.with_slopes if is_same else run.has_gradients
    with_slopes = has_slopes and optimizer not in SEARCHES
    return Again(MINIMIZERS[optimizer], point.x, point.free, 0, given, with_slopes=with_slopes)


def _of_the_point(run: RecordedRun, point: Point, base: Any) -> list[dict[str, Any]]:
    entries = all_entries(run)
    held = np.flatnonzero(~point.free).tolist()
    moved = [column for column in point.moved if column not in held]
    started = [{"name": entries[c].name, "value": float(point.x[c]), "before": float(base[c])} for c in moved]
    fixed = [{"name": entries[column].name, "value": float(point.x[column])} for column in held]
    return [
        *([{"what": "start", "places": started}] if started else []),
        *([{"what": "fixed", "places": fixed}] if fixed else []),
    ]


def _mend_bounds(run: RecordedRun, again: Again) -> None:
    """Have the bounds stand at their parameters, where the solver did not see all of them."""
    if again.free.all():
        return
    for call in run.history.calls:
        given = call.options.get("bounds")
        if isinstance(given, list) and len(given) == int(again.free.sum()):
            pairs = iter(given)
            whole_bounds = [next(pairs) if may_move else [None, None] for may_move in again.free]
            call.options = {**call.options, "bounds": whole_bounds}
