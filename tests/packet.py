"""Reads packets as the browser does: the other half of `xinv_nb/view/wire.py`, for tests."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from xinv_nb.view.wire import VERSION

TYPES = {"f8": "<f8", "f4": "<f4", "u1": "|u1"}


def unpack(packet: bytes) -> tuple[dict[str, Any], bytes]:
    """Return header and body of a packet."""
    (length,) = struct.unpack_from("<I", packet)
    header: dict[str, Any] = json.loads(packet[4 : 4 + length])
    assert header["version"] == VERSION
    return header, packet[4 + length + (-(4 + length) % 8) :]


def numbers(body: bytes, spec: Mapping[str, Any], rows: int) -> np.ndarray:
    """Return an array of a packet by its entry in the header."""
    kind = np.dtype(TYPES[spec["type"]])
    block = body[spec["offset"] : spec["offset"] + rows * kind.itemsize]
    if spec.get("planes"):
        block = np.frombuffer(block, np.uint8).reshape(kind.itemsize, rows).T.tobytes()
    return np.frombuffer(block, kind)
