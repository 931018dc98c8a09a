"""Labelled traces of parameters: real optimizers on real objectives, with what must and must not be said of each.

The labels are set by hand from the mathematics of the problem, not from what the analysis says. `says` and `never` are
regular expressions: of each in `says` some fact must be an example, of those in `never` none may be.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import autograd.numpy as np
import numpy
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam, sgd
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.run import Run


@dataclass(frozen=True)
class ParameterTrace:
    """A run and what a person who knows the problem expects to be told of its parameters."""

    make: Callable[[], Run]
    says: tuple[str, ...]
    never: tuple[str, ...] = ()


TRACES: dict[str, ParameterTrace] = {}


def labelled(*says: str, never: tuple[str, ...] = ()) -> Callable[[Callable[[], Run]], Callable[[], Run]]:
    def register(make: Callable[[], Run]) -> Callable[[], Run]:
        once = functools.cache(make)
        TRACES[make.__name__] = ParameterTrace(once, says, never)
        return once

    return register


def descend(objective, start, rate, count: int, problem=None) -> Run:
    """Plain gradient descent, as a student would write it."""
    with xi.record(problem=problem) as run:
        x = start
        for _ in range(count):
            slope = grad(objective)(x)
            x = {k: x[k] - rate * slope[k] for k in x} if isinstance(x, dict) else x - rate * slope
    return run


# ---------------------------------------------------------------------- movement


@labelled(
    r"^x\[1\] swung to and fro between .* with a period of 2 iterations and less each time: a swing was 0\.8 times",
    r"^x\[1\] went 9 in all, to and fro",  # 1 · (1 + 0.8) · (1 + 0.8 + 0.8² + …) = 9
    never=(r"^x\[0\] (swung|turned)",),
)
def zigzag_in_a_valley() -> Run:
    """Step 0.018 and curvatures 1 and 100: each step takes the steep coordinate to −0.8 of itself."""
    return descend(lambda x: 0.5 * np.sum(np.array([1.0, 100.0]) * x**2), np.array([5.0, 1.0]), 0.018, 150)


HEAVY_BALL = {"curvature": 60.0, "rate": 0.02, "momentum": 0.9}


@labelled(
    r"^x swung to and fro .* and less each time",
    r"^x went against its gradient in \d+ of 119 steps; in all of these it went on as in the step before, as mom",
    never=("asked for this at every iteration",),
)
def heavy_ball() -> Run:
    """autograd's sgd averages the gradient: v ← m v − (1−m) g, x ← x + η v."""
    with xi.record() as run:
        sgd(grad(lambda x, i: 0.5 * HEAVY_BALL["curvature"] * x**2), 2.0, num_iters=120, step_size=0.02, mass=0.9)
    return run


@labelled(
    r"^Amplitude had gone half of its way by iteration \d+, offset by iteration \d+",
    never=("turn", "swung", "past the value"),
)
def fast_and_slow() -> Run:
    """Half-lives ln 2 / −ln(1 − 0.1·k): 3.1 iterations for k = 2, 68 for k = 0.1."""
    problem = xi.Problem("", parameters={"a": xi.Parameter("amplitude"), "b": xi.Parameter("offset")})
    return descend(lambda p: p["a"] ** 2 + 0.05 * p["b"] ** 2, {"b": 3.0, "a": 3.0}, 0.1, 300, problem)


@labelled(
    r"^Gate moved shut from 4 to −?[\d.]+ mm until iteration \d+ and then moved open to .* mm; it went .* mm past",
    never=("swung",),
)
def overshoot_once() -> Run:
    """Momentum carries the gate past its goal once; the run ends on the way back."""
    problem = xi.Problem("", parameters={"x": xi.Parameter("gate", "mm", directions=("shut", "open"))})
    with xi.record(problem=problem) as run:
        sgd(grad(lambda x, i: 0.5 * x**2), 4.0, num_iters=60, step_size=0.1, mass=0.9)
    return run


@labelled(
    r"^theta\[1\] went from 1 to −0\.0\d+ until evaluation \d+ and then rose to 1",
    never=(r"theta\[1\].*past the value where it ended", "swung"),
)
def there_and_back() -> Run:
    """Rosenbrock's valley leads from (−1.2, 1) through (0, 0) to (1, 1)."""
    with xi.record() as run:
        minimize(value_and_grad(rosenbrock), np.array([-1.2, 1.0]), jac=True, method="BFGS")
    return run


def rosenbrock(theta):
    return (1 - theta[0]) ** 2 + 100 * (theta[1] - theta[0] ** 2) ** 2


