"""Landmarks that name parameters which a run does not have: nothing would be told of them, without a word."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from xinv_nb.recorded.run import RecordedRun

_LARGE = 1000
"""Entries from which on those of an array are not listed one by one."""
_MOST_NAMED = 8


def misnamed(run: RecordedRun) -> list[str]:
    """Return what to tell of each name in the landmarks of a problem that is no parameter's, with what is near.

    >>> import xinv_nb as xi
    >>> with xi.record(problem=xi.Problem("walk", landmarks={"the village": {"nort": 3.0}})) as run:
    ...     run.add(1.0, {"north": 1.0, "east": 2.0})
    >>> misnamed(run)[0][:91]
    "Of 'the village' in Problem(landmarks=…) nothing can be told: no parameter is called 'nort'"
    """
    landmarks = run.problem.landmarks if run.problem is not None else {}
    by_name = {place: position for place, position in landmarks.items() if isinstance(position, Mapping)}
    if not by_name or not run.evaluations:
        return []
    leaves = [leaf for history in run.histories for leaf in history.leaves]
    entries = [entry for leaf in leaves if leaf.size <= _LARGE for entry in run.entries_of(leaf, range(leaf.size))]
    names = list(dict.fromkeys(name for entry in entries for name in (entry.label, entry.name)))
    large = tuple(f"{leaf.name}[" for leaf in leaves if leaf.size > _LARGE)
    found = []
    for place, position in by_name.items():
        unknown = [name for name in position if name not in names and not name.startswith(large)]
        for name in unknown[:1]:
            near = difflib.get_close_matches(name, names, 2)
            meant = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {_listed(names)}."
            found.append(
                f"Of {place!r} in Problem(landmarks=…) nothing can be told: no parameter is called {name!r}; {meant}"
            )
    return found


def _listed(names: list[str]) -> str:
    return ", ".join([*names[:_MOST_NAMED], *(["…"] if len(names) > _MOST_NAMED else [])])
