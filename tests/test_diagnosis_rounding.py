"""Rounding that holds a fit up is told with its cause: numbers of 32 bits, or a small difference of large ones."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi

T = numpy.linspace(0, 2, 40)


def exponential(dtype):
    t = T.astype(dtype)
    y = (4 * numpy.exp(-1.5 * t) + 80).astype(dtype)

    def loss(p):
        return np.sum((p[0] * np.exp(-p[1] * t) + p[2] - y) ** 2)

    def both(p):
        value, slope = value_and_grad(loss)(numpy.asarray(p, dtype=dtype))
        return float(value), numpy.asarray(slope, dtype=float)

    return both


def sines(dtype):
    t = T.astype(dtype)
    y = (30 + numpy.sin(3 * t)).astype(dtype)

    def loss(p):
        p = numpy.asarray(p, dtype=dtype)
        return float(numpy.sum((p[0] * numpy.sin(p[1] * t) + p[2] - y) ** 2))

    return loss


def found(run, kind="single-precision"):
    return [finding for finding in run.diagnosis[:2] if finding.kind == kind]


def solved(function, start, **settings):
    with xi.record() as run:
        minimize(function, start, **settings)
    return run


@pytest.mark.parametrize("method", ["BFGS", "CG"])
def test_32_bits_stop_a_search_and_64_do_not(method):
    settings = {"jac": True, "method": method, "options": {"gtol": 1e-9}}
    low, high = (solved(exponential(dtype), [1.5, 0.7, 75.0], **settings) for dtype in ("float32", "float64"))
    (finding,) = found(low)
    assert finding.severity == "warning"
    assert "gtol 1×10⁻⁹ is out of its reach" in finding.text
    assert "64 bits" in finding.advice
    assert not [fact for fact in low.facts if fact.kind == "advice"]
    assert not found(high)  # as advised
    assert high.loss[high.accepted][-1] < low.loss[low.accepted][-1]


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "SLSQP"])
def test_finite_differences_of_32_bits_are_rounding(method):
    low, high = (solved(sines(dtype), [1.4, 2.7, 29.0], method=method) for dtype in ("float32", "float64"))
    (finding,) = found(low)
    assert "takes their differences" in finding.text
    assert not found(high)
    assert high.loss.min() < low.loss.min()


def test_a_loop_whose_steps_are_below_the_last_digit_is_stuck():
    def away(p):
        return np.sum((p - np.array([20001.3, 20002.7], dtype="float32")) ** 2) / np.float32(3.0)

    with xi.record() as run:
        p = numpy.array([20000.0, 20000.0], dtype="float32")
        for k in range(40):
            p = (p - numpy.float32(0.1 if k < 5 else 1e-4) * grad(away)(p)).astype("float32")
    (finding,) = found(run)
    assert finding.form == "stuck"


def test_32_bits_that_suffice_are_no_finding():
    with xi.record() as run:
        p = numpy.array([1.5, 0.7, 75.0], dtype="float32")
        for _ in range(80):
            p = (p - numpy.float32(0.002) * exponential("float32")(p)[1]).astype("float32")
    assert not found(run)
    assert not found(solved(sines("float32"), [1.4, 2.7, 29.0], method="Nelder-Mead"))


def test_whole_numbers_and_halves_are_not_of_32_bits():
    run = solved(lambda x: float(numpy.floor(abs(x[0])) + 0.5), [37.0], method="BFGS")
    assert not found(run)
    assert not found(run, "cancellation")


MEASURED = 1e6 + numpy.sin(numpy.arange(12.0))


def variance_by_a_difference(p):
    x = MEASURED + p[0] * numpy.cos(numpy.arange(12.0)) + p[1] * numpy.sin(numpy.arange(12.0))
    return np.mean(x**2) - np.mean(x) ** 2


def variance(p):
    x = MEASURED + p[0] * numpy.cos(numpy.arange(12.0)) + p[1] * numpy.sin(numpy.arange(12.0))
    return np.mean((x - np.mean(x)) ** 2)


def shifted(p):
    return (3e9 + np.sum((p - 0.3) ** 2)) - 3e9


def descended(objective, start, rate, steps=150):
    p = numpy.array(start)
    with xi.record() as run:
        for _ in range(steps):
            p = p - rate * grad(objective)(p)
    return run


def test_a_small_difference_of_large_numbers_is_told_and_another_form_of_it_is_well():
    run = descended(variance_by_a_difference, [0.7, 0.4], 0.6)
    (finding,) = found(run, "cancellation")
    assert finding.severity == "caution"
    assert 1e11 < finding.values["large"] < 1e13
    assert not found(descended(variance, [0.7, 0.4], 0.6), "cancellation")
    assert found(descended(shifted, [1.1, 0.9], 0.05), "cancellation")


@pytest.mark.parametrize(
    ("objective", "start", "rate"),
    [
        (lambda p: np.sum(p**2), [4.0, 2.0], 0.25),
        (lambda p: np.sum((p - 0.3) ** 2) + 5e8, [4.0, 2.0], 0.2),
        (lambda p: np.sum(np.abs(p)) / 3, [4.0, 2.0], 0.2),
    ],
    ids=["halves", "a large constant", "a kink"],
)
def test_no_difference_of_large_numbers_is_seen_where_there_is_none(objective, start, rate):
    assert not found(descended(objective, start, rate), "cancellation")


N = numpy.arange(12.0)


def spread(offset):
    """Return a variance by a difference of squares, of numbers near an offset."""

    def loss(p):
        y = offset + p[0] * np.cos(N) + p[1] * np.sin(N) + 0.3 * np.cos(2 * N)
        return np.mean(y**2) - np.mean(y) ** 2

    return loss


def balance(size):
    """Return a sum of large terms of which most cancel."""

    def loss(p):
        rest = (p[0] - 0.4) ** 2 + (p[1] - 0.1 * N) ** 2
        return np.sum(size * np.cos(N * p[0]) + size * np.sin(N)) - np.sum(size * (np.cos(N * p[0]) + np.sin(N)) - rest)

    return loss


RANDOM = ("seed", "drawn", "random", "batch", "gradient is exact", "only noise")


def all_said(run):
    lines = [f"{each.text} {each.advice}" for each in run.diagnosis] + [fact.text for fact in run.facts]
    return "\n".join([*lines, *(caption.text for caption in run.captions)])


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "SLSQP", "TNC"])
@pytest.mark.parametrize("loss", [spread(1e4), spread(1e6), spread(1e8), balance(1e11)], ids=["4", "6", "8", "sum"])
def test_rounding_of_large_numbers_is_no_noise_whatever_compares_it(loss, method):
    run = solved(value_and_grad(loss), [1.1, 0.9], jac=True, method=method)
    assert not found(run, "noisy-evaluations")
    assert not [word for word in RANDOM if word in all_said(run)]
    if method in ("CG", "TNC"):  # which go on until rounding stops them
        assert found(run, "cancellation")


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "trust-constr"])
@pytest.mark.parametrize("offset", [1e4, 1e6, 1e7])
def test_nor_is_it_where_the_optimizer_takes_differences(offset, method):
    run = solved(spread(offset), [0.7, 0.4], method=method)
    assert not found(run, "noisy-evaluations")
    assert not found(run)  # nor are the numbers of 32 bits
    assert not [word for word in RANDOM if word in all_said(run)]


def test_a_search_that_gave_up_for_rounding_is_warned_of_and_another_form_of_the_loss_goes_on():
    def centred(p):
        y = 1e6 + p[0] * np.cos(N) + p[1] * np.sin(N) + 0.3 * np.cos(2 * N)
        return np.mean((y - np.mean(y)) ** 2)

    low, high = (solved(value_and_grad(f), [0.7, 0.4], jac=True, method="BFGS") for f in (spread(1e6), centred))
    (finding,) = found(low, "cancellation")
    assert finding.severity == "warning"
    assert 3e11 < finding.values["large"] < 2e12
    assert high.diagnosis == ()
    assert centred(high.history.values.array[-1]) <= centred(low.history.values.array[-1])


@pytest.mark.parametrize("constant", [1e8, 1e10])
def test_a_constant_that_is_added_and_taken_away_stops_a_search_and_is_named(constant):
    def loss(p):
        return (constant + np.sum((p - 0.3) ** 2)) + 0.1 * np.sum(p**4) - constant

    run = solved(value_and_grad(loss), [1.1, 0.9], jac=True, method="CG")
    (finding,) = found(run, "cancellation")
    assert 0.2 * constant < finding.values["large"] < 5 * constant
    assert "gradient-wrong" not in {each.kind for each in run.diagnosis}
    assert not [fact for fact in run.facts if fact.kind == "advice"]


def test_a_coarse_loss_of_64_bits_is_not_said_to_be_of_32():
    run = solved(lambda p: (1e10 + np.sum((p - 0.3) ** 2)) - 1e10, [1.1, 0.9], method="BFGS")
    assert not found(run)
