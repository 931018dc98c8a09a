"""Reads autograd's tape where something went wrong: which operation, where in the program, which way the gradient took.

A tape holds for each operation its parents and the function that passes the gradient on, no values and no lines. An
*observing* tape, on which an evaluation is run when there is reason to, also knows operation and place of each node and
whether its value was finite. Like `autograd.py` this file touches autograd's internals; it never calls user code.
"""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from xinv_nb.recording.autograd import plain_value, untapped

_FEW = 4096
"""Entries of an array up to which it is worth to look for the one that matters."""

_OURS = f"{Path(__file__).parent}{os.sep}"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's program."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a primitive, as far as it is known."""

    name: str
    operands: Mapping[str, Any]
    """Numbers that it was called with, by position or by name; of arrays the entries that matter."""
    place: Place | None
    from_data: bool = False
    """Whether one of its operands, a constant of the program, was not finite already."""


def is_finite(value: Any) -> bool:
    """Whether numbers, arrays and containers of them are finite; what is no number counts as finite."""
    value = plain_value(value)
    if isinstance(value, float):  # np.float64 as well
        return math.isfinite(value)
    if isinstance(value, (np.ndarray, np.generic, complex)):
        return np.asarray(value).dtype.kind not in "fc" or bool(np.isfinite(value).all())
    if isinstance(value, Mapping):
        return all(map(is_finite, value.values()))
    return not isinstance(value, (list, tuple)) or all(map(is_finite, value))


def nodes(end_node: Any) -> Iterator[Any]:
    """Yield the nodes of a tape from its end to its root, in the order in which the backward pass meets them."""
    from autograd.util import toposort

    found: Iterator[Any] = toposort(end_node)
    return found


# ---------------------------------------------------------------------- the observing tape


def observing_root(x: Any) -> Any:
    """Return the root for a trace at `x` that is to be observed."""
    root = _observing_node().new_root()
    root.finite = is_finite(x)
    return root


@functools.cache
def _observing_node() -> Any:
    from autograd import core, tracer

    class ObservingNode(core.VJPNode):  # type: ignore[misc]
        """A node that knows its operation, its place in the program and whether its value was finite."""

        __slots__ = ("birth", "finite", "operation", "place")

        def __init__(
            self, value: Any, fun: Any, args: Any, kwargs: Any, parent_argnums: Any, parents: Sequence[Any]
        ) -> None:
            super().__init__(value, fun, args, kwargs, parent_argnums, parents)
            self.finite, self.birth, self.operation, self.place = True, None, "", None
            try:
                self.operation = _name(fun)
                self.place = _place(sys._getframe(1))  # noqa: SLF001
                self.finite = is_finite(value)
                if not self.finite and all(getattr(parent, "finite", True) for parent in parents):
                    self.birth = operation_on(self.operation, args, value, self.place)
            except Exception:  # noqa: BLE001 - an observer may not fail what it observes
                pass

        def initialize_root(self) -> None:
            super().initialize_root()
            self.finite, self.birth, self.operation, self.place = True, None, "", None

    tracer.notrace_primitives[ObservingNode] = tracer.notrace_primitives[core.VJPNode]
    return ObservingNode


def is_observed(node: Any) -> bool:
    """Whether `node` is on an observing tape."""
    return isinstance(node, _observing_node())


def birth_of(end_node: Any) -> Operation | None:
    """Return the operation on an observing tape that a result which is not finite comes from.

    None where the result is not finite because the parameters are not, or only in the sum of many.
    """
    node = end_node
    while not node.finite:
        if node.birth is not None:
            found: Operation = node.birth
            return found
        node = next((parent for parent in node.parents if not getattr(parent, "finite", True)), None)
        if node is None:
            return None
    return None


def operations(end_node: Any, limit: int) -> list[tuple[str, Place | None]]:
    """Return name and place of each operation on an observing tape in the order of `nodes`; nothing beyond `limit`."""
    found: list[tuple[str, Place | None]] = []
    for node in nodes(end_node):
        if len(found) == limit:
            return []
        found.append((node.operation, node.place))
    return found


