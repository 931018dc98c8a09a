"""What the program that shows the notebook does with outputs."""

from __future__ import annotations

import sys


def keeps_outputs() -> bool:
    """Whether the host saves a cell's outputs in the notebook; marimo's notebooks are programs and hold none.

    >>> keeps_outputs()
    True
    """
    marimo = sys.modules.get("marimo")
    return marimo is None or not marimo.running_in_notebook()
