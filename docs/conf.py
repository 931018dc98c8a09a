"""The site of the documentation, made by Sphinx: `uv run --group docs sphinx-build docs dist/docs`.

The demo notebooks are its gallery. They are run when the site is built, with no model, so that each shows the record
of its run, which needs no kernel; `XINV_NB_DOCS_RUN=off` leaves them as they are.
"""

import os
import shutil
from pathlib import Path

import xinv_nb

HERE = Path(__file__).parent
NOTEBOOKS = HERE / "notebooks"

project = "xinv_nb"
project_copyright = "BSD-3-Clause"
release = version = xinv_nb.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "xinv_nb"
exclude_patterns = ["**/.ipynb_checkpoints"]
default_role = "code"
suppress_warnings = ["myst.xref_missing"]  # links that lead out of this folder, to files of the repository

autodoc_typehints = "none"  # each docstring says what it takes
autodoc_member_order = "bysource"
napoleon_google_docstring = False

nb_execution_mode = os.environ.get("XINV_NB_DOCS_RUN", "force")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
# The record of a run, rather than the widget, which nothing moves without a kernel.
nb_mime_priority_overrides = [("html", "text/html", 0)]
os.environ.setdefault("OLLAMA_HOST", "127.0.0.1:9")  # where no server answers: the built-in text


def copy_the_notebooks() -> None:
    """Have the gallery beside the pages, as Sphinx reads nothing from outside its folder."""
    shutil.rmtree(NOTEBOOKS, ignore_errors=True)
    shutil.copytree(HERE.parent / "demo_notebooks", NOTEBOOKS, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(HERE.parent / "CHANGELOG.md", HERE / "changelog.md")


copy_the_notebooks()
