"""What residuals allow: standard errors, correlations, influence; and, in words, why there are none."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import curve_fit, least_squares

import xinv_nb as xi
from xinv_nb.facts.fact import Fact
from xinv_nb.recorded.calls import OptimizerCall
from xinv_nb.run import Run

X = np.arange(10.0)
NOISE = np.array([0.3, -0.5, 0.2, 0.4, -0.1, -0.4, 0.5, -0.3, 0.1, -0.2])


def gauss_newton(model, derivatives, data, start, steps=12, factor=0.5, name="fit", **options):
    """A fit by hand; `options` are the sigma of the data, their labels, a problem, a name that marks them."""
    sigma, labels, marked = options.get("sigma"), options.get("labels"), options.get("marked")
    weight = 1.0 if sigma is None else 1 / np.broadcast_to(sigma, np.shape(data))
    with xi.record(name, problem=options.get("problem")) as run:
        p = np.array(start, dtype=float)
        for _ in range(steps):
            r = model(p) - data
            if marked:
                xi.data(r, marked, sigma=sigma, labels=labels)
            r, jacobian = r * weight, (derivatives(p).T * weight).T
            run.add(factor * r @ r, p, residuals=r, jacobian=jacobian)
            p = p - np.linalg.lstsq(jacobian, r, rcond=None)[0]
    return run


def line(data, **options) -> Run:
    return gauss_newton(
        lambda p: p[0] + p[1] * X, lambda _: np.column_stack([np.ones(10), X]), data, [0.0, 0.0], **options
    )


def decay(p, t=X):
    return p[0] * np.exp(-p[1] * t)


def decay_derivatives(p, t=X):
    return np.column_stack([np.exp(-p[1] * t), -p[0] * t * np.exp(-p[1] * t)])


def told(run: Run, kind: str) -> list[str]:
    return [fact.text for fact in run.facts if fact.kind == kind]


def fact(run: Run, kind: str) -> Fact:
    (found,) = (each for each in run.facts if each.kind == kind)
    return found


# ---------------------------------------------------------------------- standard errors


@pytest.mark.parametrize("factor", [0.5, 1.0, 0.1], ids=["half", "sum", "mean"])
def test_a_straight_line_has_the_errors_of_the_textbook(factor: float) -> None:
    data = 1 + 2 * X + NOISE
    run = line(data, factor=factor)
    slope = ((X - X.mean()) @ data) / ((X - X.mean()) @ (X - X.mean()))
    residuals = data - data.mean() - slope * (X - X.mean())
    s2, spread = residuals @ residuals / 8, (X - X.mean()) @ (X - X.mean())
    errors = {"x[0]": math.sqrt(s2 * (1 / 10 + X.mean() ** 2 / spread)), "x[1]": math.sqrt(s2 / spread)}
    found = run.uncertainty
    assert found.errors == pytest.approx(errors)
    assert found.why_not == ""
    assert found.freedom == 8
    expected = -X.mean() / math.sqrt(X @ X / 10)
    assert found.correlations["x[0]", "x[1]"] == pytest.approx(expected)
    assert found.correlations["x[1]"]["x[0]"] == pytest.approx(expected)
    with pytest.raises(KeyError):
        found.correlations["y"]
    assert f"standard deviation of {math.sqrt(s2):.3g}" in fact(run, "misfit").text


def test_a_decay_has_the_errors_of_curve_fit_in_the_readers_names() -> None:
    data = decay([2.5, 0.4]) + 0.05 * NOISE
    best, covariance = curve_fit(lambda t, a, k: decay([a, k], t), X, data, [2.0, 0.5])
    names = {"x[0]": xi.Parameter("level", "mg/L"), "x[1]": xi.Parameter("rate", "1/day")}
    run = gauss_newton(decay, decay_derivatives, data, [2.0, 0.5], problem=xi.Problem("Decay", parameters=names))
    assert run.uncertainty.errors == pytest.approx(
        dict(zip(["level", "rate"], np.sqrt(np.diag(covariance)), strict=True)), rel=1e-5
    )
    r = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
    assert run.uncertainty.correlations["level", "rate"] == pytest.approx(r, rel=1e-4)
    level, rate = told(run, "estimate")
    assert level == f"Level is {best[0]:.3f} ± {math.sqrt(covariance[0, 0]):.3f} mg/L (standard error)."
    assert rate.startswith(f"Rate is {best[1]:.4f} ± ")
    assert rate.endswith(" per day (standard error).")


@pytest.mark.parametrize("sigma", [0.5, np.linspace(0.2, 0.6, 10)], ids=["one", "each"])
@pytest.mark.parametrize("weighed", [True, False], ids=["weighed", "raw"])
def test_a_known_sigma_is_absolute(sigma, weighed: bool) -> None:
    data = 1 + 2 * X + NOISE
    _, covariance = curve_fit(lambda x, a, b: a + b * x, X, data, sigma=sigma * np.ones(10), absolute_sigma=True)
    design, weight = np.column_stack([np.ones(10), X]), 1 / np.broadcast_to(sigma, 10)
    with xi.record() as run:
        p = np.zeros(2)
        for _ in range(3):
            r = xi.data(design @ p - data, "heights", sigma=sigma)
            if weighed:
                run.add((r * weight) @ (r * weight), p, residuals=r * weight, jacobian=design * weight[:, None])
            else:  # the residuals as they are, of a loss that weighs them
                run.add((r * weight) @ (r * weight), p, residuals=r, jacobian=design)
            p = p - np.linalg.lstsq(design * weight[:, None], r * weight, rcond=None)[0]
    assert list(run.uncertainty.errors.values()) == pytest.approx(np.sqrt(np.diag(covariance)))
    assert any(text.startswith("χ² is ") for text in told(run, "misfit"))


def test_an_optimizer_that_was_told_that_sigma_is_absolute_is_believed() -> None:
    run = line(1 + 2 * X + NOISE)
    estimated = run.uncertainty.errors["x[1]"]
    run.history.calls.append(OptimizerCall("curve_fit", 0, run.evaluations, {"absolute_sigma": True}))
    scatter = math.sqrt(2 * run.loss.min() / 8)
    assert run.uncertainty.errors["x[1]"] == pytest.approx(estimated / scatter)


def test_a_jacobian_just_before_the_end_stands_for_the_one_there_and_one_from_afar_does_not() -> None:
    data = decay([2.5, 0.4]) + 0.05 * NOISE
    full = gauss_newton(decay, decay_derivatives, data, [2.0, 0.5])
    for known, is_told in ((4, True), (0, False)):
        with xi.record() as run:
            for k, p in enumerate(full.parameters["x"]):
                r = decay(p) - data
                run.add(r @ r, p, residuals=r, jacobian=decay_derivatives(p) if k == known else None)
        assert (run.uncertainty.why_not == "") == is_told
    assert "Jacobian" in run.uncertainty.why_not


def test_of_several_fits_the_errors_are_those_of_the_one_that_is_shown() -> None:
    data = decay([2.5, 0.4]) + 0.05 * NOISE
    with xi.record() as run:
        for start, steps in (([2.0, 0.5], 9), ([3.0, 0.3], 9), ([1.5, 0.6], 2)):
            p = np.array(start)
            for _ in range(steps):
                r = xi.data(decay(p) - data, "decay", labels=[f"day {t:.0f}" for t in X])
                jacobian = decay_derivatives(p)
                run.add(r @ r, p, residuals=r, jacobian=jacobian)
                p = p - np.linalg.lstsq(jacobian, r, rcond=None)[0]
            run.history.calls.append(OptimizerCall("Gauss-Newton", run.evaluations - steps, run.evaluations))
    alone = gauss_newton(decay, decay_derivatives, data, [3.0, 0.3], steps=9)
    assert len(run.fits) == 3
    assert run.uncertainty.errors == pytest.approx(alone.uncertainty.errors, rel=1e-6)
    for number, place in ((0, range(9)), (1, range(9, 18))):
        run.choose_fit(number)
        assert run.uncertainty.evaluation in place
        assert len(told(run, "estimate")) == 2
        assert all(each.span[0] in place for each in run.facts if each.kind == "estimate")
    run.choose_fit(2)
    assert "did not end where the sum of squares is at its lowest" in run.uncertainty.why_not


def test_errors_come_back_from_a_file(tmp_path: Path) -> None:
    run = line(1 + 2 * X + NOISE, marked="heights", labels=[f"mark {i}" for i in range(10)])
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert again.uncertainty == run.uncertainty
    assert [each.text for each in again.facts] == [each.text for each in run.facts]


# ---------------------------------------------------------------------- why there are none


def singular() -> Run:
    """Only the product of two parameters enters the model."""
    return gauss_newton(
        lambda p: p[0] * p[1] * X,
        lambda p: np.column_stack([p[1] * X, p[0] * X]),
        3 * X + NOISE,
        [1.0, 2.0],
        problem=xi.Problem("Product", parameters={"x[0]": xi.Parameter("gain"), "x[1]": xi.Parameter("rise", "m")}),
    )


def without_effect() -> Run:
    return gauss_newton(lambda p: p[0] * X, lambda _: np.column_stack([X, np.zeros(10)]), 3 * X + NOISE, [1.0, 2.0])


def at_a_bound() -> Run:
    """The intercept may not fall below 0, where it is held."""
    problem = xi.Problem("Line", parameters={"x[0]": xi.Parameter("intercept", "m", bounds=(0.0, None))})
    design, data = np.column_stack([np.ones(10), X]), -1 + 2 * X + NOISE
    with xi.record(problem=problem) as run:
        p = np.array([1.0, 1.0])
        for _ in range(30):
            r = design @ p - data
            run.add(r @ r / 2, p, residuals=r, jacobian=design)
            p = np.maximum(p - 0.003 * design.T @ r, [0.0, -np.inf])
        p = np.array([0.0, X @ data / (X @ X)])
        r = design @ p - data
        run.add(r @ r / 2, p, residuals=r, jacobian=design)
    return run


def stayed() -> Run:
    design, data = np.column_stack([np.ones(10), X]), 1 + 2 * X + NOISE
    with xi.record() as run:
        for slope in (1.0, 2.0):
            p = np.array([1.5, slope])
            r = design @ p - data
            run.add(r @ r, p, residuals=r, jacobian=design)
    return run


def robust() -> Run:
    design, data = np.column_stack([np.ones(10), X]), 1 + 2 * X + 9 * NOISE
    with xi.record() as run:
        for slope in (0.0, 1.0, 1.5, 1.9, 2.0, 2.01):
            r = design @ np.array([1.0, slope]) - data
            run.add(np.sum(np.sqrt(1 + r**2) - 1), [1.0, slope], residuals=r, jacobian=design)
    return run


def few() -> Run:
    design = np.column_stack([np.ones(2), np.arange(2.0)])
    with xi.record() as run:
        for p in (np.zeros(2), np.ones(2)):
            r = design @ p - np.array([1.0, 2.5])
            run.add(r @ r, p, residuals=r, jacobian=design)
    return run


def without_jacobian() -> Run:
    with xi.record() as run:
        for k in (1.0, 2.0):
            r = k * X - 2 * X - NOISE
            run.add(r @ r, k, residuals=r)
    return run


def not_finite() -> Run:
    with xi.record() as run:
        for k in (1.0, 2.0):
            r = k * X - 2 * X - NOISE
            run.add(r @ r, k, 1.0, residuals=r, jacobian=np.full((10, 1), np.nan))
    return run


def empty() -> Run:
    with xi.record() as run:
        pass
    return run


def plain() -> Run:
    with xi.record() as run:
        run.add(1.0, 2.0)
    return run


def unfinished() -> Run:
    return gauss_newton(decay, decay_derivatives, decay([2.5, 0.4]) + 0.05 * NOISE, [2.0, 0.7], steps=2)


REASONS = {
    singular: "Where gain rises by 0.1",
    without_effect: "no data point changes with x[1]",
    at_a_bound: "intercept ended at its bound of 0 m",
    stayed: "x[0] stayed at its start value of 1.5",
    robust: "not the sum of the squares",
    few: "with 2 data points for 2 parameters",
    without_jacobian: "the Jacobian, the derivatives of the residuals, was not recorded",
    not_finite: "not finite",
    empty: "no residuals",
    plain: "no residuals",
    unfinished: "did not end where the sum of squares is at its lowest",
    lambda: line(1 + 2 * X): "the model meets all data points",
}


@pytest.mark.parametrize("make", REASONS, ids=lambda make: make.__name__)
def test_why_there_are_none_is_told_in_words(make) -> None:
    run = make()
    found = run.uncertainty
    assert REASONS[make] in found.why_not
    assert not found.errors
    assert not found.correlations
    for kind in ("correlation", "influence"):
        assert not told(run, kind)
    assert all("±" not in each.text for each in run.facts)


def test_overflow_raises_nowhere_whatever_the_program_does_at_one() -> None:
    with np.errstate(all="raise"):
        with xi.record() as run:
            for k in (1.0, 2.0):
                run.add(1e300 * k, k, residuals=np.array([1e200, k, 3.0]), jacobian=1e250 * np.ones((3, 1)))
        assert run.uncertainty.why_not
        assert run.facts


def test_a_run_that_goes_on_has_none_yet() -> None:
    with xi.record() as run:
        run.add(1.0, 1.0, residuals=[1.0, 1.0], jacobian=[[1.0], [1.0]])
        assert "still going on" in run.uncertainty.why_not


def test_bounds_that_an_optimizer_had_hold_also_where_it_stays_a_little_inside_of_them() -> None:
    design, data = np.column_stack([np.ones(10), X]), -1 + 2 * X + NOISE
    points: list[np.ndarray] = []

    def residuals(p):
        points.append(p.copy())
        return design @ p - data

    least_squares(residuals, [1.0, 1.0], jac=lambda _: design, bounds=([0.0, -np.inf], np.inf), method="trf")
    none = math.inf
    for bounds in ([[0.0, -none], [none, none]], [[0.0, None], [None, None]], [[0.0, -none], [none]]):
        with xi.record() as run:
            for p in points:
                r = design @ p - data
                run.add(r @ r / 2, p, residuals=r, jacobian=design)
        assert "lowest" in run.uncertainty.why_not
        run.history.calls.append(OptimizerCall("least_squares", 0, len(points), {"bounds": bounds}))
        assert "x[0] ended at its bound of 0" in run.uncertainty.why_not


def test_few_degrees_of_freedom_are_told_with_the_standard_error() -> None:
    design = np.column_stack([np.ones(4), X[:4]])
    run = gauss_newton(lambda p: design @ p, lambda _: design, np.array([1.1, 2.9, 4.9, 7.1]), [0.0, 0.0])
    assert told(run, "estimate")[1].endswith("(standard error, from 2 degrees of freedom only).")


def test_the_explanation_of_a_fit_tells_what_it_found() -> None:
    run = line(1 + 2 * X + NOISE)
    assert "x[0] is 1.08 ± 0.22 and x[1] is 1.983 ± 0.040 (standard errors)." in run.explain(model=False)[0].text


def test_data_that_are_marked_in_a_differentiated_objective_need_a_jacobian() -> None:
    import autograd.numpy as anp
    from autograd import grad

    with xi.record() as run:
        p = np.array([0.0])
        for _ in range(30):
            p = p - 0.01 * grad(lambda p: anp.sum(xi.data(p[0] * X - 2 * X - NOISE, "levels") ** 2) / 10)(p)
    assert "the Jacobian, the derivatives of the residuals, was not recorded" in run.uncertainty.why_not
    (text,) = told(run, "misfit")
    assert text.startswith("The residuals of levels (10 data points) had a root mean square of ")


def test_a_jacobian_by_finite_differences_of_a_singular_model_is_seen_through() -> None:
    data = 3 * np.exp(-0.5 * X) + 0.1 * NOISE
    fit = least_squares(lambda p: p[0] * p[1] * np.exp(-p[2] * X) - data, [1.0, 2.0, 0.3])
    with xi.record() as run:
        for p in (np.array([1.0, 2.0, 0.3]), fit.x):
            r = p[0] * p[1] * np.exp(-p[2] * X) - data
            run.add(r @ r, p, residuals=r, jacobian=fit.jac)
    assert "the model hardly changes" in run.uncertainty.why_not
    assert "x[2]" not in run.uncertainty.why_not


# ---------------------------------------------------------------------- what else they tell


def test_an_outlier_that_decides_the_slope_is_named_and_what_it_decides_is_true() -> None:
    data = 1 + 2 * X + 0.2 * NOISE
    data[9] += 6.0
    labels = [f"station {i}" for i in range(10)]
    run = line(data, marked="levels", labels=labels)
    found = fact(run, "influence")
    (slope, intercept) = np.polyfit(X[:9], data[:9], 1)
    without = {"x[0]": intercept, "x[1]": slope}[found.values["parameter"]]
    assert found.values["other"] == pytest.approx(without)
    assert found.text.startswith(f"Station 9 decides {found.values['parameter']}: without it ")
    assert fact(line(data), "influence").text.startswith("Data point 10 of 10 decides ")
    persons = line(data, marked="levels", labels=[f"person {i // 2}" for i in range(10)])
    assert fact(persons, "influence").text.startswith("Data point 10 of 10 (person 4) decides ")
    assert not told(line(1 + 2 * X + NOISE), "influence")


def test_a_data_point_that_alone_fixes_a_combination_is_told() -> None:
    far = np.array([0.0] * 6 + [10.0])
    design, data = np.column_stack([np.ones(7), far]), np.array([1.0, 1.2, 0.8, 1.1, 0.9, 1.0, 5.0])
    run = gauss_newton(lambda p: design @ p, lambda _: design, data, [0.0, 0.0])
    assert told(run, "influence") == [
        "Data point 7 of 7 alone fixes a combination of the parameters (its leverage is 1): the model goes through it "
        "whatever its value is."
    ]


def test_strong_correlation_is_told_as_what_it_means() -> None:
    x = 100 + X
    design = np.column_stack([np.ones(10), x])
    run = gauss_newton(lambda p: design @ p, lambda _: design, 1 + 2 * x + NOISE, [0.0, 0.0])
    (text,) = told(run, "correlation")
    assert "where x[0] is higher and x[1] is lower, the model fits nearly as well (correlation −0.9996)" in text
    assert not told(line(1 + 2 * X + NOISE), "correlation")


T = np.linspace(0, 3, 40)


def straight_through(data) -> Run:
    design = np.column_stack([np.ones(40), T])
    return gauss_newton(lambda p: design @ p, lambda _: design, data, [0.0, 0.0])


def test_a_model_that_leaves_a_pattern_is_told_and_chance_is_not() -> None:
    (text,) = told(straight_through(np.exp(T)), "residual trend")
    assert "change sign 2 times along the 40 data points, where chance lets expect about" in text
    for seed in range(300):
        random = np.random.default_rng(seed)
        assert not told(straight_through(1 + 2 * T + random.normal(size=40)), "residual trend"), seed


@pytest.mark.parametrize(
    ("scale", "said"), [(1.0, "about as much as"), (0.2, "only 0.1"), (4.0, "times as much around the model")]
)
def test_chi_squared_is_judged_beside_the_sigma_of_the_data(scale: float, said: str) -> None:
    random = np.random.default_rng(1)
    run = line(1 + 2 * X + scale * random.normal(size=10), sigma=1.0, marked="levels")
    assert any(said in text for text in told(run, "misfit")), told(run, "misfit")


def test_the_fall_of_the_loss_is_told_by_group_of_data_and_adds_up() -> None:
    serum, urine = X[:6], X[6:]
    with xi.record() as run:
        p = np.array([0.0, 0.0])
        for _ in range(40):
            one = xi.data(p[0] + p[1] * serum - (1 + 2 * serum + NOISE[:6]), "serum", sigma=0.5)
            two = xi.data(p[0] + p[1] * urine - (1 + 2 * urine + NOISE[6:]), "urine")
            run.add(np.mean((one / 0.5) ** 2) + 3 * two @ two, p)
            p = p - 1e-3 * np.array([8 * one.sum() / 6 + 6 * two.sum(), 8 * one @ serum / 6 + 6 * two @ urine])
    (found,) = (each for each in run.facts if each.kind == "groups")
    assert sum(found.values["parts"].values()) == pytest.approx(run.loss[-1] - run.loss[0])
    first, last = run.data["urine"].residuals[[0, -1]]
    assert found.values["parts"]["urine"] == pytest.approx(3 * (last @ last - first @ first))
    assert "urine lowered it by" in found.text


def test_a_penalty_is_not_taken_for_the_work_of_the_groups() -> None:
    """Of one parameter, two groups and a constant give any square: what the penalty earned would be theirs."""
    told_of = []
    for penalty in (0.0, 5.0):
        with xi.record() as run:
            for k in np.linspace(3, 1, 20):
                one, two = xi.data(k * X[:5] - 3, "one"), xi.data(k * X[5:] - 9, "two")
                run.add(one @ one + two @ two + penalty * k**2, k)
        told_of.append(len(told(run, "groups")))
    assert told_of == [1, 0]


def test_a_fit_that_left_its_best_point_says_where_that_was() -> None:
    run = gauss_newton(lambda p: p[0] * X, lambda _: X[:, None], 3 * X + NOISE, [1.0], steps=5)
    with xi.record() as worse:
        for p in [*run.parameters["x"], np.array([7.0])]:
            r = p[0] * X - 3 * X - NOISE
            worse.add(r @ r, p, residuals=r, jacobian=X[:, None])
    (text,) = told(worse, "estimate")
    assert text.startswith("At iteration 4, the best, x[0] was 2.9")


def test_groups_that_are_not_all_of_the_loss_get_no_share_of_it() -> None:
    with xi.record() as run:
        for k in np.linspace(3, 1, 20):
            one, two = xi.data(k * X[:5], "one"), xi.data(k - X[5:], "two")
            run.add(one @ one + two @ two + 5 * math.sin(3 * k), k)
    assert not told(run, "groups")
    assert len(told(run, "misfit")) == 2


@pytest.mark.parametrize("make", [*REASONS, lambda: line(1 + 2 * X + NOISE, marked="heights", sigma=0.5)])
def test_what_is_told_does_not_contradict_the_recording(make) -> None:
    run = make()
    for each in run.facts:
        contradicted = [claim for claim in run.check(each.text) if claim.supported is False]
        assert not contradicted, (each.text, contradicted)


# ---------------------------------------------------------------------- figures of the world

THEOPHYLLINE = (
    np.array([0.0, 0.25, 0.57, 1.12, 2.02, 3.82, 5.1, 7.03, 9.05, 12.12, 24.37]),
    np.array([0.74, 2.84, 6.57, 10.5, 9.66, 8.58, 8.36, 7.47, 6.89, 5.94, 3.28]),
)
"""Hours after the dose, and mg/L in the serum, of the first of twelve persons (Davidian & Giltinan 1995)."""


def test_theophylline_has_the_standard_errors_that_r_gives() -> None:
    """R's `nls(conc ~ SSfol(Dose, Time, lKe, lKa, lCl))` of these figures, as its own documentation shows it."""
    hours, serum = THEOPHYLLINE

    def model(p):
        out, into, cleared = np.exp(p)
        return 4.02 * out * into / cleared * (np.exp(-out * hours) - np.exp(-into * hours)) / (into - out)

    def derivatives(p):
        steps = 1e-6 * np.eye(3)
        return np.column_stack([(model(p + step) - model(p - step)) / 2e-6 for step in steps])

    run = gauss_newton(model, derivatives, serum, [-2.5, 0.5, -3.5], steps=20)
    assert run.parameters["x"][-1] == pytest.approx([-2.9196, 0.5752, -3.9159], abs=1e-4)
    assert list(run.uncertainty.errors.values()) == pytest.approx([0.1709, 0.1728, 0.1273], abs=2e-4)
    assert run.uncertainty.freedom == 8
    assert "a standard deviation of 0.732" in fact(run, "misfit").text


IN_BED = np.array([3.0, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4])
"""Boys in bed on 14 days, of 763 in an English boarding school (British Medical Journal, 4 March 1978)."""


def test_the_influenza_of_a_school_has_the_errors_of_curve_fit() -> None:
    def in_bed(_, infection, recovery):
        well, ill, days = 760.0, 3.0, [3.0]
        for _ in range(13 * 20):
            new, back = infection * well * ill / 763 / 20, recovery * ill / 20
            well, ill = well - new, ill + new - back
            days.append(ill)
        return np.array(days[::20])

    best, covariance = curve_fit(in_bed, np.arange(14), IN_BED, [1.6, 0.4])
    steps = np.diag(1e-6 * best)
    slopes = [(in_bed(0, *(best + s)) - in_bed(0, *(best - s))) / (2 * s.sum()) for s in steps]
    with xi.record() as run:
        for p in (np.array([1.6, 0.4]), best):
            r = in_bed(0, *p) - IN_BED
            run.add(r @ r / 2, {"infection": p[0], "recovery": p[1]}, residuals=r, jacobian=np.column_stack(slopes))
    assert list(run.uncertainty.errors.values()) == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)
