"""The headline of a run: the answer in the domain's words, from facts and findings that are data, worded by the bank.

Several are tried, what a reader would miss most first; the first that is short enough is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.counting import counted
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.language.bank import bank_of
from xinv_nb.language.slots import Clause, Listed, Named, Said, Slot, Word
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.beneath import beneath
from xinv_nb.words.choosing import of_kind
from xinv_nb.words.headline_facts import KIND, headline, shortest
from xinv_nb.words.headlines_of_fits import of_the_fits
from xinv_nb.words.moves import moves_of

OF_A_FINDING = "headline of a finding"
"""The part of the bank for what is wrong, by the name of the kind of finding, and of its form where that matters."""
_EARLY = 10
"""Evaluations of a run that goes on before which it is too early to tell."""
_INSTEAD = ("best-not-last", "maximized", "not-the-minimized-function", "overfit", "never-moved")
"""Cautions that say what came out better than how far the loss fell."""
_WHOLE_FALL = 0.99
"""Share of a fall from which on its end says more than the share."""
_LITTLE = 0.01
_MOSTLY = 0.6
"""Share of what lowered the loss from which on some terms make most of it."""
_PART = 0.2
_LOWEST = 0.7
"""Salience from which on the lowest loss is missed more than the last."""
_MOST_ENDS = 4
_CHANGED = ("better", "fell", "changed")


def headline_of(run: RecordedRun) -> str:
    """Return the headline of a run: at most 14 words, empty where nothing is recorded yet.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 2.0, 1.0):
    ...         run.add(x**2, x, 2 * x)
    >>> headline_of(run)
    'The loss fell by 94 %, from 16 to 1, and was still falling'
    """
    fact = headline_fact(run)
    return "" if fact is None else fact.text


def headline_beneath(run: RecordedRun) -> str:
    """Return the line beneath the headline: the two largest shares of what was gained, and the rest, which add up.

    Empty where reasons are not known, or something is wrong.

    >>> headline_beneath(RecordedRun())
    ''
    """
    facts = facts_of(run)
    if not run.evaluations or _gravest(facts) is not None or any(f.kind in ("sampling", "players") for f in facts):
        return ""
    found = beneath(run)
    return "" if found is None else counted(run, [found])[0].text


def headline_fact(run: RecordedRun) -> Fact | None:
    """Return the headline as a fact that cites those it follows from; None where nothing is recorded yet.

    >>> headline_fact(RecordedRun())
    """
    if not run.evaluations and run.status == "running":
        return None
    return shortest(run, _candidates(run))


def _candidates(run: RecordedRun) -> Iterator[Fact]:
    facts = facts_of(run)
    gravest = _gravest(facts)
    if gravest is not None:
        yield from of_a_finding(gravest)
        what = str(gravest.data["finding"]).replace("-", " ")
        yield headline("wrong", [gravest], {"what": Said(what)})
    if not run.evaluations:
        yield headline("nothing", [], {})
        return
    if run.status == "running" and run.evaluations < _EARLY:
        yield headline("too early", [], {})
    yield from _broke_off(facts)
    yield from of_the_fits(run, facts)
    for fact in of_kind(facts, "sampling")[:1]:
        yield headline("sampled", [fact], {})
    for fact in of_kind(facts, "players")[:1]:
        if fact.form.startswith("by turns"):
            yield headline("players, named", [fact], fact.slots)
        yield headline("players of one loss" if fact.form == "one loss" else "players", [fact], {})
    for fact in of_kind(facts, "finding"):
        if fact.form == "what" and fact.data["finding"] in _INSTEAD:
            yield from of_a_finding(fact)
    yield from _found(of_kind(facts, "truth"))
    yield from _answer(run, facts)


def _gravest(facts: Sequence[Fact]) -> Fact | None:
    """Return what is wrong so that the result cannot be used as it is."""
    return next((f for f in of_kind(facts, "finding") if f.form == "what" and f.data["severity"] == "warning"), None)


def of_a_finding(fact: Fact) -> Iterator[Fact]:
    """Yield the headlines of what is wrong, that of its very form first."""
    said = fact.slots["said"]
    assert isinstance(said, Clause)
    name = f"{fact.data['finding']}, {said.form}"
    while name:
        if (OF_A_FINDING, name) in bank_of().own:
            yield headline(name, [fact], said.slots, OF_A_FINDING)
        name = name.rpartition(", ")[0]


def _broke_off(facts: Sequence[Fact]) -> Iterator[Fact]:
    """Yield that the run was stopped, or broke off."""
    for fact in of_kind(facts, "ending"):
        if fact.form == "by hand":
            course = [f for f in of_kind(facts, "course") if "share" in f.slots]
            slots = {"iterations": fact.slots["iterations"], **({"share": course[0].slots["share"]} if course else {})}
            yield headline("by hand", [fact, *course], slots)
        elif fact.form.startswith("broke off"):
            yield headline(fact.form, [fact], fact.slots)
            yield headline("broke off", [fact], fact.slots)


def _found(truths: Sequence[Fact]) -> Iterator[Fact]:
    """Yield which parameters came to their true values, and which did not."""
    found, missed = ([f for f in truths if f.data["how"] == how] for how in ("found", "missed"))
    names = {
        "found": Listed(tuple(f.slots["parameter"] for f in found), shared=True),
        "missed": Listed(tuple(f.slots["parameter"] for f in missed), shared=True),
    }
    if truths and len(found) + len(missed) == len(truths):
        form = "found, some" if missed else "found, several"
        if len(found) == 1:
            form = ("found, one", "found, one of two")[len(missed)] if len(missed) < 2 else "found, one of several"
        elif found and len(missed) == 1:
            form = "found, all but one"
        elif not found:
            form = "off, several"
        if len(found) or len(missed) > 1:
            yield headline(form, truths, names)
    if len(truths) == 1 and truths[0].form == "off":
        yield headline("off, one", truths, truths[0].slots)
    elif off := [f for f in truths if f.form == "off" and f.data["how"] != "found"]:
        yield headline("off, one", off[:1], off[0].slots)


def _answer(run: RecordedRun, facts: Sequence[Fact]) -> Iterator[Fact]:
    """Yield what came out: by what moved, by what the loss is made of, the estimates, or how far the loss fell."""
    course = next(iter(of_kind(facts, "course")), None)
    told = told_of_loss(run)
    if course is None:
        yield headline("nothing", [], {})
        return
    so_far: dict[str, Slot] = {"so_far": Word("so far")} if run.status == "running" else {}
    is_own_word = told is not None and told.lower != "lower"
    form, slots = _change(course, is_own_word=is_own_word)
    whole = story_span(run)
    is_fall = form in _CHANGED and bool(course.values["went"] < 0)
    if is_fall and not is_own_word:  # how low a misfit became says less than what was fitted
        yield from _estimates(facts)
    for why, of in moves_of(facts, whole) if is_fall else ():
        yield headline(f"{form}, why", [course, *of], slots | so_far | {"why": why})
    if is_fall and (mostly := _mostly(facts, whole)) is not None:
        terms, fact = mostly
        yield headline(f"{form}, mostly", [course, fact], slots | so_far | {"quantities": terms})
    for fact in of_kind(facts, "best"):
        if fact.form == "before the end" and fact.salience >= _LOWEST:
            yield headline("lowest before", [fact], fact.slots)
    if form in _CHANGED:
        limit, of = _limit(facts) if is_fall else (None, [])
        if limit is not None:
            yield headline(f"{form}, limit", [course, *of], slots | so_far | {"limit": limit})
        more: dict[str, Slot] = {}
        of = []
        doing = next((f.form for f in of_kind(facts, "ending")), "")
        if not so_far:
            for word in ("falling", "rising"):
                more |= {"doing": Word(word)} if doing == f"stopped, {word}" else {}
            if not more and (level := [f for f in of_kind(facts, "minimum") if f.values["minimum"]]):
                more, of = {"level": Word("level")}, level
        yield headline(form, [course, *of], slots | so_far | more)
    yield headline(form, [course], slots | so_far)


def _estimates(facts: Sequence[Fact]) -> Iterator[Fact]:
    """Yield what was fitted, with what limits it: values that the data do not tell are no answer."""
    found = [f for f in of_kind(facts, "estimate") if f.data["error"] is not None][:_MOST_ENDS]
    ends = [_it_is({"parameter": f.slots["parameter"], "value": f.slots["estimate"]}) for f in found]
    if not found:
        found = of_kind(facts, "result")[:1]
        ends = [end for fact in found for end in _ends(fact)]
    if not found:
        return
    limit, of = _limit(facts)
    for ending in of_kind(facts, "ending") if limit is None else ():
        if ending.values.get("doing") in ("descent", "slow descent"):
            limit, of = Clause("headline, still falling", {}), [ending]
    slots: dict[str, Slot] = {"ends": Listed(tuple(ends), closing=False)}
    if limit is None:
        yield headline("result", found, slots)
    else:
        yield headline("result, limit", [*found, *of], slots | {"limit": limit})


def _change(course: Fact, *, is_own_word: bool) -> tuple[str, dict[str, Slot]]:
    """Return the form and the slots of what became of the loss."""
    slots = {name: slot for name, slot in course.slots.items() if name in KIND.slots}
    share = course.values.get("share")
    form = course.form
    if form.startswith("changed"):
        if "label" in slots:
            return "changed, then broken", slots
        if "in the median" in form:
            is_share = "share" in slots and course.values["share"] <= _WHOLE_FALL
            return "noisy, by share" if is_share else "noisy change", slots
        if share is not None and _LITTLE <= share <= _WHOLE_FALL:
            return "better" if is_own_word else "fell", slots
        return "changed", slots
    if form.startswith(("stayed", "hardly")):
        return "stayed", slots
    for known in ("returned", "only", "once", "never a number"):
        if form.startswith(known):
            return "never a number" if known == "never a number" else known, slots
    return ("about", slots) if form.startswith("noise") else ("changed", slots)


def _mostly(facts: Sequence[Fact], whole: tuple[int, int]) -> tuple[Slot, Fact] | None:
    """Return the terms that made most of the fall, with the fact that says so."""
    for fact in of_kind(facts, "terms"):
        if fact.span != whole:
            continue
        gains = {name: -part for name, part in fact.data["parts"].items() if part < 0}
        total, names, most = sum(gains.values()), list[Slot](), 0.0
        for name in sorted(gains, key=lambda name: -gains[name]):
            if most >= _MOSTLY * total and gains[name] < _PART * total:
                break
            names.append(Named(name, name))
            most += gains[name]
        return (Listed(tuple(names)), fact) if 0 < len(names) < len(fact.data["parts"]) else None
    return None


def _ends(fact: Fact) -> list[Slot]:
    """Return the parameters of a result with their values."""
    others = fact.slots.get("others")
    rest = [item.slots for item in others.items if isinstance(item, Clause)] if isinstance(others, Listed) else []
    first = {"parameter": fact.slots["parameter"], "value": fact.slots["end"]}
    return [_it_is(each) for each in (first, *rest)]


def _it_is(slots: Mapping[str, Slot]) -> Slot:
    return Clause("headline, it is", slots)


def _limit(facts: Sequence[Fact]) -> tuple[Slot | None, list[Fact]]:
    """Return what limits a result, by the first caution that does."""
    for fact in of_kind(facts, "finding"):
        said = fact.slots["said"]
        if fact.form != "what" or not isinstance(said, Clause):
            continue
        name = ""
        if fact.data["finding"] == "bound":
            by_program = said.form.endswith("by the program")
            one = "held by the program" if by_program else "at its bound"
            name = one if said.form.startswith("one") else "" if by_program else "at bounds"
        elif fact.data["finding"] == "constraint-active" and said.form.startswith("held"):
            name = said.form
        elif fact.data["finding"] == "undetermined":
            name = "undetermined"
        if name:
            return Clause(f"headline, {name}", said.slots), [fact]
    return None, []
