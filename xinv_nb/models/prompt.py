"""From sentences to the messages that ask a model to reword them. Pure: no server, no run.

No example stands in a prompt: its numbers and names would turn up in the answer. What is sent is the narrator's own
sentences, never the raw list of events: a long prompt is cut silently by some servers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MOST_SENTENCES = 12
"""Sentences in one prompt."""

_STUDENT = "for a student who meets optimization for the first time"
_EXPERT = "for an expert, tersely"
_KEEP = "Keep every number, unit, name and direction as it is"
_ADD_NOTHING = "Add nothing: no cause, no judgement."


def rewording(sentence: str, level: str | None = None) -> list[dict[str, str]]:
    """Return chat messages that ask for another wording of `sentence`.

    >>> rewording("The loss fell.")[-1]["content"]
    'The loss fell.'
    """
    system = (
        f"Reword the sentence {_reader(level)}. {_KEEP} and in the same order. {_ADD_NOTHING} "
        "Answer with the one sentence only."
    )
    return _messages(system, sentence)


def paragraph(sentences: Sequence[str], level: str | None = None, question: str = "") -> list[dict[str, str]]:
    r"""Return chat messages that ask to word `sentences` as one short paragraph, as JSON after `schema`.

    >>> paragraph(["The loss fell.", "x rose."])[-1]["content"]
    'The loss fell.\nx rose.'
    """
    task = f"Word the sentences below, one on each line, as one short paragraph {_reader(level)}"
    if question:
        task += ", so that it answers the question"
    system = (
        f"{task}. {_KEEP}. You may join two neighbouring sentences. Leave nothing out. {_ADD_NOTHING} "
        "Each of your sentences names what it is about: no “it” or “this” for something in another sentence. "
        "Answer as JSON: an object whose “sentences” are the sentences of the paragraph."
    )
    lines = "\n".join(sentences)
    return _messages(system, f"{question}\n\n{lines}" if question else lines)


def schema(most: int) -> Mapping[str, object]:
    """Return the JSON schema of an answer of at most `most` sentences."""
    sentences = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": most}
    return {
        "type": "object",
        "properties": {"sentences": sentences},
        "required": ["sentences"],
        "additionalProperties": False,
    }


def _reader(level: str | None) -> str:
    return _EXPERT if level == "expert" else _STUDENT


def _messages(system: str, user: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
