"""Programs that were not written for us: autograd's own examples, out of its source distribution, unmodified."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tarfile
import types
from pathlib import Path

import pytest
from matplotlib import pyplot
from matplotlib.backend_bases import FigureCanvasBase

import xinv_nb as xi
from xinv_nb.language.quantities import number

RELEASE = "autograd==1.9.1"
EXAMPLES = ("neural_net_regression", "gmm", "rosenbrock", "logistic_regression", "data", "data_mnist")


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """The folder of the examples; fetched from the package index, never kept in this repository."""
    folder = tmp_path_factory.mktemp("autograd")
    fetch = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "--no-build-isolation"]
    fetch += ["--retries", "1", "--timeout", "20", "--disable-pip-version-check", "--dest", str(folder), RELEASE]
    fetched = subprocess.run(fetch, capture_output=True, text=True, check=False, timeout=180)
    if fetched.returncode != 0:
        why = f"the source of {RELEASE} could not be fetched: {fetched.stderr.strip()[-500:]}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        for name in EXAMPLES:
            member = archive.extractfile(f"{source.name.removesuffix('.tar.gz')}/examples/{name}.py")
            assert member is not None
            (folder / f"{name}.py").write_bytes(member.read())
    return folder


class Window(FigureCanvasBase):
    """A window that shows nothing, at once; whoever sits before it presses Ctrl-C after a number of redraws."""

    redraws_left = 0

    def draw_idle(self, *args, **kwargs):
        type(self).redraws_left -= 1
        if self.redraws_left < 0:
            raise KeyboardInterrupt

    def start_event_loop(self, timeout=0):
        """Do not wait: nobody looks."""


@pytest.fixture
def run_example(examples, monkeypatch):
    monkeypatch.syspath_prepend(str(examples))
    backend = types.ModuleType("window_that_shows_nothing")
    backend.FigureCanvas = Window
    monkeypatch.setitem(sys.modules, backend.__name__, backend)
    before = pyplot.get_backend()
    pyplot.switch_backend(f"module://{backend.__name__}")

    def run_it(name: str, redraws: int = 0) -> xi.Run:
        Window.redraws_left = redraws
        recording = xi.record(name)
        try:
            with recording as run:
                runpy.run_path(str(Path(examples, f"{name}.py")), run_name="__main__")
        except KeyboardInterrupt:
            assert redraws
        return run

    yield run_it
    pyplot.close("all")
    pyplot.switch_backend(before)
    for name in ("data", "data_mnist"):
        sys.modules.pop(name, None)


def assert_explained(run: xi.Run) -> None:
    """The captions speak of this run, in its numbers, and say nothing that the recording does not show."""
    assert run.notices == []
    told = " ".join(caption.text for caption in run.captions)
    assert number(float(run.loss[0])) in told
    assert number(float(run.loss[-1])) in told
    assert any(name.split("[")[0] in told.lower() for name in run.parameters)
    claims = [claim for caption in run.captions for claim in caption.claims]
    assert any(claim.supported for claim in claims)
    assert [claim.text for claim in claims if claim.supported is False] == []


def test_rosenbrock(run_example, capsys):
    run = run_example("rosenbrock")
    assert run.history.objective == "rosenbrock"
    assert run.optimizer == "Conjugate gradient"
    assert run.status == "finished"
    assert run.parameters["x"][0].tolist() == [0.0, 0.0]
    assert run.loss[0] == 1.0
    assert run.loss[-1] < 1e-6
    assert capsys.readouterr().out.strip() == f"Found minimum at {run.point(-1)}"
    assert_explained(run)


def test_logistic_regression(run_example, capsys):
    run = run_example("logistic_regression")
    printed = [float(value) for value in re.findall(r"loss: (\S+)", capsys.readouterr().out)]
    assert run.history.objective == "training_loss"
    assert list(run.parameters) == ["weights"]
    assert run.evaluations >= 100
    assert run.loss[0] == printed[0]
    assert printed[1] < run.loss[-1] < 1.02 * printed[1]
    assert_explained(run)


def test_neural_network(run_example, capsys):
    run = run_example("neural_net_regression", redraws=120)
    printed = [float(value) for value in re.findall(r"log likelihood (\S+)", capsys.readouterr().out)]
    assert run.status == "interrupted"
    assert run.history.objective == "objective"
    assert run.optimizer == "Adam · step size 0.01"
    assert list(run.parameters) == [f"weights[{layer}][{part}]" for layer in range(3) for part in range(2)]
    assert run.parameters["weights[1][0]"].shape == (run.evaluations, 4, 4)
    assert [-value for value in printed] == run.loss[1:].tolist()  # the first evaluation is a look at the gradient
    assert run.loss[-1] < 0.7 * run.loss[0]
    assert_explained(run)


def test_gaussian_mixture(run_example, capsys):
    run = run_example("gmm", redraws=40)
    printed = [float(value) for value in re.findall(r"Log likelihood (\S+)", capsys.readouterr().out)]
    assert run.history.objective == "objective"
    assert run.optimizer == "Newton-CG"
    assert {name: rows.shape[1:] for name, rows in run.parameters.items()} == {
        "log proportions": (10,),
        "lower triangles": (10, 2, 2),
        "means": (10, 2),
    }
    # Every iterate was evaluated, and no product with the Hessian is among the evaluations.
    assert len(printed) > 10
    assert {-value for value in printed[:-1]} <= set(run.loss)
    assert run.loss[-1] < 0.8 * run.loss[0]
    assert_explained(run)
