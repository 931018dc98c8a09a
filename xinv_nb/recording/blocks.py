"""Puts together what solvers minimize by turns: one objective, by one block of its parameters after the other.

`a = minimize(lambda a: f(a, b), a).x; b = minimize(lambda b: f(a, b), b).x`, in a loop, calls for evaluations of two
functions, each of which holds the other block where it is. They are one objective if each begins with the very loss
that the other one ended with.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.columns import GrowingColumn
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import WHOLE_LIMIT, leaves_of
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording.joining import Moved, put_beside
from xinv_nb.recording.order import Stretch

_FEWEST = 3
"""Times that one begins with the loss that the other ended with, from which on that is no chance."""
_OFTENER = 8
"""How many times as often it does so as not."""
_SAME = 1e-9
_MOST_ROWS = 100_000


@dataclass
class _Turn:
    """What one solver, or several in a row, made of one block, before the next block's turn."""

    history: History
    start: int
    stop: int
    end: int
    """The evaluation at which it ended, in so far as the next one tells."""
    given: tuple[float, ...] = ()
    """The numbers that its function read, or was given, at first."""

    @property
    def point(self) -> NDArray[np.float64]:
        """Where it ended."""
        return np.asarray(self.history.values.array[self.end], dtype=np.float64)

    @property
    def loss(self) -> float:
        """The loss with which it ended."""
        return float(self.history.loss.array[self.end])


def join_blocks(stretches: Sequence[Stretch], writer: RunWriter) -> list[tuple[Sequence[History], History]]:
    """Put together histories that are one objective by blocks; returns them, each with what is in their place."""
    found = list[tuple[Sequence[History], History]]()
    turns = list(_turns(stretches))
    for group in _groups(turns):
        own = [turn for turn in turns if turn.history in group]
        count = sum(turn.stop - turn.start for turn in own)
        is_whole = sum(history.width for history in group) <= WHOLE_LIMIT
        if not (is_whole and count == sum(map(len, group)) <= _MOST_ROWS and _go_on(own)):
            continue
        if (first := _first_points(group, own)) is not None:
            found.append((group, _joined(group, own, first, writer)))
    return found


def _turns(stretches: Sequence[Stretch]) -> Iterator[_Turn]:
    """Yield what solvers made of each objective before they went on to another one; a look from the loop is none."""
    latest: _Turn | None = None
    for each in stretches:
        history = each.history
        if not each.is_called or not _can_be_joined(history):
            continue
        if latest is not None and latest.history is history:
            latest.stop, latest.end = each.stop, _end(history, each.start, each.stop)
            continue
        if latest is not None:
            latest.end = _end(latest.history, latest.start, latest.stop, at=float(history.loss.array[each.start]))
            yield latest
        latest = _Turn(history, each.start, each.stop, _end(history, each.start, each.stop), each.given)
    if latest is not None:
        yield latest


def _can_be_joined(history: History) -> bool:
    is_whole = history.kept is None and history.is_real and history.width <= WHOLE_LIMIT
    return is_whole and not history.nested and not history.moved_by and not history.is_within


def _end(history: History, start: int, stop: int, at: float = math.nan) -> int:
    """Return the last evaluation that was accepted; of those with a certain loss, where there are any."""
    accepted = start + np.flatnonzero(history.accepted.array[start:stop])
    if not len(accepted):
        return stop - 1
    same = np.flatnonzero(np.isclose(history.loss.array[accepted], at, rtol=_SAME, atol=0.0))
    return int(accepted[same[-1] if len(same) else -1])


def _groups(turns: Sequence[_Turn]) -> list[list[History]]:
    """Return the histories of which each begins, at nearly every turn, with the loss that another one ended with."""
    met, missed = Counter[History](), Counter[History]()
    losses: dict[tuple[History, History], set[float]] = {}
    for before, now in pairwise(turns):
        if _goes_on(before, now) or _searches_on(before, now):
            met[now.history] += 1
            losses.setdefault((before.history, now.history), set()).add(before.loss)
        else:
            missed[now.history] += 1
    groups = list[list[History]]()
    for pair in (pair for pair, known in losses.items() if len(known) > 1):
        touched = [group for group in groups if set(group) & set(pair)]
        groups = [group for group in groups if group not in touched]
        groups.append(list(dict.fromkeys([each for group in (*touched, pair) for each in group])))
    order = list(dict.fromkeys(turn.history for turn in turns))
    return [
        sorted(group, key=order.index)
        for group in groups
        if sum(met[each] for each in group) >= max(_FEWEST, _OFTENER * sum(missed[each] for each in group))
    ]


def _goes_on(before: _Turn, now: _Turn) -> bool:
    """Whether one begins with the very loss that the one before it ended with."""
    return bool(before.loss) and math.isclose(before.loss, float(now.history.loss.array[now.start]), rel_tol=_SAME)


def _searches_on(before: _Turn, now: _Turn) -> bool:
    """Whether a search of one number, which begins anywhere, is given where the one before it ended, and ends lower."""
    if now.history.width > 1 or before.history.width > 1 or float(before.point[0]) not in now.given:
        return False
    return now.loss <= before.loss + _SAME * abs(before.loss)


def _go_on(turns: Sequence[_Turn]) -> bool:
    """Whether each block begins its turn where its last one ended, so that it is known where it was meanwhile."""
    ends: dict[History, NDArray[np.float64]] = {}
    for before, turn in pairwise([None, *turns]):
        assert turn is not None
        end = ends.get(turn.history)
        is_search = before is not None and not _goes_on(before, turn) and _searches_on(before, turn)
        if end is not None and not is_search and not np.array_equal(end, turn.history.values.array[turn.start]):
            return False
        ends[turn.history] = turn.point
    return True


