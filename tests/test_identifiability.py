"""What curvature says of the parameters, against analytic answers; and that taking it leaves no trace."""

from __future__ import annotations

import re

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.extend import defvjp, primitive
from autograd.misc.optimizers import adam
from numpy.testing import assert_allclose
from scipy.optimize import minimize

import xinv_nb as xi
from tests.example_runs import EXAMPLES
from tests.traces.parameters import TRACES, T, decay, descend, rosenbrock
from xinv_nb.facts.fact import Fact
from xinv_nb.run import Run


def of(run: Run, how: str) -> list[Fact]:
    return [fact for fact in run.facts if fact.kind == "identifiability" and fact.values["how"] == how]


def only(run: Run, how: str) -> Fact:
    (fact,) = of(run, how)
    return fact


def sizes(run: Run, name: str):
    """A parameter's size: its last value or its range over the accepted points, whichever is larger."""
    values = run.parameters[name][run.accepted]
    return numpy.maximum(numpy.abs(values[-1]), numpy.ptp(values, axis=0))


def condition_of(hessian) -> float:
    """The condition number with each parameter measured by its own effect: its curvature is 1."""
    effect = numpy.sqrt(numpy.diag(hessian))
    return float(numpy.linalg.cond(hessian / numpy.outer(effect, effect)))


ROSENBROCK_AT_ITS_MINIMUM = numpy.array([[802.0, -400.0], [-400.0, 200.0]])


def at_rosenbrock() -> Run:
    with xi.record() as run:
        minimize(value_and_grad(rosenbrock), np.array([-1.2, 1.0]), jac=True, method="BFGS", options={"gtol": 1e-9})
    return run


def test_second_derivatives_are_those_of_the_objective() -> None:
    run = at_rosenbrock()
    run.identify(rosenbrock)
    d = numpy.diag(sizes(run, "theta"))
    assert_allclose(run.curvature.values, numpy.linalg.eigvalsh(d @ ROSENBROCK_AT_ITS_MINIMUM @ d), rtol=1e-4)
    assert_allclose(only(run, "spread").values["condition"], condition_of(ROSENBROCK_AT_ITS_MINIMUM), rtol=1e-4)
    inverse = numpy.linalg.inv(ROSENBROCK_AT_ITS_MINIMUM)
    correlation = inverse[0, 1] / numpy.sqrt(inverse[0, 0] * inverse[1, 1])
    assert_allclose(only(run, "correlation").values["correlation"], correlation, rtol=1e-4)
    assert "their correlation is 0.999" in only(run, "correlation").text


def stretched(condition: float, width: int = 4):
    """A quadratic in coordinates turned at random, with curvatures from 1 to `condition`."""
    turn, _ = numpy.linalg.qr(numpy.random.RandomState(3).randn(width, width))
    hessian = turn @ numpy.diag(numpy.geomspace(1.0, condition, width)) @ turn.T
    return hessian, lambda x: 0.5 * np.dot(x - 1.0, np.dot(hessian, x - 1.0))


@pytest.mark.parametrize("condition", [3.0, 300.0, 3e5])
def test_the_condition_number_is_the_analytic_one(condition: float) -> None:
    hessian, loss = stretched(condition)
    with xi.record() as run:
        minimize(value_and_grad(loss), np.array([3.0, 2.0, -1.0, 4.0]), jac=True, method="BFGS")
    run.identify(loss)
    (fact,) = [f for f in run.facts if f.kind == "identifiability" and "condition" in f.values]
    assert_allclose(fact.values["condition"], condition_of(hessian), rtol=1e-6)


