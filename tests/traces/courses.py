"""Traces whose story is the course of the loss: its phases, its speed, and how it ended."""

from __future__ import annotations

import contextlib
import math

import autograd.numpy as np
import numpy
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam, rmsprop, sgd
from scipy.optimize import minimize

import xinv_nb as xi
from tests.traces.library import trace
from xinv_nb.run import Run

# ---------------------------------------------------------------------- optimizers as people write them


def descend(loss, start, step, count: int, name: str = "", problem=None) -> Run:
    """Gradient descent; `step` is a number or says the step size of each iteration."""
    size = step if callable(step) else lambda k: step
    slope = grad(loss)
    with numpy.errstate(all="ignore"), xi.record(name, problem=problem) as run:
        x = np.array(start, dtype=float) if np.ndim(start) else float(start)
        for k in range(count):
            x = x - size(k) * slope(x)
    return run


def heavy_ball(loss, start, step: float, momentum: float, count: int) -> Run:
    """Polyak's method."""
    slope = grad(loss)
    with xi.record("heavy ball") as run:
        x = before = np.array(start, dtype=float)
        for _ in range(count):
            x, before = x - step * slope(x) + momentum * (x - before), x
    return run


def solve(loss, start, method: str, problem=None, **settings) -> Run:
    """One of scipy's solvers."""
    with numpy.errstate(all="ignore"), xi.record(method, problem=problem) as run:
        minimize(value_and_grad(loss), np.array(start, dtype=float), jac=True, method=method, **settings)
    return run


# ---------------------------------------------------------------------- objectives


def bowl(*curvatures: float, level: float = 0.0, factor: float = 1.0):
    """A quadratic with these eigenvalues of the Hessian, and `level` as its lowest value."""
    stiffness = np.array(curvatures)
    return lambda x: factor * (0.5 * np.sum(stiffness * x**2) + level)


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def rosenbrock_hessian(x):
    return numpy.array([[2 - 400 * (x[1] - 3 * x[0] ** 2), -400 * x[0]], [-400 * x[0], 200.0]])


ROSENBROCK_START = (-1.2, 1.0)


def noisy_line(seed: int, rows: int = 2000, noise: float = 0.5):
    """Points about a plane, and the mean squared misfit of random mini-batches of them."""
    random = numpy.random.RandomState(seed)
    x = random.randn(rows, 3)
    y = x @ numpy.array([2.0, -1.0, 0.5]) + noise * random.randn(rows)
    batches = [random.randint(0, rows, 8) for _ in range(4096)]

    def loss(w, i=0):
        rows = batches[i % 4096]
        return np.mean((np.dot(x[rows], w) - y[rows]) ** 2)

    return loss


def heavy_ball_period(step: float, curvature: float, momentum: float) -> float:
    """Iterations between peaks of the loss: half of the period of the parameter, as the loss counts both sides."""
    angle = math.acos((1 + momentum - step * curvature) / (2 * math.sqrt(momentum)))
    return math.pi / angle


# ---------------------------------------------------------------------- quadratics


@trace(phases=("descent",), speed="linear", rate=(9 / 11) ** 2, silent=("plateau", "rose"))
def gradient_descent_condition_10() -> Run:
    return descend(bowl(1.0, 10.0), [10.0, 1.0], 2 / 11, 50)


@trace(phases=("descent", "slow descent"), speed="linear", rate=0.99**2, borders=(8,), tolerance=8)
def gradient_descent_condition_100() -> Run:
    return descend(bowl(1.0, 100.0), [1.0, 2.0], 0.01, 300)


@trace(phases=("descent",), speed="linear", rate=(999 / 1001) ** 2)
def gradient_descent_condition_1000() -> Run:
    return descend(bowl(1.0, 1000.0), [1000.0, 1.0], 2 / 1001, 1200)


@trace(phases=("descent", "converged"), speed="linear", rate=(9 / 11) ** 2, borders=(12,), tolerance=6)
def gradient_descent_above_a_floor() -> Run:
    return descend(bowl(1.0, 10.0, level=5.0), [10.0, 1.0], 2 / 11, 60)


