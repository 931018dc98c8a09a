"""Hears what a solver says of its end where no callback tells it: when scipy makes its result."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from xinv_nb.recording import context
from xinv_nb.recording.solvers import constraints, stopping
from xinv_nb.recording.solvers.asked import Function, WatchedCall


class Results:
    """Stands for the class of scipy's results inside of scipy's own modules."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def __call__(self, *args: Any, **told: Any) -> Any:
        """Make a result."""
        result = self._kind(*args, **told)
        # Of an iterate a solver says no message, of a generation that it goes on.
        if told.get("message") and "progress" not in str(told["message"]) and context.active() is not None:
            with suppress(Exception):
                frame = sys._getframe(1)  # noqa: SLF001
                call = _call_in(frame) or _call_in(frame.f_back)
                if call is not None:
                    _look_at(call, frame)
                    if call.call.options.get("function") != "minimize":  # which tells it itself
                        call.ends(result)
        return result

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self._kind)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._kind,)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kind, name)


def _look_at(call: WatchedCall, frame: FrameType) -> None:
    with suppress(Exception):  # scipy's inside is not as we know it: nothing is told of them
        call.call.constraints.extend(constraints.of_frame(frame))
    with suppress(Exception):
        call.call.at_end.update(stopping.of_frame(frame))


def _call_in(frame: FrameType | None) -> WatchedCall | None:
    """Return the watched call of which a frame of scipy holds the stand-in for the user's function."""
    if frame is None or not str(frame.f_globals.get("__name__", "")).startswith("scipy."):
        return None
    local = frame.f_locals
    held = [local.get(name) for name in ("fun", "func", "f")]
    held.append(getattr(local.get("self"), "func", None))
    for function in held:
        # Or within scipy's own wrapper of it.
        inner = [function, *(getattr(function, "__dict__", {}).get(name) for name in ("fun", "f"))]
        found = next((each.call for each in inner if isinstance(each, Function)), None)
        if found is not None:
            return found
    return None