@pytest.mark.parametrize("condition", [8.0, 300.0])
def test_the_path_alone_finds_the_curvature_of_a_quadratic(condition: float) -> None:
    hessian, loss = stretched(condition, 3)
    with xi.record() as run:
        adam(grad(lambda x, i: loss(x)), np.array([3.0, 2.0, -1.0]), num_iters=500, step_size=0.05)
    (fact,) = [f for f in run.facts if f.kind == "identifiability" and "condition" in f.values]
    assert fact.values["source"] == "path"
    assert_allclose(fact.values["condition"], condition_of(hessian), rtol=1e-3)
    assert "estimated from the steps between iterations" in fact.text


def test_a_move_of_a_weakly_determined_combination_does_to_the_loss_what_is_said() -> None:
    _, loss = stretched(1e8)
    with xi.record() as run:
        minimize(value_and_grad(loss), np.array([3.0, 2.0, -1.0, 4.0]), jac=True, method="BFGS", options={"gtol": 1e-9})
    run.identify(loss)
    end = run.point(-1)
    for fact in of(run, "sloppy"):
        for moves, change in (("moves", "change"), ("best", "best change")):
            step = numpy.array([fact.values[moves].get(f"x[{i}]", 0.0) for i in range(4)])
            if (numpy.abs(step) > 0).all():  # else a small part of the move is left out of the sentence
                found = max(abs(loss(end + step) - loss(end)), abs(loss(end - step) - loss(end)))
                assert_allclose(found, fact.values[change], rtol=1e-3)
    assert of(run, "sloppy")


def test_of_two_rates_only_the_sum_is_determined() -> None:
    run = descend(decay, {"a": 0.2, "b": 0.5}, 0.02, 200)
    (fact,) = run.identify(decay)
    moves = fact.values["moves"]
    assert_allclose(moves["a"], -moves["b"], rtol=1e-6)
    assert re.fullmatch(
        r"Not determined: where (a|b) rises by [\d.]+ as (a|b) falls by [\d.]+, the loss does not change "
        r"\(by its second derivatives at iteration 199\)\.",
        fact.text,
    )
    assert fact.salience > 0.9
    assert fact in run.facts


def test_of_a_product_the_two_factors_are_not_determined() -> None:
    def loss(p):
        return np.sum((p[0] * p[1] * np.exp(-p[2] * T) - 6.0 * numpy.exp(-0.8 * T)) ** 2)

    with xi.record() as run:
        adam(grad(lambda p, i: loss(p)), np.array([1.0, 4.0, 0.3]), num_iters=800, step_size=0.02)
    run.identify(loss)
    moves, end = only(run, "flat").values["moves"], run.point(-1)
    assert set(moves) == {"p[0]", "p[1]"}
    assert_allclose(moves["p[0]"] / end[0], -moves["p[1]"] / end[1], rtol=1e-4)


def test_intercept_and_slope_far_from_the_data_make_up_for_each_other() -> None:
    t = numpy.linspace(50.0, 52.0, 30)

    def loss(p):
        return np.sum((p["intercept"] + p["slope"] * t - (2.0 + 0.5 * t)) ** 2)

    run = descend(loss, {"intercept": 1.0, "slope": 0.52}, 1e-6, 40)
    run.identify(loss)
    analytic = -t.mean() / numpy.sqrt((t**2).mean())
    fact = only(run, "correlation")
    assert_allclose(fact.values["correlation"], analytic, rtol=1e-6)
    assert "Intercept and slope can make up for each other when they move against each other" in fact.text
    assert "−0.9999" in fact.text


def test_units_do_not_matter() -> None:
    def conditions(unit: float) -> list[float]:
        def loss(p):
            return (p[0] / unit - 2.0) ** 2 + 40 * (p[1] - 1.0) ** 2 + p[0] / unit * p[1]

        with xi.record() as run:
            minimize(value_and_grad(loss), np.array([5.0 * unit, 3.0]), jac=True, method="L-BFGS-B")
        return [f.values["condition"] for f in run.identify(loss) if "condition" in f.values]

    # The optimizer's path depends on the unit; sizes are compared for the same end and range.
    assert_allclose(conditions(1.0), conditions(1.0))
    hessian, loss = stretched(50.0, 2)
    for unit in (1.0, 1024.0):
        run = descend(lambda p, u=unit: loss(p / u), np.array([3.0 * unit, 2.0 * unit]), 0.02 * unit**2, 60)
        found = [f.values["condition"] for f in run.identify(lambda p, u=unit: loss(p / u)) if "condition" in f.values]
        assert_allclose(found, [condition_of(hessian)], rtol=1e-9)


