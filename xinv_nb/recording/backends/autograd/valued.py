"""A tape that keeps the value of each operation that gives one number: little more than autograd's own."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any


def valued_root() -> Any:
    """Return the root for a trace whose numbers are to be kept."""
    return _valued_node().new_root()


@functools.cache
def _valued_node() -> Any:
    from autograd import core, tracer

    initialize = core.VJPNode.__init__

    class ValuedNode(core.VJPNode):  # type: ignore[misc]
        """A node that keeps its value where that is one number."""

        __slots__ = ("value",)

        def __init__(
            self, value: Any, fun: Any, args: Any, kwargs: Any, parent_argnums: Any, parents: Sequence[Any]
        ) -> None:
            initialize(self, value, fun, args, kwargs, parent_argnums, parents)
            self.value = value if isinstance(value, float) else None

        def initialize_root(self) -> None:
            super().initialize_root()
            self.value = None

    tracer.notrace_primitives[ValuedNode] = tracer.notrace_primitives[core.VJPNode]
    return ValuedNode
