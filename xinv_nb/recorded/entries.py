"""Which numbers among the parameters are followed over a run, and what the reader calls them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.leaves import Leaf
from xinv_nb.recorded.problem import Parameter

Known = Mapping[str | int, Parameter]
"""What the problem tells of its parameters."""

_MOST_FOLLOWED = 40
"""Parameters up to which each is followed by itself; of more, arrays of more than `_SMALL` entries are summarized."""
_SMALL = 4


@dataclass(frozen=True)
class Entry:
    """One number among the parameters that is followed over the run, with what is known of it."""

    name: str
    label: str
    group: str
    parameter: Parameter
    leaf: Leaf
    column: int | None
    """Column of the history; None where the number is the root mean square of the whole leaf."""
    part: Literal["", "real", "imaginary"] = ""
    """Which part of a complex number it is."""

    @property
    def statistic(self) -> str:
        """`"rms"` where the number is the root mean square of a large array, else an empty string."""
        return "" if self.column is not None else "rms"

    def part_of(self, numbers: NDArray[Any], of: Literal["values", "gradients"]) -> NDArray[np.float64]:
        """Return the numbers of this entry, of those that stand in its column.

        What autograd gives as the gradient by x + iy is ∂/∂x − i ∂/∂y.
        """
        if self.part == "imaginary":
            return np.imag(numbers) if of == "values" else -np.imag(numbers)
        return np.real(numbers)

    @property
    def place(self) -> int | None:
        """The column of the history that holds these numbers; None where they are computed from a leaf's columns."""
        return self.column if self.column is not None else self.leaf.rms_column


def followed(leaves: Sequence[Leaf], known: Known, chosen: Sequence[str] = ()) -> list[Entry]:
    """Return each entry of small arrays and a summary of each large one, with the entries of it that the user named.

    `chosen` are the names of parameters that the user wants to see; all, where none of them is there.
    """
    width = sum(leaf.size * (1 + leaf.is_complex) for leaf in leaves)
    found: list[Entry] = []
    for leaf in leaves:
        if width <= _MOST_FOLLOWED or leaf.size <= _SMALL:
            found += entries_of(leaf, range(leaf.stop - leaf.start), known)
        else:
            found.append(_summary_of(leaf, known))
            found += entries_of(leaf, _named_in(leaf, known, chosen), known)
    names = set(chosen)
    return [e for e in found if names & {e.name, e.label, e.group}] or found


def entries_of(leaf: Leaf, positions: Iterable[int], known: Known) -> list[Entry]:
    """Return entries of one leaf by their flat positions."""
    of_leaf = known.get(leaf.name) or Parameter()
    group = of_leaf.name or leaf.name
    entries: list[Entry] = []
    for position in positions:
        name = leaf.entry_name(position)
        own = known.get(name) or known.get(leaf.start + position)
        label = (own.name if own and own.name else None) or (name if leaf.shape else group)
        if own is None and leaf.shape and of_leaf.name:
            label = name.replace(leaf.name, of_leaf.name, 1)
        elif leaf.labels and not (own and own.name):
            label = leaf.labels[position]
        entry = Entry(name, label, group, own or of_leaf, leaf, leaf.start + position)
        entries += _parts(entry, known) if leaf.is_complex else [entry]
    return entries


def _parts(entry: Entry, known: Known) -> list[Entry]:
    """Return the real and the imaginary part of a complex entry: `Re z[1]` and `Im z[1]`."""
    found = []
    parts: tuple[tuple[Literal["real", "imaginary"], str], ...] = (("real", "Re"), ("imaginary", "Im"))
    for part, short in parts:
        name, of_both = f"{short} {entry.name}", entry.parameter
        truth = of_both.truth
        if truth is not None:
            truth = float(np.real(truth) if part == "real" else np.imag(truth))
        own = known.get(name) or replace(of_both, bounds=None, truth=truth)
        label = own.name if name in known and own.name else f"{short} {entry.label}"
        found.append(replace(entry, name=name, label=label, parameter=own, part=part))
    return found


def _summary_of(leaf: Leaf, known: Known) -> Entry:
    of_leaf = known.get(leaf.name) or Parameter()
    group = of_leaf.name or leaf.name
    return Entry(leaf.name, f"{group} (rms)", group, of_leaf, leaf, None)


def _named_in(leaf: Leaf, known: Known, chosen: Sequence[str]) -> list[int]:
    """Return the places of the entries of a leaf that the problem describes, or that the user chose."""
    if leaf.kept is not None:
        return []
    places = {leaf.position_of(name) for name in (*known, *chosen) if isinstance(name, str)}
    places |= {key - leaf.start for key in known if isinstance(key, int) and leaf.start <= key < leaf.stop}
    return sorted(place for place in places if place is not None)
