"""The checker against texts that nobody would write: it reads them all, soon, and believes none of them."""

from __future__ import annotations

import random
import sys

import pytest

from tests.example_runs import EXAMPLES
from xinv_nb.claims.claims import check, domain_of
from xinv_nb.claims.reading import LONGEST
from xinv_nb.claims.sameness import same_claims
from xinv_nb.claims.vocabulary import HARMLESS, PREPOSITIONS, TABLE

WORDS = sorted({word for rows in TABLE.values() for words, _, _ in rows for word in words} | HARMLESS | PREPOSITIONS)
SIGNS = [
    ",",
    ";",
    ":",
    ".",
    "(",
    ")",
    "—",
    "→",
    "%",
    "?",
    "!",
    "\u202e",
    "\u0000",
    "\u200b",
    "e\u0301",
    "温度",
    "𝟛",
    "٣",
    "½",
    "<b>",
]
NUMBERS = [
    "0",
    "1",
    "-2",
    "3.5",
    "21",
    "1e308",
    "2.48×10⁻⁷",
    "9" * 400,
    "1e-999",
    "40 iterations",
    "at iteration 3",
    "50 %",
]
UNKNOWN = ["zorgle", "because-ish", "wibbled", "hyperplane", "quuxly"]
NAMES = ["the loss", "theta[0]", "theta[1]", "x", "it", "the gradient", "the run"]


def sentence(draw: random.Random) -> str:
    """Return words, names, numbers and signs in any order."""
    kinds = (WORDS, WORDS, NAMES, NUMBERS, SIGNS)
    return " ".join(draw.choice(draw.choice(kinds)) for _ in range(draw.randrange(1, 40)))


@pytest.mark.parametrize("seed", range(8))
def test_nothing_that_is_written_makes_the_check_raise(seed: int) -> None:
    draw = random.Random(seed)
    runs = [EXAMPLES[name]() for name in ("bowl", "projectile", "nan_at_k", "one_evaluation", "odd_names", "failed")]
    for _ in range(150):
        run, text = draw.choice(runs), sentence(draw)
        claims = check(run, text, draw.choice([None, (0, 3), (5, 2), (-7, 10**9)]))
        assert claims
        assert all(claim.supported in (True, False, None) and claim.reason for claim in claims)
        same_claims(text, sentence(draw), domain_of(run))


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_supported_beside_a_word_that_is_not_known(seed: int) -> None:
    draw = random.Random(seed)
    run = EXAMPLES["bowl"]()
    facts = [fact.text for fact in run.facts]
    for _ in range(150):
        words = draw.choice([*facts, "The loss fell.", sentence(draw)]).split()
        words.insert(draw.randrange(len(words)), draw.choice(UNKNOWN))
        text = " ".join(words)
        assert not all(claim.supported for claim in check(run, text)), text
        assert same_claims(text, draw.choice(facts), domain_of(run)), text


def steps(text: str) -> int:
    """Return how many function calls the check of a text takes: a measure of time that no other load shifts."""
    run, calls = EXAMPLES["bowl"](), 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    check(run, "The loss fell.")
    sys.setprofile(count)
    try:
        check(run, text)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "piece",
    [
        "The loss fell from 21 to 3. ",
        "the loss, which fell, which rose, when x fell, and ",
        "from 3 to 4 and ",
        "not never no ",
        "((((",
        "9",
        "more than less than about ",
        "theta[0] and theta[1] and ",
        "within 3 iterations ",
        "\u0301\u202e",
    ],
)
def test_twice_the_text_takes_about_twice_the_time(piece: str) -> None:
    length = LONGEST // len(piece) // 4
    once, twice = steps(piece * length), steps(piece * 2 * length)
    assert twice < 3 * once


def test_what_is_longer_than_any_explanation_is_not_read_to_its_end() -> None:
    text = "The loss fell. " * LONGEST
    assert steps(text) < 2 * steps(text[:LONGEST])
    assert check(EXAMPLES["bowl"](), text)[-1].supported is None
