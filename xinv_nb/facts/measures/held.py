"""Parameters that the program itself holds, as `numpy.clip` does after each step of a loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinv_nb.facts.measures.ends import last_call
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.losses import Rows, finite_iterates
from xinv_nb.recorded.run import RecordedRun

_FEWEST = 5
"""Iterates at the end at which a parameter has to be the same to the last bit."""
_DIGITS = 6
"""Decimal digits that a limit has at most which a person wrote."""
_PULLED = 1e-3
"""Share of the largest slope of a parameter over the run from which on it is pulled."""
_UNITS = 16.0
"""Units in the last digit by which a parameter would have to move with each step."""


@dataclass(frozen=True)
class Held:
    """A parameter that the program holds where its slope would have it go on."""

    column: int
    since: int
    """The evaluation from which on it is there."""
    value: float
    slope: float
    """At the end."""


def held_by_program(run: RecordedRun) -> list[Held]:
    """Return the parameters that a loop of the program holds at a limit, which they came to and never went beyond.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     x = 0.0
    ...     for _ in range(30):
    ...         run.add((x - 3) ** 2, x, 2 * (x - 3))
    ...         x = min(x - 0.1 * 2 * (x - 3), 2.0)
    >>> held_by_program(run)
    [Held(column=0, since=5, value=2.0, slope=-2.0)]
    """
    history, rows = run.history, finite_iterates(run)
    is_plain = history.is_real and history.kept is None and all(leaf.kept is None for leaf in history.leaves)
    if not is_plain or not run.has_gradients or history.is_on_manifold or len(rows) <= _FEWEST or last_call(run):
        return []
    points, slopes = history.rows(rows), history.rows(rows, "gradients")
    end = points[-1]
    still = (points[-_FEWEST:] == end).all(axis=0) & (points[0] != end)
    found = [each for column in np.flatnonzero(still) if (each := _held(rows, points, slopes, int(column)))]
    sides = {each.slope > 0 for each in found if each.value == 0}
    # At 0 from either side: set to 0 below a threshold, as by a penalty on sizes that may not be in the gradient.
    return found if len(sides) < 2 else [each for each in found if each.value != 0]


def _held(rows: Rows, points: Floats, slopes: Floats, column: int) -> Held | None:
    values, slope = points[:, column], slopes[:, column]
    value, pull = float(values[-1]), float(slope[-1])
    since = int(np.flatnonzero(values != value)[-1]) + 1
    late = slope[since:]
    if not np.isfinite(slope).all() or not (np.sign(late) == np.sign(pull)).all():
        return None
    if not abs(pull) >= _PULLED * float(np.abs(slope).max()) > 0 or not _is_round(value):
        return None
    if ((values - value) * np.sign(pull) < 0).any():  # beyond: it is no limit
        return None
    moved = np.abs(np.diff(values[: since + 1]))
    pace = float(np.median(moved / np.where(slope[:since] != 0, np.abs(slope[:since]), np.inf)))
    if not pace * float(np.abs(late).min()) > _UNITS * float(np.spacing(abs(value))):
        return None  # steps that short leave it where it is
    return Held(column, int(rows[since]), value, pull)


def _is_round(number: float) -> bool:
    return float(f"{number:.{_DIGITS}g}") == number
