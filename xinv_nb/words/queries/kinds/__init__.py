"""The kinds of queries, one room each: a module that declares its `QUERY` here is a kind, with no list to keep."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from xinv_nb.words.queries.query_kind import QueryKind


@functools.cache
def all_query_kinds() -> Mapping[str, QueryKind]:
    """Return all kinds of queries by their names."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return {module.QUERY.name: module.QUERY for module in modules}