@labelled(
    r"^At evaluation 3: the mirror is flat \(only at a point that the optimizer tried and rejected\)\.$",
    r"^theta\[1\] went from 1 to −0\.0\d+ until evaluation \d+ and then rose to 1",
    never=(r"−1\.35",),
)
def rejected_trial() -> Run:
    """BFGS tries the point (0, −1.35) at iteration 3 and goes back; as movement it would be the largest turn of all."""

    def loss(theta):
        if theta[1] < -1.0:
            xi.event("the mirror is flat")
        return rosenbrock(theta)

    with xi.record() as run:
        minimize(value_and_grad(loss), np.array([-1.2, 1.0]), jac=True, method="BFGS")
    assert not run.accepted[3]
    return run


@labelled(
    r"^The weights of layer 2 changed by 0\.3 \(root mean square over 64 of its 10000 entries\); its own root mean",
    never=("as the root mean square of its",),
)
def large_layer() -> Run:
    """Each entry goes from 1.0 to 0.7."""
    problem = xi.Problem("", parameters={"w": xi.Parameter("the weights of layer 2")})
    return descend(lambda w: 0.5 * np.sum((w - 0.7) ** 2), np.ones(10_000), 0.5, 40, problem)


# ---------------------------------------------------------------------- bounds, idleness


@labelled(
    r"^x\[0\] lay at its lower bound of 1 from evaluation \d+ to the end; the gradient still pulled it across",
    never=(r"x\[1\] lay at",),
)
def bound_that_binds() -> Run:
    """The minimum at (−1, 2) lies outside of x[0] ≥ 1."""
    with xi.record() as run:
        minimize(
            value_and_grad(lambda x: (x[0] + 1) ** 2 + 3 * (x[1] - 2) ** 2 + 0.5 * x[0] * x[1]),
            np.array([4.0, 5.0]),
            jac=True,
            method="L-BFGS-B",
            bounds=[(1.0, None), (-10.0, 10.0)],
        )
    return run


@labelled(
    r"^Thickness lay at its lower bound of 0 nm from iteration \d+ to the end; the gradient still pulled",
)
def bound_kept_by_hand() -> Run:
    """A projected gradient step, as a student writes it."""
    problem = xi.Problem("", parameters={"x": xi.Parameter("thickness", "nm", bounds=(0.0, None))})
    with xi.record(problem=problem) as run:
        x = 5.0
        for _ in range(30):
            x = max(x - 0.2 * grad(lambda x: (x + 2.0) ** 2)(x), 0.0)
    return run


@labelled(
    r"^Mass went beyond its lower bound of 0 kg at iteration \d+, as far as −\d\.\d+ kg\.$", never=("lay at its",)
)
def beyond_the_bound() -> Run:
    problem = xi.Problem("", parameters={"x": xi.Parameter("mass", "kg", bounds=(0.0, 10.0))})
    return descend(lambda x: (x + 2.0) ** 2, 5.0, 0.1, 30, problem)


@labelled(
    r"^The gradient of spare was 0 at every iteration: nothing in this run shows that the loss depends on it\.$",
    never=("one combination",),
)
def parameter_that_does_nothing() -> Run:
    return descend(
        lambda p: (p["a"] - 1) ** 2 + 2 * p["b"] ** 2 + 0 * p["spare"], {"a": 3.0, "b": 1.0, "spare": 2.0}, 0.1, 40
    )


@labelled(
    r"^To first order all moves of faint did less than 1 % of what the moves of all parameters did to the loss\.$"
)
def parameter_that_hardly_matters() -> Run:
    return descend(lambda p: (p["a"] - 1) ** 2 + 1e-4 * (p["faint"] - 4) ** 2, {"a": 3.0, "faint": 1.0}, 0.1, 40)


# ---------------------------------------------------------------------- credit, terms, pulls


@labelled(
    r"^Along the path, moving x\[1\] accounts for 80 % of the fall of the loss and moving x\[0\] for 20 %\.$",
)
def four_to_one() -> Run:
    """The falls are ½·1·4² = 8 and ½·4·4² = 32, whatever the way, as the loss is a sum."""
    return descend(lambda x: 0.5 * np.sum(np.array([1.0, 4.0]) * x**2), np.array([4.0, 4.0]), 0.01, 1500)


@labelled(
    r"^Over the run the loss fell by [\d.]+: misfit lowered it by [\d.]+ and roughness raised it by [\d.]+\.$",
    r"^Near the end misfit and roughness pulled with about equal strength in opposite directions: a sma",
    never=(r"bore most on",),
)
def two_terms_in_balance() -> Run:
    """Where a sum of two terms is least, their gradients are opposite and equal."""

    def loss(x):
        misfit = xi.watch(np.sum((x - np.array([3.0, 1.0])) ** 2), "misfit")
        roughness = xi.watch(np.sum(x**2), "roughness")
        return misfit + 0.5 * roughness

    return descend(loss, np.array([0.5, -0.5]), 0.05, 120)


