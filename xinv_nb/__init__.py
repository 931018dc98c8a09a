"""xinv_nb explains, in the notebook and in the words of the domain, why an optimizer went where it went.

It carries out the method of "xInv: Explainable Optimization of Inverse Problems" (arXiv 2506.11056).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinv_nb.errors import XinvError
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.recorded.captions import Caption, Claim
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.problem import Objective, Parameter, Problem
from xinv_nb.recording.probes import data, event, stage, watch
from xinv_nb.run import Run
from xinv_nb.session import compare, last_run, load, record

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"

__all__ = [
    "Caption",
    "Claim",
    "Event",
    "Fact",
    "Objective",
    "Parameter",
    "Phase",
    "Problem",
    "Run",
    "XinvError",
    "__version__",
    "compare",
    "data",
    "event",
    "last_run",
    "load",
    "record",
    "stage",
    "watch",
]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give the notebook `%%xinv` and `%xinv`; IPython calls this for `%load_ext xinv_nb`."""
    from xinv_nb.magic import register

    register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take `%%xinv` and `%xinv` away again."""
    from xinv_nb.magic import unregister

    unregister(shell)
