"""One wire, two languages: golden packets that pytest and vitest both read, and types that both are made of.

After a change of the layout, `XINV_UPDATE_GOLDEN=1 pytest tests/test_protocol.py` writes the golden packets anew.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import numpy as np
import pytest
import traitlets
from autograd import grad
from autograd.misc.optimizers import adam

import xinv_nb as xi
from tests.packet import numbers, unpack
from xinv_nb.view import messages, packets, protocol
from xinv_nb.view.downloading import Offer
from xinv_nb.view.export import File
from xinv_nb.view.head import Writer
from xinv_nb.view.requests import read_request
from xinv_nb.view.scene import Frame
from xinv_nb.view.texts import caption_for_view
from xinv_nb.view.widget import RunWidget
from xinv_nb.view.wire import VERSION, Body, pack

GOLDEN = Path(__file__).parent / "golden"
JS = Path(__file__).parent.parent / "js"
NAMES = [path.stem for path in sorted(GOLDEN.glob("*.json"))]


def golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return content


def packed(content: dict[str, Any]) -> bytes:
    """Return the packet that a golden text describes; numbers that JSON does not know are strings in it."""
    body = Body(in_planes=content.get("in_planes", False))
    header: Any = {"version": VERSION, **content["header"]}
    header["columns"] = [
        body.column(key, column["type"], np.array([float(value) for value in column["values"]]))
        for key, column in content["columns"].items()
    ]
    for frame, spec in zip(content["frames"], header.get("frames", []), strict=True):
        spec["offset"], spec["length"] = body.add(bytes.fromhex(frame)), len(frame) // 2
    for name, carried in content["files"].items():
        header[name]["offset"], header[name]["length"] = body.add(bytes.fromhex(carried)), len(carried) // 2
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


# ---------------------------------------------------------------------- types


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("made_protocol", JS / "dev" / "protocol.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its data classes look themselves up there
    spec.loader.exec_module(module)
    return module


def test_the_types_of_the_front_end_are_those_of_the_kernel() -> None:
    generated = generator()
    for path, text in generated.made().items():
        assert path.read_text(encoding="utf-8") == text, "run js/dev/protocol.py"


def test_python_types_are_said_in_typescript_with_their_texts() -> None:
    source = '''
class _Mark(TypedDict):
    at: tuple[int, float | None]
    """Where
    it is."""
    ways: Sequence[Literal["up", "down"]]

class Mark(_Mark, total=False):
    """A mark."""

    more: Mapping[str, bool] | None

Any = Mark | Span
"""One of both."""
'''
    _, made = generator().typescript(source).split("\n\n", 1)
    assert (
        made
        == """\
/** A mark. */
export interface Mark {
  /** Where it is. */
  at: readonly [number, number | null];
  ways: ("up" | "down")[];
  more?: Record<string, boolean> | null;
}

