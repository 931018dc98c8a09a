"""The checker against errors: planted in what the narrator says of many runs, and in other wordings of it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import pytest

import tests.traces.courses  # noqa: F401 - fills the library
from tests.example_runs import EXAMPLES
from tests.planted import LAST, SECOND_ROUND, Planter, is_iteration, places, swapped
from tests.stated import LAST as LAST_STATED
from tests.stated import MAKERS, THIRD_ROUND, Maker, stated
from tests.traces.library import TRACES
from tests.written import by_form, by_hand, free_text
from xinv_nb.claims.claims import check, domain_of
from xinv_nb.claims.numerals import numbers_in
from xinv_nb.claims.sameness import same_claims
from xinv_nb.language.quantities import number
from xinv_nb.run import Run


def put(text: str, match: re.Match[str], value: float, digits: int = 4) -> str:
    return text[: match.start()] + number(value, digits) + text[match.end() :]


def wrong_number(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    for match in places(text, keys):
        value = numbers_in(match.group())[0]
        if not is_iteration(text, match):
            yield from (put(text, match, wrong) for wrong in (value * 10 or 3.0, -value or 1.0, value * 1.3 + 1))


def near_miss(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    for match in places(text, keys):
        if is_iteration(text, match):
            continue
        digits = match.group().partition("×")[0]
        last = digits[-1]
        yield text[: match.start()] + digits[:-1] + str((int(last) + 2) % 10) + text[match.start() + len(digits) :]
        if len(digits) > 2 and digits[-1] != digits[-2] and "." not in digits[-2:]:
            other = digits[:-2] + digits[-1] + digits[-2]
            yield text[: match.start()] + other + text[match.start() + len(digits) :]


def wrong_iteration(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    for match in places(text, keys):
        if is_iteration(text, match):
            yield from (put(text, match, int(match.group()) + step, 9) for step in (1, 7))


def another_quantity(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    everything = {**keys, "the loss": "loss"}
    for name, key in everything.items():
        for other, another in everything.items():
            inside = any(name != n and name in n and n in text for n in everything)
            if another != key and not inside and name in text:
                yield text.replace(name, other, 1)


def direction(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    del keys
    yield from swapped(
        text, ("fell", "rose"), ("lower", "higher"), ("steeper", "flatter"), ("south", "north"), ("longer", "shorter"),
        ("lowered", "raised"), ("below", "above"), ("less than", "more than"), ("dropped", "climbed"),
        ("decreased", "increased"), ("down from", "up from"),
    )  # fmt: skip


def start_and_end(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    del keys
    for match in re.finditer(r"from (\S+) to (\S+)", text):
        one, two = match[1], match[2].rstrip(".,;:")
        if one != two and "iteration" not in match.group():
            yield text[: match.start()] + f"from {two} to {one}" + text[match.start() + len(f"from {one} to {two}") :]
    yield from swapped(text, ("at the start", "at the end"), ("started", "ended"), ("at first", "in the end"))


def order(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    found = places(text, keys)
    for one, two in pairwise(found):
        if one.group() != two.group():
            between = text[one.end() : two.start()]
            yield text[: one.start()] + two.group() + between + one.group() + text[two.end() :]
    yield from swapped(text, ("first time", "last time"), ("until iteration", "from iteration"), ("after", "before"))


def extremum(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    del keys
    yield from swapped(text, ("lowest", "highest"), ("never lower", "never higher"), ("largest", "smallest"),
                       ("never below", "never above"), ("steepest", "flattest"))  # fmt: skip


def pattern(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    del keys
    for verb in ("fell", "rose", "stayed", "went"):
        for other in ("oscillated", "diverged", "hardly changed,", "converged", f"{verb} steadily,", "zig-zagged"):
            yield from (t for t in re.sub(rf"\b{verb}\b", other, text, count=1).splitlines() if t != text)
    yield from swapped(text, ("to and fro", "smoothly"), ("went up and down", "went down"), ("plateau", "descent"))


def cause(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    del keys
    for why in ("because of air resistance", "due to noise", "since the step size was small", "thanks to momentum"):
        yield f"{text[:-1]} {why}."
        yield f"{why[0].upper()}{why[1:]}, {text[0].lower()}{text[1:]}"
        yield text.replace(" from ", f" {why} from ", 1)


def entity(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    del keys
    yield f"The learning rate and {text[0].lower()}{text[1:]}"
    yield f"{text[:-1]}, as did the temperature."
    yield f"{text} The momentum was 0.9."
    yield text.replace("the gradient", "the Hessian")
    yield text.replace("loss", "accuracy")


def negation(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    del keys
    for verb in ("fell", "rose", "was", "asked", "moved", "stayed", "ended", "went", "accounts"):
        yield re.sub(rf"\b{verb}\b", f"never {verb}", text, count=1)
        yield re.sub(rf"\b{verb}\b", f"did not {verb}", text, count=1)
    yield re.sub(r"\bnot a\b", "a", text)
    yield re.sub(r"\bnever lower\b", "lower", text)
    yield re.sub(r"\bhardly changed\b", "changed", text)
    yield f"It is not true that {text[0].lower()}{text[1:]}"


def unit(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    units = r"(?:m/s|km|min|M€|kg|MPa|V²|per s|V|m|°|%)(?![\w/²])"
    for match in re.finditer(rf"(?<=\d) ?{units}", text):
        for other in (" kN", " cm", " h"):
            yield text[: match.start()] + other + text[match.end() :]
    for match in places(text, keys):
        if not re.match(rf" ?{units}| (?:and|to) ", text[match.end() :]) and not is_iteration(text, match):
            yield text[: match.end()] + " km" + text[match.end() :]


def role(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    del keys
    yield from swapped(text, ("forward pass", "backward pass"), ("asked for this", "asked for the opposite"),
                       ("at every iteration", "at no iteration"), ("accounts for", "is accounted for by"),
                       ("true value", "first value"), ("would lower", "lowered"))  # fmt: skip


def percent(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    yield from (text[: m.start()] + text[m.end() :] for m in re.finditer(" %", text))
    for match in places(text, keys):
        if not text[match.end() :].lstrip().startswith("%") and not is_iteration(text, match):
            yield text[: match.end()] + " %" + text[match.end() :]


KINDS: dict[str, Planter] = {
    "wrong number": wrong_number, "near miss": near_miss, "wrong iteration": wrong_iteration,
    "another quantity": another_quantity, "direction": direction, "start and end": start_and_end, "order": order,
    "extremum": extremum, "pattern": pattern, "cause": cause, "entity": entity, "negation": negation, "unit": unit,
    "role": role, "percent": percent,
}  # fmt: skip


def hearsay(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    """Written after the checker and never used to tune it: what is only said, hoped or expected."""
    del keys
    inner = text[0].lower() + text[1:]
    yield f"Some would claim that {inner}"
    yield f"It was hoped that {inner}"
    yield f"Supposedly, {inner}"
    yield f"In another run, {inner}"
    yield re.sub(r"\b(fell|rose|was|ended|went)\b", r"might have \1", text, count=1)
    yield re.sub(r"\b(fell|rose|was|ended|went)\b", r"nearly \1", text, count=1)
    yield f"{text[:-1]}, if nothing had gone wrong."


def derived(text: str, keys: Mapping[str, str]) -> Iterator[str]:
    """Yield something made of the quantity in its place."""
    for name in [*keys, "the loss", "The loss", "the slope"]:
        for of in ("the logarithm of", "half of", "the mean of", "the change of", "the square root of", "the sign of"):
            if name in text:
                yield text.replace(name, f"{of} {name[0].lower()}{name[1:]}", 1)


HELD_OUT: dict[str, Planter] = {"hearsay": hearsay, "derived": derived}

RUNS: dict[str, Callable[[], Run]] = EXAMPLES | {f"trace {name}": trace.make for name, trace in TRACES.items()}
MOST_LEAKS = 0.005
STRIDE = 11
"""Of the errors of every kind, every eleventh is planted: a few thousand of fifty thousand."""


def told() -> Iterator[tuple[Run, str, str, tuple[int, int] | None]]:
    """Yield a run, a true sentence about it, the narrator's sentence that it words, and its iterations."""
    for make in RUNS.values():
        run = make()
        yield from ((run, fact.text, fact.text, fact.span) for fact in run.facts)
    for written in [*by_form(320), *by_hand()]:
        run = EXAMPLES[written.run]()
        if written.is_true and not same_claims(written.text, written.source, domain_of(run)):
            yield run, written.text, written.source, written.span


