"""The table of reasons for the view: whose moves brought what to the loss, and what pushes whom as the run goes on.

It is made once the run has ended, from what was recorded, and small: of many parameters or quantities the others stand
together, and pushes are told of no more iterations than there is room for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from xinv_nb.facts.analysis import facts_of, phases_of
from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.objective import name_of_loss, told_of_loss
from xinv_nb.facts.measures.phases import last_of
from xinv_nb.facts.shares import PushesAlong, shares_of
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view.reasons_protocol import Pushes, ReasonFact, ReasonRow, Reasons, ReasonTable, ReasonTerm

_log = logging.getLogger(__name__)

MOST_BYTES_OF_REASONS = 40_000
_MOST = 8
"""Rows, and columns; of more, the largest of them, and the others together."""
_MOST_PHASES = 12
_DIGITS, _PUSH_DIGITS = 6, 3

_KEPT = "reasons for the view"
"""Where a run keeps its table."""

Groups = Sequence[Sequence[int]]
"""Which parameters, or quantities, each row or column is of."""


def reasons_for_view(run: RecordedRun, most_bytes: int = MOST_BYTES_OF_REASONS) -> Reasons | None:
    """Return the table of reasons of the fit that is shown; None as long as the run goes on, or of no evaluation.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def cost(x):
    ...     return xi.watch(x**2, "misfit") + 2 * xi.watch(3 * x, "way", "m")
    >>> with xi.record() as run:
    ...     slopes = [grad(cost)(x) for x in (4.0, 3.0)]
    >>> reasons = reasons_for_view(run)
    >>> reasons["tables"][0]["parts"], reasons["pushes"]["parts"]
    ([[-7.0, -6.0]], [[[-8.0, -6.0, -14.0]], [[-6.0, -6.0, -12.0]]])
    """
    if run.status == "running" or run.evaluations == 0:
        return None
    state = run.chosen_spans, most_bytes
    try:
        table = _table_of(run)
        if table.told_for != state:
            table.told_for, table.told = state, table.reasons(most_bytes)
    except Exception:  # noqa: BLE001 - all else that there is to show is shown without it
        _log.debug("The reasons could not be told.", exc_info=True)
        return None
    return table.told


def reasons_over(run: RecordedRun, span: tuple[int, int]) -> ReasonTable:
    """Return the table of a stretch of a run that has ended.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.0, 2.0, 1.0):
    ...         run.add(x**2, x, 2 * x)
    >>> reasons_over(run, (1, 2))["together"], reasons_over(run, (1, 9))["why_not"]
    ([-5.0], 'Reasons are known from 0 to 3, of the fit that is told of.')
    """
    return _table_of(run).over(span)


def _table_of(run: RecordedRun) -> _Table:
    """Return the table of the fit that is shown; made once."""
    state = run.history, run.evaluations, run.chosen_fit
    known, table = run.memo.get(_KEPT, (None, None))
    if known != state:
        run.memo[_KEPT] = state, (table := _Table(run))
    return table  # type: ignore[no-any-return]


class _Table:
    """The rows and columns that are shown, the same ones over each stretch."""

    def __init__(self, run: RecordedRun) -> None:
        self._run = run
        self._shares = shares = shares_of(run)
        self.told_for: Hashable = None
        self.told: Reasons | None = None
        count = len(shares.factors)
        if shares.why_not:
            self._rows: Groups = ()
            self._terms: Groups = ()
            return
        whole = shares.over(*shares.span)
        sizes = np.abs(whole.parts).sum(axis=1) + np.abs(whole.together)
        strengths = np.abs(whole.parts).sum(axis=0)
        self._rows = _largest(sizes, _MOST)
        beside = [[count + place] for place in range(min(len(shares.quantities) - count, _MOST - 1))]
        self._terms = [*_largest(strengths, _MOST - len(beside)), *beside]

    def reasons(self, most_bytes: int) -> Reasons:
        told, shares = told_of_loss(self._run), self._shares
        found: Reasons = {
            "why_not": shares.why_not,
            "unit": name_of_loss(self._run)[1],
            "lower": told.lower if told else "lower",
            "higher": told.higher if told else "higher",
            "rows": self._described_rows(),
            "terms": self._described_terms(),
            "tables": [] if shares.why_not else self._tables(),
            "pushes": None,
            "facts": self._facts(),
        }
        if shares.pushes is not None:
            found["pushes"] = self._pushes(shares.pushes, most_bytes - _bytes(found))
        return found

    def over(self, span: tuple[int, int], label: str = "") -> ReasonTable:
        shares = self._shares
        split = shares.over(*span)
        columns = [own for own in self._terms if own[0] < len(shares.factors)]
        parts = np.array([[split.parts[np.ix_(row, own)].sum() for own in columns] for row in self._rows])
        return {
            "span": split.span,
            "label": label,
            "parts": _listed(parts.reshape(len(self._rows), len(columns)).tolist()),
            "together": _listed([float(split.together[list(row)].sum()) for row in self._rows]),
            "changes": _listed([float(split.changes[list(own)].sum()) for own in columns]),
            "change": _rounded(split.change),
            "doubt": _rounded(split.doubt),
            "why_not": split.why_not or shares.why_not,
        }

    def _tables(self) -> list[ReasonTable]:
        phases = phases_of(self._run)
        stretches = [(p.start, last_of(p, self._run.loss), p.label) for p in phases]
        several = stretches if 1 < len(stretches) <= _MOST_PHASES else []
        tables = [self.over(self._shares.span), *(self.over((first, last), label) for first, last, label in several)]
        return [table for place, table in enumerate(tables) if place == 0 or not table["why_not"]]

    def _described_rows(self) -> list[ReasonRow]:
        entries = {entry.name: entry for entry in self._run.entries()}
        names = self._shares.parameters
        return [
            _row(names[row[0]], entries.get(names[row[0]]))
            if len(row) == 1
            else {"name": "", "label": f"the other {len(row)}", "unit": "", "directions": None}
            for row in self._rows
        ]

    def _described_terms(self) -> list[ReasonTerm]:
        shares = self._shares
        found: list[ReasonTerm] = []
        for own in self._terms:
            quantity = shares.quantities[own[0]]
            factor = shares.factors[own[0]] if own[0] < len(shares.factors) else None
            if len(own) == 1:
                unit, name = quantity.unit, quantity.name
                found.append({"name": name, "label": name.removeprefix("the "), "unit": unit, "factor": factor})
            else:
                found.append({"name": "", "label": f"the other {len(own)}", "unit": "", "factor": 1.0})
        return found

    def _facts(self) -> list[ReasonFact]:
        """Return which cells the facts of the kind "reason" rest on."""
        rows = {self._shares.parameters[row[0]]: place for place, row in enumerate(self._rows) if len(row) == 1}
        terms = {self._shares.quantities[own[0]].name: k for k, own in enumerate(self._terms) if len(own) == 1}
        found: list[ReasonFact] = []
        for fact in facts_of(self._run) if rows else ():
            name = fact.values.get("parameter")
            if fact.kind == "reason" and name in rows:
                told = [k for quantity, k in terms.items() if quantity in _named_in(fact.values)]
                found.append({"id": fact.id, "span": fact.span, "row": rows[name], "terms": told})
        return found

    def _pushes(self, pushes: PushesAlong, most_bytes: int) -> Pushes | None:
        """Return as many pushes as there is room for."""
        most = len(pushes.evaluations)
        while most > 1:
            found = self._pushes_of(pushes.thinned(most))
            size = _bytes(found)
            if size <= most_bytes:
                return found
            most = min(most - 1, int(most * most_bytes / size))
        return None

    def _pushes_of(self, pushes: PushesAlong) -> Pushes:
        """Return what pushes the parameter of each row; nothing of several, which have no way in common."""
        columns = [pushes.parts[:, :, list(own)].sum(axis=2) for own in self._terms]
        numbers = np.stack([*columns, pushes.together], axis=2)
        is_told = np.isfinite(numbers).all(axis=2)
        parts = [
            [_listed(of_row, _PUSH_DIGITS) if told else None for of_row, told in zip(*of_one, strict=True)]
            for of_one in zip(_of_rows(numbers, self._rows), _of_rows(is_told, self._rows), strict=True)
        ]
        return {"iterations": list(pushes.evaluations), "parts": parts, "is_whole": pushes.is_whole}


def _of_rows(numbers: Any, rows: Groups) -> list[list[Any]]:
    """Return, for each evaluation, what is known of the parameter of each row; of several parameters, nothing."""
    return [[of_one[row[0]].tolist() if len(row) == 1 else False for row in rows] for of_one in numbers]


def _row(name: str, entry: Entry | None) -> ReasonRow:
    """Return what is shown of a parameter; of an array, what is known of it as a whole."""
    if entry is None:
        return {"name": name, "label": name, "unit": "", "directions": None}
    known = entry.parameter
    label = (entry.group if entry.statistic else entry.label).removeprefix("the ")
    return {"name": entry.name, "label": label, "unit": known.unit, "directions": known.directions}


def _named_in(values: dict[str, Any]) -> set[str]:
    """Return the quantities that a fact's sentence names."""
    return {name for slot in ("brought", "paid") for name in _strings(values.get(slot))}


def _strings(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return {name for each in inner for name in _strings(each)}


def _largest(sizes: Floats, most: int) -> Groups:
    """Return each by itself, in order; of more than so many, the largest ones and then the others together."""
    if len(sizes) <= most:
        return [[place] for place in range(len(sizes))]
    ranked = np.argsort(-sizes, kind="stable").tolist()
    return [*([place] for place in sorted(ranked[: most - 1])), sorted(ranked[most - 1 :])]


def _bytes(told: Any) -> int:
    """Return how long something is on the wire."""
    return len(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode())


def _rounded(number: float, digits: int = _DIGITS) -> float:
    return float(f"{number:.{digits}g}")


def _listed(numbers: Any, digits: int = _DIGITS) -> Any:
    """Return numbers, or lists of them, with so many digits that they take few letters."""
    return [_listed(each, digits) if isinstance(each, list) else _rounded(each, digits) for each in numbers]
