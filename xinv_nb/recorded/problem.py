"""What the user tells of the domain: the problem, and what is known of its parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np

from xinv_nb.errors import XinvError, shown
from xinv_nb.language.characters import whole

_LARGEST = 2**1023
"""A whole number that every computation with numbers can take."""
_FEWEST_COORDINATES = 2
"""Numbers of a position that names no parameters."""


@dataclass(frozen=True)
class Parameter:
    """What is known of one parameter.

    Parameters
    ----------
    name : str, optional
        The name that plots and captions use; the name in the program where it is None.
    unit : str
        The unit, such as `"km"`.
    description : str
        One line for the reader.
    bounds : pair of float, optional
        Lowest and highest value that makes sense; None on a side without one.
    truth : float, optional
        The known true value, in a synthetic problem; drawn as a dashed line.
    directions : pair of str, optional
        What a smaller and a larger value mean in the domain, such as `("south", "north")`. Captions then say
        "moving the second point north" instead of "a higher second point".

    Examples
    --------
    >>> Parameter("drag", unit="1/m", bounds=(0, None)).unit
    '1/m'
    """

    name: str | None = None
    unit: str = ""
    description: str = ""
    bounds: tuple[float | None, float | None] | None = None
    truth: float | None = None
    directions: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        """Take what can be taken as it is meant; raises `XinvError` for the rest."""
        if self.name is not None:
            _take_text(self, "name", "Parameter(name=…)", "the name that plots and captions use")
        _take_text(self, "unit", "Parameter(unit=…)", "such as 'km', or '' for none")
        _take_text(self, "description", "Parameter(description=…)", "one line for the reader")
        object.__setattr__(self, "truth", _number(self.truth, "Parameter(truth=…)"))
        if self.bounds is not None:
            low, high = _pair(self.bounds, "Parameter(bounds=…)", "(lowest, highest), None on a side without one")
            bounds = _number(low, "Parameter(bounds=…)"), _number(high, "Parameter(bounds=…)")
            if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
                raise XinvError(
                    f"Parameter(bounds=({bounds[0]:g}, {bounds[1]:g})): the lowest value comes first; did you mean "
                    f"({bounds[1]:g}, {bounds[0]:g})?"
                )
            object.__setattr__(self, "bounds", bounds)
        if self.directions is not None:
            less, more = _pair(self.directions, "Parameter(directions=…)", "such as ('south', 'north')")
            words = tuple(_text(word, "Parameter(directions=…)", "such as 'south'") for word in (less, more))
            object.__setattr__(self, "directions", words)


@dataclass(frozen=True)
class Objective:
    """What is known of the objective: what the loss is called in the domain, and how it is compared.

    Parameters
    ----------
    name : str
        What plots, facts and captions call the loss, such as `"total cost"`.
    unit : str
        Its unit, such as `"M€"`.
    lower, higher : str
        What a lower and a higher loss is called where two are compared, such as `"cheaper"` and `"dearer"`.
    function : callable, optional
        The function that is minimized, of the parameters alone, with its watched quantities. To give it is to give
        leave: `Run.reasons` evaluates it again where the recording alone does not tell, and `Run.replay` needs no
        objective. It is not saved.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> cost = xi.Objective("total cost", "M€", lower="cheaper", higher="dearer")
    >>> with xi.record(problem=xi.Problem("Route", objective=cost)) as run:
    ...     for x in (4.0, 2.0):
    ...         run.add(x**2, x, 2 * x)
    >>> run.facts[0].text
    'Total cost fell from 16 to 4 M€ over 2 iterations, 75 % cheaper than at the start.'
    """

    name: str
    unit: str = ""
    lower: str = "lower"
    higher: str = "higher"
    function: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        """Raise `XinvError` where something is of the wrong type."""
        _take_text(self, "name", "Objective(name=…)", "what the loss is called, such as 'total cost'")
        if not self.name.strip():
            raise XinvError("Objective(name=…) is what the loss is called, such as 'total cost'; it is empty.")
        _take_text(self, "unit", "Objective(unit=…)", "such as 'M€', or '' for none")
        for which, such in (("lower", "cheaper"), ("higher", "dearer")):
            _take_text(self, which, f"Objective({which}=…)", f"such as '{such}'")
            if not getattr(self, which).strip():
                raise XinvError(f"Objective({which}=…) is a word such as '{such}'; it is empty.")
        if self.function is not None and not callable(self.function):
            raise XinvError(
                f"Objective(function=…) is the function that is minimized; {shown(self.function)} cannot be called."
            )


@dataclass(frozen=True)
class Problem:
    """The domain of a run: title, goal, parameters, and a picture of the simulation.

    Parameters
    ----------
    title : str
        Shown above the run.
    goal : str
        What the optimizer is asked to do, in one sentence.
    parameters : mapping
        From a name (a dict key, an argument's name such as `"theta"`, an entry such as `"theta[2]"`, or the position
        of a number) to a `Parameter`.
    glossary : mapping of str to str
        Words of the domain and what they mean.
    scene : callable, optional
        `scene(ax, x)` draws the simulation for parameters `x` (as the objective takes them) on a matplotlib `Axes`.
    objective : Objective, optional
        What the loss is called in the domain.
    landmarks : mapping of str to numbers
        Places that moves are told by, such as `{"the village": (31.0, 8.0)}`. A row of numbers is where points lie
        whose coordinates are all parameters: the rows of an array with as many columns, if each of their entries has
        `directions` of its own. `{"the village": {"east": 31.0, "north": 8.0}}` names the parameters that are meant.

    Examples
    --------
    >>> Problem("Throw a ball", parameters={"angle": Parameter(unit="°")}).parameters["angle"].unit
    '°'
    """

    title: str
    goal: str = ""
    parameters: Mapping[str | int, Parameter] = field(default_factory=dict)
    glossary: Mapping[str, str] = field(default_factory=dict)
    scene: Callable[[Any, Any], object] | None = None
    objective: Objective | None = None
    landmarks: Mapping[str, Sequence[float] | Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise `XinvError` where something is of the wrong type."""
        _take_text(self, "title", "Problem(title=…)", "shown above the run")
        _take_text(self, "goal", "Problem(goal=…)", "what the optimizer is asked to do, or '' for none")
        known = self.parameters
        if not isinstance(known, Mapping) or not all(isinstance(each, Parameter) for each in known.values()):
            raise XinvError(
                "Problem(parameters=…) maps names to what is known of them, such as "
                "{'theta[0]': xinv_nb.Parameter('speed', 'm/s')}; a number's position is a name as well."
            )
        object.__setattr__(self, "parameters", {_key(name): each for name, each in known.items()})
        if not isinstance(self.glossary, Mapping):
            raise XinvError("Problem(glossary=…) maps words to what they mean, such as {'drag': 'the air slows it'}.")
        told = {
            _text(word, "A word of Problem(glossary=…)", "of the domain"): _text(
                meaning, "A meaning in Problem(glossary=…)", "in a sentence"
            )
            for word, meaning in self.glossary.items()
        }
        object.__setattr__(self, "glossary", told)
        if self.scene is not None and not callable(self.scene):
            raise XinvError("Problem(scene=…) is a function scene(ax, x) that draws the simulation.")
        if self.objective is not None and not isinstance(self.objective, Objective):
            raise XinvError(
                "Problem(objective=…) is an xinv_nb.Objective, such as xinv_nb.Objective('total cost', 'M€'); "
                f"{shown(self.objective)} is none."
            )
        if not isinstance(self.landmarks, Mapping):
            raise XinvError("Problem(landmarks=…) maps names to positions, such as {'the village': (31.0, 8.0)}.")
        for place in self.landmarks:
            _text(place, "A name in Problem(landmarks=…)", "such as 'the village'")
        positions = {place: _position(place, position) for place, position in self.landmarks.items()}
        object.__setattr__(self, "landmarks", positions)


