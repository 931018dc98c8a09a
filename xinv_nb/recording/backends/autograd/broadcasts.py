"""Rows of numbers that were combined each with each, though only their sum goes into the loss.

`(n, 1)` and `(n,)` make `(n, n)`: often meant (distances of all pairs, a kernel), and often an oversight where
predictions are compared with data. It counts as one where one side is data, the program does not make room for it
(`[:, None]`, `reshape`), and all that is done with the result is done to each entry until it is summed up.
"""

from __future__ import annotations

import linecache
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd.observing import step_at
from xinv_nb.recording.backends.autograd.untraced import TapeLog
from xinv_nb.recording.nonfinite import Place
from xinv_nb.recording.remarks import Remark

_REDUCTIONS = frozenset(["sum", "mean", "norm", "average", "std", "var", "dot", "inner", "vdot"])
_MEANT = re.compile(r"\bNone\b|newaxis|reshape|expand_dims|outer|meshgrid|atleast_2d")
_ROOM = frozenset(["reshape", "expand_dims", "atleast_2d", "transpose", "getitem", "_getitem", "swapaxes"])
_MOST = 4


def remarks(log: TapeLog, order: list[Any]) -> Iterator[Remark]:
    """Yield what was combined each with each and then only summed up; `order` are the nodes of the tape."""
    if not log.broadcasts:
        return
    children: dict[int, list[Any]] = defaultdict(list)
    for node in order:
        for parent in node.parents:
            children[id(parent)].append(node)
    on_tape = set(map(id, order))
    for node, one, other in log.broadcasts[:_MOST]:
        place = step_at(node).place
        if id(node) not in on_tape or len(node.parents) != 1 or (place is not None and _is_meant(place)):
            continue
        traced = node.parents[0]
        if len(traced.shape) == 2 and step_at(traced).name in _ROOM:
            continue
        if (reduction := _reduction(node, children)) is not None:
            data = other if np.shape(one) == traced.shape else one
            yield Remark("broadcast", step_at(node).name, place, _values(node, one, other, data, reduction))


def _is_meant(place: Place) -> bool:
    return _MEANT.search(linecache.getline(place.file, place.line)) is not None


def _reduction(node: Any, children: dict[int, list[Any]]) -> tuple[str, bool] | None:
    """Return how all entries become one number, and whether that is of their squares alone; None if they do not."""
    shape, name, is_square = node.shape, "", True
    waiting, seen = [node], {id(node)}
    while waiting:
        for child in children[id(waiting.pop())]:
            step = step_at(child)
            if np.prod(child.shape, dtype=int) == 1:
                if step.name not in _REDUCTIONS or name not in ("", step.name):
                    return None
                name = step.name
                continue
            is_entry = child.shape == shape and isinstance(getattr(np, step.name, None), np.ufunc)
            is_laid_out = step.name in ("ravel", "reshape") and np.prod(child.shape) == np.prod(shape)
            if not (is_entry or is_laid_out) or step.name == "matmul":
                return None
            if child.full > sum(parent.shape == shape for parent in child.parents):
                return None  # there are as many data as that: it is meant
            is_square &= step.name in ("power", "square", "multiply")
            if id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)
    return (name, is_square and len(seen) == 2) if name else None


def _values(node: Any, one: Any, other: Any, data: Any, reduction: tuple[str, bool]) -> dict[str, Any]:
    values: dict[str, Any] = {"one": list(np.shape(one)), "other": list(np.shape(other)), "result": list(node.shape)}
    is_real = isinstance(data, np.ndarray) and data.dtype.kind in "iuf"
    if step_at(node).name == "subtract" and is_real and reduction[1]:
        values |= {"mean": float(np.mean(data)), "variance": float(np.var(data)), "reduction": reduction[0]}
    return values
