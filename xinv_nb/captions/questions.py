"""Answers a reader's question from the facts that bear on it, or says that the recording does not show it."""

from __future__ import annotations

import re

from xinv_nb.captions.narrator import BUILT_IN
from xinv_nb.run import Caption, Claim, Fact, Run

_KINDS: dict[str, tuple[str, ...]] = {
    "course": ("loss", "objective", "cost", "fall", "fell", "drop", "result"),
    "movement": ("move", "moved", "moving", "parameter", "change", "changed", "go", "went", "gradient", "direction"),
    "credit": ("why", "which", "important", "matter", "matters", "earned", "credit"),
    "phase": ("phase", "plateau", "slow", "fast", "flat", "oscillate", "when"),
    "ending": ("stop", "stopped", "end", "ended", "converge", "converged", "finish"),
    "gradient": ("stop", "stopped", "converge", "converged", "slope", "gradient", "minimum"),
    "event": ("event", "happen", "happened", "when"),
    "watch": ("why", "what"),
}
_MOST = 3


def answer(run: Run, question: str, span: tuple[int, int] | None = None) -> Caption:
    """Return a caption with the facts that bear on `question`, found by the names and kinds that it mentions.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     pass
    >>> xi.Run.ask(run, "Why is the sky blue?").status
    'the recording does not show it'
    """
    whole = span or (0, max(run.evaluations - 1, 0))
    words = set(re.findall(r"\w+", question.lower()))
    scored = [(_relevance(run, fact, question.lower(), words, span), fact) for fact in run.facts]
    best = [fact for score, fact in sorted(scored, key=lambda s: -s[0]) if score > 1][:_MOST]
    if not best:
        text = "The recording does not show this."
        if run.facts:
            text += f" The nearest it shows: {run.facts[0].text}"
        nearest = tuple(fact.id for fact in run.facts[:1])
        return Caption(text, whole, nearest, BUILT_IN, "the recording does not show it", (), question)
    text = " ".join(fact.text for fact in best)
    cites = tuple(dict.fromkeys(i for f in best for i in (f.id, *f.cites)))
    claims = tuple(Claim(f.text, True, f"worded from {f.id}") for f in best)
    return Caption(text, whole, cites, BUILT_IN, "built-in text", claims, question)


def _relevance(run: Run, fact: Fact, question: str, words: set[str], span: tuple[int, int] | None) -> float:
    if span is not None and not (fact.span[0] <= span[1] and fact.span[1] >= span[0]):
        return 0.0
    names = [entry.label for entry in run.entries()] + list(run.watches)
    mentioned = [name for name in names if name.lower() in question]
    score = 2.0 * sum(name.lower() in fact.text.lower() for name in mentioned)
    if mentioned and score == 0:
        return 0.0
    score += sum(2.0 if not mentioned else 0.5 for _ in words & set(_KINDS.get(fact.kind, ())))
    if span is not None and score > 0:
        score += 1.0 / (1 + abs(fact.span[0] - span[0]) + abs(fact.span[1] - span[1]))
    return score
