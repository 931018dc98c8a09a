"""Which watched numbers a loss is a weighted sum of, read from the tape of autograd that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd import tape
from xinv_nb.recording.backends.autograd.taps import taps
from xinv_nb.recording.events import WatchedValue

_MOST_NODES = 8


def watched_terms(watched: list[WatchedValue], end_node: Any) -> list[tuple[Any, float, str]]:
    """Return node, weight and name of each term; nothing where the loss is no sum of a few watched numbers.

    Those inside a watched total, where the loss is nothing else.
    """
    rows = {id(row): row for row in watched}

    def name_of(node: Any) -> str | None:
        return next((row.name for row in _watched_at(node, rows) if np.ndim(row.value) == 0), None)

    found, rest = tape.split_sum(end_node, name_of)
    factor = 1.0
    while len(found) == 1 and not rest:
        node, weight, _ = found[0]
        factor *= float(weight)
        found, rest = tape.split_sum(node, name_of)
    if len({name for _, _, name in found}) < 2 or len(found) > _MOST_NODES:
        return []
    return [(node, factor * float(weight), name) for node, weight, name in found]


def _watched_at(node: Any, rows: Mapping[int, WatchedValue]) -> Iterator[WatchedValue]:
    for receive in taps(node):
        row = getattr(receive, "__self__", None)  # what a probe taps with is a method of its row
        if row is not None and id(row) in rows:
            yield row
