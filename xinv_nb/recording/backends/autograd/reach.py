"""Numbers in the structure of a gradient: which of them are 0, and which lie on the way to a node of the tape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

TINY = 1e-12
"""Share of what comes in up to which next to nothing goes on."""


_MOST_STEPS = 400_000
"""Operations that are walked back over in one look, about."""


def walks(length: int) -> int:
    """Return how many walks back a tape of that length is worth.

    >>> walks(100), walks(100_000)
    (4000, 4)
    """
    return max(_MOST_STEPS // max(length, 1), 2)


def flat(value: Any) -> NDArray[np.float64]:
    """Return the sizes of all numbers of a structure in a row.

    >>> flat([np.array([3.0, -4.0]), 1.0])
    array([3., 4., 1.])
    """
    if isinstance(value, Mapping):
        value = [value[key] for key in sorted(value, key=str)]
    if isinstance(value, (list, tuple)):
        return np.concatenate([flat(item) for item in value]) if value else np.zeros(0)
    sizes: NDArray[np.float64] = np.abs(np.asarray(value)).reshape(-1).astype(np.float64)
    return sizes


def tiny(gradient: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers of a gradient are 0, or so small that it is worth to ask why."""
    largest = gradient.max(initial=0.0)
    return gradient <= max(TINY * largest if np.isfinite(largest) else 0.0, TINY)


def among(reach: Any, gradient: Any, share: float) -> Any:
    """Return `reach` with 0 where the gradient is more than a share of it."""
    if isinstance(reach, Mapping):
        return {key: among(item, gradient[key], share) for key, item in reach.items()}
    if isinstance(reach, (list, tuple)):
        return type(reach)(among(r, g, share) for r, g in zip(reach, gradient, strict=True))
    reach = np.asarray(reach)
    return np.where(np.abs(gradient) <= share * np.abs(reach), reach, 0.0)


def seeds(shape: tuple[int, ...]) -> Iterator[Any]:
    """Yield cotangents for a node whose value has that shape, of which no sum is 0 by chance; always the same."""
    generator = np.random.default_rng(0)
    while True:
        drawn = generator.uniform(0.5, 1.5, shape)
        yield drawn if shape else np.float64(drawn)  # autograd asks numbers for their shape
