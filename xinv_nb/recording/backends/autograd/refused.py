"""Passes that autograd refuses: it differentiates by numbers with a point only, and raises where it is given others."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np

from xinv_nb.recorded.missed import Missed
from xinv_nb.recording.backends.autograd.evaluation import TapedEvaluation
from xinv_nb.recording.backends.autograd.operations import is_outside, name_of, place_of
from xinv_nb.recording.nonfinite import file_of
from xinv_nb.recording.structure import flatten, names_of_arguments, outline

_REFUSAL = "Can't differentiate w.r.t. type"
"""How autograd begins what it says then."""
_CAST = re.compile(r"Cannot cast ufunc '\w+' output from dtype\('float\d+'\) to dtype\('u?int")
"""What NumPy says where a slope is to be added to whole numbers."""
_WHOLE = re.compile(r"'(?:numpy\.)?u?int\d*'")
_SHOWN = 4
"""Numbers of an array that are shown."""


def whole_number(evaluation: TapedEvaluation, error: BaseException) -> Missed | None:
    """Return the whole number, or array of them, that a pass was refused for; None where it raised otherwise."""
    if not isinstance(error, TypeError) or not (_REFUSAL in str(error) or _CAST.search(str(error))):
        return None
    layout = evaluation.layout()
    several = len(layout.arguments) > 1
    point = layout.point if several else [layout.point]
    names = names_of_arguments(point, layout.arguments)
    for name, array in zip(names, flatten(point, outline(point)), strict=True):
        if isinstance(array, np.ndarray) and array.dtype.kind in "iu" and array.size:
            place = place_of(sys._getframe(1))  # noqa: SLF001
            line, file = (0, "") if place is None else (place.line, file_of(place))
            return Missed(_listed(array, ""), _listed(array, ".0"), name, line, file)
    return None


def made_whole(error: BaseException) -> Missed | None:
    """Return what made a whole number of one on the tape, such as `astype(int)`; None where a pass raised otherwise."""
    if not isinstance(error, TypeError) or _REFUSAL not in str(error) or not _WHOLE.search(str(error)):
        return None
    place, operation, trace = None, "", error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if is_outside(frame.f_code):
            place, operation = place_of(frame, trace.tb_lineno), ""
        elif frame.f_code.co_name == "f_wrapped" and "f_raw" in frame.f_locals:
            operation = name_of(frame.f_locals["f_raw"])
        trace = trace.tb_next
    if place is None or not operation:
        return None
    return Missed(line=place.line, file=file_of(place), operation=operation)


def _listed(array: np.ndarray[Any, Any], point: str) -> str:
    if array.ndim == 0:
        return f"{array[()]}{point}"
    more = ", …" if array.size > _SHOWN else ""
    return f"[{', '.join(f'{number}{point}' for number in array.ravel()[:_SHOWN])}{more}]"
