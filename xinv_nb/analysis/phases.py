"""Where the course of the loss changes its character.

Method: the losses of the accepted iterates, on the scale on which a reader looks at them; stretches that ring are taken
out (see `ringing`), the rest is cut into straight pieces (see `segmentation`), and neighbours of one character joined.
Noise is told by how often the loss turns (a turning-point test, Bienaymé 1874; Kendall & Stuart).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from xinv_nb.analysis.ringing import ringing
from xinv_nb.analysis.segmentation import borders
from xinv_nb.run import Phase

_FEWEST = 12
"""Evaluations below which a run is not cut."""
_FLAT = 0.02
"""A change of the loss below this share of the run's height is not seen."""
_SEEN = 0.04
"""The same on a logarithmic scale: a tenth of the loss."""
_CONSTANT = 1e-6
"""A loss that varies by less than this share of itself is constant: six digits do not show it."""
_LEVEL = 0.05
"""A segment that changes the curve by less than this share of its range, and by less than a factor of 2, is flat."""
_STEADY = 0.1
"""Fall of the curve (a quarter of the loss on a logarithmic scale) from which on one that never halts is no plateau,
if it takes a tenth of the run."""
_HARDLY = 0.05
"""A change of the loss below this share both of itself and of its range is hardly any."""
_SLOW = 0.2
"""A descent below this share of the fastest, on the curve, is slow."""
_LOGARITHMIC = 50.0
"""Ratio of largest to smallest loss from which a reader, and the picture, looks at the loss on a logarithmic scale."""
_LOGARITHMIC_NOISE = 4.0
"""The same of the medians of a noisy loss: the noise of batches grows with the loss."""
_SHORTEST_NOISY = 10
"""Points of the averaged curve that it takes at least to tell a trend from noise."""
_LONGEST_TRIAL = 3
"""Evaluations in a row that an optimizer may try and reject."""
_STILL_STEEP = 0.05
"""A run whose last gradient is above this share of its usual size has not converged."""
_BRIEF = 0.1
"""Share of the run below which a stretch of a noisy loss is too short to stand for itself."""
_BY_TURNS = 0.95
"""Share of the steps that go back on the one before, from which on the loss goes up and down by turns."""
_SURE = 12
"""Evaluations that it takes to tell swings from noise."""
_OFTEN = 0.45
"""Share of the steps that go back on the one before, from which on a loss is noisy or swings."""

Floats = NDArray[np.float64]


def find_phases(
    loss: Floats, slopes: Floats | None = None, accepted: NDArray[np.bool_] | None = None, starts: Sequence[int] = ()
) -> list[Phase]:
    """Return the phases of a run from its losses, without gaps, from the first evaluation to the last.

    `slopes`, the sizes of the gradients, tell a run that has converged from one that only stands still; evaluations
    that were not `accepted` are trials, which make no phase; at `starts` another optimizer begins.

    Examples
    --------
    >>> [p.kind for p in find_phases(np.full(10, 3.0))]
    ['plateau']
    """
    if accepted is None or accepted.all() or not accepted.any():
        return _with_ends(_of_iterates(loss, slopes, starts), loss, np.arange(len(loss)), starts)
    rows = np.flatnonzero(accepted)
    if len(rows) == 1:
        return [Phase(0, len(loss), "start", "no step accepted", int(rows[0]))]
    found = _of_iterates(
        loss[rows], None if slopes is None else slopes[rows], [int(np.searchsorted(rows, s)) for s in starts]
    )
    edges = [0, *(int(rows[phase.start]) for phase in found[1:]), len(loss)]
    found = [replace(phase, start=a, stop=b) for phase, (a, b) in zip(found, pairwise(edges), strict=True)]
    return _with_ends(found, loss, rows, starts)


def _with_ends(phases: list[Phase], loss: Floats, rows: NDArray[np.intp], starts: Sequence[int]) -> list[Phase]:
    """Note where a phase ends before the next one begins: at the last iterate of an optimizer."""
    ended = []
    for phase in phases:
        own = rows[(rows >= phase.start) & (rows < phase.stop)]
        finite = own[np.isfinite(loss[own])]
        final = phase.stop == len(loss) and len(own) and own[-1] < phase.stop - 1
        if len(finite) and (final or phase.stop in starts):
            phase = replace(phase, last=int(finite[-1]))
        ended.append(phase)
    return ended


