"""Where the course of the loss changes its character.

Method: the losses of the accepted iterates, on the scale on which a reader looks at them; stretches that ring are taken
out (see `ringing`), the rest is cut into straight pieces (see `segmentation`), and neighbours of one character joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Phase
from xinv_nb.facts.measures.ringing import ringing, turning_points
from xinv_nb.facts.measures.scale import as_seen, fitted_curve, is_logarithmic, noise_as_seen, usual_height, visible
from xinv_nb.facts.measures.segmentation import borders
from xinv_nb.facts.measures.stretches import as_level, joined, named, ringing_stretch, stretch_of, swings, with_next

_FEWEST = 12
"""Evaluations below which a run is not cut."""
_CONSTANT = 1e-6
"""A loss that varies by less than this share of itself is constant: six digits do not show it."""
_SHORTEST_NOISY = 10
"""Points of the averaged curve that it takes at least to tell a trend from noise."""
_LONGEST_TRIAL = 3
"""Evaluations in a row that an optimizer may try and reject."""
_STILL_STEEP = 0.05
"""A run whose last gradient is above this share of its usual size has not converged."""
_MOST_RINGS = 3
"""Stretches that ring up to which they are told; of noise, many do by chance."""
_MANY_TURNS = 20
"""Visible turns from which on a loss that does not ring wanders by chance."""
_BRIEF = 0.1
"""Share of the run below which a stretch of a noisy loss is too short to stand for itself."""

Floats = NDArray[np.float64]


def find_phases(
    loss: Floats,
    slopes: Floats | None = None,
    accepted: NDArray[np.bool_] | None = None,
    starts: Sequence[int] = (),
    *,
    is_drawn: bool = False,
) -> list[Phase]:
    """Return the phases of a run from its losses, without gaps, from the first evaluation to the last.

    `slopes`, the sizes of the gradients, tell a run that has converged from one that only stands still; evaluations
    that were not `accepted` are trials, which make no phase; at `starts` another optimizer begins. Where the
    losses or the steps are known to be drawn at random (`is_drawn`), what looks like a regular swing is chance.

    Examples
    --------
    >>> [p.kind for p in find_phases(np.full(10, 3.0))]
    ['plateau']
    """
    if accepted is None or accepted.all() or not accepted.any():
        return _with_ends(_of_iterates(loss, slopes, starts, is_drawn), loss, np.arange(len(loss)), starts)
    rows = np.flatnonzero(accepted)
    if len(rows) == 1:
        return [Phase(0, len(loss), "start", "no step accepted", int(rows[0]))]
    own_starts = [int(np.searchsorted(rows, s)) for s in starts]
    found = _of_iterates(loss[rows], None if slopes is None else slopes[rows], own_starts, is_drawn)
    edges = [0, *(int(rows[phase.start]) for phase in found[1:]), len(loss)]
    found = [replace(phase, start=a, stop=b) for phase, (a, b) in zip(found, pairwise(edges), strict=True)]
    return _with_ends(found, loss, rows, starts)


def _with_ends(phases: list[Phase], loss: Floats, rows: NDArray[np.intp], starts: Sequence[int]) -> list[Phase]:
    """Note where a phase ends before the next one begins: at an optimizer's last iterate, or where the loss broke."""
    ended = []
    for phase in phases:
        own = rows[(rows >= phase.start) & (rows < phase.stop)]
        finite = own[np.isfinite(loss[own])]
        breaks = phase.stop == len(loss) or not np.isfinite(loss[phase.stop])
        final = breaks and len(own) and own[-1] < phase.stop - 1
        if len(finite) and (final or phase.stop in starts):
            phase = replace(phase, last=int(finite[-1]))
        ended.append(phase)
    return ended


def _of_iterates(loss: Floats, slopes: Floats | None, starts: Sequence[int], is_drawn: bool) -> list[Phase]:
    count = len(loss)
    if count == 0:
        return []
    usable = np.flatnonzero(np.isfinite(loss))
    if len(usable) == 0:
        return [Phase(0, count, "divergence", unusable(loss))]
    if count == 1:
        return [Phase(0, 1, "start", "one evaluation")]
    stop = int(usable[-1]) + 1
    if stop < count:
        before = _of_iterates(loss[:stop], None if slopes is None else slopes[:stop], starts, is_drawn)
        return [*before, Phase(stop, count, "divergence", unusable(loss[stop:]))]
    with np.errstate(over="ignore"):
        return _phases_of(_filled(loss, usable), slopes, starts, is_drawn)


def last_of(phase: Phase, loss: Floats) -> int:
    """Return the evaluation at which a phase's story ends: where the next begins, if the loss is a number there."""
    if phase.last is not None:
        return phase.last
    if phase.stop < len(loss) and np.isfinite(loss[phase.stop]):
        return phase.stop
    return phase.stop - 1


def unusable(loss: Floats) -> str:
    """Return what losses are in words of which none is a finite number.

    >>> unusable(np.array([np.nan])), unusable(np.array([np.inf, -np.inf]))
    ('not a number', 'infinite')
    """
    if np.isnan(loss).all():
        return "not a number"
    return "infinite" if np.isinf(loss).all() else "not a finite number"


def _filled(loss: Floats, usable: NDArray[np.intp]) -> Floats:
    """Put the finite loss before it, or else after it, in the place of one that is none: a trial that failed."""
    places = np.searchsorted(usable, np.arange(len(loss)), side="right") - 1
    return loss[usable[np.maximum(places, 0)]]


