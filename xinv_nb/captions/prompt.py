"""From one sentence to the messages that ask a model to reword it. Pure: no server, no run."""

from __future__ import annotations

_STUDENT = "for a student who meets optimization for the first time"
_EXPERT = "for an expert, tersely"


def rewording(sentence: str, level: str | None = None, language: str | None = None) -> list[dict[str, str]]:
    """Return chat messages that ask for another wording of `sentence`.

    No example stands in the prompt: its numbers and names would turn up in the answer.

    >>> rewording("The loss fell.")[-1]["content"]
    'The loss fell.'
    """
    reader = _EXPERT if level == "expert" else _STUDENT
    system = (
        f"Reword the sentence {reader}. Keep every number, unit, name and direction as it is and in the same order. "
        "Add nothing: no cause, no judgement. Answer with the one sentence only."
    )
    if language:
        system += f" Write in {language}."
    return [{"role": "system", "content": system}, {"role": "user", "content": sentence}]
