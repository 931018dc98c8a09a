"""What recording costs: CPU time with it over CPU time without, from interleaved runs of the same programs.

    uv run --project benchmarks python benchmarks/recording.py            # everything
    uv run --project benchmarks python benchmarks/recording.py --quick    # a look

Prints the median ratio over pairs of runs, the cost of an evaluation, of one `event` and one `watch` (recording and
idle), and the cost of a step that records 12 scalars beside other trackers, whichever of them are installed.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import autograd.numpy as np
import numpy as onp
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import least_squares, minimize

import xinv_nb as xi
from xinv_nb.recorded.writer import RunWriter

Program = Callable[[], Any]


# ---------------------------------------------------------------------- the programs


def rosenbrock(steps: int = 300) -> Program:
    """Return Adam on two parameters: as little work in an evaluation as there can be."""

    def objective(x: Any, _: int) -> Any:
        return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2

    return lambda: adam(grad(objective), onp.array([-1.2, 1.0]), num_iters=steps, step_size=0.01)


def many_parameters(size: int, steps: int = 100) -> Program:
    """Return a quadratic with `size` parameters: what copying them costs."""

    def objective(x: Any, _: int) -> Any:
        return np.sum(x * x)

    return lambda: adam(grad(objective), onp.ones(size), num_iters=steps, step_size=0.01)


def projectile(evaluations: int = 20, *, watched: bool = False) -> Program:
    """Return a throw with drag in 200 scalar steps."""

    def miss(p: Any) -> Any:
        vx, vy, x, y = p[0] * np.cos(p[1]), p[0] * np.sin(p[1]), 0.0, 0.0
        for k in range(200):
            speed = np.sqrt(vx**2 + vy**2)
            if watched:
                xi.watch(speed, "speed", "m/s", at=k * 0.01)
            vx, vy = vx - 0.01 * 0.02 * speed * vx, vy - 0.01 * (9.81 + 0.02 * speed * vy)
            x, y = x + 0.01 * vx, y + 0.01 * vy
        return (x - 20.0) ** 2 + y**2

    def run() -> Any:
        p = onp.array([15.0, 0.7])
        for _ in range(evaluations):
            _, g = value_and_grad(miss)(p)
            p = p - 1e-4 * g
        return p

    return run


def heat(evaluations: int = 50) -> Program:
    """Return heat in a rod: 50 explicit steps over 100 cells."""

    def misfit(source: Any) -> Any:
        u = np.zeros(100)
        for _ in range(50):
            u = u + 0.2 * (np.concatenate([u[1:], u[-1:]]) - 2 * u + np.concatenate([u[:1], u[:-1]])) + 0.01 * source
        return np.sum((u - 0.3) ** 2)

    def run() -> Any:
        source = onp.zeros(100)
        for _ in range(evaluations):
            source = source - 0.1 * grad(misfit)(source)
        return source

    return run


def network(evaluations: int = 50) -> Program:
    """Return a 784-100-10 network on batches of 256."""
    rng = onp.random.default_rng(0)
    images, labels = rng.normal(size=(2560, 784)), onp.eye(10)[rng.integers(0, 10, 2560)]
    start = [(0.1 * rng.normal(size=(784, 100)), onp.zeros(100)), (0.1 * rng.normal(size=(100, 10)), onp.zeros(10))]

    def loss(weights: Any, batch: int) -> Any:
        rows = slice(256 * (batch % 10), 256 * (batch % 10 + 1))
        hidden = images[rows]
        for w, b in weights[:-1]:
            hidden = np.tanh(np.dot(hidden, w) + b)
        scores = np.dot(hidden, weights[-1][0]) + weights[-1][1]
        scores = scores - np.max(scores, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(scores), axis=1)) - np.sum(scores * labels[rows], axis=1))

    def run() -> Any:
        weights = start
        for i in range(evaluations):
            g = grad(loss)(weights, i)
            weights = [(w - 0.1 * gw, b - 0.1 * gb) for (w, b), (gw, gb) in zip(weights, g, strict=True)]
        return weights

    return run


def quantities(count: int, evaluations: int) -> Program:
    """Return a fall with drag in 40 scalar steps, with `count` quantities of which the loss is made."""

    def loss(p: Any) -> Any:
        speed, height, total = p[0], 0.0 * p[0], 0.0
        for k in range(40):
            speed, height = speed - 0.01 * p[1] * speed, height + 0.01 * speed
            if k % (40 // max(count, 1)) == 0 and count:
                total = total + 0.01 * xi.watch(height * speed, f"effort {k}")
        return total + (height - 3.0) ** 2

    def run() -> None:
        p = onp.array([4.0, 0.5])
        for _ in range(evaluations):
            p = p - 1e-3 * grad(loss)(p)

    return run


def steep(x: Any) -> float:
    """Return Rosenbrock's function of any number of parameters."""
    return float(onp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2))


