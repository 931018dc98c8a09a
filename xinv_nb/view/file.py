"""A file that the reader takes away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A finished file for the browser to save."""

    name: str
    type: str
    content: bytes
