"""What the browser is sent: packets that decode to the recording, whatever is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from autograd import grad
from autograd import numpy as anp

import xinv_nb as xi
from tests.packet import numbers, unpack
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.view import packets
from xinv_nb.view.head import Writer, state_in_words


def recorded(points: list[float], objective: Any = lambda x: x**2, **kwargs: Any) -> xi.Run:
    with xi.record("run", **kwargs) as run:
        for x in points:
            grad(objective)(x)
    return run


def columns(packet: bytes) -> dict[str, np.ndarray]:
    header, body = unpack(packet)
    return {spec["key"]: numbers(body, spec, header["rows"]) for spec in header["columns"]}


def test_a_snapshot_holds_the_recording() -> None:
    run = recorded([3.0, 2.0, float("nan")])
    found = columns(packets.snapshot(run, packets.Sent(), Writer()))
    np.testing.assert_array_equal(found["loss"], [9.0, 4.0, np.nan])
    np.testing.assert_array_equal(found["p0"], [3.0, 2.0, np.nan])
    np.testing.assert_array_equal(found["g0"], np.float32([6.0, 4.0, np.nan]))
    np.testing.assert_array_equal(found["iteration"], [0, 1, 2])


def test_a_gradient_too_large_for_the_packet_is_sent_as_infinite_without_a_warning() -> None:
    run = recorded([1e50], lambda x: x**4)
    assert columns(packets.snapshot(run, packets.Sent(), packets.Writer()))["g0"][0] == np.inf


def test_updates_carry_each_evaluation_once() -> None:
    sent, seen = packets.Sent(), []
    with xi.record("run") as run:
        for i in range(30):
            grad(lambda x: x**2)(float(i))
            if i % 7 == 6:
                seen += list(columns(packets.update(run, sent, Writer()))["p0"])
    seen += list(columns(packets.update(run, sent, Writer()))["p0"])
    assert seen == list(range(30))


def test_another_objective_that_overtakes_is_sent_from_its_start() -> None:
    sent, packed = packets.Sent(), []
    with xi.record("run") as run:
        for first, second in ((3, 0), (0, 2), (0, 4), (0, 1)):
            for i in range(first):
                grad(lambda x: x**2)(float(i))
            for i in range(second):
                grad(lambda y: y**4)(10.0 + i)
            packed.append(packets.update(run, sent, Writer()))
    kinds = [unpack(packet)[0]["kind"] for packet in packed]
    assert kinds == ["update", "update", "snapshot", "update"]
    assert [list(columns(packet)["p0"]) for packet in packed[2:]] == [[10, 11, 10, 11, 12, 13], [10]]
    sequence = [unpack(packet)[0]["sequence"] for packet in packed]
    assert sequence == sorted(set(sequence))
    assert unpack(packed[2])[0]["series"][0]["name"] == "y"


def test_a_long_run_is_thinned_with_its_end_and_the_view_is_told() -> None:
    run = recorded([float(i) for i in range(packets.MOST_ROWS // 100)])
    header, _ = unpack(packets.snapshot(run, packets.Sent(), Writer()))
    assert header["head"]["thinned"] == 1
    update = packets.update(run, packets.Sent(), Writer(), most_bytes=20 * 29)
    found = columns(update)["iteration"]
    assert len(found) <= 22
    assert found[-1] == run.evaluations - 1


def test_no_spike_of_the_loss_is_lost_by_thinning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "MOST_ROWS", 50)
    points = [1.0] * 1000
    points[333], points[777], points[500] = 40.0, 0.0, float("nan")
    found = columns(packets.snapshot(recorded(points), packets.Sent(), Writer()))
    assert len(found["loss"]) <= 60
    assert {333, 500, 777, 999} <= set(found["iteration"])
    assert (np.diff(found["iteration"]) > 0).all()
    np.testing.assert_array_equal(found["p0"], np.array(points)[found["iteration"].astype(int)])


def test_what_a_long_run_drew_keeps_its_extremes_however_few_rows_are_sent() -> None:
    rng = np.random.default_rng(3)
    with xi.record("run") as run:
        for k in range(3200):
            x = rng.normal(size=3) + (40.0 if k == 1234 else 0.0)
            steep = 1e6 if k == 2222 else 0.0
            grad(lambda x, steep=steep: xi.watch(anp.sum(x), "sum") ** 2 + steep * x[2])(x)
    found = columns(packets.snapshot(run, packets.Sent(), Writer(), detail=packets.Detail(bytes=40_000)))
    rows = found["iteration"].astype(int)
    assert 200 < len(rows) <= 40_000 // 73
    assert {0, 1234, 2222, 3199} <= set(rows)
    for key, whole in {"loss": run.loss, "p1": run.parameters["x"][:, 1], "g2": run.gradients["x"][:, 2]}.items():
        for stretch in np.arange(3200).reshape(4, 800):
            seen = found[key][np.isin(rows, stretch)]
            np.testing.assert_allclose([seen.min(), seen.max()], [whole[stretch].min(), whole[stretch].max()])


def test_a_part_of_a_long_run_is_sent_with_every_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "MOST_ROWS", 50)
    run, sent = recorded([float(i) for i in range(1000)]), packets.Sent()
    packets.snapshot(run, sent, Writer())
    packet = packets.rows_update(run, sent, 7, (960, 2000))
    header, _ = unpack(packet)
    assert header["detail"] == {"request": 7, "span": [960, 999], "thinned": 1}
    np.testing.assert_array_equal(columns(packet)["p0"], np.arange(960, 1000))
    header, _ = unpack(packets.rows_update(run, sent, 8, (0, 499)))
    assert 10 <= header["detail"]["thinned"] <= 12


def test_the_view_goes_on_saying_that_a_run_was_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "MOST_ROWS", 50)
    run, sent = recorded([float(i) for i in range(1000)]), packets.Sent()
    packets.snapshot(run, sent, Writer())
    for later in (packets.words(run, sent, Writer()), packets.update(run, sent, Writer(), explain=True)):
        assert unpack(later)[0]["head"]["thinned"] > 1


def test_words_that_json_and_html_mind_come_through() -> None:
    name = '<b>θ₁ "温度" \\ \u2028'
    problem = xi.Problem(name, parameters={"x": xi.Parameter(name)})
    run = recorded([2.0, 1.0], problem=problem)
    header, _ = unpack(packets.snapshot(run, packets.Sent(), Writer()))
    assert header["head"]["title"] == name
    assert header["series"][0]["label"] == name
    marked = [part for caption in header["captions"] for part in caption["parts"] if part["kind"] == "name"]
    assert {part["text"] for part in marked} == {name}


def test_captions_are_cut_into_parts_without_loss() -> None:
    run = recorded([2.0, 1.0, 0.5, 1e-9])
    header, _ = unpack(packets.snapshot(run, packets.Sent(), Writer()))
    for caption, shown in zip(run.captions, header["captions"], strict=True):
        assert "".join(part["text"] for part in shown["parts"]) == caption.text


def test_events_that_are_not_listed_are_counted() -> None:
    run = recorded([3.0, 2.0, 1.0], lambda x: xi.event(f"at {x}") or x**2)
    header, _ = unpack(packets.snapshot(run, packets.Sent(), packets.Writer(), detail=packets.Detail(events=2)))
    assert len(header["events"]) == 2
    everything, _ = unpack(packets.snapshot(run, packets.Sent(), packets.Writer()))
    assert header["events_total"] == everything["events_total"] == len(everything["events"]) > 2


def eventful(evaluations: int) -> Any:
    """Record a run in which it rains now and then, and a wall is cleared from evaluation 100 on, to the end."""

    def throw(x: Any) -> Any:
        if x >= 100:
            xi.event("the ball clears the wall")
        if x % 50 < 2:
            xi.event("it rains")
        return x**2

    return recorded([float(k) for k in range(evaluations)], throw)


def test_of_very_many_events_those_that_are_cited_or_in_the_lanes_are_listed_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packets, "MOST_EVENTS", 100)
    run = eventful(1000)
    detail = packets.Detail(events=100)
    header, _ = unpack(packets.snapshot(run, packets.Sent(), Writer(), detail=detail))
    assert len(header["events"]) == 100 < header["events_total"]
    listed = {event["id"]: event["evaluation"] for event in header["events"]}
    assert list(listed.values()) == sorted(listed.values())
    cited = {cite for said in [*header["facts"], *header["captions"]] for cite in said["cites"] if cite[0] == "e"}
    assert cited <= listed.keys()
    rain = [e["evaluation"] for e in header["events"] if e["lane"] and e["text"] == "it rains"]
    assert rain[0] == 0
    assert rain[-1] >= 950


def test_lanes_go_on_growing_live_past_the_events_that_the_table_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "MOST_EVENTS", 60)
    sent, told = packets.Sent(), []
    run = eventful(1000)
    RunWriter(run).end("running")
    while sent.events < run.event_count:
        told += unpack(packets.update(run, sent, Writer()))[0]["events"]
    marks = [event["evaluation"] for event in told if event["lane"] and event["text"] == "it rains"]
    assert marks == [50 * k for k in range(20)]
    assert len(told) < 150


def test_a_page_that_is_loaded_anew_during_a_run_does_not_mark_what_goes_on_as_beginning() -> None:
    sent = packets.Sent()
    with xi.record("run") as run:
        for k in range(60):
            grad(lambda x: xi.event("it rains") or x**2)(3.0)
            if k == 5:
                packets.update(run, sent, Writer())
            if k == 40:
                packets.snapshot(run, sent, Writer())
        header, _ = unpack(packets.update(run, sent, Writer()))
    rain = [event for event in header["events"] if event["text"] == "it rains"]
    assert rain
    assert not any(event["lane"] for event in rain)


def test_an_event_that_is_cited_later_comes_with_what_cites_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "MOST_EVENTS", 5)
    run, sent = eventful(300), packets.Sent()
    packets.snapshot(run, sent, Writer(), detail=packets.Detail(events=5))
    wanted = next(event.id for event in run.events if event.evaluation == 222)
    answers: Any = [{"request": 1, "caption": {"cites": [wanted, "F1"]}}]
    header, _ = unpack(packets.words(run, sent, Writer(), answers))
    assert wanted in {event["id"] for event in header["events"]}
    assert unpack(packets.words(run, sent, Writer(), answers))[0]["events"] == [], "once"


def test_lanes_mark_where_an_event_begins_turns_or_ends() -> None:
    def bumpy(x: Any) -> Any:
        if 3 <= x < 6:
            xi.event("on the bump")
        return (x - 6.5) ** 2

    run = recorded([float(i) for i in range(10)], bumpy)
    header, _ = unpack(packets.snapshot(run, packets.Sent(), Writer()))
    marks = {(e["phase"], e["evaluation"]) for e in header["events"] if e["lane"]}
    assert marks == {("forward", 3), ("forward", 5), ("backward", 0), ("backward", 7)}


@pytest.mark.parametrize(
    ("points", "status", "tone", "state"),
    [
        ([], None, "neutral", "nothing recorded"),
        ([1.0], None, "neutral", "finished · 1 iteration"),
        ([4.0, 2.0, float("nan"), float("nan")], None, "bad", "not a number from iteration 2"),
        ([4.0, 2.0], KeyboardInterrupt(), "warning", "interrupted at 2"),
        ([4.0, 2.0], ValueError("x"), "bad", "failed: ValueError"),
    ],
)
def test_the_state_is_told_in_words(points: list[float], status: Any, tone: str, state: str) -> None:
    try:
        with xi.record() as run:
            for x in points:
                grad(lambda x: x**2)(x)
            if status is not None:
                raise status
    except (KeyboardInterrupt, ValueError):
        pass
    assert state_in_words(run) == (tone, state)


def test_many_parameters_are_all_sent_and_the_most_moved_shown() -> None:
    with xi.record() as run:
        for k in range(5):
            grad(lambda x: anp.sum(x**2))(np.arange(20.0) * k)
    header, _ = unpack(packets.snapshot(run, packets.Sent(), Writer()))
    assert [s["key"] for s in header["series"] if s["shown"]] == list(range(12, 20))
    assert len(header["series"]) == 20


def test_watched_quantities_travel_with_what_the_gradient_asks_of_them() -> None:
    def throw(x: Any) -> Any:
        height = xi.watch(x * 3, "height", "m")
        for k in range(3):
            xi.watch(x * k, "speed", "m/s", at=0.1 * k)
        if x > 2:
            xi.watch(x + 1, "wind")
        xi.watch(anp.array([1.0, 5.0]) * x, "profile", "N")
        return (height - 3) ** 2

    run = recorded([3.0, 2.0, 1.0], throw)
    packet = packets.snapshot(run, packets.Sent(), Writer())
    watched = unpack(packet)[0]["watched"]
    assert [(w["name"], w["unit"], w["several"]) for w in watched] == [
        ("height", "m", False),
        ("speed", "m/s", True),
        ("wind", "", False),
        ("profile", "N", True),
    ]
    found = columns(packet)
    np.testing.assert_array_equal(found["w0"], [9, 6, 3])
    np.testing.assert_array_equal(found["d0"], [12, 6, 0])
    np.testing.assert_array_equal(found["w1"], [0, 0, 0])
    np.testing.assert_array_equal(found["h1"], [6, 4, 2])
    np.testing.assert_array_equal(found["w2"], [4, np.nan, np.nan])
    np.testing.assert_array_equal(found["w3"], [3, 2, 1])
    np.testing.assert_array_equal(found["h3"], [15, 10, 5])
    assert "h0" not in found


def test_live_updates_of_watched_quantities_join_to_what_a_snapshot_holds() -> None:
    sent, seen, told = packets.Sent(), [], []

    def throw(x: Any) -> Any:
        for k in range(1 if x > 12 else 2):
            xi.watch(x * (k + 1), "speed")
        return x**2

    with xi.record("run") as run:
        for i in range(30):
            grad(throw)(30.0 - i)
            if i % 7 == 6:
                packet = packets.update(run, sent, Writer())
                seen += list(columns(packet)["w0"])
                told.append(unpack(packet)[0].get("watched"))
    seen += list(columns(packets.update(run, sent, Writer()))["w0"])
    np.testing.assert_array_equal(seen, columns(packets.snapshot(run, packets.Sent(), Writer()))["w0"])
    assert [told[0][0]["several"], told[1], told[2][0]["several"], told[3]] == [False, None, True, None]


def test_a_watched_quantity_of_a_long_run_that_was_thinned_has_no_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinv_nb.recorded.columns.WATCHED_LIMIT", 20)
    run = recorded([float(i) for i in range(50)], lambda x: xi.watch(x * 2, "height") ** 2)
    found = columns(packets.snapshot(run, packets.Sent(), Writer()))["w0"]
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()
    assert found[-1] == 98


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (lambda x: xi.watch(x**2, "travel time", "min"), ("travel time", "min")),
        (lambda x: xi.watch(x, "height", "m") ** 2, ("loss", "")),
    ],
)
def test_the_loss_is_called_what_the_program_calls_it(objective: Any, expected: tuple[str, str]) -> None:
    header, _ = unpack(packets.snapshot(recorded([3.0, 2.0], objective), packets.Sent(), Writer()))
    assert (header["head"]["loss_label"], header["head"]["loss_unit"]) == expected
    assert [w["shown"] for w in header["watched"]] == [expected[0] == "loss"], "no second plot of the loss"


def test_the_loss_has_the_name_of_its_function() -> None:
    def travel_time(x: Any) -> Any:
        return x**2

    header, _ = unpack(packets.snapshot(recorded([3.0], travel_time), packets.Sent(), Writer()))
    assert header["head"]["loss_label"] == "travel time"


def test_a_live_message_is_small_however_fast_the_run_and_however_many_its_parameters() -> None:
    sent = packets.Sent()
    with xi.record("run") as run:
        for _ in range(400):
            grad(lambda x: xi.watch(anp.sum(x**2), "energy"))(np.ones(30))
    assert len(packets.update(run, sent, Writer(), frames=())) < 40_000, "the first one, with all names"
    with xi.record("run") as more:
        for k in range(2000):
            grad(lambda x: xi.watch(anp.sum(x**2), "energy"))(np.full(30, 1.0 + k))
            if k == 0:
                packets.update(more, sent := packets.Sent(), Writer())
    assert len(packets.update(more, sent, Writer())) < 24_000


def test_a_burst_of_events_is_spread_over_messages_and_none_is_lost() -> None:
    def loud(x: Any) -> Any:
        for k in range(7):
            xi.event(f"gate {k} is passed")
        return x**2

    sent, told = packets.Sent(), []
    with xi.record("run") as run:
        for _ in range(30):
            grad(loud)(3.0)
        while sent.events < len(run.events):
            told.append(unpack(packets.update(run, sent, Writer()))[0]["events"])
    assert len(run.events) > 200
    assert max(map(len, told)) < 100
    assert [event["id"] for events in told for event in events] == [event.id for event in run.events]


def exported(run: xi.Run, kind: str) -> dict[str, Any]:
    """Ask the widget for a file as the browser does; returns its answer, with the file's bytes."""
    widget, sent = run.widget(), []
    widget.send = lambda content, buffers: sent.append(buffers[0])  # type: ignore[method-assign]
    widget._on_request(widget, {"type": "file", "request": 7, "format": kind}, [])
    header, body = unpack(sent[0])
    answer: dict[str, Any] = header["file"] if "file" in header else header["failure"]
    assert answer["request"] == 7
    return answer | {"content": body[answer["offset"] :][: answer["length"]] if "offset" in answer else b""}