@trace(phases=("descent", "converged"), speed="linear", rate=(9 / 11) ** 2, silent=("%[^.]*lower than at the start",))
def gradient_descent_below_zero() -> Run:
    return descend(bowl(1.0, 10.0, level=-80.0), [10.0, 1.0], 2 / 11, 60)


@trace(phases=("descent",), speed="linear", rate=(9 / 11) ** 2)
def tiny_loss() -> Run:
    return descend(bowl(1.0, 10.0, factor=1e-12), [10.0, 1.0], 2e12 / 11, 50)


@trace(phases=("descent",), speed="linear", rate=(9 / 11) ** 2)
def huge_loss() -> Run:
    return descend(bowl(1.0, 10.0, factor=1e12), [10.0, 1.0], 2e-12 / 11, 50)


@trace(phases=("oscillation",), period=heavy_ball_period(0.05, 1.0, 0.95), silent=("plateau",))
def heavy_ball_one_mode() -> Run:
    return heavy_ball(bowl(1.0), [3.0], 0.05, 0.95, 200)


@trace(phases=("oscillation",), period=heavy_ball_period(0.02, 4.0, 0.9), silent=("plateau",))
def heavy_ball_short_period() -> Run:
    return heavy_ball(bowl(4.0), [3.0], 0.02, 0.9, 120)


@trace(phases=("oscillation", "converged"), borders=(45,), tolerance=15, silent=("rising",))
def heavy_ball_rings_down_to_a_floor() -> Run:
    return heavy_ball(bowl(1.0, level=2.0), [3.0], 0.1, 0.92, 300)


@trace(
    phases=("divergence",),
    best=0,
    speed="",
    says=("smaller step size",),
    silent=("converged", "(?i)more (?:iterations|steps)"),
)
def diverging_step() -> Run:
    return descend(bowl(2.0), 1.0, 1.05, 40)


@trace(
    stopped="accepted no further step",
    says=("had tried lower points", "Nelder-Mead"),
    silent=("ended at a minimum", "no lower loss", "gradient is exact"),
)
def kinks_stop_the_line_search() -> Run:
    return solve(lambda x: np.sum(np.abs(x - np.array([0.3, -0.7]))), [1.0, 2.0], "BFGS")


@trace(phases=("divergence", "divergence"), best=0, says=("smaller step size",), silent=("converged",))
def overflow() -> Run:
    return descend(lambda x: x**4 + 1.0, 3.0, 0.5, 12)


@trace(phases=("oscillation",), speed="", says=("smaller step size",))
def bouncing_over_a_kink() -> Run:
    return descend(lambda x: np.abs(x) + 1.0, 0.3, 1.0, 24)


@trace(
    phases=("descent", "slow descent"), borders=(20,), tolerance=20, speed="sublinear", silent=("half-life", "halves")
)
def gradient_descent_on_a_flat_bottom() -> Run:
    return descend(lambda x: 0.25 * x**4, 1.0, 0.3, 600)


@trace(phases=("rise",), says=("is maximized", "step against the gradient"), silent=("smaller step", "still steep"))
def wrong_sign() -> Run:
    return descend(lambda x: -((x - 3) ** 2) + 9.0, 0.0, -0.1, 30)


# ---------------------------------------------------------------------- Rosenbrock's valley


@trace(phases=("descent", "slow descent"), borders=(10,), tolerance=10, says=("still falling",))
def rosenbrock_gradient_descent() -> Run:
    return descend(rosenbrock, ROSENBROCK_START, 1e-3, 2000)


@trace(phases=("oscillation", "slow descent"), borders=(28,), tolerance=8, says=("still falling",))
def rosenbrock_adam() -> Run:
    with xi.record("Adam") as run:
        adam(grad(lambda x, i: rosenbrock(x)), np.array(ROSENBROCK_START), num_iters=400, step_size=0.05)
    return run


@trace(phases=("slow descent", "descent"), speed="superlinear", stopped="its own test for convergence is met")
def rosenbrock_bfgs() -> Run:
    return solve(rosenbrock, ROSENBROCK_START, "BFGS")


@trace(phases=("slow descent", "descent"), stopped="L-BFGS-B stopped after")
def rosenbrock_lbfgsb() -> Run:
    return solve(rosenbrock, ROSENBROCK_START, "L-BFGS-B")


