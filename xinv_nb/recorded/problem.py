"""What the user tells of the domain: the problem, and what is known of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xinv_nb.errors import XinvError


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
        _text(self.name if self.name is not None else "", "Parameter(name=…)", "the name that plots and captions use")
        _text(self.unit, "Parameter(unit=…)", "such as 'km', or '' for none")
        _text(self.description, "Parameter(description=…)", "one line for the reader")
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
            for word in (less, more):
                _text(word, "Parameter(directions=…)", "such as 'south'")
            object.__setattr__(self, "directions", (less, more))


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

    def __post_init__(self) -> None:
        """Raise `XinvError` where something is of the wrong type."""
        _text(self.title, "Problem(title=…)", "shown above the run")
        _text(self.goal, "Problem(goal=…)", "what the optimizer is asked to do, or '' for none")
        known = self.parameters
        if not isinstance(known, Mapping) or not all(isinstance(each, Parameter) for each in known.values()):
            raise XinvError(
                "Problem(parameters=…) maps names to what is known of them, such as "
                "{'theta[0]': xinv_nb.Parameter('speed', 'm/s')}; a number's position is a name as well."
            )
        if not isinstance(self.glossary, Mapping):
            raise XinvError("Problem(glossary=…) maps words to what they mean, such as {'drag': 'the air slows it'}.")
        for word, meaning in self.glossary.items():
            _text(word, "A word of Problem(glossary=…)", "of the domain")
            _text(meaning, "A meaning in Problem(glossary=…)", "in a sentence")
        if self.scene is not None and not callable(self.scene):
            raise XinvError("Problem(scene=…) is a function scene(ax, x) that draws the simulation.")


def _text(value: object, what: str, such: str) -> None:
    if not isinstance(value, str):
        raise XinvError(f"{what} must be text ({such}); {value!r:.60} is of type {type(value).__name__}.")


def _pair(value: Any, what: str, such: str) -> tuple[Any, Any]:
    try:
        one, other = value
    except (TypeError, ValueError):
        raise XinvError(f"{what} must be a pair, {such}; it is {value!r:.60}.") from None
    if isinstance(value, str):
        raise XinvError(f"{what} must be a pair, {such}; it is {value!r:.60}.")
    return one, other


def _number(value: Any, what: str) -> float | None:
    """Return a number that a file can hold, of any type that is one real number; None as it is."""
    if value is None or type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    try:
        if isinstance(value, (str, bytes, bool, np.bool_)) or np.iscomplexobj(value):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise XinvError(f"{what} must be a real number; {value!r:.60} is of type {type(value).__name__}.") from None
