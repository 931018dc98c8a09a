"""Answers a reader's question from the facts that bear on it, or says that the recording does not show it.

A question is matched with names of the domain, with words of the events, and with a short list of topics. One that
touches none of them is not answered: a wrong fact would be taken for an answer.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from xinv_nb.errors import XinvError
from xinv_nb.facts.analysis import facts_of, story_span
from xinv_nb.facts.counting import noun_of
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kinds import all_kinds
from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.language.slots import words_of_the_user
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.about_events import WHY, by_event, is_of_an_event
from xinv_nb.words.draft import BUILT_IN, Draft, Sentence
from xinv_nb.words.fits_asked import about_fits
from xinv_nb.words.names import mentioned_in, mentions, subjects_of
from xinv_nb.words.queries.answers import answers_to, nearest_facts
from xinv_nb.words.queries.kinds.right import end_state
from xinv_nb.words.queries.query import read
from xinv_nb.words.troubles import about_troubles, nothing_found

_MOST = 3

_RUN = r"\b(?:it|runs?|loss|optimi[sz](?:er|ation)|algorithm|descent|program|computation|fit|search|iterations?)\b"
"""Words for the run itself: without one, a question such as "Who was best?" is about something else."""


@dataclass(frozen=True)
class _Topic:
    """What a question may be about: the words that tell, and the facts that bear on it, the best first."""

    words: str
    kinds: tuple[str, ...]
    anchored: bool = False
    """Whether the words count only beside a word for the run."""
    wanted: Callable[[Fact], bool] = lambda fact: True  # noqa: ARG005
    beside: tuple[str, ...] = ()
    """Kinds of facts that are told after the first of those that bear on it."""


def _of_phase(*kinds: str) -> Callable[[Fact], bool]:
    return lambda fact: fact.kind != "phase" or fact.values["kind"] in kinds


def _swinging(fact: Fact) -> bool:
    if fact.kind == "phase":
        return fact.values["kind"] == "oscillation" or bool(fact.data["noisy"])
    return fact.kind != "movement" or fact.values["how"] == "swung"


_TOPICS = (
    _Topic(
        r"\b(?:fit (?:any )?(?:good|well|bad|poor)|(?:good|bad|well|poor)(?:ly)? (?:is|was|does|did) the (?:fit|model)|"
        r"(?:does|did) the model fit|(?:good|bad|poor) fit|(?:data|points) (?:\w+ )?fitted|fit the data)\b",
        ("misfit", "residual trend"),
    ),
    _Topic(r"\b(?:truth|true values?|how close)\b", ("truth",)),
    _Topic(
        r"\b(?:determined|identif|correlat|sloppy|pin(?:ned)? down|uncertain|compensat)",
        ("identifiability", "idle", "advice"),
    ),
    _Topic(r"\b(?:conflict|compet|oppos|trade|against each other)", ("conflict", "balance", "terms")),
    _Topic(r"\b(?:turn(?:ed|ing)? (?:back|round|around|point)|overshoot|overshot)", ("turning", "swing")),
    _Topic(r"\b(?:vanish|explod\w+ gradient)", ("vanishing", "exploding")),
    _Topic(r"\b(?:lowest|best|minimal|minimum|smallest)\b", ("best", "course"), anchored=True),
    _Topic(
        r"\b(?:diverg|explod|blow|blew|overflow|nan\b|not a number|infinit)",
        ("phase", "gap", "course"),
        wanted=_of_phase("divergence", "rise"),
    ),
    _Topic(
        r"\b(?:converg|settl|level(?:led)? off)",
        ("convergence", "minimum", "gradient", "phase", "course"),
        wanted=_of_phase("converged", "plateau"),
        beside=("stopping tests",),
    ),
    _Topic(
        r"\b(?:oscillat|swing|swung|zig|to and fro|back and forth|up and down|nois[ey])",
        ("phase", "movement"),
        wanted=_swinging,
    ),
    _Topic(
        r"\b(?:rise|rose|rising|increase|went up|go up|worse)",
        ("phase", "course"),
        anchored=True,
        wanted=_of_phase("divergence", "rise", "oscillation"),
    ),
    _Topic(
        r"\b(?:plateau|stagnat|stuck|standstill)|\bhardly chang|\bslow",
        ("phase",),
        wanted=_of_phase("plateau", "slow descent", "converged"),
    ),
    _Topic(
        r"\b(?:fast|quick|rapid|biggest drop|steepest|most of the (?:improvement|fall|progress))",
        ("phase", "largest drop", "course"),
        anchored=True,
        wanted=_of_phase("descent"),
    ),
    _Topic(r"\bphases?\b", ("phase", "course")),
    _Topic(r"\b(?:matter|important|contribut|responsible|credit|earn|influen|effect)", ("credit", "movement")),
    _Topic(r"\b(?:gradients?|slope|steep|derivative)\b", ("gradient", "movement")),
    _Topic(
        r"\b(?:stop|end|finish|terminat|broke|break|crash|fail|interrupt)",
        ("ending", "gradient", "course"),
        anchored=True,
        beside=("stopping tests",),
    ),
    _Topic(r"\b(?:parameters?|variables?|unknowns?|weights)\b|\bwhat moved\b", ("movement", "credit")),
    _Topic(
        r"\bhow (?:many|often) .*\b(?:iterations|steps|evaluations|evaluate)",
        ("ending", "course"),
        # else the course says how many there were
        wanted=lambda fact: fact.kind != "ending" or ("own" in fact.slots and fact.form == "stopped, why"),
    ),
    _Topic(
        r"\b(?:loss|objective|misfit|iterations?|evaluations?|improve|improvement|progress|saved|gain(?:ed)?)\b",
        ("course", "best"),
    ),
    _Topic(r"\b(?:events?|simulat)|\bwhat happened\b", ("event", "watch", "phase", "course")),
)


def draft_answer(run: RecordedRun, question: str, span: tuple[int, int] | None = None) -> Draft:
    """Return the facts that bear on `question`, within `span` if one is given; without sentences if there are none.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     pass
    >>> draft_answer(run, "Why is the sky blue?").sentences
    ()
    """
    whole = story_span(run)
    best: Sequence[Fact] | None = about_fits(run, question) if span is None else None
    if best is None:
        known = _of_a_replay(run, question) if span is None else []
        if not known and not is_of_an_event(run, question):
            known = list(about_troubles(run, question, span))
        if not known and span is None:
            known = list(answers_to(run, question))
        known = known or _facts_for(run, question, span)[:_MOST]
        best = nothing_found(run, question, span, known)
    if not best:
        return Draft(question, span or whole, ())
    hull = (min(f.span[0] for f in best), max(f.span[1] for f in best))
    return Draft(question, hull, tuple(Sentence(_told(fact, whole, noun_of(run)), (fact,)) for fact in best))


def _of_a_replay(run: RecordedRun, question: str) -> list[Fact]:
    """Return what a run changed that repeats another, where it is asked what is different."""
    words = next(kind.asked_with for kind in all_kinds() if kind.name == "replay")
    found = [fact for fact in facts_of(run) if fact.kind == "replay"]
    original = re.escape(str(run.replay_of.get("original", "")).lower())
    is_asked = re.search(rf"{words}|\b(?:than|with|from|to|as) {original}(?!\w)", question.lower())
    return found[:_MOST] if found and is_asked else []


def not_shown(run: RecordedRun, question: str, span: tuple[int, int] | None = None) -> Caption:
    """Return the answer to a question that the recording does not answer, with the nearest thing that it shows."""
    text, status = "The recording does not show this.", "the recording does not show it"
    if beyond := _beyond(run, question):
        return Caption(f"{text} {beyond}", span or story_span(run), (), BUILT_IN, status, (), question)
    facts = by_event(facts_of(run), " ".join(question.lower().split()))
    facts = facts or ([] if span is not None or not run.evaluations else _at_the_end(run, question))
    facts = facts or [fact for group in _by_nearness(facts_of(run), span) for fact in group]
    if facts:
        is_of_it = not facts[0].id and bool(read(run, question).subjects)
        lead = "What the recording shows of this:" if is_of_it else f"{text} The nearest it shows:"
        text = f"{lead} {facts[0].text}"
    elif run.notices:
        text += f" {run.notices[0]}"
    cites = tuple(i for fact in facts[:1] for i in ((fact.id,) if fact.id else fact.cites))
    return Caption(text, span or story_span(run), cites, BUILT_IN, status, (), question)


def _beyond(run: RecordedRun, question: str) -> str:
    """Return that an iteration that a question names is not there; empty where it is, or none is named."""
    named, count = read(run, question).evaluation if run.evaluations else None, run.evaluations
    if named is None or named < count:
        return ""
    noun = noun_of(run)
    return f"There is no {noun} {named}: it has {count} {noun}s, from 0 to {count - 1}."


def _at_the_end(run: RecordedRun, question: str) -> list[Fact]:
    """Return what the watched quantities were at the end, as far as a question is near to them."""
    query = read(run, question)
    return [replace(fact, cites=nearest_facts(query)) for fact in end_state(query, or_loss=False)]


def _facts_for(run: RecordedRun, question: str, span: tuple[int, int] | None) -> list[Fact]:
    is_chosen = span is not None
    asked = " ".join(question.lower().split())
    if (loss := told_of_loss(run)) is not None and mentions(question, loss.name):
        asked = asked.replace(re.sub(r"^(?:the|an?) ", "", loss.name.lower()), "loss")
    if _DEFINITION.match(asked):
        return []
    named = re.search(r"\b(?:iteration|step|evaluation)s? (\d+)(?: (?:and|to) (\d+))?\b", asked)
    if span is None and named is not None:
        span = (int(named[1]), int(named[2] or named[1]))
    if named is not None:
        asked = asked.replace(named.group(), "")
    looked_at = run
    if span is not None and (is_chosen or _PUSHED.search(asked)):
        with contextlib.suppress(XinvError):  # the run has no such iteration
            looked_at = run.with_span(span)  # what happened there, and what pushes, is computed on request
    is_known = run.has_gradients or not re.search(r"\bgradients?\b", asked)
    for facts in _by_nearness(facts_of(looked_at), span):
        if not _PUSHED.search(asked) or _ALONG.search(asked):
            facts = [fact for fact in facts if fact.kind != "push"]
        elif span is None:  # of an iteration that was asked for before, nothing is said again
            facts = [fact for fact in facts if fact.kind != "push" or fact.form == "over the run"]
        if span is not None and not WHY.search(question.lower()):
            facts = [
                fact for fact in facts if fact.kind != "reason" or span[0] <= fact.span[0] <= fact.span[1] <= span[1]
            ]
        found = _by_name(run, facts, question, asked) or by_event(facts, asked, in_full=True)
        if not found and is_known:
            found = _by_topic(facts, asked)
        if not found and named is not None:
            found = [f for f in facts if f.kind in ("phase", "event", "course")]
        # Without a span a move over the whole run says what its parts say.
        if best := found if span else _longest(found, asked):
            return best if looked_at is run else _for_the_answer(run, question, best)
    return []


def _for_the_answer(run: RecordedRun, question: str, found: Sequence[Fact]) -> list[Fact]:
    """Return facts without a number where they are none of the run's: the answer names those that are near."""
    known = {fact.id for fact in facts_of(run)}
    near = nearest_facts(read(run, question))
    return [fact if fact.id in known else replace(fact, id="", cites=near) for fact in found]


