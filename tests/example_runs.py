"""Real runs of real optimizers with autograd: what the tests of analysis and captions read."""

from __future__ import annotations

import functools
from collections.abc import Callable

import autograd.numpy as np
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam, sgd
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.run import Run

EXAMPLES: dict[str, Callable[[], Run]] = {}


def example(make: Callable[[], Run]) -> Callable[[], Run]:
    EXAMPLES[make.__name__] = functools.cache(make)
    return EXAMPLES[make.__name__]


def descend(run: Run, loss, start, rate: float, count: int) -> Run:
    """Plain gradient descent, as a student would write it."""
    with run as recording:
        x = np.array(start, dtype=float) if np.ndim(start) else float(start)
        slope = grad(loss)
        for _ in range(count):
            x = x - rate * slope(x)
    return recording


def from_losses(values, *, points=None) -> Run:
    """A run whose losses are exactly `values`."""
    values = np.asarray(values, dtype=float)
    points = np.arange(len(values), dtype=float) if points is None else points
    with xi.record("given") as run:
        for value, point in zip(values, points, strict=True):
            grad(lambda x, value=value: 0.0 * x + value)(point)
    # Each of these has its own code object only once: they are one history.
    return run


@example
def bowl() -> Run:
    return descend(xi.record("bowl"), lambda theta: np.sum(np.array([1.0, 3.0]) * theta**2), [3.0, -2.0], 0.1, 40)


@example
def ill_conditioned() -> Run:
    return descend(xi.record("ill"), lambda x: 0.5 * np.sum(np.array([1.0, 100.0]) * x**2), [5.0, 1.0], 0.018, 150)


@example
def ringing() -> Run:
    with xi.record("momentum") as run:
        sgd(
            grad(lambda x, i: 0.5 * np.sum(np.array([1.0, 60.0]) * x**2)),
            np.array([4.0, 2.0]),
            num_iters=120,
            step_size=0.02,
            mass=0.9,
        )
    return run


@example
def oscillating() -> Run:
    return descend(xi.record("swing"), lambda x: x**2 + 1, 3.0, 0.98, 30)


@example
def bouncing() -> Run:
    return descend(xi.record("bounce"), lambda x: np.abs(x) + 1.0, 0.3, 1.0, 24)


@example
def diverging() -> Run:
    return descend(xi.record("too far"), lambda x: x**2, 1.0, 1.05, 40)


@example
def overflowing() -> Run:
    with np.errstate(all="ignore"):
        return descend(xi.record("overflow"), lambda x: x**4, 3.0, 0.5, 12)


def rosenbrock(theta):
    return (1 - theta[0]) ** 2 + 100 * (theta[1] - theta[0] ** 2) ** 2


@example
def rosenbrock_adam() -> Run:
    with xi.record("Rosenbrock") as run:
        adam(grad(lambda theta, i: rosenbrock(theta)), np.array([-1.2, 1.0]), num_iters=400, step_size=0.05)
    return run


@example
def rosenbrock_bfgs() -> Run:
    with xi.record("Rosenbrock") as run:
        minimize(value_and_grad(rosenbrock), np.array([-1.2, 1.0]), jac=True, method="BFGS")
    return run


@example
def rosenbrock_lbfgsb() -> Run:
    with xi.record("Rosenbrock") as run:
        minimize(value_and_grad(rosenbrock), np.array([-1.2, 1.0]), jac=True, method="L-BFGS-B")
    return run


@example
def projectile() -> Run:
    def miss(params):
        vx = params["speed"] * np.cos(params["angle"] * np.pi / 180)
        vy = params["speed"] * np.sin(params["angle"] * np.pi / 180)
        reach = xi.watch(2 * vx * vy / 9.81, "range", "m")
        xi.watch(vy**2 / 19.62, "apex height", "m")
        if reach > 60:
            xi.event("the ball flies over the wall at {reach:.0f} m", reach=reach)
        else:
            xi.event("the ball lands before the wall")
        return (reach - 80.0) ** 2

    throw = xi.Problem(
        "Throw",
        parameters={
            "angle": xi.Parameter("elevation", "°"),
            "speed": xi.Parameter("launch speed", "m/s", truth=30.0),
        },
    )
    with xi.record("throw", problem=throw) as run:
        x = {"angle": 20.0, "speed": 20.0}
        for _ in range(60):
            slope = grad(miss)(x)
            x = {k: x[k] - {"angle": 2e-3, "speed": 2e-3}[k] * slope[k] for k in x}
    return run


@example
def exponential_fit() -> Run:
    t = np.linspace(0, 4, 30)
    data = 3.0 * np.exp(-0.7 * t) + 0.02 * np.sin(17 * t)
    decay = xi.Problem(
        "Cooling",
        parameters={
            "params": xi.Parameter(),
            "params[0]": xi.Parameter("amplitude", "V", truth=3.0),
            "params[1]": xi.Parameter("rate", "1/s", truth=0.7),
        },
    )

    def misfit(params):
        residual = params[0] * np.exp(-params[1] * t) - data
        return xi.watch(np.sum(residual**2), "misfit", "V²")

    with xi.record("cooling", problem=decay) as run:
        adam(grad(lambda params, i: misfit(params)), np.array([1.0, 2.0]), num_iters=200, step_size=0.05)
    return run


