"""The picture and the record of a run: what stays readable without a kernel."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from autograd import grad
from matplotlib import image

import xinv_nb as xi
from xinv_nb.view.record import record_bundle
from xinv_nb.view.scene import draw_frame


def recorded(points: Any, **kwargs: Any) -> xi.Run:
    with xi.record("a <b>bowl</b> $\\bad{ $", **kwargs) as run:
        for x in points:
            grad(lambda x: x**2)(float(x))
    return run


def test_a_long_run_is_drawn_with_its_one_spike() -> None:
    points = np.full(9000, 0.5)
    points[4321] = 40.0
    axes = recorded(points).plot().axes
    drawn = np.concatenate([line.get_ydata() for line in axes[0].lines])
    assert drawn.max() == 1600.0
    assert len(drawn) < 9000


@pytest.mark.parametrize(
    "points", [[], [1.0], [1.0, 1.0, 1.0], [np.nan, np.nan], [3.0, np.inf], np.linspace(3, 0, 50)], ids=str
)
def test_every_run_has_a_picture_and_a_text(points: Any) -> None:
    bundle = record_bundle(recorded(points))
    picture = image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert picture.shape[0] > 300
    assert picture.std() > 0.01, "something is drawn"
    assert "<b>bowl</b>" not in bundle["text/html"]
    assert "&lt;b&gt;bowl" in bundle["text/html"]
    assert "\\<b\\>bowl" in bundle["text/markdown"]
    assert bundle["text/plain"].startswith("a <b>bowl</b>")


def test_a_scene_is_drawn_at_the_iteration_over_a_ghost_of_the_first() -> None:
    seen = []

    def scene(ax: Any, x: Any) -> None:
        seen.append(float(x))
        ax.plot([0, x], [0, x])

    run = recorded([4.0, 3.0, 2.0], problem=xi.Problem("p", scene=scene))
    frame = draw_frame(run, 2)
    assert seen == [4.0, 2.0]
    assert image.imread(io.BytesIO(frame.png)).shape[:2] == (2 * frame.height, 2 * frame.width)


def test_a_scene_that_fails_says_so_in_its_place_and_the_rest_stands() -> None:
    def scene(ax: Any, x: Any) -> None:
        raise ZeroDivisionError("no map")

    run = recorded([4.0, 3.0], problem=xi.Problem("p", scene=scene))
    assert draw_frame(run, 1).error == "The scene could not be drawn: ZeroDivisionError: no map"
    assert "image/png" in record_bundle(run)


def test_drawing_a_scene_leaves_the_users_random_numbers_alone() -> None:
    def scene(ax: Any, x: Any) -> None:
        ax.plot(np.random.normal(size=3))  # noqa: NPY002 - the legacy generator is the one that could be moved on

    run = recorded([4.0, 3.0], problem=xi.Problem("p", scene=scene))
    np.random.seed(0)  # noqa: NPY002
    expected = np.random.normal()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    draw_frame(run, 1)
    assert np.random.normal() == expected  # noqa: NPY002


def test_the_picture_names_the_loss_as_the_program_does() -> None:
    with xi.record() as run:
        for x in (3.0, 2.0):
            grad(lambda x: xi.watch(x**2, "travel time", "min"))(x)
    assert run.plot().axes[0].get_ylabel() == "travel time [min]"


def test_the_picture_shows_watched_quantities_with_their_unit() -> None:
    def objective(x: Any) -> Any:
        for k in range(1, 4):
            xi.watch(x * k, "speed", "m/s")
        return xi.watch(x + 1, "height", "m") ** 2

    with xi.record() as run:
        for x in (3.0, 2.0, 1.0):
            grad(objective)(x)
    titled = {ax.get_title(loc="left"): ax for ax in run.plot().axes if ax.get_title(loc="left")}
    assert list(titled) == ["speed [m/s]", "height [m]"]
    drawn = [list(line.get_ydata()) for line in titled["speed [m/s]"].lines]
    assert drawn == [[3, 2, 1], [9, 6, 3]]
