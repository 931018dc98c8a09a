"""Fits by SciPy with nothing added and without a framework: what is recorded of them, and that it is true."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
import traceback
import warnings

import autograd.numpy as anp
import numpy as np
import pytest
import scipy
import scipy.optimize as so
from autograd import jacobian, value_and_grad
from scipy.optimize import curve_fit, least_squares, leastsq, minimize  # imported before any recording is open

import xinv_nb as xi
from xinv_nb.facts.measures.objective import name_of_loss
from xinv_nb.recording.evaluation import Evaluation
from xinv_nb.recording.rows import Rows
from xinv_nb.recording.solvers import scipy as solvers

VERSION = tuple(int(part) for part in scipy.__version__.split(".")[:2])
SEED = {"rng": 1} if VERSION >= (1, 15) else {"seed": 1}

TIMES = np.linspace(0, 4, 25)
SEEN = 3 * np.exp(-0.7 * TIMES) + 0.05 * np.sin(9 * TIMES)
START = [-1.2, 1.0]


def decay(t, amplitude, rate):
    return amplitude * np.exp(-rate * t)


def slopes(t, amplitude, rate):
    return np.stack([np.exp(-rate * t), -amplitude * t * np.exp(-rate * t)], axis=1)


def misfit(p):
    return decay(TIMES, *p) - SEEN


def misfit_slopes(p):
    return slopes(TIMES, *p)


def valley(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def valley_slope(x):
    return np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)])


def valley_curvature(x):
    return np.array([[2 - 400 * x[1] + 1200 * x[0] ** 2, -400 * x[0]], [-400 * x[0], 200.0]])


def both(x):
    return valley(x), valley_slope(x)


def bowl(x):
    return (x - 2) ** 4 + x


def crossing(x):
    return np.array([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1, 0.5 * (x[1] - x[0]) ** 3 + x[1]])


def left_of_half(x):
    return 0.5 - x[0]


SEARCHES = ("Nelder-Mead", "Powell", "COBYLA", *(("COBYQA",) if VERSION >= (1, 14) else ()))
BY_DIFFERENCES = ("BFGS", "L-BFGS-B", "SLSQP", "CG", "TNC", "trust-constr")
BY_GRADIENTS = (*BY_DIFFERENCES, "Newton-CG")
BY_CURVATURE = ("trust-ncg", "trust-exact", "trust-krylov")
TWICE = {"jac": True, "method": "Newton-CG"}
"""Goes to and fro between points, so that what is remembered of the latest does not help."""

FITS = {
    "curve_fit": lambda: curve_fit(decay, TIMES, SEEN, p0=[1, 1], full_output=True),
    "curve_fit, slopes": lambda: curve_fit(decay, TIMES, SEEN, p0=[1, 1], jac=slopes, full_output=True),
    "curve_fit, bounds": lambda: curve_fit(decay, TIMES, SEEN, bounds=([0, 0], [2, 2]), full_output=True),
    "leastsq": lambda: leastsq(misfit, [1, 1], full_output=True),
    "leastsq, slopes": lambda: leastsq(misfit, [1, 1], Dfun=misfit_slopes, full_output=True),
    "soft_l1": lambda: least_squares(misfit, [1, 1], loss="soft_l1", f_scale=0.1),
    "cauchy": lambda: least_squares(
        misfit, [1, 1], jac=misfit_slopes, loss="cauchy", method="dogbox", bounds=([0, 0], [2, 2])
    ),
    **{m: lambda m=m: least_squares(misfit, [1.0, 1.0], method=m) for m in ("trf", "dogbox", "lm")},
    **{
        f"{m}, slopes": lambda m=m: least_squares(misfit, [1.0, 1.0], jac=misfit_slopes, method=m)
        for m in ("trf", "dogbox", "lm")
    },
}
MINIMIZATIONS = {
    **{m: lambda m=m: minimize(valley, START, method=m) for m in (*SEARCHES, *BY_DIFFERENCES)},
    **{f"{m}, slope": lambda m=m: minimize(valley, START, jac=valley_slope, method=m) for m in BY_GRADIENTS},
    **{f"{m}, both": lambda m=m: minimize(both, START, jac=True, method=m) for m in BY_DIFFERENCES},
    **{
        f"{m}, curvature": lambda m=m: minimize(valley, [0.5, 1.0], jac=valley_slope, hess=valley_curvature, method=m)
        for m in BY_CURVATURE
    },
    "bounds": lambda: minimize(valley, START, bounds=[(-2, 0.5), (-1, 2)]),
    "fixed": lambda: minimize(valley, START, bounds=[(-2, 0.5), (1, 1)], method="TNC", jac=valley_slope),
    "constrained": lambda: minimize(valley, START, constraints={"type": "ineq", "fun": left_of_half}),
}
OTHERS = {
    "brent": lambda: so.minimize_scalar(bowl),
    "bounded": lambda: so.minimize_scalar(bowl, bounds=(-4, 4)),
    "golden": lambda: so.minimize_scalar(bowl, method="golden"),
    "differential_evolution": lambda: so.differential_evolution(valley, [(-2, 2)] * 2, maxiter=20, **SEED),
    "basinhopping": lambda: so.basinhopping(valley, START, niter=3, **SEED),
    "dual_annealing": lambda: so.dual_annealing(valley, [(-2, 2)] * 2, maxiter=20, **SEED),
    "shgo": lambda: so.shgo(valley, [(-2, 2)] * 2),
}
WITHOUT_A_COUNT = {
    "fmin": lambda: so.fmin(valley, START, full_output=True, disp=0),
    "fmin_powell": lambda: so.fmin_powell(valley, START, full_output=True, disp=0),
    "fmin_bfgs": lambda: so.fmin_bfgs(valley, START, full_output=True, disp=0),
    "fmin_cg": lambda: so.fmin_cg(valley, START, valley_slope, full_output=True, disp=0),
    "fmin_ncg": lambda: so.fmin_ncg(valley, START, valley_slope, full_output=True, disp=0),
    "fmin_l_bfgs_b": lambda: so.fmin_l_bfgs_b(valley, START, approx_grad=True),
    "fmin_tnc": lambda: so.fmin_tnc(valley, START, valley_slope, disp=0),
    "fmin_slsqp": lambda: so.fmin_slsqp(valley, START, full_output=True, iprint=0),
    "fmin_cobyla": lambda: so.fmin_cobyla(valley, START, [left_of_half]),
    "fminbound": lambda: so.fminbound(bowl, -4, 4, full_output=True),
    "fsolve": lambda: so.fsolve(crossing, [0.0, 0.0], full_output=True),
    **{
        f"root, {m}": lambda m=m: so.root(crossing, [0.7, 0.2], method=m)
        for m in ("hybr", "lm", "broyden1", "df-sane", "krylov")
    },
}


def plain(value):
    """All numbers of a result, bit for bit."""
    if isinstance(value, dict):
        left_out = ("execution_time", "lowest_optimization_result", "hess_inv", "method")
        return {key: plain(item) for key, item in value.items() if key not in left_out and not callable(item)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    array = np.asarray(value)
    return None if array.dtype == object else (array.dtype.str, array.tobytes())


def told(result, name):
    """What SciPy says itself in its result."""
    parts = result if isinstance(result, tuple) else (result,)
    return next((part.get(name) for part in parts if isinstance(part, dict) and name in part), None)


def recorded(program):
    """Record a program, assert that its result is what it is without us, and return both."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = plain(program())
        with xi.record() as run:
            result = program()
    assert plain(result) == expected
    explained = (
        "Newton-CG asks for gradients also where",
        "Newton-CG counts fewer evaluations than are recorded",
        "Powell's hybrid method: SciPy counts",
        "Levenberg-Marquardt: SciPy counts",
    )
    assert [notice for notice in run.notices if not notice.startswith(explained)] == []
    assert not solvers.is_watching()
    return run, result


