"""A model that lies in every way it knows, on hundreds of runs: what is shown stays true, whole and rightly cited.

The adversary knows which of its sentences it made false, so that no check has to be trusted for the verdict; a second
opinion on the recorded arrays looks at all that is shown as well.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam, rmsprop, sgd
from scipy.optimize import minimize

import xinv_nb as xi
from benchmarks.faithfulness import choose
from tests.captions.adversary import DISTORTIONS, Adversary, Scene
from tests.captions.second_opinion import Recording, second_opinion
from tests.example_runs import EXAMPLES
from tests.ollama.scripted_server import MODEL
from tests.packet import unpack
from tests.waiting import until
from xinv_nb.models.captioning import Explaining
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run
from xinv_nb.words.narrator import outline
from xinv_nb.words.phrases import LEVELS

QUESTIONS = ("What happened to the loss?", "What moved?", "Why did the run end?", "How did {name} move?")


# ---------------------------------------------------------------------- the runs


def variation(seed: int) -> Run:
    """A run of some optimizer on some objective from some start, all of it by the seed."""
    some = random.Random(seed)
    objective, start, problem = some.choice([hills, route, throw])(some)
    count, step = some.randint(8, 60), 10 ** some.uniform(-2.5, -0.3)
    with numpy.errstate(all="ignore"), xi.record(f"variation {seed}", problem=problem) as run:
        optimize = some.choice([descend, momentum, with_adam, with_rmsprop, quasi_newton, bounded])
        optimize(objective, np.array(start), step, count)
    return run


def hills(some: random.Random):
    stiff, shift = (
        np.array([some.uniform(0.2, 3), some.uniform(0.2, 9)]),
        np.array([some.gauss(0, 2), some.gauss(0, 2)]),
    )
    return lambda theta: np.sum(stiff * (theta - shift) ** 2) + some.choice([0, 1]), [3.0, -2.0], None


def route(some: random.Random):
    problem = xi.Problem(
        "Route",
        parameters={
            "p[0]": xi.Parameter("the second point", "km", directions=("south", "north")),
            "p[1]": xi.Parameter("the third point", "km", directions=("south", "north")),
        },
    )
    toll = some.uniform(0.1, 2)

    def cost(p):
        length = xi.watch(np.sqrt(4 + p[0] ** 2) + np.sqrt(4 + (p[1] - p[0]) ** 2), "length", "km")
        if p[0] > 0.5:
            xi.event("the line keeps {far:.1f} km from the village", far=p[0])
        else:
            xi.event("the line crosses the village")
        noise = xi.watch(toll / (0.1 + p[0] ** 2), "noise", "dB")
        return length + noise

    return cost, [some.uniform(0.8, 2), some.uniform(-1, 2)], problem


def throw(some: random.Random):
    problem = xi.Problem("Throw", parameters={"p[0]": xi.Parameter("speed", "m/s"), "p[1]": xi.Parameter("angle", "°")})
    target = some.uniform(1, 4)

    def miss(p):
        reach = xi.watch(p[0] ** 2 * np.sin(2 * np.radians(10 * p[1])) / 9.81, "range", "m")
        if reach > target:
            xi.event("the ball flies over the mark")
        return (reach - target) ** 2

    return miss, [some.uniform(2, 6), some.uniform(1, 8)], problem


def descend(objective, x, step: float, count: int) -> None:
    slope = grad(objective)
    for _ in range(count):
        x = x - step * slope(x)


def momentum(objective, x, step: float, count: int) -> None:
    sgd(grad(lambda x, i: objective(x)), x, num_iters=count, step_size=step, mass=0.9)


def with_adam(objective, x, step: float, count: int) -> None:
    adam(grad(lambda x, i: objective(x)), x, num_iters=count, step_size=step)


def with_rmsprop(objective, x, step: float, count: int) -> None:
    rmsprop(grad(lambda x, i: objective(x)), x, num_iters=count, step_size=step)


def quasi_newton(objective, x, step: float, count: int) -> None:
    minimize(value_and_grad(objective), x, jac=True, method="BFGS", options={"maxiter": count})


def bounded(objective, x, step: float, count: int) -> None:
    minimize(value_and_grad(objective), x, jac=True, method="L-BFGS-B", bounds=[(-1, 9), (-1, 9)])


# ---------------------------------------------------------------------- what is shown


@dataclass
class Shown:
    """What became of the adversary's words over many runs."""

    runs: int = 0
    captions: int = 0
    lies: Counter[str] = field(default_factory=Counter)
    truths: int = 0
    truths_shown: int = 0
    faults: list[str] = field(default_factory=list)


