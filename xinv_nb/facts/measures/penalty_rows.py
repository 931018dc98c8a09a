"""Rows of residuals that are no data: a penalty on the parameters or on their differences, put behind the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SHAPES = ((1.0,), (-1.0, 1.0), (1.0, -2.0, 1.0))
"""What each row holds from its own column on: the parameter, the difference of two neighbours, that of differences."""
_SAME = 1e-4
"""Share by which the entries may differ, which come of finite differences mostly."""


def penalty_rows(jacobian: NDArray[np.float64]) -> int:
    """Return how many of the last rows of a Jacobian are those of a penalty: one for each parameter or difference.

    Of a single parameter that cannot be told, nor where the data are the parameters themselves.

    Examples
    --------
    >>> model = np.vander(np.linspace(0, 1, 9), 4)
    >>> penalty_rows(np.vstack([model, 3 * np.diff(np.eye(4), axis=0)])), penalty_rows(model)
    (3, 0)
    """
    width = int(jacobian.shape[1])
    for shape in _SHAPES:
        count = width - len(shape) + 1
        data, tail = jacobian[:-count], jacobian[-count:]
        if count < 2 or not len(data) or not (np.count_nonzero(data, axis=1) > len(shape)).any():
            continue
        expected = np.zeros((count, width))
        for place, part in enumerate(shape):
            expected[np.arange(count), np.arange(count) + place] = part
        sizes = tail[np.arange(count), np.arange(count)] / shape[0]
        if sizes.all() and (np.abs(tail - expected * sizes[:, None]) <= _SAME * np.abs(sizes)[:, None]).all():
            return count
    return 0
