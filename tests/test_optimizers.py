"""Which evaluations the optimizer accepted, what it tells, and that nothing of it touches the optimizer."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import traceback
import warnings

import autograd.numpy as np
import numpy
import pytest
import scipy.optimize
from autograd import grad, hessian, value_and_grad
from autograd.misc.flatten import flatten_func
from autograd.misc.optimizers import adam, rmsprop, sgd
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, minimize

import xinv_nb as xi
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.recorded.history import History
from xinv_nb.recorded.leaves import leaves_of
from xinv_nb.recording.solvers import scipy as solvers
from xinv_nb.recording.solvers.calls import SolverCall
from xinv_nb.recording.solvers.path import SolverPath

START = np.array([-1.2, 1.0])
SECOND_ORDER = ("dogleg", "trust-ncg", "trust-krylov", "trust-exact")
METHODS = ("BFGS", "L-BFGS-B", "CG", "Newton-CG", "TNC", "SLSQP", "trust-constr", *SECOND_ORDER)


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def valley(x):
    return np.sum(np.array([1.0, 5.0, 25.0]) * (x - 1.0) ** 2) + np.sum(x**4)


PROBLEMS = {"rosenbrock": (rosenbrock, START), "valley": (valley, np.array([3.0, -2.0, 0.5]))}

objective = value_and_grad(rosenbrock)


def scipy_places():
    return {
        name: vars(module)["_wrap_callback"]
        for name, module in list(sys.modules.items())
        if name.startswith("scipy.optimize") and "_wrap_callback" in vars(module)
    }


@pytest.fixture(autouse=True)
def scipy_is_left_as_it_was():
    before = scipy_places(), list(sys.meta_path)
    yield
    assert (scipy_places(), list(sys.meta_path)) == before
    assert not solvers.is_watching()


def solve(function, start, method, **options):
    hess = hessian(function) if method in SECOND_ORDER else None
    return minimize(value_and_grad(function), start, jac=True, method=method, hess=hess, **options)


def told(run):
    return [event.text for event in run.events if event.phase == "optimizer"]


def optimizer_events(run):
    return [event for event in run.events if event.phase == "optimizer"]


def rows(points):
    return {numpy.asarray(point).tobytes() for point in points}


def bits(result):
    return {key: numpy.asarray(value).tobytes() for key, value in result.items() if not callable(value)}


def plain(result):
    """What can be compared of a result: its time and its operators cannot."""
    return bits({key: result[key] for key in ("x", "fun", "nit", "nfev", "status", "message", "success")})


# ---------------------------------------------------------------------- accepted


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
@pytest.mark.parametrize("method", [m for m in METHODS if m != "SLSQP"])
def test_the_accepted_evaluations_are_the_iterates_that_scipy_itself_reports(method, problem):
    iterates = []
    expected = solve(*problem, method, callback=lambda x, *_: iterates.append(x.copy()))
    with xi.record() as run:
        result = solve(*problem, method)
    assert plain(result) == plain(expected)
    assert [notice for notice in run.notices if "counts fewer evaluations than are recorded" not in notice] == []
    assert (run.notices != []) == (run.evaluations > result.nfev)
    assert run.evaluations >= result.nfev
    assert run.accepted[0]
    accepted = run.parameters["x"][run.accepted]
    assert rows(accepted) == rows([problem[1], *iterates])
    if method not in (*SECOND_ORDER, "trust-constr"):  # these count rejected steps, too
        assert len(rows(accepted)) == result.nit + 1
    if method != "Newton-CG":  # which evaluates one point several times
        assert len(rows(accepted)) == run.accepted.sum()
    assert (numpy.diff(run.loss[run.accepted]) <= 0).all()


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_slsqp_accepts_where_it_asks_for_the_gradient_not_where_it_calls_back(problem):
    # Its callback gets the first point that the next line search tries, whatever the loss is there.
    function, start = problem

    def program():
        asked = []

        def slope(x):
            asked.append(x.copy())
            return grad(function)(x)

        return minimize(lambda x: value_and_grad(function)(x)[0], start, jac=slope, method="SLSQP"), asked

    expected, gradients = program()
    with xi.record() as run:
        result, _ = program()
    assert plain(result) == plain(expected)
    assert rows(run.parameters["x"][run.accepted]) == rows([*gradients, result.x])
    assert run.evaluations == result.nfev  # each gradient is taken where the value was
    assert not run.accepted.all()


def test_rosenbrock_counts_as_in_scipys_own_words():
    counts = {}
    for method in ("BFGS", "L-BFGS-B", "CG"):
        with xi.record() as run:
            result = solve(rosenbrock, START, method)
        counts[method] = run.evaluations - result.nfev, int(run.accepted.sum()) - result.nit
        assert not run.accepted.all()
    assert counts == dict.fromkeys(counts, (0, 1))


@pytest.mark.parametrize("optimizer", [adam, rmsprop, sgd])
def test_autograds_optimizers_accept_everything(optimizer):
    with xi.record() as run:
        optimizer(lambda x, i: grad(valley)(x), np.ones(3), num_iters=6)
    assert run.accepted.tolist() == [True] * 6
    assert [e.evaluation for e in optimizer_events(run)] == [0, 5]
    assert told(run)[1].endswith("stops after 6 evaluations")


def test_a_loop_of_the_users_own_accepts_everything():
    x = START
    with xi.record() as run:
        for _ in range(5):
            x = x - 1e-3 * grad(rosenbrock)(x)
    assert run.accepted.all()
    assert told(run) == []
    assert run.optimizer == ""


SCALE = np.array([2.0, 0.5])


def scaled(u):
    value, slope = objective(u * SCALE)
    return value, slope * SCALE


def in_a_dict(u):
    value, slope = value_and_grad(lambda p: rosenbrock(np.array([p["first"], p["second"]])))(
        {"second": u[1], "first": u[0]}
    )
    return value, np.array([slope["first"], slope["second"]])


@pytest.mark.parametrize("passed_on", [scaled, in_a_dict])
def test_a_function_between_scipy_and_the_objective_does_not_matter(passed_on):
    with xi.record() as run:
        result = minimize(passed_on, START, jac=True, method="L-BFGS-B")
    assert run.accepted.sum() == result.nit + 1 < run.evaluations


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
def test_a_value_and_a_gradient_that_share_one_memory(method):
    memory = {}

    def both(x):
        if memory.get("x") != x.tobytes():
            memory.update(x=x.tobytes(), both=objective(x))
        return memory["both"]

    with xi.record() as run:
        result = minimize(lambda x: both(x)[0], START, jac=lambda x: both(x)[1], method=method)
    assert run.evaluations == result.nfev
    assert run.accepted.sum() == result.nit + 1


def test_value_and_gradient_that_both_differentiate_are_one_evaluation():
    with xi.record() as run:
        result = minimize(lambda x: objective(x)[0], START, jac=lambda x: objective(x)[1], method="L-BFGS-B")
    assert run.evaluations == result.nfev
    assert run.accepted.sum() == result.nit + 1


@pytest.mark.parametrize("method", ["BFGS", *SECOND_ORDER])
def test_where_only_the_gradient_is_differentiated_what_was_rejected_is_seldom_seen(method):
    iterates = []
    options = {"jac": grad(rosenbrock), "method": method}
    if method in SECOND_ORDER:
        options["hess"] = hessian(rosenbrock)
    minimize(rosenbrock, START, callback=lambda x: iterates.append(x.copy()), **options)
    with xi.record() as run:
        minimize(rosenbrock, START, **options)
    assert rows(run.parameters["x"][run.accepted]) <= rows([START, *iterates])
    assert rows(iterates) <= rows(run.parameters["x"][run.accepted])


def test_flatten_func_and_a_parameter_that_its_bounds_fix():
    flat, _, start = flatten_func(lambda p: rosenbrock(np.append(p["a"], p["b"])), {"a": np.array([-1.0]), "b": 1.0})

    def fixed(x):
        value, slope = value_and_grad(flat)(x)
        return float(numpy.squeeze(value)), slope

    with xi.record() as run:
        result = minimize(fixed, start, jac=True, method="TNC", bounds=[(-2, 2), (1.0, 1.0)])
    assert result.success
    assert not run.accepted.all()
    assert run.accepted[0]
    assert numpy.flatnonzero(run.loss == result.fun)[0] in numpy.flatnonzero(run.accepted)
    assert (run.parameters["b"] == 1.0).all()


def test_a_function_that_changes_its_argument_in_place_does_not_matter():
    def in_place(x):
        x *= 1.5
        return objective(x / 1.5)

    with xi.record() as run:
        result = minimize(in_place, START, jac=True, method="CG", options={"maxiter": 4})
    assert run.accepted.sum() == result.nit + 1 < run.evaluations


def test_what_the_users_callback_evaluates_is_neither_a_trial_nor_an_evaluation_more():
    norms = []
    with xi.record() as run:
        result = minimize(
            objective, START, jac=True, method="BFGS", callback=lambda x: norms.append(grad(rosenbrock)(x))
        )
    assert len(norms) == result.nit
    assert run.evaluations == result.nfev  # what it looks at once more is known already
    assert run.accepted.sum() == result.nit + 1
    assert told(run)[-1].startswith(f"BFGS stops after {result.nfev} evaluations")


def test_constraints_that_are_differentiated_are_a_history_of_their_own():
    def ring(z):
        return 1.5 - np.sum(z**2)

    constraint = {"type": "ineq", "fun": ring, "jac": grad(ring)}
    with xi.record() as run:
        result = minimize(objective, START, jac=True, method="SLSQP", constraints=[constraint])
    assert result.success
    assert run.history.objective == "rosenbrock"
    assert not run.accepted.all()
    assert all(history.accepted.array[0] for history in run.histories)


def test_points_for_scipys_own_finite_differences_are_no_iterates_and_no_line_search():
    with xi.record() as run:
        result = minimize(lambda x: objective(x)[0], START, method="BFGS")
    assert run.evaluations == result.nfev
    assert run.accepted.sum() == result.nit + 1
    assert not [text for text in told(run) if "line search" in text]


def test_a_search_without_gradients_accepts_what_is_better_than_all_before():
    with xi.record() as run:
        minimize(lambda x: objective(x)[0], START, method="Nelder-Mead", options={"maxiter": 10})
    assert (numpy.diff(run.loss[run.accepted]) < 0).all()
    assert run.accepted[numpy.argmin(run.loss)]
    assert run.optimizer == "Nelder-Mead"


@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell", "COBYLA"])
def test_a_search_without_gradients_before_another_solver_is_not_taken_for_that_one(method):
    with xi.record() as run:
        first = minimize(objective, START, jac=True, method=method, options={"maxiter": 20})
        looked = run.evaluations
        minimize(objective, first.x, jac=True, method="L-BFGS-B")
    assert run.optimizer == f"{method}, then L-BFGS-B"
    starts = [
        (event.evaluation, event.text.split(" starts")[0]) for event in optimizer_events(run) if " starts" in event.text
    ]
    assert starts == [(0, method), (looked, "L-BFGS-B")]
    assert run.accepted[0]


def test_a_fit_that_only_prepares_another_is_not_what_is_shown():
    def level(mean):
        return np.sum((np.array([1.0, 4.0]) - mean) ** 2) + mean[0] ** 4

    def misfit(curve):
        return np.sum(np.array([1.0, 4.0, 20.0]) * (curve - 2.0) ** 4)

    with xi.record() as run:
        start = minimize(value_and_grad(level), [9.0], jac=True, method="Nelder-Mead").x
        minimize(value_and_grad(misfit), np.repeat(start, 3), jac=True, method="BFGS", options={"maxiter": 10})
        for k in range(20):  # looked at only, though it takes more parameters
            grad(lambda pixels: np.sum(pixels**2))(np.ones(30) * k)
    assert run.history.objective == "misfit"
    assert run.optimizer == "BFGS"
    assert run.evaluations < max(len(history) for history in run.histories)


def test_calls_without_a_gradient_are_seen_beside_those_that_are_differentiated():
    with xi.record() as run:
        results = [minimize(rosenbrock, START * k, jac=grad(rosenbrock), method="SLSQP") for k in (1, 2)]
    assert run.evaluations == sum(r.nfev for r in results)
    assert len(run.histories) == 1
    assert len(run.history.without_gradient.array) == sum(r.nfev - r.njev for r in results)
    assert run.accepted.sum() == sum(r.njev for r in results)
    assert run.notices == []


@pytest.mark.parametrize(
    ("function", "name"),
    [("fmin_bfgs", "BFGS"), ("fmin_cg", "Conjugate gradient"), ("fmin_l_bfgs_b", "L-BFGS-B")],
)
def test_the_older_functions_of_scipy(function, name):
    options = {} if function == "fmin_l_bfgs_b" else {"fprime": grad(rosenbrock), "disp": False}
    fun = (lambda x: objective(x)[0]) if options else objective
    with xi.record() as run:
        getattr(scipy.optimize, function)(fun, START, **options)
    assert run.optimizer == name
    assert 1 < run.accepted.sum() < run.evaluations
    assert told(run)[-1].startswith(f"{name} stops after {run.evaluations} evaluations: ")


def test_older_functions_that_wrap_no_callback():
    with xi.record() as tnc:
        scipy.optimize.fmin_tnc(objective, START, disp=0)
    with xi.record() as slsqp:
        scipy.optimize.fmin_slsqp(lambda x: objective(x)[0], START, fprime=grad(rosenbrock), iprint=0)
    assert (tnc.optimizer, slsqp.optimizer) == ("TNC", "SLSQP")
    assert 1 < tnc.accepted.sum() < tnc.evaluations
    assert slsqp.accepted[[0, -1]].all()


# ---------------------------------------------------------------------- the user's program as it was


@pytest.mark.parametrize("method", METHODS)
def test_the_users_callback_is_called_as_before(method):
    def calls(record):
        seen = []

        def old(x, *more):
            seen.append((x.tobytes(), len(more)))

        def new(intermediate_result):
            seen.append((type(intermediate_result), numpy.asarray(getattr(intermediate_result, "x", 0)).tobytes()))

        def run():
            return [
                plain(solve(rosenbrock, START, method, callback=c)) for c in ([old] if method == "TNC" else [old, new])
            ]

        if not record:
            return run(), seen
        with xi.record():
            return run(), seen

    assert calls(record=True) == calls(record=False)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("TNC", "SLSQP")])  # older ones let it through
def test_a_callback_may_stop_the_solver(method):
    def stopping():
        seen = []

        def callback(intermediate_result: OptimizeResult):
            seen.append(intermediate_result.fun)
            if len(seen) == 4:
                raise StopIteration

        return solve(rosenbrock, START, method, callback=callback), seen

    expected, expected_calls = stopping()
    with xi.record() as run:
        result, calls = stopping()
    assert plain(result) == plain(expected)
    assert calls == expected_calls
    assert told(run)[-1].endswith("the callback ended it")
    assert [notice for notice in run.notices if "counts fewer evaluations than are recorded" not in notice] == []


def test_an_error_in_the_solver_leaves_nothing_behind_and_the_loop_after_it_is_accepted():
    def fails(x):
        if x[0] > 0.5:
            raise ValueError("out of the valley")
        return objective(x)

    with xi.record() as run:
        with pytest.raises(ValueError, match="out of the valley"):
            minimize(fails, START, jac=True, method="BFGS")
        before = run.evaluations
        assert not run.accepted.all()
        for k in range(3):
            grad(rosenbrock)(START + k)
    assert run.accepted[before:].all()
    assert told(run)[-1] == f"BFGS stops after {before} evaluations"
    assert run.notices == []


def test_an_error_in_the_users_callback_shows_no_frame_of_ours():
    def callback(x):
        raise RuntimeError("from the callback")

    with pytest.raises(RuntimeError) as caught, xi.record():
        minimize(objective, START, jac=True, method="CG", callback=callback)
    assert not [frame for frame in traceback.extract_tb(caught.value.__traceback__) if "/recording/" in frame.filename]


def test_scipys_warnings_name_the_same_line():
    def warned():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            minimize(objective, START, jac=True, method="BFGS", options={"unknown": 1})
        return [(w.filename, w.lineno, str(w.message)) for w in caught]

    expected = warned()
    with xi.record():
        assert warned() == expected
    assert expected


def test_a_solver_in_another_thread_is_left_alone():
    results = []
    expected = solve(rosenbrock, START, "BFGS")
    with xi.record() as run:
        thread = threading.Thread(target=lambda: results.append(solve(rosenbrock, START, "BFGS")))
        thread.start()
        thread.join()
        grad(rosenbrock)(START)
    assert plain(results[0]) == plain(expected)
    assert run.evaluations == 1
    assert told(run) == []


def test_a_callback_that_lives_on_after_the_recording_is_inert():
    kept = []
    original = scipy.optimize._minimize._wrap_callback
    with xi.record():
        kept.append(scipy.optimize._minimize._wrap_callback)
    assert kept[0] is not original
    assert kept[0](None) is None


def test_another_tool_on_top_stays():
    original = scipy.optimize._minimize._wrap_callback
    with xi.record():
        ours = scipy.optimize._minimize._wrap_callback
        scipy.optimize._minimize._wrap_callback = lambda *args: ours(*args)
        other = scipy.optimize._minimize._wrap_callback
        with xi.record() as run:
            solve(rosenbrock, START, "CG")
    assert scipy.optimize._minimize._wrap_callback is other
    scipy.optimize._minimize._wrap_callback = original
    assert run.accepted.all()  # it cannot be told through the other tool
    assert run.notices == []


def test_scipy_that_works_otherwise_is_recorded_all_the_same(monkeypatch):
    for module in ("_minimize", "_optimize"):
        monkeypatch.setattr(getattr(scipy.optimize, module), "_wrap_callback", lambda callback, method=None: callback)
    with xi.record() as run:
        minimize(objective, START, jac=True, method="TNC")
    monkeypatch.undo()
    assert run.evaluations > 10
    assert run.notices == []


def test_scipy_may_be_imported_in_the_recording():
    program = """
        import sys
        import autograd.numpy as np
        from autograd import value_and_grad
        import xinv_nb as xi

        assert not any(name.startswith("scipy") for name in sys.modules)
        before = list(sys.meta_path)
        with xi.record() as run:
            from scipy.optimize import minimize
            rosenbrock = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
            result = minimize(value_and_grad(rosenbrock), np.array([-1.2, 1.0]), jac=True, method="L-BFGS-B")
        assert run.accepted.sum() == result.nit + 1 < run.evaluations, run.accepted
        assert sys.meta_path == before
        assert run.optimizer == "L-BFGS-B"
        from scipy.optimize import _differentialevolution, _lbfgsb_py, _minimize, _optimize, _slsqp_py
        for module in (_differentialevolution, _lbfgsb_py, _minimize, _optimize, _slsqp_py):
            found = getattr(module, "_wrap_callback", _optimize._wrap_callback)
            assert found.__module__ == "scipy.optimize._optimize", module
        assert _minimize._wrap_callback is _optimize._wrap_callback
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_recordings_inside_each_other_both_know():
    with xi.record() as outer:
        solve(rosenbrock, START, "BFGS")
        with xi.record() as inner:
            result = solve(rosenbrock, START, "L-BFGS-B")
    assert inner.accepted.sum() == result.nit + 1
    assert outer.optimizer == "BFGS, then L-BFGS-B"
    assert outer.accepted[-inner.evaluations :].tolist() == inner.accepted.tolist()
    assert told(outer)[-1] == told(inner)[-1]