def _of_iterates(loss: Floats, slopes: Floats | None, starts: Sequence[int]) -> list[Phase]:
    count = len(loss)
    if count == 0:
        return []
    usable = np.flatnonzero(np.isfinite(loss))
    if len(usable) == 0:
        return [Phase(0, count, "divergence", _unusable(loss))]
    if count == 1:
        return [Phase(0, 1, "start", "one evaluation")]
    stop = int(usable[-1]) + 1
    if stop < count:
        before = _of_iterates(loss[:stop], None if slopes is None else slopes[:stop], starts)
        return [*before, Phase(stop, count, "divergence", _unusable(loss[stop:]))]
    with np.errstate(over="ignore"):
        return _phases_of(_filled(loss, usable), slopes, starts)


def last_of(phase: Phase, loss: Floats) -> int:
    """Return the evaluation at which a phase's story ends: where the next begins, if the loss is a number there."""
    if phase.last is not None:
        return phase.last
    if phase.stop < len(loss) and np.isfinite(loss[phase.stop]):
        return phase.stop
    return phase.stop - 1


def hardly_changes(part: Floats, height: float) -> bool:
    """Whether the loss stays nearly the same, by its own measure and beside the `height` of the whole run."""
    return bool(np.ptp(part / 2) <= _HARDLY * min(abs(float(part[0])), height) / 2)


