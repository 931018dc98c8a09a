"""A saved run comes back exactly; a file that is none is told from one that is, and never runs code."""

from __future__ import annotations

import copy
import io
import json
import pickle
import sys
import zipfile
from dataclasses import fields

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.optimize import minimize

import xinv_nb as xi
from xinv_nb.recorded.file.reading import RunFileError
from xinv_nb.run import Run

# ---------------------------------------------------------------------- runs of all kinds


def everything():
    problem = xi.Problem(
        "Wurfweite",
        "Triff die Wand",
        parameters={
            "κ": xi.Parameter("曲率", "1/m", "how bent", (0, None), 0.25, ("flatter", "steeper")),
            "v": xi.Parameter(bounds=(None, 1.5)),
            2: xi.Parameter(truth=3),
        },
        glossary={"apex": "the highest point"},
        scene=lambda ax, x: None,
    )

    def loss(params):
        with xi.stage("flight"):
            xi.event("hits the {wall} at {t:.1f} s", at=(1.0, "left"), wall="Mauer", t=params["κ"], all=[1, None, True])
            xi.event("a field", field=np.arange(4.0).reshape(2, 2), z=1 + 2j, worst=np.inf, by={"a": (1, 2)})
            for t in range(3):
                xi.watch(params["κ"] * t, "Höhe", "m", at=[0.5 * t, "x"])
        xi.watch(params["v"], "speed")
        return np.sum(params["v"] ** 2) + (params["κ"] - 1.0) ** 2

    with xi.record("Lauf 一", problem=problem, parameters=["κ"]) as run:
        adam(lambda p, i: grad(loss)(p), {"κ": 2.0, "v": np.ones((2, 2))}, num_iters=6, step_size=0.1)
        xi.event("done")
    return run


def complex_and_not_finite():
    with xi.record() as run, numpy.errstate(all="ignore"):
        for z in (1 + 2j, complex(np.nan, np.inf), -0.0 + 0j):
            grad(lambda z: np.abs(xi.watch(z * 2, "double")) ** 2)(z)
    return run


def losses_not_finite():
    with xi.record() as run, numpy.errstate(all="ignore"):
        for x in (1.0, np.nan, np.inf, -np.inf, -0.0):
            grad(lambda x: xi.watch(x * 2.0, "double") - x)(x)
    return run


def failed():
    with pytest.raises(ZeroDivisionError), xi.record("fails") as run:  # noqa: PT012
        grad(lambda x: x**2)(1.0)
        1 / 0  # noqa: B018
    return run


def large():
    with xi.record() as run:
        for k in range(2):
            grad(lambda p: np.sum(p[0] ** 2) + np.sum(p[1][0]) ** 2)((np.arange(5000.0) + k, [np.ones(3)]))
    return run


def ragged():
    with xi.record() as run:
        for n in (1, 3, 0):
            grad(lambda x, n=n: np.sum(xi.watch(x * np.ones(n), "steps")) + x)(2.0)
    return run


def explained():
    run = failed()
    run.explain(model=False)
    return run


def partly_accepted():
    run = failed()
    run.history.append(0.5, np.array([2.0]), np.array([3.0]), accepted=False)
    return run


def empty():
    with xi.record("nothing") as run:
        pass
    return run


RUNS = [everything, complex_and_not_finite, losses_not_finite, failed, large, ragged, explained, partly_accepted, empty]


def same(a, b):
    """Whether two values are equal in type, shape and bits."""
    if isinstance(a, np.ndarray):
        if a.dtype == object:
            return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, field.name), getattr(b, field.name)) for field in fields(a))
    return a == b or (a != a and b != b)


