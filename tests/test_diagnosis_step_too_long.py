"""Steps too long for the curvature: the limit is that of theory, and half of it converges."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam, sgd

import xinv_nb as xi
from xinv_nb.run import Run

pytestmark = pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")

RNG = numpy.random.default_rng(0)
COLUMNS = RNG.standard_normal((40, 4)) * numpy.array([1, 2, 10, 20.0])
TARGETS = COLUMNS @ numpy.ones(4)
LARGEST = float(numpy.linalg.eigvalsh(2 * COLUMNS.T @ COLUMNS / 40)[-1])


def misfit(w):
    return np.mean((np.dot(COLUMNS, w) - TARGETS) ** 2)


SLOPE = grad(misfit)


def plain(step: float, count: int) -> None:
    w = numpy.zeros(4)
    for _ in range(count):
        w = w - step * SLOPE(w)


def heavy_ball(step: float, count: int) -> None:
    w = velocity = numpy.zeros(4)
    for _ in range(count):
        velocity = 0.9 * velocity - step * SLOPE(w)
        w = w + velocity


def nesterov(step: float, count: int) -> None:
    w = ahead = numpy.zeros(4)
    for _ in range(count):
        new = ahead - step * SLOPE(ahead)
        ahead, w = new + 0.9 * (new - w), new


def trained(step: float, count: int) -> None:
    sgd(lambda w, i: SLOPE(w), numpy.zeros(4), num_iters=count, step_size=step, mass=0.8)


LOOPS = [
    (plain, 0.01, 2 / LARGEST),
    (heavy_ball, 0.01, 2 * 1.9 / LARGEST),
    (nesterov, 0.01, 2 * 1.9 / (2.8 * LARGEST)),
    (trained, 0.1, 2 * 1.8 / (0.2 * LARGEST)),
]


def run_of(loop, step: float, count: int) -> Run:
    with xi.record(live=False) as run:
        loop(step, count)
    return run


@pytest.mark.parametrize(("loop", "step", "limit"), LOOPS, ids=lambda each: getattr(each, "__name__", ""))
def test_the_limit_is_that_of_theory_and_half_of_it_converges(loop, step: float, limit: float) -> None:
    run = run_of(loop, step, 60)
    found = run.diagnosis[0]
    assert found.kind == "step-too-long"
    assert found.values["curvature"] == pytest.approx(LARGEST, rel=0.02)
    assert found.values["limit"] == pytest.approx(limit, rel=0.02)
    assert not {"advice", "minimum", "identifiability"} & {fact.kind for fact in run.facts}
    better = run_of(loop, found.values["half"], 300)
    assert not better.diagnosis
    assert better.loss[-1] < better.loss[0] / 2


@pytest.mark.parametrize(("loop", "limit"), [(plain, LOOPS[0][2]), (heavy_ball, LOOPS[1][2])])
def test_just_below_the_limit_nothing_is_said(loop, limit: float) -> None:
    assert not run_of(loop, 0.95 * limit, 150).diagnosis


def test_a_run_that_overflows_begins_with_the_cause() -> None:
    kinds = [finding.kind for finding in run_of(heavy_ball, 0.05, 800).diagnosis]
    assert kinds == ["step-too-long", "not-finite"]


def test_a_schedule_that_begins_too_long() -> None:
    with xi.record(live=False) as run:
        w = numpy.zeros(4)
        for step in range(30):
            w = w - 0.05 / (1 + step) ** 0.5 * SLOPE(w)
    assert run.diagnosis[0].kind == "step-too-long"


def test_steps_that_lead_to_where_the_loss_curves_more() -> None:
    with xi.record(live=False) as run:
        x = numpy.array([-1.2, 1.0])
        for _ in range(30):
            x = x - 0.01 * grad(lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2)(x)
    assert run.diagnosis[0].kind == "step-too-long"
    assert run.diagnosis[0].form == "growing"
    assert run.diagnosis[0].values["limit"] < 0.01


def test_a_rise_that_comes_down_again_is_none() -> None:
    with xi.record(live=False) as run:
        x = numpy.array([0.4])
        for _ in range(80):
            x = x - 0.7 * grad(lambda x: np.sum(np.sin(2 * x) + 0.2 * x**2))(x)
        adam(lambda x, i: grad(lambda x: np.sum(x**4))(x), numpy.array([1.0]), num_iters=100, step_size=0.05)
    assert "step-too-long" not in {finding.kind for finding in run.diagnosis}


@pytest.mark.parametrize(("loop", "limit"), [(loop, limit) for loop, _, limit in LOOPS])
@pytest.mark.parametrize("times", [1.003, 1.02])
def test_just_above_the_limit_the_slow_growth_is_told(loop, limit: float, times: float) -> None:
    found = run_of(loop, times * limit, 400).diagnosis[0]
    assert found.kind == "step-too-long"
    assert found.values["limit"] == pytest.approx(limit, rel=0.005)
    assert found.values["end"] > found.values["start"]
    better = run_of(loop, found.values["half"], 400)
    assert "step-too-long" not in {finding.kind for finding in better.diagnosis}


def test_slow_growth_is_told_before_it_has_passed_the_start() -> None:
    steep = numpy.array([1.0, 3.0, 10.0])
    with xi.record(live=False) as run:
        x = numpy.array([3.0, 2.0, 1.0])
        for _ in range(60):
            x = x - 1.002 * 0.2 * grad(lambda x: np.sum(steep * x**2) / 2)(x)
    assert run.loss.min() < run.loss[-1] < run.loss[0]
    assert run.diagnosis[0].kind == "step-too-long"
    assert run.diagnosis[0].values["start"] == run.loss.min()


def test_steps_that_come_nearer_only_slowly_are_told_with_what_lies_between() -> None:
    run = run_of(plain, 0.995 * LOOPS[0][2], 40)
    found = next(finding for finding in run.diagnosis if finding.kind == "step-too-long")
    assert (found.form, found.severity) == ("to and fro, just below", "caution")
    assert " times the longest" not in found.text
    assert found.values["share"] == pytest.approx(1.0, abs=0.05)  # 1 - (2 - 0.01 - 1)
    between = run.parameters["w"][-2:].mean(axis=0)
    assert misfit(between) == pytest.approx(run.loss[-1] - found.values["left"], rel=0.02)
    assert run_of(plain, found.values["half"], 40).loss[-1] < run.loss[-1] / 2


def bent(x):
    return np.log(1 + x[0] ** 2) + 0.5 * x[1] ** 2


@pytest.mark.parametrize("count", [60, 200, 600])
def test_steps_to_and_fro_that_stay_as_long_never_arrive(count: int) -> None:
    """Where the loss curves less farther out, a step that is too long ends in a cycle of two points."""
    with xi.record(live=False) as run:
        x = numpy.array([0.3, 0.2])
        for _ in range(count):
            x = x - 1.2 * grad(bent)(x)
    found = run.diagnosis[0]
    assert (found.kind, found.form, found.severity) == ("step-too-long", "to and fro, as long", "warning")
    assert run.loss[-1] - run.loss.min() + found.values["left"] > 0.05
    assert "limit" not in found.values  # of the loss, which no step of a cycle tells
    assert "stable" not in found.text + found.advice
    assert not [fact for fact in run.facts if fact.kind in ("minimum", "advice")]


def test_a_run_that_came_to_rest_far_above_its_start() -> None:
    times = numpy.linspace(0, 3, 30)
    signal = 2 * numpy.exp(-0.8 * times)
    with xi.record(live=False) as run:
        p, velocity = numpy.array([1.8, 0.9]), numpy.zeros(2)
        for _ in range(200):
            velocity = 0.9 * velocity - 0.1 * grad(lambda p: np.sum((p[0] * np.exp(-p[1] * times) - signal) ** 2))(p)
            p = p + velocity
    assert run.loss[-1] > 10 * run.loss[0]
    assert run.diagnosis[0].kind == "step-too-long"


def epidemic(p):
    susceptible, infected, misfit = 99.0, 1.0, 0.0
    for seen in (1, 2.1, 4.4, 8.7, 15.0, 21.0, 23.0, 21.0, 17.0, 13.0):
        misfit = misfit + (infected - seen) ** 2
        new, well = np.exp(p[0]) * susceptible * infected / 100, np.exp(p[1]) * infected
        susceptible, infected = susceptible - new, infected + new - well
    return misfit


@pytest.mark.parametrize("rate", [1e-4, 8e-5])
def test_a_descent_that_comes_to_no_rest_is_no_noise(rate):
    """Nothing is drawn at random: the steps overshoot, each another way."""

    def descended(step: float, count: int) -> Run:
        with xi.record() as run:
            p = numpy.array([-0.3, -1.5])
            for _ in range(count):
                p = p - step * grad(epidemic)(p)
        return run

    run = descended(rate, 300)
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity) == ("step-too-long", "warning")
    said = "\n".join(each.text for each in (*run.facts, *run.captions))
    assert "noise" not in said
    assert "batches" not in said
    calm = descended(finding.values["used"] / 10, 3000)  # less than the advice: farther on, the loss curves more
    assert calm.loss[-1] < run.loss.min() + 5


@pytest.mark.parametrize("batches", [2, 7, 20])
@pytest.mark.parametrize("step", [0.02, 0.2])
def test_noise_of_batches_is_no_step_that_is_too_long(batches, step):
    rng = numpy.random.default_rng(batches)
    x = rng.standard_normal((20 * batches, 3))
    y = x @ numpy.ones(3) + 0.5 * rng.standard_normal(20 * batches)
    with xi.record() as run:
        w = numpy.zeros(3)
        for k in range(200):
            part = slice(20 * (k % batches), 20 * (k % batches) + 20)
            w = w - step * grad(lambda w, part: np.mean((np.dot(x[part], w) - y[part]) ** 2))(w, part)
    assert not run.diagnosis


def kinked(x):
    return np.abs(x[0] - 1) + 2 * np.abs(x[1] + 0.5)


def hinged(w):
    return np.sum(np.maximum(0.0, 1 - np.dot(COLUMNS[:, :3], w) * numpy.sign(TARGETS))) + 0.5 * np.sum(np.abs(w))


@pytest.mark.parametrize("power", [0.5, 0.7, 1.0])
@pytest.mark.parametrize(("loss", "start"), [(kinked, [3.0, 2.0]), (hinged, [0.5, -1.0, 0.2])])
def test_steps_over_a_kink_that_become_shorter_are_not_too_long(loss, start, power):
    """A subgradient method: at a kink its slopes do not get smaller, and its steps do by their schedule (Shor 1985)."""
    with xi.record(live=False) as run:
        x = numpy.array(start)
        for k in range(150):
            x = x - 0.3 / (k + 1) ** power / (1 + numpy.abs(grad(loss)(x)).max() / 5) * grad(loss)(x)
    assert "step-too-long" not in [finding.kind for finding in run.diagnosis]
    assert run.accepted.all()


def test_a_step_size_a_little_above_the_longest_is_told_with_the_digits_that_show_it() -> None:
    with xi.record(live=False) as run:
        x = numpy.array([1.0, 1.0])
        for _ in range(60):
            x = x - 1.001 * 0.5 * grad(lambda x: 2 * x[0] ** 2 + 0.15 * x[1] ** 2)(x)
    assert "any step size above 0.5000 diverges, and 0.5005 was used" in run.diagnosis[0].text


def test_of_a_loss_that_is_nowhere_curved_no_curvature_is_told() -> None:
    with xi.record(live=False) as run:
        x = numpy.array([3.0, 2.0])
        for k in range(150):
            x = x - 0.5 / (k + 1) ** 0.7 * grad(kinked)(x)
    assert not [fact.text for fact in run.facts if "curvature" in fact.text]