def _text(value: object, what: str, such: str) -> str:
    """Return a text as a plain one: a file knows no others, such as the members of an Enum that are text."""
    if not isinstance(value, str):
        raise XinvError(f"{what} must be text ({such}); {shown(value)} is of type {type(value).__name__}.")
    return whole(str.__str__(value))


def _take_text(told: object, name: str, what: str, such: str) -> None:
    object.__setattr__(told, name, _text(getattr(told, name), what, such))


def _key(name: object) -> str | int:
    """Return what a parameter is called, or the position of its number."""
    if isinstance(name, str):
        return str.__str__(name)
    if isinstance(name, Integral) and not isinstance(name, np.timedelta64) and abs(int(name)) <= _LARGEST:
        return int(name)
    raise XinvError(f"A name in Problem(parameters=…) is text, or the position of a number; {shown(name)} is neither.")


def _position(place: str, position: Any) -> tuple[float, ...] | dict[str, float]:
    """Return the position of a landmark: numbers in the order of the columns, or by the names of parameters."""
    what = f"Problem(landmarks={{{place!r}: …}})"
    by_name = isinstance(position, Mapping)
    is_row = isinstance(position, (Sequence, np.ndarray)) and not isinstance(position, str) and np.ndim(position) == 1
    if not (by_name or is_row) or not len(position):
        raise XinvError(
            f"{what} is a position, such as (31.0, 8.0), or {{'north': 8.0}} by the names of parameters; it is "
            f"{shown(position)}."
        )
    found = {name: _number(value, what) for name, value in position.items()} if by_name else None
    numbers = tuple(found.values() if found is not None else (_number(value, what) for value in position))
    if any(number is None or not math.isfinite(number) for number in numbers):
        raise XinvError(f"{what} is made of finite numbers; it is {shown(position)}.")
    if found is None and len(numbers) < _FEWEST_COORDINATES:
        raise XinvError(f"{what} has one number; say of which parameter: {{'north': {numbers[0]:g}}}, say.")
    for name in found or ():
        _text(name, f"A name in {what}", "of a parameter")
    return numbers if found is None else found  # type: ignore[return-value]


def _pair(value: Any, what: str, such: str) -> tuple[Any, Any]:
    try:
        one, other = value
    except (TypeError, ValueError):
        raise XinvError(f"{what} must be a pair, {such}; it is {shown(value)}.") from None
    if isinstance(value, str):
        raise XinvError(f"{what} must be a pair, {such}; it is {shown(value)}.")
    return one, other


def _number(value: Any, what: str) -> float | None:
    """Return a number that a file can hold, of any type that is one real number; None as it is."""
    if value is None or type(value) is float or (type(value) is int and abs(value) <= _LARGEST):
        return value
    try:
        if isinstance(value, (str, bytes, bool, np.bool_, np.ma.MaskedArray)) or np.iscomplexobj(value):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise XinvError(f"{what} must be a real number; {shown(value)} is of type {type(value).__name__}.") from None
