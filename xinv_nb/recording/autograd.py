"""Observes autograd's forward and backward passes. The only file that touches autograd's internals.

The hook sits on `autograd.core.trace` and `autograd.core.backward_pass`: every differentiation goes through these two
names, looked up at call time, however the caller came by `grad`. A hook on `make_vjp` would miss each package that
imported it early. While no recording is open, autograd is exactly as it was installed.

An *evaluation* is a reverse pass of a function with one output at the outermost level: passes inside it (second
derivatives, `checkpoint`, `odeint`) belong to it, and autograd's own bookkeeping (`autograd.misc`) is none.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class Observer(Protocol):
    """What the hook tells of each pass; `Recorder` is the one that listens."""

    closed: bool
    thread: int
    depth: int
    """How many traces and backward passes are open inside each other."""
    pending: dict[int, Any]
    """Forward passes that wait for their backward pass, by the identity of the node at their end."""

    def open_evaluation(self, fun: Any, x: Any) -> Any | None:
        """Take note that a forward pass of `fun` at `x` begins; the later calls get back what this returns."""

    def abandon(self, evaluation: Any) -> None:
        """Take note that a forward pass raised."""

    def close_forward(self, evaluation: Any, end_value: Any, end_node: Any) -> None:
        """Take note that a forward pass is done."""

    def close_backward(self, evaluation: Any, gradient: Any) -> None:
        """Take note that a backward pass is done."""


observer: ContextVar[Observer | None] = ContextVar("xinv_nb_observer", default=None)
"""The innermost recording of this thread or asyncio task."""

_installed = 0
_lock = threading.Lock()
_originals: tuple[Any, Any] | None = None


class UnsupportedAutogradError(Exception):
    """Autograd's internals are not where they were in the versions this package knows."""


def install() -> None:
    """Put the hook in for one more recording; raises `UnsupportedAutogradError` and changes nothing if it cannot."""
    global _installed, _originals
    from autograd import core

    with _lock:
        if _installed == 0:
            try:
                _originals = (core.trace, core.backward_pass)
                core.VJPNode.new_root  # noqa: B018
            except AttributeError as error:
                _originals = None
                raise UnsupportedAutogradError(str(error)) from error
            core.trace, core.backward_pass = _trace, _backward_pass
        _installed += 1


def uninstall() -> None:
    """Take the hook away when the last recording closes."""
    global _installed
    from autograd import core

    with _lock:
        _installed -= 1
        if _installed == 0 and _originals is not None:
            core.trace, core.backward_pass = _originals


def plain_value(value: Any) -> Any:
    """Return the number or array inside autograd's boxes, however many levels of differentiation deep."""
    while hasattr(value, "_value") and hasattr(value, "_node"):
        value = value._value  # noqa: SLF001
    return value


def tap(value: Any, receive: Any) -> None:
    """Have `receive` called with the total cotangent of a boxed `value` when the backward pass comes by.

    Wraps the `vjp` of the node that is on the tape already, so that the tape, and with it every derivative of any
    order, stays exactly as it was. Of nested boxes the innermost is tapped: it belongs to the outermost trace.
    """
    from autograd import core

    node = None
    while hasattr(value, "_value") and hasattr(value, "_node"):
        if isinstance(value._node, core.VJPNode):  # noqa: SLF001
            node = value._node  # noqa: SLF001
        value = value._value  # noqa: SLF001
    if node is None:
        return
    original = node.vjp

    def tapped(cotangent: Any) -> Any:
        receive(cotangent)
        return original(cotangent)

    node.vjp = tapped


@dataclass(frozen=True)
class Differentiated:
    """What the user differentiates, out of autograd's wrappers."""

    function: Any
    positions: tuple[int, ...]
    """Positions of the arguments that are differentiated."""
    unflatten: Any = None
    """Turns the flat array that is passed into what `function` takes, where `flatten_func` stands between."""


def differentiated(function: Any) -> Differentiated:
    """Step through autograd's wrappers to the user's own function.

    `grad` and its like hand on a closure `unary_f` over the function and the argument's position;
    `autograd.misc.flatten.flatten_func` makes a lambda over the function and the way back from a flat array.
    """
    positions: tuple[int, ...] = (0,)
    while (cells := _closure(function, "unary_f", "fun", "argnum")) is not None:
        function, argnum = cells
        positions = (argnum,) if isinstance(argnum, int) else tuple(argnum)
    cells = _closure(function, "<lambda>", "func", "unflatten")
    if cells is not None and function.__module__ == "autograd.misc.flatten":
        return Differentiated(cells[0], positions, cells[1])
    return Differentiated(function, positions)


def _closure(function: Any, name: str, *variables: str) -> list[Any] | None:
    """Return variables that a function called `name` closes over, or None if it is another."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_name != name:
        return None
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    return [cells[v].cell_contents for v in variables] if cells.keys() >= set(variables) else None


def _active() -> Observer | None:
    found = observer.get()
    if found is None or found.closed or found.thread != threading.get_ident():
        return None
    return found


def _trace(start_node: Any, fun: Any, x: Any) -> Any:
    if _originals is None:  # pragma: no cover - only if a hook outlives its removal
        raise RuntimeError("autograd is not hooked")
    trace = _originals[0]
    listener = _active()
    if listener is None:
        return trace(start_node, fun, x)
    evaluation = None
    if listener.depth == 0 and type(start_node).__name__ != "JVPNode":
        evaluation = listener.open_evaluation(fun, x)
    listener.depth += 1
    try:
        end_value, end_node = trace(start_node, fun, x)
    except BaseException:
        if evaluation is not None:
            listener.abandon(evaluation)
        raise
    finally:
        listener.depth -= 1
    if evaluation is not None:
        listener.close_forward(evaluation, end_value, end_node)
    elif listener.depth == 0:
        listener.pending.pop(id(end_node), None)  # a dead node's identity, used again
    return end_value, end_node


def _backward_pass(g: Any, end_node: Any) -> Any:
    if _originals is None:  # pragma: no cover - only if a hook outlives its removal
        raise RuntimeError("autograd is not hooked")
    backward_pass = _originals[1]
    listener = _active()
    evaluation = None
    if listener is not None and listener.depth == 0:
        evaluation = listener.pending.get(id(end_node))
    if listener is None or evaluation is None:
        return backward_pass(g, end_node)
    listener.depth += 1
    try:
        gradient = backward_pass(g, end_node)
    finally:
        listener.depth -= 1
    listener.close_backward(evaluation, gradient)
    return gradient


def has_one_output(value: Any) -> bool:
    """Whether a traced function returned a single number."""
    value = plain_value(value)
    return not isinstance(value, (dict, list, tuple)) and np.size(value) == 1
