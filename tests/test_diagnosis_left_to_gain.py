"""A run that is over before its time is told how much is left; one that is done is not."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import sgd
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.run import Run


def kinds(run: Run) -> list[str]:
    return [finding.kind for finding in run.diagnosis]


def said(run: Run) -> str:
    return " ".join([fact.text for fact in run.facts])


def bowl(p):
    return 2.0 + 0.03 * (p[0] - 8) ** 2 + 3.0 * (p[1] + 1) ** 2 + 1.0 * (p[2] - 2) ** 2


def descend(count: int, loss=bowl, rate: float = 0.15, start=(0.0, 0.0, 0.0)) -> Run:
    with xi.record("steps") as run:
        p = numpy.array(start)
        for _ in range(count):
            p = p - rate * grad(loss)(p)
    return run


def test_what_is_left_in_a_bowl_and_how_many_steps_it_takes() -> None:
    run = descend(40)
    finding = run.diagnosis[0]
    assert (finding.kind, finding.severity) == ("left-to-gain", "warning")
    assert finding.values["left"] == pytest.approx(run.loss[-1] - 2.0, rel=0.02)
    assert finding.values["rate"] == pytest.approx(100 * (1 - (1 - 0.15 * 0.06) ** 2), rel=0.02)
    assert "p[0]" in finding.text
    assert finding.values["target"] == pytest.approx(8.0, rel=0.02)
    assert "minimum, as far" not in said(run)


def test_so_many_more_steps_leave_a_tenth() -> None:
    run = descend(40)
    more = round(run.diagnosis[0].values["more"])
    left = descend(40 + more).loss[-1] - 2.0
    assert left == pytest.approx((run.loss[-1] - 2.0) / 10, rel=0.05)


def test_the_run_that_goes_on_has_no_finding() -> None:
    assert kinds(descend(700)) == []


def test_a_method_with_curvature_gets_there_as_the_advice_says() -> None:
    with xi.record("newton") as run:
        minimize(value_and_grad(bowl), numpy.zeros(3), jac=True, method="BFGS")
    assert kinds(run) == []
    assert run.loss[-1] == pytest.approx(2.0)


def test_a_decay_by_momentum_that_is_cut_short() -> None:
    t = numpy.linspace(0, 3, 30)
    y = 2.5 * numpy.exp(-0.5 * t)

    def loss(p):
        return np.mean((p[0] * np.exp(-p[1] * t) - y) ** 2)

    with xi.record("decay") as run:
        sgd(lambda p, i: grad(loss)(p), np.array([1.0, 1.5]), num_iters=40, step_size=0.02, mass=0.5)
    finding = run.diagnosis[0]
    assert (finding.kind, finding.form) == ("left-to-gain", "steep")
    assert finding.values["step"] == pytest.approx(run.loss[-2] - run.loss[-1])


def test_losses_alone_show_a_steady_rate() -> None:
    with xi.record("given") as run:
        for k in range(30):
            run.add(1.0 + 0.9**k, float(k))
    (finding,) = run.diagnosis
    assert finding.values["left"] == pytest.approx(0.9**29, rel=1e-3)
    assert finding.values["more"] == round(numpy.log(0.1) / numpy.log(0.9))


@pytest.mark.parametrize(("tiny", "seed"), [(0.03, 1), (0.01, 2), (0.03, 7)])
def test_a_parameter_that_other_scales_left_behind(tiny: float, seed: int) -> None:
    rng = numpy.random.RandomState(seed)
    columns = [numpy.ones(150), rng.rand(150) * 2000, rng.rand(150) * tiny]
    sign = numpy.where(columns[1] / 1000 + columns[2] / tiny * 2 - 2 + 0.3 * rng.randn(150) > 0, 1.0, -1.0)

    def fitted(x) -> Run:
        with xi.record("raw") as run:
            loss = value_and_grad(lambda w: np.sum(np.logaddexp(0, -sign * np.dot(x, w))))
            minimize(loss, numpy.zeros(3), jac=True, method="L-BFGS-B", options={"maxiter": 30})
        return run

    raw = fitted(numpy.column_stack(columns))
    finding = raw.diagnosis[0]
    assert (finding.kind, finding.form) == ("left-to-gain", "left behind")
    assert "w[2] was left behind" in finding.text
    assert "ended at a minimum" not in said(raw)
    scaled = fitted(numpy.column_stack([column / column.max() for column in columns]))
    assert scaled.loss[-1] < 0.9 * raw.loss[-1]  # as the advice says
    assert "left behind" not in [each.form for each in scaled.diagnosis]


def test_a_loss_that_flattens_out_more_and_more_slowly_is_promised_no_amount() -> None:
    x = numpy.linspace(-1, 1, 30)

    def loss(p):
        return np.sum((1 / (1 + np.exp(-p[0] - p[1] * x)) - (x > 0)) ** 2)

    def likelihood(p):
        return np.mean(np.log(1 + np.exp(np.where(x > 0.1, -1, 1) * (p[0] + p[1] * x))))

    for run in (descend(60, loss, 0.01, (0.0, 1.0)), descend(30, likelihood, 0.1, (0.0, 1.0))):
        assert {finding.form for finding in run.diagnosis} <= {"steep"}


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "SLSQP", "Newton-CG"])
def test_what_an_optimizer_finished_is_no_finding(method: str) -> None:
    with xi.record("done") as run:
        minimize(value_and_grad(bowl), numpy.zeros(3), jac=True, method=method)
    assert kinds(run) == []


def test_a_parameter_without_influence_was_not_left_behind() -> None:
    with xi.record("idle") as run:
        minimize(value_and_grad(lambda p: (p[0] - 1) ** 2 + 1e-14 * p[1]), [4.0, 1.0], jac=True, method="L-BFGS-B")
    assert kinds(run) == []


def test_batches_tell_nothing_of_what_is_left() -> None:
    rng = numpy.random.RandomState(1)
    x = rng.randn(300, 4)
    z = x @ numpy.array([1.0, -1.0, 0.5, 2.0]) + 0.2 * rng.randn(300)
    batches = [rng.randint(0, 300, 10) for _ in range(80)]

    def loss(w, i):
        return np.mean((z[batches[i]] - np.dot(x[batches[i]], w)) ** 2)

    with xi.record("batches") as run:
        sgd(grad(loss), np.zeros(4), num_iters=80, step_size=0.01)
    assert "left-to-gain" not in kinds(run)


def test_how_far_to_go_is_not_told_of_a_run_whose_gradient_or_steps_do_not_lead_there() -> None:
    """A wrong gradient knows of no way, and no way goes on for hundreds of thousands of steps as it began."""

    def valley(p):
        return (p[0] - 1) ** 2 + 10 * (p[1] - p[0] ** 2) ** 2

    def wrong(p):
        return numpy.array([2 * (p[0] - 1) - 40 * p[0] * (p[1] - p[0] ** 2), -20 * (p[1] - p[0] ** 2)])

    with xi.record() as run:
        minimize(valley, [-1.0, 2.0], jac=wrong, method="BFGS")
    assert [finding.kind for finding in run.diagnosis] == ["gradient-wrong"]

    def bowl(p):
        return np.sum((p - numpy.array([1.0, 4.0])) ** 2) + 0.1 * np.sum(p**4)

    with xi.record() as run:
        p = numpy.zeros(2)
        for _ in range(60):
            p = p - 1e-6 * grad(bowl)(p)
    assert [finding.kind for finding in run.diagnosis] == ["step-too-short"]


# ---------------------------------------------------------------------- solvers that were cut short


def valley(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def long_bowl(x):
    return 0.5 * np.sum(numpy.logspace(0, 4, len(x)) * (x - 1) ** 2)


def solved(loss, start, method: str, **options) -> Run:
    searches = method in ("Nelder-Mead", "COBYQA")
    with xi.record("cut short") as run:
        objective = (lambda x: float(loss(x))) if searches else value_and_grad(loss)
        minimize(objective, start, jac=None if searches else True, method=method, options=options)
    return run


FAR = [-1.2, 1.0, -1.2, 1.0, -1.2, 1.0]


@pytest.mark.parametrize(
    ("loss", "start", "method", "options"),
    [
        (valley, FAR, "BFGS", {"maxiter": 8}),
        (valley, FAR, "CG", {"maxiter": 5}),
        (valley, FAR, "SLSQP", {"maxiter": 8}),
        (long_bowl, numpy.zeros(20), "L-BFGS-B", {"maxiter": 6}),
        (long_bowl, numpy.zeros(8), "Nelder-Mead", {"maxfev": 150}),
        (valley, FAR, "Nelder-Mead", {"maxiter": 60}),
        (valley, FAR[:4], "COBYQA", {"maxfev": 25}),
    ],
)
def test_a_solver_that_had_no_more_steps_is_told(loss, start, method: str, options) -> None:
    run = solved(loss, start, method, **options)
    (finding,) = [each for each in run.diagnosis if each.kind == "left-to-gain"]
    ((option, limit),) = options.items()
    counts = "iterations" if option == "maxiter" else "evaluations"
    assert finding.form == f"cut short by {counts}"
    assert finding.text.startswith(f"{option} stopped ")
    assert finding.values["limit"] == limit
    losses = run.loss[run.accepted]
    share = (finding.values["before"] - losses[-1]) / (losses[0] - losses[-1])
    assert finding.values.get("share", share) == pytest.approx(share, rel=1e-3)
    assert "advice" not in {fact.kind for fact in run.facts}
    further = solved(loss, start, method, **{option: 10 * limit})  # as it advises
    assert further.loss.min() < 0.7 * run.loss.min()


@pytest.mark.parametrize(
    ("loss", "start", "method", "options"),
    [
        (valley, [-1.2, 1.0], "BFGS", {"maxiter": 30}),
        (long_bowl, numpy.zeros(20), "L-BFGS-B", {"maxiter": 40}),
        (long_bowl, numpy.zeros(4), "Nelder-Mead", {"maxfev": 250}),
    ],
)
def test_a_solver_that_was_nearly_done_is_let_be(loss, start, method: str, options) -> None:
    run = solved(loss, start, method, **options)
    assert run.history.calls[-1].ending["reason"] in ("iterations", "evaluations")
    assert kinds(run) == []
