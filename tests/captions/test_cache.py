"""A notebook that is run again is worded at once and in the same words; the cache is never a danger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import xinv_nb as xi
from tests.captions.test_writer_faults import Rewording, written
from tests.ollama.scripted_server import CUT, MODEL, Reply, listed, piece
from tests.waiting import PATIENCE
from xinv_nb.models.cache import AnswerCache, cache_folder
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run
from xinv_nb.words.draft import BUILT_IN
from xinv_nb.words.narrator import narrate

pytestmark = pytest.mark.usefixtures("capable_of_sentences")

KEY = {"model": "tiny", "digest": "d1", "prompt": "p1"}


@pytest.fixture
def server() -> Iterator[Rewording]:
    with Rewording() as found:
        found.reword = lambda sentence: sentence.replace("fell", "dropped")
        yield found


# ---------------------------------------------------------------------- with a model


def test_the_same_run_is_worded_again_without_asking(folder: Path, server: Rewording, run: Run) -> None:
    first, _ = written(run, server.host, model=MODEL)
    asked = len(server.chats())
    again, _ = written(run, server.host, model=MODEL)
    assert "dropped" in first[0].text
    assert again == first
    assert len(server.chats()) == asked > 0


def test_another_digest_or_level_is_asked_anew(folder: Path, server: Rewording, run: Run) -> None:
    written(run, server.host, model=MODEL)
    asked = len(server.chats())
    written(run, server.host, model=MODEL, level="expert")
    after_expert = len(server.chats())
    assert after_expert > asked
    server.replies["/api/tags"] = Reply({"models": [listed() | {"digest": "another"}]})
    written(run, server.host, model=MODEL)
    assert len(server.chats()) == after_expert + asked


def test_what_is_remembered_is_checked_all_the_same(folder: Path, server: Rewording, run: Run) -> None:
    written(run, server.host, model=MODEL)
    for path in folder.glob("*.json"):
        kept = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(kept | {"answer": "The loss rose because of air resistance."}), encoding="utf-8")
    captions, _ = written(run, server.host, model=MODEL)
    assert [c.text for c in captions] == [c.text for c in narrate(run)]


def test_a_caption_tells_where_its_words_come_from(folder: Path, server: Rewording, run: Run, tmp_path: Path) -> None:
    captions, _ = written(run, server.host, model=MODEL)
    told = captions[0].provenance
    assert {name: told[name] for name in ("model", "digest")} == {"model": MODEL, "digest": f"digest of {MODEL}"}
    assert told["server"]
    assert told["seed"] == "1"
    assert len(told["prompts"]) == 64
    assert narrate(run)[0].provenance == {}
    RunWriter(run).keep_captions(captions)
    try:
        assert xi.load(run.save(tmp_path / "run.npz")).captions == captions
    finally:
        RunWriter(run).keep_captions(None)


def test_without_a_cache_the_model_is_asked_each_time(
    server: Rewording, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XINV_NB_CACHE", "0")
    written(run, server.host, model=MODEL)
    asked = len(server.chats())
    written(run, server.host, model=MODEL)
    assert len(server.chats()) == 2 * asked


def test_an_answer_that_was_broken_off_is_not_remembered(folder: Path, run: Run) -> None:
    with Rewording() as server:
        server.replies["/api/chat"] = Reply(piece("The loss dropped"), CUT)
        server.fixed = ("/api/chat",)
        captions, _ = written(run, server.host, model=MODEL)
    assert all(caption.source == BUILT_IN for caption in captions)
    assert not list(folder.glob("*"))


# ---------------------------------------------------------------------- the folder


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 1}', b'{"key": {}, "answer": "x"}', b"\xff\x00"])
def test_a_damaged_file_is_no_answer(tmp_path: Path, content: bytes) -> None:
    cache = AnswerCache(tmp_path)
    cache.put(KEY, "The loss fell.")
    (path,) = tmp_path.glob("*.json")
    path.write_bytes(content)
    assert cache.get(KEY) is None
    cache.put(KEY, "The loss fell.")
    assert cache.get(KEY) == "The loss fell."


def test_it_is_bounded_and_what_was_asked_for_stays(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path, most=50)
    cache.put(KEY, "asked for again and again")
    for i in range(400):
        cache.put({"prompt": i}, "once")
        path = next(tmp_path.glob("*.json"))
        os.utime(path, (i, i))
        assert cache.get(KEY) is not None
    assert len(list(tmp_path.glob("*.json"))) < 50 + 16 * 8
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    cache = AnswerCache(tmp_path / "file" / "answers")
    cache.put(KEY, "The loss fell.")
    assert cache.get(KEY) is None


def test_kernels_share_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xinv_nb.models.cache import AnswerCache\n"
        "cache = AnswerCache(Path(sys.argv[1]))\n"
        "for i in range(200):\n"
        "    cache.put({'prompt': i % 20}, f'answer {i % 20}')\n"
        "    assert cache.get({'prompt': i % 20}) == f'answer {i % 20}'\n"
    )
    kernels = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=Path.cwd()) for _ in range(3)]
    assert [kernel.wait(PATIENCE) for kernel in kernels] == [0, 0, 0]
    cache, found = AnswerCache(tmp_path), []
    threads = [threading.Thread(target=lambda i=i: found.append(cache.get({"prompt": i}))) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"answer {i}" for i in range(20))


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XINV_NB_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("XINV_NB_CACHE", "0")
    assert cache_folder() is None
    monkeypatch.delenv("XINV_NB_CACHE")
    found = cache_folder()
    assert found is not None
    assert found.parts[-2:] == ("xinv_nb", "answers")
