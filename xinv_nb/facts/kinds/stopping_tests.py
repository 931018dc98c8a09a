"""The ledger of the ending: every test by which the optimizer stops, with both of its sides."""

from __future__ import annotations

from collections.abc import Iterator

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.measures.ends import last_call
from xinv_nb.facts.measures.names import named_optimizer
from xinv_nb.facts.measures.optimizers import last_stop
from xinv_nb.facts.measures.stopped import StoppingTest
from xinv_nb.facts.measures.stopping import stopping_tests
from xinv_nb.language.slots import Clause, Count, Listed, Named, Said, Slot, SolverIterations, Value, Word, pair
from xinv_nb.recorded.run import RecordedRun


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield how the tests stood by which the last optimizer stops.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from scipy.optimize import minimize
    >>> with xi.record() as run:
    ...     found = minimize(lambda p: (p[0] - 3) ** 2, [1.0], jac=lambda p: 2 * (p - 3), method="BFGS")
    >>> next(fact for fact in run.facts if fact.kind == "stopping tests").values["tests"][0]["met"]
    'met'
    """
    run, last = evidence.run, evidence.last
    call, found = last_call(run), stopping_tests(run)
    if call is None or not found or run.status != "finished":
        return
    slots: dict[str, Slot] = {
        "optimizer": named_optimizer(call.optimizer),
        "tests": Listed(tuple(_clause(test, _told(run)) for test in found)),
    }
    tests = [
        {"about": each.about, "size": each.size, "limit": each.limit, "option": each.option, "met": each.is_met}
        for each in found
    ]
    yield KIND.fact("tests", (last, last), 0.15, slots, data={"ledger": tests})


def _told(run: RecordedRun) -> int | None:
    """Return how many evaluations the optimizer is said to have made, where that is said."""
    stop = last_stop(run)
    return None if stop is None else int(stop.values["evaluations"])


def _clause(test: StoppingTest, told: int | None) -> Clause:
    met = "reached" if test.is_count else "met"
    slots: dict[str, Slot] = {"option": Said(test.option), "met": Word(met if test.is_met else f"not {met}")}
    if test.is_count:
        count = SolverIterations if test.about == "iterations" else Count
        # What it calls twice at a point may be recorded once: two numbers of one thing are told apart.
        is_its_own = test.about == "evaluations" and told not in (None, int(test.size))
        form = f"test, {test.about}" + ", by its own count" * is_its_own
        return Clause(form, slots | {"count": Count(int(test.size)), "most": count(int(test.limit))})
    size, limit = Value(test.size, in_powers=True), Value(test.limit, in_powers=True)
    if size.looks_like(limit):
        size, limit = pair(test.size, test.limit)
    return Clause(f"test, {test.about}", slots | {"size": size, "limit": limit})


KIND = Kind(
    name="stopping tests",
    question=Question.ENDING,
    rank=69,
    slots={"optimizer": Named, "tests": Listed},
    compute=compute,
    asked_with=r"\btoleranc|\b[gfx]a?tol\b|\bcriteri(?:on|a)\b|\bstopping tests?\b",
    method="the solver's own tests, by its options or SciPy's defaults, at the numbers that it ended with",
)
