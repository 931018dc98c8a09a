"""An evaluation that autograd makes, and what can be asked of its tape."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from xinv_nb.recorded.leaves import WHOLE_LIMIT
from xinv_nb.recorded.sums import Term
from xinv_nb.recording.backends.autograd import breaks, places, readings
from xinv_nb.recording.backends.autograd.boxes import is_box
from xinv_nb.recording.backends.autograd.differentiated import Differentiated
from xinv_nb.recording.backends.autograd.taps import tap
from xinv_nb.recording.backends.autograd.untraced import TapeLog
from xinv_nb.recording.evaluation import Evaluation, Layout, PullsAlong
from xinv_nb.recording.nonfinite import Birth, Operation
from xinv_nb.recording.structure import copied
from xinv_nb.recording.wrappers import argument_names, function_name, identity


class TapedEvaluation(Evaluation):
    """One pass of autograd over the objective."""

    end_node = 0
    """Identity of the node at the end of the forward pass. Not the node: that would keep the whole tape alive."""
    observed = False
    """Whether it runs on an observing tape."""
    log: TapeLog | None = None
    """What its observing tape noted."""
    report: Operation | None = None
    """The first operation that NumPy warned of."""
    valued = False
    """Whether it runs on a tape that keeps its numbers."""
    quantities: list[tuple[Callable[[Any], None], Any]] | None = None
    """What taps each watched value, and its node on the tape, where their gradients are to be read from it.

    They are read when the backward pass ends, and the nodes let go: they would keep the tape alive.
    """
    end: weakref.ref[Any] | None = None
    """The end of the tape while these wait: without it no backward pass can come."""
    is_sampled = False
    """Whether its quantities and terms are read."""

    def __init__(
        self, of: Differentiated, x: Any, level: int
    ) -> None:  # the base's by hand: a cost of every evaluation
        self.of = of
        self.function = of.function
        self.identity = identity(of.function) if of.shared is None else of.shared.identity
        self.positions = of.positions
        self.others = of.others
        # Optimizers change their arrays in place, so the point is copied before the simulator runs.
        if of.unflatten is not None:
            self.summarised = False
        if type(x) is np.ndarray and x.size <= WHOLE_LIMIT:  # the plain case: what is packed is no array
            self.point = x.copy()
        else:
            self.point = copied(of.unpacked(x), summarise=self.summarised)
        self.level = level
        """Autograd's number for this trace, by which its boxes are known."""
        self.happenings = []
        self.watched = []

    def layout(self) -> Layout:
        """Return how the user's function takes its parameters."""
        of, point = self.of, self.point
        if of.unflatten is not None:
            point = in_flattening_order(of.unflatten(point))
        if of.shared is not None:
            return Layout(of.shared.called(of.function), point, self.names_of(of.positions))
        holder = getattr(of.function, "__self__", None)
        return Layout(function_name(of.function), point, argument_names(of.function, of.positions), holder)

    def names_of(self, positions: Sequence[int]) -> Sequence[str]:
        """Return what the user's function calls its arguments at these positions."""
        shared = self.of.shared
        if shared is not None:
            return [shared.names[position] for position in positions]
        return argument_names(self.of.function, positions)

    def tap(self, value: Any, receive: Callable[[Any], None]) -> bool:
        """Have `receive` called with the total cotangent of `value` in the backward pass."""
        node = tap(value, self.level, receive)
        if self.quantities is not None and node is not None:
            self.quantities.append((receive, node))
        return node is not None

    def waits_with(self, end_node: Any) -> None:
        """Keep the nodes of the watched values as long as the tape has its end, from which a backward pass may come."""

        def let_go(_: Any) -> None:
            self.quantities, self.is_sampled = None, False

        self.end = weakref.ref(end_node, let_go)

    def read(self, terms: Sequence[tuple[Term, Any]], end_node: Any) -> None:
        """Read from the tape how the watched quantities, also those beside the loss, and its terms depend on them."""
        kept, self.quantities, self.end = self.quantities or [], None, None
        with np.errstate(all="ignore"):
            found = readings.read(kept, self.watched, terms, end_node)
        unpacked = self.of.unpacked
        self.reading = found._replace(
            slopes={name: unpacked(gradient) for name, gradient in found.slopes.items()},
            terms={name: unpacked(gradient) for name, gradient in found.terms.items()},
        )


def in_flattening_order(value: Any) -> Any:
    """Return `value` with the keys of its dicts sorted: the order in which `autograd.misc.flatten` lays leaves out."""
    if isinstance(value, Mapping):
        return {key: in_flattening_order(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return type(value)(in_flattening_order(item) for item in value)
    return value


class AutogradTape:
    """The tape of one evaluation, from its end; it lives as long as autograd keeps it."""

    __slots__ = ("_end_node", "_evaluation", "_first", "_seed")

    def __init__(self, evaluation: TapedEvaluation, first: breaks.FirstTapes, end_node: Any, seed: Any = None) -> None:
        self._evaluation = evaluation
        self._first = first
        self._end_node = end_node
        self._seed = seed

    def value_break(self) -> Birth:
        """Return where a loss that is not finite came from, as far as it can be told."""
        evaluation = self._evaluation
        return self._first.value_break(
            evaluation.identity,
            self._end_node,
            observed=evaluation.observed,
            report=evaluation.report,
            watched=evaluation.watched,
        )

    def gradient_break(self) -> Birth | None:
        """Return where a gradient that is not finite came from; None where it is boxed by a pass further out."""
        if is_box(self._seed):
            return None
        evaluation = self._evaluation
        return self._first.gradient_break(evaluation.identity, self._seed, self._end_node, evaluation.report)

    def pulls_along(self, most: float) -> PullsAlong:
        """Return where along the simulation quantities pull at the parameters."""
        found = places.pulls_along(self._evaluation.watched, self._end_node, most)
        unpacked = self._evaluation.of.unpacked
        return found._replace(by_name={name: [unpacked(g) for g in parts] for name, parts in found.by_name.items()})
