"""Finds where the first value or gradient that is not finite came from, and says so in words.

Nothing is evaluated a second time, and nothing is looked at while all is well, save that the first evaluation of each
objective runs on an observing tape (`observing.py`): many programs break at the start, and its operations tell later
where in the program an operation of the same tape is *likely* to stand. What breaks later is known from

* NumPy's own warning, heard at the very operation that NumPy warns of (`hear`), in the forward pass,
* a second walk over the tape that is there anyway, in the backward pass,
* an observing tape again for the next few evaluations, should it go on.
"""

from __future__ import annotations

import math
import re
import sys
import threading
import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from xinv_nb.language.quantities import number
from xinv_nb.recorded.events import NewEvent
from xinv_nb.recorded.leaves import Summary
from xinv_nb.recording.backends.autograd import hook, observing, tape
from xinv_nb.recording.backends.autograd.observing import Step
from xinv_nb.recording.backends.autograd.operations import Operation, Place, is_finite, primitive_call, warning_registry
from xinv_nb.recording.events import WatchedValue

NAME = "not finite"
"""Name of the events."""

_MOST_EVENTS = 3
_OBSERVED_AFTER_ONE = 3
"""Evaluations on an observing tape after one that was not finite."""

_FEW = 16
"""Entries up to which Python adds them up faster than NumPy is called."""

_LONGEST_TAPE = 20_000
"""Operations up to which the places of a first evaluation are kept."""


@dataclass(frozen=True, slots=True)
class Birth:
    """Where values, or gradients, stopped being finite."""

    phase: Literal["forward", "backward"]
    operation: Operation | None = None
    likely: Place | None = None
    """The place of the same operation in the first evaluation, where its own is not known."""
    from_parameters: bool = False
    between: tuple[str, str] = ("", "")
    """The last watched quantity that was finite and the first that was not, in the forward pass."""


class Lookout:
    """Decides in one recording when to look, and remembers what was found."""

    def __init__(self) -> None:
        self._paths: dict[Hashable, list[Step]] = {}
        """Operations of the first evaluation of each objective, from the end of the tape to its root."""
        self._found: list[Birth] = []
        self._to_observe = 0

    def wants_to_observe(self, objective: Hashable) -> bool:
        """Whether the next evaluation of `objective` is to run on an observing tape."""
        if self._to_observe > 0:
            self._to_observe -= 1
            return True
        if objective in self._paths:
            return False
        self._paths[objective] = []  # also of what turns out to have many outputs: that is never observed again
        return True

    def learn(self, objective: Hashable, end_node: Any) -> None:
        """Keep the operations of a first evaluation, read from its observing tape."""
        if not self._paths.get(objective) and end_node is not None:
            self._paths[objective] = tape.steps(end_node, _LONGEST_TAPE)

    def forward(
        self,
        objective: Hashable,
        end_node: Any,
        *,
        observed: bool,
        point: Any,
        report: Operation | None,
        watched: list[WatchedValue],
    ) -> Birth | None:
        """Return where a loss that is not finite came from, if that is new."""
        if len(self._found) >= _MOST_EVENTS:
            return None
        if not _point_is_finite(point):
            return self._if_new(Birth("forward", from_parameters=True))
        operation = report if report is not None and not report.from_data else None
        if observed and end_node is not None:
            operation = observing.birth_of(end_node)
        elif operation is None and end_node is not None and (found := tape.value_break(end_node)) is not None:
            return self._if_new(self._with_likely_place("forward", objective, found, end_node))
        return self._if_new(Birth("forward", operation, between=_between(watched)))

    def backward(self, objective: Hashable, seed: Any, end_node: Any) -> Birth | None:
        """Return where a gradient that is not finite came from, though the loss is finite, if that is new."""
        if len(self._found) >= _MOST_EVENTS or hook.is_box(seed):
            return None
        found = tape.gradient_break(seed, end_node)
        if found is None:
            return self._if_new(Birth("backward"))
        return self._if_new(self._with_likely_place("backward", objective, found, end_node))

    def _with_likely_place(
        self, phase: Literal["forward", "backward"], objective: Hashable, found: tape.Found, end_node: Any
    ) -> Birth:
        operation, path = found.operation, self._paths.get(objective, [])
        if operation.place is None and path and _same_path(path, end_node):
            step = path[found.index]
            return Birth(phase, replace(operation, name=step.name), step.place)
        return Birth(phase, operation)

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


def _same_path(path: list[Step], end_node: Any) -> bool:
    """Whether a tape holds the operations of `path`, as far as their names can be told from their derivatives."""
    names = tape.operation_names(end_node, len(path) + 1)
    return len(names) == len(path) and all(
        not name or name == step.name for name, step in zip(names, path, strict=True)
    )


def _point_is_finite(point: Any) -> bool:
    if isinstance(point, Summary):
        return is_finite(point.rms) and is_finite(point.sample)
    if isinstance(point, Mapping):
        return all(map(_point_is_finite, point.values()))
    if isinstance(point, (list, tuple)):
        return all(map(_point_is_finite, point))
    return is_finite(point)


