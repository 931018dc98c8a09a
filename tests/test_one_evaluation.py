"""Passes of one function at one point are one evaluation, however the program takes its gradient apart."""

import sys

import autograd
import autograd.numpy as np
import numpy
import pytest
from autograd import elementwise_grad, grad, value_and_grad
from autograd.misc.optimizers import adam
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

import xinv_nb as xi

T = numpy.linspace(0, 1, 20)
Y = 4 * T - 1.5


def mse(slope, intercept):
    return np.mean((slope * T + intercept - Y) ** 2)


def descend(take, steps=40):
    """Return the points of a descent, and the gradients that `take` gives there."""
    m, b, points, slopes = 0.0, 0.0, [], []
    for k in range(steps):
        dm, db = take(m, b, k)
        points.append((m, b))
        slopes.append((dm, db))
        m, b = m - 0.3 * dm, b - 0.3 * db
    return points, slopes


def one_by_one(m, b, _):
    return grad(mse, 0)(m, b), grad(mse, 1)(m, b)


def other_way_round(m, b, _):
    db = grad(mse, 1)(m, b)
    return grad(mse, 0)(m, b), db


def by_keyword(m, b, _):
    return grad(mse)(m, intercept=b), elementwise_grad(mse, -1)(m, b)


def looked_at(m, b, k):
    if k % 10 == 0:
        value_and_grad(mse)(m, b)
        grad(mse, (0, 1))(m, b)
    return grad(mse, 0)(m, b), grad(mse, 1)(m, b)


def joint_and_single(m, b, _):
    return grad(mse, argnum=(0, 1))(m, b)[0], grad(mse, 1)(m, b)


@pytest.mark.parametrize("take", [one_by_one, other_way_round, by_keyword, looked_at, joint_and_single])
def test_one_gradient_for_each_argument_is_one_evaluation(take):
    with xi.record() as run:
        points, slopes = descend(take)
    assert list(run.objectives) == ["mse"]
    assert list(run.parameters) == ["slope", "intercept"]
    assert run.loss.tolist() == [mse(*point) for point in points]
    assert_array_equal(numpy.transpose(list(run.parameters.values())), points)
    assert_array_equal(numpy.transpose(list(run.gradients.values())), slopes)
    assert run.has_gradients
    assert run.point(3) == points[3]
    assert any("intercept" in caption.text for caption in run.captions)


def test_value_and_gradient_in_two_calls_are_one_evaluation():
    def bowl(x):
        return np.sum((x - 3.0) ** 2)

    x = numpy.zeros(2)
    with xi.record() as run:
        for _ in range(10):
            value, _ = value_and_grad(bowl)(x)
            x = x - 0.1 * grad(bowl)(x)
    assert run.evaluations == 10
    assert run.loss[-1] == value


def test_a_loop_that_does_not_move_makes_evaluations_all_the_same():
    with xi.record() as run:
        for _ in range(5):
            value_and_grad(mse)(1.0, 2.0)
            grad(mse, 1)(1.0, 2.0)
    assert run.evaluations == 5


def test_arguments_of_any_structure_and_a_batch_that_changes():
    def misfit(layers, batch, offset):
        return np.mean((layers["w"] @ batch + layers["b"][0] - offset) ** 2)

    layers, offset = {"w": numpy.ones(3), "b": [1.0]}, numpy.ones((2, 2))[0]
    random = numpy.random.default_rng(0)
    with xi.record() as run:
        for _ in range(15):
            batch = random.normal(size=(3, 2))
            by_offset = grad(misfit, 2)(layers, batch, offset)
            by_layers = grad(misfit)(layers, batch, offset)
            offset = offset - 0.02 * by_offset
            layers = {"w": layers["w"] - 0.02 * by_layers["w"], "b": [layers["b"][0] - 0.02 * by_layers["b"][0]]}
    assert list(run.parameters) == ["w", "b[0]", "offset"]
    assert run.evaluations == 15
    assert_array_equal(run.gradients["offset"][-1], by_offset)
    assert_array_equal(run.gradients["w"][-1], by_layers["w"])


