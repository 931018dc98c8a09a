"""A second opinion on a text about a run, made without the package's own check.

It reads far less than `run.check` does and shares nothing with it: from each sentence it takes the numbers, the words
for a direction and the words for a pattern, binds each to the quantity that is named nearest and to the iteration or
stretch that the sentence names, and looks the answer up in the recorded arrays. What it cannot bind it calls unbound
(None); it says False only of what was bound and does not agree. So a text of which it approves may still be false,
but one that it calls false has a plain fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from xinv_nb.language.bank import bank_of
from xinv_nb.models.rewording import NOT_REWORDED
from xinv_nb.run import Run

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")

NUMBER = (
    r"(?<![\w.\[^])[−-]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
    r"(?:\s?[×x*·]\s?10\^?\{?[−-]?\d+\}?|×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|[eE][−+-]?\d+)?"
)
PLAIN = r"(?<![\w.])-?\d+(?:\.\d+)?"
"""A number as a simulator writes it in the words of an event."""
STEP = r"(?:iterations?|steps?|evaluations?|epochs?)"

WORDS = {
    "range": rf"(?<!at )(?<!at the ){STEP}\s+(?P<a>\d+)\s*(?:to|and|through|until|[-–])\s*(?:{STEP}\s+)?"
    r"(?P<b>\d+)(?![\d×]|\.\d|\s?%)",
    "share": rf"(?P<some>\d+|every|all)\s+(?:of|out of)\s+(?:the\s+)?(?P<most>\d+)\s+{STEP}",
    "first": rf"(?:first|initial)\s+(?P<f>\d+)\s+{STEP}",
    "at": rf"{STEP}\s*(?:number\s*)?#?(?P<k>\d+)",
    "count": rf"(?P<n>\d+)\s+(?:more\s+)?{STEP}",
    "would": r"would (?:lower|reduce|decrease|raise|increase)(?: the (?:loss|objective))?",
    "swing": r"oscillat\w*|went up and down|up and down|to and fro|back and forth|zig-?zag\w*|swung|rose and fell|"
    r"by turns|ringing",
    "flat": r"hardly chang\w*|stay(?:ed|s)?|constant|unchanged|plateau\w*|flat",
    "settled": r"converged|converges|at a minimum|(?:has|had) settled|levell?ed off",
    "diverged": r"diverged|diverges|diverging|blew up|exploded",
    "asked": r"asked for|asks for|suggest\w*|pulled|pull|pulls|wanted|wants",
    "lowest": r"lowest|smallest|best|minimum|minimal|never (?:below|under)",
    "highest": r"highest|largest|worst|maximum|never (?:above|over)|peak(?:ed)?(?= at| of)",
    "peaks": r"peaks",
    "credit": r"accounts? for|accounted for|contributed|brought|explains?|earned|responsible for|alone lowered",
    "truth": r"true value|truth",
    "bound": r"(?:lower |upper )?bound",
    "past": r"past|overshot|beyond",
    "rate": r"per iteration|each iteration|by half every|half(?:ed|ing)?|halv\w+|steady rate|linear",
    "median": r"median",
    "factor": r"times|factor of|-?fold",
    "start": r"start(?:ed|s|ing)?|initial(?:ly)?|beg[ai]n(?:s|ning)?|at first|originally",
    "end": r"end(?:ed|s)?|final(?:ly)?|at last|in the end",
    "by": r"by",
    "from": r"from",
    "to": r"to|until it was|and ended at|down to|up to",
    "up": r"r[oi]se|rises|rising|risen|increas(?:es?|ed|ing)|gr[eo]w(?:s|ing)?|climb(?:s|ed|ing)?|"
    r"went up|goes up|raised|raises|raising|higher",
    "down": r"fell|falls?|falling|fallen|decreas(?:es?|ed|ing)|drop(?:s|ped|ping)?|declin(?:es?|ed|ing)|went down|"
    r"goes down|lowered|lowers|reduc(?:es?|ed|ing)|shr[aiu]nk(?:s|ing)?|s[aiu]nk|sinks|lower(?! bound)|diminish\w*",
}
"""What is looked for in a sentence; of two at one place the first counts."""

_NOT_ARTICLE = (
    r"(?=\s*[,;:=’']|\s(?:and|by|in|of|is|was|fell|rose|had|accounts|for|as|sank|grew|rises|falls|"
    r"[a-z]*(?:ed|ent|own|ung))\b)"
)
"""What follows a quantity that is called like an article."""

_CONDITIONAL = re.compile(r"\b(?:may|might|could|should|probably|worth a try|if|try|tries|in order to|determined)\b")


@dataclass(frozen=True)
class Finding:
    """One number, direction or pattern of a text, and whether the arrays agree; None where it could not be bound."""

    kind: str
    words: str
    right: bool | None
    why: str


@dataclass
class Series:
    """The course of a quantity, with the gradient of the loss with respect to it where it has one."""

    values: np.ndarray
    gradient: np.ndarray | None = None
    truth: float | None = None
    bounds: tuple[float | None, float | None] = (None, None)
    less_more: tuple[str, str] | None = None
    label: str = ""


@dataclass
class Recording:
    """The arrays of a run by the names that a text may use."""

    run: Run
    series: dict[str, Series] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run) -> Recording:
        """Read a run's arrays."""
        found = cls(run)
        loss = np.asarray(run.loss, dtype=float)
        squares = np.zeros(len(loss))
        for entry in run.entries():
            values, gradient = (np.asarray(run.column(entry, of), dtype=float) for of in ("values", "gradients"))
            known = entry.parameter
            found.add(
                entry.name,
                Series(values, gradient, known.truth, known.bounds or (None, None), known.directions, entry.label),
                entry.label,
            )
        with np.errstate(all="ignore"):
            for gradient in run.gradients.values():
                squares = squares + found.spread((np.abs(gradient.reshape(len(gradient), -1)) ** 2).sum(axis=1))
            found.add("\0slope", Series(np.sqrt(squares)), "slope", "gradient norm", "size of the gradient", "gradient")
        for name, watch in run.watches.items():
            if np.ndim(watch.values) == 1 and len(watch.values):
                values = np.full(len(loss), np.nan)
                values[watch.evaluation] = np.real(watch.values)
                gradient = np.full(len(loss), np.nan)
                gradient[watch.evaluation] = np.real(watch.cotangents)
                found.add(f"\0{name}", Series(values, gradient, label=name), name)
        found.add("\0loss", Series(loss), "loss", "objective", "objective function", "loss function", "cost function")
        for other in ("cost", "error", "misfit"):
            found.names.setdefault(other, "\0loss")
        return found

    def add(self, key: str, series: Series, *names: str) -> None:
        """Keep a quantity under its key and all its names."""
        self.series[key] = series
        for name in (key, *names):
            if not name.startswith("\0"):
                self.names.setdefault(name, key)
                self.names.setdefault(name[:1].upper() + name[1:], key)
                self.names.setdefault(re.sub(r"^(?:the|an?) ", "", name), key)

    def spread(self, kept: np.ndarray) -> np.ndarray:
        """Return what is known at the evaluations that were kept, at all of them."""
        rows = np.searchsorted(self.run.kept, np.arange(self.run.evaluations), side="right") - 1
        return kept[np.maximum(rows, 0)]

    def stretch(self, key: str, span: tuple[int, int]) -> np.ndarray:
        """Return the values of a quantity within a span: accepted ones that are numbers."""
        values, (a, b) = self.series[key].values, span
        at = np.arange(len(values))
        with np.errstate(all="ignore"):
            return values[(at >= a) & (at <= b) & self.run.accepted & np.isfinite(values)]

    def value(self, key: str, at: int) -> float:
        """Return the value at an evaluation, NaN where there is none."""
        values = self.series[key].values
        return float(values[at]) if 0 <= at < len(values) else float("nan")

    def credit(self, key: str, span: tuple[int, int]) -> tuple[float, float]:
        """Return by how much moving a parameter lowered the loss (trapezoidal rule), and by how much it fell."""
        at = self.run.iterates
        at = at[(at >= span[0]) & (at <= span[1])]
        series = self.series[key]
        assert series.gradient is not None
        x, g, loss = series.values[at], series.gradient[at], self.series["\0loss"].values[at]
        with np.errstate(all="ignore"):
            own = -float(np.sum(np.diff(x) * (g[1:] + g[:-1]) / 2))
        return own, float(loss[0] - loss[-1]) if len(loss) else 0.0


