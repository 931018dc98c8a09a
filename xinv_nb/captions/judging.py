"""Whether the recording supports a statement: judged by its arrays, events, phases and facts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xinv_nb.analysis.ending import gradient_sizes
from xinv_nb.captions.clauses import LOSS
from xinv_nb.captions.domain import Domain
from xinv_nb.captions.numerals import Number
from xinv_nb.captions.statements import SOME, Mark, Statement
from xinv_nb.quantities import number as written
from xinv_nb.quantities import quantity as with_its_unit
from xinv_nb.run import Entry, Fact, Run, Watch

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Verdict = tuple[bool | None, str]

_FLAT = 0.02
"""Share of a quantity's range over the run within which it hardly changes."""
_TURNS = 0.45
"""Share of steps that turn back from which a quantity goes up and down."""
_LEVEL = 0.01
_CLEAR = 3
"""Significant digits from which a value that is given without its time is looked for in all iterations."""
_NEAR, _FAR = 0.05, 0.2
_TIMES, _ABOUT_TIMES = 0.05, 0.1
_FASTER = 2.0
_DIVERGING = 3.0
"""How many times as long the last steps of a quantity that diverges are as its first ones."""
_ZERO = 1e-3
"""Share of a quantity's largest value below which it is near 0."""
_FIXED = frozenset(["at", "first"])
"""Moments that are named by their iteration."""


