"""What takes a number off autograd's tape while an evaluation runs on an observing one.

Autograd itself calls functions that have no derivative (`round`, `floor`, comparisons, …) with the plain number; a
program may read the number out of its box (`getval(x)`, `x._value`) and go on with that. Either is noted with its
place, and the node at which the tape goes no further.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import linecache
import sys
import threading
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd.operations import is_number, is_outside, name_of, outside
from xinv_nb.recording.nonfinite import Place

_MOST = 64
_TELL_NOTHING = frozenset(
    [
        "ndim",
        "shape",
        "size",
        "iscomplexobj",
        "result_type",
        "isscalar",
        "zeros_like",
        "ones_like",
        "empty_like",
        "full_like",
        "isfinite",
        "isinf",
        "isnan",
        "isneginf",
        "isposinf",
        "isreal",
        "iscomplex",
        "isrealobj",
    ]
)
"""Functions without a derivative whose result does not hang on how large a finite number is."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One place of a program at which a number left the tape."""

    operation: str
    code: CodeType
    instruction: int
    node: Any
    """The node that the number comes from."""
    shape: tuple[int, ...]


@dataclass(slots=True)
class TapeLog:
    """What was noted while one observing tape was made."""

    taken: dict[tuple[CodeType, int, int], Taken] = field(default_factory=dict)
    broadcasts: list[Any] = field(default_factory=list)
    """Nodes whose value combines two rows of numbers each with each."""


def _note(box: Any, operation: str, frame: FrameType | None, operand: int = 0) -> None:
    log = getattr(box._node, "log", None)  # noqa: SLF001
    if log is None or frame is None or len(log.taken) >= _MOST:
        return
    key = frame.f_code, frame.f_lasti, operand
    if key not in log.taken and is_number(box):
        log.taken[key] = Taken(operation, frame.f_code, frame.f_lasti, box._node, np.shape(_plain(box)))  # noqa: SLF001


def _plain(box: Any) -> Any:
    return box._value  # noqa: SLF001


class Untraced:
    """The functions that autograd does not trace, for nodes of an observing tape: notes which of them was called."""

    def __init__(self, functions: set[Any]) -> None:
        self._functions = functions

    def __contains__(self, function: Any) -> bool:
        if function not in self._functions:
            return False
        with contextlib.suppress(Exception):  # an observer may not fail what it observes
            name = name_of(function)
            if name not in _TELL_NOTHING:
                frame = sys._getframe(1)  # noqa: SLF001 - the primitive's
                for operand, box in frame.f_locals["boxed_args"]:
                    _note(box, name, outside(frame), operand)
        return True


# ---------------------------------------------------------------------- numbers that a program reads itself

_lock = threading.RLock()
_readers = 0
_slot: Any = None


def begin_noting() -> None:
    """Note from now on where a program reads the number in a box."""
    global _readers, _slot
    from autograd import tracer

    with _lock, contextlib.suppress(Exception):  # where boxes are kept otherwise, reads are not noted
        _readers += 1
        if _readers == 1:
            _slot = tracer.Box.__dict__["_value"]
            tracer.Box._value = _noting(_slot, tracer.getval.__code__)  # noqa: SLF001


def end_noting() -> None:
    """Leave autograd's boxes as they were, once nobody notes any more."""
    global _readers
    from autograd import tracer

    with _lock:
        _readers = max(_readers - 1, 0)
        if not _readers and _slot is not None:
            tracer.Box._value = _slot  # noqa: SLF001


def _noting(slot: Any, getval: CodeType) -> property:
    def read(box: Any) -> Any:
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
        name = "_value"
        while frame is not None and frame.f_code is getval:
            frame, name = frame.f_back, "getval"
        if frame is not None and _is_users(frame.f_code):
            with contextlib.suppress(Exception):  # an observer may not fail what it observes
                _note(box, name, frame)
        return slot.__get__(box)

    return property(read, slot.__set__)


@functools.lru_cache(maxsize=4096)
def _is_users(code: CodeType) -> bool:
    return is_outside(code)


def name_in(taken: Taken, place: Place) -> str:
    """Return what took a number off the tape, as the program has it: `int` where that is called with what was read."""
    if taken.operation not in ("getval", "_value"):
        return taken.operation
    line = linecache.getline(place.file, place.line).strip()
    for text in (line, f"{line} pass", f"{line.removeprefix('el')} pass"):
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and any(map(_is_read, call.args)) and not _is_read(call):
                return ast.unparse(call.func)
        break
    return "getval" if taken.operation == "getval" else "._value"


def _is_read(node: ast.AST) -> bool:
    """Whether an expression reads the number in a box."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2] == "getval"
    return isinstance(node, ast.Attribute) and node.attr == "_value"
