"""One wire, two languages: golden packets that pytest and vitest both read, and fields that both sides know.

After a change of the layout, `XINV_UPDATE_GOLDEN=1 pytest tests/test_protocol.py` writes the golden packets anew.
"""

from __future__ import annotations

import base64
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets
from autograd import grad

import xinv_nb as xi
from xinv_nb.view import packets
from xinv_nb.view.downloading import Offer
from xinv_nb.view.export import File
from xinv_nb.view.head import Writer
from xinv_nb.view.scene import Frame
from xinv_nb.view.texts import caption_for_view
from xinv_nb.view.widget import RunWidget
from xinv_nb.view.wire import Body, numbers, pack, unpack

GOLDEN = Path(__file__).parent / "golden"
JS = Path(__file__).parent.parent / "js" / "src"
NAMES = [path.stem for path in sorted(GOLDEN.glob("*.json"))]


def golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return content


def packed(content: dict[str, Any]) -> bytes:
    """Return the packet that a golden text describes; numbers that JSON does not know are strings in it."""
    body = Body(in_planes=content.get("in_planes", False))
    header = dict(content["header"])
    header["columns"] = [
        body.column(key, column["type"], np.array([float(value) for value in column["values"]]))
        for key, column in content["columns"].items()
    ]
    for frame, spec in zip(content["frames"], header.get("frames", []), strict=True):
        spec["offset"], spec["length"] = body.add(bytes.fromhex(frame)), len(frame) // 2
    if content["file"]:
        header["file"]["offset"] = body.add(bytes.fromhex(content["file"]))
        header["file"]["length"] = len(content["file"]) // 2
    return pack(header, body)