/** One of both. */
export type Any = Mark | Span;
"""
    )


def misfits(value: Any, wanted: Any, place: str, seen: set[str]) -> list[str]:
    """Return where a message is not of the type that is declared; notes in `seen` which fields occurred."""
    kind, inner = get_origin(wanted), get_args(wanted)
    if is_typeddict(wanted):
        if not isinstance(value, dict):
            return [f"{place}: {value!r}"]
        fields = get_type_hints(wanted)
        found = [f"{place}: {name} is not declared" for name in value.keys() - fields.keys()]
        found += [f"{place}: {name} is missing" for name in wanted.__required_keys__ - value.keys()]
        seen |= {f"{wanted.__name__}.{name}" for name in value}
        known = value.keys() & fields.keys()
        return found + [e for name in known for e in misfits(value[name], fields[name], f"{place}.{name}", seen)]
    if kind is Literal:
        return [] if value in inner else [f"{place}: {value!r}"]
    if kind is UnionType:
        return [] if any(not misfits(value, each, place, seen) for each in inner) else [f"{place}: {value!r}"]
    if kind is tuple and isinstance(value, list) and len(value) == len(inner):
        return [e for each, of in zip(value, inner, strict=True) for e in misfits(each, of, place, seen)]
    if kind is Sequence and isinstance(value, list):
        return [error for each in value for error in misfits(each, inner[0], place, seen)]
    if kind is Mapping and isinstance(value, dict):
        return [error for each in value.values() for error in misfits(each, inner[1], place, seen)]
    plain = (int, float) if wanted is float else wanted
    fits = kind is None and isinstance(value, plain) and (wanted is bool or not isinstance(value, bool))
    return [] if fits else [f"{place}: {value!r}"]


def declared(message: Any) -> set[str]:
    """Return the fields of a message and of all that it is made of."""
    if not is_typeddict(message):
        return {field for inner in get_args(message) for field in declared(inner)}
    fields = get_type_hints(message)
    names = {f"{message.__name__}.{name}" for name in fields}
    return names.union(*(declared(each) for each in fields.values()))


def rich_packets() -> list[bytes]:
    """Return packets in which everything occurs that the kernel can say."""

    def objective(x: Any) -> Any:
        xi.event("deep")
        if x < 1:
            xi.event("near")
        return xi.watch(x, "height", "m") ** 2

    runs = []
    for name, start in (("a", 3.0), ("b", 2.0)):
        with xi.record(name, problem=xi.Problem(name, parameters={"x": xi.Parameter(bounds=(0, None))})) as run:
            for k in range(6):
                grad(objective)(start / 2**k)
        runs.append(run)
    with xi.record("broken") as broken, np.errstate(all="ignore"):
        for x in (4.0, 1.0, -2.0):
            broken.add(np.sqrt(x), x, gradients=0.5)
    run, writer, sent = runs[0], Writer(offer=Offer("m:1b", "", "It is downloaded.")), packets.Sent()
    first = run.captions[0]
    worded = replace(first.sentences[0], source="m:1b", checked="in full", built_in="It fell.")
    caption = caption_for_view(replace(first, sentences=(worded,)), "a1", [])
    return [
        packets.snapshot(run, sent, writer, [Frame(0, b"png")]),
        packets.update(run, packets.Sent(), writer, explain=True),
        packets.rows_update(run, sent, 1, (2, 3)),
        packets.reasons_update(run, sent, (2, 3)),
        packets.head_update(run, sent, writer),
        packets.words(run, sent, writer, [{"request": 1, "caption": caption}]),
        packets.frame_update(run, sent, Frame(0, error="no")),
        packets.file_update(run, sent, 1, File("a", "b", b"c")),
        packets.other_runs_update(run, sent, 1, runs[1:]),
        packets.comparison_update(run, sent, 1, b"c"),
        packets.failure_update(run, sent, 1, "no"),
        packets.snapshot(broken, packets.Sent(), writer),
        xi.compare(*runs).snapshot(),
        packets.snapshot(of_two_fits(), packets.Sent(), writer),
        packets.snapshot(of_two_watches(), packets.Sent(), writer),
        packets.update(of_two_calls(), packets.Sent(), writer),
        packets.snapshot(run, packets.Sent(objectives={"names": ["a", "b"], "shown": 1}), writer),
    ]


def of_two_fits() -> xi.Run:
    with xi.record() as run:
        for rate in (0.1, 0.4):
            x = 4.0
            for _ in range(8):
                x -= rate * grad(lambda x: x**2)(x)
    return run


def of_two_watches() -> xi.Run:
    def objective(x: Any) -> Any:
        return xi.watch((x - 5.0) ** 2, "misfit") + xi.watch(2 * x, "price", "€")

    with xi.record() as run:
        x = 0.0
        for _ in range(30):
            x = x - 0.1 * grad(objective)(x)
    return run


def of_two_calls() -> xi.Run:
    with xi.record() as run:
        for _ in range(2):
            adam(lambda x, _: grad(lambda x: x**2)(x), 3.0, num_iters=3)
    return run


def test_each_packet_is_what_its_type_says_and_each_field_is_sent_by_some() -> None:
    seen: set[str] = set()
    for packet in rich_packets():
        assert misfits(unpack(packet)[0], protocol.Header, "header", seen) == []
    assert seen == declared(protocol.Header)


def test_the_traits_are_those_of_the_front_end() -> None:
    import anywidget

    of_host = set(anywidget.AnyWidget.class_trait_names()) | {"_esm", "_anywidget_id"}
    with xi.record() as run:
        pass
    synced = {name for name, trait in run.widget().traits(sync=True).items() if isinstance(trait, traitlets.TraitType)}
    (traits,) = re.findall(
        r"export type Traits = \{\n(.*?)\n\}", (JS / "src" / "model.ts").read_text("utf-8"), re.DOTALL
    )
    assert synced - of_host == set(re.findall(r"^  (\w+): ", traits, re.MULTILINE))


def test_each_request_of_the_front_end_is_one_that_the_widget_answers() -> None:
    asked = {get_args(get_type_hints(message)["type"])[0] for message in get_args(messages.ToKernel)}
    source = Path(RunWidget._on_request.__code__.co_filename).read_text(encoding="utf-8")
    assert asked == set(re.findall(r'message\["type"\] == "(\w+)"', source))


@pytest.mark.parametrize(
    "content",
    [
        None, [], "ask", {}, {"type": "poem"}, {"type": ["ask"]}, {"type": "packet"}, {"type": "scene"},
        {"type": "scene", "iteration": "3"}, {"type": "scene", "iteration": float("inf")},
        {"type": "rows", "request": 1}, {"type": "rows", "request": 1, "span": [1, 2, 3]},
        {"type": "explain", "span": "12"}, {"type": "compare", "request": 1, "runs": "all"},
        {"type": "compare", "request": 1, "runs": [1]}, {"type": "pull", "cancel": "no"},
        {"type": "ask", "request": 1, "question": 7, "span": None},
    ],
)  # fmt: skip
def test_what_is_no_request_of_the_protocol_is_not_answered(content: object) -> None:
    assert read_request(content) is None
    with xi.record() as run:
        grad(lambda x: x**2)(3.0)
    widget, said = run.widget(), []
    widget.send = lambda *message: said.append(message)  # type: ignore[method-assign]
    widget._on_request(widget, content, [])
    assert said == []


def test_requests_are_read_with_the_fields_that_are_declared() -> None:
    asked = {"type": "ask", "request": 4, "question": "why?", "span": [3, 9.0], "more": 1}
    assert read_request(asked) == {"type": "ask", "request": 4, "question": "why?", "span": (3, 9)}
    assert read_request({**asked, "span": None}) == {"type": "ask", "request": 4, "question": "why?", "span": None}
    assert read_request({"type": "compare", "request": 1, "runs": ["a"]}) == {
        "type": "compare",
        "request": 1,
        "runs": ["a"],
    }


def test_the_kernel_says_that_it_is_there_also_while_a_run_goes_on() -> None:
    with xi.record() as run:
        grad(lambda x: x**2)(3.0)
        widget, said = run.widget(), []
        widget.send = lambda content, buffers=None: said.append(content)  # type: ignore[method-assign]
        widget._on_request(widget, {"type": "hello"}, [])
    assert said == [{"type": "here"}]
