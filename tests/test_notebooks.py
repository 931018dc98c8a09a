"""The demo notebooks run from top to bottom, quickly and without an Ollama server."""

from __future__ import annotations

import os
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.waiting import PATIENCE

NOTEBOOKS = sorted((Path(__file__).parent.parent / "demo_notebooks").glob("*.ipynb"))


def slowness() -> float:
    """Return how many times slower than a usual laptop this machine computes; by its processor's time and not by the
    clock, which on a busy machine would tell of the others."""
    begin = time.thread_time()
    sum(k * k for k in range(2_000_000))
    return max(1.0, (time.thread_time() - begin) / 0.1)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_demo_notebook_runs_and_explains_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    notebook = nbformat.read(path, as_version=4)
    begin = os.times()
    NotebookClient(notebook, timeout=PATIENCE, resources={"metadata": {"path": str(path.parent)}}).execute()
    end = os.times()
    computed = end.children_user + end.children_system - begin.children_user - begin.children_system
    assert computed < 60 * slowness(), "a class does not wait longer"
    records = [
        output["data"]["text/markdown"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert records
    assert "Summary" in records[0]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_demo_notebook_is_handed_out_clean_and_small(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook.cells)
    assert path.stat().st_size < 200_000