@trace(phases=("slow descent", "descent"), stopped="its own test for convergence is met", says=("did not accept",))
def rosenbrock_cg() -> Run:
    return solve(rosenbrock, ROSENBROCK_START, "CG")


@trace(phases=("slow descent", "descent"), speed="superlinear")
def rosenbrock_trust_region() -> Run:
    return solve(rosenbrock, ROSENBROCK_START, "trust-exact", hess=rosenbrock_hessian)


@trace(phases=("slow descent", "descent"))
def rosenbrock_newton_cg() -> Run:
    return solve(rosenbrock, ROSENBROCK_START, "Newton-CG", hess=rosenbrock_hessian)


@trace(phases=("slow descent", "descent"))
def rosenbrock_slsqp() -> Run:
    return solve(rosenbrock, ROSENBROCK_START, "SLSQP")


@trace(stopped="as many steps as it was allowed", says=("More steps",), silent=("converged",))
def rosenbrock_out_of_iterations() -> Run:
    return solve(rosenbrock, ROSENBROCK_START, "L-BFGS-B", options={"maxiter": 8})


# ---------------------------------------------------------------------- fits


def decay_data(count: int = 40):
    t = numpy.linspace(0, 4, count)
    return t, 3.0 * numpy.exp(-0.7 * t) + 0.05 * numpy.random.RandomState(1).randn(count)


DECAY = xi.Problem(
    "Decay",
    parameters={"p[0]": xi.Parameter("amplitude", "V", truth=3.0), "p[1]": xi.Parameter("rate", "1/s", truth=0.7)},
)


def decay_misfit(p):
    t, data = decay_data()
    return np.sum((p[0] * np.exp(-p[1] * t) - data) ** 2)


@trace(stopped="stopped after", says=("true value",), silent=("(?i)more (?:iterations|steps)",))
def exponential_decay_lbfgsb() -> Run:
    return solve(decay_misfit, [1.0, 2.0], "L-BFGS-B", problem=DECAY)


@trace(says=("true value",))
def exponential_decay_adam() -> Run:
    with xi.record("decay", problem=DECAY) as run:
        adam(grad(lambda p, i: decay_misfit(p)), np.array([1.0, 2.0]), num_iters=300, step_size=0.05)
    return run


@trace(stopped="stopped after")
def unidentifiable_pair() -> Run:
    t, data = decay_data()
    problem = xi.Problem("Decay", parameters={"p[0]": xi.Parameter("gain"), "p[1]": xi.Parameter("amplitude", "V")})
    return solve(
        lambda p: np.sum((p[0] * p[1] * np.exp(-p[2] * t) - data) ** 2), [1.0, 2.0, 2.0], "L-BFGS-B", problem=problem
    )


@trace(phases=("descent",), speed="linear", says=("steady rate",))
def projectile() -> Run:
    def miss(p):
        vx, vy = p[0] * np.cos(p[1]), p[0] * np.sin(p[1])
        return (xi.watch(2 * vx * vy / 9.81, "range", "m") - 80.0) ** 2

    problem = xi.Problem("Throw", parameters={"p[0]": xi.Parameter("launch speed", "m/s"), "p[1]": xi.Parameter("a")})
    return descend(miss, [20.0, 0.5], np.array([2e-3, 1e-6]), 60, problem=problem)


@trace(stopped="stopped after")
def stiff_equation_fit() -> Run:
    """Two decays whose rates differ by a factor of 1000, in implicit Euler steps, with logarithmic parameters."""
    times = numpy.linspace(0.0, 2.0, 41)
    h = float(times[1])

    def course(rates):
        slow, fast, course = 1.0, 0.0, []
        for _ in times[1:]:
            slow = slow / (1 + h * rates[0])
            fast = (fast + h * rates[1] * slow) / (1 + h * rates[1])
            course.append(fast)
        return np.array(course)

    data = course(numpy.array([1.0, 1000.0]))
    return solve(lambda q: np.sum((course(np.exp(q)) - data) ** 2), [-1.0, 3.0], "L-BFGS-B")


