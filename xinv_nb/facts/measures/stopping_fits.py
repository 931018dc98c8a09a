"""The tests by which SciPy's fits of residuals stop: `least_squares`, `leastsq` and `curve_fit`.

Where an option is None the test is none; so no default stands in for one that was not recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.measures.stopped import About, Stopped, StoppingTest

_HARDLY = "hardly changes"


def of_region(end: Stopped) -> Iterator[StoppingTest]:
    """Yield the tests of the methods `trf` and `dogbox`; the slope is as they scale it beside bounds."""
    slope, gtol = end.told("optimality"), end.option("gtol")
    if slope is not None and gtol is not None:
        about: About = "slope"
        if end.options.get("bounds") is not None:
            about = "slope within bounds" if end.call.optimizer == "Dogbox" else "scaled slope"
        yield StoppingTest(about, slope, gtol[1], gtol[0], slope < gtol[1])
    yield from _of_last_trial(end)
    yield from _evaluations(end, 100.0 * end.size)


def _of_last_trial(end: Stopped) -> Iterator[StoppingTest]:
    """Yield what the last step was held against, which may be one that was turned down."""
    if not len(end.losses):
        return
    is_taken = bool(end.looked[-1] == end.rows[-1])
    if is_taken and len(end.rows) < 2:
        return
    ftol, xtol = end.option("ftol"), end.option("xtol")
    if is_taken and ftol is not None:
        before, after = (float(loss) for loss in end.losses[-2:])
        yield from _fall(end, before - after, ftol[1] * before, ftol[0])
    tried = end.run.history.rows(np.array([end.rows[-2 if is_taken else -1], end.looked[-1]]))
    if xtol is not None:
        step, limit = float(np.linalg.norm(tried[1] - tried[0])), xtol[1] * (xtol[1] + float(np.linalg.norm(tried[0])))
        yield StoppingTest("step", step, limit, xtol[0], step < limit, is_exact=False)


def _fall(end: Stopped, fall: float, limit: float, option: str) -> Iterator[StoppingTest]:
    """Yield the fall of the last step; a small one stops the fit only if it is about as large as the model said."""
    if fall >= limit or end.reason == _HARDLY:
        yield StoppingTest("fall", fall, limit, option, fall < limit, is_exact=False)


def of_minpack(end: Stopped) -> Iterator[StoppingTest]:
    """Yield the tests of `lm`: its trust region and the slope that it measures are not known of its end."""
    ftol = end.option("ftol")
    if ftol is not None and len(end.rows) > 1 and end.looked[-1] == end.rows[-1]:
        before, after = (float(loss) for loss in end.run.loss[end.rows[-2:]])
        if np.isfinite(before + after):
            yield from _fall(end, before - after, ftol[1] * before, ftol[0])
    yield from _evaluations(end, None)


def _evaluations(end: Stopped, default: float | None) -> Iterator[StoppingTest]:
    most, count = end.option("max_nfev", "maxfev", default=default), end.ending.get("nfev")
    if most is not None and count is not None and most[1] > 0:
        yield StoppingTest("evaluations", float(count), most[1], most[0], count >= most[1])
