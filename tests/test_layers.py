"""The architecture: imports go downward only, and importing the package is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "xinv_nb"

LAYERS = [
    {"errors"},
    {"language"},
    {"recorded"},
    {"recording"},
    {"facts"},
    {"analysed"},
    {"words"},
    {"claims"},
    {"models"},
    {"view"},
    {"run"},
    {"session"},
    {"options"},
    {"magic"},
]
"""From the bottom up; a module imports from its own layer or from those below, also inside its functions."""

MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.name != "__init__.py"]


def layer_of(module: str) -> int:
    part = module.split(".")[1]
    return next(level for level, names in enumerate(LAYERS) if part in names)


def imports(path: Path, *, inside_functions: bool) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes: list[ast.AST] = list(ast.walk(tree))
    if not inside_functions:
        inner = {id(n) for f in nodes if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
        typing_only = {
            id(n) for i in nodes if isinstance(i, ast.If) and "TYPE_CHECKING" in ast.dump(i.test) for n in ast.walk(i)
        }
        nodes = [n for n in nodes if id(n) not in inner | typing_only]
    found = {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module}
    found |= {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    return found


def name_of(path: Path) -> str:
    return ".".join(("xinv_nb", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downward(path: Path) -> None:
    name = name_of(path)
    for imported in imports(path, inside_functions=True):
        if imported.startswith("xinv_nb."):
            assert layer_of(imported) <= layer_of(name), f"{name} imports {imported}, which lies above it"


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {name_of(path) for path in MODULES}
    below = {name_of(path): imported_modules(path, names) for path in MODULES}
    while leaves := [name for name, needs in below.items() if not needs]:
        for leaf in leaves:
            del below[leaf]
        below = {name: needs - set(leaves) for name, needs in below.items()}
    assert below == {}, "these are, or stand above, a circle"


def imported_modules(path: Path, names: set[str]) -> set[str]:
    """The modules of this package that one imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return (found & names) - {name_of(path)}


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("IPython", {"magic.py", "options.py", "run.py", "live.py", "comparison.py"}),
        (
            "autograd",
            {"derivatives.py", "observing.py", "operations.py", "tape.py", "taps.py", "untraced.py", "valued.py"},
        ),
        ("ollama", {"connection.py", "faults.py", "models.py", "ollama.py", "download.py"}),
    ],
)
def test_each_library_has_its_adapter(library: str, allowed: set[str]) -> None:
    users = {
        path.name
        for path in MODULES
        if any(name.split(".")[0] == library for name in imports(path, inside_functions=True))
    }
    assert users <= allowed


def test_recording_knows_no_framework_outside_its_folder():
    autograd = PACKAGE / "recording" / "backends" / "autograd"
    for path in MODULES:
        if autograd not in path.parents:
            of_autograd = {name for name in imports(path, inside_functions=True) if "autograd" in name}
            assert not of_autograd, f"{path.name} imports {of_autograd}"


def test_the_core_knows_numpy_only() -> None:
    core = [path for room in ("language", "recorded", "facts") for path in (PACKAGE / room).rglob("*.py")]
    for path in core:
        outside = {n.split(".")[0] for n in imports(path, inside_functions=False)} - set(sys.stdlib_module_names)
        assert outside <= {"numpy", "xinv_nb"}, path.name


def test_pyplot_is_never_used() -> None:
    for path in MODULES:
        assert not any("pyplot" in name for name in imports(path, inside_functions=True)), path.name


def test_importing_the_package_is_light() -> None:
    heavy = ("matplotlib", "ollama", "httpx", "pandas", "IPython", "anywidget", "asyncio", "autograd", "scipy")
    code = f"import sys, xinv_nb; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
