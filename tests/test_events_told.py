"""Events of a simulation are told as what happened: when something began, how long it went on, and when it ended."""

from __future__ import annotations

import pytest
from autograd import grad

import xinv_nb as xi


def descent(report, start: float = 8.0, steps: int = 12) -> xi.Run:
    def loss(x):
        report(x)
        return (x - 1.0) ** 2

    with xi.record() as run:
        x = start
        for _ in range(steps):
            x = x - 0.1 * grad(loss)(x)
    return run


def told(run: xi.Run) -> list[str]:
    return [fact.text for fact in run.facts if fact.kind == "event"]


def test_an_end_is_told_in_the_words_that_the_simulator_has_for_it() -> None:
    run = descent(
        lambda x: (
            xi.event("the line runs {x:.1f} km from {place}", x=x, place="the valley", until="leaves {place}")
            if x > 4
            else None
        )
    )
    last = max(event.evaluation for event in run.events if event.kind == "happening")
    assert told(run) == [f"After iteration {last}: leaves the valley."]


def test_what_began_and_ended_is_told_with_both() -> None:
    run = descent(lambda x: xi.event("the pump runs", until="the pump stands still") if 3 < x < 6 else None)
    times = [event.evaluation for event in run.events if event.kind == "happening"]
    assert told(run) == [
        f"From iteration {times[0]} to {times[-1]}: the pump runs.",
        f"After iteration {times[-1]}: the pump stands still.",
    ]


def test_without_words_for_its_end_it_is_said_how_long_it_went_on_and_how_far_its_numbers_went() -> None:
    assert told(descent(lambda x: xi.event("the pump runs") if x > 4 else None)) == [
        "Until iteration 3: the pump runs."
    ]
    assert told(descent(lambda x: xi.event("it is {x:.1f} m high", x=x) if x > 4 else None)) == [
        "Until iteration 3: it is 4.6 to 8.0 m high."
    ]
    later = descent(lambda x: xi.event("the pump runs") if x < 4 else None)
    assert told(later) == ["From iteration 4 on: the pump runs."]
    count = iter(range(100))
    now_and_then = descent(lambda x: xi.event("the pump runs") if next(count) % 2 and x > 2.5 else None)
    assert told(now_and_then) == ["Between iterations 1 and 5, at times: the pump runs."]


def test_the_words_for_an_end_are_kept_in_the_file(tmp_path) -> None:
    run = descent(lambda x: xi.event("the pump runs", until="the pump stands still") if x > 4 else None)
    run.save(tmp_path / "run.npz")
    loaded = xi.load(tmp_path / "run.npz")
    assert told(loaded) == told(run) == ["After iteration 3: the pump stands still."]
    assert [event.until for event in loaded.events] == [event.until for event in run.events]


def test_words_for_an_end_that_are_no_words_are_refused() -> None:
    with pytest.raises(xi.XinvError, match="its end is told in words, not by a bool"):
        xi.event("the pump runs", until=True)


def test_numbers_that_differ_from_time_to_time_are_not_quoted_for_all() -> None:
    def floods(x):
        for year, rain in enumerate((1.0, 2.0, 3.0, 4.0, 5.0)):
            if rain > 6.0 - x:
                xi.event("the flood of year {year} tops the dike by {by:.2f} m", year=year, by=rain - 6.0 + x)

    run = descent(floods, start=5.9, steps=14)
    (told_of,) = (fact.text for fact in run.facts if fact.kind == "trend")
    assert told_of.startswith("“the flood of year … tops the dike by … m” happened 5 times in iteration 0 and ")
