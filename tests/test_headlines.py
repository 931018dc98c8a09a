"""A headline says what a run comes to: short, true, in the domain's words, and of numbers that its facts hold."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import autograd.numpy as np
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi
from tests.example_runs import EXAMPLES, descend
from tests.test_bank import FINDINGS, sample
from tests.test_wordings import RUNS, is_number_of
from xinv_nb.claims.claims import check
from xinv_nb.claims.numerals import numbers_in
from xinv_nb.facts.diagnosis.finding import PART
from xinv_nb.language.bank import bank_of
from xinv_nb.language.renderer import fill, names_in
from xinv_nb.language.slots import Said
from xinv_nb.run import Run
from xinv_nb.words.headline_facts import MOST_LETTERS, MOST_WORDS, fits
from xinv_nb.words.headlines import OF_A_FINDING, headline_beneath, headline_fact, headline_of

every_run = pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)


@every_run
def test_a_headline_is_short_and_follows_from_facts_that_are_told(make) -> None:
    run = make()
    fact = headline_fact(run)
    assert fact is not None
    assert 0 < len(run.headline.split()) <= MOST_WORDS
    assert len(run.headline) <= MOST_LETTERS
    assert run.captions[0].headline == run.headline == fact.text
    assert not re.search(r"\b[FDe]\d+\b", run.headline)
    told = {fact.id: fact for fact in run.facts}
    assert set(fact.cites) <= set(told), "what a finding silences is no headline"
    cited = tuple(told[cited] for cited in fact.cites)
    assert all(is_number_of(number, cited) for number in numbers_in(run.headline)), run.headline


@every_run
def test_nothing_in_the_headlines_is_contradicted_by_the_recording(make) -> None:
    run = make()
    for caption in run.captions:
        span = None if caption is run.captions[0] else caption.span
        assert fits(caption.headline)
        wrong = [claim for claim in check(run, caption.headline, span) if claim.supported is False]
        assert not caption.headline or not wrong, caption.headline


@every_run
def test_the_line_beneath_adds_up(make) -> None:
    line = headline_beneath(make())
    if not line:
        return
    change, _, parts = line.partition(": ")
    start, end = numbers_in(change)[:2]
    total, sign = 0.0, 1.0
    for part in re.split(r" and (?=moving|making)|; ", parts.rstrip(".")):
        sign = 1.0 if "raised" in part else -1.0 if "lowered" in part else sign
        total += sign * numbers_in(part.rpartition(" by ")[2])[0]
    assert total == pytest.approx(end - start, rel=0.02, abs=0.006 * max(abs(start), abs(end)))


@pytest.mark.parametrize("name", FINDINGS)
def test_every_form_of_what_may_be_wrong_has_a_headline_of_its_slots(name: str) -> None:
    own = bank_of().own
    forms = [form for part, form in own if part == PART.format(name) and not form.endswith("advice")]
    for form in forms:
        key = f"{name}, {form}"
        while (OF_A_FINDING, key) not in own:
            assert ", " in key, f"{name}, {form} has none"
            key = key.rpartition(", ")[0]
        template = own[OF_A_FINDING, key]
        needed = names_in(re.sub(r"\[[^\]]*\]", "", template))
        sentence = own[PART.format(name), form]
        assert set(names_in(template)) <= set(FINDINGS[name].slots)
        assert set(needed) <= set(names_in(sentence)), (form, "its own sentence has this for sure")
        slots = {slot: sample(type_) for slot, type_ in FINDINGS[name].slots.items()}
        slots = {slot: Said("exp") if isinstance(value, Said) else value for slot, value in slots.items()}
        assert fits(fill(template, slots)), template


def test_every_headline_is_of_a_finding_that_there_is() -> None:
    for part, form in bank_of().own:
        if part == OF_A_FINDING:
            name = max((kind for kind in FINDINGS if form == kind or form.startswith(f"{kind}, ")), key=len)
            rest = form.removeprefix(name).removeprefix(", ")
            assert not rest or any(f.startswith(rest) for of, f in bank_of().own if of == PART.format(name)), form


def railway(status: str = "finished") -> Run:
    """Four points that two places push away, with a name for the objective."""
    places = {"the fountain": (1.0, 2.0), "the valley": (3.0, -1.5)}
    names = {
        f"north[{k}]": xi.Parameter(f"the {which} point", "km", directions=("south", "north"))
        for k, which in enumerate(("first", "second", "third"))
    }
    cost = xi.Objective("total cost", "M€", lower="cheaper", higher="dearer")

    def total(north, i=0):
        parts = [
            xi.watch(30 * np.sum(np.exp(-((np.array([1.0, 1.5, 3.0]) - e) ** 2) - (north - n) ** 2 / 4)), name, "M€")
            for name, (e, n) in places.items()
        ]
        return parts[0] + parts[1] + xi.watch(60.0 + 0.5 * np.sum(north**2), "length", "M€")

    with xi.record(problem=xi.Problem("Route", parameters=names, objective=cost)) as run:
        adam(grad(total), np.array([1.8, 1.6, -1.0]), num_iters=200, step_size=0.05)
    return run


def test_a_headline_names_what_is_cheaper_and_what_moved_where() -> None:
    run = railway()
    assert re.fullmatch(r"\d+ % cheaper: the first and second point moved south, the third point north", run.headline)
    assert "loss" not in headline_beneath(run)
    assert re.search(
        r"From \d+ to [\d.]+ M€: .*south lowered it by [\d.]+ M€ through the fountain", headline_beneath(run)
    )


def test_what_is_known_to_be_true_says_what_was_found() -> None:
    problem = xi.Problem("two", parameters={n: xi.Parameter(n, "m", truth=1.0) for n in ("width", "depth")})
    with xi.record(problem=problem) as run:
        p = {"width": 3.0, "depth": 3.0}
        for _ in range(60):
            slope = grad(lambda p: (p["width"] - 1) ** 2 + 1e-3 * (p["depth"] - 1) ** 2)(p)
            p = {name: p[name] - 0.3 * slope[name] for name in p}
    truths = {fact.values["parameter"]: fact.data["how"] for fact in run.facts if fact.kind == "truth"}
    assert truths == {"width": "found", "depth": "missed"}


def test_estimates_are_the_headline_where_the_domain_names_them() -> None:
    problem = xi.Problem(
        "spring", parameters={"k": xi.Parameter("stiffness", "N/m"), "c": xi.Parameter("damping", "1/s")}
    )
    with xi.record(problem=problem) as run:
        p = {"k": 3.0, "c": 3.0}
        for _ in range(60):
            slope = grad(lambda p: (p["k"] - 1) ** 2 + (p["c"] - 2) ** 2)(p)
            p = {name: p[name] - 0.3 * slope[name] for name in p}
    assert run.headline == "Stiffness 1 N/m, damping 2 per s"


def test_values_that_the_data_do_not_tell_or_that_were_still_on_their_way_are_no_answer() -> None:
    problem = xi.Problem("spring", parameters={"p[0]": xi.Parameter("gain"), "p[1]": xi.Parameter("height", "V")})

    def misfit(p):
        return (p[0] * p[1] - 3.0) ** 2

    with xi.record(problem=problem) as run:
        minimize(value_and_grad(misfit), [1.0, 2.0], jac=True, method="BFGS")
    assert run.identify(misfit)
    assert "not all parameters are determined" in run.headline
    unfinished = descend(xi.record(problem=problem), lambda p: np.sum((p - 3.0) ** 2), [1.0, 2.0], 0.02, 12)
    assert re.search("still falling|Not done", unfinished.headline)


def test_of_several_fits_it_says_which_came_lowest_and_by_how_much() -> None:
    with xi.record() as run:
        for rate in (0.02, 0.3, 0.97):
            x = 4.0
            for _ in range(25):
                run.add(x**2, x, 2 * x)
                x -= rate * 2 * x
    assert run.headline.startswith("Step size 0.3 came lowest of 3, to ")
    assert "the next to" in run.headline


def test_while_it_runs_it_is_too_early_to_tell_and_then_so_far() -> None:
    told = []

    def loss(x):
        return x**2 + 1.0

    with xi.record() as run:
        x = 3.0
        for k in range(40):
            x = x - 0.05 * grad(loss)(x)
            if k in (3, 39):
                told.append(headline_of(run))
    assert told[0] == "Too early to tell"
    assert re.fullmatch(r"The loss fell by \d+ % so far, from 10 to [\d.]+", told[1])
    assert "so far" not in run.headline


def test_where_nothing_is_recorded_it_says_so() -> None:
    with xi.record() as run:
        pass
    assert run.headline == "Nothing was recorded"


def test_what_is_wrong_is_the_headline() -> None:
    assert EXAMPLES["nan_at_k"]().headline == "The loss became no finite number at iteration 8, in sqrt"
    assert headline_beneath(EXAMPLES["diverging"]()) == ""
    bound = descend(xi.record(), lambda x: np.sum(np.array([1.0, 3.0]) * x**2), [3.0, -2.0], 0.1, 40)
    assert bound.headline == EXAMPLES["bowl"]().headline


def test_a_headline_is_kept_in_the_file(tmp_path: Path) -> None:
    run = copy.copy(EXAMPLES["bowl"]())
    run.explain(model=False)
    headline = run.captions[0].headline
    assert headline
    assert xi.load(run.save(tmp_path / "bowl.xinv")).captions[0].headline == headline