def test_large_layers_each_by_its_own_gradient():
    def energy(first, second):
        return np.sum((np.dot(first, second) - 1.0) ** 2) / first.size

    random = numpy.random.default_rng(1)
    first, second = random.normal(size=(50, 100)) * 0.1, random.normal(size=(100, 30)) * 0.1
    with xi.record() as run:
        for _ in range(6):
            one, two = grad(energy, 0)(first, second), grad(energy, 1)(first, second)
            first, second = first - 0.5 * one, second - 0.5 * two
    assert list(run.objectives) == ["energy"]
    assert run.evaluations == 6
    assert [leaf.size for leaf in run.history.leaves] == [5000, 3000]
    assert not numpy.isnan(run.history.gradients.array).any()


def by_turns(phases, length):
    m, b = 0.0, 0.0
    points = []
    for phase in range(phases):
        for _ in range(length):
            points.append((m, b))
            if phase % 2 == 0:
                m = m - 0.3 * grad(mse, 0)(m, b)
            else:
                b = b - 0.3 * grad(mse, 1)(m, b)
    return points


def slopes_of(p):
    return numpy.array([grad(mse, 0)(*p), grad(mse, 1)(*p)])


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG"])
def test_an_optimizer_that_gets_one_gradient_for_each_argument(method):
    def program():
        return minimize(lambda p: mse(*p), [0.0, 0.0], jac=slopes_of, method=method)

    expected = program()
    with xi.record() as run:
        result = program()
    assert result.x.tolist() == expected.x.tolist()
    assert list(run.objectives) == ["mse"]
    assert list(run.parameters) == ["slope", "intercept"]
    assert run.evaluations == result.njev
    assert run.accepted.sum() == result.nit + 1
    assert [(call.start, call.stop) for call in run.history.calls] == [(0, result.njev)]
    assert sum(" starts " in event.text for event in run.events) == 1
    assert sum(" stops " in event.text for event in run.events) == 1


def test_adam_that_gets_one_gradient_for_each_argument():
    with xi.record() as run:
        adam(lambda p, i: slopes_of(p), numpy.zeros(2), num_iters=30, step_size=0.1)
    assert list(run.parameters) == ["slope", "intercept"]
    assert run.optimizer == "Adam · step size 0.1"
    assert [event.text for event in run.events if event.phase == "optimizer"][-1] == "Adam stops after 30 evaluations"


@pytest.mark.parametrize(("phases", "length"), [(40, 1), (2, 30), (6, 10)])
def test_arguments_that_are_moved_by_turns_are_one_objective(phases, length):
    with xi.record() as run:
        points = by_turns(phases, length)
    assert list(run.parameters) == ["slope", "intercept"]
    assert run.loss.tolist() == [mse(*point) for point in points]
    assert_array_equal(numpy.transpose(list(run.parameters.values())), points)
    assert not run.has_gradients  # of each only a part is known
    assert run.gradients["slope"][0] == grad(mse, 0)(0.0, 0.0)
    assert numpy.isnan(run.gradients["intercept"][0])
    assert not any("nan" in fact.text for fact in run.facts)
    told = "slope and intercept were differentiated by turns: of each iteration only a part of the gradient is known."
    assert any(told in caption.text for caption in run.captions)


def test_what_the_simulator_says_is_told_once():
    def watched(slope, intercept):
        xi.event("looked at")
        return xi.watch(mse(slope, intercept), "misfit")

    m = b = 0.0
    with xi.record() as run:
        for _ in range(8):
            m, b = m - 0.3 * grad(watched, 0)(m, b), b - 0.3 * grad(watched, 1)(m, b)
    assert run.watches["misfit"].evaluation.tolist() == list(range(8))
    assert_array_equal(run.watches["misfit"].values, run.loss)
    assert [event.evaluation for event in run.events if event.text == "looked at"] == list(range(8))


