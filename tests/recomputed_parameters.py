"""The numbers of the facts of parameters, watched quantities and events, computed again from the recording.

By other means than the analysis: loops in plain Python over what `Run` gives to everyone. Each function returns the
numbers that a fact's sentence must hold, in their order.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable

import numpy

from xinv_nb.claims.numerals import numbers_in
from xinv_nb.facts.fact import Fact
from xinv_nb.run import Run


def column(run: Run, name: str, of: str = "parameters"):
    """One parameter over the run, looked up by its name in the user's structure."""
    arrays = getattr(run, of)
    leaf, _, index = name.rpartition("[")
    if name in arrays:
        return arrays[name].reshape(run.evaluations, -1)[:, 0]
    return arrays[leaf][(slice(None), *(int(i) for i in index.rstrip("]").split(",")))]


def iterates(run: Run) -> list[int]:
    return [row for row, is_one in enumerate(run.accepted) if is_one]


def at(run: Run, evaluation: int) -> int:
    """The iterate at which the optimizer stood in an evaluation."""
    rows = iterates(run)
    return max((row for row in rows if row <= evaluation), default=rows[0])


def within(run: Run, span: tuple[int, int]) -> list[int]:
    a, b = (at(run, end) for end in span)
    return [row for row in iterates(run) if a <= row <= b]


def movement(run: Run, fact: Fact) -> list[float]:
    name = fact.values["parameter"]
    rows = within(run, fact.span)
    if "root mean square" in fact.text or "did not change" in fact.text:
        return _array_movement(run, fact, rows)
    values = column(run, name)
    start, end = values[rows[0]], values[rows[-1]]
    if "stayed" in fact.text or "where it began" in fact.text:
        return [end]
    steps = rows[:-1]
    slopes = column(run, name, "gradients")
    if "was 0 all along" in fact.text:
        assert not any(slopes[row] for row in steps)
        return [start, end, 0]
    counted = " of " in fact.text.partition(";")[2] + fact.text.partition(", as the gradient asked")[2]
    asked = sum(-slopes[row] * (end - start) > 0 for row in steps)
    if "asked for this" in fact.text and not counted:
        assert asked == len(steps)
    if "asked for the opposite" in fact.text:
        assert asked == 0
    return [start, end, *([asked] if asked else []), len(steps)] if counted else [start, end]


def _array_movement(run: Run, fact: Fact, rows: list[int]) -> list[float]:
    entry = next(e for e in run.entries() if e.name == fact.values["parameter"])
    kept = run.parameters[entry.name].reshape(run.evaluations, -1)
    change = math.sqrt(sum((b - a) ** 2 for a, b in zip(kept[rows[0]], kept[rows[-1]], strict=True)) / kept.shape[1])
    looked_at = [entry.leaf.size] if kept.shape[1] == entry.leaf.size else [kept.shape[1], entry.leaf.size]
    sizes = [run.column(entry)[rows[0]], run.column(entry)[rows[-1]]] if "its own" in fact.text else []
    return [*([change] if change else []), *looked_at, *sizes]


def order(run: Run, fact: Fact) -> list[float]:
    found, rows = [], within(run, fact.span)
    for name in fact.values["half"]:
        values = column(run, name)
        way = values[rows[-1]] - values[rows[0]]
        behind = [(values[row] - values[rows[0]]) / way >= 0.5 for row in rows]
        last_ahead = max(k for k, done in enumerate(behind) if not done)
        found.append(rows[last_ahead + 1])
    assert found == sorted(found)
    return found


def turning(run: Run, fact: Fact) -> list[float]:
    name = fact.values.get("parameter", fact.values.get("quantity"))
    values = column(run, name) if "parameter" in fact.values else run.watches[name].values
    rows, turns = within(run, fact.span), fact.values["turns"]
    start, end = values[rows[0]], values[rows[-1]]
    if "times" in fact.text:
        low, high = min(rows, key=lambda row: values[row]), max(rows, key=lambda row: values[row])
        found = [len(turns), values[low], low, values[high], high]
    else:
        found = [start, *itertools.chain.from_iterable((values[row], row) for row in turns), end]
    # A turning point is the extreme of the way from the turn before it to the one after it.
    for before, turn, after in zip([rows[0], *turns], turns, [*turns[1:], rows[-1]], strict=False):
        between = [values[row] for row in rows if before <= row <= after]
        assert values[turn] in (min(between), max(between)), fact.text
    if "past the value" in fact.text:
        found.append(max((values[row] - end) * math.copysign(1, end - start) for row in rows))
    return found


