"""When a live run speaks: by the clock, never by the number of evaluations."""

from __future__ import annotations

import pytest

from xinv_nb.view.stream import Stream


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("rate", [5, 100, 10_000])
def test_messages_per_second_do_not_grow_with_the_evaluations(rate: int) -> None:
    clock, sent = Clock(), []
    stream = Stream(lambda explain, scene: sent.append((clock.now, explain, scene)), clock)
    for i in range(10 * rate):
        clock.now = i / rate
        stream.poll()
    assert 8 * min(rate, 10) <= len(sent) <= 10 * 20
    assert 4 <= sum(explain for _, explain, _ in sent) <= 6, "what is read changes at most every two seconds"
    assert 5 <= sum(scene for _, _, scene in sent) <= 34


def test_a_costly_picture_is_drawn_the_more_rarely() -> None:
    clock, scenes = Clock(), []

    def send(explain: bool, scene: bool) -> None:
        if scene:
            scenes.append(clock.now)
            clock.now += 0.5

    stream = Stream(send, clock)
    while clock.now < 60:
        clock.now += 0.01
        stream.poll()
    assert 0 < len(scenes) * 0.5 <= 0.11 * 60


def test_a_failing_view_stops_following_and_the_recording_goes_on() -> None:
    from autograd import grad

    from xinv_nb.recording.recorder import Recorder
    from xinv_nb.run import Run

    def broken() -> None:
        raise RuntimeError("the browser is gone")

    run = Run()
    recorder = Recorder(run, on_evaluation=broken)
    recorder.start()
    for x in (1.0, 2.0, 3.0):
        grad(lambda x: x**2)(x)
    recorder.stop()
    assert run.evaluations == 3
    assert run.notices == [
        "The live view stopped following (RuntimeError: the browser is gone); the recording goes on."
    ]
