"""What steps and the changes of the gradient over them (secant pairs) say of the curvature.

Method: least squares for a symmetric matrix, in the directions in which the steps went (the pairs are those of
quasi-Newton methods; Barzilai and Borwein 1988 read a single curvature from each).
"""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.measures.iterates import Floats

_EXPLORED = 1e-6
"""Mean square of the steps' directions along one from which it is explored."""
_UNEXPLAINED = 0.02
"""Share of the squared changes of the gradient that a constant curvature may leave unexplained."""
_BENT = 0.05
"""Share of the curvature in any direction but the one explored most that what is unexplained may have made: the loss
bends along the one, and where the steps hardly went in another, that is taken for the other's curvature."""


def explored_by(steps: Floats) -> Floats:
    """Return an orthonormal basis of the directions that the steps went in."""
    lengths = np.linalg.norm(steps, axis=1)
    steps = steps[lengths > 0] / lengths[lengths > 0, None]
    shares, directions = np.linalg.eigh(steps.T @ steps / max(len(steps), 1))
    return np.asarray(directions[:, shares > _EXPLORED])


def fit(steps: Floats, changes: Floats) -> tuple[Floats, Floats, Floats] | None:
    """Return eigenvalues, vectors and errors of the symmetric matrix that best takes each step to its change.

    None where no matrix explains the changes: the loss is not quadratic there, or noisy.

    >>> steps = np.random.default_rng(0).standard_normal((40, 2))
    >>> values, _, errors = fit(steps, steps @ np.diag([1.0, 9.0]))
    >>> values.round(6), bool(errors.max() < 1e-9)
    (array([1., 9.]), True)
    """
    count, width = steps.shape
    gram, mixed = steps.T @ steps, steps.T @ changes
    shares, basis = np.linalg.eigh(gram)
    inner = basis.T @ (mixed + mixed.T) @ basis / (shares[:, None] + shares[None, :])
    matrix = basis @ inner @ basis.T
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    along, left = steps @ vectors, (changes - steps @ matrix) @ vectors
    errors = np.sqrt(np.sum(left**2, axis=0) / max(count - width, 1) / np.sum(along**2, axis=0))
    unexplained = float(np.sum(left**2))
    made = np.sqrt(unexplained / max(count - width, 1) / (shares[:-1] / count))
    is_bent = bool((made > _BENT * np.abs(np.diag(inner))[:-1]).any())
    explained = unexplained <= _UNEXPLAINED * float(np.sum(changes**2)) and not is_bent
    return (values, vectors, errors) if explained else None
