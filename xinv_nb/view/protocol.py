"""What the kernel tells the browser of a run, typed once; `messages` has what both say beside it.

It is a packet: a `Header`, and behind it one block of bytes in which the header's numbers, pictures and files lie by
offset and length (`wire` has the layout). `js/dev/protocol.py` makes the front end's files of the same names from these
two, texts included, so there is nothing but types in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from xinv_nb.view.reasons_protocol import Reasons, ReasonTable

Status = Literal["running", "finished", "interrupted", "failed"]
Tone = Literal["live", "good", "warning", "bad", "neutral"]
View = Literal["story", "details", ""]

EventPhase = Literal["forward", "backward", "optimizer"]

Span = tuple[int, int]
"""First and last iteration."""


# ---------------------------------------------------------------------- numbers


class _ColumnSpec(TypedDict):
    key: str
    """`iteration`, `loss`, `accepted`; of the series k its values `pk` and gradient `gk`; of the watched quantity k its
    values `wk` (or the least of several), the largest of several `hk`, and `dk`, the strongest derivative of the loss
    with respect to it."""
    type: Literal["f8", "f4", "u1"]
    offset: int


class ColumnSpec(_ColumnSpec, total=False):
    """One number for each row."""

    planes: bool
    """The first bytes of all numbers, then the second ones, and so on."""


class Detail(TypedDict):
    """The evaluations of a part of the run, as asked for; one in `thinned` of them."""

    request: int
    span: Span
    thinned: int


class FrameSpec(TypedDict):
    """A picture of the scene."""

    iteration: int
    offset: int
    length: int
    type: str
    width: int
    height: int


class FrameError(TypedDict):
    """Why the scene could not be drawn."""

    iteration: int
    text: str


# ---------------------------------------------------------------------- names and words


class Pull(TypedDict):
    """A model that the server could download, or is downloading."""

    model: str
    size: str
    """Empty where it is not known."""
    note: str
    """What the button does."""
    problem: str
    """Why the last try failed."""
    going: bool
    text: str
    """How far it is, while it goes on."""
    percent: int | None


class Writer(TypedDict):
    """Who writes the captions."""

    text: str
    hint: str
    command: str
    pull: Pull | None


class Head(TypedDict):
    """What the run is called, how it stands, and who writes of it."""

    title: str
    goal: str
    status: Status
    tone: Tone
    state: str
    evaluations: int
    noun: Literal["iteration", "evaluation"]
    """What an evaluation is called."""
    optimizer: str
    writer: Writer
    busy: bool
    thinned: int
    """One in how many evaluations is there."""
    has_scene: bool
    loss_label: str
    loss_unit: str
    notices: Sequence[str]
    view: View
    """What is shown at first where the reader has not chosen yet, or asks for by name."""
    compared: bool
    """Several runs on shared axes: a series is a run."""


class _Series(TypedDict):
    key: int
    name: str
    label: str
    unit: str
    description: str
    group: str
    bounds: tuple[float | None, float | None] | None
    truth: float | None
    statistic: str
    """How a series summarizes many numbers; empty where it is one number."""
    shown: bool
    """Drawn until the reader chooses others."""


class Series(_Series, total=False):
    """A parameter, or a summary of many: columns p (values) and g (gradient), each with the key behind."""

    colour: int
    """Place in the palette, where it is not the place in the list."""


class _Group(TypedDict):
    key: str
    label: str
    unit: str


class Group(_Group, total=False):
    """Series that are drawn on one axis."""

    log: bool
    """May have a logarithmic axis, as the loss has."""


class Watched(TypedDict):
    """A quantity that the simulator watches."""

    key: int
    name: str
    unit: str
    several: bool
    """Had more than one number in an evaluation: there is a column h."""
    shown: bool
    """Drawn until the reader chooses others."""


class Phase(TypedDict):
    """A stretch of the run, from iteration `start` up to but not including `stop`."""

    start: int
    stop: int
    kind: str
    label: str


class Stretch(TypedDict):
    """Evaluations that belong together: those from `start` up to but not including `stop`."""

    start: int
    stop: int
    fit: int
    """The number of the fit, from 1; 0 where no optimizer made them, such as a grid for a plot; −1 of several fits,
    of very many, that are not told apart."""
    best: int
    """The evaluation with the lowest loss."""
    text: str
    """What the fit is called in a list: its optimizer, and how it ended."""


class Fits(TypedDict):
    """What the evaluations are where they are not of one fit alone."""

    stretches: Sequence[Stretch]
    story: Span
    """What phases, facts and captions tell of: its first evaluation, and the one after its last."""
    shown: int
    """The number of the fit that is told of."""
    count: int
    """How many fits there are."""


class Objectives(TypedDict):
    """The functions that were evaluated, of which one is shown, by its place."""

    names: Sequence[str]
    shown: int


class RunEvent(TypedDict):
    """Something that happened in the forward pass, the backward pass or the optimizer."""

    id: str
    evaluation: int
    phase: EventPhase
    text: str
    stage: str
    count: int
    lane: bool
    """Marked in the lanes: one of its kind begins or ends."""


class Fact(TypedDict):
    """A statement computed from the recording."""

    id: str
    kind: str
    text: str
    span: Span
    cites: Sequence[str]


class FactGroup(TypedDict):
    """A question, and the kinds of facts that answer it."""

    question: str
    kinds: Sequence[str]


class Claim(TypedDict):
    """What was found in a model's words."""

    text: str
    supported: bool | None
    """null: the recording cannot decide it."""
    reason: str


