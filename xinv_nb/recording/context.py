"""Which recording is the innermost of this thread or asyncio task; threads and tasks do not mix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident

from xinv_nb.recording import elsewhere
from xinv_nb.recording.backends.protocol import Recording

innermost: ContextVar[Recording | None] = ContextVar("xinv_nb_recording", default=None)
"""The recording that was opened last, open or not; None also where nothing is to be recorded for the moment."""


def active() -> Recording | None:
    """Return the innermost recording of this thread or task that is open."""
    found = innermost.get()
    while found is not None and found.closed:
        found = found.outer
    return found if found is not None and found.thread == get_ident() else None


def active_for_solver() -> Recording | None:
    """Return the same where a solver is called; a recording of another thread is told that it does not see it."""
    found = active()
    if found is None:
        elsewhere.unseen_solver()
    return found


@contextmanager
def unrecorded() -> Iterator[None]:
    """Have nothing recorded of what is computed inside: it is ours, not the user's."""
    token = innermost.set(None)
    try:
        yield
    finally:
        innermost.reset(token)
