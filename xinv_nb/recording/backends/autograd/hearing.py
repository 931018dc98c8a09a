"""Hears NumPy warn of numbers out of range, at the very operation of autograd that it warns of."""

from __future__ import annotations

import re
import sys
import threading
import warnings
from typing import Any

from xinv_nb.recording import context
from xinv_nb.recording.backends.autograd.evaluation import TapedEvaluation
from xinv_nb.recording.backends.autograd.operations import primitive_call, warning_registry


class _Ear:
    """Hears NumPy warn of numbers out of range, at the operation itself, and lets each warning pass as it would.

    `warnings` asks the patterns of its filters, one after the other, about each warning, synchronously. This one
    matches nothing. A warning that was shown before is not asked about: it stands in the registry of its module. So
    that the same operation is heard again, such entries of autograd's registry are set aside while a recording is
    open, and then, and only for these, the ear does match, and its filter ignores them.
    """

    def __init__(self) -> None:
        self._aside: set[tuple[Any, ...]] = set()
        self._version: Any = None

    def __reduce__(self) -> Any:
        return re.compile, (r"(?!)",)  # some libraries hand the filters to other processes: there it matches nothing

    def match(self, text: str) -> bool:
        """Take note of a warning; whether it is one that was shown before."""
        try:
            return " encountered in " in text and self._heard(text)
        except Exception:  # noqa: BLE001 - nothing of ours may reach the user's computation
            return False

    def _heard(self, text: str) -> bool:
        frame = sys._getframe(2)  # noqa: SLF001
        recording = context.active()
        evaluation = None if recording is None else recording.evaluation
        if isinstance(evaluation, TapedEvaluation) and (evaluation.report is None or evaluation.report.from_data):
            operation = primitive_call(frame)
            if operation is not None:
                evaluation.report = operation
        registry = frame.f_globals.get("__warningregistry__")
        if registry is not warning_registry() or registry.get("version") != self._version:
            return False
        return (text, RuntimeWarning, frame.f_lineno) in self._aside

    def set_aside(self) -> None:
        """Take what was shown before out of the registry, so that it is heard again."""
        registry = warning_registry()
        if registry.get("version") != self._version:
            self._aside, self._version = set(), registry.get("version")
        shown = [key for key in list(registry) if isinstance(key, tuple) and " encountered in " in str(key[0])]
        self._aside.update(shown)
        for key in shown:
            del registry[key]

    def put_back(self) -> None:
        """Make the registry what it would be without a recording."""
        registry = warning_registry()
        if registry.get("version") == self._version:
            registry.update(dict.fromkeys(self._aside, True))
        self._aside, self._version = set(), None


_ear = _Ear()
_entry = ("ignore", _ear, RuntimeWarning, None, 0)
_filters: list[Any] = []
"""The list of filters that the ear was put into, while it is in use."""
_lock = threading.RLock()


def renew_lock() -> None:
    """Take a new lock in a forked process: another thread may have held this one."""
    global _lock
    _lock = threading.RLock()


def hear() -> None:
    """Listen to NumPy's warnings."""
    with _lock:
        _filters.append(warnings.filters)
        warnings.filters.insert(0, _entry)  # type: ignore[attr-defined]
        _ear.set_aside()


def hear_again() -> None:
    """Have a warning heard again though it has been shown by now."""
    with _lock:
        _ear.set_aside()


def stop_hearing() -> None:
    """Leave the filters and the registry as they would be."""
    with _lock:
        found: list[Any] = [*_filters, warnings.filters]
        for filters in found:
            while _entry in filters:
                filters.remove(_entry)
        _ear.put_back()
        _filters.clear()  # last: what an interrupt leaves undone is done by the next call
