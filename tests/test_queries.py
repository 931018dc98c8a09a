"""Questions that are answered by computing what they ask for."""

from __future__ import annotations

import re
from collections.abc import Callable

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi
from tests.example_runs import EXAMPLES
from xinv_nb.facts.analysis import facts_of
from xinv_nb.language.bank import bank_of
from xinv_nb.language.renderer import names_in
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.queries.kinds import all_query_kinds
from xinv_nb.words.queries.kinds.definition import glossary
from xinv_nb.words.queries.matching import examples
from xinv_nb.words.queries.query import read


def dry_run() -> xi.Run:
    """A tank that is drained: its level turns on the way, its leak is steady."""
    problem = xi.Problem(
        "A tank",
        parameters={"gate": xi.Parameter("gate opening", "cm"), "pump": xi.Parameter("pump rate", "l/s")},
        glossary={"spillway": "the way that water takes when the tank is full"},
    )
    with xi.record("tank", problem=problem) as run:
        for step in range(40):
            gate, pump = 10.0 - 0.2 * step, 2.0 + 0.05 * step
            level = 3.0 + numpy.cos(step / 8.0)
            run.add(100.0 * 0.85**step + 5.0, {"gate": gate, "pump": pump}, **{"water level": level, "leak": 0.5})
    return run


ANSWERS = [
    (
        "how did the gate change between iterations 5 and 10",
        "Between iterations 5 and 10 gate opening fell from 9 to 8 cm.",
    ),
    ("pump rate after 30?", "Between iterations 30 and 39 pump rate rose from 3.5 to 3.95 l/s."),
    (
        "how much did the loss drop in the first 10 iterations",
        "Between iterations 0 and 10 the loss fell from 105 to 24.7.",
    ),
    ("What is the water level at the end?", "At the end water level was 3.16; at the start it was 4."),
    ("How high was the water level at iteration 8?", "At iteration 8 water level was 3.54."),
    ("What are the fitted parameters?", "At the end gate opening was 2.2 cm and pump rate was 3.95 l/s."),
    ("Where did the gate start?", "At the start gate opening was 10 cm."),
    ("When was the level lowest?", "Water level was lowest, at 2, at iteration 25; it ended at 3.16."),
    ("What was the highest pump rate?", "Pump rate was highest at the end, at 3.95 l/s."),
    ("When was the leak largest?", "Leak stayed at 0.5."),
    (
        "When was most of the improvement over?",
        "Half of the fall of the loss was made by iteration 5, 90 % by iteration 15 and 99 % by iteration 28, of 40 "
        "iterations in all.",
    ),
    ("Why did it not stop at iteration 20?", "From iteration 20 to the end the loss fell from 8.88 to 5.18."),
    ("What if the pump were stronger?", "lay both side by side with xi.compare. At the end pump rate was 3.95 l/s"),
    ("Would a larger tank help?", "Change that, record another run, and lay both side by side with xi.compare."),
    ("What is a spillway?", "Spillway: the way that water takes when the tank is full."),
    ("What does Hessian mean?", "Hessian: the table of second derivatives of the loss"),
    ("Is 3.95 the right pump rate?", "it knows no true value"),
    ("How sure is the pump rate?", "takes second derivatives at the end, and tells."),
    ("Which data point fits worst?", "xi.data(residuals"),
    ("What is a Bézier curve?", "The recording does not show this."),
    ("What does the spline mean?", "The recording does not show this."),
    ("How much was saved in all?", "The loss fell from 105 to 5.18 over 40 iterations"),
    ("Is it overfitting?", "nothing was watched that is known to be kept out of the fit"),
]


def toll_road() -> xi.Run:
    """Three numbers that do not count alike, one of them at a price; the second is hardly worth a move."""

    def cost(p):
        queue = xi.watch((p[0] - 4.0) ** 2 + 0.05 * (p[1] - 1.0) ** 2, "queue", "min")
        toll = xi.watch(0.5 * p[0] + 0.5 * (p[2] - 1.0) ** 2, "toll", "€")
        return queue + toll

    problem = xi.Problem(
        "Road", parameters={f"p[{k}]": xi.Parameter(n) for k, n in enumerate(("lanes", "signs", "gates"))}
    )
    with xi.record("road", problem=problem) as run:
        p = np.array([0.0, 0.0, 4.0])
        for _ in range(60):
            p = p - 0.1 * grad(cost)(p)
    return run


