"""The table of reasons on its way to the browser: that it adds up, what it leaves out, how large it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from autograd import grad
from autograd import numpy as np
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi
from tests.packet import unpack
from xinv_nb.facts.shares import shares_of
from xinv_nb.view import packets
from xinv_nb.view.head import Writer
from xinv_nb.view.reasons import MOST_BYTES_OF_REASONS, reasons_for_view, reasons_over
from xinv_nb.view.widget import widget_of

HILLS = ((13.0, 6.5, 3.0, 12.0), (31.0, 8.0, 4.0, 4.0), (46.0, 5.0, 4.0, 14.0))
EAST = numpy.array([12.0, 24.0, 36.0, 48.0])


def line(north: Any, _: int = 0) -> Any:
    ends = np.concatenate([np.array([4.0]), north, np.array([9.0])])
    length = xi.watch(np.sum(np.sqrt(12.0**2 + np.diff(ends) ** 2)), "length", "km")
    hills = [w * np.sum(np.exp(-((EAST - e) ** 2 + (north - n) ** 2) / r**2)) for e, n, r, w in HILLS]
    cost = 2.0 * length
    for name, hill in zip(("fountain", "village", "valley"), hills, strict=True):
        cost = cost + xi.watch(hill, f"the {name}", "M€")
    return cost


def railway() -> xi.Problem:
    def north(name: str) -> xi.Parameter:
        return xi.Parameter(name, "km", directions=("south", "north"))

    names = ("the first point", "the second point", "the third point", "the fourth point")
    return xi.Problem(
        "Rail route",
        parameters={f"north[{k}]": north(name) for k, name in enumerate(names)},
        objective=xi.Objective("total cost", "M€", lower="cheaper", higher="dearer"),
    )


@pytest.fixture(scope="module")
def rail() -> xi.Run:
    with xi.record("rail", problem=railway()) as run:
        adam(grad(line), numpy.array([6.0, 7.0, 8.0, 8.0]), num_iters=300, step_size=0.1)
    return run


def told(run: xi.Run, **kwargs: Any) -> Any:
    found = reasons_for_view(run, **kwargs)
    assert found is not None
    return found


def test_each_table_adds_up_to_what_the_loss_really_did(rail: xi.Run) -> None:
    found = told(rail)
    assert (found["why_not"], found["unit"], found["lower"], found["higher"]) == ("", "M€", "cheaper", "dearer")
    for table in found["tables"]:
        first, last = table["span"]
        parts = numpy.array(table["parts"])
        assert table["change"] == pytest.approx(rail.loss[last] - rail.loss[first], rel=1e-5)
        left = 0.005 * abs(table["change"]) + table["doubt"]
        numpy.testing.assert_allclose(parts.sum(axis=1), table["together"], atol=left)
        numpy.testing.assert_allclose(parts.sum(axis=0), table["changes"], atol=left)
        assert sum(table["changes"]) == pytest.approx(table["change"], abs=1e-4)
    whole, *phases = found["tables"]
    assert whole["span"] == (0, 299)
    assert len(phases) == len(rail.phases)
    assert sum(phase["change"] for phase in phases) == pytest.approx(whole["change"], abs=1e-3)


def test_rows_and_columns_have_their_names_units_directions_and_factors(rail: xi.Run) -> None:
    found = told(rail)
    assert found["rows"][3] == {
        "name": "north[3]",
        "label": "fourth point",
        "unit": "km",
        "directions": ("south", "north"),
    }
    terms = {term["label"]: (term["name"], term["unit"], term["factor"]) for term in found["terms"]}
    assert terms["length"] == ("length", "km", 2.0)
    assert terms["valley"] == ("the valley", "M€", 1.0)


def test_pushes_are_those_of_the_run_and_are_told_of_many_iterations(rail: xi.Run) -> None:
    pushes = told(rail)["pushes"]
    assert pushes["is_whole"]
    assert pushes["iterations"][0] == 0
    assert len(pushes["iterations"]) > 100
    for place in (0, 40, len(pushes["iterations"]) - 1):
        iteration = pushes["iterations"][place]
        known = rail.pushes(iteration)
        numbers = numpy.array(pushes["parts"][place])
        order = [known.quantities.index(term["name"]) for term in told(rail)["terms"]]
        numpy.testing.assert_allclose(numbers[:, :-1], known.parts[:, order], rtol=6e-3, atol=1e-9)
        numpy.testing.assert_allclose(numbers[:, -1], -rail.gradients["north"][iteration], rtol=6e-3)


def test_the_cells_of_a_reason_are_those_of_what_its_sentence_names(rail: xi.Run) -> None:
    found = told(rail)
    facts = {fact.id: fact for fact in rail.facts}
    assert found["facts"]
    for cells in found["facts"]:
        fact = facts[cells["id"]]
        assert fact.kind == "reason"
        assert fact.span == cells["span"]
        assert found["rows"][cells["row"]]["name"] == fact.values["parameter"]
        assert all(found["terms"][term]["name"] in fact.text for term in cells["terms"])
        assert cells["terms"]


def test_a_quantity_that_does_not_add_up_to_the_loss_only_pushes() -> None:
    def cost(x: Any) -> Any:
        return xi.watch(x[0] * x[1], "area", "m²") ** 2 + xi.watch(3 * x[0], "fence", "m")

    with xi.record() as run:
        x = numpy.array([2.0, 1.5])
        for _ in range(40):
            x = x - 0.01 * grad(cost)(x)
    found = told(run)
    assert [(term["name"], term["factor"]) for term in found["terms"]] == [("fence", 1.0), ("area", None)]
    assert [len(row) for row in found["tables"][0]["parts"]] == [1, 1]
    assert len(found["pushes"]["parts"][0][0]) == 3


def test_of_many_parameters_the_largest_stand_alone_and_the_others_together() -> None:
    weights = numpy.arange(1.0, 13.0)

    def cost(x: Any) -> Any:
        return xi.watch(np.sum(weights * x**2), "misfit") + xi.watch(np.sum(x), "price")

    with xi.record() as run:
        x = numpy.ones(12)
        for _ in range(60):
            x = x - 0.01 * grad(cost)(x)
    found = told(run)
    assert [row["label"] for row in found["rows"]] == [*(f"x[{k}]" for k in range(5, 12)), "the other 5"]
    (table, *_) = found["tables"]
    assert sum(table["together"]) == pytest.approx(table["change"], rel=2e-2)
    assert found["pushes"]["parts"][0][-1] is None
    assert shares_of(run).over(*table["span"]).parts[:5].sum() == pytest.approx(sum(table["parts"][-1]), rel=1e-4)


@pytest.mark.parametrize("count", [20, 3000])
def test_it_takes_no_more_than_40_kilobytes(count: int) -> None:
    def cost(x: Any) -> Any:
        return sum(xi.watch((k + 1) * np.sum((x - k) ** 2), f"quantity number {k}", "M€") for k in range(11))

    with xi.record() as run:
        x = numpy.linspace(-20, 30, 30)
        for _ in range(count):
            x = x - 1e-3 * grad(cost)(x)
    found = told(run)
    assert len(json.dumps(found, separators=(",", ":"))) <= MOST_BYTES_OF_REASONS + 100
    assert (len(found["rows"]), len(found["terms"])) == (8, 8)
    assert len(found["pushes"]["iterations"]) >= min(count - 2, 50)
    assert len(told(run, most_bytes=9000)["pushes"]["iterations"]) >= 5


def test_where_there_are_no_reasons_it_is_said_why() -> None:
    with xi.record() as once:
        grad(lambda x: x**2)(3.0)
    assert told(once)["why_not"].startswith("There are fewer than two")
    with xi.record() as search:
        minimize(lambda x: float(np.sum(x**2)), [1.0, 2.0], method="Nelder-Mead")
    found = told(search)
    assert found["why_not"]
    assert (found["tables"], found["pushes"], found["rows"]) == ([], None, [])
    with xi.record() as nothing:
        pass
    assert reasons_for_view(nothing) is None


def test_steps_too_long_to_tell_are_not_told_in_the_table() -> None:
    def cost(x: Any) -> Any:
        return xi.watch(np.sin(9 * x[0]) * np.exp(x[1]), "wave") + xi.watch(x[1] ** 4, "cost")

    with xi.record() as run:
        for x in ([0.0, 0.0], [2.0, 1.0], [-1.0, -2.0]):
            grad(cost)(numpy.array(x))
    (table,) = told(run)["tables"]
    assert "too long" in table["why_not"]


def test_nothing_is_told_while_the_run_goes_on_and_all_with_the_snapshot_at_its_end() -> None:
    with xi.record() as run:
        for x in (3.0, 2.0):
            grad(lambda x: xi.watch(x**2, "a") + xi.watch(3 * x, "b"))(x)
        assert reasons_for_view(run) is None
    header, _ = unpack(packets.snapshot(run, packets.Sent(), Writer()))
    assert header["reasons"]["tables"][0]["parts"] == [[-5.0, -3.0]]
    sent = packets.Sent()
    packets.snapshot(run, sent, Writer())
    assert "reasons" not in unpack(packets.update(run, sent, Writer(), explain=True))[0], "the browser has them"


def test_another_fit_has_reasons_of_its_own() -> None:
    with xi.record() as run:
        for rate in (0.02, 0.3):
            x = numpy.zeros(2)
            for _ in range(25):
                x = x - rate * grad(lambda x: np.sum((x - np.array([1.5, -0.5])) ** 2))(x)
    sent = packets.Sent()
    before = unpack(packets.snapshot(run, sent, Writer()))[0]["reasons"]["tables"][0]
    run.choose_fit(0)
    after = unpack(packets.update(run, sent, Writer(), explain=True))[0]["reasons"]["tables"][0]
    assert (before["span"], after["span"]) == ([25, 49], [0, 24])
    assert after["change"] == pytest.approx(run.loss[24] - run.loss[0], rel=1e-5)


def test_the_widget_answers_what_is_asked_of_a_stretch(rail: xi.Run) -> None:
    widget, said = widget_of(rail), []
    widget.send = lambda content, buffers=None: said.append(buffers)  # type: ignore[method-assign]
    widget._on_request(widget, {"type": "reasons", "span": [20, 60]}, [])
    table = unpack(said[-1][0])[0]["reasons_over"]
    assert table["span"] == [20, 60]
    assert table["change"] == pytest.approx(rail.loss[60] - rail.loss[20], rel=1e-5)
    assert "299" in reasons_over(rail, (20, 400))["why_not"]


def test_they_are_of_a_saved_run_too(rail: xi.Run, tmp_path: Path) -> None:
    again = xi.load(rail.save(tmp_path / "rail.npz"))
    assert told(again)["tables"] == told(rail)["tables"]
    assert told(again)["pushes"] == told(rail)["pushes"]