def number_of(text: str) -> float:
    """Read a number as people and models write them.

    >>> number_of("−1.5×10⁻⁷"), number_of("1,234.5"), number_of("2 x 10^3")
    (-1.5e-07, 1234.5, 2000.0)
    """
    plain = re.sub(r"[{}\s,]", "", text.translate(SUPERSCRIPTS))
    return float(re.sub(r"[×x*·]10\^?", "e", plain))


def agrees(written: str, value: float) -> bool:
    """Whether a number as written is a value rounded to its digits, or within a hundredth of it.

    >>> agrees("0.5", 0.4962), agrees("17", 17.4), agrees("17", 19.0)
    (True, True, False)
    """
    if not np.isfinite(value):
        return False
    said = number_of(written)
    mantissa = re.split(r"[×x*·eE]", written)[0]
    decimals = len(mantissa.partition(".")[2])
    exponent = round(np.log10(abs(said / number_of(mantissa)))) if number_of(mantissa) and said else 0
    return abs(said - value) <= max(0.0101 * abs(value), 0.501 * 10.0 ** (exponent - decimals))


def sentences(text: str) -> list[str]:
    """Split a text where a sentence or a line ends."""
    # What turned: the first half until it did; of the second this reader knows no stretch.
    text = re.sub(r"Apart from its noise, .*? at about (?:iteration|evaluation) \d+ .*? by the end\.", "", text)
    text = re.sub(
        r" at (?:iteration|evaluation) (\d+) and \w+ (?:back )?to .*? by the end", r" until iteration \1", text
    )
    text = re.sub(r"\bwas lowest with\b", "had", text)  # a fit was, not the parameters that it had there
    text = re.sub(r"Whether [^.]*, this run does not show\.", "", text)
    text = re.sub(r"\bcame from \w+\([^)]*\)", "came from an operation", text)
    text = re.sub(r" in line \d+ of (?:the cell|\S+)", "", text)
    lines = (re.sub(r"^\s*(?:[-*•]|\d+[.)]|\[e\d+\])\s+", "", line) for line in text.splitlines())
    parts = (part.strip() for line in lines for part in re.split(r"(?<=[.!?])[\"”')*]*\s+", line))
    return [part for part in parts if part]


