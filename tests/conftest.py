"""Fixtures for all tests: a real browser and a real Ollama server, each started once, when the first test asks."""

from __future__ import annotations

import os

from tests.browser import chromium
from tests.ollama.real_server import ollama_server

os.environ["XINV_NB_CACHE"] = "0"  # or what one test made a model say, another would find

__all__ = ["chromium", "ollama_server"]
