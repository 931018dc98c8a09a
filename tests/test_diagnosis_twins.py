"""Units that started equal are told as copies; parameters that are equal by the nature of a problem are not."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

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


MIXED = numpy.concatenate(
    [numpy.random.RandomState(0).normal(-2, 1.0, 40), numpy.random.RandomState(1).normal(3, 1.0, 40)]
)


def means(mu):
    return -np.mean(np.log(np.mean(np.exp(-0.5 * (MIXED[:, None] - mu) ** 2), axis=1)))


def means_and_widths(p):
    z = (MIXED[:, None] - p[:2]) / np.exp(p[2:])
    return -np.sum(np.log(0.5 * np.sum(np.exp(-0.5 * z**2 - p[2:]), axis=1)))


@pytest.mark.parametrize("method", ["descent", "BFGS"])
@pytest.mark.parametrize(("loss", "count"), [(means, 3), (means, 2), (means_and_widths, 4)])
def test_components_of_one_array_that_stay_equal_are_told_and_no_minimum(loss, count, method):
    if method == "descent":
        run = trained(lambda p: loss(p) / (1 if loss is means else 80), numpy.zeros(count), steps=200)
    else:
        with xi.record() as run:
            minimize(value_and_grad(loss), numpy.zeros(count), jac=True, method="BFGS")
    (finding,) = twins(run)
    assert finding.severity == "caution"
    assert "does not show whether the loss is lower where they differ" in finding.text
    assert not [fact for fact in run.facts if fact.kind == "minimum"]


def test_as_advised_means_that_differ_reach_lower():
    apart = trained(means, numpy.array([-1.0, 0.5, 1.0]), steps=200)
    assert not twins(apart)
    assert apart.loss[-1] < 0.8 * trained(means, numpy.zeros(3), steps=200).loss[-1]


def rooms(t, q):
    return np.sum((t - 21.0) ** 2) / 10 + np.sum((q - 3.0) ** 2) + 4.0


def coupled_rooms(t, q):
    return np.sum((t - 5.0 - q) ** 2) / 10 + np.sum((q - 3.0) ** 2) + np.mean(t**2)


def singly(p):
    return (p[0] - 1.0) ** 2 + 0.5 * (p[1] - 1.0) ** 2 * 2.0 + 7.0


@pytest.mark.parametrize(
    ("loss", "start"),
    [
        (rooms, [numpy.full(4, 15.0), numpy.zeros(4)]),
        (coupled_rooms, [numpy.full(4, 15.0), numpy.zeros(4)]),
        (singly, [numpy.zeros(2)]),
        (lambda p: np.sum(np.log(np.cosh(p - 2.0))) + 1.0, [numpy.zeros(5)]),
    ],
)
def test_entries_that_each_add_a_part_of_their_own_are_no_copies(loss, start):
    run = trained(loss, *start, rate=0.1, steps=80)
    assert list(run.diagnosis) == []


def test_of_a_game_nothing_is_told():
    def game(g, d):
        return np.sum(d * (g - 1.5)) - 0.5 * np.sum(d**2) + 0.1 * np.sum(g**2)

    g, d = numpy.zeros(2), numpy.ones(2)
    with xi.record() as run:
        for _ in range(80):
            dg, dd = grad(game, 0)(g, d), grad(game, 1)(g, d)
            g, d = g - 0.1 * dg, d + 0.1 * dd
    assert not twins(run)


def test_what_the_tape_shows_of_equal_entries_is_no_event_of_the_story():
    for run in (trained(rooms, numpy.full(4, 15.0), numpy.zeros(4)), trained(means, numpy.zeros(3))):
        said = " ".join([*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)])
        assert "adds a part of its own" not in said
        assert "combines" not in said


def test_edges_of_a_box_that_a_constraint_keeps_equal_are_no_copies():
    def room_left(x):
        return 24.0 - 2 * (x[0] * x[1] + x[1] * x[2] + x[0] * x[2])

    with xi.record() as run:
        minimize(
            value_and_grad(lambda x: -x[0] * x[1] * x[2]),
            numpy.ones(3),
            jac=True,
            method="SLSQP",
            constraints={"type": "ineq", "fun": room_left},
        )
    assert not twins(run)
