"""Objectives that move each other by turns, and a loss that some lower and others raise: a game, and no noise."""

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad

import xinv_nb as xi


def disc(d, g):
    return np.sum((d - g) ** 2)


def gen(g, d):
    return np.sum((g + d - 1) ** 2)


def said(run):
    notes = [caption.text for each in run.objectives.values() for caption in each.captions]
    return "\n".join(notes + [fact.text for each in run.objectives.values() for fact in each.facts])


def of_kind(run):
    return [fact.text for fact in run.facts if fact.kind == "players"]


@pytest.mark.parametrize("at_once", [False, True])
def test_two_players_are_told_as_that(at_once):
    d, g = numpy.zeros(3), 0.8 * numpy.ones(3)
    with xi.record() as run:
        for _ in range(50):
            by_d = grad(disc)(d, g)
            if at_once:
                d, g = d - 0.1 * by_d, g - 0.1 * grad(gen)(g, d)
            else:
                d = d - 0.1 * by_d
                g = g - 0.1 * grad(gen)(g, d)
    assert of_kind(run)[0].startswith("disc and gen step by turns, each on its own loss")
    assert of_kind(run.objectives["gen"])[0].startswith("gen and disc step by turns, each on its own loss")
    assert any("by turns, each on its own loss" in caption.text for caption in run.captions)
    for wrong in ("noise", "larger batches", "smaller step size", "momentum", "minimum"):
        assert wrong not in said(run)


def test_more_steps_of_one_three_players_and_a_file(tmp_path):
    def first(u, v, w):
        return (u - v) ** 2 + w**2

    def second(v, w, u):
        return (v - w) ** 2 + u**2

    def third(w, u, v):
        return (w + u - 1) ** 2 + v**2

    u, v, w = 1.0, 2.0, 3.0
    with xi.record() as run:
        for _ in range(30):
            for _ in range(2):
                u = u - 0.1 * grad(first)(u, v, w)
            v, w = v - 0.1 * grad(second)(v, w, u), w - 0.1 * grad(third)(w, u, v)
    assert of_kind(run)[0].startswith("first steps by turns with second and third")
    run.save(tmp_path / "game.xinv")
    assert xi.load(tmp_path / "game.xinv").facts == run.facts


def test_a_loss_that_one_lowers_and_the_other_raises():
    def value(x, y):
        return x * y + 0.1 * x**2 - 0.1 * y**2

    x, y = 1.0, 0.5
    with xi.record() as run:
        for _ in range(60):
            x, y = x - 0.1 * grad(value, 0)(x, y), y + 0.1 * grad(value, 1)(x, y)
    assert of_kind(run) == [
        "Two sides move this loss: the steps of x lowered it and the steps of y raised it, as in a game, "
        "which need not end at a minimum."
    ]
    assert "smaller step size" not in said(run)


@pytest.mark.parametrize("first", ["up", "down"])
def test_a_loss_that_one_lowers_and_the_other_raises_by_turns(first):
    def value(u, v):
        return np.sum(u * v) + 0.05 * np.sum(u**2) - 0.05 * v[0] ** 2

    u, v = numpy.array([1.0, -0.5]), numpy.array([0.5, 1.0])
    with xi.record() as run:
        for _ in range(40):
            if first == "up":
                v = v + 0.1 * grad(value, 1)(u, v)
            u = u - 0.1 * grad(value, 0)(u, v)
            if first == "down":
                v = v + 0.1 * grad(value, 1)(u, v)
    assert list(run.objectives) == ["value"]
    assert of_kind(run) == [
        "Two sides move this loss: the steps of u[0] and u[1] lowered it and the steps of v[0] and v[1] raised it, "
        "as in a game, which need not end at a minimum."
    ]
    for wrong in ("noise", "larger batches", "smaller step size", "momentum", "may serve better", "uphill"):
        assert wrong not in said(run)


def test_data_that_changes_and_is_looked_at_moves_no_loss():
    def misfit(w, data):
        return (w - data) ** 2

    random, w = numpy.random.default_rng(0), 3.0
    with xi.record() as run:
        for _ in range(60):
            data = random.normal()
            w = w - 0.05 * grad(misfit, 0)(w, data)
            grad(misfit, 1)(w, data)
    assert not any(of_kind(each) for each in run.objectives.values())