def _first_points(group: Sequence[History], turns: Sequence[_Turn]) -> dict[History, NDArray[np.float64]] | None:
    """Return where each block was before its first turn; None where that is not known."""
    found = {history: history.values.array[0] for history in group}
    for before, now in pairwise(turns):
        if now.start or _goes_on(before, now):
            continue
        first = _read_first(now.history, turns)
        if first is None:
            return None
        found[now.history] = np.array([first])
    return found


def _read_first(history: History, turns: Sequence[_Turn]) -> float | None:
    """Return the number that the first turn of all read in the place where later ones read how a search had ended."""
    first, *others = (turn for turn in turns if turn.history is turns[0].history)
    ends = [before.point[0] for before, now in pairwise(turns) if now in others and before.history is history]
    places = [
        place
        for place in range(len(first.given))
        if len(ends) == len(others) > 0
        and all(turn.given[place : place + 1] == (end,) for turn, end in zip(others, ends, strict=True))
    ]
    return first.given[places[0]] if len(places) == 1 else None


def _empty(group: Sequence[History]) -> History:
    """Return a history without rows that holds the blocks of all."""
    named, taken = list[tuple[str, tuple[int, ...]]](), Counter[str]()
    for leaf in (leaf for history in group for leaf in history.leaves):
        taken[leaf.name] += 1
        named.append((leaf.name if taken[leaf.name] == 1 else f"{leaf.name} ({taken[leaf.name]})", leaf.shape))
    labels = [leaf.labels for history in group for leaf in history.leaves]
    leaves = [replace(leaf, labels=own) for leaf, own in zip(leaves_of(named), labels, strict=True)]
    name = " and ".join(dict.fromkeys(history.objective for history in group))
    new = History(name, leaves, np.float64, tuple(history.outline for history in group))
    new.optimizer = " and ".join(dict.fromkeys(call.title or call.optimizer for each in group for call in each.calls))
    return new


def _blocks(group: Sequence[History]) -> dict[History, slice]:
    """Return the columns of each in what holds all."""
    ends = np.cumsum([history.width for history in group]).tolist()
    return {history: slice(end - history.width, end) for history, end in zip(group, ends, strict=True)}


def _calls(places: Mapping[History, Sequence[tuple[int, bool]]]) -> list[OptimizerCall]:
    """Return the calls of all, in the order in which they began."""
    found = [
        replace(
            call,
            start=rows[call.start][0],
            stop=None if call.stop is None else rows[call.stop - 1][0] + 1,
            differences=[[rows[first][0], rows[stop - 1][0] + 1] for first, stop in call.differences],
        )
        for history, rows in places.items()
        for call in history.calls
    ]
    return sorted(found, key=lambda call: call.start)


def _residuals(turns: Sequence[_Turn]) -> list[NDArray[np.float64]]:
    """Return the residuals of all turns, where all have as many; else none."""
    columns = [turn.history.residuals for turn in turns]
    found = [
        column.array[turn.start : turn.stop] for column, turn in zip(columns, turns, strict=True) if column is not None
    ]
    return found if len(found) == len(turns) and len({each.shape[1] for each in found}) == 1 else []


def _joined(
    group: Sequence[History],
    turns: Sequence[_Turn],
    first: Mapping[History, NDArray[np.float64]],
    writer: RunWriter,
) -> History:
    """Return one history in the place of several, each of which holds a block of its parameters."""
    new = _empty(group)
    blocks = _blocks(group)
    count = sum(len(history) for history in group)
    state = np.empty(new.width)
    for history, block in blocks.items():
        state[block] = first[history]
    values, gradients = np.empty((count, new.width)), np.full((count, new.width), np.nan)
    loss, accepted = np.empty(count), np.empty(count, dtype=bool)
    places: dict[History, list[tuple[int, bool]]] = {history: [] for history in group}
    at = 0
    for before, turn in pairwise([None, *turns]):
        assert turn is not None
        own, history, block = slice(turn.start, turn.stop), turn.history, blocks[turn.history]
        there = slice(at, at + turn.stop - turn.start)
        values[there], values[there, block] = state, history.values.array[own]
        gradients[there, block] = history.gradients.array[own]
        loss[there], accepted[there] = history.loss.array[own], history.accepted.array[own]
        if before is not None and not _goes_on(before, turn):  # a search begins anywhere: with trials
            accepted[there] &= loss[there] <= before.loss
            accepted[at + turn.end - turn.start] = True
        places[history] += [(row, True) for row in range(there.start, there.stop)]
        state[block] = history.values.array[turn.end]
        at = there.stop
    new.loss, new.accepted = GrowingColumn.of(loss), GrowingColumn.of(accepted)
    new.values, new.gradients = GrowingColumn.of(values), GrowingColumn.of(gradients)
    new.without_gradient = GrowingColumn.of(np.arange(count))
    if residuals := _residuals(turns):
        new.residuals = GrowingColumn.of(np.concatenate(residuals))
    new.calls = _calls(places)
    moved = {
        history: Moved(places[history], dict(zip(range(history.width), range(block.start, block.stop), strict=True)))
        for history, block in blocks.items()
    }
    put_beside(moved, new, writer)
    return new
