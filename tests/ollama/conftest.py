"""The servers for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ollama.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["clean_environment", "scripted"]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer has set for their own Ollama must not reach a test."""
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server that does what the test tells it to."""
    with ScriptedServer() as server:
        yield server
