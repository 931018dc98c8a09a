"""What the loss is called in the domain: in facts, captions, answers, claims and plots, and kept with the run."""

from __future__ import annotations

import pickle
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam

import xinv_nb as xi
from xinv_nb.facts.measures.objective import name_of_loss

COST = xi.Objective("total cost", "M€", lower="cheaper", higher="dearer")


def total(p: Any, _: int = 0) -> Any:
    return 10 * xi.watch(np.sum((p - 1.0) ** 2), "travel time", "min") + xi.watch(
        np.sum((p + 2.0) ** 2), "building", "M€"
    )


def route(objective: xi.Objective | None = COST) -> xi.Run:
    names = {"p[0]": xi.Parameter("the first point", "km", directions=("south", "north"))}
    with xi.record("route", problem=xi.Problem("Route", parameters=names, objective=objective)) as run:
        adam(grad(total), numpy.array([6.0, 7.0]), num_iters=100, step_size=0.2)
    return run


def test_every_sentence_calls_the_loss_what_the_domain_does() -> None:
    run = route()
    assert run.facts[0].text == (
        "Total cost fell from 755 to 16.4 M€ over 100 iterations, 98 % cheaper than at the start."
    )
    told = [fact.text for fact in run.facts] + [caption.text for caption in run.captions]
    assert not [text for text in told if "loss" in text.lower()]
    terms = next(fact.text for fact in run.facts if fact.kind == "terms")
    assert "total cost fell by" in terms
    assert "building lowered it by" in terms


def test_without_it_every_sentence_is_as_ever() -> None:
    texts = [fact.text for fact in route(None).facts]
    assert texts[0].startswith("The loss fell from ")
    assert "lower than at the start" in texts[0]
    named = [text.replace("total cost", "the loss").replace(" M€", "") for text in texts]
    assert [text.replace(" M€", "") for text in texts] == named


def test_a_name_with_an_article_keeps_it_where_it_is_wanted() -> None:
    run = route(xi.Objective("the effort", "kJ"))
    texts = " ".join(fact.text for fact in run.facts)
    assert "The effort fell from" in texts
    assert "the the" not in texts
    with xi.record(problem=xi.Problem("best", objective=xi.Objective("the effort", "kJ"))) as run:
        for x in (4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 1.0, 1.2, 1.5, 1.8, 2.0, 2.2, 2.4, 2.5):
            run.add(x**2, x)
    (best,) = (finding.text for finding in run.diagnosis if finding.kind == "best-not-last")
    assert best == "The lowest effort, 1 kJ, was at iteration 6; the run ended at 5.76 kJ, 5.76 times that."


def test_findings_and_what_to_do_say_it_too() -> None:
    with xi.record(problem=xi.Problem("long steps", objective=COST)) as run:
        x = numpy.array([3.0, 2.0])
        for _ in range(30):
            x = x - 0.3 * grad(lambda x: np.sum(np.array([1.0, 5.0]) * x**2))(x)
    texts = [text for finding in run.diagnosis for text in (finding.text, finding.advice)]
    assert any("Total cost rose from" in text or "total cost rose from" in text for text in texts), texts
    assert not [text for text in texts if "the loss" in text.lower()]


def test_questions_and_claims_may_use_its_words() -> None:
    run = route()
    end = run.loss[-1]
    assert run.ask("What happened to total cost?", model=False).cites[0] == run.facts[0].id
    right = run.check(f"Total cost fell to {end:.0f} M€ and ended cheaper than at the start.")
    assert [claim.supported for claim in right].count(False) == 0
    assert any(claim.supported for claim in right)
    assert any(claim.supported is False for claim in run.check("Total cost fell to 3 M€."))
    assert any(claim.supported is False for claim in run.check(f"Total cost fell to {end:.0f} km."))


def test_plot_and_view_have_its_name_and_unit() -> None:
    run = route()
    assert name_of_loss(run) == ("total cost", "M€")
    assert run.plot().axes[0].get_ylabel() == "total cost [M€]"


def test_it_is_of_the_objective_that_is_shown() -> None:
    def risk(x: Any) -> Any:
        return x**4

    with xi.record(problem=xi.Problem("two", objective=COST)) as run:
        for x in (3.0, 2.0, 1.5, 1.0):
            grad(lambda x: x**2)(x)
        grad(risk)(1.0)
    other = list(run.objectives.values())[1]
    assert name_of_loss(run)[0] == "total cost"
    assert name_of_loss(other)[0] != "total cost"


def test_it_is_kept_with_the_run_but_for_the_function() -> None:
    run = route(xi.Objective("total cost", "M€", "cheaper", "dearer", total))
    again = pickle.loads(pickle.dumps(run))
    assert again.problem is not None
    assert again.problem.objective == COST
    assert [fact.text for fact in again.facts] == [fact.text for fact in run.facts]


def test_its_function_gives_leave_to_subdivide_long_steps_once() -> None:
    calls = 0

    def wear(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return xi.watch(x[0] ** 4, "wear") + x[1] ** 2

    def run_with(function: Any) -> xi.Run:
        with xi.record(problem=xi.Problem("wear", objective=xi.Objective("upkeep", "€", function=function))) as run:
            for x in (numpy.array([2.0, 1.0]), numpy.array([0.0, 0.0])):
                grad(wear)(x)
        return run

    assert "left over" in run_with(None).reasons.why_not
    run = run_with(wear)
    before = calls
    reasons = run.reasons
    assert reasons.why_not == ""
    assert (reasons.quantities, reasons.units) == (("wear", "x[1] ** 2", "upkeep"), ("", "", "€"))
    numpy.testing.assert_allclose(reasons.parts, [[-16.0, 0.0, -16.0], [0.0, -1.0, -1.0]], rtol=0.02, atol=1e-9)
    assert any(f"{calls - before} times more" in notice for notice in run.notices)
    made = calls
    assert run.reasons is reasons
    assert calls == made

    other = run_with(lambda x: 3 * x[0])
    assert "another function" in other.reasons.why_not


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: xi.Objective(3), "what the loss is called"),
        (lambda: xi.Objective(" "), "it is empty"),
        (lambda: xi.Objective("cost", unit=3), "such as 'M€'"),
        (lambda: xi.Objective("cost", lower=""), "such as 'cheaper'"),
        (lambda: xi.Objective("cost", function=3), "cannot be called"),
        (lambda: xi.Problem("route", objective="cost"), "xinv_nb.Objective"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_is_written(make: Any, says: str) -> None:
    with pytest.raises(xi.XinvError, match=says):
        make()
