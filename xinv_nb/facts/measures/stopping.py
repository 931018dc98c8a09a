"""The tests by which SciPy's solvers stop, as they stood at the end: each with both of its sides.

Each is computed as the solver itself does, from what it tells of its end and from the accepted points and losses. What
the recording cannot give exactly is left out, or, where the solver says that it was this, told by its word alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from xinv_nb.facts.measures.ends import last_call
from xinv_nb.facts.measures.stopped import EPSILON, About, Stopped, StoppingTest
from xinv_nb.facts.measures.stopping_fits import of_minpack, of_region
from xinv_nb.recorded.run import RecordedRun

_ROOT = math.sqrt(EPSILON)


def stopping_tests(run: RecordedRun) -> list[StoppingTest]:
    """Return the tests of the optimizer with which a run ended, as far as they are known; none of one not known here.

    >>> stopping_tests(RecordedRun())
    []
    """
    call = last_call(run)
    if call is None or call.optimizer not in _TESTS or not call.ending.get("message") or run.status == "running":
        return []
    end = Stopped(run, call)
    found = [test for test in _TESTS[call.optimizer](end) if test.is_sure and math.isfinite(test.size)]
    return _in_agreement(end, found)


def _in_agreement(end: Stopped, found: list[StoppingTest]) -> list[StoppingTest]:
    """Return the tests with that which the solver says it met: where its numbers are not known, by its word."""
    named = _ABOUT.get(end.reason, ())
    about = [test for test in found if test.about in named]
    if not named or (about and all(test.is_met for test in about)):
        return found
    if end.reason == "converged":  # by one of several
        if any(test.is_met for test in about) and end.call.optimizer != "Nelder-Mead":
            return found
        found = found if end.call.optimizer == "SLSQP" else [test for test in found if test.is_count]
    else:
        found = [test for test in found if test not in about]
    word = _BY_WORD.get(end.call.optimizer, {}).get(end.reason)
    option = None if word is None else end.option(*word[0], default=word[1])
    if option is None or not option[1] > 0 or "accuracy" in end.options:  # of which TNC makes others by default
        return found
    return [StoppingTest("word", math.nan, option[1], option[0], is_met=True), *found]


_ABOUT: dict[str, tuple[About, ...]] = {
    "flat": ("slope", "slope within bounds", "scaled gradient"),
    "first-order conditions": ("slope", "slope within bounds", "scaled slope", "slope left"),
    "hardly changes": ("fall", "change"),
    "tiny steps": ("step", "region"),
    "iterations": ("iterations",),
    "evaluations": ("evaluations",),
    "converged": ("slope", "gradient", "change", "promise", "fall", "step", "summed step", "width", "height"),
}
"""What the tests look at that a reason speaks of."""

_BY_WORD: dict[str, dict[str, tuple[tuple[str, ...], float | None]]] = {
    "L-BFGS-B": {"flat": (("gtol", "pgtol"), 1e-5)},
    "TNC": {
        "flat": (("gtol", "pgtol"), 1e-2 * math.sqrt(_ROOT)),
        "hardly changes": (("ftol",), _ROOT),
        "tiny steps": (("xtol",), _ROOT),
    },
    "Newton-CG": {"converged": (("xtol", "avextol"), 1e-5)},
    "SLSQP": {"converged": (("ftol", "acc"), 1e-6)},
    "COBYLA": dict.fromkeys(("converged", "tiny steps"), (("tol", "rhoend"), 1e-4)),
    "COBYQA": {"tiny steps": (("final_tr_radius",), 1e-6)},
    "Trust region reflective": {"hardly changes": (("ftol",), None), "tiny steps": (("xtol",), None)},
    "Dogbox": {"hardly changes": (("ftol",), None), "tiny steps": (("xtol",), None)},
    "Levenberg-Marquardt": {
        "hardly changes": (("ftol",), None),
        "tiny steps": (("xtol",), None),
        "first-order conditions": (("gtol",), None),
    },
}
"""The options that set the tests of which the solver's word may be all that is known, with SciPy's defaults."""


# ---------------------------------------------------------------------- what several share


def _count(
    about: About, count: object, option: tuple[str, float] | None, *, beyond: bool = False
) -> Iterator[StoppingTest]:
    """Yield how often a solver did something, of how often it may; `beyond`: it stops only past that."""
    if isinstance(count, int) and option is not None:
        is_met = count > option[1] if beyond else count >= option[1]
        yield StoppingTest(about, float(count), option[1], option[0], is_met)


def _iterations(end: Stopped, default: float | None, *names: str) -> Iterator[StoppingTest]:
    yield from _count("iterations", end.ending.get("nit"), end.option("maxiter", *names, default=default))


def _norm(end: Stopped) -> tuple[About, float] | None:
    """Return the size of the gradient in the norm that the program asked for, the largest entry by default."""
    order, largest = end.options.get("norm", "inf"), end.ending.get("largest_slope")
    if order == "inf" and largest is not None:
        return "slope", float(largest)
    if isinstance(order, (int, float)) and order > 0 and end.gradient is not None:
        return "gradient", float(np.sum(np.abs(end.gradient) ** order) ** (1.0 / order))
    return None


# ---------------------------------------------------------------------- solver by solver


def _of_line_search(end: Stopped) -> Iterator[StoppingTest]:
    """Yield the tests of BFGS and of conjugate gradients."""
    option = end.option("gtol", default=1e-5)
    size = _norm(end)
    if option is not None and size is not None:
        yield StoppingTest(size[0], size[1], option[1], option[0], size[1] <= option[1])
    xrtol = end.option("xrtol")
    if xrtol is not None and xrtol[1] > 0 and end.follows_each and end.last_step is not None:
        before, after = end.last_step
        step, limit = np.linalg.norm(after - before), xrtol[1] * (xrtol[1] + np.linalg.norm(after))
        yield StoppingTest("step", float(step), float(limit), xrtol[0], bool(step <= limit), is_exact=False)
    yield from _iterations(end, 200.0 * end.size)


def _of_lbfgsb(end: Stopped) -> Iterator[StoppingTest]:
    option, bounds = end.option("gtol", "pgtol", default=1e-5), end.options.get("bounds")
    slope = end.ending.get("largest_slope") if bounds is None else _slope_within(end, bounds)
    if slope is not None and option is not None:
        about: About = "slope" if bounds is None else "slope within bounds"
        yield StoppingTest(about, float(slope), option[1], option[0], slope <= option[1])
    share = end.option("ftol", "factr", default=1e7 * EPSILON)
    if share is not None and end.follows_each and len(end.losses) > 1:
        before, after = (float(loss) for loss in end.losses[-2:])
        limit = share[1] * (EPSILON if share[0] == "factr" else 1.0) * max(abs(before), abs(after), 1.0)
        yield StoppingTest("fall", before - after, limit, share[0], before - after <= limit, is_exact=False)
    yield from _iterations(end, 15000.0)
    yield from _count("evaluations", end.ending.get("nfev"), end.option("maxfun", default=15000.0), beyond=True)


def _slope_within(end: Stopped, bounds: Sequence[Sequence[float | None]]) -> float | None:
    """Return the largest slope, of which what leads across a bound counts no more than the way to it."""
    if end.gradient is None or end.point is None or len(bounds) != end.size:
        return None
    low = end.point - np.array([-np.inf if pair[0] is None else pair[0] for pair in bounds])
    high = end.point - np.array([np.inf if pair[1] is None else pair[1] for pair in bounds])
    return float(
        np.abs(np.where(end.gradient < 0, np.maximum(high, end.gradient), np.minimum(low, end.gradient))).max()
    )


def _of_newton(end: Stopped) -> Iterator[StoppingTest]:
    option = end.option("xtol", "avextol", default=1e-5)
    if option is not None and end.follows_each and end.last_step is not None:
        before, after = end.last_step
        step, limit = float(np.abs(after - before).sum()), option[1] * end.size
        yield StoppingTest("summed step", step, limit, option[0], step <= limit, is_exact=False)
    yield from _iterations(end, 200.0 * end.size)


def _of_trust_region(end: Stopped) -> Iterator[StoppingTest]:
    option = end.option("gtol", default=1e-4)
    if end.gradient is not None and option is not None:
        size = float(np.linalg.norm(end.gradient))
        yield StoppingTest("gradient", size, option[1], option[0], size < option[1])
    yield from _iterations(end, 200.0 * end.size)


def _of_trust_constr(end: Stopped) -> Iterator[StoppingTest]:
    slope, violation, radius = (end.told(name) for name in ("optimality", "constr_violation", "tr_radius"))
    barrier, gtol = end.told("barrier_parameter"), end.option("gtol", default=1e-8)
    if gtol is not None and slope is not None:
        about: About = "slope" if not end.is_constrained and end.options.get("bounds") is None else "slope left"
        yield StoppingTest(about, slope, gtol[1], gtol[0], slope < gtol[1])
        if end.is_constrained and violation is not None:
            yield StoppingTest("violation", violation, gtol[1], gtol[0], violation < gtol[1])
    xtol, of_barrier = end.option("xtol", default=1e-8), end.option("barrier_tol", default=1e-8)
    if xtol is not None and radius is not None:
        yield StoppingTest("region", radius, xtol[1], xtol[0], radius < xtol[1])
    if of_barrier is not None and barrier is not None:
        yield StoppingTest("barrier", barrier, of_barrier[1], of_barrier[0], barrier < of_barrier[1])
    yield from _iterations(end, 1000.0)


def _of_tnc(end: Stopped) -> Iterator[StoppingTest]:
    """Yield the tests of TNC, where it is known that no bound came in between."""
    pgtol, ftol = end.option("gtol", "pgtol", default=-1.0), end.option("ftol", default=-1.0)
    is_plain = not {"bounds", "scale", "offset", "accuracy"} & set(end.options)
    if is_plain and pgtol is not None and end.gradient is not None and len(end.rows):
        limit = pgtol[1] if pgtol[1] >= 0 else 1e-2 * math.sqrt(_ROOT)
        start = end.run.history.rows(end.rows[:1])[0]
        size = float(np.linalg.norm(end.gradient * (1 + np.abs(start))))
        yield StoppingTest("scaled gradient", size, limit, pgtol[0], size <= limit, is_exact=False)
    if is_plain and ftol is not None and end.follows_each and len(end.losses) > 1:
        change, limit = abs(float(end.losses[-1] - end.losses[-2])), ftol[1] if ftol[1] >= 0 else _ROOT
        if change > limit or end.reason == "hardly changes":  # else the step may have been one that is not tested
            yield StoppingTest("change", change, limit, ftol[0], change <= limit, is_exact=False)


def _of_slsqp(end: Stopped) -> Iterator[StoppingTest]:
    option, status = end.option("ftol", "acc", default=1e-6), end.ending.get("status")
    before, after, promised = (end.told(name) for name in ("loss_before", "loss_after", "promised"))
    if option is not None and None not in (before, after, promised) and status in (0, 9):
        yield from _of_quadratic(end, option, float(before), float(after), abs(float(promised)))  # type: ignore[arg-type]
    yield from _iterations(end, 100.0, "iter")


def _of_quadratic(
    end: Stopped, option: tuple[str, float], before: float, after: float, promised: float
) -> Iterator[StoppingTest]:
    """Yield SLSQP's tests of a step that it took, or of one that it did not take any more."""
    name, limit = option[0], abs(option[1])
    if before == after:  # it has not taken it: what it promised was too little, with what constraints add to that
        if not end.is_constrained and promised < limit:
            yield StoppingTest("promise", promised, limit, name, is_met=True)
        return
    change = abs(after - before)
    if change >= limit or end.reason == "converged":
        yield StoppingTest("change", change, limit, name, change < limit)
    if end.last_step is not None and len(end.losses) > 1 and (end.losses[-2:] == (before, after)).all():
        step = float(np.linalg.norm(end.last_step[1] - end.last_step[0]))
        if step >= limit or end.reason == "converged":
            yield StoppingTest("step", step, limit, name, step < limit, is_exact=False)


