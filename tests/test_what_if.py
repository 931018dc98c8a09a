"""What was not done: how to see it, with a call that runs as it stands; and why a parameter went no further."""

from __future__ import annotations

import re
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.words.what_if import what_to_try


def cost(p: Any, _: int = 0) -> Any:
    near = xi.watch((p[0] - 4.0) ** 2 + (p[1] - 2.0) ** 2, "misfit")
    return near + xi.watch(0.5 * p[0] ** 2, "price", "€")


def trip(*, with_function: bool = True) -> xi.Run:
    names = {
        "p[0]": xi.Parameter("the amount", "kg"),
        "p[1]": xi.Parameter("the second stop", "km", directions=("south", "north")),
    }
    objective = xi.Objective("effort", "kJ", function=cost if with_function else None)
    with xi.record("trip", problem=xi.Problem("Trip", parameters=names, objective=objective)) as run:
        adam(grad(cost), numpy.array([0.5, 0.0]), num_iters=150, step_size=0.1)
    return run


ASKED = {
    "What if the step were larger?": "run.replay(step_size=0.2)",
    "What if the step size were 0.3?": "run.replay(step_size=0.3)",
    "How would a smaller learning rate do?": "run.replay(step_size=0.05)",
    "What if the amount had started at 3?": "run.replay(start={'p[0]': 3})",
    "Would it end elsewhere if the second stop started at -1 and the amount at 2?": (
        "run.replay(start={'p[0]': 2, 'p[1]': -1})"
    ),
    "What if the second stop were held at 1?": "run.replay(fixed={'p[1]': 1})",
    "What if the second stop were fixed?": "run.replay(fixed=['p[1]'])",
    "What if I had used L-BFGS?": "run.replay(optimizer='L-BFGS-B')",
    "What if I used plain gradient descent?": "run.replay(optimizer='gradient descent', step_size=0.1)",
    "What would happen with more iterations?": "run.replay(iterations=300)",
}


@pytest.mark.parametrize(("question", "call"), ASKED.items(), ids=ASKED)
def test_a_question_gets_a_call_that_runs(question: str, call: str) -> None:
    run = trip()
    answer = run.ask(question, model=False)
    found = re.search(r"\w+\.replay\(.*?\)(?=[.,](?:\s|$))", answer.text)
    assert found is not None, answer.text
    assert found[0] == call
    assert eval(found[0], {"run": run}).evaluations > 0
    assert not answer.claims


def test_the_objective_is_named_where_the_run_has_none() -> None:
    answer = trip(with_function=False).ask("What if the step were larger?", model=False)
    assert "run.replay(objective, step_size=0.2), where objective is the function that was minimized." in answer.text


def test_an_optimizer_that_chooses_its_steps_has_none_to_enlarge() -> None:
    with xi.record() as run:
        minimize(value_and_grad(cost), [0.5, 0.0], jac=True, method="BFGS")
    answer = run.ask("What if the step were larger?", model=False)
    assert answer.text.startswith("BFGS chooses the length of its steps by itself.")
    assert "optimizer='adam', step_size=0.1" in answer.text


def test_why_not_further_is_told_by_the_pushes_at_the_end() -> None:
    run = trip()
    answer = run.ask("Why did the amount not rise further?", model=False).text
    push = run.pushes(149)
    price = push.parts[push.parameters.index("p[0]"), push.quantities.index("price")]
    assert "misfit pushed the amount up about as strongly as price pushed it down" in answer
    assert f"with {abs(price):.2g} kJ per kg on each side" in answer
    again = re.search(r"fixed=\{'p\[0\]': ([\d.]+)\}", answer)
    assert again is not None
    assert float(again[1]) > run.parameters["p"][-1, 0]


def test_a_premise_that_is_false_is_set_right() -> None:
    answer = trip().ask("Why did the second stop not go north?", model=False).text
    assert answer.startswith("It did go north: from 0 to ")


def test_a_bound_is_the_reason_where_there_is_one() -> None:
    with xi.record() as run:
        minimize(value_and_grad(cost), [0.5, 0.0], jac=True, method="L-BFGS-B", bounds=[(0, 1), (None, None)])
    answer = run.ask("Why did p[0] not get larger?", model=False)
    assert "upper bound of 1" in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "What happened at the start?",
        "Why did it stop?",
        "Why did the amount rise?",
        "Why did effort not fall further?",
        "What would lower effort?",
        "What about travel time?",
        "Where did the second stop go?",
        "Why is the fit not good?",
        "How many steps did it take?",
    ],
)
def test_other_questions_are_left_to_the_facts(question: str) -> None:
    assert what_to_try(trip(), question) is None


def test_there_is_nothing_to_try_of_what_cannot_be_run_again() -> None:
    with xi.record() as run:
        limit = {"type": "ineq", "fun": lambda p: 3 - np.sum(p)}
        minimize(value_and_grad(cost), [0.5, 0.0], jac=True, method="SLSQP", constraints=limit)
    assert what_to_try(run, "What if it had started elsewhere?") is None


def test_of_a_loss_that_is_maximized_no_push_down_the_slope_holds_a_parameter() -> None:
    x = 0.0
    with xi.record() as run:
        for _ in range(40):
            x = x + 0.1 * grad(lambda x: 3.0 - xi.watch((x - 2.0) ** 2, "waste", "W"))(x)
    assert "pushed it" not in run.ask("Why did x not go further?", model=False).text


def batches(optimizers: int, slope: float = 1.0) -> xi.Run:
    """A fit of drawn points, by as many optimizers one after another; of `slope` 0 the last gradient is none."""
    draw = numpy.random.RandomState(3)
    points = draw.randn(240)
    wanted = 2.0 * points + 0.5 * draw.randn(240)
    points[-1] *= slope

    def loss(w: Any, i: int) -> Any:
        return (points[i] * w - wanted[i]) ** 2

    names = {"w": xi.Parameter("the stop", "km", directions=("south", "north"))}
    with xi.record(problem=xi.Problem("Draws", parameters=names)) as run:
        w = 0.0
        for k in range(optimizers):
            count = 240 // optimizers
            w = adam(lambda w, i, k=k, count=count: grad(loss)(w, k * count + i), w, num_iters=count, step_size=0.05)
    return run


@pytest.mark.parametrize("optimizers", [1, 3])
@pytest.mark.parametrize("slope", [1.0, 0.0])
@pytest.mark.parametrize("question", ["Why not north?", "Why did the stop not go further?", "Why not further south?"])
def test_of_draws_no_single_one_tells_what_held_a_parameter(optimizers: int, slope: float, question: str) -> None:
    run = batches(optimizers, slope)
    text = run.ask(question, model=False).text
    told = re.search(
        r"[Oo]ver the last (\d+) iterations the gradient asked for it to go (\w+) (.*?) and (\w+) (.*?)\.", text
    )
    assert told is not None, text
    slopes = run.gradients["w"][-int(told[1]) :]
    times = {"once": 1, "twice": 2, "never": 0}
    counted = {
        way: times[said] if said in times else int(said.split()[0])
        for way, said in (told.group(2, 3), told.group(4, 5))
    }
    assert counted == {"south": int((slopes > 0).sum()), "north": int((slopes < 0).sum())}
    assert "there the gradient asked" not in text
