"""The ledger of the ending: the tests by which SciPy's solvers stop, held to what SciPy says that it met."""

from __future__ import annotations

import re
import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import value_and_grad
from scipy.optimize import curve_fit, fmin, fmin_bfgs, fmin_l_bfgs_b, least_squares, leastsq, minimize

import xinv_nb as xi
from xinv_nb.facts.fact import Fact
from xinv_nb.recorded.endings import reason_of
from xinv_nb.run import Run

T = np.linspace(0, 4, 20)
DECAY = 3 * np.exp(-0.7 * T) + 0.05 * np.sin(9 * T)
START = np.array([-1.2, 1.0])


def valley(p):
    return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2


def slope(p):
    return np.array([-400 * p[0] * (p[1] - p[0] ** 2) - 2 * (1 - p[0]), 200 * (p[1] - p[0] ** 2)])


def curvature(p):
    return np.array([[1200 * p[0] ** 2 - 400 * p[1] + 2, -400 * p[0]], [-400 * p[0], 200]])


def residuals(p):
    return p[0] * np.exp(-p[1] * T) - DECAY


def given(method: str) -> dict:
    more = {} if method in SEARCHES else {"jac": slope}
    return more | ({"hess": curvature} if method in HESSIANS else {})


def ledger(run: Run) -> dict[str, dict]:
    """The tests by what they look at."""
    facts = [fact for fact in run.facts if fact.kind == "stopping tests"]
    return {test["about"]: test for fact in facts for test in fact.data["ledger"]}


def recorded(solve, *arguments, **options) -> Run:
    with warnings.catch_warnings(), xi.record() as run:
        warnings.simplefilter("ignore")
        run_of.append(solve(*arguments, **options))
    return run


run_of: list = []
"""What the solvers returned, the latest last."""

SEARCHES = ("Nelder-Mead", "Powell", "COBYLA")
HESSIANS = ("Newton-CG", "dogleg", "trust-ncg", "trust-exact", "trust-krylov")
MET = {
    "BFGS": {"slope"},
    "CG": {"slope"},
    "L-BFGS-B": {"fall"},
    "SLSQP": {"promise", "change", "step"},
    "trust-constr": {"slope"},
    "TNC": {"change"},
    "Newton-CG": {"summed step"},
    "Nelder-Mead": {"width", "height"},
    "Powell": {"fall"},
    "dogleg": {"gradient"},
    "trust-ncg": {"gradient"},
    "trust-krylov": {"gradient"},
    "trust-exact": {"gradient"},
}
"""What the test looks at that each method meets in the valley, one at least: its message names no other."""
every_method = pytest.mark.parametrize("method", MET)


def recomputed(run: Run, fact: Fact) -> list[float]:
    """The numbers of a ledger: by the recorded gradient and losses, by what SciPy counts, by the options."""
    call = run.history.calls[-1]
    rows = np.flatnonzero(run.accepted)
    loss = run.loss[rows][np.append(np.diff(run.loss[rows]) != 0, True)]
    found: list[float] = []
    for test in fact.data["ledger"]:
        about, option = test["about"], test["option"]
        if about == "slope" and run.has_gradients:
            found.append(np.abs(run.history.rows(rows[-1:], "gradients")).max())
        elif about in ("fall", "change"):
            found.append(loss[-2] - loss[-1])
        elif about in ("iterations", "evaluations"):
            found.append(call.ending["nit" if about == "iterations" else "nfev"])
        elif about != "word":
            found.append(test["size"])
        known = {"gtol": 1e-5} if call.optimizer in ("BFGS", "L-BFGS-B", "Conjugate gradient") else {}
        limit = call.options.get(option, known.get(option, test["limit"]))
        found.append(test["limit"] if about == "fall" else limit)
    return found


@every_method
def test_the_test_that_a_method_met_is_among_those_told(method: str) -> None:
    run = recorded(minimize, valley, START, method=method, **given(method))
    assert run_of[-1].success
    tests = ledger(run)
    assert any(test["met"] for about, test in tests.items() if about in MET[method])
    assert not tests.get("iterations", {"met": False})["met"]
    for test in tests.values():
        assert test["met"] or test["size"] >= test["limit"] or test["about"] in ("iterations", "evaluations")


@pytest.mark.parametrize("method", [*MET, "COBYLA"])
def test_out_of_iterations_nothing_is_met_but_the_count(method: str) -> None:
    options = {"maxfun": 12} if method == "TNC" else {"maxiter": 5}
    run = recorded(minimize, valley, START, method=method, options=options, **given(method))
    tests = ledger(run)
    assert tests
    assert {about for about, test in tests.items() if test["met"]} <= {"iterations", "evaluations"}
    if method != "TNC":
        count = tests["evaluations" if method == "COBYLA" else "iterations"]
        ending = next(fact.text for fact in run.facts if fact.kind == "ending")
        assert f"as many {'evaluations' if method == 'COBYLA' else 'steps'} as it was allowed" in ending
        assert (count["size"], count["limit"], count["met"]) == (5, 5, True)


