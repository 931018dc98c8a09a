"""What the first caption tells, and in which order: the answer, why, what limits it, and what to do next.

What is wrong comes first; a thing is told once, and so is a pair of numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.language.renderer import said
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.chapters import MOST_WATCHED, moved_in, speed_in, watched_in
from xinv_nb.words.choosing import Choice, fitting, joined, of_kind, told_again, with_one_of
from xinv_nb.words.phrases import Phrase, Phrases

_MOST_TRUTHS = 3
_MOST_LIMITS = 2
"""What limits the result: bounds, combinations that are poorly determined, a model that misses data."""
_MOST_ESTIMATES = 4
_LIMITS = ("bound", "identifiability", "estimate", "influence", "residual trend")
_MOST_FINDINGS = 2
"""Findings, each with what to do about it; the others stay in the list of facts."""
_MOST_WORDS_OF_FINDINGS = 90
"""Words of two findings beyond which the summary tells the gravest alone."""
_MAIN = 0.8
"""Salience from which on a fact belongs to the main story."""
_MOST_WORDS = 75
"""Words of a usual summary, beside those of the sentences that give the answer, its pace, and why it came so."""
_BESIDE = ("result", "progress", "reason")
_MOST_SENTENCES = 7
_BEST = 0.7
"""Salience from which on the lowest loss belongs to the summary."""
_NAMED_MOVES = 0.7
"""Salience from which on the move of a named parameter may be told in the summary."""
_MAIN_MOVES = 2
_TIED = 0.9
"""Correlation from which on two parameters that make up for each other belong to the summary."""
_INSTEAD = ("best-not-last", "maximized", "not-the-minimized-function", "never-moved")
"""Cautions without which what comes next would be misread."""


def summary(run: RecordedRun, facts: Sequence[Fact], phases: int, span: tuple[int, int], bank: Phrases) -> list[Phrase]:
    """Return the answer, then why, what limits it, and one suggestion; where something is wrong, that first.

    >>> summary(RecordedRun(), [], 1, (0, 0), Phrases(RecordedRun()))
    []
    """
    choices = list(_choices(run, facts, phases, span, bank))
    lengths = {choice.phrase.facts[0].kind: choice.phrase.length for choice in reversed(choices)}
    room = sum(lengths.get(kind, 0) for kind in _BESIDE)
    return fitting(choices, _MOST_WORDS + room, _MOST_SENTENCES)


def findings_in(facts: Sequence[Fact], most: int) -> list[Fact]:
    """Return what is wrong, the gravest first, each followed by what to do about it.

    >>> findings_in([], 2)
    []
    """
    found = of_kind(facts, "finding")
    gravest = list(dict.fromkeys(fact.data["id"] for fact in found))[:most]
    return [fact for id_ in gravest for fact in found if fact.data["id"] == id_]


def _choices(
    run: RecordedRun, facts: Sequence[Fact], phases: int, span: tuple[int, int], bank: Phrases
) -> Iterator[Choice]:
    """Yield what the summary may tell, in the order in which it would."""
    found = findings_in(facts, _MOST_FINDINGS)
    if sum(bank.of(fact).length for fact in found) > _MOST_WORDS_OF_FINDINGS:
        found = findings_in(facts, 1)
    first = [f for f in found if f.data["severity"] == "warning" or f.data["finding"] in _INSTEAD]
    cautions = [f for f in found if f not in first]
    yield from (Choice(0, bank.of(f)) for f in first)
    yield from (Choice(0, bank.of(f)) for f in of_kind(facts, "fits") if f.salience >= _MAIN)
    yield from (Choice(0, bank.of(f)) for f in of_kind(facts, "sampling"))
    ending = of_kind(facts, "ending")
    broke_off = bool(ending) and ending[0].salience >= 1
    if broke_off:
        yield Choice(0, bank.of(ending[0]))
    yield from (Choice(0, bank.of(f)) for f in of_kind(facts, "players"))
    own = next(iter(of_kind(facts, "phase")), None) if phases == 1 else None
    is_wrong = any(fact.data["severity"] == "warning" for fact in first)
    told = list(_told_of_the_loss(facts, own, () if broke_off else ending, first, bank))
    told += [] if is_wrong else [Choice(2, bank.of(f)) for f in of_kind(facts, "progress") if phases > 1]
    yield from _answer(run, facts, span, [*first, *cautions], bank, told)
    yield from _why(facts, phases, span, bank)
    yield from (Choice(0, bank.of(f)) for f in cautions)
    yield from _limits(facts, phases, own, bank)


def _answer(
    run: RecordedRun,
    facts: Sequence[Fact],
    span: tuple[int, int],
    found: Sequence[Fact],
    bank: Phrases,
    loss: Sequence[Choice],
) -> Iterator[Choice]:
    """Yield the estimates, then the domain, then the loss: that before the domain where it is the answer."""
    truths = [f for f in of_kind(facts, "truth")[:_MOST_TRUTHS] if not told_again(f, found)]
    estimates = [f for f in of_kind(facts, "estimate") if f.data["error"] is not None]
    results = truths or estimates[:_MOST_ESTIMATES] or of_kind(facts, "result")
    yield from (Choice(0 if place == 0 else 2, phrase) for place, phrase in enumerate(joined(bank, results)))
    watches = _watches(facts, span)
    is_answer = told_of_loss(run) is not None or any(f.values["is_term"] for f in watches)
    if is_answer and not results:
        yield from loss
    for place, phrase in enumerate(joined(bank, watches)):
        yield Choice(1 if place == 0 else 3 if is_answer else 4, phrase)
    for fact in _lasting(facts, span):
        yield Choice(4, bank.of(fact))
    if not is_answer or results:
        yield from loss


def _watches(facts: Sequence[Fact], span: tuple[int, int]) -> list[Fact]:
    """Return how watched quantities changed, of the terms of the loss those first that changed it most."""
    told = {fact.values["quantity"] for fact in of_kind(facts, "held out")[:1]}
    found = [f for f in watched_in(facts, span, len(facts)) if f.values["quantity"] not in told]
    terms = iter(sorted((f for f in found if f.values["is_term"]), key=_did, reverse=True))
    return [next(terms) if f.values["is_term"] else f for f in found][:MOST_WATCHED]


def _did(fact: Fact) -> float:
    """Return by how much the change of a term changed the loss."""
    weight = fact.values.get("cotangent", 0.0)
    return float(abs(weight * (fact.values.get("end", 0.0) - fact.values.get("start", 0.0))))


def _why(facts: Sequence[Fact], phases: int, span: tuple[int, int], bank: Phrases) -> Iterator[Choice]:
    """Yield what moved, with what that brought, and what the parts of the loss did."""
    if phases > 1 and not of_kind(facts, "truth"):
        main = [f for f in moved_in(facts, span) if f.salience >= _NAMED_MOVES and bank.is_named(f)]
        if of_kind(facts, "result"):  # which tells where they ended
            main = of_kind(main, "reason")
        rank = 1 if any(f.kind == "reason" for f in main) else 3
        yield from (Choice(rank, phrase) for phrase in joined(bank, main[:_MAIN_MOVES], "main"))
    yield from (Choice(4, bank.of(f)) for f in of_kind(facts, "terms") if f.span == span)
    yield from (Choice(5, bank.of(f)) for f in of_kind(facts, "credit") if "beyond" not in f.form)


def _limits(facts: Sequence[Fact], phases: int, own: Fact | None, bank: Phrases) -> Iterator[Choice]:
    """Yield what holds the result, how well it is determined, and what to try next."""
    is_noisy = any(f.data["noisy"] for f in of_kind(facts, "phase"))
    yield from (Choice(0, bank.of(f)) for f in of_kind(facts, "infeasible start") if f.salience >= _MAIN)
    yield from (Choice(1, bank.of(f)) for f in of_kind(facts, "held out")[:1])
    # The best of noisy values is a lucky one.
    if not is_noisy and (own is None or own.values["kind"] != "oscillation"):
        yield from (Choice(2 if f.salience >= _BEST else 5, bank.of(f)) for f in of_kind(facts, "best"))
    yield from (Choice(3, bank.of(f)) for f in of_kind(facts, "gap"))
    yield from (Choice(3, bank.of(f)) for f in of_kind(facts, "turns"))
    balance = of_kind(facts, "balance")[:1]
    yield from (Choice(2, bank.of(f)) for f in balance or of_kind(facts, "conflict")[:1])
    limits = [f for f in facts if f.kind in _LIMITS and f.salience >= _MAIN and f.data.get("error") is None]
    limits += [f for f in of_kind(facts, "identifiability") if f not in limits and _is_tied(f)][:1]
    yield from (Choice(2, bank.of(f)) for f in limits[:_MOST_LIMITS])
    if phases == 1:
        rank = 3 if bank.level == "expert" else 5
        yield from (Choice(rank, bank.of(f)) for f in speed_in(facts, bank))
    ending = of_kind(facts, "ending")
    doing = ending[0].values.get("doing") if ending else None
    minimum = [f for f in of_kind(facts, "minimum") if f.values["minimum"]]
    # A loss that still changes is not at its minimum; and terms that balance say better why it is level.
    if not is_noisy and not balance and doing not in ("descent", "rise"):
        yield from (Choice(4, bank.of(f)) for f in minimum or of_kind(facts, "gradient"))
    # That it was still falling says that more iterations would lower it.
    is_said = doing in ("descent", "slow descent")
    advice = [f for f in of_kind(facts, "advice") if not (is_said and f.form == "more iterations")]
    yield from (Choice(3, bank.of(f)) for f in advice[:1])


def _is_tied(fact: Fact) -> bool:
    return fact.form.startswith("correlated") and abs(fact.values["correlation"]) >= _TIED


def _told_of_the_loss(
    facts: Sequence[Fact], own: Fact | None, ending: Sequence[Fact], wrong: Sequence[Fact], bank: Phrases
) -> Iterator[Choice]:
    """Yield what became of the loss, unless what is wrong says so, and how the run ended; in one sentence if it can."""
    told = [fact for fact in ending if fact.values.get("doing") != "broken"]  # that is said with the loss
    course = of_kind(facts, "course")
    # Where the loss only goes up and down, its first and last values say little.
    is_fall = own is not None and own.form.startswith("swung down")
    if own is not None and own.values["kind"] not in ("descent", "slow descent", "rise") and not is_fall:
        course = [own]
    is_said = bool(told) and any(_says_the_change(finding, fact) for finding in wrong for fact in course)
    for fact in course if not is_said else ():
        if fact.values.get("change") == 0 and not any("message" in f.values for f in told):
            told = []  # of a loss that stayed as it was, it is no news that it hardly changed any more
        phrase = with_one_of(bank, fact, told)
        yield Choice(0, phrase)
        if len(phrase.facts) > 1:
            return
    yield from (Choice(0 if is_said else 1, bank.of(fact)) for fact in told)


def _says_the_change(finding: Fact, fact: Fact) -> bool:
    """Whether a finding tells from where to where the loss went, as a fact does."""
    if not {"start", "end"} <= set(fact.slots):
        return False
    return f"from {said('start', fact.slots)} to {said('end', fact.slots)}" in finding.text


def _lasting(facts: Sequence[Fact], span: tuple[int, int]) -> list[Fact]:
    """Return the event that began during the run and happened to its end, if there is one such event."""
    events = [f for f in of_kind(facts, "event") if f.values["first"] > span[0] and f.values["last"] == span[1]]
    return events if len(events) == 1 and events[0].values["count"] > 1 else []