def of_evaluations(plant: Planter, text: str, keys: Mapping[str, str]) -> Iterator[str]:
    """Yield the errors in a sentence, also where it has evaluations in the place of iterations."""
    if "evaluation" not in text or "iteration" in text:
        return plant(text, keys)
    return (wrong.replace("iteration", "evaluation") for wrong in plant(text.replace("evaluation", "iteration"), keys))


def planted(kinds: Mapping[str, Planter], stride: int, every: int = 1) -> Iterator[tuple[Run, str, str, str]]:
    """Yield a run, the kind of an error, the sentence with it, and the narrator's; of `every` few sentences one."""
    count = 0
    for run, text, source, _ in itertools.islice(told(), 0, None, every):
        for kind, plant in kinds.items():
            for wrong in of_evaluations(plant, text, domain_of(run).quantities):
                count += 1
                if count % stride == 0 and wrong not in (text, source):
                    yield run, kind, wrong, source


def test_what_facts_say_is_never_contradicted() -> None:
    wrong = []
    for name, make in RUNS.items():
        run = make()
        for fact in run.facts:
            claims = check(run, fact.text, fact.span)
            wrong += [(name, fact.text, claim.reason) for claim in claims if claim.supported is not True]
    assert wrong == []


@pytest.mark.parametrize(
    ("kinds", "stride", "every"),
    [(KINDS, STRIDE, 1), (HELD_OUT, STRIDE, 1), (SECOND_ROUND, 23, 4), (LAST, 5, 4)],
    ids=["first round", "hearsay and derived", "second round", "held out"],
)
def test_planted_errors_never_stand_for_the_facts(kinds, stride, every) -> None:
    found: Counter[str] = Counter()
    leaks = []
    for run, kind, wrong, source in planted(kinds, stride, every):
        found[kind] += 1
        if not same_claims(wrong, source, domain_of(run)):
            leaks.append((kind, source, wrong))
    assert set(found) == set(kinds)
    assert sum(found.values()) > 800
    assert len(leaks) <= MOST_LEAKS * sum(found.values()), leaks