def _of_simplex(end: Stopped) -> Iterator[StoppingTest]:
    for about, names in (("width", ("xatol", "xtol")), ("height", ("fatol", "ftol"))):
        size, option = end.told(about), end.option(*names, default=1e-4)
        if size is not None and option is not None:
            yield StoppingTest(about, size, option[1], option[0], size <= option[1])  # type: ignore[arg-type]
    yield from _of_search(end, 200.0)


def _of_search(end: Stopped, each: float) -> Iterator[StoppingTest]:
    """Yield the counts of a search that takes no gradient: the one that is not given is a limit if neither is."""
    given = {"maxiter", "maxfev", "maxfun"} & set(end.options)
    default = None if given else each * end.size
    yield from _iterations(end, default)
    yield from _count("evaluations", end.ending.get("nfev"), end.option("maxfev", "maxfun", default=default))


def _of_powell(end: Stopped) -> Iterator[StoppingTest]:
    option, before, after = end.option("ftol", default=1e-4), end.told("loss_before"), end.told("loss_after")
    if option is not None and before is not None and after is not None and end.reason != "evaluations":
        limit = (option[1] * (abs(before) + abs(after)) + 1e-20) / 2
        yield StoppingTest("fall", before - after, limit, option[0], before - after <= limit)
    yield from _of_search(end, 1000.0)