@dataclass(frozen=True)
class Token:
    kind: str
    words: str
    start: int
    match: re.Match[str]


def second_opinion(
    run: Run, text: str, span: tuple[int, int] | None = None, recording: Recording | None = None
) -> list[tuple[str, list[Finding]]]:
    """Return the sentences of `text`, each with what was found in it; what names no stretch is about `span`."""
    judge = _Judge(recording or Recording.of(run), span)
    for finding in run.diagnosis:  # their sentences have tests of their own, and no model words them
        for own in (finding.text, finding.advice):
            text = text.replace(own, "")
    for gloss in bank_of().glosses.values():  # what a student is told of a term, in the midst of a sentence
        text = text.replace(gloss, "")
    for fact in run.facts:  # nor do models word reasons, whose numbers are recomputed in the tests of their kinds
        # Of what is told apart from its noise this reader, who takes single values, knows nothing.
        if fact.kind in NOT_REWORDED or (fact.kind == "watch" and ", noisy" in fact.form):
            text = text.replace(fact.text, "")
    return [(sentence, list(judge.judge(sentence))) for sentence in sentences(text)]


class _Judge:
    """Judges sentence after sentence; the quantity spoken of last is kept for an “it”."""

    def __init__(self, recording: Recording, span: tuple[int, int] | None) -> None:
        self.recording = recording
        run = recording.run
        self.last = max(run.evaluations - 1, 0)
        self.span = span or (0, self.last)
        self.before: str | None = None
        names = "|".join(
            re.escape(n) + _NOT_ARTICLE * (n in ("a", "A", "I")) for n in sorted(recording.names, key=len)[::-1]
        )
        words = "|".join(rf"(?P<{kind}>\b(?:{pattern})\b)" for kind, pattern in WORDS.items())
        self.tokens = re.compile(rf"(?P<name>(?<![\w.\[])(?:{names})(?![\w\[]))|{words}|(?P<number>{NUMBER})")
        self.events: dict[str, set[int]] = {}
        for event in run.events:
            self.events.setdefault(event.text, set()).add(event.evaluation)
        self.shapes: dict[str, list[tuple[int, list[float]]]] = {}
        for text, evaluations in self.events.items():
            shape, numbers = re.sub(PLAIN, "#", text), [float(n) for n in re.findall(PLAIN, text)]
            if numbers:
                self.shapes.setdefault(shape, []).extend((k, numbers) for k in evaluations)

    def judge(self, sentence: str) -> Iterator[Finding]:
        parts = re.split(rf"; (?=(?:until|after|from) {STEP} \d)", sentence)
        if len(parts) > 1:
            for part in parts:
                yield from self.judge(part)
            return
        for shape, times in self.shapes.items():
            words = re.escape(shape).replace(re.escape("#"), rf"({PLAIN})(?: to ({PLAIN}))?")
            match = re.search(words, sentence)
            if match is None or match.group() in self.events:
                continue
            found = [match.groups()[k : k + 2] for k in range(0, len(match.groups()), 2)]
            columns = list(zip(*(numbers for _, numbers in times), strict=True))
            right = all(
                (float(low), float(high or low)) == (min(column), max(column))
                for (low, high), column in zip(found, columns, strict=True)
            )
            sentence = sentence.replace(match.group(), " ")
            named = {int(m["k"]) for m in re.finditer(WORDS["at"], sentence)}
            right = right and named <= {k for k, _ in times}
            yield Finding("event", match.group(), right, f"it happened with {columns}"[:200])
            sentence = re.sub(WORDS["at"], " ", sentence)
        for event, evaluations in self.events.items():
            if event in sentence:
                sentence = sentence.replace(event, " ")
                named = {int(m["k"]) for m in re.finditer(WORDS["at"], sentence)}
                right = named <= evaluations if named else True
                yield Finding("event", event, right, f"it happened at {sorted(evaluations)[:5]}")
                sentence = re.sub(WORDS["at"], " ", sentence)
        found = [Token(m.lastgroup or "", m.group(), m.start(), m) for m in self.tokens.finditer(sentence)]
        # The groups inside a pattern are no kinds of their own.
        found = [
            Token(next(k for k in ("name", *WORDS, "number") if t.match[k]), t.words, t.start, t.match) for t in found
        ]
        subject = next((self.recording.names[t.words] for t in found if t.kind == "name"), self.before)
        span = self.span
        for token in found:
            if token.kind == "range":
                span = (int(token.match["a"]), int(token.match["b"]))
            elif token.kind == "first":
                span = (0, int(token.match["f"]) - 1)
        for i, token in enumerate(found):
            near = [t for t in found[:i] if t.kind == "name"]
            after = next((t for t in found[i + 1 : i + 2] if t.kind == "name"), None)
            about = self.recording.names[near[-1].words] if near else subject
            context = _Context(self, sentence, found, i, about, span)
            if token.kind == "number":
                yield context.number(token)
            elif token.kind in ("up", "down"):
                if after is not None and re.fullmatch(
                    r"\s*(?:the|its)?\s*", sentence[token.start + len(token.words) : after.start]
                ):
                    context.about = self.recording.names[after.words]
                yield from context.direction(token)
            elif token.kind in ("at", "range", "first", "count", "share"):
                yield from context.moment(token)
            elif token.kind in ("settled", "diverged", "swing"):
                yield from context.pattern(token)
        self.before = subject


