"""Every number in every fact is computed again from the recording, by other means."""

from __future__ import annotations

import math
import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from autograd.misc.optimizers import adam

import xinv_nb as xi
from tests import recomputed_parameters
from tests.example_runs import EXAMPLES, descend, from_losses
from xinv_nb.claims.domain import names_of
from xinv_nb.claims.numerals import numbers_in
from xinv_nb.facts.analysis import shown_parts
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.smoothing import smoothed
from xinv_nb.facts.shifting import shifted
from xinv_nb.language.quantities import sentence_start
from xinv_nb.language.slots import Value
from xinv_nb.recorded.excerpt import excerpt
from xinv_nb.run import Run

all_runs = pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES)


def without_names(text: str, names: list[str]) -> str:
    """A text without the names of the domain, the longest first; a sentence may begin with a name's capital."""
    known = {form for name in names if name.strip() for form in (name, sentence_start(name))}
    pattern = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    return re.sub(rf"(?<![\w.])(?:{pattern})(?!\w|\.\d)", "", text) if known else text


def said(run: Run, fact: Fact) -> list[float]:
    """The numbers in a fact's text; digits in names and units are none."""
    bare = without_names(fact.text, names_of(run))
    return numbers_in(bare)


def column(run: Run, name: str, of: str = "parameters"):
    """One parameter over the run, looked up by its name in the user's structure."""
    leaf, _, index = name.partition("[")
    if name in getattr(run, of):
        values = getattr(run, of)[name]
        return numpy.sqrt((values**2).mean(axis=1)) if values.ndim > 1 else values
    place = tuple(int(i) for i in index.rstrip("]").split(","))
    return getattr(run, of)[leaf][(slice(None), *place)]


def close(read: float, true: float) -> bool:
    return math.isclose(read, true, rel_tol=6e-3, abs_tol=0)


_READ_OFF = ("reason", "push", "brought about", "turned because", "at rest")
"""Kinds whose numbers stand on readings at some of the evaluations, and are told to as many digits as these allow."""


def close_to_its_digits(read: float, true: float) -> bool:
    """Whether a number of two digits is the true one, or next to it."""
    if not read or not math.isfinite(read) or float(f"{read:.2g}") != read:
        return False
    return abs(read - float(f"{true:.2g}")) <= 1.01 * 10.0 ** (math.floor(math.log10(abs(read))) - 1)


def iterates(run: Run) -> list[int]:
    """The evaluations that were accepted and whose loss is a number."""
    return [i for i in range(run.evaluations) if run.accepted[i] and math.isfinite(run.loss[i])]


def recomputed_course(run: Run, fact: Fact) -> list[float]:
    loss, rows = run.loss, iterates(run)
    if not rows:
        return []
    if len(loss) == 1:
        return [loss[0]]
    first, last = rows[0], rows[-1]
    whole = all(not run.accepted[i] for i in range(last + 1, len(loss)))
    over = [len(loss)] if whole else [last + 1]
    if first > 0:
        over = [first, last]
    if medians := re.findall(r"the median of the (first|last) (\d+)", fact.text):
        found = []
        for which in ("first", "last"):
            count = next((int(n) for w, n in medians if w == which), 1)
            some = rows[:count] if which == "first" else rows[-count:]
            found += [numpy.median(loss[some]), count][: 2 if count > 1 else 1]
        found.append(len(loss))
        if " %" in fact.text:
            start, end = fact.values["start"], fact.values["end"]
            assert [start, end] == [v for v in found if v in (start, end)][:2]
            found.append(100 - 100 * end / start)
        return found
    if "(its median)" in fact.text:
        return [numpy.median(loss[rows]), *over]
    found = [loss[first], loss[last], *over]
    if first == last:
        found = [loss[first], first]
    elif "stayed" in fact.text or "hardly" in fact.text:
        found = [loss[first], *over]
    elif "ended where it began" in fact.text:
        found = [*over, loss[first]]
    if " %" in fact.text:
        found.append(100 - 100 * (loss[last] / loss[first]))
    return found + ([] if whole else [last + 1])


