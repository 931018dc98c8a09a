"""Remembers what a model answered, so that a notebook that is run again is worded at once and in the same words.

One small file for each answer, named by the hash of all that the answer depends on. A file appears whole or not at
all, so that kernels may share the folder; it may be deleted at any time. What is kept is the answer as it came: whether
it may be shown is checked each time. `XINV_NB_CACHE` names another folder; `XINV_NB_CACHE=0` keeps nothing.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from xinv_nb.words.digest import digest_of

MOST = 4000
"""Answers kept; of more, those that were not asked for longest go."""

_LARGEST = 2**20
"""Bytes of one answer; a larger file is none of ours."""
_SEVERAL = 16
"""The folder is looked through after one in so many answers."""


class AnswerCache:
    """Answers of models in a folder; whatever is wrong with the folder, asking it is no error.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = AnswerCache(Path(folder))
    ...     cache.put({"model": "a"}, "The loss fell.")
    ...     cache.get({"model": "a"}), cache.get({"model": "b"})
    ('The loss fell.', None)
    """

    def __init__(self, folder: Path | None = None, most: int = MOST) -> None:
        self.folder = cache_folder() if folder is None else folder
        self.most = most

    def get(self, key: Mapping[str, Any]) -> str | None:
        """Return the answer that was given under the same circumstances, or None."""
        if self.folder is None:
            return None
        path = self.folder / _name(key)
        try:
            if not path.is_file() or path.stat().st_size > _LARGEST:  # a link to a device has no end
                return None
            kept = json.loads(path.read_text(encoding="utf-8"))
            answer = kept["answer"] if kept["key"] == dict(key) else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        with suppress(OSError):
            os.utime(path)
        return answer if isinstance(answer, str) else None

    def put(self, key: Mapping[str, Any], answer: str) -> None:
        """Keep an answer."""
        if self.folder is None:
            return
        path = self.folder / _name(key)
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(prefix=".", dir=self.folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({"key": dict(key), "answer": answer}, file)
                Path(part).replace(path)
            finally:
                Path(part).unlink(missing_ok=True)
            if int(path.stem[:8], 16) % _SEVERAL == 0:
                self._bound()

    def _bound(self) -> None:
        """Delete those answers that were not asked for longest."""
        assert self.folder is not None
        ages = []
        for path in self.folder.glob("*.json"):
            with suppress(OSError):
                ages.append((path.stat().st_mtime, path))
        for _, path in sorted(ages)[: max(0, len(ages) - self.most)]:
            path.unlink(missing_ok=True)


def cache_folder() -> Path | None:
    """Return the folder in which this user's programs keep what they can do without; None if nothing is to be kept."""
    named = os.environ.get("XINV_NB_CACHE")
    if named == "0":
        return None
    if named:
        return Path(named)
    try:
        if sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        elif sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # nobody's home
        return None
    return base / "xinv_nb" / "answers"


def _name(key: Mapping[str, Any]) -> str:
    return f"{digest_of(dict(key))}.json"
