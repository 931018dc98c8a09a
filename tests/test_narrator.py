"""The built-in captions: each sentence words a fact, nothing is said twice, the domain comes first."""

from __future__ import annotations

import re
from dataclasses import replace

import autograd.numpy as np
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi
from tests.example_runs import EXAMPLES, descend
from tests.given_facts import given
from xinv_nb.run import Run
from xinv_nb.words.choosing import told_again
from xinv_nb.words.narrator import SUMMARY, WRONG, Draft, Sentence, as_caption, narrate, plan
from xinv_nb.words.summary import findings_in

all_runs = pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES)


@all_runs
def test_every_sentence_words_facts_that_exist(make) -> None:
    run = make()
    facts = {fact.id: fact for fact in run.facts}
    events = {event.id for event in run.events}
    for draft, caption in zip(plan(run), run.captions, strict=True):
        assert draft.sentences
        for sentence in draft.sentences:
            assert sentence.facts
            assert all(facts[fact.id] is fact for fact in sentence.facts)
        assert caption.text == " ".join(sentence.text for sentence in draft.sentences)
        assert set(caption.cites) <= set(facts) | events
        assert {fact.id for s in draft.sentences for fact in s.facts} <= set(caption.cites)
        assert [claim.text for claim in caption.claims] == [s.text for s in draft.sentences]
        assert all(claim.supported for claim in caption.claims)
        assert (caption.source, caption.status) == ("built-in", "built-in text")


def test_that_each_decrease_was_a_smaller_share_is_for_experts() -> None:
    run = EXAMPLES["rosenbrock_bfgs"]()
    assert any(fact.form == "superlinear" for fact in run.facts if fact.kind == "convergence")
    student, expert = (" ".join(caption.text for caption in narrate(run, level)) for level in ("student", "expert"))
    assert "smaller share" not in student
    assert "faster and faster" not in student
    assert "uperlinear" in expert


@all_runs
def test_captions_cover_the_run_and_say_nothing_twice(make) -> None:
    run = make()
    captions = narrate(run)
    is_wrong = any(finding.severity == "warning" for finding in run.diagnosis)
    assert captions[0].heading == (WRONG if is_wrong else SUMMARY)
    assert captions[0].span == (0, run.evaluations - 1)
    for draft in plan(run):
        sentences = [s.text for s in draft.sentences]
        assert len(sentences) == len(set(sentences))
    if len(run.phases) > 1:
        assert [c.span[0] for c in captions[1:]] == [p.start for p in run.phases]
        assert captions[-1].span[1] == run.evaluations - 1
    for caption in captions:
        assert 0 <= caption.span[0] <= caption.span[1] < run.evaluations
        assert len(caption.text.split()) <= 120
        # The span that a phase's sentence names is the one over its caption.
        for a, b in re.findall(r"^The loss .*? between iterations (\d+) and (\d+)", caption.text):
            if caption is not captions[0]:
                assert (int(a), int(b)) == caption.span


def test_a_phase_in_which_much_happens_is_told_with_what_moved_and_what_happened_first() -> None:
    def objective(x):
        for k, name in enumerate(["fountain", "village", "valley", "bridge"]):
            xi.watch(np.sum(x) * (k + 1), f"the distance of the line from the {name}", "km")
        for k in range(6):
            if x[0] < 0.9 - 0.01 * k:
                xi.event(f"the line leaves the protected area number {k}")
        return np.sum(x**2)

    with xi.record() as run:
        x = np.array([1.0, 2.0, 3.0])
        for k in range(400):
            x = x - (0.005 if k < 200 else 0.0) * grad(objective)(x)
    first = run.captions[1]
    assert len(run.phases) > 1
    assert len(first.text.split()) <= 112
    assert "gradient asked" in first.text
    assert first.text.count("the line leaves") == 3
    assert "distance" not in first.text, "what finds no room"
    assert any(f.kind == "watch" and f.span == first.span for f in run.facts), "is to be found among the facts"


@all_runs
def test_no_sentence_repeats_its_heading(make) -> None:
    for caption in make().captions:
        assert not caption.text.lower().startswith(caption.heading.lower())
        assert caption.heading[0].isupper()


def summary(run: Run) -> str:
    return run.captions[0].text


