"""A term that counts once for each datum and is multiplied by their number already: it stands inside the sum.

The constant of a likelihood is written for all data, as `n / 2 * log(…)`, or for one, inside the sum. Both at once
makes it count n times too often. It is told of the logarithm of one number, or of a parameter that is one, as its
exponential weighs the data, where its factor is the number of the data, or half of it, and so is meant for all of them.
"""

from __future__ import annotations

import linecache
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd import tape
from xinv_nb.recording.backends.autograd.observing import step_at
from xinv_nb.recording.backends.autograd.written import called, expression_at
from xinv_nb.recording.remarks import Remark

_REDUCTIONS = frozenset(["sum", "mean"])
_FEWEST = 8
"""Data from which on a factor that is their number is no accident."""
_LONGEST = 64


def remarks(order: list[Any]) -> Iterator[Remark]:
    """Yield the terms that are counted too often; `order` are the nodes of an observing tape, the last first."""
    for node in order:
        step = step_at(node)
        if step.name not in _REDUCTIONS or node.shape or len(node.parents) != 1:
            continue
        count = math.prod(node.parents[0].shape)
        if count < _FEWEST:
            continue
        for added, term, factor in _added_to_each(node.parents[0]):
            size = abs(factor) / count
            if not any(math.isclose(size, times, rel_tol=1e-9) for times in (1.0, 0.5)):
                continue
            values: dict[str, Any] = {"count": count, "factor": abs(factor)}
            at = term
            if not _has_logarithm(term):
                written = expression_at(added)
                if written is None or not _is_logarithm_by_itself(term, order):
                    continue
                at, values["term"] = added, called(written)
            if not _is_written_out(at, abs(factor)):
                yield Remark("counted", step.name, step_at(at).place, values)


def _is_written_out(term: Any, factor: float) -> bool:
    """Whether the line of a term has its factor, or twice that, as a number: then it may be the data's by chance."""
    place = step_at(term).place
    line = "" if place is None else linecache.getline(place.file, place.line)
    written = [float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d*)?", line)]
    return not line or any(math.isclose(number, size) for number in written for size in (factor, 2 * factor))


def _added_to_each(node: Any) -> Iterator[tuple[Any, Any, float]]:
    """Yield what is one number and added to each entry of an array that is summed up, with and without its factor."""
    waiting = [(node, 1.0)]
    for _ in range(_LONGEST):
        if not waiting:
            return
        node, factor = waiting.pop()
        name = step_at(node).name
        if name in ("add", "subtract") and len(node.parents) == 2:
            for parent in node.parents:
                if parent.shape == () and node.shape != ():
                    yield parent, *_without_factor(parent, factor)
                else:
                    waiting.append((parent, factor))
        elif (scaled := _scaled(node)) is not None:
            waiting.append((node.parents[0], factor * scaled))


def _without_factor(node: Any, factor: float) -> tuple[Any, float]:
    """Return what is multiplied by constants, and the product of these."""
    for _ in range(_LONGEST):
        scaled = _scaled(node)
        if scaled is None:
            break
        node, factor = node.parents[0], factor * scaled
    return node, factor


def _scaled(node: Any) -> float | None:
    """Return the constant number by which a node multiplies its only parent; None where it does something else."""
    if len(node.parents) != 1:
        return None
    name, parent = step_at(node).name, node.parents[0]
    if name == "negative":
        return -1.0
    if name not in ("multiply", "divide", "true_divide"):
        return None
    held = tape.held_by(node, ("x", "y"))
    number = held.get("y", held.get("x"))
    if number is None or np.size(number) != 1 or parent.shape != node.shape:
        return None
    value = float(np.real(number))
    if name == "multiply":
        return value
    return 1.0 / value if "x" not in held and value else None


def _has_logarithm(node: Any) -> bool:
    """Whether what is one number is a logarithm, or a power of one."""
    return step_at(node).name in ("log", "log2", "log10", "log1p", "logdet", "slogdet")


_TAKES = frozenset(["__getitem__", "container_take"])


def _is_logarithm_by_itself(node: Any, order: list[Any]) -> bool:
    """Whether a number is a parameter whose exponential, or that of some multiple of it, stands in the loss as well."""
    if not _is_parameter(node):
        return False
    exponentials = (each for each in order if step_at(each).name == "exp" and each.shape == ())
    return any(_is_same(_without_factor(each.parents[0], 1.0)[0], node) for each in exponentials)


def _is_parameter(node: Any) -> bool:
    for _ in range(_LONGEST):
        if not node.parents:
            return True
        if step_at(node).name not in _TAKES:
            return False
        node = node.parents[0]
    return False


def _is_same(one: Any, other: Any) -> bool:
    """Whether two nodes are one, or the same entry of the same parameters, taken twice."""
    return one is other or (
        step_at(one).name in _TAKES and one.parents == other.parents and one.value == other.value is not None
    )