@pytest.mark.parametrize("kind", ["cause", "entity", "unit", "direction", "hearsay"])
def test_free_text_with_an_error_is_not_supported(kind) -> None:
    leaks = [
        wrong
        for run, _, wrong, _ in planted({kind: {**KINDS, **HELD_OUT}[kind]}, 37 if kind != "direction" else 5)
        if all(claim.supported for claim in check(run, wrong))
    ]
    assert leaks == []


@pytest.mark.parametrize("makers", [MAKERS, THIRD_ROUND, LAST_STATED], ids=["second round", "third round", "held out"])
def test_sentences_made_from_the_arrays_are_judged_as_they_are(makers: Mapping[str, Maker]) -> None:
    """Each sentence is known to be true or false from the arrays alone."""
    found: Counter[tuple[str, bool]] = Counter()
    leaks, contradicted = [], []
    for name, make in RUNS.items():
        run = make()
        for kind, text, is_true in stated(run, 1, 0, makers):
            verdicts = [claim.supported for claim in check(run, text)]
            found[kind, is_true] += 1
            if not is_true and all(verdicts):
                leaks.append((name, kind, text))
            if is_true and False in verdicts:
                contradicted.append((name, kind, text))
    assert {kind for kind, is_true in found if not is_true} == set(makers)
    assert sum(found.values()) > 400
    assert len(leaks) <= MOST_LEAKS * sum(found.values()), leaks
    assert len(contradicted) <= MOST_LEAKS * sum(found.values()), contradicted


# ---------------------------------------------------------------------- sentences as people write them


def test_true_sentences_are_many_and_in_other_words() -> None:
    assert len([w for w in by_hand() if w.is_true]) >= 150
    assert len([w for w in by_hand() if not w.is_true]) >= 150
    assert len(TRUE) >= 500
    assert len({(w.run, w.text) for w in TRUE}) == len(TRUE)
    assert not any(w.text in w.source for w in TRUE)


TRUE = list({(w.run, w.text): w for w in (*by_form(320), *by_hand()) if w.is_true}.values())


def test_true_sentences_are_mostly_supported() -> None:
    verdicts = {w.text: check(EXAMPLES[w.run](), w.text, w.span) for w in TRUE}
    passed = [text for text, claims in verdicts.items() if all(c.supported for c in claims)]
    left = {t: [c.reason for c in claims if not c.supported] for t, claims in verdicts.items() if t not in passed}
    assert len(passed) >= 0.95 * len(TRUE), left


def test_true_sentences_are_hardly_ever_contradicted() -> None:
    contradicted = [w.text for w in TRUE for c in check(EXAMPLES[w.run](), w.text, w.span) if c.supported is False]
    assert contradicted == []


def test_most_rewordings_may_stand_for_the_facts() -> None:
    why = {w.text: same_claims(w.text, w.source, domain_of(EXAMPLES[w.run]())) for w in TRUE}
    passed = [text for text, objection in why.items() if not objection]
    assert len(passed) >= 0.7 * len(TRUE), {text: objection for text, objection in why.items() if objection}


def test_no_false_sentence_is_supported() -> None:
    false = [w for w in by_hand() if not w.is_true]
    leaks = [w.text for w in false if all(c.supported for c in check(EXAMPLES[w.run](), w.text))]
    leaks += [w.text for w in false if not same_claims(w.text, w.source, domain_of(EXAMPLES[w.run]()))]
    assert leaks == []


def test_free_text_of_students_is_mostly_supported_and_no_false_one_is() -> None:
    verdicts = {(w.run, w.text): check(RUNS[w.run](), w.text) for w in free_text()}
    true = [(w.run, w.text) for w in free_text() if w.is_true]
    left = {key: [c.reason for c in verdicts[key] if not c.supported] for key in true}
    left = {key: reasons for key, reasons in left.items() if reasons}
    assert len(true) >= 100
    assert len(left) <= 0.2 * len(true), left
    assert [w.text for w in free_text() if not w.is_true and all(c.supported for c in verdicts[w.run, w.text])] == []
    assert [key for key in true if any(c.supported is False for c in verdicts[key])] == []
