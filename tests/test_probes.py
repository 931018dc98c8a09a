"""`event`, `watch` and `stage`: what a simulator says about itself, and when."""

from __future__ import annotations

import autograd
import autograd.numpy as np
import pytest
from autograd import grad, hessian, jacobian, make_jvp, value_and_grad
from autograd.extend import defvjp, primitive
from numpy.testing import assert_array_equal

import xinv_nb as xi


def texts(run, phase="forward"):
    return [event.text for event in run.events if event.phase == phase]


def record_once(objective, x=2.0):
    with xi.record() as run:
        grad(objective)(x)
    return run


def saying(*args, **values):
    """An objective that says one thing."""

    def objective(x):
        xi.event(*args, **{name: value(x) if callable(value) else value for name, value in values.items()})
        return np.sum(x**2)

    return objective


# ---------------------------------------------------------------------- event


@pytest.mark.parametrize(
    ("args", "values", "text"),
    [
        (("the sun rises",), {}, "the sun rises"),
        (("{speed:.1f} m/s",), {"speed": lambda x: x * 3}, "6.0 m/s"),
        (("{speed:.1f} m/s",), {"speed": lambda x: np.array([x])}, "2.0 m/s"),
        (("beside {place}",), {"place": "Ōsaka"}, "beside Ōsaka"),
        (("{n} hits, {ratio:.0%}",), {"n": 3, "ratio": 0.5}, "3 hits, 50%"),
        (("state {state}",), {"state": lambda x: np.array([1.0, 2.0]) * x}, "state [2. 4.]"),
        (("pair {pair}",), {"pair": lambda x: (x, 2 * x)}, "pair (2.0, 4.0)"),
        (("{at:.1f} s", 1.25), {}, "1.2 s"),
        (("{nobody} knows",), {}, "{nobody} knows"),
        (("{speed:what}",), {"speed": 1.0}, "{speed:what}"),
        (("{} and {}",), {}, "{} and {}"),
        (("{unclosed",), {"speed": 1.0}, "{unclosed"),
        (("{x.y[0]}",), {"x": 1.0}, "{x.y[0]}"),
        (("{text} {self}",), {"text": "a", "self": "b"}, "a b"),
    ],
)
def test_an_event_in_words(args, values, text):
    assert texts(record_once(saying(*args, **values))) == [text]


def test_values_and_place_of_an_event_can_be_read_as_numbers():
    run = record_once(lambda x: (xi.event("hit", at=x * 2, speed=x * 3, wall="north"), x**2)[1])
    (event,) = (e for e in run.events if e.phase == "forward")
    assert event.values == {"speed": 6.0, "wall": "north"}
    assert (event.at, event.evaluation, event.stage, event.count) == (4.0, 0, "", 1)


def test_an_event_tells_what_was_true_when_it_happened():
    def simulate(x):
        level = np.zeros(2)
        xi.event("level {level}", level=level, at=level)
        level += 7.0
        return x**2

    (event,) = (e for e in record_once(simulate).events if e.phase == "forward")
    assert event.text == "level [0. 0.]"
    assert event.values["level"].tolist() == [0.0, 0.0]
    assert event.at.tolist() == [0.0, 0.0]


def test_repeated_events_become_one_with_a_count_and_other_words_stay_apart():
    def simulate(x):
        for step in range(6):
            xi.event("step {step}", step=step)
            xi.event("bounces off the {wall} wall", wall="north" if step % 3 else "south")
        return x**2

    run = record_once(simulate)
    assert texts(run) == [
        "step 0 (6 times; step from 0 to 5)",
        "bounces off the south wall (2 times)",
        "bounces off the north wall (4 times)",
    ]
    assert [e.count for e in run.events if e.phase == "forward"] == [6, 2, 4]


def test_an_event_that_repeats_tells_its_extremes_and_where_they_were():
    def simulate(x):
        for step in range(5):
            xi.event("{height:.0f} m high", at=f"t={step}", height=(step - 3.0) ** 2)
        return x**2

    (event,) = (e for e in record_once(simulate).events if e.phase == "forward")
    assert event.text == "9 m high (5 times; height from 0 at t=3 to 9 at t=0)"
    assert event.values == {
        "height": 9.0,
        "height min": 0.0,
        "height min at": "t=3",
        "height max": 9.0,
        "height max at": "t=0",
    }


def test_the_pull_on_watched_quantities_is_compared_in_units_of_the_loss():
    def simulate(x):
        near = xi.watch(x * 1000.0, "near", "mm")
        far = xi.watch(x * 3.0, "far", "m")
        return near * 1e-3 + 2.0 * far

    near, far = (e for e in record_once(simulate).events if e.phase == "backward" and e.name in ("near", "far"))
    assert near.values["share"] == pytest.approx(1 / 7)
    assert far.values["share"] == pytest.approx(6 / 7)
    assert near.text == "a lower near would lower the loss: 14 % of the pull on watched quantities"
    assert far.text == "a lower far would lower the loss: 86 % of the pull on watched quantities"


