"""How finely recorded numbers are resolved: numbers of 32 bits, and numbers that are multiples of one quantum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FEWEST = 8
_FEWEST_OF_FLOAT32 = 3
"""Different numbers that it takes: each is one of 32 bits by chance once in 500 million."""
_FEW_BITS = 14
"""Bits up to which a number says nothing of how it was computed: whole numbers, halves, quarters."""
_FEWEST_BITS = 5
_FEWEST_DIFFERENT = 5
_ODD = 0.25
"""Share of the multiples of a quantum that have to be odd: half of them are, where it is where they were rounded."""

Floats = NDArray[np.float64]


def are_float32(numbers: Floats, fewest: int = _FEWEST_OF_FLOAT32) -> bool:
    """Whether all of some numbers are of 32 bits, at least `fewest` different ones, and most have that many digits.

    >>> values = 1.0 / np.arange(3.0, 20.0)
    >>> are_float32(values), are_float32(values.astype(np.float32).astype(float)), are_float32(np.arange(20.0))
    (False, True, False)
    """
    numbers = np.unique(numbers[np.isfinite(numbers) & (numbers != 0)])
    if len(numbers) < fewest:
        return False
    with np.errstate(all="ignore"):
        if not np.array_equal(numbers.astype(np.float32).astype(np.float64), numbers):
            return False
    long = _lowest_bit(numbers) < np.frexp(numbers)[1] - _FEW_BITS
    return int(np.count_nonzero(long)) >= max(fewest, len(numbers) // 2)


def _lowest_bit(numbers: Floats) -> NDArray[np.intp]:
    """Return of each number the exponent of the lowest bit that is set in it; none of them is zero."""
    mantissas, exponents = np.frexp(np.abs(numbers))
    whole = (mantissas * 2.0**53).astype(np.int64)
    return np.asarray(exponents - 53 + np.log2((whole & -whole).astype(float)).astype(np.int64), dtype=np.intp)


def quantum(numbers: Floats) -> float:
    """Return what all of some numbers are multiples of, where they were rounded to that; 0 where they were not.

    Whole numbers are multiples of 1.

    Examples
    --------
    >>> small = 1.0 / np.arange(3.0, 20.0)
    >>> quantum((1e8 + small) - 1e8) == 2.0**-26, quantum(small)
    (True, 0.0)
    """
    numbers = numbers[np.isfinite(numbers) & (numbers != 0)]
    if len(numbers) < _FEWEST:
        return 0.0
    lowest = _lowest_bit(numbers)
    bits = np.frexp(numbers)[1] - lowest
    finest = int(lowest.min())
    odd = float(np.mean(lowest == finest))
    # Numbers of 53 bits have no coarser quantum than their own last bit.
    if odd < _ODD or bits.max() > 53 - _FEW_BITS or bits.max() < _FEWEST_BITS:
        return 0.0
    return float(2.0**finest) if np.unique(numbers).size >= _FEWEST_DIFFERENT else 0.0
