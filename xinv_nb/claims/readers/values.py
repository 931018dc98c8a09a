"""Values and changes of a quantity."""

from __future__ import annotations

from dataclasses import replace

from xinv_nb.claims.numerals import Number
from xinv_nb.claims.readers.bag import Bag
from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.statements import END, SOME, START
from xinv_nb.claims.vocabulary import WORDED_NUMBERS


def values(bag: Bag) -> None:
    """Read values at moments, changes, patterns and comparisons with the start."""
    lo, hi = bag.span
    came, went = bag.numbers("from"), bag.numbers("to")
    if came and went and not bag.has_verb:
        bag.rest.append(Chunk("word", "from", words="from"))
    if came and not went and bag.numbers(""):
        bag.rest.append(Chunk("word", "from", words="from"))  # to where?
    if times := bag.take("times"):
        _factor(bag, times)
    _limited(bag)
    _pattern(bag)
    for role, mark in (("from", lo), ("to", hi)):
        while number := bag.take_number(role):
            if role == "to" and number.number is not None and number.number.unit == "%":
                bag.take("of"), bag.take("as")
                bag.add("ratio", number=number.number)
                continue
            bag.add("value", number=number.number, at=bag.paired.get(id(number), mark))
    _change(bag)
    begin, end = bag.take("begin"), bag.take("end")
    if begin and not end and bag.has("than") and (number := bag.take_number("than")):
        bag.add("value", number=number.number, at=START)
    elif end and any(s.kind == "factor" for s in bag.found):
        bag.take("preposition", "at")
    elif begin and end:
        bag.rest += [begin, end]
    elif begin or end:
        number = bag.take_number("at", "with", "", "near", "by", "of")
        same = bag.take("at", "truth")
        if number is None and same is None:
            bag.rest += [c for c in (begin, end) if c]
        elif same is not None:
            bag.add("truth is", "at", over=(END, END))
        elif number is not None:
            lone = START if begin else END
            at = (lo if begin else hi) if bag.timed else lone
            bag.add("value", number=number.number, at=bag.paired.get(id(number), at))
    _levels(bag)


def _factor(bag: Bag, times: Chunk) -> None:
    compared = bag.take("as") or bag.take("preposition", "than") or bag.take("preposition", "of") or bag.has("than")
    if not compared and (times.words in WORDED_NUMBERS or times.words[:1].isdigit()):
        bag.rest.append(times)  # "it rose three times"
        return
    bag.take("preposition", "than"), bag.take("preposition", "of"), bag.take("preposition", "to")
    bag.take("preposition", "by"), bag.take("be"), bag.take("move", "some")
    over = (START, END) if not bag.timed else bag.span
    if times.words.endswith("halved") and times.number and times.number.limit:
        limit = "less" if times.number.limit == "more" else "more"
        times = replace(times, number=replace(times.number, limit=limit))
    bag.add("factor", number=times.number, over=over)


def _limited(bag: Bag) -> None:
    """Read "below 3" as a number with a limit, unless it is what something fell below."""
    beside = next((c for c in bag.rest if c.kind in ("below", "above")), None)
    moves = any(bag.has("move", way) for way in ("up", "down"))
    number = (
        bag.take_number("") if beside and not moves and (bag.has("be") or bag.has("end") or bag.has("move")) else None
    )
    if beside is None or number is None or number.number is None:
        return
    bag.rest.remove(beside)
    limit = "less" if beside.kind == "below" else "more"
    limited = replace(number, number=replace(number.number, limit=limit))
    bag.rest.append(limited)
    if id(number) in bag.paired:
        bag.paired[id(limited)] = bag.paired[id(number)]


def _pattern(bag: Bag) -> None:
    while pattern := bag.take("pattern"):
        if pattern.value == "oscillation":
            bag.take("move", "some")
            between = bag.take_number("between")
            other = bag.take_number("") if between else None
            if between and other:
                bag.take("all")
                bag.add("limit", "lower", number=between.number)
                bag.add("limit", "higher", number=other.number)
            elif around := next((c for c in bag.numbers("") if c.number and c.number.about), None):
                bag.rest.remove(around)
                bag.add("around", number=around.number)
        bag.take("be")
        bag.add("pattern", pattern.value)
        if pattern.value in ("settling", "plateau", "convergence") and (
            number := bag.take_number("at", "near", "", "to")
        ):
            near = number.number and replace(number.number, about=number.number.about or number.number.value == 0)
            bag.add("value", number=near, at=bag.span[1])
        bag.take("preposition", "at")