def _by_nearness(facts: Sequence[Fact], span: tuple[int, int] | None) -> list[list[Fact]]:
    """Return the facts inside a span, and those that reach into it, the tightest first."""
    if span is None:
        return [list(facts)]
    a, b = span
    inside = [f for f in facts if a <= f.span[0] and f.span[1] <= b]
    over = [f for f in facts if f.span[0] <= b and f.span[1] >= a and f not in inside]
    return [inside, sorted(over, key=lambda f: f.span[1] - f.span[0])]


def _told(fact: Fact, whole: tuple[int, int], noun: str) -> str:
    """Return a fact's text, with its evaluations where it speaks of a part of the run and does not say so itself."""
    if fact.kind in ("movement", "watch", "reason") and fact.span != whole:
        return f"Between {noun}s {fact.span[0]} and {fact.span[1]}: {fact.text}"
    return fact.text


@functools.cache
def _topics() -> tuple[_Topic, ...]:
    """Return what a question may be about: first the kinds that say so themselves, in the order of their ranks."""
    of_kinds = [_Topic(kind.asked_with, (kind.name,)) for kind in all_kinds() if kind.asked_with]
    return (*of_kinds, *_TOPICS)


def _by_topic(facts: Sequence[Fact], asked: str) -> list[Fact]:
    """Return the facts of the first topic that the question touches and that the run has facts of."""
    for topic in _topics():
        if re.search(topic.words, asked) and (not topic.anchored or re.search(_RUN, asked)):
            found = [f for kind in topic.kinds for f in facts if f.kind == kind and topic.wanted(f)]
            if found:
                beside = [f for f in facts if f.kind in topic.beside]
                return [*[f for f in found if f.kind == found[0].kind][: _MOST - len(beside)], *beside]
    return []


