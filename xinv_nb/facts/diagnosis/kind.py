"""The declaration of a kind of finding: all that there is to know of it beside its wordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xinv_nb.facts.diagnosis.finding import Finding, Severity
from xinv_nb.facts.evidence import Evidence
from xinv_nb.language.slots import Slot


@dataclass(frozen=True)
class FindingKind:
    """A kind of finding.

    Its wordings are in `xinv_nb/language/banks/english/findings/<name>.txt`, in the part `finding <name>`: a sentence
    for each form, and what to do under `advice`, or under `<form>, advice`.
    """

    name: str
    """A stable id in small letters and hyphens."""
    severity: Severity
    rank: int
    """Of findings of one severity, the lower rank comes first: the cause before what follows from it."""
    slots: Mapping[str, type[Slot] | tuple[type[Slot], ...]]
    compute: Callable[[Evidence], Iterator[Finding]]
    """Yields its findings; nothing, unless the evidence is clear."""
    means: str
    """What it means, in a sentence, for the table in the documentation."""
    seen_by: str
    """By which evidence, with its source."""
    example: str
    """A program that has it, in a few words."""
    asked_with: str = ""
    """Words by which a reader asks for it, as a regular expression of small letters: `nan`, `not finite`."""
    silences: tuple[str, ...] = ()
    """What it makes untrue or useless: a kind of facts, or a kind and the beginning of a form, `minimum: reached`;
    or a kind of findings."""
    notices: tuple[str, ...] = ()
    """How notices of the recording begin that say the same, and are not shown beside it."""
    of_fits: bool = False
    """Whether it is about all fits of a recording."""
    of_samples: bool = False
    """Whether it is wrong also where a loop draws samples, and minimizes nothing."""

    def finding(
        self,
        form: str,
        span: tuple[int, int],
        slots: Mapping[str, Slot],
        *,
        cites: tuple[str, ...] = (),
        data: Mapping[str, Any] | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """Return a finding of this kind; `severity` where it is another than the usual one."""
        return Finding("", self.name, severity or self.severity, form, slots, span, cites, data or {})