def steps(run):
    """Which evaluations were not for finite differences."""
    found = np.ones(run.evaluations, dtype=bool)
    for call in run.history.calls:
        for first, after in call.differences:
            found[first:after] = False
    return found


def gradients_known(run):
    unknown = run.history.without_gradient
    return run.evaluations - (0 if unknown is None else len(unknown.array))


@pytest.mark.parametrize("fit", [lambda: curve_fit(decay, TIMES, SEEN), lambda: least_squares(misfit, [1.0, 1.0])])
def test_the_loss_of_residuals_does_not_bear_the_name_of_the_model(fit):
    with xi.record() as run:
        fit()
    assert name_of_loss(run) == ("loss", "")


@pytest.mark.parametrize("program", [*FITS.values(), *MINIMIZATIONS.values()], ids=[*FITS, *MINIMIZATIONS])
def test_scipy_counts_as_many_evaluations_and_what_it_accepts_falls(program):
    run, result = recorded(program)
    assert run.evaluations == told(result, "nfev")
    assert len(run.objectives) == 1
    assert run.accepted[0]
    assert (np.diff(run.loss[run.accepted]) <= 0).all()
    assert run.loss[run.accepted].min() <= run.loss[steps(run)].min()
    (call,) = run.history.calls
    assert (call.start, call.stop) == (0, run.evaluations)
    assert call.ending["nfev"] == told(result, "nfev")
    assert call.ending["success"] == bool(told(result, "success") in (None, True))
    assert call.ending["reason"]


