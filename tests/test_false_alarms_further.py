"""Healthy programs of further kinds, made at random, under further optimizers: nothing warns, nor asks for caution."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy import optimize

import xinv_nb as xi
from tests.test_false_alarms import HELD, Floats, Healthy, Problem

SEEDS = range(1)
Optimizer = Callable[[Problem, numpy.random.RandomState], object]


def exponentials(random: numpy.random.RandomState) -> Problem:
    """Sums of exponentials that bend ever more to one side."""
    steep = random.uniform(0.5, 2, 3)
    return Problem(lambda p: np.sum(np.exp(steep * p) - 2 * steep * p) + 1, random.uniform(-1, 1, 3), 8.0)


def growth(random: numpy.random.RandomState) -> Problem:
    """A logistic equation by Heun's method, with noise in what was seen of it."""
    rate, capacity = random.uniform(0.3, 0.8), random.uniform(2, 4)

    def simulated(p: Floats) -> Floats:
        y, seen = 0.3, []
        for _ in range(20):
            ahead = y + 0.2 * p[0] * y * (1 - y / p[1])
            y = y + 0.1 * (p[0] * y * (1 - y / p[1]) + p[0] * ahead * (1 - ahead / p[1]))
            seen.append(y)
        return np.array(seen)

    data = numpy.array(simulated(numpy.array([rate, capacity]))) + 0.02 * random.randn(20)
    start = numpy.array([1.4 * rate, 0.8 * capacity])
    return Problem(lambda p: np.sum((simulated(p) - data) ** 2), start, 200.0, lambda p: simulated(p) - data)


def counts(random: numpy.random.RandomState) -> Problem:
    """The negative log-likelihood of Poisson counts along a line of log-rates."""
    times = numpy.linspace(0, 2, 40)
    seen = random.poisson(numpy.exp(1.5 - 0.6 * times))
    loss = lambda p: np.mean(np.exp(p[0] - p[1] * times) - seen * (p[0] - p[1] * times))  # noqa: E731
    return Problem(loss, numpy.array([1.0, 0.0]), 10.0)


def robust(random: numpy.random.RandomState) -> Problem:
    """A robust regression on data with heavy tails."""
    x = random.randn(80, 4)
    y = x @ random.randn(4) + 0.3 * random.standard_t(2, 80)
    return Problem(lambda w: np.mean(np.sqrt(1 + (np.dot(x, w) - y) ** 2) - 1) + 0.1, numpy.zeros(4), 3.0)


def smoothed(random: numpy.random.RandomState) -> Problem:
    """Forty numbers that follow data and each other."""
    data = numpy.sin(numpy.linspace(0, 3, 40)) + 0.2 * random.randn(40)
    return Problem(lambda x: np.sum((x - data) ** 2) + 5 * np.sum(np.diff(x) ** 2), numpy.zeros(40), 42.0)


def on_a_constant(random: numpy.random.RandomState) -> Problem:
    """A bowl on a constant that is far larger than its depth."""
    centre, constant = random.uniform(-2, 2, 3), 10 ** random.uniform(2, 5)
    loss = lambda x: np.sum((x - centre) ** 2 * np.array([1.0, 3.0, 2.0])) + constant  # noqa: E731
    return Problem(loss, random.uniform(-1, 1, 3) + centre + 2, 6.0)


def small(random: numpy.random.RandomState) -> Problem:
    """Parameters in a unit that makes them small, all of them."""
    centre, unit = random.uniform(1, 3, 2), 10 ** random.uniform(-6, -3)
    return Problem(lambda x: np.sum((x / unit - centre) ** 2) + 1.0, unit * numpy.ones(2), 2 / unit**2)


def shrinking(problem: Problem, random: numpy.random.RandomState) -> None:
    x, step = problem.start.copy(), random.uniform(0.6, 1.2) / problem.curvature
    for k in range(500):
        x = x - step / (1 + k / 2000) * grad(problem.loss)(x)


def nesterov(problem: Problem, random: numpy.random.RandomState) -> None:
    x = ahead = problem.start.copy()
    for _ in range(400):
        new = ahead - 0.5 / problem.curvature * grad(problem.loss)(ahead)
        ahead, x = new + 0.85 * (new - x), new


def backtracking(problem: Problem, random: numpy.random.RandomState) -> None:
    x, loss = problem.start.copy(), problem.loss
    for _ in range(120):
        value, slope = value_and_grad(loss)(x)
        step = 2 / problem.curvature
        while loss(x - step * slope) > value - 0.3 * step * slope @ slope and step > 1e-14:
            step /= 2
        x = x - step * slope


def clipped(problem: Problem, random: numpy.random.RandomState) -> None:
    x = problem.start.copy()
    for _ in range(400):
        x = numpy.clip(x - grad(problem.loss)(x) / problem.curvature, -50, 50)


