"""What a look at the observing tape of one evaluation tells: where its gradient ends, and what became larger unawares.

Where all of the gradient is there, nothing is walked. Else the tape is walked back once more, as for a gradient that is
not finite; derivatives of the user's own are not called a second time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.backends.autograd import broadcasts, counted, deaths, entrywise, tape, untraced
from xinv_nb.recording.backends.autograd.boxes import is_box
from xinv_nb.recording.backends.autograd.evaluation import TapedEvaluation
from xinv_nb.recording.backends.autograd.observing import Step
from xinv_nb.recording.backends.autograd.reach import among, flat, seeds, tiny, walks
from xinv_nb.recording.backends.autograd.untraced import TapeLog
from xinv_nb.recording.remarks import Remark

_log = logging.getLogger(__name__)

_LONGEST_TAPE = 100_000
"""Operations up to which a tape is looked at."""


def remarks_of(evaluation: TapedEvaluation, gradient: Any, seed: Any, end_node: Any) -> list[Remark]:
    """Return what a look at the tape of an evaluation tells; `end_node` is None where no number came to the loss."""
    log, evaluation.log = evaluation.log, None
    if log is None or is_box(seed) or is_box(gradient):
        return []
    try:
        with np.errstate(all="ignore"):
            return [*_found(evaluation, log, gradient, seed, end_node)]
    except Exception:  # noqa: BLE001 - a look that fails is none
        _log.debug("the tape could not be looked at", exc_info=True)
        return []
    finally:  # what was noted holds nodes, and they hold it
        log.taken.clear()
        log.broadcasts.clear()


def _found(evaluation: TapedEvaluation, log: TapeLog, gradient: Any, seed: Any, end_node: Any) -> Iterator[Remark]:
    order: list[Any] = []
    if end_node is not None:
        order = list(islice(tape.nodes(end_node), _LONGEST_TAPE + 1))
        if len(order) > _LONGEST_TAPE:
            return
        yield from broadcasts.remarks(log, order)
        yield from counted.remarks(order)
        # Of one argument among several it would say nothing of how the others come in.
        for remark in entrywise.remarks(order, gradient) if evaluation.others is None else ():
            yield replace(remark, reach=evaluation.of.unpacked(remark.reach))
    if gradient is not None and not tiny(flat(gradient)).any():
        return
    unpacked = evaluation.of.unpacked
    explained = surely = np.zeros(0 if gradient is None else flat(gradient).shape, dtype=bool)
    if order:
        for remark, reach in deaths.found(order, seed, gradient):
            explained = explained | (flat(reach) > 0)
            surely = surely | (flat(reach) > 0) if remark.values["is_flat"] else surely
            yield Remark("dies", remark.operation, remark.place, remark.values, unpacked(reach))
    if gradient is None or (flat(gradient)[~surely] == 0).any():
        most = walks(len(order))
        for remark in _cuts(log, gradient, (explained, surely), most):
            yield replace(remark, reach=unpacked(remark.reach))


_WHOLE = frozenset(["int", "round", "rint", "floor", "ceil", "argmax", "argmin"])
"""What gives whole numbers, with which a program goes on: others may be read to be printed, or to be checked."""


def _cuts(
    log: TapeLog, gradient: Any, explained: tuple[NDArray[np.bool_], NDArray[np.bool_]], most: int
) -> Iterator[Remark]:
    """Yield where numbers were taken off the tape that hang on parameters without a gradient, not `explained` yet.

    The latter of these is what is level over a whole stretch: what is level at a point only, beside a whole number, may
    be so by chance.
    """
    for taken in islice(log.taken.values(), most):
        reach = tape.gradient_from(next(seeds(taken.shape)), taken.node)
        if reach is None:
            continue
        if gradient is not None:
            reach = among(reach, gradient, 0.0)
        behind = flat(reach) > 0
        place = Step(None, taken.code, taken.instruction).place
        assert place is not None
        name = untraced.name_in(taken, place)
        known = explained[name.rpartition(".")[2] in _WHOLE]
        if (behind & ~known if known.size else behind).any():
            yield Remark("cut off", name, place, {"by": taken.operation}, reach)
