"""The recording as a sentence speaks of it: its quantities by name, and the evaluations that a moment means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xinv_nb.claims.clauses import LOSS
from xinv_nb.claims.domain import Domain
from xinv_nb.claims.statements import Mark, Statement
from xinv_nb.facts.analysis import facts_of, phases_of, story_span
from xinv_nb.facts.counting import noun_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.facts.measures.sizes import gradient_sizes
from xinv_nb.language.quantities import quantity as with_its_unit
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.watch import Watch

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Verdict = tuple[bool | None, str]

FLAT = 0.02
"""Share of a quantity's range over the run within which it hardly changes."""


class Evidence:
    """What one recording shows, within a span of it."""

    def __init__(self, run: RecordedRun, domain: Domain, span: tuple[int, int] | None = None) -> None:
        self.run, self.domain = run, domain
        self.first, self.last = story_span(run)
        a, b = sorted(span or (self.first, self.last))
        if span is not None:  # a stretch of another fit than the one that is told of
            self.first, self.last = min(self.first, max(int(a), 0)), max(self.last, min(int(b), run.evaluations - 1))
        self.span = (min(max(int(a), self.first), self.last), min(max(int(b), self.first), self.last))
        self._series: dict[str, Floats | None] = {}
        self.entries: dict[str, Entry] = {f"parameter {e.name}": e for e in run.entries()}

    @cached_property
    def noun(self) -> str:
        """What an evaluation is called."""
        return noun_of(self.run)

    @property
    def count(self) -> int:
        """How many evaluations there are."""
        return self.last - self.first + 1

    def series(self, key: str) -> Floats | None:
        """Return a quantity at each evaluation, or None where it was not recorded as one number a time."""
        if key not in self._series:
            self._series[key] = self._read(key)
        return self._series[key]

    def _read(self, key: str) -> Floats | None:
        if key == LOSS:
            return self.run.loss
        if key == "gradient":
            return gradient_sizes(self.run) if self.run.has_gradients else None
        if entry := self.entries.get(key):
            return self.run.column(entry)
        if key.startswith("term "):
            return self._term(key.removeprefix("term "))
        watch = self.watches.get(key.removeprefix("watch ")) if key.startswith("watch ") else None
        if watch is None or watch.values.dtype.kind not in "fiub" or watch.values.ndim != 1:
            return None
        if not np.array_equal(watch.evaluation, np.arange(self.run.evaluations)):
            return None
        return watch.values.astype(float)

    def _term(self, name: str) -> Floats | None:
        """Return a term of the loss at each evaluation, where it is known of all."""
        evaluations, values = self.run.history.sums.arrays()
        if not np.array_equal(evaluations, np.arange(self.run.evaluations)):
            return None
        names = [term.name for term in self.run.history.sums.terms]
        return values[:, names.index(name)] if name in names else None

    @cached_property
    def watches(self) -> dict[str, Watch]:
        """The watched quantities, read once."""
        return self.run.watches

    def slopes(self, key: str) -> Floats | None:
        """Return the derivative of the loss with respect to a quantity at each evaluation."""
        if entry := self.entries.get(key):
            is_known = self.run.has_gradients and not entry.statistic
            return self.run.column(entry, "gradients") if is_known else None
        if self.series(key) is None or not key.startswith("watch "):
            return None
        slopes = np.real(self.watches[key.removeprefix("watch ")].cotangents).astype(float)
        return None if np.isnan(slopes).all() else slopes

    def name(self, key: str) -> str:
        """Return what a quantity is called within a sentence."""
        if key == LOSS:
            told = told_of_loss(self.run)
            return "the loss" if told is None else told.name
        if key == "gradient":
            return "the size of the gradient"
        if entry := self.entries.get(key):
            return entry.label
        return key.partition(" ")[2] or key

    def said(self, key: str, value: float) -> str:
        """Return a value of a quantity with its unit."""
        return with_its_unit(value, self.domain.units.get(key, ""), 4)

    def place(self, mark: Mark, rows: Rows) -> list[int]:
        """Return the evaluations that a moment may mean."""
        kind, at = mark
        if kind == "start":
            return [int(rows[0])]
        if kind == "end":
            return [int(rows[-1])]
        if kind == "only":
            return [self.first] if self.last == self.first else []
        if kind == "first":
            return [i for i in (int(rows[0]) + at - 1, int(rows[0]) + at) if self.first <= i <= self.last]
        return [at] if self.first <= at <= self.last else []

    def part(self, statement: Statement, rows: Rows) -> Rows:
        """Return the evaluations that a statement is about."""
        a, b = self.place(statement.since, rows), self.place(statement.until, rows)
        if not a or not b:
            return rows[:0]
        kept = rows[(rows >= a[0]) & (rows <= b[0])]
        return kept if len(kept) and kept[0] == a[0] and kept[-1] == b[0] else np.arange(a[0], b[0] + 1)

    def ends(self, s: Statement, rows: Rows) -> tuple[float, float, str] | None:
        """Return the first and the last finite value of a statement's stretch, and both in words."""
        values = self.series(s.quantity)
        part = self.part(s, rows)
        if values is None or len(part) == 0:
            return None
        finite = part[np.isfinite(values[part])]
        if not len(finite):
            return None
        first, final = (float(values[i]) for i in (finite[0], finite[-1]))
        went = f"from {self.said(s.quantity, first)} to {self.said(s.quantity, final)}"
        return first, final, f"{self.name(s.quantity)} went {went} between {self.noun}s {finite[0]} and {finite[-1]}"

    def in_level_phase(self, part: Rows) -> bool:
        """Whether evaluations lie in one phase in which the loss hardly changes."""
        level = (p for p in phases_of(self.run) if p.kind in ("plateau", "converged"))
        return any(p.start <= part[0] and part[-1] <= p.stop for p in level)

    def facts(self, *kinds: str) -> Iterator[Fact]:
        """Yield the facts of some kinds."""
        return (fact for fact in facts_of(self.run) if fact.kind in kinds)

    def unknown(self, s: Statement) -> Verdict:
        """Return the verdict on what the recording does not show."""
        return (
            None,
            f"the recording does not show this of {self.name(s.quantity)}" if s.quantity else "not in the recording",
        )


Judge = Callable[[Evidence, Statement, Rows], Verdict]
"""Judges a statement over some evaluations."""
