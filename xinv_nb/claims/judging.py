"""Whether the recording supports the statements of a sentence, all of them read over the same stretch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.claims.domain import Domain
from xinv_nb.claims.judges import accounts, changes, comparisons, gradients, occurrences, patterns, values
from xinv_nb.claims.judges.evidence import Evidence, Rows, Verdict
from xinv_nb.claims.statements import Statement
from xinv_nb.facts.analysis import phases_of
from xinv_nb.recorded.run import RecordedRun

_FIXED = frozenset(["at", "first"])
"""Moments that are named by their iteration."""
_COUNTED = frozenset(["value", "passes", "by", "ratio", "factor", "limit", "stays"])
"""Statements from whose numbers it is seen over how many iterations they are meant."""
_MEASURED = frozenset(["value", "truth", "limit", "passes", "stays", "around", "by"])
"""Statements whose number has the unit of their quantity."""
_JUDGES = {
    kind: judge
    for module in (values, changes, comparisons, patterns, gradients, accounts, occurrences)
    for kind, judge in module.JUDGES.items()
}


class Judge:
    """Judges statements against one recording, within a span of it."""

    def __init__(self, run: RecordedRun, domain: Domain, span: tuple[int, int] | None = None) -> None:
        self.evidence = Evidence(run, domain, span)

    def judge(self, statements: Sequence[Statement], *, whole: bool, ended: bool = False) -> list[Verdict]:
        """Return a verdict for each statement of a sentence.

        All of them are read over the same stretch: the span; where the sentence counts iterations and does not speak of
        the end (`ended`), that many from the start; where it names no stretch and is not about the whole (`whole`), the
        one that another of its statements names, or the phase that goes from one of its values to another.
        """
        best: list[Verdict] = []
        fewest = math.inf
        if any(statement.negated for statement in statements):  # what did not happen, did not by any reading
            readings = list(self._stretches(statements, whole=True, ended=True))
            found = [[self._verdict(statement, rows) for statement in statements] for rows in readings]
            return max(found, key=lambda verdicts: sum(supported is not True for supported, _ in verdicts))
        for rows in self._stretches(statements, whole=whole, ended=ended):
            verdicts = [self._verdict(statement, rows) for statement in statements]
            wrong = sum(2 * (supported is False) + (supported is None) for supported, _ in verdicts)
            if wrong < fewest:
                best, fewest = verdicts, wrong
            if not wrong:
                break
        return best

    def _stretches(self, statements: Sequence[Statement], *, whole: bool, ended: bool) -> Iterator[Rows]:
        first, last = self.evidence.first, self.evidence.last
        accepted = np.flatnonzero(self.evidence.run.accepted[first : last + 1]) + first
        spans = [self.evidence.span]
        spans += self._from_the_start(statements) if not ended else []
        mixed = any((s.since[0] in _FIXED) != (s.until[0] in _FIXED) for s in statements)
        if not whole and not mixed:
            spans += [(s.since[1], s.until[1]) for s in statements if s.since[0] == s.until[0] == "at"]
        if not whole and not mixed and _has_both_ends(statements):
            spans += [(p.start, end) for p in phases_of(self.evidence.run) for end in (min(p.stop, last), p.stop - 1)]
        for a, b in dict.fromkeys(spans):
            if self.evidence.span[0] <= a < b <= self.evidence.span[1] or (a, b) == self.evidence.span:
                yield np.arange(a, b + 1)
                part = accepted[(accepted >= a) & (accepted <= b)]
                if 0 < len(part) < b - a + 1:
                    yield part

    def _from_the_start(self, statements: Sequence[Statement]) -> Iterator[tuple[int, int]]:
        """Yield what "in 10 iterations" and "within 10 iterations" may mean in a longer run."""
        start, stop = self.evidence.span
        measured = [s for s in statements if s.kind in _COUNTED]
        for s in statements if measured and not any(s.kind == "ending" for s in statements) else ():
            if s.kind != "count" or not 0 < (count := int(s.what[0])) <= stop - start or "total" in s.what:
                continue
            yield from ((start, start + count - 1), (start, start + count))
            if "within" in s.what:
                yield from ((start, end) for end in occurrences.first_times(self.evidence, measured, start, count))

    def _verdict(self, statement: Statement, rows: Rows) -> Verdict:
        evidence, number = self.evidence, statement.number
        judge = _JUDGES.get(statement.kind)
        if judge is None:
            return None, "this cannot be decided from the recording"
        for mark in (statement.since, statement.until):
            if mark[0] in _FIXED and not evidence.place(mark, rows):
                return (
                    False,
                    f"the recording has {evidence.count} {evidence.noun}s, {evidence.first} to {evidence.last}",
                )
        if number is not None and not statement.quantity and statement.kind in _MEASURED:
            return None, "it is not said, or was not understood, of what"
        if number is not None and number.unit and statement.kind in _MEASURED:
            unit = evidence.domain.units.get(statement.quantity, "")
            if number.unit != unit and not (statement.kind == "by" and number.unit == "%"):
                told = f"is measured in {unit}" if unit else "has no unit"
                return False, f"{evidence.name(statement.quantity)} {told}"
        supported, reason = judge(evidence, statement, rows)
        if statement.negated and statement.kind == "change" and supported is False:
            return changes.judge_never(evidence, statement, rows, reason)
        if statement.negated and supported is not None:
            supported = not supported
        return supported, reason


def _has_both_ends(statements: Sequence[Statement]) -> bool:
    """Whether a quantity's values at the start and at the end of a stretch are given, by which it is known."""
    ends = {(s.quantity, s.until[0]) for s in statements if s.kind == "value" and s.number is not None}
    return any((quantity, "start") in ends and (quantity, "end") in ends for quantity, _ in ends)