def scene_of(run: Run, elsewhere: list[str], seed: int) -> Scene:
    names = dict.fromkeys([*(entry.label for entry in run.entries()), *run.watches])
    said = [s.text for caption in run.explain(model=False) for s in caption.sentences]
    said += [s.text for question in questions(run) for s in run.ask(question, model=False).sentences]
    return Scene(list(dict.fromkeys(said)), list(names)[:8], elsewhere, random.Random(seed))


def questions(run: Run) -> list[str]:
    name = next((entry.label for entry in run.entries()), "x")
    return [question.format(name=name) for question in QUESTIONS]


def wordings_of(run: Run) -> set[str]:
    """All that the built-in text may say of a run: said of another run first, it is no lie about this one."""
    phrases = [phrase for level in LEVELS for caption in outline(run, level) for phrase in caption.phrases]
    return {text for phrase in phrases for text in phrase.texts()}


def faults_of(caption: Caption, built_in: Caption, run: Run, server: Adversary) -> Iterator[str]:
    """Yield what is wrong with a caption that is shown where `built_in` would stand without a model."""
    for sentence in caption.sentences:
        if sentence.source == "built-in":
            if sentence.text != sentence.built_in:
                yield f"called built-in, but is not: {sentence.text}"
        elif server.honest.get(sentence.text) != sentence.built_in and sentence.text not in wordings_of(run):
            kind = server.planted.get(sentence.text, "nobody knows")
            yield f"{kind}: {sentence.text!r} stands for {sentence.built_in!r}"
    if caption.built_in != built_in.text:
        yield f"not all that the narrator says: {caption.built_in!r} and not {built_in.text!r}"
    if caption.sentences and caption.text != " ".join(sentence.text for sentence in caption.sentences):
        yield f"its sentences do not make its text: {caption.text!r}"
    yield from faults_of_citations(caption, built_in, run)


def faults_of_citations(caption: Caption, built_in: Caption, run: Run) -> Iterator[str]:
    facts, events = {fact.id: fact for fact in run.facts}, {event.id for event in run.events}
    if unknown := [cite for cite in caption.cites if cite not in facts and cite not in events]:
        yield f"cites {unknown}, which there are not"
    if set(caption.cites) != set(built_in.cites):
        yield f"cites {caption.cites}, not {built_in.cites}"
    worded = [cite for sentence in caption.sentences for cite in sentence.cites]
    due = {cite for fact in worded for cite in (fact, *facts[fact].cites)}
    if caption.sentences and set(caption.cites) != due:
        yield f"its sentences word {sorted(due)}, but it cites {caption.cites}"
    by_text = {sentence.text: sentence.cites for sentence in built_in.sentences}
    for sentence in caption.sentences:
        if sentence.built_in in by_text and set(by_text[sentence.built_in]) != set(sentence.cites):
            yield f"{sentence.text!r} cites {sentence.cites}, not {by_text[sentence.built_in]}"


def explain_and_ask(run: Run, server: Adversary, shown: Shown, seed: int) -> None:
    """Have the adversary explain a run and answer a question about it, and look at all that would be shown."""
    question = questions(run)[seed % len(QUESTIONS)]
    built_in = [*run.explain(model=False), run.ask(question, model=False)]
    before = shown_of(run, built_in)
    captions = [*run.explain(model=MODEL, host=server.host), run.ask(question, model=MODEL, host=server.host)]
    recording = Recording.of(run)
    for caption, own in zip(captions, built_in, strict=True):
        told = list(faults_of(caption, own, run, server))
        for sentence, found in second_opinion(run, caption.text, caption.span, recording):
            told += [f"second opinion: {sentence} ← {f.words}: {f.why}" for f in found if f.right is False]
        shown.faults += [f"{run.title}: {fault}" for fault in told]
        shown.truths_shown += sum(sentence.source == MODEL for sentence in caption.sentences)
        shown.captions += 1
    shown.runs += 1
    shown.lies.update(server.planted.values())
    shown.truths += len(server.honest)
    assert server.tried, "nobody asked the model"
    after = shown_of(run, captions)
    before += reasons(captions) + "\n".join(wordings_of(run))
    shown.faults += [f"{run.title}: leaks {words!r}" for words in leaks(after, before, server)]
    RunWriter(run).keep_captions(None)  # what the next test begins with


def shown_of(run: Run, captions: Sequence[Caption]) -> str:
    """All words that a reader may come to see of a run: its captions, its notices, what the browser is sent."""
    packet, _ = unpack(run.widget().snapshot())
    return "\n".join([readable(packet), *run.notices, *map(repr, captions)])