def swing(run: Run, fact: Fact) -> list[float]:
    values = column(run, fact.values["parameter"])
    a, b = fact.span
    rows = [row for row in iterates(run) if a <= row <= b]
    place = {row: k for k, row in enumerate(rows)}
    inner = [
        y for x, y, z in zip(rows, rows[1:], rows[2:], strict=False)
        if (values[y] - values[x]) * (values[z] - values[y]) < 0
    ]  # fmt: skip
    extremes = [a, *inner, b]
    lengths = [abs(values[y] - values[x]) for x, y in itertools.pairwise(extremes)]
    period = 2 * (place[b] - place[a]) / (len(extremes) - 1)
    if "about" in fact.text:
        return [a, b, period, lengths[0]]
    slope = numpy.polyfit(range(len(lengths)), [math.log(length) for length in lengths], 1)[0]
    return [a, b, period, math.exp(slope), lengths[0], lengths[-1]]


def path(run: Run, fact: Fact) -> list[float]:
    values = [column(run, fact.values["parameter"])[row] for row in iterates(run)]
    return [sum(abs(b - a) for a, b in itertools.pairwise(values)), abs(values[-1] - values[0])]


def bound(run: Run, fact: Fact) -> list[float]:
    values = {row: column(run, fact.values["parameter"])[row] for row in iterates(run)}
    limit, sign = fact.values["bound"], -1 if fact.values["side"] == "lower" else 1
    reach = max(values.values()) - min(values.values())
    if "beyond its" in fact.text:
        outside = [row for row, value in values.items() if (value - limit) * sign > 1e-9 * reach]
        return [limit, outside[0], max(values.values(), key=lambda value: value * sign)]
    there = [row for row, value in values.items() if abs(value - limit) <= 1e-9 * reach]
    if "pulled it across" in fact.text:
        assert -column(run, fact.values["parameter"], "gradients")[max(values)] * sign > 0
    if "to the end" in fact.text or "all along" in fact.text:
        assert there == [row for row in values if row >= there[0]]
        return [limit, there[0]] if there[0] else [limit]
    times = [there[0]] if len(there) == 1 else [there[0], there[-1]]
    return [limit, *times, *([len(there)] if "accepted points" in fact.text else [])]


def allocation(run: Run, name: str, rows: list[int]) -> float:
    """The change of the loss that a parameter's moves account for, by the trapezoidal rule."""
    entry = next(e for e in run.entries() if e.name == name)
    shape = (run.evaluations, -1)
    if entry.column is None:
        x, g = (getattr(run, of)[entry.leaf.name].reshape(shape) for of in ("parameters", "gradients"))
    else:
        x, g = (column(run, name, of).reshape(shape) for of in ("parameters", "gradients"))
    total = sum(float((x[b] - x[a]) @ (g[a] + g[b])) / 2 for a, b in itertools.pairwise(rows))
    return total * entry.leaf.size / x.shape[1] if entry.column is None else total


def credit(run: Run, fact: Fact) -> list[float]:
    rows = within(run, fact.span)
    total = run.loss[rows[-1]] - run.loss[rows[0]]
    earned = sorted(allocation(run, entry.name, rows) for entry in run.entries())
    found = [] if fact.kind == "credit" else [*fact.span, -total]
    if fact.form.startswith("alone, beyond"):
        found += [] if fact.kind == "drop" else [-total]
    elif "Shares are not known" in fact.text:
        found.append(100 * sum(earned) / total)
    elif fact.form.startswith("alone"):
        found += [-earned[0]] if fact.kind == "drop" else [-earned[0], -total]
    else:
        shares = [100 * part / total for part in earned[:2]]
        found += shares if " and moving" in fact.text else shares[:1]
    if "in all, the recorded gradients" in fact.text:
        found.append(100 * sum(earned) / total)
    return found


def idle(run: Run, fact: Fact) -> list[float]:
    names = fact.values["parameters"]
    entries = {entry.name: entry for entry in run.entries()}
    if fact.values["how"] == "no gradient":
        assert not any(run.column(entries[name], "gradients").any() for name in names)
        return [0]
    rows = iterates(run)
    effects = {
        name: sum(abs(allocation(run, name, [a, b])) for a, b in itertools.pairwise(rows)) for name in entries
    }  # fmt: skip
    return [100 * sum(effects[name] for name in names) / sum(effects.values())]


