"""Errors to plant in true sentences: each kind takes the sentence and the domain's names, and yields wrong ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from xinv_nb.claims.numerals import numbers_in
from xinv_nb.language.quantities import number

Names = Mapping[str, str]
"""From each name of the domain to the key of what it means."""
Planter = Callable[[str, Names], Iterator[str]]

NUMBER = re.compile(r"(?<![\w.\[(×])[−-]?\d+(?:\.\d+)?(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?![\w\])])")
VERBS = ("fell", "rose", "was", "ended", "went", "stayed", "moved", "asked", "accounts", "swung")


def swapped(text: str, *pairs: tuple[str, str], both: bool = True) -> Iterator[str]:
    """Yield `text` with one word of a pair in the place of the other, each place by itself."""
    for one, two in [*pairs, *((b, a) for a, b in pairs if both)]:
        for match in re.finditer(rf"(?<!\w){re.escape(one)}(?!\w)", text, re.IGNORECASE):
            word = two[0].upper() + two[1:] if match.group()[0].isupper() else two
            yield text[: match.start()] + word + text[match.end() :]


def inside(text: str) -> str:
    """Return a sentence as it stands behind other words."""
    return text[0].lower() + text[1:]


def places(text: str, keys: Names) -> list[re.Match[str]]:
    """Return the numbers of a text that stand in no name and count no iterations."""
    names = [m.span() for name in keys for m in re.finditer(re.escape(name), text)]
    return [m for m in NUMBER.finditer(text) if not any(a <= m.start() < b for a, b in names)]


def is_iteration(text: str, match: re.Match[str]) -> bool:
    """Whether a number numbers or counts iterations."""
    before, after = text[: match.start()], text[match.end() :]
    return match.group().isdigit() and bool(
        re.search(r"iterations?(?: \d+ (?:and|to))? $|none of $", before) or re.match(r" (?:of \d+ )?iter", after)
    )


def others(text: str, keys: Names) -> list[str]:
    """Return names that do not occur in a sentence, of things that do not either."""
    said = {key for name, key in keys.items() if name.lower() in text.lower()}
    return [name for name, key in keys.items() if key not in said and len(name.strip()) > 1][:3]


# ---------------------------------------------------------------------- an adversary's, of the second round


def scale(text: str, keys: Names) -> Iterator[str]:
    """Yield numbers moved by a power of ten, cut, or rounded too far."""
    for match in places(text, keys):
        if is_iteration(text, match):
            continue
        said, value = match.group(), numbers_in(match.group())[0]
        if not value:
            continue
        wrong = [number(value / 10, 4), number(value * 1000, 4), said.partition("×")[0] if "×" in said else said + "0"]
        if "." in said and "×" not in said:
            wrong += [said.replace(".", ""), said.partition(".")[0]]
        if "⁻" in said:
            wrong.append(said.replace("⁻", ""))
        for other in wrong:
            if numbers_in(other) != [value]:
                yield text[: match.start()] + other + text[match.end() :]
        yield f"{text[: match.start()]}{said} thousand{text[match.end() :]}"
        yield f"{text[: match.start()]}{said}k{text[match.end() :]}"


def quantifier(text: str, keys: Names) -> Iterator[str]:
    """Yield another share of the iterations, or of the things spoken of."""
    del keys
    for other in (
        "at most iterations",
        "at some iterations",
        "at almost every iteration",
        "at about every iteration",
        "at half of all iterations",
        "at every second iteration",
        "at one iteration",
        "in first iterations",
        "at least at one iteration",
        "at the first iteration",
        "almost all along",
        "at no more iterations",
    ):
        yield from swapped(text, ("at every iteration", other), both=False)
        if found := re.search(r"at (?:none|\d+) of (?:the )?\d+ iterations", text):
            yield text[: found.start()] + other + text[found.end() :]
    for other in ("at first", "at the end", "now and then", "mostly", "at the start", "then", "at some time", "never"):
        yield from swapped(text, ("all along", other), both=False)
    for some in ("Some of", "Half of", "Most of", "All of", "None of", "Both", "Neither of"):
        yield f"{some} {inside(text)}"


def shifted_time(text: str, keys: Names) -> Iterator[str]:
    """Yield another stretch made of the same iterations."""
    del keys
    for match in re.finditer(r"between iterations (\d+) and (\d+)", text):
        a, b = int(match[1]), int(match[2])
        for other in (
            f"until iteration {a}",
            f"from iteration {b} on",
            f"before iteration {a}",
            f"after iteration {b}",
            f"between iterations {b} and {2 * b - a}",
            f"at iteration {b}",
            f"in the first {a} iterations",
            f"over {b - a} iterations",
            f"in {b} iterations",
            f"by iteration {b}",
            f"between iterations {a} and {b} of the run before",
            f"not between iterations {a} and {b}",
            f"outside iterations {a} and {b}",
            f"every {b} iterations",
            f"between iteration {a} and the end",
        ):
            yield text[: match.start()] + other + text[match.end() :]
    for match in re.finditer(r"over (\d+) iterations", text):
        n = match[1]
        for other in (
            f"in the last {n} iterations",
            f"every {n} iterations",
            f"at iteration {n}",
            f"from iteration {n}",
            f"after iteration {n}",
            f"by iteration {n}",
            f"in less than {n} iterations",
            f"in more than {n} iterations",
            f"in about {n} iterations",
            f"over {n} iterations each time",
            f"{n} iterations before the end",
            f"until {n} iterations before the end",
            f"over {n}",
        ):
            yield text[: match.start()] + other + text[match.end() :]
    yield from swapped(
        text,
        ("at iteration", "before iteration"),
        ("at iteration", "after iteration"),
        ("at iteration", "since iteration"),
        ("at the end", "before the end"),
        both=False,
    )


def comparison(text: str, keys: Names) -> Iterator[str]:
    """Yield comparisons with something else, or the other way round."""
    for other in ("at the end", "expected", "its true value", "before", "in the last run", "the gradient", "ever"):
        yield from swapped(text, ("than at the start", f"than {other}"), both=False)
        yield from swapped(text, ("the start", f"{other}"), both=False)
    for name in others(text, keys):
        yield from swapped(text, ("than at the start", f"than {name}"), both=False)
        for verb in VERBS:
            yield from swapped(
                text, (verb, f"{verb} more than {name} and"), (verb, f"{verb}, like {name},"), both=False
            )
        yield f"{text[:-1]}, more than {name}."
        yield f"Unlike {name}, {inside(text)}"
        yield f"{text[:-1]}, faster than {name}."
    yield from swapped(
        text,
        ("less than", "no less than"),
        ("more than", "not more than"),
        ("lower", "no lower"),
        ("steeper", "no steeper"),
        ("lower", "three times lower"),
        both=False,
    )


def hedge(text: str, keys: Names) -> Iterator[str]:
    """Yield a verb that no longer states what it did."""
    del keys
    for verb, base in zip(
        VERBS, ("fall", "rise", "be", "end", "go", "stay", "move", "ask", "account", "swing"), strict=True
    ):
        for how in (
            f"seemed to {base}",
            f"tended to {base}",
            f"could {base}",
            f"was about to {base}",
            f"should {base}",
            f"would {base}",
            f"rarely {verb}",
            f"perhaps {verb}",
            f"{verb} or rose",
            f"{verb} or not",
            f"failed to {base}",
            f"stopped and {verb}",
            f"almost {verb}",
            f"{verb} almost",
            f"{verb} at least",
            f"{verb} at most",
            f"{verb} only",
            f"{verb} by half",
            f"hardly {verb}",
            f"had to {base}",
            f"will {base}",
            f"{verb} again",
            f"{verb} and stayed",
            f"no longer {verb}",
            f"first {verb} then rose",
        ):
            yield from swapped(text, (verb, how), both=False)
    yield f"If {inside(text)}"
    yield f"Either {inside(text)}"
    yield f"{text[:-1]}, or so."
    yield f"{text[:-1]}, or not."
    yield f"{text[:-1]}, as a rule."


def double_negation(text: str, keys: Names) -> Iterator[str]:
    """Yield a negation, or two, in places where they are easily overlooked."""
    del keys
    for verb in VERBS:
        yield from swapped(
            text,
            (verb, f"not once {verb}"),
            (verb, f"never not {verb}"),
            (verb, f"{verb} not"),
            (verb, f"neither {verb} nor rose"),
            (verb, f"{verb} nowhere"),
            (verb, f"{verb} without change"),
            (verb, f"was not what {verb}"),
            (verb, f"no more {verb}"),
            both=False,
        )
    yield f"There was no iteration at which {inside(text)}"
    yield f"Not that {inside(text)}"
    yield f"No, {inside(text)}"
    yield f"It is not so that {inside(text)}"
    yield f"{text[:-1]}: not true."
    yield f"{text[:-1]}, not."
    yield f"{text[:-1]} (false)."
    yield f"None of this: {inside(text)}"
    yield from swapped(text, ("from", "not from"), ("to", "not to"), ("over", "not over"), both=False)


def participle(text: str, keys: Names) -> Iterator[str]:
    """Yield a cause or an effect that hangs on as a participle or a by-phrase, in words that are all known."""
    body = text[:-1]
    for name in [*others(text, keys), "the loss", "the gradient", "it", "the step"]:
        for tail in (
            f", lowering {name}",
            f", raising {name}",
            f" by lowering {name}",
            f", causing {name} to fall",
            f", bringing {name} down",
            f", which lowered {name}",
            f", with {name} rising",
            f", making {name} fall",
            f", as {name} rose",
            f" with {name}",
            f" by {name}",
            f" thanks to {name}",
            f", led by {name}",
            f", moving {name}",
            f" against {name}",
            f", driven by {name}",
            f" for {name}",
            f" from {name}",
        ):
            yield f"{body}{tail}."
        yield f"Lowering {name}, {inside(text)}"
        yield f"With {name} falling, {inside(text)}"
        yield f"By moving {name}, {inside(text)}"
        yield f"As {name} rose, {inside(text)}"


def actor(text: str, keys: Names) -> Iterator[str]:
    """Yield sentences in which one thing does to another what happened to it."""
    for name in [*others(text, keys), "the loss", "the gradient", "the run"]:
        for verb in VERBS:
            yield from swapped(
                text,
                (verb, f"lowered {name}"),
                (verb, f"was lowered by {name} and {verb}"),
                (verb, f"moved {name}"),
                (verb, f"and {name} {verb}"),
                (verb, f"of {name} {verb}"),
                (verb, f"or {name} {verb}"),
                (verb, f"in {name} {verb}"),
                both=False,
            )
        yield from swapped(
            text,
            ("the gradient asked", f"{name} asked"),
            ("asked for this", f"asked for {name}"),
            ("asked for this", f"asked {name} for this"),
            ("of the loss", f"of {name}"),
            both=False,
        )


def superlative(text: str, keys: Names) -> Iterator[str]:
    """Yield an extreme of another set, or another place in the order."""
    for one in ("lowest", "highest", "first", "last", "steepest"):
        for other in (
            f"second {one}",
            f"{one} but one",
            f"{one} possible",
            f"next {one}",
            f"{one} local",
            f"third {one}",
            f"almost {one}",
            f"only {one}",
            f"not {one}",
            f"{one} or highest",
            f"{one} true",
            "mean",
        ):
            yield from swapped(text, (one, other), both=False)
    for tail in (
        " of all runs",
        " so far",
        " in the first half",
        " since then",
        " of all parameters",
        " until then",
        ", the lowest of all",
        ", its highest value",
        ", its minimum",
        ", the best value",
        " at best",
        " at worst",
        ", a new maximum",
        ", the least of all iterations",
    ):
        yield f"{text[:-1]}{tail}."
    for name in others(text, keys):
        yield from swapped(text, ("lowest loss", f"lowest {name}"), both=False)


def number_word(text: str, keys: Names) -> Iterator[str]:
    """Yield a number in words, or words that count, where another number stood."""
    for match in places(text, keys):
        for word in ("three", "a hundred", "zero", "one", "two thousand", "half", "nothing", "twice", "a third", "it"):
            yield text[: match.start()] + word + text[match.end() :]
    for verb in VERBS:
        yield from swapped(
            text,
            (verb, f"twice {verb}"),
            (verb, f"{verb} three times"),
            (verb, f"{verb} once"),
            (verb, f"{verb} by a third"),
            (verb, f"doubled and {verb}"),
            both=False,
        )
    yield from swapped(text, ("the first time", "the second time"), ("the last time", "the third time"), both=False)


def relative_clause(text: str, keys: Names) -> Iterator[str]:
    """Yield a sentence whose subject has become part of another's."""
    body = inside(text[:-1])
    for name in [*others(text, keys), "the loss", "the gradient", "the run"]:
        for verb in VERBS:
            yield from swapped(
                text,
                (verb, f", which {name} followed, {verb}"),
                (verb, f", unlike {name}, {verb}"),
                (verb, f"that lowered {name} {verb}"),
                (verb, f"and with it {name} {verb}"),
                (verb, f"per {name} {verb}"),
                (verb, f"minus {name} {verb}"),
                (verb, f"at the lowest {name} {verb}"),
                both=False,
            )
        yield f"{name[0].upper()}{name[1:]}, whose {body}."
        yield f"{name[0].upper()}{name[1:]} is what {body}."
        yield f"{name[0].upper()}{name[1:]} and {body}."
        yield f"{name[0].upper()}{name[1:]} fell when {body}."


