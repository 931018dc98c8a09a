"""When a clause says that something was."""

from __future__ import annotations

from itertools import pairwise

from xinv_nb.claims.readers.bag import Bag
from xinv_nb.claims.reading import Chunk
from xinv_nb.claims.statements import END, START, Mark, Statement
from xinv_nb.claims.vocabulary import words_of

_STRETCHES = words_of("span since until first at")
_MOMENTS = words_of("time at all every then first path")


def pair_times(bag: Bag) -> dict[int, Mark]:
    """Give each of several numbers the time right behind it."""
    paired: dict[int, Mark] = {}
    numbers = [c for c in bag.rest if c.kind == "number"]
    moves = any(c.value == "from" for c in numbers)
    if len(numbers) < 2:
        return paired
    for chunk, following in pairwise(list(bag.rest)):
        if moves and following.value == "count" and not paired:
            continue
        if chunk.kind == "number" and (mark := _moment(following)) and (chunk.number and chunk.number.unit != "%"):
            paired[id(chunk)] = mark
            bag.rest.remove(following)
            if following.value == "count":
                bag.found.append(_count(following, bag.words))
    return paired


def read_times(bag: Bag) -> None:
    """Take out the times of a clause, which give its span."""
    since, until = START, END
    then = bag.take("then")
    if then is not None and bag.previous is None:
        bag.rest.append(Chunk("word", "then", words=then.words))
    while first := bag.take("first"):
        bag.found.append(Statement("remark", what=(first.words,), words=bag.words))
    if bag.has("credit") or not any(c.kind not in _MOMENTS for c in bag.rest):
        bag.take("path")
    goes_on = bag.inherited is not None and bag.numbers("to") and not bag.numbers("from")
    if (then is not None or (goes_on and bag.previous and bag.previous[1] != END)) and bag.previous is not None:
        since = bag.previous[1]
        bag.timed = True
    elif bag.inherited is not None and bag.inherited[0] != bag.inherited[1]:
        since, until = bag.inherited
    taken = [c for c in bag.rest if c.kind == "time" and c.value in _STRETCHES]
    if len(taken) > 1 and [c.value for c in taken] not in (["since", "until"], ["at", "until"]):
        bag.rest.append(Chunk("word", "times", words=taken[-1].words))  # which of them is meant?
    before = any(c.words.startswith("before") for c in taken)
    if before and (bag.has("number") or bag.has("extreme") or bag.has("event")):
        bag.rest.append(Chunk("word", "before", words="before"))  # some time before, or until then?
    while chunk := bag.take("time", "span"):
        since, until = ("at", chunk.times[0]), ("at", chunk.times[1])
        bag.timed = True
    while chunk := bag.take("time", "since"):
        since, until = ("at", chunk.times[0]), END
        bag.timed = True
    if chunk := bag.take("time", "until"):
        until = ("at", chunk.times[0])
        bag.timed = True
    while chunk := bag.take("time", "first"):
        since, until = START, ("first", chunk.times[0])
        bag.timed = True
    if bag.take("time", "step"):
        since, until = START, ("at", 1)
        bag.timed = True
    while chunk := bag.take("time", "count"):
        if chunk.words.startswith("after") and bag.has("move") and bag.numbers("from"):
            bag.rest.append(Chunk("word", "after", words=chunk.words))  # before the fall, or until its end?
        bag.found.append(_count(chunk, bag.words))
    while chunk := bag.take("time", "at"):
        if bag.numbers("to"):
            until = ("at", chunk.times[0])
        elif bag.numbers("from") and bag.inherited is not None:
            since, until = ("at", chunk.times[0]), bag.inherited[1]
        else:
            since = until = ("at", chunk.times[0])
        bag.timed = True
    ends = [c for c in bag.rest if c.kind == "at" and c.value != "truth"]
    for chunk in ends:
        bag.rest.remove(chunk)
    sides = {c.value for c in ends}
    if sides == {"end"} and bag.numbers("than"):
        bag.rest.append(Chunk("word", "than at end", words="than at the end"))
    if sides == {"start", "end"}:
        since, until = START, END
    elif sides == {"start"} and bag.has("times"):
        pass
    elif sides and not (bag.has("number", "from") or bag.has("move", "up") or bag.has("move", "down")):
        since = until = START if "start" in sides else END
        bag.timed = True
    elif "only" in sides or ("start" in sides and not bag.has("than") and not bag.timed):
        bag.rest.append(Chunk("word", "start", words=ends[0].words))
    is_free = not (bag.timed or sides or bag.has("begin") or bag.has("end") or bag.paired)
    if bag.governing is not None and is_free:
        since, until = bag.governing
        bag.timed = True
    bag.span = since, until


def _moment(chunk: Chunk) -> Mark | None:
    if chunk.kind == "at" and chunk.value in ("start", "end", "only"):
        return (chunk.value, 0)
    if chunk.kind == "time" and chunk.value in ("at", "until") and not chunk.words.startswith("before"):
        return ("at", chunk.times[0])
    if chunk.kind == "time" and chunk.value == "count":
        return END
    return None


def _count(chunk: Chunk, words: str) -> Statement:
    how = ["within"] if chunk.words.startswith("within") else ["total"] if " all " in f" {chunk.words}" else []
    how += ["evaluations"] if "evaluation" in chunk.words else []
    return Statement("count", "run", (str(chunk.times[0]), *how), words=words)
