"""When a parameter, a quantity or the loss first passed a number."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Iteration, Named, Slot, Value
from xinv_nb.words.queries.kinds.value import asked_for
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

_NUMBER = re.compile(r"(?<![\w.\[])[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w\]])")


def answer(query: Query) -> Sequence[Fact]:
    """Return the first accepted evaluation at which it lay on the other side of the number than at the start."""
    numbers = [float(each.replace("−", "-")) for each in _NUMBER.findall(query.asked)]
    tracks = [track for track in asked_for(query) if track.is_finite]
    if len(numbers) != 1 or len(tracks) != 1:
        return []
    track, limit = tracks[0], Value(numbers[0], tracks[0].unit)
    rises = bool(track.values[0] < numbers[0])
    beyond = np.flatnonzero(track.values >= numbers[0] if rises else track.values <= numbers[0])
    slots: dict[str, Slot] = {"quantity": track.named, "limit": limit}
    if not len(beyond):
        slots["nearest"] = Value(float(track.values.max() if rises else track.values.min()), track.unit)
        return [told(query, "threshold", "never above" if rises else "never below", slots)]
    at = int(track.evaluations[beyond[0]])
    slots |= {"at": Iteration(at), "value": Value(float(track.values[beyond[0]]), track.unit)}
    return [told(query, "threshold", "above" if rises else "below", slots, (at, at))]


QUERY = QueryKind(
    "threshold", answer, {"quantity": Named, "limit": Value, "at": Iteration, "value": Value, "nearest": Value}
)
