"""Why a parameter moved: what its move brought to the watched quantities that the loss is made of, and what it cost.

Method: the path integral of each quantity's derivative by the parameter (Aumann and Shapley 1974; Lan et al. 2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds.movement import MOVED
from xinv_nb.facts.measures.iterates import Floats, Track
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.path import FollowedPath, Quantity, digits_of
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.facts.measures.precision import is_constant, returned
from xinv_nb.facts.measures.pushing import loss_through, pushing
from xinv_nb.facts.measures.recorded_path import Unknown
from xinv_nb.language.slots import Clause, Listed, Named, Slot, Value, Way, Word, pair

_MOST = 4
"""Parameters told of."""
_WORTH = 0.05
"""Share of the largest effect on the loss from which on a parameter, or a quantity in its reason, is told of."""
_SECOND = 0.15
"""Share of the first gain from which on a further one is named."""
_UNWATCHED = 0.1
"""Share of the gain that the move of a parameter may bring to the loss through nothing that is watched."""
_STEADY = 0.9
"""Share of the steps at which the loss asks the same of a quantity, so that its change was a gain, or a price."""


@dataclass(frozen=True)
class _Effect:
    """What the moves of all numbers did to one quantity, and through it to the loss."""

    quantity: Quantity
    brought: Floats
    to_loss: Floats
    change: float
    doubt: float
    doubts: Floats

    def digits(self, column: int) -> int | None:
        """Return to how many digits what one number brought may be told."""
        own = float(self.doubts[column])
        return digits_of(float(self.brought[column]), self.brought, self.change, self.doubt, own)


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield the reasons of the parameters whose moves did most to the loss, over the run and in each of its phases.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def cost(x):
    ...     return xi.watch((x - 5.0) ** 2, "misfit") + xi.watch(2 * x, "price", "€")
    >>> with xi.record() as run:
    ...     x = 0.0
    ...     for _ in range(30):
    ...         x = x - 0.1 * grad(cost)(x)
    >>> next(fact for fact in run.facts if fact.kind == "reason").text
    'x rose from 0 to 3.99 because this lowered misfit by 24, although it raised price by 7.99 €.'
    """
    yield from _over(evidence, evidence.whole, (0.75, 0.65))
    for phase in evidence.phases if len(evidence.phases) > 1 else ():
        yield from reasons_in(evidence, phase)


def reasons_in(evidence: Evidence, phase: Phase) -> Iterator[Fact]:
    """Yield the reasons of the parameters that moved in one stretch of the run."""
    yield from _over(evidence, (phase.start, last_of(phase, evidence.run.loss)), (0.55, 0.4))


def _over(evidence: Evidence, span: tuple[int, int], saliences: tuple[float, float]) -> Iterator[Fact]:
    path = evidence.followed_path
    if isinstance(path, Unknown) or not evidence.is_minimized or evidence.is_maximized:
        return
    i, j = (path.at(end) for end in span)
    loss = next((quantity for quantity in path.quantities if quantity.is_loss), None)
    if loss is None or i >= j or not (effects := _effects(evidence, path, i, j)):
        return
    whole = path.brought(loss, i, j)
    tracks = [track for track in evidence.iterates.numbers if track.entry.column is not None and not track.entry.part]
    size = {track.entry.name: sum(abs(float(e.to_loss[_column(track)])) for e in effects) for track in tracks}
    largest = max(size.values(), default=0.0)
    told = [track for track in tracks if largest > 0 and size[track.entry.name] >= _WORTH * largest]
    for place, track in enumerate(sorted(told, key=lambda t: -size[t.entry.name])[:_MOST]):
        values = path.points[i : j + 1, _column(track)]
        if abs(values[-1] - values[0]) > MOVED * track.range and (found := _reason(track, values, effects, whole)):
            form, slots, data = found
            yield KIND.fact(form, span, saliences[0 if place == 0 else 1], slots, data=data)


def _column(track: Track) -> int:
    assert track.entry.column is not None
    return track.entry.column


def _effects(evidence: Evidence, path: FollowedPath, i: int, j: int) -> list[_Effect]:
    """Return what was done through each quantity from place i to j; nothing where its parts would not add up."""
    found = []
    for quantity, cotangents in pushing(evidence.run, path).items():
        signs = np.sign(cotangents[i : j + 1])
        steady = max(np.mean(signs > 0), np.mean(signs < 0))
        if steady < _STEADY:
            return []
        brought, change = path.brought(quantity, i, j), path.change(quantity, i, j)
        to_loss, doubt = loss_through(path, quantity, cotangents, i, j), path.doubt(quantity, i, j)
        found.append(_Effect(quantity, brought, to_loss, change, doubt, path.doubts(quantity, i, j)))
    return found


def _reason(
    track: Track, values: Floats, effects: list[_Effect], whole: Floats
) -> tuple[str, dict[str, Slot], dict[str, object]] | None:
    """Return form, slots and data of why a parameter went the way of its `values`; None where that is not known."""
    column = _column(track)
    start, end = pair(float(values[0]), float(values[-1]), track.entry.parameter.unit)
    if is_constant(values) or returned(values) or start.looks_like(end):
        return None
    ordered = sorted(effects, key=lambda e: float(e.to_loss[column]))
    gain = -float(ordered[0].to_loss[column])
    of_all, through = float(whole[column]), sum(float(e.to_loss[column]) for e in effects)
    if not gain > 0 or of_all >= 0:
        return None  # momentum may carry a parameter where nothing asked for it
    if not abs(of_all - through) <= _UNWATCHED * gain:
        return None  # what is not watched may be the reason
    gains = [e for e in ordered if -e.to_loss[column] >= _SECOND * gain]
    prices = [e for e in reversed(ordered) if e.to_loss[column] >= _WORTH * gain]
    if any(e.digits(column) is None for e in (*gains, *prices)):
        return None
    slots: dict[str, Slot] = {"parameter": named(track.entry), "start": start, "end": end}
    slots["went"] = Way(end.number - start.number, track.entry.parameter.directions)
    slots["brought"] = _changes(gains, column)
    if prices:
        slots["paid"] = _changes(prices, column)
    data: dict[str, object] = {"parts": {e.quantity.name: float(e.brought[column]) for e in effects}}
    return "because, although" if prices else "because", slots, data


def _changes(effects: list[_Effect], column: int) -> Listed:
    """Return what a move did to some quantities: of neighbours that went the same way, the verb once."""
    did = [Word("lowered" if float(e.brought[column]) < 0 else "raised") for e in effects]
    return Listed(
        tuple(
            Clause(
                "a move changed a quantity" + (" as well" if place and did[place] == did[place - 1] else ""),
                {
                    "did": did[place],
                    "quantity": effect.quantity.named,
                    "part": Value(
                        abs(float(effect.brought[column])), effect.quantity.unit, digits=effect.digits(column) or 1
                    ),
                },
            )
            for place, effect in enumerate(effects)
        )
    )


KIND = Kind(
    name="reason",
    question=Question.CREDIT,
    rank=38,
    slots={
        "parameter": Named,
        "start": Value,
        "end": Value,
        "went": Way,
        "brought": Listed,
        "paid": Listed,
    },
    compute=compute,
    method="path integrals of the quantities' derivatives (Aumann and Shapley 1974; Lan et al. 2019)",
)
