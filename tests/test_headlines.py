"""A headline says what a run comes to, in few words."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

import xinv_nb as xi
from tests.example_runs import EXAMPLES
from xinv_nb.words.headlines import MOST_LETTERS, MOST_WORDS

every_example = pytest.mark.parametrize("name", EXAMPLES)


@every_example
def test_every_run_has_a_headline_of_few_words(name: str) -> None:
    run = EXAMPLES[name]()
    assert 0 < len(run.headline.split()) <= MOST_WORDS
    assert len(run.headline) <= MOST_LETTERS
    assert run.captions[0].headline == run.headline


def test_a_headline_is_kept_in_the_file(tmp_path: Path) -> None:
    run = copy.copy(EXAMPLES["bowl"]())
    run.explain(model=False)
    headline = run.captions[0].headline
    assert headline
    assert xi.load(run.save(tmp_path / "bowl.xinv")).captions[0].headline == headline