def searched(method: str, **options: Any) -> tuple[Program, int]:
    """Return SciPy's minimization of ten parameters without a gradient, and how many evaluations it makes."""

    def run() -> Any:
        return minimize(lambda x: steep(x), onp.full(10, 0.5), method=method, options=options)

    return run, run().nfev


def fitted() -> tuple[Program, int]:
    """Return a polynomial's fit of ten parameters by SciPy, and how often it asks for residuals."""
    times, calls = onp.linspace(0.0, 1.0, 50), [0]

    def misfit(p: Any) -> Any:
        calls[0] += 1
        return onp.polyval(p, times) + 0.1 * onp.sin(5.0 * p).sum() - onp.sin(6.0 * times)

    def run() -> Any:
        return least_squares(lambda p: misfit(p), onp.full(10, 0.5), max_nfev=60)

    run()
    return run, calls[0]


# ---------------------------------------------------------------------- measuring


def cpu(work: Program) -> float:
    """Return the CPU seconds that `work` takes, without a garbage collection in the middle."""
    gc.collect()
    gc.disable()
    try:
        begin = time.process_time()
        work()
        return time.process_time() - begin
    finally:
        gc.enable()


def recorded(work: Program) -> Program:
    def run() -> Any:
        with xi.record("benchmark"):
            return work()

    return run


def compare(work: Program, pairs: int, baseline: Program | None = None) -> tuple[float, float, float]:
    """Return the median ratio with over without, the plain seconds, and the median difference in seconds."""
    baseline = baseline or work
    with_us = recorded(work)
    with_us(), baseline()
    ratios, differences, plain = [], [], []
    for i in range(pairs):
        order = (baseline, with_us) if i % 2 else (with_us, baseline)
        times = {id(w): cpu(w) for w in order}
        plain.append(times[id(baseline)])
        ratios.append(times[id(with_us)] / plain[-1])
        differences.append(times[id(with_us)] - plain[-1])
    return statistics.median(ratios), statistics.median(plain), statistics.median(differences)


def per_call(work: Callable[[int], Any], count: int, runs: int) -> float:
    """Return the least CPU microseconds a call over `runs` runs of `count` calls."""
    return 1e6 * min(cpu(lambda: work(count)) for _ in range(runs)) / count


# ---------------------------------------------------------------------- the tables


def programs_table(pairs: int) -> None:
    """Print ratio and cost an evaluation for each program."""
    table = [
        ("Rosenbrock, Adam (2 parameters)", rosenbrock(), 300),
        ("quadratic, 1,000 parameters", many_parameters(1_000), 100),
        ("quadratic, 4,096 parameters", many_parameters(4_096), 100),
        ("quadratic, 180,000 parameters", many_parameters(180_000, 50), 50),
        ("projectile, 200 scalar steps", projectile(), 20),
        ("heat, 50 steps × 100 cells", heat(), 50),
        ("network 784-100-10, batch 256", network(), 50),
        *((f"fall, {k} quantities, {n} evaluations", quantities(k, n), n) for n in (100, 2000) for k in (0, 2, 8)),
        ("Nelder-Mead, 10 parameters", *searched("Nelder-Mead", maxfev=2000)),
        ("BFGS without gradient, 10 parameters", *searched("BFGS")),
        ("least_squares, 10 parameters", *fitted()),
    ]
    print(f"{'program':<38}{'ratio':>8}{'plain ms/eval':>15}{'added µs/eval':>15}")
    for name, work, evaluations in table:
        ratio, plain, difference = compare(work, pairs)
        print(f"{name:<38}{ratio:>8.3f}{1e3 * plain / evaluations:>15.3f}{1e6 * difference / evaluations:>15.1f}")


def probes_table(runs: int) -> None:
    """Print the cost of one event and one watch, idle and recording."""

    def events(count: int) -> None:
        for i in range(count):
            xi.event("the ball is {height:.1f} m high", at=i, height=1.5)

    def inside(work: Callable[[int], Any]) -> Callable[[int], Any]:
        """Call `work` in a differentiated pass of its own."""

        def run(count: int) -> None:
            with xi.record():
                grad(lambda x: (work(count), x * 2.0)[1])(1.0)

        return run

    def chain(count: int, *, watched: bool) -> Any:
        def f(x: Any) -> Any:
            for _ in range(count):
                x = x * 1.0000001
                if watched:
                    xi.watch(x, "x")
            return x

        return grad(f)(1.0)

    count = 2_000
    idle = per_call(events, 20_000, runs)
    recording = per_call(inside(events), count, runs) - per_call(inside(lambda _: None), count, runs)
    with xi.record():
        watched = per_call(lambda n: chain(n, watched=True), count, runs)
        plain = per_call(lambda n: chain(n, watched=False), count, runs)
    idle_watch = per_call(lambda n: [xi.watch(1.0, "x") for _ in range(n)], 20_000, runs)
    print(f"\nevent: {idle:.3f} µs idle, {recording:.2f} µs recording")
    print(f"watch: {idle_watch:.3f} µs idle, {watched - plain:.2f} µs recording (forward and backward together)")


