"""Which cell shows which run: when the cell runs again its output is gone, and with it the need for the widget.

A widget lives until it is closed, for the kernel and every browser keep it under its number. A cell that is run a
hundred times would leave a hundred recordings in memory. So the widgets that a cell showed by itself are closed when it
shows new ones; one that the reader's program has asked for (`run.widget()`, a run as a cell's value) stays, since it
may stand elsewhere. The run itself lives as long as a name refers to it, and `run.widget()` shows it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinv_nb.view.widget import RunWidget


@dataclass
class _Output:
    execution: str
    widgets: list[RunWidget] = field(default_factory=list)


_outputs: dict[str, _Output] = {}


def show_in(widget: RunWidget, cell: str, execution: str) -> None:
    """Take note that this execution of a cell shows `widget`; closes what earlier executions showed there."""
    output = _outputs.setdefault(cell, _Output(execution))
    if output.execution != execution:
        former = output.widgets
        output = _outputs[cell] = _Output(execution)
        for each in former:
            if not each.is_handed_out:
                each.close()
    output.widgets.append(widget)