def operation_on(name: str, args: Sequence[Any], value: Any, place: Place | None) -> Operation:
    """Describe a call whose result `value` is not finite."""
    bad = ~np.isfinite(value) if isinstance(value, np.ndarray) and value.dtype.kind in "fc" else None
    operands = {str(i): _entry(arg, bad) for i, arg in enumerate(args) if _is_number(arg)}
    return Operation(name, operands, place, from_data=not all(is_finite(arg) for arg in args if _is_number(arg)))


def _is_number(value: Any) -> bool:
    value = plain_value(value)
    return isinstance(value, (float, int, complex, np.generic, np.ndarray)) and np.asarray(value).dtype.kind in "biufc"


def _entry(value: Any, bad: Any) -> Any:
    """Return a number, of an array the first entry where the result is `bad`, or else its shape as text."""
    value = plain_value(value)
    if np.size(value) == 1:
        return np.asarray(value).reshape(()).item()
    if bad is not None and np.shape(value) == bad.shape and bad.any():
        return np.asarray(value)[bad][0].item()
    return f"array of {'×'.join(map(str, np.shape(value)))}"


# ---------------------------------------------------------------------- places


@functools.cache
def _not_the_users() -> tuple[str, ...]:
    import autograd

    return _OURS, *(f"{Path(str(package.__file__)).parent}{os.sep}" for package in (autograd, np))


def _place(frame: FrameType | None) -> Place | None:
    """Return the innermost line of the program outside autograd, NumPy and this package."""
    while frame is not None and frame.f_code.co_filename.startswith(_not_the_users()):
        frame = frame.f_back
    return None if frame is None else Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def primitive_call(frame: FrameType | None) -> Operation | None:
    """Return the call of a primitive that `frame` is in, right inside autograd; None where there is no such call."""
    for _ in range(6):
        if frame is None or not frame.f_code.co_filename.startswith(_not_the_users()):
            return None
        if frame.f_code.co_name == "f_wrapped" and frame.f_globals.get("__name__") == "autograd.tracer":
            inside = frame.f_locals
            args = inside["args"]
            numbers = {
                str(i): _entry(arg, _extreme(inside["f_raw"], args)) for i, arg in enumerate(args) if _is_number(arg)
            }
            finite = all(is_finite(arg) for arg in args)
            return Operation(_name(inside["f_raw"]), numbers, _place(frame), from_data=not finite)
        frame = frame.f_back
    return None


def _extreme(function: Any, args: Sequence[Any]) -> Any:
    """Return where a ufunc of arrays gives what is not finite, by doing it again on its few numbers."""
    shapes = {np.shape(arg) for arg in args if np.ndim(arg)}
    if not isinstance(function, np.ufunc) or len(shapes) != 1 or math.prod(*shapes) > _FEW:
        return None
    with np.errstate(all="ignore"):
        return ~np.isfinite(function(*args))


def warning_registry() -> dict[Any, Any]:
    """Return where Python keeps which warnings of primitives were shown before."""
    from autograd import tracer

    registry: dict[Any, Any] = vars(tracer).setdefault("__warningregistry__", {})
    return registry


# ---------------------------------------------------------------------- a tape that was not observed


@dataclass(frozen=True, slots=True)
class Found:
    """An operation on a tape, and its position in the order of `nodes`."""

    index: int
    operation: Operation


