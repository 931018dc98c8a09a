"""The terms of a loss that is written as a sum, by the names that the program gives them, with nothing watched.

Where the last operations of an objective add numbers up (`return data_misfit + roughness`), each of them is a term. The
first evaluation tells which they are and what they are called; later ones tell their values.
"""

from __future__ import annotations

import ast
import linecache
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd import tape
from xinv_nb.recording.backends.autograd.observing import step_at
from xinv_nb.recording.nonfinite import Place

_DEEPEST = 12
_MOST = 6
_LONGEST_NAME = 40
_SIGNS = {"add": (1.0, 1.0), "subtract": (1.0, -1.0)}


@dataclass(frozen=True)
class Term:
    """One term of a sum: the way to it from the end of the tape, and what is known of it."""

    way: tuple[int, ...]
    """Which parent is the next, from the last operation on."""
    sign: float
    name: str
    has_data: bool
    """Whether it is computed from a difference between something of the parameters and an array of numbers."""
    is_penalty: bool
    """Whether it adds up many numbers that are made from parameters alone, as the size or the roughness of a model."""


def terms_of(end_node: Any) -> tuple[Term, ...]:
    """Return the terms of a loss; `end_node` is the end of an observing tape. Nothing where it is no such sum."""
    place = step_at(end_node).place
    if place is None or step_at(end_node).name not in _SIGNS:
        return ()
    found = list(_leaves(end_node, (), 1.0, place, 0))
    names = _names(place)
    if not 2 <= len(found) <= _MOST or len(names) != len(found) or len(set(names)) < len(names):
        return ()
    if any(node.shape != () for node, _, _ in found):
        return ()
    return tuple(
        Term(way, sign, name, _has_data(node), _is_penalty(node))
        for (node, way, sign), name in zip(found, names, strict=True)
    )


def values_of(terms: Sequence[Term], end_node: Any) -> list[float] | None:
    """Return the value of each term, as it stands in the sum; None where this evaluation is made in another way."""
    found = []
    for term in terms:
        node = end_node
        for step in term.way:
            if len(node.parents) != 2:
                return None
            node = node.parents[step]
        value = getattr(node, "value", None)
        if value is None:
            return None
        found.append(term.sign * float(value))
    return found


def pulls_of(terms: Sequence[Term], end_node: Any) -> list[list[float]] | None:
    """Return the products of the terms' gradients with each other; None where the user's own derivatives are in it."""
    found = []
    for term in terms:
        node = end_node
        for step in term.way:
            node = node.parents[step]
        gradient = tape.gradient_from(term.sign, node)
        if gradient is None:
            return None
        found.append(np.concatenate([np.ravel(part) for part in _flat(gradient)]))
    rows = np.array(found)
    return (rows @ rows.T).tolist() if rows.dtype.kind == "f" else None


def _flat(gradient: Any) -> Iterator[Any]:
    if isinstance(gradient, Mapping):
        gradient = list(gradient.values())
    if isinstance(gradient, (list, tuple)):
        for part in gradient:
            yield from _flat(part)
    else:
        yield gradient


def _leaves(
    node: Any, way: tuple[int, ...], sign: float, place: Place, depth: int
) -> Iterator[tuple[Any, tuple[int, ...], float]]:
    """Yield the terms of the sum that is written in one line, from left to right."""
    signs = _SIGNS.get(step_at(node).name)
    if signs is None or len(node.parents) != 2 or step_at(node).place != place or depth > _DEEPEST:
        yield node, way, sign
        return
    for k, parent in enumerate(node.parents):
        yield from _leaves(parent, (*way, k), sign * signs[k], place, depth + 1)


def _names(place: Place) -> list[str]:
    """Return what the program calls the terms of the sum in a line: the names of variables, or a short expression."""
    line = linecache.getline(place.file, place.line).strip()
    try:
        (statement,) = ast.parse(line).body
    except (SyntaxError, ValueError):
        try:
            (statement,) = ast.parse(f"def f():\n {line}").body[0].body  # type: ignore[attr-defined]
        except (SyntaxError, ValueError):
            return []
    value = getattr(statement, "value", None)
    names = [] if value is None else [*_operands(value)]
    of_statement = getattr(statement, "targets", [getattr(statement, "target", None)])
    targets = {ast.unparse(target).replace("_", " ") for target in of_statement if target is not None}
    # What is added up line by line, as by `loss = loss + size`, is called the same before and after.
    return names if all(names) and not targets & set(names) else []


def _operands(expression: ast.expr) -> Iterator[str]:
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, (ast.Add, ast.Sub)):
        yield from _operands(expression.left)
        yield from _operands(expression.right)
        return
    text = expression.id.replace("_", " ") if isinstance(expression, ast.Name) else ast.unparse(expression)
    yield text if len(text) <= _LONGEST_NAME else ""


_SUMS = frozenset(["sum", "mean", "dot", "norm", "inner", "vdot", "einsum"])
_OF_LIMITS = frozenset(["log", "log1p", "minimum", "maximum", "fmin", "fmax", "where", "clip", "logsumexp"])
"""What stands in a limit that is to be kept, or in a likelihood's constant."""
_COMPARED = frozenset(["power", "square", "subtract", "add", "abs", "absolute"])
_MANY = 4


def _is_penalty(node: Any) -> bool:
    order = list(tape.nodes(node))
    if {step_at(each).name for each in order} & _OF_LIMITS:
        return False
    summed = [each for each in order if step_at(each).name in _SUMS and each.shape == ()]
    many = any(math.prod(parent.shape) >= _MANY for each in summed for parent in each.parents)
    ids = {id(each) for each in summed}
    compared = (each for each in order if step_at(each).name in _COMPARED and len(each.parents) == 1)
    return many and not any(id(each.parents[0]) in ids for each in compared)  # a sum that is to have one value


def _has_data(node: Any) -> bool:
    return any(getattr(each, "is_offset", False) for each in tape.nodes(node))
