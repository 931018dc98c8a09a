"""The χ² distribution: how probable a sum of squares is of which each term is a draw of unit variance.

Method: the regularized incomplete gamma function, by its series and its continued fraction (Abramowitz & Stegun 1964,
6.5.29 and 6.5.31; the fraction by Lentz's method).
"""

from __future__ import annotations

import math

_MOST = 100_000
_PRECISE = 1e-14
_TINY = 1e-300


def tails(squares: float, freedom: int) -> tuple[float, float]:
    """Return the probabilities of a sum of squares as small or smaller, and of one as large or larger.

    Examples
    --------
    >>> [round(each, 6) for each in tails(3.841459, 1)]
    [0.95, 0.05]
    >>> 0 < tails(400.0, 100)[1] < 1e-30
    True
    """
    half, x = freedom / 2, squares / 2
    if not x > 0:
        return 0.0, 1.0
    scale = half * math.log(x) - x - math.lgamma(half)
    if x < half + 1:
        below = math.exp(scale) * _series(half, x)
        return below, 1 - below
    above = math.exp(scale) * _fraction(half, x)
    return 1 - above, above


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    for k in range(1, _MOST):
        term *= x / (a + k)
        total += term
        if term < _PRECISE * total:
            break
    return total


def _fraction(a: float, x: float) -> float:
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    found = d
    for k in range(1, _MOST):
        b += 2
        factor = k * (a - k)
        d = factor * d + b
        c = b + factor / c
        d = 1 / (d if abs(d) > _TINY else _TINY)
        c = c if abs(c) > _TINY else _TINY
        found *= d * c
        if abs(d * c - 1) < _PRECISE:
            break
    return found
