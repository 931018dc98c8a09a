"""How parameters of any structure are called, kept and given back."""

from __future__ import annotations

import functools

import autograd.numpy as np
import pytest
from autograd import grad, value_and_grad
from autograd.extend import Box, VSpace, defvjp, primitive
from autograd.misc.flatten import flatten_func
from numpy.testing import assert_allclose, assert_array_equal

import xinv_nb as xi
from xinv_nb.recording.structure import flatten, outline


def total(value):
    """The sum of the squares of all numbers in a structure."""
    if hasattr(value, "values"):
        value = list(value.values())
    if isinstance(value, (list, tuple)) or type(value).__name__ == "SequenceBox":
        return sum(total(item) for item in value)
    return np.sum(np.real(value * np.conj(value)))


def record_at(function, *points, argnum=0, **kwargs):
    with xi.record() as run:
        for point in points:
            grad(function, argnum)(*(point if isinstance(argnum, tuple) else [point]), **kwargs)
    return run


def of_theta(theta):
    return total(theta)


class Simulator:
    def misfit(self, depth):
        return depth**2

    def __call__(self, slowness):
        return slowness**2


@pytest.mark.parametrize(
    ("function", "point", "names"),
    [
        (of_theta, 2.0, ["theta"]),
        (of_theta, np.ones(3), ["theta"]),
        (of_theta, {"drag": 1.0, "mass": np.ones(2)}, ["drag", "mass"]),
        (of_theta, {"wind": {"x": 1.0, "y": 2.0}, "g": 9.81}, ["wind.x", "wind.y", "g"]),
        (of_theta, [1.0, np.ones(2)], ["theta[0]", "theta[1]"]),
        (of_theta, [(np.ones((2, 2)), 0.5), (1.0, 2.0)], ["theta[0][0]", "theta[0][1]", "theta[1][0]", "theta[1][1]"]),
        (of_theta, {"layers": [1.0, 2.0]}, ["layers[0]", "layers[1]"]),
        (of_theta, {1: 1.0, "1": 2.0}, ["theta.1", "theta.1#2"]),
        (of_theta, {"κ": 1.0, "厚度": 2.0}, ["κ", "厚度"]),
        (lambda θ: total(θ), 1.0, ["θ"]),
        (lambda *args: total(args[0]), 1.0, ["x"]),
        (Simulator().misfit, 1.0, ["depth"]),
        (Simulator(), 1.0, ["slowness"]),
        (functools.partial(lambda data, x: (x - data) ** 2, 3.0), 1.0, ["x"]),
        (np.sin, 1.0, ["x"]),
        (of_theta, np.float32(2.0), ["theta"]),
        (of_theta, 1.0 + 2.0j, ["theta"]),
        (of_theta, np.ones((2, 3)) * 1j, ["theta"]),
    ],
)
def test_names_follow_what_the_function_takes_and_the_point_comes_back(function, point, names):
    run = record_at(function, point, point)
    assert list(run.parameters) == names
    assert list(run.gradients) == names
    back = run.point(1)
    assert outline(back) == outline(point)
    for ours, theirs in zip(flatten(back, outline(point)), flatten(point, outline(point)), strict=True):
        assert_array_equal(ours, theirs)
        assert ours.shape == np.shape(theirs)
    assert_allclose(function(back), function(point))
    assert run.notices == []


def test_names_of_other_arguments():
    def model(data, angle, speed=1.0, *, scale=1.0):
        return scale * total(angle) * np.sum(np.array(data)) + total(speed)

    with xi.record() as run:
        gradient = grad(model, 1)([1.0, 2.0], 3.0, scale=2.0)
        grad(model, 1)([1.0, 2.0], 4.0, scale=2.0)
    assert list(run.parameters) == ["angle"]
    assert run.gradients["angle"][0] == gradient
    assert list(record_at(model, (1.0, 3.0, 2.0), argnum=(2, 1)).parameters) == ["speed", "angle"]
    same_keys = record_at(lambda source, target: total(source) + total(target), ({"x": 1.0}, {"x": 2.0}), argnum=(0, 1))
    assert list(same_keys.parameters) == ["source.x", "target.x"]
    assert same_keys.point(0) == ({"x": 1.0}, {"x": 2.0})


