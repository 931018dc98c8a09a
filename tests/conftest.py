"""Fixtures for all tests: a real browser and a real Ollama server, each started once, when the first test asks."""

from __future__ import annotations

from tests.browser import chromium
from tests.ollama.real_server import ollama_server

__all__ = ["chromium", "ollama_server"]