@pytest.mark.parametrize("program", OTHERS.values(), ids=OTHERS)
def test_searches_from_many_places_are_recorded_each_evaluation_once(program):
    run, result = recorded(program)
    assert run.evaluations == told(result, "nfev")
    assert len(run.objectives) == 1
    assert run.loss[run.accepted].min() == told(result, "fun")
    last = 0
    for call in run.history.calls:
        assert last <= call.start < call.stop
        last = call.start


@pytest.mark.parametrize("program", WITHOUT_A_COUNT.values(), ids=WITHOUT_A_COUNT)
def test_older_functions_and_roots_are_recorded(program):
    run, result = recorded(program)
    assert run.evaluations > 5
    assert len(run.history.calls) == 1
    solution = result["x"] if isinstance(result, dict) else result[0] if isinstance(result, tuple) else result
    rows = run.parameters["x"].reshape(run.evaluations, -1)
    assert (np.abs(rows - np.atleast_1d(solution)).max(axis=1) < 1e-5)[run.accepted].any()


# ---------------------------------------------------------------------- residuals


@pytest.fixture
def evaluations(monkeypatch):
    """Every evaluation on its way into a recording."""
    seen: list[Evaluation] = []
    append = Rows.append

    def observed(self, evaluation, gradient):
        seen.append(evaluation)
        return append(self, evaluation, gradient)

    monkeypatch.setattr(Rows, "append", observed)
    return seen


@pytest.mark.parametrize("program", FITS.values(), ids=FITS)
def test_the_loss_is_half_the_sum_of_squares_or_scipys_robust_cost_and_residuals_are_kept(program, request):
    run, result = recorded(program)
    points = np.stack([each.reshape(-1) for each in run.parameters.values()], axis=-1).reshape(run.evaluations, -1)
    expected = np.array([misfit(p) for p in points])
    np.testing.assert_allclose(run.residuals, expected, rtol=1e-12, atol=1e-14)
    if any(name in request.node.callspec.id for name in ("soft_l1", "cauchy")):
        assert run.loss[run.accepted][-1] == result["cost"]
        assert run.loss[0] < (expected[0] ** 2).sum() / 2
    else:
        np.testing.assert_allclose(run.loss, (expected**2).sum(axis=1) / 2, rtol=1e-12)


@pytest.mark.parametrize("program", FITS.values(), ids=FITS)
def test_jacobians_are_scipys_own_and_give_the_gradient(program, evaluations, request):
    run, _ = recorded(program)
    del evaluations[: len(evaluations) - run.evaluations]
    known = [each for each in evaluations if each.jacobian is not None]
    assert len(known) == gradients_known(run) >= run.accepted.sum() - 1
    gradients = np.stack([each.reshape(run.evaluations, -1) for each in run.gradients.values()], axis=-1)
    gradients = gradients.reshape(run.evaluations, -1)
    is_robust = any(name in request.node.callspec.id for name in ("soft_l1", "cauchy"))
    for row, each in enumerate(evaluations):
        if each.jacobian is not None:
            np.testing.assert_allclose(each.jacobian, misfit_slopes(each.point), rtol=1e-4, atol=1e-6)
            if not is_robust:
                np.testing.assert_allclose(gradients[row], each.residuals @ each.jacobian, rtol=1e-12)


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy", "arctan"])
def test_the_gradient_of_a_robust_loss_is_scipys(loss):
    run, result = recorded(
        lambda: least_squares(misfit, [1.0, 1.0], jac=misfit_slopes, loss=loss, f_scale=0.1, max_nfev=4)
    )
    np.testing.assert_allclose(run.gradients["p"][run.accepted][-1], result["grad"], rtol=1e-9)
    assert run.loss[run.accepted][-1] == result["cost"]


