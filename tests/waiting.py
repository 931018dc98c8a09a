"""Waiting in tests: for what the test needs, never for a time that a slow or busy machine exceeds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 120.0
"""Seconds until a test gives up; only what never comes takes so long."""

AT_ONCE = 5.0
"""Seconds that something immediate may take on the slowest and busiest machine, where what it must not wait for takes
several times as long."""


def until(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Wait until a condition holds; returns what it gave."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < deadline, "what the test waits for does not come"
        time.sleep(0.005)
    return found
