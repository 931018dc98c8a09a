"""Which places points went past: on which side, how near; nothing where it cannot be told truly."""

from __future__ import annotations

import pickle
from typing import Any

import autograd.numpy as np
import numpy
import pytest
from autograd import grad

import xinv_nb as xi
from xinv_nb.facts.fact import Fact


def recomputed(run: xi.Run, fact: Fact) -> list[float]:
    """None of the example runs has landmarks; the tests below know where each point went."""
    return []


EAST, NORTH = ("west", "east"), ("south", "north")


def walk(paths: Any, landmarks: Any, ways: Any = (EAST, NORTH), unit: str = "km") -> list[str]:
    """What is told of points that walk along paths: an array of iterates, points and coordinates."""
    paths = numpy.asarray(paths, dtype=float)
    names = {
        f"p[{k}, {axis}]": xi.Parameter(unit=unit, directions=way)
        for k in range(paths.shape[1])
        for axis, way in enumerate(ways)
    }
    names |= {f"p[{k}]": xi.Parameter(f"the {which} stop") for k, which in enumerate(("first", "second"))}
    with xi.record(problem=xi.Problem("walk", parameters=names, landmarks=landmarks)) as run:
        for k, p in enumerate(paths):
            run.add(float(len(paths) - k), {"p": p})
    copy = pickle.loads(pickle.dumps(run))
    assert copy.problem.landmarks == run.problem.landmarks
    return [fact.text for fact in run.facts if fact.kind == "landmark"]


def line(start: Any, end: Any, count: int = 9) -> Any:
    return numpy.linspace(start, end, count)


def test_the_side_and_the_distance_are_those_of_the_path() -> None:
    paths = numpy.stack([line((0, 1), (8, 1)), line((0, 9), (0.2, 9))], axis=1)
    (text,) = walk(paths, {"the village": (3.0, 2.5)})
    assert text == (
        "By a move that is large in the range of this run the first stop went past the village on the south, "
        "1.5 km from it."
    )
    (text,) = walk(numpy.stack([line((8, 4), (0, 4))], axis=1), {"the village": (3.0, 2.5)})
    assert text == "The first stop went past the village on the north, 1.5 km from it."


@pytest.mark.parametrize(
    ("name", "says"), [("nort", "did you mean 'north'?"), ("height", "there are east, north."), ("north", "")]
)
def test_a_landmark_that_names_no_parameter_is_told_at_the_end(name: str, says: str) -> None:
    ways = {"east": xi.Parameter(unit="km", directions=EAST), "north": xi.Parameter(unit="km", directions=NORTH)}
    with xi.record(
        problem=xi.Problem("walk", parameters=ways, landmarks={"the village": {"east": 3.0, name: 2.0}})
    ) as run:
        for east in numpy.linspace(0.0, 8.0, 9):
            run.add((east - 8.0) ** 2, {"east": east, "north": 1.0})
    told = [notice for notice in run.notices if "landmarks" in notice]
    assert [says in notice and repr(name) in notice for notice in told] == [True] * bool(says)
    assert any(fact.kind == "landmark" for fact in run.facts) == (not says)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (line((0, 1), (8, 1)), (9.0, 2.0)),  # it did not come so far
        (line((0, 1), (8, 1)), (4.0, 30.0)),  # far away
        (line((0, 1), (8, 1)), (4.0, 1.0)),  # right through it
        (line((0, 0), (8, 8)), (5.0, 3.0)),  # south-east of it: neither the one nor the other
        (numpy.array([(0, 1), (2, 1), (5, 1), (4.5, 1), (3.5, 1), (5, 1), (8, 1)]), (4.0, 2.0)),  # thrice
        (line((2, 2), (2, 2)), (2.0, 2.0)),  # nothing moved
    ],
)
def test_what_is_not_past_on_one_side_is_not_told(path: Any, place: Any) -> None:
    assert walk(path[:, None, :], {"the village": place}) == []


def test_weights_are_no_coordinates() -> None:
    path = line((0, 1), (8, 1))[:, None, :]
    assert walk(path, {"the village": (3.0, 2.5)}, ways=(None, None)) == []
    assert walk(path, {"the village": (3.0, 2.5)}, ways=(NORTH, NORTH)) == []
    assert walk(path, {"the village": (3.0, 2.5, 1.0)}) == []


def test_a_position_may_name_its_parameters() -> None:
    north = {"p[2]": xi.Parameter("the third point", "km", directions=NORTH)}

    def texts(landmarks: Any) -> list[str]:
        with xi.record(problem=xi.Problem("line", parameters=north, landmarks=landmarks)) as run:
            for y in line(8.0, 4.8):
                run.add(y**2, {"p": numpy.array([0.0, 0.0, y])})
        return [fact.text for fact in run.facts if fact.kind == "landmark"]

    (text,) = texts({"the brook": {"p[2]": 6.0}})
    assert text == "The third point went past the brook, at 6 km, on its way south from 8 to 4.8 km."
    assert texts({"the brook": {"the third point": 6.0}}) == [text]
    assert texts({"the brook": {"p[2]": 9.0}}) == []
    assert texts({"the brook": {"q": 6.0}}) == []
    assert texts({"the village": (31.0, 8.0)}) == []


@pytest.mark.parametrize(
    ("landmarks", "says"),
    [
        (3, "maps names to positions"),
        ({3: (1.0, 2.0)}, "such as 'the village'"),
        ({"the village": "north"}, "is a position"),
        ({"the village": (8.0,)}, "say of which parameter"),
        ({"the village": (8.0, "x")}, "a real number"),
        ({"the village": (8.0, float("nan"))}, "finite numbers"),
        ({"the village": {}}, "is a position"),
    ],
)
def test_what_is_no_position_is_refused(landmarks: Any, says: str) -> None:
    with pytest.raises(xi.XinvError, match=says):
        xi.Problem("walk", landmarks=landmarks)


def test_a_question_may_name_the_point() -> None:
    def way(p: Any) -> Any:
        hill = 8.0 * np.sum(np.exp(-((p[:, 0] - 5.0) ** 2 + (p[:, 1] - 5.0) ** 2) / 4.0))
        return hill + 0.2 * np.sum((p - np.array([[2.0, 1.0], [6.0, 4.0]])) ** 2)

    names = {
        f"p[{k}, {axis}]": xi.Parameter(directions=ways) for k in (0, 1) for axis, ways in enumerate((EAST, NORTH))
    }
    names |= {f"p[{k}]": xi.Parameter(f"the {which} stop") for k, which in enumerate(("first", "second"))}
    p = numpy.array([[2.0, 3.0], [5.2, 4.8]])
    with xi.record("walk", problem=xi.Problem("walk", parameters=names)) as run:
        for _ in range(100):
            p = p - 0.05 * grad(way)(p)
    east = run.ask("Why did the second stop go east?", model=False)
    assert east.text.startswith("p[1, 0] moved east from 5.2 to ")
    assert east.heading == "Why did the second stop go east?"
    assert "p[0" not in east.text
    assert "p[1, 1] moved south" in run.ask("Why did the second stop move south?", model=False).text
    both = run.ask("What pushed the second stop at iteration 2?", model=False).text
    assert "p[1, 0] was pushed east" in both
    assert "p[1, 1] was pushed south" in both
    assert "p[0" not in both
    further = run.ask("Why did the second stop not go further east?", model=False).text
    assert "hill pushed p[1, 0] east about as strongly as" in further
    assert "p[0" not in further
