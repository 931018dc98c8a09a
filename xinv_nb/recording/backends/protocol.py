"""What a framework that differentiates does for a recording, and what the recording does for it.

A backend observes the passes of its framework while a recording is open, and makes an `Evaluation` of each. All else
(which history an evaluation belongs to, when to look closely, how it is said) is the recorder's, which knows none of
them. A new framework is a folder beside `autograd/` and a line in `registry.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.missed import Missed
from xinv_nb.recording.evaluation import Evaluation, Tape
from xinv_nb.recording.events import Happening, WatchedValue
from xinv_nb.recording.measured import Measured
from xinv_nb.recording.solvers.calls import Asked, Follower

Floats = NDArray[np.float64]


class Backend(Protocol):
    """One framework, such as autograd."""

    @property
    def library(self) -> str:
        """The name under which its users import it."""

    def is_ready(self) -> bool:
        """Whether the library was imported by somebody, far enough to be observed; imports nothing itself."""

    def install(self) -> None:
        """Begin to observe; raises `XinvError`, and changes nothing, where this version of the library hides it."""

    def uninstall(self) -> None:
        """Leave the library as it was."""

    def renew_lock(self) -> None:
        """Take a new lock in a forked process, where there is one: another thread may have held it."""

    def plain_value(self, value: Any) -> Any:
        """Return the number or array inside what the framework boxes; anything else as it is."""

    def derivatives(self, function: Callable[[Any], Any]) -> Derivatives:
        """Return the derivatives of a function from one row of numbers to one number."""

    def optimizers(self) -> Mapping[str, Callable[..., Any]]:
        """Return the framework's own loops by their names: each takes a gradient (of point and iteration) and a start.

        They take `num_iters` and `step_size`, and what a recording notes of them.
        """


class Derivatives(Protocol):
    """The derivatives of one function."""

    def gradient(self, x: Floats) -> Any:
        """Return the gradient at `x`."""

    def second_at(self, x: Floats) -> Callable[[Floats], Any]:
        """Return what multiplies a vector by the Hessian at `x`; raises whatever it may where there is none."""


class Source(Protocol):
    """What a backend keeps beside one recording."""

    def close(self) -> None:
        """Forget what has not become an evaluation yet: the recording is over."""


class Recording(Protocol):
    """The recording, as a backend, a probe or a solver meets it; `Recorder` is the one there is."""

    closed: bool
    thread: int
    depth: int
    """How many passes are open inside each other; only the outermost is an evaluation."""
    passes: int
    """How many passes there were at the outermost level, whatever came of them."""
    evaluation: Evaluation | None
    """The evaluation whose forward pass is running."""
    asked: Asked | None
    """The call of the user's function by a solver that is running."""
    stages: list[str]
    beside: dict[str, Any]
    """What each backend keeps beside this recording, a `Source` each, by its library's name."""

    @property
    def outer(self) -> Recording | None:
        """The recording around this one: it sees what this one sees."""

    def looks_closely(self, objective: Hashable) -> bool:
        """Whether the evaluation of `objective` that begins now is worth a tape that costs more and tells more."""

    def reads_quantities(self, objective: Hashable) -> bool:
        """Whether it is to be read from the evaluation that begins now what its quantities depend on."""

    def look_forward(self, evaluation: Evaluation, tape: Tape) -> None:
        """Find out where the loss of an evaluation, which is not finite, came from."""

    def take(self, evaluation: Evaluation, gradient: Any | None, tape: Tape | None = None) -> None:
        """Add a finished evaluation; `gradient` is None where the loss does not depend on the parameters."""

    def hand_on(self, evaluation: Evaluation, gradient: Any | None) -> None:
        """Add an evaluation of which all is known that there is to know."""

    def between_steps(self, point: Any) -> None:
        """Take note of a pass of the framework's own: between steps of its optimizers, or for second derivatives."""

    def of_several_at(self, point: Any) -> None:
        """Take note of a pass over a function that returns several numbers, as a Jacobian takes one."""

    def happened(self, happening: Happening) -> None:
        """Take note of an event that the user's code reports."""

    def watched(self, value: WatchedValue) -> None:
        """Take note of a quantity that is watched outside any pass."""

    def measured(self, data: Measured) -> None:
        """Take note of a group of data that the user's code marks."""

    def followers(self) -> Sequence[Follower]:
        """Return who wants to know of a solver that starts now."""

    def notice(self, text: str) -> None:
        """Tell the reader something about the recording, once."""

    def missed(self, missed: Missed) -> None:
        """Take note of a pass that could not be recorded."""

    def failed(self, error: Exception) -> None:
        """Tell the reader that a part of the recording was lost."""