def test_the_answer_comes_first_then_its_parts_then_why() -> None:
    text = summary(EXAMPLES["route_like"]())
    order = [text.index(part) for part in ("he loss", "32.9 of", "onstruction cost", "ravel time", "hird point")]
    assert order == sorted(order)


def test_estimates_come_before_the_misfit_and_what_limits_them_behind_it() -> None:
    names = {"p[0]": xi.Parameter("slope", "m/day"), "p[1]": xi.Parameter("height", "m", bounds=(0.0, 1.0))}
    problem = xi.Problem("river", parameters=names)
    with xi.record(problem=problem) as run:
        minimize(
            value_and_grad(lambda p: (p[0] - 2) ** 2 + (p[1] - 3) ** 2 + 0.1 * (p[0] * p[1] - 3) ** 2),
            [1.0, 0.5],
            jac=True,
            method="L-BFGS-B",
            bounds=[(None, None), (0.0, 1.0)],
        )
    text = summary(run)
    order = [text.index(part) for part in ("Slope ended at", "L-BFGS-B stopped", "upper bound of 1 m")]
    assert order == sorted(order)
    assert "height at 1 m" in text


@all_runs
def test_no_sentence_of_a_summary_repeats_a_pair_of_numbers_of_another(make) -> None:
    sentences = plan(make())[0].sentences
    facts = [[fact for fact in each.facts if fact.kind not in ("finding", "fits")] for each in sentences]
    for place, told in enumerate(facts):
        others = [fact for k, other in enumerate(facts) if k != place for fact in other]
        assert not any(told_again(fact, others) for fact in told)


def test_a_term_of_the_problem_is_explained_once_to_a_student_and_the_check_knows_it() -> None:
    problem = xi.Problem("pond", glossary={"Leakage": "what seeps out in a day."})
    with xi.record(problem=problem) as run:
        for depth in (4.0, 2.5, 1.0):
            run.add(depth**2, {"depth": depth}, leakage=(depth / 2, "m³"))
    student, expert = (" ".join(c.text for c in narrate(run, level)) for level in ("student", "expert"))
    assert student.count("eakage (what seeps out in a day) ") == 1
    assert "seeps" not in expert
    assert all(claim.supported for claim in run.check(student))


def test_how_the_run_ended_comes_first_if_it_did_not_finish() -> None:
    first = plan(EXAMPLES["failed"]())[0].sentences[0].text
    assert "broke off" in first
    assert "after 6 iterations" in first.lower()
    assert "ZeroDivisionError" in first
    first = plan(EXAMPLES["interrupted"]())[0].sentences[0].text
    assert "was stopped by hand" in first
    assert "after 7 iterations" in first.lower()


def test_a_watch_that_is_the_loss_is_not_told_beside_it() -> None:
    assert "isfit" not in " ".join(caption.text for caption in EXAMPLES["exponential_fit"]().captions)


def test_what_limits_the_result_is_in_the_summary_and_a_detail_is_not() -> None:
    run = EXAMPLES["bowl"]()
    limits = {
        "theta[0] lay at its lower bound.": ("bound", 0.8),
        "theta[0] and theta[1] enter as their sum only.": ("identifiability", 0.9),
        "theta[1] touched its upper bound.": ("bound", 0.4),
    }
    more = [given(f"G{i}", kind, text, {}, (0, 39), (), s) for i, (text, (kind, s)) in enumerate(limits.items())]
    _ = run.facts
    state, analysis = run.memo["analysis"]
    run.memo["analysis"] = state, replace(analysis, facts=(*analysis.facts, *more))
    try:
        text = summary(run)
    finally:
        run.memo["analysis"] = state, analysis
    assert [told for told in limits if told in text] == list(limits)[:2]


def test_a_finished_run_ends_its_summary_with_why_it_ended_and_one_suggestion() -> None:
    run = EXAMPLES["rosenbrock_adam"]()
    assert sum(fact.kind == "advice" for fact in run.facts) > 1
    ended, *_, advice = plan(run)[0].sentences
    assert [fact.kind for fact in ended.facts] == ["course", "ending"]
    assert "still falling when Adam stopped" in ended.text
    assert [fact.kind for fact in advice.facts] == ["advice"]
    assert "ore iterations" not in advice.text, "that it was still falling says so"


