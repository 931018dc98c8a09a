"""Calls of `run.replay` as a reader may paste them, and what a question names of a run to be otherwise."""

from __future__ import annotations

import re
import sys

import numpy as np

from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.facts.replay.recorded import Recorded
from xinv_nb.recorded.entries import Entry
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.names import mentions

_NUMBER = r"[-−+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"


def call(run: RecordedRun, *arguments: str, needs_optimizer: str = "") -> str:
    """Return a call of `replay` as the reader may paste it, by the names of the program.

    >>> call(RecordedRun(), "step_size=0.2")
    'run.replay(objective, step_size=0.2), where objective is the function that was minimized'
    """
    variables = vars(sys.modules["__main__"]) if "__main__" in sys.modules else {}
    name = next((each for each, value in variables.items() if value is run and not each.startswith("_")), "run")
    told = told_of_loss(run)
    given, remark = [], ""
    if told is None or told.function is None:
        objective = run.history.objective
        is_known = callable(variables.get(objective)) and run.history.residuals is None
        given = [objective if is_known else "objective"]
        what = "returns the residuals" if run.history.residuals is not None else "was minimized"
        remark = "" if is_known else f", where objective is the function that {what}"
    more = [needs_optimizer] if needs_optimizer else []
    return f"{name}.replay({', '.join([*given, *arguments, *more])}){remark}"


def _named_optimizer(run: RecordedRun, recorded: Recorded) -> str:
    """Return the argument that names an optimizer, where that of the run is not known well enough."""
    if recorded.optimizer:
        return ""
    return "optimizer='trf'" if run.history.residuals is not None else "optimizer='L-BFGS-B'"


def to_see(run: RecordedRun, recorded: Recorded, what: str, *arguments: str) -> str:
    """Return a sentence that says how to see something: by a call, which names an optimizer where it has to.

    >>> to_see(RecordedRun(), Recorded("Adam"), "what more iterations bring", "iterations=60")[:62]
    'This run alone cannot tell. To see what more iterations bring:'
    """
    told = call(run, *arguments, needs_optimizer=_named_optimizer(run, recorded))
    return f"This run alone cannot tell. To see {what}: {told}. xi.compare lays both runs side by side."


def entries_to_set(run: RecordedRun) -> list[Entry]:
    """Return the parameters that can be set one by one."""
    return [entry for entry in run.entries() if entry.column is not None and not entry.part]


def is_named(question: str, entry: Entry) -> bool:
    """Whether a question names a parameter."""
    return mentions(question, entry.label) or mentions(question, entry.name)


def number_in(asked: str) -> float | None:
    """Return the only number in a question; None where it has none, or several.

    >>> number_in("what if the step size were 0.3?"), number_in("what if x[0] were larger?")
    (0.3, None)
    """
    found = re.findall(rf"(?<![\w.\[,]){_NUMBER}(?![\w\]])", asked)
    return float(found[0]) if len(found) == 1 else None


def places_in(run: RecordedRun, asked: str) -> dict[str, float]:
    """Return the values that a question names for parameters: behind their names, or alone where there is one."""
    entries = entries_to_set(run)
    found: dict[str, float] = {}
    for entry in entries:
        for name in (entry.label, entry.name):
            bare = re.escape(re.sub(r"^(?:the|an?) ", "", name).lower())
            told = re.search(rf"(?<![\w.]){bare}(?![\w\[])[^\d]{{0,20}}?(?<![\w.])({_NUMBER})(?![\w.]*\])", asked)
            if told is not None and entry.name not in found:
                found[entry.name] = float(told[1])
    named = [entry for entry in entries if is_named(asked, entry)] or (entries if len(entries) == 1 else [])
    if not found and len(named) == 1 and (only := number_in(asked)) is not None:
        found[named[0].name] = only  # "with 10 cm of insulation"
    return found


def moved_most(run: RecordedRun, entries: list[Entry] | None = None) -> Entry | None:
    """Return the parameter that went farthest, measured by its size."""
    there = entries_to_set(run) if entries is None else entries
    ways = [float(np.ptp(run.column(entry)) / (np.abs(run.column(entry)).max() or 1.0)) for entry in there]
    return there[int(np.argmax(ways))] if ways and np.isfinite(ways).all() else None
