"""What is wrong with a run, for the view: it stands above the explanation, which then does not say it again."""

from __future__ import annotations

from dataclasses import replace

from xinv_nb.facts.analysis import diagnosis_of
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view import protocol
from xinv_nb.view.marks import marked, names_to_mark
from xinv_nb.words.narrator import SUMMARY, WRONG


def findings_for_view(run: RecordedRun) -> list[protocol.Finding]:
    """Return what is wrong, the gravest first, with numbers and names marked.

    >>> findings_for_view(RecordedRun())
    []
    """
    names = names_to_mark(run)
    return [
        {
            "id": finding.id,
            "kind": finding.kind,
            "heading": "Warning" if finding.severity == "warning" else "Caution",
            "text": marked(finding.text, names),
            "advice": marked(finding.advice, names),
            "span": finding.span,
            "cites": [cited for cited in finding.cites if cited.startswith("e")],
        }
        for finding in diagnosis_of(run)
    ]


def without_findings(run: RecordedRun, caption: Caption) -> Caption | None:
    """Return a caption without the sentences that stand above it; None where nothing is left of it."""
    findings = diagnosis_of(run)
    told = {text for finding in findings for text in (finding.text, finding.advice)}
    kept = tuple(sentence for sentence in caption.sentences if sentence.text not in told)
    if len(kept) == len(caption.sentences):
        return caption
    if not kept:
        return None
    cut = {cited for sentence in caption.sentences if sentence not in kept for cited in sentence.cites}
    return replace(
        caption,
        text=" ".join(sentence.text for sentence in kept),
        heading=SUMMARY if caption.heading == WRONG else caption.heading,
        cites=tuple(cited for cited in caption.cites if cited not in cut),
        sentences=kept,
    )
