"""What the tests of captions share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.example_runs import EXAMPLES
from xinv_nb.models import captioning
from xinv_nb.models.trial import Ability
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run


@pytest.fixture
def run() -> Run:
    """A short run with its built-in captions only."""
    run = EXAMPLES["bowl"]()
    RunWriter(run).keep_captions(None)
    return run


@pytest.fixture
def capable_of_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take each model for one that has passed the trial for single sentences (which has tests of its own)."""
    monkeypatch.setattr(captioning, "known_ability", lambda model: Ability("sentences", 12, 12))
    monkeypatch.setattr(captioning, "ability", lambda model: Ability("sentences", 12, 12))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own in which answers are remembered, without what a developer has set for their own Ollama."""
    monkeypatch.setenv("XINV_NB_CACHE", str(tmp_path / "answers"))
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "answers"
