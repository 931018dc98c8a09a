"""Where a solver makes several evaluations an iteration, they are not called iterations, which the solver counts."""

from __future__ import annotations

import re

import numpy as np
import pytest
from autograd import grad
from autograd import numpy as anp
from scipy.optimize import least_squares, minimize

import xinv_nb as xi
from tests.packet import unpack
from xinv_nb.claims.sameness import same_claims
from xinv_nb.facts.counting import noun_of
from xinv_nb.view import packets
from xinv_nb.view.head import Writer
from xinv_nb.view.story import as_text, story_of


def valley(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def solved(method: str = "BFGS", **options):
    with xi.record("valley") as run:
        result = minimize(valley, [-1.2, 1.0], method=method, **options)
    return run, result


def descended():
    with xi.record("loop") as run:
        x = np.array([4.0, 1.0])
        for _ in range(30):
            x = x - 0.1 * grad(lambda x: anp.sum(x**2))(x)
    return run


def backtracked():
    """A hand-written line search: several trials for each step."""
    with xi.record("search") as run:
        x, slope = np.array([-1.2, 1.0]), grad(valley)
        for _ in range(20):
            down, step, here = slope(x), 1.0, valley(x)
            while valley(x - step * down) > here - 1e-4 * step * down @ down:
                slope(x - step * down)
                step /= 4
            x = x - step * down
    return run


def all_told(run) -> str:
    """Everything that is said of a run, without what the solver itself counts and what the user's words are."""
    texts = [fact.text for fact in run.facts] + [f"{finding.text} {finding.advice}" for finding in run.diagnosis]
    for level in ("student", "expert"):
        texts += [caption.text for caption in run.explain(model=False, level=level)]
    texts += [as_text(story_of(run)), run.ask("When was the loss lowest?", model=False).text]
    texts += [run.ask("What did x[0] do at 3?", model=False).text]
    return "\n".join(texts)


def head_of(run):
    return unpack(packets.snapshot(run, packets.Sent(), Writer()))[0]["head"]


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "SLSQP", "Nelder-Mead", "Powell", "TNC"])
def test_what_a_solver_evaluates_is_called_evaluations(method: str) -> None:
    jac = {} if method in ("Nelder-Mead", "Powell") else {"jac": grad(valley)}
    run, result = solved(method, **jac)
    told = all_told(run)
    assert re.search(r"\bevaluations? \d|\d evaluations?\b", told)
    for number in re.findall(r"(?<!of )\b(\d+) iterations?\b", told):  # of so many that it may make
        assert int(number) == result.nit, told
    assert not re.search(r"\biterations? \d", told)


def test_a_solver_says_how_many_iterations_it_made() -> None:
    run, result = solved("BFGS", jac=grad(valley))
    ending = next(fact for fact in run.facts if fact.kind == "ending")
    assert f"BFGS stopped after {result.nit} iterations, {run.evaluations} evaluations: " in ending.text


@pytest.mark.parametrize("question", ["How many iterations did it take?", "How many evaluations were there?"])
def test_both_counts_answer_how_many_there_were(question: str) -> None:
    run, result = solved("BFGS", jac=grad(valley))
    assert f"{result.nit} iterations, {run.evaluations} evaluations" in run.ask(question, model=False).text


def test_what_a_search_by_hand_tries_is_called_evaluations() -> None:
    run = backtracked()
    assert not run.accepted.all()
    assert not re.search(r"\biterations?\b", all_told(run))


def test_residuals_of_a_fit_are_evaluated() -> None:
    t = np.linspace(0, 4, 30)
    with xi.record() as run:
        least_squares(lambda p: p[0] * np.exp(-p[1] * t) - 3 * np.exp(-0.7 * t), [1.0, 0.2])
    assert not re.search(r"\biterations?\b", all_told(run))


def test_a_loop_of_one_gradient_a_step_has_iterations() -> None:
    run = descended()
    assert noun_of(run) == "iteration"
    told = all_told(run)
    assert "over 30 iterations" in told
    assert "\\" not in told
    assert "evaluation" not in told


def test_the_view_is_told_which_word_it_is() -> None:
    assert head_of(descended())["noun"] == "iteration"
    head = head_of(solved(jac=grad(valley))[0])
    assert head["noun"] == "evaluation"
    assert "iteration" not in head["state"]


def test_a_claim_may_say_either_word_for_a_moment() -> None:
    run, _ = solved("BFGS", jac=grad(valley))
    loss = run.loss[12]
    for noun in ("iteration", "evaluation"):
        assert [c.supported for c in run.check(f"The loss was {loss:.3g} at {noun} 12.")] == [True]
        assert [c.supported for c in run.check(f"The loss was {2 * loss:.3g} at {noun} 12.")] == [False]


def test_a_claim_of_iterations_is_one_of_the_solver() -> None:
    run, result = solved("BFGS", jac=grad(valley))
    assert result.nit < run.evaluations
    for count, noun, is_so in (
        (run.evaluations, "evaluations", True),
        (run.evaluations, "iterations", False),
        (result.nit, "iterations", True),
        (result.nit, "evaluations", False),
    ):
        verdicts = [claim.supported for claim in run.check(f"BFGS took {count} {noun}.")]
        assert verdicts
        assert all(verdicts) is is_so, (count, noun, verdicts)


def test_a_count_of_evaluations_is_no_count_of_iterations_to_one_who_rewords_it() -> None:
    source = "The loss fell from 24.2 to 2.5 over 39 evaluations."
    assert same_claims("In 39 evaluations the loss dropped from 24.2 to 2.5.", source, []) == ""
    for noun in ("iterations", "steps"):
        assert same_claims(f"In 39 {noun} the loss dropped from 24.2 to 2.5.", source, [])
    loop = "The loss fell from 24.2 to 2.5 over 39 iterations."
    assert same_claims("In 39 steps the loss dropped from 24.2 to 2.5.", loop, []) == ""
