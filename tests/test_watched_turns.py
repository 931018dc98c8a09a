"""Watched quantities that turn are told as turning, a held-out loss that rises as rising; noise never is."""

from __future__ import annotations

import re

import autograd.numpy as np
import numpy
import pytest
from autograd import grad

import xinv_nb as xi

Floats = numpy.ndarray


def watched(values: Floats, loss: Floats | None = None, name: str = "validation loss", every: int = 1) -> xi.Run:
    """Record a run by hand with a quantity that is watched beside every `every`-th evaluation."""
    if loss is None:
        loss = 4.0 * numpy.exp(-4.0 * numpy.linspace(0.0, 1.0, len(values) * every))
    with xi.record() as run:
        for k, value in enumerate(loss.tolist()):
            run.add(value, {"w": float(k)})
            if k % every == 0:
                xi.watch(float(values[k // every]), name)
    return run


def texts(run: xi.Run, *kinds: str) -> list[str]:
    return [fact.text for fact in run.facts if fact.kind in kinds]


def valley(count: int, low: float = 0.4) -> Floats:
    """A held-out loss that falls from 3.87 to 3.44, and rises to 3.76."""
    k = numpy.linspace(0.0, 1.0, count)
    return numpy.where(k < low, 3.44 + 0.43 * (1 - k / low) ** 2, 3.44 + 0.32 * ((k - low) / (1 - low)) ** 1.5)


def test_a_held_out_loss_that_falls_and_rises_is_not_told_as_falling() -> None:
    run = watched(valley(101))
    assert texts(run, "watch") == [
        "Validation loss fell from 3.87 to 3.44 at iteration 40 and rose to 3.76 by the end."
    ]
    (text,) = texts(run, "held out")
    assert re.fullmatch(
        r"Validation loss was lowest, 3\.44, at iteration 40; from there it rose by 0\.32 to 3\.76, while the loss "
        r"went on falling from 0\.8\d+ to 0\.07\d+: a sign of overfitting\.",
        text,
    )
    assert [finding.kind for finding in run.diagnosis] == ["overfit"]
    for said in (run.captions[0].text, run.ask("Did it overfit?", model=False).text):
        assert "alidation loss was lowest, 3.44, at iteration 40 and rose by 0.32 to 3.76" in said


def test_a_run_that_stops_before_the_noise_can_be_known_is_told_by_what_was_seen() -> None:
    run = watched(numpy.array([3.87, 3.44, 3.76]), numpy.array([3.0, 2.0, 1.0]))
    assert texts(run, "watch") == ["Validation loss fell from 3.87 to 3.44 at iteration 1 and rose to 3.76 by the end."]
    assert texts(run, "held out") == []


@pytest.mark.parametrize("every", [1, 10])
def test_a_quantity_watched_now_and_then_is_followed(every: int) -> None:
    run = watched(valley(30), every=every)
    (fact,) = [fact for fact in run.facts if fact.kind == "held out"]
    assert abs(fact.values["at"] - 12 * every) <= every
    assert len(texts(run, "watch")) == 1


def test_a_noisy_held_out_loss_is_told_apart_from_its_noise() -> None:
    found = 0
    for seed in range(40):
        noise = numpy.random.default_rng(seed).normal(0.0, 0.03, 200)
        run = watched(valley(200) + noise)
        for fact in (f for f in run.facts if f.kind == "held out"):
            found += 1
            assert fact.text.startswith("Apart from noise, validation loss was lowest, 3.4")
            assert abs(fact.values["at"] - 80) < 40
            assert abs(fact.values["end"] - 3.76) < 0.1
    assert found > 30


def noises(seed: int, count: int) -> dict[str, Floats]:
    random = numpy.random.default_rng(seed)
    wandering = numpy.zeros(count)
    for k in range(1, count):
        wandering[k] = 0.8 * wandering[k - 1] + random.normal()
    return {
        "white": random.normal(0.0, 0.05, count),
        "small": random.normal(0.0, 0.003, count),
        "wandering": 0.02 * wandering,
        "outliers": 0.02 * random.standard_t(2, count),
        "growing": random.normal(0.0, 0.1, count) * numpy.linspace(0.0, 1.0, count),
    }


@pytest.mark.parametrize("count", [8, 20, 60, 250])
@pytest.mark.parametrize("kind", ["white", "small", "wandering", "outliers", "growing"])
def test_a_held_out_loss_that_jitters_at_its_end_is_no_overfitting(kind: str, count: int) -> None:
    told = 0
    for seed in range(60):
        steady = 3.0 + numpy.exp(-6.0 * numpy.linspace(0.0, 1.0, count))
        run = watched(steady + noises(seed, count)[kind])
        told += bool(texts(run, "held out"))
        assert not [text for text in texts(run, "held out", "watch") if "Apart from" in text] or kind == "wandering"
    assert told <= (1 if kind == "wandering" else 0)


def test_where_the_loss_rises_too_it_is_no_overfitting() -> None:
    values = valley(100)
    assert texts(watched(values, values + 1.0), "held out") == []
    flat = numpy.concatenate([numpy.linspace(3.0, 1.0, 40), numpy.full(60, 1.0)])
    assert texts(watched(values, flat), "held out") == []


@pytest.mark.parametrize("name", ["validation accuracy", "test score", "temperature", "learning rate"])
def test_what_is_no_held_out_loss_is_not_told_as_one(name: str) -> None:
    assert texts(watched(valley(100), name=name), "held out") == []


@pytest.mark.parametrize("name", ["val", "test_rmse", "held-out misfit", "error on unseen data"])
def test_a_held_out_loss_is_known_by_many_names(name: str) -> None:
    assert "overfitting" in texts(watched(valley(100), name=name), "held out")[0]


def test_several_valleys_are_told_by_the_lowest() -> None:
    k = numpy.linspace(0.0, 1.0, 200)
    run = watched(3.0 + numpy.cos(12 * k) * 0.3 + 2 * (k - 0.5) ** 2, name="drift")
    (text,) = texts(run, "watch")
    assert "at iteration" in text
    assert texts(run, "turning")


def test_a_term_that_falls_and_rises_is_told_as_that() -> None:
    def route(x):
        return xi.watch((x + 1.0) ** 2, "cost") + xi.watch((x - 3.0) ** 2, "time")

    with xi.record() as run:
        x = 8.0
        for _ in range(60):
            x = x - 0.05 * grad(route)(x)
    assert any(text.startswith("Time fell from 25 to 0.0") and "rose to" in text for text in texts(run, "watch"))


# ---------------------------------------------------------------------- watched outside of what is differentiated


def test_what_is_watched_in_the_loop_stands_beside_the_latest_evaluation() -> None:
    with xi.record() as run:
        x = 4.0
        for k in range(5):
            x = x - 0.1 * grad(lambda x: x**2)(x)
            if k % 2:
                xi.watch(numpy.array([x, -x]), "profile", "m")
            assert xi.watch(x, "held out", "K") == x
    assert run.watches["held out"].evaluation.tolist() == [0, 1, 2, 3, 4]
    assert run.watches["held out"].unit == "K"
    assert numpy.isnan(run.watches["held out"].cotangents).all()
    assert run.watches["profile"].evaluation.tolist() == [1, 3]
    assert run.watches["profile"].values.shape == (2, 2)
    assert texts(run, "watch")[0].startswith("Held out fell from 3.2 to 1.31 K")


def test_what_is_watched_before_the_first_evaluation_belongs_to_the_next_one_each_time() -> None:
    with xi.record() as run:
        x = 4.0
        for _ in range(4):
            xi.watch(x, "position")
            x = x - 0.1 * grad(lambda x: x**2)(x)
        xi.watch(x, "position")
    assert run.watches["position"].evaluation.tolist() == [0, 1, 2, 3, 3]
    numpy.testing.assert_array_equal(run.watches["position"].values[:4], run.parameters["x"])
    assert texts(run, "watch")[0].startswith("Position fell from 4 to 1.64")


def test_a_simulator_called_for_its_value_alone_adds_nothing_to_what_it_says_in_passes() -> None:
    def loss(x):
        return xi.watch(x**2, "height")

    with xi.record() as run:
        loss(9.0)
        x = 4.0
        for _ in range(3):
            x = x - 0.1 * grad(loss)(x)
            loss(x + 5.0)
    numpy.testing.assert_array_equal(run.watches["height"].values, run.loss)


def test_the_inner_runs_of_a_simulator_are_no_loop_of_the_program() -> None:
    with xi.record() as run:
        vjp, _ = __import__("autograd").make_vjp(lambda x: np.sin(x))(3.0)
        vjp(1.0)
    assert run.watches == {}


def test_quantities_watched_outside_come_back_from_a_file(tmp_path) -> None:
    run = watched(valley(60), every=3)
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert again.facts == run.facts


def test_what_is_watched_in_a_loop_stays_beside_evaluations_that_are_differentiated_by_turns() -> None:
    def miss(a, b):
        return np.sum((a - 1.0) ** 2) + np.sum((a * b - 2.0) ** 2)

    a, b = numpy.array([3.0, -1.0]), numpy.array([0.5, 0.5])
    with xi.record() as run:
        for k in range(12):
            by_a, by_b = grad(miss, 0)(a, b), grad(miss, 1)(a, b)
            a, b = a - 0.05 * by_a, b - 0.05 * by_b
            xi.watch(float(k), "step")
    assert list(run.objectives) == ["miss"]
    numpy.testing.assert_array_equal(run.watches["step"].evaluation, numpy.arange(12))
    numpy.testing.assert_array_equal(run.watches["step"].values, numpy.arange(12.0))


def test_a_trial_that_was_turned_down_is_no_turn_of_a_quantity() -> None:
    from autograd import value_and_grad
    from scipy.optimize import minimize

    def loss(x):
        xi.watch(x[0] + x[1], "sum of both")
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    with xi.record() as run:
        minimize(value_and_grad(loss), [-3.0, 8.0], jac=True, method="L-BFGS-B")
    assert not run.accepted.all()
    values = run.watches["sum of both"].values
    assert values[~run.accepted].min() < values[run.accepted].min() or values[~run.accepted].max() > values[0]
    fact = next(fact for fact in run.facts if fact.kind == "watch")
    assert fact.values.get("at") is None or run.accepted[fact.values["at"]]


def test_a_single_long_step_beyond_both_ends_is_told_as_one() -> None:
    values = numpy.concatenate([[3.33, 2.5, 0.05, 1.38, 1.38, 2.9], 3.92 - 0.8 * 0.6 ** numpy.arange(14)])
    run = watched(values, numpy.linspace(9.0, 1.0, len(values)))
    assert texts(run, "watch") == [
        "Validation loss rose from 3.33 to 3.92; on the way a single step took it from 2.5 to 0.05, at iteration 2."
    ]


def test_what_dipped_before_it_rose_is_not_said_to_have_risen_from_its_start() -> None:
    values = numpy.concatenate([[2.0, 1.98, 1.97], numpy.linspace(2.0, 2.56, 12), numpy.linspace(2.5, 2.2, 10)])
    run = watched(values, numpy.linspace(9.0, 1.0, len(values)))
    (text,) = [text for text in texts(run, "turning") if "2.56" in text]
    assert text.startswith("Validation loss went from 2 to 2.56 until iteration 14 and then fell to 2.2")
