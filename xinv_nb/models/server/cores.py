"""How many processor cores there are for a model."""

from __future__ import annotations

import os
from pathlib import Path


def cores() -> int:
    """Return the processor cores that this process may use, each counted once where it runs two threads.

    A model that runs more threads than there are free cores becomes many times slower, not a little.
    """
    try:
        usable = os.sched_getaffinity(0)
    except AttributeError:  # not on every system; those without it mostly have no such cores
        return os.cpu_count() or 1
    found = set()
    for processor in usable:
        folder = Path(f"/sys/devices/system/cpu/cpu{processor}/topology")
        try:
            found.add(((folder / "physical_package_id").read_text(), (folder / "core_id").read_text()))
        except OSError:
            return len(usable)
    return len(found)