@labelled(
    r"^East and west pulled the parameters in opposite directions from iteration 1\d on at the latest",
)
def conflict_that_begins() -> Run:
    """Both pull x down until it has passed 2; from then on one of them pulls back."""

    def loss(x):
        east = xi.watch((x[0] - 2.0) ** 2 + 0.01 * x[1] ** 2, "east")
        west = xi.watch((x[0] + 2.0) ** 2 + 0.01 * x[1] ** 2, "west")
        return east + 3.0 * west

    return descend(loss, np.array([8.0, 1.0]), 0.01, 160)


@labelled(
    r"^Of the watched quantities, the gradient bore most on range over the run: .* against 0 for the others\.$",
    r"^From iteration \d+ on: the ball flies over the wall\.$",
    r"^Range rose from",
)
def projectile() -> Run:
    """The loss is the square of the distance between range and target: the apex has no say."""

    def miss(p):
        vx, vy = p["speed"] * np.cos(p["angle"]), p["speed"] * np.sin(p["angle"])
        reach = xi.watch(2 * vx * vy / 9.81, "range", "m")
        xi.watch(vy**2 / 19.62, "apex height", "m")
        if reach > 60:
            xi.event("the ball flies over the wall")
        return (reach - 80.0) ** 2

    with xi.record() as run:
        x = {"angle": 0.35, "speed": 20.0}
        for _ in range(60):
            slope = grad(miss)(x)
            x = {"angle": x["angle"] - 6e-7 * slope["angle"], "speed": x["speed"] - 2e-3 * slope["speed"]}
    return run


@labelled(r"^The steps go up the gradient, so the objective is maximized", never=("momentum", "went the way"))
def uphill() -> Run:
    """A sign slip: the step goes along the gradient."""
    return descend(lambda x: -((x - 3) ** 2) + 9.0, 0.0, -0.1, 30)


# ---------------------------------------------------------------------- gradients that vanish or explode


def chain(gain: float, count: int = 30) -> Run:
    def loss(w):
        state = 1.0
        for t in range(count):
            state = xi.watch(gain * state + w, "state", at=t)
        return (state - 1.0) ** 2

    return descend(loss, 0.1, 1e-30, 12)


@labelled(
    r"with respect to state shrinks on its way back through the simulation, from .* at 29 to .* at 0 \(median",
    never=("grows on its way back",),
)
def vanishing_chain() -> Run:
    """Each step back multiplies the cotangent by 0.5: by 0.5²⁹ over all."""
    return chain(0.5)


@labelled(
    r"^The gradient of the loss with respect to state grows on its way back through the simulation", never=("shrinks",)
)
def exploding_chain() -> Run:
    return chain(2.0)


@labelled(r"is .* at 9 and exactly 0 before 4: on its way back it dies there")
def dead_chain() -> Run:
    """A limiter holds the state from step 3 to 4, so that nothing before it matters."""

    def loss(w):
        state = 5.0 * w
        for t in range(10):
            state = xi.watch(0.5 * state + w, "state", at=t)
            if t == 3:
                state = np.minimum(state, 0.0) + 0.1
        return (state - 1.0) ** 2

    return descend(loss, 0.3, 0.01, 12)


@labelled(r"^First hardly got any gradient: .*, against .* for last")
def network_with_a_vanishing_gradient() -> Run:
    """Logistic units pass at most a quarter of the cotangent back through each of eight layers."""
    random = numpy.random.RandomState(1)
    names = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "last")
    weights = {name: 0.2 * random.randn(12, 12) for name in names}
    data, goal = random.randn(20, 12), random.randn(20, 12)

    def loss(weights):
        state = data
        for name in names[:-1]:
            state = 1 / (1 + np.exp(-np.dot(state, weights[name])))
        return np.mean((np.dot(state, weights["last"]) - goal) ** 2)

    return descend(loss, weights, 0.1, 10)


# ---------------------------------------------------------------------- events and watched quantities


@labelled(
    r"^Surplus became positive at iteration \d+ and stayed so; it ended at 3 €\.$",
    r"^Until iteration \d+ a lower leverage would have lowered the loss, from iteration \d+ on a higher one",
    r"^Leverage fell from 5 to .* until iteration \d+ and then rose to 0\.9\d+\.$",
)
def crossings() -> Run:
    """The leverage shoots below its best value 1 and comes back; the surplus goes from −4 to 3."""

    def loss(p, i):
        surplus = xi.watch(p[0], "surplus", "€")
        leverage = xi.watch(p[1], "leverage")
        return (surplus - 3.0) ** 2 + (leverage - 1.0) ** 2

    with xi.record() as run:
        x, v = np.array([-4.0, 5.0]), np.zeros(2)
        for k in range(80):
            slope = grad(loss)(x, k)
            v = np.array([0.0, 0.8 if k < 18 else 0.0]) * v - np.array([0.05, 0.02]) * slope
            x = x + v
    return run


