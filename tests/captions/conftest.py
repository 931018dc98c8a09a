"""What the tests of captions share."""

from __future__ import annotations

import pytest

from tests.example_runs import EXAMPLES
from xinv_nb.captions import writer
from xinv_nb.captions.admission import Ability
from xinv_nb.run import Run


@pytest.fixture
def run() -> Run:
    """A short run with its built-in captions only."""
    run = EXAMPLES["bowl"]()
    run._captions = None
    return run


@pytest.fixture
def admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take each model for one that has passed the admission test for single sentences (which has tests of its own)."""
    monkeypatch.setattr(writer, "known_ability", lambda voice: Ability("sentences", 12, 12))
    monkeypatch.setattr(writer, "ability", lambda voice: Ability("sentences", 12, 12))
