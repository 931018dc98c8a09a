"""What the last optimizer of a run knew where it ended."""

from __future__ import annotations

import numpy as np

from xinv_nb.facts.measures.iterates import Floats
from xinv_nb.facts.measures.sizes import end_of
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.run import RecordedRun


def last_call(run: RecordedRun) -> OptimizerCall | None:
    """Return the call of an optimizer with which the run ended, if it ended with one.

    >>> last_call(RecordedRun()) is None
    True
    """
    calls = [call for call in run.history.calls if call.stop == run.evaluations and "within" not in call.options]
    return calls[-1] if calls else None


def slope_at_end(run: RecordedRun) -> Floats | None:
    """Return the gradient at the end: the recorded one, or else the one by differences that the optimizer reports.

    >>> slope_at_end(RecordedRun()) is None
    True
    """
    if not run.evaluations or not run.history.is_real or any(leaf.kept is not None for leaf in run.history.leaves):
        return None
    found = run.history.rows(np.array([end_of(run)]), "gradients")[0]
    if np.isfinite(found).all():
        return np.asarray(found)
    call = last_call(run)
    reported = np.array(call.ending.get("gradient", ()) if call is not None else (), dtype=float)
    return reported if reported.shape == found.shape and np.isfinite(reported).all() else None
