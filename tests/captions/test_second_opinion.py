"""The judge of the faithfulness benchmark is itself judged: it approves of what is true and sees what is not."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from benchmarks.faithfulness import choose, is_degenerate
from tests.captions.second_opinion import NUMBER, Recording, second_opinion
from tests.example_runs import EXAMPLES
from xinv_nb.run import Run


def verdicts(run: Run, text: str, span: tuple[int, int] | None = None) -> list[tuple[str, bool | None]]:
    return [(f.words, f.right) for _, found in second_opinion(run, text, span) for f in found]


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return choose(None)


def test_the_library_has_all_labelled_traces(runs) -> None:
    assert len(runs) == 81


def test_it_contradicts_no_sentence_of_the_narrator_and_binds_most_of_its_numbers(runs) -> None:
    numbers: Counter[bool | None] = Counter()
    for name, run in runs.items():
        recording = Recording.of(run)
        for caption in run.explain(model=False):
            for sentence, found in second_opinion(run, caption.text, caption.span, recording):
                assert not [f for f in found if f.right is False], (name, sentence, found)
                numbers.update(f.right for f in found if f.kind == "number")
    assert numbers[True] > 0.9 * numbers.total()


def test_it_sees_most_planted_numbers_and_directions(runs) -> None:
    planted: Counter[tuple[str, bool]] = Counter()
    for run in list(runs.values())[::3]:
        recording = Recording.of(run)
        for caption in run.explain(model=False):
            for sentence, _ in second_opinion(run, caption.text, caption.span, recording):
                for kind, wrong in (("number", wrong_number(sentence)), ("direction", wrong_direction(sentence))):
                    if wrong != sentence:
                        ((_, found), *_) = second_opinion(run, wrong, caption.span, recording)
                        planted[kind, all(f.right for f in found)] += 1
    for kind in ("number", "direction"):
        assert planted[kind, False] > 0.85 * (planted[kind, False] + planted[kind, True]), planted


def wrong_number(sentence: str) -> str:
    return re.sub(r"(?<![\w.\[])\d+\.\d+", lambda m: f"{1.37 * float(m.group()):.3g}", sentence, count=1)


def wrong_direction(sentence: str) -> str:
    other = {"fell from": "rose from", "rose from": "fell from"}
    return re.sub("|".join(other), lambda m: other[m.group()], sentence, count=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The loss fell from 21 to 2.48e-07.", [("fell", True), ("21", True), ("2.48e-07", True)]),
        ("The loss was 12.1 at iteration 1.", [("12.1", False), ("iteration 1", True)]),
        ("The loss is 14.", [("14", False)]),
        ("The loss rose to 21.", [("rose", False), ("21", False)]),
        ("theta[0] decreased from 3 to 21.", [("decreased", True), ("3", True), ("21", False)]),
        ("The run diverged.", [("diverged", False)]),
        ("It took 10 minutes.", [("10", None)]),
        ("A lower theta[0] would lower the loss.", [("lower … would lower the loss", True)]),
        ("A higher theta[0] would lower the loss.", [("higher … would lower the loss", False)]),
    ],
)
def test_it_binds_numbers_and_directions(text: str, expected) -> None:
    assert verdicts(EXAMPLES["bowl"](), text) == expected


def test_numbers_are_read_as_models_write_them() -> None:
    for text in ("−1.5×10⁻⁷", "1,234.5", "2 x 10^3", "6.02e23", "0.5"):
        assert re.fullmatch(NUMBER, text)


def test_lists_of_numbers_and_copies_are_degenerate() -> None:
    assert is_degenerate("\n".join(f"{i}. The loss is 0.{i}." for i in range(9)), "")
    assert is_degenerate(
        "[e1] iteration 0, forward: x is 3; the loss is 9", "[e1] iteration 0, forward: x is 3; the loss is 9"
    )
    assert not is_degenerate("The loss fell at first. Then it hardly changed, since the gradient was small.", "")
