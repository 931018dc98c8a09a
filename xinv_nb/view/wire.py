"""The codec between kernel and browser; `js/src/wire.ts` is its other half, and nothing else knows the bytes.

A packet is one block: `uint32 header length | header (UTF-8 JSON) | padding to a multiple of 8 | body`, little-endian.
The header names the arrays and pictures in the body by offset and length. An array in planes has the first bytes of all
its numbers, then the second, and so on: so it deflates better. A deflated packet begins with four bytes of ones, which
no length does. Live messages, the snapshot of a reloaded page, the exported page and the test fixtures all use it.
`protocol` describes the fields of the header.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xinv_nb.view import protocol

VERSION: Literal[2] = 2
_ALIGNMENT = 8
_DEFLATED = b"\xff\xff\xff\xff"
MOST_DEFLATED = 1_000_000
"""Bytes of a packet up to which deflating it takes no time that anybody notices."""
_TYPES = {"f8": "<f8", "f4": "<f4", "u1": "|u1"}
_ALWAYS_EXACT = {"iteration", "loss"}


class Body:
    """The binary part of a packet under construction.

    Its arrays are written in planes where it is to be deflated; where it is to be small, all but the loss and its axis
    as `float32`.
    """

    def __init__(self, *, in_planes: bool = False, narrow: bool = False) -> None:
        self._in_planes = in_planes
        self._narrow = narrow
        self._blocks: list[bytes] = []
        self._length = 0

    def add(self, block: bytes) -> int:
        """Append a block at the next multiple of 8; returns its offset."""
        offset = self._length
        padding = -len(block) % _ALIGNMENT
        self._blocks += [block, b"\0" * padding]
        self._length += len(block) + padding
        return offset

    def column(self, key: str, kind: Literal["f8", "f4", "u1"], values: NDArray[Any]) -> protocol.ColumnSpec:
        """Append an array; returns its entry in the header."""
        if self._narrow and kind == "f8" and key not in _ALWAYS_EXACT:
            kind = "f4"
        with np.errstate(over="ignore"):  # of a run that diverges, what is too large for 32 bits is drawn as infinite
            numbers = np.ascontiguousarray(np.asarray(values).astype(_TYPES[kind]))
        if self._in_planes and numbers.itemsize > 1:
            planes = numbers.view(np.uint8).reshape(-1, numbers.itemsize).T
            return {"key": key, "type": kind, "offset": self.add(planes.tobytes()), "planes": True}
        return {"key": key, "type": kind, "offset": self.add(numbers.tobytes())}

    def bytes(self) -> bytes:
        """Return the finished body."""
        return b"".join(self._blocks)


def pack(header: protocol.Header, body: Body) -> bytes:
    """Return the packet with this header and body."""
    text = _json(header).encode(errors="replace")  # of a half of a character
    padding = -(4 + len(text)) % _ALIGNMENT
    return b"".join([struct.pack("<I", len(text)), text, b"\0" * padding, body.bytes()])


def deflated(packet: bytes) -> bytes:
    """Return a packet deflated for the way, where that takes no time; `js/src/index.ts` inflates it."""
    return _DEFLATED + zlib.compress(packet) if len(packet) <= MOST_DEFLATED else packet


def _json(header: Mapping[str, Any]) -> str:
    try:
        return json.dumps(header, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):  # seldom, and looking at every value costs more than writing them
        return json.dumps(_finite(header), ensure_ascii=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    """Return `value` with what JSON cannot say (NaN, infinities, NumPy's numbers) made sayable."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, Sequence):
        return [_finite(item) for item in value]
    return str(value)