def _change(bag: Bag) -> None:
    crosses = bag.take("crosses")
    if crosses and crosses.value == "sign":
        bag.add("passes", "through", number=Number(0.0))
    elif crosses and (number := bag.take_number("", "to")):
        bag.add("passes", crosses.value, number=number.number)
    elif crosses:
        bag.rest.append(crosses)
    while steady := bag.take("steady"):
        bag.take("all")
        bag.add("change", steady.value)
        bag.add("pace", "steady")
    moves = []
    while move := bag.take("move"):
        moves.append(move.value)
    if way := bag.take("way"):
        moves.append(way.value)
    bag.take("preposition", "to") if way else None
    kinds = set(moves) - {"some"}
    pace = bag.take("pace")
    if len(kinds) > 1:
        bag.rest.append(Chunk("word", "moves", words=" ".join(moves)))
        return
    kind = next(iter(kinds), "some" if moves else "")
    by = bag.take_number("by", "of", *([""] if way else [])) if kind in ("up", "down") else None
    if by is not None and kind:
        bag.add("by", kind, number=by.number)
    if below := (bag.take("below") or bag.take("above")) if kind in ("up", "down") else None:
        number = bag.take_number("")
        if number is not None:
            bag.add("passes", below.kind, number=number.number)
        else:
            bag.rest.append(below)
    if kind == "stay":
        number = bag.take_number("at", "", "near")
        bag.take("be"), bag.take("all"), bag.take("every")
        if number is not None:
            bag.add("stays", number=number.number)
        else:
            bag.add("change", "stay")
    elif kind == "flat":
        bag.take("be")
        number = bag.take_number("at", "near")
        if number is not None:
            bag.add("value", number=number.number, at=bag.span[1])
        bag.add("change", "flat")
    elif kind in ("up", "down"):
        bag.take("be")
        bag.add("change", kind)
        if pace is None and (bag.take("every") or bag.take("all")):
            bag.add("pace", "steady")
    elif kind == "some" and not bag.timed and bag.take("mostly"):
        bag.add("moved most")
    elif kind == "some" and not any(s.kind in ("value", "factor", "pattern") for s in bag.found):
        bag.rest.append(Chunk("word", "moved", words="moved"))
    if pace is not None:
        bag.add("pace", pace.value)


def _levels(bag: Bag) -> None:
    """Read comparisons with the start, and plain values."""
    lo, hi = bag.span
    than = bag.take("than")
    if than is not None:
        direction = "down" if than.value in ("lower", "less") else "up"
        is_compared = than.words.endswith("start") or than.words.endswith("started")
        is_compared |= bool(bag.take("preposition", "than") or bag.numbers("than") or bag.has("be") or bag.found)
        share = next((c for c in bag.numbers("", "by") if c.number and c.number.unit == "%"), None)
        if share is None and not bag.has("be"):
            share = next((c for c in bag.numbers("", "by")), None)
        if share is not None:
            bag.rest.remove(share)
            bag.add("by", direction, number=share.number, over=(START, END))
        elif than.value in ("higher", "lower") and is_compared:
            bag.add("change", direction, over=(START, END))
        else:
            bag.rest.append(than)
        if number := bag.take_number("than"):
            bag.add("value", number=number.number, at=bag.paired.get(id(number), START))
        lo = hi = END if lo == hi == START else hi
    share = next((c for c in bag.numbers("") if c.number and c.number.unit == "%"), None)
    if share is not None:
        of = bag.take_number("of")
        if of is not None or bag.take("preposition", "of") or bag.take("of") or bag.take("as"):
            bag.rest.remove(share)
            bag.add("ratio", number=share.number, over=(START, END))
            if of is not None:
                bag.add("value", number=of.number, at=bag.paired.get(id(of), START))
    while between := bag.take_number("between"):
        other = bag.take_number("")
        if other is None:
            bag.rest.append(between)
            break
        bag.take("all")
        if between.number and other.number and between.number.value > other.number.value:
            between, other = other, between
        moment = bag.paired.get(id(other)) or bag.paired.get(id(between)) or (lo if bag.timed and lo == hi else None)
        bag.add("limit", "lower", number=between.number, at=moment)
        bag.add("limit", "higher", number=other.number, at=moment)
    if instead := bag.take_number("instead"):
        bag.add("value", number=instead.number, at=START)
        lo = hi = END if not bag.timed else hi
        bag.timed = True
    be = bag.take("be") or (bag.take("reach") if bag.numbers("", "at", "of") else None)
    roles = ("", "at", "of") if be is not None and be.kind == "reach" else ("", "at")
    while any(s.kind != "asks" for s in bag.found) and bag.take("be"):
        pass
    shares = [c for c in bag.rest if c.kind == "number" and c.number and c.number.unit == "%"]
    if shares:  # a share of what, or lower than what, was not understood
        return
    while number := bag.take_number(*roles):
        at = bag.paired.get(id(number), hi if bag.timed or lo == hi else SOME)
        if bag.take("all") or (bag.timed and lo != hi and id(number) not in bag.paired):
            bag.add("stays", number=number.number)
        else:
            bag.add("value", number=number.number, at=at)
    if be is not None and not bag.found:
        bag.rest.append(be)
