"""What is said of a run does not depend on the unit of its loss, on names, on the order of parameters, or on chance."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.given_facts import given as given_fact
from tests.traces import courses  # noqa: F401 - fills the library
from tests.traces.library import TRACES
from xinv_nb.claims.numerals import NUMBER
from xinv_nb.facts.analysis import analyse
from xinv_nb.facts.fact import Fact
from xinv_nb.recorded.columns import SlopeColumns, WatchColumns
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import leaves_of
from xinv_nb.recorded.sums import Sums
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run

SHORT = [name for name, trace in TRACES.items() if trace.make().evaluations <= 1000]
FLAT = [name for name in SHORT if [leaf.shape for leaf in TRACES[name].make().history.leaves] == [(2,)]]
"""Traces with one array of two parameters."""


def again(run: Run, *, factor: float = 1.0, order: Sequence[int] | None = None, name: str | None = None) -> Run:
    """The same recording with its loss in another unit, its parameters in another order or under another name."""
    history = run.history
    order = list(range(history.width)) if order is None else list(order)
    leaves = leaves_of([(name or leaf.name, leaf.shape) for leaf in history.leaves])
    copy = History(history.objective, leaves, history.dtype, history.outline, history.optimizer)
    copy.calls = [replace(call, options=in_order(call.options, order)) for call in history.calls]
    rows = zip(run.loss, history.values.array, history.gradients.array, run.accepted, strict=True)
    for loss, values, slopes, accepted in rows:
        copy.append(loss * factor, values[order], slopes[order] * factor, accepted=bool(accepted))
    for name_of, watch in run.watches.items():
        columns = copy.watches[name_of] = WatchColumns(watch.unit)
        for row, value, cotangent, at in zip(watch.evaluation, watch.values, watch.cotangents, watch.at, strict=True):
            columns.extend(int(row), [value], [factor * cotangent], [at])
    for name_of, slopes in history.slopes.items():
        rows_of_slopes = [gradient[order] for gradient in slopes.gradients]
        copy.slopes[name_of] = SlopeColumns(list(slopes.evaluation), rows_of_slopes, slopes.inside)
    copy.sums = Sums.of([replace(term, weight=term.weight * factor) for term in history.sums.terms])
    for row, values in zip(*history.sums.arrays(), strict=True):
        copy.sums.append(int(row), values)
    other = Run(run.name, run.problem if name is None else None)
    RunWriter(other).end(run.status, run.ending)
    RunWriter(other).add_history(copy)
    for event in run.events_as_recorded():
        column = None if event.column is None else order.index(event.column)
        RunWriter(other).restore_event(copy, replace(event, column=column))
    return other


def in_order(options: Mapping[str, Any], order: Sequence[int]) -> dict[str, Any]:
    """The options of an optimizer, with the bounds of the parameters in another order."""
    bounds = options.get("bounds")
    is_one_each = isinstance(bounds, list) and len(bounds) == len(order)
    return {**options, "bounds": [bounds[k] for k in order]} if is_one_each else dict(options)


def told(facts: Sequence[Fact]) -> list[tuple[str, tuple[int, int], float, str]]:
    """What the facts say, but for their numbers, and for the solver's own tests: its tolerances have a unit."""
    of = [fact for fact in facts if fact.kind != "stopping tests"]
    return [(fact.kind, fact.span, fact.salience, NUMBER.sub("#", fact.text)) for fact in of]


@pytest.mark.parametrize("name", SHORT)
def test_the_same_recording_is_told_the_same_to_the_bit(name: str) -> None:
    run = TRACES[name].make()
    assert repr(analyse(run)) == repr(analyse(run)) == repr(analyse(again(run)))


@given(st.sampled_from(SHORT), st.integers(-60, 60))
@example("a_larger_step_at_last", 50)
@settings(max_examples=150, deadline=None)
def test_the_unit_of_the_loss_changes_numbers_only(name: str, power: int) -> None:
    run = TRACES[name].make()
    one, other = analyse(run), analyse(again(run, factor=2.0**power))
    assert one.phases == other.phases
    assert sorted(told(one.facts)) == sorted(told(other.facts))


@given(st.sampled_from(SHORT), st.floats(1e-9, 1e9))
@settings(max_examples=150, deadline=None)
def test_any_unit_of_the_loss_changes_numbers_only(name: str, factor: float) -> None:
    run = TRACES[name].make()
    one, other = analyse(run), analyse(again(run, factor=factor))
    assert [phase.label for phase in one.phases] == [phase.label for phase in other.phases]
    for here, there in zip(one.phases, other.phases, strict=True):  # rounding decides between neighbours
        assert abs(here.start - there.start) <= max(1, run.evaluations // 80)
    assert [fact.kind for fact in one.facts] == [fact.kind for fact in other.facts]


@pytest.mark.parametrize("name", FLAT)
def test_parameters_may_change_places(name: str) -> None:
    run = TRACES[name].make()
    if run.problem is not None:
        run = again(run, name=run.history.leaves[0].name)
    leaf = run.history.leaves[0].name
    places = {f"{leaf}[0]": f"{leaf}[1]", f"{leaf}[1]": f"{leaf}[0]"}
    swapped = analyse(again(run, order=[1, 0]))
    back = [
        given_fact(f.id, f.kind, re.sub(r"\w+\[\d\]", lambda m: places[m.group()], f.text), {}, f.span, (), f.salience)
        for f in swapped.facts
    ]
    assert sorted(told(analyse(run).facts)) == sorted(told(back))


@given(st.sampled_from(FLAT), st.text(alphabet="abcwyzαβ温_", min_size=1, max_size=8))  # programs call theirs x
@settings(max_examples=60, deadline=None)
def test_names_change_names_only(name: str, called: str) -> None:
    run = again(TRACES[name].make(), name="theta")
    other = again(run, name=called)
    texts = [fact.text.replace(f"{called}[", "theta[") for fact in analyse(other).facts]
    assert texts == [fact.text for fact in analyse(run).facts]


def test_a_growing_run_is_not_analysed_anew_at_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TRACES["rosenbrock_gradient_descent"].make()
    count = [0]

    def counted(run: Run):
        count[0] += 1
        return analyse(run)

    monkeypatch.setattr("xinv_nb.facts.analysis.analyse", counted)
    run, history = Run("live"), History("f", leaves_of([("x", (2,))]))
    RunWriter(run).add_history(history)
    for row in range(whole.evaluations):
        history.append(whole.loss[row], whole.history.values.array[row], whole.history.gradients.array[row])
        assert run.phases[-1].stop >= 0.98 * run.evaluations
    assert count[0] < 0.15 * run.evaluations
    RunWriter(run).end("finished")
    assert run.facts == analyse(run).facts
    assert numpy.all([phase.stop <= run.evaluations for phase in run.phases])
