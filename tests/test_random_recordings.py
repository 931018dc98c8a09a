"""Facts of recordings that no optimizer would make: whatever the numbers, what is said of them is true."""

from __future__ import annotations

import numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import xinv_nb as xi
from tests.recomputed_parameters import RECOMPUTED
from tests.test_facts import assert_facts_are_true
from xinv_nb.recorded.columns import TermColumns, WatchColumns
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import leaves_of
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run

SHAPES = {"a": (), "b": (3,), "c": (2, 2), "W": (9, 5)}


def recording(seed: int, names: list[str], count: int, kind: str) -> Run:
    """A run of random numbers: steps, gradients and losses of any kind, some of its points rejected."""
    random = numpy.random.RandomState(seed)
    problem = xi.Problem(
        "", parameters={"a": xi.Parameter("depth", "m", bounds=(-1.0, None), directions=("up", "down"))}
    )
    run, history = Run("random", problem), History("f", leaves_of([(name, SHAPES[name]) for name in names]))
    width = history.width
    x = random.randn(width)
    for k in range(count):
        if kind == "walk":
            x = x + 0.3 * random.randn(width)
        elif kind == "swing":
            x = 0.9**k * numpy.cos(0.9 * k + numpy.arange(width))
        elif kind == "still":
            x = numpy.where(numpy.arange(width) % 2, x, x + 0.1)
        else:
            x = x * 0.9
        slope = x + (0.2 * random.randn(width) if kind == "walk" else 0.0)
        history.append(float(0.5 * x @ x), x.copy(), slope, accepted=k == 0 or random.rand() < 0.8)
        for i, name in enumerate(("first", "second")):
            columns = history.watches.setdefault(name, WatchColumns("kg"))
            columns.evaluation.append(k)
            columns.values.append(float(x[i % width] - 0.2))
            columns.cotangents.append(float(slope[i % width]))
            columns.at.append(None)
            terms = history.terms.setdefault(name, TermColumns())
            terms.evaluation.append(k)
            terms.gradients.append(random.randn(width))
        if random.rand() < 0.7 and 2 < k < count - 2:
            values = {"d": float(x[0])}
            event = Event(f"e{k}", k, "forward", "{d:.2f} left", f"{x[0]:.2f} left", values, count=random.randint(1, 3))
            RunWriter(run).restore_event(history, event)
    RunWriter(run).add_history(history)
    RunWriter(run).end("finished")
    return run


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 2**31),
    st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=3, unique=True),
    st.integers(1, 60),
    st.sampled_from(["walk", "swing", "still", "descent"]),
)
def test_what_is_said_of_random_numbers_is_true(seed: int, names: list[str], count: int, kind: str) -> None:
    run = recording(seed, names, count, kind)
    assert_facts_are_true(run, RECOMPUTED)
    for caption in run.captions:
        assert caption.text
    for name in names:
        assert run.ask(f"What about {name}?").text