def recomputed_phase(run: Run, fact: Fact) -> list[float]:
    a, b = fact.span
    rows = [i for i in iterates(run) if a <= i <= b]
    if not rows:
        return [a]
    part = run.loss[rows]
    n = max(len(part) // 4, 1)
    if "with a peak about every" in fact.text:
        tops = [i for i in range(1, len(part) - 1) if part[i - 1] < part[i] >= part[i + 1]]
        assert {fact.values[k] for k in ("first_peak", "last_peak")} <= {part[i] for i in tops}
        first, last = (next(i for i in tops if part[i] == fact.values[k]) for k in ("first_peak", "last_peak"))
        between = [i for i in tops if first <= i <= last]
        assert len(between) == fact.values["peaks"]
        assert (part[last] < part[first]) == ("sank" in fact.text)
        over = [part[0], part[-1], a, b] if "on the way" in fact.text else [a, b]
        return [*over, (rows[last] - rows[first]) / (len(between) - 1), part[first], part[last]]
    if "by turns" in fact.text:
        return [a, b, min(part), max(part)]
    if "median" in fact.text:
        return [a, b, numpy.median(part[:n]), numpy.median(part[-n:])]
    if a == b:
        return [part[0], a]
    if "hardly" in fact.text:
        return [a, b, part[0], part[-1]]
    return [part[0], *([] if "stayed" in fact.text else [part[-1]]), a, b]


def recomputed_step(run: Run, fact: Fact) -> list[float]:
    rows = iterates(run)
    at = int(fact.values["at"])
    before = rows[rows.index(at) - 1]
    starts = {event.evaluation for event in run.events if " starts" in event.text}
    steps = [run.loss[j] - run.loss[i] for i, j in pairwise(rows) if j not in starts]
    own = run.loss[at] - run.loss[before]
    assert own == (min(steps) if fact.kind == "largest drop" else max(steps))
    whole = run.loss[rows[0]] - run.loss[rows[-1]]
    return [run.loss[before], run.loss[at], at, *([-100 * own / whole] if " %" in fact.text else [])]


def recomputed_convergence(run: Run, fact: Fact) -> list[float]:
    a, b = fact.span
    rows = [i for i in iterates(run) if a <= i <= b]
    falls = [run.loss[i] - run.loss[j] for i, j in pairwise(rows)]
    order = fact.values["order"]
    if order == "superlinear":
        return [a, b, *(100 * j / i for i, j in pairwise(falls))]
    if order == "sublinear":
        places = rows[1:]
        return [a, b, 2 ** -numpy.polyfit(numpy.log(places), numpy.log(falls), 1)[0]]
    slope = numpy.polyfit(numpy.arange(len(falls)), numpy.log(falls), 1)[0]
    rate = math.exp(slope * len(falls) / (b - a))
    found = [a, b, 100 - 100 * rate, math.log(0.5) / math.log(rate)]
    found = found[: 4 if "by half" in fact.text else 3]
    # What is left of a geometric series after its last member.
    return found + ([falls[-1] * math.exp(slope) / (1 - math.exp(slope))] if "was left at the end" in fact.text else [])


def recomputed_gain(run: Run, fact: Fact) -> list[float]:
    rows = iterates(run)
    start, end = run.loss[rows[0]], run.loss[rows[-1]]
    at = next(i for k, i in enumerate(rows) if all(start - run.loss[j] >= 0.99 * (start - end) for j in rows[k:]))
    return [99, at, run.evaluations - 1 - at, 1]


def recomputed_trials(run: Run, fact: Fact) -> list[float]:
    line = "".join(".x"[not accepted] for accepted in run.accepted)
    longest = max(re.findall("x+", line), key=len)
    found = [line.count("x"), len(line), 100 * line.count("x") / len(line)]
    at = line.index(longest)
    return found + ([len(longest), at, at + len(longest) - 1] if len(longest) > 1 else [])


def norm(run: Run, of: str, i: int, j: int | None = None) -> float:
    arrays = getattr(run, of).values()
    return math.sqrt(sum(float(numpy.sum(numpy.abs(x[i] - (0 if j is None else x[j])) ** 2)) for x in arrays))


def recomputed_steps(run: Run, fact: Fact) -> list[float]:
    rows = iterates(run)
    lengths = [norm(run, "parameters", j, i) for i, j in pairwise(rows)]
    n = len(lengths) // 4
    return [numpy.median(lengths[:n]), numpy.median(lengths[-n:])]


def recomputed_steepest(run: Run, fact: Fact) -> list[float]:
    sizes = {i: norm(run, "gradients", i) for i in iterates(run)}
    top = max((i for i in sizes if math.isfinite(sizes[i])), key=lambda i: sizes[i])
    return [top, sizes[top], sizes[0]]


def recomputed_ending(run: Run, fact: Fact) -> list[float]:
    rows = iterates(run)
    events = {event.id: event for event in run.events}
    found: list[float] = [run.evaluations]
    if fact.cites and events[fact.cites[0]].values.get("message"):
        found = numbers_in(events[fact.cites[0]].text)
        made = run.history.calls[-1].ending.get("nit")
        found = [*([] if made is None else [made]), *found]
    if match := re.search(r"(still falling|rising), from \S+ at (?:iteration|evaluation) (\d+)", fact.text):
        since = int(match[2])
        assert (run.loss[since] > run.loss[rows[-1]]) == (match[1] == "still falling")
        found += [run.loss[since], since, run.loss[rows[-1]]]
    if match := re.search(r"since (?:iteration|evaluation) (\d+)", fact.text):
        assert not numpy.isfinite(run.loss[int(match[1]) :]).any()
        found.append(int(match[1]))
    return found


def recomputed_minimum(run: Run, fact: Fact) -> list[float]:
    rows = iterates(run)
    sizes = [norm(run, "gradients", i) for i in rows]
    level = sizes[-1] / max(sizes)
    assert level < 1e-3 if fact.values["minimum"] else level > 0.1
    return []


def recomputed_advice(run: Run, fact: Fact) -> list[float]:
    facts = {f.id: f for f in run.facts}
    assert all(cited in facts for cited in fact.cites)
    if "leave a tenth" in fact.text:
        (speed,) = (facts[cited] for cited in fact.cites if facts[cited].kind == "convergence")
        rate, more = speed.values["rate"], 0
        while rate**more > 0.1:
            more += 1
        return [more]
    if fact.text.startswith("The parameters of "):
        return [numpy.argmin(run.loss)]
    return []


def recomputed_movement(run: Run, fact: Fact) -> list[float]:
    a, b = fact.span
    values = column(run, fact.values["parameter"])
    entries = [run.parameters[fact.values["parameter"]][0].size] if "root mean square" in fact.text else []
    if "stayed" in fact.text or "where it began" in fact.text:
        return [*entries, values[b]]
    found = [*entries, values[a], values[b]]
    if "was 0 all along" in fact.text:
        assert not column(run, fact.values["parameter"], "gradients")[a:b].any()
        return [*found, 0]
    if " of " in fact.text.partition(";")[2]:
        slopes = column(run, fact.values["parameter"], "gradients")[a:b]
        way = numpy.sign(values[b] - values[a])
        asked = sum(-g * way > 0 for g in slopes)
        return found + ([asked] if asked else []) + [b - a]
    return found


def recomputed_credit(run: Run, fact: Fact) -> list[float]:
    names = [entry.name for entry in run.entries()]
    total = run.loss[-1] - run.loss[0]
    earned = []
    for name in names:
        x, g = column(run, name), column(run, name, "gradients")
        earned.append(sum((x[i + 1] - x[i]) * (g[i] + g[i + 1]) / 2 for i in range(len(x) - 1)))
    best = sorted(earned)
    if "other moves raised it" in fact.text:
        return [-best[0], -total]
    if "they would add up to" in fact.text:
        return [100 * sum(earned) / total]
    shares = [100 * part / total for part in best[:2]]
    return shares if " and moving" in fact.text else shares[:1]


def recomputed_gradient(run: Run, fact: Fact) -> list[float]:
    if "median" in fact.text:
        sizes = [norm(run, "gradients", i) for i in range(run.evaluations)]
        n = len(sizes) // 4
        return [numpy.median(sizes[:n]), numpy.median(sizes[-n:])][: 1 if "the same median" in fact.text else 2]
    first, last = (norm(run, "gradients", i) for i in (0, int(numpy.flatnonzero(run.accepted)[-1])))
    if " %" in fact.text:
        return [last, 100 * last / first, first]
    return [last, first] if "steeper" in fact.text else [last]


def recomputed_watch(run: Run, fact: Fact) -> list[float]:
    a, b = fact.span
    values = run.watches[fact.values["quantity"]].values
    if fact.form.startswith("changed, noisy"):
        values = smoothed(values[a : b + 1]).values
        return [values[0], values[-1]]
    return [values[b]] if "stayed" in fact.text or a == b else [values[a], values[b]]


def recomputed_event(run: Run, fact: Fact) -> list[float]:
    told = [e for e in run.events_as_recorded() if e.id in fact.cites]
    times = sorted(e.evaluation for e in told)
    same = [e for e in run.events_as_recorded() if e.name == told[0].name and times[0] <= e.evaluation <= times[-1]]
    if "rejected" in fact.form:  # what is quoted is of one time
        same = [e for e in told if e.evaluation == fact.values["at"]]
    said = [numbers_in(e.text) for e in same]
    ranges = [sorted({min(column), max(column)}) for column in zip(*said, strict=True)]
    when = [times[-1]] if fact.text.startswith(("Until", "After")) else [times[0]]
    when += [times[-1]] if fact.form.startswith("between") else []
    return [*when, *(number for each in ranges for number in each)]


def recomputed_best(run, fact):
    if "never" in fact.text:
        return []
    lowest = [numpy.nanmin(run.loss), numpy.nanargmin(run.loss)]
    if "draws" not in fact.text:
        return [*lowest, run.loss[iterates(run)[-1]]] if "ended" in fact.text else lowest
    accepted = run.loss[iterates(run)]
    count = max(len(accepted) // 20, 5)
    medians = numpy.median(accepted[len(accepted) % count :].reshape(-1, count), axis=1)
    place = int(numpy.argmin(medians))
    where = [len(accepted) % count + count * place, len(accepted) % count + count * (place + 1) - 1]
    return [*lowest, count, *([] if "nowhere" in fact.text else [medians[place], *where]), medians[-1]]


RECOMPUTED = {
    "course": recomputed_course,
    "phase": recomputed_phase,
    "movement": recomputed_movement,
    "credit": recomputed_credit,
    "gradient": recomputed_gradient,
    "watch": recomputed_watch,
    "event": recomputed_event,
    "best": recomputed_best,
    "gap": lambda run, fact: (
        [fact.span[0]] if len(said(run, fact)) == 1 else [sum(~numpy.isfinite(run.loss)), fact.span[0]]
    ),
    "largest drop": recomputed_step,
    "largest rise": recomputed_step,
    "convergence": recomputed_convergence,
    "gain": recomputed_gain,
    "trials": recomputed_trials,
    "steps": recomputed_steps,
    "steepest": recomputed_steepest,
    "minimum": recomputed_minimum,
    "advice": recomputed_advice,
    "ending": recomputed_ending,
    "truth": lambda run, fact: [
        column(run, fact.values["parameter"])[-1],
        next(e.parameter.truth for e in run.entries() if e.name == fact.values["parameter"]),
    ],
}

RECOMPUTED |= recomputed_parameters.RECOMPUTED
RECOMPUTED["finding"] = lambda run, fact: said(run, fact)  # each kind of finding has tests of its own
RECOMPUTED |= {
    path.stem.removeprefix("test_").removesuffix("_fact").replace("_", " "): import_module(
        f"tests.{path.stem}"
    ).recomputed
    for path in sorted(Path(__file__).parent.glob("test_*_fact.py"))
}
"""How the numbers of a kind are found by other means; a kind with a test file of its own has it there."""


def assert_facts_are_true(run: Run, kinds=RECOMPUTED) -> None:
    parts, facts = shown_parts(run), list(run.facts)
    if not parts.is_whole:  # told as if the fit that is shown had been recorded alone, but for the numbers
        part = excerpt(run, *parts.story, parts.places.left_out)
        alone = [(f.kind, f.form, f.slots, f.span) for f in (shifted(fact, parts.places) for fact in part.facts)]
        assert alone == [(f.kind, f.form, f.slots, f.span) for f in facts if f.kind not in ("fits", "ends")]
        assert_facts_are_true(part, kinds)
        facts = [fact for fact in facts if fact.kind in ("fits", "ends")]
    for fact in (fact for fact in facts if fact.kind in kinds or fact.kind not in RECOMPUTED):
        read, true = said(run, fact), RECOMPUTED[fact.kind](run, fact)
        assert len(read) == len(true), (fact.text, true)
        shares = [m.end() for m in re.finditer(r"[\d]+(?= %)", fact.text)]
        for i, (r, t) in enumerate(zip(read, true, strict=True)):
            is_share = " %" in fact.text and r in [numbers_in(fact.text[:e])[-1] for e in shares] and r <= 100
            is_read_off = fact.kind in _READ_OFF and close_to_its_digits(r, t)
            assert close(r, t) or (is_share and abs(r - t) <= 1) or is_read_off, (fact.text, i, r, t)
        # Directions, by other means than the sentences were made.
        pairs = re.findall(r"(fell|rose) from (\S+) to (\S+)", fact.text)
        for verb, first, second in pairs:
            low, high = numbers_in(first)[-1], numbers_in(second)[0]
            assert (high > low) == (verb == "rose"), fact.text
            assert high != low, fact.text


@all_runs
def test_every_number_and_direction_follows_from_the_recording(make) -> None:
    assert_facts_are_true(make())


@pytest.mark.parametrize(
    "losses",
    [
        [5, 4, np.nan, 3, 2.5], [np.nan, 4, 3, 2.5], [5, np.inf, 4, np.inf, 3], [5, np.nan, np.nan], [1, 2, 3, 2, 1],
        [3, 3], [1, 1 + 1e-9, 1 + 2e-9], [1e308, -1e308, 1e307], [-1, 1], [1, -1], [0, 0, 1], [2, 0], [1e-300, 1e-308],
        [100] + [1.0] * 30, [*(0.5 ** np.arange(20)), *[0.0] * 20], [np.nan], [np.inf, np.inf], [15.1, 15.09],
        [*np.exp(-np.arange(30) / 8), 50.0], list(10 + np.sin(np.arange(60) * 7.3)), [2.0] * 30 + [1.0] * 30,
    ],
)  # fmt: skip
def test_facts_of_odd_losses_are_true(losses) -> None:
    run = from_losses(losses)
    assert run.evaluations == len(losses)
    assert_facts_are_true(run)
    for caption in run.captions:
        assert caption.text


@all_runs
def test_facts_are_the_same_again_and_cite_what_is_there(make) -> None:
    run = make()
    first = run.facts
    run.memo.pop("analysis", None)
    assert run.facts == first
    assert [f.id for f in first] == [f"F{i}" for i in range(1, len(first) + 1)]
    events = {event.id for event in run.events}
    for fact in first:
        assert 0 <= fact.span[0] <= fact.span[1] < run.evaluations
        assert set(fact.cites) <= events | {other.id for other in first}


@all_runs
def test_facts_read_well(make) -> None:
    for fact in make().facts:
        text = fact.text
        assert text.endswith(".")
        assert not text.endswith("..")
        assert "  " not in text
        assert not re.search(r"(?<![\d.])1 iterations|\bnan\b|\binf\b|−0 |, 0 %|None|np\.|array\(", text), text
        assert not re.search(r"from (\S+) to \1(?:[ ,;]|\.$)", text), text
        assert not re.search(r"at 0 of|of 1 iterations|a (?:higher|lower) the", text), text
        for value in re.findall(r"(\d+) %", text.partition("they would add up to")[0]):
            assert int(value) <= 100


def test_parameters_may_change_places() -> None:
    stiffness = np.array([1.0, 3.0, 0.4])
    start = np.array([3.0, -2.0, 1.0])

    def facts(order: list[int]) -> dict[str, set[str]]:
        scale = stiffness[order]
        run = descend(xi.record(), lambda x: np.sum(scale * x**2), start[order], 0.1, 40)
        names = {f"x[{place}]": f"<{parameter}>" for place, parameter in enumerate(order)}
        found: dict[str, set[str]] = {}
        for fact in run.facts:
            text = re.sub(r"x\[\d\]", lambda m: names[m.group()], fact.text)
            found.setdefault(fact.kind, set()).add(text)
        return found

    assert facts([0, 1, 2]) == facts([2, 0, 1]) == facts([1, 2, 0])


def test_parameters_may_change_their_names() -> None:
    def run(name: str) -> list[str]:
        with xi.record() as recorded:
            x = {name: 3.0, "other": 1.0}
            for _ in range(20):
                slope = grad(lambda x: (x[name] - 1) ** 2 + 3 * x["other"] ** 2)(x)
                x = {k: x[k] - 0.1 * slope[k] for k in x}
        return [fact.text.replace(name, "NAME") for fact in recorded.facts]

    assert run("drag") == run("η·ρ") == run("<script>") == run("k[0].*") == run("温度")


def test_the_unit_of_the_loss_changes_only_the_losses() -> None:
    def kinds(factor: float) -> list[tuple[str, tuple[int, int]]]:
        run = descend(xi.record(), lambda x: factor * np.sum((x - 1) ** 2), np.array([3.0, 5.0]), 0.1 / factor, 40)
        return [(fact.kind, fact.span) for fact in run.facts]

    assert kinds(1.0) == kinds(1024.0) == kinds(2.0**-40)


# ---------------------------------------------------------------------- sentences that were wrong once


def texts(run: Run, kind: str) -> list[str]:
    return [fact.text for fact in run.facts if fact.kind == kind]


def test_a_loss_that_comes_back_has_not_stayed() -> None:
    points = np.array([0.0, 1.0, 1.5, 3.0, 2.0])  # evenly spaced ones would be those of a plot
    assert texts(from_losses([1, 2, 3, 2, 1], points=points), "course") == [
        "The loss changed over 5 iterations and ended where it began, at 1."
    ]


def test_a_large_fall_is_not_hardly_a_change() -> None:
    run = from_losses(numpy.concatenate([10.0 ** -numpy.arange(0, 12, 0.4), numpy.full(30, 1e-12)]))
    assert not any("hardly" in text for text in texts(run, "phase"))


def test_a_negative_loss_has_no_percentage() -> None:
    for name in ("negative", "through_zero"):
        assert "%" not in texts(EXAMPLES[name](), "course")[0]


def test_no_share_is_above_the_whole() -> None:
    def loss(x):  # x[0] lowers it by more than it falls in all, x[1] raises it again
        return 10 * x[0] - x[1]

    with xi.record() as run:
        for t in range(10):
            grad(loss)(np.array([-1.0 * t, -4.0 * t]))
    (credit,) = texts(run, "credit")
    assert credit == (
        "Along the path, the moves of x[0] lowered the loss by 90 and other moves raised it: in all it fell by 54."
    )
    assert_facts_are_true(run)


def test_a_run_that_ends_in_no_number_has_not_ended_at_its_last_number() -> None:
    facts = " ".join(fact.text for fact in EXAMPLES["overflowing"]().facts)
    assert "ended at" not in facts
    assert "from iteration 5 on it was not a finite number" in facts


def test_a_gradient_of_zero_asks_for_nothing() -> None:
    run = from_losses([3.0, 2.0, 1.0])
    assert texts(run, "movement") == ["x rose from 0 to 2; its gradient was 0 all along."]


def test_a_parameter_that_goes_to_and_fro_is_said_to() -> None:
    assert texts(EXAMPLES["oscillating"](), "movement") == ["x swung to and fro, and went from 3 to −0.918."]


def test_one_step_is_told_in_the_singular() -> None:
    assert texts(EXAMPLES["two_evaluations"](), "movement") == ["x fell from 3 to 2.6; the gradient asked for this."]


def test_the_size_of_the_gradient_counts_the_entries_that_are_not_kept() -> None:
    run = descend(xi.record(), lambda w: np.sum(w**2), np.ones(10_000), 0.1, 5)
    (gradient,) = texts(run, "gradient")
    assert gradient == "At the end the slope (the size of the gradient) was 81.9, or 41 % of the 200 at the start."


def test_a_watch_that_is_not_there_each_time_is_not_followed() -> None:
    def loss(x, i):
        for _ in range({0: 2, 1: 0}.get(i, 1)):
            xi.watch(x * 2, "double")
        return x**2

    with xi.record() as run:
        for i in range(6):
            grad(loss)(3.0 - 0.1 * i, i)
    assert len(run.watches["double"].values) == run.evaluations
    assert texts(run, "watch") == []


def test_a_watch_that_begins_or_ends_in_mid_run_is_told_of_where_it_was() -> None:
    def loss(x, i):
        if 20 <= i < 30 or i >= 40:
            xi.watch(x**3, "late" if i >= 40 else "between", "kg")
        return x**2

    with xi.record() as run:
        x = 4.0
        for i in range(60):
            x = x - 0.02 * grad(loss)(x, i)
    late, between = run.watches["late"].values, run.watches["between"].values
    told = {fact.values["quantity"]: fact.text for fact in run.facts if fact.kind == "watch"}
    assert told["late"].startswith("From iteration 40 on, before which it was not watched, late fell from ")
    assert told["between"].startswith("Between iterations 20 and 29, in which it was watched, between fell from ")
    assert numbers_in(told["late"]) == pytest.approx([40, late[0], late[-1]], rel=0.01)
    assert numbers_in(told["between"]) == pytest.approx([20, 29, between[0], between[-1]], rel=0.01)


def test_single_draws_of_a_watched_quantity_are_not_told() -> None:
    random = numpy.random.RandomState(1)
    rows = random.randn(300, 3)
    targets = rows @ numpy.array([1.0, -2.0, 0.5]) + 0.1 * random.randn(300)
    batches = [random.randint(0, 300, 20) for _ in range(400)]

    def loss(w, i):
        misfit = xi.watch(np.mean((np.dot(rows[batches[i]], w) - targets[batches[i]]) ** 2), "misfit")
        return misfit + xi.watch(0.05 * np.sum(w**2), "decay")

    with xi.record() as run:
        adam(grad(loss), numpy.zeros(3), num_iters=400, step_size=0.02)
    told = {fact.values["quantity"]: fact for fact in run.facts if fact.kind == "watch" and fact.span == (0, 399)}
    assert told["misfit"].text.startswith("Apart from its noise, misfit fell from ")
    assert told["decay"].text.startswith("Decay rose from 0 to ")
    for fact in run.facts:
        if fact.kind == "watch" and fact.values["quantity"] == "misfit":
            assert "noisy" in fact.form


def test_events_that_were_not_kept_are_not_said_to_have_ended() -> None:
    def loss(x):
        xi.event("{x:.1f} is far", x=x)
        return x**2

    with xi.record(max_events=8) as run:
        for i in range(20):
            grad(loss)(20.0 - i)
    assert run.notices
    assert texts(run, "event") == []


def test_an_event_ends_in_one_full_stop() -> None:
    def loss(x, i):
        if i == 2:
            xi.event("it rings.\nTwice.")
        return x**2

    with xi.record() as run:
        for i in range(5):
            grad(loss)(5.0 - i, i)
    assert texts(run, "event") == ["At iteration 2: it rings. Twice."]


def test_a_true_value_is_told_apart_from_the_one_found() -> None:
    found = texts(EXAMPLES["exponential_fit"](), "truth")
    assert found[0] == "Amplitude ended at 3.002 V; the true value is 3.000 V."


def test_a_running_run_has_not_ended() -> None:
    with xi.record() as run:
        for x in (1.0, 3.0, 2.0):
            grad(lambda x: x**2)(x)
        while_running = " ".join(fact.text for fact in run.facts)
    assert "ended" not in while_running
    assert "At the end" not in while_running


def test_facts_that_say_the_same_are_equal_also_where_a_number_is_none():
    one, same = (Fact("F1", "course", "changed", {"end": Value(float("nan"))}, (0, 1)) for _ in range(2))
    assert one == same
    assert len({one, same}) == 1
    assert one != Fact("F1", "course", "changed", {"end": Value(1.0)}, (0, 1))


def test_a_loss_that_fell_once_and_stayed_has_not_stayed_about_its_median() -> None:
    wander = numpy.random.RandomState(0).uniform(-0.06, 0.06, 30)
    run = from_losses(numpy.concatenate([[0.871], -1.04 + wander]))
    assert not any("stayed about" in text for text in texts(run, "course"))