@example
def minibatch() -> Run:
    random = np.random.RandomState(0)
    features = random.randn(200, 4)
    labels = (features @ np.array([1.5, -2.0, 0.5, 0.0]) + 0.3 * random.randn(200) > 0) * 1.0

    def loss(w, i):
        rows = np.arange(16) + 16 * (i % 12)
        margin = np.dot(features[rows], w)
        return np.mean(np.log(1 + np.exp(-margin * (2 * labels[rows] - 1))))

    with xi.record("mini-batch") as run:
        sgd(grad(loss), np.zeros(4), num_iters=180, step_size=0.3, mass=0.0)
    return run


@example
def constant() -> Run:
    return descend(xi.record("flat"), lambda x: 0.0 * x + 3.0, 1.0, 0.1, 10)


@example
def one_evaluation() -> Run:
    return descend(xi.record("once"), lambda x: (x - 1) ** 2, 3.0, 0.1, 1)


@example
def two_evaluations() -> Run:
    return descend(xi.record("twice"), lambda x: (x - 1) ** 2, 3.0, 0.1, 2)


@example
def nan_from_the_start() -> Run:
    with np.errstate(all="ignore"):
        return descend(xi.record("nan"), lambda x: np.log(x), -1.0, 0.1, 5)


@example
def nan_once() -> Run:
    with np.errstate(all="ignore"):
        return descend(xi.record("nan once"), lambda x: np.log(x), -1.0, 0.1, 1)


@example
def nan_at_k() -> Run:
    with np.errstate(all="ignore"):
        return descend(xi.record("nan at k"), lambda x: np.sqrt(x) + 0.0 * x, 1.0, 0.2, 14)


@example
def failed() -> Run:
    try:
        with xi.record("broken") as run:
            x = 4.0
            for i in range(8):
                x = x - 0.1 * grad(lambda x: x**2)(x)
                if i == 5:
                    raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    return run


@example
def interrupted() -> Run:
    try:
        with xi.record("stopped") as run:
            x = 4.0
            for i in range(8):
                x = x - 0.1 * grad(lambda x: x**2)(x)
                if i == 6:
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    return run


@example
def negative() -> Run:
    return descend(xi.record("negative"), lambda x: np.sum((x - 2) ** 2) - 50.0, [0.0, 7.0], 0.08, 40)


@example
def through_zero() -> Run:
    return descend(xi.record("through zero"), lambda x: (x - 2) ** 2 - 1.0, 6.0, 0.08, 40)


@example
def tiny() -> Run:
    return descend(xi.record("tiny"), lambda x: 1e-15 * np.sum((x - 1) ** 2), [4.0, 3.0], 1e14, 40)


@example
def huge() -> Run:
    return descend(xi.record("huge"), lambda x: 1e12 * np.sum((x - 1) ** 2), [4.0, 3.0], 1e-13, 40)


@example
def many_parameters() -> Run:
    scale = np.linspace(1.0, 4.0, 500)
    return descend(xi.record("many"), lambda w: np.sum(scale * (w - 0.3) ** 2), np.zeros(500), 0.1, 40)


@example
def two_terms() -> Run:
    def cost(design):
        weight = xi.watch(4.0 * design[0] ** 2 + design[1] ** 2, "weight", "kg")
        stress = xi.watch(9.0 / (design[0] + 0.5 * design[1] + 0.2), "stress", "MPa")
        return weight + 2.0 * stress

    return descend(xi.record("beam"), cost, [0.3, 3.0], 0.02, 80)


@example
def odd_names() -> Run:
    def cost(params):
        a, b, c, d = (params[k] for k in ("<b>k</b>", "η", "温度", "w.*[1]$"))
        xi.watch(a * b, "Dd", "<i>")
        return (a - 1) ** 2 + (b + 2) ** 2 + (c - 3) ** 2 + 0.5 * (d - 1) ** 2

    start = {"<b>k</b>": 4.0, "η": 1.0, "温度": 0.0, "w.*[1]$": 2.5}
    with xi.record("odd") as run:
        for _ in range(30):
            slope = grad(cost)(start)
            start = {k: start[k] - 0.1 * slope[k] for k in start}
    return run


@example
def maximisation() -> Run:
    return descend(xi.record("uphill"), lambda x: -((x - 3) ** 2) + 9.0, 0.0, -0.1, 30)


@example
def plateau_then_drop() -> Run:
    return descend(xi.record("saturated"), lambda x: 1 / (1 + np.exp(-x)), 5.0, 2.0, 120)


@example
def route_like() -> Run:
    """Two loss terms that are watched, four named points, events: the shape of the first notebook."""

    def cost(north, iteration):
        near = np.min(np.abs(north - 1.0))
        if near < 0.5:
            xi.event("the line runs {d:.1f} km from the village", d=near)
        length = xi.watch(20 + np.sum(np.diff(north) ** 2), "travel time", "min")
        money = xi.watch(np.sum(np.exp(-((north - 1.0) ** 2)) * 9.0) + 30, "construction cost", "M€")
        return 3 * length + money

    problem = xi.Problem(
        "Rail",
        parameters={
            f"north[{i}]": xi.Parameter(f"the {word} point", "km", directions=("south", "north"))
            for i, word in enumerate(("first", "second", "third", "fourth"))
        },
    )
    with xi.record("route", problem=problem) as run:
        adam(grad(cost), np.array([0.2, 1.3, 1.6, 0.5]), num_iters=150, step_size=0.05)
    return run
