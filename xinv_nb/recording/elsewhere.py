"""What open recordings cannot see: derivatives that other threads take, their solvers, and other processes.

A recording sees its own thread. How much it missed is counted, so that the run can say so. A forked process would
record into a copy that nobody reads, and could wait for a lock that no thread of its own holds: it records nothing.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class Unseen:
    """What one open recording has not seen."""

    thread: int = field(default_factory=threading.get_ident)
    threads: set[int] = field(default_factory=set)
    """Other threads that took derivatives."""
    passes: int = 0
    """Derivatives that they took."""
    solvers: set[int] = field(default_factory=set)
    """Other threads in which solvers were called."""
    processes: int = 0
    """Processes that were forked."""
    on_fork: Callable[[], None] = lambda: None
    """What closes the recording in a forked process."""

    def notice(self, evaluations: int) -> str:
        """Return what a reader is told of it; empty where there is nothing to tell."""
        if self.passes:
            times = "once" if self.passes == 1 else f"{self.passes} times"
            where = "another thread" if len(self.threads) == 1 else f"{len(self.threads)} other threads"
            return (
                f"Derivatives were taken {times} in {where}, and none of them was recorded: a recording sees its own "
                "thread. Run the fit in the thread of the recording, or open a recording inside of the worker: "
                "with xinv_nb.record() as run: …"
            )
        if self.solvers and not evaluations:
            where = "another thread" if len(self.solvers) == 1 else f"{len(self.solvers)} other threads"
            return (
                f"A solver of SciPy was called in {where}, and nothing of that was recorded: a recording sees its own "
                "thread. Run the fit in the thread of the recording, or open a recording inside of the worker: "
                "with xinv_nb.record() as run: …"
            )
        if self.processes and not evaluations:
            number = "Another process was" if self.processes == 1 else f"{self.processes} other processes were"
            return (
                f"{number} started here, and nothing was recorded: what other processes compute cannot be seen. Run "
                "the fit in the process of the recording; or record inside of the worker, with xinv_nb.record() as "
                "run: …, have it call run.save(path), and read that with xinv_nb.load(path)."
            )
        return ""


_open: list[Unseen] = []
_lock = threading.RLock()
_numbers = itertools.count()


class _OfThread(threading.local):
    """What is known of one thread; its identity may be that of one that ended before it began."""

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.is_inside = False
        """Whether it is inside a pass that was counted."""


_here = _OfThread()


def begin(unseen: Unseen) -> None:
    """Count for one more recording."""
    _open.append(unseen)


def end(unseen: Unseen) -> None:
    """Count for a recording no longer; a second call does nothing."""
    _open[:] = [each for each in _open if each is not unseen]


def is_open() -> bool:
    """Whether any recording is open, in whichever thread."""
    return bool(_open)


@contextmanager
def unseen_pass(is_counted: Callable[[], bool]) -> Iterator[None]:
    """Count a pass in this thread, if no recording that is open is of this thread; what it is made of belongs to it."""
    me = threading.get_ident()
    missing = [] if _here.is_inside else list(_open)
    if not missing or any(each.thread == me for each in missing):
        yield
        return
    try:
        _here.is_inside = True
        if is_counted():
            with _lock:
                for each in missing:
                    each.threads.add(_here.number)
                    each.passes += 1
        yield
    finally:
        _here.is_inside = False


def unseen_solver() -> None:
    """Take note that a solver is called in this thread, if no recording that is open is of this thread."""
    me = threading.get_ident()
    if not _open or _here.is_inside or any(each.thread == me for each in _open):
        return
    with _lock:
        for each in _open:
            each.solvers.add(_here.number)


def _forked() -> None:
    """Count a process that was forked."""
    for each in list(_open):
        each.processes += 1


def _in_the_child() -> None:
    """Close all recordings in a forked process."""
    global _lock
    _lock = threading.RLock()
    left, _open[:] = list(_open), []
    for each in left:
        each.on_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_forked, after_in_child=_in_the_child)
