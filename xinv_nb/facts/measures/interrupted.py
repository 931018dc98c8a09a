"""A loop of the program's own that calls a solver between its steps: one fit, with the solver's evaluations in it.

It may go on from where the solver ended (a polish now and then), or from where it was itself (a look ahead).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xinv_nb.facts.measures.stretch import Rows, Stretch, accepted_in, goes_on, is_step
from xinv_nb.recorded.calls import OptimizerCall


def put_together(rows: Rows, found: Sequence[Stretch]) -> list[Stretch]:
    """Return the stretches, a loop's before and after a solver's call as one where the call only interrupted it.

    Examples
    --------
    >>> from xinv_nb.recorded.calls import OptimizerCall
    >>> way = 4 * 0.5 ** np.arange(12.0)[:, None]
    >>> rows = Rows(way, 2 * way, np.ones(12, dtype=bool), way[:, 0] ** 2, [], [])
    >>> rows.points[7], rows.loss[7] = rows.points[6], rows.loss[6]
    >>> of_a_loop = Stretch(0, 4), Stretch(7, 12)
    >>> put_together(rows, [of_a_loop[0], Stretch(4, 7, OptimizerCall("BFGS", 4, 7)), of_a_loop[1]])[0].stop
    12
    """
    whole = list[Stretch]()
    waiting = list(found)
    while waiting:
        each = waiting.pop(0)
        if len(waiting) > 1 and _is_loop(each) and waiting[0].call is not None and _is_loop(waiting[1]):
            joined = _joined(rows, each, waiting[0], waiting[1])
            if joined is not None:
                waiting[:2] = [joined]
                continue
        whole.append(each)
    return _with_ends(rows, whole)


def _is_loop(each: Stretch) -> bool:
    return each.call is None and each.look in ("", "few")


def _joined(rows: Rows, before: Stretch, solver: Stretch, after: Stretch) -> Stretch | None:
    """Return a loop and what it did after a solver's call as one; None where they are two."""
    if solver.look or after.start in rows.changes or solver.start in rows.changes:
        return None
    looks = (*before.looks, *after.looks)
    if _is_called_from(rows, before, solver) and _went_on_from(rows, solver, after.start, before):
        within = (*before.within, *_calls(solver), *after.within)
        return Stretch(before.start, after.stop, looks=looks, within=within)
    if goes_on(rows, _pieces(before), (after.start, after.stop)):
        looks = (*before.looks, replace(solver, look="solve"), *after.looks)
        options = before.options if before.options == after.options or after.look else {}
        return Stretch(before.start, after.stop, options=options, looks=looks, within=before.within)
    return None


def _with_ends(rows: Rows, found: Sequence[Stretch]) -> list[Stretch]:
    """Let a loop that a solver interrupted have its call before the first step, and the one after the last, as well."""
    whole = list[Stretch]()
    for each in found:
        last = whole[-1] if whole else None
        if last is not None and last.within and _is_another(each, last) and _is_called_from(rows, last, each):
            whole[-1] = replace(last, stop=each.stop, within=(*last.within, *_calls(each)))
        elif (
            last is not None and each.within and _is_another(last, each) and _went_on_from(rows, last, each.start, each)
        ):
            whole[-1] = replace(each, start=last.start, within=(*_calls(last), *each.within))
        else:
            whole.append(each)
    return whole


def _is_another(solver: Stretch, loop: Stretch) -> bool:
    """Whether a call is of a solver that interrupted a loop."""
    return solver.call is not None and any(call.optimizer == solver.call.optimizer for call in loop.within)


def _calls(solver: Stretch) -> tuple[OptimizerCall, ...]:
    return () if solver.call is None else (solver.call,)


def _pieces(loop: Stretch) -> list[tuple[int, int]]:
    """Return the evaluations of a loop itself, without its looks."""
    edges = [loop.start, *(row for look in loop.looks for row in (look.start, look.stop)), loop.stop]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]


def _is_called_from(rows: Rows, loop: Stretch, solver: Stretch) -> bool:
    """Whether a solver starts where a loop was, or one step on."""
    if solver.start in rows.changes:
        return False
    iterates = accepted_in(rows, _pieces(loop))
    if len(iterates) and np.array_equal(rows.points[iterates[-1]], rows.points[solver.start]):
        return True
    return goes_on(rows, _pieces(loop), (solver.start, solver.stop))


def _went_on_from(rows: Rows, solver: Stretch, row: int, loop: Stretch) -> bool:
    """Whether an evaluation is where a solver ended, at its last iterate or its best, or one step of a loop from it."""
    iterates = accepted_in(rows, [(solver.start, solver.stop)])
    if not len(iterates):
        return False
    best = iterates[np.nanargmin(rows.loss[iterates])] if np.isfinite(rows.loss[iterates]).any() else iterates[-1]
    steps_taken = accepted_in(rows, _pieces(loop))
    return any(is_step(rows, int(end), row, steps_taken) for end in (iterates[-1], best))
