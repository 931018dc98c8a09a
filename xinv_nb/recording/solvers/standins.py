"""Stand-ins for names inside scipy, put in while a recording is open and taken out when the last one closes.

Where scipy is imported during the recording, they go in at that moment.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple


class StandIn(NamedTuple):
    """One name in modules of scipy.optimize, and what makes a stand-in of what it names."""

    modules: tuple[str, ...]
    name: str
    make: Callable[[Any], Any]
    late: bool = False
    """Whether the name is public, so that it is exchanged only when scipy is imported as a whole."""


class StandIns:
    """All stand-ins, and the recordings that want them.

    An interrupt may break off any call: a second one of `uninstall` does the rest of the first.
    """

    def __init__(self, *wanted: StandIn) -> None:
        self._wanted = wanted
        self._lock = threading.RLock()
        self._put: list[tuple[Any, str, Any, Any]] = []
        """Each that is in use: its module and name, itself, and scipy's own that it stands for."""
        self._modules = 0
        """How many modules had been imported when the first was put in."""
        self._told: list[Callable[[str], None]] = []
        """The notices of the recordings for which they are in."""
        self._is_complete = False

    @property
    def is_installed(self) -> bool:
        """Whether any recording wants them."""
        return bool(self._told)

    def renew_lock(self) -> None:
        """Take a new lock in a forked process: another thread may have held this one."""
        self._lock = threading.RLock()

    def complete(self) -> None:
        """Put in what could not be while scipy was being imported."""
        if not self._is_complete:
            with self._lock:
                if self._told:
                    self._put_in()

    def install(self, notice: Callable[[str], None]) -> None:
        """Put them in for one more recording; `notice` is told where scipy's inside is not as it is known."""
        with self._lock:
            self._told.append(notice)
            if len(self._told) == 1 and not self._put_in():
                sys.meta_path.insert(0, self)

    def uninstall(self, notice: Callable[[str], None]) -> None:
        """Leave scipy as it was when the last recording closes."""
        with self._lock:
            if notice in self._told:
                self._told.remove(notice)
            if self._told:
                return
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            # Where another tool has put itself on top, it stays, and ours below it does nothing any more.
            for module, name, ours, original in self._put:
                _take_out(module, name, ours, original)
            if self._put and len(sys.modules) != self._modules:  # one that was imported meanwhile took them over
                for module in [m for name, m in list(sys.modules.items()) if name.startswith("scipy.optimize")]:
                    for _, name, ours, original in self._put:
                        _take_out(module, name, ours, original)
            self._put.clear()
            self._is_complete = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:  # noqa: ARG002 - as Python calls it
        """See that scipy.optimize is being imported, since Python asks this for each module; never answers."""
        if name.startswith("scipy.optimize."):
            with self._lock:
                if self._told:
                    self._put_in()

    def _put_in(self) -> bool:
        """Put them into those modules that are there; returns whether no more are to come."""
        if not self._put:
            self._modules = len(sys.modules)
        package = sys.modules.get("scipy.optimize")
        known = {id(ours) for _, _, ours, _ in self._put}
        is_there = package is not None and not getattr(package.__spec__, "_initializing", False)
        for wanted in self._wanted:
            modules = [sys.modules.get(f"scipy.optimize.{name}") for name in wanted.modules]
            places = [module for module in modules if getattr(module, wanted.name, None) is not None]
            if is_there and not places:
                for notice in self._told:
                    notice(MOVED)
            for module in places:
                found = getattr(module, wanted.name)
                if (is_there or not wanted.late) and id(found) not in known:
                    ours = wanted.make(found)
                    known.add(id(ours))
                    self._put.append((module, wanted.name, ours, found))
                    vars(module)[wanted.name] = ours
        self._is_complete = is_there
        return is_there


def _take_out(module: Any, name: str, ours: Any, original: Any) -> None:
    if vars(module).get(name) is ours:
        vars(module)[name] = original


MOVED = (
    "This version of SciPy works otherwise inside than those that xinv_nb knows (1.11 and newer): some of what its "
    "solvers evaluate cannot be recorded. The program runs as always."
)


class _AtCall:
    """Runs when Python looks up how an object is called: before the call, in no frame that the call has above it."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        instance.look(sys._getframe(1))  # noqa: SLF001
        return instance.function


class Before:
    """Stands for a function of scipy's, and looks at the frame that is about to call it.

    The function is then called by that frame itself, so that its warnings name the same lines as ever.
    """

    __call__ = _AtCall()

    def __init__(self, function: Any, look: Callable[[FrameType], None]) -> None:
        self.function = function
        self.look = look


def rebind(frame: FrameType, name: str, value: Any) -> None:
    """Give a local variable of a frame another value; raises `KeyError` where it has none."""
    local = frame.f_locals
    if name not in local:
        raise KeyError(name)
    local[name] = value
    if sys.version_info < (3, 13):  # from then on the mapping writes through
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