def terms(run: Run, fact: Fact) -> list[float]:
    rows = within(run, fact.span)
    a, b = rows[0], rows[-1]
    total = run.loss[b] - run.loss[a]
    parts = []
    for name in fact.values["parts"]:
        watch = run.watches[name]
        parts.append((name, watch.cotangents[0] * (watch.values[b] - watch.values[a])))
    assert math.isclose(sum(part for _, part in parts), total, rel_tol=1e-6)
    for name, part in parts:
        assert f"{name} {'lowered' if part < 0 else 'raised'} it by" in fact.text
    ordered = sorted((part for _, part in parts), key=lambda part: part * numpy.sign(total), reverse=True)
    return [*([] if fact.text.startswith("Over the run") else fact.span), abs(total), *map(abs, ordered)]


def cosines(run: Run, names: tuple[str, str]) -> dict[int, float]:
    moved = numpy.ptp(run.history.values.array[iterates(run)], axis=0)
    one, two = ({row: g * moved for row, g in zip(*run.term_gradients[name], strict=True)} for name in names)
    return {
        row: float(one[row] @ two[row] / numpy.sqrt((one[row] @ one[row]) * (two[row] @ two[row])))
        for row in one
        if row in two and one[row].any() and two[row].any()
    }


def conflict(run: Run, fact: Fact) -> list[float]:
    known = cosines(run, fact.values["terms"])
    stretch = [row for row in known if fact.values["from"] <= row <= fact.values["to"]]
    assert all(known[row] < -0.3 for row in stretch)
    mean = sum(known[row] for row in stretch) / len(stretch)
    if "at all" in fact.text:
        return [len(known), mean]
    times = [stretch[0]] if re.search("from (?:iteration|evaluation)", fact.text) else [stretch[-1]]
    return [*(times if "between" not in fact.text else [stretch[0], stretch[-1]]), mean]


def balance(run: Run, fact: Fact) -> list[float]:
    known = cosines(run, fact.values["terms"])
    row = max(known)
    moved = numpy.ptp(run.history.values.array[iterates(run)], axis=0)
    one, two = (
        float(numpy.linalg.norm(moved * next(g for r, g in zip(*run.term_gradients[name], strict=True) if r == row)))
        for name in fact.values["terms"]
    )
    assert known[row] < -0.95
    assert 0.7 < one / two < 1 / 0.7
    assert row >= 0.9 * (len(run.loss) - 1), "near the end"
    return []


def asked(run: Run, fact: Fact) -> list[float]:
    rows = iterates(run)

    def work(name: str) -> list[tuple[float, float, float]]:
        """Step before, step and gradient where both are none of them zero."""
        x, g = column(run, name), column(run, name, "gradients")
        triples = zip([rows[0], *rows], rows, rows[1:], strict=False)
        found = [(x[b] - x[a], x[c] - x[b], g[b]) for a, b, c in triples]
        return [(before, step, slope) for before, step, slope in found if step * slope]

    if "against its gradient in" in fact.text:
        moves = work(fact.values["parameter"])
        wrong = [(before, step) for before, step, slope in moves if step * slope > 0]
        carried = sum(before * step > 0 for before, step in wrong)
        if "in all of these" in fact.text:
            assert carried == len(wrong)
        return [len(wrong), len(moves), *([carried] if "went on" in fact.text and "in all of" not in fact.text else [])]
    moves = [m for entry in run.entries() if not entry.statistic for m in work(entry.name)]
    obeying = sum(step * slope < 0 for _, step, slope in moves)
    if "uphill" in fact.text:
        assert obeying == 0
        return []
    if "At each step" in fact.text or "at each step" in fact.text:
        assert obeying == len(moves)
        return []
    return [100 * obeying / len(moves)]


def pull(run: Run, fact: Fact) -> list[float]:
    a, b = fact.span
    strength = {}
    for name, watch in run.watches.items():
        if name in fact.values["pulls"]:
            mean = sum(abs(c) for c in watch.cotangents[a : b + 1]) / (b + 1 - a)
            strength[name] = mean * (max(watch.values) - min(watch.values))
    first, second = sorted(strength.values(), reverse=True)[:2]
    assert strength[fact.values["quantity"]] == first
    return [*([a, b] if "between" in fact.text else []), first, second]


def vanishing(run: Run, fact: Fact) -> list[float]:
    if "parameter" in fact.values:
        entries = {entry.name: entry for entry in run.entries()}
        low, high = (entries[fact.values[key]] for key in ("parameter", "other"))
        return [float(numpy.median(run.column(entry, "gradients"))) for entry in (low, high)]
    watch = run.watches[fact.values["quantity"]]
    count = int(numpy.sum(watch.evaluation == 0))
    sizes = numpy.array([[abs(c) for c in watch.cotangents[k : k + count]] for k in range(0, len(watch.values), count)])
    typical = numpy.median(sizes, axis=0)
    if "exactly 0" in fact.text:
        alive = int(numpy.flatnonzero(typical)[0])
        assert not sizes[:, :alive].any()
        return [typical[-1], watch.at[count - 1], 0, watch.at[alive]]
    return [typical[-1], watch.at[count - 1], typical[0], watch.at[0]]


