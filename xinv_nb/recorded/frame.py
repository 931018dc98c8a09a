"""A run as a pandas table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xinv_nb.errors import XinvError
from xinv_nb.recorded.run import RecordedRun

if TYPE_CHECKING:
    import pandas


def to_frame(run: RecordedRun) -> pandas.DataFrame:
    """Return a row for each evaluation: loss, accepted, each parameter's entry, and its slope where any is known.

    Where parameters were not kept, they are nan.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise XinvError("run.to_frame() needs pandas: pip install pandas.") from error
    columns: dict[str, Any] = {"loss": run.loss, "accepted": run.accepted}
    gaps = np.ones(run.evaluations, dtype=bool)
    gaps[run.kept] = False
    unknown = run.history.without_gradient
    has_any = unknown is None or len(unknown) < run.evaluations
    for entry in run.entries():
        columns[entry.name] = np.where(gaps, np.nan, run.column(entry))
        if has_any:
            columns[f"∂loss/∂{entry.name}"] = np.where(gaps, np.nan, run.column(entry, "gradients"))
    frame: pandas.DataFrame = pd.DataFrame(columns).rename_axis("evaluation")
    return frame
