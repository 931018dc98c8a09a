"""Sentences about a run, made from its arrays, each with whether it is true.

Truth is computed here from the arrays alone, and a sentence near the border of true and false is not made at all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from xinv_nb.language.quantities import number
from xinv_nb.run import Run

Stated = tuple[str, bool]


@dataclass
class Course:
    """What a quantity was at each iteration, and what it is called."""

    name: str
    values: np.ndarray
    unit: str = ""

    def say(self, at: int, digits: int = 4) -> str:
        return number(float(self.values[at]), digits) + (
            "" if not self.unit else self.unit if self.unit in "°%" else f" {self.unit}"
        )


@dataclass
class Material:
    """The courses of a run, drawn from at random but in a fixed order."""

    run: Run
    courses: list[Course]
    last: int
    draw: random.Random = field(default_factory=lambda: random.Random(0))

    @classmethod
    def of(cls, run: Run, seed: int = 0) -> Material | None:
        """Return the material of a run, or None where it is too short, or not finite throughout."""
        if run.evaluations < 8 or not np.isfinite(run.loss).all() or not run.accepted.all():
            return None
        courses = [Course("the loss", run.loss)]
        for entry in run.entries()[:4]:
            if not entry.statistic and np.isfinite(values := run.column(entry)).all():
                courses.append(Course(entry.label, values, entry.parameter.unit))
        for name, watch in run.watches.items():
            if watch.values.ndim == 1 and len(watch.values) == run.evaluations and watch.values.dtype.kind == "f":
                courses.append(Course(name, watch.values, watch.unit))
        plain = [c for c in courses if np.ptp(c.values) > 1e-9 * np.abs(c.values).max() and c.name.isprintable()]
        return cls(run, plain, run.evaluations - 1, random.Random(seed)) if plain else None

    def one(self) -> Course:
        return self.draw.choice(self.courses)

    def two(self) -> tuple[Course, Course] | None:
        return tuple(self.draw.sample(self.courses, 2)) if len(self.courses) > 1 else None  # type: ignore[return-value]

    def moments(self, count: int = 2) -> list[int]:
        return sorted(self.draw.sample(range(self.last + 1), count))


Maker = Callable[[Material], Iterator[Stated]]


def clear(one: float, two: float, share: float = 0.05) -> bool:
    """Whether two numbers differ by more than anybody rounds away."""
    return abs(one - two) > share * max(abs(one), abs(two))


def values_at(m: Material) -> Iterator[Stated]:
    q = m.one()
    a, b = m.moments()
    if clear(q.values[a], q.values[b]):
        for at, of in ((a, a), (a, b), (b, a)):
            yield f"At iteration {at}, {q.name} was {q.say(of)}.", at == of
            yield f"By iteration {at} {q.name} had reached {q.say(of)}.", at == of
        yield f"{q.name} was {q.say(a)} at iteration {a} and {q.say(b)} at iteration {b}.", True
        yield f"{q.name} was {q.say(b)} at iteration {a} and {q.say(a)} at iteration {b}.", False
        yield f"{q.name}, {q.say(b)} at iteration {a}, was {q.say(a)} at iteration {b}.", False
        yield f"{q.name} went from {q.say(a)} at iteration {b} to {q.say(b)} at iteration {a}.", False
        yield f"{q.name} was between {q.say(a)} and {q.say(b)} at iteration {a}.", True
        above = q.values[a] > q.values[b]
        yield f"At iteration {a} {q.name} was higher than at iteration {b}.", bool(above)
        yield f"At iteration {a} {q.name} was lower than at iteration {b}.", bool(not above)
        yield f"{q.name} was {'lower' if above else 'higher'} at iteration {a} than at iteration {b}.", False
        yield f"{q.name} was at iteration {b} {'higher' if above else 'lower'} than at iteration {a}.", False


def halves(m: Material) -> Iterator[Stated]:
    q = m.one()
    mid = m.last // 2
    one, two = abs(q.values[mid] - q.values[0]), abs(q.values[-1] - q.values[mid])
    if clear(one, two, 0.3):
        for said, true in (("faster", one > two), ("slower", one < two), ("more", one > two), ("less", one < two)):
            yield f"{q.name} changed {said} in the first half of the run than in the second.", bool(true)
            yield f"{q.name} moved {said} before iteration {mid} than after it.", bool(true)
        a, b = (0, mid) if one < two else (mid, m.last)
        way = "fell" if q.values[b] < q.values[a] else "rose"
        yield f"{q.name} {way} quickly between iterations {a} and {b} and slowly in the rest of the run.", False
        yield f"Most of the change of {q.name} came between iterations {a} and {b}.", False


def order_of_two(m: Material) -> Iterator[Stated]:
    q = m.one()
    for low, where in ((True, int(np.argmin(q.values))), (False, int(np.argmax(q.values)))):
        word = "lowest" if low else "highest"
        wrong = m.draw.choice([i for i in range(m.last + 1) if clear(q.values[i], q.values[where])] or [where])
        yield f"{q.name} was {word} at iteration {where}.", True
        if wrong != where:
            yield f"{q.name} was {word} at iteration {wrong}.", False
            yield f"{q.name} reached its {word} value, {q.say(where)}, at iteration {wrong}.", False
            yield f"At iteration {wrong}, {q.name} had its {word} value.", False
            yield f"The {word} value of {q.name} was {q.say(wrong)}.", False
            yield f"{q.name} was never {'lower' if low else 'higher'} than at iteration {wrong}.", False
            yield f"After iteration {wrong} {q.name} was at its {word}.", False
    top, bottom = int(np.argmax(q.values)), int(np.argmin(q.values))
    if clear(q.values[top], q.values[bottom]):
        yield f"{q.name} was highest after it was lowest.", bool(top > bottom)
        yield f"{q.name} reached its maximum before its minimum.", bool(top < bottom)


def until_and_from(m: Material) -> Iterator[Stated]:
    q = m.one()
    k = m.draw.randrange(2, m.last - 1)
    first, rest = q.values[k] - q.values[0], q.values[-1] - q.values[k]
    least = 0.05 * max(float(np.ptp(q.values)), float(np.abs(q.values).max()))
    if abs(first) > least and abs(rest) > least:
        ways = ["rose" if d > 0 else "fell" for d in (first, rest)]
        flip = {"rose": "fell", "fell": "rose"}
        yield f"{q.name} {ways[0]} until iteration {k} and {ways[1]} after that.", True
        yield f"{q.name} {flip[ways[0]]} until iteration {k} and {ways[1]} after that.", False
        yield f"{q.name} {ways[0]} until iteration {k} and then {flip[ways[1]]}.", False
        yield f"From iteration {k} on, {q.name} {flip[ways[1]]}.", False
        yield f"Until iteration {k}, {q.name} {flip[ways[0]]}.", False
        yield f"After it {flip[ways[0]]} until iteration {k}, {q.name} {ways[1]}.", False
        yield f"{q.name} stayed at {q.say(k)} from iteration {k} on.", False
        yield f"{q.name} was {q.say(k)} until iteration {k}.", False
        yield f"{q.name} hardly changed after iteration {k}.", False
        yield f"Before iteration {k} {q.name} was at {q.say(k)}, and after it at {q.say(0)}.", False


def always(m: Material) -> Iterator[Stated]:
    q = m.one()
    steps = np.diff(q.values)
    down, count = int((steps < 0).sum()), len(steps)
    for word, n in (("fell", down), ("rose", int((steps > 0).sum()))):
        yield f"{q.name} {word} at every iteration.", n == count
        yield f"{q.name} {word} steadily.", n == count
        yield f"{q.name} always {word}.", n == count
        yield f"{q.name} never {word}.", n == 0
        if abs(n - count / 2) > 0.1 * count:
            yield f"{q.name} {word} at most iterations.", n > count / 2
            yield f"Most of the time, {q.name} {word}.", n > count / 2
            yield f"{q.name} {word} at {n // 2 + 1} of {count} iterations.", n // 2 + 1 == n
        yield f"{q.name} {word} in {count - n} iterations and did not in {n}.", count - n == n
    wide = float(np.median(q.values))
    if clear(wide, q.values.max()) and clear(wide, q.values.min()):
        said = number(wide, 3) + (f" {q.unit}" if q.unit and q.unit not in "°%" else q.unit)
        for text in (
            f"{q.name} was above {said} all the time.",
            f"{q.name} never exceeded {said}.",
            f"{q.name} was always below {said}.",
            f"{q.name} stayed above {said}.",
            f"{q.name} never fell below {said}.",
            f"{q.name} was at least {said} throughout.",
            f"{q.name} was at most {said} at every iteration.",
            f"{q.name} remained below {said} until the end.",
        ):
            yield text, False


def ratios(m: Material) -> Iterator[Stated]:
    q = m.one()
    a, b = m.moments()
    one, two = float(q.values[a]), float(q.values[b])
    if one > 0 and two > 0:
        ratio = two / one
        for word, factor in (
            ("twice", 2.0),
            ("half", 0.5),
            ("a third of", 1 / 3),
            ("three times", 3.0),
            ("a tenth of", 0.1),
        ):
            if clear(ratio, factor, 0.25):
                yield f"At iteration {b} {q.name} was {word} what it was at iteration {a}.", False
                yield f"Between iterations {a} and {b} {q.name} went to {word} its value.", False
        whole = float(q.values[-1] / q.values[0]) if q.values[0] else 1.0
        for word, factor in (("doubled", 2.0), ("halved", 0.5), ("tripled", 3.0)):
            if clear(ratio, factor, 0.25):
                yield f"{q.name} {word} between iterations {a} and {b}.", False
            if clear(whole, factor, 0.25):
                yield f"{q.name} {word}.", False
        share = 100 * (one - two) / one
        if abs(share) > 5:
            said = number(abs(share), 3)
            yield f"{q.name} {'fell' if share > 0 else 'rose'} by {said} % between iterations {a} and {b}.", True
            yield f"{q.name} {'rose' if share > 0 else 'fell'} by {said} % between iterations {a} and {b}.", False
            way = "fell" if share > 0 else "rose"
            text = f"{q.name} {way} to {said} % of its value at iteration {a} by iteration {b}."
            yield text, not clear(abs(share), 100 * ratio)
            yield f"{q.name} {'fell' if share > 0 else 'rose'} by {said} percentage points.", False
            yield (
                f"{q.name} {'fell' if share > 0 else 'rose'} by a factor of {said} between iterations {a} and {b}.",
                not clear(abs(share), 1 / ratio if share > 0 else ratio),
            )
            yield (
                f"{q.name} at iteration {a} was {said} % of that at iteration {b}.",
                not clear(abs(share), 100 / ratio, 0.01),
            )


def two_quantities(m: Material) -> Iterator[Stated]:
    if (pair := m.two()) is None:
        return
    p, q = pair
    dp, dq = p.values[-1] - p.values[0], q.values[-1] - q.values[0]
    if abs(dp) > 0.05 * np.ptp(p.values) and abs(dq) > 0.05 * np.ptp(q.values):
        way, flip = (lambda d: "rose" if d > 0 else "fell"), (lambda d: "fell" if d > 0 else "rose")
        yield f"{p.name} {way(dp)} and {q.name} {flip(dq)}.", False
        yield f"While {p.name} {flip(dp)}, {q.name} {way(dq)}.", False
        yield f"As {p.name} {way(dp)}, {q.name} {flip(dq)}.", False
        yield f"Both {p.name} and {q.name} {flip(dp)}.", False
        yield f"Neither {p.name} nor {q.name} {way(dp)}.", False
        yield f"{p.name} {way(dp)}, and so did {q.name}.", way(dp) == way(dq)
        yield f"{p.name} {flip(dp)} with {q.name}.", False
        yield f"Only {p.name} {way(dp)}, not {q.name}.", way(dp) != way(dq)
        yield f"{p.name}, which {flip(dp)}, ended at {p.say(-1)}.", False
        yield f"{q.name} {way(dq)} although {p.name} {flip(dp)}.", False
    apart = clear(p.values[-1], p.values[0]) and clear(q.values[-1], q.values[0])
    if (
        apart
        and clear(p.values[-1], q.values[-1])
        and clear(p.values[-1], q.values[0])
        and clear(q.values[-1], p.values[0])
    ):
        yield f"{p.name} and {q.name} ended at {q.say(-1)} and {p.say(-1)}, respectively.", False
        yield f"{p.name} ended at {q.say(-1)} and {q.name} at {p.say(-1)}.", False
        yield f"{p.name} and {q.name} ended at {p.say(-1)} and {q.say(-1)}.", True
        yield f"{p.name} ended at {p.say(-1)}, {q.name} at {p.say(-1)}.", False
        yield f"Both {p.name} and {q.name} ended at {p.say(-1)}.", False
        yield f"{p.name} started at {p.say(0)}, and so did {q.name}.", not clear(p.values[0], q.values[0], 1e-3)
        yield f"When {p.name} was {p.say(0)}, {q.name} was {q.say(-1)}.", False
        yield f"{q.name} was {q.say(0)} when {p.name} had reached {p.say(-1)}.", False
        if p.unit == q.unit and p.name != "the loss" and q.name != "the loss":
            more = p.values[-1] > q.values[-1]
            yield f"At the end {p.name} was higher than {q.name}.", bool(more)
            yield f"At the end {p.name} was lower than {q.name}.", bool(not more)
            yield f"{p.name} ended {'below' if more else 'above'} {q.name}.", False
            if clear(abs(dp), abs(dq), 0.2):
                yield f"{p.name} changed more than {q.name}.", bool(abs(dp) > abs(dq))
                yield f"{p.name} changed less than {q.name}.", bool(abs(dp) < abs(dq))


def counts(m: Material) -> Iterator[Stated]:
    n = m.last + 1
    loss = m.courses[0]
    for wrong in (n + 3, n // 2, 2 * n):
        if wrong < n and not clear(loss.values[wrong - 1], loss.values[-1], 0.3):
            continue
        yield f"The run had {wrong} iterations.", False
        yield f"After {wrong} iterations the run ended.", False
        yield f"It took {wrong} iterations to bring the loss to {loss.say(-1)}.", False
        yield f"The loss went from {loss.say(0)} to {loss.say(-1)} in {wrong} iterations.", False
    q = m.one()
    crossings = int((np.diff(np.sign(q.values)) != 0).sum())
    yield f"{q.name} changed its sign {crossings + 2} times.", False
    yield f"{q.name} crossed zero {crossings + 1} times.", False
    yield f"{q.name} was negative at every iteration.", bool((q.values < 0).all())
    yield f"{q.name} was positive at every iteration.", bool((q.values > 0).all())
    yield f"{q.name} never became negative.", bool((q.values >= 0).all())
    yield f"{q.name} was never zero.", bool((q.values != 0).all())
    turns = int((np.diff(q.values)[1:] * np.diff(q.values)[:-1] < 0).sum())
    yield f"{q.name} turned {turns + 3} times.", False
    yield f"{q.name} turned round once.", turns == 1


def negations(m: Material) -> Iterator[Stated]:
    q = m.one()
    d = q.values[-1] - q.values[0]
    if abs(d) < 0.05 * np.ptp(q.values):
        return
    way, flip = ("rise", "fall") if d > 0 else ("fall", "rise")
    past = {"rise": "rose", "fall": "fell"}
    a, b = q.say(0), q.say(-1)
    for text in (
        f"{q.name} did not {way}.",
        f"It is wrong that {q.name} {past[way]}.",
        f"{q.name} did not fail to {flip}.",
        f"{q.name} did nothing but {flip}.",
        f"{q.name} {past[way]} from {b} to {a}.",
        f"{q.name} did not go from {a} to {b}.",
        f"{q.name} did not {way}, it {past[flip]}.",
        f"{q.name} {past[flip]}, it did not {way}.",
        f"{q.name} stayed where it was.",
        f"{q.name} ended where it started.",
        f"{q.name} did not end at {b}.",
        f"{q.name} was not {a} at the start.",
        f"There was no change in {q.name}.",
        f"{q.name} {past[way]} not from {a} but from {b}.",
        f"No iteration changed {q.name}.",
        f"{q.name} ended at {b}, not having started at {a}.",
        f"{q.name} ended at {a} instead of {b}.",
        f"{q.name} would have ended at {a}.",
        f"Rather than {past[way]}, {q.name} {past[flip]}.",
        f"{q.name} hardly {past[way]}.",
        f"Far from {way[:-1] if way == 'rise' else way}ing, {q.name} {past[flip]}.",
    ):
        yield text, False
    yield f"{q.name} did not {flip}.", True
    yield f"{q.name} did not end at {a}.", True


def effects(m: Material) -> Iterator[Stated]:
    if (pair := m.two()) is None:
        return
    p, q = pair
    d = q.values[-1] - q.values[0]
    past = "rose" if d > 0 else "fell"
    a, b = q.say(0), q.say(-1)
    for text in (
        f"{q.name} {past} thanks to {p.name}.",
        f"{p.name} made {q.name} {'rise' if d > 0 else 'fall'}.",
        f"{q.name} {past} from {a} to {b}, causing {p.name} to change.",
        f"{q.name} {past} from {a} to {b}, driven by {p.name}.",
        f"{p.name} {'raised' if d > 0 else 'lowered'} {q.name} from {a} to {b}.",
        f"{q.name} was {'raised' if d > 0 else 'lowered'} by {p.name}.",
        f"With {p.name}, {q.name} {past} from {a} to {b}.",
        f"{q.name} {past} by moving {p.name}.",
        f"By changing {p.name}, {q.name} {past}.",
        f"{q.name} {past} as a consequence of {p.name}.",
        f"The larger {p.name}, the larger {q.name}.",
        f"{q.name} follows {p.name}.",
        f"{q.name} {past} in order to lower {p.name}.",
        f"{q.name} {past} from {a} to {b} for the sake of {p.name}.",
    ):
        yield text, False


MAKERS: dict[str, Maker] = {
    "values": values_at,
    "halves": halves,
    "extremes": order_of_two,
    "until and from": until_and_from,
    "always": always,
    "ratios": ratios,
    "two quantities": two_quantities,
    "counts": counts,
    "negations": negations,
    "effects": effects,
}


def steps(m: Material) -> Iterator[Stated]:
    """Yield what single steps did, and which of them was largest."""
    q = m.one()
    moves = np.diff(q.values)
    largest = int(np.argmax(np.abs(moves)))
    k = m.draw.randrange(len(moves))
    if abs(moves[k]) < 0.5 * abs(moves[largest]):
        yield f"The largest change of {q.name} was at iteration {k + 1}.", False
        yield f"{q.name} changed most between iterations {k} and {k + 1}.", False
        yield f"{q.name} changed more at iteration {k + 1} than at iteration {largest + 1}.", False
        yield f"At iteration {k + 1} {q.name} moved by {number(abs(float(moves[largest])), 4)}.", False
    if clear(q.values[k], q.values[k + 1]):
        way, flip = ("rose", "fell") if moves[k] > 0 else ("fell", "rose")
        yield f"{q.name} {flip} between iterations {k} and {k + 1}.", False
        yield f"{q.name} {way} between iterations {k} and {k + 1}.", True
        yield f"From iteration {k} to {k + 1}, {q.name} {way} from {q.say(k + 1)} to {q.say(k)}.", False
        yield f"{q.name} was the same at iterations {k} and {k + 1}.", False
        yield f"{q.name} did not change between iterations {k} and {k + 1}.", False
        yield f"At iteration {k + 1}, {q.name} was still {q.say(k)}.", False


def together(m: Material) -> Iterator[Stated]:
    """Yield what two quantities did in the same stretch."""
    if (pair := m.two()) is None:
        return
    p, q = pair
    a, b = m.moments()
    if clear(p.values[a], p.values[b]) and clear(q.values[a], q.values[b]):
        ways = ["rose" if c.values[b] > c.values[a] else "fell" for c in (p, q)]
        flips = ["fell" if way == "rose" else "rose" for way in ways]
        span = f"between iterations {a} and {b}"
        yield f"{span[0].upper()}{span[1:]}, {p.name} {ways[0]} and {q.name} {ways[1]}.", True
        yield f"{span[0].upper()}{span[1:]}, {p.name} {ways[0]} and {q.name} {flips[1]}.", False
        yield f"{p.name} {flips[0]} {span}, while {q.name} {ways[1]}.", False
        yield f"{p.name} went from {p.say(a)} to {p.say(b)} {span}, and {q.name} from {q.say(b)} to {q.say(a)}.", False
        yield f"At iteration {a}, {p.name} was {p.say(a)} and {q.name} was {q.say(b)}.", False
        yield f"At iteration {b}, {p.name} was {p.say(b)} and {q.name} was {q.say(b)}.", True
        yield f"{p.name} was {p.say(b)} at iteration {b}, when {q.name} was {q.say(a)}.", False
        yield f"Once {p.name} was {p.say(b)}, {q.name} was {q.say(a)}.", False


THIRD_ROUND: dict[str, Maker] = {"steps": steps, "together": together}


def thresholds(m: Material) -> Iterator[Stated]:
    """Yield when a bound was crossed, and between which bounds something lay in a stretch."""
    q = m.one()
    k = m.draw.randrange(2, m.last)
    bound = float((q.values[k - 1] + q.values[k]) / 2)
    first, final = float(q.values[0]), float(q.values[-1])
    falls = first > bound > final
    if not (falls or first < bound < final) or not (clear(first, bound) and clear(bound, final)):
        return
    crossed = np.flatnonzero((q.values < bound) == falls)
    early, late = int(crossed[0]), int(crossed[-1])
    way, side, other = ("fell", "below", "above") if falls else ("rose", "above", "below")
    said = number(bound, 5) + (f" {q.unit}" if q.unit and q.unit not in "°%" else q.unit)
    if early > 3:
        wrong = early // 2
        yield f"{q.name} {way} {side} {said} within {wrong} iterations.", False
        yield f"{q.name} was {side} {said} at iteration {wrong}.", False
        yield f"By iteration {wrong} {q.name} was {side} {said}.", False
        yield f"From iteration {wrong} on, {q.name} was {side} {said}.", False
        yield f"{q.name} had already reached {said} at iteration {wrong}.", False
        yield f"After {wrong} iterations {q.name} was {side} {said}.", False
        yield f"Until iteration {wrong}, {q.name} stayed {side} {said}.", False
    yield f"{q.name} ended {other} {said}.", False
    yield f"{q.name} started {side} {said}.", False
    yield f"{q.name} was {other} {said} at the end.", False
    yield f"{q.name} was always {other} {said}.", False
    yield f"{q.name} never {way} {side} {said}.", False
    yield f"{q.name} ended {side} {said}.", True
    yield f"{q.name} was {side} {said} at iteration {late}.", True


def chains(m: Material) -> Iterator[Stated]:
    """Yield three moments of a course in one sentence, in the right order and in a wrong one."""
    q = m.one()
    a, b, c = m.moments(3)
    if not (clear(q.values[a], q.values[b]) and clear(q.values[b], q.values[c]) and clear(q.values[a], q.values[c])):
        return
    x, y, z = q.say(a), q.say(b), q.say(c)
    yield f"{q.name} was {x} at iteration {a}, {y} at iteration {b} and {z} at iteration {c}.", True
    yield f"{q.name} was {x} at iteration {a}, {z} at iteration {b} and {y} at iteration {c}.", False
    yield f"{q.name} was {y} at iteration {a}, {x} at iteration {b} and {z} at iteration {c}.", False
    yield f"From {x} at iteration {a}, {q.name} went to {z} at iteration {b} and then to {y} at iteration {c}.", False
    yield f"At iteration {a} {q.name} was {x}; at iteration {b} it was {z}.", False
    yield f"{q.name} went from {x} at iteration {a} to {z} at iteration {b}.", False
    yield f"{q.name} was {y} at iteration {a} but {z} at iteration {c}.", False
    yield f"Between iterations {a} and {b} {q.name} went from {x} to {y}, then to {y} at iteration {c}.", False
    middle, way = (
        sorted([q.values[a], q.values[b], q.values[c]])[1],
        "highest" if q.values[a] < q.values[b] else "lowest",
    )
    yield f"Of iterations {a}, {b} and {c}, {q.name} was {way} at iteration {a}.", False
    if middle != q.values[b]:
        yield f"{q.name} at iteration {b} lay between {x} and {z}.", False
    yield f"At iteration {c}, {q.name} was back at {x}.", False
    yield f"{q.name} stayed at {x} from iteration {a} to {b}.", False
    yield f"{q.name} was {z}, and not {x}, at iteration {a}.", False


LAST: dict[str, Maker] = {"thresholds": thresholds, "chains": chains}
"""Written after the checker, run once, and never used to tune it."""


def upper(text: str, run: Run) -> str:
    """Begin a sentence with a capital, unless with a name that has to stay as it is."""
    return text[0].upper() + text[1:] if text.startswith(("the ", "it ")) else text


def stated(
    run: Run, rounds: int = 3, seed: int = 0, makers: dict[str, Maker] | None = None
) -> Iterator[tuple[str, str, bool]]:
    """Yield kinds, sentences about `run`, and whether they are true."""
    if (material := Material.of(run, seed)) is None:
        return
    for _ in range(rounds):
        for kind, make in (makers or MAKERS).items():
            yield from ((kind, upper(text, run), bool(is_true)) for text, is_true in make(material))
