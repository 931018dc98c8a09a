"""Where the first value or gradient that is not finite came from: when to look, what is found, and how it is said.

Nothing is evaluated a second time, and nothing is looked at while all is well, save that the first evaluation of each
objective runs on a tape that knows more, if its framework has one: many programs break at the start, and its operations
tell later where in the program an operation of the same tape is *likely* to stand. After an evaluation that was not
finite the next few run on such a tape again, should it go on; so does one where a derivative has been 0 for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from xinv_nb.language.quantities import number
from xinv_nb.recorded.events import NewEvent
from xinv_nb.recording.finite import is_finite_point

NAME = "not finite"
"""Name of the events."""

_MOST_EVENTS = 3
_OBSERVED_AFTER_ONE = 3
"""Evaluations that are looked at closely after one that was not finite."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's program."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a primitive, as far as it is known."""

    name: str
    operands: Mapping[str, Any]
    """Numbers that it was called with, by position or by name; of arrays the entries that matter."""
    place: Place | None
    from_data: bool = False
    """Whether one of its operands, a constant of the program, was not finite already."""


@dataclass(frozen=True, slots=True)
class Birth:
    """Where values, or gradients, stopped being finite."""

    phase: Literal["forward", "backward"]
    operation: Operation | None = None
    likely: Place | None = None
    """The place of the same operation in the first evaluation, where its own is not known."""
    from_parameters: bool = False
    fed_by: Operation | None = None
    """Of gradients: the operation of the forward pass whose result, no finite number, this one was given."""
    between: tuple[str, str] = ("", "")
    """The last watched quantity that was finite and the first that was not, in the forward pass."""


class Lookout:
    """Decides in one recording when to look, and remembers what was found."""

    def __init__(self) -> None:
        self._seen: set[Hashable] = set()
        self._found: list[Birth] = []
        self._to_observe = 0
        self._again: set[Hashable] = set()

    def look_again(self, objective: Hashable) -> None:
        """Have the next evaluation of `objective` run on a tape that knows more."""
        self._again.add(objective)

    def looks_closely(self, objective: Hashable) -> bool:
        """Whether the evaluation of `objective` that begins now is to run on a tape that knows more."""
        if self._again and objective in self._again:
            self._again.discard(objective)
            return True
        if self._to_observe > 0:
            self._to_observe -= 1
            return True
        if objective in self._seen:
            return False
        self._seen.add(objective)  # also what turns out to have many outputs: that is never looked at again
        return True

    def forward(self, point: Any, value_break: Callable[[], Birth]) -> Birth | None:
        """Return where a loss that is not finite came from, if that is new; `value_break` looks at its tape."""
        if len(self._found) >= _MOST_EVENTS:
            return None
        if not is_finite_point(point):
            return self._if_new(Birth("forward", from_parameters=True))
        return self._if_new(value_break())

    def backward(self, gradient_break: Callable[[], Birth | None]) -> Birth | None:
        """Return where a gradient that is not finite came from, though the loss is finite, if that is new."""
        if len(self._found) >= _MOST_EVENTS:
            return None
        birth = gradient_break()
        return None if birth is None else self._if_new(birth)

    def _if_new(self, birth: Birth) -> Birth | None:
        first = not self._found
        if first:
            self._to_observe = _OBSERVED_AFTER_ONE
        elif birth.operation is None or any(_same(birth, earlier) for earlier in self._found):
            return None  # parameters, say, that are not finite after such a gradient
        self._found.append(birth)
        says_nothing = birth.operation is None and not birth.from_parameters and not any(birth.between)
        return None if says_nothing and birth.phase == "forward" else birth


def _same(birth: Birth, earlier: Birth) -> bool:
    one, other = birth.operation, earlier.operation
    if one is None or other is None or birth.phase != earlier.phase or one.name != other.name:
        return False
    return one.place is None or one.place == other.place


# ---------------------------------------------------------------------- in words


def event_of(birth: Birth, iteration: int, noun: str = "iteration") -> NewEvent:
    """Return the event that says where values or gradients stopped being finite; `noun` is the word for `iteration`."""
    operation = birth.operation
    values: dict[str, Any] = {"pass": birth.phase, "iteration": iteration}
    if operation is not None:
        values |= {"operation": operation.name, "operands": dict(operation.operands)}
        place, key = (operation.place, "line") if operation.place is not None else (birth.likely, "likely_line")
        if place is not None:
            values |= {key: place.line, "file": file_of(place), "function": place.function}
    if birth.fed_by is not None:
        values["fed_by"] = _call(birth.fed_by)
        if birth.fed_by.place is not None:
            values |= {"fed_line": birth.fed_by.place.line, "fed_file": file_of(birth.fed_by.place)}
    return NewEvent(birth.phase, NAME, _text(birth, f"{noun} {iteration}"), values, kind="not finite")


def _text(birth: Birth, evaluation: str) -> str:
    operation = birth.operation
    when = f"in the {birth.phase} pass of {evaluation}"
    if birth.from_parameters:
        return f"the parameters of {evaluation} are not finite themselves"
    if operation is None:
        thing = "the loss" if birth.phase == "forward" else "the gradient"
        return f"{thing} stopped being finite {when}{_watched_text(birth)}; which operation it was is not known"
    name = operation.name or "an operation"
    where = f" {_where(operation.place)}" if operation.place is not None else ""
    if not where and birth.likely is not None:
        where = f", probably {_where(birth.likely)}, as in the first iteration"
    if birth.phase == "backward":
        at = " and ".join(f"{key} is {_short(value)}" for key, value in operation.operands.items())
        at = f" where {at}{',' if where.startswith(' ') else ''}" if at else ""
        fed = f"; it was given the result of {_call(birth.fed_by)}, which is not finite" if birth.fed_by else ""
        return f"the first gradient that is not finite came from the derivative of {name}{at}{where}, {when}{fed}"
    call = _call(operation)
    if operation.from_data:
        return f"a number that is not finite came into the computation as an operand of {call}{where}, {when}"
    return f"the first value that is not finite came from {call}{where}, {when}"


def _watched_text(birth: Birth) -> str:
    before, first = birth.between
    if first and before:
        return f", after {before} and no later than {first}"
    if first:
        return f", no later than {first}"
    return f", after {before}" if before else ""


def _call(operation: Operation) -> str:
    return f"{operation.name or 'an operation'}({', '.join(map(_short, operation.operands.values()))})"


def _short(value: Any) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)


def _where(place: Place) -> str:
    """Return a place in words; a line of a notebook counts within its own cell."""
    of = "the cell" if file_of(place) == "cell" else file_of(place)
    return f"in line {place.line} of {of}" + (f" (in {place.function})" if place.function.isidentifier() else "")


def file_of(place: Place) -> str:
    """Return what a reader calls the file of a place: a cell of a notebook is the cell."""
    if "ipykernel_" in place.file or place.file.startswith("<ipython-input"):
        return "cell"
    return Path(place.file).name
