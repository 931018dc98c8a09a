"""Where numbers stop being finite, the finding names the operation that made the first; a run that is well has none."""

from __future__ import annotations

import contextlib
import warnings

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import curve_fit, minimize

import xinv_nb as xi

TIMES = numpy.array([-1.0, 0.5, 2.0])


def rooted(p):
    return np.sum((np.where(p[0] * TIMES > 0, np.sqrt(p[0] * TIMES), 0.0) - p[1]) ** 2)


def logged(p):
    return np.sum(np.where(TIMES + p[1] > 0, p[0] * np.log(TIMES + p[1]), 0.0) ** 2) + 3 * p[1]


def logged_in_silence(p):
    with numpy.errstate(all="ignore"):
        return logged(p)


def mended(p):
    known = np.where(TIMES + p[1] > 0, TIMES + p[1], 1.0)
    return np.sum(np.where(TIMES + p[1] > 0, p[0] * np.log(known), 0.0) ** 2) + p[1] ** 2


def descended(objective, start, rate=0.1, steps=8):
    x = numpy.array(start)
    with warnings.catch_warnings(), xi.record() as run:
        warnings.simplefilter("ignore")
        for _ in range(steps):
            x = x - rate * grad(objective)(x)
    return run


@pytest.mark.parametrize(
    ("objective", "start", "first", "operation"),
    [
        (rooted, [1.0, 0.3], 0, "sqrt"),
        (logged, [1.0, 0.3], 0, "log(−0.7) in line"),
        (logged_in_silence, [1.0, 0.3], 0, "log(−0.7) in line"),
        (logged, [1.0, 1.7], 3, "log(−0.0412) in line"),
    ],
)
def test_what_the_branch_not_taken_does_to_the_gradient_is_named(objective, start, first, operation):
    run = descended(objective, start)
    finding = run.diagnosis[0]
    assert finding.kind == "not-finite"
    assert finding.text.startswith(f"At iteration {first} the loss is ")
    assert "but its gradient is no finite number" in finding.text
    assert operation in finding.text
    assert not [fact for fact in run.facts if fact.kind == "advice"]


def test_as_advised_it_goes_on():
    run = descended(mended, [1.0, 0.3])
    assert run.diagnosis == ()
    assert numpy.isfinite(run.gradients["p"]).all()
    assert run.loss[-1] < run.loss[0]


def test_the_step_out_of_the_domain_is_told_with_the_parameter():
    def loss(depth):
        return (np.sqrt(depth) - 0.2) ** 2

    run = descended(loss, 2.0, rate=1.7)
    assert " when depth had gone from " in run.diagnosis[0].text
    assert "sqrt" in run.diagnosis[0].text


def test_a_search_that_only_tried_such_a_point_is_well():
    def loss(p):
        return -np.sum(np.log(1.0 - p**2)) + np.sum((p - 0.9) ** 2)

    with warnings.catch_warnings(), xi.record() as run:
        warnings.simplefilter("ignore")
        minimize(value_and_grad(loss), [0.0, 0.2], jac=True, method="BFGS")
    assert not [finding for finding in run.diagnosis if finding.kind == "not-finite"]


def test_a_search_that_gave_up_where_nothing_is_a_number_says_so():
    def loss(p):
        return 10 * p[0] - np.log(p[0]) + 4 * (p[1] - 1) ** 2

    settings = {"jac": True, "method": "L-BFGS-B"}
    with warnings.catch_warnings(), xi.record() as bounded:
        warnings.simplefilter("ignore")
        minimize(value_and_grad(loss), [0.3, 1.0], bounds=[(1e-3, None), (None, None)], **settings)
    with warnings.catch_warnings(), xi.record() as run:
        warnings.simplefilter("ignore")
        minimize(value_and_grad(loss), [0.3, 1.0], **settings)
    (finding,) = run.diagnosis
    assert (finding.kind, finding.form) == ("not-finite", "search")
    assert "log in line" in finding.text
    assert bounded.diagnosis == ()  # as advised
    assert bounded.loss[-1] < run.loss[0]


@pytest.mark.parametrize("method", ["SLSQP", "CG"])
def test_a_gradient_that_nobody_asked_for_is_not_missed(method):
    def rosenbrock(p):
        return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2

    with xi.record() as run:
        minimize(rosenbrock, [-1.2, 1.0], jac=grad(rosenbrock), method=method)
    assert not [finding for finding in run.diagnosis if finding.kind == "not-finite"]