@dataclass
class _Context:
    """One token of a sentence, with what stands around it."""

    judge: _Judge
    sentence: str
    tokens: list[Token]
    i: int
    about: str | None
    span: tuple[int, int]

    def has(self, *kinds: str) -> bool:
        return any(t.kind in kinds for t in self.tokens)

    def just_before(self, *kinds: str, within: int = 3) -> bool:
        return any(t.kind in kinds for t in self.tokens[max(0, self.i - within) : self.i])

    def around(self, *kinds: str) -> bool:
        return any(t.kind in kinds for t in self.tokens[max(0, self.i - 2) : self.i + 3])

    # -------------------------------------------------------------- numbers

    def number(self, token: Token) -> Finding:
        """Bind a number and look it up."""
        if self.about is None:
            return Finding("number", token.words, None, "no quantity is named")
        if re.search(r"cosine\s*$", self.sentence[: token.start]):
            return Finding("number", token.words, None, "cosines are not looked at")
        rest = self.sentence[token.start + len(token.words) :]
        percent = re.match(r"\s?%| percent", rest) is not None
        moment = self._moment()
        right = any(agrees(token.words, value) for value in self._candidates(percent=percent, moment=moment))
        if not right and percent and number_of(token.words) in (1.0, 99.0, 100.0):
            right = any(self._limit(token, value) for value in self._candidates(percent=True, moment=moment))
        explicit = moment is not None or self.just_before("from", "to", within=1) or self._stated(token)
        derived = percent or self.has("credit", "truth", "bound", "past", "rate", "median", "factor", "peaks", "share")
        derived = derived or self.just_before("by", within=1) or not explicit
        why = f"{self.about.lstrip(chr(0))} at {moment if moment is not None else self.span}"
        # A value that stands nowhere in the arrays is wrong; where it might be derived, that was not decided.
        return Finding("number", token.words, True if right else (None if derived else False), why)

    def _stated(self, token: Token) -> bool:
        """Whether the quantity is said to be this number, at whatever iteration, or this to be an extreme of it."""
        if self.just_before("lowest", "highest", within=2):
            return True
        before = self.tokens[self.i - 1] if self.i else None
        if before is None or before.kind != "name":
            return False
        between = self.sentence[before.start + len(before.words) : token.start]
        return re.fullmatch(r"\s*(?:value\s*)?(?:\(|is|was|of|at|=|:|reached|equals|remains)\s*", between) is not None

    def _limit(self, token: Token, value: float) -> bool:
        """Whether “less than 1 %” or “more than 99 %” holds."""
        before = self.sentence[max(0, token.start - 12) : token.start]
        if "less than" in before:
            return 0 < value < number_of(token.words)
        return "more than" in before and value > number_of(token.words)

    def _moment(self) -> int | None:
        """Return the iteration that the sentence gives for this number, if it gives one."""
        tokens, i = self.tokens, self.i
        for t in tokens[i + 1 : i + 3]:
            if t.kind == "number":
                break
            if t.kind == "at":
                return int(t.match["k"])
            if t.kind == "end" and t.words.startswith(("end", "final")) and "the" in self.sentence[: t.start][-5:]:
                return self.judge.last
            if t.kind == "start" and "the" in self.sentence[: t.start][-5:]:
                return 0
        for t in reversed(tokens[max(0, i - 4) : i]):
            if t.kind == "at" and self.sentence[: t.start].endswith("until "):
                return self.judge.span[1] if "then" in self.sentence else None
            if t.kind == "at":
                return int(t.match["k"])
            if t.kind in ("number", "range"):
                break
            if t.kind == "start":
                return 0
            if t.kind == "end":
                return self.judge.last
        return None

    def _candidates(self, *, percent: bool, moment: int | None) -> Iterator[float]:
        """Yield the values that the number may be, given its context."""
        recording, key, span = self.judge.recording, self.about, self.span
        assert key is not None
        series = recording.series[key]
        stretch = recording.stretch(key, span)
        change = stretch[-1] - stretch[0] if len(stretch) else np.nan
        if self.has("credit"):
            named = [self.judge.recording.names[t.words] for t in self.tokens[: self.i] if t.kind == "name"]
            key = next((k for k in reversed(named) if recording.series[k].gradient is not None), key)
            series = recording.series[key]
        if self.has("credit") and series.gradient is not None:
            own, fall = recording.credit(key, span)
            yield 100 * own / fall if percent and fall else own
            yield fall
        if percent:
            if len(stretch) and stretch[0]:
                yield 100 * abs(change / stretch[0])
                yield 100 * abs(stretch[-1] / stretch[0])
            if self.has("rate"):
                yield 100 * (1 - self._rate())
            if "share of the one before" in self.sentence:
                yield from 100 * self._ratios()
            if self.has("median"):
                medians = list(self._medians(stretch))
                yield 100 * abs(medians[1] / medians[0] - 1) if len(medians) > 1 and medians[0] else np.nan
            return
        if self.has("rate"):
            yield self._half_life()
        if self.has("peaks"):
            peaks = _peaks(stretch)
            yield from ([peaks[0], peaks[-1]] if len(peaks) else [])
        if self.has("median") and len(stretch):
            yield from self._medians(stretch)
            yield from (float(n) for n in re.findall(r"median of the (?:first|last) (\d+)", self.sentence))
        if self.has("truth") and series.truth is not None:
            yield series.truth
        if self.has("bound"):
            yield from (bound for bound in series.bounds if bound is not None)
        if key == "\0slope" and "largest slope" in self.sentence:
            yield max((float(np.abs(g[-1]).max()) for g in recording.run.gradients.values()), default=np.nan)
        if self.has("past") and (at := [int(t.match["k"]) for t in self.tokens if t.kind == "at"]):
            yield abs(recording.value(key, at[0]) - stretch[-1])
        if self.just_before("by", within=2) or self.has("past"):
            yield abs(change)
            yield from (abs(extreme - stretch[-1]) for extreme in (stretch.min(), stretch.max()) if len(stretch))
        if self.has("factor") and len(stretch) and stretch[0] and stretch[-1]:
            yield abs(stretch[0] / stretch[-1])
            yield abs(stretch[-1] / stretch[0])
        if not len(stretch):
            return
        if moment is not None:
            yield recording.value(key, moment)
            if self.has("from") and self.just_before("to", within=1):  # an update leads to the next iterate
                later = recording.run.iterates[recording.run.iterates > moment]
                yield from ([recording.value(key, later[0])] if len(later) else [])
        elif self.just_before("from", within=1):
            yield stretch[0]
        elif self.just_before("lowest", within=2):
            yield stretch.min()
        elif self.just_before("highest", within=2):
            yield stretch.max()
        elif self.just_before("to", within=2):
            yield stretch[-1]
            yield from ([stretch.min(), stretch.max()] if "until" in self.sentence else [])
        else:
            # No iteration is claimed: any value that the quantity took will do.
            said = number_of(self.tokens[self.i].words)
            yield float(stretch[np.argmin(np.abs(stretch - said))])

    def _medians(self, stretch: np.ndarray) -> Iterator[float]:
        """Yield the medians of the beginning and of the end: those that are named, or the first and last quarter."""
        named = re.findall(r"median of the (first|last) (\d+)", self.sentence)
        quarter = str(max(1, len(stretch) // 4))
        for part, n in named or [("first", quarter), ("last", quarter)]:
            yield float(np.median(stretch[: int(n)] if part == "first" else stretch[-int(n) :]))

    def _rate(self) -> float:
        """Return the factor by which successive decreases of the loss shrink, whatever their limit."""
        ratios = self._ratios()
        return float(np.median(ratios)) if len(ratios) else np.nan

    def _half_life(self) -> float:
        rate = self._rate()
        return float(np.log(0.5) / np.log(rate)) if 0 < rate < 1 else np.nan

    def _ratios(self) -> np.ndarray:
        loss = self.judge.recording.stretch("\0loss", self.span)
        with np.errstate(all="ignore"):
            drops = np.diff(loss)
            ratios = drops[1:] / drops[:-1]
        return ratios[np.isfinite(ratios)]

    # -------------------------------------------------------------- iterations

    def moment(self, token: Token) -> Iterator[Finding]:
        """Judge the iterations that are named: whether there are such, and how many there were."""
        run = self.judge.recording.run
        if token.kind == "count":
            n = int(token.match["n"])
            known = [run.evaluations, run.evaluations - 1, int(run.accepted.sum()), self.span[1] - self.span[0]]
            if self.has("rate"):
                known.append(self._half_life())
            if self.has("peaks") or "peak about every" in self.sentence:
                tops = _peaks_at(self.judge.recording.stretch("\0loss", self.span))
                known.append(float(np.mean(np.diff(tops))) if len(tops) > 1 else np.nan)
            right = n in known or any(abs(n - value) <= max(0.05 * n, 0.5) for value in known[4:])
            yield Finding("count", token.words, True if right else None, f"of {run.evaluations} iterations")
        elif token.kind == "share" and self.has("asked") and token.match["some"].isdigit():
            yield self._asked(token)
        elif token.kind in ("at", "range", "first"):
            named = [int(n) for n in re.findall(r"\d+", token.words)]
            right = all(n <= run.evaluations - (token.kind != "first") for n in named)
            yield Finding("iteration", token.words, right, f"there are {run.evaluations}")

    def _asked(self, token: Token) -> Finding:
        series = self.judge.recording.series.get(self.about or "") if self.about else None
        names = [t for t in self.tokens if t.kind == "name" and self.judge.recording.names[t.words] != "\0slope"]
        if names:
            series = self.judge.recording.series[self.judge.recording.names[names[0].words]]
        at = self.judge.recording.run.iterates
        at = at[(at >= self.span[0]) & (at <= self.span[1])]
        if series is None or series.gradient is None or len(at) < 2:
            return Finding("number", token.words, None, "no gradient is known")
        way = np.sign(series.values[at[-1]] - series.values[at[0]]) * (-1 if "opposite" in self.sentence else 1)
        count = int(np.sum(np.sign(-series.gradient[at[:-1]]) == way))
        right = (count, len(at) - 1) == (int(token.match["some"]), int(token.match["most"]))
        # A stretch that the sentence does not name: the count may be one of a phase.
        named = any(t.kind == "range" for t in self.tokens)
        return Finding("number", token.words, right or (False if named else None), f"{count} of {len(at) - 1}")

    # -------------------------------------------------------------- directions and patterns

    def direction(self, token: Token) -> Iterator[Finding]:
        """Judge a word for up or down by the change that it is bound to."""
        follows = self.tokens[self.i + 1] if self.i + 1 < len(self.tokens) else None
        if self.has("would"):
            if follows is not None and any(t.kind == "would" for t in self.tokens[self.i + 1 :]):
                yield self._would(token)
            return
        if _CONDITIONAL.search(self.sentence) or self.just_before("asked", within=9):
            return
        if re.search(r"\b(?:never|not|nothing|no|neither)\b[^.;,]*$", self.sentence[: token.start]):
            yield from self._never(token)
            return
        compared = self.sentence.startswith(" than at the start", token.start + len(token.words))
        if self.around("swing", "peaks", "rate", "credit") or self.just_before("by", "number", within=1) > compared:
            return
        if self.about is None:
            yield Finding("direction", token.words, None, "no quantity is named")
            return
        span = self.span
        if span == (0, self.judge.last) and (at := [int(t.match["k"]) for t in self.tokens if t.kind == "at"]):
            span = (at[0], at[-1]) if len(at) > 1 and at[0] < at[-1] else span
            if len(at) == 1 and not self.has("from", "to", "end", "start"):
                span = (max(at[0] - 1, 0), at[0])
            elif len(at) == 1 and re.search(rf"\bfrom \S+ at {STEP} \d+ to \S+ at the end", self.sentence):
                span = (at[0], self.judge.last)
        span = self._between_turns(token, span)
        stretch = self.judge.recording.stretch(self.about, span)
        if len(stretch) < 2:
            yield Finding("direction", token.words, None, "the stretch is not told")
            return
        change = stretch[-1] - stretch[0]
        right = bool(change > 0 if token.kind == "up" else change < 0)
        why = f"{self.about.lstrip(chr(0))} from {stretch[0]:.4g} to {stretch[-1]:.4g} over {span}"
        yield Finding("direction", token.words, right, why)

    def _between_turns(self, token: Token, span: tuple[int, int]) -> tuple[int, int]:
        """Return the part of a span that a word speaks of, in “rose until iteration 6, fell until iteration 13, …”."""
        turns = [
            (m.start(), min(int(m[1]), self.judge.last)) for m in re.finditer(rf"until {STEP} (\d+)", self.sentence)
        ]
        before = [k for place, k in turns if place < token.start]
        after = [k for place, k in turns if place > token.start]
        return (before[-1] if before else span[0]), (after[0] if after else span[1])

    def _never(self, token: Token) -> Iterator[Finding]:
        """Judge “never lower than at the start”; other denials are not understood."""
        stretch = self.judge.recording.stretch(self.about or "\0loss", self.span)
        if re.search(rf"never {token.words} than at the start", self.sentence) and len(stretch):
            right = stretch.max() <= stretch[0] if token.kind == "up" else stretch.min() >= stretch[0]
            yield Finding(
                "direction", f"never {token.words}", bool(right), f"{stretch.min():.4g} to {stretch.max():.4g}"
            )

    def _would(self, token: Token) -> Finding:
        series = self.judge.recording.series.get(self.about or "")
        name = next((t for t in self.tokens[self.i :] if t.kind == "name"), None)
        if name is not None:
            series = self.judge.recording.series[self.judge.recording.names[name.words]]
        if series is None or series.gradient is None:
            return Finding("direction", token.words, None, "no gradient is known")
        would = next(t for t in self.tokens[self.i :] if t.kind == "would")
        lowers = re.search("lower|reduce|decrease", would.words) is not None
        sign = -1 if (token.kind == "up") == lowers else 1
        at = [int(t.match["k"]) for t in self.tokens if t.kind == "at"]
        gradient = series.gradient[at] if at and max(at) <= self.judge.last else series.gradient
        gradient = gradient[np.isfinite(gradient)]
        agreeing = np.sign(gradient) == sign
        right = bool(agreeing.all() if at or "all along" in self.sentence else agreeing.any())
        return Finding("direction", f"{token.words} … {would.words}", right, f"its gradient there: {gradient[:3]}")

    def pattern(self, token: Token) -> Iterator[Finding]:
        """Judge a word for convergence, divergence or oscillation."""
        if _CONDITIONAL.search(self.sentence) or re.search(r"\b(?:not|never|no|while)\b", self.sentence):
            return
        recording = self.judge.recording
        loss = recording.series["\0loss"].values
        stretch = recording.stretch("\0loss", (0, self.judge.last))
        if token.kind == "diverged":
            right = not np.isfinite(loss[-1]) or bool(len(stretch) and stretch[-1] > stretch[0])
        elif token.kind == "settled":
            if "test for convergence" in self.sentence or "linear" in self.sentence:
                return
            tail = stretch[-max(2, len(stretch) // 10) :]
            slope = recording.stretch("\0slope", (0, self.judge.last))
            right = len(stretch) > 2 and bool(
                np.isfinite(loss[-1])
                and stretch[-1] <= stretch[0]
                and (np.ptp(tail) <= 0.05 * np.ptp(stretch) or slope[-1] <= 0.05 * slope[0])
            )
        else:
            key = self.about if self.about in recording.series else "\0loss"
            course = recording.stretch(key or "\0loss", self.span)
            turns = np.diff(np.sign(np.diff(course)))
            right = bool(len(turns)) and int(np.sum(turns != 0)) >= 3
        yield Finding("pattern", token.words, right, "by the arrays")


def _peaks_at(values: np.ndarray) -> np.ndarray:
    return 1 + np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:]))


def _peaks(values: np.ndarray) -> np.ndarray:
    return values[_peaks_at(values)]
