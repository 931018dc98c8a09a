"""The tests of the recording again: under autograd 1.8 with PennyLane, other SciPys, other Pythons of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import unavailable

ROOT = Path(__file__).parent.parent
TESTS = [
    f"tests/test_{name}.py"
    for name in (
        "add",
        "data",
        "harmless",
        "lmfit",
        "nonfinite",
        "optimizers",
        "packages",
        "parameters",
        "pennylane",
        "phases",
        "probes",
        "quantities",
        "recording",
        "scipy_fits",
        "session",
        "storage",
        "terms",
        "uncertainty",
    )
]
"""Those of the recording, which need neither a browser nor a kernel nor a server."""

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = [python for python in ("3.10", "3.11", "3.12", "3.13", "3.14") if python != THIS]

SCIPYS = ("1.11", "1.15")
"""The oldest that is supported, and the last before solvers were rewritten in Python and C."""


@pytest.fixture
def environment(tmp_path):
    """A folder for one environment; it is large, so it goes at once."""
    yield tmp_path / "environment"
    shutil.rmtree(tmp_path, ignore_errors=True)


def uv(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run uv, and let it find the Pythons of pyenv as well, whichever of them is switched on."""
    program = os.environ.get("UV") or shutil.which("uv")
    if program is None:
        unavailable("uv makes the environments of these tests: pip install uv")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    path = os.pathsep.join([*map(str, pyenv.glob("versions/3.*/bin")), os.environ["PATH"]])
    return run([program, *arguments], PATH=path, UV_PYTHON_DOWNLOADS="never")


def run(command: list[object], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def install(environment: Path, *groups: str) -> Path:
    """Install what the package and groups of its developers depend on; returns the Python of the environment."""
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    named = [word for group in groups for word in ("--group", group)]
    installed = uv("pip", "install", "--python", python, "-r", "pyproject.toml", *named)
    if installed.returncode != 0:
        unavailable(f"the environment could not be made: {installed.stderr.strip()[-2000:]}")
    return python


def version(python: Path, package: str) -> str:
    return run([python, "-c", f"from importlib.metadata import version; print(version('{package}'))"]).stdout.strip()


def run_the_tests(python: Path, tests: list[str] = TESTS) -> None:
    ran = run([python, "-m", "pytest", "-q", "--tb=short", "--disable-warnings", "-p", "no:cacheprovider", *tests])
    print(ran.stdout)
    if ran.returncode != 0:
        pytest.fail(f"{ran.stdout[-20_000:]}\n{ran.stderr[-2_000:]}", pytrace=False)


def test_autograd_1_8_with_pennylane(environment):
    made = uv("venv", "--python", sys.executable, environment)
    assert made.returncode == 0, made.stderr
    python = install(environment, "recording", "pennylane")
    assert version(python, "autograd").startswith("1.8")
    run_the_tests(python)


@pytest.mark.parametrize("wanted", SCIPYS)
def test_another_scipy(wanted, environment):
    if uv("venv", "--python", "3.11", environment).returncode != 0:
        pytest.skip("no Python 3.11 on this machine, for which there are wheels of each SciPy")
    python = install(environment, "recording")
    made = uv("pip", "install", "--python", python, f"scipy=={wanted}.*", "numpy<2" if wanted == "1.11" else "numpy")
    if made.returncode != 0:
        unavailable(f"SciPy {wanted} could not be installed: {made.stderr.strip()[-2000:]}")
    assert version(python, "scipy").startswith(wanted)
    run_the_tests(python, [name for name in TESTS if name.endswith(("scipy_fits.py", "optimizers.py"))])


@pytest.mark.parametrize("wanted", PYTHONS)
def test_another_python(wanted, environment):
    if uv("venv", "--python", wanted, environment).returncode != 0:
        pytest.skip(f"no Python {wanted} on this machine")
    run_the_tests(install(environment, "recording"))
