"""What is said of a run does not change by saving and loading it, also where an older version saved it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from autograd import value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi
from tests.test_storage import same
from tests.test_wordings import every_run
from xinv_nb.run import Run
from xinv_nb.words.narrator import narrate

VERSION_1 = sorted((Path(__file__).parent / "golden" / "version1").glob("*.npz"))
"""Files that the code of version 1 wrote; beside each, what is said of the run.

Where more is said of any run, `XINV_UPDATE_GOLDEN=1 pytest tests/test_round_trip.py` writes the words anew.
"""


def told(run: Run) -> dict[str, list[Any]]:
    """All that is computed of a run or kept with it, and shown."""
    return {
        "facts": list(run.facts),
        "phases": list(run.phases),
        "events": list(run.events),
        "notices": list(run.notices),
        "captions": list(run.captions),
        "for a student": list(narrate(run, "student")),
        "for an expert": list(narrate(run, "expert")),
    }


def assert_same(before: Run, after: Run) -> None:
    """Fail with the first that differs, for each of what is told."""
    said, again = told(before), told(after)
    for name, items in said.items():
        assert len(again[name]) == len(items), name
        for one, other in zip(items, again[name], strict=True):
            assert same(one, other), (name, one, other)


@every_run
def test_facts_phases_events_notices_and_captions_come_back(make: Callable[[], Run], tmp_path: Path) -> None:
    run = make()
    back = xi.load(run.save(tmp_path / "run.npz"))
    assert list(back.objectives) == list(run.objectives)
    for name, each in run.objectives.items():
        assert_same(each, back.objectives[name])


def bounded() -> Run:
    """A run that ends at a bound, across which its gradient still pulls."""

    def cost(p):
        return (p[0] - 4.0) ** 2 + (p[1] - 1.5) ** 2 + 0.3 * p[0] * p[1]

    with xi.record("kept") as run:
        minimize(value_and_grad(cost), [-2.0, -3.0], jac=True, method="L-BFGS-B", bounds=[(-6, 0.4), (-6, 6)])
    return run


def test_an_end_at_a_bound_is_not_called_no_minimum_by_loading_it(tmp_path: Path) -> None:
    run = bounded()
    back = xi.load(run.save(tmp_path / "run.npz"))
    assert_same(run, back)
    assert [fact.text for fact in back.facts if "upper bound of 0.4 " in fact.text]
    assert [fact.text for fact in back.facts if "no minimum yet" in fact.text] == []


def test_stretches_that_were_asked_for_come_back(tmp_path: Path) -> None:
    run = bounded()
    run.explain(model=False, span=(1, 3))
    back = xi.load(run.save(tmp_path / "run.npz"))
    assert back.chosen_spans == run.chosen_spans == ((1, 3),)
    assert_same(run, back)


# ---------------------------------------------------------------------- files of version 1


def texts(run: Run) -> dict[str, list[Any]]:
    """What is kept of version 1 as JSON: its words, since its facts were of another make."""
    return {
        "facts": [fact.text for fact in run.facts],
        "phases": [[phase.start, phase.stop, phase.kind, phase.label] for phase in run.phases],
        "events": [event.text for event in run.events],
        "notices": list(run.notices),
        "student": [caption.text for caption in narrate(run, "student")],
        "expert": [caption.text for caption in narrate(run, "expert")],
    }


@pytest.mark.parametrize("path", VERSION_1, ids=lambda path: path.stem)
def test_a_file_of_version_1_says_what_was_said_before_it_was_saved(path: Path, tmp_path: Path) -> None:
    run = xi.load(path)
    kept = path.with_suffix(".json")
    if os.environ.get("XINV_UPDATE_GOLDEN"):
        kept.write_text(json.dumps(texts(run), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert texts(run) == json.loads(kept.read_text(encoding="utf-8"))
    assert "" not in {event.kind for event in run.events}, "what an event is about is found from its words"
    assert_same(run, xi.load(run.save(tmp_path / "as version 2.npz")))


def test_the_files_of_version_1_are_of_version_1() -> None:
    assert len(VERSION_1) >= 4
    for path in VERSION_1:
        with np.load(path, allow_pickle=False) as members:
            assert json.loads(members["run.json"].tobytes())["version"] == 1


@pytest.mark.parametrize(("name", "kind"), [("bound", "bound"), ("conflict", "terms"), ("not_finite", "not finite")])
def test_what_an_event_of_version_1_is_about_is_found(name: str, kind: str) -> None:
    path = next(path for path in VERSION_1 if path.stem == name)
    assert kind in {event.kind for event in xi.load(path).events}