def test_a_saddle_is_no_minimum() -> None:
    def loss(x):
        return x[0] ** 2 - 0.1 * x[1] ** 2

    run = descend(loss, np.array([2.0, 0.5]), 0.1, 20)
    run.identify(loss)
    assert "it curves down where x[1] rises by" in only(run, "down").text


def test_a_loss_without_curvature_determines_nothing() -> None:
    run = descend(lambda x: 3.0 * x[0] - x[1], np.array([2.0, 1.0]), 0.1, 5)
    (fact,) = run.identify(lambda x: 3.0 * x[0] - x[1])
    assert (
        fact.text == "No parameter is determined: the loss has no curvature (by its second derivatives at iteration 4)."
    )


# ---------------------------------------------------------------------- how the objective takes its parameters


@pytest.mark.parametrize(
    "start",
    [
        {"drag": 1.5, "wind": {"x": 0.5, "y": np.array([1.0, 2.0])}},
        [(np.ones((2, 2)), 0.5), (1.0, np.array([2.0]))],
        np.array([[1.0, 2.0], [0.5, 1.5]]),
        2.5,
    ],
)
def test_the_objective_gets_the_structure_that_was_recorded(start) -> None:
    def total(value):
        if hasattr(value, "values"):
            value = list(value.values())
        if isinstance(value, (list, tuple)) or type(value).__name__ == "SequenceBox":
            return sum(total(item) for item in value)
        return np.sum(value**2)

    with xi.record() as run:
        for _ in range(3):
            grad(total)(start)
    run.identify(total)
    assert_allclose(run.curvature.values, 2 * numpy.sort(run.curvature.scale**2), rtol=1e-9)
    assert_allclose(run.curvature.loss, run.loss[-1])


def test_several_arguments() -> None:
    def loss(source, target):
        return (source - 2 * target) ** 2

    with xi.record() as run:
        for k in range(4):
            grad(loss, argnum=(0, 1))(3.0 - k, 1.0)
    assert of(run, "flat") == []
    run.identify(loss)
    moves = only(run, "flat").values["moves"]
    assert_allclose(moves["source"], 2 * moves["target"])


@primitive
def refuses(x):
    return float(numpy.sum(x**2))


@primitive
def is_silent(x):
    return float(numpy.sum(x**2))


defvjp(refuses, lambda ans, x: lambda g: g * 2 * numpy.asarray(x, dtype=float))
defvjp(is_silent, lambda ans, x: lambda g: g * 2 * numpy.asarray(getattr(x, "_value", x)))


@pytest.mark.parametrize("square", [refuses, is_silent])
def test_where_second_derivatives_are_missing_differences_of_the_gradient_do(square) -> None:
    """A simulator of one's own may have a hand-written gradient, which autograd cannot differentiate."""

    def loss(x):
        return square(x) + x[0] * x[1]

    run = descend(loss, np.array([3.0, 1.0]), 0.1, 30)
    run.identify(loss)
    d = numpy.diag(run.curvature.scale)
    true = numpy.linalg.eigvalsh(d @ numpy.array([[2.0, 1.0], [1.0, 2.0]]) @ d)
    assert_allclose(run.curvature.values, true, rtol=1e-6)
    assert all("by differences of gradients at" in f.text for f in run.facts if f.kind == "identifiability")