def test_an_optimization_inside_an_objective_is_not_mixed_up():
    def inner(y, x):
        return np.sum((y - x) ** 2) + np.sum(y**4)

    def outer_objective(x):
        best = minimize(value_and_grad(lambda y: inner(y, x)), np.zeros(2), jac=True, method="BFGS")
        value, slope = value_and_grad(lambda x: inner(best.x, x) + np.sum((x - 2.0) ** 2))(x)
        return value, slope

    expected = minimize(outer_objective, START, jac=True, method="L-BFGS-B")
    with xi.record() as run:
        result = minimize(outer_objective, START, jac=True, method="L-BFGS-B")
    assert plain(result) == plain(expected)
    outer = next(h for h in run.histories if h.optimizer == "L-BFGS-B")
    assert outer.accepted.array.sum() == result.nit + 1
    assert run.notices == []


# ---------------------------------------------------------------------- what is told


def test_the_start_the_line_search_and_the_end_are_told_with_their_numbers():
    with xi.record() as run:
        result = solve(rosenbrock, START, "L-BFGS-B")
    events = optimizer_events(run)
    assert events[0].text == "L-BFGS-B starts at a loss of 24.2"
    assert dict(events[0].values) == {"optimizer": "L-BFGS-B", "loss": pytest.approx(24.2)}
    searches = [event for event in events if "trials" in event.values]
    rejected = 0
    for event in searches:
        assert event.text == f"the line search tried {event.values['trials']} steps before it accepted one"
        assert run.accepted[event.evaluation]
        assert not run.accepted[event.evaluation - event.values["trials"] + 1 : event.evaluation].any()
        rejected += event.values["trials"] - 1
    assert rejected == run.evaluations - run.accepted.sum()
    assert events[-1].text == "L-BFGS-B stops after 44 evaluations: the loss hardly changes any more"
    assert events[-1].values["message"] == result.message
    assert events[-1].values["nit"] == result.nit
    assert type(events[-1].values["success"]) is bool
    assert len(events) < 20