OF_THE_ROAD = [
    ("Which parameter mattered least?", "Least of all counted signs: moving it accounts for less than 1 % of the fall"),
    ("What did it give up for that?", "although it raised toll by 1.87 €"),
    ("Did anything get worse?", "although it raised toll by 1.87 €"),
    ("Summarize the run.", "Lanes rose from 0 to 3.75 because this lowered queue"),
    ("Would it help to run longer?", "iterations="),
    ("Would a larger step help?", "The step size was 0.1."),
    ("What is the gradient at the end?", "At the end the slope (the size of the gradient) was"),
]


@pytest.mark.parametrize(("question", "says"), OF_THE_ROAD, ids=[question for question, _ in OF_THE_ROAD])
def test_what_was_won_and_what_was_paid_is_told(question: str, says: str) -> None:
    assert says in toll_road().ask(question, model=False).text


@pytest.mark.parametrize(("question", "says"), ANSWERS, ids=[question for question, _ in ANSWERS])
def test_what_is_asked_for_is_computed(question: str, says: str) -> None:
    answer = dry_run().ask(question, model=False)
    assert says in answer.text
    assert answer.source == "built-in"


@pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES)
def test_values_and_extremes_are_those_of_the_recording(make: Callable[[], xi.Run]) -> None:
    run = make()
    rows = [k for k in run.iterates if numpy.isfinite(run.loss[k])]
    for entry in (
        [entry for entry in run.entries() if not entry.statistic][:4] if len(rows) > 2 and len(run.fits) < 2 else []
    ):
        values = run.column(entry)
        last = run.ask(f"What is the final value of {entry.label}?", model=False).text
        low = run.ask(f"At which iteration was {entry.label} lowest?", model=False).text
        if not numpy.isfinite(values[run.iterates[-1]]):
            assert f"{entry.label} was" not in last
            continue
        for text, number in ((last, values[run.iterates[-1]]), (low, values[run.iterates].min())):
            told = [float(n.replace("−", "-")) for n in re.findall(r"[−-]?\d+(?:\.\d+)?(?![\d×])", text)]
            scale = max(abs(number), 1e-12)
            assert "10" in text or any(abs(each - number) <= 6e-3 * scale for each in told), (text, number)