@pytest.mark.parametrize("point", [np.ones(2), {"drag": 1.0, "mass": np.ones(2)}, (np.ones(2), 1.0)])
def test_one_argument_asked_for_as_a_list_of_one_is_no_list(point):
    def model(scale, theta):
        return xi.watch(total(theta), "size") + xi.watch(3.0 * total(theta), "cost")

    plain, listed = xi.record(), xi.record()
    with plain as expected:
        gradient = grad(model, 1)(2.0, point)
    with listed as run:
        assert outline(grad(model, [1])(2.0, point)) == (outline(gradient),)
    assert list(run.parameters) == list(expected.parameters)
    for name, rows in expected.gradients.items():
        assert_array_equal(run.gradients[name], rows)
    for name, (_, rows) in expected.term_gradients.items():
        assert_array_equal(run.term_gradients[name][1], rows)
    assert outline(run.point(0)) == outline(point)
    assert run.notices == []


class Pair:
    """Two numbers, of a type that autograd is taught below, as packages with boxes of their own do."""

    def __init__(self, first, second):
        self.first, self.second = first, second


class PairBox(Box):
    __slots__ = ()


class PairSpace(VSpace):
    def __init__(self, value):
        pass

    def zeros(self):
        return Pair(0.0, 0.0)

    def _mut_add(self, x, y):
        return Pair(x.first + y.first, x.second + y.second)


PairBox.register(Pair)
PairSpace.register(Pair)


@primitive
def first_of(pair):
    return pair.first


defvjp(first_of, lambda ans, pair: lambda g: Pair(g, 0.0))


@pytest.mark.parametrize("beside", [False, True])
def test_a_type_that_only_its_package_can_read_is_said_to_be_hidden_and_the_loss_is_kept(beside, tmp_path):
    def loss(params):
        return first_of(params["pair"]) ** 2 + params["x"] ** 2 if beside else first_of(params) ** 2

    points = [{"pair": Pair(float(k), 1.0), "x": 2.0} if beside else Pair(float(k), 1.0) for k in (3, 2, 1)]
    run = record_at(loss, *points)
    assert run.loss.tolist() == [9.0 + 4.0 * beside, 4.0 + 4.0 * beside, 1.0 + 4.0 * beside]
    (notice,) = run.notices
    assert notice.startswith(f"The values of {'pair' if beside else 'params'} cannot be seen")
    assert run.gradients.get("x", np.array([])).tolist() == [4.0] * 3 * beside
    assert "loss fell" in run.captions[0].text
    assert run.plot().axes
    assert xi.load(run.save(tmp_path / "run.npz")).loss.tolist() == run.loss.tolist()


def test_arrays_keep_their_shape_with_the_evaluation_in_front():
    run = record_at(of_theta, {"W": np.arange(6.0).reshape(2, 3), "b": 1.0}, {"W": np.ones((2, 3)), "b": 2.0})
    assert run.parameters["W"].shape == (2, 2, 3)
    assert run.gradients["W"][0].tolist() == [[0, 2, 4], [6, 8, 10]]
    assert run.parameters["b"].tolist() == [1.0, 2.0]
    assert [entry.name for entry in run.entries()] == [f"W[{i}, {j}]" for i in (0, 1) for j in (0, 1, 2)] + ["b"]


@pytest.mark.parametrize(
    "params", [{"b": np.ones((2, 2)), "a": {"z": 1.0, "c": np.zeros(3)}}, [np.ones(2), (3.0, np.ones((1, 2)))]]
)
def test_flatten_func_does_not_hide_the_structure(params):
    flat_function, unflatten, start = flatten_func(of_theta, params)
    with xi.record() as run:
        _, gradient = value_and_grad(flat_function)(np.arange(float(len(start))))
    point = run.point(0)
    expected = unflatten(np.arange(float(len(start))))
    structure = outline(expected)
    for ours, theirs in zip(flatten(point, structure), flatten(expected, structure), strict=True):
        assert_array_equal(ours, theirs)
    assert_array_equal(sorted(np.concatenate([g.ravel() for g in run.gradients.values()])), sorted(gradient))
    assert outline(point) == outline(params)


# ---------------------------------------------------------------------- what the problem says of them


def with_problem(known, point=None, **record):
    point = {"reach": np.array([1.0, 2.0]), "drag": 0.5} if point is None else point
    with xi.record(problem=xi.Problem("Throw", parameters=known), **record) as run:
        grad(of_theta)(point)
    return run


def names_labels_units(run):
    return [(e.name, e.label, e.parameter.unit) for e in run.entries()]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, [("reach[0]", "reach[0]", ""), ("reach[1]", "reach[1]", ""), ("drag", "drag", "")]),
        (
            {"drag": xi.Parameter("air drag", "1/m"), "reach": xi.Parameter("distance", "m")},
            [("reach[0]", "distance[0]", "m"), ("reach[1]", "distance[1]", "m"), ("drag", "air drag", "1/m")],
        ),
        (
            {"reach[1]": xi.Parameter("far end", "km"), "reach": xi.Parameter(unit="m")},
            [("reach[0]", "reach[0]", "m"), ("reach[1]", "far end", "km"), ("drag", "drag", "")],
        ),
        (
            {0: xi.Parameter("near"), 2: xi.Parameter("drag force", "N"), "elsewhere": xi.Parameter("no")},
            [("reach[0]", "near", ""), ("reach[1]", "reach[1]", ""), ("drag", "drag force", "N")],
        ),
    ],
)
def test_what_is_known_of_a_parameter_by_key_entry_or_position(parameters, expected):
    assert names_labels_units(with_problem(parameters)) == expected