ENDINGS = {
    "gradient": ({"method": "L-BFGS-B", "options": {"ftol": 0}}, "the gradient is small enough"),
    "gradient within bounds": (
        {"method": "L-BFGS-B", "options": {"ftol": 0}, "bounds": [(None, 0.5), (None, None)]},
        "within the bounds, the gradient is small enough",
    ),
    "loss": ({"method": "TNC"}, "the loss hardly changes any more"),
    "iterations": ({"method": "CG", "options": {"maxiter": 3}}, "it has taken as many steps as it was allowed"),
    "iterations of SLSQP": (
        {"method": "SLSQP", "options": {"maxiter": 3}},
        "it has taken as many steps as it was allowed",
    ),
    "evaluations": (
        {"method": "L-BFGS-B", "options": {"maxfun": 5}},
        "it has made as many evaluations as it was allowed",
    ),
    "converged": ({"method": "BFGS"}, "its own test for convergence is met, the largest slope left is 1.7×10⁻⁶"),
    "conditions": ({"method": "trust-constr"}, "its first-order conditions are met"),
}


@pytest.mark.parametrize(("options", "reason"), ENDINGS.values(), ids=ENDINGS.keys())
def test_why_it_stopped_is_told_in_plain_words(options, reason):
    with xi.record() as run:
        minimize(objective, START, jac=True, **options)
    assert told(run)[-1].split(": ", 1)[1] == reason