def test_the_same_event_in_two_stages_or_two_evaluations_stays_apart():
    def simulate(x):
        for name in ("climb", "descent", "climb"):
            with xi.stage(name):
                xi.event("turns")
        return x**2

    with xi.record() as run:
        grad(simulate)(1.0)
        grad(simulate)(2.0)
    found = [(e.evaluation, e.stage, e.text) for e in run.events if e.phase == "forward"]
    once = [("climb", "turns (2 times)"), ("descent", "turns")]
    assert found == [(k, *rest) for k in (0, 1) for rest in once]


def test_a_stage_ends_with_its_block_also_when_the_block_fails():
    def simulate(x):
        try:
            with xi.stage("outer"), xi.stage("inner"):
                xi.watch(x, "x")
                raise ValueError
        except ValueError:
            xi.event("after")
        return x**2

    run = record_once(simulate)
    assert {e.name: e.stage for e in run.events if e.phase == "forward"} == {"x": "inner", "after": ""}


def test_the_users_own_loop_speaks_at_the_evaluation_it_follows():
    with xi.record() as run:
        xi.event("before the start")
        x, rate = 8.0, 0.1
        for k in range(4):
            x = x - rate * grad(lambda x: x**2)(x)
            if k == 1:
                rate = 0.3
                xi.event("larger steps of {rate} from now on", rate=rate)
        xi.event("done")
    found = [(e.evaluation, e.text) for e in run.events if e.phase == "forward"]
    assert found == [(0, "before the start"), (1, "larger steps of 0.3 from now on"), (3, "done")]


def simulate_with_bounces(x):
    for _ in range(3):
        xi.event("bounces")
    return np.sum(x**2)


UNDIFFERENTIATED = {
    "value": lambda: simulate_with_bounces(5.0),
    "jacobian": lambda: jacobian(lambda x: simulate_with_bounces(x) * np.ones(2))(np.ones(2)),
    "hessian": lambda: hessian(simulate_with_bounces)(np.ones(2)),
    "forward mode": lambda: make_jvp(simulate_with_bounces)(1.0)(1.0),
    "hessian_vector_product": lambda: autograd.hessian_vector_product(simulate_with_bounces)(1.0, 1.0),
}


@pytest.mark.parametrize("when", ["before", "between", "after"])
@pytest.mark.parametrize("call", UNDIFFERENTIATED.values(), ids=UNDIFFERENTIATED.keys())
def test_events_of_a_call_that_is_no_evaluation_are_not_those_of_another(call, when):
    with xi.record() as run:
        for moment in ("before", "between", "after"):
            if moment == when:
                call()
            if moment != "after":
                grad(simulate_with_bounces)(1.0)
    found = [(e.evaluation, e.text) for e in run.events if e.phase == "forward"]
    assert found == [(0, "bounces (3 times)"), (1, "bounces (3 times)")]


def test_words_that_come_from_a_pass_only_later_are_not_blamed_on_an_earlier_evaluation():
    def simulate(x):
        if x > 2:
            xi.event("overflows")
        return x**2

    with xi.record() as run:
        grad(simulate)(1.0)
        simulate(3.0)
        grad(simulate)(1.5)
        grad(simulate)(4.0)
    assert [(e.evaluation, e.text) for e in run.events if e.phase == "forward"] == [(2, "overflows")]


def test_a_simulation_that_is_never_differentiated_is_told_once_not_a_thousand_times():
    with xi.record() as run:
        for _ in range(1000):
            simulate_with_bounces(1.0)
    assert texts(run) == ["bounces (3000 times)"]


# ---------------------------------------------------------------------- watch


def test_the_cotangent_is_the_derivative_of_the_loss_with_respect_to_the_quantity():
    def loss(angle):
        reach = xi.watch(angle * 2.0, "reach", "m", at="the wall")
        return (reach - 10.0) ** 2

    with xi.record() as run:
        for angle in (3.0, 4.0):
            grad(loss)(angle)
    watch = run.watches["reach"]
    assert watch.values.tolist() == [6.0, 8.0]
    assert watch.cotangents.tolist() == [2 * (6.0 - 10), 2 * (8.0 - 10)]
    assert watch.evaluation.tolist() == [0, 1]
    assert (watch.unit, watch.at) == ("m", ("the wall", "the wall"))
    assert texts(run)[0] == "reach is 6 m"
    assert texts(run, "backward")[0] == "a higher reach would lower the loss"