def _phases_of(loss: Floats, slopes: Floats | None, starts: Sequence[int], is_drawn: bool = False) -> list[Phase]:
    """Return the phases of finite losses."""
    count = len(loss)
    if np.ptp(loss / 2) <= _CONSTANT * float(np.abs(loss / 2).max()):
        return [Phase(0, count, "plateau", "constant")]
    trials = _trials(loss)
    path = np.where(trials, np.minimum.accumulate(loss), loss)
    if path.min() == path.max():
        return [Phase(0, count, "plateau", "plateau")]
    seen = noise_as_seen(loss)
    noisy = bool(swings(seen, usual_height(seen)))
    if noisy:  # what sticks out is no trial then
        trials, path, curve = np.zeros(count, dtype=bool), loss, seen
    else:
        seen, curve = as_seen(path), fitted_curve(path)
    edges = {0, count, *(s for s in starts if 0 < s < count)}
    threshold = visible(seen, logarithmic=is_logarithmic(path))
    rings = [] if noisy or is_drawn else ringing(seen, threshold)
    if not noisy and not 0 < len(rings) <= _MOST_RINGS:
        turns = len(turning_points(seen, threshold))
        if turns >= _MANY_TURNS and 2 * turns < count:
            return _phases_of_averages(loss, slopes, starts, turns, is_drawn)
        rings = []
    for a, b in rings:
        edges |= {a, b}
    swinging = [range(a, b) for a, b in rings]
    for a, b in pairwise(sorted(edges)):
        if b - a >= _FEWEST and not any(a in stretch for stretch in swinging):
            inner = borders(curve[a:b], _SHORTEST_NOISY if noisy else 3, evenly=noisy or not is_logarithmic(path))
            edges |= {_not_a_trial(a + edge, trials) for edge in inner}
    cuts = [
        ringing_stretch(curve, seen, a, b)
        if any(a in stretch for stretch in swinging)
        else stretch_of(path, curve, seen, a, b, noisy=noisy)
        for a, b in pairwise(sorted(edges))
    ]
    cuts = [with_next(cut, following) for cut, following in zip(cuts, [*cuts[1:], None], strict=True)]
    segments = cuts[:1]
    for cut in cuts[1:]:
        last = segments[-1]
        brief = min(cut.stop - cut.start, last.stop - last.start) < count * _BRIEF
        if cut.start in starts:
            segments.append(cut)
        elif cut.character == last.character and as_level(last, cut, brief=brief):
            segments[-1] = replace(last, stop=cut.stop)
        elif (
            brief and len(segments) == 1 and (last.character, cut.character) == ("noisy and flat", "noisy and falling")
        ):
            segments[-1] = replace(cut, start=last.start)  # too few to tell that the fall had not begun
        else:
            segments.append(cut)
    called = named(segments, starts, settled=_has_settled(slopes), above=loss[-1] > loss[0])
    return joined(called, segments, starts)


def _phases_of_averages(
    loss: Floats, slopes: Floats | None, starts: Sequence[int], turns: int, is_drawn: bool
) -> list[Phase]:
    """Return the phases of a loss that wanders up and down: those of its medians over its usual way up or down.

    Noise of which one draw is much like the one before (momentum over mini-batches, say) looks like rises and falls
    when it is looked at closely, and like any other noise from afar.
    """
    edges = np.unique(np.round(np.linspace(0, len(loss), turns + 1)).astype(int))
    medians = np.array([np.median(loss[a:b]) for a, b in pairwise(edges)])
    found = []
    own_starts = [int(np.searchsorted(edges, s, side="right")) - 1 for s in starts]
    for phase in _phases_of(medians, slopes, own_starts, is_drawn):
        kind, label, noisy = phase.kind, phase.label, phase.noisy
        if kind in ("plateau", "converged") or (is_drawn and kind == "oscillation"):
            kind, label, noisy = "plateau", "noisy plateau", True
        elif kind != "oscillation" and not noisy:
            label, noisy = f"noisy {label}", True
        found.append(Phase(int(edges[phase.start]), int(edges[phase.stop]), kind, label, noisy=noisy))
    return found


def _trials(loss: Floats) -> NDArray[np.bool_]:
    """Find evaluations that stick out upwards and were taken back at once, as a line search tries points.

    Where most of the run is like that, the optimizer does go up and down, and none is a trial.
    """
    lowest = np.minimum.accumulate(loss)
    above = np.concatenate([[False], loss[1:] > lowest[:-1]])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], above, [False]]).astype(int)))
    found = np.zeros(len(loss), dtype=bool)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start <= _LONGEST_TRIAL and stop < len(loss):
            found[start:stop] = True
    return found if found.mean() < 0.35 else np.zeros(len(loss), dtype=bool)


def _not_a_trial(border: int, trials: NDArray[np.bool_]) -> int:
    while border < len(trials) and trials[border]:
        border += 1
    return border


def _has_settled(slopes: Floats | None) -> bool:
    """Whether the last gradient is small beside those that the run began with."""
    if slopes is None:
        return True
    known = slopes[np.isfinite(slopes)]
    return len(known) > 0 and bool(slopes[-1] <= _STILL_STEEP * max(float(slopes[0]), float(np.median(known))))
