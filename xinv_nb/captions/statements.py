"""From the chunks of a sentence to what it states: which quantity, what of it, when.

The order of what stands in a clause says little in English, as each number carries its preposition; so a clause is read
as a bag. Whatever is left in the bag is unread, and the sentence counts as not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from xinv_nb.captions.clauses import LOSS, clauses_of, objects_of
from xinv_nb.captions.numerals import Number
from xinv_nb.captions.reading import Chunk
from xinv_nb.captions.vocabulary import words_of

Mark = tuple[str, int]
"""A moment: `("start", 0)`, `("end", 0)`, `("at", 7)`, `("first", 20)` (the last of the first 20) or `("some", 0)`."""

START, END, SOME = ("start", 0), ("end", 0), ("some", 0)


@dataclass(frozen=True)
class Statement:
    """One thing that a sentence states, and the words that say so."""

    kind: str
    quantity: str = ""
    what: tuple[str, ...] = ()
    number: Number | None = None
    since: Mark = START
    until: Mark = END
    negated: bool = False
    words: str = field(default="", compare=False)


@dataclass(frozen=True)
class Reading:
    """What a sentence states, and the pieces of it that were not understood."""

    statements: tuple[Statement, ...]
    unread: tuple[Chunk, ...]
    subjects: tuple[str, ...] = ()
    """What the sentence was about at last: what "it" in the next one means."""


def read(chunks: Sequence[Chunk], before: Sequence[str] = ()) -> Reading:
    """Return what a sentence states; `before` is what the sentence before was about."""
    clauses = clauses_of(chunks, before)
    statements: list[Statement] = []
    unread: list[Chunk] = []
    previous: _Span | None = None
    last: tuple[str, ...] = tuple(before)
    for clause in clauses:
        subjects = clause.subjects or [""]
        if {"credit", "than"} <= {c.kind for c in clause.chunks}:
            subjects = subjects[:1]  # the other one is what the first is compared with
        for subject in subjects:
            bag = _Bag(subject, list(clause.chunks), previous if clause.inherited else None, previous)
            bag.interpret()
            statements += bag.found
            if subject == subjects[0]:
                unread += bag.rest
                span = bag.span
        previous = span
        last = tuple(s for s in subjects if s) or last
    return Reading(tuple(statements), tuple(unread), last)


# ---------------------------------------------------------------------- one clause

_Span = tuple[Mark, Mark]
_MOMENTS = words_of("time at all every then first path")


class _Bag:
    """The chunks of a clause about one quantity, taken out as they are understood."""

    def __init__(self, subject: str, chunks: list[Chunk], inherited: _Span | None, previous: _Span | None) -> None:
        self.subject = subject
        self.rest = [c for c in chunks if c.kind not in ("quantity", "pronoun", "both", "harmless")]
        self.rest += objects_of(chunks)
        self.named = [c.value for c in chunks if c.kind == "quantity"]
        self.words = " ".join(c.words for c in chunks if c.words)
        self.found: list[Statement] = []
        self.inherited, self.previous = inherited, previous
        self.span: _Span = (START, END)
        self.timed = False
        self.is_event = False

    # -------------------------------------------------------------- taking out

    def take(self, kind: str, value: str | None = None) -> Chunk | None:
        for chunk in self.rest:
            if chunk.kind == kind and (value is None or chunk.value == value):
                self.rest.remove(chunk)
                return chunk
        return None

    def has(self, kind: str, value: str | None = None) -> bool:
        return any(c.kind == kind and (value is None or c.value == value) for c in self.rest)

    def numbers(self, *roles: str) -> list[Chunk]:
        return [c for c in self.rest if c.kind == "number" and c.value in roles]

    def take_number(self, *roles: str) -> Chunk | None:
        for chunk in self.numbers(*roles):
            self.rest.remove(chunk)
            return chunk
        return None

    def add(
        self, kind: str, *what: str, number: Number | None = None, at: Mark | None = None, over: _Span | None = None
    ) -> None:
        since, until = over or ((at, at) if at else self.span)
        self.found.append(Statement(kind, self.subject, what, number, since, until, False, self.words))

    # -------------------------------------------------------------- reading

    def interpret(self) -> None:
        """Take out all that is understood and put what it states into `found`."""
        negations = 0
        while self.take("not"):
            negations += 1
        while self.take("cause"):
            self.found.append(Statement("cause", words=self.words))
        while only := self.take("only"):
            self.found.append(Statement("remark", what=(only.words,), words=self.words))
        while agent := self.take("agent"):
            self.found.append(Statement("agent", what=(agent.value,), words=self.words))
        if len(set(self.named)) > 1 and not self._several():
            return
        for one, two in pairwise(list(self.rest)):
            if one.kind == "preposition" and one.value == "than" and (two.kind, two.value) == ("at", "end"):
                self.rest.append(Chunk("word", "than at end", words="than at the end"))
        paired = self._pair_times()
        self._read_times()
        marks = [paired.get(id(c)) for role in ("from", "to") for c in self.numbers(role)[:1]]
        if len(marks) == 2 and marks[0] and marks[1] and not self.timed:
            self.span, self.timed = (marks[0], marks[1]), True
        elif len(marks) == 2 and marks[1] and not self.timed:
            self.span = self.span[0], marks[1]
        ways = (
            self._event, self._ending, self._credit, self._truth, self._asked, self._wants, self._state, self._extreme,
            self._never,
        )  # fmt: skip
        for way in ways:
            way(paired)
        if not self.is_event:
            self._values(paired)
        if negations and self.found:
            several = len([s for s in self.found if s.kind != "count"]) > 1
            self.found = [replace(s, negated=True) for s in self.found]
            if negations > 1 or several:
                self.rest.append(Chunk("word", "not", words="not"))
        elif negations:
            self.rest.append(Chunk("word", "not", words="not"))

    def _several(self) -> bool:
        """Whether a clause that names several quantities is about each of them."""
        first, *others = dict.fromkeys(self.named)
        if "run" in self.named or first == self.subject == LOSS:
            others = [name for name in others if name not in ("run", LOSS)]
        if self.has("credit") and (self.has("than") or self.has("limit")) and self.subject == first:
            for kind in ("than", "preposition", "limit", "of", "credit", "move"):
                self.take(kind)
            self.add("credit more", others[0] if others else "")
            for role, subject in (("", first), ("against", others[0] if others else "")):
                if (share := self.take_number(role)) and subject:
                    self.found.append(Statement("credit", subject, (), share.number, words=self.words))
            return False
        return True

    def _pair_times(self) -> dict[int, Mark]:
        """Give each of several numbers the time right behind it."""
        paired: dict[int, Mark] = {}
        numbers = [c for c in self.rest if c.kind == "number"]
        moves = any(c.value == "from" for c in numbers)
        if len(numbers) < 2:
            return paired
        for chunk, following in pairwise(list(self.rest)):
            if moves and following.value == "count" and not paired:
                continue
            if chunk.kind == "number" and (mark := _moment(following)) and (chunk.number and chunk.number.unit != "%"):
                paired[id(chunk)] = mark
                self.rest.remove(following)
                if following.value == "count":
                    self.found.append(_count(following, self.words))
        return paired

    def _read_times(self) -> None:
        since, until = START, END
        then = self.take("then")
        if then is not None and self.previous is None:
            self.rest.append(Chunk("word", "then", words=then.words))
        while first := self.take("first"):
            self.found.append(Statement("remark", what=(first.words,), words=self.words))
        if self.has("credit") or not any(c.kind not in _MOMENTS for c in self.rest):
            self.take("path")
        goes_on = self.inherited is not None and self.numbers("to") and not self.numbers("from")
        if (then is not None or (goes_on and self.previous and self.previous[1] != END)) and self.previous is not None:
            since = self.previous[1]
            self.timed = True
        elif self.inherited is not None and self.inherited[0] != self.inherited[1]:
            since, until = self.inherited
        while chunk := self.take("time", "span"):
            since, until = ("at", chunk.times[0]), ("at", chunk.times[1])
            self.timed = True
        while chunk := self.take("time", "since"):
            since, until = ("at", chunk.times[0]), END
            self.timed = True
        if chunk := self.take("time", "until"):
            until = ("at", chunk.times[0])
            self.timed = True
        while chunk := self.take("time", "first"):
            since, until = START, ("first", chunk.times[0])
            self.timed = True
        while chunk := self.take("time", "count"):
            if chunk.words.startswith("after") and self.has("move") and self.numbers("from"):
                self.rest.append(Chunk("word", "after", words=chunk.words))  # before the fall, or until its end?
            self.found.append(_count(chunk, self.words))
        while chunk := self.take("time", "at"):
            if self.numbers("to"):
                until = ("at", chunk.times[0])
            elif self.numbers("from") and self.inherited is not None:
                since, until = ("at", chunk.times[0]), self.inherited[1]
            else:
                since = until = ("at", chunk.times[0])
            self.timed = True
        ends = [c for c in self.rest if c.kind == "at" and c.value != "truth"]
        for chunk in ends:
            self.rest.remove(chunk)
        sides = {c.value for c in ends}
        if sides == {"end"} and self.numbers("than"):
            self.rest.append(Chunk("word", "than at end", words="than at the end"))
        if sides == {"start", "end"}:
            since, until = START, END
        elif sides == {"start"} and self.has("times"):
            pass
        elif sides and not (self.has("number", "from") or self.has("move", "up") or self.has("move", "down")):
            since = until = START if "start" in sides else END
            self.timed = True
        elif "only" in sides or ("start" in sides and not self.has("than") and not self.timed):
            self.rest.append(Chunk("word", "start", words=ends[0].words))
        self.span = since, until

    # -------------------------------------------------------------- kinds

    def _event(self, paired: dict[int, Mark]) -> None:
        del paired
        first, last = self.take("first-time"), self.take("last-time")
        event = self.take("event")
        if event is None:
            self.rest += [c for c in (first, last) if c]
            return
        which = "first" if first else "last" if last else "at"
        if not self.timed:
            self.rest.append(event)
            return
        self.add("event", which)
        self.is_event = True

    def _ending(self, paired: dict[int, Mark]) -> None:
        del paired
        if ending := self.take("ending"):
            self.subject = "run"
            broken = self.take("broken by") or self.take("broken")
            self.add("ending", ending.value, broken.value if broken else "", over=(START, END))
            self.take("be")
            self.take("preposition", "with")
            self.take("preposition", "by")

    def _credit(self, paired: dict[int, Mark]) -> None:
        del paired
        order = [c.value if c.kind == "credit" else "share" for c in self.rest if c.kind in ("credit", "number")]
        if self.numbers("for") or self.has("times") or self.has("most"):
            order = []  # "and y for 4 %", "half of it came from x"
        if not self.has("credit") or order[:2] in (["by", "share"], ["share", "for"]):
            return
        share = self.take_number("", "for", "of", "by")
        if share is None and (half := self.take("times")) and half.number:
            share = Chunk("number", "", replace(half.number, value=100 * half.number.value, unit="%"))
        if share is None and self.take("most"):
            share = Chunk("number", "", Number(50, 0.0, "%", "more"))
            self.rest.append(Chunk("of", "fall"))
        if share is None or share.number is None or share.number.unit != "%":
            self.rest += [share] if share else []
            return
        while self.take("credit") or self.take("of"):
            pass
        self.take("move", "some")
        self.take("be")
        self.take("preposition", "from")
        self.take("preposition", "by")
        self.take("preposition", "to")
        self.add("credit", number=share.number, over=(START, END))

    def _truth(self, paired: dict[int, Mark]) -> None:
        del paired
        for kind in ("near", "far", "over", "under"):
            if self.take(kind, "truth"):
                self.add("truth is", kind, over=(END, END))
                self.take("end")
                self.take("be")
                if number := self.take_number("of"):
                    self.add("truth", number=number.number, over=(END, END))
                return
        if self.has("at", "truth"):
            return
        if self.take("truth"):
            self.take("be")
            number = self.take_number("", "of", "at")
            if number is None and not self.rest:
                self.add("truth is", "at", over=(END, END))
            elif number is None:
                self.rest.append(Chunk("word", "true value", words="true value"))
            else:
                self.add("truth", number=number.number, over=(END, END))

    def _asked(self, paired: dict[int, Mark]) -> None:
        del paired
        asked = self.take("asked")
        if asked is None:
            return
        what = asked.value
        if what == "open":
            self.take("preposition", "for"), self.take("preposition", "to")
            move = self.take("move", "up") or self.take("move", "down") or self.take("way")
            than = self.take("than", "higher") or self.take("than", "lower")
            if move:
                what = move.value
                self.take("move", "some")
            elif than:
                what = "up" if than.value == "higher" else "down"
            else:
                what = "this"
        extent = self.take("time", "extent")
        how: tuple[str, ...]
        if extent is not None:
            how = (
                (f"{extent.times[0]} of {extent.times[1]}",) if len(extent.times) > 1 else (f"0 of {extent.times[0]}",)
            )
        else:
            how = ("every",) if self.take("every") or self.take("all") else ()
        self.add("asks", what, *how, over=self.span if self.timed else (START, END))

    def _wants(self, paired: dict[int, Mark]) -> None:
        del paired
        if not self.has("wants"):
            return
        than, way = self.take("than", "higher") or self.take("than", "lower"), self.take("way")
        if way and self.take("move", "some"):
            direction = way.value
        elif than and not way:
            direction = "up" if than.value == "higher" else "down"
        else:
            self.rest += [c for c in (than, way) if c]
            return
        self.take("wants")
        self.add("wants", direction, *(("all",) if self.take("all") else ()))

    def _state(self, paired: dict[int, Mark]) -> None:
        del paired
        if state := self.take("state"):
            self.take("be")
            extent = ("every",) if self.take("every") else ()
            self.take("all")
            self.add("state", state.value, *extent)

    def _extreme(self, paired: dict[int, Mark]) -> None:
        if not self.has("extreme") or self.has("move"):
            return
        which = self.take("extreme")
        self.take("be"), self.take("reach")
        number = self.take_number("", "at", "of")
        at = paired.get(id(number), self.span[1] if self.timed or self.span[0] == self.span[1] else None)
        if at is None and self.inherited and self.inherited[0] == self.inherited[1]:
            at = self.inherited[1]
        if self.take("end"):
            at = at or END
        self.take("preposition", "at"), self.take("reach"), self.take("be")
        if at is not None:
            self.add("extreme", which.value if which else "", at=at)
        if number is not None:
            self.add(
                "value",
                number=number.number,
                at=at or ("lowest" if which and which.value == "lowest" else "highest", 0),
            )
        elif at is None and which is not None:
            self.rest.append(which)

    def _never(self, paired: dict[int, Mark]) -> None:
        while never := self.take("never"):
            self.take("be"), self.take("preposition", "than")
            number = self.take_number("", "than")
            if number is not None:
                self.add("limit", never.value, number=number.number)
            elif self.span[0] == self.span[1]:
                self.add("extreme", "lowest" if never.value == "lower" else "highest", at=self.span[0])
            else:
                self.rest.append(Chunk("word", "never", words=never.words))
        del paired

    # -------------------------------------------------------------- values and changes

    def _values(self, paired: dict[int, Mark]) -> None:
        lo, hi = self.span
        if times := self.take("times"):
            self._factor(times)
        self._pattern()
        for role, mark in (("from", lo), ("to", hi)):
            while number := self.take_number(role):
                if role == "to" and number.number is not None and number.number.unit == "%":
                    self.take("of"), self.take("as")
                    self.add("ratio", number=number.number)
                    continue
                self.add("value", number=number.number, at=paired.get(id(number), mark))
        self._change()
        begin, end = self.take("begin"), self.take("end")
        if begin and not end and self.has("than") and (number := self.take_number("than")):
            self.add("value", number=number.number, at=START)
        elif end and any(s.kind == "factor" for s in self.found):
            self.take("preposition", "at")
        elif begin and end:
            self.rest += [begin, end]
        elif begin or end:
            number = self.take_number("at", "with", "", "near", "by", "of")
            same = self.take("at", "truth")
            if number is None and same is None:
                self.rest += [c for c in (begin, end) if c]
            elif same is not None:
                self.add("truth is", "at", over=(END, END))
            elif number is not None:
                lone = START if begin else END
                at = (lo if begin else hi) if self.timed else lone
                self.add("value", number=number.number, at=paired.get(id(number), at))
        self._levels(paired)

    def _factor(self, times: Chunk) -> None:
        self.take("as")
        self.take("be")
        self.take("move", "some")
        self.take("preposition", "than"), self.take("preposition", "of"), self.take("preposition", "to")
        self.take("preposition", "by")
        over = (START, END) if not self.timed else self.span
        if times.words.endswith("halved") and times.number and times.number.limit:
            limit = "less" if times.number.limit == "more" else "more"
            times = replace(times, number=replace(times.number, limit=limit))
        self.add("factor", number=times.number, over=over)

    def _pattern(self) -> None:
        while pattern := self.take("pattern"):
            if pattern.value == "oscillation":
                self.take("move", "some")
                between = self.take_number("between")
                other = self.take_number("") if between else None
                if between and other:
                    self.take("all")
                    self.add("limit", "lower", number=between.number)
                    self.add("limit", "higher", number=other.number)
            self.take("be")
            self.add("pattern", pattern.value)
            if pattern.value in ("settling", "plateau", "convergence") and (
                number := self.take_number("at", "near", "", "to")
            ):
                self.add("value", number=number.number, at=self.span[1])
            self.take("preposition", "at")

    def _change(self) -> None:
        moves = []
        while move := self.take("move"):
            moves.append(move.value)
        if way := self.take("way"):
            moves.append(way.value)
        self.take("preposition", "to") if way else None
        kinds = set(moves) - {"some"}
        pace = self.take("pace")
        if len(kinds) > 1:
            self.rest.append(Chunk("word", "moves", words=" ".join(moves)))
            return
        kind = next(iter(kinds), "some" if moves else "")
        by = self.take_number("by", "of", *([""] if way else [])) if kind in ("up", "down") else None
        if by is not None and kind:
            self.add("by", kind, number=by.number)
        if below := (self.take("below") or self.take("above")) if kind in ("up", "down") else None:
            number = self.take_number("")
            if number is not None:
                self.add("passes", below.kind, number=number.number)
            else:
                self.rest.append(below)
        if kind == "stay":
            number = self.take_number("at", "", "near")
            self.take("be"), self.take("all"), self.take("every")
            if number is not None:
                self.add("stays", number=number.number)
            else:
                self.add("change", "stay")
        elif kind == "flat":
            self.take("be")
            number = self.take_number("at", "near")
            if number is not None:
                self.add("value", number=number.number, at=self.span[1])
            self.add("change", "flat")
        elif kind in ("up", "down"):
            self.take("be")
            self.add("change", kind)
        elif kind == "some" and not any(s.kind in ("value", "factor", "pattern") for s in self.found):
            self.rest.append(Chunk("word", "moved", words="moved"))
        if pace is not None:
            self.add("pace", pace.value)

    def _levels(self, paired: dict[int, Mark]) -> None:
        """Read comparisons with the start, and plain values."""
        lo, hi = self.span
        than = self.take("than")
        if than is not None:
            direction = "down" if than.value in ("lower", "less") else "up"
            self.take("preposition", "than")
            share = next((c for c in self.numbers("", "by") if c.number and c.number.unit == "%"), None)
            if share is None and not self.has("be"):
                share = next((c for c in self.numbers("", "by")), None)
            if share is not None:
                self.rest.remove(share)
                self.add("by", direction, number=share.number, over=(START, END))
            elif than.value in ("higher", "lower"):
                self.add("change", direction, over=(START, END))
            else:
                self.rest.append(than)
            if number := self.take_number("than"):
                self.add("value", number=number.number, at=paired.get(id(number), START))
            lo = hi = END if lo == hi == START else hi
        share = next((c for c in self.numbers("") if c.number and c.number.unit == "%"), None)
        if share is not None:
            of = self.take_number("of")
            if of is not None or self.take("preposition", "of") or self.take("of") or self.take("as"):
                self.rest.remove(share)
                self.add("ratio", number=share.number, over=(START, END))
                if of is not None:
                    self.add("value", number=of.number, at=paired.get(id(of), START))
        while between := self.take_number("between"):
            other = self.take_number("")
            if other is None:
                self.rest.append(between)
                break
            self.take("all")
            self.add("limit", "lower", number=between.number)
            self.add("limit", "higher", number=other.number)
        if instead := self.take_number("instead"):
            self.add("value", number=instead.number, at=START)
            lo = hi = END if not self.timed else hi
            self.timed = True
        be = self.take("be") or (self.take("reach") if self.numbers("", "at") else None)
        while any(s.kind != "asks" for s in self.found) and self.take("be"):
            pass
        shares = [c for c in self.rest if c.kind == "number" and c.number and c.number.unit == "%"]
        if shares:  # a share of what, or lower than what, was not understood
            return
        while number := self.take_number("", "at"):
            at = paired.get(id(number), hi if self.timed or lo == hi else SOME)
            if self.take("all") or (self.timed and lo != hi and id(number) not in paired):
                self.add("stays", number=number.number)
            else:
                self.add("value", number=number.number, at=at)
        if be is not None and not self.found:
            self.rest.append(be)


def _moment(chunk: Chunk) -> Mark | None:
    if chunk.kind == "at" and chunk.value in ("start", "end", "only"):
        return (chunk.value, 0)
    if chunk.kind == "time" and chunk.value in ("at", "until"):
        return ("at", chunk.times[0])
    if chunk.kind == "time" and chunk.value == "count":
        return END
    return None


def _count(chunk: Chunk, words: str) -> Statement:
    return Statement("count", "run", (str(chunk.times[0]),), words=words)
