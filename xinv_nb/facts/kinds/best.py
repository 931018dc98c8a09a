"""The lowest loss, if the run did not end with it; of losses that are draws, where their medians were lowest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.constraints import is_constrained
from xinv_nb.facts.measures.losses import Floats, Rows, finite_iterates
from xinv_nb.facts.measures.turned_down import lowest_turned_down
from xinv_nb.language.slots import Count, Iteration, LossValue, Slot, Value, loss_pair

_NOTED = 1e-3
"""Share of the run's height by which the last loss has to lie above the best one."""
_MUCH = 0.05
"""The same from which it is much."""
_PIECES, _SHORTEST = 20, 5
"""Pieces of a run of which medians are taken, and how many losses each has at least."""
_CLEAR = 3.0
"""Standard errors by which a median lies clearly below another."""


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield where the loss was lowest; the best of losses that are draws is a lucky one.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> data = np.random.default_rng(0).normal(1, 1, 400)
    >>> with xi.record() as run:
    ...     x = 3.0
    ...     for i in range(100):
    ...         x = x - 0.05 * grad(lambda x, i: np.mean((x - data[4 * i : 4 * i + 4]) ** 2))(x, i)
    >>> next(fact.text for fact in run.facts if fact.kind == "best").partition(" Medians")[0]
    'The lowest single loss, 0.069, was at iteration 35: of draws a lucky one.'
    """
    run, loss, last = evidence.run, evidence.run.loss, evidence.last
    finite = finite_iterates(run)
    if last < 1 or not len(finite) or evidence.is_maximized or is_constrained(run):
        return  # under constraints the lowest loss may be of a point that breaks them
    if evidence.are_losses_drawn:
        yield _of_draws(loss, finite)
        return
    if (tried := lowest_turned_down(run)) is not None:
        low, high = loss_pair(float(loss[tried]), float(loss[finite[-1]]), both=True)
        slots: dict[str, Slot] = {"best": low, "iteration": Iteration(tried), "end": high}
        yield KIND.fact("turned down", (tried, last), 0.3, slots)
        return
    best, final = int(finite[np.argmin(loss[finite])]), int(finite[-1])
    low, high = loss_pair(float(loss[best]), float(loss[final]), both=True)
    above, height = high.number / 2 - low.number / 2, float(np.ptp(loss[finite] / 2))
    if low.looks_like(high) or not above > _NOTED * height:
        return
    if best == int(finite[0]):
        form = "start" if best == 0 else "first number"
    elif not np.isfinite(loss[final:]).all() or run.status == "running":
        form = "so far"
    else:
        form = "before the end"
    salience = 0.15 if evidence.is_noisy else 0.7 if above > _MUCH * height else 0.4
    yield KIND.fact(form, (best, last), salience, {"best": low, "iteration": Iteration(best), "end": high})


def _of_draws(loss: Floats, rows: Rows) -> Fact:
    """Tell of the lowest draw, and where medians of draws were lowest, if that is clearly below those of the end."""
    at, count = int(rows[np.argmin(loss[rows])]), max(len(rows) // _PIECES, _SHORTEST)
    pieces = [rows[stop - count : stop] for stop in range(len(rows), count - 1, -count)]  # the last of them first
    medians = [float(np.median(loss[piece])) for piece in pieces]
    lowest, last = pieces[int(np.argmin(medians))], pieces[0]
    error = float(np.sqrt((loss[lowest].var() + loss[last].var()) * np.pi / 2 / count))
    low, end = loss_pair(min(medians), medians[0], both=True)
    slots: dict[str, Slot] = {"best": LossValue(float(loss[at])), "iteration": Iteration(at), "count": Count(count)}
    if not medians[0] - min(medians) > _CLEAR * error or low.looks_like(end):
        return KIND.fact("of draws", (at, int(rows[-1])), 0.15, slots | {"end": LossValue(medians[0])})
    slots |= {"median": low, "end": end, "first": Iteration(int(lowest[0])), "last": Iteration(int(lowest[-1]))}
    return KIND.fact("of draws, before the end", (min(at, int(lowest[0])), int(rows[-1])), 0.15, slots)


KIND = Kind(
    name="best",
    question=Question.LOSS,
    rank=12,
    slots={
        "best": Value,
        "iteration": Iteration,
        "end": Value,
        "count": Count,
        "median": Value,
        "first": Iteration,
        "last": Iteration,
    },
    compute=compute,
    method="the lowest loss of the accepted iterates; of draws, medians and their standard errors (Kendall & Stuart)",
)
