"""Kinds of findings can be muted, in a program, in a cell and for a session; what they make untrue stays silent."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import xinv_nb as xi
from xinv_nb import magic

BROKEN = """
for x in (4.0, 1.0, -2.0):
    run.add(x**0.5 if x > 0 else float("nan"), x, gradients=0.5)
"""


def broken(**options) -> xi.Run:
    with xi.record(**options) as run:
        exec(BROKEN, {"run": run})
    return run


@pytest.mark.parametrize("mute", [("not-finite",), ["not-finite"], "not-finite"])
def test_a_muted_kind_is_not_told(mute, tmp_path):
    assert [finding.kind for finding in broken().diagnosis] == ["not-finite"]
    run = broken(mute=mute)
    assert not run.diagnosis
    assert "finding" not in {fact.kind for fact in run.facts}
    assert run.muted == ("not-finite",)
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert again.muted == ("not-finite",)
    assert not again.diagnosis


def test_what_a_finding_makes_untrue_is_not_told_where_it_is_muted():
    told = {fact.kind for fact in broken().facts} - {"finding"}
    assert {fact.kind for fact in broken(mute="not-finite").facts} == told


def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(xi.XinvError, match=r"no kind of finding 'bounds'; known are .*not-finite"):
        xi.record(mute=("bounds",))


def test_the_magics_mute_for_a_cell_and_for_the_session():
    shell = InteractiveShell.instance()
    try:
        shell.run_line_magic("load_ext", "xinv_nb")
        cell = f"xinv run --no-model --quiet{{}}\n{BROKEN}"
        shell.run_cell("%%" + cell.format(" --mute not-finite")).raise_error()
        assert not shell.user_ns["run"].diagnosis
        shell.run_cell("%%" + cell.format("")).raise_error()
        assert shell.user_ns["run"].diagnosis
        shell.run_line_magic("xinv", "--mute not-finite")
        shell.run_cell("%%" + cell.format("")).raise_error()
        assert not shell.user_ns["run"].diagnosis
        shell.run_cell("%%" + cell.format(" --mute none")).raise_error()
        assert shell.user_ns["run"].diagnosis
        with pytest.raises(UsageError, match=r"no kind of finding 'bounds'; known are .*not-finite"):
            magic.parse("--mute bounds")
        shell.run_line_magic("unload_ext", "xinv_nb")
    finally:
        InteractiveShell.clear_instance()