def elsewhere(text: str, keys: Names) -> Iterator[str]:
    """Yield another run, another objective, another pass."""
    del keys
    for lead in (
        "In the other run, ",
        "In the second run, ",
        "Here and in all runs, ",
        "In the best run, ",
        "In the run before, ",
        "After a second start, ",
        "Without the gradient, ",
        "In the true run, ",
    ):
        yield lead + inside(text)
    for other in (
        "second loss",
        "validation loss",
        "loss of the first term",
        "true loss",
        "best loss",
        "mean loss",
        "lowest loss",
        "loss in all",
        "loss value of the start",
        "loss per iteration",
        "final loss",
    ):
        yield from swapped(text, ("loss", other), both=False)


def share(text: str, keys: Names) -> Iterator[str]:
    """Yield a percentage taken for something else, and a ratio for a difference."""
    del keys
    for other in (
        " percentage points",
        " per mille",
        " % points",
        " times",
        " %-points",
        " % of the iterations",
        " % per iteration",
        " % of that",
        " iterations",
        " % at least",
        " % or more",
        " % on average",
    ):
        yield from (text[: m.start()] + other + text[m.end() :] for m in re.finditer(" %", text))
    for match in re.finditer(r"(\d+(?:\.\d+)?) % lower than at the start", text):
        rest = text[match.end() :]
        for other in (
            f"{match[1]} % of the start",
            f"by {match[1]} % of the end",
            f"{match[1]} times lower",
            f"to {match[1]} %",
            f"{match[1]} % of what it was at the start",
            f"{match[1]} % lower than at the end",
        ):
            yield text[: match.start()] + other + rest


