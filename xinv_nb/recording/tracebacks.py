"""Takes the recorder's own frames out of a traceback, so that the user's error looks as it does without us."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

_OURS = str(Path(__file__).parent)


def take_our_frames_out(error: BaseException) -> None:
    """Unlink every frame of this package's recording from the traceback of `error` and of what led to it."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        found.__traceback__ = _without_ours(found.__traceback__)
        waiting += [found.__cause__, found.__context__]


def _without_ours(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and _is_ours(traceback):
        traceback = traceback.tb_next
    kept = traceback
    while kept is not None:
        following = kept.tb_next
        while following is not None and _is_ours(following):
            following = following.tb_next
        if following is not kept.tb_next:
            kept.tb_next = following
        kept = following
    return traceback


def _is_ours(traceback: TracebackType) -> bool:
    return traceback.tb_frame.f_code.co_filename.startswith(_OURS)
