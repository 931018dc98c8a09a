"""A tape that keeps of each operation what it is, and its value where that is one number.

It costs next to nothing more than autograd's own: terms of a loss are read from it in every evaluation.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np


def valued_root(x: Any) -> Any:
    """Return the root for a trace at `x` whose numbers are to be kept."""
    root = _valued_node().new_root()
    root.value = x if isinstance(x, float) else None
    return root


@functools.cache
def _valued_node() -> Any:
    from autograd import core, tracer

    initialize, makers, number = core.VJPNode.__init__, core.primitive_vjps, np.float64

    class ValuedNode(core.VJPNode):  # type: ignore[misc]
        """A node that keeps its primitive, and its value where that is one number."""

        __slots__ = ("function", "value")

        def __init__(
            self, value: Any, fun: Any, args: Any, kwargs: Any, parent_argnums: Any, parents: Sequence[Any]
        ) -> None:
            self.value = value if type(value) is number else None
            self.function = fun
            maker = makers.get(fun)
            if maker is None:
                initialize(self, value, fun, args, kwargs, parent_argnums, parents)  # which says what is missing
            else:  # what autograd's own does, with no call more
                self.parents = parents  # type: ignore[misc]  # its slots are in the class above
                self.vjp = maker(parent_argnums, value, args, kwargs)  # type: ignore[misc]

        def initialize_root(self) -> None:
            super().initialize_root()
            self.value = self.function = None

    tracer.notrace_primitives[ValuedNode] = tracer.notrace_primitives[core.VJPNode]
    return ValuedNode
