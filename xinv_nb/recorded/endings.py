"""Why a solver stopped, by what it says: its message, read into one of a few reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xinv_nb.language.slots import Clause, Said, Slot, Value

OUT_OF = ("evaluations", "iterations")
"""Reasons that say that the solver was not done."""
NO_LOWER_LOSS = ("direction", "line search")
"""Reasons that say that a search took no further step, mostly as it found nothing lower."""

_NO_SLOPE = ("SLSQP", "Newton-CG")
"""Solvers whose test for convergence is not one of the slope."""

_REASONS = (
    ("stopiteration", "callback"),
    ("user requested", "callback"),
    ("`callback` function requested", "callback"),
    ("callback function requested", "callback"),
    ("callback requested", "callback"),
    ("nan result", "not a number"),
    ("precision loss", "direction"),
    ("abnormal", "line search"),
    ("line search", "line search"),
    ("linear search", "line search"),
    ("directional derivative", "line search"),
    ("unable to progress", "no progress"),
    ("projected gradient", "flat"),
    ("projected_gradient", "flat"),
    ("gtol` termination", "first-order conditions"),
    ("ftol` termination", "hardly changes"),
    ("both `ftol` and", "hardly changes"),
    ("local minimum", "flat"),
    ("relative reduction of f", "hardly changes"),
    ("rel_reduction_of_f", "hardly changes"),
    ("|f_n-f_(n-1)|", "hardly changes"),
    ("xtol` termination", "tiny steps"),
    ("|x_n-x_(n-1)|", "tiny steps"),
    ("not making good progress", "no progress"),
    ("trust region radius", "tiny steps"),
    ("trust-region radius", "tiny steps"),
    ("maxfun times", "evaluations"),
    ("function evaluations", "evaluations"),
    ("g evaluations", "evaluations"),
    ("cg iterations", ""),  # of its inner search: none of its limits
    ("iterations", "iterations"),
    ("iteration limit", "iterations"),
    ("terminated successfully", "converged"),
    ("solution found", "converged"),
    ("solution was found", "converged"),
)
"""Parts of SciPy's messages, and what they mean."""


def reason_of(message: str) -> str:
    """Return the reason that a message gives; empty if it is none that is known.

    >>> reason_of("Optimization terminated successfully."), reason_of("NORM OF PROJECTED GRADIENT <= PGTOL")
    ('converged', 'flat')
    """
    text = message.lower()
    return next((reason for part, reason in _REASONS if part in text), "")


def why_of(values: Mapping[str, Any]) -> Clause | None:
    """Return why a solver stopped as a part of a sentence, out of what its last event knows; None if it is not known.

    >>> why_of({"optimizer": "BFGS", "reason": "flat", "bounded": True}).form
    'why, flat, within bounds'
    """
    reason, message = values.get("reason", ""), str(values.get("message", ""))
    slots: dict[str, Slot] = {}
    if not reason:
        if not message:
            return None
        return Clause("why, its message", {"message": Said(" ".join(message.split()).rstrip("."))})
    if reason == "flat" and values.get("bounded"):
        reason = "flat, within bounds"
    slope = values.get("largest_slope")
    if reason == "converged" and slope is not None and values["optimizer"] not in _NO_SLOPE:
        reason, slots = "converged, with slope", {"slope": Value(slope)}
    if "tried_lower" in values:
        reason, slots = "no step, with lower", {}  # which these are is told where it matters
    return Clause(f"why, {reason}", slots)
