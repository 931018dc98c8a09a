"""A loss that jumps over one short step, where the slopes on both sides predict a fall."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam, sgd
from scipy.optimize import minimize

import xinv_nb as xi

START = numpy.array([4.0, 2.0])


def missed(x):
    return np.sum((x - 1) ** 2) + np.where(x[0] < 1.5, 3.0, 0.0)


@pytest.mark.parametrize(
    "loop",
    [
        lambda slope: adam(slope, START, num_iters=150, step_size=0.05),
        lambda slope: sgd(slope, START, num_iters=100, step_size=0.05, mass=0.7),
        lambda slope: sgd(slope, START, num_iters=80, step_size=0.05, mass=0.0),
    ],
)
def test_the_step_over_the_edge_is_found(loop) -> None:
    with xi.record(live=False) as run:
        loop(lambda x, i: grad(missed)(x))
    found = run.diagnosis[0]
    first, last = found.span
    points = run.parameters["x"][:, 0]
    assert found.kind == "jump"
    assert points[first] >= 1.5 > points[last]
    assert found.values["rise"] == pytest.approx(run.loss[last] - run.loss[first])
    assert not any("step size" in fact.text for fact in run.facts if fact.kind == "advice")


@pytest.mark.parametrize(("sign", "kinds"), [(1.0, ["left-to-gain"]), (-1.0, ["jump"])])
def test_a_number_of_steps_that_depends_on_a_parameter(sign: float, kinds: list[str]) -> None:
    with xi.record(live=False) as run:
        time = 3.05
        for _ in range(60):
            steps = int(time / 0.4)  # one step less: the loss falls by it, or rises
            run.add(0.2 * time + sign * steps, time, 0.2)
            time -= 0.03
    assert [finding.kind for finding in run.diagnosis] == kinds


def test_an_edge_in_front_of_a_search() -> None:
    def edge(x):
        return (x[0] ** 2 + x[1] ** 2 + (2.0 if x[0] < 1.0 else 0.0), 2 * x)

    with xi.record(live=False) as run:
        minimize(edge, numpy.array([1.0, 0.5]), jac=True, method="BFGS")
    assert run.diagnosis[0].kind == "jump"
    assert run.diagnosis[0].values["rise"] == pytest.approx(2.0, rel=0.01)


def test_what_the_advice_says_gets_past_the_edge() -> None:
    def smooth(x):
        return np.sum((x - 1) ** 2) + 3.0 / (1 + np.exp((x[0] - 1.5) / 0.2))

    with xi.record(live=False) as run:
        sgd(lambda x, i: grad(smooth)(x), START, num_iters=400, step_size=0.01, mass=0.0)
    assert not run.diagnosis
    assert run.loss[-1] < missed(numpy.array([1.0, 1.0]))


def steep(x):
    return np.sum((x - 1) ** 2) + 0.2 * np.sum(np.sin(8 * x))


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


@pytest.mark.parametrize(
    ("loss", "rate"),
    [(steep, 0.05), (rosenbrock, 0.0015), (lambda x: np.sum(np.abs(x)), 0.3)],
    ids=["waves", "valley", "kink"],
)
def test_overshooting_is_no_jump(loss, rate: float) -> None:
    with xi.record(live=False) as run:
        x = numpy.array([-1.2, 1.0])
        for _ in range(150):
            x = x - rate * grad(loss)(x)
    assert "jump" not in {finding.kind for finding in run.diagnosis}


def test_a_weight_that_grows_by_plan_is_no_jump() -> None:
    with xi.record(live=False) as run:
        x = numpy.array([3.0, 1.0])
        for step in range(120):
            weight = 10.0 ** (step // 30)
            loss, slope = np.sum((x - 2) ** 2) + weight * x[0] ** 2, 2 * (x - 2) + numpy.array([2 * weight * x[0], 0.0])
            run.add(loss, x, slope)
            x = x - 0.4 / (1 + weight) * slope
    assert "jump" not in {finding.kind for finding in run.diagnosis}


@pytest.mark.parametrize("rate", [0.05, 0.1])
@pytest.mark.parametrize("height", [5.0, 20.0])
def test_a_threshold_that_a_descent_walks_across_at_full_stride_is_a_jump(rate, height) -> None:
    with xi.record() as run:
        p = numpy.array([0.0, 1.0])
        for _ in range(30):
            p = p - rate * grad(lambda p: (p[0] - 2) ** 2 + p[1] ** 2 + np.where(p[0] > 1.2, height, 0.0))(p)
    assert [finding.kind for finding in run.diagnosis] == ["jump"]
    assert run.diagnosis[0].values["rise"] == pytest.approx(height, rel=0.2)