def test_of_one_parameter_the_effect_of_a_move_is_told() -> None:
    run = descend(lambda x: 3.0 * (x - 2.0) ** 2, 4.0, 0.1, 60)
    (fact,) = run.identify(lambda x: 3.0 * (x - 2.0) ** 2)
    assert fact.text == (
        "Where x rises or falls by 0.2, the loss changes by about 0.12 (by its second derivatives at iteration 59)."
    )


def test_many_parameters_are_looked_at_from_both_ends() -> None:
    scale = numpy.linspace(1.0, 80.0, 80) ** 2
    run = descend(lambda x: 0.5 * np.sum(scale * (x - 1.0) ** 2), np.full(80, 2.0), 1e-4, 30)
    run.identify(lambda x: 0.5 * np.sum(scale * (x - 1.0) ** 2))
    curvature = run.curvature
    true = numpy.sort(scale * curvature.scale**2)
    assert not curvature.is_complete
    assert_allclose(curvature.values[-6:], true[-6:], rtol=1e-5)
    assert_allclose(curvature.values[:3], true[:3], rtol=1e-3)
    assert any(
        "of those looked at" in f.text or "determined" in f.text for f in run.facts if f.kind == "identifiability"
    )


# ---------------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("objective", "says"),
    [
        (lambda x, i: np.sum(x**2), r"takes the recorded parameters and nothing else, such as lambda x: loss\(x, 0\)"),
        (lambda x: x[5] ** 2, "could not be evaluated at the end of the run .IndexError"),
        (lambda x: x * 2.0, r"must return one real number; it returned an array of shape \(2,\)"),
        (lambda x: "loss", "must return one real number"),
        (lambda x: np.log(-np.sum(x**2)), "not a finite number"),
        (lambda x: np.sum(x**2) + np.sum(np.sqrt((x - x) ** 2)), "second derivatives of the objective are not finite"),
    ],
)
def test_an_objective_that_does_not_fit_is_told_what_to_do(objective, says: str) -> None:
    run = descend(lambda x: np.sum(x**2), np.array([1.0, 2.0]), 0.1, 20)
    before = run.facts
    with pytest.raises(xi.XinvError, match=says):
        run.identify(objective)
    assert run.facts == before


def test_runs_of_which_nothing_can_be_said() -> None:
    with xi.record() as empty:
        pass
    with pytest.raises(xi.XinvError, match="Nothing was recorded"):
        empty.identify(lambda x: x)
    with pytest.raises(xi.XinvError, match=r"run.identify\(objective\) takes second derivatives"):
        TRACES["rosenbrock_valley"].make().identify()
    with pytest.raises(xi.XinvError, match="only a sample of its entries was kept"):
        TRACES["large_layer"].make().identify(lambda w: np.sum(w**2))


def test_noise_is_not_taken_for_knowledge() -> None:
    with pytest.raises(xi.XinvError, match="does not show"):
        TRACES["mini_batches"].make().identify()


@pytest.mark.parametrize("where", [TRACES["rosenbrock_valley"].make, TRACES["mini_batches"].make])
def test_a_path_over_changing_curvature_or_noise_does_not_estimate_it(where) -> None:
    assert not [fact.text for fact in where().facts if "estimated from the steps" in fact.text]


def test_the_last_steps_into_a_minimum_show_its_curvature() -> None:
    run = at_rosenbrock()
    by_path = only(run, "spread").values
    run.identify(rosenbrock)
    assert by_path["source"] == "path"
    assert by_path["condition"] == pytest.approx(only(run, "spread").values["condition"], rel=0.1)


def test_nearer_to_the_end_the_path_may_suffice() -> None:
    """Far from its end the fit of an exponential is not quadratic; the last steps, all but rounding, are."""
    run = EXAMPLES["exponential_fit"]()
    (fact,) = [f for f in run.facts if f.kind == "identifiability" and "condition" in f.values]
    amplitude, rate = run.parameters["params"][-1]
    t = numpy.linspace(0, 4, 30)
    decay = numpy.exp(-rate * t)
    jacobian = numpy.stack([decay, -t * amplitude * decay], axis=1)
    true = condition_of(jacobian.T @ jacobian)  # Gauss and Newton: the residuals are small
    assert fact.values["condition"] == pytest.approx(true, rel=0.1)