def test_a_wrong_gradient_is_told_as_a_line_search_that_finds_nothing():
    with xi.record() as run:
        minimize(lambda x: (rosenbrock(x), -grad(rosenbrock)(x)), START, jac=True, method="BFGS")
    assert told(run)[-1].endswith("it finds no lower loss along its direction any more")
    assert run.accepted[0]


@pytest.mark.parametrize("method", ["L-BFGS-B", "TNC", "SLSQP"])
@pytest.mark.parametrize(
    "bounds", [[(-1.5, 0.5), (-1, None)], Bounds([-1.5, -1], [0.5, numpy.inf])], ids=["pairs", "Bounds"]
)
def test_a_bound_that_is_reached_is_told_in_the_readers_name(method, bounds):
    known = xi.Problem("Valley", parameters={"x[0]": xi.Parameter("east", unit="km")})
    with xi.record(problem=known) as run:
        minimize(objective, START, jac=True, method=method, bounds=bounds)
    event = next(event for event in optimizer_events(run) if "bound" in event.values)
    assert event.text == "east reached its upper bound of 0.5 km"
    assert dict(event.values) == {"parameter": "x[0]", "bound": 0.5, "side": "upper", "what": "reached"}
    assert event.name == "x[0]"
    assert run.parameters["x"][event.evaluation, 0] == pytest.approx(0.5, rel=1e-14)  # as the processor rounds
    assert run.accepted[event.evaluation]
    assert xi.Run is type(run)


