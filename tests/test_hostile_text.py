"""The checker on text that nobody should write: it answers, whatever it is given."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.example_runs import EXAMPLES
from xinv_nb.claims.claims import check, domain_of
from xinv_nb.claims.sameness import same_claims
from xinv_nb.claims.vocabulary import TABLE

WORDS = st.sampled_from(
    [" ".join(words) for rows in TABLE.values() for words, *_ in rows]
    + [
        "range",
        "launch speed",
        "21",
        "−3.5 m",
        "40 %",
        "iteration 7",
        "between iterations 3 and 9",
        ".",
        ",",
        "and",
        "of",
    ]
)
SALAD = st.lists(WORDS, max_size=14).map(" ".join)


def judged(text: str) -> None:
    run = EXAMPLES["projectile"]()
    for span in (None, (3, 9), (-5, 10**9)):
        claims = check(run, text, span)
        assert claims
        assert all(claim.supported in (True, False, None) and "\n" not in claim.reason for claim in claims)
    source = run.facts[0].text
    if text != source:
        assert isinstance(same_claims(text, source, domain_of(run)), str)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_judged(text) -> None:
    judged(text)


@settings(max_examples=300, deadline=None)
@given(SALAD)
def test_any_words_are_judged(text) -> None:
    judged(text)


@pytest.mark.parametrize(
    "text",
    [
        "never " * 3000, "from 3 to " * 2000, "9" * 400, "1e999 " * 50, "(" * 5000, "the " * 5000, "10^-999999999 m",
        "−" * 3000, ", and " * 3000, "iteration 99999999999999999999 ", "x" * 50_000, "0." * 4000, "\x00\ud800\u202e",
        "between iterations 3 and " * 1000, "range " * 3000, "at iteration 1 " * 2000, "up and down by turns " * 800,
    ],
    ids=range(17),
)  # fmt: skip
def test_long_and_broken_text_is_judged(text) -> None:
    judged(text)