class Judge:
    """Judges statements against one recording, within a span of it."""

    def __init__(self, run: Run, domain: Domain, span: tuple[int, int] | None = None) -> None:
        self.run, self.domain = run, domain
        self.last = max(run.evaluations - 1, 0)
        a, b = span or (0, self.last)
        self.span = (min(max(int(a), 0), self.last), min(max(int(b), 0), self.last))
        self._series: dict[str, Floats | None] = {}
        self._slopes: dict[str, Floats | None] = {}
        self._entries: dict[str, Entry] = {f"parameter {e.name}": e for e in run.entries()}

    def judge(self, statements: Sequence[Statement], *, whole: bool) -> list[Verdict]:
        """Return a verdict for each statement of a sentence.

        All of them are read over the same stretch: the span, or where the sentence names none and is not about the
        whole (`whole`), a phase, or the stretch that another of its statements names.
        """
        best: list[Verdict] = []
        fewest = math.inf
        if any(statement.negated for statement in statements):  # what did not happen, did not by any reading
            readings = list(self._stretches(statements, whole=True))
            found = [[self._verdict(statement, rows) for statement in statements] for rows in readings]
            return max(found, key=lambda verdicts: sum(supported is not True for supported, _ in verdicts))
        for rows in self._stretches(statements, whole=whole):
            verdicts = [self._verdict(statement, rows) for statement in statements]
            wrong = sum(2 * (supported is False) + (supported is None) for supported, _ in verdicts)
            if wrong < fewest:
                best, fewest = verdicts, wrong
            if not wrong:
                break
        return best

    def _stretches(self, statements: Sequence[Statement], *, whole: bool) -> Iterator[Rows]:
        accepted = np.flatnonzero(self.run.accepted[: self.last + 1])
        spans = [self.span]
        mixed = any((s.since[0] in _FIXED) != (s.until[0] in _FIXED) for s in statements)
        if not whole and not mixed:
            spans += [(s.since[1], s.until[1]) for s in statements if s.since[0] == s.until[0] == "at"]
            spans += [(p.start, end) for p in self.run.phases for end in (min(p.stop, self.last), p.stop - 1)]
        for a, b in dict.fromkeys(spans):
            if self.span[0] <= a < b <= self.span[1] or (a, b) == self.span:
                yield np.arange(a, b + 1)
                part = accepted[(accepted >= a) & (accepted <= b)]
                if 0 < len(part) < b - a + 1:
                    yield part

    # ------------------------------------------------------------------ what was recorded

    def series(self, key: str) -> Floats | None:
        """Return a quantity at each evaluation, or None where it was not recorded as one number a time."""
        if key not in self._series:
            self._series[key] = self._read(key)
        return self._series[key]

    def _read(self, key: str) -> Floats | None:
        if key == LOSS:
            return self.run.loss
        if key == "gradient":
            return gradient_sizes(self.run)
        if entry := self._entries.get(key):
            return self.run.column(entry)
        watch = self._watches.get(key.removeprefix("watch ")) if key.startswith("watch ") else None
        if watch is None or watch.values.dtype.kind not in "fiub" or watch.values.ndim != 1:
            return None
        if not np.array_equal(watch.evaluation, np.arange(self.run.evaluations)):
            return None
        return watch.values.astype(float)

    @cached_property
    def _watches(self) -> dict[str, Watch]:
        return self.run.watches

    def slopes(self, key: str) -> Floats | None:
        """Return the derivative of the loss with respect to a quantity at each evaluation."""
        if entry := self._entries.get(key):
            return None if entry.statistic else self.run.column(entry, "gradients")
        if self.series(key) is None or not key.startswith("watch "):
            return None
        return np.real(self._watches[key.removeprefix("watch ")].cotangents).astype(float)

    def _name(self, key: str) -> str:
        if key == LOSS:
            return "the loss"
        if key == "gradient":
            return "the size of the gradient"
        if entry := self._entries.get(key):
            return entry.label
        return key.partition(" ")[2] or key

    def _said(self, key: str, value: float) -> str:
        return with_its_unit(value, self.domain.units.get(key, ""), 4)

    def _place(self, mark: Mark, rows: Rows) -> list[int]:
        """Return the evaluations that a moment may mean."""
        kind, at = mark
        if kind == "start":
            return [int(rows[0])]
        if kind == "end":
            return [int(rows[-1])]
        if kind == "only":
            return [0] if self.last == 0 else []
        if kind == "first":
            return [i for i in (int(rows[0]) + at - 1, int(rows[0]) + at) if 0 <= i <= self.last]
        return [at] if 0 <= at <= self.last else []

    def _part(self, statement: Statement, rows: Rows) -> Rows:
        """Return the evaluations that a statement is about."""
        a, b = self._place(statement.since, rows), self._place(statement.until, rows)
        if not a or not b:
            return rows[:0]
        kept = rows[(rows >= a[0]) & (rows <= b[0])]
        return kept if len(kept) and kept[0] == a[0] and kept[-1] == b[0] else np.arange(a[0], b[0] + 1)

    # ------------------------------------------------------------------ verdicts

    def _verdict(self, statement: Statement, rows: Rows) -> Verdict:
        way: Callable[[Statement, Rows], Verdict] | None = getattr(
            self, f"_judge_{statement.kind.replace(' ', '_')}", None
        )
        if way is None:
            return None, "this cannot be decided from the recording"
        for mark in (statement.since, statement.until):
            if mark[0] in ("at", "first") and not self._place(mark, rows):
                return False, f"the recording has {self.last + 1} iterations, 0 to {self.last}"
        number = statement.number
        if (
            number is not None
            and number.unit
            and statement.kind in ("value", "truth", "limit", "passes", "stays", "by")
        ):
            unit = self.domain.units.get(statement.quantity, "")
            if number.unit != unit and not (statement.kind == "by" and number.unit == "%"):
                told = f"is measured in {unit}" if unit else "has no unit"
                return False, f"{self._name(statement.quantity)} {told}"
        supported, reason = way(statement, rows)
        if statement.negated and statement.kind == "change" and supported is False:
            return self._judge_never(statement, rows, reason)
        if statement.negated and supported is not None:
            supported = not supported
        return supported, reason

    def _judge_value(self, s: Statement, rows: Rows) -> Verdict:
        values, number = self.series(s.quantity), s.number
        if values is None or number is None:
            return self._unknown(s)
        if s.until == SOME:
            return self._somewhere(s, values[rows[0] : rows[-1] + 1], int(rows[0]), number)
        name = self._name(s.quantity)
        if s.until[0] in ("lowest", "highest"):
            known = values[rows][np.isfinite(values[rows])]
            if not len(known):
                return False, f"{name} was never a finite number"
            found = float(known.min() if s.until[0] == "lowest" else known.max())
            return number.fits(found), f"the {s.until[0]} value of {name} was {self._said(s.quantity, found)}"
        places = self._place(s.until, rows)
        for at in places:
            if number.fits(float(values[at])):
                return True, f"{name} at iteration {at} was {self._said(s.quantity, values[at])}"
        at = places[0]
        known = values[np.isfinite(values)]
        if number.value == 0 and len(known) and abs(values[at]) <= _ZERO * np.abs(known).max():
            return None, f"{name} at iteration {at} was {self._said(s.quantity, values[at])}: near 0, not 0"
        return False, f"{name} at iteration {at} was {self._said(s.quantity, values[at])}, not {self._of(number)}"

    def _of(self, number: Number) -> str:
        return with_its_unit(number.value, number.unit, 6)

    def _somewhere(self, s: Statement, part: Floats, offset: int, number: Number) -> Verdict:
        """Judge a value that is given without its time."""
        name = self._name(s.quantity)
        finite = np.flatnonzero(np.isfinite(part))
        if not len(finite):
            return False, f"{name} was never a finite number"
        special = (finite[0], finite[-1], finite[np.argmin(part[finite])], finite[np.argmax(part[finite])])
        exact = replace(number, about=False)
        for at in special:
            if exact.fits(float(part[at])) and not number.limit:
                return True, f"{name} at iteration {offset + at} was {self._said(s.quantity, part[at])}"
        fits = finite[np.abs(part[finite] - number.value) <= number.half]
        if not len(fits):
            return False, f"{name} never was {self._of(number)}"
        if number.limit:
            return None, f"it is not said when {name} was {number.limit} than {self._of(number)}"
        digits = 1 + math.floor(math.log10(abs(number.value) / (2 * number.half))) if number.value else 1
        if digits >= _CLEAR:
            return True, f"{name} at iteration {offset + fits[0]} was {self._said(s.quantity, part[fits[0]])}"
        return None, f"it is not said when {name} was {self._of(number)}"

    def _judge_stays(self, s: Statement, rows: Rows) -> Verdict:
        values = self.series(s.quantity)
        if values is None or s.number is None:
            return self._unknown(s)
        part = values[self._part(s, rows)]
        good = len(part) > 0 and s.number.fits(float(part.min())) and s.number.fits(float(part.max()))
        low, high = (self._said(s.quantity, v) for v in (part.min(), part.max())) if len(part) else ("", "")
        return good, f"{self._name(s.quantity)} lay between {low} and {high}"

    def _ends(self, s: Statement, rows: Rows) -> tuple[float, float, str] | None:
        values = self.series(s.quantity)
        part = self._part(s, rows)
        if values is None or len(part) == 0:
            return None
        finite = part[np.isfinite(values[part])]
        if not len(finite):
            return None
        first, final = (float(values[i]) for i in (finite[0], finite[-1]))
        went = f"from {self._said(s.quantity, first)} to {self._said(s.quantity, final)}"
        return first, final, f"{self._name(s.quantity)} went {went} between iterations {finite[0]} and {finite[-1]}"

    def _judge_change(self, s: Statement, rows: Rows) -> Verdict:
        ends = self._ends(s, rows)
        values = self.series(s.quantity)
        if ends is None or values is None:
            return self._unknown(s)
        first, final, reason = ends
        how, part = s.what[0], values[self._part(s, rows)]
        part = part[np.isfinite(part)]
        known = values[np.isfinite(values) & self.run.accepted]
        whole = float(np.ptp(known / 2)) * 2 if len(known) else 0.0
        if how in ("up", "down"):
            return (final > first) if how == "up" else (final < first), reason
        spread = float(np.ptp(part / 2)) * 2
        if how == "stay":
            return spread <= 1e-9 * abs(first), reason
        if s.quantity == LOSS and self._in_level_phase(self._part(s, rows)):
            return True, reason
        if whole == 0 or spread <= _FLAT * whole or spread <= _FLAT * abs(first):
            return True, reason
        return (False if abs(final - first) > _FAR * whole else None), reason

    def _judge_never(self, s: Statement, rows: Rows, reason: str) -> Verdict:
        """Judge that a quantity did not go one way, when from one end to the other it did not: no step may have."""
        values, part = self.series(s.quantity), self._part(s, rows)
        part = part[self.run.accepted[part]]
        if values is None or s.what[0] not in ("up", "down") or not np.isfinite(values[part]).all():
            return None, reason
        steps = np.diff(values[part]) * (1 if s.what[0] == "up" else -1)
        if not (steps > 0).any():
            return True, reason
        k = int(np.argmax(steps > 0))
        told = f"{self._name(s.quantity)} went from {self._said(s.quantity, float(values[part[k]]))} to "
        told += f"{self._said(s.quantity, float(values[part[k + 1]]))} between iterations {part[k]} and {part[k + 1]}"
        return (False if re.search(r"\b(?:never|no)\b", s.words) else None), told

    def _in_level_phase(self, part: Rows) -> bool:
        """Whether evaluations lie in one phase in which the loss hardly changes."""
        level = (p for p in self.run.phases if p.kind in ("plateau", "converged"))
        return any(p.start <= part[0] and part[-1] <= p.stop for p in level)

    def _judge_by(self, s: Statement, rows: Rows) -> Verdict:
        ends = self._ends(s, rows)
        if ends is None or s.number is None:
            return self._unknown(s)
        first, final, reason = ends
        fall = first - final if s.what[0] == "down" else final - first
        if s.number.unit == "%":
            if first <= 0:
                return None, f"{reason}; a percentage of that says nothing"
            return s.number.fits(100 * fall / first), f"{reason}: {written(100 * fall / first)} %"
        return s.number.fits(fall), f"{reason}: by {self._said(s.quantity, fall)}"

    def _judge_ratio(self, s: Statement, rows: Rows) -> Verdict:
        ends = self._ends(s, rows)
        if ends is None or s.number is None or ends[0] == 0:
            return self._unknown(s)
        first, final, reason = ends
        return s.number.fits(100 * final / first), f"{reason}: {written(100 * final / first)} % of it"

    def _judge_factor(self, s: Statement, rows: Rows) -> Verdict:
        ends = self._ends(s, rows)
        if ends is None or s.number is None or not ends[0] > 0 or not ends[1] > 0:
            return self._unknown(s)
        first, final, reason = ends
        ratio, number = final / first, s.number
        reason = f"{reason}: {written(ratio)} times"
        if number.limit:
            return (ratio > number.value if number.limit == "more" else ratio < number.value), reason
        room = (_ABOUT_TIMES if number.about else _TIMES) * number.value
        return abs(ratio - number.value) <= room, reason

    def _judge_limit(self, s: Statement, rows: Rows) -> Verdict:
        values = self.series(s.quantity)
        part = values[self._part(s, rows)] if values is not None else np.array([])
        part = part[np.isfinite(part)]
        if not len(part) or s.number is None:
            return self._unknown(s)
        bound, name = s.number.value, self._name(s.quantity)
        if s.what[0] == "lower":
            low = float(part.min())
            return self._within(
                s.number, low, low - bound
            ), f"the lowest value of {name} was {self._said(s.quantity, low)}"
        high = float(part.max())
        return self._within(
            s.number, high, bound - high
        ), f"the highest value of {name} was {self._said(s.quantity, high)}"

    def _within(self, number: Number, found: float, room: float) -> bool | None:
        """Whether an extreme value is what a limit says; a limit that is wider says something else."""
        return True if number.fits(found) else None if room > 0 else False

    def _judge_passes(self, s: Statement, rows: Rows) -> Verdict:
        ends = self._ends(s, rows)
        if ends is None or s.number is None:
            return self._unknown(s)
        first, final, reason = ends
        bound = s.number.value
        return (first > bound > final) if s.what[0] == "below" else (first < bound < final), reason

    def _judge_extreme(self, s: Statement, rows: Rows) -> Verdict:
        values = self.series(s.quantity)
        if values is None:
            return self._unknown(s)
        every = np.arange(self.span[0], self.span[1] + 1)
        part = every[np.isfinite(values[every])]
        if not len(part):
            return self._unknown(s)
        best = int(part[np.argmin(values[part]) if s.what[0] == "lowest" else np.argmax(values[part])])
        reason = f"{self._name(s.quantity)} was {s.what[0]} at iteration {best}: {self._said(s.quantity, values[best])}"
        return any(values[at] == values[best] for at in self._place(s.until, rows)), reason

    # ------------------------------------------------------------------ the gradient

    def _judge_asks(self, s: Statement, rows: Rows) -> Verdict:
        values, slopes = self.series(s.quantity), self.slopes(s.quantity)
        part = self._part(s, rows)
        if values is None or slopes is None or len(part) < 2:
            return self._unknown(s)
        how, *extent = s.what
        rose = values[part[-1]] > values[part[0]]
        up = {"this": rose, "opposite": not rose, "up": True, "down": False}[how]
        steps = slopes[part[:-1]]
        asked, count = int(np.count_nonzero(steps < 0 if up else steps > 0)), len(steps)
        way = "more" if up else "less"
        reason = f"the gradient asked for {way} of {self._name(s.quantity)} at {asked} of {count} iterations"
        if not extent:
            return (True if asked == count else False if 2 * asked < count else None), reason
        if extent[0] == "every":
            return asked == count, reason
        return extent[0] == f"{asked} of {count}", reason

    def _judge_wants(self, s: Statement, rows: Rows) -> Verdict:
        slopes = self.slopes(s.quantity)
        if slopes is None:
            return self._unknown(s)
        part = slopes[rows[:-1] if len(rows) > 1 else rows]
        up = s.what[0] == "up"
        asked, count = int(np.count_nonzero(part < 0 if up else part > 0)), len(part)
        reason = f"the gradient asked for {'more' if up else 'less'} of {self._name(s.quantity)} at {asked} of {count} "
        return (True if asked == count else False if not asked or "all" in s.what else None), reason + "iterations"

    # ------------------------------------------------------------------ patterns

    def _judge_pattern(self, s: Statement, rows: Rows) -> Verdict:
        values = self.series(s.quantity)
        part = values[self._part(s, rows)] if values is not None else np.array([])
        if not len(part) or (len(part) < 3 and s.what[0] in ("plateau", "settling", "oscillation")):
            return self._unknown(s)
        if s.what[0] == "plateau" and s.quantity == LOSS and self._in_level_phase(self._part(s, rows)):
            return True, "the loss hardly changed there"
        judge = getattr(self, f"_seen_{s.what[0].replace(' ', '_')}")
        supported: bool | None = judge(part, s)
        kinds = ", ".join(dict.fromkeys(p.label for p in self.run.phases))
        ends = self._ends(s, rows)
        return supported, ends[2] if ends else f"the phases of the run: {kinds}"

    def _seen_oscillation(self, part: Floats, s: Statement) -> bool | None:
        del s
        steps = np.diff(part[np.isfinite(part)])
        steps = steps[steps != 0]
        if len(steps) < 3:
            return False
        turns = float(np.mean(steps[1:] * steps[:-1] < 0))
        return True if turns >= _TURNS else False if turns < 0.1 else None

    def _seen_divergence(self, part: Floats, s: Statement) -> bool | None:
        if not np.isfinite(part[-1]):
            return True
        ended = s.quantity == LOSS and any(p.kind == "divergence" for p in self.run.phases)
        steps = np.abs(np.diff(part))
        quarter = max(len(steps) // 4, 1)
        faster = len(steps) > 0 and np.median(steps[-quarter:]) > _DIVERGING * np.median(steps[:quarter])
        if ended or (faster and np.abs(part[-1]) >= _DIVERGING * np.abs(part[0])):
            return True
        return False if part[-1] <= part[0] or s.quantity == LOSS else None

    def _seen_settling(self, part: Floats, s: Statement) -> bool | None:
        del s
        late = part[-max(len(part) // 4, 2) :]
        if not np.isfinite(part).all():
            return False
        return bool(np.ptp(late) <= _FLAT * np.ptp(part)) if len(part) > 3 else None

    def _seen_convergence(self, part: Floats, s: Statement) -> bool | None:
        if s.quantity == LOSS and any(p.kind == "converged" for p in self.run.phases):
            return True
        settled = self._seen_settling(part, s)
        return settled if settled is not True else (None if s.quantity == LOSS and part[-1] > part[0] else True)

    def _seen_plateau(self, part: Floats, s: Statement) -> bool | None:
        values = self.series(s.quantity)
        known = values[np.isfinite(values)] if values is not None else part
        if not np.isfinite(part).all():
            return False
        if s.since == ("start", 0) and s.until == ("end", 0):
            flat = any(p.kind in ("plateau", "converged") for p in self.run.phases)
            return True if flat and s.quantity == LOSS else None
        return bool(np.ptp(part) <= _FLAT * np.ptp(known))

    def _seen_vanished(self, part: Floats, s: Statement) -> bool | None:
        del s
        return bool(abs(part[-1]) <= _LEVEL * abs(part[0]))

    def _seen_level(self, part: Floats, s: Statement) -> bool | None:
        values = self.series(s.quantity)
        return None if values is None else bool(abs(part[-1]) < _LEVEL * abs(values[self.span[0]]))

    def _seen_exactly_level(self, part: Floats, s: Statement) -> bool | None:
        del s
        return bool(part[-1] == 0)

    def _seen_worse(self, part: Floats, s: Statement) -> bool | None:
        return bool((np.diff(part) > 0).all()) if s.quantity == LOSS else None

    def _seen_better(self, part: Floats, s: Statement) -> bool | None:
        return bool((np.diff(part) < 0).all()) if s.quantity == LOSS else None

    def _judge_pace(self, s: Statement, rows: Rows) -> Verdict:
        values, rowed = self.series(s.quantity), self._part(s, rows)
        ends = self._ends(s, rows)
        if values is None or ends is None or len(rowed) < 2:
            return self._unknown(s)
        part = values[rowed]
        if s.what[0] == "steady":
            steps = np.diff(part) * (1 if part[-1] > part[0] else -1)
            return bool((steps > 0).all()), ends[2]
        inside = abs(part[-1] - part[0]) / (rowed[-1] - rowed[0])
        a, b = self.span
        left = (b - a) - (rowed[-1] - rowed[0])
        if left <= 0:
            return None, "it is not said compared with what"
        outside = (abs(values[rowed[0]] - values[a]) + abs(values[b] - values[rowed[-1]])) / left
        ratio = inside / outside if outside else math.inf
        reason = f"the change per iteration was {written(ratio)} times that of the rest of the run"
        fast = ratio >= _FASTER
        slow = ratio <= 1 / _FASTER
        if s.what[0] == "fast":
            return (True if fast else False if slow else None), reason
        return (True if slow else False if fast else None), reason

    # ------------------------------------------------------------------ by facts and events

    def _facts(self, *kinds: str) -> Iterator[Fact]:
        return (fact for fact in self.run.facts if fact.kind in kinds)

    def _share(self, key: str) -> tuple[float, str] | None:
        for fact in self._facts("credit"):
            parts = fact.values.get("parts", {})
            name = key.removeprefix("parameter ")
            if name in parts and fact.values.get("total"):
                return 100 * parts[name] / fact.values["total"], fact.id
        return None

    def _judge_credit(self, s: Statement, rows: Rows) -> Verdict:
        del rows
        share = self._share(s.quantity)
        if share is None or s.number is None:
            return self._unknown(s)
        reason = f"moving {self._name(s.quantity)} accounts for {written(share[0])} % ({share[1]})"
        return s.number.fits(share[0]), reason

    def _judge_credit_more(self, s: Statement, rows: Rows) -> Verdict:
        del rows
        one, two = self._share(s.quantity), self._share(s.what[0])
        if one is None or two is None:
            return self._unknown(s)
        names = f"{self._name(s.quantity)} accounts for {written(one[0])} %, {self._name(s.what[0])} for"
        return one[0] > two[0], f"{names} {written(two[0])} % ({one[1]})"

    def _truth(self, s: Statement) -> tuple[float, float, str] | None:
        entry, values = self._entries.get(s.quantity), self.series(s.quantity)
        if entry is None or values is None or entry.parameter.truth is None:
            return None
        truth, final = float(entry.parameter.truth), float(values[self.last])
        told = f"the true value of {entry.label} is {self._said(s.quantity, truth)}"
        return truth, final, f"{told}; it ended at {self._said(s.quantity, final)}"

    def _judge_truth(self, s: Statement, rows: Rows) -> Verdict:
        del rows
        found = self._truth(s)
        return self._unknown(s) if found is None or s.number is None else (s.number.fits(found[0]), found[2])

    def _judge_truth_is(self, s: Statement, rows: Rows) -> Verdict:
        del rows
        found = self._truth(s)
        if found is None:
            return self._unknown(s)
        truth, final, reason = found
        off = abs(final - truth) / (abs(truth) or 1.0)
        return {
            "near": True if off <= _NEAR else False if off > _FAR else None,
            "far": True if off > _FAR else False if off <= _NEAR else None,
            "over": final > truth,
            "under": final < truth,
            "at": f"{final:.3g}" == f"{truth:.3g}",
        }[s.what[0]], reason

    def _judge_ending(self, s: Statement, rows: Rows) -> Verdict:
        del rows
        how, what = s.what
        status = {"by hand": "interrupted", "broken": "failed"}[how]
        said = not what or what in self.run.ending
        return self.run.status == status and said, f"the run was {self.run.status} {self.run.ending}".rstrip()

    def is_deadline(self, s: Statement) -> bool:
        """Whether a statement tells of fewer iterations than the run had, within which something happened."""
        return s.kind == "count" and "within" in s.words and int(s.what[0]) < self.last + 1

    def _judge_count(self, s: Statement, rows: Rows) -> Verdict:
        count = int(s.what[0])
        return count in (self.last + 1, len(rows)), f"the run had {self.last + 1} iterations"

    def _judge_state(self, s: Statement, rows: Rows) -> Verdict:
        values = self.series(s.quantity or LOSS)
        if values is None:
            return self._unknown(s)
        part = values[self._part(s, rows)]
        bad = (
            np.isnan(part) if s.what[0] == "nan" else np.isinf(part) if s.what[0] == "infinite" else ~np.isfinite(part)
        )
        where = np.flatnonzero(~np.isfinite(values))
        reason = f"{self._name(s.quantity)} was a finite number at every iteration"
        if len(where):
            reason = f"{self._name(s.quantity)} was first not a finite number at iteration {where[0]}"
        good = bool(len(part) and bad.all())
        if good and s.since[0] == "at" and s.until == ("end", 0) and s.since[1] > 0:
            good = bool(np.isfinite(values[s.since[1] - 1]))
        return good, reason

    def _judge_event(self, s: Statement, rows: Rows) -> Verdict:
        del rows
        times = self._times_of(s.quantity)
        if not len(times):
            return self._unknown(s)
        reason = f"it happened first at iteration {times[0]} and last at iteration {times[-1]}"
        at, which = s.until[1], s.what[0]
        if s.until[0] != "at" and s.since[0] != "at":
            return None, "it is not said when"
        if s.since != s.until:
            good = times[0] == s.since[1] if s.since[0] == "at" else times[-1] == at
            return bool(good), reason
        return {"first": bool(times[0] == at), "last": bool(times[-1] == at), "at": bool(at in times)}[which], reason

    def _times_of(self, said: str) -> NDArray[np.intp]:
        history = self.run.history
        events = [e for owner, e in self.run._events if owner in (history, None) and e.phase == "forward"]  # noqa: SLF001
        same = next((e for e in events if " ".join(e.text.split()).rstrip(".") == said), None)
        if same is None:
            return np.array([], dtype=np.intp)
        return np.array(sorted({e.evaluation for e in events if (e.name, e.stage) == (same.name, same.stage)}))

    def _judge_cause(self, s: Statement, rows: Rows) -> Verdict:
        del s, rows
        return None, "the recording shows what happened, not what caused it"

    def _judge_remark(self, s: Statement, rows: Rows) -> Verdict:
        del s, rows
        return True, "a remark that states nothing"

    def _judge_agent(self, s: Statement, rows: Rows) -> Verdict:
        del rows
        own = s.what[0] in ("optimizer", self.domain.optimizer)
        return (True if own else None), "the optimizer moved the parameters" if own else "not in the recording"

    def _unknown(self, s: Statement) -> Verdict:
        return (
            None,
            f"the recording does not show this of {self._name(s.quantity)}" if s.quantity else "not in the recording",
        )
