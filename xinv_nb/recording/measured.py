"""What `xi.data` takes note of: the residuals of a group of data in one evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import XinvError, shown
from xinv_nb.recording.backends.boxes import plain_value

Floats = NDArray[np.float64]


class Measured(NamedTuple):
    """One call of `xi.data`."""

    name: str
    residuals: Floats
    sigma: Floats | None
    """The standard deviation of each data point, where it is known."""
    labels: Sequence[Any]
    """As they are given: text is made of those of the first evaluation only."""


def check(residuals: Any, name: Any, sigma: Any, labels: Any) -> None:
    """Raise `XinvError` where what a group of data was told of does not fit its residuals; costs next to nothing."""
    if not isinstance(name, str) or not name:
        raise XinvError(f"The name of a group of data must be text; {shown(name, 40)} is none.")
    if sigma is not None:
        found, count = np.asarray(_bare(sigma)), _count(residuals)
        if found.dtype.kind not in "iuf":
            raise XinvError(f"sigma of {name!r} must be a number or an array of numbers, the standard deviations.")
        if found.size not in (1, count):
            raise XinvError(
                f"sigma of {name!r} must be one number, or one for each residual: there are {count} residuals and "
                f"{found.size} numbers."
            )
    if labels is not None:
        if isinstance(labels, str) or not hasattr(labels, "__len__"):
            raise XinvError(
                f"labels of {name!r} must be a list with a name for each residual; {shown(labels, 40)} is none."
            )
        if len(labels) != (count := _count(residuals)):
            raise XinvError(
                f"labels of {name!r} must be one for each residual: there are {count} residuals and {len(labels)} "
                "labels."
            )


def measured(residuals: Any, name: str, sigma: Any, labels: Any) -> Measured:
    """Take note of a group of data as it stands now; raises `TypeError` where its residuals are no real numbers."""
    found = np.asarray(_bare(residuals))
    if found.dtype.kind not in "iuf":
        raise TypeError("residuals are real numbers")
    values = np.array(found, dtype=np.float64).reshape(-1)
    scatter = None
    if sigma is not None:
        numbers = np.asarray(_bare(sigma), dtype=np.float64).reshape(-1)
        if (numbers > 0).all() and np.isfinite(numbers).all():
            scatter = np.array(np.broadcast_to(numbers, values.shape))
    return Measured(name, values, scatter, () if labels is None else labels)


def by_group(parts: Iterable[Measured]) -> list[Measured]:
    """Return the groups of one evaluation; what came under one name in several calls is one group."""
    found: dict[str, list[Measured]] = {}
    for part in parts:
        found.setdefault(part.name, []).append(part)
    return [same[0] if len(same) == 1 else _joined(same) for same in found.values()]


def _joined(same: Sequence[Measured]) -> Measured:
    known = [part.sigma for part in same if part.sigma is not None]
    labels = tuple(label for part in same for label in part.labels)
    residuals = np.concatenate([part.residuals for part in same])
    return Measured(
        same[0].name,
        residuals,
        np.concatenate(known) if len(known) == len(same) else None,
        labels if len(labels) == len(residuals) else (),
    )


def _count(residuals: Any) -> int:
    shape = getattr(residuals, "shape", None)
    if shape is None:
        return len(residuals) if isinstance(residuals, (list, tuple)) else 1
    return math.prod(shape)


def _bare(value: Any) -> Any:
    """Return what is inside the boxes of a framework, also of a list of boxes."""
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value]
    return plain_value(value)
