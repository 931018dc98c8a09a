"""Looks on request how well the parameters are determined where a run ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from xinv_nb.errors import XinvError
from xinv_nb.facts.analysis import facts_of, shown_excerpt
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.iterates import iterates_of
from xinv_nb.facts.measures.scales import sizes
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter


def identify(run: RecordedRun, objective: Callable[..., Any] | None) -> Sequence[Fact]:
    """Return the facts of identifiability of `run`, which become part of its facts: the work of `Run.identify`."""
    told, places = shown_excerpt(run)  # of several fits, the one that the facts are of
    iterates = iterates_of(told)
    if not len(iterates):
        raise XinvError("Nothing was recorded in this run, so there is no point at which to look.")
    curvature = None
    if objective is not None:
        from xinv_nb.recording.curvature import curvature_of

        row = int(iterates.rows[-1])
        curvature = curvature_of(objective, told.history, row, sizes(told, iterates))
        curvature = replace(curvature, evaluation=places.back(row))
    RunWriter(run).keep_curvature(curvature)
    found = tuple(fact for fact in facts_of(run) if fact.kind == "identifiability")
    if not found:
        raise XinvError(
            "The recorded path does not show how well the parameters are determined; run.identify(objective) takes "
            "second derivatives at its end."
        )
    return found