@pytest.mark.parametrize("seed", range(6))
@every_method
def test_of_any_bowl_that_a_method_solved_a_test_is_met(method: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    stretch = 10.0 ** random.uniform(-2, 2, 3)
    middle, scale = random.normal(size=3), 10.0 ** random.uniform(-4, 4)
    more = {} if method in SEARCHES else {"jac": lambda p: 2 * scale * stretch * (p - middle)}
    more |= {"hess": lambda p: 2 * scale * np.diag(stretch)} if method in HESSIANS else {}
    run = recorded(minimize, lambda p: scale * np.sum(stretch * (p - middle) ** 2), np.zeros(3), method=method, **more)
    tests = ledger(run)
    if run_of[-1].success:
        assert any(test["met"] for test in tests.values())
    elif run_of[-1].message.startswith("Maximum number of"):
        assert {about for about, test in tests.items() if test["met"]} <= {"iterations", "evaluations"}


def test_both_sides_are_those_that_scipy_compares() -> None:
    run = recorded(minimize, valley, START, jac=slope, method="L-BFGS-B", options={"ftol": 1e-12, "gtol": 1e-3})
    tests, result = ledger(run), run_of[-1]
    assert "PROJECTED" in result.message.replace("_", " ")
    assert tests["slope"] == {
        "about": "slope", "size": np.abs(result.jac).max(), "limit": 1e-3, "option": "gtol", "met": True,
    }  # fmt: skip
    assert (tests["fall"]["limit"], tests["fall"]["met"]) == (1e-12, False)
    assert (tests["evaluations"]["size"], tests["evaluations"]["limit"]) == (result.nfev, 15000)


def test_a_slope_across_a_bound_is_none() -> None:
    bounds = [(-2.0, 0.5), (None, None)]
    run = recorded(minimize, valley, START, jac=slope, method="L-BFGS-B", bounds=bounds)
    test = ledger(run)["slope within bounds"]
    assert abs(run_of[-1].jac).max() > 0.1 > 1e-5 >= test["size"]
    assert test["met"]


def test_constraints_and_the_region_of_trust_constr() -> None:
    half = {"type": "ineq", "fun": lambda p: 0.5 - p[0]}
    tests = ledger(recorded(minimize, valley, START, jac=slope, method="trust-constr", constraints=half))
    result = run_of[-1]
    assert tests["slope left"]["size"] == result.optimality
    assert tests["violation"]["size"] == result.constr_violation
    assert tests["region"]["size"] == result.tr_radius
    assert tests["barrier"]["size"] == result.barrier_parameter
    assert tests["slope left"]["met"]
    assert tests["violation"]["met"]
    assert not tests["region"]["met"]


def test_what_is_not_known_is_told_by_the_solvers_word_alone() -> None:
    half = {"type": "ineq", "fun": lambda p: 0.5 - p[0]}
    run = recorded(minimize, valley, START, jac=slope, method="SLSQP", constraints=half)
    text = next(fact.text for fact in run.facts if fact.kind == "stopping tests")
    assert "ftol of 1×10⁻⁶ (met, by its own word)" in text


def test_an_inner_search_that_did_not_converge_is_no_limit_of_the_solver() -> None:
    assert reason_of("Warning: CG iterations didn't converge. The Hessian is not positive definite.") == ""


def test_a_norm_that_the_program_asked_for() -> None:
    run = recorded(minimize, valley, START, jac=slope, method="BFGS", options={"norm": 2})
    assert ledger(run)["gradient"]["size"] == pytest.approx(np.linalg.norm(run_of[-1].jac))


def test_no_limit_is_told_where_there_is_none() -> None:
    run = recorded(minimize, valley, START, jac=slope, method="BFGS", options={"maxiter": np.inf})
    assert set(ledger(run)) == {"slope"}


@pytest.mark.parametrize("more", [{}, {"bounds": ([0, 0], [5, 5])}, {"loss": "soft_l1"}])
@pytest.mark.parametrize("method", ["trf", "dogbox"])
@pytest.mark.parametrize(
    ("options", "about"),
    [
        ({"ftol": None, "xtol": None}, {"slope", "slope within bounds", "scaled slope"}),
        ({"ftol": None, "gtol": None}, {"step"}),
        ({"xtol": None, "gtol": None}, {"fall", "word"}),
    ],
)
def test_fits_of_residuals(method: str, more: dict, options: dict, about: set[str]) -> None:
    run = recorded(least_squares, residuals, [1.0, 1.0], method=method, **more, **options)
    tests = ledger(run)
    assert run_of[-1].success
    assert {name for name, test in tests.items() if test["met"]} <= about
    assert any(test["met"] for test in tests.values())
    assert not {"evaluations", *about}.isdisjoint(tests)


def test_a_fit_that_ran_out_of_evaluations() -> None:
    tests = ledger(recorded(least_squares, residuals, [1.0, 1.0], max_nfev=3))
    assert {about for about, test in tests.items() if test["met"]} == {"evaluations"}
    assert {"slope", "fall", "step"} < set(tests)


def test_minpack() -> None:
    tests = ledger(recorded(leastsq, residuals, [1.0, 1.0]))
    assert tests["fall"]["met"]
    tests = ledger(recorded(curve_fit, lambda t, a, rate: a * np.exp(-rate * t), T, DECAY, ftol=1e-15, xtol=1e-6))
    assert (tests["word"]["option"], tests["word"]["limit"]) == ("xtol", 1e-6)
    assert not any(test["met"] for about, test in tests.items() if about != "word")


@pytest.mark.parametrize(
    ("solve", "more", "names"),
    [
        (fmin, (), {"xtol", "ftol", "maxiter", "maxfun", "maxfev"}),
        (fmin_bfgs, (slope,), {"gtol", "maxiter"}),
        (fmin_l_bfgs_b, (slope,), {"pgtol", "factr", "maxiter", "maxfun"}),
    ],
)
def test_the_older_functions_name_their_own_options(solve, more, names) -> None:
    quiet = {} if solve is fmin_l_bfgs_b else {"disp": 0}
    tests = ledger(recorded(solve, valley, START, *more, **quiet))
    assert {test["option"] for test in tests.values()} <= names
    assert any(test["met"] for test in tests.values())


def test_a_loss_that_autograd_recorded() -> None:
    goal = anp.arange(3.0)
    run = recorded(
        minimize, value_and_grad(lambda p: anp.sum((p - goal) ** 4)), np.ones(3), jac=True, method="L-BFGS-B"
    )
    assert ledger(run)["slope"]["met"]
    assert not ledger(run)["fall"]["met"]


def test_parameters_that_the_solver_does_not_see() -> None:
    """The user's objective takes other numbers than the solver: what only its points tell is left out."""
    loss = value_and_grad(lambda q: anp.sum((q - 2.0) ** 2))

    def asked(z):
        value, gradient = loss(np.exp(z))
        return value, gradient * np.exp(z)

    run = recorded(minimize, asked, np.zeros(2), jac=True, method="L-BFGS-B")
    tests = ledger(run)
    assert tests["slope"]["size"] == np.abs(run_of[-1].jac).max()
    assert "fall" not in tests


def test_it_is_told_where_a_reader_asks_and_cited_by_the_ending() -> None:
    run = recorded(minimize, valley, START, jac=slope, method="BFGS")
    told = next(fact for fact in run.facts if fact.kind == "stopping tests")
    assert re.fullmatch(
        r"The tests by which BFGS stops, at its end: largest slope 1\.7\d?×10⁻⁶ against 1×10⁻⁵ \(gtol: met\) "
        r"and \d+ of 400 iterations \(maxiter: not reached\)\.",
        told.text,
    )
    assert told.id in next(fact for fact in run.facts if fact.kind == "ending").cites
    for question in ("Why did it stop?", "Did it converge?"):
        answer = run.ask(question).text
        assert answer.count(told.text) == 1
        assert not answer.startswith(told.text)
    assert run.ask("Which tolerance was met?").text == told.text
    assert not any("tests by which" in caption.text for caption in run.captions)


def test_it_is_in_the_file_too(tmp_path) -> None:
    run = recorded(minimize, valley, START, method="Powell")
    run.save(tmp_path / "run.xinv")
    assert ledger(xi.load(tmp_path / "run.xinv")) == ledger(run) != {}


def test_a_count_of_the_solver_that_is_another_than_what_was_recorded_says_so() -> None:
    run = recorded(minimize, valley, [-1.2, 1.0], method="Nelder-Mead", options={"maxfev": 5000})
    call = run.history.calls[-1]
    call.ending = {**call.ending, "nfev": run.evaluations + 1}  # as where it calls twice what is recorded once
    text = next(fact.text for fact in run.facts if fact.kind == "stopping tests")
    assert f"{run.evaluations + 1} of 5000 evaluations, as it counts them, also those that are not recorded" in text
