"""Whether a point at which all of a gradient is 0 can be a minimum, told by the operations at which it ends.

Where f'(u) = 0 on every way from the parameters to the loss, the second derivative of the loss is the sum of
(∂loss/∂f) f''(u) (∂u/∂p)² over all entries; of a product u v that of 2 (∂loss/∂f) (∂u/∂p) (∂v/∂p). That
takes walks from the operand back to the parameters only, and no evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recording.backends.autograd import tape
from xinv_nb.recording.backends.autograd.observing import step_at

_MOST_WALKS = 512
_MOST_PARAMETERS = 24


class Ended(Protocol):
    """An operation at which the gradient ends."""

    node: Any
    parent: Any
    outgrad: Any
    mask: Any


def of(deaths: Sequence[Ended], at_rest: NDArray[np.bool_]) -> Mapping[str, Any]:
    """Return the lowest and the highest curvature among parameters all of whose gradient ends at `deaths`, if known."""
    count = len(at_rest)
    if not deaths or count > _MOST_PARAMETERS or not at_rest.any():
        return {}
    hessian = np.zeros((count, count))
    walks = 0
    done: set[int] = set()
    for death in deaths:
        node = death.node
        if id(node) in done:
            continue
        done.add(id(node))
        walks += len(node.parents) * int(np.size(death.outgrad))
        if walks > _MOST_WALKS or np.shape(death.mask) != np.shape(death.outgrad):
            return {}
        goes_on = ~np.asarray(death.mask | (np.asarray(death.outgrad) == 0))
        if goes_on.any() and _reaches(node, goes_on, at_rest):
            return {}
        found = _product(node, death.outgrad) if step_at(node).name == "multiply" else _level(node, death.outgrad)
        if found is None or found.shape != hessian.shape:
            return {}
        hessian += found
    values = np.linalg.eigvalsh(hessian[np.ix_(at_rest, at_rest)])
    if not np.isfinite(values).all():
        return {}
    return {"lowest_curvature": float(values[0]), "highest_curvature": float(values[-1])}


def _reaches(node: Any, entries: NDArray[np.bool_], at_rest: NDArray[np.bool_]) -> bool:
    """Whether entries at which an operation has a slope hang on the parameters whose gradient is 0, or may do so."""
    slopes = _slopes(node.parents[0], entries.shape) if len(node.parents) == 1 else None
    return slopes is None or bool(slopes[entries.ravel()][:, at_rest].any())


def _level(node: Any, outgrad: Any) -> NDArray[np.float64] | None:
    """Return the second derivatives that a function of one operand brings in where its own slope is 0."""
    held = tape.held_by(node, ("x", "y"))
    if len(node.parents) != 1 or "x" not in held or np.shape(held["x"]) != np.shape(outgrad):
        return None
    x, name = np.asarray(held["x"], dtype=float), step_at(node).name
    bend: Any
    if name == "square":
        bend = 2.0
    elif name == "power" and np.size(held.get("y", [])) == 1:
        n = float(np.asarray(held["y"]).reshape(()))
        if n < 2:
            return None
        bend = n * (n - 1) * x ** (n - 2)
    elif name == "cos":
        bend = -np.cos(x)
    elif name == "cosh":
        bend = np.cosh(x)
    elif name in ("absolute", "fabs") and np.all(np.real(outgrad) >= 0):
        bend = 1.0  # a kink: the loss rises to both sides
    else:
        return None
    slopes = _slopes(node.parents[0], np.shape(outgrad))
    if slopes is None:
        return None
    bent: NDArray[np.float64] = (slopes.T * np.ravel(outgrad * bend)) @ slopes
    return bent


def _product(node: Any, outgrad: Any) -> NDArray[np.float64] | None:
    """Return the second derivatives that a product of two parts brings in."""
    held = tape.held_by(node, ("x", "y"))
    if len(node.parents) != 2 or any(np.shape(part) != np.shape(outgrad) for part in held.values()):
        return None
    one, other = (_slopes(parent, np.shape(outgrad)) for parent in node.parents)
    if one is None or other is None:
        return None
    crossed: NDArray[np.float64] = (one.T * np.ravel(outgrad)) @ other
    crossed += crossed.T.copy()
    return crossed


def _slopes(parent: Any, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    """Return the derivatives of an operand by the parameters: a row for each entry."""
    rows = []
    for index in np.ndindex(shape):
        seed: Any = np.zeros(shape)
        seed[index] = 1.0
        gradient = tape.gradient_from(seed if shape else np.float64(1.0), parent)
        if gradient is None:
            return None
        rows.append(_signed(gradient))
    return np.array(rows)


def _signed(value: Any) -> NDArray[np.float64]:
    if isinstance(value, Mapping):
        value = [value[key] for key in sorted(value, key=str)]
    if isinstance(value, (list, tuple)):
        return np.concatenate([_signed(item) for item in value]) if value else np.zeros(0)
    numbers: NDArray[np.float64] = np.real(np.asarray(value)).reshape(-1).astype(np.float64)
    return numbers
