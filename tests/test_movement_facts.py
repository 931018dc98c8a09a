"""Turning points, swings and the order of parameters, against analytic answers; what never changes what is said."""

from __future__ import annotations

import itertools
import math
import re

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import sgd
from hypothesis import given, settings
from hypothesis import strategies as st

import xinv_nb as xi
from tests.traces.parameters import HEAVY_BALL, TRACES, descend
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.turning import swing_of, turning_points
from xinv_nb.run import Run


def only(run: Run, kind: str) -> Fact:
    (fact,) = [fact for fact in run.facts if fact.kind == kind]
    return fact


# ---------------------------------------------------------------------- analytic answers


def test_a_heavy_ball_swings_with_the_period_and_damping_of_its_characteristic_roots() -> None:
    """x and v of autograd's sgd follow z² − (1 + m − η(1−m)L) z + m = 0: |z| = √m, arg z = ω."""
    m = HEAVY_BALL["momentum"]
    trace = 1 + m - HEAVY_BALL["rate"] * (1 - m) * HEAVY_BALL["curvature"]
    period = 2 * math.pi / math.acos(trace / (2 * math.sqrt(m)))
    fact = only(TRACES["heavy_ball"].make(), "swing")
    assert fact.values["period"] == pytest.approx(period, rel=0.02)
    assert fact.values["ratio"] == pytest.approx(math.sqrt(m) ** (period / 2), rel=0.02)


@pytest.mark.parametrize("rate", [0.015, 0.018, 0.0199])
def test_a_zigzag_shrinks_by_what_a_step_leaves(rate: float) -> None:
    run = descend(lambda x: 50.0 * x**2, 1.0, rate, 60)
    fact = only(run, "swing")
    assert fact.values["period"] == pytest.approx(2.0)
    assert fact.values["ratio"] == pytest.approx(abs(1 - rate * 100.0), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(4.0, 40.0),
    st.floats(0.93, 1.0),
    st.floats(0.0, 6.0),
    st.floats(-20, 20).map(lambda e: 2.0 ** round(e)),
    st.floats(-3.0, 3.0),
)
def test_a_damped_cosine_is_measured(period: float, damping: float, start: float, scale: float, level: float) -> None:
    k = numpy.arange(round(6 * period))
    swing = swing_of(scale * (level + damping**k * numpy.cos(2 * math.pi * k / period + start)))
    if damping ** (4 * period) > 0.02:  # else too few of its swings can be seen
        assert swing is not None
        assert swing.period == pytest.approx(period, rel=0.15)
        assert swing.ratio == pytest.approx(damping ** (period / 2), rel=0.15)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=3, max_size=60), st.integers(1, 40))
def test_between_turning_points_it_goes_far_and_one_way(values: list[int], least: int) -> None:
    series = numpy.array(values, dtype=float)
    places = turning_points(series, least)
    assert places[0] == 0
    assert places[-1] == len(series) - 1
    assert places == sorted(set(places))
    turns = places[1:-1]
    for a, b in itertools.pairwise(turns):
        assert abs(series[b] - series[a]) >= least
        assert {series[a], series[b]} == {min(series[a : b + 1]), max(series[a : b + 1])}
    # The same turns upside down, and in other units.
    assert turning_points(-series, least) == places
    assert turning_points(8 * series + 3, 8 * least) == places
    if not turns:  # nowhere does it come back by twice the least distance
        highest, lowest = numpy.maximum.accumulate(series), numpy.minimum.accumulate(series)
        assert min((highest - series).max(), (series - lowest).max()) < 2 * least


def test_long_runs_turn_where_short_ones_do() -> None:
    t = numpy.linspace(0.0, 1.0, 50_001)
    series = numpy.sin(2 * math.pi * 1.5 * t) + 0.01 * numpy.random.RandomState(0).randn(len(t))
    places = turning_points(series, 0.3)[1:-1]
    assert len(places) == 3
    numpy.testing.assert_allclose(t[places], [1 / 6, 1 / 2, 5 / 6], atol=0.01)


