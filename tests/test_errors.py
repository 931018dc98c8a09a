"""Whoever catches `XinvError` catches all that xinv_nb raises on purpose."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path

import pytest

import xinv_nb as xi
from xinv_nb.view import front_end

PACKAGE = Path(xi.__file__).parent


def test_every_error_of_ours_is_an_xinv_error() -> None:
    known = {n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException)}
    beside = {
        node.name
        for path in PACKAGE.rglob("*.py")
        if "recording" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and known & {getattr(base, "id", "") for base in node.bases}
    }
    assert beside == {"XinvError", "_Dropped"}, "the second is never raised: it stands for an end that was not seen"


def test_a_source_tree_that_was_never_built_says_how_to_build_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(front_end, "_BUNDLE", tmp_path / "widget.js")
    with pytest.raises(xi.XinvError, match="npm run build"):
        front_end.bundle.__wrapped__()
