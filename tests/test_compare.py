"""Several runs on shared axes, and what sets them apart in words."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from autograd import grad, value_and_grad
from matplotlib import image
from scipy.optimize import minimize

import xinv_nb as xi
from tests.packet import unpack
from tests.test_wire import columns
from xinv_nb.language.quantities import number
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.view.record import comparison_bundle


def descend(name: str, step: float, count: int = 40, start: float = 4.0) -> xi.Run:
    with xi.record(name, problem=xi.Problem("Bowl", parameters={"x": xi.Parameter("depth", "m")})) as run:
        x = start
        for _ in range(count):
            x = x - step * grad(lambda x: xi.watch(x + 1, "height", "m") ** 2 * 0 + x**2)(x)
    return run


def test_statements_tell_who_came_how_far_and_how_fast() -> None:
    # x shrinks by 0.8 and by 0.2 with each step: the loss by 0.64 and by 0.04.
    slow, fast = descend("small steps", 0.1), descend("large steps", 0.4)
    said = xi.compare(slow, fast).statements
    lowest, best = number(16 * 0.04**39, 4), number(16 * 0.64**39, 4)
    assert said[0] == f"large steps reached the lowest loss, {lowest}; small steps {best}."
    assert said[1] == "large steps reached 0.1 % of the loss at the start after 4 evaluations, small steps after 17."
    needed = int(np.ceil(39 * np.log(0.64) / np.log(0.04))) + 1
    assert f"large steps reached a loss of {best}, the lowest that both reached, after {needed}" in said[2]
    assert "small steps after 40." in said[2]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([("a", 0.1), ("b", 0.6, 3)], "a reached 0.1 % of the loss at the start after 17 evaluations; b did not."),
        ([("a", 0.1, 3, 4.0), ("b", 0.1, 3, 2.0)], "depth ended at 2.56 m in a, 1.28 m in b."),
        ([("a", 0.1, 3), ("a", 0.1, 3)], "Both reached the same lowest loss, 6.55."),
        ([("a", 0.1, 3), ("b", 0.1, 0)], "In b nothing was recorded."),
        ([("a", 0.1, 3), ("b", 0.1, 3, float("nan"))], "The loss of b was never a finite number."),
    ],
)
def test_statements_of_odd_pairs(runs: list[Any], expected: str) -> None:
    assert expected in xi.compare(*(descend(*each) for each in runs)).statements


def test_runs_whose_solvers_met_their_own_tests_at_0_ended_equally_low() -> None:
    def bowl(x):
        return (x[0] - 1) ** 2 + 3 * (x[1] - 2) ** 2

    runs = []
    for method in ("BFGS", "CG"):
        with xi.record(method) as run:
            minimize(value_and_grad(bowl), [0.0, 0.0], jac=True, method=method)
        runs.append(run)
    first = xi.compare(*runs).statements[0]
    assert first.endswith("both met their own tests for convergence, which tell no such losses apart.")
    slow = descend("by hand", 0.4)
    assert "tests for convergence" not in xi.compare(runs[0], slow).statements[0]


def test_a_rejected_trial_is_no_success() -> None:
    run, other = descend("a", 0.4, 6), descend("b", 0.4, 6)
    run.history.set_accepted(3, accepted=False)
    assert (
        "b reached 0.1 % of the loss at the start after 4 evaluations, a after 5." in xi.compare(run, other).statements
    )


def test_a_rejected_trial_moves_no_line_of_a_comparison() -> None:
    run, other = descend("a", 0.4, 6), descend("b", 0.4, 6)
    run.history.set_accepted(3, accepted=False)
    found = columns(xi.compare(run, other).snapshot())
    for drawn, alone in (("p0", run.loss), ("p2", run.parameters["x"])):
        assert np.allclose(found[drawn], alone[[0, 1, 2, 2, 4, 5]])


def test_each_quantity_has_a_line_a_run_on_the_same_iterations() -> None:
    slow, fast = descend("small steps", 0.1, 30), descend("large steps", 0.4, 20)
    packet = xi.compare(slow, fast).snapshot()
    header, _ = unpack(packet)
    labels = {group["key"]: (group["label"], group["unit"]) for group in header["groups"]}
    drawn = [(*labels[s["group"]], s["name"], s["colour"]) for s in header["series"]]
    assert drawn == [
        (*quantity, name, colour)
        for quantity in [("loss", ""), ("depth", "m"), ("height", "m")]
        for colour, name in enumerate(["small steps", "large steps"])
    ]
    found = columns(packet)
    np.testing.assert_array_equal(found["p0"], slow.loss)
    np.testing.assert_array_equal(found["p3"][:20], fast.parameters["x"])
    assert np.isnan(found["p3"][20:]).all()
    assert header["head"]["title"] == "small steps and large steps compared"


def test_a_long_run_keeps_its_end_beside_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinv_nb.view.compare._MOST_ROWS", 10)
    found = columns(xi.compare(descend("a", 0.1, 95), descend("b", 0.1, 33)).snapshot())
    assert len(found["iteration"]) <= 12
    assert {0, 32, 94} <= set(found["iteration"])


def test_a_spike_of_one_of_two_long_runs_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinv_nb.view.compare._MOST_ROWS", 60)
    slope = grad(lambda x: x**2)
    with xi.record("smooth") as smooth:
        for k in range(500):
            slope(1.0 + k / 500)
    with xi.record("spiky") as spiky:
        for k in range(500):
            slope(40.0 if k == 333 else 1.0)
    found = columns(xi.compare(smooth, spiky).snapshot())
    assert len(found["iteration"]) <= 60
    assert found["iteration"][np.nanargmax(found["p1"])] == 333


def test_the_browser_lists_the_other_runs_and_gets_their_comparison() -> None:
    first, second = descend("first", 0.1), descend("second", 0.4)
    second.widget()
    widget, sent = first.widget(), []
    widget.send = lambda content, buffers: sent.append(unpack(buffers[0]))  # type: ignore[method-assign]
    widget._on_request(widget, {"type": "runs", "request": 1}, [])
    widget._on_request(widget, {"type": "compare", "request": 2, "runs": [second.id]}, [])
    (named, _), (compared, body) = sent
    assert named["other_runs"]["request"] == 1
    listed = {run["id"]: run for run in named["other_runs"]["runs"]}
    assert first.id not in listed
    assert listed[second.id]["name"] == "second"
    spec = compared["comparison"]
    assert spec["request"] == 2
    assert unpack(body[spec["offset"] :][: spec["length"]])[0]["head"]["title"] == "first and second compared"
    RunWriter(first).end("running")
    widget._on_request(widget, {"type": "compare", "request": 3, "runs": [second.id]}, [])
    text = "The run is still going on; it can be compared once it has ended."
    assert sent[-1][0]["failure"] == {"request": 3, "text": text}


def test_the_record_of_a_comparison_has_its_picture_and_the_differences_in_words() -> None:
    bundle = comparison_bundle([descend("slow <b>", 0.1), descend("fast", 0.4)])
    said = "fast reached 0.1 % of the loss at the start after 4 evaluations"
    for kind in ("text/html", "text/markdown", "text/plain"):
        assert said in bundle[kind]
    assert "Record of this comparison: slow &lt;b&gt; and fast compared" in bundle["text/html"]
    picture = image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert picture.std() > 0.01, "something is drawn"
    assert sum(map(len, bundle.values())) < 250_000


@pytest.mark.parametrize("runs", [(), (1, 2)])
def test_what_cannot_be_compared_is_refused_in_words(runs: Any) -> None:
    with pytest.raises(xi.XinvError, match="two or more runs"):
        xi.compare(*runs)
