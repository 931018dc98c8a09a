"""`%%xinv` in a real IPython shell: the user's cell is as it is without us, and the run is there afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import xinv_nb as xi
from tests.captions.test_trial import Model, each
from tests.ollama.scripted_server import MODEL, Reply, listed

DESCENT = """\
from autograd import grad
x = 4.0
for _ in range(6):
    x = x - 0.25 * grad(lambda x: x**2)(x)
"""


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "xinv_nb")
    shell.user_ns["xi"] = xi
    yield shell
    shell.run_line_magic("unload_ext", "xinv_nb")
    InteractiveShell.clear_instance()


def run_cell(shell: InteractiveShell, cell: str) -> tuple[Any, Any]:
    with capture_output() as captured:
        result = shell.run_cell(cell, store_history=True)
    return result, captured


def traceback_of(text: str) -> list[str]:
    """The lines of a traceback that a reader goes by: the frames with their numbers, and the error."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return [line for line in plain.splitlines() if re.match(r"-+>|\w*Error|\w*Exception|KeyboardInterrupt", line)]


def test_the_run_is_bound_to_its_name_and_is_the_newest(shell: InteractiveShell) -> None:
    run_cell(shell, "%%xinv descent --no-model\n" + DESCENT)
    run = shell.user_ns["descent"]
    assert run is xi.last_run()
    assert run.status == "finished"
    assert run.loss.tolist() == [16.0, 4.0, 1.0, 0.25, 0.0625, 0.015625]
    assert shell.user_ns["x"] == 0.0625


def test_the_cells_last_expression_is_displayed_as_ever(shell: InteractiveShell) -> None:
    result, captured = run_cell(shell, "%%xinv --no-model\n" + DESCENT + "x * 1000")
    assert result.result == 62.5
    assert "62.5" in captured.stdout


def test_a_trailing_semicolon_and_an_empty_cell_display_nothing(shell: InteractiveShell) -> None:
    assert run_cell(shell, "%%xinv --quiet\n1;")[0].success
    result, _ = run_cell(shell, "%%xinv --quiet\n")
    assert result.success
    assert result.result is None


FAILING_LOOP = DESCENT + "def fails():\n    return 1 / 0\nfails()\n"
FAILING_OBJECTIVE = DESCENT + "def fails(x):\n    return 1 / 0 if x > 1 else x\nprint(x)\ngrad(fails)(2.0)\n"
FAILING_TWICE = DESCENT + "try:\n    grad(lambda x: 1 / 0)(2.0)\nexcept ZeroDivisionError:\n    1 / 0\n"


@pytest.mark.parametrize("options", ["", "run --no-model", "--quiet"])
@pytest.mark.parametrize("body", [FAILING_LOOP, FAILING_OBJECTIVE, FAILING_TWICE], ids=["loop", "objective", "twice"])
def test_an_error_has_the_traceback_that_it_has_without_the_magic(
    shell: InteractiveShell, options: str, body: str
) -> None:
    _, plain = run_cell(shell, "# a comment\n" + body)
    result, ours = run_cell(shell, f"%%xinv {options}\n" + body)
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert traceback_of(ours.stdout) == traceback_of(plain.stdout)
    assert "xinv_nb" not in re.sub(r"\x1b\[[0-9;]*m", "", ours.stdout).replace("%%xinv", "")
    assert xi.last_run().status == "failed"
    assert re.fullmatch(r"ZeroDivisionError in line \d", xi.last_run().ending)
    assert xi.last_run().evaluations == 6


def test_a_syntax_error_is_shown_where_it_is(shell: InteractiveShell) -> None:
    result, captured = run_cell(shell, "%%xinv\nx = 1\ny = = 2\n")
    assert isinstance(result.error_before_exec or result.error_in_exec, SyntaxError)
    assert "line 3" in re.sub(r"\x1b\[[0-9;]*m", "", captured.stdout)
    assert run_cell(shell, DESCENT)[0].success


def test_an_interrupt_keeps_what_was_recorded(shell: InteractiveShell) -> None:
    result, _ = run_cell(shell, "%%xinv run --no-model\n" + DESCENT + "raise KeyboardInterrupt")
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    assert shell.user_ns["run"].status == "interrupted"
    assert shell.user_ns["run"].evaluations == 6


