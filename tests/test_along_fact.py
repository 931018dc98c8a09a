"""Where along the simulation a push comes from, and what is kept of a quantity along it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, jacobian

import xinv_nb as xi
from xinv_nb.facts.fact import Fact

WAY = numpy.linspace(0.0, 60.0, 241)


def recomputed(run: xi.Run, fact: Fact) -> list[float]:
    """The push, and the share of the places that are named, from what was read of each part of the way."""
    at, name = fact.values["at"], fact.values["quantity"]
    column = next(entry.column for entry in run.entries() if entry.name == fact.values["parameter"])
    evaluations, gradients = run.history.along[name].arrays()
    parts = -gradients[list(evaluations).index(at), :, column]
    places = run.watches[name].profile(at).at
    ends = [(part[0], part[-1]) for part in numpy.array_split(places, len(parts))]
    first = next(k for k, (begin, _) in enumerate(ends) if begin == fact.values["from"])
    last = next(k for k, (_, end) in enumerate(ends) if end == fact.values["to"])
    share = 100 * parts[first : last + 1].sum() / parts.sum()
    push = float(f"{abs(parts.sum()):.2g}")
    return [float(at), push, share, fact.values["from"], fact.values["to"], places[0], places[-1]]


def told(run: xi.Run) -> list[Fact]:
    return [fact for fact in run.facts if fact.kind == "along"]


def speeds(p: Any) -> Any:
    return 160.0 - 100.0 * np.exp(-(((WAY - 31.0) / 4.0) ** 2 + (p[0] / 3.0) ** 2)) + 0.02 * p[1] * WAY


def minutes(p: Any, _: int = 0) -> Any:
    speed = xi.watch(speeds(p), "speed", "km/h", at=WAY)
    return np.sum(60.0 * 0.25 / speed) + 0.1 * p[0] ** 2 + 0.1 * p[1] ** 2


def by_hand() -> xi.Run:
    problem = xi.Problem("Rail", parameters={"p[0]": xi.Parameter("the distance", "km", directions=("closer", "away"))})
    p = numpy.array([2.0, 1.0])
    with xi.record("rail", problem=problem) as run:
        for _ in range(40):
            p = p - 0.5 * grad(minutes)(p)
    return run


def test_a_push_from_a_short_part_is_told_with_its_place() -> None:
    run = by_hand()
    fact = next(fact for fact in told(run) if fact.values["parameter"] == "p[0]")
    assert "speed pushed the distance away with" in fact.text
    assert 24 < fact.values["from"] < 31 < fact.values["to"] < 38
    assert fact.values["begin"] == 0.0
    assert fact.values["end"] == 60.0
    at = fact.values["at"]
    profile = run.watches["speed"].profile(at)
    of_places = -profile.cotangents * jacobian(speeds)(run.parameters["p"][at])[:, 0]
    inside = (profile.at >= fact.values["from"]) & (profile.at <= fact.values["to"])
    assert fact.values["share"] == pytest.approx(of_places[inside].sum() / of_places.sum(), rel=1e-9)
    assert [f.values["parameter"] for f in told(run)] == ["p[0]"], "what comes from all over the way is none"


def test_the_parts_add_up_to_the_gradient_through_the_quantity() -> None:
    run = by_hand()
    evaluations, gradients = run.history.along["speed"].arrays()
    assert len(evaluations) > 2
    for at, parts in zip(evaluations, gradients, strict=True):
        through = run.watches["speed"].profile(at).cotangents @ jacobian(speeds)(run.parameters["p"][at])
        numpy.testing.assert_allclose(parts.sum(axis=0), through, rtol=1e-9)


def test_where_it_was_pushed_is_answered_with_it() -> None:
    assert "came from between" in by_hand().ask("Where along the way was the distance pushed?", model=False).text


def test_what_is_watched_at_each_step_has_a_profile_and_parts() -> None:
    def loop(x: Any) -> Any:
        total = 0.0
        for k in range(30):
            speed = xi.watch(numpy.exp(-(((k - 20.0) / 2) ** 2)) * x[0] + 0.1 * x[1], "speed", "m/s", at=float(k))
            total = total + (speed - 3.0) ** 2
        return total

    x = numpy.array([0.0, 1.0])
    with xi.record() as run:
        for _ in range(30):
            x = x - 0.003 * grad(loop)(x)
    numpy.testing.assert_allclose(run.history.along["speed"].gradients[0].sum(axis=0), run.gradients["x"][0])
    assert run.watches["speed"].profile(0).at.tolist() == list(range(30))
    assert any("pushed x[0] up" in fact.text for fact in told(run))


def test_a_state_that_is_computed_from_the_one_before_has_no_parts() -> None:
    def state(x: Any) -> Any:
        v = x[0]
        for k in range(30):
            v = xi.watch(0.9 * v + x[1], "speed", at=float(k))
        return (v - 3.0) ** 2

    x = numpy.array([0.0, 1.0])
    with xi.record() as run:
        for _ in range(30):
            x = x - 0.003 * grad(state)(x)
    assert run.history.along == {}
    assert told(run) == []
    assert len(run.watches["speed"].profile(29).values) == 30


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    run = by_hand()
    loaded = xi.load(run.save(tmp_path / "run.npz"))
    assert [fact.text for fact in told(loaded)] == [fact.text for fact in told(run)] != []
    one, other = (each.watches["speed"].profile(7) for each in (run, loaded))
    for of in ("at", "values", "cotangents"):
        assert getattr(one, of).tolist() == getattr(other, of).tolist()


def test_the_places_are_kept_once_where_they_stay_the_same() -> None:
    kept = by_hand().history.watches["speed"].at
    assert len({id(at) for at in kept}) == 1


def test_a_number_that_is_not_watched_along_the_way_has_no_profile() -> None:
    with xi.record() as run:
        grad(lambda x: xi.watch(x**2, "height"))(3.0)
    with pytest.raises(xi.XinvError, match=r"give xinv_nb\.watch an `at`"):
        run.watches["height"].profile(0)
    with pytest.raises(xi.XinvError, match=r"no values kept of evaluation 7; of evaluation \d+ it has: profile\(\d+\)"):
        run.watches["height"].profile(7)