@pytest.mark.parametrize("name", NAMES)
def test_packets_are_those_that_the_front_end_reads_in_its_tests(name: str) -> None:
    content = golden(name)
    packet = packed(content)
    if os.environ.get("XINV_UPDATE_GOLDEN"):
        content = golden(name) | {"packet": base64.b64encode(packet).decode()}
        (GOLDEN / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    assert base64.b64decode(content["packet"]) == packet


@pytest.mark.parametrize("name", NAMES)
def test_golden_packets_are_read_back_as_they_were_written(name: str) -> None:
    content = golden(name)
    header, body = unpack(base64.b64decode(content["packet"]))
    for spec, (key, column) in zip(header["columns"], content["columns"].items(), strict=True):
        found = numbers(body, spec, header["rows"])
        assert spec["key"] == key
        np.testing.assert_array_equal(found, np.array([float(v) for v in column["values"]], found.dtype))


def test_there_are_golden_packets_of_each_kind() -> None:
    kinds = {golden(name)["header"]["kind"] for name in NAMES}
    assert kinds == {"snapshot", "update"}


# ---------------------------------------------------------------------- fields

_INTERFACE = re.compile(r"export (?:interface|type) (\w+) (?:= )?\{\n(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"^  (\w+)(\?)?: ", re.MULTILINE)
_PARTS = {
    "head": "Head",
    "series": "Series",
    "groups": "Group",
    "watched": "Watched",
    "phases": "Phase",
    "events": "RunEvent",
    "facts": "Fact",
    "captions": "Caption",
    "answers": "Answer",
    "frames": "FrameSpec",
    "frame_error": "FrameError",
    "file": "FileSpec",
    "detail": "Detail",
    "columns": "ColumnSpec",
}


def interfaces(file: str) -> dict[str, dict[str, bool]]:
    """Return the interfaces of a TypeScript file: from the name to its fields, each with whether it must be there."""
    text = (JS / file).read_text(encoding="utf-8")
    return {name: {field: not mark for field, mark in _FIELD.findall(body)} for name, body in _INTERFACE.findall(text)}


def rich_packets() -> list[bytes]:
    """Return packets in which everything occurs that the kernel can say."""

    def objective(x: Any) -> Any:
        xi.event("deep")
        return xi.watch(x, "height", "m") ** 2

    runs = []
    for name, start in (("a", 3.0), ("b", 2.0)):
        with xi.record(name, problem=xi.Problem(name, parameters={"x": xi.Parameter(bounds=(0, None))})) as run:
            for k in range(6):
                grad(objective)(start / 2**k)
        runs.append(run)
    run, writer, sent = runs[0], Writer(offer=Offer("m:1b", "", "It is downloaded.")), packets.Sent()
    first = run.captions[0]
    worded = replace(first.sentences[0], source="m:1b", checked="in full", built_in="It fell.")
    caption = caption_for_view(replace(first, sentences=(worded,)), "a1", [])
    return [
        packets.snapshot(run, sent, writer, [Frame(0, b"png")]),
        packets.update(run, packets.Sent(), writer, explain=True),
        packets.rows_update(run, sent, 1, (2, 3)),
        packets.head_update(run, sent, writer),
        packets.words(run, sent, writer, {"answers": [{"request": 1, "caption": caption}]}),
        packets.frame_update(run, sent, Frame(0, error="no")),
        packets.file_update(run, sent, 1, File("a", "b", b"c")),
        packets.file_update(run, sent, 1, "no"),
        xi.compare(*runs).snapshot(),
    ]


def test_each_field_that_is_sent_is_one_that_the_front_end_knows_and_none_is_missing() -> None:
    known = interfaces("protocol.ts")
    seen: set[str] = set()
    for packet in rich_packets():
        header = unpack(packet)[0]
        assert_fields(header, known["Header"], "Header")
        for part, interface in _PARTS.items():
            if part not in header:
                continue
            entries = header[part] if isinstance(header[part], list) else [header[part]]
            for entry in entries:
                assert_fields(entry, known[interface], interface)
                seen.add(part)
        if pull := header.get("head", {}).get("writer", {}).get("pull"):
            assert_fields(header["head"]["writer"], known["Writer"], "Writer")
            assert_fields(pull, known["Pull"], "Pull")
            seen.add("pull")
        for caption in [*header.get("captions", []), *(answer["caption"] for answer in header.get("answers", []))]:
            for sentence in caption["sentences"]:
                assert_fields(sentence, known["Sentence"], "Sentence")
                for claim in sentence["claims"]:
                    assert_fields(claim, known["Claim"], "Claim")
                    seen.add("claims")
    assert seen == {*_PARTS, "claims", "pull"}, "each part occurred"
    assert known["Header"].keys() - {"version", "kind", "sequence", "run", "rows", "events_total"} == set(_PARTS)


def assert_fields(entry: dict[str, Any], fields: dict[str, bool], name: str) -> None:
    assert entry.keys() <= fields.keys(), f"{name}: the front end does not know {entry.keys() - fields.keys()}"
    needed = {field for field, required in fields.items() if required}
    assert needed <= entry.keys(), f"{name}: the front end expects {needed - entry.keys()}"


def test_the_traits_are_those_of_the_front_end() -> None:
    import anywidget

    of_host = set(anywidget.AnyWidget.class_trait_names()) | {"_esm", "_anywidget_id"}
    with xi.record() as run:
        pass
    synced = {name for name, trait in run.widget().traits(sync=True).items() if isinstance(trait, traitlets.TraitType)}
    assert synced - of_host == interfaces("model.ts")["Traits"].keys()


def test_each_request_of_the_front_end_is_one_that_the_widget_answers() -> None:
    text = (JS / "protocol.ts").read_text(encoding="utf-8")
    asked = set(re.findall(r'\| \{ type: "(\w+)"', text))
    source = Path(RunWidget._on_request.__code__.co_filename).read_text(encoding="utf-8")
    assert asked == set(re.findall(r'kind == "(\w+)"', source.partition("def _file")[0]))


def test_the_kernel_says_that_it_is_there_also_while_a_run_goes_on() -> None:
    with xi.record() as run:
        grad(lambda x: x**2)(3.0)
        widget, said = run.widget(), []
        widget.send = lambda content, buffers=None: said.append(content)  # type: ignore[method-assign]
        widget._on_request(widget, {"type": "hello"}, [])
    assert said == [{"type": "here"}]
