"""Terms of the loss that pull the parameters in opposite directions.

Method: the cosine of the angle between the terms' gradients (Yu et al., "Gradient surgery", NeurIPS 2020). Parameters
are measured by the range that each moved through, so that their units do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.measures.iterates import Floats, Iterates
from xinv_nb.recorded.run import RecordedRun

METHOD = 'the cosine of the angle between the terms\' gradients (Yu et al., "Gradient surgery", NeurIPS 2020)'

_FEWEST_TERMS = 2
_FEWEST = 3
"""Evaluations in which the gradients of both are known, from which on two terms are compared."""
_MOST = 2


@dataclass(frozen=True)
class Pair:
    """Two terms in the evaluations in which the gradients of both are known."""

    names: tuple[str, str]
    rows: NDArray[np.intp]
    """These evaluations."""
    cosines: Floats
    """Of the angle between their gradients: −1 where one asks for the opposite of the other."""
    evenness: Floats
    """The weaker pull as a share of the stronger one."""


def opposed_pairs(run: RecordedRun, iterates: Iterates) -> list[Pair]:
    """Return the pairs of terms that pulled most against each other."""
    gradients = run.term_gradients
    if len(gradients) < _FEWEST_TERMS or len(iterates) < 2 or not run.history.is_real:
        return []
    scale = np.ptp(np.real(run.history.rows(iterates.rows)), axis=0)
    scale[[leaf.rms_column for leaf in run.history.leaves if leaf.rms_column is not None]] = 0.0  # no direction
    if not np.isfinite(scale).all() or not scale.any():
        return []
    names = [name for name in run.history.watches if name in gradients]
    pairs = [pair for two in combinations(names, 2) if (pair := _pair(two, gradients, scale))]
    return sorted(pairs, key=lambda pair: float(np.mean(pair.cosines)))[:_MOST]


def _pair(
    names: tuple[str, str], gradients: Mapping[str, tuple[NDArray[np.intp], NDArray[np.float64]]], scale: Floats
) -> Pair | None:
    (rows_of_one, one), (rows_of_two, two) = (gradients[name] for name in names)
    rows, i, j = np.intersect1d(rows_of_one, rows_of_two, return_indices=True)
    first, second = np.real(one[i]) * scale, np.real(two[j]) * scale
    sizes = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
    cosines = np.einsum("ij,ij->i", first, second) / (sizes[0] * sizes[1])
    known = np.isfinite(cosines)
    if np.count_nonzero(known) < _FEWEST:
        return None
    evenness = np.minimum(*sizes) / np.maximum(*sizes)
    return Pair(names, rows[known], cosines[known], evenness[known])


def longest(where: NDArray[np.bool_]) -> tuple[int, int]:
    """Return start and stop of the longest stretch that is true.

    >>> longest(np.array([True, False, True, True]))
    (2, 4)
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], where, [False]]).astype(int)))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    k = int(np.argmax(lengths))
    return int(edges[2 * k]), int(edges[2 * k + 1])
