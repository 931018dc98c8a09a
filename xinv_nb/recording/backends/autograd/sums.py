"""The terms of a loss that is written as a sum, by the names that the program gives them, also with nothing watched.

Where the last operations of an objective add numbers up (`return data_misfit + roughness`, `np.sum(np.array([a, b]))`,
`(a + b) / 2`), each of them is a term. The first evaluation tells which they are, what they are called and how they are
weighed; later ones tell their values.
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from xinv_nb.recorded.sums import Term
from xinv_nb.recording.backends.autograd import tape
from xinv_nb.recording.backends.autograd.observing import step_at
from xinv_nb.recording.backends.autograd.taps import taps, untapped
from xinv_nb.recording.backends.autograd.written import called, expression_at, is_reassigned, unwatched
from xinv_nb.recording.evaluation import SumOfTerms
from xinv_nb.recording.events import WatchedValue

_DEEPEST = 12
_MOST = 6
_ROUNDED = 1e-9
"""Share of the size of what is added up by which a sum may miss the loss."""
_ADDS = {"add": ast.Add, "subtract": ast.Sub}
_WEIGHS = {"multiply": ast.Mult, "divide": ast.Div, "true_divide": ast.Div}
_OF_ARRAYS = frozenset(["multiply", "divide", "true_divide", "negative"])
_TOGETHER = frozenset(["sum", "dot", "inner", "vdot", "mean"])
"""Operations that add up the entries of an array."""


Way = tuple[int, ...]
"""Which parent is the next, from the last operation of a tape on."""


@dataclass(frozen=True)
class Terms:
    """The terms of one loss, and the way to each."""

    terms: tuple[Term, ...] = ()
    ways: tuple[Way, ...] = ()
    constant: float = 0.0
    """What is added beside them."""

    @functools.cached_property
    def are_told(self) -> bool:
        """Whether there are none, or all of them are watched, so that their values are recorded anyway."""
        return all(term.is_watched for term in self.terms)

    def at(self, end_node: Any, loss: float) -> tuple[SumOfTerms, list[Any]] | None:
        """Return the terms of an evaluation, and their nodes; None where its loss is made in another way."""
        nodes, values = [], []
        total, size = self.constant, abs(self.constant) + abs(loss)
        for term, way in zip(self.terms, self.ways, strict=True):
            node = end_node
            for step in way:
                if step >= len(node.parents):
                    return None
                node = node.parents[step]
            if node.value is None:
                return None
            value = float(node.value)
            part = term.weight * value
            nodes.append(node)
            values.append(value)
            total += part
            size += abs(part)
        if not abs(total - loss) <= _ROUNDED * size:
            return None
        return SumOfTerms(self.terms, values), nodes


def terms_of(end_node: Any, loss: float) -> Terms:
    """Return the terms of a loss; `end_node` is the end of an observing tape. Nothing where it is no clear sum."""
    if not _is_number(end_node):
        return Terms()
    node, way, weight = _weighed(end_node)
    written = expression_at(node)
    found = [] if written is None else list(_leaves(node, way, weight, written, 0))
    names = [leaf.name for leaf in found]
    if not 2 <= len(found) <= _MOST or not all(names) or len(set(names)) < len(names):
        return Terms()
    if not all(_is_number(leaf.node) for leaf in found):
        return Terms()
    terms = tuple(
        Term(
            leaf.name,
            leaf.weight,
            leaf.is_watched,
            _has_data(leaf.node),
            _is_penalty(leaf.node),
            _is_prior(leaf.node, end_node),
        )
        for leaf in found
    )
    parts = [leaf.weight * leaf.node.value for leaf in found]
    return Terms(terms, tuple(leaf.way for leaf in found), float(loss - sum(parts)))


class _Leaf(NamedTuple):
    """A term that was found, at its node."""

    node: Any
    way: Way
    weight: float
    name: str
    is_watched: bool = False


def _weighed(node: Any) -> tuple[Any, Way, float]:
    """Return what is multiplied by constants at the end of a tape, the way to it, and their product."""
    way: Way = ()
    weight = 1.0
    for _ in range(_DEEPEST):
        factor = _factor(node)
        if factor is None:
            break
        node, way, weight = node.parents[0], (*way, 0), weight * factor
    return node, way, weight


def _leaves(node: Any, way: Way, weight: float, written: ast.expr, depth: int) -> Iterator[_Leaf]:
    """Yield the terms of what is written as a sum, from left to right."""
    named = _watched(node, way, weight) if depth else None
    if named is not None:
        yield named
        return
    written = unwatched(written)
    parts = (None if depth > _DEEPEST else _parts(node, written)) or ()
    found: list[_Leaf] = []
    for steps, parent, part, factor in parts:
        found += _leaves(parent, (*way, *steps), weight * factor, part, depth + 1)
    if not all(leaf.is_watched for leaf in found) and _goes_round(node):
        yield _Leaf(node, way, weight, called(_variable(node, written)))
    elif len(found) > 1 or (found and found[0].is_watched):
        yield from found
    else:  # a number times one thing is a term by itself
        yield _Leaf(node, way, weight, called(written))


def _goes_round(node: Any) -> bool:
    """Whether a sum is added up in a loop: what it adds has no name of its own, as the next round has the same."""
    first = step_at(node)
    if first.code is None or isinstance(expression_at(node), ast.Call):
        return False
    reached = list(node.parents)
    for _ in range(_DEEPEST):
        steps = [step_at(each) for each in reached]
        if any((step.code, step.instruction) == (first.code, first.instruction) for step in steps):
            return True
        reached = [p for each, step in zip(reached, steps, strict=True) if step.name in _ADDS for p in each.parents]
    return False


def _variable(node: Any, written: ast.expr) -> ast.expr:
    """Return the variable in which a loop adds up, where that is clear, else what is written."""
    left = written.left if isinstance(written, ast.BinOp) else None
    return left if isinstance(left, ast.Name) and is_reassigned(node, left.id) else written


_Part = tuple[Way, Any, ast.expr, float]
"""The way to a part of a sum, its node, what is written there, and its factor."""


def _parts(node: Any, written: ast.expr) -> list[_Part] | None:
    """Return what a node adds up, or weighs by a constant; None where it does something else."""
    name = step_at(node).name
    if name == "negative" and isinstance(written, ast.UnaryOp):
        return [((0,), node.parents[0], written.operand, -1.0)] if _is_number(node.parents[0]) else None
    if isinstance(written, ast.BinOp) and isinstance(written.op, (*_ADDS.values(), *_WEIGHS.values())):
        return _operands(node, name, written)
    if isinstance(written, ast.Name) and (own := expression_at(node)) is not None and not isinstance(own, ast.Name):
        return None
    return _listed(node, name, written)


def _operands(node: Any, name: str, written: ast.BinOp) -> list[_Part] | None:
    if not isinstance(written.op, _ADDS.get(name, _WEIGHS.get(name, ast.Pow))) or not all(
        map(_is_number, node.parents)
    ):
        return None
    if not _is_written(node, written) or not tape.adds_up(node):
        return None
    factors = _factors(node)
    if factors is None:
        return None
    sides = [written.left, written.right]
    if len(node.parents) == 1:
        boxed = _boxed_side(node.parents[0], sides)
        if boxed is None:
            return None
        sides = [boxed]
    found: list[_Part] = []
    for k, (parent, side, factor) in enumerate(zip(node.parents, sides, factors, strict=True)):
        if isinstance(side, ast.Name) and is_reassigned(node, side.id):
            own = expression_at(parent)
            if own is None or step_at(parent).code is not step_at(node).code:
                return None
            side = own
        found.append(((k,), parent, side, factor))
    return found


def _is_written(node: Any, written: ast.expr) -> bool:
    own = expression_at(node)
    return own is not None and (own is written or ast.dump(unwatched(own)) == ast.dump(unwatched(written)))


def _boxed_side(parent: Any, sides: Sequence[ast.expr]) -> ast.expr | None:
    """Return the operand of two that depends on the parameters, where that is clear."""
    left, right = sides
    if isinstance(right, ast.Constant) or _is_written(parent, left):
        return left
    if isinstance(left, ast.Constant) or _is_written(parent, right):
        return right
    return right if isinstance(left, ast.Name) and not isinstance(right, ast.Name) else None


def _listed(node: Any, name: str, written: ast.expr) -> list[_Part] | None:
    """Return the parts of a list that is added up: `sum([a, b])`, or the sum of an array that is made of numbers."""
    if name == "add" and isinstance(written, ast.Call):
        elements = _elements(written)
        chain = list(_chain(node, (), node))
        if elements is None or len(elements) != len(chain):
            return None
        return [(way, part, element, 1.0) for (way, part), element in zip(chain, elements, strict=True)]
    if name not in _TOGETHER or len(node.parents) != 1:
        return None
    way: Way = ()
    cotangent: Any = np.float64(1.0)
    for _ in range(_DEEPEST):
        if not tape.is_own(node) or (way and step_at(node).name in _OF_ARRAYS and not tape.adds_up(node)):
            return None
        passed = tuple(untapped(node)(cotangent))
        if step_at(node).name == "array_from_args":
            break
        if len(node.parents) != 1 or (way and step_at(node).name not in _OF_ARRAYS):
            return None
        node, way, cotangent = node.parents[0], (*way, 0), passed[0]
    own = expression_at(node)
    elements = None if own is None else _elements(own)
    if elements is None or len(elements) != len(node.parents) or np.shape(cotangent) != (len(elements),):
        return None
    found: list[_Part] = []
    for k, (parent, element) in enumerate(zip(node.parents, elements, strict=True)):
        steps = (*way, k)
        if step_at(parent).name == "_array_from_scalar_or_array":
            parent, steps = parent.parents[0], (*steps, 0)
        if not _is_number(parent):
            return None
        found.append((steps, parent, element, float(cotangent[k])))
    return found


def _elements(written: ast.expr) -> list[ast.expr] | None:
    """Return what is written in the list that a call is given first."""
    while isinstance(written, ast.Call) and written.args:
        written = written.args[0]
    return written.elts if isinstance(written, (ast.List, ast.Tuple)) else None


def _chain(node: Any, way: Way, first: Any) -> Iterator[tuple[Way, Any]]:
    """Yield what one instruction of a program adds up, one after the other."""
    step, of_first = step_at(node), step_at(first)
    if step.name != "add" or (step.code, step.instruction) != (of_first.code, of_first.instruction):
        yield way, node
        return
    for k, parent in enumerate(node.parents):
        yield from _chain(parent, (*way, k), first)


def _factors(node: Any) -> list[float] | None:
    """Return what a node that is one number multiplies each of its parents by."""
    return [float(part) for part in untapped(node)(np.float64(1.0))] if tape.is_own(node) else None


def _factor(node: Any) -> float | None:
    """Return the constant by which a node multiplies the only number that it is made from; None where it does not."""
    is_one = len(node.parents) == 1 and _is_number(node) and _is_number(node.parents[0])
    if not is_one or step_at(node).name not in (*_WEIGHS, "negative") or not tape.adds_up(node):
        return None
    factors = _factors(node)
    return None if factors is None else factors[0]


def _watched(node: Any, way: Way, weight: float) -> _Leaf | None:
    """Return a term that is a watched number, or a constant times one."""
    for _ in range(_DEEPEST):
        for receive in taps(node):
            row = getattr(receive, "__self__", None)
            if isinstance(row, WatchedValue) and _is_number(node):
                return _Leaf(node, way, weight, row.name, is_watched=True)
        factor = _factor(node)
        if factor is None:
            return None
        node, way, weight = node.parents[0], (*way, 0), weight * factor
    return None


def _is_number(node: Any) -> bool:
    return getattr(node, "value", None) is not None


# ---------------------------------------------------------------------- what kind of term it is

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


_TAKES = frozenset(["__getitem__", "container_take"])


def _is_prior(node: Any, end_node: Any) -> bool:
    """Whether numbers are subtracted from all parameters just as they are, or scaled, before anything else is done."""
    own = _used_bare(node)
    if not own or any(step_at(each).name not in _ADDS or len(each.parents) > 1 for each in own.values()):
        return False
    return _used_bare(end_node).keys() <= own.keys()


def _used_bare(node: Any) -> dict[Any, Any]:
    """Return the parameters from which a node is computed, and what is done to each first, but for a scaling."""
    bare: dict[Any, Any] = {}
    found: dict[Any, Any] = {}
    for each in reversed(list(tape.nodes(node))):
        name = step_at(each).name
        parents = [bare[parent] for parent in each.parents if parent in bare]
        if not each.parents:
            bare[each] = ()
        elif parents and name in _TAKES:
            bare[each] = (*parents[0], name, each.shape, each.value)
        elif parents and name in _WEIGHS and len(each.parents) == 1 and tape.adds_up(each):
            bare[each] = parents[0]
        else:
            found |= dict.fromkeys(parents, each)
    return found


_LOGARITHMS = frozenset(["log", "log1p", "logaddexp", "logsumexp"])
_OF_ODDS = frozenset(["exp", "expm1", "tanh", "logaddexp", "logsumexp", "expit", "log_expit"])
_PRODUCTS = frozenset(["dot", "matmul", "multiply", "einsum", "tensordot"])


def _has_data(node: Any) -> bool:
    order = list(tape.nodes(node))
    return any(getattr(each, "is_offset", False) for each in order) or _is_of_odds(order)


def _is_of_odds(order: Sequence[Any]) -> bool:
    """Whether it is the likelihood of classes: many logarithms of what exponentials make of data times parameters."""
    names = {step_at(each).name for each in order}
    logarithms = [each for each in order if step_at(each).name in _LOGARITHMS and math.prod(each.shape) >= _MANY]
    by_data = any(step_at(each).name in _PRODUCTS and getattr(each, "is_by_data", False) for each in order)
    return bool(logarithms) and bool(names & _OF_ODDS) and by_data