def readable(packet: dict) -> str:
    """A packet as text, with the parts of each caption put together."""
    captions = [*packet.get("captions", []), *(answer["caption"] for answer in packet.get("answers", []))]
    texts = ["".join(part["text"] for part in caption["parts"]) for caption in captions]
    return "\n".join([json.dumps(packet, ensure_ascii=False), *texts])


def reasons(captions: Sequence[Caption]) -> str:
    """What the recording says to the claims of accepted sentences, in words of the check's own."""
    return "\n".join(claim.reason for caption in captions for claim in caption.claims)


def leaks(after: str, before: str, server: Adversary) -> list[str]:
    """Return words of the adversary that are shown, and that neither the narrator nor the honest model had said."""
    said = "\n".join([before, *server.honest])
    found = []
    for words in server.planted:
        parts = [words[i : i + 24] for i in range(max(1, len(words) - 23)) if len(words) > 8]
        found += [part for part in parts if part in after and part not in said][:1]
    return found


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    """At least two hundred runs: all labelled traces, the examples, and variations by a seed."""
    examples = [make() for make in EXAMPLES.values()]
    found = [*choose(None).values(), *examples, *(variation(seed) for seed in range(90))]
    return [run for run in found if run.evaluations > 0]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Adversary]]:
    """An adversary that is let word paragraphs, and one that is let word single sentences."""
    with Adversary("paragraphs") as one, Adversary("sentences") as other:
        yield [one, other]


def test_whatever_the_adversary_says_each_caption_is_clean(runs: list[Run], servers: list[Adversary]) -> None:
    assert len(runs) >= 200
    shown, elsewhere = Shown(), ["The loss fell from 77.7 to 6.66 over 31 iterations.", "Drag rose from 0.3 to 0.9."]
    # Two in three by the paragraph: it is what the capable models do, and one request a caption.
    for seed, (run, server) in enumerate(zip(runs, cycle([servers[0], servers[0], servers[1]]), strict=False)):
        scene = scene_of(run, elsewhere, seed)
        server.about(scene)
        explain_and_ask(run, server, shown, seed)
        elsewhere = list(scene.sentences)
    assert not shown.faults, "\n".join(shown.faults)
    assert set(shown.lies) == set(DISTORTIONS), "a distortion that is never tried tests nothing"
    assert shown.lies.total() > 1000
    # A gate that lets nothing through would be clean as well.
    assert shown.truths > 100, shown.truths
    assert shown.truths_shown > 0.5 * shown.truths


def test_what_the_widget_is_sent_meanwhile_holds_no_word_of_the_adversary(
    runs: list[Run], servers: list[Adversary]
) -> None:
    for seed, (run, server) in enumerate(zip(runs[::17], cycle(servers), strict=False)):
        server.about(scene_of(run, ["The loss fell from 77.7 to 6.66 over 31 iterations."], seed))
        widget, question = run.widget(), questions(run)[seed % 4]
        before = shown_of(run, [*run.explain(model=False), run.ask(question, model=False)])
        sent: list[bytes | Caption] = []
        widget.send = lambda content, buffers=None, sent=sent: sent.extend(map(bytes, buffers or []))
        widget.explainer.write(Explaining(MODEL, host=server.host))
        widget.explainer.answer(question, None, sent.append)
        explainer = widget.explainer
        until(lambda explainer=explainer: not explainer._captions.is_busy and not explainer._asked.is_busy)
        packets = [unpack(each)[0] for each in sent if isinstance(each, bytes)]
        assert sum("captions" in packet for packet in packets) > 1
        # The built-in answer, and the model's where it says anything else: two threads draw from one source of lies.
        assert sum(isinstance(each, Caption) for each in sent) in (1, 2)
        everything = "\n".join([*map(readable, packets), *run.notices])
        answers = [each for each in sent if isinstance(each, Caption)]
        before += reasons([*run.captions, *answers]) + "\n".join(wordings_of(run))
        assert leaks(everything + repr(answers), before, server) == []
        RunWriter(run).keep_captions(None)


def test_an_honest_model_is_let_speak(runs: list[Run], servers: list[Adversary]) -> None:
    shown = Shown()
    for seed, (run, server) in enumerate(zip(runs[::5], cycle(servers), strict=False)):
        server.about(scene_of(run, [], seed))
        server.share_of_truth = 1.0
        explain_and_ask(run, server, shown, seed)
        server.share_of_truth = 0.2
    assert not shown.faults, "\n".join(shown.faults)
    assert not shown.lies
    assert shown.truths_shown > 0.7 * shown.truths > 50
