"""Captions as plain data: their sentences with who worded each, and the claims that were checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Claim:
    """One checkable claim found in a text; `supported` is None where the recording cannot decide it."""

    text: str
    supported: bool | None
    reason: str


@dataclass(frozen=True)
class WordedSentence:
    """One sentence of a caption: who worded it, from which facts, and what became of a model's wording."""

    text: str
    source: str
    """The model's name, or `"built-in"`."""
    cites: tuple[str, ...]
    """The facts that it words."""
    built_in: str
    """The built-in sentence that it stands for; where it is that, the same as `text`."""
    checked: str = ""
    """How far a model's wording was checked: `"in full"`."""
    dropped: str = ""
    """Why the model's wording of this sentence is not shown; empty if there was none."""
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Caption:
    """A text that explains a span of the run, who wrote it, and what was checked."""

    text: str
    span: tuple[int, int]
    cites: tuple[str, ...]
    source: str
    status: str
    claims: tuple[Claim, ...] = ()
    heading: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Where a model's words come from: `model`, its `digest`, the `server`'s version, the `seed`, and a hash of the
    `prompts`; empty for the built-in text."""
    sentences: tuple[WordedSentence, ...] = ()
    """Sentence by sentence: who worded it and what was checked."""
    headline: str = ""
    """What it comes to, in at most 14 words; of the first caption that of the run."""

    @property
    def built_in(self) -> str:
        """The built-in text that this caption words; the same as `text` where no model worded any of it."""
        return " ".join(sentence.built_in for sentence in self.sentences) or self.text