def _longest(facts: list[Fact], asked: str) -> list[Fact]:
    """Leave out what a longer move contains, unless the question is about when or where in the run."""
    if re.search(r"\b(?:when|where|turn|turned|first|phases?|back|during|at which)\b", asked):
        return facts
    longest: dict[object, tuple[int, int]] = {}
    for fact in facts:
        if subject := _subject(fact):
            longest[subject] = max(longest.get(subject, (0, 0)), fact.span, key=lambda span: span[1] - span[0])
    return [fact for fact in facts if longest.get(_subject(fact), fact.span) == fact.span]


def _subject(fact: Fact) -> tuple[str, object] | None:
    """Return whose move a fact tells of."""
    subject = fact.values.get("parameter", fact.values.get("quantity"))
    return (fact.kind, subject) if fact.kind in ("movement", "watch", "reason", "push") else None


# ---------------------------------------------------------------------- names and words of the domain


_OF_GROUPS = ("movement", "watch", "truth", "credit", "event", "at rest", "push")
"""Kinds of facts that answer for a parameter where the question names its array."""


def _by_name(run: RecordedRun, facts: Sequence[Fact], question: str, asked: str) -> list[Fact]:
    """Return the facts about the names that the question mentions, those of its topic first."""
    subjects = subjects_of(run)
    ways = {way for entry in run.entries() for way in entry.parameter.directions or ()}
    mentioned = mentioned_in(question, {name: of for name, of in subjects.items() if name not in ways})
    if not mentioned:
        return []
    about = {subjects[name] for name in mentioned}
    labels = {entry.label for entry in run.entries() if entry.name in about or entry.group in mentioned}
    found = []
    for fact in facts:
        subject = fact.values.get("parameter", fact.values.get("quantity"))
        said = tuple(words_of_the_user(fact.slots.values()))
        group = any(mentions(words, name) for name in mentioned | labels for words in said)
        if subject in about or (group and fact.kind in _OF_GROUPS):
            found.append(fact)
    for words, kinds in ((_PUSHED, ("push", "along")), (_HELD, ("at rest", "bound"))):
        if words.search(asked) and (told := [f for f in found if f.kind in kinds]):
            return [f for f in told if f.values["parameter"] in about] or told
    is_whole = not re.search(_PART, asked)
    if re.search(_AT_LAST, asked) and (late := _at_last(found)):
        return late
    if is_whole and WHY.search(asked) and (why := [f for f in found if f.kind in ("reason", "brought about")]):
        # Where the reason is known of a part of the way only, the whole of it stands before that.
        of_whole = [f for f in found if f.kind == "movement" and f.span == story_span(run)]
        return why if any(f.span == story_span(run) for f in why) else [*of_whole[:1], *why]
    if not re.search(r"\b(?:gradients?|slope)\b", asked):  # the reason says where it went as well
        why_it_moved = {(f.values["parameter"], f.span) for f in found if f.kind == "reason"}
        found = [f for f in found if f.kind != "movement" or (f.values["parameter"], f.span) not in why_it_moved]
    elif not WHY.search(asked):
        found = [f for f in found if f.kind != "reason"]
    wanted = [kind for topic in _topics() if re.search(topic.words, asked) for kind in topic.kinds]
    if "turning" in wanted and (turned := [f for f in found if f.kind in ("turning", "turned because")]):
        return sorted(
            turned, key=lambda fact: fact.kind == "turning"
        )  # where it began and ended, the turn left out, would be no answer
    order = ["truth"] if "truth" in wanted[:1] else ["credit"] if "credit" in wanted[:1] else []
    order += ["reason", "movement", "watch", "truth", "credit", "event"]
    return sorted(found, key=lambda fact: order.index(fact.kind) if fact.kind in order else len(order))