def trackers_table(steps: int) -> None:
    """Print the CPU cost of a step that records 12 scalars, beside trackers that are installed."""
    names = [f"p{i}" for i in range(12)]
    values = onp.random.default_rng(0).normal(size=(steps, 12))

    def ours() -> None:
        from xinv_nb.recorded.history import History
        from xinv_nb.recorded.leaves import leaves_of

        history = History("f", leaves_of([("p", (12,))]))
        for row in values:
            history.append(0.0, row, row)

    def dicts() -> None:
        kept = []
        for row in values:
            kept.append(dict(zip(names, row, strict=True)))

    rows: list[tuple[str, Callable[[], None], int]] = [
        ("xinv_nb, its columns alone", ours, steps),
        ("list of dicts (floor)", dicts, steps),
    ]
    rows += [
        (*row, len(own))
        for make, own in ((_tensorboard, values), (_wandb, values), (_mlflow, values[:300]))
        if (row := make(names, own)) is not None
    ]
    print(f"\n{'12 scalars a step':<34}{'µs a step':>10}{'steps':>8}")
    for name, work, count in rows:
        print(f"{name:<34}{1e6 * cpu(work) / count:>10.1f}{count:>8}")


def _tensorboard(names: list[str], values: Any) -> tuple[str, Callable[[], None]] | None:
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError:
        return None

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            writer = EventFileWriter(folder)
            for step, row in enumerate(values):
                found = [Summary.Value(tag=n, simple_value=float(v)) for n, v in zip(names, row, strict=True)]
                writer.add_event(Event(step=step, summary=Summary(value=found)))
            writer.close()

    return "TensorBoard's event writer", run


def _wandb(names: list[str], values: Any) -> tuple[str, Callable[[], None]] | None:
    try:
        import wandb
    except ImportError:
        return None

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            tracked = wandb.init(mode="offline", dir=folder, settings=wandb.Settings(silent=True))
            for row in values:
                tracked.log(dict(zip(names, map(float, row), strict=True)))
            tracked.finish()

    return "W&B offline", run


def _mlflow(names: list[str], values: Any) -> tuple[str, Callable[[], None]] | None:
    try:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        import mlflow
    except ImportError:
        return None

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            mlflow.set_tracking_uri(Path(folder).as_uri())
            mlflow.set_experiment("benchmark")
            with mlflow.start_run():
                for step, row in enumerate(values):
                    mlflow.log_metrics(dict(zip(names, map(float, row), strict=True)), step=step)

    return "MLflow files", run


def memory_and_files(rows: int) -> None:
    """Print bytes an evaluation, and the time to save and load."""
    from xinv_nb.recorded.history import History
    from xinv_nb.recorded.leaves import leaves_of

    width = 10
    run = xi.Run("memory")
    history = History("f", leaves_of([("p", (width,))]))
    values = onp.random.default_rng(0).normal(size=(rows, width))
    for row in values:
        history.append(float(row[0]), row, row)
    RunWriter(run).add_history(history)
    RunWriter(run).end("finished")
    size = sum(c.array.nbytes for c in (history.loss, history.values, history.gradients, history.accepted))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        begin = time.perf_counter()
        run.save(path)
        saved = time.perf_counter() - begin
        begin = time.perf_counter()
        xi.load(path)
        loaded = time.perf_counter() - begin
        print(f"\nmemory: {size / rows:.0f} bytes an evaluation of {width} parameters")
        size_of_file = path.stat().st_size / 1e6
        print(f"{rows * width:,} values: saved in {saved:.2f} s to {size_of_file:.1f} MB, loaded in {loaded:.2f} s")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    quick = parser.parse_args().quick
    print(f"Python {sys.version.split()[0]}, NumPy {onp.__version__}; CPU time, interleaved runs, medians\n")
    programs_table(11 if quick else 41)
    probes_table(5 if quick else 15)
    trackers_table(2_000)
    memory_and_files(100_000)


if __name__ == "__main__":
    main()