def test_events_are_told_in_the_order_of_time() -> None:
    def loss(x):
        for k in range(1, 4):
            if x < 2.0 * k:
                xi.event(f"step {k} is passed")
        return x**2

    text = " ".join(caption.text for caption in descend(xi.record(), loss, 9.0, 0.05, 40).captions[1:])
    assert [text.index(f"step {k}") for k in (3, 2, 1)] == sorted(text.index(f"step {k}") for k in (1, 2, 3))


def test_an_oscillation_is_not_called_a_fall_or_a_rise() -> None:
    text = summary(EXAMPLES["bouncing"]())
    assert re.search("went up and down by turns|swung back and forth", text)
    assert "fell" not in text
    assert "rose" not in text


def test_a_breakdown_is_told_once_in_each_caption() -> None:
    captions = EXAMPLES["nan_at_k"]().captions
    assert captions[-1].heading == "Breakdown"
    assert captions[-1].text.count("the loss was not a number") == 1
    assert captions[-1].text.startswith("From iteration 8 on the loss was not a number.")
    assert "came from sqrt(−0.26)" in captions[-1].text
    for name in ("nan_from_the_start", "nan_once"):
        assert summary(EXAMPLES[name]()).startswith("At iteration 0, where the run began, the loss is no finite number")


def test_the_summary_begins_with_what_is_wrong_and_what_to_do() -> None:
    run = EXAMPLES["nan_at_k"]()
    (finding,) = run.diagnosis
    assert summary(run).startswith(f"{finding.text} {finding.advice} ")


def test_each_finding_is_followed_by_what_to_do_and_the_gravest_come_first() -> None:
    told = [fact for fact in EXAMPLES["nan_at_k"]().facts if fact.kind == "finding"]
    facts = [
        replace(fact, id=f"{fact.id}{id_}", data=dict(fact.data) | {"id": id_}, salience=fact.salience - 0.02 * k)
        for k, id_ in enumerate(("D1", "D2", "D3"))
        for fact in told
    ]
    assert [(f.data["id"], f.form) for f in findings_in(facts, 2)] == [
        ("D1", "what"),
        ("D1", "what to do"),
        ("D2", "what"),
        ("D2", "what to do"),
    ]


def test_many_true_values_do_not_flood_the_summary() -> None:
    problem = xi.Problem("many", parameters={f"x[{i}]": xi.Parameter(truth=1.0) for i in range(9)})
    run = descend(xi.record(problem=problem), lambda x: np.sum((x - 1) ** 2), np.zeros(9), 0.1, 20)
    assert sum(fact.kind == "truth" for fact in run.facts) == 9
    assert summary(run).count("true value") == 3


def test_nothing_recorded_is_said_kindly() -> None:
    with xi.record() as run:
        pass
    (caption,) = run.captions
    assert caption.heading == "Nothing recorded"
    assert caption.text == run.notices[0]


def test_what_a_teacher_reads() -> None:
    drafts = plan(EXAMPLES["projectile"]())
    assert [draft.heading for draft in drafts] == ["Summary", "What moved"]
    kinds = [[[fact.kind for fact in s.facts] for s in draft.sentences] for draft in drafts]
    assert kinds[0] == [["truth"], ["watch"], ["watch"], ["course", "ending"]]
    assert kinds[1] == [["reason"], ["reason"], ["credit"], ["event", "event"]]
    summary, moved = (" ".join(s.text for s in draft.sentences) for draft in drafts)
    for told in (
        "26.2 to 79.9 m",
        "2.38 to 9.43 m",
        "a higher range would lower the loss",
        "2893 to 0.0137",
        "31.9 m/s",
    ):
        assert told in summary
    assert "rose from 20 to 31.9 m/s because this raised range by 44.7 m" in moved
    assert "the gradient asked" not in moved
    assert len(summary.split()) < 100


# ---------------------------------------------------------------------- sentences of several facts


def test_a_sentence_of_two_facts_spans_and_cites_both() -> None:
    one = given("F1", "watch", "Height rose.", {}, (0, 8), ("e4",))
    other = given("F2", "course", "The loss fell.", {}, (3, 9), ("F7", "e4"))
    sentence = Sentence("Height rose while the loss fell.", (one, other))
    assert sentence.span == (0, 9)
    caption = as_caption(Draft("Summary", (0, 9), (sentence,)))
    assert caption.cites == ("F1", "e4", "F2", "F7")
    assert caption.claims[0].reason == "worded from F1 and F2"


