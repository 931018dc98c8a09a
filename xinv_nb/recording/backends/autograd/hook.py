"""Observes autograd's forward and backward passes. The only file that touches autograd's internals.

The hook sits on `autograd.core.trace` and `autograd.core.backward_pass`: every differentiation goes through these two
names, looked up at call time, however the caller came by `grad`. A hook on `make_vjp` would miss each package that
imported it early. While no recording is open, autograd is exactly as it was installed.

An *evaluation* is a reverse pass of a function with one output at the outermost level. Passes inside it (second
derivatives, `checkpoint`, `odeint`) belong to it; autograd's own bookkeeping (`autograd.misc`) is none, nor is the
derivative of a derivative (`hessian_vector_product`, `grad(grad(f))`): its result is no loss.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, Literal, Protocol

import numpy as np


class Observer(Protocol):
    """What the hook tells of each pass; `Recorder` is the one that listens."""

    closed: bool
    thread: int
    depth: int
    """How many traces and backward passes are open inside each other."""
    pending: dict[int, Any]
    """Forward passes that wait for their backward pass, by the identity of the node at their end."""

    @property
    def outer(self) -> Observer | None:
        """The recording around this one."""

    def open_evaluation(self, fun: Any, x: Any, level: int) -> Any | None:
        """Take note that a forward pass of `fun` at `x` begins; the later calls get back what this returns."""

    def abandon(self, evaluation: Any) -> None:
        """Take note that a forward pass raised."""

    def close_forward(self, evaluation: Any, end_value: Any, end_node: Any) -> None:
        """Take note that a forward pass is done."""

    def start_of_tape(self, evaluation: Any, start_node: Any, x: Any) -> Any:
        """Return the node that the tape of a forward pass at `x` starts with: what kind it is, all others are."""

    def close_backward(self, evaluation: Any, gradient: Any, seed: Any, end_node: Any) -> None:
        """Take note that a backward pass is done; its tape is still there."""


observer: ContextVar[Observer | None] = ContextVar("xinv_nb_observer", default=None)
"""The innermost recording of this thread or asyncio task."""

_installed = 0
_lock = threading.Lock()
_originals: tuple[Any, Any] = (None, None)
_hooks: tuple[Any, Any] = (None, None)


class UnsupportedAutogradError(Exception):
    """Autograd's internals are not where they were in the versions this package knows."""


def install() -> None:
    """Put the hook in for one more recording; raises `UnsupportedAutogradError` and changes nothing if it cannot."""
    global _installed, _originals, _hooks
    from autograd import core

    with _lock:
        if _installed == 0:
            _check_internals()
            _originals = (core.trace, core.backward_pass)
            _hooks = _hook_trace(core.trace), _hook_backward_pass(core.backward_pass)
            core.trace, core.backward_pass = _hooks
        _installed += 1


def uninstall() -> None:
    """Take the hook away when the last recording closes."""
    global _installed
    from autograd import core

    with _lock:
        _installed -= 1
        # Where another tool has hooked itself in on top, its hook stays, and ours below it does nothing any more.
        if _installed == 0 and (core.trace, core.backward_pass) == _hooks:
            core.trace, core.backward_pass = _originals


def _check_internals() -> None:
    """Raise `UnsupportedAutogradError` unless all that this file relies on is there."""
    from autograd import core, tracer

    try:
        inspect.signature(core.trace).bind("start_node", "fun", "x")
        inspect.signature(core.backward_pass).bind("g", "end_node")
        core.VJPNode.new_root().vjp  # noqa: B018
        tracer.trace_stack.top + 0
    except (AttributeError, TypeError) as error:
        raise UnsupportedAutogradError(str(error)) from error


def active() -> Observer | None:
    """Return the innermost recording of this thread or task that is open."""
    found = observer.get()
    while found is not None and found.closed:
        found = found.outer
    if found is None or found.thread != threading.get_ident():
        return None
    return found