def test_mini_batches_a_held_out_loss_and_one_objective_by_its_arguments_are_no_game():
    def training(w, batch):
        return np.mean((batch @ w - 1.0) ** 2)

    def held_out(w, batch):
        return np.mean((batch @ w - 1.0) ** 2)

    def line(m, b):
        return (m + b - 1.0) ** 2 + m**2

    random, w = numpy.random.default_rng(0), numpy.zeros(3)
    kept, m, b = random.normal(size=(5, 3)), 1.0, 2.0
    with xi.record() as run:
        for _ in range(40):
            w = w - 0.05 * grad(training)(w, random.normal(size=(5, 3)))
            value_and_grad(held_out)(w, kept)
            m, b = m - 0.1 * grad(line, 0)(m, b), b - 0.1 * grad(line, 1)(m, b)
    assert not any(of_kind(each) for each in run.objectives.values())
    assert list(run.objectives["line"].parameters) == ["m", "b"]


def test_players_whose_losses_read_the_parameters_of_each_other_are_told_as_that():
    def play(d, g):
        d = d - 0.1 * grad(lambda d: disc(d, g))(d)
        return d, g - 0.1 * grad(lambda g: gen(g, d))(g)

    d, g = numpy.zeros(3), 0.8 * numpy.ones(3)
    with xi.record() as run:
        for _ in range(50):
            d, g = play(d, g)
    assert list(run.objectives) == ["disc", "gen"]
    assert of_kind(run)[0].startswith("disc and gen step by turns, each on its own loss")
    for wrong in ("noise", "smaller step size", "momentum", "minimum"):
        assert wrong not in said(run)


def test_a_loss_that_reads_data_which_another_function_takes_is_no_game():
    data = numpy.linspace(0, 1, 12)

    def misfit(w, data):
        return np.mean((w[0] + w[1] * data - 2.0) ** 2)

    def step(w):
        return w - 0.1 * grad(lambda w: misfit(w, data))(w)

    def listens(w, data):
        return grad(lambda data: misfit(w, data))(data)

    w = numpy.zeros(2)
    with xi.record() as run:
        for _ in range(20):
            w = step(w)
        listens(w, data)
    assert not of_kind(run)
    assert list(run.parameters) == ["w"]
    assert run.has_gradients


def classifier(d, x):
    return d[0] * x + d[1] * x**2 + d[2]


def of_judge(d, g, z, x):
    made = g[0] + g[1] * z
    return np.mean(np.log(1 + np.exp(-classifier(d, x))) + np.log(1 + np.exp(classifier(d, made))))


def of_maker(g, d, z):
    return np.mean(np.log(1 + np.exp(-classifier(d, g[0] + g[1] * z))))


@pytest.mark.parametrize(("judge", "maker", "count"), [(0.05, 0.01, 60), (0.05, 0.05, 150), (0.02, 0.01, 90)])
def test_the_loss_of_a_player_is_not_said_to_be_still_falling_or_rising(judge, maker, count):
    random = numpy.random.RandomState(0)
    z, x = random.randn(64), 2 + 0.5 * random.randn(64)
    g, d = numpy.array([0.0, 1.0]), numpy.array([0.1, 0.0, 0.0])
    with xi.record(live=False) as run:
        for _ in range(count):
            d = d - judge * grad(of_judge)(d, g, z, x)
            g = g - maker * grad(of_maker)(g, d, z)
    assert not [word for word in ("still", "was rising", "was falling", "more iterations") if word in said(run).lower()]


def test_entries_of_one_array_that_step_up_and_down_their_slopes_are_a_game():
    p = numpy.array([1.0, 1.0])
    with xi.record(live=False) as run:
        for _ in range(40):
            slope = grad(lambda p: p[0] * p[1] + 0.1 * p[0] ** 2 - 0.1 * p[1] ** 2)(p)
            p = p - 0.02 * slope * numpy.array([1.0, -1.0])
    assert of_kind(run)[0].startswith(
        "Two sides move this loss: the steps of p[0] lowered it and the steps of p[1] raised"
    )
    assert run.diagnosis == ()


def test_a_newton_step_up_the_slope_of_one_parameter_is_no_game():
    shape = numpy.array([[2.0, 1.8], [1.8, 2.0]])
    p = numpy.array([1.0, -1.5])
    with xi.record(live=False) as run:
        for _ in range(30):
            p = p - 0.1 * numpy.linalg.solve(shape, grad(lambda p: 0.5 * np.dot(p, np.dot(shape, p)) + 1)(p)) * 0.9
    assert not of_kind(run)
