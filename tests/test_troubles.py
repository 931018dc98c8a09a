"""Questions about what is wrong are answered from the findings; where nothing was found, that is said."""

from __future__ import annotations

import math
import re

import pytest

import xinv_nb as xi
from tests.example_runs import EXAMPLES
from xinv_nb.facts.diagnosis.kinds import all_finding_kinds

GENERAL = [
    "What is wrong?",
    "What's wrong here?",
    "Did anything go wrong?",
    "Is something wrong with this run?",
    "Can I trust this?",
    "Can I trust the result?",
    "Is there a problem?",
    "What should I do next?",
    "What can I do?",
    "How do I fix it?",
    "Is everything OK?",
]
NAN = [
    "Where does the NaN come from?",
    "Why is the loss not a number?",
    "Why is the gradient nan?",
    "Why did it break?",
]


@pytest.mark.parametrize("question", GENERAL + NAN)
def test_what_is_wrong_answers_with_what_to_do(question: str) -> None:
    run = EXAMPLES["nan_at_k"]()
    (finding,) = run.diagnosis
    answer = run.ask(question)
    assert answer.text == f"{finding.text} {finding.advice}"
    facts = {fact.id: fact for fact in run.facts}
    assert [facts[wording.cites[0]].data["finding"] for wording in answer.sentences] == ["not-finite"] * 2
    assert answer.status == "built-in text"


@pytest.mark.parametrize("question", [q for q in GENERAL if not re.search(r"\bdo\b|fix", q)])
def test_where_nothing_is_wrong_that_is_said_with_what_one_run_cannot_show(question: str) -> None:
    run = EXAMPLES["rosenbrock_bfgs"]()
    assert not run.diagnosis
    answer = run.ask(question)
    assert answer.text.startswith("Nothing wrong was found, of what a recording can show.")
    assert "another start" in answer.text
    assert set(answer.cites) <= {fact.id for fact in run.facts} | {event.id for event in run.events}
    assert any(wording.cites for wording in answer.sentences), "what speaks for it"


@pytest.mark.parametrize(
    "question", ["Is this the best possible line?", "Would another start give the same?", "Is it a global minimum?"]
)
def test_what_other_starts_would_give_is_said_to_be_unknown(question: str) -> None:
    assert EXAMPLES["rosenbrock_bfgs"]().ask(question).text.startswith("Whether another start ends lower, one run")


def test_a_number_that_is_none_is_denied_where_every_one_is_finite() -> None:
    answer = EXAMPLES["rosenbrock_bfgs"]().ask("Where does the NaN come from?")
    assert answer.text.startswith("Every loss and every slope in the recording is a finite number.")


def test_what_a_reader_saw_is_not_denied() -> None:
    with xi.record() as run:
        for loss in (4.0, 2.0, 1.5, 1.25):
            run.add(loss, {"width": 1.0, "depth": loss}, gradients={"width": 0.0, "depth": 1.0})
    answer = run.ask("Why did the width not move?")
    assert not answer.text.startswith(("Nothing wrong", "Every loss"))


def test_a_gap_is_told_though_the_run_came_out_of_it() -> None:
    with xi.record() as run:
        for loss in (4.0, 2.0, float("nan"), 1.0, 0.5, 0.25):
            run.add(loss, loss, gradients=1.0)
    assert not run.diagnosis
    assert "is a finite number" not in run.ask("Was there a NaN?").text


@pytest.mark.parametrize("name", ["failed", "interrupted"])
def test_of_a_run_that_broke_off_it_is_not_said_that_nothing_is_wrong(name: str) -> None:
    assert "Nothing wrong" not in EXAMPLES[name]().ask("Is anything wrong?").text


def test_what_the_user_muted_is_not_called_right() -> None:
    with xi.record(mute="not-finite") as run:
        for x in (4.0, 1.0, -2.0):
            run.add(x**0.5 if x > 0 else float("nan"), x, gradients=0.5)
    assert run.ask("Is anything wrong?").text.startswith(
        "Nothing wrong was found, of what a recording can show and was not muted (not-finite)."
    )
    assert "is a finite number" not in run.ask("Where does the NaN come from?").text


def test_what_is_wrong_with_something_else_is_no_answer_about_a_parameter() -> None:
    run = EXAMPLES["rosenbrock_adam"]()
    assert run.ask("What is wrong with theta[0]?").text.startswith("theta[0] rose")


@pytest.mark.parametrize("kind", all_finding_kinds(), ids=lambda kind: kind.name)
def test_a_kind_is_not_asked_for_by_any_words(kind) -> None:
    for question in ("", "what happened to the loss?", "which parameter mattered most?", "how did x move?"):
        assert not (kind.asked_with and re.search(kind.asked_with, question)), question


def test_a_run_that_flies_off_past_numbers_that_are_none_has_facts() -> None:
    losses = [3.0, 2.0, 1.5, 1.2, *(10.0**power for power in range(2, 200, 9)), math.inf, 1e250, math.inf]
    with xi.record() as run:
        for k, loss in enumerate(losses):
            run.add(loss, float(k), gradients=1.0)
    assert run.facts


def test_no_minimum_is_told_above_the_lowest_loss() -> None:
    """A run that flew far up and came down to a level place, which is not its lowest."""
    with xi.record() as run:
        for x, loss, slope in ((3, 9.0, 6.0), (2, 4.0, 5.0), (9, 1e9, 1e8), (5, 8.0, 1e-9), (5.5, 8.0, 1e-9)):
            run.add(loss, float(x), gradients=slope)
    assert not [fact for fact in run.facts if fact.form == "reached"]
