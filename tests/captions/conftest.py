"""What the tests of captions share."""

from __future__ import annotations

import pytest

from tests.example_runs import EXAMPLES
from xinv_nb.run import Run


@pytest.fixture
def run() -> Run:
    """A short run with its built-in captions only."""
    run = EXAMPLES["bowl"]()
    run._captions = None
    return run