def test_a_sparse_jacobian_gives_the_gradient():
    from scipy.sparse import csr_matrix

    run, result = recorded(lambda: least_squares(misfit, [1.0, 1.0], jac=lambda p: csr_matrix(misfit_slopes(p))))
    np.testing.assert_allclose(run.gradients["p"][run.accepted][-1], result["grad"], atol=1e-12)


def test_the_parameters_of_a_model_are_called_as_it_calls_them():
    run, _ = recorded(FITS["curve_fit"])
    assert list(run.parameters) == ["amplitude", "rate"]
    assert run.history.objective == "decay"
    assert run.history.calls[0].options["function"] == "curve_fit"

    def line(t, *shape):
        return shape[0] + shape[1] * t

    with xi.record() as run:
        curve_fit(line, TIMES, SEEN, p0=[1.0, 1.0])
    assert list(run.parameters) == ["shape"]

    class Rod:
        def bend(self, t, stiffness):
            return stiffness * t

    with xi.record() as run:
        curve_fit(Rod().bend, TIMES, SEEN)
    assert list(run.parameters) == ["stiffness"]


def test_fits_of_one_model_to_data_of_different_length_are_both_recorded():
    with xi.record() as run:
        for count in (25, 12):
            curve_fit(decay, TIMES[:count], SEEN[:count], p0=[1, 1])
    assert run.notices == []
    assert [history.residuals.block.shape[1] for history in run.histories] == [25, 12]


def test_autograds_jacobian_of_residuals_is_recorded_through_the_fit():
    def residual(p):
        return p[0] * anp.exp(-p[1] * TIMES) - SEEN

    run, result = recorded(lambda: least_squares(residual, [1.0, 0.5], jac=jacobian(residual)))
    assert run.evaluations == result["nfev"]
    assert gradients_known(run) == result["njev"]
    np.testing.assert_allclose(run.gradients["p"][run.accepted][-1], result["grad"], atol=1e-12)


# ---------------------------------------------------------------------- gradients, and finite differences


@pytest.mark.parametrize("method", BY_GRADIENTS)
@pytest.mark.parametrize("jac", [valley_slope, True], ids=["slope", "both"])
def test_gradients_written_by_hand_are_recorded(method, jac):
    run, result = recorded(lambda: minimize(both if jac is True else valley, START, jac=jac, method=method))
    known = np.isfinite(run.gradients["x"]).all(axis=1)
    assert known.sum() >= min(run.evaluations, result.get("njev") or run.evaluations)
    expected = np.array([valley_slope(x) for x in run.parameters["x"]])
    np.testing.assert_array_equal(run.gradients["x"][known], expected[known])
    assert known[run.accepted].all()


