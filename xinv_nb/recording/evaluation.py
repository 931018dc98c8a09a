"""One evaluation of an objective on its way into the recording, whether a framework or the user's own hand made it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from xinv_nb.recorded.sums import Term
from xinv_nb.recording.events import Happening, WatchedValue
from xinv_nb.recording.measured import Measured
from xinv_nb.recording.nonfinite import Birth
from xinv_nb.recording.remarks import Remark
from xinv_nb.recording.solvers.calls import Asked


class Layout(NamedTuple):
    """How an objective takes its parameters, and what they are called; asked once for each structure."""

    objective: str
    """What the program calls the objective."""
    point: Any
    """The point in the structure that the objective takes; of several arguments, one after the other."""
    arguments: Sequence[str]
    """The name of each argument."""
    holder: Any = None
    """The object whose method the objective is, which may know more of its parameters."""


class Reading(NamedTuple):
    """What the tape of one evaluation says of the quantities that are one real number each."""

    slopes: Mapping[str, Any] = MappingProxyType({})
    """The gradient of each watched quantity, and of each term of the loss, by the parameters."""
    inside: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Of each, the others that it is computed from."""
    terms: Mapping[str, Any] = MappingProxyType({})
    """The gradient of the loss through each of the watched numbers that it is a weighted sum of."""
    cost: float = 0.0
    """What reading it cost, in operations of an evaluation."""
    whole: float = 0.0
    """What the evaluation itself cost, counted in the same way."""


class PullsAlong(NamedTuple):
    """Where along the simulation the quantities watched with `at` pull at the parameters."""

    by_name: Mapping[str, Sequence[Any]] = MappingProxyType({})
    """Of each, the gradient of the loss through each part of the way."""
    cost: float = 0.0
    """What reading them cost, in steps of about 10 µs."""


class SumOfTerms(NamedTuple):
    """The terms that a loss is written as a sum of, in one evaluation."""

    terms: Sequence[Term]
    values: Sequence[float]
    """The value of each, before it is weighed."""


class Evaluation:
    """Identity of the objective, point, value, and what the simulator said; the gradient comes with `take`.

    What most evaluations have nothing of is an attribute of the class: making one is a cost of every evaluation.
    """

    loss: float = math.nan
    function: Any = None
    """The user's function, where it is known."""
    holds: tuple[Any, tuple[Any, ...]] | None = None
    """What a solver asked, and the arguments beside the point, where no framework recorded it."""
    positions: tuple[int, ...] = (0,)
    """Which arguments of the objective the point holds."""
    others: Mapping[int, Any] | None = None
    """The other arguments that the objective was given, by their positions; not copied, so good for now only."""
    site: Hashable = None
    """Where in the program the gradient was asked for; None where that is not known."""
    summarised: bool = True
    """Whether of large arrays a summary stands for the array."""
    has_gradient: bool = True
    """Whether the gradient is known."""
    inside_a_pass: bool = True
    """Whether the simulator ran inside a pass, so that what it says there is told apart from what it says outside."""
    residuals: Any = None
    """The residuals of a least-squares fit at the point, one number each."""
    jacobian: Any = None
    """Their Jacobian there, a row for each residual and a column for each parameter, where it came with them."""
    data: tuple[Measured, ...] = ()
    """The groups of data that the objective marked."""
    asked: Asked | None = None
    """The call of the user's function by a solver that it belongs to; None where no solver asked for it."""
    around: Any = None
    """The call by a solver that it was made inside of, where that is not what it belongs to."""
    is_within: bool = False
    """Whether it was made inside of a solver's call of the user's function, and is not what that returned."""
    birth: Birth | None = None
    """Where its numbers stopped being finite, if that is to be told."""
    remarks: Sequence[Remark] = ()
    """What a close look at its tape found."""
    sum: SumOfTerms | None = None
    """The terms of the loss, where it is a sum and their values were kept."""
    reading: Reading | None = None
    """How its quantities depend on the parameters, where that was read."""
    along: Mapping[str, Sequence[Any]] = MappingProxyType({})
    """The gradient of the loss through each part of the way of quantities watched with `at`, where it was read."""

    def __init__(self, identity: Hashable, point: Any) -> None:
        self.identity = identity
        """What tells its objective apart from others."""
        self.point = point
        """A copy of the parameters."""
        self.happenings: list[Happening] = []
        self.watched: list[WatchedValue] = []

    @property
    def looked_for(self) -> Hashable:
        """What a close look is taken at: an objective, by its arguments."""
        return self.identity if self.positions == (0,) else (self.identity, self.positions)

    def layout(self) -> Layout:
        """Return how the objective takes its parameters."""
        raise NotImplementedError

    def names_of(self, positions: Sequence[int]) -> Sequence[str]:
        """Return what the objective calls its arguments at these positions."""
        raise NotImplementedError

    def tap(self, value: Any, receive: Callable[[Any], None]) -> bool:  # noqa: ARG002 - for those with a tape
        """Have `receive` called with the derivative of the loss by `value`; whether the loss can depend on it."""
        return False


class Tape(Protocol):
    """What can be asked of an evaluation while its framework's own record of it is there."""

    def value_break(self) -> Birth:
        """Return where a loss that is not finite came from, as far as it can be told."""

    def gradient_break(self) -> Birth | None:
        """Return where a gradient that is not finite came from; None where that is another recording's matter."""

    def pulls_along(self, most: float) -> PullsAlong:
        """Return where along the simulation quantities pull, at the price of `most` steps of about 10 µs."""


class NoTape:
    """What is known of an evaluation of which only its numbers came here."""

    def value_break(self) -> Birth:
        """Return that nothing is known of where it came from."""
        return Birth("forward")

    def gradient_break(self) -> Birth | None:
        """Return that the gradient was not finite."""
        return Birth("backward")

    def pulls_along(self, most: float) -> PullsAlong:  # noqa: ARG002 - nothing is read
        """Return nothing: nothing is known of what they are computed from."""
        return PullsAlong()