def test_one_bad_value_that_the_run_came_out_of_is_no_finding():
    with xi.record() as run:
        for x, loss in ((3.0, 9.0), (2.0, float("nan")), (1.0, 1.0), (0.5, 0.25)):
            run.add(loss, x, 2 * x)
    assert run.diagnosis == ()


def test_of_a_run_that_begins_broken_no_iteration_before_is_spoken_of() -> None:
    def well(x):
        return np.log(x[0]) + x[1] ** 2

    with xi.record(live=False) as run:
        x = numpy.array([-1.0, 1.0])
        for _ in range(4):
            x = x - 0.1 * grad(well)(x)
    found = run.diagnosis[0]
    assert found.form == "start, at a line"
    assert "before" not in found.advice
    assert "Start where log is defined" in found.advice


def test_a_solver_whose_tests_compare_with_no_number_has_not_arrived() -> None:
    times = numpy.linspace(1, 2, 9)
    with xi.record(live=False) as run, contextlib.suppress(Exception):
        curve_fit(lambda t, a, b: a * numpy.log(b * t), times, numpy.sqrt(times), [1.0, -1.0])
    said = " ".join(fact.text for fact in run.facts)
    assert "conditions are met" not in said
    assert "no step accepted at" not in said


def test_a_search_that_came_out_of_a_broken_start_is_not_sent_back() -> None:
    with xi.record(live=False) as run:
        minimize(lambda x: numpy.inf if x[0] < 1 else (x[0] - 2) ** 2, [0.0], method="BFGS", jac=lambda x: 2 * (x - 2))
    assert run.loss[-1] == 0
    assert not run.diagnosis
    assert not [fact for fact in run.facts if fact.kind == "advice"]


def test_a_gradient_that_is_no_number_asks_for_nothing() -> None:
    with xi.record(live=False) as run:
        for k in range(6):
            run.add(float(k), float(k), float("nan"))
    assert not [fact for fact in run.facts if "the gradient asked" in fact.text]


def rosenbrock(p):
    return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2


def network(w):
    x = numpy.linspace(-1, 1, 30).reshape(10, 3)
    hidden = np.dot(np.maximum(0, np.dot(x, w[:12].reshape(3, 4))), w[12:28].reshape(4, 4))
    return np.mean((np.dot(hidden, w[28:]) - x[:, 0]) ** 2)


def stretched(p):
    return np.sum((np.sqrt(p[0]) * numpy.linspace(0, 2, 20) - p[1]) ** 2)


RANDOM_WEIGHTS = numpy.random.RandomState(0).randn(32)


@pytest.mark.parametrize(
    ("objective", "start", "rate"),
    [
        (rosenbrock, [-1.2, 1.0], 0.01),
        (lambda p: np.sum((p - 1) ** 4), [5.0, 4.0], 0.1),
        (network, RANDOM_WEIGHTS, 2.0),
        (stretched, [2.0, 1.0], 0.1),
    ],
    ids=["valley", "quartic", "network", "domain"],
)
def test_where_the_loss_grew_until_it_broke_the_steps_are_to_blame(objective, start, rate):
    run = descended(objective, start, rate, steps=60)
    first = int(numpy.flatnonzero(~numpy.isfinite(run.loss))[0])
    finding = next(each for each in run.diagnosis if each.kind == "not-finite")
    assert finding in run.diagnosis[:2]
    assert f"At iteration {first} the loss is no finite number" in finding.text
    assert "The steps before were too long" in finding.text
    assert finding.values["to"] == first - 1
    assert finding.advice.startswith("Take a smaller step size")
    calm = descended(objective, start, rate / 1000, steps=60)  # as advised, and again
    assert calm.loss[-1] < calm.loss[0]
    assert not [each for each in calm.diagnosis if each.kind == "not-finite"]


def test_the_evaluation_is_the_first_whose_loss_broke_though_its_gradient_held_longer():
    with warnings.catch_warnings(), xi.record(live=False) as run:
        warnings.simplefilter("ignore")
        x, speed = numpy.array([3.0, 3.0]), 0.0
        for _ in range(800):
            speed = 0.9 * speed - 0.3 * grad(lambda p: np.sum((p - 1) ** 2 * np.array([1.0, 10.0])))(x)
            x = x + speed
    finding = next(each for each in run.diagnosis if each.kind == "not-finite")
    assert finding.values["first"] == numpy.flatnonzero(~numpy.isfinite(run.loss))[0]


