"""What a saved notebook gains from a run, whichever state of the widgets is saved with it."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbclient import NotebookClient

from tests.waiting import PATIENCE

RUN = """\
%%xinv run --no-model
x = np.linspace(1, 2, 10)
for _ in range(1000):
    x = x - 0.002 * grad(lambda x: np.sum(x**2) + np.sin(5 * x[0]))(x)
"""


@pytest.mark.parametrize("with_widgets", [False, True])
def test_a_run_of_1000_evaluations_and_10_parameters_adds_less_than_400_kilobytes(with_widgets: bool) -> None:
    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_code_cell("%load_ext xinv_nb\nfrom autograd import grad, numpy as np"),
        nbformat.v4.new_code_cell(RUN),
    ]
    empty = len(nbformat.writes(book))
    NotebookClient(book, timeout=PATIENCE, store_widget_state=with_widgets).execute()
    assert any("image/png" in output.get("data", {}) for output in book.cells[1].outputs)
    assert ("widgets" in book.metadata) == with_widgets
    added = len(nbformat.writes(book).encode()) - empty
    sizes = {
        kind: len(json.dumps(part)) for kind, part in [("state", book.metadata), ("outputs", book.cells[1].outputs)]
    }
    assert added < 400_000, sizes