@pytest.mark.parametrize(
    ("loop", "told"),
    [
        (DESCENT, "after 6 iterations"),
        ("from autograd import grad\ngrad(lambda x: x**2)(1.0)\n", "after 1 iteration"),
        ("", "before the first"),
    ],
)
def test_an_interrupt_is_shown_in_a_line_and_the_frames_on_request(
    shell: InteractiveShell, loop: str, told: str
) -> None:
    _, shown = run_cell(shell, "%%xinv run --no-model\n" + loop + "def stops():\n    raise KeyboardInterrupt\nstops()")
    printed = [line for line in shown.stdout.splitlines() if line.strip()]
    assert f"Stopped by you {told}" in printed[0]
    assert "stops()" not in shown.stdout
    _, asked = run_cell(shell, "%tb")
    assert "stops()" in re.sub(r"\x1b\[[0-9;]*m", "", asked.stdout)
    assert "xinv_nb" not in re.sub(r"\x1b\[[0-9;]*m", "", asked.stdout).replace("%%xinv", "")
    _, plain = run_cell(shell, "def stops():\n    raise KeyboardInterrupt\nstops()")
    assert "stops()" in re.sub(r"\x1b\[[0-9;]*m", "", plain.stdout)


def test_a_cell_without_a_gradient_says_so(shell: InteractiveShell) -> None:
    result, _ = run_cell(shell, "%%xinv run\n1 + 1")
    assert result.result == 2
    assert shell.user_ns["run"].evaluations == 0
    assert "No evaluation of a loss was seen" in shell.user_ns["run"].notices[0]


def test_top_level_await_works(shell: InteractiveShell) -> None:
    cell = "%%xinv run --no-model\nimport asyncio\nawait asyncio.sleep(0)\n" + DESCENT + "await asyncio.sleep(0)\nx"
    result, _ = run_cell(shell, cell)
    assert result.result == 0.0625
    assert shell.user_ns["run"].evaluations == 6


def test_future_imports_and_other_magics_work_inside(shell: InteractiveShell) -> None:
    cell = "%%xinv run --no-model\nfrom __future__ import annotations\n" + DESCENT
    assert run_cell(shell, cell)[0].success
    assert shell.user_ns["run"].evaluations == 6
    result, captured = run_cell(shell, "%%xinv timed --no-model\n%%time\n" + DESCENT)
    assert result.success
    assert "Wall time" in captured.stdout
    assert shell.user_ns["timed"].evaluations == 6
    run_cell(shell, "%%time\n%%xinv inner --no-model\n" + DESCENT)
    assert shell.user_ns["inner"].evaluations == 6


def test_a_problem_may_be_made_before_or_in_the_cell(shell: InteractiveShell) -> None:
    make = "p = xi.Problem('A bowl', parameters={'x': xi.Parameter('height', unit='m')})\n"
    run_cell(shell, "%%xinv inside --no-model --problem p\n" + make + DESCENT)
    assert shell.user_ns["inside"].title == "A bowl"
    run_cell(shell, "%%xinv before --no-model --problem p\n" + DESCENT)
    assert [entry.label for entry in shell.user_ns["before"].entries()] == ["height"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--problem nothing", "no variable 'nothing'"),
        ("--problem number", "'number' is of type int"),
        ("--modle x", "unrecognized arguments: --modle"),
        ("two words", "unrecognized arguments: words"),
        ("1st", "cannot be the name of a variable"),
        ("--model a --no-model", "exclude each other"),
        ("--max-events many", "invalid int value"),
        ("--level teacher", "invalid choice"),
        ("'open", "No closing quotation"),
    ],
)
def test_a_wrong_option_is_one_clear_line_and_the_cell_does_not_run(
    shell: InteractiveShell, line: str, says: str
) -> None:
    shell.user_ns["number"] = 3
    shell.user_ns.pop("ran", None)
    result, captured = run_cell(shell, f"%%xinv {line}\nran = True")
    assert not result.success
    assert says in captured.stderr
    assert "Traceback" not in captured.stdout + captured.stderr
    assert "ran" not in shell.user_ns


def test_help_lists_the_options_and_does_not_run_the_cell(shell: InteractiveShell) -> None:
    shell.user_ns.pop("ran", None)
    for cell in ("%xinv --help", "%%xinv --help\nran = True"):
        _, captured = run_cell(shell, cell)
        assert "--problem VAR" in captured.stdout
    assert "ran" not in shell.user_ns


def test_the_magic_can_be_called_as_a_function(shell: InteractiveShell) -> None:
    with capture_output():
        shell.run_cell_magic("xinv", "run --no-model", DESCENT)
    assert shell.user_ns["run"].evaluations == 6
    with capture_output(), pytest.raises(ZeroDivisionError):
        shell.run_cell_magic("xinv", "run --no-model", DESCENT + "1 / 0")
    assert shell.user_ns["run"].status == "failed"


