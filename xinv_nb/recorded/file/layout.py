"""The names in the files of runs."""

from __future__ import annotations

FORMAT, VERSION = "xinv_nb run", 2
EACH = ("loss", "values", "gradients", "accepted")
"""Members with a row for each evaluation."""
CURVATURE = ("scale", "slope", "values", "vectors")
CHECKS = ("starts", "points", "losses", "ridges")


def prefix(objective: int) -> str:
    """Return what the members of an objective begin with, by its number."""
    return f"objective{objective}/" if objective else ""
