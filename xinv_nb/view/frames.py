"""The pictures of a run's scene that have been drawn, kept with the run as long as it lives."""

from __future__ import annotations

import time

from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view.scene import Frame, draw_frame, iterations_worth_drawing

_MOST = 60
"""Pictures that are kept."""


class Frames:
    """Draws the pictures of one run's scene, each once."""

    def __init__(self, run: RecordedRun) -> None:
        self._run = run
        self._drawn: dict[int, Frame] = {}

    @property
    def drawn(self) -> list[Frame]:
        """The pictures that have been drawn, but for those that failed."""
        return list(self._drawn.values())

    def at(self, iteration: int) -> Frame:
        """Return the picture of an iteration, or why there is none."""
        frame = self._drawn.get(iteration)
        if frame is None:
            frame = draw_frame(self._run, iteration)
            if not frame.error and len(self._drawn) < _MOST:
                self._drawn[iteration] = frame
        return frame

    def draw(self, seconds: float | None = None) -> None:
        """Draw pictures to travel with the run: as many of those worth drawing as the time allows."""
        if self._run.scene is None:
            return
        begin = time.perf_counter()
        for iteration in iterations_worth_drawing(self._run):
            self.at(iteration)
            if seconds is not None and time.perf_counter() - begin > seconds:
                return


def frames_of(run: RecordedRun) -> Frames:
    """Return the pictures of a run; made once."""
    found: Frames = run.memo.setdefault("frames", Frames(run))
    return found