def by(method: str, *, slopes: bool = True, **options: object) -> Optimizer:
    def run(problem: Problem, random: numpy.random.RandomState) -> None:
        function = value_and_grad(problem.loss) if slopes else problem.loss
        optimize.minimize(function, problem.start, jac=slopes or None, method=method, options=options)

    return run


def fitted(method: str) -> Optimizer:
    def run(problem: Problem, random: numpy.random.RandomState) -> None:
        if problem.residuals is None:
            return by("TNC")(problem, random)
        return optimize.least_squares(problem.residuals, problem.start, method=method)

    return run


PROBLEMS = (exponentials, growth, counts, robust, smoothed, on_a_constant, small)
OPTIMIZERS: dict[str, Optimizer] = {
    "shrinking steps": shrinking,
    "Nesterov": nesterov,
    "backtracking": backtracking,
    "clipped": clipped,
    "CG": by("CG"),
    "Newton-CG": by("Newton-CG"),
    "trust-constr": by("trust-constr", maxiter=300),
    "BFGS by differences": by("BFGS", slopes=False),
    "L-BFGS-B by differences": by("L-BFGS-B", slopes=False),
    "Nelder-Mead": by("Nelder-Mead", slopes=False, maxiter=4000, maxfev=8000),
    "Powell": by("Powell", slopes=False),
    "lm": fitted("lm"),
    "dogbox": fitted("dogbox"),
}
DIRECT = ("Nelder-Mead", "Powell")
"""Methods for few parameters."""


@functools.cache
def healthy_runs() -> list[Healthy]:
    found = []
    for make, name, seed in itertools.product(PROBLEMS, OPTIMIZERS, SEEDS):
        random = numpy.random.RandomState(17 + seed)
        problem = make(random)
        if name in DIRECT and len(problem.start) > 6:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with xi.record() as run:
                OPTIMIZERS[name](problem, random)
        found.append(Healthy(f"{make.__name__}, {name}, seed {seed}", run, problem))
    return found


def test_the_programs_are_healthy() -> None:
    """Each but a few comes down to the minimum; of those that do not, nothing is asked here."""
    assert len(arrived()) >= 0.97 * len(healthy_runs()) >= 80


@functools.cache
def arrived() -> list[Healthy]:
    return [healthy for healthy in healthy_runs() if has_arrived(healthy)]


def has_arrived(healthy: Healthy) -> bool:
    loss = healthy.run.loss[healthy.run.accepted]
    problem = healthy.problem
    least = optimize.minimize(value_and_grad(problem.loss), problem.start, jac=True).fun
    return bool(loss[-1] - min(least, loss.min()) <= 0.01 * (loss[0] - min(least, loss.min())))


@pytest.mark.parametrize("severity", ["warning", "caution"])
def test_nothing_is_found_wrong(severity: str) -> None:
    told = [(each.name, finding) for each in arrived() for finding in each.run.diagnosis if finding.kind not in HELD]
    lines = [f"{name}: {finding.kind}: {finding.text}" for name, finding in told if finding.severity == severity]
    assert not lines, "\n".join(lines)


def batches(random: numpy.random.RandomState) -> None:
    """Adam on batches of a regression, with a step size that shrinks."""
    x = random.randn(300, 4)
    y = x @ random.randn(4) + 0.1 * random.randn(300)
    w, mean, square = numpy.zeros(4), numpy.zeros(4), numpy.zeros(4)
    for k in range(400):
        rows = random.randint(0, 300, 32)
        slope = grad(lambda w, rows=rows: np.mean((np.dot(x[rows], w) - y[rows]) ** 2))(w)
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        ahead = mean / (1 - 0.9 ** (k + 1)) / (numpy.sqrt(square / (1 - 0.99 ** (k + 1))) + 1e-8)
        w = w - 0.05 / (1 + k / 50) * ahead


def adapted(random: numpy.random.RandomState) -> None:
    """A network that learns a sine by descent."""
    x = numpy.linspace(-2, 2, 40)
    w = 0.5 * random.randn(18)
    loss = lambda w: np.mean((np.dot(np.tanh(np.outer(x, w[:6]) + w[6:12]), w[12:]) - np.sin(x)) ** 2)  # noqa: E731
    for _ in range(1500):
        w = w - 0.1 * grad(loss)(w)


@pytest.mark.parametrize("program", [batches, adapted], ids=lambda program: program.__name__)
def test_noise_by_design_and_a_network_do_not_warn(program: Callable[[numpy.random.RandomState], None]) -> None:
    warned = []
    for seed in range(6):
        with xi.record() as run:
            program(numpy.random.RandomState(seed))
        found = [finding for finding in run.diagnosis if finding.severity == "warning"]
        warned += [f"seed {seed}: {finding.kind}: {finding.text}" for finding in found]
    assert not warned