def plain_value(value: Any) -> Any:
    """Return the number or array inside autograd's boxes, however many levels of differentiation deep."""
    while is_box(value):
        value = value._value  # noqa: SLF001
    return value


def is_box(value: Any) -> bool:
    """Whether `value` is a number, array or container that autograd is following."""
    # An object may answer to any name: asked itself, a stand-in of a test would be boxes without end.
    kind = type(value)
    return hasattr(kind, "_value") and hasattr(kind, "_node")


def tap(value: Any, level: int, receive: Callable[[Any], None]) -> bool:
    """Have `receive` called with the total cotangent of a boxed `value` when the backward pass comes by.

    Wraps the `vjp` of the node that is on the tape already, so that the tape, and with it every derivative of any
    order, stays exactly as it was. Of nested boxes the one of the outermost trace, at `level`, is tapped. Returns
    whether there is one: a value that does not depend on the parameters has no cotangent.
    """
    from autograd import core

    while is_box(value) and value._trace != level:  # noqa: SLF001
        value = value._value  # noqa: SLF001
    if not is_box(value) or not isinstance(value._node, core.VJPNode):  # noqa: SLF001
        return False
    node = value._node  # noqa: SLF001
    original = node.vjp

    def tapped(cotangent: Any) -> Any:
        receive(cotangent)
        return original(cotangent)

    node.vjp = tapped
    return True


def untapped(node: Any) -> Any:
    """Return the function by which a node passes the gradient on, without the taps that `tap` put on it."""
    vjp = node.vjp
    while getattr(vjp, "__module__", "") == __name__ and (cells := _closure(vjp, "tapped", "original")):
        vjp = cells[0]
    return vjp


def taps(node: Any) -> list[Callable[[Any], None]]:
    """Return what receives the cotangent of a node: what `tap` was given, the latest first."""
    found, vjp = [], node.vjp
    while getattr(vjp, "__module__", "") == __name__ and (cells := _closure(vjp, "tapped", "original", "receive")):
        vjp = cells[0]
        found.append(cells[1])
    return found


@dataclass(slots=True)
class Differentiated:
    """What the user differentiates, out of autograd's wrappers."""

    function: Any
    positions: tuple[int, ...]
    """Positions of the arguments that are differentiated."""
    unflatten: Any = None
    """Turns the flat array that is passed into what `function` takes, where `flatten_func` stands between."""
    with_aux: bool = False
    """Whether it returns a pair, of which the first half is differentiated (`grad_and_aux`)."""
    in_tuple: bool = False
    """Whether its one argument is passed on in a tuple of one (`argnum=[0]`), and its gradient comes back in one."""


_BOOKKEEPING = ("autograd.core", "autograd.differential_operators", "autograd.test_util", "autograd.wrap_util")


def differentiated(function: Any) -> Differentiated | None:
    """Step through autograd's wrappers to the user's own function; None for autograd's own bookkeeping.

    `grad` and its like hand on a closure `unary_f` over the function and the argument's position, `grad_and_aux`,
    `holomorphic_grad` and `multigrad_dict` put a lambda around it; `autograd.misc.flatten.flatten_func` makes a
    lambda over the function and the way back from a flat array.
    """
    plain = _plain(function)
    if plain is not None:
        return plain or None
    positions: tuple[int, ...] = (0,)
    with_aux = in_tuple = False
    while True:
        module = getattr(function, "__module__", None) or ""
        if (cells := _closure(function, "unary_f", "fun", "argnum")) is not None:
            function, argnum = cells
            positions = (argnum,) if isinstance(argnum, int) else tuple(argnum)
            in_tuple = len(positions) == 1 and not isinstance(argnum, int)
        elif module == "autograd.differential_operators" and (cells := _closure(function, "<lambda>", "fun")):
            with_aux = "atuple" in function.__code__.co_names
            function = cells[0]
        else:
            break
    if module == "autograd.misc.flatten" and (cells := _closure(function, "<lambda>", "func", "unflatten")):
        return Differentiated(cells[0], positions, unflatten=cells[1], in_tuple=in_tuple)
    if module in _BOOKKEEPING or module.startswith("autograd.misc."):
        return None
    if getattr(function, "_is_autograd_primitive", False) or getattr(function, "_is_primitive", False):
        function = getattr(function, "fun", function)
    return Differentiated(function, positions, None, with_aux, in_tuple)


