"""Where along the simulation a pull comes from: the backward pass from parts of the way, on the tape that is there.

Of a quantity that is watched with `at`, its cotangents in one part of the way are passed on to the parameters by
themselves. The parts add up to all that the loss asks of the parameters through the quantity, as the derivative is
linear in them; unless one value is computed from another, which is looked for. No forward pass is done again, taps hear
nothing of it, and derivatives that are the user's own functions are never called a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.backends.autograd import tape
from xinv_nb.recording.backends.autograd.boxes import plain_value
from xinv_nb.recording.backends.autograd.taps import taps
from xinv_nb.recording.evaluation import PullsAlong
from xinv_nb.recording.events import WatchedValue, by_name

PARTS = 12
"""Parts of the way, at most."""
_FEWEST = 4
_MOST = 2
"""Quantities of which the parts are read, at most."""
_LARGEST = 2000
"""Parameters up to which they are."""


def pulls_along(watched: Sequence[WatchedValue], end_node: Any, most: float) -> PullsAlong:
    """Return the gradient through each part of the way of each quantity, at the price of `most` steps of about 10 µs.

    `watched` has the cotangents of the backward pass that has just ended at `end_node`'s tape.
    """
    order = [(node, tape.own_vjp(node)) for node in tape.nodes(end_node)]
    nodes = {id(receiver): node for node, _ in order for receiver in _receivers(node)}
    cost = float(len(order)) / 10
    found: dict[str, list[Any]] = {}
    for name, rows in list(by_name(row for row in watched if row.at is not None).items())[:_MOST]:
        parts = _parts(rows, nodes)
        read: list[Any] = []
        for seeds in parts:
            gradient, steps = _gradient(order, seeds, {id(nodes[id(row)]) for row in rows if id(row) in nodes})
            cost += steps
            if gradient is None or np.size(gradient) > _LARGEST or cost + steps * (len(parts) - len(read) - 1) > most:
                break
            read.append(gradient)
        if parts and len(read) == len(parts):
            found[name] = read
    return PullsAlong(found, cost)


def _receivers(node: Any) -> list[Any]:
    return [receiver for receive in taps(node) if (receiver := getattr(receive, "__self__", None)) is not None]


def _parts(rows: Sequence[WatchedValue], nodes: Mapping[int, Any]) -> list[dict[Any, Any]]:
    """Return what the backward pass of each part of the way begins with: a cotangent for some nodes."""
    if len(rows) == 1:
        (row,) = rows
        node, count = nodes.get(id(row)), np.size(row.value)
        if node is None or not _FEWEST <= count == np.size(row.at) or np.shape(row.cotangent) != np.shape(row.value):
            return []
        cotangent = np.asarray(row.cotangent)
        return [{node: _only(cotangent, part)} for part in np.array_split(np.arange(count), min(PARTS, count))]
    known = [(nodes[id(row)], row.cotangent) for row in rows if id(row) in nodes and np.ndim(row.value) == 0]
    if len(known) < len(rows) or len({id(node) for node, _ in known}) < len(known) or len(rows) < _FEWEST:
        return []
    return [
        {node: np.asarray(cotangent, float) for node, cotangent in (known[k] for k in part)}
        for part in np.array_split(np.arange(len(known)), min(PARTS, len(known)))
    ]


def _only(cotangent: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    """Return a cotangent that is 0 but at some of its flat places."""
    found = np.zeros_like(cotangent)
    found.flat[places] = cotangent.flat[places]
    return found


def _gradient(order: Sequence[tuple[Any, Any]], seeds: Mapping[Any, Any], own: set[int]) -> tuple[Any | None, float]:
    """Walk back from some nodes, along nodes and what passes their cotangents on; return the gradient, and its cost.

    None where a node of `own` is computed from another, or where the user's functions would be called.
    """
    outgrads: dict[Any, Any] = {}
    outgrad: Any = None
    cost = 0.0
    for node, vjp in order:
        if node in seeds:
            if node in outgrads:
                return None, cost
            outgrads[node] = (seeds[node], False)
        elif id(node) in own and node in outgrads:
            return None, cost
        outgrad = outgrads.pop(node, None)
        if outgrad is None:
            continue
        cost += tape.cost_of(outgrad[0])
        if vjp is None:
            return None, cost
        for parent, ingrad in zip(node.parents, vjp(outgrad[0]), strict=True):
            outgrads[parent] = tape.added(outgrads.get(parent), ingrad)
    return (None if outgrad is None else plain_value(outgrad[0])), cost
