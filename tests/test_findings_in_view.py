"""What is wrong stands above the explanation in the view, once; the record of a run says it in its text."""

from __future__ import annotations

import warnings

import numpy as np
from autograd import grad
from autograd import numpy as anp

import xinv_nb as xi
from tests.example_runs import EXAMPLES
from tests.packet import unpack
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run
from xinv_nb.view import packets
from xinv_nb.view.head import Writer
from xinv_nb.view.record import record_bundle


def header_of(run: Run) -> dict[str, object]:
    return unpack(packets.snapshot(run, packets.Sent(), Writer()))[0]


def said(parts: list[dict[str, str]]) -> str:
    return "".join(part["text"] for part in parts)


def test_a_finding_is_sent_with_its_advice_and_is_not_said_again_in_the_summary() -> None:
    run = EXAMPLES["nan_at_k"]()
    (finding,) = run.diagnosis
    header = header_of(run)
    (shown,) = header["findings"]
    assert (shown["heading"], tuple(shown["span"])) == ("Warning", finding.span)
    assert (said(shown["text"]), said(shown["advice"])) == (finding.text, finding.advice)
    assert {"kind": "number", "text": "8"} in shown["text"]
    assert set(shown["cites"]) <= {event["id"] for event in header["events"]}
    summary = header["captions"][0]
    assert run.captions[0].heading == "Summary: what is wrong"
    assert summary["heading"] == "Summary"
    assert finding.text not in said(summary["parts"])
    assert finding.advice not in said(summary["parts"])
    assert run.captions[0].text == f"{finding.text} {finding.advice} {said(summary['parts'])}"
    assert set(summary["cites"]) <= set(run.captions[0].cites)


def roots(mute: str = "") -> Run:
    with warnings.catch_warnings(), xi.record(mute=mute) as run:
        warnings.simplefilter("ignore")
        x = 4.0
        for _ in range(6):
            x = x - grad(lambda x: anp.sqrt(x) + x)(x)
    return run


def test_what_a_finding_says_is_not_said_again_at_the_foot_of_the_view() -> None:
    run = roots()
    assert [finding.kind for finding in run.diagnosis] == ["not-finite"]
    assert "not finite" in run.notices[0]
    assert header_of(run)["head"]["notices"] == []
    other = roots(mute="not-finite")
    assert header_of(other)["head"]["notices"] == list(other.notices)


def test_a_notice_of_something_else_stays_beside_a_finding() -> None:
    run = roots()
    RunWriter(run).notice("The scene is out of paint.")
    assert header_of(run)["head"]["notices"] == ["The scene is out of paint."]


def test_where_nothing_else_is_to_be_said_there_is_no_summary() -> None:
    with xi.record() as run:
        run.add(np.nan, 1.0, gradients=1.0)
    header = header_of(run)
    assert header["findings"]
    assert all(said(caption["parts"]) for caption in header["captions"])


def test_of_a_healthy_run_there_is_nothing_above_the_explanation() -> None:
    run = EXAMPLES["rosenbrock_bfgs"]()
    header = header_of(run)
    assert header["findings"] == []
    assert said(header["captions"][0]["parts"]) == run.captions[0].text


def test_the_record_says_what_is_wrong_without_a_script() -> None:
    run = EXAMPLES["nan_at_k"]()
    (finding,) = run.diagnosis
    bundle = record_bundle(run)
    assert "Summary: what is wrong" in bundle["text/html"]
    assert f"{finding.text} {finding.advice}" in bundle["text/plain"]
