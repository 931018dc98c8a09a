"""The life of a recording: whatever of ours fails in it, the block goes on as it would, and the run says what it knows.

The faults are forced: what stands in for a part of ours raises where that part never should.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from autograd import grad

import xinv_nb as xi
from xinv_nb.recording.recorder import Recorder
from xinv_nb.run import Run
from xinv_nb.session import Recording


def fails(*_: object, **__: object) -> None:
    raise RuntimeError("by the test")


def descend() -> float:
    x = 4.0
    for _ in range(6):
        x = x - 0.25 * grad(lambda x: x**2)(x)
    return x


def test_a_recorder_that_does_not_start_leaves_the_block_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Recorder, "start", fails)
    with xi.record() as run:
        assert descend() == 0.0625
    assert (run.status, run.evaluations) == ("finished", 0)
    assert run.notices[0] == "The run could not be recorded (RuntimeError: by the test)."
    assert "by the test" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "status"), [(None, "finished"), (ValueError("own"), "failed")])
def test_a_recorder_that_does_not_close_leaves_how_the_block_ended(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, status: str
) -> None:
    stop = Recorder.stop

    def stop_and_fail(recorder: Recorder, *_: object) -> None:
        stop(recorder, "running")
        fails()

    monkeypatch.setattr(Recorder, "stop", stop_and_fail)
    recording = Recording(Run("bowl"))
    recording.open()
    descend()
    recording.close(error)
    assert (recording.run.status, recording.run.evaluations) == (status, 6)
    assert "could not be closed" in recording.run.notices[-1]


def test_what_cannot_be_shown_or_saved_is_a_notice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("xinv_nb.view.live.show", fails)
    monkeypatch.setattr("xinv_nb.view.live.finish", fails)
    for showing in ("live", "at the end"):
        recording = Recording(Run("bowl"), showing=showing, save=tmp_path / "nowhere" / "run.npz")
        recording.open()
        descend()
        recording.close()
        assert (recording.run.status, recording.run.evaluations) == ("finished", 6)
        assert any(notice.startswith("The run could not be saved") for notice in recording.run.notices)
        assert "The run could not be shown (RuntimeError: by the test)." in recording.run.notices


def test_a_recording_that_is_opened_twice_is_a_mistake_that_is_told() -> None:
    recording = xi.record()
    with recording:
        pass
    with pytest.raises(xi.XinvError, match="opened before"), recording:
        pass


def test_a_task_that_is_cancelled_was_interrupted() -> None:
    async def work() -> None:
        with xi.record():
            descend()
            await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    run = xi.last_run()
    assert run is not None
    assert (run.status, run.ending, run.evaluations) == ("interrupted", "stopped by you", 6)


def test_without_asyncio_any_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "asyncio.exceptions", raising=False)
    with pytest.raises(ValueError, match="own"), xi.record() as run:
        raise ValueError("own")
    assert (run.status, run.ending) == ("failed", "ValueError")
