"""The messages that go between kernel and browser, typed once: that a packet comes, and what the browser asks.

`js/dev/protocol.py` makes types of the front end from this file as well (see `protocol`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from xinv_nb.view.protocol import Span


class PacketMessage(TypedDict):
    """A packet is the one buffer of this message."""

    type: Literal["packet"]


class HereMessage(TypedDict):
    """The answer to "hello"."""

    type: Literal["here"]


ToBrowser = PacketMessage | HereMessage


# ---------------------------------------------------------------------- browser to kernel


class HelloMessage(TypedDict):
    """Asks whether a kernel is there."""

    type: Literal["hello"]


class ResyncMessage(TypedDict):
    """Says that an update was lost."""

    type: Literal["resync"]


class SceneMessage(TypedDict):
    """Asks for a picture of the scene."""

    type: Literal["scene"]
    iteration: int


class RowsMessage(TypedDict):
    """Asks for the evaluations of a part of the run."""

    type: Literal["rows"]
    request: int
    span: Span


class FileMessage(TypedDict):
    """Asks for a file: "page", "picture" or "data"."""

    type: Literal["file"]
    request: int
    format: str


class RunsMessage(TypedDict):
    """Asks which other runs there are."""

    type: Literal["runs"]
    request: int


class CompareMessage(TypedDict):
    """Asks to have the run laid over others, by their ids."""

    type: Literal["compare"]
    request: int
    runs: Sequence[str]


class CompareFitsMessage(TypedDict):
    """Asks to have the fits of the run laid over each other."""

    type: Literal["compare_fits"]
    request: int


class FitMessage(TypedDict):
    """Asks to be told of another fit, by its number from 1."""

    type: Literal["fit"]
    fit: int


class ObjectiveMessage(TypedDict):
    """Asks to be shown another objective, by its place in the list."""

    type: Literal["objective"]
    objective: int


class ExplainMessage(TypedDict):
    """Asks for a caption of these iterations; it comes among the others."""

    type: Literal["explain"]
    span: Span


class ReasonsMessage(TypedDict):
    """Asks for the reasons over these iterations."""

    type: Literal["reasons"]
    span: Span


class QuietMessage(TypedDict):
    """Asks that the model which is writing stops."""

    type: Literal["quiet"]


class PullMessage(TypedDict):
    """Asks that the model which is offered is downloaded, or that this ends; the kernel knows which one it is."""

    type: Literal["pull"]
    cancel: bool


class AskMessage(TypedDict):
    """Asks a question about a part of the run, or all of it."""

    type: Literal["ask"]
    request: int
    question: str
    span: Span | None


ToKernel = (
    HelloMessage
    | ResyncMessage
    | SceneMessage
    | RowsMessage
    | FileMessage
    | RunsMessage
    | CompareMessage
    | CompareFitsMessage
    | FitMessage
    | ObjectiveMessage
    | ExplainMessage
    | ReasonsMessage
    | QuietMessage
    | PullMessage
    | AskMessage
)
"""None of them is essential: while a cell runs they may stay unanswered."""
