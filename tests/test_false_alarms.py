"""Healthy programs, made at random: nothing warns, and hardly anything asks for caution."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy import optimize

import xinv_nb as xi
from xinv_nb.run import Run

SEEDS = range(6)
SCALES = (0.1, 1.0, 1e3)
"""Of the loss: as in other units, that an absolute tolerance of an optimizer still suits."""
HELD = ("bound", "constraint-active")
"""Cautions that are no alarms where a bound or a constraint does hold the result."""

Floats = numpy.ndarray


@dataclass(frozen=True)
class Problem:
    """A function with a start, its largest curvature, residuals where it is a fit, and a box that does not hold it."""

    loss: Callable[[Floats], float]
    start: Floats
    curvature: float
    residuals: Callable[[Floats], Floats] | None = None
    reach: float = 20.0


def quadratic(random: numpy.random.RandomState, scale: float) -> Problem:
    """A bowl of 2 to 6 parameters that is up to thirty times as steep one way as another."""
    n = random.randint(2, 7)
    turn = numpy.linalg.qr(random.randn(n, n))[0]
    steep = 10 ** random.uniform(0, 1.5, n)
    shape, centre = turn @ numpy.diag(steep) @ turn.T, random.uniform(0.5, 3.0, n)
    loss = lambda x: scale * (0.5 * np.dot(x - centre, np.dot(shape, x - centre)) + 0.3)  # noqa: E731
    return Problem(loss, centre + random.uniform(1, 3, n) * random.choice([-1, 1], n), scale * steep.max())


def rosenbrock(random: numpy.random.RandomState, scale: float) -> Problem:
    """The bent valley, less bent than the usual one, so that plain descent arrives as well."""
    bend = random.uniform(1, 5)
    loss = lambda x: scale * ((1 - x[0]) ** 2 + bend * (x[1] - x[0] ** 2) ** 2 + 0.1)  # noqa: E731
    return Problem(loss, numpy.array([-0.8, 0.9]) + 0.2 * random.randn(2), scale * (20 + 24 * bend))


def decay(random: numpy.random.RandomState, scale: float) -> Problem:
    """A decay with noise in its counts: height and rate, both of the order of 1."""
    times = numpy.linspace(0, 4, 25)
    height, rate = random.uniform(1, 3), random.uniform(0.5, 1.5)
    counts = height * numpy.exp(-rate * times) + 0.02 * random.randn(25)
    root = scale**0.5
    residuals = lambda p: root * (p[0] * np.exp(-p[1] * times) - counts)  # noqa: E731
    loss = lambda p: 0.5 * np.sum(residuals(p) ** 2)  # noqa: E731
    return Problem(loss, numpy.array([1.6 * height, 0.7 * rate]), scale * 30.0, residuals)


def logistic(random: numpy.random.RandomState, scale: float) -> Problem:
    """A regression of two classes that overlap, with a weight decay."""
    n = random.randint(2, 6)
    x, true = random.randn(120, n), random.randn(n)
    sign = numpy.sign(x @ true + random.randn(120))
    loss = lambda w: scale * (np.mean(np.logaddexp(0, -sign * np.dot(x, w))) + 0.01 * np.sum(w**2))  # noqa: E731
    return Problem(loss, 0.1 * random.randn(n), scale * 0.6)


PROBLEMS = (quadratic, rosenbrock, decay, logistic)


def descent(problem: Problem, random: numpy.random.RandomState) -> None:
    x, step = problem.start.copy(), random.uniform(0.6, 1.2) / problem.curvature
    for _ in range(400):
        x = x - step * grad(problem.loss)(x)


def momentum(problem: Problem, random: numpy.random.RandomState) -> None:
    x, speed, step = problem.start.copy(), 0.0, random.uniform(0.2, 0.5) / problem.curvature
    for _ in range(300):
        speed = random.uniform(0.8, 0.9) * speed - step * grad(problem.loss)(x)
        x = x + speed


def by_adam(problem: Problem, random: numpy.random.RandomState) -> None:
    adam(grad(lambda x, i: problem.loss(x)), problem.start, num_iters=600, step_size=random.uniform(0.02, 0.06))


def minimized(method: str, **more: object) -> Callable[[Problem, numpy.random.RandomState], None]:
    def run(problem: Problem, random: numpy.random.RandomState) -> None:
        box = [(-problem.reach, problem.reach)] * len(problem.start) if more.get("bounds") else None
        optimize.minimize(
            value_and_grad(problem.loss), problem.start, jac=True, method=method, bounds=box, options={"maxiter": 300}
        )

    return run


def fitted(problem: Problem, random: numpy.random.RandomState) -> None:
    if problem.residuals is None:
        return minimized("CG")(problem, random)
    optimize.least_squares(problem.residuals, problem.start)
    return None


OPTIMIZERS = {
    "descent": descent,
    "momentum": momentum,
    "Adam": by_adam,
    "BFGS": minimized("BFGS"),
    "L-BFGS-B": minimized("L-BFGS-B", bounds=True),
    "SLSQP": minimized("SLSQP"),
    "least_squares": fitted,
}


@dataclass(frozen=True)
class Healthy:
    """A run, with what it minimized."""

    name: str
    run: Run
    problem: Problem


@functools.cache
def healthy_runs(make: Callable[[numpy.random.RandomState, float], Problem], name: str) -> list[Healthy]:
    found = []
    for seed, scale in itertools.product(SEEDS, SCALES):
        random = numpy.random.RandomState(seed + 1000 * list(OPTIMIZERS).index(name))
        problem = make(random, scale)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with xi.record() as run:
                OPTIMIZERS[name](problem, random)
        found.append(Healthy(f"{make.__name__}, {name}, seed {seed}, loss × {scale:g}", run, problem))
    return found


all_runs = list(itertools.product(PROBLEMS, OPTIMIZERS))


@pytest.mark.parametrize(("make", "name"), all_runs, ids=[f"{make.__name__}, {name}" for make, name in all_runs])
def test_the_programs_are_healthy(make: Callable[[numpy.random.RandomState, float], Problem], name: str) -> None:
    """Each run comes down to the minimum that another optimizer finds: an alarm of it is a false one."""
    for healthy in healthy_runs(make, name):
        loss, problem = healthy.run.loss, healthy.problem
        unit = problem.loss(problem.start)
        least = optimize.minimize(value_and_grad(lambda x, p=problem, u=unit: p.loss(x) / u), problem.start, jac=True)
        assert loss.min() - unit * least.fun <= 0.01 * (loss[0] - unit * least.fun), healthy.name
        assert loss[-1] - loss.min() <= 0.01 * (loss[0] - loss.min()), healthy.name


def test_healthy_runs_do_not_warn_and_hardly_ask_for_caution() -> None:
    runs = [healthy for make, name in all_runs for healthy in healthy_runs(make, name)]
    told = [(healthy, finding) for healthy in runs for finding in healthy.run.diagnosis if finding.kind not in HELD]
    lines = [f"{healthy.name}: {finding.severity} {finding.kind}: {finding.text}" for healthy, finding in told]
    assert len(runs) >= 300
    assert not [line for line, (_, finding) in zip(lines, told, strict=True) if finding.severity == "warning"]
    assert len(lines) <= 0.01 * len(runs), "\n".join(lines)


TIMES = numpy.linspace(0, 4, 50)


def curve_with_bounds(random: numpy.random.RandomState) -> None:
    height, rate, floor = random.uniform(1, 3), random.uniform(0.4, 1), random.uniform(-0.5, 0.5)
    noise = 10 ** random.uniform(-2, -1)
    counts = height * numpy.exp(-rate * TIMES) + floor + noise * random.randn(50)
    method = (None, "trf", "dogbox")[random.randint(3)]
    box = (-numpy.inf, numpy.inf) if method is None else ([0, 0, -5], [20, 10, 5])
    sigma = numpy.full(50, noise) if random.randint(3) else None
    model = lambda t, a, b, c: a * numpy.exp(-b * t) + c  # noqa: E731
    start, is_absolute = [1.0, 1.0, 0.0], bool(random.randint(2))
    optimize.curve_fit(model, TIMES, counts, start, sigma, is_absolute, bounds=box, method=method)


def robust_fit(random: numpy.random.RandomState) -> None:
    height, rate = random.uniform(1, 3), random.uniform(0.4, 1)
    counts = height * numpy.exp(-rate * TIMES) + 0.05 * random.randn(50)
    loss = ("linear", "soft_l1", "huber")[random.randint(3)]
    optimize.least_squares(lambda p: p[0] * numpy.exp(-p[1] * TIMES) - counts, [1.0, 1.0], loss=loss)


def peak_fit(random: numpy.random.RandomState) -> None:
    places = numpy.linspace(-4, 4, 80)
    peak = lambda x, a, m, s, c: a * numpy.exp(-0.5 * ((x - m) / s) ** 2) + c  # noqa: E731
    counts = peak(places, 3.0, 0.5, 0.8, 0.4) + 0.08 * random.randn(80)
    optimize.curve_fit(peak, places, counts, [2.0, random.uniform(-0.3, 1), 1.0, 0.0])


def evolution(random: numpy.random.RandomState) -> None:
    centre = random.uniform(-1, 1, 3)
    loss = lambda x: numpy.sum((x - centre) ** 2) + 0.3 * numpy.sum(1 - numpy.cos(3 * (x - centre)))  # noqa: E731
    optimize.differential_evolution(loss, [(-3, 3)] * 3, seed=random.randint(1000), maxiter=60)


def root_mean_square(random: numpy.random.RandomState) -> None:
    """RMSProp with a step size that shrinks."""
    problem = (rosenbrock, decay, logistic)[random.randint(3)](random, 1.0)
    x, mean = problem.start.copy(), numpy.ones(len(problem.start))
    for k in range(400):
        slope = grad(problem.loss)(x)
        mean = 0.9 * mean + 0.1 * slope**2
        x = x - 0.03 / (1 + k / 20) * slope / (numpy.sqrt(mean) + 1e-8)


def momentum_with_decay(random: numpy.random.RandomState) -> None:
    problem = (quadratic, decay, logistic)[random.randint(3)](random, 1.0)
    x, speed = problem.start.copy(), 0.0
    for k in range(400):
        speed = 0.85 * speed - 0.3 / problem.curvature / (1 + k / 300) * grad(problem.loss)(x)
        x = x + speed


OTHERS = [curve_with_bounds, robust_fit, peak_fit, evolution, root_mean_square, momentum_with_decay]


@pytest.mark.parametrize("program", OTHERS, ids=lambda program: program.__name__)
def test_other_fits_and_optimizers_do_not_warn_either(program: Callable[[numpy.random.RandomState], None]) -> None:
    told = []
    for seed in range(20):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with xi.record() as run:
                program(numpy.random.RandomState(seed))
        found = [finding for finding in run.diagnosis if finding.kind not in HELD]
        told += [f"seed {seed}: {finding.kind}: {finding.text}" for finding in found]
    assert not told
