"""What one evaluation says of how its quantities depend on the parameters: one walk over its tape for all of them.

These are the watched quantities that are one number each, in the loss or beside it, and the terms of the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from xinv_nb.recorded.sums import Term
from xinv_nb.recording.backends.autograd.slopes import slopes
from xinv_nb.recording.backends.autograd.terms import watched_terms
from xinv_nb.recording.evaluation import Reading
from xinv_nb.recording.events import WatchedValue

_MOST = 12
"""Watched quantities whose gradients are read, at most."""


def read(
    kept: Sequence[tuple[Callable[[Any], None], Any]],
    watched: list[WatchedValue],
    terms: Sequence[tuple[Term, Any]],
    end_node: Any,
) -> Reading:
    """Return what the tape that ends with `end_node` says.

    `kept` holds what taps each watched value, a method of its row, with its node on the tape; `terms` are those that
    the loss is written as a sum of, with the node of each.
    """
    rows = [(getattr(receive, "__self__", None), node) for receive, node in kept]
    named = [(row, node) for row, node in rows if isinstance(row, WatchedValue)]
    count = {row.name: sum(other.name == row.name for other, _ in named) for row, _ in named}
    wanted = [(row.name, node) for row, node in named if count[row.name] == 1 and _is_real_number(row.value)][:_MOST]
    wanted += [(term.name, node) for term, node in terms if not term.is_watched and term.name not in count]
    weighed = watched_terms(watched, end_node) if len(watched) > 1 else []
    results = list(dict.fromkeys([*(node for _, node in wanted), *(node for node, _, _ in weighed)]))
    if not results:
        return Reading()
    found = slopes(results, end_node)
    places = {node: place for place, node in enumerate(results)}
    known = [(name, places[node]) for name, node in wanted if found.gradients[places[node]] is not None]
    inside = {
        name: tuple(other for other, of_other in known if of_other in found.inside[place]) for name, place in known
    }
    by_name = {name: found.gradients[place] for name, place in known}
    return Reading(by_name, inside, _weighed(weighed, places, found.gradients), found.cost, found.whole)


def _weighed(
    weighed: Sequence[tuple[Any, float, str]], places: Mapping[Any, int], gradients: Sequence[Any | None]
) -> Mapping[str, Any]:
    """Return the gradient of the loss through each watched term; nothing where one is not known."""
    found: dict[str, Any] = {}
    for node, weight, name in weighed:
        gradient = gradients[places[node]]
        if gradient is None:
            return {}
        scaled = _scaled(gradient, weight)
        found[name] = scaled if name not in found else _sum(found[name], scaled)
    return found


def _scaled(gradient: Any, weight: float) -> Any:
    if isinstance(gradient, Mapping):
        return {key: _scaled(item, weight) for key, item in gradient.items()}
    if isinstance(gradient, (list, tuple)):
        return type(gradient)(_scaled(item, weight) for item in gradient)
    return weight * gradient


def _sum(one: Any, other: Any) -> Any:
    """Add two gradients of the same structure."""
    if isinstance(one, Mapping):
        return {key: _sum(item, other[key]) for key, item in one.items()}
    if isinstance(one, (list, tuple)):
        return type(one)(_sum(a, b) for a, b in zip(one, other, strict=True))
    return one + other


def _is_real_number(value: Any) -> bool:
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind == "f"
