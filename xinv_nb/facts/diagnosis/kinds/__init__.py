"""The kinds of findings, one room each: a module that declares its `KIND` here is a kind, with no list to keep."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from xinv_nb.facts.diagnosis.kind import FindingKind


@functools.cache
def all_finding_kinds() -> tuple[FindingKind, ...]:
    """Return all kinds of findings, in the order of their ranks."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return tuple(sorted((module.KIND for module in modules), key=lambda kind: kind.rank))