def is_finite_gradient(gradient: Any) -> bool:
    """Whether a gradient, with summaries in the place of large arrays, is finite."""
    if isinstance(gradient, Summary):
        return math.isfinite(gradient.rms)
    if type(gradient) is np.ndarray and gradient.ndim == 1 and gradient.size <= _FEW and gradient.dtype.kind == "f":
        return math.isfinite(sum(gradient.tolist())) or is_finite(gradient)  # the sum of what is finite may overflow
    if isinstance(gradient, (list, tuple)):
        return all(map(is_finite_gradient, gradient))
    if isinstance(gradient, Mapping):
        return all(map(is_finite_gradient, gradient.values()))
    return is_finite(gradient)


def _between(watched: list[WatchedValue]) -> tuple[str, str]:
    before = ""
    for row in watched:
        if not is_finite(row.value):
            return before, row.name
        before = row.name
    return before, ""


# ---------------------------------------------------------------------- in words


def event_of(birth: Birth, iteration: int) -> NewEvent:
    """Return the event that says where values or gradients stopped being finite."""
    operation = birth.operation
    values: dict[str, Any] = {"pass": birth.phase, "iteration": iteration}
    if operation is not None:
        values |= {"operation": operation.name, "operands": dict(operation.operands)}
        place, key = (operation.place, "line") if operation.place is not None else (birth.likely, "likely_line")
        if place is not None:
            values |= {key: place.line, "file": _file(place), "function": place.function}
    return NewEvent(birth.phase, NAME, _text(birth, iteration), values, kind="not finite")


def _text(birth: Birth, iteration: int) -> str:
    operation = birth.operation
    when = f"in the {birth.phase} pass of iteration {iteration}"
    if birth.from_parameters:
        return f"the parameters of iteration {iteration} are not finite themselves"
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
        return f"the first gradient that is not finite came from the derivative of {name}{at}{where}, {when}"
    call = f"{name}({', '.join(_short(value) for value in operation.operands.values())})"
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


def _short(value: Any) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)


def _where(place: Place) -> str:
    """Return a place in words; a line of a notebook counts within its own cell."""
    of = "the cell" if _file(place) == "cell" else _file(place)
    return f"in line {place.line} of {of}" + (f" (in {place.function})" if place.function.isidentifier() else "")


def _file(place: Place) -> str:
    if "ipykernel_" in place.file or place.file.startswith("<ipython-input"):
        return "cell"
    return Path(place.file).name


# ---------------------------------------------------------------------- NumPy's warnings


class _Ear:
    """Hears NumPy warn of numbers out of range, at the operation itself, and lets each warning pass as it would.

    `warnings` asks the patterns of its filters, one after the other, about each warning, synchronously. This one
    matches nothing. A warning that was shown before is not asked about: it stands in the registry of its module. So
    that the same operation is heard again, such entries of autograd's registry are set aside while a recording is
    open, and then, and only for these, the ear does match, and its filter ignores them.
    """

    def __init__(self) -> None:
        self._aside: set[tuple[Any, ...]] = set()
        self._version: Any = None

    def __reduce__(self) -> Any:
        return re.compile, (r"(?!)",)  # some libraries hand the filters to other processes: there it matches nothing

    def match(self, text: str) -> bool:
        """Take note of a warning; whether it is one that was shown before."""
        try:
            return " encountered in " in text and self._heard(text)
        except Exception:  # noqa: BLE001 - nothing of ours may reach the user's computation
            return False

    def _heard(self, text: str) -> bool:
        frame = sys._getframe(2)  # noqa: SLF001
        evaluation = getattr(hook.active(), "evaluation", None)
        if evaluation is not None and (evaluation.report is None or evaluation.report.from_data):
            operation = primitive_call(frame)
            if operation is not None:
                evaluation.report = operation
        registry = frame.f_globals.get("__warningregistry__")
        if registry is not warning_registry() or registry.get("version") != self._version:
            return False
        return (text, RuntimeWarning, frame.f_lineno) in self._aside

    def set_aside(self) -> None:
        """Take what was shown before out of the registry, so that it is heard again."""
        registry = warning_registry()
        if registry.get("version") != self._version:
            self._aside, self._version = set(), registry.get("version")
        shown = [key for key in list(registry) if isinstance(key, tuple) and " encountered in " in str(key[0])]
        for key in shown:
            del registry[key]
        self._aside.update(shown)

    def put_back(self) -> None:
        """Make the registry what it would be without a recording."""
        registry = warning_registry()
        if registry.get("version") == self._version:
            registry.update(dict.fromkeys(self._aside, True))
        self._aside, self._version = set(), None


_ear = _Ear()
_entry = ("ignore", _ear, RuntimeWarning, None, 0)
_listening: list[Any] = []
"""The list of filters that the ear was put into, for each recording that is open."""
_lock = threading.Lock()


def hear() -> None:
    """Listen to NumPy's warnings for one more recording."""
    with _lock:
        _listening.append(warnings.filters)
        if len(_listening) == 1:
            warnings.filters.insert(0, _entry)  # type: ignore[attr-defined]
            _ear.set_aside()


def hear_again() -> None:
    """Have a warning heard again though it has been shown by now."""
    with _lock:
        _ear.set_aside()


def stop_hearing() -> None:
    """Leave the filters and the registry as they would be, when the last recording closes."""
    with _lock:
        found = [_listening.pop(), warnings.filters]
        if not _listening:
            for filters in found:
                while _entry in filters:
                    filters.remove(_entry)
            _ear.put_back()