def value_break(end_node: Any) -> Found | None:
    """Return the first operation on a tape that gives no finite value for finite operands, as far as it can be told.

    The derivatives of NumPy's functions hold on to their operands, mostly; the function itself is NumPy's arithmetic.
    """
    for index, node in reversed(list(enumerate(nodes(end_node)))):
        function = getattr(np, operation_name(node), None)
        if not isinstance(function, np.ufunc) or not _is_pure(untapped(node)):
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
        if id(node) in dark or outgrad is None or not _is_pure(vjp):
            dark.update(map(id, node.parents))
            continue
        if not is_finite(outgrad[0]):
            return None  # the sum of finite parts overflowed
        for parent, ingrad in zip(node.parents, vjp(outgrad[0]), strict=True):
            if not is_finite(ingrad):
                return Found(index, _described(node, ingrad))
            outgrads[parent] = core.add_outgrads(outgrads.get(parent), ingrad)
    return None


def gradient_from(seed: Any, end_node: Any) -> Any | None:
    """Walk back from a node on a tape, and return the gradient at the root; None if that took the user's functions."""
    from autograd import core

    outgrads: dict[Any, Any] = {end_node: (seed, False)}
    outgrad: Any = None
    for node in nodes(end_node):
        outgrad = outgrads.pop(node)
        vjp = untapped(node)
        if not _is_pure(vjp):
            return None
        for parent, ingrad in zip(node.parents, vjp(outgrad[0]), strict=True):
            outgrads[parent] = core.add_outgrads(outgrads.get(parent), ingrad)
    return plain_value(outgrad[0])


def split_sum(seed: Any, total: Any, name_of: Callable[[Any], str | None]) -> tuple[list[tuple[Any, Any, str]], bool]:
    """Take a sum on a tape apart into its named terms: node, weight in the sum and name of each.

    Also returns whether something else is in it.
    """
    from autograd import core

    weights: dict[Any, Any] = {total: (seed, False)}
    found: list[tuple[Any, Any, str]] = []
    rest = False
    for node in nodes(total):
        weight = weights.pop(node, None)
        if weight is None:
            continue
        if node is not total and (name := name_of(node)) is not None:
            found.append((node, weight[0], name))
        elif _is_weighted_sum(node):
            for parent, part in zip(node.parents, untapped(node)(weight[0]), strict=True):
                weights[parent] = core.add_outgrads(weights.get(parent), part)
        else:
            rest = True
        if not weights:
            break
    return found, rest


def _is_weighted_sum(node: Any) -> bool:
    """Whether a node adds or subtracts its parents, or weighs its only one with a constant."""
    if not node.parents or not _is_pure(untapped(node)):
        return False
    name = operation_name(node)
    if name in ("add", "subtract", "negative"):
        return True
    if len(node.parents) > 1:
        return False
    return name == "multiply" or (name in ("divide", "true_divide") and "x" not in _operands(node))


def _described(node: Any, ingrad: Any) -> Operation:
    bad = ~np.isfinite(ingrad) if isinstance(ingrad, np.ndarray) and ingrad.dtype.kind in "fc" else None
    operands = {name: _entry(value, bad) for name, value in _operands(node).items()}
    known = is_observed(node)
    return Operation(node.operation if known else operation_name(node), operands, node.place if known else None)


def _operands(node: Any) -> dict[str, Any]:
    """Return the numbers that a node's derivative holds on to, by the names that autograd gives to operands."""
    found: dict[str, Any] = {}
    for function in _reachable(untapped(node)):
        for name, value in _cells(function).items():
            if name in ("x", "y", "A", "B", "a", "b") and _is_number(value):
                found.setdefault(name, value)
    return found


def operation_name(node: Any) -> str:
    """Return the name of a node's primitive, found by the function that derives it; empty where several share it."""
    from autograd import core

    if is_observed(node):
        observed: str = node.operation
        return observed
    names = _names_of_derivatives(len(core.primitive_vjps))
    for function in _reachable(untapped(node)):
        if len(found := names.get(function.__code__, set())) == 1:
            return next(iter(found))
    return ""


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
                    names.setdefault(code, set()).add(_name(primitive))
    return names


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


_CALLS_USERS_FUNCTIONS = ("autograd.misc", "autograd.scipy.integrate", "autograd.differential_operators")


def _is_pure(vjp: Any) -> bool:
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


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", "") or type(function).__name__)
