"""Makes evaluations of the forward and backward passes that one recording sees of autograd.

An *evaluation* is a reverse pass of a function with one output at the outermost level. Passes inside it (second
derivatives, `checkpoint`, `odeint`) belong to it; autograd's own bookkeeping (`autograd.misc`) is none, nor is the
derivative of a derivative (`hessian_vector_product`, `grad(grad(f))`): its result is no loss.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Hashable
from types import CodeType
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd import hearing, observing, refused, sums
from xinv_nb.recording.backends.autograd.alike import Alike
from xinv_nb.recording.backends.autograd.boxes import only_output
from xinv_nb.recording.backends.autograd.breaks import FirstTapes
from xinv_nb.recording.backends.autograd.differentiated import differentiated
from xinv_nb.recording.backends.autograd.evaluation import AutogradTape, TapedEvaluation
from xinv_nb.recording.backends.autograd.remarks import remarks_of
from xinv_nb.recording.backends.protocol import Recording

_PENDING_LIMIT = 32
"""Forward passes that may wait for their backward pass at the same time."""


class Passes:
    """The passes of autograd in one recording."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.pending: dict[int, TapedEvaluation] = {}
        """Forward passes that wait for their backward pass, by the identity of the node at their end."""
        self._first = FirstTapes()
        self._alike = Alike()
        self._is_cut: set[Hashable] = set()
        """Objectives whose numbers left the tape before they came to the loss."""
        self._sums: dict[Hashable, sums.Terms] = {}
        """The terms of objectives, where they are sums."""

    def close(self) -> None:
        """Forget the forward passes whose backward pass has not come."""
        self.pending.clear()

    def open_evaluation(self, fun: Any, x: Any, level: int) -> TapedEvaluation | None:
        """Take note of a forward pass that begins at `x`; None if it is autograd's own bookkeeping."""
        recording = self.recording
        try:
            recording.passes += 1
            of = differentiated(fun)
            if of is None:
                recording.evaluation = None
                recording.between_steps(x)
                return None
            if recording.asked is None:  # a solver asks for one function
                of = self._alike.seen(of)
            evaluation = recording.evaluation = TapedEvaluation(of, x, level)
            objective = evaluation.looked_for
            if recording.looks_closely(objective):
                evaluation.observed = True
            if recording.reads_quantities(objective):
                evaluation.quantities, evaluation.is_sampled = [], True
            if not evaluation.observed:
                terms = self._sums.get(evaluation.identity)
                evaluation.valued = evaluation.is_sampled or (terms is not None and not terms.are_told)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's computation
            recording.failed(error)
            return None
        return evaluation

    def start_of_tape(self, evaluation: TapedEvaluation, start_node: Any, x: Any) -> Any:
        """Return the node that an observing tape starts with: what kind it is, all others are."""
        try:
            root = observing.observing_root(x)
            evaluation.log = root.log
            return root
        except Exception as error:  # noqa: BLE001
            evaluation.observed = False
            self.recording.failed(error)
            return start_node

    def abandon(self, evaluation: TapedEvaluation, error: BaseException) -> None:
        """Forget a forward pass that raised, but for a whole number that autograd refused."""
        if self.recording.evaluation is evaluation:
            self.recording.evaluation = None
        try:
            if (missed := refused.whole_number(evaluation, error) or refused.made_whole(error)) is not None:
                self.recording.missed(missed)
        except Exception as failure:  # noqa: BLE001
            self.recording.failed(failure)

    def abandon_backward(self, evaluation: TapedEvaluation, error: BaseException) -> None:
        """Forget an evaluation whose backward pass raised, but for whole numbers to which no slope can be added."""
        self.pending.pop(evaluation.end_node, None)
        self.abandon(evaluation, error)

    def close_forward(self, evaluation: TapedEvaluation, end_value: Any, end_node: Any) -> None:
        """Keep a finished forward pass until its backward pass comes, if its result is a single number."""
        recording = self.recording
        recording.evaluation = None
        try:
            value = end_value[0] if evaluation.of.with_aux else end_value
            if not isinstance(value, float):  # NumPy's are, too: by far the most frequent
                value = only_output(value)
                if value is None:
                    recording.of_several_at(evaluation.point)
                    return
                value = value.real
            loss = evaluation.loss = float(value)
            is_finite = math.isfinite(loss)
            if evaluation.observed or evaluation.report is not None or not is_finite:
                self._look_forward(evaluation, end_node)
            if end_node is None:
                evaluation.remarks = remarks_of(evaluation, None, None, None)
                self._is_cut |= {evaluation.identity} if evaluation.remarks else set()
                if evaluation.identity not in self._is_cut:
                    recording.notice("The objective did not depend on its parameters in at least one evaluation.")
                recording.take(evaluation, None)
                return
            if self.pending:
                self._make_room()
            evaluation.end_node = id(end_node)
            if evaluation.quantities:
                evaluation.waits_with(end_node)
            self.pending[id(end_node)] = evaluation
        except Exception as error:  # noqa: BLE001
            recording.failed(error)

    def _make_room(self) -> None:
        """Let go of the tapes of those that wait already, and of the first of them where these are many."""
        for other in self.pending.values():
            other.quantities, other.is_sampled = None, False
        if len(self.pending) >= _PENDING_LIMIT:
            del self.pending[next(iter(self.pending))]

    def close_backward(self, evaluation: TapedEvaluation, gradient: Any, seed: Any, end_node: Any) -> None:
        """Hand the evaluation on whose backward pass gave `gradient`; its tape is still there."""
        try:
            if self.pending.pop(evaluation.end_node, None) is evaluation:
                evaluation.site = _site()
                if (evaluation.observed or evaluation.valued) and math.isfinite(evaluation.loss):
                    self._read(evaluation, end_node)
                if evaluation.observed:
                    evaluation.remarks = remarks_of(evaluation, gradient, seed, end_node)
                if type(gradient) is not np.ndarray:  # what is packed is no array
                    gradient = evaluation.of.unpacked(gradient)
                self.recording.take(evaluation, gradient, AutogradTape(evaluation, self._first, end_node, seed))
        except Exception as error:  # noqa: BLE001
            self.recording.failed(error)

    def _read(self, evaluation: TapedEvaluation, end_node: Any) -> None:
        """Read the terms of the loss, which an observed tape shows, and how the quantities depend on the parameters."""
        identity, found = evaluation.identity, None
        if evaluation.observed and identity not in self._sums:
            self._sums[identity] = sums.terms_of(end_node, evaluation.loss)
        if (terms := self._sums.get(identity)) and terms.terms:
            found = terms.at(end_node, evaluation.loss)
        if found is not None:
            evaluation.sum = found[0]
        if evaluation.is_sampled:
            evaluation.read([] if found is None else list(zip(found[0].terms, found[1], strict=True)), end_node)

    def _look_forward(self, evaluation: TapedEvaluation, end_node: Any) -> None:
        """Learn from an observed forward pass, and look where a loss that is not finite came from."""
        if evaluation.report is not None:
            hearing.hear_again()
        if evaluation.observed:
            self._first.learn(evaluation.identity, end_node)
        if not math.isfinite(evaluation.loss):
            self.recording.look_forward(evaluation, AutogradTape(evaluation, self._first, end_node))


def _site() -> tuple[CodeType, int] | None:
    """Return the place in the user's program that asked for the gradient whose backward pass has just ended.

    It called what `grad` and its like return: `nary_f`, inside it `grad`, `vjp` and the hook.
    """
    try:
        frame = sys._getframe(6)  # noqa: SLF001
    except ValueError:
        return None
    return frame.f_code, frame.f_lasti


def passes_of(recording: Recording) -> Passes:
    """Return what autograd keeps beside a recording."""
    found: Passes | None = recording.beside.get("autograd")
    if found is None:
        found = recording.beside["autograd"] = Passes(recording)
    return found