@pytest.mark.parametrize("use_returned", [True, False])
def test_the_return_value_is_optional_and_all_uses_count(use_returned):
    def loss(x):
        y = x**2
        before = 3.0 * y
        z = xi.watch(y, "y")
        return before + 4.0 * (z if use_returned else y)

    assert record_once(loss).watches["y"].cotangents.tolist() == [7.0]


def test_watching_returns_the_value_itself():
    kept = []

    def loss(x):
        y = x**2
        kept.append(xi.watch(y, "y") is y)
        return y

    record_once(loss)
    assert kept == [True]
    array = np.ones(3)
    assert xi.watch(array, "outside") is array


def test_a_watch_on_the_parameter_itself_sees_its_gradient():
    with xi.record() as run:
        gradient = grad(lambda x: np.sum(xi.watch(x, "x", "m") ** 3))(np.array([1.0, 2.0]))
    assert_array_equal(run.watches["x"].cotangents, [gradient])
    assert_array_equal(run.watches["x"].values, [[1.0, 2.0]])


def test_many_watches_in_one_evaluation_with_their_places():
    def loss(rate):
        level, total = 1.0, 0.0
        for t in range(4):
            level = xi.watch(level * rate, "level", at=0.5 * t)
            total = total + level
        return total

    run = record_once(loss)
    watch = run.watches["level"]
    assert watch.values.tolist() == [2.0, 4.0, 8.0, 16.0]
    assert watch.at == (0.0, 0.5, 1.0, 1.5)
    assert watch.cotangents.tolist() == [15.0, 7.0, 3.0, 1.0]
    assert watch.evaluation.tolist() == [0, 0, 0, 0]
    assert texts(run) == ["level ranges from 2 to 16"]
    assert texts(run, "backward")[0] == "a lower level would lower the loss, most of all at 0.0"


def test_one_name_for_two_quantities_keeps_both():
    def loss(x):
        return xi.watch(3 * x, "part") + xi.watch(x**2, "part")

    assert record_once(loss).watches["part"].values.tolist() == [6.0, 4.0]


def test_a_quantity_of_changing_length():
    def loss(x):
        return np.sum(xi.watch(x * np.ones(1 if x < 2 else 3), "steps"))

    with xi.record() as run:
        grad(loss)(1.0)
        grad(loss)(3.0)
    assert [len(v) for v in run.watches["steps"].values] == [1, 3]
    assert [v.tolist() for v in run.watches["steps"].cotangents] == [[1.0], [1.0, 1.0, 1.0]]


def test_a_quantity_without_influence_has_cotangent_zero_and_one_without_parameters_none():
    def loss(x):
        xi.watch(x**3, "unused")
        xi.watch(5.0, "constant")
        xi.watch(np.ones(2), "data")
        return x**2

    run = record_once(loss)
    assert run.watches["unused"].cotangents.tolist() == [0.0]
    assert np.isnan(run.watches["constant"].cotangents).tolist() == [True]
    assert np.isnan(run.watches["data"].cotangents).tolist() == [[True, True]]
    assert "the loss does not change with unused here" in texts(run, "backward")
    assert not any("constant" in text for text in texts(run, "backward"))


def test_what_is_not_a_number_is_told_and_breaks_nothing():
    def loss(x):
        return xi.watch(x * np.inf, "speed") * np.nan

    with xi.record() as run, np.errstate(all="ignore"):
        grad(loss)(1.0)
    assert texts(run)[0] == "speed is infinity"
    assert "the gradient of speed is not a number here" in texts(run, "backward")
    assert len(run.notices) == 1
    assert "an operand of multiply(1, infinity)" in run.notices[0]


def test_a_constant_first_value_does_not_hide_what_the_gradient_asks_of_the_others():
    def loss(rate):
        level = xi.watch(1.0, "level", at=0)
        for t in (1, 2):
            level = xi.watch(level * rate, "level", at=t)
        return level

    run = record_once(loss)
    assert run.watches["level"].values.tolist() == [1.0, 2.0, 4.0]
    assert texts(run, "backward")[0] == "a lower level would lower the loss, most of all at 1"


def watched_curve(x):
    return np.sum(np.sin(xi.watch(x**2, "square")) * x)


def plain_curve(x):
    return np.sum(np.sin(x**2) * x)


DERIVATIVES = {
    "hessian": hessian,
    "jacobian of grad": lambda f: jacobian(grad(f)),
    "third": lambda f: jacobian(jacobian(grad(f))),
    "hvp": lambda f: lambda x: autograd.hessian_vector_product(f)(x, np.ones(2)),
    "jvp": lambda f: lambda x: make_jvp(f)(x)(np.ones(2)),
    "forward over reverse": lambda f: lambda x: make_jvp(grad(f))(x)(np.ones(2)),
    "reverse over forward": lambda f: grad(lambda x: make_jvp(f)(x)(np.ones(2))[1]),
    "ggnvp": lambda f: lambda x: autograd.make_ggnvp(f)(x)(np.ones(2)),
}


