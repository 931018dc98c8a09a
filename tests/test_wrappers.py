"""Objectives behind decorators and other wrappers: told apart, and called what the program calls them."""

import functools

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad

import xinv_nb as xi


def plainly(fun):
    def wrapper(*args):
        return fun(*args)

    return wrapper


def with_a_counter(fun):
    calls, log, convert = [], {}, float

    def inner(*args, **kwargs):
        calls.append(len(log))
        convert(1)
        return fun(*args, **kwargs)

    return inner


def with_a_hook(fun, hook=lambda: None):
    def call(*args):
        hook()
        return fun(*args)

    return call


def with_wraps(fun):
    @functools.wraps(fun)
    def wrapper(*args):
        return 2 * fun(*args)

    return wrapper


def of_one_argument(fun):
    def wrapper(x):
        return fun(x)

    return wrapper


class Counted:
    def __init__(self, fun):
        self.fun = fun
        self.calls = 0

    def __call__(self, *args):
        self.calls += 1
        return self.fun(*args)


def bound(fun):
    return functools.partial(plainly(lambda_to(fun)), 1.0)


def lambda_to(fun):
    if fun.__name__ == "lens":

        def lens(scale, angles):
            return scale * fun(angles)

        return lens

    def mirror(scale, tilts):
        return scale * fun(tilts)

    return mirror


def twice(fun):
    return plainly(Counted(with_a_hook(fun)))


DECORATORS = [plainly, with_a_counter, with_a_hook, with_wraps, of_one_argument, Counted, bound, twice]


@pytest.mark.parametrize("decorator", DECORATORS)
def test_two_objectives_behind_one_decorator(decorator):
    def lens(angles):
        return np.sum((angles - 2.5) ** 2)

    def mirror(tilts):
        return 500 + np.sum((tilts + 4.0) ** 2)

    first, second = decorator(lens), decorator(mirror)
    with xi.record() as run:
        a, b = numpy.zeros(2), numpy.zeros(2)
        for _ in range(12):
            a = a - 0.1 * grad(first)(a)
        for _ in range(8):
            b = b - 0.1 * grad(second)(b)
    assert {name: each.evaluations for name, each in run.objectives.items()} == {"lens": 12, "mirror": 8}
    if decorator is not of_one_argument:
        assert list(run.objectives["lens"].parameters) == ["angles"]
        assert list(run.objectives["mirror"].parameters) == ["tilts"]


def test_what_is_made_anew_for_each_batch_is_one_objective():
    def model(w, x):
        return np.dot(x, w)

    def on(batch):
        return plainly(lambda w: np.sum((model(w, batch) - 1.0) ** 2))

    random, w = numpy.random.default_rng(0), numpy.zeros(2)
    with xi.record() as run:
        for _ in range(10):
            w = w - 0.01 * grad(on(random.normal(size=(5, 2))))(w)
            w = w - 0.01 * value_and_grad(functools.partial(on, random.normal(size=(5, 2)))())(w)[1]
    assert run.evaluations == 20
    assert len(run.objectives) == 1


def test_arguments_of_a_decorated_function_each_by_its_own_gradient():
    @plainly
    def mse(slope, intercept):
        return (slope + intercept - 1.0) ** 2 + (slope - intercept) ** 2

    m = b = 0.0
    with xi.record() as run:
        for _ in range(10):
            m, b = m - 0.1 * grad(mse, 0)(m, b), b - 0.1 * grad(mse, 1)(m, b)
    assert list(run.objectives) == ["mse"]
    assert list(run.parameters) == ["slope", "intercept"]
    assert run.evaluations == 10


def test_a_function_that_closes_over_itself_and_one_that_answers_to_any_name():
    def steep(x):
        return x**2 if x > 1 else steep(x + 1)

    class Anything:
        def __getattr__(self, name):
            return self

        def __call__(self, x):
            return x**2

    with xi.record() as run:
        grad(steep)(2.0)
        grad(Anything())(2.0)
    assert run.notices == []
    assert len(run.objectives) == 2
