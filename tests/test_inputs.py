"""What cannot be taken is refused where it was given, with what to do; what a reader changes changes no recording."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal

import autograd.numpy as np
import numpy
import pytest
from autograd import grad

import xinv_nb as xi

REFUSED = {
    "name": (lambda: xi.record(name=3), "name is text"),
    "max_events none": (lambda: xi.record(max_events=None), "max_events"),
    "max_events text": (lambda: xi.record(max_events="a"), "max_events"),
    "max_events negative": (lambda: xi.record(max_events=-1), "max_events"),
    "parameters": (lambda: xi.record(parameters="speed"), "names of the parameters"),
    "problem": (lambda: xi.record(problem="a throw"), "takes an xinv_nb.Problem"),
    "language": (lambda: recorded().explain(model=False, language=3), "language is a name"),
    "level": (lambda: recorded().explain(model=False, level="beginner"), "'student' or 'expert'"),
    "level of an answer": (lambda: recorded().ask("why?", model=False, level="Expert"), "'student' or 'expert'"),
    "watch": (lambda: xi.watch(1.0, 3), "name is text"),
    "event": (lambda: xi.event(3), "told in words"),
    "bounds": (lambda: xi.Parameter(bounds=(2, 1)), r"did you mean \(1, 2\)"),
    "bounds of one": (lambda: xi.Parameter(bounds=2), "must be a pair"),
    "unit": (lambda: xi.Parameter(unit=None), "must be text"),
    "truth": (lambda: xi.Parameter(truth="two"), "must be a real number"),
    "list of parameters": (lambda: xi.Problem("p", parameters=["x"]), "maps names to"),
    "title": (lambda: xi.Problem(5), "must be text"),
    "empty quantity": (lambda: added(1.0, {"a": 1.0}, **{"": 1}), "needs a name"),
    "sparse": (lambda: added(5.0, [1.0, 2.0], residuals=[1.0, 2.0], jacobian=Sparse()), r"\.toarray\(\)"),
    "jacobian": (
        lambda: added(5.0, [1.0, 2.0], [1.0, 2.0], residuals=[1.0, 2.0], jacobian=numpy.eye(3)),
        "a row for each of the 2 residuals",
    ),
    "mask": (lambda: added(1.0, numpy.ma.masked_array([1.0, 2.0], [True, False])), "masked array"),
    "arrays": (lambda: added(1.0, [numpy.ones(2), numpy.ones((2, 2))]), "hand over a dict"),
    "dicts": (lambda: added(1.0, [{"a": 1.0}, {"b": 1.0}]), "hand over a dict"),
}


class Sparse:
    """As SciPy's sparse arrays are, as far as it matters."""

    def toarray(self):
        return numpy.eye(2)


def recorded() -> xi.Run:
    with xi.record() as run:
        grad(lambda x: xi.watch(x**2, "square"))(3.0)
    return run


def added(*args, **quantities) -> xi.Run:
    with xi.record() as run:
        run.add(*args, **quantities)
    return run


@pytest.mark.parametrize(("call", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_taken_is_refused_where_it_is_given(call, said) -> None:
    with pytest.raises(xi.XinvError, match=said):
        call()


def test_numbers_of_any_type_are_taken_and_come_back_from_a_file(tmp_path) -> None:
    parameter = xi.Parameter(bounds=numpy.array([0.0, 2.0]), truth=Decimal("1.5"), directions=["south", "north"])
    with xi.record(problem=xi.Problem("p", parameters={"x": parameter}), max_events=numpy.int64(5)) as run:
        grad(lambda x: x**2)(3.0)
    assert xi.load(run.save(tmp_path / "run.npz")).problem == run.problem
    assert parameter == xi.Parameter(bounds=(0.0, 2.0), truth=1.5, directions=("south", "north"))


def test_a_quantity_keeps_the_unit_that_it_had_first() -> None:
    with xi.record() as run:
        for unit in ("m", "km", "m", "km"):
            grad(lambda x, unit=unit: xi.watch(x**2, "way", unit))(3.0 if unit == "m" else 1.0)
    assert run.watches["way"].unit == "m"
    assert run.watches["way"].values.tolist() == [9.0, 9.0]
    assert [notice for notice in run.notices if "way is watched in m and in km" in notice] == run.notices
    assert len(run.notices) == 1


def test_what_a_reader_changes_in_the_values_of_a_fact_changes_nothing() -> None:
    with xi.record() as run:
        for x in (3.0, 2.0, 1.0):
            grad(lambda x: np.sum(x**2))(x)
    run.facts[0].values["end"] = 7.0
    assert run.facts[0].values["end"] == 1.0


def test_a_table_of_a_run_without_gradients_has_no_columns_for_them() -> None:
    assert [name for name in added(1.0, {"a": 2.0}).to_frame() if "∂" in name] == []
    assert [name for name in added(1.0, {"a": 2.0}, {"a": 1.0}).to_frame() if "∂" in name] == ["∂loss/∂a"]


def _fit(start: float) -> xi.Run:
    with xi.record(f"from {start:g}", problem=xi.Problem("p", scene=lambda ax, x: None)) as run:
        for k in range(4):
            grad(lambda x: xi.watch(x**2, "square"))(start / (k + 1))
    return run


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))])
def test_a_run_can_be_copied_and_pickled_without_its_scene(again) -> None:
    run = _fit(3.0)
    other = again(run)
    assert (other.name, other.status, other.facts) == (run.name, run.status, run.facts)
    numpy.testing.assert_array_equal(other.loss, run.loss)
    assert other.problem == xi.Problem("p")
    assert other.scene is None


def test_a_run_that_goes_on_can_be_copied_and_the_copy_stays_as_it_is() -> None:
    with xi.record() as run:
        run.add(1.0, {"a": 2.0})
        other = copy.copy(run)
        run.add(0.5, {"a": 1.0})
    assert (other.evaluations, run.evaluations) == (1, 2)


def test_workers_return_their_runs() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        runs = list(pool.map(_fit, [3.0, 2.0]))
    assert [run.name for run in runs] == ["from 3", "from 2"]
    assert runs[1].loss[0] == 4.0


def test_what_a_reader_changes_in_the_values_of_an_event_changes_nothing() -> None:
    run = _fit(3.0)
    run.events[0].values["value"] = 7.0
    assert run.events[0].values["value"] == 9.0
