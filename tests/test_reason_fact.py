"""Why a parameter moved: what its move brought to the watched quantities, and what it cost."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy
from autograd import grad
from autograd.misc.optimizers import adam

import xinv_nb as xi
from tests.slopes_read import part_of, to_its_digits
from tests.test_reasons import descend, integrated
from xinv_nb.facts.fact import Fact


def recomputed(run: xi.Run, fact: Fact) -> list[float]:
    """Start, end, and the parts, from slopes that are read off smoothly between evaluations."""
    name = fact.values["parameter"]
    place = next(entry.column for entry in run.entries() if entry.name == name)
    rows = numpy.flatnonzero(run.accepted)
    rows = rows[(rows >= fact.span[0]) & (rows <= fact.span[1])]
    values = run.history.values.array[rows, place]
    found = [float(values[0]), float(values[-1])]
    clauses = [*fact.slots["brought"].items, *getattr(fact.slots.get("paid"), "items", ())]
    for clause in clauses:
        parts = part_of(run, clause.slots["quantity"].plain, rows, place)
        found.append(to_its_digits(parts, clause.slots["part"]))
    return found


def reasons_told(run: xi.Run) -> dict[str, str]:
    return {fact.values["parameter"]: fact.text for fact in over_all(run)}


def over_all(run: xi.Run) -> list[Fact]:
    return [fact for fact in run.facts if fact.kind == "reason" and fact.span == (0, run.evaluations - 1)]


# ---------------------------------------------------------------------- said


def speed_and_fuel() -> xi.Run:
    def cost(p: Any) -> Any:
        hours = xi.watch(100.0 / p["speed"] + 0.002 * p["load"], "hours", "h")
        fuel = xi.watch(0.002 * p["speed"] ** 2 + 0.5 * (p["load"] - 8.0) ** 2, "fuel", "l")
        return 4.0 * hours + fuel

    problem = xi.Problem(
        "Trip", parameters={"speed": xi.Parameter("the speed", "km/h", directions=("slower", "faster"))}
    )
    p = {"speed": 30.0, "load": 5.0}
    with xi.record(problem=problem) as run:
        for _ in range(200):
            slope = grad(cost)(p)
            p = {"speed": p["speed"] - 5.0 * slope["speed"], "load": p["load"] - 0.05 * slope["load"]}
    return run


def test_a_gain_and_its_price_are_told_in_the_units_of_the_quantities() -> None:
    run = speed_and_fuel()
    told = reasons_told(run)
    speed = run.parameters["speed"]
    hours = 100 / speed[0] - 100 / speed[-1]
    fuel = 0.002 * (speed[-1] ** 2 - speed[0] ** 2)
    assert told["speed"].startswith("The speed")
    assert told["speed"].endswith(
        f"because this lowered hours by {hours:.3g} h, although it raised fuel by {fuel:.3g} l."
    )
    assert "because this lowered fuel by" in told["load"]
    assert "hours" not in told["load"], "what hardly matters is left out"


def test_the_reasons_are_those_of_an_independent_integration() -> None:
    def east(x: Any) -> Any:
        return np.sum((x - numpy.array([3.0, -2.0])) ** 2 * numpy.array([1.0, 0.2]))

    def west(x: Any) -> Any:
        return np.sqrt(1.0 + np.sum(x**2))

    def objective(x: Any, _: int = 0) -> Any:
        return xi.watch(east(x), "east") + xi.watch(west(x), "west")

    with xi.record() as run:
        adam(grad(objective), numpy.array([0.5, 0.5]), num_iters=200, step_size=0.05)
    told = over_all(run)
    assert len(told) == 2
    for fact in told:
        column = int(fact.values["parameter"][2])
        for name, quantity in (("east", east), ("west", west)):
            exact = integrated(quantity, run.parameters["x"], pieces=4)[column]
            assert abs(fact.data["parts"][name] - exact) < 0.005 * abs(exact)


def test_why_is_answered_with_the_reason() -> None:
    answer = speed_and_fuel().ask("Why did the speed rise?", model=False)
    assert "because this lowered hours by" in answer.text
    assert "the gradient asked" not in answer.text


def test_the_explanation_gives_the_reason_in_the_place_of_the_mechanism() -> None:
    text = " ".join(caption.text for caption in speed_and_fuel().explain(model=False))
    assert "because this lowered hours by" in text
    assert "The speed rose from 30 to" not in text.replace("because", "", 1) or text.count("The speed") == 1


def test_each_chapter_says_why_its_parameters_moved() -> None:
    def cost(p: Any, _: int = 0) -> Any:
        steep = xi.watch(np.sum((p - numpy.array([8.0, 3.0])) ** 2), "misfit", "€")
        return steep + xi.watch(30.0 / (1.0 + p[1] ** 2), "delay", "h")

    names = {"p[0]": xi.Parameter("the amount", "kg", directions=("down", "up")), "p[1]": xi.Parameter("the speed")}
    with xi.record(problem=xi.Problem("Shop", parameters=names)) as run:
        adam(grad(cost), numpy.array([0.0, 0.5]), num_iters=300, step_size=0.1)
    chapters = run.explain(model=False)[1:]
    assert len(chapters) > 1
    assert "the gradient asked" not in " ".join(chapter.text for chapter in chapters)
    moved = [fact for fact in run.facts if fact.kind == "reason" and fact.span == chapters[0].span]
    assert "lowered misfit by" in chapters[0].text
    for fact in moved:
        column = int(fact.values["parameter"][2])
        part = run.reasons.over(*fact.span).parts[column, run.reasons.quantities.index("misfit")]
        assert abs(fact.data["parts"]["misfit"] - part) <= 1e-9 * abs(part)


def test_what_the_gradient_asked_at_some_steps_is_no_move_against_it() -> None:
    with xi.record() as run:
        adam(
            grad(lambda p, i: np.sum((p - 1.0) ** 2 * numpy.array([1.0, 5.0]))),
            numpy.zeros(2),
            num_iters=150,
            step_size=0.1,
        )
    said = " ".join(caption.text for caption in run.explain(model=False))
    assert "the gradient asked for this at" not in said.replace("asked for this at every", "")


# ---------------------------------------------------------------------- not said


def test_no_reason_is_given_for_what_momentum_did() -> None:
    def objective(x: Any) -> Any:
        return xi.watch((x[0] - 1.0) ** 2, "one") + xi.watch(10.0 * (x[1] - 1.0) ** 2, "other")

    x, speed = numpy.array([1.0, 0.0]), numpy.array([0.6, 0.0])
    with xi.record() as run:
        for _ in range(12):
            speed = 0.95 * speed - 0.001 * grad(objective)(x)
            x = x + speed
    assert "x[0]" not in reasons_told(run)


def test_a_quantity_beside_the_loss_is_no_reason() -> None:
    def objective(x: Any) -> Any:
        xi.watch(x[0] * x[1], "area", "m²")
        return np.sum((x - 3.0) ** 2)

    assert reasons_told(descend(objective, numpy.array([1.0, 2.0]))) == {}


def test_a_quantity_that_is_to_hit_a_mark_is_neither_gain_nor_price_where_it_passes_it() -> None:
    def objective(x: Any) -> Any:
        return (xi.watch(x[0] ** 2, "height", "m") - 4.0) ** 2 + 0.1 * xi.watch(x[1] ** 2, "size")

    x = numpy.array([1.0, 1.0])
    with xi.record() as run:
        for rate in [0.15, 0.02, 0.15, 0.02, 0.1, 0.05] * 3:
            x = x - rate * grad(objective)(x)
    assert reasons_told(run) == {}


def test_a_maximization_and_long_steps_have_no_reasons_told() -> None:
    def gain(x: Any) -> Any:
        return xi.watch(-((x - 1.0) ** 2), "merit") + xi.watch(x, "price")

    x = 0.0
    with xi.record() as run:
        for _ in range(30):
            x = x + 0.1 * grad(gain)(x)
    assert reasons_told(run) == {}


def test_the_main_term_is_among_the_reasons_though_it_is_not_watched() -> None:
    def bill_and_comfort(t: Any) -> Any:
        return xi.watch(0.1 * (t - 24.0) ** 2, "discomfort") + 0.8 * (t - 17.0) ** 2

    t = 10.0
    with xi.record() as run:
        for _ in range(60):
            t = t - 0.05 * grad(bill_and_comfort)(t)
    assert reasons_told(run)["t"].startswith(
        "t rose from 10 to 17.7 because this lowered 0.8 * (t - 17.0) ** 2 by 38.8"
    )


def test_no_reason_is_given_where_the_main_term_is_not_watched_and_stands_in_no_sum() -> None:
    def comfort_and_bill(t: Any) -> Any:
        return np.sqrt(xi.watch(0.1 * (t - 24.0) ** 2, "discomfort") * 0.8 + (t - 17.0) ** 2)

    t = 10.0
    with xi.record() as run:
        for _ in range(60):
            t = t - 0.05 * grad(comfort_and_bill)(t)
    assert reasons_told(run) == {}


def test_no_reason_is_given_where_a_quantity_pays_twice() -> None:
    def shop(x: Any) -> Any:
        profit = xi.watch(10 * x - 0.5 * x * x, "profit", "€")
        return -profit + xi.watch(0.01 * profit, "rent", "€") + xi.watch(8 - 0.1 * x, "walk", "km")

    x = 0.0
    with xi.record() as run:
        for _ in range(80):
            x = x - 0.05 * grad(shop)(x)
    assert reasons_told(run) == {}


def test_a_misfit_that_is_watched_piece_by_piece_is_a_reason_as_the_sum_that_it_is() -> None:
    days = numpy.arange(5.0)

    def loss(p: Any) -> Any:
        total = 0.0
        for day in days:
            total = total + xi.watch((p[0] + p[1] * day - 3.0 * day) ** 2, "misfit")
        return total + xi.watch(0.1 * (p[0] - 6.0) ** 2 + 0.1 * p[1] ** 2, "prior")

    told = reasons_told(descend(loss, numpy.array([0.0, 0.0]), steps=80, rate=0.01))
    assert told["p[1]"] == "p[1] rose from 0 to 2.84 because this lowered total by 243."


def test_an_answer_says_of_which_stretch_a_reason_is() -> None:
    def profit(p: Any) -> Any:
        demand = 100 * np.exp(-0.3 * p["price"]) * (1 + 0.2 * np.log(1 + p["ads"]))
        return xi.watch(2.0 * demand + 10 * p["ads"], "cost", "€") - xi.watch(p["price"] * demand, "revenue", "€")

    p = {"price": 2.5, "ads": 1.0}
    with xi.record() as run:
        for _ in range(100):
            slope = grad(profit)(p)
            p = {name: p[name] - 0.02 * slope[name] for name in p}
    parts = [fact for fact in run.facts if fact.kind == "reason" and fact.values["parameter"] == "price"]
    assert parts
    assert all(fact.span != (0, 99) for fact in parts)
    answer = run.ask("Why did price rise?", model=False).text
    assert answer.startswith("price rose from 2.5 to 5.3")
    assert f"Between iterations {parts[0].span[0]} and {parts[0].span[1]}: {parts[0].text}" in answer


def test_what_a_move_cost_is_answered_by_its_reason() -> None:
    run = speed_and_fuel()
    name = next(fact.values["parameter"] for fact in over_all(run))
    answer = run.ask(f"What did moving {name} cost?", model=False).text
    assert "because this" in answer or "although it" in answer


def test_an_iteration_that_was_asked_for_before_is_no_answer_to_another_question() -> None:
    run = speed_and_fuel()
    name = next(fact.values["parameter"] for fact in over_all(run))
    assert "iteration 3" in run.ask(f"What pushed {name} at iteration 3?", model=False).text
    assert "iteration 3" not in run.ask(f"What pushed {name}?", model=False).text
    assert "pushed on average" not in run.ask("Where along the way was it pushed?", model=False).text
