"""The codec between kernel and browser; `js/src/wire.ts` is its other half, and nothing else knows the bytes.

A packet is one block: `uint32 header length | header (UTF-8 JSON) | padding to a multiple of 8 | body`, little-endian.
The header names the arrays and pictures in the body by offset and length. An array in planes has the first bytes of all
its numbers, then the second, and so on: so it deflates better. A deflated packet begins with four bytes of ones, which
no length does. Live messages, the snapshot of a reloaded
page, the exported page and the test fixtures all use it. `js/src/protocol.ts` describes the fields of the header.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 1
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

    def column(self, key: str, kind: str, values: NDArray[Any]) -> dict[str, Any]:
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


def pack(header: Mapping[str, Any], body: Body) -> bytes:
    """Return the packet with this header and body."""
    text = _json({"version": VERSION, **header}).encode()
    padding = -(4 + len(text)) % _ALIGNMENT
    return b"".join([struct.pack("<I", len(text)), text, b"\0" * padding, body.bytes()])


def unpack(packet: bytes) -> tuple[dict[str, Any], bytes]:
    """Return header and body of a packet; raises `ValueError` if it is none of this version."""
    if len(packet) < 4:
        raise ValueError("not a packet: too short")
    (length,) = struct.unpack_from("<I", packet)
    start = 4 + length + (-(4 + length) % _ALIGNMENT)
    if start > len(packet):
        raise ValueError("not a packet: cut off")
    header: dict[str, Any] = json.loads(packet[4 : 4 + length])
    if header.get("version") != VERSION:
        raise ValueError(f"a packet of version {header.get('version')}; this package reads version {VERSION}")
    return header, packet[start:]


def numbers(body: bytes, spec: Mapping[str, Any], rows: int) -> NDArray[Any]:
    """Return an array of a packet by its entry in the header."""
    kind = np.dtype(_TYPES[spec["type"]])
    block = body[spec["offset"] : spec["offset"] + rows * kind.itemsize]
    if spec.get("planes"):
        block = np.frombuffer(block, np.uint8).reshape(kind.itemsize, rows).T.tobytes()
    return np.frombuffer(block, kind)


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