def crossing(run: Run, fact: Fact) -> list[float]:
    watch, rows, here = run.watches[fact.values["quantity"]], iterates(run), fact.values["at"]
    numbers = watch.cotangents if "cotangent" in fact.values else watch.values
    before, after = ([numbers[r] for r in rows if r < here], [numbers[r] for r in rows if r >= here])
    assert len({*map(numpy.sign, before)}) == len({*map(numpy.sign, after)}) == 1
    assert before[0] * after[0] < 0
    if "cotangent" in fact.values:
        assert ("a lower" in re.split("from (?:iteration|evaluation)", fact.text)[0]) == (before[0] > 0)
        return [rows[len(before) - 1], here, watch.values[here]]
    assert ("became positive" in fact.text) == (after[0] > 0)
    return [here, watch.values[rows[-1]]]


def trend(run: Run, fact: Fact) -> list[float]:
    events = {event.id: event for event in run.events}
    first, last = (events[i] for i in fact.cites)
    if "happened" in fact.text:
        quoted = numbers_in(re.search("“(.*)”", fact.text)[1])
        one, two = ([] if n == 1 else [n] for n in (first.count, last.count))
        return [*quoted, *one, first.evaluation, *two, last.evaluation]
    return [first.evaluation, *numbers_in(first.text), last.evaluation, *numbers_in(last.text)]


def coincidence(run: Run, fact: Fact) -> list[float]:
    a, b = fact.span
    (event,) = (event for event in run.events if event.id in fact.cites)
    values = column(run, fact.values["parameter"])
    effects = {e.name: abs(allocation(run, e.name, within(run, (a, b)))) for e in run.entries() if not e.statistic}
    assert effects[fact.values["parameter"]] == max(effects.values())
    return [*numbers_in(re.search("“(.*)”", fact.text)[1]), event.evaluation, values[a], values[b], a, b]


def identifiability(run: Run, fact: Fact) -> list[float]:
    """Only that the moves are those told; what they do to the loss is checked where the objective is known."""
    values = fact.values
    if values["how"] == "held":
        return []
    counts = [int(n) for n in re.findall(r"(\d+) others? moves? with", fact.text)]
    moves = [abs(move) for move in values.get("moves", {}).values()]
    halves = re.split(" only; where|; where", fact.text)
    if re.search(r"others? moves? with", halves[0]):
        moves.append(counts.pop(0))
    if values["source"] == "path" and values["how"] in ("flat", "never asked"):
        pulls = [
            sum(move * column(run, name, "gradients")[row] for name, move in values["moves"].items())
            for row in iterates(run)
        ]
        lengths = [abs(move) * max(abs(column(run, n, "gradients"))) for n, move in values["moves"].items()]
        assert max(map(abs, pulls)) <= 1e-4 * sum(lengths) or "with them" in fact.text, fact.text
        return moves
    rows = [run.evaluations - 1] if values["source"] != "path" else list(fact.span)
    explored = re.search(r"explored (\d+) of (\d+) directions", fact.text)
    rows += [int(n) for n in explored.groups()] if explored else []
    if values["how"] in ("sloppy", "least"):
        best = [abs(move) for move in values["best"].values()]
        return [*moves, values["change"], *best, *counts, values["best change"], *rows]
    if values["how"] == "correlation":
        return [values["correlation"], *rows]
    if values["how"] == "other objective":
        return [values["objective"], *rows, run.loss[rows[0]]]
    return [*moves, *([values["condition"]] if "condition" in values else []), *rows]


RECOMPUTED: dict[str, Callable[[Run, Fact], list[float]]] = {
    "movement": movement,
    "order": order,
    "turning": turning,
    "swing": swing,
    "path": path,
    "bound": bound,
    "idle": idle,
    "credit": credit,
    "drop": credit,
    "terms": terms,
    "conflict": conflict,
    "balance": balance,
    "asked": asked,
    "pull": pull,
    "vanishing": vanishing,
    "exploding": vanishing,
    "crossing": crossing,
    "trend": trend,
    "coincidence": coincidence,
    "identifiability": identifiability,
}
"""By the fact's kind, what computes its numbers again."""
