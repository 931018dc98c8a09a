"""Code of the user's that runs on our behalf, a scene or a value's own text, ends neither the kernel nor the cell."""

from __future__ import annotations

import asyncio
import sys

import pytest
from autograd import grad

import xinv_nb as xi
from xinv_nb.session import Recording
from xinv_nb.view.scene import draw_frame


def exits():
    sys.exit("no data")


def is_cancelled():
    raise asyncio.CancelledError


def closes():
    raise GeneratorExit


LEAVES = [exits, is_cancelled, closes]


@pytest.mark.parametrize("leave", LEAVES)
def test_a_scene_that_exits_is_a_picture_that_could_not_be_drawn(leave):
    with xi.record(problem=xi.Problem("p", scene=lambda ax, x: leave())) as run:
        for x in (3.0, 2.0):
            grad(lambda x: x**2)(x)
    assert "could not be drawn" in draw_frame(run, 1).error


@pytest.mark.parametrize("leave", LEAVES)
def test_a_live_view_that_exits_stops_following_and_the_recording_goes_on(leave):
    run = xi.Run("live")
    recording = Recording(run)
    recording.open()
    recording._recorder.on_evaluation = leave
    for x in (3.0, 2.0):
        grad(lambda x: x**2)(x)
    recording.close()
    assert run.evaluations == 2
    assert "stopped following" in run.notices[0]


@pytest.mark.parametrize("leave", LEAVES)
def test_showing_that_exits_is_a_notice(leave, monkeypatch, capsys):
    run = xi.Run("shown")
    recording = Recording(run, showing="at the end")
    monkeypatch.setattr(recording, "_finish", leave)
    recording.open()
    recording.close()
    assert "could not be shown" in run.notices[-1]


@pytest.mark.parametrize("leave", LEAVES)
def test_a_value_whose_own_text_exits_costs_its_text_alone(leave):
    class Value:
        def __str__(self):
            return leave()

        __repr__ = __str__

        def __format__(self, spec):
            return leave()

    def objective(x):
        xi.event("it is {what}", what=Value())
        xi.watch(Value(), "value")
        with xi.stage(Value()):
            return x**2

    with xi.record() as run:
        grad(objective)(3.0)
    assert run.evaluations == 1
    assert run.status == "finished"
    with pytest.raises(xi.XinvError, match="a value of type Value"):
        xi.Parameter(unit=Value())


def test_an_interrupt_in_a_scene_is_the_users():
    def scene(ax, x):
        raise KeyboardInterrupt

    with xi.record(problem=xi.Problem("p", scene=scene)) as run:
        grad(lambda x: x**2)(3.0)
    with pytest.raises(KeyboardInterrupt):
        draw_frame(run, 0)


def test_an_empty_run_can_be_asked_and_nothing_is_supported_by_it():
    with xi.record() as run:
        pass
    assert [claim.supported for claim in run.check("The loss fell from 5 to 2.", span=(0, 3))] == [None]
    assert run.ask("Why did it fall?", model=False, span=(0, 2)).status == "the recording does not show it"
