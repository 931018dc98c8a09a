"""The words of a run, or of several compared, for readers without the widget: title, state and captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xinv_nb.facts.counting import Noun, noun_of
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view.head import state_in_words
from xinv_nb.words.narrator import captions_of


@dataclass(frozen=True)
class Story:
    """What there is to tell; `key` marks the record of it for the front end."""

    key: str
    title: str
    state: str
    captions: Sequence[Caption]
    of: str = "run"
    noun: Noun = "iteration"
    """What an evaluation is called."""


def story_of(run: RecordedRun) -> Story:
    """Return the story of a run."""
    return Story(run.id, run.title, state_in_words(run)[1], captions_of(run), noun=noun_of(run))


def as_markdown(story: Story) -> str:
    """Return the explanation as Markdown."""
    blocks = [f"**{_markdown(story.title)}** · {_markdown(story.state)}"]
    blocks += [
        f"**{_markdown(heading(caption, story.noun))}**  \n{_markdown(caption.text)}" for caption in story.captions
    ]
    return "\n\n".join(blocks)


def as_text(story: Story) -> str:
    """Return the explanation as plain text."""
    blocks = [f"{story.title} · {story.state}"]
    blocks += [f"{heading(caption, story.noun)}\n{caption.text}" for caption in story.captions]
    return "\n\n".join(blocks)


def heading(caption: Caption, noun: Noun) -> str:
    """Return a caption's heading with its span."""
    return f"{caption.heading} ({noun}s {caption.span[0]}–{caption.span[1]})"


def _markdown(text: str) -> str:
    """Escape what Markdown would take for markup."""
    for mark in "\\`*_[]<>#":
        text = text.replace(mark, f"\\{mark}")
    return text
