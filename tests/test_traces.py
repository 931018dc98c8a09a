"""Each trace of the library is told as a person who knows the method would tell it."""

from __future__ import annotations

import re

import numpy
import pytest

from tests.given_facts import given
from tests.test_facts import assert_facts_are_true
from tests.traces import courses  # noqa: F401 - fills the library
from tests.traces.library import TRACES, Trace
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds import advice
from xinv_nb.run import Run

ON_REQUEST = 0.2
"""Facts of this salience and below are told only to who asks."""


def those(field: str) -> pytest.MarkDecorator:
    """The traces of which something is expected."""
    found = [trace for trace in TRACES.values() if getattr(trace, field) not in (None, ())]
    assert found
    return pytest.mark.parametrize("trace", found, ids=lambda trace: trace.name)


def facts_of(run: Run, kind: str) -> list[Fact]:
    return [fact for fact in run.facts if fact.kind == kind]


def texts(run: Run) -> list[str]:
    return [fact.text for fact in run.facts if fact.salience > ON_REQUEST]


def test_the_library_is_large_enough() -> None:
    assert len(TRACES) >= 40
    assert {5, 50_000} <= {trace.make().evaluations for trace in TRACES.values()}


@those("phases")
def test_phases_are_those_that_a_person_sees(trace: Trace) -> None:
    phases = trace.make().phases
    assert tuple(phase.kind for phase in phases) == trace.phases
    for phase, border in zip(phases[1:], trace.borders, strict=False):
        assert abs(phase.start - border) <= trace.tolerance


@those("speed")
def test_the_speed_is_told_where_the_data_shows_it(trace: Trace) -> None:
    told = [fact.values["order"] for fact in facts_of(trace.make(), "convergence")]
    assert told == ([trace.speed] if trace.speed else [])


@those("rate")
def test_the_rate_is_the_one_of_theory(trace: Trace) -> None:
    (fact,) = facts_of(trace.make(), "convergence")
    assert fact.values["rate"] == pytest.approx(trace.rate, abs=0.02 * (1 - trace.rate))
    assert fact.values["half_life"] == pytest.approx(numpy.log(0.5) / numpy.log(trace.rate), rel=0.05)


@those("period")
def test_the_period_is_the_one_of_theory(trace: Trace) -> None:
    (fact,) = facts_of(trace.make(), "phase")
    assert fact.values["period"] == pytest.approx(trace.period, rel=0.04)


@those("best")
def test_the_best_is_where_it_was(trace: Trace) -> None:
    (fact,) = facts_of(trace.make(), "best")
    assert fact.values["iteration"] == trace.best


@those("stopped")
def test_the_reason_of_the_end_is_told(trace: Trace) -> None:
    (fact,) = facts_of(trace.make(), "ending")
    assert trace.stopped in fact.text
    assert fact.salience >= 0.9


@those("says")
def test_what_has_to_be_said_is_said(trace: Trace) -> None:
    said = texts(trace.make())
    for pattern in trace.says:
        assert any(re.search(pattern, text) for text in said), (pattern, said)


@those("silent")
def test_what_must_not_be_said_is_not_said(trace: Trace) -> None:
    for pattern in trace.silent:
        assert not [text for text in texts(trace.make()) if re.search(pattern, text)], pattern


every_trace = pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)


@every_trace
def test_facts_are_ranked_and_numbered_in_that_order(trace: Trace) -> None:
    facts = trace.make().facts
    saliences = [fact.salience for fact in facts]
    assert saliences == sorted(saliences, reverse=True)
    assert all(0 <= salience <= 1 for salience in saliences)
    assert [fact.id for fact in facts] == [f"F{i}" for i in range(1, len(facts) + 1)]


@every_trace
def test_the_first_twelve_facts_tell_the_course_and_the_end_and_nothing_twice(trace: Trace) -> None:
    run = trace.make()
    first = run.facts[:12]
    assert len({fact.text for fact in first}) == len(first)
    kinds = {fact.kind for fact in first}
    assert kinds & {"course", "phase"}
    if run.evaluations > 1:
        assert "ending" in kinds


@every_trace
def test_advice_cites_the_facts_that_suggest_it(trace: Trace) -> None:
    run = trace.make()
    facts = {fact.id: fact for fact in run.facts}
    advice = facts_of(run, "advice")
    assert len(advice) <= 3
    for fact in advice:
        assert fact.cites
        assert all(facts[cited].kind != "advice" for cited in fact.cites)
        assert re.search(r"\bmay\b|worth a try|probably|check", fact.text), "a suggestion, not an order"


def test_rejected_trials_make_no_phase() -> None:
    for name in ("rosenbrock_cg", "rosenbrock_lbfgsb", "exponential_decay_lbfgsb", "unidentifiable_pair"):
        run = TRACES[name].make()
        assert not run.accepted.all()
        assert not {phase.kind for phase in run.phases} & {"oscillation", "rise", "divergence"}
        for phase in run.phases[1:]:
            assert run.accepted[phase.start]


def test_the_loss_at_the_end_is_the_one_that_was_accepted() -> None:
    runs = [trace.make() for trace in TRACES.values()]
    rejected_last = [run for run in runs if not run.accepted[-1]]
    assert rejected_last
    for run in rejected_last:
        (course,) = facts_of(run, "course")
        assert course.values["end"] == run.loss[run.accepted][-1]


def test_another_optimizer_begins_another_phase() -> None:
    run = TRACES["adam_then_bfgs"].make()
    assert 100 in [phase.start for phase in run.phases]
    assert any(fact.text.startswith("BFGS took over from Adam: the loss fell from") for fact in facts_of(run, "phase"))


def test_the_limit_of_a_linear_convergence_is_estimated() -> None:
    (fact,) = facts_of(TRACES["gradient_descent_condition_1000"].make(), "convergence")
    assert fact.values["limit"] == pytest.approx(0.0, abs=0.02 * fact.values["left"])
    assert "was left at the end" in fact.text


def test_the_power_of_a_sublinear_convergence() -> None:
    (fact,) = facts_of(TRACES["gradient_descent_on_a_flat_bottom"].make(), "convergence")
    assert fact.values["power"] == pytest.approx(-2.0, abs=0.1)  # x ~ k^-1/2, so that x⁴ ~ k^-2


@every_trace
def test_every_sentence_of_a_trace_is_true(trace: Trace) -> None:
    run = trace.make()
    assert_facts_are_true(run)
    for caption in run.captions:
        assert caption.text


def advised(run: Run, *facts: Fact) -> list[tuple[str, tuple[str, ...]]]:
    """The suggestions for a run of which these facts are known."""
    evidence = Evidence(run, run.phases)
    evidence.found = list(facts)
    return [(fact.text, fact.cites) for fact in advice.compute(evidence)]


def test_a_poorly_determined_combination_is_to_be_tied_and_a_bound_to_be_questioned() -> None:
    run = TRACES["unidentifiable_pair"].make()
    poor = given("F1", "identifiability", "…", {"how": "flat"}, (12, 12))
    well = given("F2", "identifiability", "…", {"how": "well"}, (12, 12))
    held = given("F3", "bound", "…", {"pull": 2.0}, (0, 12))
    free = given("F4", "bound", "…", {"pull": -2.0}, (0, 12))
    ((tie, cites),) = advised(run, well, poor)
    assert tie.startswith("Tying or fixing one parameter")
    assert cites == ("F1",)
    ((wider, cites),) = advised(run, free, held)
    assert "a wider one" in wider
    assert cites == ("F3",)
    assert advised(run, well, free) == []
