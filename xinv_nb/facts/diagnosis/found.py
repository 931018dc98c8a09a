"""Finds what is wrong with a run, and takes back what that makes untrue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from xinv_nb.errors import XinvError
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.facts.diagnosis.kinds import all_finding_kinds
from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact


def findings_of(evidence: Evidence, *, of_fits: bool = False) -> list[Finding]:
    """Return what is wrong, of one fit or of all fits together."""
    kinds = [kind for kind in all_finding_kinds() if kind.of_fits == of_fits]
    if evidence.story.wandering is not None:  # which may draw samples
        kinds = [kind for kind in kinds if kind.of_samples]
    found = [finding for kind in kinds for finding in kind.compute(evidence)]
    untrue = _silenced_by(found)
    return [finding for finding in found if finding.kind not in untrue]


def checked_kinds(kinds: str | Iterable[str]) -> tuple[str, ...]:
    """Return the names of kinds of findings, also from one text with commas between them.

    Raises
    ------
    XinvError
        There is no such kind.

    Examples
    --------
    >>> checked_kinds("not-finite")
    ('not-finite',)
    """
    names = [name.strip() for name in (kinds.split(",") if isinstance(kinds, str) else kinds)]
    known = [kind.name for kind in all_finding_kinds()]
    if unknown := [name for name in names if name not in known]:
        raise XinvError(f"There is no kind of finding {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    return tuple(dict.fromkeys(names))


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with the gravest first, each with its number; of one kind no more than one of a form."""
    ranks = {kind.name: kind.rank for kind in all_finding_kinds()}
    first: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        first.setdefault((finding.kind, finding.form, finding.text), finding)
    gravest = sorted(first.values(), key=lambda each: (each.severity != "warning", ranks[each.kind]))
    return tuple(replace(each, id=f"D{place}") for place, each in enumerate(gravest, start=1))


def repeated_by(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return how notices begin that findings repeat.

    >>> repeated_by([])
    ()
    """
    kinds = {kind.name: kind for kind in all_finding_kinds()}
    return tuple(beginning for finding in findings for beginning in kinds[finding.kind].notices)


def without_untrue(facts: Sequence[Fact], findings: Sequence[Finding]) -> list[Fact]:
    """Return the facts but for those that a finding makes untrue or useless.

    Second derivatives that were asked for are what they are, unless the result cannot be used at all.

    >>> without_untrue([], [])
    []
    """
    silenced = _silenced_by(findings)
    by_cautions = silenced - _silenced_by(finding for finding in findings if finding.severity == "warning")
    return [
        fact
        for fact in facts
        if not any(_matches(fact, name) and not (name in by_cautions and _is_asked_for(fact)) for name in silenced)
    ]


def _is_asked_for(fact: Fact) -> bool:
    return fact.kind == "identifiability" and fact.data.get("source") == "second derivatives"


def _silenced_by(findings: Iterable[Finding]) -> set[str]:
    kinds = {kind.name: kind for kind in all_finding_kinds()}
    return {name for finding in findings for name in kinds[finding.kind].silences}


def _matches(fact: Fact, name: str) -> bool:
    kind, _, form = name.partition(": ")
    return fact.kind == kind and fact.form.startswith(form)
