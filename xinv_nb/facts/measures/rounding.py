"""How finely recorded numbers are resolved: numbers of 32 bits, and numbers that are multiples of one quantum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.run import RecordedRun

_FEWEST = 8
_FEWEST_OF_FLOAT32 = 3
"""Different numbers that it takes: each is one of 32 bits by chance once in 500 million."""
_FEW_BITS = 14
"""Bits up to which a number says nothing of how it was computed: whole numbers, halves, quarters."""
_FEWEST_BITS = 5
_FEWEST_DIFFERENT, _FEWEST_BESIDE_GRADIENTS = 5, 3
_FINER = 20
"""Of so many different multiples of a quantum one may be of a finer one."""
_FLOAT32_BITS = 24
_NEARLY, _SURE = 2, 7
"""Binary digits by which the longest of some numbers of 32 bits may be shorter than that, and by which all together
are, only once in a hundred times."""
_FINE = 2.0**-6
"""Quantum up to which a loss of which no gradient is known is no mean of what is counted."""
_LOOKED_AT = 64
"""Rows of which the digits of gradients are looked at."""
_LONG_BITS = 40
"""Bits from which on a number is not a multiple of anything but its own last digit."""
_MOSTLY = 0.5
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
    bits = _bits(numbers)
    long = int(np.count_nonzero(bits > _FEW_BITS))
    missing = min(_NEARLY, -(-_SURE // len(numbers)) - 1)
    # What is a multiple of one coarse quantum has fewer digits than 32 bits give it.
    return long >= max(fewest, len(numbers) // 2) and bool(bits.max() >= _FLOAT32_BITS - missing)


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
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) < _FEWEST or _are_long(numbers[:_FEWEST]):
        return 0.0
    different = np.unique(numbers[numbers != 0])
    if len(different) < _FEWEST_DIFFERENT or _are_long(different):
        return 0.0
    lowest, longest = np.sort(_lowest_bit(different)), int(_bits(different).max())
    finest = lowest[len(lowest) // _FINER]  # some may have been smaller while they were rounded
    return float(2.0**finest) if np.mean(lowest == finest) >= _ODD and longest >= _FEWEST_BITS else 0.0


def grain(run: RecordedRun) -> float:
    """Return what the losses of a run were rounded to because larger numbers are within them; 0 where they were not.

    Counts are multiples of one quantum as well. They have no slope: where the gradients have all their digits, the
    losses are no counts; where no gradient is known, a quantum that is coarse may be that of counts.

    >>> grain(RecordedRun())
    0.0
    """
    if run.history.kept is not None or not run.history.is_real:
        return 0.0
    if not has_long_gradients(run):
        found = quantum(run.loss)
        return found if found <= _FINE else 0.0
    loss = run.loss[np.isfinite(run.loss)]
    if len(loss) < _FEWEST or _are_long(loss[:_FEWEST]):
        return 0.0
    different = np.unique(loss[loss != 0])
    if len(different) < _FEWEST_BESIDE_GRADIENTS or _are_long(different):
        return 0.0
    lowest = np.sort(_lowest_bit(different))
    return float(2.0 ** lowest[len(lowest) // _FINER])


def has_long_gradients(run: RecordedRun) -> bool:
    """Whether most entries of the gradients have more digits than multiples of one quantum have.

    >>> has_long_gradients(RecordedRun())
    False
    """
    slopes = run.history.gradients.array
    rows = np.unique(np.linspace(0, max(len(slopes) - 1, 0), _LOOKED_AT).astype(int))
    numbers = slopes[rows[rows < len(slopes)]].ravel()
    numbers = numbers[np.isfinite(numbers) & (numbers != 0)]
    return bool(len(numbers)) and float(np.mean(_bits(numbers) >= _LONG_BITS)) > _MOSTLY


def _are_long(numbers: Floats) -> bool:
    """Whether any of some numbers has so many digits that it is no multiple of a quantum coarser than its last."""
    numbers = numbers[numbers != 0]
    return bool(len(numbers)) and int(_bits(numbers).max()) > 53 - _FEW_BITS


def _bits(numbers: Floats) -> NDArray[np.intp]:
    """Return how many binary digits each number has from its first to its last that is set; none of them is zero."""
    return np.asarray(np.frexp(numbers)[1] - _lowest_bit(numbers), dtype=np.intp)
