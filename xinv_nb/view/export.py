"""A run as a file that the reader takes away: interactive page, picture, data."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from xinv_nb.recorded.file.writing import save
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view.file import File


def export(run: RecordedRun, kind: str) -> File:
    """Return `run` as a `"page"`, a `"picture"` or `"data"`; raises `ValueError` for anything else.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.record("first try") as run:
    ...     pass
    >>> export(run, "data").name
    'first-try.npz'
    """
    stem = re.sub(r"[^\w-]+", "-", run.name or run.title).strip("-") or "run"
    if kind == "page":
        from xinv_nb.view.page import as_page

        return File(f"{stem}.html", "text/html", as_page(run).encode(errors="replace"))
    if kind == "picture":
        from xinv_nb.view.picture import picture

        return File(f"{stem}.png", "image/png", picture(run))
    if kind == "data":
        with tempfile.TemporaryDirectory() as folder:
            content = save(run, Path(folder) / "run.npz").read_bytes()
        return File(f"{stem}.npz", "application/zip", content)
    raise ValueError(f"a run cannot be exported as {kind!r}")
