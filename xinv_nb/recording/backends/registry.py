"""Which backends there are, and when they observe: while a recording is open, from the import of their library on.

`xi.record()` imports no framework. One that the program has imported is observed at once, one that it imports during
the recording at that moment.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from xinv_nb.errors import XinvError, told
from xinv_nb.recording.backends.boxes import unboxing
from xinv_nb.recording.backends.protocol import Backend

_BACKENDS = {"autograd": "xinv_nb.recording.backends.autograd.backend"}
"""The library of each backend, and the module that holds it as `BACKEND`."""

_lock = threading.RLock()
_told: list[Callable[[str], None]] = []
"""Where each open recording is told what cannot be observed."""
_observing: list[Backend] = []
_hidden: dict[str, str] = {}
"""The libraries that cannot be observed, and why, in words."""


def observe(notice: Callable[[str], None]) -> None:
    """Have passes observed for one more recording; `notice` is told of what cannot be."""
    with _lock:
        _told.append(notice)
        for reason in _hidden.values():
            notice(reason)
        if len(_told) == 1 and not _put_in():
            sys.meta_path.insert(0, _ImportWatcher)


def leave(notice: Callable[[str], None]) -> None:
    """Leave every library as it was when the last recording closes."""
    with _lock:
        if notice in _told:  # not where an interrupt broke off the call before this one, or `observe`
            _told.remove(notice)
        if _told:
            return
        if _ImportWatcher in sys.meta_path:
            sys.meta_path.remove(_ImportWatcher)
        for backend in _observing:
            backend.uninstall()
        _observing.clear()
        _hidden.clear()


def renew_lock() -> None:
    """Take a lock of its own in a forked process: another thread may have held this one."""
    global _lock
    _lock = threading.RLock()
    for backend in _observing:
        backend.renew_lock()


class _ImportWatcher:
    """Sees that a library is being imported, since Python asks it, too, for each module; never answers."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:  # noqa: ARG004 - as Python calls it
        if name.partition(".")[0] in _BACKENDS:
            with _lock, suppress(Exception):  # nothing of ours may reach the user's import
                if _told:
                    _put_in()


def _put_in() -> bool:
    """Let each backend observe whose library is there; returns whether no more are to come."""
    for library, module in _BACKENDS.items():
        if library not in sys.modules or library in _hidden or any(b.library == library for b in _observing):
            continue
        try:
            backend = _backend(module)
            if not backend.is_ready():
                continue
            _observing.append(backend)  # first: what an interrupt leaves half done is undone with the rest
            backend.install()
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
            _observing[:] = [each for each in _observing if each.library != library]
            known = isinstance(error, XinvError)
            reason = str(error) if known else f"{library} could not be observed ({told(error)})."
            _hidden[library] = reason
            for notice in _told:
                notice(reason)
        else:
            if backend.plain_value not in unboxing:
                unboxing.append(backend.plain_value)
    return len(_observing) + len(_hidden) == len(_BACKENDS)


def _backend(module: str) -> Backend:
    found: Backend = import_module(module).BACKEND
    return found


def differentiating() -> Backend:
    """Return the backend that takes derivatives of a function; imports its library.

    Raises
    ------
    XinvError
        No library that can is installed.
    """
    for library, module in _BACKENDS.items():
        with suppress(ImportError):
            import_module(library)
            return _backend(module)
    raise XinvError(f"Derivatives of a function are taken with {' or '.join(_BACKENDS)}: install it, and call again.")
