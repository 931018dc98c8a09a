"""What a model may do, measured once for each model by a short test and never guessed from its name.

Twelve made-up sentences of the narrator's kinds are to be reworded, first in paragraphs of four, then one at a time. A
wording passes if it makes the same claims and is not the sentence itself: a model that only repeats, or moves one
comma, is of no help. The result is remembered with the model's digest and the test's own text, so that a changed model,
or a changed test, is measured anew. The test speaks of no run of the user's.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from xinv_nb.claims.domain import Domain
from xinv_nb.claims.sameness import same_claims
from xinv_nb.models.alignment import align
from xinv_nb.models.language_model import LanguageModel, too_long
from xinv_nb.models.prompt import paragraph, rewording
from xinv_nb.words.digest import digest_of

Manner = Literal["none", "sentences", "paragraphs"]

PARAGRAPHS = (
    (
        "The loss fell from 48.2 to 3.17 over 60 iterations.",
        "Travel time fell from 41.3 to 36.8 min.",
        "The bend rose from 0.4 to 1.9 km; the gradient asked for this at every iteration.",
        "The lowest loss, 3.05, was at iteration 52; the run ended at 3.17.",
    ),
    (
        "The loss hardly changed between iterations 24 and 40: it stayed near 5.6.",
        "Drag fell from 0.7 to 0.22; the gradient asked for this at 31 of 36 iterations.",
        "A lower drag would lower the loss.",
        "The loss rose from 5.6 to 9.4 between iterations 40 and 46.",
    ),
    (
        "The loss went up and down by turns between iterations 8 and 30, never below 2.4 and never above 6.1.",
        "Yield rose from 3.8 to 5.2 t.",
        "Along the path, moving water accounts for 64 % of the fall of the loss and moving nitrogen for 21 %.",
        "Nitrogen stayed at 120 kg.",
    ),
)
DOMAIN = Domain(
    {name: name for name in ("travel time", "the bend", "drag", "yield", "water", "nitrogen")},
    {"travel time": "min", "the bend": "km", "yield": "t", "nitrogen": "kg"},
)
_ALL = sum(map(len, PARAGRAPHS))
_ENOUGH = _ALL // 2
"""Sentences that have to pass: below half, the reader would see the built-in text anyway, and wait for nothing."""


_PROMPTS = [paragraph(p) for p in PARAGRAPHS] + [rewording(s) for p in PARAGRAPHS for s in p]
_KEY = {"trial": digest_of(_PROMPTS), "language": "English"}
"""What is found holds for the language that was asked for and judged, and for no other."""


@dataclass(frozen=True)
class Ability:
    """What a model may do: word paragraphs, single sentences, or nothing; and of how many sentences that was seen."""

    manner: Manner
    passed: int
    of: int


def ability(model: LanguageModel) -> Ability:
    """Return what the model may do, from memory or by the test; raises `OllamaUnavailable` where the server fails."""
    found = known_ability(model)
    if found is None:
        found = _measured(model)
        model.remember(_KEY, json.dumps(asdict(found)))
    return found


def known_ability(model: LanguageModel) -> Ability | None:
    """Return what the model was found to be able to do, or None if it was not tried yet."""
    known = model.remembered(_KEY)
    with contextlib.suppress(ValueError, TypeError):
        found = Ability(**json.loads(known or ""))
        if found.manner in get_args(Manner):
            return found
    return None


def _measured(model: LanguageModel) -> Ability:
    model = copy(model)
    model.level = None  # what is found is remembered for every reader, so that it is asked for in one way
    passed = of = 0
    for sentences in PARAGRAPHS:
        passed += _passed_in_paragraph(model, sentences)
        of += len(sentences)
        if passed >= _ENOUGH:
            return Ability("paragraphs", passed, of)
        if passed + _ALL - of < _ENOUGH or passed == 0:
            break
    passed = of = 0
    for sentence in (s for sentences in PARAGRAPHS for s in sentences):
        wording, _ = model.sentence(sentence)
        passed += _passes(wording, sentence)
        of += 1
        if passed >= _ENOUGH:
            return Ability("sentences", passed, of)
        if passed + _ALL - of < _ENOUGH:
            break
    return Ability("none", passed, of)


def _passed_in_paragraph(model: LanguageModel, sentences: Sequence[str]) -> int:
    wordings, _ = model.sentences(sentences)
    with contextlib.closing(wordings):
        found = align(sentences, wordings, lambda text, block: same_claims(text, " ".join(block), DOMAIN))
    return sum(len(place) for place, text in found.items() if not _is_same(text, " ".join(sentences[i] for i in place)))


def _passes(wording: str, sentence: str) -> bool:
    return not (_is_same(wording, sentence) or too_long(wording, sentence) or same_claims(wording, sentence, DOMAIN))


def _is_same(one: str, other: str) -> bool:
    """Whether two texts have the same words in the same order."""
    return re.findall(r"[\w.%]+", one.lower().rstrip(".")) == re.findall(r"[\w.%]+", other.lower().rstrip("."))
