"""The line beneath a headline: the change of the loss as two largest shares and the rest, which add up as written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.analysis import shown_excerpt
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.measures.path import MOST_LEFT_OVER, FollowedPath, Quantity, left_over
from xinv_nb.facts.measures.pushing import loss_through, pushing
from xinv_nb.facts.measures.recorded_path import Unknown, path_of
from xinv_nb.language.quantities import is_state
from xinv_nb.language.slots import Clause, Listed, LossValue, Said, Slot, Value, Word, loss_pair
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun

_MOST_PARAMETERS = 40
_DIGITS = 3
_MOST_DECIMALS = 3
"""Decimals more than three digits of the change have, up to which the parts are told so that they add up."""
_WORTH = 0.05
"""Share of the change from which on a share of it is told."""


@dataclass(frozen=True)
class _Share:
    """What the moves of some parameters that went one way brought to the loss, through one quantity if any is known."""

    entries: tuple[Entry, ...]
    up: bool
    quantity: Quantity | None
    part: float


def beneath(run: RecordedRun) -> Fact | None:
    """Return the two largest shares of the change of the loss and the rest; None where they are not known.

    >>> beneath(RecordedRun())
    """
    with np.errstate(all="ignore"):
        part, places = shown_excerpt(run)
        path = path_of(part)
        if isinstance(path, Unknown) or len(path.points[0]) > _MOST_PARAMETERS or run.history.moved_by:
            return None
        loss = next((quantity for quantity in path.quantities if quantity.is_loss), None)
        last = len(path.points) - 1
        if loss is None or not _is_known(path, loss, last):
            return None
        total = path.change(loss, 0, last)
        shares = _shares(part, path, loss, last)
    largest = sorted(shares, key=lambda share: -abs(share.part))[:2]
    if (
        len(shares) < 2
        or not total < 0
        or not largest
        or any(abs(share.part) < _WORTH * -total for share in largest[:1])
    ):
        return None
    largest = [share for share in largest if abs(share.part) >= _WORTH * -total]
    found = _adding_up(total, [share.part for share in largest], are_all=len(largest) == len(shares))
    if found is None or not all(found[0][:-1]):
        return None
    (*told, rest), decimals = found
    start, end = loss_pair(float(loss.values[0]), float(loss.values[-1]))
    slots: dict[str, Slot] = {"start": start, "end": end}
    dids = [value < 0 for value in told]
    slots["shares"] = Listed(
        tuple(
            _said(share, value, decimals, did=k == 0 or dids[k] != dids[k - 1])
            for k, (share, value) in enumerate(zip(largest, told, strict=True))
        )
    )
    if rest:
        digits = max(math.floor(math.log10(abs(rest))) + 1 + decimals, 1)
        slots |= {"rest": LossValue(abs(rest), digits=digits), "rest_did": Word("lowered" if rest < 0 else "raised")}
    span = (places.back(int(path.evaluations[0])), places.back(int(path.evaluations[-1])))
    return KIND.fact(
        "shares" if rest else "shares, all", span, 0.0, slots, data={"total": total, "parts": [*told, rest]}
    )


def _is_known(path: FollowedPath, quantity: Quantity, last: int) -> bool:
    change = path.change(quantity, 0, last)
    doubt = max(path.doubt(quantity, 0, last), float(path.doubts(quantity, 0, last).max(initial=0.0)))
    return math.isfinite(change) and left_over(path.brought(quantity, 0, last), change, doubt) <= MOST_LEFT_OVER


def _shares(run: RecordedRun, path: FollowedPath, loss: Quantity, last: int) -> Sequence[_Share]:
    """Return what moves brought to the loss: through each quantity, if these make up all of it, or else in all."""
    whole = path.brought(loss, 0, last)
    entries = [entry for entry in run.entries() if entry.column is not None and not entry.statistic and not entry.part]
    through = {
        quantity: loss_through(path, quantity, cotangents, 0, last)
        for quantity, cotangents in pushing(run, path).items()
        if _is_known(path, quantity, last) and quantity.named.is_of_domain
    }
    scale = float(np.abs(whole).max(initial=0.0))
    is_whole = len(through) > 1 and np.allclose(sum(through.values()), whole, rtol=0, atol=0.02 * scale)
    found: dict[tuple[object, ...], list[tuple[Entry, float]]] = {}
    for entry in entries:
        column = int(entry.column or 0)
        up = bool(path.points[last, column] > path.points[0, column])
        for quantity, parts in through.items() if is_whole else ((None, whole),):
            if value := float(parts[column]):
                # Alone where nothing joins them: what they are called, and which way that is.
                own = entry.parameter.directions or (entry.name if quantity is None else entry.parameter.name)
                found.setdefault((quantity, own, up, value > 0), []).append((entry, value))
    return [
        _Share(tuple(entry for entry, _ in each), bool(key[2]), key[0], sum(value for _, value in each))  # type: ignore[arg-type]
        for key, each in found.items()
    ]


def _adding_up(total: float, parts: Sequence[float], *, are_all: bool) -> tuple[list[float], int] | None:
    """Return parts and the rest, rounded to so many decimals that as written they add up to the change, if they can."""
    power = math.floor(math.log10(abs(total)))
    # Of all parts together the rest is what no part is known to have done: rather fewer digits than that.
    for more in range(-1 if are_all else 0, _MOST_DECIMALS):
        decimals = _DIGITS - 1 - power + more
        told = [round(part, decimals) for part in parts]
        whole, true = round(total, decimals), total - sum(parts)
        rest = round(whole - sum(told), decimals) + 0.0
        unit = 10.0**-decimals
        if more < 0 and (rest or not all(told)):
            continue
        if abs(rest - true) <= 0.51 * unit or (not rest and abs(true) <= unit):
            return [*told, rest], decimals
    return None


def _said(share: _Share, value: float, decimals: int, *, did: bool) -> Clause:
    directions = share.entries[0].parameter.directions
    names = Listed(tuple(named(entry) for entry in share.entries), shared=True)
    digits = max(math.floor(math.log10(abs(value))) + 1 + decimals, 1)
    slots: dict[str, Slot] = {"names": names, "part": LossValue(abs(value), digits=digits)}
    if share.quantity is not None:
        slots["quantity"] = share.quantity.named
    if did:
        slots["did"] = Word("lowered" if value < 0 else "raised")
    form = "beneath, moved"
    if directions is not None:
        direction = directions[1 if share.up else 0]
        slots["way"] = Said(direction)
        form = "beneath, became" if is_state(direction) else form
    return Clause(form, slots)


KIND = Kind(
    name="beneath",
    question=Question.CREDIT,
    rank=0,
    slots={"start": Value, "end": Value, "shares": Listed, "rest": Value, "rest_did": Word},
)
