"""The hook on autograd's forward and backward passes.

It sits on `autograd.core.trace` and `autograd.core.backward_pass`: every differentiation goes through these two names,
looked up at call time, however the caller came by `grad`. A hook on `make_vjp` would miss each package that imported it
early. While no recording is open, autograd is exactly as it was installed.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any

from xinv_nb.errors import XinvError
from xinv_nb.recording import elsewhere
from xinv_nb.recording.backends.autograd.differentiated import differentiated
from xinv_nb.recording.backends.autograd.passes import passes_of
from xinv_nb.recording.backends.autograd.untraced import begin_noting, end_noting
from xinv_nb.recording.backends.autograd.valued import valued_root
from xinv_nb.recording.context import active

_LIBRARY = "autograd"
_originals: tuple[Any, Any] = (None, None)
_hooks: tuple[Any, Any] = (None, None)


class UnsupportedAutogradError(XinvError):
    """Autograd's internals are not where they were in the versions this package knows."""


def is_ready() -> bool:
    """Whether autograd was imported as far as the hook needs it."""
    core = sys.modules.get("autograd.core")
    return core is not None and not getattr(core.__spec__, "_initializing", False)


def install() -> None:
    """Put the hook in; raises `UnsupportedAutogradError` and changes nothing if it cannot."""
    global _originals, _hooks
    # Not by an import statement: autograd may just be importing itself, in this thread or in another.
    core, tracer = sys.modules["autograd.core"], sys.modules["autograd.tracer"]
    _check_internals(core, tracer)
    _originals = (core.trace, core.backward_pass)
    _hooks = _hook_trace(core.trace, tracer.trace_stack), _hook_backward_pass(core.backward_pass)
    core.trace, core.backward_pass = _hooks  # type: ignore[attr-defined]


def uninstall() -> None:
    """Take the hook away."""
    core: Any = sys.modules["autograd.core"]
    # Where another tool has hooked itself in on top, its hook stays, and ours below it does nothing any more.
    if (core.trace, core.backward_pass) == _hooks:
        core.trace, core.backward_pass = _originals


def _check_internals(core: Any, tracer: Any) -> None:
    """Raise `UnsupportedAutogradError` unless all that this folder relies on is there."""
    try:
        _signature(core.trace).bind("start_node", "fun", "x")
        _signature(core.backward_pass).bind("g", "end_node")
        core.VJPNode.new_root().vjp  # noqa: B018
        tracer.trace_stack.top + 0
    except (AttributeError, TypeError) as error:
        raise UnsupportedAutogradError(
            f"This version of autograd keeps its passes where xinv_nb cannot see them ({error}); the program runs as "
            "always and nothing is recorded. autograd 1.8 and 1.9 are supported."
        ) from error


@functools.lru_cache(maxsize=4)
def _signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)


def _hook_trace(trace: Any, trace_stack: Any) -> Any:
    """Return the stand-in for autograd's `trace`; it does nothing of its own where no recording is open."""

    def observed_trace(start_node: Any, fun: Any, x: Any) -> Any:
        recording = active()
        if recording is None:
            if not elsewhere.is_open():
                return trace(start_node, fun, x)
            is_reverse = type(start_node).__name__ != "JVPNode"
            with elsewhere.unseen_pass(lambda: is_reverse and differentiated(fun) is not None):
                return trace(start_node, fun, x)
        passes = recording.beside.get(_LIBRARY) or passes_of(recording)
        evaluation = None
        if recording.depth == 0 and type(start_node).__name__ != "JVPNode":
            evaluation = passes.open_evaluation(fun, x, trace_stack.top + 1)
            if evaluation is not None and evaluation.observed:
                start_node = passes.start_of_tape(evaluation, start_node, x)
            elif evaluation is not None and evaluation.valued:
                start_node = valued_root(x, heard=evaluation.is_sampled)
        noting = evaluation is not None and evaluation.observed
        try:
            recording.depth += 1
            if noting:
                begin_noting()
            end_value, end_node = trace(start_node, fun, x)
        except BaseException as error:
            if evaluation is not None:
                passes.abandon(evaluation, error)
            raise
        finally:
            recording.depth -= 1
            if noting:
                end_noting()
        passes.pending.pop(id(end_node), None)  # a node that died without a backward pass had the same identity
        if evaluation is not None:
            passes.close_forward(evaluation, end_value, end_node)
        return end_value, end_node

    return observed_trace


def _hook_backward_pass(backward_pass: Any) -> Any:
    """Return the stand-in for autograd's `backward_pass`; it does nothing of its own where no recording is open."""

    def observed_backward_pass(g: Any, end_node: Any) -> Any:
        recording = active()
        if recording is None:
            if not elsewhere.is_open():
                return backward_pass(g, end_node)
            with elsewhere.unseen_pass(lambda: False):
                return backward_pass(g, end_node)
        passes = recording.beside.get(_LIBRARY) or passes_of(recording)
        evaluation = passes.pending.get(id(end_node)) if recording.depth == 0 else None
        try:
            recording.depth += 1
            gradient = backward_pass(g, end_node)
        except BaseException as error:
            if evaluation is not None:
                passes.abandon_backward(evaluation, error)
            raise
        finally:
            recording.depth -= 1
        if evaluation is not None:
            passes.close_backward(evaluation, gradient, g, end_node)
        return gradient

    return observed_backward_pass
