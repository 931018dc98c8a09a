"""Several runs on shared axes: the same view as of one run, with a line a run in each plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.counting import noun_of_all
from xinv_nb.facts.differences import accepted_loss, differences, latest_iterates, names_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.objective import name_of_loss
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.columns import WatchColumns
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol
from xinv_nb.view.fits import among, are_comparable, whole_of
from xinv_nb.view.head import Writer, head
from xinv_nb.view.questions import fact_groups
from xinv_nb.view.story import Story
from xinv_nb.view.texts import caption_for_view, facts_for_view
from xinv_nb.view.thinning import Rows, telling_rows
from xinv_nb.view.watched import by_evaluation
from xinv_nb.view.wire import VERSION, Body, pack

_MOST_ROWS = 4_000
"""Iterations that travel; of longer runs, the most telling ones."""
_MOST_GROUPS = 6
_LEAST = 2
_OF_LOSSES = ("lowest", "same lowest", "share of the start", "common level")
"""Differences that mean nothing where each fit is of other data."""

Column = Callable[[NDArray[np.intp]], NDArray[np.float64]]
Quantity = tuple[str, str, dict[int, Column]]
"""Name, unit, and the column of each run, by its place."""


def comparison_story(runs: Sequence[RecordedRun]) -> Story:
    """Return what there is to tell of several runs."""
    return Story(
        _key(runs), title_of(runs), _count(runs), [_differences_in_words(runs)], "comparison", noun_of_all(runs)
    )


def _key(runs: Sequence[RecordedRun]) -> str:
    return "-".join(run.id for run in runs)


def _count(runs: Sequence[RecordedRun]) -> str:
    return f"{len(runs)} {'runs' if whole_of(runs) is None else 'fits'}"


def what_differs(runs: Sequence[RecordedRun]) -> list[Fact]:
    """Return what sets runs apart; of fits, behind what they have in common.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from xinv_nb.view.fits import fit_runs
    >>> with xi.record() as run:
    ...     for rate in (0.1, 0.4):
    ...         x = 4.0
    ...         for _ in range(8):
    ...             run.add(x**2, x, 2 * x)
    ...             x -= rate * 2 * x
    >>> what_differs(fit_runs(run))[0].values["sizes"]
    [0.1, 0.4]
    """
    found, whole = differences(runs), whole_of(runs)
    if whole is None:
        return found
    if not are_comparable(whole):
        found = [fact for fact in found if fact.form not in _OF_LOSSES]
    last = max(run.evaluations for run in runs) - 1
    common = [fact for fact in facts_of(whole) if fact.kind == "fits" and "ends" in fact.data]
    return [*(replace(fact, span=(0, last), cites=()) for fact in common), *found]


def _differences_in_words(runs: Sequence[RecordedRun], *, without: Fact | None = None) -> Caption:
    text = " ".join(fact.text for fact in what_differs(runs) if fact != without) or "These runs do not differ."
    last = max(max(run.evaluations for run in runs) - 1, 0)
    return Caption(text, (0, last), (), "built-in", "built-in text", (), "Differences")


def comparison(runs: Sequence[RecordedRun], most_rows: int | None = None) -> bytes:
    """Return several runs as one packet: a series for each run and quantity, a group for each quantity.

    `most_rows` iterations at most; where it is given, the packet is one that has to stay small.
    """
    names, quantities = names_of(runs), quantities_of(runs)
    longest = max(run.evaluations for run in runs)
    rows = _rows_to_send(runs, quantities, most_rows or _MOST_ROWS)
    body = Body(in_planes=True, narrow=most_rows is not None)
    columns = [body.column("iteration", "f8", rows)]
    series: list[protocol.Series] = []
    groups: list[protocol.Group] = []
    for number, (label, unit, by_run) in enumerate(quantities):
        groups.append({"key": str(number), "label": label, "unit": unit, "log": number == 0})
        for place, column in by_run.items():
            key = len(series)
            values = np.full(len(rows), np.nan)
            known = rows < runs[place].evaluations
            values[known] = column(rows[known])
            columns.append(body.column(f"p{key}", "f8", values))
            series.append(_series(key, names[place], unit, str(number), place))
    found = what_differs(runs)
    best = next((fact for fact in found if fact.form in _OF_LOSSES[:2]), found[0] if found else None)
    facts = facts_for_view(found)
    caption = _differences_in_words(runs, without=best if len(found) > 1 else None)
    marks = [*names, *(s["label"] for s in groups)]
    header: protocol.Header = {
        "version": VERSION,
        "kind": "snapshot",
        "sequence": 0,
        "run": _key(runs),
        "rows": len(rows),
        "columns": columns,
        "head": _head(runs, longest, max(1, -(-longest // max(1, len(rows))))),
        "series": series,
        "groups": groups,
        "facts": facts,
        "fact_groups": fact_groups(facts),
        "captions": [caption_for_view(caption, "c0", marks)],
        "headline": None
        if best is None
        else {"text": best.text, "beneath": [], "span": caption.span, "cites": (), "wrong": False},
    }
    return pack(header, body)


def _rows_to_send(runs: Sequence[RecordedRun], quantities: Sequence[Quantity], most: int) -> Rows:
    """Return the iterations to send: all where they fit, else the most telling ones of each run, in equal shares."""
    counts = [run.evaluations for run in runs]
    chosen: list[Rows] = [np.arange(0)]
    for place, count in enumerate(counts):
        curves = [by_run[place](np.arange(count)) for _, _, by_run in quantities if place in by_run]
        chosen.append(telling_rows(count, most if max(counts) <= most else most // len(runs), curves[0], curves[1:]))
    return np.unique(np.concatenate(chosen))


def _head(runs: Sequence[RecordedRun], longest: int, stride: int) -> protocol.Head:
    return head(runs[0], Writer(text=""), stride) | {
        "title": title_of(runs),
        "goal": "",
        "status": "finished",
        "tone": "neutral",
        "state": _count(runs),
        "evaluations": longest,
        "noun": noun_of_all(runs),
        "optimizer": "",
        "has_scene": False,
        "notices": [],
        "compared": True,
    }


def title_of(runs: Sequence[RecordedRun]) -> str:
    """Return the title of a comparison."""
    if (whole := whole_of(runs)) is not None:
        return f"{whole.title}: {among(runs)} compared"
    names = names_of(runs)
    return f"{', '.join(names[:-1])} and {names[-1]} compared"


def _series(key: int, name: str, unit: str, group: str, colour: int) -> protocol.Series:
    return {
        "key": key,
        "name": name,
        "label": name,
        "unit": unit,
        "description": "",
        "group": group,
        "bounds": None,
        "truth": None,
        "statistic": "",
        "shown": True,
        "colour": colour,
    }


def quantities_of(runs: Sequence[RecordedRun]) -> list[Quantity]:
    """Return name, unit and columns (by the run's place) of the loss and of what two or more runs have in common."""
    label, unit = name_of_loss(runs[0])
    loss: dict[int, Column] = {place: _taken_from(accepted_loss(run)) for place, run in enumerate(runs)}
    common: dict[tuple[str, str], dict[int, Column]] = {}
    for place, run in enumerate(runs):
        iterates = latest_iterates(run)
        for entry in run.entries() if run.evaluations else []:
            common.setdefault((entry.label, entry.parameter.unit), {})[place] = _taken_from(run.column(entry)[iterates])
    for place, run in enumerate(runs):
        for name, watch in run.history.watches.items():
            if name != name_of_loss(run)[0]:
                common.setdefault((name, watch.unit), {})[place] = _of_watch(watch)
    shared = [(name, of, by_run) for (name, of), by_run in common.items() if len(by_run) >= _LEAST]
    return [(label, unit, loss), *shared[:_MOST_GROUPS]]


def _taken_from(values: NDArray[np.float64]) -> Column:
    return lambda rows: values[rows]


def _of_watch(watch: WatchColumns) -> Column:
    return lambda rows: by_evaluation(watch, rows)[0]
