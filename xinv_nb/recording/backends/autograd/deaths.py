"""Where the gradient of a parameter ends: operations into which a cotangent goes, and out of which next to none comes.

Of each such operation the tape is walked back from its operand, to see which parameters lie behind it, and what their
derivatives would be if it passed on what came in: a measure in the units of the derivative itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd import stationary, tape
from xinv_nb.recording.backends.autograd.observing import step_at
from xinv_nb.recording.backends.autograd.reach import TINY, among, flat, seeds, tiny, walks
from xinv_nb.recording.backends.autograd.taps import untapped
from xinv_nb.recording.remarks import Remark

_FLAT = frozenset(
    [
        "clip",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "where",
        "exp",
        "exp2",
        "expm1",
        "tanh",
        "arctan",
        "expit",
        "erf",
        "erfc",
        "cdf",
        "sf",
        "pdf",
        "max",
        "amax",
        "min",
        "amin",
        "sinc",
    ]
)
"""Operations that are level, or nearly, over a whole stretch of their operand."""
_PRODUCTS = frozenset(
    ["multiply", "dot", "matmul", "tensordot", "inner", "einsum", "outer", "tensordot_adjoint_0", "dot_adjoint_0"]
)
"""Operations without a slope by the one part where the other is 0; only of interest where both hang on parameters."""
_LEVEL = frozenset(["power", "square", "cos", "cosh", "absolute", "abs", "fabs"])
"""Operations that are level at single points."""
_MOST = 24
"""Operations of which it is asked what lies behind them."""
_LARGEST = 1_000_000
"""Entries up to which an array is looked at."""
LOGISTIC = "1 / (1 + exp)"
MASK = "a product with a condition"
_NAMES = {"amax": "max", "amin": "min", "abs": "absolute"}


@dataclass(slots=True)
class Death:
    """An operation that passes next to nothing on to one of its parents."""

    node: Any
    parent: Any
    outgrad: Any
    """What comes in."""
    mask: Any
    """Which entries of the parent get nothing."""
    inflow: float
    outflow: float
    is_flat: bool
    """Whether the operation is level over a whole stretch."""
    name: str


def found(order: list[Any], seed: Any, gradient: Any) -> Iterator[tuple[Remark, Any]]:
    """Yield the operations at which the gradient of parameters ends, nearest to the loss first, and what lies behind.

    `order` are the nodes of the tape from its end to its root.
    """
    deaths, arrived, cancels = _deaths(order, seed)
    sizes = flat(gradient)
    explained = np.zeros(len(sizes), dtype=bool)
    at_rest = (arrived == 0) & (sizes == 0) if arrived is not None and len(arrived) == len(sizes) else explained
    level = [death for death in deaths if not death.is_flat]
    curved = {"cancels": True} if cancels else stationary.of(level, at_rest)
    cotangents = seeds(())
    asked = tiny(sizes)
    for death in deaths[: walks(len(order))]:
        if explained[asked].all():
            return
        size = np.shape(death.mask)
        drawn = next(seeds(size)) if size else next(cotangents)
        reach = tape.gradient_from(drawn * np.where(death.mask, death.inflow, 0.0)[()], death.parent)
        if reach is None:
            continue
        behind = among(reach, gradient, TINY)
        new = (flat(behind) > 0) & ~explained
        if new.any():
            explained |= new
            step = step_at(death.node)
            values = _values(death, order[-1]) | ({} if death.is_flat else dict(curved))
            yield Remark("dies", _NAMES.get(death.name, death.name), step.place, values), behind


def _deaths(order: list[Any], seed: Any) -> tuple[list[Death], Any, bool]:
    """Walk back along a tape, and return where cotangents end, and the size of all that arrives at the parameters.

    The latter is None where a part of the tape could not be walked. The last says whether cotangents cancelled on the
    way: what comes out as 0 then is so because of several operations.
    """
    outgrads: dict[Any, Any] = {order[0]: (seed, False)}
    dark: set[int] = set()
    deaths: list[Death] = []
    arrived: Any = 0.0
    cancels = False
    for node in order:
        outgrad = outgrads.pop(node, None)
        vjp = untapped(node)
        if id(node) in dark or outgrad is None or not tape.is_pure(vjp):
            dark.update(map(id, node.parents))
            arrived = None
            continue
        ingrads = list(vjp(outgrad[0]))
        name = step_at(node).name
        for parent, ingrad in zip(node.parents, ingrads, strict=True):
            if (operand := _operand_of_logistic(node, name)) is not None:
                death = _death(node, LOGISTIC, operand[0], outgrad[0], _through(operand[1], ingrad))
            else:
                death = _death(node, name, parent, outgrad[0], ingrad)
            if death is not None and len(deaths) < _MOST:
                deaths.append(death)
            cancels = cancels or (death is None and _cancels_within(name, outgrad[0], ingrad))
            if parent is order[-1] and arrived is not None:
                arrived = arrived + flat(tape.dense(ingrad))
            some = _some(outgrads.get(parent))  # before it is added to in place
            outgrads[parent] = tape.added(outgrads.get(parent), ingrad)
            cancels = cancels or (some is not None and bool(np.any(some & (np.asarray(outgrads[parent][0]) == 0))))
    return deaths, None if len(deaths) == _MOST else arrived, cancels


def _some(outgrad: Any) -> Any:
    """Return which entries of a cotangent are not 0; None where there is none yet."""
    return np.asarray(outgrad[0]) != 0 if outgrad is not None and _is_plain(outgrad[0]) else None


def _cancels_within(name: str, outgrad: Any, ingrad: Any) -> bool:
    """Whether the sum over what an operation was broadcast to is 0, though not all of its parts are."""
    if name in _FLAT or name in _LEVEL or not (_is_plain(outgrad) and _is_plain(ingrad)):
        return False
    return np.size(ingrad) < np.size(outgrad) and bool(np.any(outgrad != 0)) and not np.all(ingrad)


def _operand_of_logistic(node: Any, name: str) -> tuple[Any, list[Any]] | None:
    """Return the node of x, and those up to it, where a node is the end of 1 / (1 + exp(x))."""
    if name not in ("true_divide", "divide", "reciprocal") or len(node.parents) != 1:
        return None
    one_more = node.parents[0]
    if step_at(one_more).name != "add" or len(one_more.parents) != 1:
        return None
    power = one_more.parents[0]
    is_all = step_at(power).name == "exp" and tape.is_pure(untapped(one_more)) and tape.is_pure(untapped(power))
    return (power.parents[0], [one_more, power]) if is_all else None


def _through(way: list[Any], cotangent: Any) -> Any:
    """Return a cotangent behind a row of operations of one operand each."""
    for node in way:
        (cotangent,) = untapped(node)(cotangent)
    return cotangent


def _death(node: Any, name: str, parent: Any, outgrad: Any, ingrad: Any) -> Death | None:
    if name == "multiply" and _is_mask(node):
        name = MASK
    is_flat = name in _FLAT or name in (LOGISTIC, MASK)
    if not is_flat and name not in _LEVEL and (name not in _PRODUCTS or len(node.parents) < 2):
        return None
    if not (_is_plain(outgrad) and _is_plain(ingrad)):
        return None
    came, went = np.abs(outgrad), np.abs(ingrad)
    inflow = float(came.max(initial=0.0)) if np.ndim(came) else float(came)
    if not (inflow > 0 and np.isfinite(inflow)):
        return None
    share = TINY if is_flat else 0.0
    mask = (came > 0) & (went <= share * came) if np.shape(came) == np.shape(went) else went <= share * inflow
    if not np.any(mask):
        return None
    outflow = float(np.max(np.where(mask, went, 0.0)))
    return Death(node, parent, outgrad, mask, inflow, outflow, is_flat, name)


def _is_mask(node: Any) -> bool:
    """Whether a product is that of a number and of what is only true or false."""
    held = tape.held_by(node, ("x", "y"))
    return len(node.parents) == 1 and any(np.asarray(part).dtype == bool for part in held.values())


def _is_plain(value: Any) -> bool:
    return isinstance(value, (float, np.generic)) or (isinstance(value, np.ndarray) and value.size <= _LARGEST)


def _values(death: Death, root: Any) -> dict[str, Any]:
    """Return what is known of an operation at which a gradient ends, as plain data."""
    node, parent = death.node, death.parent
    held = tape.held_by(node, ("x", "y", "ans", "a_min", "a_max"))
    values: dict[str, Any] = {
        "inflow": death.inflow,
        "outflow": death.outflow,
        "is_flat": death.is_flat,
        "is_whole": bool(np.all(death.mask)),
        "is_direct": _is_entry(parent, root),
    }
    if step_at(node).name == "clip":
        for key in ("a_min", "a_max"):
            if key in held and np.size(held[key]) == 1:
                values[key] = float(np.asarray(held[key]).reshape(()))
    if "ans" in held and np.size(held["ans"]):
        values["largest"] = float(np.max(np.abs(held["ans"])))
    return values


def _is_entry(node: Any, root: Any) -> bool:
    """Whether a node is the parameters themselves, or a part of them."""
    while node is not root:
        if len(node.parents) != 1 or not any(word in step_at(node).name for word in ("getitem", "take")):
            return False
        node = node.parents[0]
    return True
