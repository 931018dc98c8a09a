"""What the analysis costs: all facts and captions of runs of growing length, and looks at a run that still grows.

    python benchmarks/analysis.py            # everything
    python benchmarks/analysis.py --quick    # shorter runs

Prints CPU time, the best of several, and its growth against the growth of the run: linear is 1. The figure of 10,000
evaluations with 10 parameters is what a reader waits for at the end of a usual run. Of it the diagnosis has rows of its
own: alone, given the facts and the iterates (its aim is 50 ms), and in all, from the bare recording to the findings, as
`run.diagnosis` costs that is asked first; each also as a share of facts and captions, measured beside it, which says on
any machine how much of the wait is the diagnosis.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from xinv_nb.facts.analysis import analyse, shown_parts
from xinv_nb.facts.diagnosis.kinds import all_finding_kinds
from xinv_nb.facts.evidence import Evidence
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import leaves_of
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run
from xinv_nb.words.narrator import narrate

_AIM = 0.05
"""Seconds within which all kinds of findings are to be done, of 10,000 evaluations with 10 parameters."""

Course = Callable[[np.ndarray, np.random.RandomState], np.ndarray]

COURSES: dict[str, Course] = {
    "descent": lambda k, _: 50 * np.exp(-8 * k) + np.exp(-2 * k),
    "noisy": lambda k, random: (1 + 20 * np.exp(-9 * k)) * np.exp(0.3 * random.randn(len(k))),
    "ringing": lambda k, _: 2 + np.exp(-3 * k) * (1 + np.cos(120 * k)),
}


def run_of(course: Course, evaluations: int, parameters: int) -> Run:
    """Return a run with this course of the loss, with an event in each evaluation."""
    random = np.random.RandomState(0)
    k = np.linspace(0, 1, evaluations)
    loss = course(k, random)
    values = np.exp(-np.outer(k, np.linspace(1, 9, parameters))) + 1e-3 * random.randn(evaluations, parameters)
    run = Run("benchmark")
    history = History("f", leaves_of([("theta", (parameters,))]))
    for row, slope, f in zip(values, values - values[-1], loss, strict=True):
        at = history.append(float(f), row, slope)
        event = Event(f"e{at + 1}", at, "forward", "passes", f"it passes {at % 7} gates", {"gates": at % 7})
        RunWriter(run).restore_event(history, event)
    RunWriter(run).add_history(history)
    RunWriter(run).end("finished")
    return run


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the least CPU time of several."""
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return float(best)


def captions(run: Run) -> None:
    """Compute facts and captions anew, as at the end of a run."""
    run.memo.pop("analysis", None)
    narrate(run)


def diagnosis(run: Run, repeats: int) -> dict[str, float]:
    """Return what each kind of finding costs, given the facts of the run and its iterates."""
    spent = {kind.name: np.inf for kind in all_finding_kinds()}
    for _ in range(repeats):
        parts = shown_parts(run)
        evidence = Evidence(run, run.phases, parts)  # anew: what one kind finds for others is paid for by the first
        evidence.add(run.facts)
        _ = evidence.iterates
        for kind in all_finding_kinds():
            start = time.process_time()
            list(kind.compute(evidence))
            spent[kind.name] = min(spent[kind.name], time.process_time() - start)
    return spent


def tell_diagnosis(run: Run, repeats: int, captions_too: float) -> None:
    """Print what the diagnosis costs alone and in all, beside the facts and captions of the same run."""
    kinds = diagnosis(run, repeats)
    alone, in_all = sum(kinds.values()), seconds(lambda: analyse(run).findings, repeats)
    slowest = ", ".join(f"{kind} {1e3 * kinds[kind]:.1f}" for kind in sorted(kinds, key=lambda k: -kinds[k])[:3])
    verdict = "met" if alone <= _AIM else "MISSED"
    print(
        f"  diagnosis alone, {len(kinds)} kinds: {1e3 * alone:.1f} ms, {alone / captions_too:.2f} of that "
        f"(aim {1e3 * _AIM:.0f} ms: {verdict}; most: {slowest})"
    )
    print(f"  diagnosis in all, with the facts it rests on: {1e3 * in_all:.0f} ms, {in_all / captions_too:.2f} of that")


def growth(sizes: list[int], parameters: int, repeats: int) -> None:
    print(f"{'':10s} {'evaluations':>12s} {'facts':>9s} {'growth':>7s}")
    for name, course in COURSES.items():
        before = None
        for size in sizes:
            run = run_of(course, size, parameters)
            spent = seconds(lambda run=run: analyse(run), repeats)  # type: ignore[misc]
            ratio = "" if before is None else f"{spent / before[1] / (size / before[0]):7.2f}"
            print(f"{name:10s} {size:12,d} {1e3 * spent:6.0f} ms {ratio}")
            before = size, spent


def looks(evaluations: int, parameters: int) -> None:
    """Look at the facts of a run after every 100 evaluations while it grows."""
    whole = run_of(COURSES["descent"], evaluations, parameters)
    run = Run("live")
    history = History("f", leaves_of([("theta", (parameters,))]))
    RunWriter(run).add_history(history)
    rows = zip(whole.loss, whole.history.values.array, whole.history.gradients.array, strict=True)
    spent, count = 0.0, 0
    for i, (loss, values, slopes) in enumerate(rows):
        history.append(float(loss), values, slopes)
        if i % 100 == 99:
            start = time.process_time()
            _ = run.facts, run.phases
            spent += time.process_time() - start
            count += 1
    print(
        f"live: {count} looks at a run that grows to {evaluations:,d} evaluations: {1e3 * spent / count:.1f} ms a look"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    quick = parser.parse_args().quick
    repeats = 3 if quick else 7
    for name, course in COURSES.items():
        run = run_of(course, 10_000, 10)
        spent = seconds(lambda run=run: captions(run), repeats)  # type: ignore[misc]
        print(f"10,000 evaluations, 10 parameters, {name}: facts and captions in {1e3 * spent:.0f} ms")
        tell_diagnosis(run, repeats, spent)
    growth([1_000, 10_000, 30_000] if quick else [1_000, 10_000, 30_000, 100_000], 20, repeats)
    looks(5_000 if quick else 20_000, 10)


if __name__ == "__main__":
    main()
