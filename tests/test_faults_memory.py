"""What a server or a folder holds ready costs neither the memory nor the reader's text."""

from __future__ import annotations

from pathlib import Path

from xinv_nb.models.cache import AnswerCache, _name
from xinv_nb.models.language_model import _plain


def test_a_remembered_answer_that_is_a_device_or_too_large_is_none(tmp_path):
    cache = AnswerCache(tmp_path)
    key = {"model": "a"}
    path = tmp_path / _name(key)
    path.symlink_to("/dev/zero")
    assert cache.get(key) is None
    path.unlink()
    path.write_text('{"key": {"model": "a"}, "answer": "' + "a" * 2**20 + '"}')
    assert cache.get(key) is None


def test_brackets_without_end_are_no_answer(tmp_path: Path):
    brackets = "[" * 100_000
    assert _plain(brackets) == ""
    cache = AnswerCache(tmp_path)
    (tmp_path / _name({"model": "a"})).write_text(brackets)
    assert cache.get({"model": "a"}) is None
