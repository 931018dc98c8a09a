"""What the browser asks, looked at before it is believed: anything may come through a notebook's channel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import UnionType
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from xinv_nb.view import messages


def read_request(content: object) -> messages.ToKernel | None:
    """Return a message of the browser with the fields that `messages` declares, or None where it is no such message.

    >>> read_request({"type": "explain", "span": [3, 9], "more": 1})
    {'type': 'explain', 'span': (3, 9)}
    >>> read_request({"type": "explain", "span": "everything"}) is None
    True
    """
    kind = content.get("type") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(kind, str) or kind not in _fields():
        return None
    try:
        found = {name: _read(content.get(name), wanted) for name, wanted in _fields()[kind].items()}
    except (TypeError, ValueError, OverflowError):
        return None
    return cast("messages.ToKernel", found)


@cache
def _fields() -> dict[str, dict[str, Any]]:
    """Return the fields of each message with their types, by the message's name."""
    declared = [get_type_hints(message) for message in get_args(messages.ToKernel)]
    return {get_args(fields["type"])[0]: fields for fields in declared}


def _read(value: Any, wanted: Any) -> Any:
    """Return a field as the type that is wanted; raises `TypeError` or `ValueError` where it is none."""
    kind, inner = get_origin(wanted), get_args(wanted)
    if kind is Literal:
        return value
    if kind is UnionType:
        return None if value is None else _read(value, inner[0])
    if kind in (tuple, Sequence):
        if not isinstance(value, list):
            raise TypeError("no list")
        if kind is tuple:
            return tuple(_read(each, of) for each, of in zip(value, inner, strict=True))
        return [_read(each, inner[0]) for each in value]
    if wanted is int and isinstance(value, float):
        return int(value)
    if not isinstance(value, wanted):
        raise TypeError(f"no {wanted.__name__}")
    return value
