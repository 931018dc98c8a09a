"""A tape that keeps of each operation what it is, and its value where that is one number.

It costs next to nothing more than autograd's own: terms of a loss are read from it in every evaluation.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from xinv_nb.recording.backends.autograd.taps import Heard


def valued_root(x: Any, *, heard: bool = False) -> Any:
    """Return the root for a trace at `x` whose numbers are to be kept, and where it is `heard` what they pass on."""
    root = _valued_nodes()[heard].new_root()
    root.value = x if isinstance(x, float) else None
    return root


@functools.cache
def _valued_nodes() -> tuple[Any, Any]:
    from autograd import core, tracer

    initialize, makers, number = core.VJPNode.__init__, core.primitive_vjps, np.float64

    class ValuedNode(core.VJPNode):  # type: ignore[misc]
        """A node that keeps its primitive, and its value where that is one number."""

        __slots__ = ("__weakref__", "function", "value")
        listens = False

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
            if self.listens and self.value is not None:
                self.vjp = Heard(self.vjp)

        def initialize_root(self) -> None:
            super().initialize_root()
            self.value = self.function = None

    class HeardNode(ValuedNode):
        """The same, which keeps what the backward pass passes on where there is one number."""

        __slots__ = ()
        listens = True

    for node in (ValuedNode, HeardNode):
        tracer.notrace_primitives[node] = tracer.notrace_primitives[core.VJPNode]
    return ValuedNode, HeardNode