@primitive
def wrong_square(x):
    return float(numpy.sum(x**2))


defvjp(wrong_square, lambda ans, x: lambda g: g * 3 * x)


@primitive
def turned(x):
    return float(numpy.sum(x**2))


defvjp(turned, lambda ans, x: lambda g: g * np.array([2 * x[0] + x[1], 2 * x[1] - x[0]]))


@pytest.mark.parametrize(
    ("objective", "says"),
    [
        (
            lambda x: np.sum(x**2) + 1.0,
            r"is 1.00104 at iteration 19, where the recorded loss is 0.00103846: it is another",
        ),
        (wrong_square, "while the loss itself curves by"),
        (turned, "their matrix is not symmetric"),
    ],
)
def test_second_derivatives_that_are_not_to_be_trusted_are_refused(objective, says: str) -> None:
    run = descend(lambda x: np.sum(x**2), np.array([1.0, 2.0]), 0.1, 20)
    with pytest.raises(xi.XinvError, match=says):
        run.identify(objective)


def test_second_derivatives_that_are_noise_are_refused() -> None:
    run = descend(lambda x: np.sum(x**2), np.array([1.0, 2.0]), 0.1, 20)
    end, draws = run.point(-1), numpy.random.default_rng(0)
    with pytest.raises(xi.XinvError, match="are not to be trusted"):
        run.identify(lambda x: np.sum(x**2) + draws.standard_normal() * np.sum((x - end) ** 2))


def test_second_derivatives_that_underflow_are_refused() -> None:
    def far(x):
        return np.sum((np.exp(-((T - x[0]) ** 2)) * x[1] - 3.0) ** 2)

    run = descend(far, np.array([25.0, 1.0]), 1e-3, 5)
    with pytest.raises(xi.XinvError, match="by less than rounding does"):
        run.identify(far)


def test_a_parameter_that_ends_near_zero_is_not_called_hardly_determined() -> None:
    """It has no size to measure it by; how far it can be made up for by others has no unit."""

    def loss(p):
        return np.mean((p[0] * T + p[1] - 3.0 * T - 1e-3) ** 2)

    with xi.record() as run:
        minimize(value_and_grad(loss), np.array([1.0, 2e-3]), jac=True, method="BFGS")
    said = " ".join(fact.text for fact in run.identify(loss))
    assert "determined:" not in said
    assert not run.diagnosis


# ---------------------------------------------------------------------- nothing of it is recorded


def test_no_trace_is_left_in_any_recording() -> None:
    def loss(x):
        xi.event("looked")
        xi.watch(x[0], "first")
        return np.sum((x - 1.0) ** 2) + x[0] * x[1]

    with xi.record() as around:
        run = descend(loss, np.array([3.0, 1.0]), 0.1, 10)
        counts = (
            around.evaluations,
            len(around.events),
            run.evaluations,
            len(run.events),
            len(run.watches["first"].values),
        )
        everything = len(around.histories), around.event_count
        run.identify(loss)
        assert (len(around.histories), around.event_count) == everything
        slope = grad(loss)(np.array([1.0, 2.0]))  # and the recording goes on
    assert around.evaluations == counts[0] + 1
    assert (run.evaluations, len(run.events), len(run.watches["first"].values)) == counts[2:]
    assert_allclose(slope, [2.0, 3.0])
    assert not around.notices
    assert not run.notices