def course_beside_its_bound(method, reported, evaluated, bound=(-1.5, 0.5)):
    """Follow a solver from −1 to the point that it evaluates and reports; a fake, since no rounding can be asked for.

    Returns what was told, the evaluations that count as accepted, and the columns that bounds were told of.
    """
    low, high = (numpy.array([edge, edge]) for edge in bound)
    call = SolverCall(method, 0, (low, high), True, None)
    history = History("objective", leaves_of([("x", (2,))]))
    told = []

    def tell(row, text, values, *, kind="optimizer", column=None, detail=False):
        told.append((kind, values.get("side"), values.get("what"), column))

    course = SolverPath(call, history, 0, tell, OptimizerCall("SLSQP", 0))
    for x in ([-1.0, -1.0], [-0.5, -0.5], evaluated):
        point = numpy.array(x)
        row = history.append(1.0, point, point)
        course.evaluated(row, point)
        if method != "SLSQP":
            course.accepted(numpy.array(reported if x is evaluated else x))
    course.ends(OptimizeResult(x=numpy.array(reported)))
    return [each for each in told if each[0] == "bound"], history.accepted.array.tolist()


BESIDE = {
    "below the upper": (np.nextafter(0.5, 0), ("bound", "upper", "reached", 0)),
    "above the upper": (np.nextafter(0.5, 1), ("bound", "upper", "reached", 0)),
    "some roundings below the upper": (0.5 - 1e-15, ("bound", "upper", "reached", 0)),
    "above the lower": (np.nextafter(-1.5, 0), ("bound", "lower", "reached", 0)),
    "below the lower": (np.nextafter(-1.5, -2), ("bound", "lower", "reached", 0)),
}


