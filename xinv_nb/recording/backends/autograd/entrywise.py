"""Whether a loss is a sum to which each entry of the parameters adds a part of its own.

Entries that start equal stay equal there because their parts are the same, and not since they are copies of a unit:
nothing combines them but the sum. It counts as one only where all operations are known and few: what is not followed
here combines them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.backends.autograd import tape
from xinv_nb.recording.backends.autograd.observing import step_at
from xinv_nb.recording.backends.autograd.reach import flat
from xinv_nb.recording.remarks import Remark, What

_SUMS = frozenset(["sum", "mean"])
_LINEAR = frozenset(["add", "subtract", "negative"])
_SCALES = frozenset(["multiply", "divide", "true_divide"])
_TAKES = "container_take"
_PICKS = frozenset(["__getitem__", "getitem"])
_SAME = 1e-9
"""Share of the largest entry up to which two are equal: sums are not rounded alike."""
_MOST_NUMBERS = 5000
"""Numbers of a gradient up to which equal ones are looked for."""
_MOST = 1000
"""Operations up to which a tape is followed."""

_SUM, _WHOLE = "sum", "whole"
"""A sum of entries; an array each of whose entries is made of the same entry of one or more arrays of parameters."""


def remarks(order: list[Any], gradient: Any) -> list[Remark]:
    """Return the remark whether a loss is such a sum, where entries of its gradient are equal.

    `order` are the nodes of the tape from its end to its root.
    """
    sizes = np.zeros(0) if gradient is None else flat(gradient)
    if len(sizes) > _MOST_NUMBERS or not _has_equals(np.sort(sizes)):
        return []
    what: What = "entrywise" if len(order) <= _MOST and _is_entrywise(order) else "combined"
    return [Remark(what, step_at(order[0]).name, step_at(order[0]).place, {}, tape.ones(gradient))]


def _has_equals(sizes: NDArray[np.float64]) -> bool:
    return bool((np.diff(sizes[sizes > 0]) <= _SAME * sizes[-1:]).any())


def _is_entrywise(order: list[Any]) -> bool:
    made_of: dict[Any, str] = {}
    for node in reversed(order):
        found = _made_of(node, [made_of[parent] for parent in node.parents])
        if found is None:
            return False
        made_of[node] = found
    return not order[0].shape


def _made_of(node: Any, parts: list[str]) -> str | None:
    """Return what a node is made of: a sum, entries of whole arrays or of one piece; None for what combines them."""
    name = step_at(node).name
    if not node.parents or name == _TAKES:
        return _WHOLE
    if name in _PICKS:
        return None if _SUM in parts else f"piece {id(node)}"
    if name in _SUMS:
        return _SUM
    is_alike = len(set(parts)) == 1 and all(parent.shape == node.parents[0].shape for parent in node.parents)
    if _SUM not in parts and is_alike and _goes_entry_by_entry(name):
        return parts[0]
    is_linear = name in _LINEAR or (name in _SCALES and len(parts) == 1 and not _divides_by(node, name))
    return _SUM if is_linear else None


def _goes_entry_by_entry(name: str) -> bool:
    return name in ("where", "clip") or (isinstance(getattr(np, name, None), np.ufunc) and name != "matmul")


def _divides_by(node: Any, name: str) -> bool:
    """Whether what hangs on parameters is what is divided by."""
    return name != "multiply" and "x" in tape.held_by(node, ("x",))
