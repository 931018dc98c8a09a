"""Walks along a tape: where something stopped being finite, what each term of a sum asks for, which operations it has.

A tape of autograd holds for each operation its parents and the function that passes the gradient on, no values and no
lines; `observing.py` has one that knows more. It never calls user code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd.boxes import plain_value
from xinv_nb.recording.backends.autograd.observing import Step, birth_of, is_observed, step_at
from xinv_nb.recording.backends.autograd.operations import entry, is_number, name_of, operation_on
from xinv_nb.recording.backends.autograd.taps import untapped
from xinv_nb.recording.finite import is_finite
from xinv_nb.recording.nonfinite import Operation


def nodes(end_node: Any) -> Iterator[Any]:
    """Yield the nodes of a tape from its end to its root, in the order in which the backward pass meets them."""
    from autograd.util import toposort

    found: Iterator[Any] = toposort(end_node)
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """An operation on a tape, and its position in the order of `nodes`."""

    index: int
    operation: Operation
    is_fed: bool = False
    """Whether one of its operands is not finite already."""
    fed_by: Operation | None = None
    """The operation that this comes from, where the tape knows it."""


def value_break(end_node: Any) -> Found | None:
    """Return the first operation on a tape that gives no finite value for finite operands, as far as it can be told.

    The derivatives of NumPy's functions hold on to their operands, mostly; the function itself is NumPy's arithmetic.
    """
    for index, node in reversed(list(enumerate(nodes(end_node)))):
        function = getattr(np, operation_name(node), None)
        if not isinstance(function, np.ufunc) or not is_pure(untapped(node)):
            continue
        operands = _operands(node)
        args = [operands[name] for name in ("x", "y")[: function.nin] if name in operands]
        if len(args) == function.nin and all(map(is_finite, args)):
            value = function(*args)
            if not is_finite(value):
                return Found(index, operation_on(function.__name__, args, value, None))
    return None


# ---------------------------------------------------------------------- the way back


def gradient_break(seed: Any, end_node: Any) -> Found | None:
    """Walk back along a tape once more, and return where a finite cotangent turned into one that is not.

    Only derivatives that autograd itself defines are called, without the probes' taps; behind one of the user's own,
    or one that calls the user's functions, nothing is looked at.
    """
    from autograd import core

    outgrads: dict[Any, Any] = {end_node: (seed, False)}
    dark: set[int] = set()
    for index, node in enumerate(nodes(end_node)):
        outgrad = outgrads.pop(node, None)
        vjp = untapped(node)
        if id(node) in dark or outgrad is None or not is_pure(vjp):
            dark.update(map(id, node.parents))
            continue
        if not is_finite(outgrad[0]):
            return None  # the sum of finite parts overflowed
        for parent, ingrad in zip(node.parents, vjp(outgrad[0]), strict=True):
            if not is_finite(ingrad):
                return Found(index, _described(node, ingrad), *_fed(node))
            outgrads[parent] = core.add_outgrads(outgrads.get(parent), ingrad)
    return None


def added(sum_so_far: Any, ingrad: Any) -> Any:
    """Return the cotangents of a node with one more added, as autograd adds them."""
    from autograd import core

    return core.add_outgrads(sum_so_far, ingrad)


def dense(ingrad: Any) -> Any:
    """Return a cotangent as numbers, also one of some entries of an array."""
    return added(None, ingrad)[0] if hasattr(ingrad, "mut_add") else ingrad


def ones(gradient: Any) -> Any:
    """Return a gradient's structure with 1 for each of its numbers."""
    from autograd.extend import vspace

    return vspace(gradient).ones()


_NUMBERS_A_UNIT = 3000
"""Numbers of an array whose derivative costs about as much as an operation of autograd does by itself."""


def cost_of(outgrad: Any) -> float:
    """Return what passing on a cotangent costs: counted, not timed, so that it is the same each time."""
    return 1.0 + float(getattr(outgrad, "size", 1)) / _NUMBERS_A_UNIT


