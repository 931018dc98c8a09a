"""What the user tells of the domain: the problem, and what is known of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


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
