"""A tape that knows more than autograd's: operation and place in the program of each node, and whether it was finite.

An evaluation runs on it when there is reason to. What it does at each operation is little, for a simulation may have
thousands: names and lines are looked up when somebody asks.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from xinv_nb.recording.backends.autograd.operations import name_of, operation_on, outside
from xinv_nb.recording.backends.autograd.untraced import TapeLog, Untraced
from xinv_nb.recording.finite import is_finite
from xinv_nb.recording.nonfinite import Operation, Place

_FEWEST_COMBINED = 3
_WITH_DATA = frozenset(["subtract", "multiply", "dot", "matmul", "einsum", "tensordot"])
"""Operations in which an array of numbers is compared with what the parameters make, or multiplied by it."""


def observing_root(x: Any) -> Any:
    """Return the root for a trace at `x` that is to be observed."""
    root = _observing_node().new_root()
    root.finite = is_finite(x)
    return root


@functools.cache
def _observing_node() -> Any:
    from autograd import core, tracer

    initialize = core.VJPNode.__init__

    class ObservingNode(core.VJPNode):  # type: ignore[misc]
        """A node that knows its operation, its place in the program and whether its value was finite."""

        __slots__ = (
            "__weakref__", "birth", "code", "finite", "full", "function", "instruction", "is_by_data", "is_offset",
            "log", "shape", "value",
        )  # fmt: skip

        def __init__(
            self, value: Any, fun: Any, args: Any, kwargs: Any, parent_argnums: Any, parents: Sequence[Any]
        ) -> None:
            initialize(self, value, fun, args, kwargs, parent_argnums, parents)
            self.finite, self.birth, self.function, self.code, self.instruction = True, None, fun, None, 0
            self.log, self.shape, self.full = None, (), 0
            self.value, self.is_offset = value if isinstance(value, float) else None, False
            self.is_by_data = False
            try:
                if len(parents) == 1 and (name := name_of(fun)) in _WITH_DATA and any(map(_is_data, args)):
                    self.is_offset, self.is_by_data = name == "subtract", name != "subtract"
                self.log, self.shape = getattr(parents[0], "log", None), getattr(value, "shape", ())
                if len(self.shape) == 2 and self.log is not None:
                    self.full = sum(getattr(arg, "shape", None) == self.shape for arg in args)
                    if are_combined(args, self.shape):
                        self.log.broadcasts.append((self, *args))
                frame = outside(sys._getframe(2))  # noqa: SLF001 - 1 is autograd's, around the primitive
                if frame is not None:
                    self.code, self.instruction = frame.f_code, frame.f_lasti
                self.finite = is_finite(value)
                if not self.finite and all(getattr(parent, "finite", True) for parent in parents):
                    self.birth = operation_on(name_of(fun), args, value, step_at(self).place)
            except Exception:  # noqa: BLE001 - an observer may not fail what it observes
                pass

        def initialize_root(self) -> None:
            super().initialize_root()
            self.finite, self.birth, self.function, self.code, self.instruction = True, None, None, None, 0
            self.log, self.shape, self.full = TapeLog(), (), 0
            self.value, self.is_offset, self.is_by_data = None, False, False

    tracer.notrace_primitives[ObservingNode] = Untraced(tracer.notrace_primitives[core.VJPNode])
    return ObservingNode


def _is_data(value: Any) -> bool:
    """Whether an operand is an array of numbers that the parameters do not make."""
    return isinstance(value, np.ndarray) and value.size > 1 and value.dtype.kind in "iuf" and bool(np.ptp(value) > 0)


def are_combined(args: Sequence[Any], shape: tuple[int, ...]) -> bool:
    """Whether a result of that shape combines two rows of equally many numbers each with each."""
    if len(args) != 2 or len(shape) != 2 or shape[0] != shape[1] or shape[0] < _FEWEST_COMBINED:
        return False
    return all(getattr(each, "size", 0) == shape[0] for each in args)


def is_observed(node: Any) -> bool:
    """Whether `node` is on an observing tape."""
    return isinstance(node, _observing_node())


class Step(NamedTuple):
    """One operation of a program, and where it stands."""

    function: Any
    code: CodeType | None
    instruction: int

    @property
    def name(self) -> str:
        """The name of the operation."""
        return "" if self.function is None else name_of(self.function)

    @property
    def place(self) -> Place | None:
        """The line of the program."""
        code = self.code
        return None if code is None else Place(code.co_filename, _line(code, self.instruction), code.co_name)


def step_at(node: Any) -> Step:
    """Return the operation of a node on an observing tape."""
    return Step(node.function, node.code, node.instruction)


@functools.lru_cache(maxsize=4096)
def _line(code: CodeType, instruction: int) -> int:
    lines = (line for start, end, line in code.co_lines() if start <= instruction < end)
    return next(lines, None) or code.co_firstlineno


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
