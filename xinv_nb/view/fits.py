"""The fits of a run for the view: which evaluations belong together, what each fit is called, which one is told of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xinv_nb.errors import XinvError
from xinv_nb.facts.analysis import shown_parts
from xinv_nb.facts.fit import Fit, iterates_of_fit
from xinv_nb.facts.measures.objective import name_of_loss
from xinv_nb.facts.measures.stretch import Stretch
from xinv_nb.facts.story import Parts, parts_of
from xinv_nb.language.quantities import number, quantity
from xinv_nb.recorded.excerpt import excerpt
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.view import protocol

MOST_COMPARED = 12
"""Fits that are laid over each other; of more, those with the lowest losses."""
_MOST_NAMED = 100
"""Fits that are shown each by itself; of more, the others are told apart from these alone."""
_UNNAMED = -1
_WHOLE = "the run that it is a fit of"


def fits_for_view(run: RecordedRun) -> protocol.Fits | None:
    """Return what the evaluations of `run` are, or None where all of them are one story.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for rate in (0.1, 0.4):
    ...         x = 4.0
    ...         for _ in range(8):
    ...             run.add(x**2, x, 2 * x)
    ...             x -= rate * 2 * x
    >>> [stretch["text"] for stretch in fits_for_view(run)["stretches"]]
    ['step size 0.1 · ended at 0.704', 'step size 0.4 · ended at 2.62×10⁻⁹ · lowest']
    """
    parts = shown_parts(run)
    if not parts.fits or parts.story == (0, parts.stretches[-1].stop):  # not `is_whole`: it may have grown meanwhile
        return None
    first, stop = parts.story
    named = {*_best_ones(parts, _MOST_NAMED), *(k for k, fit in enumerate(parts.fits) if first <= fit.start < stop)}
    place, stretches = -1, list[protocol.Stretch]()
    for part in parts.stretches:
        place += not part.look
        if part.look == "few" and run.status == "running" and part is parts.stretches[-1]:
            stretches.append(_stretch(part, place + 2, part.start, "going on"))
        elif part.look:
            stretches.append(_stretch(part, 0, part.start))
        elif place in named:
            fit = parts.fits[place]
            stretches.append(_stretch(part, place + 1, fit.best, fit_in_words(parts, fit)))
        elif stretches and stretches[-1]["fit"] == _UNNAMED:
            stretches[-1]["stop"] = part.stop
        else:
            stretches.append(_stretch(part, _UNNAMED, part.start))
    return {"stretches": stretches, "story": parts.story, "shown": parts.shown + 1, "count": len(parts.fits)}


def _stretch(part: Stretch, fit: int, best: int, text: str = "") -> protocol.Stretch:
    return {"start": part.start, "stop": part.stop, "fit": fit, "best": best, "text": text}


def looked_at(run: RecordedRun) -> int:
    """Return how many evaluations there were when the fits were looked for: a run that goes on may have more."""
    parts = shown_parts(run)
    return parts.stretches[-1].stop if parts.stretches else 0


def fit_in_words(parts: Parts, fit: Fit) -> str:
    """Return what a fit is called in a list: its optimizer, its step size, and how it ended."""
    run, unit = parts.run, name_of_loss(parts.run)[1]
    size = fit.options.get("step_size")
    told = [fit.optimizer] if fit.optimizer else []
    if isinstance(size, float | int) and any(fit.options.get("step_size") != size for fit in parts.fits):
        told.append(f"step size {number(size)}")
    if fit.status == "running":
        return " · ".join([*told, "going on"])
    last = int(iterates_of_fit(run, fit)[-1:].sum()) or fit.start
    told.append(f"ended at {quantity(float(run.loss[last]), unit)}")
    if fit.status != "finished":
        told.append(fit.status)
    lowest = _lowest(parts)
    best = float(run.loss[fit.best])
    if lowest is not None and number(best) == number(lowest):
        ended_there = number(best) == number(float(run.loss[last]))
        told.append("lowest" if ended_there else f"reached the lowest, {number(best)}")
    return " · ".join(told)


def _lowest(parts: Parts) -> float | None:
    """Return the lowest loss of several fits that can be compared."""
    values = [float(parts.run.loss[fit.best]) for fit in parts.fits]
    finite = [value for value in values if np.isfinite(value)]
    return min(finite) if len(parts.fits) > 1 and finite and parts.are_comparable else None


def choose_fit(run: RecordedRun, fit: int) -> None:
    """Have the run tell of a fit, by its number from 1; raises `XinvError` where it has none of that number."""
    count = len(shown_parts(run).fits)
    if not 1 <= fit <= count:
        raise XinvError(f"The run has {count} fits, and none of number {fit}.")
    RunWriter(run).choose_fit(None if fit - 1 == parts_of(run).shown else fit - 1)


def fit_runs(run: RecordedRun) -> list[RecordedRun]:
    """Return the fits of `run` as runs of their own, named by their numbers: the best ones, where there are many.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for rate in (0.1, 0.4):
    ...         x = 4.0
    ...         for _ in range(8):
    ...             run.add(x**2, x, 2 * x)
    ...             x -= rate * 2 * x
    >>> [(each.name, each.evaluations) for each in fit_runs(run)]
    [('fit 1', 8), ('fit 2', 8)]
    """
    parts = shown_parts(run)
    found = []
    for place in _best_ones(parts, MOST_COMPARED):
        fit = parts.fits[place]
        part = excerpt(run, fit.start, fit.stop, fit.looks)
        part.name = f"fit {place + 1}"
        part.memo[_WHOLE] = run
        found.append(part)
    return found


def whole_of(runs: Sequence[RecordedRun]) -> RecordedRun | None:
    """Return the run of which all of these are fits; None where they are runs of their own."""
    wholes = [run.memo.get(_WHOLE) for run in runs]
    return wholes[0] if wholes and all(whole is wholes[0] for whole in wholes) else None


def among(fits: Sequence[RecordedRun]) -> str:
    """Return how many of the fits of a run these are, such as `the best 12 of 40 fits`."""
    parts = shown_parts(fits[0].memo[_WHOLE])
    if len(fits) == len(parts.fits):
        return f"{len(fits)} fits"
    return f"the {'best' if parts.are_comparable else 'first'} {len(fits)} of {len(parts.fits)} fits"


def are_comparable(run: RecordedRun) -> bool:
    """Whether the losses of the fits of a run can be compared."""
    return shown_parts(run).are_comparable


def _best_ones(parts: Parts, most: int) -> Sequence[int]:
    """Return the places of so many fits, in the order in which they were made; the first ones where none is better."""
    values = np.array([float(parts.run.loss[fit.best]) for fit in parts.fits])
    if not parts.are_comparable:
        return range(min(len(values), most))
    return sorted(np.argsort(np.where(np.isfinite(values), values, np.inf), kind="stable")[:most].tolist())