def test_one_that_lowers_and_one_that_raises_the_same_loss_are_one_objective():
    def saddle(x, y):
        return x * y + 0.1 * x**2 - 0.1 * y**2

    x, y = 1.0, 0.5
    with xi.record() as run:
        for _ in range(30):
            x, y = x - 0.1 * grad(saddle, 0)(x, y), y + 0.1 * grad(saddle, 1)(x, y)
    assert list(run.parameters) == ["x", "y"]
    assert run.evaluations == 30


def test_what_the_loss_listens_to_in_the_data_is_another_objective():
    data = numpy.random.default_rng(2).normal(size=(6, 2))

    def misfit(w, data):
        return np.mean((data @ w - 1.0) ** 2)

    w = numpy.zeros(2)
    with xi.record() as run:
        grad(misfit, 1)(w, data)
        for _ in range(20):
            w = w - 0.1 * grad(misfit)(w, data)
        grad(misfit, 1)(w, data)
        attack = data + 0.1 * numpy.sign(grad(misfit, 1)(w, data))
        grad(misfit, 1)(w, attack)
    assert list(run.parameters) == ["w"]
    assert run.evaluations == 20
    assert run.has_gradients


def test_a_loss_that_is_rounded_in_another_way_is_one_loss_and_so_is_one_that_is_no_number():
    def valley(x, y):
        return (1 - x) ** 2 + 100 * (y - x * x) ** 2

    def domain(m, b):
        return np.log(m) + b**2

    x, y, m, b = -1.0, 1.0, 1.0, 1.0
    with xi.record() as run, numpy.errstate(all="ignore"):
        for _ in range(400):
            x, y = x - 1e-3 * grad(valley, 0)(x, y), y - 1e-3 * grad(valley, 1)(x, y)
        for _ in range(10):
            m, b = m - 0.3 * grad(domain, 0)(m, b), b - 0.3 * grad(domain, 1)(m, b)
    assert {name: each.evaluations for name, each in run.objectives.items()} == {"valley": 400, "domain": 10}
    assert run.has_gradients


def test_one_point_by_each_argument():
    with xi.record() as run:
        slopes = grad(mse, 0)(1.0, 2.0), grad(mse, 1)(1.0, 2.0)
    assert {name: rows.tolist() for name, rows in run.gradients.items()} == {
        "slope": [slopes[0]],
        "intercept": [slopes[1]],
    }


def test_a_function_of_time_is_not_split_by_the_type_of_the_time():
    with xi.record() as run:
        for x, t in ((3.0, 0), (2.0, 0.5), (1.0, 1)):
            grad(lambda x, t: (x - t) ** 2)(x, t)
        for t in (0.5, 1):
            grad(mse)(2.0 + t, t)
    assert {name: each.evaluations for name, each in run.objectives.items()} == {"objective": 3, "mse": 2}


def test_results_are_the_same_to_the_bit_and_so_is_a_saved_run(tmp_path):
    plain = descend(one_by_one)
    with xi.record() as run:
        recorded = descend(one_by_one)
    assert recorded == plain
    run.save(tmp_path / "run.xinv")
    again = xi.load(tmp_path / "run.xinv")
    assert again.facts == run.facts
    assert_allclose(again.loss, run.loss, rtol=0)


def test_multigrad_dict_of_the_same_function(monkeypatch):
    monkeypatch.setitem(sys.modules, "funcsigs", __import__("inspect"))  # of which funcsigs is a copy
    m = b = 0.0
    with xi.record() as run:
        for _ in range(10):
            slopes = autograd.multigrad_dict(mse)(m, b)
            m, b = m - 0.3 * slopes["slope"], b - 0.3 * grad(mse, 1)(m, b)
    assert run.evaluations == 10
    assert list(run.objectives) == ["mse"]
    assert list(run.parameters) == ["slope", "intercept"]


def coupled(a, b):
    return np.sum((a - 1) ** 2) + np.sum((b + 2) ** 2) + 0.5 * np.sum(a) * np.sum(b)


def by_arguments(a, b, _):
    a = a - 0.1 * grad(coupled, 0)(a, b)
    return a, b - 0.1 * grad(coupled, 1)(a, b)


