"""Objectives that step by turns and move each other, and a loss that some parameters lower while others raise it.

Method: each objective is given, as an argument that it is not differentiated by, the points of the other; of one loss,
the sign of the gradient times step of each argument (gradient descent and ascent: Arrow, Hurwicz & Uzawa 1958;
Goodfellow et al. 2014). What one does to its parameters changes the loss of the other: its ups and downs are no noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.losses import finite_iterates
from xinv_nb.facts.measures.names import named
from xinv_nb.language.slots import Clause, Count, Listed, Said, Slot, Value, pair
from xinv_nb.recorded.entries import Entry

_MOST_NAMES = 3


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield who plays.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def value(x, y):
    ...     return x * y
    >>> with xi.record() as run:
    ...     x, y = 1.0, 1.0
    ...     for _ in range(10):
    ...         x, y = x - 0.1 * grad(value, 0)(x, y), y + 0.1 * grad(value, 1)(x, y)
    >>> next(fact.values["down"] for fact in run.facts if fact.kind == "players")
    ['x']
    """
    players, span = evidence.players, (0, evidence.last)
    if players is None:
        return
    if not players.others:
        slots: dict[str, Slot] = {"down": _listed(players.lowering), "up": _listed(players.raising)}
        yield KIND.fact("one loss", span, 0.95, slots, data={"how": "one loss"})
        return
    own = evidence.run.history.objective
    others: tuple[Slot, ...] = tuple(Said(name) for name in players.others)
    slots = {"own": Said(own), "others": Listed(others)}
    if len(others) == 1 and players.others[0] != own:
        ends = _ends(evidence, players.others[0])
        yield KIND.fact("by turns, ends" if ends else "by turns", span, 0.95, slots | ends, data={"how": "by turns"})
    elif own not in players.others:
        yield KIND.fact("several by turns", span, 0.95, slots, data={"how": "by turns"})
    else:
        yield KIND.fact("of one name", span, 0.95, {"own": Said(own)}, data={"how": "by turns"})


def _ends(evidence: Evidence, other: str) -> dict[str, Slot]:
    """Return the first and the last loss of the other player, where this run holds them."""
    histories = [history for history in evidence.run.histories if history.objective == other]
    if len(histories) != 1 or not len(finite := finite_iterates(evidence.run)):
        return {}
    loss = histories[0].loss.array
    start, end = pair(float(evidence.run.loss[finite[0]]), float(evidence.run.loss[finite[-1]]))
    other_start, other_end = pair(float(loss[0]), float(loss[-1]))
    if not (abs(other_start.number) < float("inf") and abs(other_end.number) < float("inf")):
        return {}
    return {"start": start, "end": end, "other_start": other_start, "other_end": other_end}


def _listed(entries: Sequence[Entry]) -> Listed:
    names: list[Slot] = [named(entry) for entry in entries]
    rest = len(names) - _MOST_NAMES
    if rest > 1:
        names = [*names[:_MOST_NAMES], Clause("others", {"count": Count(rest)})]
    return Listed(tuple(names))


KIND = Kind(
    name="players",
    question=Question.LOSS,
    rank=9,
    slots={
        "own": Said,
        "others": Listed,
        "start": Value,
        "end": Value,
        "other_start": Value,
        "other_end": Value,
        "down": Listed,
        "up": Listed,
    },
    compute=compute,
    method="arguments compared with the other objective's points; the sign of gradient times step (Arrow et al. 1958)",
)
