"""What a sentence claims, and whether the recording supports it.

Two checks stand here. `check` looks for every number of a free text among the numbers that the run's facts and events
say. `same_claims` compares a rewording with its source sentence, word by word: names, numbers, units and all words that
mean something have to be the same ones in the same order, but for reviewed synonyms and a few phrases that may change
their place. Any doubt counts against the rewording: the source is true, and at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from xinv_nb.quantities import sentence_start
from xinv_nb.run import Claim, Run

_DIGITS = r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?"
_SIGNS = "−–—‒‐‑-"
_NUMBER = re.compile(rf"[{_SIGNS}]?{_DIGITS}(?:\s?[×x]\s?10(?:\^-?[0-9]+|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|[eE][+-]?[0-9]+)?")
_PLAIN_DIGITS = str.maketrans(f"⁻⁰¹²³⁴⁵⁶⁷⁸⁹{_SIGNS}", f"-0123456789{'-' * len(_SIGNS)}")

# ---------------------------------------------------------------------- numbers


def numbers_in(text: str) -> list[float]:
    """Return the numbers of a text in their order.

    >>> numbers_in("from 1.2×10⁻³ to −4 km, 41 %")
    [0.0012, -4.0, 41.0]
    """
    return [_value(match, text) for match in _NUMBER.finditer(text)]


def _value(match: re.Match[str], text: str) -> float:
    plain = re.sub(r"\s?[×x]\s?10\^?(?=[-⁻⁰¹²³⁴⁵⁶⁷⁸⁹0-9])", "e", match.group()).translate(_PLAIN_DIGITS)
    # A hyphen between a letter or digit and a number is no sign: "iterations 3-7", "point-2".
    if plain.startswith("-") and match.start() > 0 and text[match.start() - 1].isalnum():
        plain = plain[1:]
    return float(plain.replace(",", ""))


# ---------------------------------------------------------------------- the same claims

_SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("wouldlowertheloss", "would lower the loss", "would reduce the loss", "would decrease the loss"),
    ("wentupanddown", "went up and down"),
    ("rose", "increased", "grew", "climbed", "went up"),
    ("fell", "decreased", "dropped", "declined", "went down", "came down"),
    ("higher", "larger", "greater"),
    ("lower", "smaller"),
    ("stayed", "remained"),
    ("hardly", "barely"),
    ("start", "beginning"),
    ("started", "began"),
    ("ended", "finished"),
    ("lowest", "smallest"),
    ("opposite", "contrary"),
    ("asked", "called"),
    ("every iteration", "each iteration", "all iterations"),
    ("accounts for", "accounted for"),
    ("stopped by hand", "stopped manually"),
    ("%", "percent", "per cent"),
)
"""Phrases that say the same; each stands for the first of its row, in the order of the rows."""

_SILENT = frozenset(
    re.findall(r"\w+", "a an the in on of was were is are has have had been it its this that which while and")
)
"""Words that may come and go: alone, none of them changes what a sentence says. None of them can mean a cause."""

_QUOTES = frozenset("\"'’‘“”")
_PUNCTUATION = frozenset(",;:()") | _QUOTES
_BEHIND_NUMBERS = frozenset(["a", "in", "of", "and"]) | _QUOTES
"""What is silent elsewhere counts right behind a number: there it is a unit, or ties two numbers together."""

_NAME = "\ue000{}\ue001"
"""A name of the domain while a sentence is compared: private characters that no text contains."""

_TOKEN = re.compile(rf"\ue000\d+\ue001|{_NUMBER.pattern}|[^\W\d_]+(?:['’][^\W\d_]+)?|\S")

_SPAN = re.compile(
    rf"(?:,\s*)?\b(over {_DIGITS} iterations|between iterations {_DIGITS} and {_DIGITS}"
    rf"|in the first {_DIGITS} iterations)\b,?"
)
_EXTENT = re.compile(
    rf"\b(at every iteration|at {_DIGITS} of {_DIGITS} iterations|at none of {_DIGITS} iterations)"
    r",? (the gradient asked for (?:this|the opposite))\b"
)


def same_claims(rewording: str, source: str, names: Iterable[str]) -> str:
    """Return why `rewording` may not stand for `source`, or an empty string if it makes the same claims.

    `names` are the domain's names (parameters, watched quantities): those in the source have to stay in their places,
    others may not come in.
    """
    if not rewording.strip():
        return "it is empty"
    if rewording == source:
        return ""
    if not rewording.isprintable():
        return "it contains characters that no text has"
    own, theirs = (_tokens(text, names) for text in (rewording, source))
    if own != theirs:
        return _difference(own, theirs)
    if not _idle(rewording) <= _idle(source) or rewording.count("(") != rewording.count(")"):
        return "its words do not make a sentence"
    return ""


def _tokens(text: str, names: Iterable[str]) -> list[str]:
    """Return what a sentence says as a list in which two sentences that say the same agree."""
    plain = _lowered(_masked(text.strip(), names))
    for first, *others in _SYNONYMS:
        for other in others:
            plain = re.sub(rf"(?<!\w){re.escape(other)}(?!\w)", first, plain)
    plain = _EXTENT.sub(r"\2 \1", plain)
    moved = ""
    if ";" not in plain and len(spans := _SPAN.findall(plain)) == 1:
        moved = f" {spans[0]}"
        plain = _SPAN.sub(" ", plain)
    ending = "." if plain.rstrip().endswith(".") else ""
    body = plain.rstrip()[: -1 if ending else None] + moved
    return [*_meaningful(body), ending]


def _masked(text: str, names: Iterable[str]) -> str:
    """Put a sign in the place of each name, longest first; a sentence may begin with a name's capital."""
    known: dict[str, str] = {}
    for i, name in enumerate(sorted({n for n in names if n.strip()}, key=lambda n: (-len(n), n))):
        known[name] = _NAME.format(i)
    for name in list(known):
        known.setdefault(sentence_start(name), known[name])
    if not known:
        return text
    pattern = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    return re.sub(rf"(?<![\w.])(?:{pattern})(?!\w|\.\d)", lambda match: known[match.group()], text)


