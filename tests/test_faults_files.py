"""What is recorded can be saved and loaded, whatever it was made of; and no file that stood there is lost for it."""

from __future__ import annotations

import enum
import json
import os
import pathlib
import stat
import time
import zipfile
from io import BytesIO

import numpy
import pytest
from autograd import grad

import xinv_nb as xi
from xinv_nb.recorded.file import writing
from xinv_nb.recorded.file.reading import RunFileError

DAYS = numpy.array(["2024-01-01"], dtype="datetime64[D]")


class Word(str, enum.Enum):
    NEAR = "near"


def deep(levels):
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


VALUES = {
    "days": DAYS,
    "a day": DAYS[0],
    "seconds": numpy.timedelta64(3, "s"),
    "bytes": b"ab",
    "array of bytes": numpy.array([b"a"]),
    "records": numpy.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
    "a record": numpy.array([(1, 2.0)], dtype=[("a", int), ("b", float)])[0],
    "masked": numpy.ma.array([1, 2], mask=[False, True]),
    "long": numpy.longdouble(1.5),
    "huge": 10**5000,
    "huge key": {10**5000: 1},
    "path": pathlib.Path("somewhere"),
    "word": Word.NEAR,
    "half a character": "\ud800",
    "deep": deep(3000),
    "nested": [(1, {"a": DAYS})],
    "wide": numpy.array(["a", "b" * 50_000]),
    "0-d object": numpy.array(None, dtype=object),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("place", ["value", "at", "watch"])
def test_whatever_an_event_holds_is_loaded_again(value, place, tmp_path):
    def objective(x):
        if place == "watch":
            return xi.watch(x, "x", at=value) ** 2
        xi.event("it is {what}", what=value if place == "value" else 0, at=value if place == "at" else None)
        return x**2

    with xi.record() as run:
        for x in (3.0, 2.0):
            grad(objective)(x)
    back = xi.load(run.save(tmp_path / "run.npz"))
    assert run.notices == []
    assert [event.text for event in back.events] == [event.text for event in run.events]
    assert [fact.text for fact in back.facts] == [fact.text for fact in run.facts]


TOLD = {
    "huge": 10**5000,
    "path": pathlib.Path("x"),
    "none": None,
    "word": Word.NEAR,
    "empty": (),
    "half a character": "\ud800",
    "seconds": numpy.timedelta64(1, "s"),
}
GIVEN = {
    "truth": lambda value: xi.Parameter(truth=value),
    "bounds": lambda value: xi.Parameter(bounds=(value, None)),
    "name": lambda value: xi.Parameter(value),
    "unit": lambda value: xi.Parameter(unit=value),
    "title": lambda value: xi.Problem(value),
    "goal": lambda value: xi.Problem("p", goal=value),
    "run": lambda value: xi.record(value),
    "meaning": lambda value: xi.Problem("p", glossary={"word": value}),
    "parameter": lambda value: xi.Problem("p", parameters={value: xi.Parameter()}),
    "objective": lambda value: xi.Objective(value),
}


@pytest.mark.parametrize("give", GIVEN.values(), ids=GIVEN.keys())
@pytest.mark.parametrize("value", TOLD.values(), ids=TOLD.keys())
def test_what_is_told_of_the_domain_is_refused_or_can_be_loaded(give, value, tmp_path):
    try:
        told = give(value)
    except xi.XinvError:
        return
    known = told if isinstance(told, xi.Problem) else xi.Problem("p")
    if isinstance(told, xi.Parameter):
        known = xi.Problem("p", parameters={"x": told})
    if isinstance(told, xi.Objective):
        known = xi.Problem("p", objective=told)
    with xi.record("r", problem=known) as run:
        for x in (3.0, 2.0):
            grad(lambda x: x**2)(x)
    back = xi.load(run.save(tmp_path / "run.npz"))
    assert [fact.text for fact in back.facts] == [fact.text for fact in run.facts]
    for caption in run.captions:
        caption.text.encode()


def small_run():
    with xi.record("r") as run:
        for x in (3.0, 2.0, 1.0):
            grad(lambda x: x**2)(x)
    return run


def test_what_cannot_be_read_back_does_not_replace_what_can(tmp_path, monkeypatch):
    path = small_run().save(tmp_path / "run.npz")
    before = path.read_bytes()
    monkeypatch.setattr(writing, "encoded", lambda value: {"nonsense": 1})
    with pytest.raises(xi.XinvError, match="could not be read back"):
        small_run().save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_saving_keeps_links_rights_and_the_files_of_others(tmp_path):
    target, link, other = tmp_path / "run.npz", tmp_path / "link.npz", tmp_path / "link.npz.part"
    target.write_bytes(b"old")
    target.chmod(0o600)
    link.symlink_to(target)
    other.write_text("mine")
    small_run().save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert xi.load(target).evaluations == 3
    assert other.read_text() == "mine"


def test_what_a_killed_process_left_is_cleared_when_it_is_old(tmp_path):
    old, new = (tmp_path / f".run.npz.xinv_nb-{name}.part" for name in ("old", "new"))
    for part in (old, new):
        part.write_bytes(b"half")
    long_ago = time.time() - 86_400
    os.utime(old, (long_ago, long_ago))
    small_run().save(tmp_path / "run.npz")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_page_that_cannot_be_written_leaves_the_one_that_stood_there(tmp_path, monkeypatch):
    path = tmp_path / "run.html"
    path.write_text("the page of before")

    def full(handle):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        small_run().to_html(path)
    assert path.read_text() == "the page of before"
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------------- small files that claim much


def changed(path, change=None, **members):
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    if change is not None:
        header = json.loads(numpy.load(BytesIO(found["run.json.npy"])).tobytes())
        change(header)
        file = BytesIO()
        numpy.save(file, numpy.frombuffer(json.dumps(header).encode(), numpy.uint8))
        found["run.json.npy"] = file.getvalue()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**found, **members}.items():
            archive.writestr(name, content)
    return path


CLAIMS = {
    "a wide text": lambda h: h.update(replay_of={"dict": [["a", {"array": ["a"], "dtype": "<U500000000"}]]}),
    "a large array": lambda h: h.update(leaves=[["x", [10**8], None]]),
}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS.keys())
def test_a_small_file_does_not_take_the_memory_that_it_claims(claim, tmp_path):
    import resource

    path = changed(small_run().save(tmp_path / "run.npz"), claim)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RunFileError):
        xi.load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_a_file_that_unfolds_to_hundreds_of_times_its_size_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("xinv_nb.recorded.file.reading._SMALL", 10**5)
    zeros = BytesIO()
    numpy.save(zeros, numpy.zeros(10**6))
    path = changed(small_run().save(tmp_path / "run.npz"), None, **{"more.npy": zeros.getvalue()})
    with pytest.raises(RunFileError, match="of memory"):
        xi.load(path)
