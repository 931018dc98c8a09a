"""What sets several runs apart, in plain statements computed from their recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.difference import KIND
from xinv_nb.facts.measures.ends_of_fits import PRECISION, has_converged
from xinv_nb.facts.measures.objective import loss_slots, name_of_loss, with_loss
from xinv_nb.language.slots import Clause, Count, Listed, Named, Said, Slot, Value, Word
from xinv_nb.recorded.run import RecordedRun

_SHARES = (0.001, 0.01, 0.1, 0.5)
"""Shares of the start, of which the smallest that any run reached tells most."""
_OF_A_REPLAY = {
    "again, with changes": "repeats, with changes",
    "again": "repeats",
    "the same": "repeats, the same",
    "apart at once": "repeats, apart at once",
    "apart later": "repeats, apart later",
    "reason turned": "repeats, reason turned",
}
"""What a replay tells that the ends of the runs do not, and the form that tells it of one run among several."""
_SAME = 1e-9
_MOST_PARAMETERS = 3
_APART = 0.01
"""Share of the longest way from which on ends are apart."""

Statements = Iterator[tuple[str, dict[str, Slot]]]
"""Forms with their slots."""


def names_of(runs: Sequence[RecordedRun]) -> list[str]:
    """Return a name for each run, none of them twice.

    >>> names_of([RecordedRun("adam"), RecordedRun("adam"), RecordedRun()])
    ['adam', 'adam (2)', 'run']
    """
    names: list[str] = []
    for run in runs:
        name, count = run.name or run.title, 2
        while name in names:
            name, count = f"{run.name or run.title} ({count})", count + 1
        names.append(name)
    return names


def latest_iterates(run: RecordedRun) -> NDArray[np.intp]:
    """Return the latest iterate at each evaluation: of a rejected trial, the iterate before it."""
    return np.maximum.accumulate(np.where(run.accepted, np.arange(run.evaluations), 0))


def accepted_loss(run: RecordedRun) -> NDArray[np.float64]:
    """Return the loss of the latest iterate at each evaluation."""
    return run.loss[latest_iterates(run)]


def differences(runs: Sequence[RecordedRun]) -> list[Fact]:
    """Return statements on who reached what, after how many evaluations, and where the parameters ended.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def descend(name, step):
    ...     with xi.record(name) as run:
    ...         x = 4.0
    ...         for _ in range(20):
    ...             x = x - step * grad(lambda x: x**2)(x)
    ...     return run
    >>> print(differences([descend("small steps", 0.1), descend("large steps", 0.4)])[1].text)
    large steps reached 0.1 % of the loss at the start after 4 evaluations, small steps after 17.
    """
    last = max((run.evaluations for run in runs), default=0) - 1
    found = _statements([run for run in runs if run.evaluations], names_of(runs), runs)
    span = 0, max(last, 0)
    told = {repr(sorted(loss_slots(run).items())) for run in runs}
    named = (lambda slots: with_loss(runs[0], slots)) if len(told) == 1 else (lambda slots: slots)
    return [replace(KIND.fact(form, span, 0.0, named(slots)), id=f"D{i}") for i, (form, slots) in enumerate(found, 1)]


def _statements(recorded: Sequence[RecordedRun], names: Sequence[str], runs: Sequence[RecordedRun]) -> Statements:
    called = dict(zip(map(id, runs), names, strict=True))
    for run in runs:
        if not run.evaluations:
            yield "nothing", {"run": _run(called[id(run)])}
    if len({run.history.objective for run in recorded}) > 1:
        others = [Clause("is of", {"run": _run(called[id(r)]), "loss": Said(name_of_loss(r)[0])}) for r in recorded]
        yield "other objectives", {"objectives": Listed(tuple(others), closing=False)}
    yield from _replayed(recorded, called)
    curves = {called[id(run)]: accepted_loss(run) for run in recorded}
    finite = {name: curve for name, curve in curves.items() if np.isfinite(curve).any()}
    for name in (name for name in curves if name not in finite):
        yield "never finite", {"run": _run(name)}
    if len(finite) > 1:
        unit = name_of_loss(recorded[0])[1]
        solved = all(_has_converged(run) for run in recorded if called[id(run)] in finite)
        yield from _lowest(finite, unit, have_converged=solved)
        yield from _shares_of_the_start(finite)
        yield from _common_level(finite, unit)
    yield from _ends(recorded, called)


def _replayed(runs: Sequence[RecordedRun], called: dict[int, str]) -> Statements:
    """Yield what a run changed that repeats another of them, and what of the way and of its reasons that changed."""
    for run in (run for run in runs if run.replay_of.get("original") in called.values()):
        for fact in facts_of(run):
            if fact.kind == "replay" and fact.form in _OF_A_REPLAY:
                yield _OF_A_REPLAY[fact.form], {"run": _run(called[id(run)]), **fact.slots}


def _run(name: str) -> Said:
    return Said(name)


def _has_converged(run: RecordedRun) -> bool:
    """Whether the solver that a run ended with says that its own test for convergence was met."""
    call = run.history.calls[-1] if run.history.calls else None
    return call is not None and has_converged(call)


def _lowest(curves: dict[str, NDArray[np.float64]], unit: str, *, have_converged: bool) -> Statements:
    best = {name: float(np.min(curve[np.isfinite(curve)])) for name, curve in curves.items()}
    order = sorted(best, key=lambda name: best[name])
    first = order[0]
    if best[order[-1]] - best[first] <= _SAME * abs(best[first]):
        yield "same lowest", {"all": _all(len(best)), "loss": Value(best[first], unit)}
        return
    others = [Clause("of a run", {"run": _run(n), "value": Value(best[n], unit, digits=4)}) for n in order[1:]]
    slots: dict[str, Slot] = {
        "run": _run(first),
        "loss": Value(best[first], unit, digits=4),
        "others": Listed(tuple(others), closing=False),
    }
    start = min(float(curve[np.isfinite(curve)][0]) for curve in curves.values())
    if have_converged and best[order[-1]] - best[first] <= PRECISION * (start - best[first]):
        yield "as low", slots | {"all": _all(len(best))}
    else:
        yield "lowest", slots


def _shares_of_the_start(curves: dict[str, NDArray[np.float64]]) -> Statements:
    """Yield the smallest share of the start that any of them reached, and after how many evaluations each did."""
    starts = [float(curve[0]) for curve in curves.values()]
    if not (min(starts) > 0 and np.ptp(starts) <= _SAME * max(starts)):
        return
    for share in _SHARES:
        reached = {name: _evaluations_to(curve, share * starts[0]) for name, curve in curves.items()}
        if any(reached.values()):
            yield "share of the start", _who(reached) | {"share": Value(100 * share, "%")}
            return


def _common_level(curves: dict[str, NDArray[np.float64]], unit: str) -> Statements:
    """Yield the lowest loss that each of them reached, and after how many evaluations."""
    level = max(float(np.min(curve[np.isfinite(curve)])) for curve in curves.values())
    reached = {name: _evaluations_to(curve, level) for name, curve in curves.items()}
    if len(set(reached.values())) > 1:
        level_of_all: dict[str, Slot] = {"loss": Value(level, unit, digits=4), "all": _all(len(curves))}
        yield "common level", _who(reached) | level_of_all


def _evaluations_to(curve: NDArray[np.float64], level: float) -> int:
    """Return how many evaluations it took to come down to a loss; 0 where that never happened."""
    below = np.flatnonzero(curve <= level)
    return int(below[0]) + 1 if len(below) else 0


def _who(reached: dict[str, int]) -> dict[str, Slot]:
    """Return who reached something, in order, and who did not."""
    order = sorted((name for name in reached if reached[name]), key=lambda name: reached[name])
    slots: dict[str, Slot] = {"run": _run(order[0]), "evaluations": Count(reached[order[0]])}
    if order[1:]:
        later = [Clause("after", {"run": _run(n), "evaluations": Count(reached[n])}) for n in order[1:]]
        slots["later"] = Listed(tuple(later), closing=False)
    if missing := [name for name in reached if not reached[name]]:
        slots["missing"] = Listed(tuple(map(_run, missing)))
    return slots


def _all(count: int) -> Word:
    return Word("both" if count == 2 else "all")


def _ends(runs: Sequence[RecordedRun], called: dict[int, str]) -> Statements:
    """Yield where the parameters ended that are farthest apart, measured by how far they went."""
    columns: dict[tuple[str, str], dict[str, NDArray[np.float64]]] = {}
    for run in runs:
        for entry in run.entries():
            columns.setdefault((entry.label, entry.parameter.unit), {})[called[id(run)]] = run.column(entry)
    apart: list[tuple[float, dict[str, Slot]]] = []
    for (label, unit), ends in columns.items():
        last = {name: float(column[-1]) for name, column in ends.items()}
        moved = max(float(np.ptp(column)) for column in ends.values())
        if len(last) < len(runs) or len(last) < 2 or not np.isfinite(list(last.values())).all():
            continue
        distance = max(last.values()) - min(last.values())
        if distance > _APART * moved:
            places = [Clause("in a run", {"run": _run(n), "value": Value(v, unit, digits=4)}) for n, v in last.items()]
            slots: dict[str, Slot] = {
                "parameter": Named(label, label, unit),
                "places": Listed(tuple(places), closing=False),
            }
            apart.append((distance / moved if moved else 0.0, slots))
    yield from (("ends", slots) for _, slots in sorted(apart, key=lambda each: -each[0])[:_MOST_PARAMETERS])