def test_half_ways_are_those_of_the_exponentials() -> None:
    """x ← (1 − r) x is half done after ln ½ / ln(1 − r) iterations."""
    rates = {"a": 0.2, "b": 0.01}
    values = only(TRACES["fast_and_slow"].make(), "order").values["half"]
    final = {name: 3.0 * (1 - rate) ** 299 for name, rate in rates.items()}
    for name, rate in rates.items():
        half = math.log((1.5 + final[name] / 2) / 3.0) / math.log(1 - rate)
        assert values[name] == math.ceil(half)


# ---------------------------------------------------------------------- what is no movement


def test_rejected_trials_are_no_movement() -> None:
    run = TRACES["rejected_trial"].make()
    path = next(fact for fact in run.facts if fact.kind == "path")
    accepted = run.parameters["theta"][run.accepted][:, 1]
    assert path.values["path"] == pytest.approx(numpy.abs(numpy.diff(accepted)).sum())
    assert path.values["path"] < 0.5 * numpy.abs(numpy.diff(run.parameters["theta"][:, 1])).sum()


def test_jitter_is_no_turn() -> None:
    random = numpy.random.RandomState(2)

    def loss(x, k):
        return 0.5 * (x - 3.0) ** 2 + 0.3 * random.randn() * x

    with xi.record() as run:
        sgd(grad(loss), 0.0, num_iters=300, step_size=0.03, mass=0.0)
    assert not [f.text for f in run.facts if f.kind in ("turning", "swing")]


def test_what_noise_alone_may_have_moved_is_told_on_request_only() -> None:
    random = numpy.random.RandomState(4)

    def loss(x, k):
        return 0.5 * (x[0] - 2.0) ** 2 + random.randn() * (0.3 * x[0] + x[1])

    with xi.record() as run:
        sgd(grad(loss), np.array([0.0, 1.0]), num_iters=400, step_size=0.01, mass=0.0)
    whole = [fact for fact in run.facts if fact.kind == "movement" and fact.span == (0, 399)]
    salience = {fact.values["parameter"]: fact.salience for fact in whole}
    assert salience["x[1]"] <= 0.2
    assert salience["x[0]"] >= 0.7


def test_a_jump_to_another_start_is_told_as_it_was() -> None:
    """Nothing of a run that was started again is said that its numbers do not bear."""
    with xi.record() as run:
        for start in (4.0, -6.0):
            x = start
            for _ in range(20):
                x = x - 0.1 * grad(lambda x: x**2)(x)
    for fact in run.facts:
        if fact.kind == "turning":
            assert fact.values["values"] == [run.parameters["x"][t] for t in fact.values["turns"]]


# ---------------------------------------------------------------------- what never changes what is said

OWN = {
    "movement", "order", "turning", "swing", "path", "bound", "idle", "credit", "drop", "asked", "identifiability",
}  # fmt: skip

problems = st.integers(0, 10_000)


def start_and_curvatures(seed: int):
    random = numpy.random.RandomState(seed)
    # Apart from each other, so that no order is a matter of the last bit.
    return random.permutation([3.0, -2.0, 1.1, 0.37]), random.permutation([0.3, 1.0, 4.1, 17.3])


def quadratic(seed: int, *, order=(0, 1, 2, 3), factor: float = 1.0, mass: float = 0.0) -> Run:
    start, curvatures = (row[list(order)] for row in start_and_curvatures(seed))

    def loss(x, i=0):
        return factor * 0.5 * np.sum(curvatures * x**2)

    with xi.record() as run:
        sgd(grad(loss), start, num_iters=60, step_size=0.1 / factor, mass=mass)
    return run


def said(run: Run, names: dict[str, str] | None = None) -> list[tuple[str, str, tuple[int, int]]]:
    found = []
    for fact in run.facts:
        if fact.kind in OWN:
            text = re.sub(r"x\[\d\]", lambda m: (names or {}).get(m.group(), m.group()), fact.text)
            found.append((fact.kind, text, fact.span))
    return found


def without_numbers(facts) -> list[tuple[str, str, tuple[int, int]]]:
    return [(kind, re.sub(r"[\d.×⁻⁰¹²³⁴⁵⁶⁷⁸⁹−]+", "#", text), span) for kind, text, span in facts]


