"""What a close look at the tape of one evaluation found: where a gradient ends, and what was made larger unawares.

A framework looks at the first evaluation of an objective, and once more where a gradient has been 0 for a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from xinv_nb.language.quantities import number
from xinv_nb.recorded.events import NewEvent
from xinv_nb.recording.nonfinite import Place, file_of

What = Literal["dies", "cut off", "broadcast", "counted", "entrywise", "combined"]
"""`dies`: a derivative of 0, or nearly, at an operation; `cut off`: a number was taken off the tape; `broadcast`: two
rows of numbers were combined each with each; `counted`: a term counts once for each datum, and is multiplied by their
number already; `entrywise`: each entry of the parameters adds a part of its own to the loss, or
`combined`: the loss combines them in another way, where some have equal gradients."""

OF_ALL = frozenset(["broadcast", "counted", "combined"])
"""Those that are about no parameters in particular."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was found on a tape."""

    what: What
    operation: str
    place: Place | None
    values: Mapping[str, Any] = field(default_factory=dict)
    """Plain data beside it."""
    reach: Any = None
    """In the structure of the gradient, what is not 0 where the parameters are that lead there."""


def event_of(remark: Remark, columns: Sequence[int], strengths: Sequence[float]) -> NewEvent:
    """Return the event that keeps a remark; `columns` are those of the parameters that it is about.

    `strengths` are what their derivatives would be, had the operation passed on all that came in.
    """
    values: dict[str, Any] = {"what": remark.what, "operation": remark.operation, **remark.values}
    if remark.place is not None:
        place = remark.place
        values |= {"line": place.line, "file": file_of(place), "function": place.function}
    if remark.what not in OF_ALL:
        values |= {"columns": list(columns), "strengths": list(strengths)}
    is_of_gradient = remark.what in ("dies", "entrywise", "combined")
    phase: Literal["forward", "backward"] = "backward" if is_of_gradient else "forward"
    return NewEvent(phase, "tape", _text(remark), values, kind="tape")


def _text(remark: Remark) -> str:
    where = "" if remark.place is None else f" in line {remark.place.line} of {_in(remark.place)}"
    name, values = remark.operation, remark.values
    if remark.what == "cut off":
        return f"{name}{where} takes a number off the tape: no gradient goes through it"
    if remark.what == "broadcast":
        one, other, result = (shape_text(values[key]) for key in ("one", "other", "result"))
        return f"{name}{where} combines {one} and {other} each with each: the result is {result}"
    if remark.what == "counted":
        count, factor = number(values["count"]), number(values["factor"])
        return f"a term{where} is multiplied by {factor} and counts {count} times in the {name} of as many data"
    if remark.what == "entrywise":
        return "each entry of the parameters adds a part of its own to the loss"
    if remark.what == "combined":
        return "the loss combines entries of the parameters that have equal gradients"
    least = "nothing" if values["outflow"] == 0 else f"at most {number(values['outflow'])}"
    return f"the gradient ends at {name}{where}: up to {number(values['inflow'])} comes in, {least} goes on"


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as Python writes it.

    >>> shape_text([80, 1]), shape_text([80])
    ('(80, 1)', '(80,)')
    """
    return str(tuple(shape))


def _in(place: Place) -> str:
    return "the cell" if file_of(place) == "cell" else file_of(place)
