"""The `%%xinv` cell magic and the `%xinv` line magic; the only file that knows IPython.

A cell that begins with `%%xinv` is not run by us: IPython runs it as it runs any cell, so that its result, its
traceback with its line numbers, and top-level `await` are its own. An input transformer turns the first line into a
string, an AST transformer turns that string into the call that opens the recording, and the recording is closed when
IPython reports that the cell is done.
"""

from __future__ import annotations

import ast
import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from IPython.core.error import UsageError
from IPython.core.inputtransformer2 import cell_magic as ipython_cell_magic
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class

from xinv_nb.options import MARK, Options, parse, parser
from xinv_nb.recorded.problem import Problem
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.recording.tracebacks import take_our_frames_out
from xinv_nb.run import Run
from xinv_nb.session import Recording, how_far
from xinv_nb.view.head import show_first

_IS_OURS = re.compile(r"%%xinv(?![\w?])")


# ---------------------------------------------------------------------- the cell


def rewrite(lines: list[str]) -> list[str]:
    r"""Turn a first line `%%xinv …` into a string that `_OpenRecording` finds; other cells stay as they are.

    >>> rewrite(["%%xinv run\n", "x = 1\n"])
    ["'%%xinv run'\n", 'x = 1\n']
    """
    if not lines or not _IS_OURS.match(lines[0]):
        return lines
    first = lines[0].strip()
    if "--help" in first.split():
        return ["%xinv --help\n"]
    # A cell magic may follow on the next line; it gets the rest of the cell, as it would without us.
    return [f"{first!r}\n", *ipython_cell_magic(lines[1:])]  # type: ignore[no-untyped-call]


class _OpenRecording(ast.NodeTransformer):
    """Replaces the string that `rewrite` left by the call that opens the recording."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        if not node.body or not _is_mark(node.body[0]):
            return node
        mark, *body = node.body
        assert isinstance(mark, ast.Expr)
        assert isinstance(mark.value, ast.Constant)
        assigned = {n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        line = str(mark.value.value)[len(MARK) :]
        call = ast.parse(f"__import__('xinv_nb.magic').magic.open_recording({line!r}, {sorted(assigned)!r})")
        opening = ast.copy_location(call.body[0], mark)
        for inner in ast.walk(opening):
            ast.copy_location(inner, mark)
        # `from __future__ import …` has to stay in front.
        ahead = [s for s in body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
        rest = [s for s in body if s not in ahead]
        node.body = [*ahead, opening, *rest]
        return node


def _is_mark(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
        and _IS_OURS.match(statement.value.value) is not None
    )


class _OpenCell:
    """The cell that is running, and its recording; here is what only a notebook has."""

    def __init__(self, shell: InteractiveShell, options: Options) -> None:
        self._shell: Any = shell
        self._options = options
        self._run = Run(options.name or "", _problem_of(shell, options))
        RunWriter(self._run).choose_parameters(options.parameters)
        RunWriter(self._run).mute(options.mute)
        show_first(self._run, options.view)
        self._recording = Recording(
            self._run,
            options.max_events,
            showing="never" if options.quiet else "live" if options.live else "at the end",
            explaining=options.explaining,
            save=options.save,
        )
        self._own_showtraceback: Any = None

    def open(self) -> None:
        """Bind the run to its name, and begin."""
        if self._options.name:
            self._shell.user_ns[self._options.name] = self._run
        self._show_tracebacks_without_us()
        self._recording.open()

    def _show_tracebacks_without_us(self) -> None:
        """Have IPython show an error of the cell without the frames of the recording, until the cell is done."""
        showtraceback = self._shell.showtraceback

        def shown_without_us(*args: Any, **kwargs: Any) -> Any:
            error = sys.exc_info()[1]
            if error is not None:
                take_our_frames_out(error)
            if isinstance(error, KeyboardInterrupt):
                return self._show_in_a_line(showtraceback, *args, **kwargs)
            return showtraceback(*args, **kwargs)

        self._own_showtraceback = showtraceback
        self._shell.showtraceback = shown_without_us

    def _show_in_a_line(self, showtraceback: Any, *args: Any, **kwargs: Any) -> Any:
        """Have IPython show a line where it would show the frames of an interrupt; it keeps these for `%tb`."""
        writes = "_showtraceback"  # which IPython has its kernels override to write an error where they show it
        write = getattr(self._shell, writes)

        def write_in_a_line(kind: Any, error: Any, _: list[str]) -> None:
            write(kind, error, [how_far(self._run)])

        setattr(self._shell, writes, write_in_a_line)
        try:
            return showtraceback(*args, **kwargs)
        finally:
            setattr(self._shell, writes, write)

    def close(self, error: BaseException | None) -> None:
        """Give the notebook back its own, and end."""
        if self._own_showtraceback is not None:
            self._shell.showtraceback = self._own_showtraceback
        if self._run.problem is None:  # it may be made in the cell
            writer = RunWriter(self._run)
            writer.set_problem(_problem_of(self._shell, self._options))
            if self._options.problem and self._run.problem is None:
                writer.notice(
                    f"The variable {self._options.problem!r} is no xinv_nb.Problem; the run goes without one."
                )
        self._recording.close(error, _line_in_cell(error))


_open: _OpenCell | None = None
_defaults = Options()


def open_recording(line: str, assigned: Sequence[str] = ()) -> None:
    """Open the recording of the cell that begins with `%%xinv line`; `assigned` are the names that the cell binds."""
    global _open
    from IPython import get_ipython

    shell = get_ipython()
    assert shell is not None
    options = parse(line, _defaults)
    if options.problem and options.problem not in assigned:
        _check_problem(shell, options.problem)
    if _open is not None:
        _open.close(None)
    _open = _OpenCell(shell, options)
    _open.open()


def _close_recording(result: Any) -> None:
    """Close the recording of the cell that is done; IPython calls this after each cell."""
    global _open
    if _open is None or not _begins_with_us(result):
        return  # also of a cell that ours runs: get_ipython().run_cell(…)
    cell = _open
    cell.close(result.error_before_exec or result.error_in_exec)
    _open = None


def _begins_with_us(result: Any) -> bool:
    """Whether the cell that is done is one with the magic in front; where IPython does not tell, it is."""
    cell = getattr(getattr(result, "info", None), "raw_cell", None)
    return not isinstance(cell, str) or MARK in cell.lstrip().split("\n", 1)[0]


def _problem_of(shell: InteractiveShell, options: Options) -> Problem | None:
    found = shell.user_ns.get(options.problem) if options.problem else None
    return found if isinstance(found, Problem) else None


def _check_problem(shell: InteractiveShell, name: str) -> None:
    if name not in shell.user_ns:
        raise UsageError(f"{MARK}: no variable {name!r}. Make it first: {name} = xinv_nb.Problem(…).")
    if not isinstance(shell.user_ns[name], Problem):
        kind = type(shell.user_ns[name]).__name__
        raise UsageError(f"{MARK}: {name!r} is of type {kind}; --problem takes an xinv_nb.Problem.")


def _line_in_cell(error: BaseException | None) -> int | None:
    """Return the line of the cell in which `error` arose."""
    if error is None:
        return None
    from IPython import get_ipython

    names = set(getattr(getattr(get_ipython(), "compile", None), "_filename_map", {}))
    lines = [
        f.lineno
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename in names or "<ipython-input" in f.filename
    ]
    return lines[0] if lines else None


# ---------------------------------------------------------------------- the line


@magics_class
class XinvMagics(Magics):
    """`%xinv`, and `%%xinv` for callers of `run_cell_magic`."""

    @line_cell_magic
    def xinv(self, line: str, cell: str | None = None) -> None:
        """Record a cell's optimization and explain it (`%%xinv`); settings and runs (`%xinv`).

        `%xinv` alone tells the settings in force and what the Ollama server offers. With options it sets them for the
        session; `%xinv --reset` forgets them. `%xinv NAME` shows a run again. `%xinv --help` lists the options.
        """
        if cell is not None:
            self._run_cell(line, cell)
        elif "--help" in line.split():
            print(parser().format_help())  # noqa: T201
        else:
            self._line(line)

    def _run_cell(self, line: str, cell: str) -> None:
        """Run a cell for `run_cell_magic`; the error is the caller's, as with any function."""
        shell: Any = self.shell
        shown, shell.showtraceback = shell.showtraceback, lambda *_, **__: None
        try:
            result = shell.run_cell(f"{MARK} {line}\n{cell}", store_history=False)
        finally:
            shell.showtraceback = shown
        result.raise_error()

    def _line(self, line: str) -> None:
        global _defaults
        if line.split() == ["--reset"]:
            _defaults = Options()
            return
        options = parse(line, _defaults)
        if options.name is not None:
            run = (self.shell.user_ns if self.shell else {}).get(options.name)
            if not isinstance(run, Run):
                raise UsageError(
                    f"%xinv: no run {options.name!r}. `%%xinv {options.name}` in front of a cell makes it."
                )
            from IPython.display import display

            show_first(run, options.view)
            display(run.widget())  # type: ignore[no-untyped-call]
            return
        _defaults = replace(options, name=None, save=None)
        if not line.strip():
            print(_settings(_defaults))  # noqa: T201


