"""What sets several runs apart, in plain statements computed from their recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.objective import name_of_loss
from xinv_nb.language.quantities import number, quantity
from xinv_nb.recorded.run import RecordedRun

_SHARES = (0.001, 0.01, 0.1, 0.5)
"""Shares of the start, of which the smallest that any run reached tells most."""
_SAME = 1e-9
_MOST_PARAMETERS = 3


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


def accepted_loss(run: RecordedRun) -> NDArray[np.float64]:
    """Return the loss of the latest iterate at each evaluation: of a rejected trial, that of the iterate before it."""
    latest = np.maximum.accumulate(np.where(run.accepted, np.arange(run.evaluations), 0))
    return run.loss[latest]


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
    texts = list(_statements([run for run in runs if run.evaluations], names_of(runs), runs))
    return [Fact(f"D{i}", "difference", text, {}, (0, max(last, 0))) for i, text in enumerate(texts, 1)]


def _statements(recorded: Sequence[RecordedRun], names: Sequence[str], runs: Sequence[RecordedRun]) -> Iterator[str]:
    called = dict(zip(map(id, runs), names, strict=True))
    for run in runs:
        if not run.evaluations:
            yield f"In {called[id(run)]} nothing was recorded."
    if len({run.history.objective for run in recorded}) > 1:
        others = ", ".join(f"{called[id(run)]}: {name_of_loss(run)[0]}" for run in recorded)
        yield f"These runs are of objectives with different names ({others}): compare their losses with care."
    curves = {called[id(run)]: accepted_loss(run) for run in recorded}
    finite = {name: curve for name, curve in curves.items() if np.isfinite(curve).any()}
    for name in curves.keys() - finite.keys():
        yield f"The loss of {name} was never a finite number."
    if len(finite) > 1:
        yield from _lowest(finite, name_of_loss(recorded[0])[1])
        yield from _shares_of_the_start(finite)
        yield from _common_level(finite, name_of_loss(recorded[0])[1])
    yield from _ends(recorded, called)


def _lowest(curves: dict[str, NDArray[np.float64]], unit: str) -> Iterator[str]:
    best = {name: float(np.min(curve[np.isfinite(curve)])) for name, curve in curves.items()}
    order = sorted(best, key=lambda name: best[name])
    first = order[0]
    if best[order[-1]] - best[first] <= _SAME * abs(best[first]):
        yield f"{_all(len(best)).capitalize()} reached the same lowest loss, {quantity(best[first], unit)}."
        return
    others = ", ".join(f"{name} {quantity(best[name], unit, 4)}" for name in order[1:])
    yield f"{first} reached the lowest loss, {quantity(best[first], unit, 4)}; {others}."


def _shares_of_the_start(curves: dict[str, NDArray[np.float64]]) -> Iterator[str]:
    """Yield the smallest share of the start that any of them reached, and after how many evaluations each did."""
    starts = [float(curve[0]) for curve in curves.values()]
    if not (min(starts) > 0 and np.ptp(starts) <= _SAME * max(starts)):
        return
    for share in _SHARES:
        reached = {name: _evaluations_to(curve, share * starts[0]) for name, curve in curves.items()}
        if any(reached.values()):
            yield _who(reached, f"{number(100 * share)} % of the loss at the start")
            return


def _common_level(curves: dict[str, NDArray[np.float64]], unit: str) -> Iterator[str]:
    """Yield the lowest loss that each of them reached, and after how many evaluations."""
    level = max(float(np.min(curve[np.isfinite(curve)])) for curve in curves.values())
    reached = {name: _evaluations_to(curve, level) for name, curve in curves.items()}
    if len(set(reached.values())) > 1:
        yield _who(reached, f"a loss of {quantity(level, unit, 4)}, the lowest that {_all(len(curves))} reached,")


def _evaluations_to(curve: NDArray[np.float64], level: float) -> int:
    """Return how many evaluations it took to come down to a loss; 0 where that never happened."""
    below = np.flatnonzero(curve <= level)
    return int(below[0]) + 1 if len(below) else 0


def _who(reached: dict[str, int], what: str) -> str:
    order = sorted((name for name in reached if reached[name]), key=lambda name: reached[name])
    parts = [f"{order[0]} reached {what} after {_count(reached[order[0]])}"]
    parts += [f"{name} after {number(reached[name])}" for name in order[1:]]
    text = ", ".join(parts)
    not_reached = [name for name in reached if not reached[name]]
    return f"{text}; {' and '.join(not_reached)} did not." if not_reached else f"{text}."


def _all(count: int) -> str:
    return "both" if count == 2 else "all"


def _count(evaluations: int) -> str:
    return f"{number(evaluations)} evaluation{'' if evaluations == 1 else 's'}"


def _ends(runs: Sequence[RecordedRun], called: dict[int, str]) -> Iterator[str]:
    """Yield where the parameters ended that are farthest apart, measured by how far they went."""
    columns: dict[tuple[str, str], dict[str, NDArray[np.float64]]] = {}
    for run in runs:
        for entry in run.entries():
            columns.setdefault((entry.label, entry.parameter.unit), {})[called[id(run)]] = run.column(entry)
    apart: list[tuple[float, str]] = []
    for (label, unit), ends in columns.items():
        last = {name: float(column[-1]) for name, column in ends.items()}
        moved = max(float(np.ptp(column)) for column in ends.values())
        if len(last) < len(runs) or len(last) < 2 or not np.isfinite(list(last.values())).all():
            continue
        distance = max(last.values()) - min(last.values())
        if distance > 0.01 * moved:
            places = ", ".join(f"{quantity(value, unit, 4)} in {name}" for name, value in last.items())
            apart.append((distance / moved if moved else 0.0, f"{label} ended at {places}."))
    yield from (text for _, text in sorted(apart, key=lambda each: -each[0])[:_MOST_PARAMETERS])
