"""What to try: questions such as "what if the step were larger?" get the call that shows it, ready to paste.

What the recording knows of the matter stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from xinv_nb.facts.analysis import facts_of, shown_excerpt, story_span
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.replay.recorded import DESCENT, FITTERS, LOOPS, MINIMIZERS, Recorded, recorded_optimizer
from xinv_nb.language.quantities import listed, number, quantity
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.words.draft import BUILT_IN
from xinv_nb.words.queries.query import read
from xinv_nb.words.trying import call, entries_to_set, is_named, moved_most, number_in, places_in, to_see
from xinv_nb.words.why_not import Answer, why_not, without_names

_IF = re.compile(
    r"\bwhat if\b|\bwhat (?:would|will|could|might) (?:\w+ )?(?:happen|change)|\bhow would\b|\bsuppose\b|"
    r"\b(?:would|could|will) .*\bif\b|\bif (?:i|we|you|it|the|its) |\bhad (?:i|we) "
)
_WOULD = re.compile(r"\b(?:would|should|could|can|will)\b")
_SHORTER = re.compile(r"\b(?:smaller|shorter|lower|halve[d]?|half|decrease[d]?|reduce[d]?|less)\b")
_STEP = re.compile(r"\bstep(?:s|s? ?sizes?|s? lengths?)?\b|\blearning rate\b")
_START = re.compile(r"\b(?:start(?:s|ed|ing)?|beg[aiu]n|begins|initial\w*|elsewhere)\b")
_HELD = re.compile(r"\b(?:held|hold|fix(?:ed)?|kept|keep|frozen|freeze|constant)\b")
_MORE = re.compile(
    r"\b(?:more|further|another) (?:iterations?|steps|evaluations?)\b|"
    r"\b(?:run|ran|running|went|gone|go|going)(?: it)? (?:on|longer)\b|\blonger run\b"
)
_ADAM = "optimizer='adam'"
_OF_MOMENTUM = "Gradient descent with momentum"
_OPTIMIZERS = {
    "adam": "adam",
    "rmsprop": "rmsprop",
    "sgd": "sgd",
    "momentum": "sgd",
    "gradient descent": "gradient descent",
    "l-bfgs-b": "L-BFGS-B",
    "l-bfgs": "L-BFGS-B",
    "lbfgs": "L-BFGS-B",
    "bfgs": "BFGS",
    "nelder-mead": "Nelder-Mead",
    "powell": "Powell",
    "slsqp": "SLSQP",
    "conjugate gradient": "CG",
    "trust region": "trf",
    "levenberg-marquardt": "lm",
}
"""What optimizers are called in questions, and in `run.replay`; the longer names before those that they contain."""


def what_to_try(run: RecordedRun, question: str) -> Caption | None:
    """Return what is known of a question about what was not done, with the call that shows it; None for others.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> def cost(x):
    ...     return x**2
    >>> with xi.record() as slow:
    ...     x = 4.0
    ...     for _ in range(8):
    ...         slow.add(cost(x), x, 2 * x)
    ...         x -= 0.1 * 2 * x
    >>> what_to_try(slow, "What if the step were 0.3?").text[:50]
    'The step size was 0.1. This run alone cannot tell.'
    """
    if not run.evaluations or run.status == "running":
        return None
    asked = " ".join(question.lower().replace("−", "-").split())
    found = why_not(run, question, asked)
    if found is None and (_IF.search(asked) or (_WOULD.search(asked) and read(run, question).kind == "what_if")):
        found = _what_if(run, question, asked)
    if found is None:
        return None
    text, facts = found
    return Caption(text, story_span(run), tuple(fact.id for fact in facts), BUILT_IN, f"{BUILT_IN} text", (), question)


_Answering = Callable[[RecordedRun, Recorded, str, str], "Answer | None"]


def _what_if(run: RecordedRun, question: str, asked: str) -> Answer | None:
    recorded = recorded_optimizer(shown_excerpt(run)[0])
    if not recorded.is_free:
        return None
    bare = without_names(run, asked)
    for pattern, answer in _KINDS:
        if pattern.search(bare) and (found := answer(run, recorded, question, asked)):
            return found
    return None


def _another_step(run: RecordedRun, recorded: Recorded, question: str, asked: str) -> Answer | None:  # noqa: ARG001
    if recorded.optimizer in MINIMIZERS or recorded.optimizer in FITTERS:
        text = f"{recorded.optimizer} chooses the length of its steps by itself."
        if run.history.residuals is None and not recorded.bounds:
            text += f" A loop with a step size of your own: {call(run, _ADAM, 'step_size=0.1')}."
        return text, []
    size = recorded.step_size
    if size is None:
        return None
    told = number_in(asked)
    wished = told if told is not None and told > 0 else size / 2 if _SHORTER.search(asked) else size * 2
    facts: list[Fact] = [f for f in facts_of(run) if f.kind == "finding" and "step size" in f.text][:1]
    text = f"The step size was {number(size)}. {''.join(f'{fact.text} ' for fact in facts)}"
    return text + to_see(run, recorded, "what another one does", f"step_size={wished:.6g}"), facts


def _more_iterations(run: RecordedRun, recorded: Recorded, question: str, asked: str) -> Answer | None:  # noqa: ARG001
    facts = [fact for fact in facts_of(run) if fact.kind == "ending"][:1]
    text = "".join(f"{fact.text} " for fact in facts)
    count = 2 * max(recorded.steps, shown_excerpt(run)[0].evaluations)
    return text + to_see(run, recorded, "what more iterations bring", f"iterations={count}"), facts


def _another_start(run: RecordedRun, recorded: Recorded, question: str, asked: str) -> Answer | None:  # noqa: ARG001
    part = shown_excerpt(run)[0]
    places = places_in(run, asked)
    what = "where another one leads"
    if not places:
        entry = moved_most(part)
        if entry is None:
            return None
        column, told = part.column(entry), number_in(asked)
        places = {entry.name: float(f"{(column[0] + column[-1]) / 2:.3g}") if told is None else told}
        what += f", of {entry.label}, say"
    values = ", ".join(f"{name!r}: {value:.6g}" for name, value in places.items())
    began = [
        f"{entry.label} at {quantity(float(part.column(entry)[0]), entry.parameter.unit)}"
        for entry in entries_to_set(part)
        if entry.name in places
    ]
    return f"It began with {listed(began)}. " + to_see(run, recorded, what, f"start={{{values}}}"), []


def _held(run: RecordedRun, recorded: Recorded, question: str, asked: str) -> Answer | None:
    if places := places_in(run, asked):
        told = "fixed={" + ", ".join(f"{name!r}: {value:.6g}" for name, value in places.items()) + "}"
    else:
        there = entries_to_set(run)
        named = [entry for entry in there if is_named(question, entry)]
        if not named or len(named) == len(there):
            return None
        told = f"fixed={[entry.name for entry in named]!r}"
    return to_see(run, recorded, "what the others do then", told), []


def _another_optimizer(run: RecordedRun, recorded: Recorded, question: str, asked: str) -> Answer | None:  # noqa: ARG001
    of_residuals = run.history.residuals is not None
    for said, name in _OPTIMIZERS.items():
        if re.search(rf"(?<![\w-]){re.escape(said)}(?![\w-])", asked) and (name in ("trf", "lm")) == of_residuals:
            if said == "momentum" and (recorded.rule[0] or recorded.optimizer == _OF_MOMENTUM):
                return None  # it has one, and none but its own can be chosen
            is_loop = name in ("adam", "rmsprop", "sgd", "gradient descent")
            if is_loop and recorded.bounds:
                return f"{recorded.optimizer} kept to bounds here, and {said} takes none.", []
            known = recorded.step_size if recorded.optimizer in (*LOOPS, DESCENT) else None
            step = [f"step_size={known or 0.1:.6g}"] if is_loop else []
            return to_see(run, recorded, "what it does", f"optimizer={name!r}", *step), []
    return None


_KINDS: list[tuple[re.Pattern[str], _Answering]] = [
    (_MORE, _more_iterations),
    (_STEP, _another_step),
    (_HELD, _held),
    (_START, _another_start),
    (re.compile(""), _another_optimizer),
]
"""What may be otherwise: the words that tell, and who answers."""
