"""From facts to the phrases that may word them: what stands in the slots of the bank.

A fact is worded by the bank only where the form that its own sentence has, filled with its values, gives that sentence
to the letter; so what the slots hold is what the fact says. Of any other, its own sentence is the only wording.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds.movement import name_of, subject, verb
from xinv_nb.language.quantities import asked, listed, number, pair, quantity, sentence_start, share, with_unit
from xinv_nb.recorded.entries import Entry as Parameter
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.wordings import BANK, GLOSSES, Entry, Wording

LEVELS = ("student", "expert")
_GLOSS = re.compile(r"<(\w+)>")
_ALMOST = 1 - 1e-9
Slots = dict[str, str]


@dataclass(frozen=True)
class Phrase:
    """Facts that one sentence words, and the ways in which it may."""

    facts: tuple[Fact, ...]
    wordings: tuple[Wording, ...]
    slots: Mapping[str, str]

    def text(self, wording: Wording, *, told: set[str] | None = None) -> str:
        """Return the sentence; a term that is not among those `told` is explained, and told from then on."""

        def gloss(match: re.Match[str]) -> str:
            name = match[1]
            if told is None or name in told:
                return ""
            told.add(name)
            return GLOSSES[name]

        return _GLOSS.sub(gloss, wording.template).format_map(self.slots)

    @property
    def length(self) -> int:
        """The words of a usual wording of it."""
        return sorted(len(self.text(wording).split()) for wording in self.wordings)[len(self.wordings) // 2]

    def texts(self) -> list[str]:
        """Return all its wordings, without what a student is told of their terms."""
        return list(dict.fromkeys(self.text(wording) for wording in self.wordings))


class Phrases:
    """Words the facts of one run for a reader of one level."""

    def __init__(self, run: RecordedRun, level: str | None = None) -> None:
        self.level = level or "student"
        self._run = run

    @functools.cached_property
    def _parameters(self) -> dict[str, Parameter]:
        return {entry.name: entry for entry in self._run.entries()}

    @functools.cached_property
    def _units(self) -> dict[str, str]:
        return {name: columns.unit for name, columns in self._run.history.watches.items()}

    def of(self, *facts: Fact, kind: str = "") -> Phrase:
        """Return how a fact, or several by one sentence, may be worded; raises `LookupError` where several may not.

        `kind` is the part of the bank that is asked where it is not that of the facts' own kind.
        """
        phrase = self._known(facts, kind) if kind else None
        phrase = phrase or self._known(facts)
        if phrase is None and len(facts) > 1:
            raise LookupError("no one sentence words these facts")
        return phrase or Phrase(facts, (Wording("{own}", ""),), {"own": facts[0].text})

    def is_named(self, fact: Fact) -> bool:
        """Whether the parameter that a fact is about has a name, a unit or directions of the domain."""
        entry = self._parameters.get(str(fact.values.get("parameter")))
        return entry is not None and bool(entry.parameter.name or entry.parameter.unit or entry.parameter.directions)

    def _known(self, facts: Sequence[Fact], kind: str = "") -> Phrase | None:
        kinds = tuple(kind or fact.kind for fact in facts)
        for entry in BANK.get(kinds, ()):
            slots = self._slots(facts, entry)
            if slots is None:
                continue
            wordings = tuple(wording for wording in entry.wordings if wording.suits(self.level))
            if wordings:
                return Phrase(tuple(facts), wordings, slots)
        return None

    def _slots(self, facts: Sequence[Fact], entry: Entry) -> Slots | None:
        """Return what stands in the slots if the facts have the forms of the entry."""
        found: Slots = {}
        for place, (fact, form) in enumerate(zip(facts, entry.forms, strict=True)):
            slots = self._of_fact(fact)
            try:
                if form.format_map(slots) != fact.text:
                    return None
            except KeyError:
                return None
            if place and fact.kind == facts[0].kind:
                slots = {f"{name}2": value for name, value in slots.items()}
            for name, value in slots.items():
                used = any(f"{{{name}}}" in form for form in entry.forms)
                if used and found.get(name, value) != value:
                    return None
                found.setdefault(name, value)
        return found if _holds(entry.condition, found) else None

    def _of_fact(self, fact: Fact) -> Slots:
        cached = self._cache.get(id(fact))
        if cached is None or cached[0] is not fact:
            cached = self._cache[id(fact)] = (fact, self._read(fact))
        return dict(cached[1])

    def _read(self, fact: Fact) -> Slots:
        read: Callable[[Fact], Slots] | None = getattr(self, f"_read_{fact.kind}", None)
        try:
            return read(fact) if read else {}
        except KeyError:  # without the values that its kind has, a fact keeps its own sentence
            return {}

    @functools.cached_property
    def _cache(self) -> dict[int, tuple[Fact, Slots]]:
        return {}

    # ------------------------------------------------------------------ what the slots hold

    def _read_course(self, fact: Fact) -> Slots:
        v = fact.values
        slots = {"n": str(v.get("iterations", "")), "label": ""}
        if "start" not in v:
            head = "The loss was "
            return slots | {"label": fact.text.removeprefix(head).removesuffix(" at every iteration.")}
        start, end = v["start"], v["end"]
        a, b = pair(start, end)
        slots |= {"a": a, "b": b, "went": _way(end - start)}
        slots |= {"i": str(v.get("early", "")), "j": str(v.get("late", ""))}
        if start > 0 and 0 <= end < start:
            slots["p"] = share(min((start - end) / start, 1.0 if end == 0 else _ALMOST))
        if "to" in v:
            slots["k"] = str(v["to"] + 1)
            slots["label"] = fact.text.rpartition(" on it was ")[2].rstrip(".")
        return slots

    def _read_phase(self, fact: Fact) -> Slots:
        v = fact.values
        slots = {"i": str(v["from"]), "j": str(v["to"]), "label": str(v["label"])}
        if "start" in v:
            a, b = pair(v["start"], v["end"])
            slots |= {"a": a, "b": b, "went": _way(v["end"] - v["start"])}
        for one, two in (("low", "high"), ("first_peak", "last_peak"), ("early", "late")):
            if one in v and two in v:
                slots["c"], slots["d"] = pair(v[one], v[two])
        if "period" in v:
            slots |= {"period": number(v["period"])}
            slots["grew"] = "sank" if v["last_peak"] < v["first_peak"] else "grew"
        return slots

    _read_stretch = _read_phase

    def _read_ending(self, fact: Fact) -> Slots:
        v = fact.values
        who, _, rest = fact.text.partition(" after ")
        stopped = f"{who[0].lower()}{who[1:]}" if re.match(r"[A-Z][a-z]+ (?!stopped)", who) else who
        slots = {"n": str(v["iterations"]), "Stopped": who, "stopped": stopped}
        slots["why"] = rest.partition(": ")[2].removesuffix(".")
        if "since" in v:
            c, d = pair(v["from"], v["to"])
            slots |= {"c": c, "d": d, "since": str(v["since"])}
        return slots

    def _read_best(self, fact: Fact) -> Slots:
        a, b = pair(fact.values["best"], fact.values["end"])
        return {"a": a, "b": b, "i": str(fact.values["iteration"])}

    def _read_convergence(self, fact: Fact) -> Slots:
        v = fact.values
        slots = {"i": str(fact.span[0]), "j": str(fact.span[1])}
        if "rate" in v:
            slots |= {"p": share(1 - v["rate"]), "rate": number(v["rate"], 4), "half": number(v["half_life"])}
            slots |= {"left": number(v["left"])}
        if "ratios" in v:
            slots["list"] = listed([f"{number(100 * ratio, 2)} %" for ratio in v["ratios"]])
        if "factor" in v:
            slots["factor"] = number(v["factor"])
        return slots

    def _read_gradient(self, fact: Fact) -> Slots:
        v = fact.values
        if "ratio" not in v:
            return {}
        a, b = pair(v["first"], v["last"])
        return {"a": a, "b": b, "p": share(v["ratio"])}

    def _read_watch(self, fact: Fact) -> Slots:
        v = fact.values
        a, b = pair(v["start"], v["end"], self._units.get(v["quantity"], ""))
        q = str(v["quantity"])
        return {"Q": sentence_start(q), "q": q, "a": a, "b": b, "asks": asked(q, v["cotangent"])} | _ways(
            v["end"] - v["start"]
        )

    def _read_movement(self, fact: Fact) -> Slots:
        v, entry = fact.values, self._parameters.get(str(fact.values.get("parameter")))
        if entry is None:
            return {}
        a, b = pair(v["start"], v["end"], entry.parameter.unit)
        slots = self._names(entry) | {"a": a, "b": b, "went": verb(entry, v["end"] - v["start"])}
        if entry.statistic:
            over = fact.text.partition(" (root mean square over ")[2].partition(")")[0]
            return slots | {"c": quantity(v["change"], entry.parameter.unit), "entries": over}
        return slots | {"k": str(v.get("asked") or "none"), "steps": str(v.get("steps", ""))}

    def _names(self, entry: Parameter) -> Slots:
        return {"Q": subject(entry), "q": name_of(entry)}

    def _read_turning(self, fact: Fact) -> Slots:
        v, entry = fact.values, self._parameters.get(str(fact.values.get("parameter")))
        if entry is None or entry.statistic or len(v["turns"]) != 1:
            return {}
        unit, top = entry.parameter.unit, v["values"][0]
        a, b = pair(v["start"], top, unit)
        slots = self._names(entry) | {"a": a, "b": b, "c": pair(top, v["end"], unit)[1], "i": str(v["turns"][0])}
        slots |= {"went": verb(entry, top - v["start"]), "turned": verb(entry, v["end"] - top)}
        return slots | {"over": quantity(v.get("overshoot", 0.0), unit)}

    def _read_credit(self, fact: Fact) -> Slots:
        v, total = fact.values, fact.values["total"]
        ordered = sorted(v["parts"], key=lambda name: v["parts"][name])
        names = [name_of(self._parameters[name]) for name in ordered if name in self._parameters]
        if len(names) < 2 or len(names) < len(ordered):
            return {}
        p, q = (share(v["parts"][name] / total) for name in ordered[:2])
        slots = {"x": names[0], "y": names[1], "p": p, "P": f"{p[0].upper()}{p[1:]}", "q": q}
        slots |= {"r": share(v["accounted"] / total), "t": number(-total)}
        return slots | {"i": str(fact.span[0]), "j": str(fact.span[1])}

    _read_drop = _read_credit

    def _read_terms(self, fact: Fact) -> Slots:
        v, total = fact.values, fact.values["total"]
        ordered = sorted(v["parts"], key=lambda name: v["parts"][name] * total, reverse=True)
        if len(ordered) != 2:
            return {}
        (x, y), parts = ordered, [v["parts"][name] for name in ordered]
        when = fact.text.partition(" the loss ")[0]
        slots = {"When": when, "when": f"{when[0].lower()}{when[1:]}", "went": _way(total), "t": number(abs(total))}
        did, did2 = ("lowered" if part < 0 else "raised" for part in parts)
        u, w = (number(abs(part)) for part in parts)
        return slots | {"x": x, "y": y, "did": did, "did2": did2, "u": u, "v": w}

    def _read_conflict(self, fact: Fact) -> Slots:
        both = listed(fact.values["terms"])
        when = fact.text.partition(" in opposite directions ")[2].rpartition(" (mean cosine")[0]
        slots = {"both": both, "Both": sentence_start(both), "c": number(fact.values["cosine"])}
        return slots | {"when": when, "When": f"{when[:1].upper()}{when[1:]}"}

    def _read_balance(self, fact: Fact) -> Slots:
        x, y = fact.values["terms"]
        return {"i": str(fact.span[0]), "x": x, "X": sentence_start(x), "y": y, "c": number(fact.values["cosine"])}

    def _read_truth(self, fact: Fact) -> Slots:
        entry = self._parameters.get(str(fact.values["parameter"]))
        if entry is None:
            return {}
        unit = entry.parameter.unit
        a, b = pair(fact.values["end"], fact.values["truth"])
        return self._names(entry) | {"a": with_unit(a, unit), "b": with_unit(b, unit)}

    def _read_bound(self, fact: Fact) -> Slots:
        entry = self._parameters.get(str(fact.values["parameter"]))
        if entry is None:
            return {}
        limit = quantity(fact.values["bound"], entry.parameter.unit)
        return self._names(entry) | {"which": fact.values["side"], "a": limit, "i": str(fact.values["first"])}

    def _read_identifiability(self, fact: Fact) -> Slots:
        v = fact.values
        head, _, rest = fact.text.partition(": where ")
        move, _, change = rest.partition(", the loss ")
        slots = {"move": move, "source": change.rpartition(" (")[2].removesuffix(").")}
        if "best change" in v and "change" in v:
            best = change.partition("; where ")[2].rpartition(f", by {number(v['best change'])} (")[0]
            about = "at most" if change.startswith("changes by at most") else "about"
            slots |= {"c": number(v["change"]), "d": number(v["best change"]), "best": best, "about": about}
        return slots if head else {}

    def _read_advice(self, fact: Fact) -> Slots:
        more, at = re.search(r"about (\d+) more ", fact.text), re.search(r"of iteration (\d+) may", fact.text)
        return {"more": more[1] if more else "", "i": at[1] if at else ""}

    def _read_event(self, fact: Fact) -> Slots:
        at = str(fact.values["at"])
        return {"i": at, "said": fact.text.partition(f"iteration {at}: ")[2].removesuffix(".")}


def _way(change: float) -> str:
    return "rose" if change > 0 else "fell"


def _ways(change: float) -> Slots:
    return {"went": _way(change), "up": "up" if change > 0 else "down"}


def _holds(condition: str, slots: Slots) -> bool:
    """Whether two facts went the same way, or apart, as an entry of the bank wants it."""
    if not condition:
        return True
    one, two = ("did", "did2") if "did" in slots else ("went", "went2")
    return (slots.get(one) == slots.get(two)) == (condition == "same")
