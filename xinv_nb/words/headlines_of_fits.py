"""The headline of several fits: which came lowest, and how low the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xinv_nb.facts.analysis import shown_parts
from xinv_nb.facts.fact import Fact
from xinv_nb.language.slots import Count, LossValue, Said, Slot, Value, loss_pair
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.choosing import of_kind
from xinv_nb.words.headline_facts import headline

_MAIN = 0.8


def of_the_fits(run: RecordedRun, facts: Sequence[Fact]) -> Iterator[Fact]:
    """Yield how several fits compare; nothing where there is one, or the last of them goes on.

    >>> list(of_the_fits(RecordedRun(), []))
    []
    """
    told = [fact for fact in of_kind(facts, "fits") if fact.salience >= _MAIN]
    for fact in told[:1]:
        if fact.form.startswith("look, "):
            yield headline("plot", [fact], {})
    for fact in told:
        if fact.form.startswith("objectives"):
            yield headline("objectives", [fact], {"count": fact.slots["count"]})
    compared = next((fact for fact in told if "ends" in fact.data and not fact.form.startswith("objectives")), None)
    lowest = next((fact for fact in told if fact.form.startswith(("the lowest", "reached by several"))), None)
    if compared is None:
        return
    count = {"count": compared.slots["count"]}
    if compared.form.endswith(", broken"):
        yield headline("fits, broken", [compared], count)
    elif compared.form.startswith("of different data"):
        yield headline("fits of other data", [compared], count)
    if lowest is not None:
        yield from _lowest(run, compared, lowest)


def _lowest(run: RecordedRun, compared: Fact, lowest: Fact) -> Iterator[Fact]:
    parts = shown_parts(run)
    fits, best = parts.fits, parts.shown
    values = [float(run.loss[fit.best]) for fit in fits]
    others = [value for k, value in enumerate(values) if k != best and np.isfinite(value)]
    slots: dict[str, Slot] = {"best": Count(best + 1), "count": compared.slots["count"]}
    slots["lowest"] = LossValue(values[best])
    if lowest.form.startswith("reached by several"):
        more = {name: lowest.slots[name] for name in ("times", "place") if name in lowest.slots}
        yield headline("fits as low", [compared, lowest], slots | more)
        return
    if others and not (pair := loss_pair(values[best], min(others)))[0].looks_like(pair[1]):
        slots |= {"lowest": LossValue(pair[0].number, beside=pair[1].number), "next": pair[1]}
    if compared.form.startswith("with different step sizes"):
        slots["size"] = Value(float(fits[best].options["step_size"]))
        yield headline("step sizes", [compared, lowest], slots)
    elif compared.form.startswith("by different optimizers"):
        yield headline("optimizers", [compared, lowest], slots | {"optimizer": Said(fits[best].optimizer)})
    yield headline("fits", [compared, lowest], slots)