_PUSHED = re.compile(r"\b(?:push|pull)(?:s|es|ed|ing)?\b")
_ALONG = re.compile(r"\bwhere\b|\balong the (?:way|simulation)\b")
"""Words that ask for a place along the simulation, which a whole push does not tell."""
_HELD = re.compile(
    r"\b(?:why|what)\b.*\b(?:stop|stops|stopped|holds?|held|stays?|stayed|balanced?|"
    r"not\b.*\b(?:further|farther|more|less)|n't\b.*\b(?:further|farther|on)|no (?:further|farther|more))\b"
)
"""Words that ask what keeps a parameter where it is."""

_DEFINITION = re.compile(r"what(?: is| are|'s|’s)? an? [\w -]+(?: mean)?\W*$")
"""A question for what a word means, which is none about the run."""

_PART = r"\b(?:at (?:the (?:end|start|beginning)|first|last)|early|late|later|then|turn\w*|back|iteration)\b"
"""Words for a part of the run, where what holds of the whole is no answer."""

_AT_LAST = r"\b(?:at (?:the (?:very )?end|last)|in the end|finally|towards the end)\b"


def _at_last(facts: Sequence[Fact]) -> list[Fact]:
    """Return how what was asked for moved in the last stretch that the run is told in; nothing where it is one."""
    moves = [fact for fact in facts if fact.kind in ("movement", "watch")]
    end = max((fact.span[1] for fact in moves), default=0)
    whole = max((fact.span for fact in moves), key=lambda span: span[1] - span[0], default=(0, 0))
    return [fact for fact in moves if fact.span[1] == end and fact.span[0] > whole[0]]
