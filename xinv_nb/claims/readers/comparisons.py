"""Comparisons of one moment with another, and of one quantity with another."""

from __future__ import annotations

from itertools import pairwise

from xinv_nb.claims.readers.bag import Bag
from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.statements import END, START, Mark

_ORDER = {"start": 0, "at": 1, "end": 2}
_WAYS = {"higher": "up", "more": "up", "lower": "down", "less": "down"}


def moments(bag: Bag) -> None:
    """Read "lower at iteration 5 than at iteration 2"."""
    than = next((c for c in bag.rest if c.kind == "than" and c.value in _WAYS), None)
    if than is None and bag.has("further") and (toward := next((c for c in bag.rest if c.kind == "way"), None)):
        than = Chunk("than", "higher" if toward.value == "up" else "lower")
        bag.rest = [than if c is toward else c for c in bag.rest if c.kind != "further"]
    other = next(
        (two for one, two in pairwise(bag.rest) if (one.kind, one.value) == ("preposition", "than") and _moment(two)),
        next((c for c in bag.rest if c.kind == "beyond"), None),
    )
    own = [c for c in bag.rest if c is not other and _moment(c) and not (c.kind == "end" and bag.has("number"))]
    if than is None or other is None or len(own) != 1 or bag.numbers("than"):
        return
    since, until = _moment(other), _moment(own[0])
    if since is None or until is None:
        return
    way = _WAYS[than.value]
    is_share_of_first = (_ORDER[since[0]], since[1]) <= (_ORDER[until[0]], until[1])
    if not is_share_of_first:
        since, until, way = until, since, "down" if way == "up" else "up"
    for chunk in (than, other, own[0]):
        bag.rest.remove(chunk)
    bag.take("preposition", "than"), bag.take("be")
    share = next((c for c in bag.numbers("", "by") if c.number and c.number.unit == "%"), None)
    if share is not None and is_share_of_first:
        bag.rest.remove(share)
        bag.add("by", way, number=share.number, over=(since, until))
    bag.add("change", way, over=(since, until))


def quantities(bag: Bag) -> None:
    """Read "x was larger than y" and "x moved more than y"."""
    other = next((c for c in bag.rest if c.kind == "compared"), None)
    than = next((c for c in bag.rest if c.kind in ("than", "limit") and c.value in _WAYS), None)
    if other is None or than is None or bag.has("number") or not bag.subject:
        return
    moved = bag.take("move", "some")
    if moved and than.value not in ("more", "less"):
        bag.rest.append(moved)
        return
    side = bag.take("begin") or bag.take("end")
    if not moved and not side and not bag.take("be"):
        return
    bag.rest = [c for c in bag.rest if c not in (other, than)]
    bag.take("preposition", "than"), bag.take("all"), bag.take("every")
    at = None if bag.timed or side is None else START if side.kind == "begin" else END
    bag.add("moved more" if moved else "compared", _WAYS[than.value], other.value, at=at)


def _moment(chunk: Chunk) -> Mark | None:
    if chunk.kind in ("end", "beyond"):
        return END if chunk.kind == "end" else START
    if chunk.kind == "at" and chunk.value in ("start", "end"):
        return START if chunk.value == "start" else END
    if chunk.kind == "time" and chunk.value == "at":
        return ("at", chunk.times[0])
    return None
