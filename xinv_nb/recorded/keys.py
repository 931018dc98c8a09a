"""What the keys of a dict of parameters are called, also those that are functions or other objects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from xinv_nb.recorded.plain import text_of

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")
_PLAIN = (str, int, float, complex, bool, type(None), tuple)


def key_names(keys: Sequence[Any]) -> list[str]:
    """Return what the keys of a dict are called: functions by their names, objects that have none by their classes.

    >>> key_names(["drag", 2, max, object(), object()])
    ['drag', '2', 'max', 'object 1', 'object 2']
    """
    seen: Counter[str] = Counter()
    found = []
    for key in keys:
        name = key if isinstance(key, str) else _own_name(key)
        if not name:
            kind = "function" if isinstance(key, FunctionType) else type(key).__name__
            seen[kind] += 1
            name = f"{kind} {seen[kind]}"
        found.append(name)
    return found


def _own_name(key: Any) -> str:
    """Return what an object calls itself; empty where that is no more than its address."""
    name = key.__name__ if isinstance(key, (FunctionType, MethodType, BuiltinFunctionType, type)) else text_of(key)
    return "" if name == "<lambda>" or _ADDRESS.search(name) else name


def with_plain_keys(outline: Any) -> Any:
    """Return a structure with names in the place of keys that are functions or other objects.

    >>> with_plain_keys({len: None, 1: [{"a": None}]})
    {'len': None, 1: [{'a': None}]}
    """
    if isinstance(outline, Mapping):
        names = zip(outline, key_names(list(outline)), strict=True)
        return {key if isinstance(key, _PLAIN) else name: with_plain_keys(outline[key]) for key, name in names}
    if isinstance(outline, (list, tuple)):
        return type(outline)(with_plain_keys(item) for item in outline)
    return outline