class Sentence(TypedDict):
    """One sentence of a caption: who worded it, from which facts, and what became of a model's wording."""

    text: str
    source: str
    cites: Sequence[str]
    built_in: str
    """The built-in sentence; empty where it is the same."""
    checked: str
    """"in full" or "in part", of a model's words; else empty."""
    dropped: str
    """Why a model's words are not shown; else empty."""
    claims: Sequence[Claim]


class Part(TypedDict):
    """A stretch of a caption's text that is set in one way."""

    text: str
    kind: Literal["text", "number", "name"]


class Caption(TypedDict):
    """What is said of a stretch of the run."""

    id: str
    heading: str
    span: Span
    parts: Sequence[Part]
    cites: Sequence[str]
    line: str
    """Who worded it and what was checked, in one line."""
    tone: Literal["good", "warning", "neutral"]
    writing: bool
    sentences: Sequence[Sentence]
    provenance: Mapping[str, str]
    """What a model's words depend on: model, digest, server, seed, prompts."""
    role: Literal["summary", "chapter", "asked"]
    """Of all that is told of, of a part of it, or of what the reader asked for."""
    short: Sequence[Part]
    """One sentence for all of it."""


class Headline(TypedDict):
    """What a run comes to, and a line that says how."""

    text: str
    beneath: Sequence[Part]
    """Empty where nothing is known of that."""
    span: Span
    cites: Sequence[str]
    wrong: bool
    """It says what the first finding says in full."""


class Mark(TypedDict):
    """Something that began or ended in the simulation, told on the track."""

    iteration: int
    text: str
    cited: bool
    """A caption tells of it."""


class Finding(TypedDict):
    """One thing that is wrong with the run, or needed to read its result right."""

    id: str
    kind: str
    heading: Literal["Warning", "Caution"]
    """A warning: the result cannot be used as it is."""
    text: Sequence[Part]
    """What is wrong, and where."""
    advice: Sequence[Part]
    """What to do about it."""
    span: Span
    cites: Sequence[str]
    """The events that it rests on."""


# ---------------------------------------------------------------------- answers to requests


class Answer(TypedDict):
    """The answer to a question; another one to the same question takes its place."""

    request: int
    caption: Caption


class FileSpec(TypedDict):
    """A file for the reader to keep."""

    request: int
    name: str
    type: str
    offset: int
    length: int


class OtherRun(TypedDict):
    """A run that this one could be laid over."""

    id: str
    name: str
    state: str


class OtherRuns(TypedDict):
    """The runs that the kernel has beside this one."""

    request: int
    runs: Sequence[OtherRun]


class ComparisonSpec(TypedDict):
    """The run laid over others: the bytes are a packet of its own."""

    request: int
    offset: int
    length: int


class Failure(TypedDict):
    """Why there is no file, no comparison: the answer in their place."""

    request: int
    text: str


# ---------------------------------------------------------------------- the whole


class _Header(TypedDict):
    version: Literal[2]
    kind: Literal["snapshot", "update"]
    """A snapshot takes the place of everything before it."""
    sequence: int
    """Updates count up; a gap means that one was lost."""
    run: str
    rows: int
    columns: Sequence[ColumnSpec]


class Header(_Header, total=False):
    """What a packet says in words, and what lies behind it. What is missing has not changed."""

    head: Head
    series: Sequence[Series]
    groups: Sequence[Group]
    watched: Sequence[Watched]
    phases: Sequence[Phase]
    fits: Fits | None
    """None, as if it were missing from a snapshot, where all evaluations are one story."""
    objectives: Objectives
    """Of a run of several; missing from a snapshot of one."""
    begins: Sequence[int]
    """Evaluations at which an optimizer began since the fits were told: no line is drawn across."""
    events: Sequence[RunEvent]
    """Of an update, those that are new."""
    events_total: int
    """Events of the run; of very many, only some are listed."""
    facts: Sequence[Fact]
    fact_groups: Sequence[FactGroup]
    """In the order in which they are shown; come with the facts."""
    captions: Sequence[Caption]
    headline: Headline | None
    """Comes with the captions."""
    marks: Sequence[Mark]
    """In the order in which they happened; come with the facts."""
    suggestions: Sequence[str]
    """Questions that the recording answers; come with the facts."""
    findings: Sequence[Finding]
    """The gravest first; come with the facts."""
    reasons: Reasons
    reasons_over: ReasonTable
    answers: Sequence[Answer]
    frames: Sequence[FrameSpec]
    frame_error: FrameError
    detail: Detail
    file: FileSpec
    other_runs: OtherRuns
    comparison: ComparisonSpec
    failure: Failure