def test_evaluations_are_those_of_the_whole_recording() -> None:
    with xi.record() as run:
        for start in (9.0, 400.0):
            for step in range(12):
                run.add((start * 0.7**step) ** 2 + 1, {"depth": start * 0.7**step * (-1) ** (step == 6)})
    assert len(run.fits) == 2
    shown = run.fits[run.facts[0].span[0] // 12]
    text = run.ask("When was the depth lowest?", model=False).text
    assert f"at iteration {shown.start + 6}" in text


def test_only_points_that_were_accepted_count() -> None:
    run = EXAMPLES["rosenbrock_bfgs"]()
    assert not run.accepted.all()
    highest = max(run.parameters["theta"][run.accepted][:, 1])
    assert max(run.parameters["theta"][:, 1]) > highest
    answer = run.ask("How large did theta[1] get?", model=False)
    assert f"{highest:.3g}" in answer.text


def test_a_word_of_a_name_is_enough_where_it_tells() -> None:
    run = dry_run()
    assert read(run, "When was the pump slowest?").subjects == ("pump",)
    assert read(run, "Is the learning rate too large?").subjects == ()


def test_the_glossary_of_the_problem_comes_first_and_a_name_is_no_word() -> None:
    problem = xi.Problem("x", parameters={"m": xi.Parameter("momentum", "kg m/s")}, glossary={"loss": "euros a year"})
    with xi.record(problem=problem) as run:
        for m in (3.0, 2.0, 1.0):
            run.add(m**2, {"m": m})
    assert run.ask("What is loss?", model=False).text == "Loss: euros a year."
    assert "At the end momentum was 1 kg m/s" in run.ask("What is momentum?", model=False).text
    assert run.ask("What is a momentum?", model=False).text.startswith("Momentum: keeping a part")


def test_a_recording_that_is_not_over_says_so() -> None:
    with xi.record() as run:
        for x in (3.0, 2.0):
            run.add(x**2, {"depth": x})
        assert run.ask("What is the depth?", model=False).text == "So far, at iteration 1, depth was 2."


def test_examples_are_many_and_each_once() -> None:
    lines = [line.lower() for _, line in examples()]
    assert len(lines) >= 400
    assert len({re.sub(r"\W+", " ", line) for line in lines}) == len(lines)
    assert {kind for kind, _ in examples()} >= set(all_query_kinds()) - {"definition"}


@pytest.mark.parametrize("name", all_query_kinds())
def test_a_sentence_of_an_answer_has_all_its_slots(name: str) -> None:
    query = all_query_kinds()[name]
    own = {form: text for (kind, form), text in bank_of().own.items() if kind == f"answer {name}"}
    said = {slot for text in own.values() for slot in names_in(text)}
    assert said == set(query.slots)


def test_words_of_the_field_are_explained_in_a_line() -> None:
    assert len(glossary()) > 50
    assert all(20 < len(meaning) < 200 for meaning in glossary().values())


def test_nothing_is_computed_of_an_empty_recording() -> None:
    assert facts_of(RecordedRun()) == ()
    with xi.record() as run:
        pass
    assert "does not show" in run.ask("What is the loss at the end?", model=False).text


def test_correlations_are_those_of_the_estimates() -> None:
    days = numpy.linspace(0.0, 4.0, 20)
    level = 3.0 * numpy.exp(-0.7 * days) + 1.0 + 0.05 * numpy.sin(9 * days)
    from scipy.optimize import curve_fit

    with xi.record() as run:
        curve_fit(lambda t, height, rate, base: height * numpy.exp(-rate * t) + base, days, level, p0=[1.0, 1.0, 0.0])
    table = run.uncertainty.correlations
    answer = run.ask("Are rate and base correlated?", model=False).text
    assert f"{table['rate', 'base']:.2g} of rate and base".replace("-", "−") in answer
    strongest = max((abs(table[pair]), pair) for pair in (("height", "rate"), ("height", "base"), ("rate", "base")))[1]
    answer = run.ask("Which parameters are correlated?", model=False).text
    assert answer.startswith(
        f"The strongest correlations of the estimates are {table[strongest]:.2g} of {strongest[0]} and".replace(
            "-", "−"
        )
    )


def test_the_worst_data_point_of_groups_that_are_marked_is_named() -> None:
    t, days = numpy.linspace(0.0, 4.0, 12), ["Mon", "Tue", "Wed", "Thu"]
    seen, others = 2.0 * t + 1.0, numpy.array([2.0, 2.3, 1.8, 6.0])

    def loss(p):
        line = xi.data(p[0] * t + p[1] - seen, "gps", sigma=0.1)
        slope = xi.data(p[0] * numpy.ones(4) - others, "speed", sigma=0.5, labels=days)
        return np.sum((line / 0.1) ** 2) + np.sum((slope / 0.5) ** 2) + 0.1 * p[1] ** 2

    with xi.record() as run:
        end = minimize(value_and_grad(loss), [0.0, 0.0], jac=True).x
    said = run.ask("which data point is worst", model=False).text
    assert said.startswith("Thu fits worst: its residual is −")
    assert f"{(6.0 - end[0]) / 0.5:.3g} standard deviations" in said


def test_an_answer_of_fits_of_which_each_went_on_from_the_one_before_is_not_said_to_be_of_the_first() -> None:
    def loss(x):
        return (x[0] - 1) ** 2 + 20 * (x[1] - x[0] ** 2) ** 2

    with xi.record() as run:
        x = adam(lambda x, i: grad(loss)(x), numpy.array([-1.0, 2.0]), num_iters=40, step_size=0.1)
        minimize(value_and_grad(loss), x, jac=True)
    assert run.ask("final x[0]", model=False).text == "At the end x[0] was 1; at the start it was −1."
    assert f"over {run.evaluations} evaluations" in run.ask("how many evaluations", model=False).text


def test_of_a_healthy_run_nothing_was_found_in_whatever_words_it_is_asked() -> None:
    run = EXAMPLES["rosenbrock_bfgs"]()
    assert run.diagnosis == ()
    for question in ("Is the learning rate ok?", "Anything I should worry about?", "What should I do?"):
        assert run.ask(question, model=False).text.startswith("Nothing wrong was found"), question
    assert run.ask("Which moved most?", model=False).text.startswith("theta[")