# ---------------------------------------------------------------------- the line under a caption


def drafted(*sources: str, dropped: str = "") -> str:
    fact = given("F1", "course", "The loss fell.", {}, (0, 1))
    sentence = Sentence("The loss fell.", (fact,), dropped=dropped)
    return as_caption(Draft("Summary", (0, 1), tuple(replace(sentence, source=s) for s in sources))).status


def test_the_status_says_who_wrote_and_what_was_checked() -> None:
    assert drafted("built-in", "built-in") == "built-in text"
    assert drafted("built-in", dropped="x") == "built-in text · the model's wording did not match the recording"
    assert drafted("m", "m", "m") == "3 of 3 claims match the recording · 3 sentences by the model"
    assert drafted("m", "built-in") == "2 of 2 claims match the recording · 1 sentence by the model, 1 built-in"


def test_one_watch_is_told_of_in_each_phase() -> None:
    def loss(x):
        reach = xi.watch(np.sum(x), "reach", "m")
        return (reach - 3) ** 2 + 40 * (x[0] - x[1]) ** 2

    with xi.record() as run:
        x = np.array([4.0, -3.0])
        for _ in range(80):
            x = x - 0.006 * grad(loss)(x)
    assert len(run.phases) > 1
    assert any("reach" in caption.text.lower() for caption in run.captions[1:])


def test_the_terms_of_a_loss_and_their_conflict_are_in_the_summary() -> None:
    def route(x):
        return xi.watch(np.sum((x + 1.0) ** 2), "cost", "M€") + xi.watch(np.sum((x - 3.0) ** 2), "time", "min")

    with xi.record() as run:
        x = np.array([8.0, 9.0])
        for _ in range(60):
            x = x - 0.05 * grad(route)(x)
    text = narrate(run)[0].text
    assert re.search("ost (?:fell|went down) from 181 to 8 M€", text)
    assert text.count("opposite directions") == 1
    told = [fact.kind for draft in plan(run)[1:] for sentence in draft.sentences for fact in sentence.facts]
    assert "terms" in told


def test_a_parameter_that_turned_is_told_with_its_turn_and_only_so() -> None:
    run = EXAMPLES["bowl"]()
    _ = run.facts
    state, analysis = run.memo["analysis"]
    assert len(analysis.phases) == 1
    told = next(fact for fact in analysis.facts if fact.kind == "movement" and fact.span == (0, run.evaluations - 1))
    turn = given("G1", "turning", "theta[0] went there and back.", {"parameter": told.values["parameter"]}, told.span)
    run.memo["analysis"] = state, replace(analysis, facts=(*analysis.facts, turn))
    try:
        text = narrate(run)[1].text
    finally:
        run.memo["analysis"] = state, analysis
    assert turn.text in text
    assert told.text not in text


def test_a_split_of_the_loss_that_the_summary_tells_is_not_told_again_of_a_phase() -> None:
    summary, first, *_ = narrate(EXAMPLES["negative"]())
    assert "accounts for 86 % of the fall" in summary.text
    assert "accounts for" not in first.text


def test_a_change_of_the_loss_that_a_finding_tells_is_not_told_again_beside_it() -> None:
    summary = narrate(EXAMPLES["diverging"]())[0]
    assert summary.text.count("rose from 1 to 1693") == 1
    assert "after 40 iterations" in summary.text


def test_what_the_parts_of_the_loss_tell_of_a_quantity_is_not_told_again_in_the_chapter() -> None:
    chapter = narrate(EXAMPLES["two_terms"]())[1]
    assert "weight lowered it by 4.18" in chapter.text
    assert "Weight fell from" not in chapter.text


def test_the_summary_tells_why_and_what_held_the_fit_at_last() -> None:
    def cost(p, i=0):
        return xi.watch(np.sum((p - 4.0) ** 2), "misfit") + xi.watch(2.0 * p[0] + 3.0 * p[1], "price", "€")

    names = {"p[0]": xi.Parameter("the amount", "kg"), "p[1]": xi.Parameter("the length", "m")}
    with xi.record(problem=xi.Problem("Shop", parameters=names)) as run:
        adam(grad(cost), np.array([9.0, 12.0]), num_iters=300, step_size=0.1)
    text = narrate(run)[0].text
    assert "this lowered" in text
    assert "in opposite directions" in text
