"""What holds a parameter where it came to rest: pushes to opposite sides, of about equal strength."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, jacobian, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi
from tests.slopes_read import cotangents, read_off, to_two_digits
from xinv_nb.facts.fact import Fact


def recomputed(run: xi.Run, fact: Fact) -> list[float]:
    """The mean of both sides: cotangent times slope of each quantity at the end."""
    column = next(entry.column for entry in run.entries() if entry.name == fact.values["parameter"])
    pushes = {}
    for name in fact.data["pushes"]:
        last = numpy.flatnonzero(run.accepted)[-1]
        evaluations, gradients = run.history.slopes[name].arrays()
        slope = read_off(last, evaluations, gradients[:, column])
        pushes[name] = -float(cotangents(run, name, last)) * float(slope)
    sides = [sum(push for push in pushes.values() if push * sign > 0) * sign for sign in (1, -1)]
    assert min(sides) > 0.9 * max(sides)
    assert set(fact.slots["quantities"].plain) <= {n for n, p in pushes.items() if p}
    return [to_two_digits(sum(sides) / 2, fact.values["push"])]


def told(run: xi.Run) -> list[Fact]:
    return [fact for fact in run.facts if fact.kind == "at rest"]


def terms(p: Any) -> Any:
    return np.array([(p[0] - 4.0) ** 2 + 0.5 * (p[1] - 6.0) ** 2, 0.5 * p[0] * p[1], np.exp(0.3 * p[1])])


def cost(p: Any, _: int = 0) -> Any:
    misfit, price, noise = terms(p)
    return xi.watch(misfit, "misfit") + xi.watch(price, "price") + xi.watch(noise, "noise")


PROBLEM = xi.Problem("buy", parameters={"p[1]": xi.Parameter("the amount", "kg", directions=("down", "up"))})


def by_adam() -> xi.Run:
    with xi.record(problem=PROBLEM) as run:
        adam(grad(cost), numpy.array([0.0, 3.0]), num_iters=400, step_size=0.1)
    return run


def test_the_pushes_are_those_of_the_exact_derivatives() -> None:
    run = by_adam()
    facts = {fact.values["parameter"]: fact for fact in told(run)}
    assert set(facts) == {"p[0]", "p[1]"}
    exact = -jacobian(terms)(run.parameters["p"][-1])
    for column, name in enumerate(("p[0]", "p[1]")):
        pushes = facts[name].data["pushes"]
        numpy.testing.assert_allclose(list(pushes.values()), exact[:, column], rtol=0.03, atol=1e-9)
    assert "misfit pushed p[0] up about as strongly as price pushed it down" in facts["p[0]"].text
    assert "pushed it up" in facts["p[1]"].text or "pushed the amount up" in facts["p[1]"].text
    assert "price and noise" in facts["p[1]"].text or "noise and price" in facts["p[1]"].text
    assert "per kg" in facts["p[1]"].text


@pytest.mark.parametrize(
    "question",
    [
        "Why did the amount stop there?",
        "What holds the amount there?",
        "Why is the amount not lower? Why not further down?",
        "What keeps the amount in place, what holds it?",
    ],
)
def test_what_holds_a_parameter_is_answered_with_it(question: str) -> None:
    answer = by_adam().ask(question, model=False)
    assert answer.text.startswith("At the end "), answer.text
    assert "the amount" in answer.text


def test_why_not_further_without_a_name_is_answered_too() -> None:
    assert by_adam().ask("Why not further?", model=False).text.startswith("At the end ")


def test_the_last_chapter_tells_it() -> None:
    assert "about as strongly as" in " ".join(caption.text for caption in by_adam().explain(model=False))


def test_what_still_moves_is_held_by_nothing() -> None:
    with xi.record() as run:
        adam(grad(cost), numpy.array([0.0, 3.0]), num_iters=30, step_size=0.05)
    assert told(run) == []


def test_a_bound_that_holds_it_is_told_as_that() -> None:
    with xi.record(problem=PROBLEM) as run:
        minimize(value_and_grad(cost), [0.0, 7.0], jac=True, method="L-BFGS-B", bounds=[(-5, 5), (5.5, 10)])
    assert [fact.values["parameter"] for fact in told(run)] in ([], ["p[0]"])
    answer = run.ask("What holds the amount there?", model=False)
    assert "lower bound" in answer.text


def test_a_term_that_is_not_watched_is_no_silent_side() -> None:
    def half(p: Any, _: int = 0) -> Any:
        misfit, price, noise = terms(p)
        rest = (0.95 * price + noise) ** 2
        return np.sqrt(xi.watch(misfit, "misfit") ** 2 + xi.watch(0.05 * price, "price") ** 2 + rest)

    with xi.record() as run:
        adam(grad(half), numpy.array([0.0, 3.0]), num_iters=400, step_size=0.1)
    assert told(run) == []


def test_terms_that_are_lowest_at_one_place_do_not_balance() -> None:
    def bowl(p: Any, _: int = 0) -> Any:
        return xi.watch((p[0] - 2.0) ** 2, "one") + xi.watch((p[0] - 2.0) ** 4 + p[1] ** 2, "other")

    with xi.record() as run:
        adam(grad(bowl), numpy.array([0.0, 1.0]), num_iters=400, step_size=0.1)
    assert told(run) == []


def test_a_push_has_the_unit_of_the_loss_for_each_of_the_parameter() -> None:
    def cost(x: Any) -> Any:
        return xi.watch((x - 5.0) ** 2, "misfit") + xi.watch(2 * x, "price", "€")

    for own, unit in (("kg", "€ per kg"), ("", "€ per unit")):
        names = {"x": xi.Parameter("the load", own)}
        with xi.record(problem=xi.Problem("load", objective=xi.Objective("cost", "€"), parameters=names)) as run:
            x = 0.0
            for _ in range(60):
                x = x - 0.1 * grad(cost)(x)
        assert next(fact for fact in run.facts if fact.kind == "at rest").text.endswith(f"with 2 {unit} on each side.")
        answer = run.ask("What pushed the load at iteration 5?", model=False).text
        assert f"up by misfit with 4.6 {unit} and down by price with 2 {unit}" in answer
