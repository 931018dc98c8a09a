"""Constraints at the end of a solver: broken, active, or neither; and that nothing of the user's is called for it."""

from __future__ import annotations

import warnings

import numpy
import pytest
from scipy.optimize import LinearConstraint, NonlinearConstraint, fmin_slsqp, minimize

import xinv_nb as xi
from xinv_nb.run import Run


def cost(p):
    return (p[0] - 3.0) ** 2 + (p[1] - 4.0) ** 2


def slope(p):
    return numpy.array([2 * (p[0] - 3.0), 2 * (p[1] - 4.0)])


def disc(p):
    return 4.0 - p[0] ** 2 - p[1] ** 2


def solved(method: str, constraints, start=(1.0, 0.5), loss=cost, jac=slope, **options) -> Run:
    jac = None if method in ("COBYLA", "COBYQA") else jac
    with xi.record("constrained") as run, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        minimize(loss, start, jac=jac, method=method, constraints=constraints, **options)
    assert run.notices == []
    return run


def said(run: Run) -> str:
    return " ".join(fact.text for fact in run.facts)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_the_slope_that_is_left_belongs_to_the_constraint(method: str) -> None:
    run = solved(method, [{"type": "ineq", "fun": disc}])
    (finding,) = run.diagnosis
    assert (finding.kind, finding.severity, finding.form) == ("constraint-active", "caution", "held, one")
    assert "the constraint disc" in finding.text
    assert "the slope of 6 " in finding.text  # at (1.2, 1.6)
    assert "no minimum" not in said(run)


def test_of_several_constraints_those_are_named_that_hold() -> None:
    rules = [{"type": "ineq", "fun": lambda p: p[0] + 50.0}, {"type": "eq", "fun": lambda p: p[0] + p[1] - 1.0}]
    (finding,) = solved("SLSQP", rules).diagnosis
    assert finding.kind == "constraint-active"
    assert "constraints[1]" in finding.text
    assert "constraints[0]" not in finding.text


def test_limits_of_scipys_own_kinds_are_known() -> None:
    within = [NonlinearConstraint(lambda p: p[0] ** 2 + p[1] ** 2, -numpy.inf, 4.0), LinearConstraint([[1, 0]], -5, 5)]
    (finding,) = solved("trust-constr", within).diagnosis
    assert "constraints[0]" in finding.text
    (finding,) = solved("SLSQP", within).diagnosis
    assert "one of the constraints" in finding.text  # SciPy splits them up before SLSQP sees them


def test_a_search_without_gradients_tells_that_it_lies_on_the_edge() -> None:
    (finding,) = solved("COBYLA", [{"type": "ineq", "fun": disc}], options={"tol": 1e-7}).diagnosis
    assert (finding.kind, finding.form) == ("constraint-active", "on it")


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr", "COBYLA", "COBYQA"])
def test_a_constraint_with_room_to_spare_is_no_finding(method: str) -> None:
    wide = [{"type": "ineq", "fun": lambda p: 100.0 - p[0] ** 2 - p[1] ** 2}]
    assert list(solved(method, wide).diagnosis) == []


def test_an_end_on_a_constraint_that_is_not_held_there_is_no_finding() -> None:
    """The minimum of the loss lies on the constraint by itself: no slope is left."""
    assert list(solved("SLSQP", [{"type": "ineq", "fun": lambda p: p[0] - 3.0}], start=(9.0, 1.0)).diagnosis) == []


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr", "COBYLA", "COBYQA"])
def test_what_no_point_satisfies_is_a_warning(method: str) -> None:
    rules = [{"type": "ineq", "fun": lambda p: p[0] - 2.0}, {"type": "ineq", "fun": lambda p: 0.5 - p[0]}]
    run = solved(method, rules, options={"maxiter": 300})
    finding = run.diagnosis[0]
    assert (finding.kind, finding.severity) == ("constraint-violated", "warning")
    end = run.history.values.array[numpy.flatnonzero(run.accepted)[-1]][0]
    assert finding.values["by"] == pytest.approx(max(2.0 - end, end - 0.5), abs=0.02)
    assert not {"minimum", "advice", "best"} & {fact.kind for fact in run.facts}


def test_constraints_that_contradict_each_other_are_both_named() -> None:
    rules = [{"type": "ineq", "fun": lambda p: p[0] - 2.0}, {"type": "ineq", "fun": lambda p: 0.5 - p[0]}]
    finding = solved("SLSQP", rules, start=(0.4, 0.9)).diagnosis[0]
    assert finding.form == "contradict"
    assert finding.values["by"] == pytest.approx(1.5, abs=0.02)
    assert "constraints[1]" in finding.text


