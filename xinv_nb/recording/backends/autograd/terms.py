"""What each watched term of a loss asks of the parameters, read from the tape of autograd that is there.

The gradient of a term is the backward pass from its own node, started with its weight in the sum; no forward pass is
done again, taps hear nothing of it, and derivatives that are the user's own functions are never called a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd import tape
from xinv_nb.recording.backends.autograd.taps import taps
from xinv_nb.recording.events import WatchedValue

_MOST_NODES = 8


def gradients(watched: list[WatchedValue], seed: Any, end_node: Any) -> dict[str, Any]:
    """Return the gradient of each term by its name; nothing where the loss is no sum of a few watched numbers."""
    terms = _terms(seed, end_node, {id(row): row for row in watched})
    if len({name for _, _, name in terms}) < 2 or len(terms) > _MOST_NODES:
        return {}
    found: dict[str, Any] = {}
    for node, weight, name in terms:
        gradient = tape.gradient_from(weight, node)
        if gradient is None:
            return {}
        found[name] = gradient if name not in found else _sum(found[name], gradient)
    return found


def _sum(one: Any, other: Any) -> Any:
    """Add two gradients of the same structure."""
    if isinstance(one, Mapping):
        return {key: _sum(item, other[key]) for key, item in one.items()}
    if isinstance(one, (list, tuple)):
        return type(one)(_sum(a, b) for a, b in zip(one, other, strict=True))
    return one + other


def _terms(seed: Any, end_node: Any, rows: Mapping[int, WatchedValue]) -> list[tuple[Any, Any, str]]:
    """Return node, weight and name of each term; those inside a watched total where the loss is nothing else."""

    def name_of(node: Any) -> str | None:
        return next((row.name for row in _watched_at(node, rows) if np.ndim(row.value) == 0), None)

    found, rest = tape.split_sum(seed, end_node, name_of)
    while len(found) == 1 and not rest:
        node, weight, _ = found[0]
        found, rest = tape.split_sum(weight, node, name_of)
    return found


def _watched_at(node: Any, rows: Mapping[int, WatchedValue]) -> Iterator[WatchedValue]:
    for receive in taps(node):
        row = getattr(receive, "__self__", None)  # what a probe taps with is a method of its row
        if row is not None and id(row) in rows:
            yield row