def test_steps_up_the_slope_that_end_in_no_number_are_told_as_that():
    run = descended(lambda p: np.sum(p**4), [1.0, 2.0], rate=-0.1, steps=30)
    finding = next(each for each in run.diagnosis if each.kind == "not-finite")
    assert "went up the slope" in finding.text
    assert "sign" in finding.advice


def test_of_growth_without_slopes_no_more_is_said_than_is_known():
    with xi.record(live=False) as run:
        for k in range(8):
            run.add(10.0 ** (50 * k) if k < 7 else float("inf"), float(k))
    finding = run.diagnosis[0]
    assert finding.form == "loss, grown"
    assert "slope" not in finding.text


def test_a_loss_that_fell_until_it_broke_did_not_grow():
    run = descended(lambda depth: (np.sqrt(depth) - 0.2) ** 2, 2.0, rate=1.7)
    assert "too long" not in run.diagnosis[0].text


def test_after_the_loss_broke_no_move_of_a_parameter_is_told():
    """The gradient of this loss is a number for long after the loss itself is none, and the points go on."""
    run = descended(lambda p: np.sum((p - 1) ** 2 * np.array([1.0, 10.0])), [3.0, 3.0], rate=0.2, steps=600)
    first = int(numpy.flatnonzero(~numpy.isfinite(run.loss))[0])
    moves = [fact for fact in run.facts if fact.kind in ("movement", "swing", "turning", "path", "order", "asked")]
    assert moves
    assert max(fact.span[1] for fact in moves) < first
    assert str(run.ask("How did p[1] move?", model=False).text).count("p[1] swung to and fro, and went") <= 1
    after = [caption.text for caption in run.captions if caption.span[0] >= first]
    assert not [text for text in after if "p[0] " in text or "p[1] " in text]


def focal(p):
    return np.sum((1 / p - numpy.array([2.0, 0.5, 0.25])[: len(p)]) ** 2)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("start", "names"), [([1.0, 0.0], "p[1] is no finite number"), ([1.0, 0.0, 0.0], "p[1] and p[2] are")]
)
def test_a_parameter_that_is_no_number_is_told_where_the_loss_is_one_again(start, names):
    def descended(p):
        with xi.record(live=False) as run:
            for _ in range(10):
                p = p - 0.05 * grad(focal)(p)
        return run

    run = descended(numpy.array(start))
    assert numpy.isinf(run.parameters["p"][-1]).any()
    assert numpy.isfinite(run.loss[-1])
    finding = run.diagnosis[0]
    assert (finding.kind, finding.severity) == ("not-finite", "warning")
    assert f"From iteration 1 on {names}" in finding.text
    assert "came from divide in line" in finding.text
    assert not [fact for fact in run.facts if fact.kind in ("minimum", "advice")]
    away = numpy.where(numpy.array(start) == 0, 2.0, start)  # as it advises
    assert "not-finite" not in [each.kind for each in descended(away).diagnosis]


def test_a_parameter_that_became_infinite_is_told_though_the_loss_is_a_number():
    run = descended(focal, [1.0, 0.0], rate=0.05, steps=10)
    assert numpy.isfinite(run.loss[-1])
    finding = run.diagnosis[0]
    assert (finding.kind, finding.severity) == ("not-finite", "warning")
    assert finding.text.startswith("From iteration 1 on p[1] is no finite number, though the loss is one")
    assert "divide in line" in finding.text


def test_as_advised_a_start_where_it_is_defined_keeps_it_finite():
    run = descended(lambda q: focal(np.exp(q)), [0.0, 0.5], rate=0.02, steps=60)
    assert not [finding for finding in run.diagnosis if finding.kind == "not-finite"]
    assert numpy.isfinite(run.parameters["x"][-1] if "x" in run.parameters else run.loss[-1]).all()


def test_parameters_by_hand_that_are_no_numbers_are_told():
    with xi.record() as run:
        for k in range(6):
            x = numpy.array([1.0 / (k + 1), numpy.nan if k > 2 else 1.0, numpy.inf if k > 3 else 2.0])
            run.add(float(k), {"x": x})
    text = run.diagnosis[0].text
    assert text.startswith("From iteration 4 on x[1] and x[2] are no finite numbers")