def test_a_solver_that_was_stopped_too_soon_has_not_contradicted_itself() -> None:
    run = solved("SLSQP", [{"type": "ineq", "fun": disc}], start=(5.0, 7.0), options={"maxiter": 2})
    finding = run.diagnosis[0]
    assert (finding.kind, finding.form) == ("constraint-violated", "failed")


def test_the_advice_to_loosen_a_constraint_lowers_the_loss() -> None:
    tight, loose = (solved("SLSQP", {"type": "ineq", "fun": lambda p, r=r: r - p[0] ** 2 - p[1] ** 2}) for r in (4, 6))
    assert loose.loss[-1] < tight.loss[-1]


def test_of_a_constrained_run_no_earlier_point_is_recommended() -> None:
    """The lowest loss was seen outside of the constraint."""
    rules = [{"type": "eq", "fun": lambda p: p[0] ** 2 + p[1] ** 2 - 4.0}]
    run = solved("SLSQP", rules)
    assert run.loss.min() < run.loss[-1] - 0.1
    assert "may serve better" not in said(run)
    assert "lowest loss" not in said(run)


def test_the_users_functions_are_called_as_often_as_without_us() -> None:
    def counted(method: str) -> int:
        calls = []

        def watched(p):
            calls.append(p.copy())
            return disc(p)

        minimize(cost, [1.0, 0.5], jac=slope, method=method, constraints=[{"type": "ineq", "fun": watched}])
        return len(calls)

    for method in ("SLSQP", "trust-constr", "COBYLA", "COBYQA"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            without = counted(method)
            with xi.record():
                assert counted(method) == without


def test_what_is_known_of_constraints_is_saved(tmp_path) -> None:
    run = solved("SLSQP", [{"type": "ineq", "fun": disc}])
    run.save(tmp_path / "run.xinv")
    assert [f.text for f in xi.load(tmp_path / "run.xinv").diagnosis] == [f.text for f in run.diagnosis]


def test_the_older_function_is_followed_too() -> None:
    with xi.record("older") as run:
        fmin_slsqp(cost, [1.0, 0.5], fprime=slope, f_ieqcons=lambda p: numpy.array([disc(p)]), iprint=0)
    assert [finding.kind for finding in run.diagnosis] == ["constraint-active"]


def test_the_slope_by_the_solvers_own_differences_will_do() -> None:
    run = solved("SLSQP", [{"type": "ineq", "fun": disc}], jac=None)
    (finding,) = run.diagnosis
    assert (finding.kind, finding.form) == ("constraint-active", "held, one")
    assert finding.values["slope"] == pytest.approx(6.0, rel=1e-3)


def held_by(name: str) -> Run:
    """A linear cost, held by a constraint, by bounds, by the program, or at the edge of a disc."""
    price = numpy.array([3.0, 2.0])
    if name in ("SLSQP", "trust-constr"):
        room = [{"type": "ineq", "fun": lambda p: p[0] * p[1] - 6.0}]
        return solved(name, room, start=(1.0, 1.0), loss=lambda p: price @ p, jac=lambda p: price)
    with xi.record("held") as run:
        if name == "bounds":
            minimize(lambda p: price @ p, [5.0, 5.0], jac=lambda p: price, method="L-BFGS-B", bounds=[(1, 9)] * 2)
        p = numpy.array([5.0, 4.0]) if name == "clip" else numpy.array([0.8, 0.1])
        for _ in range(0 if name == "bounds" else 60):
            run.add(price @ p, p, gradients=price)
            p = p - 0.1 * price
            p = numpy.clip(p, 1.0, 9.0) if name == "clip" else p / max(numpy.linalg.norm(p), 1.0)
    return run


@pytest.mark.parametrize("name", ["SLSQP", "trust-constr", "bounds", "clip", "disc"])
def test_what_a_constraint_determines_is_determined(name: str) -> None:
    run = held_by(name)
    assert not any(finding.kind == "undetermined" for finding in run.diagnosis)
    assert "ot determined" not in said(run)
    run.identify(lambda p: 3.0 * p[0] + 2.0 * p[1])
    assert not any(finding.kind == "undetermined" for finding in run.diagnosis)
    (fact,) = (fact for fact in run.facts if fact.kind == "identifiability")
    assert "does not tell which parameters are determined" in fact.text


def test_what_no_constraint_bears_on_is_not_determined_as_before() -> None:
    """The disc is far away, and only the sum enters."""
    disc = [{"type": "ineq", "fun": lambda p: 400.0 - p @ p}]
    run = solved(
        "SLSQP", disc, loss=lambda p: (p[0] + p[1] - 3.0) ** 2, jac=lambda p: 2 * (p[0] + p[1] - 3.0) * numpy.ones(2)
    )
    run.identify(lambda p: (p[0] + p[1] - 3.0) ** 2)
    assert [finding.kind for finding in run.diagnosis] == ["undetermined"]


def near(p):
    return (p[0] - 1.0) ** 2 + (p[1] - 1.0) ** 2


def room(p):
    return p[0] + p[1] - 4.0


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr", "COBYLA", "COBYQA"])
@pytest.mark.parametrize("kind", ["dict", "nonlinear"])
def test_a_start_that_breaks_a_constraint_is_told_and_no_smaller_step_advised(method: str, kind: str) -> None:
    limit = {"type": "ineq", "fun": room} if kind == "dict" else NonlinearConstraint(room, 0.0, numpy.inf)
    options = {"gtol": 1e-12, "barrier_tol": 1e-9} if method == "trust-constr" else {}
    run = solved(method, [limit], start=(1.0, 1.2), loss=near, jac=lambda p: 2 * (p - 1.0), options=options)
    assert "smaller step" not in said(run)
    (fact,) = (fact for fact in run.facts if fact.kind == "infeasible start")
    assert fact.form == "lower"
    assert fact.values["by"] == pytest.approx(1.8)
    assert fact.values["start"] == pytest.approx(0.04)
    assert fact.text in run.captions[0].text
    assert fact.text in run.ask("Why did the loss rise?", model=False).text
    assert run.diagnosis[0].kind == "constraint-active"


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr", "COBYLA", "COBYQA"])
def test_a_start_that_keeps_to_the_constraints_is_not_told(method: str) -> None:
    run = solved(method, [{"type": "ineq", "fun": room}], start=(3.0, 4.0), loss=near, jac=lambda p: 2 * (p - 1.0))
    assert not any(fact.kind == "infeasible start" for fact in run.facts)


def test_of_an_equality_and_of_two_sides_the_start_is_known() -> None:
    sides = NonlinearConstraint(lambda p: p[0] * p[1], 1.0, 2.0)
    for method in ("trust-constr", "COBYQA"):
        run = solved(method, [sides], start=(3.0, 3.0))
        (fact,) = (fact for fact in run.facts if fact.kind == "infeasible start")
        assert fact.values["by"] == pytest.approx(7.0)
    rules = [{"type": "ineq", "fun": lambda p: 9.0 - p[0]}, {"type": "eq", "fun": lambda p: p[0] - p[1] - 1.0}]
    (fact,) = (fact for fact in solved("SLSQP", rules, start=(0.0, 1.0)).facts if fact.kind == "infeasible start")
    assert fact.values["by"] == pytest.approx(2.0)
    assert "constraints[1]" in fact.text


def test_of_cobyqa_it_is_known_which_constraints_are_active() -> None:
    rules = [{"type": "ineq", "fun": lambda p: 50.0 - p[0]}, {"type": "ineq", "fun": disc}]
    (finding,) = solved("COBYQA", rules).diagnosis
    assert (finding.kind, finding.form) == ("constraint-active", "on it")
    assert "constraints[1] (disc)" in finding.text
    assert "constraints[0]" not in finding.text


def test_the_users_own_constraints_stay_as_they_are() -> None:
    limit, rule = NonlinearConstraint(room, 0.0, numpy.inf), {"type": "ineq", "fun": room}
    solved("trust-constr", limit)
    solved("COBYQA", [limit])
    solved("SLSQP", rule)
    assert limit.fun is room
    assert rule == {"type": "ineq", "fun": room}


@pytest.mark.parametrize("method", ["COBYLA", "COBYQA", "SLSQP"])
def test_all_constraints_that_are_broken_are_named(method: str) -> None:
    rules = [{"type": "ineq", "fun": lambda p: p[0] - 3.0}, {"type": "ineq", "fun": lambda p: 1.0 - p[0]}]
    finding = solved(method, [*rules, {"type": "ineq", "fun": disc}], start=(1.0, 1.0)).diagnosis[0]
    assert finding.kind == "constraint-violated"
    assert "constraints[0]" in finding.text
    assert "constraints[1]" in finding.text


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr", "COBYLA", "COBYQA"])
def test_of_a_linear_constraint_the_start_is_known_too(method: str) -> None:
    limits = LinearConstraint([[1.0, 1.0], [1.0, -1.0]], [4.0, -9.0], [numpy.inf, 9.0])
    options = {"gtol": 1e-12, "barrier_tol": 1e-9} if method == "trust-constr" else {}
    run = solved(method, limits, start=(1.0, 1.2), loss=near, jac=lambda p: 2 * (p - 1.0), options=options)
    assert run.diagnosis[0].kind == "constraint-active"
    told = [fact.values["by"] for fact in run.facts if fact.kind == "infeasible start"]
    assert told == ([] if method == "COBYLA" else [pytest.approx(1.8)])  # which tells nothing of the start here