def own_vjp(node: Any) -> Any | None:
    """Return what passes a node's cotangent on, without taps; None where that would call the user's functions."""
    vjp = untapped(node)
    return vjp if is_pure(vjp) else None


def gradient_from(seed: Any, end_node: Any) -> Any | None:
    """Walk back from a node on a tape, and return the gradient at the root; None if that took the user's functions."""
    from autograd import core

    outgrads: dict[Any, Any] = {end_node: (seed, False)}
    outgrad: Any = None
    for node in nodes(end_node):
        outgrad = outgrads.pop(node)
        vjp = own_vjp(node)
        if vjp is None:
            return None
        for parent, ingrad in zip(node.parents, vjp(outgrad[0]), strict=True):
            outgrads[parent] = core.add_outgrads(outgrads.get(parent), ingrad)
    return plain_value(outgrad[0])


def ordered(ends: Collection[Any], parents_of: Callable[[Any], Sequence[Any]]) -> list[Any]:
    """Return some nodes and what they are computed from, each behind all that are computed from it."""
    counts: dict[Any, int] = {}
    waiting = list(ends)
    while waiting:
        node = waiting.pop()
        if node in counts:
            counts[node] += 1
        else:
            counts[node] = 1
            waiting.extend(parents_of(node))
    for end in ends:
        counts[end] -= 1
    free, found = [end for end in dict.fromkeys(ends) if counts[end] == 0], list[Any]()
    while free:
        node = free.pop()
        found.append(node)
        for parent in parents_of(node):
            counts[parent] -= 1
            if counts[parent] == 0:
                free.append(parent)
    return found


def split_sum(total: Any, name_of: Callable[[Any], str | None]) -> tuple[list[tuple[Any, Any, str]], bool]:
    """Take a sum on a tape apart into its named terms: node, weight in the sum and name of each.

    Also returns whether something else is in it.
    """
    from autograd import core

    opened: dict[Any, tuple[str | None, Sequence[Any]]] = {}

    def parents_of(node: Any) -> Sequence[Any]:
        if node not in opened:
            name = name_of(node) if node is not total else None
            opened[node] = name, node.parents if name is None and adds_up(node) else ()
        return opened[node][1]

    weights: dict[Any, Any] = {total: (np.float64(1.0), False)}
    found: list[tuple[Any, Any, str]] = []
    rest = False
    for node in ordered([total], parents_of):
        weight, (name, parents) = weights.pop(node), opened[node]
        if name is not None:
            found.append((node, weight[0], name))
        elif not parents:
            rest = True
        for parent, part in zip(parents, untapped(node)(weight[0]) if parents else (), strict=True):
            weights[parent] = core.add_outgrads(weights.get(parent), part)
    return found, rest


def adds_up(node: Any) -> bool:
    """Whether a node adds or subtracts its parents, or weighs its only one with a constant."""
    if not node.parents or not is_own(node):
        return False
    name = operation_name(node)
    if name in ("add", "subtract", "negative"):
        return True
    if len(node.parents) > 1:
        return False
    return name == "multiply" or (name in ("divide", "true_divide") and "x" not in _operands(node))


def _fed(node: Any) -> tuple[bool, Operation | None]:
    """Return whether an operand of a node is not finite, and on a tape that knows, from which operation that comes."""
    if is_observed(node):
        origin = next((parent for parent in node.parents if not getattr(parent, "finite", True)), None)
        return origin is not None, None if origin is None else birth_of(origin)
    return not all(map(is_finite, _operands(node).values())), None


def _described(node: Any, ingrad: Any) -> Operation:
    bad = ~np.isfinite(ingrad) if isinstance(ingrad, np.ndarray) and ingrad.dtype.kind in "fc" else None
    operands = {name: entry(value, bad) for name, value in _operands(node).items()}
    place = step_at(node).place if is_observed(node) else None
    return Operation(operation_name(node), operands, place)