def _idle(text: str) -> set[str]:
    """Return doubled words, and stretches of silent words that are long, alone in their clause, or at the end."""
    found = set(re.findall(r"\b(\w+) \1\b", text.lower()))
    for clause in re.split(r"[,;:()–—]", text.lower().replace("for this", "forthis").rstrip(". ")):
        words = clause.split()
        silent = "".join("s" if word in _SILENT else "." for word in words)
        found.update(" ".join(words[m.start() : m.end()]) for m in re.finditer(r"s{3,}|^s+$|s+$", silent))
    return found


def _lowered(text: str) -> str:
    """Lower the sentence's first letter alone: elsewhere a capital may be a unit or a name."""
    return text[:1].lower() + text[1:]


def _meaningful(text: str) -> Iterator[str]:
    after_number = False
    for match in _TOKEN.finditer(text):
        token = match.group()
        is_number = _NUMBER.fullmatch(token) is not None
        if is_number:
            yield repr(_value(match, text))
        elif token not in _SILENT | _PUNCTUATION or (after_number and token in _BEHIND_NUMBERS):
            yield token
        after_number = is_number


def _difference(own: Sequence[str], theirs: Sequence[str]) -> str:
    """Say in words where a rewording leaves its source."""

    def only(pattern: str, tokens: Sequence[str]) -> list[str]:
        return [token for token in tokens if re.fullmatch(pattern, token)]

    number, name = r"-?(?:\d.*|inf)", "\ue000.*"
    if only(number, own) != only(number, theirs):
        return "its numbers are not those of the facts"
    if only(name, own) != only(name, theirs):
        return "its names are not those of the facts"
    strange = [token for token in own if token not in theirs]
    if strange:
        return f"“{strange[0]}” is not in the facts"
    missing = [token for token in theirs if token not in own]
    if missing:
        return f"“{missing[0]}” is missing" if missing[0] else "it is more than one sentence"
    return "it repeats itself" if len(own) > len(theirs) else "its words are in another order"