def quarters(part: Floats) -> tuple[float, float]:
    """Return the medians of the first and of the last quarter."""
    n = max(len(part) // 4, 1)
    return float(np.median(part[:n])), float(np.median(part[-n:]))


def visible_swing(loss: Floats) -> tuple[bool, float]:
    """Return whether these losses are looked at on a logarithmic scale, and how large a swing is seen on that scale."""
    logarithmic = _is_logarithmic(loss)
    return logarithmic, _visible(np.log10(loss) if logarithmic else loss, logarithmic=logarithmic)


def _visible(seen: Floats, *, logarithmic: bool) -> float:
    return max(_FLAT * float(np.ptp(seen)), _SEEN if logarithmic else 0.0)


def _unusable(loss: Floats) -> str:
    if np.isnan(loss).all():
        return "not a number"
    return "infinite" if np.isinf(loss).all() else "not a finite number"


def _filled(loss: Floats, usable: NDArray[np.intp]) -> Floats:
    """Put the finite loss before it, or else after it, in the place of one that is none: a trial that failed."""
    places = np.searchsorted(usable, np.arange(len(loss)), side="right") - 1
    return loss[usable[np.maximum(places, 0)]]


# ---------------------------------------------------------------------- cutting


def _phases_of(loss: Floats, slopes: Floats | None, starts: Sequence[int]) -> list[Phase]:
    """Return the phases of finite losses."""
    count = len(loss)
    if np.ptp(loss / 2) <= _CONSTANT * float(np.abs(loss / 2).max()):
        return [Phase(0, count, "plateau", "constant")]
    trials = _trials(loss)
    path = np.where(trials, np.minimum.accumulate(loss), loss)
    if path.min() == path.max():
        return [Phase(0, count, "plateau", "plateau")]
    seen = _noise_seen(loss)
    noisy = bool(_swings(seen, _usual_height(seen)))
    if noisy:  # what sticks out is no trial then
        trials, path, curve = np.zeros(count, dtype=bool), loss, seen
    else:
        seen, curve = _seen(path), _curve(path)
    edges = {0, count, *(s for s in starts if 0 < s < count)}
    rings = [] if noisy else ringing(seen, _visible(seen, logarithmic=_is_logarithmic(path)))
    for a, b in rings:
        edges |= {a, b}
    swinging = [range(a, b) for a, b in rings]
    for a, b in pairwise(sorted(edges)):
        if b - a >= _FEWEST and not any(a in stretch for stretch in swinging):
            inner = borders(curve[a:b], _SHORTEST_NOISY if noisy else 3, evenly=noisy or not _is_logarithmic(path))
            edges |= {_not_a_trial(a + edge, trials) for edge in inner}
    cuts = [
        _ringing_segment(curve, seen, a, b)
        if any(a in stretch for stretch in swinging)
        else _segment(path, curve, seen, a, b, noisy=noisy)
        for a, b in pairwise(sorted(edges))
    ]
    cuts = [_with_next(cut, following) for cut, following in zip(cuts, [*cuts[1:], None], strict=True)]
    segments = cuts[:1]
    for cut in cuts[1:]:
        last = segments[-1]
        brief = min(cut.stop - cut.start, last.stop - last.start) < count * _BRIEF
        if cut.start in starts:
            segments.append(cut)
        elif cut.character == last.character and _as_level(last, cut, brief=brief):
            segments[-1] = replace(last, stop=cut.stop)
        elif (
            brief and len(segments) == 1 and (last.character, cut.character) == ("noisy and flat", "noisy and falling")
        ):
            segments[-1] = replace(cut, start=last.start)  # too few to tell that the fall had not begun
        else:
            segments.append(cut)
    named = _named(segments, starts, settled=_has_settled(slopes), above=loss[-1] > loss[0])
    return _joined(named, segments, starts)


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


def _curve(path: Floats) -> Floats:
    """Return the curve that the segments are fitted to: logarithmic, so that late progress counts as well."""
    if _is_logarithmic(path):
        return np.log10(path)
    lowest, highest = float(path.min()), float(path.max())
    return np.asarray(np.log10((path / 2 - lowest / 2) / (highest / 2 - lowest / 2) + _FLAT), dtype=np.float64)


def _seen(path: Floats) -> Floats:
    """Return the loss on the scale of the picture: logarithmic, or as a share of its range."""
    return np.asarray(np.log10(path) if _is_logarithmic(path) else path / 2 / float(np.ptp(path / 2)), np.float64)


def _is_logarithmic(path: Floats) -> bool:
    return bool(path.min() > 0 and path.max() / path.min() > _LOGARITHMIC)


def _noise_seen(loss: Floats) -> Floats:
    """Return the loss as a reader looks at it if it is noisy: a single lucky draw does not make the scale."""
    usual = np.array([np.median(block) for block in np.array_split(loss, min(40, max(len(loss) // 5, 1)))])
    if _is_logarithmic(loss) and usual.max() > _LOGARITHMIC_NOISE * usual.min():
        return np.asarray(np.log10(np.maximum(loss, usual.min() / 10)), dtype=np.float64)
    return loss / 2 / float(np.ptp(loss / 2))


def _usual_height(seen: Floats) -> float:
    """Return the range of a loss without the highest and the lowest hundredth: one step from afar is no measure."""
    low, high = np.quantile(seen, [0.01, 0.99])
    return float(high - low)


# ---------------------------------------------------------------------- naming


@dataclass(frozen=True)
class _Segment:
    """A stretch of the run and what is seen in it."""

    start: int
    stop: int
    character: str
    """Flat, falling, rising, oscillating, or noisy while falling, rising or flat."""
    speed: float = 0.0
    """Fall of the curve in one evaluation."""
    plain_speed: float = 0.0
    """The same of the loss as a reader looks at it, on a plain or a logarithmic scale."""
    level: float = 0.0
    """Median of a noisy loss, on the scale on which a reader looks at it."""
    swing: float = 0.0
    """The usual step of a noisy loss."""


def _ringing_segment(curve: Floats, seen: Floats, start: int, stop: int) -> _Segment:
    end = min(stop, len(curve) - 1)
    fall, plain_fall = (float(c[start] - c[end]) / (end - start) for c in (curve, seen))
    return _Segment(start, stop, "oscillating", fall, plain_fall)


def _segment(path: Floats, curve: Floats, seen: Floats, start: int, stop: int, *, noisy: bool) -> _Segment:
    part = seen[start:stop]
    if swings := _swings(part, _usual_height(seen) if noisy else float(np.ptp(seen))):
        early, late = quarters(part)
        speed = (early - late) / (stop - start)
        swing = float(np.median(np.abs(np.diff(part))))
        return _Segment(start, stop, swings, speed, speed, float(np.median(part)), swing)
    height = float(np.ptp(path / 2)) * 2
    end = min(stop, len(path) - 1)
    change, plain_change = (float(c[end] - c[start]) for c in (curve, seen))
    little = min(_LEVEL * float(np.ptp(curve)), np.log10(2.0))
    one_way = bool((np.diff(path[start : end + 1]) < 0).all())
    early, late = quarters(curve[start:stop])
    level = abs(change) < little or (not one_way and abs(late - early) < little / 2 and late <= early)
    steady = one_way and change < -_STEADY and 10 * (end - start) > len(path)
    unseen = not _is_logarithmic(path) and abs(plain_change) < _FLAT
    if (level and not steady) or unseen or hardly_changes(path[start : end + 1], height):
        return _Segment(start, stop, "noisy and flat" if noisy else "flat", level=float(np.median(part)))
    steps = max(end - start, 1)
    return _Segment(start, stop, "rising" if change > 0 else "falling", -change / steps, -plain_change / steps)


def _with_next(segment: _Segment, following: _Segment | None) -> _Segment:
    """Call a noisy stretch falling that goes down to a lower level, if it hardly shows the fall by itself."""
    if following is None or segment.character != "noisy and flat" or following.character != "noisy and flat":
        return segment
    falls = segment.speed * (segment.stop - segment.start) > segment.swing / 2
    return replace(segment, character="noisy and falling") if falls and not _as_level(segment, following) else segment


def _as_level(one: _Segment, other: _Segment, *, brief: bool = False) -> bool:
    """Whether two neighbours of one character are one stretch to the eye: both flat, or noisy about one level.

    Beside a noisy level, a `brief` one is no level of its own.
    """
    if one.character == "noisy and flat":
        return brief or abs(one.level - other.level) < max(one.swing, other.swing)
    return one.character == "flat"


def _swings(part: Floats, height: float) -> str:
    """Say whether the loss goes up and down by amounts that a reader would see, and where it goes meanwhile."""
    if len(part) < 6:
        return ""
    steps = np.diff(part)
    turns = float(np.mean(np.sign(steps[1:]) * np.sign(steps[:-1]) < 0))
    swing = float(np.median(np.abs(steps)))
    if turns < _OFTEN or swing < _FLAT * height:
        return ""
    early, late = quarters(part)
    trend = late - early
    by_turns = turns > _BY_TURNS or (turns > 0.85 and len(part) >= 2 * _SURE)  # of few draws, many turn by chance
    if by_turns and len(part) >= _SURE and abs(trend) < swing:
        return "oscillating"
    if abs(trend) < swing * max(1.0, 12 / np.sqrt(len(part))):  # three standard errors of the difference
        return "noisy and flat"
    return "noisy and rising" if trend > 0 else "noisy and falling"


def _has_settled(slopes: Floats | None) -> bool:
    """Whether the last gradient is small beside those that the run began with."""
    if slopes is None:
        return True
    known = slopes[np.isfinite(slopes)]
    return len(known) > 0 and bool(slopes[-1] <= _STILL_STEEP * max(float(slopes[0]), float(np.median(known))))


def _named(segments: list[_Segment], starts: Sequence[int], *, settled: bool, above: bool) -> list[Phase]:
    """Name the segments; `above` tells that the run ended at a higher loss than it began with."""
    slow, fast = _slow(segments, starts), []
    for segment in segments:
        own = [
            s
            for s, is_slow in zip(segments, slow, strict=True)
            if is_slow and _part(s, starts) == _part(segment, starts)
        ]
        fast.append("fast descent" if own else "descent")
    phases = []
    for i, segment in enumerate(segments):
        kind, label = {
            "flat": ("plateau", "plateau"),
            "falling": ("slow descent", "slow descent") if slow[i] else ("descent", fast[i]),
            "rising": ("rise", "rising loss"),
            "oscillating": ("oscillation", "oscillation"),
            "noisy and flat": ("plateau", "noisy plateau"),
            "noisy and falling": ("slow descent", "noisy slow descent") if slow[i] else ("descent", f"noisy {fast[i]}"),
            "noisy and rising": ("rise", "noisy rise"),
        }[segment.character]
        if i == len(segments) - 1:
            if kind == "plateau" and label == "plateau" and i > 0:
                kind, label = ("converged", "settled") if settled else ("plateau", "levelled off")
            elif kind == "rise" and above and not settled:
                kind = "divergence"
        phases.append(Phase(segment.start, segment.stop, kind, label))
    return phases


def _slow(segments: list[_Segment], starts: Sequence[int]) -> list[bool]:
    """Say which segments fall much more slowly than the fastest of the same optimizer."""
    slow = []
    for segment in segments:
        beside = [s for s in segments if _part(s, starts) == _part(segment, starts)]
        fastest, steepest = (max(getattr(s, name) for s in beside) for name in ("speed", "plain_speed"))
        falls = segment.character.endswith("falling")
        slow.append(falls and segment.speed < _SLOW * fastest and segment.plain_speed < _SLOW * steepest)
    return slow


def _part(segment: _Segment, starts: Sequence[int]) -> int:
    """Return which optimizer the segment belongs to."""
    return sum(start <= segment.start for start in starts)


def _joined(phases: list[Phase], segments: list[_Segment], starts: Sequence[int]) -> list[Phase]:
    """Join neighbours of one kind and label, unless another optimizer starts between them or the level differs."""
    joined = phases[:1]
    for phase, one, other in zip(phases[1:], segments, segments[1:], strict=False):
        last = joined[-1]
        shifted = one.character == other.character == "noisy and flat" and not _as_level(one, other)
        if (phase.kind, phase.label) == (last.kind, last.label) and phase.start not in starts and not shifted:
            joined[-1] = Phase(last.start, phase.stop, phase.kind, phase.label)
        else:
            joined.append(phase)
    return joined
