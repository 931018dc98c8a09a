"""What may be said behind `%%xinv` and `%xinv`, read from the line."""

from __future__ import annotations

import argparse
import re
import shlex
from dataclasses import dataclass, field, replace
from typing import NoReturn

from IPython.core.error import UsageError

from xinv_nb.errors import XinvError
from xinv_nb.models.captioning import Explaining

MARK = "%%xinv"


@dataclass(frozen=True)
class Options:
    """What may be said behind `%%xinv`, or set for the session with `%xinv`."""

    name: str | None = None
    problem: str | None = None
    explaining: Explaining = field(default_factory=Explaining)
    parameters: tuple[str, ...] = ()
    max_events: int = 100_000
    save: str | None = None
    live: bool = True
    quiet: bool = False
    mute: tuple[str, ...] = ()
    view: str = ""
    """What the widget shows first; empty: what the reader looked at last."""


class _Parser(argparse.ArgumentParser):
    """Reports an error as IPython does: one line, no traceback."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{MARK}: {message}. `%xinv --help` lists the options.")


def parser() -> argparse.ArgumentParser:
    """Return what reads the line, and lists the options."""
    reader = _Parser(prog=MARK, description="Record this cell's optimization and explain it.", add_help=False)
    reader.add_argument("name", nargs="?", help="the variable to bind the run to")
    reader.add_argument("--problem", metavar="VAR", help="the variable that holds an xinv_nb.Problem")
    reader.add_argument("--model", metavar="MODEL", help="the Ollama model that words the captions")
    reader.add_argument("--no-model", action="store_true", help="built-in text only; no server is asked")
    reader.add_argument(
        "--host",
        metavar="URL",
        help="the Ollama server; naming one that is not on this computer sends the facts of the run there",
    )
    reader.add_argument("--level", choices=["student", "expert"], help="the reader")
    reader.add_argument("--language", metavar="LANGUAGE", help="the language of the text; so far English")
    reader.add_argument("--parameters", metavar="a,b,…", help="the parameters to show")
    reader.add_argument("--max-events", metavar="N", type=int, help="events kept at most (100000)")
    reader.add_argument("--mute", metavar="KIND,…", help="kinds of findings not to tell of; none for all again")
    reader.add_argument("--view", choices=["story", "details"], help="what the widget shows first")
    reader.add_argument("--save", metavar="PATH", help="write the run to this file when it ends")
    reader.add_argument("--no-live", action="store_true", help="show the widget when the run has ended")
    reader.add_argument("--quiet", action="store_true", help="record only; show nothing")
    return reader


def parse(line: str, defaults: Options | None = None) -> Options:
    """Return the options of a magic's line over `defaults`; raises `UsageError` that says what is wrong."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{MARK}: {error} in `{line.strip()}`.") from error
    given = parser().parse_args(words)
    base = defaults or Options()
    if given.name is not None and not given.name.isidentifier():
        raise UsageError(f"{MARK}: {given.name!r} cannot be the name of a variable.")
    if given.model and given.no_model:
        raise UsageError(f"{MARK}: --model and --no-model exclude each other.")
    if given.max_events is not None and given.max_events < 0:
        raise UsageError(f"{MARK}: --max-events must not be negative.")
    e = base.explaining
    explaining = Explaining(
        False if given.no_model else given.model or e.model,
        given.level or e.level,
        given.language or e.language,
        given.host or e.host,
    )
    return replace(
        base,
        name=given.name,
        problem=given.problem or base.problem,
        explaining=explaining,
        parameters=_names(given.parameters) if given.parameters else base.parameters,
        max_events=base.max_events if given.max_events is None else given.max_events,
        mute=base.mute if given.mute is None else _kinds(given.mute),
        view=given.view or base.view,
        save=given.save,
        live=base.live and not given.no_live,
        quiet=base.quiet or given.quiet,
    )


def _names(text: str) -> tuple[str, ...]:
    """Return names from between commas; a comma within brackets belongs to a name.

    >>> _names("speed, W[2,1]")
    ('speed', 'W[2, 1]')
    """
    return tuple(re.sub(r",\s*", ", ", name.strip()) for name in re.split(r",(?![^\[]*\])", text))


def _kinds(text: str) -> tuple[str, ...]:
    """Return the kinds of findings named in a text; none where it says so."""
    from xinv_nb.facts.diagnosis.found import checked_kinds  # the kinds take their time to import

    try:
        return () if text.strip() in ("", "none") else checked_kinds(text)
    except XinvError as error:
        raise UsageError(f"{MARK}: {error}") from error
