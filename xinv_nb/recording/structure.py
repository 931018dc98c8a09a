"""The structure of the parameters: names and arrays of nested dicts, lists and tuples, and the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from xinv_nb.recorded.keys import key_names
from xinv_nb.recorded.leaves import WHOLE_LIMIT, Summary, summary
from xinv_nb.recording.backends.boxes import plain_value

NO_NUMBERS = np.zeros(0)
"""Stands for a parameter of a type that a package has taught autograd, whose numbers only that package can read."""


def copied(value: Any, *, summarise: bool) -> Any:
    """Return the structure of `value` with copies of its leaves, as arrays without the boxes of a framework.

    Of large arrays only a summary is taken where `summarise` says so: copying them is what would cost.
    """
    kind = type(value)
    if kind is np.ndarray:  # the plain cases, at once
        if value.size <= WHOLE_LIMIT:
            return value.copy()
        if summarise:
            return summary(value)
    elif kind is list or kind is tuple:
        return kind([copied(item, summarise=summarise) for item in value])
    value = plain_value(value)
    if isinstance(value, (list, tuple)):  # first: to ask whether something is a mapping takes its time
        return type(value)([copied(item, summarise=summarise) for item in value])
    if isinstance(value, Mapping):
        return {key: copied(item, summarise=summarise) for key, item in value.items()}
    if summarise and isinstance(value, np.ndarray) and value.size > WHOLE_LIMIT:
        return summary(value)
    return _numbers(np.array(value))


def _numbers(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array if array.dtype.kind in "biufc" else NO_NUMBERS


def outline(value: Any) -> Any:
    """Return the containers of `value` with None at the leaves, so that no array is kept alive."""
    if isinstance(value, Mapping):
        return {key: outline(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(outline(item) for item in value)
    return None


def flatten(value: Any, like: Any) -> list[Any]:
    """Return the leaves of `value` in the order of the outline `like`, whatever the order of its own dicts.

    >>> [a.shape for a in flatten({"b": [np.zeros(3), 2.0], "a": 1.0}, like={"a": None, "b": [None, None]})]
    [(), (3,), ()]
    """
    found: list[Any] = []
    _add_leaves(value, like, found)
    return found


def _add_leaves(value: Any, like: Any, found: list[Any]) -> None:
    kind = type(value)
    if like is None and (kind is Summary or (kind is np.ndarray and value.dtype.kind in "biufc")):
        found.append(value)
        return
    value = plain_value(value)
    if isinstance(like, (list, tuple)):
        for part, item in zip(value, like, strict=True):
            _add_leaves(part, item, found)
    elif isinstance(like, Mapping):
        for key, item in like.items():
            _add_leaves(value[key], item, found)
    else:
        found.append(value if isinstance(value, Summary) else _numbers(np.asarray(value)))


def signature(value: Any) -> Hashable:
    """Return what tells structures apart: keys, lengths and shapes, but not the order of keys or axes of length 1.

    >>> signature(np.ones((1, 3))) == signature(np.zeros(3)), signature(np.ones((3, 2))) == signature(np.ones((2, 3)))
    (True, False)
    """
    if isinstance(value, np.ndarray):
        return _sides(value.shape), value.dtype.kind == "c"
    if isinstance(value, (list, tuple)):
        return tuple([signature(item) for item in value])
    if isinstance(value, Mapping):
        return frozenset((key, signature(item)) for key, item in value.items())
    return _sides(np.shape(value)), np.iscomplexobj(value)


def _sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(side for side in shape if side != 1) if 1 in shape else shape


def leaf_names(value: Any, root: str) -> list[str]:
    """Return the names of the leaves: the argument's own name, dict keys joined by dots, positions in brackets.

    >>> leaf_names({"drag": 1.0, "wind": {"x": 1.0}}, "params"), leaf_names([(0, 1)], "layers")
    (['drag', 'wind.x'], ['layers[0][0]', 'layers[0][1]'])
    """
    return _names(value, root, is_root=True)


def names_of_arguments(values: Sequence[Any], roots: Sequence[str]) -> list[str]:
    """Return the names of the leaves of several arguments, each name once.

    >>> names_of_arguments([{"x": 1.0}, {"x": 1.0, "y": 2.0}], ["source", "target"])
    ['source.x', 'target.x', 'target.y']
    """
    names = [name for value, root in zip(values, roots, strict=True) for name in leaf_names(value, root)]
    if len(set(names)) < len(names):
        names = [name for value, root in zip(values, roots, strict=True) for name in _names(value, root)]
    return _told_apart(names)


def _told_apart(names: Sequence[str]) -> list[str]:
    """Return the names with a number behind each that was there before, such as those of the keys `1` and `"1"`."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return found


def _names(value: Any, path: str, *, is_root: bool = False) -> list[str]:
    if isinstance(value, Mapping):
        start = "" if is_root else f"{path}."
        keys = key_names(list(value))
        return [name for key, item in zip(keys, value.values(), strict=True) for name in _names(item, f"{start}{key}")]
    if isinstance(value, (list, tuple)):
        return [name for i, item in enumerate(value) for name in _names(item, f"{path}[{i}]")]
    return [path]