def test_options_of_the_line_magic_become_defaults(shell: InteractiveShell) -> None:
    run_cell(shell, "%xinv --no-model --quiet")
    _, captured = run_cell(shell, "%xinv")
    assert "built-in text only" in captured.stdout
    _, captured = run_cell(shell, "%%xinv run\n" + DESCENT)
    assert captured.outputs == []
    assert shell.user_ns["run"].evaluations == 6
    run_cell(shell, "%xinv --reset")
    _, captured = run_cell(shell, "%xinv")
    assert "built-in text only" not in captured.stdout


def test_the_line_magic_shows_a_run_again(shell: InteractiveShell) -> None:
    run_cell(shell, "%%xinv run --quiet --no-model\n" + DESCENT)
    _, captured = run_cell(shell, "%xinv run")
    assert "application/vnd.jupyter.widget-view+json" in captured.outputs[0].data
    _, captured = run_cell(shell, "%xinv nobody")
    assert "no run 'nobody'" in captured.stderr


def test_widget_first_then_the_users_output_then_the_record(shell: InteractiveShell) -> None:
    _, captured = run_cell(
        shell, "%%xinv --no-model\nfrom IPython.display import display\n" + DESCENT + "display('own')"
    )
    kinds = [next(iter(sorted(output.data))) for output in captured.outputs]
    assert kinds == ["application/vnd.jupyter.widget-view+json", "text/plain", "image/png"]
    record = captured.outputs[-1].data
    assert "from 16 to 0.0156" in record["text/markdown"]
    assert f'data-xinv-record="{xi.last_run().id}"' in record["text/html"]
    assert "<script" not in record["text/html"]


def test_a_run_may_be_saved_as_it_ends(shell: InteractiveShell, tmp_path: Any) -> None:
    run_cell(shell, f"%%xinv --quiet --no-model --save '{tmp_path}/a run.npz'\n" + DESCENT)
    assert xi.load(tmp_path / "a run.npz").evaluations == 6


def test_a_save_that_fails_leaves_the_cell_and_the_run_as_they_are(shell: InteractiveShell) -> None:
    result, captured = run_cell(shell, "%%xinv run --no-model --save /nowhere/run.npz\n" + DESCENT + "x")
    assert result.result == 0.0625
    assert "/nowhere/run.npz" in "".join(shell.user_ns["run"].notices)
    assert len(captured.outputs) >= 2, "the widget and the record are shown all the same"


def test_after_unloading_the_magic_is_gone_and_autograd_as_it_was(shell: InteractiveShell) -> None:
    from autograd import core, tracer

    run_cell(shell, "%%xinv --quiet\n" + DESCENT)
    shell.run_line_magic("unload_ext", "xinv_nb")
    assert core.trace is tracer.trace
    shell.run_line_magic("load_ext", "xinv_nb")
    assert run_cell(shell, "%%xinv run --quiet\n" + DESCENT)[0].success


def test_the_line_tells_what_the_server_offers(shell, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XINV_NB_CACHE", str(tmp_path))
    with Model(each) as server:
        server.replies["/api/tags"] = Reply(
            {"models": [listed(), listed("big:cloud", remote_host="https://ollama.com")]}
        )
        _, captured = run_cell(shell, f"%xinv --host {server.host}")
        _, captured = run_cell(shell, "%xinv")
        assert f"{MODEL}  (1.0 GB, not tried yet, the default)" in captured.stdout
        assert "big:cloud  (runs in a cloud: used only if you name it)" in captured.stdout
        run_cell(shell, f"%%xinv run --host {server.host}\n" + DESCENT)
        shell.user_ns["run"].explain(host=server.host)
        _, captured = run_cell(shell, "%xinv")
        assert f"{MODEL}  (1.0 GB, words whole captions, the default)" in captured.stdout
    run_cell(shell, "%xinv --reset")


def test_a_cell_that_the_cell_runs_does_not_close_its_recording(shell: InteractiveShell) -> None:
    shell.run_cell(
        "%%xinv outer --no-model --quiet\nfrom autograd import grad\nf = lambda x: x**2\nslope = grad(f)(3.0)\n"
        "get_ipython().run_cell('y = 1')\nslopes = [grad(f)(x) for x in (2.0, 1.0)]"
    )
    run = shell.user_ns["outer"]
    assert (run.evaluations, run.status) == (3, "finished")