def same_numbers(rewording: str, source: str, names: Iterable[str]) -> str:
    """Return why a sentence in another language may not stand for `source`: its numbers, percent signs and names."""
    if not rewording.strip():
        return "it is empty"
    strange = set(re.sub("\ue000\\d+\ue001", "", _masked(rewording, names))) & set("<>{}[]|`\\") - set(source)
    if strange or not rewording.isprintable() or "://" in rewording:
        return "it is not one plain sentence"
    own, theirs = _masked(rewording, names), _masked(source, names)
    if sorted(_tagged(own)) != sorted(_tagged(theirs)):
        return "its numbers are not those of the facts"
    if sorted(re.findall("\ue000.*?\ue001", own)) != sorted(re.findall("\ue000.*?\ue001", theirs)):
        return "its names are not those of the facts"
    if len(rewording) > 3 * len(source) + 40:
        return "it is too long"
    return ""


def _tagged(text: str) -> list[tuple[float, bool]]:
    """Return the numbers of a text, each with whether a percent sign follows."""
    bare = re.sub("\ue000\\d+\ue001", " ", text)
    return [(_value(m, bare), bare[m.end() :].lstrip()[:1] == "%") for m in _NUMBER.finditer(bare)]


# ---------------------------------------------------------------------- free text

_OF_ITERATIONS = re.compile(
    rf"\b(?:iterations?|steps?|evaluations?) {_DIGITS}(?:(?: to | and | through |\s?[–-]\s?){_DIGITS})?"
    rf"|{_DIGITS}(?: of {_DIGITS}| of the)? (?:iterations?|steps?|evaluations?)\b",
    re.IGNORECASE,
)


def check(run: Run, text: str, span: tuple[int, int] | None = None) -> list[Claim]:
    """Return a claim for each number in `text`, supported if a fact or event of the run (within `span`) says it.

    A number is looked for among its like: iterations, percentages, and all other values. What the words around it say
    is not judged yet, and the claim says so.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         slope = grad(lambda x: x**2)(x)
    >>> [c.supported for c in run.check("The loss fell from 16 to 7.")]
    [True, False]
    """
    names = [*(entry.label for entry in run.entries()), *(entry.name for entry in run.entries()), *run.history.watches]
    found = [
        (sentence.strip(), number)
        for sentence in re.split(r"(?<=[.!?])\s+", text)
        for number in _kinds_of_numbers(sentence, names)
    ]
    if not found:
        return [Claim(text, None, "no number to check; words alone are not judged yet")]
    told: dict[tuple[str, float], str] = {}
    for fact in run.facts:
        if span is None or (fact.span[0] <= span[1] and fact.span[1] >= span[0]):
            for number in _kinds_of_numbers(fact.text, names):
                told.setdefault(number, fact.id)
    if any(number not in told for _, number in found):
        _add_events(run, span, names, told)
    return [_claim(sentence, *number, told) for sentence, number in found]


def _add_events(
    run: Run, span: tuple[int, int] | None, names: Iterable[str], told: dict[tuple[str, float], str]
) -> None:
    for event in run.events:
        if span is None or span[0] <= event.evaluation <= span[1]:
            for number in _kinds_of_numbers(event.text, names):
                told.setdefault(number, event.id)


def _claim(sentence: str, kind: str, value: float, told: Mapping[tuple[str, float], str]) -> Claim:
    source = told.get((kind, value))
    what = {"%": f"{value:g} %", "iteration": f"iteration {value:g}"}.get(kind, f"{value:g}")
    if source is None:
        return Claim(f"{what} in “{sentence}”", False, "no fact or event of this run says this number")
    return Claim(f"{what} in “{sentence}”", True, f"said in {source}; the words around it are not judged")


def _kinds_of_numbers(text: str, names: Iterable[str]) -> list[tuple[str, float]]:
    """Return the numbers of a text with what they count; digits that belong to a name are none."""
    bare = re.sub("\ue000\\d+\ue001", " name ", _masked(text, names))
    spans = [match.span() for match in _OF_ITERATIONS.finditer(bare)]
    found = []
    for match in _NUMBER.finditer(bare):
        kind = "value"
        if re.match(r"\s?(?:%|per ?cent\b)", bare[match.end() :]):
            kind = "%"
        elif any(start <= match.start() < stop for start, stop in spans):
            kind = "iteration"
        found.append((kind, _value(match, bare)))
    return found
