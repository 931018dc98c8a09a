"""Slopes of quantities at any evaluation, read off those that were recorded, and what a quantity counts in the loss."""

from __future__ import annotations

from typing import Any

import numpy
from scipy.interpolate import Akima1DInterpolator

import xinv_nb as xi


def read_off(rows: Any, evaluations: Any, slopes: Any) -> Any:
    """Slopes at some evaluations by a curve through those in which they were read."""
    if len(evaluations) < 3:
        return numpy.interp(rows, evaluations, slopes)
    return Akima1DInterpolator(evaluations, slopes)(rows, extrapolate=True)


def part_of(run: xi.Run, name: str, rows: Any, column: int) -> tuple[float, float]:
    """What the move of a number brought to a quantity, by two rules that differ where the steps are long.

    One is the trapezoidal rule; by the other the slope changes along the way made, the number evenly within a step.
    """
    evaluations, gradients = run.history.slopes[name].arrays()
    if numpy.flatnonzero(gradients.any(axis=0)).tolist() == [column]:  # it is all that the quantity depends on
        known = quantity_of(run, name)
        return (abs(float(known[rows[-1]] - known[rows[0]])),) * 2
    slopes = read_off(rows, evaluations, gradients[:, column])
    points = run.history.values.array[rows]
    moves, values = numpy.linalg.norm(numpy.diff(points, axis=0), axis=1), points[:, column]
    plain = float(numpy.sum((slopes[1:] + slopes[:-1]) / 2 * numpy.diff(values)))
    kept = numpy.concatenate([[True], moves > 0])
    if kept.sum() < 3:
        return abs(plain), abs(plain)
    way, values, slopes = numpy.concatenate([[0.0], numpy.cumsum(moves)])[kept], values[kept], slopes[kept]
    curve = Akima1DInterpolator(way, slopes)
    steps = zip(way, way[1:], numpy.diff(values) / numpy.diff(way), strict=False)
    return abs(plain), abs(sum(float(curve.integrate(a, b)) * rate for a, b, rate in steps))


def quantity_of(run: xi.Run, name: str) -> Any:
    """A watched quantity, or a term of the loss that is not watched, at each evaluation."""
    if name in run.watches:
        return run.watches[name].values
    return run.history.sums.arrays()[1][:, [term.name for term in run.history.sums.terms].index(name)]


def to_its_digits(parts: tuple[float, float], told: Any) -> float:
    """A part as it is told, where one of the rules gives it; where they differ much, where it is near to one of them.

    Of two digits, the last may be one off.
    """
    said = float(f"{told.number:.{told.digits}g}")
    low, high = sorted(parts)
    near = 0.3 if high - low > 0.1 * high else 0.02 if told.digits == 2 else 0.0
    is_told = any(abs(part - said) <= near * said or float(f"{part:.{told.digits}g}") == said for part in parts)
    return said if is_told else float(f"{parts[0]:.{told.digits}g}")


def to_two_digits(push: float, told: float) -> float:
    """A push as it is told to two digits, of which the last may be one off: slopes are read off between readings."""
    said = float(f"{told:.0f}") if told >= 100 else float(f"{told:.2g}")  # whole numbers stand in full
    return said if abs(push - said) <= 0.03 * abs(said) else float(f"{push:.2g}")


def cotangents(run: xi.Run, name: str, rows: Any) -> Any:
    """What one more of a quantity adds to the loss: its cotangent, or the weight of a term that is not watched."""
    if name in run.watches:
        watch = run.watches[name]
        return watch.cotangents[numpy.searchsorted(watch.evaluation, rows)]
    term = next(term for term in run.history.sums.terms if term.name == name)
    return numpy.full(numpy.shape(rows), term.weight)