def cut_out(text: str, keys: Names) -> Iterator[str]:
    """Yield the sentence without one word that it needs."""
    del keys
    for word in (
        "from",
        "to",
        "between",
        "hardly",
        "not",
        "never",
        "lowest",
        "opposite",
        "loss",
        "gradient",
        "fell",
        "rose",
        "at",
        "of",
        "lower",
        "iterations",
        "iteration",
        "every",
        "start",
        "end",
        "true",
        "moving",
        "and",
    ):
        for match in re.finditer(rf"(?<!\w){word} (?!every|each)", text):
            yield text[: match.start()] + text[match.end() :]


SECOND_ROUND: dict[str, Planter] = {
    "scale": scale,
    "quantifier": quantifier,
    "shifted time": shifted_time,
    "comparison": comparison,
    "hedge": hedge,
    "double negation": double_negation,
    "participle": participle,
    "actor": actor,
    "superlative": superlative,
    "number word": number_word,
    "relative clause": relative_clause,
    "elsewhere": elsewhere,
    "share": share,
    "cut out": cut_out,
}


# ---------------------------------------------------------------------- written last, run once, never used to tune


def exception(text: str, keys: Names) -> Iterator[str]:
    """Yield the sentence with an exception, a condition or another scale."""
    body = text[:-1]
    for tail in (
        "except at iteration 3",
        "apart from the last iteration",
        "up to sign",
        "on average",
        "in units of 100",
        "for any start",
        "up to a constant",
        "or thereabouts",
        "among others",
        "in one direction",
        "if at all",
        "with one exception",
        "but for the gradient",
        "without the first iterations",
        "per iteration",
    ):
        yield f"{body} {tail}."
        yield f"{body}, {tail}."
    for lead in (
        "Except at the start",
        "On average",
        "At best",
        "In general",
        "For the most part",
        "Apart from the loss",
    ):
        yield f"{lead}, {inside(text)}"


def other_tense(text: str, keys: Names) -> Iterator[str]:
    """Yield what would be, had been before, or is still to come."""
    del keys
    forms = {
        "fell": "fall",
        "rose": "rise",
        "was": "be",
        "ended": "end",
        "went": "go",
        "stayed": "stay",
        "moved": "move",
    }
    for verb, base in forms.items():
        for how in (
            f"will {base}",
            f"would {base}",
            f"is going to {base}",
            f"was to {base}",
            f"used to {base}",
            f"shall {base}",
            f"can {base}",
            f"may {base}",
            f"was expected to {base}",
            f"need not {base}",
            f"did {base} before and",
            f"did {base} once and then",
            f"started to {base}",
            f"ceased to {base}",
            f"wanted to {base}",
        ):
            yield from swapped(text, (verb, how), both=False)


LAST: dict[str, Planter] = {"exception": exception, "other tense": other_tense}