@pytest.mark.parametrize("method", BY_DIFFERENCES)
def test_evaluations_for_finite_differences_are_told_as_that(method):
    run, result = recorded(lambda: minimize(valley, START, method=method))
    assert not np.isfinite(run.gradients["x"]).any()
    rows = [row for first, after in run.history.calls[0].differences for row in range(first, after)]
    assert len(rows) == 2 * result.get("njev", len(rows) // 2) > 0
    assert not run.accepted[rows].any()
    base = run.parameters["x"][np.array(rows) - 1 - np.arange(len(rows)) % 2]
    assert ((run.parameters["x"][rows] != base).sum(axis=1) == 1).mean() > 0.9
    texts = " ".join(fact.text for fact in run.facts if fact.kind == "trials")
    assert f"{len(rows)} of {run.evaluations} evaluations were for the solver's own finite differences" in texts


def test_newtons_finite_differences_of_gradients_are_no_trials():
    run, result = recorded(lambda: minimize(both, START, jac=True, method="Newton-CG"))
    assert run.evaluations > result["nfev"]
    assert run.notices == [
        "Newton-CG counts fewer evaluations than are recorded here: loss and gradient come out of one function, and "
        "each time that it ran is recorded."
    ]
    differences = sum(after - first for first, after in run.history.calls[0].differences)
    tried = len(np.unique(run.parameters["x"][~run.accepted & steps(run)], axis=0))
    assert tried + len(np.unique(run.parameters["x"][run.accepted], axis=0)) <= result["nfev"]
    assert differences >= run.evaluations - result["nfev"] - result["nit"]
    assert (np.diff(run.loss[run.accepted]) <= 0).all()
    run, result = recorded(lambda: minimize(valley, START, jac=valley_slope, method="Newton-CG"))
    assert run.evaluations == result["nfev"] < result["njev"]
    assert len(run.notices) == 1


@pytest.mark.parametrize("jac", ["3-point", "cs"])
def test_other_schemes_of_differences(jac):
    run, result = recorded(lambda: minimize(valley, START, method="L-BFGS-B", jac=jac))
    assert run.evaluations == result["nfev"]
    assert len(run.objectives) == 1
    assert (np.diff(run.loss[run.accepted]) <= 0).all()
    run, result = recorded(lambda: least_squares(misfit, [1.0, 1.0], jac=jac))
    assert run.evaluations == result["nfev"]
    np.testing.assert_allclose(run.gradients["p"][run.accepted][-1], result["grad"], atol=1e-12)


def test_differences_survive_a_file(tmp_path):
    run, _ = recorded(lambda: minimize(valley, START, method="BFGS", bounds=None))
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert again.history.calls == run.history.calls
    assert [fact.text for fact in again.facts] == [fact.text for fact in run.facts]


# ---------------------------------------------------------------------- what is said


def everything_said(run):
    return "\n".join([*(caption.text for caption in run.captions), *(fact.text for fact in run.facts), *run.notices])


SEARCHED = {
    **{name: MINIMIZATIONS[name] for name in (*SEARCHES, *BY_DIFFERENCES, "bounds", "constrained")},
    **OTHERS,
    "constrained search": lambda: minimize(
        valley, START, method="COBYLA", constraints={"type": "ineq", "fun": left_of_half}
    ),
}


@pytest.mark.parametrize("program", SEARCHED.values(), ids=SEARCHED)
def test_without_a_gradient_nothing_is_said_of_one_of_noise_or_of_steps_that_nobody_chose(program):
    run, _ = recorded(program)
    said = everything_said(run)
    for words in ("asked for", "apart from its noise", "step size", "batches", "at a minimum", "pulled", "momentum"):
        if words == "step size" and len(run.history.calls) > 2:
            continue  # several fits are not told apart yet
        assert words not in said, said
    if len(run.history.calls) == 1:
        assert "rose from" not in "\n".join(f.text for f in run.facts if f.kind in ("course", "phase", "ending")), said
        assert "more iterations" not in said.lower() or run.history.calls[0].ending["reason"] == "evaluations"


def test_a_search_led_astray_by_its_differences_is_not_told_to_check_a_gradient():
    def rough(x):
        return valley(x) + 0.01 * np.sin(1e9 * x[0])

    run, result = recorded(lambda: minimize(rough, START, method="BFGS"))
    assert not result.success
    said = everything_said(run)
    assert "finite differences: they mislead where the loss is not exact" in said
    assert "gradient is exact" not in said


# ---------------------------------------------------------------------- once


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def test_what_autograd_differentiates_inside_is_recorded_once_and_what_it_does_not_beside_it():
    run, result = recorded(lambda: minimize(value_and_grad(rosenbrock), START, jac=True, method="BFGS"))
    assert run.evaluations == result["nfev"]
    run, result = recorded(lambda: minimize(lambda x: value_and_grad(rosenbrock)(x)[0], START, method="Nelder-Mead"))
    assert run.evaluations == result["nfev"]
    assert run.has_gradients
    assert list(run.objectives) == ["rosenbrock"]


def test_what_is_handed_over_inside_is_recorded_once():
    def program(run=None):
        def trial(x):
            loss = valley(x)
            if run is not None:
                run.add(loss, {"east": x[0], "north": x[1]}, height=(2.0, "m"))
            return loss

        return minimize(trial, START, method="Nelder-Mead")

    expected = program()
    with xi.record() as run:
        result = program(run)
    assert plain(result) == plain(expected)
    assert run.evaluations == result["nfev"]
    assert list(run.parameters) == ["east", "north"]
    assert list(run.watches) == ["height"]
    assert (np.diff(run.loss[run.accepted]) < 0).all()
    assert run.optimizer == "Nelder-Mead"


@pytest.mark.parametrize("fit", [leastsq, least_squares])
def test_residuals_that_are_handed_over_inside_are_recorded_once(fit):
    def program(run=None):
        def trial(p):
            row = misfit(p)
            if run is not None:
                run.add(row @ row, {"amplitude": p[0], "rate": p[1]}, residuals=row)
            return row

        return fit(trial, [1.0, 1.0])

    expected = program()
    with xi.record() as run:
        result = program(run)
    assert plain(result) == plain(expected)
    assert list(run.parameters) == ["amplitude", "rate"]
    solution = result[0] if fit is leastsq else result.x
    assert (run.parameters["rate"][run.accepted][-1]) == solution[1]
    assert (np.diff(run.loss[run.accepted]) <= 0).all()
    iterates = len(np.unique(run.parameters["rate"][run.accepted]))
    assert iterates > 5
    assert run.evaluations - steps(run).sum() >= 2 * (iterates - 1)


def test_what_runs_in_another_process_is_said_to_be_unseen():
    def elsewhere(function, items):
        return list(map(pickle.loads(pickle.dumps(function)), items))

    with warnings.catch_warnings(), xi.record() as run:
        warnings.simplefilter("ignore")
        so.differential_evolution(valley, [(-2, 2)] * 2, maxiter=2, workers=elsewhere, polish=False, **SEED)
    assert run.evaluations == 0
    assert len(run.notices) == 1
    assert "cannot be seen here: they took no gradient, repeated a point, or ran in another process" in run.notices[0]


def test_what_the_simulator_says_belongs_to_the_evaluation_that_it_says_it_in():
    def thrown(x):
        xi.event("thrown at {speed} m/s", speed=float(x[0]))
        xi.watch(float(x[1]), "reach", "m")
        return valley(x)

    run, _ = recorded(lambda: minimize(thrown, START, method="Nelder-Mead", options={"maxiter": 5}))
    thrown_at = [event for event in run.events if event.name.startswith("thrown")]
    assert [event.evaluation for event in thrown_at] == list(range(run.evaluations))
    np.testing.assert_array_equal(run.watches["reach"].values, run.parameters["x"][:, 1])


def test_a_part_that_is_differentiated_inside_is_not_taken_for_what_is_minimized():
    def total(p):
        value, slope = value_and_grad(lambda p: anp.sum(p**2))(p)
        return 0.2 * value + np.sum((p - 4.0) ** 2), 0.2 * slope + 2 * (p - 4.0)

    run, result = recorded(lambda: minimize(total, [0.3, -0.4], jac=True, method="BFGS"))
    assert run.history.objective == "total"
    assert run.loss[run.accepted][-1] == result["fun"]
    assert run.evaluations == result["nfev"]


def test_a_search_inside_the_objective_is_a_fit_of_its_own():
    def inner(level):
        return (level - 1) ** 2

    def outer(x):
        return valley(x) + so.minimize_scalar(inner, bounds=(0, 3)).fun

    run, result = recorded(lambda: minimize(outer, START, method="Nelder-Mead", options={"maxiter": 9}))
    assert run.objectives["outer"].evaluations == result["nfev"]
    assert len(run.objectives["inner"].history.calls) == result["nfev"]
    assert list(run.objectives["inner"].parameters) == ["level"]


@pytest.mark.parametrize("method", [*SEARCHES, "L-BFGS-B", "SLSQP"])
@pytest.mark.parametrize("takes", ["x", "result"])
def test_the_users_callback_gets_what_it_asks_for(method, takes):
    seen = []

    def of_point(x):
        seen.append(x.tobytes())

    def of_result(intermediate_result):
        seen.append(intermediate_result.x.tobytes())

    def program():
        callback = of_point if takes == "x" else of_result
        try:
            minimize(valley, START, method=method, callback=callback, options={"maxiter": 20})
        except Exception as error:  # noqa: BLE001 - as older versions of SciPy do for some methods
            seen.append(repr(error))

    program()
    expected = seen.copy()
    seen.clear()
    with xi.record():
        program()
    assert seen == expected
    assert expected


# ---------------------------------------------------------------------- options, and who started whom


def test_options_are_plain_data():
    run, _ = recorded(
        lambda: minimize(
            valley,
            START,
            method="SLSQP",
            tol=1e-9,
            bounds=[(-2, None), (None, 2)],
            constraints={"type": "ineq", "fun": left_of_half},
            options={"maxiter": 50},
        )
    )
    options = run.history.calls[0].options
    assert (options["ftol"], options["maxiter"]) == (1e-9, 50)
    assert options["bounds"] == [[-2.0, None], [None, 2.0]]
    assert options["constraints"] == [{"type": "ineq", "name": "left_of_half"}]
    run, _ = recorded(FITS["cauchy"])
    options = run.history.calls[0].options
    assert (options["loss"], options["bounds"]) == ("cauchy", [[0.0, 2.0], [0.0, 2.0]])


def test_solvers_that_another_search_starts_say_which():
    run, _ = recorded(OTHERS["basinhopping"])
    assert {call.options["within"] for call in run.history.calls} == {"Basin hopping"}
    assert len(run.history.calls) == 4
    run, _ = recorded(OTHERS["differential_evolution"])
    first, polish = run.history.calls
    assert (first.optimizer, polish.optimizer) == ("Differential evolution", "L-BFGS-B")
    assert polish.options["within"] == "Differential evolution"
    assert first.ending["message"]


# ---------------------------------------------------------------------- the user's program as it was


def test_warnings_name_the_same_lines():
    def warned():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            minimize(valley, START, method="Nelder-Mead", options={"unknown": 1, "disp": True, "maxiter": 3})
            so.minimize_scalar(bowl, bounds=(0, 1), options={"unknown": 2})
            leastsq(misfit, [1, 1], maxfev=2)
            least_squares(misfit, [1, 1], ftol=1e-20)
        return [(each.filename, each.lineno, str(each.message)) for each in caught]

    expected = warned()
    with xi.record():
        assert warned() == expected
    assert len(expected) >= 4


@pytest.mark.parametrize("fit", [minimize, least_squares, leastsq])
def test_an_error_in_the_users_function_passes_through_and_leaves_nothing_behind(fit):
    calls = []

    def fails(x):
        calls.append(x)
        if len(calls) > 5:
            raise ValueError("the simulator broke")
        return valley(x) if fit is minimize else misfit(x)

    with xi.record() as run:
        with pytest.raises(ValueError, match="the simulator broke"):
            fit(fails, [0.5, 0.5])
        calls.clear()
        run.add(1.0, [0.0, 0.0])
    assert run.notices == []
    with pytest.raises(ValueError, match="the simulator broke") as caught, xi.record():
        fit(fails, [0.5, 0.5])
    assert not [frame for frame in traceback.extract_tb(caught.value.__traceback__) if "/recording/" in frame.filename]


def test_other_processes_are_sent_the_users_own_function():
    kept = []

    def keeping(function, items):
        kept.append(pickle.dumps(function))
        return list(map(function, items))

    with warnings.catch_warnings(), xi.record() as run:
        warnings.simplefilter("ignore")
        so.differential_evolution(valley, [(-2, 2)] * 2, maxiter=2, workers=keeping, polish=False, **SEED)
    assert run.evaluations
    assert b"xinv" not in kept[0].replace(b"xinv_nb.recording.solvers.asked", b"")
    assert pickle.loads(kept[0])(np.array(START)) == valley(START)


def test_points_that_stand_in_columns_are_one_evaluation_each():
    with warnings.catch_warnings(), xi.record() as run:
        warnings.simplefilter("ignore")
        result = so.differential_evolution(
            valley, [(-2, 2)] * 2, maxiter=5, vectorized=True, updating="deferred", polish=False, **SEED
        )
    assert run.evaluations == 30 * 6
    assert len(run.notices) == 1
    assert "asks for many points at once, and each is recorded" in run.notices[0]
    assert run.loss.min() == result["fun"]


def test_a_scipy_whose_inside_has_moved_is_told_once_and_left_alone(monkeypatch):
    module = sys.modules["scipy.optimize._lsq.least_squares"]
    expected = plain(FITS["trf"]()), plain(FITS["leastsq"]())
    monkeypatch.delattr(module, "check_tolerance")
    with xi.record() as run:
        leastsq(misfit, [1, 1])
        minimize(valley, START)
    assert len(run.notices) == 1
    assert "This version of SciPy works otherwise inside" in run.notices[0]
    assert run.evaluations > 50
    monkeypatch.undo()
    assert (plain(FITS["trf"]()), plain(FITS["leastsq"]())) == expected


def test_scipy_may_be_imported_in_the_recording_without_autograd():
    program = """
        import sys
        import numpy as np
        import xinv_nb as xi

        with xi.record() as run:
            from scipy.optimize import curve_fit, minimize, minimize_scalar
            t = np.linspace(0, 1, 9)
            curve_fit(lambda t, height, slope: height + slope * t, t, 2 + t)
            minimize(lambda x: (x - 1) @ (x - 1), [3.0, 3.0], method="Nelder-Mead")
            minimize_scalar(lambda z: (z - 1) ** 2)
        assert not any(name.startswith("autograd") for name in sys.modules)
        assert run.notices == [], run.notices
        names = [history.optimizer for history in run.histories]
        assert names == ["Levenberg-Marquardt", "Nelder-Mead", "Brent's method"], names
        assert all(history.calls[0].ending["reason"] for history in run.histories)
        import scipy.optimize
        for name, module in list(sys.modules.items()):
            if name.startswith("scipy"):
                held = [each for each in vars(module).values() if type(each).__module__.startswith("xinv_nb")]
                assert not held, (name, held)
                functions = [each for each in vars(module).values() if callable(each)]
                assert not any(str(getattr(each, "__module__", "")).startswith("xinv_nb") for each in functions), name
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def rippled(x):
    return float(np.sum(np.asarray(x) ** 2) + np.sin(5 * np.ravel(x)[0]))


def test_a_grid_that_brute_force_looks_at_is_recorded_and_is_no_fit():
    plain = so.brute(rippled, [(-2, 2), (-2, 2)], Ns=8, full_output=True)
    with xi.record() as run:
        found = so.brute(rippled, [(-2, 2), (-2, 2)], Ns=8, full_output=True)
    assert found[0].tolist() == plain[0].tolist()
    assert run.loss[:64].tolist() == plain[3].ravel().tolist()
    assert [(fit.start, fit.optimizer) for fit in run.fits] == [(64, "Nelder-Mead")]
    assert run.loss[run.fits[0].best] == found[1]
    (look,) = [fact.text for fact in run.facts if fact.kind == "fits"]
    assert look.startswith("Evaluations 0 to 63 are 64 points at which brute force looked for where to start")


@pytest.mark.parametrize("axes", [1, 2])
def test_brute_force_alone_is_one_search(axes):
    with xi.record() as run:
        found = so.brute(rippled, [(-2, 2)] * axes, Ns=6, finish=None, full_output=True)
    assert [(fit.start, fit.stop, fit.optimizer) for fit in run.fits] == [(0, 6**axes, "Brute force")]
    assert run.loss[run.fits[0].best] == found[1]
    text = " ".join(caption.text for caption in run.captions)
    assert "it has been at all points of its grid" in text
    assert "still falling" not in text
    assert "as for a plot" not in text


@pytest.mark.parametrize("method", ["simplicial", "sobol"])
def test_points_that_shgo_looks_at_for_its_starts_are_no_fit(method):
    with xi.record() as run:
        result = so.shgo(rippled, [(-2, 2), (-2, 2)], sampling_method=method, n=32)
    assert run.evaluations == result.nfev
    assert {fit.optimizer for fit in run.fits} == {"SLSQP"}
    assert min(run.loss[fit.best] for fit in run.fits) == result.fun
    first = run.fits[0].start
    assert f"Evaluations 0 to {first - 1} are {first} points at which SHGO looked for where to start" in " ".join(
        fact.text for fact in run.facts if fact.kind == "fits"
    )


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_the_evaluations_that_a_search_for_a_root_counts_more_are_explained(method):
    def lines(x):
        return np.array([x[0] + 0.5 * x[1] ** 2 - 2, x[1] - x[0] + 0.3])

    with xi.record() as run:
        result = so.root(lines, [1.0, 1.0], method=method)
    assert result.nfev >= run.evaluations
    told = f"SciPy counts {result.nfev} evaluations (nfev), and {run.evaluations} were made to find the root"
    assert (told in " ".join(run.notices)) == (result.nfev > run.evaluations)