def test_what_was_found_is_saved_with_the_run(tmp_path) -> None:
    run = at_rosenbrock()
    run.identify(rosenbrock)
    loaded = xi.load(run.save(tmp_path / "run.npz"))
    assert loaded.facts == run.facts
    assert any(fact.kind == "identifiability" for fact in loaded.facts)
    loaded.identify()  # the path alone again
    sources = {fact.values["source"] for fact in loaded.facts if fact.kind == "identifiability"}
    assert sources == {"path"}


def test_the_path_is_asked_only_when_the_run_is_over() -> None:
    with xi.record() as run:
        adam(grad(lambda x, i: stretched(8.0, 3)[1](x)), np.array([3.0, 2.0, -1.0]), num_iters=200, step_size=0.05)
        assert not [fact for fact in run.facts if fact.kind == "identifiability"]
    assert [fact for fact in run.facts if fact.kind == "identifiability"]


def test_directions_that_were_not_explored_are_unknown() -> None:
    """Only x[0] and x[1] move, as x[2] starts at its minimum."""
    with xi.record() as run:
        adam(
            grad(lambda x, i: np.sum(np.array([1.0, 4.0, 9.0]) * x**2)),
            np.array([2.0, 1.0, 0.0]),
            num_iters=200,
            step_size=0.05,
        )
    texts = [fact.text for fact in run.facts]
    assert any(text.startswith("The gradient of x[2] was 0 at every iteration") for text in texts)
    assert not any("equally well determined" in text for text in texts)


def test_directions_that_were_not_explored_are_unknown_without_a_tape() -> None:
    """Nothing tells here why the gradient of x[2] is 0, so that the path alone says what is known."""
    bowl, x = np.array([1.0, 4.0, 9.0]), np.array([2.0, 1.0, 0.0])
    with xi.record() as run:
        for _ in range(200):
            run.add(np.sum(bowl * x**2), {"x": x}, gradients={"x": 2 * bowl * x})
            x = x - 0.04 * 2 * bowl * x
    texts = [fact.text for fact in run.facts if fact.kind == "identifiability"]
    assert any("which explored 2 of 3 directions" in text for text in texts)
    assert not any("All combinations" in text or "x[2]" in text for text in texts)


@pytest.mark.parametrize("start", [(1.0, 2.0), (0.5, 4.0), (2.5, 1.2)])
@pytest.mark.parametrize("model", [lambda p: p[0] * p[1] * T, lambda p: p[0] / p[1] * T])
def test_what_bends_along_the_path_is_no_curvature_across_it(model, start) -> None:
    """Only one combination enters, and gradient descent goes along it: hardly a step shows the other."""
    data = 6.0 * T if model(numpy.array([2.0, 4.0]))[-1] > T[-1] else 2.0 * T

    def loss(p):
        return np.mean((model(p) - data) ** 2)

    p = numpy.array(start)
    with xi.record() as run:
        for _ in range(200):
            p = p - 0.2 / numpy.mean(T**2) / 20 * grad(loss)(p)
    said = [fact.text for fact in run.facts if fact.kind == "identifiability"]
    assert not [text for text in said if "factor" in text or "east determined" in text]


@pytest.mark.parametrize("starts", [(3.0, 0.5, -2.0), (-2.0, 0.5, 3.0), (0.5, -2.0, 3.0)])
def test_of_several_fits_the_second_derivatives_are_taken_at_the_end_of_the_one_that_is_told(starts):
    def waves(p):
        return np.sum(np.array([1.0, 4.0]) * (np.sin(3 * p) + 0.1 * p**2))

    with xi.record() as run:
        for start in starts:
            minimize(value_and_grad(waves), [start, start + 0.2], jac=True, method="BFGS")
    best = min(run.fits, key=lambda fit: run.loss[fit.best])
    assert len(run.fits) == 3
    found = run.identify(waves)
    assert all(best.start <= fact.span[1] < best.stop for fact in found)
    assert run.curvature.evaluation == best.stop - 1
    assert [fact.text for fact in run.facts if fact.kind == "identifiability"] == [fact.text for fact in found]