def _plain(function: Any) -> Differentiated | Literal[False] | None:
    """Do what `differentiated` does in the two frequent cases, without a detour; None in all others.

    They are a function of the user's own under `grad`, and the flattening between two steps of autograd's optimizers:
    False for this one.
    """
    global _unary
    code = getattr(function, "__code__", None)
    if code is not _unary[0]:
        if code is None or code.co_name != "unary_f" or (places := _places(code, ("fun", "argnum"))) is None:
            return None
        _unary = code, places[0], places[1]
    cells = function.__closure__
    inner, argnum = cells[_unary[1]].cell_contents, cells[_unary[2]].cell_contents
    if type(inner) is not FunctionType or type(argnum) is not int:
        return None
    module = inner.__module__ or ""
    if not module.startswith("autograd."):
        return Differentiated(inner, (argnum,))
    return False if module == "autograd.misc.flatten" and inner.__name__ == "_flatten" else None


_unary: tuple[Any, int, int] = (None, 0, 0)
"""The code of `unary_f`, and where among the variables it closes over function and position stand."""


def _closure(function: Any, name: str, *variables: str) -> list[Any] | None:
    """Return variables that a function called `name` closes over, or None if it is another."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_name != name:
        return None
    places = _places(code, variables)
    return None if places is None else [function.__closure__[place].cell_contents for place in places]


@lru_cache(maxsize=64)
def _places(code: CodeType, variables: tuple[str, ...]) -> list[int] | None:
    """Return where among the variables that `code` closes over these stand; None if one is missing."""
    free = code.co_freevars
    return [free.index(v) for v in variables] if set(variables) <= set(free) else None


def _hook_trace(trace: Any) -> Any:
    """Return the stand-in for autograd's `trace`; it does nothing of its own where no recording is open."""
    from autograd import tracer

    def observed_trace(start_node: Any, fun: Any, x: Any) -> Any:
        listener = active()
        if listener is None:
            return trace(start_node, fun, x)
        evaluation = None
        if listener.depth == 0 and type(start_node).__name__ != "JVPNode":
            evaluation = listener.open_evaluation(fun, x, tracer.trace_stack.top + 1)
            if evaluation is not None and evaluation.observed:
                start_node = listener.start_of_tape(evaluation, start_node, x)
        listener.depth += 1
        try:
            end_value, end_node = trace(start_node, fun, x)
        except BaseException:
            if evaluation is not None:
                listener.abandon(evaluation)
            raise
        finally:
            listener.depth -= 1
        listener.pending.pop(id(end_node), None)  # a node that died without a backward pass had the same identity
        if evaluation is not None:
            listener.close_forward(evaluation, end_value, end_node)
        return end_value, end_node

    return observed_trace


def _hook_backward_pass(backward_pass: Any) -> Any:
    """Return the stand-in for autograd's `backward_pass`; it does nothing of its own where no recording is open."""

    def observed_backward_pass(g: Any, end_node: Any) -> Any:
        listener = active()
        if listener is None:
            return backward_pass(g, end_node)
        evaluation = listener.pending.get(id(end_node)) if listener.depth == 0 else None
        listener.depth += 1
        try:
            gradient = backward_pass(g, end_node)
        finally:
            listener.depth -= 1
        if evaluation is not None:
            listener.close_backward(evaluation, gradient, g, end_node)
        return gradient

    return observed_backward_pass


def only_output(value: Any) -> Any | None:
    """Return the number that a traced function returned, or None if it returned another thing."""
    value = plain_value(value)
    if isinstance(value, float):  # NumPy's too: by far the most frequent
        return value
    if isinstance(value, (dict, list, tuple)) or np.size(value) != 1:
        return None
    return np.asarray(value).reshape(())[()]
