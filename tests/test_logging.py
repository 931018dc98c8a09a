"""What is swallowed is not lost: it stands in the log, with its traceback, for whoever asks; nobody else sees it."""

from __future__ import annotations

import ast
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from autograd import grad

import xinv_nb as xi
from xinv_nb.models.server.address import Address
from xinv_nb.models.server.downloads import download_of
from xinv_nb.models.worker import CaptionWorker
from xinv_nb.run import Run
from xinv_nb.session import attempt

PACKAGE = Path(xi.__file__).parent


def fails(*_: object, **__: object) -> None:
    raise RuntimeError("by the test")


def shown(run: Run) -> None:
    attempt(run, "shown", fails)


def asked_for(run: Run) -> None:
    worker = CaptionWorker()
    worker.start_work(fails)
    assert worker.wait(10)


def written(run: Run) -> None:
    worker = CaptionWorker()
    worker.start(run, fails)
    assert worker.wait(10)


def downloaded(run: Run) -> None:
    download = download_of(Address("http://127.0.0.1:9"), "m:1b")
    download.hear(fails)
    download.start()
    assert download.wait(10)


def drawn(run: Run) -> None:
    with xi.record(problem=xi.Problem("A bowl", scene=fails)) as run:
        grad(lambda x: x**2)(1.0)
    run.plot()


def answered(run: Run) -> None:
    widget = run.widget()
    widget.explainer.answer = fails  # type: ignore[method-assign]
    widget._on_request(widget, {"type": "ask", "question": "Why?", "request": 1, "span": None}, None)


SWALLOWED = {
    "xinv_nb.session": shown,
    "xinv_nb.models.worker": asked_for,
    "xinv_nb.models": written,
    "xinv_nb.models.server.downloads": downloaded,
    "xinv_nb.view.figure": drawn,
    "xinv_nb.view": answered,
}


@pytest.mark.parametrize(("room", "swallow"), SWALLOWED.items(), ids=[f.__name__ for f in SWALLOWED.values()])
def test_what_is_swallowed_is_in_the_log_with_its_traceback(
    room: str, swallow: Callable[[Run], None], caplog: pytest.LogCaptureFixture
) -> None:
    with xi.record() as run:
        grad(lambda x: x**2)(1.0)
    with caplog.at_level(logging.DEBUG, logger="xinv_nb"):
        swallow(run)
    found = [r for r in caplog.records if r.name.startswith(room) and r.exc_info and r.exc_info[1] is not None]
    assert any("by the test" in str(r.exc_info and r.exc_info[1]) for r in found), caplog.text
    assert {record.levelno for record in caplog.records if record.name.startswith("xinv_nb")} == {logging.DEBUG}


def test_nothing_is_printed_where_nobody_asked() -> None:
    code = (
        "import logging, xinv_nb as xi\n"
        "from autograd import grad\n"
        "with xi.record(problem=xi.Problem('A bowl', scene=lambda ax, x: 1 / 0)) as run:\n"
        "    grad(lambda x: x**2)(1.0)\n"
        "run.plot()\n"
        "assert not logging.getLogger('xinv_nb').handlers\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def broad_handlers(path: Path) -> list[ast.ExceptHandler]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [n for n in nodes if isinstance(n, ast.ExceptHandler) and getattr(n.type, "id", "") == "Exception"]


@pytest.mark.parametrize("room", ["models", "view", "claims", "words", "facts", "session.py", "magic.py", "run.py"])
def test_no_exception_of_any_kind_is_swallowed_without_a_word_in_the_log(room: str) -> None:
    for path in sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / room]:
        text = path.read_text(encoding="utf-8")
        assert "suppress(Exception)" not in text, path
        for handler in broad_handlers(path):
            told = ast.unparse(ast.Module(handler.body, []))
            assert "_log.debug(" in told or "_tell(" in told or "raise" in told, f"{path}: line {handler.lineno}"