@trace(phases=("descent", "converged"), borders=(5,), tolerance=2, stopped="its own test for convergence is met")
def logistic_regression_bfgs() -> Run:
    random = numpy.random.RandomState(0)
    x = random.randn(200, 4)
    sign = numpy.sign(x @ numpy.array([1.5, -2.0, 0.5, 0.0]) + 0.8 * random.randn(200))
    return solve(lambda w: np.mean(np.log(1 + np.exp(-sign * np.dot(x, w)))) + 0.01 * np.sum(w**2), np.zeros(4), "BFGS")


def network(rows: int = 64):
    """A network with one hidden layer that learns a sine."""
    random = numpy.random.RandomState(3)
    x = numpy.linspace(-3, 3, rows)[:, None]
    y = numpy.sin(x)
    start = {"w": 0.5 * random.randn(1, 8), "b": 0.1 * random.randn(8), "v": 0.5 * random.randn(8, 1)}
    batches = [random.randint(0, rows, 8) for _ in range(2000)]

    def loss(p, i=None):
        some = slice(None) if i is None else batches[i]
        return np.mean((np.dot(np.tanh(np.dot(x[some], p["w"]) + p["b"]), p["v"]) - y[some]) ** 2)

    return loss, start


@trace(phases=("descent", "slow descent"), borders=(5,), tolerance=5, silent=("noisy", "up and down"))
def network_full_batch() -> Run:
    loss, start = network()
    with xi.record("network") as run:
        adam(grad(lambda p, i: loss(p)), start, num_iters=400, step_size=0.02)
    return run


@trace(
    speed="",
    silent=("steeper than", "rising", "diverg", "lowest loss"),
)
def network_mini_batches() -> Run:
    loss, start = network()
    with xi.record("network") as run:
        adam(grad(loss), start, num_iters=800, step_size=0.02)
    return run


# ---------------------------------------------------------------------- noise


@trace(phases=("descent", "plateau"), borders=(60,), tolerance=40, speed="", silent=("lowest loss", "diverg"))
def mini_batches_to_their_noise() -> Run:
    with xi.record("mini-batch") as run:
        sgd(grad(noisy_line(0)), np.array([8.0, 8.0, 8.0]), num_iters=600, step_size=0.02, mass=0.0)
    return run


@trace(phases=("descent", "slow descent"), borders=(60,), tolerance=40, speed="", silent=("diverg", "rising"))
def mini_batches_fast_then_slow() -> Run:
    noise, wide = noisy_line(4), np.array([1.0, 1.0, 0.15])
    with xi.record("mini-batch") as run:
        sgd(
            grad(lambda w, i: noise(w * wide, i)), np.array([15.0, 12.0, 40.0]), num_iters=900, step_size=0.03, mass=0.0
        )
    return run


@trace(
    phases=("descent", "slow descent"),
    borders=(130,),
    tolerance=50,
    speed="",
    silent=("diverg", "rising", "lowest loss"),
)
def logistic_regression_mini_batches() -> Run:
    random = numpy.random.RandomState(0)
    x = random.randn(400, 4)
    sign = numpy.sign(x @ numpy.array([1.5, -2.0, 0.5, 0.0]) + 0.3 * random.randn(400))
    batches = [random.randint(0, 400, 16) for _ in range(500)]

    def loss(w, i):
        return np.mean(np.log(1 + np.exp(-sign[batches[i]] * np.dot(x[batches[i]], w))))

    with xi.record("mini-batch") as run:
        rmsprop(grad(loss), np.zeros(4), num_iters=500, step_size=0.02)
    return run


@trace(phases=("plateau",), speed="", silent=("fell from", "rose from", "diverg"))
def nothing_but_noise() -> Run:
    with xi.record("mini-batch") as run:
        sgd(grad(noisy_line(1)), np.array([2.0, -1.0, 0.5]), num_iters=400, step_size=1e-4, mass=0.0)
    return run


@trace(phases=("descent", "plateau", "plateau"), borders=(20, 430), tolerance=40, silent=("diverg",))
def step_size_schedule() -> Run:
    """A step so large that the noise of the batches keeps the loss up, then one of a twentieth."""
    noise, w = noisy_line(2), np.array([8.0, 8.0, 8.0])
    slope = grad(noise)
    noise_of_the_gradient = 3 * numpy.random.RandomState(5).randn(800, 3)
    with xi.record("schedule") as run:
        for i in range(800):
            w = w - (0.16 if i < 400 else 0.008) * (slope(w, i) + noise_of_the_gradient[i])
    return run


