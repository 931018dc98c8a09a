"""The structure of the parameters: names and arrays of nested dicts, lists and tuples, and the way back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rebuild = Callable[[list[Any]], Any]


def flatten(value: Any) -> list[NDArray[Any]]:
    """Return the numeric leaves of `value` in the order of its structure, without copying arrays.

    >>> [a.shape for a in flatten({"a": 1.0, "b": [np.zeros(3), (2, 3)]})]
    [(), (3,), (), ()]
    """
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in flatten(item)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in flatten(item)]
    return [np.asarray(value)]


def leaf_names(value: Any, root: str) -> list[str]:
    """Return the names of the leaves: the argument's own name, dict keys joined by dots, positions in brackets.

    >>> leaf_names({"drag": 1.0, "wind": {"x": 1.0}}, "params"), leaf_names([(0, 1)], "layers")
    (['drag', 'wind.x'], ['layers[0][0]', 'layers[0][1]'])
    """
    return _names(value, root, is_root=True)


def _names(value: Any, path: str, *, is_root: bool = False) -> list[str]:
    if isinstance(value, Mapping):
        start = "" if is_root else f"{path}."
        return [name for key, item in value.items() for name in _names(item, f"{start}{key}")]
    if isinstance(value, (list, tuple)):
        return [name for i, item in enumerate(value) for name in _names(item, f"{path}[{i}]")]
    return [path]


def rebuilder(value: Any) -> Rebuild:
    """Return a function that puts leaves, in the order of `flatten`, back into the structure of `value`."""

    def build(template: Any, leaves: list[Any]) -> Any:
        if isinstance(template, Mapping):
            return {key: build(item, leaves) for key, item in template.items()}
        if isinstance(template, tuple):
            return tuple(build(item, leaves) for item in template)
        if isinstance(template, list):
            return [build(item, leaves) for item in template]
        return leaves.pop(0)

    outline = _outline(value)
    return lambda leaves: build(outline, list(leaves))


def _outline(value: Any) -> Any:
    """Return the containers of `value` with None at the leaves, so that no array is kept alive."""
    if isinstance(value, Mapping):
        return {key: _outline(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_outline(item) for item in value) if type(value) in (list, tuple) else None
    return None


def in_flattening_order(value: Any) -> Any:
    """Return `value` with the keys of its dicts sorted: the order in which `autograd.misc.flatten` lays leaves out."""
    if isinstance(value, Mapping):
        return {key: in_flattening_order(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return type(value)(in_flattening_order(item) for item in value)
    return value


def argument_names(function: Any, positions: Sequence[int]) -> list[str]:
    """Return the names that `function` gives to its arguments at `positions`; `x0`, `x1`… where it names none."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    fallback = "x" if len(positions) == 1 else "x{}"
    return [named[i] if i < len(named) else fallback.format(i) for i in positions]