def _settings(options: Options) -> str:
    from xinv_nb.models.languages import not_there_yet
    from xinv_nb.models.listing import listing

    e = options.explaining
    rows = [
        ("model", "built-in text only" if e.model is False else e.model or "the server's default, else built-in text"),
        ("reader", e.level or "student"),
        ("language", not_there_yet(e.language) or "English"),
        ("problem", options.problem or "none"),
        ("parameters", ", ".join(options.parameters) or "all"),
        ("muted", ", ".join(options.mute) or "nothing"),
        ("view", options.view or "as looked at last"),
        ("live widget", "yes" if options.live and not options.quiet else "no"),
    ]
    first, *models = listing(e)
    return "\n".join(f"{name:<12} {value}" for name, value in [*rows, ("Ollama", first), *(("", m) for m in models)])


# ---------------------------------------------------------------------- loading


def register(shell: InteractiveShell) -> None:
    """Register the magics and the two transformers; loading twice changes nothing."""
    for needed in ("xinv_nb.recording.recorder", "xinv_nb.view.live"):
        import_module(needed)  # now, rather than while the first cell runs
    shell.register_magics(XinvMagics)
    transforms = shell.input_transformer_manager.line_transforms
    if rewrite not in transforms:
        transforms.insert(0, rewrite)
    if not any(isinstance(t, _OpenRecording) for t in shell.ast_transformers):
        shell.ast_transformers.append(_OpenRecording())
        shell.events.register("post_run_cell", _close_recording)


def unregister(shell: InteractiveShell) -> None:
    """Take the transformers away again, and forget the session's settings."""
    global _defaults
    _defaults = Options()
    transforms = shell.input_transformer_manager.line_transforms
    if rewrite in transforms:
        transforms.remove(rewrite)
        shell.events.unregister("post_run_cell", _close_recording)
    shell.ast_transformers[:] = [t for t in shell.ast_transformers if not isinstance(t, _OpenRecording)]