@pytest.mark.parametrize("make", RUNS)
def test_a_run_comes_back_exactly(make, tmp_path):
    run = make()
    back = xi.load(run.save(tmp_path / "a run.npz"))
    for name in ("name", "title", "status", "ending", "notices", "evaluations", "optimizer", "chosen_parameters"):
        assert getattr(back, name) == getattr(run, name)
    for name in ("loss", "accepted", "parameters", "gradients", "watches"):
        assert same(getattr(back, name), getattr(run, name)), name
    assert same(list(back.events), list(run.events))
    assert same([vars(e) for e in back.entries()], [vars(e) for e in run.entries()])
    assert list(back.facts) == list(run.facts)
    assert list(back.captions) == list(run.captions)
    if make not in (empty, large):
        assert same(back.point(-1), run.point(-1))


def test_a_problem_comes_back_without_its_scene(tmp_path):
    run = everything()
    back = xi.load(run.save(tmp_path / "run.npz")).problem
    assert back.scene is None
    assert (back.title, back.goal, back.glossary) == (run.problem.title, run.problem.goal, run.problem.glossary)
    assert back.parameters == run.problem.parameters


def test_a_second_time_gives_the_same_file_and_leaves_nothing_beside_it(tmp_path):
    run = everything()
    first = run.save(tmp_path / "run.npz").read_bytes()
    xi.load(tmp_path / "run.npz").save(tmp_path / "run.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]
    with zipfile.ZipFile(io.BytesIO(first)) as a, zipfile.ZipFile(tmp_path / "run.npz") as b:
        assert {name: a.read(name) for name in a.namelist()} == {name: b.read(name) for name in b.namelist()}


def test_what_is_no_plain_data_is_kept_as_text(tmp_path):
    class Place:
        def __str__(self):
            return "the bridge"

    with xi.record() as run:
        grad(lambda x: (xi.event("at {place}", at=Place(), place=Place()), x**2)[1])(1.0)
    back = xi.load(run.save(tmp_path / "run.npz"))
    assert list(back.events) == list(run.events)
    assert back.events[0].text == "at the bridge"
    assert back.events[0].at == "the bridge"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(at=plain, value=plain, name=st.text(min_size=1).filter(str.strip), text=st.text())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_plain_data_survives(at, value, name, text, tmp_path):
    def objective(x):
        xi.event(text, at=at, value=value)
        return xi.watch(x, name, unit=text, at=value) ** 2

    with xi.record(name) as run:
        grad(objective)(1.0)
    back = xi.load(run.save(tmp_path / "run.npz"))
    assert same(list(back.events), list(run.events))
    assert same(back.watches, run.watches)
    assert run.watches[name].at == back.watches[name].at or same(run.watches[name].at, back.watches[name].at)


# ---------------------------------------------------------------------- files that are none


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        xi.load(tmp_path / "missing.npz")


def test_saving_into_a_missing_folder_says_so_and_a_good_file_survives_a_failure(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        failed().save(tmp_path / "missing" / "run.npz")
    path = failed().save(tmp_path / "run.npz")
    before = path.read_bytes()

    def full(file, **arrays):
        file.write(b"PK half of it")
        raise OSError("No space left on device")

    monkeypatch.setattr("numpy.savez_compressed", full)
    with pytest.raises(OSError, match="No space"):
        everything().save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def npy(array, **options):
    file = io.BytesIO()
    numpy.save(file, array, **options)
    return file.getvalue()


def rewritten(path, **members):
    """Write a saved run again with other members; None leaves one out."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**found, **members}.items():
            if data is not None:
                archive.writestr(name, data)
    return path


def with_header(path, change):
    with zipfile.ZipFile(path) as archive:
        header = json.loads(numpy.load(io.BytesIO(archive.read("run.json.npy"))).tobytes())
    change(header)
    text = json.dumps(header).encode()
    return rewritten(path, **{"run.json.npy": npy(numpy.frombuffer(text, dtype=numpy.uint8))})


class Bomb:
    """Would tell on itself if it were unpickled."""

    exploded = False

    def __reduce__(self):
        return setattr, (Bomb, "exploded", True)


def claiming(shape):
    header = io.BytesIO()
    numpy.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return header.getvalue() + b"\0" * 64


def flipped(data, position):
    changed = bytearray(data)
    changed[position] ^= 0xFF
    return bytes(changed)


FOREIGN = {
    "nothing": b"",
    "text": b"not a run",
    "an npy file": npy(numpy.ones(3)),
    "a pickle": pickle.dumps(Bomb()),
    "an npy file of objects": npy(numpy.array([Bomb()], dtype=object), allow_pickle=True),
    "an empty zip": b"PK\x05\x06" + b"\0" * 18,
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_file(data, tmp_path):
    path = tmp_path / "foreign.npz"
    path.write_bytes(data)
    with pytest.raises(RunFileError, match=r"foreign\.npz is no run of xinv_nb") as raised:
        xi.load(path)
    assert isinstance(raised.value, xi.XinvError)
    assert not Bomb.exploded


def test_a_foreign_archive_of_numpy(tmp_path):
    numpy.savez(tmp_path / "other.npz", loss=numpy.ones(3))
    with pytest.raises(RunFileError, match="is no run of xinv_nb"):
        xi.load(tmp_path / "other.npz")
    with pytest.raises(RunFileError, match="is no run of xinv_nb"):
        xi.load(tmp_path)


@pytest.fixture
def saved(tmp_path):
    return everything().save(tmp_path / "run.npz")


def test_a_file_that_was_cut_off_or_damaged(saved):
    whole = saved.read_bytes()
    for length in range(0, len(whole), 397):
        saved.write_bytes(whole[:length])
        with pytest.raises(RunFileError):
            xi.load(saved)
    for position in range(0, len(whole), 149):
        saved.write_bytes(flipped(whole, position))
        try:
            back = xi.load(saved)
        except RunFileError:
            continue
        assert back.evaluations == 6  # a byte that means nothing, such as the time of writing


def test_a_newer_version_says_so(saved):
    with_header(saved, lambda header: header.update(version=99))
    with pytest.raises(RunFileError, match=r"newer xinv_nb.*update"):
        xi.load(saved)


def another(**values):
    return lambda header: header.update(values)


def event(**values):
    return lambda header: header["events"][0][1]["dict"].extend([key, value] for key, value in values.items())


def watch(**values):
    return lambda header: header["watches"][0].update(values)


def caption(**values):
    good = {"text": "t", "span": [0, 1], "cites": [], "source": "s", "status": "", "claims": [], "heading": ""}
    return another(captions=[{"dict": [[key, value] for key, value in (good | values).items()]}])


HOSTILE = {
    "another format": another(format="other"),
    "version in words": another(version="1"),
    "version true": another(version=True),
    "name a number": another(name=5),
    "status unknown": another(status="<b>hacked</b>"),
    "status a list": another(status=[]),
    "notices text": another(notices="one"),
    "notices of numbers": another(notices=[1]),
    "problem a list": another(problem=[]),
    "problem without title": another(problem={"goal": ""}),
    "problem with a scene": lambda header: header["problem"]["parameters"].append(["x", {"dict": [["scene", "y"]]}]),
    "unit a number": lambda header: header["problem"]["parameters"].append(["x", {"dict": [["unit", 3]]}]),
    "truth in words": lambda header: header["problem"]["parameters"].append(["x", {"dict": [["truth", "yes"]]}]),
    "leaves none": another(leaves=[]),
    "leaf of negative shape": another(leaves=[["x", [-5], None]]),
    "leaf of fractional shape": another(leaves=[["x", [2.5], None]]),
    "leaf beyond the columns": another(leaves=[["x", [10**30], None]]),
    "leaf sampled outside": another(leaves=[["x", [3], [0, 1, 2, 9]]]),
    "outline of other leaves": another(outline={"dict": []}),
    "outline of text": another(outline="x"),
    "outline deep": another(outline=json.loads("[" * 400 + "]" * 400)),
    "event without text": lambda header: header["events"][0][1]["dict"].remove(
        ["text", header["events"][0][1]["dict"][4][1]]
    ),
    "event of another kind": event(secret=1),
    "event text a number": event(text=5),
    "event phase unknown": event(phase="sideways"),
    "event elsewhere": event(evaluation=10**6),
    "event before": event(evaluation=-1),
    "event values text": event(values="x"),
    "event without words": event(kind="turn", column=0, values={"dict": []}),
    "event of an unknown kind": event(kind="rumour"),
    "event column in words": event(kind="turn", column="0"),
    "event of no objective": lambda header: header["events"][0].__setitem__(0, 7),
    "events null": another(events=None),
    "watches a dict": another(watches={"x": "m"}),
    "watch of other lengths": watch(at=[]),
    "watch unit a number": watch(unit=1),
    "watch of other shapes": watch(shapes={"values": [[1]], "cotangents": None}),
    "array of objects": watch(at=[{"array": [1], "dtype": "|O"}]),
    "array huge": watch(at=[{"array": [1], "dtype": "<U99999999999"}]),
    "float unknown": watch(at=[{"float": "__import__('os')"}]),
    "caption text a number": caption(text=1),
    "caption span backwards": caption(span=[3, 1]),
    "caption of another kind": caption(onclick="x"),
}


def test_the_changes_below_start_from_a_good_file(saved):
    assert xi.load(with_header(saved, caption())).captions[0].text == "t"


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_header_of_wrong_types(change, saved):
    with pytest.raises(RunFileError, match="is no run of xinv_nb"):
        xi.load(with_header(saved, change))


MEMBERS = {
    "pickled objects": {"loss.npy": npy(numpy.array([Bomb()] * 6, dtype=object), allow_pickle=True)},
    "a pickle for the header": {"run.json.npy": npy(numpy.array([Bomb()], dtype=object), allow_pickle=True)},
    "columns of text": {"values.npy": npy(numpy.full((6, 5), "x"))},
    "losses complex": {"loss.npy": npy(numpy.ones(6) * 1j)},
    "a column missing": {"gradients.npy": None},
    "too few rows": {"loss.npy": npy(numpy.ones(5))},
    "too wide": {"values.npy": npy(numpy.ones((6, 50)))},
    "a header that claims terabytes": {"loss.npy": claiming((10**12,))},
    "a header that claims more than there is": {"loss.npy": claiming((1000,))},
    "a shape beyond all numbers": {"loss.npy": claiming((10**30,))},
    "json cut off": {"run.json.npy": npy(numpy.frombuffer(b'{"format": "xinv_nb run"', dtype=numpy.uint8))},
    "json too deep": {"run.json.npy": npy(numpy.frombuffer(b"[" * 10**5, dtype=numpy.uint8))},
    "json not utf-8": {"run.json.npy": npy(numpy.frombuffer(b'{"format": "\xff"}', dtype=numpy.uint8))},
    "json a list": {"run.json.npy": npy(numpy.frombuffer(b"[]", dtype=numpy.uint8))},
    "a stranger": {"evil.npy": b"\x93NUMPY\x01\x00"},
}


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS.keys())
def test_members_that_are_not_what_they_should_be(members, saved):
    with pytest.raises(RunFileError, match="is no run of xinv_nb"):
        xi.load(rewritten(saved, **members))
    assert not Bomb.exploded


def test_a_small_file_that_would_fill_the_memory(saved, monkeypatch):
    monkeypatch.setattr("xinv_nb.recorded.file.reading._LARGEST", 20_000)
    rewritten(saved, **{"loss.npy": npy(numpy.zeros(10**5))})
    with pytest.raises(RunFileError, match="GB of memory"):
        xi.load(saved)


def test_a_name_that_climbs_out_of_its_folder_writes_nothing(saved):
    folder = saved.parent
    xi.load(rewritten(saved, **{"../climbed.npy": npy(numpy.ones(1))}))
    assert [path.name for path in folder.iterdir()] == ["run.npz"]
    assert not (folder.parent / "climbed.npy").exists()


# ---------------------------------------------------------------------- tables


def test_a_data_frame_of_the_run():
    run = losses_not_finite()
    frame = run.to_frame()
    assert list(frame.columns) == ["loss", "accepted", "x", "∂loss/∂x"]
    assert frame.index.name == "evaluation"
    assert_array_equal(frame["loss"], run.loss)
    assert_array_equal(frame["∂loss/∂x"], run.gradients["x"])
    columns = list(everything().to_frame().columns)
    assert columns == ["loss", "accepted", "κ", "∂loss/∂κ"]  # the chosen one
    assert "p[0]" in large().to_frame()


def test_without_pandas_a_data_frame_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(xi.XinvError, match="pip install pandas"):
        Run().to_frame()


def test_a_file_holds_every_objective(tmp_path):
    def watched(y):
        xi.event("a closer look")
        return xi.watch(y**2, "square")

    with xi.record() as run:
        for k in range(5):
            grad(lambda x: x**4)(float(k))
            if k % 2:
                grad(watched)(float(k))
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert list(again.objectives) == list(run.objectives) == ["objective", "watched"]
    for name, each in run.objectives.items():
        other = again.objectives[name]
        assert other.loss.tolist() == each.loss.tolist()
        assert other.events == each.events
        assert list(other.watches) == list(each.watches)


def test_one_of_several_objectives_is_saved_as_a_run_of_its_own(tmp_path):
    with xi.record() as run:
        xi.event("before")
        for k in range(12):
            run.add(1 / (k + 1), float(k))
        for k in range(5):
            grad(lambda x: (xi.event("in"), x**2)[1])(float(k))
        xi.event("at the end")
    assert len(run.objectives) == 2
    for name, each in run.objectives.items():
        again = xi.load(each.save(tmp_path / "run.npz"))
        assert next(iter(again.objectives)) == each.history.objective, name
        assert [(e.id, e.text, e.evaluation) for e in again.events] == [
            (e.id, e.text, e.evaluation) for e in each.events
        ]
        assert list(again.facts) == list(each.facts)
        assert [caption.text for caption in again.captions] == [caption.text for caption in each.captions]


def test_what_is_said_before_a_short_fit_begins_stands_at_its_start(tmp_path):
    def look(x):
        return np.sum(x**4)

    def fitted(x):
        return (1 - x[0]) ** 2 + 5 * (x[1] - x[0] ** 2) ** 2

    with xi.record() as run:
        for k in range(40):
            grad(look)(np.array([1.0 * k, 2.0, 1.0]))
        xi.event("the fit begins")
        minimize(value_and_grad(fitted), np.array([-1.2, 1.0]), jac=True, method="BFGS")
        xi.event("the fit is done")
    assert list(run.objectives) == ["fitted", "look"]
    assert run.evaluations < 40
    said = {event.text: event.evaluation for event in run.events if event.kind == "happening"}
    assert said == {"the fit begins": 0, "the fit is done": run.evaluations - 1}
    latest = [event for k in range(run.event_count) for event in run.events_between(k, k + 1)]
    assert latest == list(run.events)
    again = xi.load(run.save(tmp_path / "run.npz"))
    for name, each in run.objectives.items():
        assert again.objectives[name].events == each.events
        assert list(again.objectives[name].facts) == list(each.facts)


def test_facts_can_be_copied_and_pickled():
    with xi.record() as run:
        for k in range(30):
            run.add(1 / (k + 1), [float(k)], [-1.0], height=(k, "m"))
    facts = list(run.facts)
    assert copy.deepcopy(facts) == pickle.loads(pickle.dumps(facts)) == facts
