"""Units that started equal are told as copies; parameters that are equal by the nature of a problem are not."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam

import xinv_nb as xi

X = numpy.random.RandomState(2).rand(50, 2) * 2 - 1
Y = X[:, 0] * X[:, 1]


def network(weights, bias, out):
    return np.mean((np.dot(np.tanh(np.dot(X, weights) + bias), out) - Y) ** 2)


def trained(loss, *start, rate=0.3, steps=200):
    values = [numpy.array(value, dtype=float) for value in start]
    slope = grad(loss, tuple(range(len(values))))
    with xi.record() as run:
        for _ in range(steps):
            values = [value - rate * g for value, g in zip(values, slope(*values), strict=True)]
    return run


def twins(run):
    return [finding for finding in run.diagnosis if finding.kind == "twins"]


def test_units_of_a_network_with_equal_weights_are_copies():
    run = trained(network, numpy.full((2, 3), 0.4), numpy.zeros(3), numpy.full(3, 0.1))
    (finding,) = twins(run)
    assert finding.severity == "warning"
    assert finding.values["copies"] == 3
    assert finding.text.startswith("weights[0, 0], weights[0, 1] and weights[0, 2] started equal, at 0.4")
    assert not [fact for fact in run.facts if fact.kind in ("minimum", "identifiability")]


def test_as_advised_random_units_are_no_copies_and_reach_lower():
    copies = trained(network, numpy.full((2, 4), 0.4), numpy.zeros(4), numpy.full(4, 0.1), steps=1500)
    random = numpy.random.RandomState(0)
    apart = trained(network, random.normal(size=(2, 4)), numpy.zeros(4), random.normal(size=4), steps=1500)
    assert twins(copies)
    assert not twins(apart)
    assert apart.loss[-1] < 0.5 * copies.loss[-1]


def test_two_of_many_units_that_are_copies_are_found():
    random = numpy.random.RandomState(1)
    weights, out = random.normal(size=(2, 5)), random.normal(size=5)
    weights[:, 3], out[3] = weights[:, 1], out[1]
    (finding,) = twins(trained(network, weights, numpy.zeros(5), out))
    assert "weights[0, 1] and weights[0, 3]" in finding.text


def test_components_of_a_mixture_are_found_and_those_of_a_flat_array():
    data = numpy.concatenate([numpy.random.RandomState(0).normal(-2, 0.5, 40), numpy.linspace(1, 3, 30)])

    def mixture(p):
        parts = np.exp(p["weight"]) * np.exp(-((data[:, None] - p["mean"]) ** 2) / 2 / np.exp(2 * p["width"]))
        norm = np.sum(np.exp(p["weight"]))
        return -np.mean(np.log(np.sum(parts / np.exp(p["width"]), axis=1) / norm))

    with xi.record() as run:
        start = {"weight": numpy.zeros(2) + 0.1, "mean": numpy.full(2, 0.3), "width": numpy.full(2, 0.2)}
        adam(lambda p, i: grad(mixture)(p), start, num_iters=60, step_size=0.05)
    assert twins(run)

    def flat(p):
        return network(p[:6].reshape(2, 3), p[6:9], p[9:])

    with xi.record() as run:
        adam(lambda p, i: grad(flat)(p), numpy.full(12, 0.3), num_iters=60, step_size=0.05)
    (finding,) = twins(run)
    assert finding.severity == "caution"


def pairs(a, b):
    return np.sum((a - numpy.array([1.0, 2.0, 3.0])) ** 2) + np.sum((b - numpy.array([3.0, 1.0, 2.0])) ** 2)


def image(pixels):
    target = numpy.outer([1.0, 3.0, 3.0, 1.0], [1.0, 2.0, 2.0, 1.0])
    return np.sum((pixels - target) ** 2)


@pytest.mark.parametrize(
    ("loss", "start"),
    [
        (lambda p: np.sum((p - 3.0) ** 2), [numpy.zeros(5)]),
        (lambda p: np.sum((p - numpy.array([1.0, 1.0, 2.0, 2.0])) ** 2), [numpy.zeros(4)]),
        (pairs, [numpy.zeros(3), numpy.zeros(3)]),
        (image, [numpy.zeros((4, 4))]),
        (network, [numpy.random.RandomState(3).normal(size=(2, 3)), numpy.zeros(3), numpy.full(3, 0.1)]),
    ],
    ids=["a bowl", "repeated data", "two arrays", "a picture that mirrors itself", "random weights"],
)
def test_what_only_happens_to_be_equal_is_no_copy(loss, start):
    assert not twins(trained(loss, *start, rate=0.1, steps=60))