def _of_cobyla(end: Stopped) -> Iterator[StoppingTest]:
    yield from _count("evaluations", end.ending.get("nfev"), end.option("maxiter", "maxfun", default=1000.0))


def _of_cobyqa(end: Stopped) -> Iterator[StoppingTest]:
    yield from _iterations(end, 1000.0 * end.size)
    yield from _count("evaluations", end.ending.get("nfev"), end.option("maxfev", default=500.0 * end.size))


_TESTS: dict[str, Callable[[Stopped], Iterator[StoppingTest]]] = {
    "BFGS": _of_line_search,
    "Conjugate gradient": _of_line_search,
    "L-BFGS-B": _of_lbfgsb,
    "Newton-CG": _of_newton,
    "TNC": _of_tnc,
    "SLSQP": _of_slsqp,
    "trust-constr": _of_trust_constr,
    **dict.fromkeys(("dogleg", "trust-ncg", "trust-krylov", "trust-exact"), _of_trust_region),
    "Nelder-Mead": _of_simplex,
    "Powell": _of_powell,
    "COBYLA": _of_cobyla,
    "COBYQA": _of_cobyqa,
    **dict.fromkeys(("Trust region reflective", "Dogbox"), of_region),
    "Levenberg-Marquardt": of_minpack,
}