def by_lambdas(a, b, _):
    a = a - 0.1 * grad(lambda a: coupled(a, b))(a)
    return a, b - 0.1 * grad(lambda b: coupled(a, b))(b)


def by_lambdas_of_another_name(a, b, _):
    a = a - 0.1 * grad(lambda q: coupled(q, b))(a)
    return a, b - 0.1 * grad(lambda q: coupled(a, q))(b)


def by_named_functions(a, b, _):
    def of_first(first):
        return coupled(first, b)

    def of_second(second):
        return coupled(a, second)

    a = a - 0.1 * grad(of_first)(a)
    return a, b - 0.1 * grad(of_second)(b)


def by_expressions(a, b, _):
    a = a - 0.1 * grad(lambda a: np.sum((a - 1) ** 2) + np.sum((b + 2) ** 2) + 0.5 * np.sum(a) * np.sum(b))(a)
    return a, b - 0.1 * grad(lambda b: np.sum((a - 1) ** 2) + np.sum((b + 2) ** 2) + 0.5 * np.sum(a) * np.sum(b))(b)


def at_one_point(a, b, _):
    by_a, by_b = grad(lambda a: coupled(a, b))(a), grad(lambda b: coupled(a, b))(b)
    return a - 0.1 * by_a, b - 0.1 * by_b


def in_phases(a, b, k):
    if k % 20 < 10:
        return a - 0.1 * grad(lambda a: coupled(a, b))(a), b
    return a, b - 0.1 * grad(lambda b: coupled(a, b))(b)


@pytest.mark.parametrize(
    "step",
    [by_lambdas, by_lambdas_of_another_name, by_named_functions, by_expressions, at_one_point, in_phases],
)
def test_functions_of_one_argument_that_are_one_function_are_one_objective(step):
    def program(step):
        a, b = numpy.zeros(2), numpy.zeros(3)
        for k in range(30):
            a, b = step(a, b, k)
        return a, b

    plain = program(step)
    with xi.record() as run:
        recorded = program(step)
    assert [x.tolist() for x in recorded] == [x.tolist() for x in plain]
    assert len(run.objectives) == 1
    assert list(run.parameters) == ["a", "b"]
    assert run.evaluations == (60 if step not in (at_one_point, in_phases) else 30)
    assert list(run.diagnosis) == []
    assert run.has_gradients == (step is at_one_point)
    if step in (by_lambdas, by_lambdas_of_another_name):
        with xi.record() as positions:
            program(by_arguments)
        assert run.facts == positions.facts
        assert list(run.objectives) == ["coupled"]


def test_one_function_of_one_argument_stays_what_it_is():
    data = numpy.linspace(0, 1, 20)

    def misfit(w, data):
        return np.sum((w - data) ** 2) / len(data)

    w = 3.0
    with xi.record() as run:
        for _ in range(20):
            w = w - 0.1 * grad(lambda w: misfit(w, data))(w)
        grad(lambda w: np.sum(w * data))(w)
    assert list(run.objectives) == ["objective", "objective (2)"]
    assert run.has_gradients


def test_a_gradient_is_not_called_wrong_where_the_rest_of_the_function_moves():
    state = {"b": numpy.zeros(3)}

    def of_first(a):
        return coupled(a, state["b"])

    def of_second(b, a):
        return coupled(a, b)

    a, held = numpy.zeros(2), numpy.zeros(3)

    def with_held(a):
        return coupled(a, held)

    with xi.record() as run:
        for _ in range(30):
            a = a - 0.1 * grad(with_held)(a)
            held = held - 0.1 * grad(of_second)(held, a)
    told = [finding.kind for each in run.objectives.values() for finding in each.diagnosis]
    assert "gradient-wrong" not in told
    with xi.record() as run:
        a = numpy.zeros(2)
        for _ in range(30):
            a = a - 0.1 * grad(of_first)(a)
            state["b"] = state["b"] - 0.1 * grad(of_second)(state["b"], a)
    told = [finding.kind for each in run.objectives.values() for finding in each.diagnosis]
    assert "gradient-wrong" not in told