@pytest.mark.parametrize("method", ["SLSQP", "L-BFGS-B"])
@pytest.mark.parametrize(("end", "event"), BESIDE.values(), ids=BESIDE)
def test_a_bound_that_a_processor_misses_by_a_rounding_is_reached(method, end, event):
    told, accepted = course_beside_its_bound(method, [end, -1.0], [end, -1.0])
    assert told == [event]
    assert accepted == [True, method != "SLSQP", True]


def test_a_solution_beside_the_bound_is_the_point_that_was_evaluated_within_it():
    beyond = np.nextafter(0.5, 1)  # scipy puts what it evaluates within the bounds, and reports what it calculated
    for method in ("SLSQP", "L-BFGS-B"):
        told, accepted = course_beside_its_bound(method, [beyond, -1.0], [0.5, -1.0])
        assert told == [("bound", "upper", "reached", 0)]
        assert accepted[-1]


@pytest.mark.parametrize("end", [0.5 - 1e-9, 0.49, -1.5 + 1e-9], ids=str)
def test_a_point_near_a_bound_is_not_at_it(end):
    assert course_beside_its_bound("SLSQP", [end, -1.0], [end, -1.0])[0] == []


def test_what_is_small_beside_wide_bounds_is_not_at_them():
    told, _ = course_beside_its_bound("L-BFGS-B", [1e-7, -1.0], [1e-7, -1.0], bound=(-1e12, 1e12))
    assert told == []


