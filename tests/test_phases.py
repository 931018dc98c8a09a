"""Phases: without gaps, cut where a person would, the same whatever the units of the loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.example_runs import EXAMPLES
from xinv_nb.facts.measures.phases import find_phases, last_of

random = np.random.RandomState(0)
steps = np.arange(200.0)
COURSES = {
    "exponential": np.exp(-steps / 20),
    "exponential to a floor": 3 + np.exp(-steps / 20),
    "exponential below zero": np.exp(-steps / 20) - 40,
    "linear": np.linspace(10, 1, 200),
    "staircase": np.repeat([8.0, 4.0, 2.0, 1.0], 50),
    "fast, then slow": np.where(steps < 20, 100 * 0.8**steps, 100 * 0.8**20 * 0.995 ** (steps - 20)),
    "down and up": np.abs(np.linspace(-1, 1, 200)) + 1,
    "noise": 5 + random.randn(200),
    "noisy fall": 1 + 5 * np.exp(-steps / 60) + 0.5 * random.randn(200),
    "growth": 1.1**steps,
    "seesaw": 2 + (-1.0) ** steps,
    "flat": np.full(200, 3.0),
}


def shape(loss) -> list[tuple[int, int, str, str]]:
    return [(p.start, p.stop, p.kind, p.label) for p in find_phases(np.asarray(loss, dtype=float))]


def labels(loss) -> list[str]:
    return [label for *_, label in shape(loss)]


def assert_no_gaps(loss) -> None:
    phases = find_phases(np.asarray(loss, dtype=float))
    assert [p.start for p in phases] == [0, *(p.stop for p in phases)][: len(phases)]
    assert phases[-1].stop == len(loss)
    assert all(p.start < p.stop for p in phases)
    for phase in phases:
        assert phase.start <= last_of(phase, np.asarray(loss, dtype=float)) <= len(loss) - 1


@given(st.lists(st.floats(width=64), min_size=1, max_size=80))
@settings(max_examples=150, deadline=None)
def test_phases_cover_any_run_without_gaps(loss: list[float]) -> None:
    assert_no_gaps(loss)


@pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES)
def test_phases_cover_real_runs_and_are_the_same_again(make) -> None:
    loss = make().loss
    assert_no_gaps(loss)
    assert find_phases(loss) == find_phases(loss.copy())


@pytest.mark.parametrize("name", COURSES)
def test_the_unit_of_the_loss_does_not_matter(name: str) -> None:
    loss = COURSES[name]
    for factor in (1000.0, 1e-9, 2.0**40):
        assert shape(loss * factor) == shape(loss)


@pytest.mark.parametrize("name", COURSES)
def test_a_constant_in_the_loss_does_not_matter_where_the_loss_is_read_on_a_plain_scale(name: str) -> None:
    loss = COURSES[name]
    if loss.min() <= 0 or loss.max() / loss.min() < 50:
        moved = [(a, b, kind) for a, b, kind, _ in shape(loss - loss.min() + 1024 - 1024 - 7 * np.ptp(loss))]
        hardly = {"exponential to a floor", "noise"}  # a change may be hardly any beside one level and not another
        assert name in hardly or moved == [(a, b, kind) for a, b, kind, _ in shape(loss)]


def test_a_straight_way_is_one_phase() -> None:
    assert labels(COURSES["exponential"]) == ["descent"]
    assert labels(COURSES["linear"]) == ["descent"]
    assert labels(COURSES["growth"]) == ["rising loss"]
    assert labels(np.linspace(10, 9, 7)) == ["descent"]


def test_the_tail_of_an_exponential_is_no_slow_descent() -> None:
    assert labels(COURSES["exponential to a floor"]) == ["descent", "settled"]
    assert labels(COURSES["exponential below zero"]) == ["descent", "settled"]


def test_a_kink_is_found_where_it_is() -> None:
    first, second = find_phases(COURSES["fast, then slow"])
    assert (first.label, second.label) == ("fast descent", "slow descent")
    assert abs(first.stop - 20) <= 2


def test_ups_and_downs_are_told_from_noise() -> None:
    assert shape(COURSES["seesaw"])[0][2:] == ("oscillation", "oscillation")
    assert labels(COURSES["noise"]) == ["noisy plateau"]
    assert labels(COURSES["noisy fall"])[-1] in ("noisy descent", "noisy plateau")
    assert "oscillation" not in labels(COURSES["noisy fall"])
    assert labels(COURSES["down and up"]) == ["descent", "rising loss"]


def test_a_flat_run_is_a_plateau() -> None:
    assert shape(COURSES["flat"]) == [(0, 200, "plateau", "constant")]
    assert shape([3.0, 3.0]) == [(0, 2, "plateau", "constant")]
    assert shape([4.0]) == [(0, 1, "start", "one evaluation")]
    assert find_phases(np.array([])) == []


def test_points_that_a_line_search_tries_do_not_make_a_phase() -> None:
    smooth = 10 * 0.9 ** np.arange(60.0)
    tried = smooth.copy()
    tried[[7, 21, 22, 40]] = 500.0
    assert labels(tried) == labels(smooth) == ["descent"]
    for border in (15, 30):  # nor does a phase begin at one
        kinked = np.concatenate([smooth[:border], smooth[border] * 0.999 ** np.arange(60.0)])
        kinked[border] = 900.0
        for phase in find_phases(kinked):
            assert kinked[phase.start] < 900


def test_where_numbers_end_the_run_breaks_down() -> None:
    nan, inf = np.nan, np.inf
    assert shape([3, 2, nan, nan]) == [(0, 2, "descent", "descent"), (2, 4, "divergence", "not a number")]
    assert shape([3, 2, inf])[-1] == (2, 3, "divergence", "infinite")
    assert shape([3, 2, inf, nan])[-1] == (2, 4, "divergence", "not a finite number")
    assert shape([nan]) == [(0, 1, "divergence", "not a number")]
    assert shape([nan, nan, nan]) == [(0, 3, "divergence", "not a number")]


def test_a_trial_that_is_no_number_is_no_breakdown() -> None:
    assert shape([5, np.nan, 4, np.inf, 3, 2]) == [(0, 6, "descent", "descent")]
    assert shape([np.nan, 5, 4, 3]) == [(0, 4, "descent", "descent")]


def test_a_run_has_converged_only_if_its_gradient_is_small() -> None:
    loss = COURSES["exponential to a floor"]
    assert find_phases(loss, np.exp(-steps / 20))[-1].kind == "converged"
    steep = find_phases(loss, np.full(200, 2.0))[-1]
    assert (steep.kind, steep.label) == ("plateau", "levelled off")


def test_a_rise_is_a_divergence_only_if_it_goes_on_rising() -> None:
    assert EXAMPLES["diverging"]().phases[-1].kind == "divergence"
    assert EXAMPLES["maximisation"]().phases[-1].kind == "rise"
    assert find_phases(COURSES["down and up"], np.full(200, 1.0))[-1].kind == "rise"


def test_what_people_see_in_the_examples() -> None:
    seen = {name: [p.label for p in make().phases] for name, make in EXAMPLES.items()}
    assert seen["bowl"] == seen["tiny"] == seen["huge"] == seen["projectile"] == ["descent"]
    assert seen["ill_conditioned"] == ["fast descent", "slow descent"]
    assert seen["rosenbrock_adam"] == ["oscillation", "slow descent"]  # its momentum rings three times
    assert seen["rosenbrock_bfgs"] == ["slow descent", "fast descent"]
    assert seen["exponential_fit"] == seen["negative"] == ["descent", "settled"]
    assert seen["bouncing"] == ["oscillation"]
    assert seen["minibatch"] == ["noisy fast descent", "noisy slow descent"]
    assert max(map(len, seen.values())) <= 3


@pytest.mark.parametrize("count", [60, 200, 600, 3000])
def test_a_noisy_fall_is_cut_into_few_long_phases(count: int) -> None:
    for seed in range(6):
        noise = np.random.RandomState(seed).randn(count)
        phases = find_phases(1 + 5 * np.exp(-np.arange(count) / (0.3 * count)) + 0.5 * noise)
        assert len(phases) <= 3
        assert min(p.stop - p.start for p in phases) >= min(20, count // 20)
        assert not {p.kind for p in phases} & {"rise", "divergence", "oscillation", "converged"}


@pytest.mark.parametrize("count", [60, 200, 1000, 20_000])
def test_nothing_but_noise_is_one_noisy_plateau(count: int) -> None:
    told = [labels(5 + 0.3 * np.random.RandomState(seed).randn(count)) for seed in range(20)]
    assert sum(found == ["noisy plateau"] for found in told) >= 18
    assert not any("oscillation" in found for found in told)


@pytest.mark.parametrize("count", [200, 1000])
def test_a_fast_fall_to_the_noise_begins_with_a_descent_and_ends_on_one_plateau(count: int) -> None:
    for seed in range(20):
        random, k = np.random.RandomState(seed), np.arange(count)
        kinds = [p.kind for p in find_phases((3 * np.exp(-k / (0.05 * count)) + 1) * np.exp(0.2 * random.randn(count)))]
        assert kinds[0] == "descent"
        assert kinds[-1] == "plateau"
        assert kinds.count("plateau") == 1


def test_a_step_of_a_noisy_level_is_two_plateaus() -> None:
    level = np.where(np.arange(600) < 300, 4.0, 2.0)
    first, second = find_phases(level + 0.2 * np.random.RandomState(0).randn(600))
    assert first.label == second.label == "noisy plateau"
    assert abs(second.start - 300) <= 8


@pytest.mark.parametrize("likeness", [0.9, 0.99, 1.0], ids="each draw like the one before by {}".format)
@pytest.mark.parametrize("count", [2_000, 20_000])
def test_noise_that_wanders_is_told_in_few_phases(likeness, count):
    random = np.random.RandomState(3)
    noise, found = 0.0, []
    for draw in random.randn(count):
        noise = likeness * noise + np.sqrt(max(1 - likeness**2, 1e-4)) * draw
        found.append(noise)
    falling = (1 + 20 * np.exp(-9 * np.linspace(0, 1, count))) * np.exp(0.3 * np.array(found))
    phases = find_phases(falling)
    assert len(phases) <= 8
    assert phases[0].kind in ("descent", "oscillation")
    assert [p.stop for p in phases[:-1]] == [p.start for p in phases[1:]]
    assert (phases[0].start, phases[-1].stop) == (0, count)