@pytest.mark.parametrize("derivative", DERIVATIVES.values(), ids=DERIVATIVES.keys())
def test_derivatives_of_any_order_are_as_without_the_watch(derivative):
    x = np.array([0.4, 1.1])
    with xi.record():
        watched, plain = derivative(watched_curve)(x), derivative(plain_curve)(x)
    for a, b in zip(np.atleast_1d(watched), np.atleast_1d(plain), strict=True):
        assert_array_equal(a, b)


def test_inside_second_derivatives_the_cotangent_is_that_of_the_loss():
    def bent(x):
        slope = grad(lambda y: xi.watch(y**2, "square") * 3.0)(x)  # 6 x
        return slope**2  # 36 x²: the square does not enter, only its derivative

    def straight(x):
        inner = grad(lambda y: y * xi.watch(x**2, "of outer"))(5.0)  # x²
        return inner * 2.0

    def constant(x):
        return x * grad(lambda y: xi.watch(y**3, "of inner"))(2.0)

    with xi.record() as run:
        assert grad(bent)(1.5) == 72 * 1.5
    assert run.watches["square"].values.tolist() == [2.25]
    assert run.watches["square"].cotangents.tolist() == [0.0]
    assert record_once(straight, 3.0).watches["of outer"].cotangents.tolist() == [2.0]
    assert np.isnan(record_once(constant).watches["of inner"].cotangents).tolist() == [True]


def test_an_earlier_error_does_not_mislead_the_watch():
    def fails(x):
        raise ValueError

    for _ in range(3):
        with pytest.raises(ValueError):  # noqa: PT011 - autograd counts its open traces, and forgets these
            grad(fails)(1.0)
    assert record_once(lambda x: xi.watch(x * 2, "y") ** 2).watches["y"].cotangents.tolist() == [8.0]


def test_a_complex_quantity():
    run = record_once(lambda x: np.abs(xi.watch(x * (3.0 + 4.0j), "wave")))
    assert run.watches["wave"].values.tolist() == [6.0 + 8.0j]
    assert np.iscomplexobj(run.watches["wave"].cotangents)


def test_a_vjp_called_twice_leaves_the_first_cotangent():
    with xi.record() as run:
        vjp, _ = autograd.make_vjp(lambda x: xi.watch(x * 2, "y") ** 2)(1.0)
        vjp(1.0)
        vjp(100.0)
    assert run.watches["y"].cotangents.tolist() == [4.0]


def test_a_backward_pass_that_runs_the_simulator_again_adds_nothing():
    def square(x):
        xi.event("squares")
        return xi.watch(x**2, "inner")

    solve = primitive(square)
    defvjp(solve, lambda ans, x: lambda g: g * grad(square)(x))
    run = record_once(lambda x: xi.watch(solve(x), "solution"))
    assert run.watches["inner"].values.tolist() == [4.0]
    assert run.watches["solution"].values.tolist() == [4.0]
    assert texts(run) == ["squares", "inner is 4", "solution is 4"]


# ---------------------------------------------------------------------- nothing is recording


def test_without_a_recording_probes_leave_no_trace():
    def simulate(x):
        with xi.stage("flight"):
            xi.event("flies at {x}", x=x)
            return xi.watch(x**2, "square")

    assert value_and_grad(simulate)(3.0) == (9.0, 6.0)
    with xi.record() as run:
        pass
    assert list(run.events) == []
    assert run.watches == {}


def test_a_probe_after_the_recording_adds_nothing():
    with xi.record() as run:
        vjp, _ = autograd.make_vjp(lambda x: xi.watch(x**2, "square"))(3.0)
    assert vjp(1.0) == 6.0
    xi.event("too late")
    assert (run.evaluations, list(run.events), run.watches) == (0, [], {})


def test_more_watched_values_than_a_first_block_holds_are_kept() -> None:
    def objective(x):
        for k in range(3000):
            xi.watch(x * k, "speed", at=k)
        return x**2

    with xi.record() as run:
        grad(objective)(2.0)
    assert len(run.watches["speed"].values) == 3000
    assert run.watches["speed"].values[-1] == 2.0 * 2999
    assert run.notices == []


@pytest.mark.parametrize("name", ["", "  "])
def test_a_quantity_without_a_name_is_refused_at_the_call(name: str) -> None:
    with pytest.raises(xi.XinvError, match="the name is empty"):
        xi.watch(1.0, name)