@settings(max_examples=12, deadline=None)
@given(problems, st.permutations(range(4)), st.sampled_from([0.0, 0.8]))
def test_parameters_may_change_places(seed: int, order: list[int], mass: float) -> None:
    names = {f"x[{place}]": f"<{parameter}>" for place, parameter in enumerate(order)}
    plain = {f"x[{place}]": f"<{place}>" for place in range(4)}
    changed = said(quadratic(seed, order=order, mass=mass), names)
    same = said(quadratic(seed, mass=mass), plain)
    kinds = OWN - {"identifiability"}  # whose directions are found by elimination, and rounded
    assert {f for f in changed if f[0] in kinds} == {f for f in same if f[0] in kinds}
    assert len(changed) == len(same)


@settings(max_examples=12, deadline=None)
@given(problems, st.integers(-30, 30), st.sampled_from([0.0, 0.8]))
def test_the_unit_of_the_loss_changes_only_losses(seed: int, power: int, mass: float) -> None:
    one, other = said(quadratic(seed, mass=mass)), said(quadratic(seed, factor=2.0**power, mass=mass))
    assert without_numbers(one) == without_numbers(other)
    kinds = {"movement", "order", "turning", "swing", "path", "asked"}
    assert [f for f in one if f[0] in kinds] == [f for f in other if f[0] in kinds]


@settings(max_examples=12, deadline=None)
@given(problems, st.sampled_from([0.0, 0.8]))
def test_a_run_again_is_told_again_to_the_letter(seed: int, mass: float) -> None:
    assert quadratic(seed, mass=mass).facts == quadratic(seed, mass=mass).facts


@settings(max_examples=12, deadline=None)
@given(st.text("αβжяκ_", min_size=2, max_size=8).filter(str.isidentifier), st.text("µΩ‰¥", min_size=1, max_size=5))
def test_names_and_units_change_nothing_else(name: str, unit: str) -> None:
    def texts(name: str, unit: str) -> list[str]:
        known = xi.Problem("", parameters={"p": xi.Parameter(name, unit)})
        run = descend(lambda p: 50.0 * (p["p"] - 1) ** 2 + p["other"] ** 4, {"p": 3.0, "other": 1.0}, 0.0185, 40, known)
        return [re.sub(rf"{name}|{name.capitalize()}", "¤", fact.text.replace(unit, "§")) for fact in run.facts]

    same = texts("QQQQQ", "WWWWW")
    spaced = [text.replace("§", " §").replace("  ", " ") for text in texts(name, unit)]
    assert spaced == [text.replace("§", " §").replace("  ", " ") for text in same]


# ---------------------------------------------------------------------- what a processor rounds


def told_of(points: list[float], *kinds: str) -> list[str]:
    with xi.record() as run:
        for x in points:
            grad(lambda x: (xi.watch(x, "depth", "m") - 5.0) ** 2)(x)
    return [fact.text for fact in run.facts if fact.kind in kinds and fact.span == (0, len(points) - 1)]


@pytest.mark.parametrize("bit", [0.0, -1e-16, 1e-16])
def test_a_return_does_not_hang_on_the_last_bit(bit: float) -> None:
    told = told_of([bit, 2.0, 3.0, 1.5, 0.0], "movement", "watch", "path")
    assert [text.partition(", at ")[0] for text in told] == ["Depth ended where it began", "x ended where it began"]


@pytest.mark.parametrize("last", [0.3, 0.1 + 0.2])
def test_staying_does_not_hang_on_the_last_bit(last: float) -> None:
    told = told_of([0.3, 0.3, last], "movement", "watch")
    assert [text.partition(";")[0].rstrip(".") for text in told] == ["Depth stayed at 0.3 m", "x stayed at 0.3"]


@pytest.mark.parametrize("last", [0.0, 1e-17, -1e-17])
def test_zero_is_passed_by_more_than_the_last_bit(last: float) -> None:
    assert told_of([-3.0, -2.0, -1.0, last], "crossing") == []


def test_what_is_small_is_no_return() -> None:
    assert told_of([1e-6, 3.0, 2e-6], "movement") == [
        "x rose from 1×10⁻⁶ to 2×10⁻⁶; the gradient asked for this at every iteration."
    ]
