"""Where the parameters of the domain ended: told where the problem names all of them, and they are few."""

from __future__ import annotations

import numpy as np

import xinv_nb as xi
from xinv_nb.facts.fact import Fact
from xinv_nb.run import Run

NAMES = {"k": xi.Parameter("stiffness", "N/m"), "c": xi.Parameter("damping", "1/s")}


def recomputed(run: Run, fact: Fact) -> list[float]:
    """The numbers of its sentence: the last point that was accepted."""
    last = max(i for i in range(run.evaluations) if run.accepted[i])
    return [float(np.ravel(values[last])[k]) for values in run.parameters.values() for k in range(values[last].size)]


def told(names: dict[str, xi.Parameter], end: float = 1.2345) -> list[Fact]:
    with xi.record(problem=xi.Problem("spring", parameters=names)) as run:
        for k, c in ((4.0, 1.0), (2.0, 0.5), (end, 0.25)):
            run.add(k**2 + c**2, {"k": k, "c": c})
    return [fact for fact in run.facts if fact.kind == "result"]


def test_the_last_values_are_told_with_their_units() -> None:
    (fact,) = told(NAMES)
    assert fact.text == "Stiffness ended at 1.23 N/m, damping at 0.25 per s."
    assert fact.data["ends"] == {"k": 1.2345, "c": 0.25}


def test_the_recording_supports_it() -> None:
    with xi.record(problem=xi.Problem("spring", parameters=NAMES)) as run:
        for k, c in ((4.0, 1.0), (2.0, 0.5), (1.0, 0.25)):
            run.add(k**2 + c**2, {"k": k, "c": c})
    (fact,) = (fact for fact in run.facts if fact.kind == "result")
    assert all(claim.supported for claim in run.check(fact.text))
    assert [claim.supported for claim in run.check("Stiffness ended at 1.3 N/m.")] == [False]


def test_nothing_is_told_where_another_fact_says_it_better() -> None:
    assert told({"k": xi.Parameter("stiffness")}) == [], "not all are named"
    assert told(NAMES | {"c": xi.Parameter("damping", truth=0.2)}) == [], "how near it came is told"
    assert told(NAMES | {"c": xi.Parameter("damping", directions=("down", "up"))}) == [], "which way it went is told"
