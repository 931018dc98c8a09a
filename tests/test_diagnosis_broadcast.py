"""Predictions and data of two shapes, each compared with each: told with shapes and line, where it is no intention."""

from __future__ import annotations

import inspect

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.scipy.special import expit

import xinv_nb as xi

rng = numpy.random.RandomState(6)
X = rng.randn(40, 2)
y = 5 + 4 * X[:, 0] - 3 * X[:, 1] + 0.5 * rng.randn(40)
column = y[:, None]
labels = (y > 5) * 1.0


def descend(loss, p, step=0.05, count=60):
    with xi.record(live=False) as run:
        for _ in range(count):
            p = p - step * grad(loss)(p)
    return run


def weights_in_a_column(w):
    return np.mean((np.dot(X, w[:2]) + w[2] - y) ** 2)


def data_in_a_column(w):
    return np.sum((np.dot(X, w[:2]) + w[2] - column) ** 2)


def absolute(w):
    return np.mean(np.abs(np.dot(X, w[:2]) + w[2] - y))


def likelihood(w):
    chance = expit(np.dot(X, w[:2]) + w[2])
    return -np.mean(labels * np.log(chance) + (1 - labels) * np.log(1 - chance))


@pytest.mark.parametrize("loss", [weights_in_a_column, absolute, likelihood])
def test_weights_in_a_column(loss):
    run = descend(loss, numpy.zeros((3, 1)))
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity) == ("broadcast", "warning")
    assert finding.values["result"] == "(40, 40)"
    assert {finding.values["one"], finding.values["other"]} == {"(40,)", "(40, 1)"}
    lines, start = inspect.getsourcelines(loss)
    assert finding.values["line"] == start + len(lines) - 1
    assert not [fact for fact in run.facts if fact.kind in ("identifiability", "minimum", "advice")]
    mended = descend(lambda w: loss(np.ravel(w)), numpy.zeros((3, 1)))  # as it advises
    assert {finding.form for finding in mended.diagnosis} <= {"steep"}  # 60 steps are few
    assert mended.loss[-1] < run.loss[-1]


def test_what_is_left_to_learn_is_the_mean():
    (finding,) = descend(weights_in_a_column, numpy.zeros((3, 1)), count=300).diagnosis
    assert finding.values["mean"] == pytest.approx(y.mean())
    assert finding.values["variance"] == finding.values["rests"] == pytest.approx(y.var())
    assert f"the mean of the data, {y.mean():.3g}" in finding.text
    assert f"it rests at {y.var():.3g}" in finding.text


def test_data_in_a_column():
    (finding,) = descend(data_in_a_column, numpy.zeros(3), step=1e-4).diagnosis
    assert (finding.kind, finding.values["mean"]) == ("broadcast", pytest.approx(y.mean()))
    assert "variance" not in finding.values


def all_pairs(q):
    apart = q[:, None] - q + numpy.eye(6)
    return np.sum(1 / apart**2) + np.sum(q**2)


def sites(q):
    return np.sum(np.exp(-((q[:, None] - numpy.arange(6.0)) ** 2)))


def picture(u):
    return np.sum((u * X[:6, :1] - numpy.outer(X[:6, 0], X[:6, 1])) ** 2)


def kernel(p):
    t = numpy.arange(6.0)
    matrix = np.exp(-((t[:, None] - t) ** 2) * p[0] ** 2) + 0.1 * numpy.eye(6)
    return np.dot(y[:6], np.linalg.solve(matrix, y[:6])) + np.linalg.slogdet(matrix)[1]


def mixture(centres):
    t = numpy.linspace(0, 1, 6)[:, None]
    return np.sum((np.sum(np.exp(-((t - centres) ** 2)), axis=1) - y[:6]) ** 2)


@pytest.mark.parametrize("loss", [all_pairs, sites, picture, kernel, mixture])
def test_each_with_each_is_well_where_it_is_meant(loss):
    run = descend(loss, numpy.arange(6.0) + 0.3, step=1e-3)
    assert "broadcast" not in [finding.kind for finding in run.diagnosis]