def test_a_start_at_a_bound_and_leaving_it_are_told_and_survive_a_file(tmp_path):
    with xi.record() as run:
        minimize(objective, np.array([-1.0, 2.0]), jac=True, method="L-BFGS-B", bounds=[(-1.0, 2.0), (None, 2.0)])
    bounds = [event.text for event in optimizer_events(run) if "bound" in event.values]
    assert bounds[:2] == ["x[0] starts at its lower bound of −1", "x[1] starts at its upper bound of 2"]
    assert any("left its" in text for text in bounds)
    again = xi.load(run.save(tmp_path / "run.xinv"))
    assert told(again) == told(run)
    assert again.accepted.tolist() == run.accepted.tolist()


@pytest.mark.parametrize("bound", [0.3, 0.1 + 0.2])
def test_a_bound_does_not_hang_on_the_last_bit(bound):
    with xi.record() as run:
        minimize(objective, np.array([0.3, 0.0]), jac=True, method="SLSQP", bounds=[(None, bound), (-2, 2)])
    bounds = [event.text for event in optimizer_events(run) if "bound" in event.values]
    assert bounds[0] == "x[0] starts at its upper bound of 0.3"
    (fact,) = [fact for fact in run.facts if fact.kind == "bound" and fact.values["parameter"] == "x[0]"]
    assert fact.cites


def test_many_parameters_at_bounds_at_once_are_one_event():
    def far(x):
        return np.sum((x - 5.0) ** 2)

    with xi.record() as run:
        minimize(value_and_grad(far), np.zeros(10), jac=True, method="L-BFGS-B", bounds=[(0, 1)] * 10)
    assert "10 parameters are at a bound now" in told(run)
    assert len([text for text in told(run) if "bound" in text and "stops" not in text]) <= 3


