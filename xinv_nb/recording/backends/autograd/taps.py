"""Listens to the backward pass at a value: taps on the nodes of the tape that is there anyway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xinv_nb.recording.backends.autograd.boxes import is_box
from xinv_nb.recording.backends.autograd.closures import closure


def tap(value: Any, level: int, receive: Callable[[Any], None]) -> Any | None:
    """Have `receive` called with the total cotangent of a boxed `value` when the backward pass comes by.

    Wraps the `vjp` of the node that is on the tape already, so that the tape, and with it every derivative of any
    order, stays exactly as it was. Of nested boxes the one of the outermost trace, at `level`, is tapped. Returns its
    node; None where there is none: a value that does not depend on the parameters has no cotangent.
    """
    while is_box(value) and value._trace != level:  # noqa: SLF001
        value = value._value  # noqa: SLF001
    node = value._node if is_box(value) else None  # noqa: SLF001
    original = getattr(node, "vjp", None)
    if original is None:  # of a pass forward, there is none
        return None

    def tapped(cotangent: Any) -> Any:
        receive(cotangent)
        return original(cotangent)

    node.vjp = tapped  # type: ignore[union-attr]
    return node


class Heard:
    """Stands for the function by which a node passes the gradient on, and keeps what it passed on.

    So what the program's own backward pass computed need not be computed again.
    """

    __slots__ = ("cotangent", "own", "passed")

    def __init__(self, own: Callable[[Any], Any]) -> None:
        self.own = own
        self.cotangent: Any = None
        self.passed: tuple[Any, ...] = ()

    def __call__(self, cotangent: Any) -> Any:
        """Pass it on."""
        self.cotangent = cotangent
        self.passed = passed = tuple(self.own(cotangent))
        return passed


def heard(node: Any) -> Heard | None:
    """Return what was heard at a node; None where nothing listened but taps."""
    vjp = node.vjp if type(node.vjp) is Heard else _below_taps(node)
    return vjp if type(vjp) is Heard else None


def untapped(node: Any) -> Any:
    """Return the function by which a node passes the gradient on, with nobody who listens."""
    vjp = _below_taps(node)
    return vjp.own if type(vjp) is Heard else vjp


def _below_taps(node: Any) -> Any:
    vjp = node.vjp
    while getattr(vjp, "__module__", "") == __name__ and (cells := closure(vjp, "tapped", "original")):
        vjp = cells[0]
    return vjp


def taps(node: Any) -> list[Callable[[Any], None]]:
    """Return what receives the cotangent of a node: what `tap` was given, the latest first."""
    found, vjp = [], node.vjp
    while getattr(vjp, "__module__", "") == __name__ and (cells := closure(vjp, "tapped", "original", "receive")):
        vjp = cells[0]
        found.append(cells[1])
    return found
