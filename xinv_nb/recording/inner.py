"""Finds out that an objective is minimized inside of another: for each value of this, as a bilevel problem does."""

from __future__ import annotations

import math
from typing import Any

from xinv_nb.recorded.history import History
from xinv_nb.recording.evaluation import Evaluation

_FEWEST = 3
"""Evaluations that it takes to call it minimized."""


class InnerFit:
    """What is made of one objective inside of one evaluation of another."""

    def __init__(self) -> None:
        self._around: Any = None
        """The solver's call of the other one."""
        self._evaluations = 0
        self._first = math.nan

    def evaluated(self, history: History, evaluation: Evaluation, around: Any) -> None:
        """Take note of an evaluation inside of a solver's call; one that ends lower than it began is minimized."""
        if around is not self._around:
            self._around, self._evaluations, self._first = around, 0, evaluation.loss
        self._evaluations += 1
        if self._evaluations >= _FEWEST and evaluation.loss < self._first:
            history.nested += 1
            self._first = -math.inf  # once