def _operands(node: Any) -> dict[str, Any]:
    """Return the numbers that a node's derivative holds on to, by the names that autograd gives to operands."""
    return held_by(node, ("x", "y", "A", "B", "a", "b"))


def held_by(node: Any, names: Collection[str]) -> dict[str, Any]:
    """Return the numbers that a node's derivative holds on to under some of the names that autograd gives them."""
    found: dict[str, Any] = {}
    for function in _reachable(untapped(node)):
        for name, value in _cells(function).items():
            if name in names and is_number(value):
                found.setdefault(name, plain_value(value))
    return found


def operation_name(node: Any) -> str:
    """Return the name of a node's primitive, found by the function that derives it; empty where several share it."""
    from autograd import core

    function = getattr(node, "function", None)
    if function is not None:
        return name_of(function)
    names = _names_of_derivatives(len(core.primitive_vjps))
    for function in _reachable(untapped(node)):
        if len(found := names.get(function.__code__, set())) == 1:
            return next(iter(found))
    return ""


def steps(end_node: Any, limit: int) -> list[Step]:
    """Return the operations on an observing tape in the order of `nodes`; nothing if there are more than `limit`."""
    found = [step_at(node) for node in islice(nodes(end_node), limit + 1)]
    return found if len(found) <= limit else []


def operation_names(end_node: Any, limit: int) -> list[str]:
    """Return the names of the operations on a tape in the order of `nodes`, the first `limit` of them."""
    return [operation_name(node) for node in islice(nodes(end_node), limit)]


@functools.lru_cache(maxsize=1)
def _names_of_derivatives(_primitives: int) -> dict[CodeType, set[str]]:
    """Return the names of the primitives by the code of the functions that their derivatives are made of."""
    from autograd import core

    names: dict[CodeType, set[str]] = {}
    for primitive, maker in list(core.primitive_vjps.items()):
        for function in _reachable(maker):
            if function.__module__ != "autograd.core":
                for code in _codes(function.__code__):
                    names.setdefault(code, set()).add(name_of(primitive))
    return names


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


_CALLS_USERS_FUNCTIONS = ("autograd.misc", "autograd.scipy.integrate", "autograd.differential_operators")


_MOST_KNOWN = 1000
_known: dict[Any, bool] = {}
"""Whether the derivatives of a primitive are autograd's own, by what makes them."""


def is_own(node: Any) -> bool:
    """Whether the derivative of a node is autograd's own arithmetic; looked at once for each primitive."""
    maker = _makers().get(getattr(node, "function", None))
    if maker is None:
        return is_pure(untapped(node))
    known = _known.get(maker)
    if known is None:
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        known = _known[maker] = is_pure(untapped(node))
    return known


@functools.cache
def _makers() -> dict[Any, Any]:
    """Return what makes the derivatives of each primitive."""
    from autograd import core

    found: dict[Any, Any] = core.primitive_vjps
    return found


def is_pure(vjp: Any) -> bool:
    """Whether a derivative is autograd's own arithmetic and calls no function of the user's."""
    found = list(_reachable(vjp))
    modules = [function.__module__ or "" for function in found]
    return bool(found) and all(m.startswith("autograd.") and not m.startswith(_CALLS_USERS_FUNCTIONS) for m in modules)


def _reachable(value: Any, depth: int = 4) -> Iterator[FunctionType]:
    """Yield a Python function and those that it closes over, also in lists and dicts; of primitives none inside."""
    if isinstance(value, FunctionType):
        yield value
        if depth and not hasattr(value, "_is_autograd_primitive"):
            for inner in _cells(value).values():
                yield from _reachable(inner, depth - 1)
    elif depth and isinstance(value, (list, tuple)) and len(value) <= 16:
        for inner in value:
            yield from _reachable(inner, depth - 1)
    elif depth and type(value) is dict and len(value) <= 16:
        for inner in value.values():
            yield from _reachable(inner, depth - 1)


def _cells(function: FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not bound yet
            continue
    return found
