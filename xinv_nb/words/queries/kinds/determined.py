"""How well a parameter is determined: by standard errors or second derivatives, or what would tell."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np

from xinv_nb.facts.analysis import facts_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.measures.names import named
from xinv_nb.facts.uncertainty import uncertainty_of
from xinv_nb.language.slots import Clause, Listed, Named, Said, Slot, Value
from xinv_nb.words.names import mentioned_in, subjects_of
from xinv_nb.words.queries.kinds.right import end_state
from xinv_nb.words.queries.query import Query
from xinv_nb.words.queries.query_kind import QueryKind, told

_ALL = "well"
"""The form of the fact that all combinations of parameters are about equally well determined."""
_RANKED = re.compile(r"\b(?:worst|best|least|most|poorest)\b")
_TIED = re.compile(r"\b(?:correlat|tied|told apart|tell .* apart|trade ?off)")
_ERRORS = re.compile(r"\b(?:errors?|error ?bars?|uncertain\w*|confidence|sigmas?)\b")
_MOST = 3
_ALIKE = 1.2
"""Ratio of two errors up to which they are about equal."""


def answer(query: Query) -> Sequence[Fact]:
    """Return what is known of how well something is determined, or the call that tells.

    What a question names in full or in part has to be in a fact, or the fact is about all parameters.
    """
    facts = facts_of(query.whole)
    if _ERRORS.search(query.asked) and (none := _no_errors(query)):
        return [none, *(end_state(query) if query.subjects else [])]
    if _TIED.search(query.asked) and (tied := _tied(query)):
        return tied
    known = [fact for fact in facts if fact.kind in ("estimate", "correlation", "identifiability", "idle")]
    known = [fact for fact in known if fact.kind != "estimate" or fact.data.get("error") is not None]
    if not query.subjects:
        if _RANKED.search(query.asked) and (ranked := _ranked(query)):
            return ranked
        return [] if known or query.run.status == "running" else [_identify(query)]
    labels = {label for label, name in subjects_of(query.run).items() if name in query.subjects}
    about = [fact for fact in known if mentioned_in(fact.text, labels)]
    about = about or [fact for fact in known if fact.kind == "identifiability" and fact.form == _ALL]
    if query.whole.curvature is None and not any(fact.kind in ("estimate", "correlation") for fact in about):
        return [_identify(query), *(about[:1] or end_state(query))]
    return [*(about[:2] or [_identify(query)]), *end_state(query)]


def _no_errors(query: Query) -> Fact | None:
    """Return why a fit of residuals has no standard errors, where it has none."""
    if query.run.status == "running" or query.whole.residuals is None:
        return None
    why = uncertainty_of(query.whole).why_not
    return told(query, "determined", "no errors", {"why": Said(why.rstrip("."))}) if why else None


def _tied(query: Query) -> list[Fact]:
    """Return the strongest correlations of estimates, of what is named if anything is; nothing where none are known."""
    table = uncertainty_of(query.whole).correlations
    labels = subjects_of(query.run)
    about = {label for label, name in labels.items() if name in query.subjects}
    pairs = [(one, other) for one, other in itertools.combinations(table, 2) if not about or {one, other} & about]
    if len(about & set(table)) > 1:
        pairs = [pair for pair in pairs if set(pair) <= about]
    pairs.sort(key=lambda pair: -abs(table[pair[0]][pair[1]]))
    items = []
    for pair in pairs[:_MOST]:
        one, other = (Named(name, name) for name in pair)
        slots: dict[str, Slot] = {"one": one, "other": other, "value": Value(table[pair[0]][pair[1]], digits=2)}
        items.append(Clause("of a pair", slots, "answer determined"))
    return [told(query, "determined", "correlations", {"pairs": Listed(tuple(items))})] if items else []


def _ranked(query: Query) -> list[Fact]:
    """Return which parameter has the largest and which the smallest error, where all are of one unit.

    From the inverse of the second derivatives, of which the variance of the data is a common factor.
    """
    found, entries = query.whole.curvature, [entry for entry in query.run.entries() if not entry.statistic]
    units = {entry.parameter.unit for entry in entries}
    if found is None or not found.is_complete or len(units) != 1 or len(entries) != len(found.scale):
        return []
    columns = [entry.column for entry in entries if entry.column is not None]
    if not 1 < len(columns) == len(entries) or not found.values.min() > 0:
        return []
    errors = np.sqrt((found.vectors**2 / found.values).sum(axis=1))[columns] * found.scale[columns]
    worst, best = int(np.argmax(errors)), int(np.argmin(errors))
    ratio = float(errors[worst] / errors[best])
    if not np.isfinite(ratio) or ratio < _ALIKE:
        return []
    slots: dict[str, Slot] = {"worst": named(entries[worst]), "best": named(entries[best]), "ratio": Value(ratio)}
    return [told(query, "determined", "ranked", slots)]


def _identify(query: Query) -> Fact:
    return told(query, "determined", "identify", {"call": Said(query.call("identify"))})


QUERY = QueryKind(
    "determined",
    answer,
    {"call": Said, "why": Said, "worst": Named, "best": Named, "ratio": Value}
    | {"pairs": Listed, "one": Named, "other": Named, "value": Value},
)