def test_rejected_steps_of_a_trust_region_are_told():
    with xi.record() as run:
        solve(rosenbrock, START, "dogleg")
    told_of = [event for event in optimizer_events(run) if "rejected" in event.text]
    assert told_of
    assert sum(event.values["trials"] - 1 for event in told_of) == (~run.accepted).sum()


def test_conjugate_gradients_that_start_over_are_told():
    with xi.record() as run:
        solve(rosenbrock, START, "CG")
    restarts = [event for event in optimizer_events(run) if "restart" in event.values]
    assert restarts
    points, slopes = run.parameters["x"], run.gradients["x"]
    iterates = numpy.flatnonzero(run.accepted)
    for event in restarts:
        before = iterates[numpy.searchsorted(iterates, event.evaluation) - 1]
        step = points[event.evaluation] - points[before]
        numpy.testing.assert_allclose(
            step / numpy.linalg.norm(step), -slopes[before] / numpy.linalg.norm(slopes[before]), atol=1e-4
        )


def test_several_optimizers_on_one_objective_are_told_apart():
    with xi.record() as run:
        x = START
        for _ in range(2):
            x = adam(lambda x, i: grad(rosenbrock)(x), x, num_iters=4, step_size=0.01)
        solve(rosenbrock, x, "BFGS", options={"maxiter": 3})
        grad(rosenbrock)(START)
    assert run.optimizer == "Adam · step size 0.01 (2 starts), then BFGS"
    starts = [
        (event.evaluation, event.text.split(" at a loss")[0])
        for event in optimizer_events(run)
        if "starts" in event.text
    ]
    assert starts == [
        (0, "Adam · step size 0.01 starts"),
        (4, "Adam · step size 0.01 starts again"),
        (8, "BFGS starts"),
    ]
    stops = [(event.evaluation, event.text.split(":")[0]) for event in optimizer_events(run) if "stops" in event.text]
    last = run.evaluations - 2
    assert stops == [
        (3, "Adam stops after 4 evaluations"),
        (7, "Adam stops after 4 evaluations"),
        (last, f"BFGS stops after {last - 7} evaluations"),
    ]


def test_a_search_from_many_starts_does_not_drown_the_reader():
    with xi.record() as run:
        for k in range(60):
            solve(rosenbrock, START + 0.01 * k, "BFGS")
    assert run.optimizer == "BFGS (60 starts)"
    assert len(told(run)) < 80
    assert not run.accepted.all()


def test_what_is_told_stays_little_in_a_long_run():
    def steep(x):
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    with xi.record() as run:
        solve(steep, np.full(10, -1.5), "CG")
    assert run.evaluations > 150
    assert len(told(run)) < 40


def test_the_users_arrays_are_not_kept_alive_by_the_watch_over_a_solver():
    import gc
    import weakref

    class Kept(numpy.ndarray):
        pass

    data = numpy.ones(3).view(Kept)
    alive = weakref.ref(data)
    with xi.record() as run:

        def optimize(data):
            minimize(value_and_grad(lambda x: np.sum((x - numpy.asarray(data)) ** 2)), numpy.zeros(3), jac=True)

        optimize(data)
        del data
        gc.collect()
        assert alive() is None
    assert run.evaluations


def test_linear_constraints_of_trust_constr():
    with xi.record() as run:
        result = minimize(
            objective, START, jac=True, method="trust-constr", constraints=LinearConstraint(np.eye(2), -2, 0.8)
        )
    assert run.accepted[0]
    assert run.accepted[numpy.flatnonzero((run.parameters["x"] == result.x).all(axis=1))].all()


def test_each_call_of_an_optimizer_is_noted_with_its_evaluations_and_what_it_said_also_from_a_file(tmp_path):
    def f(x):
        return np.sum((x - 1.0) ** 4)

    with xi.record() as run:
        minimize(value_and_grad(f), [3.0, -2.0], jac=True, method="BFGS")
        adam(lambda x, i: grad(f)(x), numpy.array([4.0, 4.0]), num_iters=5, step_size=0.25)
    first, second = run.history.calls
    assert (first.optimizer, first.start, first.ending["reason"]) == ("BFGS", 0, "converged")
    assert (second.optimizer, second.options["step_size"]) == ("Adam", 0.25)
    assert (first.stop, second.stop) == (second.start, run.evaluations)
    assert xi.load(run.save(tmp_path / "run.npz")).history.calls == run.history.calls