@labelled(
    r"^At iteration 0: the line runs 0\.2 km from the village; at iteration \d+: the line runs 2\.0 km from the vill",
    r"^Until iteration \d+: the line runs 0\.2 to 2\.0 km from the village\.$",
    r"^“it touches the fence” happened once in iteration 0 and 4 times in iteration \d+\.$",
)
def events_that_grow() -> Run:
    def loss(x):
        d = np.abs(x)
        if d < 2.05:
            xi.event("the line runs {d:.1f} km from the village", d=d)
        for k in range(4):
            if d > 0.9 * k:
                xi.event("it touches the fence")
        return (x - 4.0) ** 2

    return descend(loss, 0.2, 0.02, 80)


@labelled(
    r"^When this ended, “the gate is closed” \(iteration 2\d\), b was moving fast: it rose from .* to .* between",
    never=("a was moving fast",),
)
def coincidence() -> Run:
    """The slope of b is steep about 0 only, where the gate opens."""

    def loss(p):
        if p["b"] < 0:
            xi.event("the gate is closed")
        return -3.0 * np.tanh(3.0 * p["b"]) + 0.05 * (p["a"] - 1) ** 2

    return descend(loss, {"a": 2.0, "b": -0.9}, 0.05, 60)


# ---------------------------------------------------------------------- identifiability


T = numpy.linspace(0.0, 3.0, 20)


def decay(p):
    return np.sum((np.exp(-(p["a"] + p["b"]) * T) - numpy.exp(-1.3 * T)) ** 2)


@labelled(
    r"^The run does not show whether the loss depends on one combination: where \w rises by .* as \w falls by",
    never=("Not determined",),
)
def sum_of_rates() -> Run:
    """y = exp(−(a + b) t): a and b enter as their sum only, and move alike, so the path cannot know."""
    return descend(decay, {"a": 0.2, "b": 0.5}, 0.02, 200)


@labelled(
    r"^Not determined, as far as the path shows: where \w rises by .* as \w falls by .*, the loss does not change\."
)
def sum_of_rates_shaken() -> Run:
    """The same, but the two rates are shaken on the way, one against the other."""
    with xi.record() as run:
        x = {"a": 0.2, "b": 0.5}
        for k in range(200):
            slope = grad(decay)(x)
            push = 0.01 * (-1) ** k
            x = {"a": x["a"] - 0.02 * slope["a"] + push, "b": x["b"] - 0.02 * slope["b"] - push}
    return run


@labelled(
    r"equally well determined: with each measured by its own effect on the loss .* 1 at most \(estimated from the",
    never=("Not determined", "does not show whether"),
)
def ill_conditioned_path() -> Run:
    """Each parameter has a curvature of its own, which is that of its unit alone."""
    with xi.record() as run:
        adam(
            grad(lambda x, i: 0.5 * np.sum(np.array([1.0, 30.0, 900.0]) * (x - 1) ** 2)),
            np.array([3.0, 2.0, 4.0]),
            num_iters=600,
            step_size=0.05,
        )
    return run


@labelled(
    r"^theta\[0\] rose from −1\.2 to",
    never=("estimated from the steps",),
)
def rosenbrock_valley() -> Run:
    """The curvature changes along the valley, and the end is on its way: the path must not claim to know it."""
    with xi.record() as run:
        adam(grad(lambda theta, i: rosenbrock(theta)), np.array([-1.2, 1.0]), num_iters=400, step_size=0.05)
    return run


@labelled(
    never=(
        "determined",
        "Between the best",
        "the fall of the loss",
        "the loss fell by",
        "turned",
        "swung",
        "one combination",
    ),
)
def mini_batches() -> Run:
    """Noise must not be taken for knowledge."""
    random = numpy.random.RandomState(0)
    features = random.randn(400, 4)
    labels = (features @ numpy.array([1.5, -2.0, 0.5, 0.0]) + 0.3 * random.randn(400) > 0) * 2.0 - 1.0
    order = [random.permutation(400)[:16] for _ in range(300)]

    def loss(w, i):
        rows = order[i]
        return np.mean(np.log(1 + np.exp(-np.dot(features[rows], w) * labels[rows])))

    with xi.record() as run:
        sgd(grad(loss), np.zeros(4), num_iters=300, step_size=0.3, mass=0.0)
    return run
