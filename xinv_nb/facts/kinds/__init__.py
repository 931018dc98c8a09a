"""The kinds of facts, one room each: a module that declares its `KIND` here is a kind, with no list to keep."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from xinv_nb.facts.kind import Kind


@functools.cache
def all_kinds() -> tuple[Kind, ...]:
    """Return all kinds, in the order of their ranks."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return tuple(sorted((module.KIND for module in modules if hasattr(module, "KIND")), key=lambda kind: kind.rank))
