"""What is seen in one stretch of a run, and how it is called.

Method: noise is told by how often the loss turns (a turning-point test, Bienaymé 1874; Kendall & Stuart), a trend in it
by medians of its quarters that differ by more than three standard errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.fact import Phase
from xinv_nb.facts.measures.scale import FLAT, hardly_changes, is_logarithmic, quarters, usual_height

_LEVEL = 0.05
"""A segment that changes the curve by less than this share of its range, and by less than a factor of 2, is flat."""
_STEADY = 0.1
"""Fall of the curve (a quarter of the loss on a logarithmic scale) from which on one that never halts is no plateau,
if it takes a tenth of the run."""
_SLOW = 0.2
"""A descent below this share of the fastest, on the curve, is slow."""
_BY_TURNS = 0.95
"""Share of the steps that go back on the one before, from which on the loss goes up and down by turns."""
_SURE = 12
"""Evaluations that it takes to tell swings from noise."""
_OFTEN = 0.45
"""Share of the steps that go back on the one before, from which on a loss is noisy or swings."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stretch:
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


def ringing_stretch(curve: Floats, seen: Floats, start: int, stop: int) -> Stretch:
    """Return a stretch that rings, with how fast it falls meanwhile."""
    end = min(stop, len(curve) - 1)
    fall, plain_fall = (float(c[start] - c[end]) / (end - start) for c in (curve, seen))
    return Stretch(start, stop, "oscillating", fall, plain_fall)


def stretch_of(path: Floats, curve: Floats, seen: Floats, start: int, stop: int, *, noisy: bool) -> Stretch:
    """Return what is seen between two borders."""
    part = seen[start:stop]
    if swinging := swings(part, usual_height(seen) if noisy else float(np.ptp(seen))):
        early, late = quarters(part)
        speed = (early - late) / (stop - start)
        swing = float(np.median(np.abs(np.diff(part))))
        return Stretch(start, stop, swinging, speed, speed, float(np.median(part)), swing)
    height = float(np.ptp(path / 2)) * 2
    end = min(stop, len(path) - 1)
    change, plain_change = (float(c[end] - c[start]) for c in (curve, seen))
    little = min(_LEVEL * float(np.ptp(curve)), np.log10(2.0))
    one_way = bool((np.diff(path[start : end + 1]) < 0).all())
    early, late = quarters(curve[start:stop])
    level = abs(change) < little or (not one_way and abs(late - early) < little / 2 and late <= early)
    steady = one_way and change < -_STEADY and 10 * (end - start) > len(path)
    unseen = not is_logarithmic(path) and abs(plain_change) < FLAT
    if (level and not steady) or unseen or hardly_changes(path[start : end + 1], height):
        return Stretch(start, stop, "noisy and flat" if noisy else "flat", level=float(np.median(part)))
    steps = max(end - start, 1)
    return Stretch(start, stop, "rising" if change > 0 else "falling", -change / steps, -plain_change / steps)


def with_next(segment: Stretch, following: Stretch | None) -> Stretch:
    """Call a noisy stretch falling that goes down to a lower level, if it hardly shows the fall by itself."""
    if following is None or segment.character != "noisy and flat" or following.character != "noisy and flat":
        return segment
    falls = segment.speed * (segment.stop - segment.start) > segment.swing / 2
    return replace(segment, character="noisy and falling") if falls and not as_level(segment, following) else segment


def as_level(one: Stretch, other: Stretch, *, brief: bool = False) -> bool:
    """Whether two neighbours of one character are one stretch to the eye: both flat, or noisy about one level.

    Beside a noisy level, a `brief` one is no level of its own.
    """
    if one.character == "noisy and flat":
        return brief or abs(one.level - other.level) < max(one.swing, other.swing)
    return one.character == "flat"


def swings(part: Floats, height: float) -> str:
    """Say whether the loss goes up and down by amounts that a reader would see, and where it goes meanwhile."""
    if len(part) < 6:
        return ""
    steps = np.diff(part)
    turns = float(np.mean(np.sign(steps[1:]) * np.sign(steps[:-1]) < 0))
    swing = float(np.median(np.abs(steps)))
    if turns < _OFTEN or swing < FLAT * height:
        return ""
    early, late = quarters(part)
    trend = late - early
    by_turns = turns > _BY_TURNS or (turns > 0.85 and len(part) >= 2 * _SURE)  # of few draws, many turn by chance
    if by_turns and len(part) >= _SURE and abs(trend) < swing:
        return "oscillating"
    if abs(trend) < swing * max(1.0, 12 / np.sqrt(len(part))):  # three standard errors of the difference
        return "noisy and flat"
    return "noisy and rising" if trend > 0 else "noisy and falling"


def named(segments: list[Stretch], starts: Sequence[int], *, settled: bool, above: bool) -> list[Phase]:
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
        phases.append(Phase(segment.start, segment.stop, kind, label, noisy=segment.character.startswith("noisy")))
    return phases


def _slow(segments: list[Stretch], starts: Sequence[int]) -> list[bool]:
    """Say which segments fall much more slowly than the fastest of the same optimizer."""
    slow = []
    for segment in segments:
        beside = [s for s in segments if _part(s, starts) == _part(segment, starts)]
        fastest, steepest = (max(getattr(s, name) for s in beside) for name in ("speed", "plain_speed"))
        falls = segment.character.endswith("falling")
        slow.append(falls and segment.speed < _SLOW * fastest and segment.plain_speed < _SLOW * steepest)
    return slow


def _part(segment: Stretch, starts: Sequence[int]) -> int:
    """Return which optimizer the segment belongs to."""
    return sum(start <= segment.start for start in starts)


def joined(phases: list[Phase], segments: list[Stretch], starts: Sequence[int]) -> list[Phase]:
    """Join neighbours of one kind and label, unless another optimizer starts between them or the level differs."""
    joined = phases[:1]
    for phase, one, other in zip(phases[1:], segments, segments[1:], strict=False):
        last = joined[-1]
        shifted = one.character == other.character == "noisy and flat" and not as_level(one, other)
        if (phase.kind, phase.label) == (last.kind, last.label) and phase.start not in starts and not shifted:
            joined[-1] = replace(last, stop=phase.stop)
        else:
            joined.append(phase)
    return joined