def test_the_browser_gets_the_files_that_it_asks_for(tmp_path: Path) -> None:
    run = recorded([3.0, 2.0])
    page = exported(run, "page")
    assert (page["name"], page["type"]) == ("run.html", "text/html")
    assert b"</html>" in page["content"]
    assert exported(run, "picture")["content"].startswith(b"\x89PNG")
    path = tmp_path / "back.npz"
    path.write_bytes(exported(run, "data")["content"])
    np.testing.assert_array_equal(xi.load(path).loss, run.loss)
    assert "cannot be exported as 'poem'" in exported(run, "poem")["text"]
    RunWriter(run).end("running")
    assert "once it has ended" in exported(run, "page")["text"]


def test_of_a_large_array_those_entries_travel_that_moved_most_for_the_reader_to_choose() -> None:
    speeds = np.linspace(0, 1, 500)[::-1]
    with xi.record("wide") as run:
        for k in range(20):
            grad(lambda w: anp.sum(w**2))(speeds * k)
        header, _ = unpack(packets.update(run, packets.Sent(), Writer()))
        assert [s["label"] for s in header["series"]] == ["w (rms)"], "which moved most is not known yet"
    packet = packets.snapshot(run, sent := packets.Sent(), Writer())
    header, found = unpack(packet)[0], columns(packet)
    assert [s["name"] for s in header["series"]] == ["w", *(f"w[{k}]" for k in range(32))]
    assert [s["shown"] for s in header["series"]] == [True] + 32 * [False]
    assert len({s["group"] for s in header["series"]}) == 1
    np.testing.assert_array_equal(found["p3"], speeds[2] * np.arange(20))
    np.testing.assert_array_equal(columns(packets.rows_update(run, sent, 1, (3, 4)))["p3"], speeds[2] * np.arange(3, 5))