# ---------------------------------------------------------------------- plateaus, schedules, several optimizers


@trace(phases=("slow descent", "descent"), borders=(75,), tolerance=8)
def plateau_then_drop() -> Run:
    return descend(lambda x: 1 / (1 + np.exp(-x)), 5.0, 2.0, 90)


@trace(phases=("slow descent", "descent"), borders=(60,), tolerance=2)
def a_larger_step_at_last() -> Run:
    return descend(bowl(1.0), 5.0, lambda k: 0.004 if k < 60 else 0.2, 100)


@trace(phases=("descent", "plateau", "slow descent", "descent"), borders=(7, 100, 136), tolerance=20)
def adam_then_bfgs() -> Run:
    def valley(x, iteration=0):
        return rosenbrock(x)

    with xi.record("two optimizers") as run:
        x = adam(grad(valley), np.array(ROSENBROCK_START), num_iters=100, step_size=0.02)
        minimize(value_and_grad(valley), x, jac=True, method="BFGS")
    return run


def egg_box(x):
    return np.sum(x**2) / 20 + np.sum(1 - np.cos(3 * x))


@trace(phases=("descent",), says=("3 fits were made from different starts, by BFGS",), silent=("(?i)the loss rose",))
def restarts() -> Run:
    with xi.record("restarts") as run:
        for start in ([4.2, 3.8], [2.4, -2.0], [0.5, 0.3]):
            minimize(value_and_grad(egg_box), np.array(start), jac=True, method="BFGS")
    return run


@trace(phases=("start",), speed="", silent=("fell", "rose", "(?i)more (?:iterations|steps)"))
def warm_start_at_the_optimum() -> Run:
    return solve(bowl(1.0, 10.0, level=3.0), [0.0, 0.0], "BFGS")


@trace(phases=("plateau",), speed="", silent=("fell", "rose"))
def constant() -> Run:
    return descend(lambda x: 0.0 * x + 3.0, 1.0, 0.1, 20)


# ---------------------------------------------------------------------- bounds, numbers that end, lengths


@trace(stopped="within the bounds", silent=("minimum",))
def ends_at_a_bound() -> Run:
    problem = xi.Problem("Bounded", parameters={"x[0]": xi.Parameter("width", "m", bounds=(1.0, 5.0))})
    return solve(
        lambda x: np.sum((x - np.array([-1.0, 2.0])) ** 2) + 0.3 * x[0] * x[1],
        [4.0, 0.0],
        "L-BFGS-B",
        problem=problem,
        bounds=[(1.0, 5.0), (-5.0, 5.0)],
    )


@trace(phases=("start",), says=("not a finite number", "bounds on the parameters"), silent=("diverg",))
def a_trial_is_not_a_number() -> Run:
    return solve(lambda x: 10 * x[0] - np.log(x[0]) + 4 * (x[1] - 1) ** 2, [0.3, 1.0], "L-BFGS-B")


@trace(says=("not a number",), silent=("converged",))
def breaks_down() -> Run:
    return descend(lambda x: np.sqrt(x), 1.0, 0.2, 14)


@trace(speed="", silent=("converged",))
def five_evaluations() -> Run:
    return descend(bowl(1.0, 10.0), [10.0, 1.0], 0.05, 5)


@trace(speed="")
def one_evaluation() -> Run:
    return descend(bowl(1.0), 3.0, 0.1, 1)


@trace(phases=("descent", "slow descent"), speed="linear", rate=0.9996**2, borders=(15,), tolerance=15)
def fifty_thousand() -> Run:
    return descend(bowl(1.0, 400.0, level=0.0), [1.0, 3.0], 0.0004, 50_000)


def broken_off(error: type[BaseException], iterations: int) -> Run:
    with contextlib.suppress(error), xi.record() as recorded:
        x = 4.0
        for _ in range(iterations):
            x = x - 0.1 * grad(lambda x: x**2)(x)
        raise error
    return recorded


@trace(stopped="stopped by hand after 7 iterations")
def interrupted() -> Run:
    return broken_off(KeyboardInterrupt, 7)


@trace(stopped="broke off after 6 iterations: ZeroDivisionError")
def failed() -> Run:
    return broken_off(ZeroDivisionError, 6)
