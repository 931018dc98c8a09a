"""What of a user's values a recording keeps as it is: numbers, text, arrays of them; the rest as what it reads as."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.errors import keep_to_itself

MOST_DIGITS = 10**4000
"""Python itself writes and reads whole numbers below this in digits."""

_WIDE = 4096
"""Characters that an array of texts may claim beyond what it holds."""
_TIMES = 64
"""How many times the characters that it holds an array of texts may take, as its longest text decides."""


def is_plain(array: NDArray[Any]) -> bool:
    """Whether an array is kept as it is: numbers or text, that takes little more memory than what it holds.

    >>> is_plain(np.arange(3)), is_plain(np.array(["2024-01-01"], dtype="datetime64[D]"))
    (True, False)
    """
    if type(array) is not np.ndarray:
        return False
    if array.dtype.kind == "U":
        return not is_wide(array.tolist(), array.dtype.itemsize // 4)
    return array.dtype.kind in "biufc"


def is_wide(texts: Any, width: int) -> bool:
    """Whether texts in an array, each with room for `width` characters, take far more memory than what they hold.

    >>> is_wide(["a", "b"], 10), is_wide(["a"], 10**8)
    (False, True)
    """
    count = held = 0
    waiting = [texts]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        else:
            count, held = count + 1, held + len(str(each))
    return count * width > _WIDE + _TIMES * held


def plain_array(array: NDArray[Any]) -> Any:
    """Return an array of anything else as plain data: a list of what its items read as.

    >>> plain_array(np.array(["2024-01-01"], dtype="datetime64[D]"))
    ['2024-01-01']
    """
    if isinstance(array, np.ma.MaskedArray):
        return plain_array(np.array(array.tolist(), dtype=object))
    bare = np.array(array, copy=True, subok=False)
    if is_plain(bare):
        return bare
    return [plain_array(item) for item in bare] if bare.ndim else plain_scalar(bare[()])


def plain_scalar(value: Any) -> Any:
    """Return one value of NumPy's as Python has it, or as what it reads as.

    >>> plain_scalar(np.timedelta64(3, "s")), plain_scalar(np.float64(2.5))
    ('3 seconds', 2.5)
    """
    if isinstance(value, np.ndarray):
        return plain_array(value)
    if isinstance(value, np.void) and value.dtype.names:
        return tuple(plain_scalar(value[name]) for name in value.dtype.names)
    if isinstance(value, np.longdouble):
        return float(value)
    if isinstance(value, np.clongdouble):
        return complex(value)
    if isinstance(value, np.generic) and value.dtype.kind in "biufcU":
        return value.item()
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        return value
    return text_of(value)


def text_of(value: Any) -> str:
    """Return what a value reads as; its type, where it cannot be read.

    >>> text_of({1})
    '{1}'
    """
    if isinstance(value, str):
        return str.__str__(value)
    try:
        return str.__str__(str(value))
    except BaseException as error:  # noqa: BLE001 - code of the user's
        keep_to_itself(error)
        return f"a value of type {type(value).__name__}"