def test_what_is_known_of_an_argument_by_its_name():
    run = with_problem({"theta": xi.Parameter("angle", "°")}, point=30.0)
    assert names_labels_units(run) == [("theta", "angle", "°")]


@pytest.mark.parametrize("chosen", ["drag", "air drag"])
def test_chosen_parameters_are_those_shown(chosen):
    run = with_problem({"drag": xi.Parameter("air drag")}, parameters=[chosen])
    assert [entry.name for entry in run.entries()] == ["drag"]


def test_events_about_a_parameter_use_its_label():
    run = with_problem({"drag": xi.Parameter("air drag")})
    assert "a lower air drag would lower the loss" in [event.text for event in run.events]


# ---------------------------------------------------------------------- large arrays


def test_large_arrays_are_kept_as_summaries():
    weights = np.linspace(-1.0, 1.0, 100_000).reshape(100, 1000)
    with xi.record() as run:
        for k in range(3):
            gradient = grad(of_theta)({"W": weights * k, "b": np.ones(3)})
    assert len(run.parameters["W"]) == len(run.gradients["W"]) == 3
    assert run.parameters["W"].size < 300
    assert run.parameters["b"].shape == (3, 3)
    entry = next(e for e in run.entries() if e.name == "W")
    assert (entry.label, entry.statistic) == ("W (rms)", "rms")
    assert_allclose(run.column(entry), [np.sqrt(np.mean((weights * k) ** 2)) for k in range(3)])
    assert_allclose(run.column(entry, "gradients")[2], np.sqrt(np.mean(gradient["W"] ** 2)))
    assert set(run.parameters["W"][1]) <= set(weights.ravel())
    with pytest.raises(LookupError, match="100000 entries"):
        run.point(0)


def test_up_to_the_limit_every_entry_is_kept():
    run = record_at(of_theta, np.arange(4096.0))
    assert_array_equal(run.parameters["theta"], [np.arange(4096.0)])
    assert_array_equal(run.point(0), np.arange(4096.0))


def test_many_evaluations_and_negative_numbers_of_them():
    run = record_at(lambda x: x**2, *(float(k) for k in range(300)))
    assert run.parameters["x"].tolist() == [float(k) for k in range(300)]
    assert run.point(-1) == 299.0
    with pytest.raises(IndexError):
        run.point(300)


def test_the_entries_of_a_large_array_that_the_user_names_are_followed_beside_its_summary():
    known = {"w[3, 1]": xi.Parameter("wind", "m/s"), 0: xi.Parameter("sun"), "w[99, 0]": xi.Parameter("no such entry")}
    with xi.record(problem=xi.Problem("weather", parameters=known)) as run:
        for k in range(3):
            grad(lambda w: np.sum(w**2))(np.arange(60.0).reshape(30, 2) * k)
    assert [(e.name, e.label) for e in run.entries()] == [("w", "w (rms)"), ("w[0, 0]", "sun"), ("w[3, 1]", "wind")]
    assert_array_equal(run.column(run.entries()[2]), [0, 7, 14])
    assert any("wind" in fact.text for fact in run.facts)


def test_one_entry_of_a_large_array_is_shown_where_it_is_chosen():
    with xi.record(parameters=["w[29, 1]"]) as run:
        for k in range(3):
            grad(lambda w: np.sum(w**2))(np.arange(60.0).reshape(30, 2) * k)
    assert [e.name for e in run.entries()] == ["w[29, 1]"]


def test_keys_that_are_functions_or_objects_are_named_without_their_addresses(tmp_path):
    class Kernel:
        pass

    def drift(x):
        return x

    def loss(p):
        return sum((value - 1.0) ** 2 for value in p.values())

    start = {drift: 0.0, np.sin: 0.5, Kernel(): 2.0, Kernel(): 3.0, (lambda x: x): 4.0, "plain": 5.0}
    with xi.record() as run:
        grad(loss)(start)
    names = ["drift", "sin", "Kernel 1", "Kernel 2", "function 1", "plain"]
    assert list(run.parameters) == names
    run.save(tmp_path / "run.xinv")
    assert list(xi.load(tmp_path / "run.xinv").point(0)) == names
