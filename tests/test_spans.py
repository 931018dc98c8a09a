"""What is told of a stretch that the reader chose."""

from __future__ import annotations

import numpy as np
import pytest

import xinv_nb as xi
from tests.example_runs import EXAMPLES
from tests.traces import courses, parameters  # noqa: F401 - fills TRACES
from tests.traces.library import TRACES
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run


def chosen(run: Run, span: tuple[int, int]) -> list[xi.Fact]:
    """Facts that are told on request; the runs of the examples are shared, and are left as they were."""
    RunWriter(run).forget_spans()
    before = len(run.facts)
    run.choose_span(span)
    try:
        return list(run.facts)[before:]
    finally:
        RunWriter(run).forget_spans()


def test_a_stretch_is_told_by_its_own_first_and_last_values() -> None:
    run = EXAMPLES["bowl"]()
    RunWriter(run).forget_spans()
    known = [fact.text for fact in run.facts]
    found = chosen(run, (3, 7))
    stretch = found[0]
    assert stretch.kind == "stretch"
    assert (stretch.values["start"], stretch.values["end"]) == (run.loss[3], run.loss[7])
    assert {fact.span for fact in found} == {(3, 7)}
    moved = {fact.values["parameter"]: fact for fact in found if fact.kind == "movement"}
    assert moved
    for entry in run.entries():
        if fact := moved.get(entry.name):
            column = run.column(entry)
            assert (fact.values["start"], fact.values["end"]) == (column[3], column[7])
    # What had a number keeps it: captions cite it.
    assert found[0].id == f"F{len(known) + 1}"
    assert [fact.text for fact in run.facts] == known


def test_the_checker_agrees_with_every_stretch_of_every_trace() -> None:
    random = np.random.RandomState(0)
    told = 0
    for trace in list(TRACES.values())[::4]:
        run = trace.make()
        last = run.evaluations - 1
        for _ in range(3):
            first, final = sorted(random.randint(0, last + 1, 2))
            for fact in chosen(run, (int(first), int(final))):
                told += 1
                wrong = [c.reason for c in run.check(fact.text, fact.span) if c.supported is False]
                assert not wrong, (fact.text, wrong)
    assert told > 60


@pytest.mark.parametrize("span", [(-1, 2), (3, 2), (0, 10_000)])
def test_a_stretch_that_is_not_there_is_an_error_that_says_what_is(span: tuple[int, int]) -> None:
    run = EXAMPLES["bowl"]()
    with pytest.raises(xi.XinvError, match=rf"between 0 and {run.evaluations - 1}"):
        run.choose_span(span)


def test_one_iteration_and_losses_that_are_no_numbers() -> None:
    assert "iteration 2" in chosen(EXAMPLES["bowl"](), (2, 2))[0].text
    with xi.record() as run:
        from autograd import grad
        from autograd import numpy as anp

        for x in (1.0, 0.5, -1.0, -2.0):
            with np.errstate(all="ignore"):
                grad(lambda x: anp.log(x))(x)
    assert any("not a number" in fact.text for fact in [*run.facts, *chosen(run, (2, 3))] if fact.span == (2, 3))
    assert not any("fell" in fact.text for fact in chosen(run, (2, 3)) if fact.kind == "stretch")


def test_a_stretch_within_another_does_not_speak_for_it() -> None:
    run = EXAMPLES["bowl"]()
    try:
        RunWriter(run).forget_spans()
        run.explain(model=False, span=(4, 6))
        (caption,) = run.explain(model=False, span=(2, 9))
        facts = {fact.id: fact for fact in run.facts}
        assert {facts[cite].span for cite in caption.cites if cite in facts} == {(2, 9)}
        last = run.evaluations - 1
        (whole,) = run.explain(model=False, span=(0, last))
        assert {fact.span for fact in run.facts if fact.id in whole.cites} == {(0, last)}
    finally:
        RunWriter(run).forget_spans()
