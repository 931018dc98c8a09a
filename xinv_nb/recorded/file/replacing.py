"""A file that appears whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_OLD = 3600.0
"""Seconds after which what a killed process left beside a file is nobody's any more."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of the one at `path` when the block ends; where it fails, that one stays.

    It is written beside it first, under a name that no other process uses. A link stays a link to it, and who may read
    the old one may read the new one.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as file:
    ...         count = file.write(b"whole")
    ...     [each.name for each in Path(folder).iterdir()]
    ['a.txt']
    """
    target = Path(os.path.realpath(path))
    beginning = f".{target.name[:100]}.xinv_nb-"
    _clear(target, beginning)
    part = target.with_name(f"{beginning}{secrets.token_hex(8)}.part")
    try:
        try:
            opened = part.open("xb")
        except OSError as error:  # told with the name that the user gave
            raise type(error)(error.errno, error.strerror, str(path)) from None
        with opened as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _clear(target: Path, beginning: str) -> None:
    """Take away what processes left that were killed while they wrote here."""
    with suppress(OSError):
        for each in target.parent.iterdir():
            if each.name.startswith(beginning) and each.name.endswith(".part"):
                with suppress(OSError):
                    if time.time() - each.stat().st_mtime > _OLD:
                        each.unlink()
