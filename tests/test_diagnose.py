"""What `run.diagnose` finds by further evaluations, on programs of which the answer is known, and its silence."""

from __future__ import annotations

import random
import sys

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from numpy.testing import assert_allclose
from scipy.optimize import least_squares, minimize

import xinv_nb as xi
from xinv_nb.facts.diagnosis.finding import Finding
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.run import Run

T = numpy.linspace(0.0, 8.0, 60)


def fitted(loss, start, method: str = "L-BFGS-B", **options) -> Run:
    with xi.record(live=False) as run:
        minimize(value_and_grad(loss), numpy.array(start), jac=True, method=method, **options)
    return run


def the(run: Run, kind: str, objective) -> Finding:
    (finding,) = [each for each in run.diagnose(objective)[:2] if each.kind == kind]
    return finding


# ---------------------------------------------------------------------- other starts


def two_wells(x):
    return np.sum((x**2 - 1) ** 2 + 0.4 * x)


def sphere_and_ripples(x):
    return np.sum(x**2 - 4.0 * np.cos(3.0 * x)) + 8.0


WAVE = numpy.exp(-((T - 5.0) ** 2)) + 0.4 * numpy.exp(-((T - 1.5) ** 2))


def peak(p):
    """A single peak, fitted to data with a large and a small one."""
    return np.sum((p[0] * np.exp(-((T - p[1]) ** 2)) - WAVE) ** 2)


@pytest.mark.parametrize(
    ("loss", "start", "method", "lowest"),
    [
        (two_wells, [1.5, 2.0], "BFGS", 2 * -0.4095),
        (sphere_and_ripples, [4.4, -2.2], "L-BFGS-B", 0.0),
        (peak, [0.5, 1.2], "BFGS", None),
        (lambda p: np.sum((np.sin(p[0] * T + p[1]) - numpy.sin(2.9 * T + 0.3)) ** 2), [1.2, 0.0], "CG", 0.0),
    ],
)
def test_a_lower_point_from_another_start_is_found(loss, start, method: str, lowest: float | None) -> None:
    run = fitted(loss, start, method)
    finding = the(run, "other-starts-differ", loss)
    assert finding.severity == "warning"
    assert "local minimum" in finding.text
    (best, *_) = finding.values["points"]
    assert loss(numpy.array(best)) < run.loss.min() - 0.05 * numpy.ptp(run.loss)
    if lowest is not None:
        assert_allclose(loss(numpy.array(best)), lowest, atol=1e-3)
    assert not [fact for fact in run.facts if fact.kind == "minimum"]
    with xi.record(live=False) as advised:  # the advice: start there
        minimize(value_and_grad(loss), run.checks.starts[0], jac=True, method="L-BFGS-B")
    assert advised.loss[-1] < run.loss.min() - 0.05 * numpy.ptp(run.loss)


@pytest.mark.parametrize(
    ("loss", "start"),
    [
        (lambda x: np.sum((x - numpy.array([1.0, 2.0])) ** 2), [5.0, -3.0]),
        (lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, [-1.2, 1.0]),
        (lambda p: np.mean((p[0] * np.exp(-p[1] * T) - 3 * numpy.exp(-0.7 * T)) ** 2), [1.0, 0.2]),
        (lambda p: np.mean(np.log1p(np.exp(-numpy.sign(T - 4.1 + numpy.sin(9 * T)) * (p[0] * T + p[1])))), [0.0, 0.0]),
    ],
)
def test_a_run_that_ended_well_has_nothing(loss, start) -> None:
    assert fitted(loss, start).diagnose(loss) == ()


def test_a_run_that_is_only_unfinished_is_not_at_a_local_minimum() -> None:
    def valley(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    with xi.record(live=False) as run:
        x = numpy.array([-1.2, 1.0])
        for _ in range(300):
            x = x - 1e-3 * grad(valley)(x)
    assert not [each for each in run.diagnose(valley) if each.kind in ("other-starts-differ", "exchangeable")]


def test_other_starts_keep_to_the_bounds() -> None:
    seen: list[float] = []

    def loss(x):
        seen.append(float(getattr(x, "_value", x)[0]))
        return two_wells(x)

    run = fitted(loss, [1.5], bounds=[(0.5, 3.0)])
    seen.clear()
    assert run.diagnose(loss) == ()
    # Differences that check the gradient and the curvature step a little over them.
    assert sum(x < 0.5 - 1e-9 for x in seen) < 30


# ---------------------------------------------------------------------- exchangeable parameters


def two_decays(p):
    return np.sum(
        (p[0] * np.exp(-p[1] * T) + p[2] * np.exp(-p[3] * T) - 2 * numpy.exp(-2 * T) - numpy.exp(-0.3 * T)) ** 2
    )


def two_lines(p):
    """A sum and a product of two roots."""
    return (p[0] + p[1] - 3.0) ** 2 + (p[0] * p[1] - 1.4) ** 2


def two_peaks(p):
    data = numpy.exp(-((T - 2.0) ** 2)) + numpy.exp(-((T - 5.0) ** 2))
    return np.sum((np.exp(-((T - p[0]) ** 2)) + np.exp(-((T - p[1]) ** 2)) - data) ** 2)


@pytest.mark.parametrize(
    ("loss", "start", "pair"),
    [
        (two_decays, [0.8, 0.2, 1.5, 1.5], {1, 3}),
        (two_lines, [0.2, 2.0], {0, 1}),
        (two_peaks, [1.6, 5.5], {0, 1}),
    ],
)
def test_two_parameters_that_can_change_places_are_found(loss, start, pair: set[int]) -> None:
    run = fitted(loss, start, options={"ftol": 1e-15, "gtol": 1e-9})
    finding = the(run, "exchangeable", loss)
    assert set(finding.values["pair"]) <= pair | {0, 2}
    point = numpy.array(finding.values["point"])
    assert loss(point) <= run.loss.min() + 1e-6 * numpy.ptp(run.loss)
    one, other = finding.values["pair"]
    assert_allclose(point[[one, other]], run.point(-1)[[other, one]], rtol=0.05)
    assert "can be exchanged" in finding.text


def test_parameters_that_only_happen_to_be_alike_cannot_be_exchanged() -> None:
    run = fitted(lambda x: np.sum((x - numpy.array([1.0, 1.2])) ** 2), [3.0, 2.0])
    assert run.diagnose(lambda x: np.sum((x - numpy.array([1.0, 1.2])) ** 2)) == ()


def test_on_a_valley_no_two_points_are_told_as_two() -> None:
    def loss(p):
        return np.sum((p[0] * p[1] * T - 3.0 * T) ** 2)

    run = fitted(loss, [1.0, 2.0])
    assert [each.kind for each in run.diagnose(loss)] == ["undetermined"]


# ---------------------------------------------------------------------- the objective itself


def by_hand(loss, slope, start, rate: float, steps: int = 30) -> Run:
    with xi.record(live=False) as run:
        x = numpy.array(start)
        for _ in range(steps):
            run.add(float(loss(x)), x, slope(x))
            x = x - rate * slope(x)
    return run


def bowl(x):
    return float(numpy.sum((x - 1.0) ** 2 * numpy.array([1.0, 3.0])))


def test_a_gradient_with_a_wrong_factor_is_found() -> None:
    run = by_hand(bowl, lambda x: (x - 1.0) * numpy.array([1.0, 3.0]), [3.0, 2.0], 0.1)
    finding = the(run, "gradient-wrong", bowl)
    assert finding.form == "wrong, of one"
    assert_allclose(finding.values["measured"], 2 * finding.values["promised"], rtol=1e-3)


def test_a_gradient_with_a_lost_sign_is_found() -> None:
    run = by_hand(bowl, lambda x: 2 * (x - 1.0) * numpy.array([1.0, -3.0]), [3.0, 1.1], 0.05, 10)
    finding = the(run, "gradient-wrong", bowl)
    assert "for x[1]" in finding.text
    assert_allclose(finding.values["measured"], 0.6, rtol=1e-3)
    assert_allclose(finding.values["promised"], -0.6, rtol=1e-3)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e8])
def test_a_right_gradient_is_not_suspected(scale: float) -> None:
    def loss(x):
        return scale * bowl(x / scale)

    run = by_hand(loss, lambda x: 2 * (x / scale - 1.0) * numpy.array([1.0, 3.0]), [3 * scale, 2 * scale], 0.1 * scale)
    assert run.diagnose(loss) == ()
    assert run.checks.gradient == "right"


def test_an_objective_that_draws_is_told() -> None:
    draws = numpy.random.default_rng(1)

    def loss(x):
        return bowl(x) + 0.1 * draws.standard_normal()

    run = by_hand(loss, lambda x: 2 * (x - 1.0) * numpy.array([1.0, 3.0]), [3.0, 2.0], 0.1)
    finding = the(run, "noisy-evaluations", loss)
    assert finding.form == "evaluated again"
    assert finding.values["start"] != finding.values["end"]


def test_what_the_recording_showed_already_is_not_told_a_second_time() -> None:
    draws = numpy.random.default_rng(0)

    def pair(x):
        return float(numpy.sum(x**2)) + draws.normal(), 2 * x

    with xi.record(live=False) as run:
        minimize(pair, numpy.ones(2), jac=True, method="BFGS")
    told = [finding for finding in run.diagnosis if finding.kind == "noisy-evaluations"]
    assert [finding for finding in run.diagnose(lambda x: pair(x)[0]) if finding.kind == "noisy-evaluations"] == told
    assert len(told) == 1
    wrong = by_hand(bowl, lambda x: (x - 1.0) * numpy.array([1.0, 3.0]), [3.0, 2.0], 0.1)
    assert [finding.kind for finding in wrong.diagnosis].count("gradient-wrong") == 1
    assert [finding.kind for finding in wrong.diagnose(bowl)].count("gradient-wrong") == 1


def test_a_kink_is_no_wrong_gradient_and_told_as_what_it_is() -> None:
    def loss(x):
        return float(numpy.abs(x[0] - 2.0) + (x[1] - 1.0) ** 2)

    def slope(x):
        return numpy.array([1.0 if x[0] >= 2.0 else -1.0, 2 * (x[1] - 1.0)])

    with xi.record(live=False) as run:
        for x in ([2.0, 3.0], [1.8, 2.0], [1.9, 1.5], [2.1, 1.2]):
            run.add(loss(numpy.array(x)), numpy.array(x), slope(numpy.array(x)))
    (finding,) = [each for each in run.diagnose(loss) if each.kind == "gradient-wrong"]
    assert (finding.form, finding.severity, finding.span) == ("kinked, of one", "caution", (0, 0))
    assert finding.text.startswith("The loss has a kink")
    assert "Smooth" in finding.advice


# ---------------------------------------------------------------------- how it behaves


def test_it_says_how_often_it_evaluated_and_records_nothing() -> None:
    count = 0

    def loss(x):
        nonlocal count
        count += 1
        return two_wells(x)

    run = fitted(loss, [1.5, 2.0])
    evaluations, count = run.evaluations, 0
    run.diagnose(loss)
    assert run.evaluations == evaluations
    (told,) = [notice for notice in run.notices if notice.startswith("run.diagnose")]
    assert f" {count} times" in told
    assert f"{count} further evaluations" in run.diagnosis[0].text
    run.diagnose(loss)
    assert len([notice for notice in run.notices if notice.startswith("run.diagnose")]) == 1


def test_the_same_findings_each_time_and_the_users_random_numbers_stay() -> None:
    run = fitted(two_wells, [1.5, 2.0])
    random.seed(3)
    expected = random.random()
    random.seed(3)

    def drawing(x):
        random.random()
        return two_wells(x)

    first = [finding.text for finding in run.diagnose(drawing)]
    assert random.random() == expected
    assert [finding.text for finding in run.diagnose(two_wells)] == first


def test_what_it_found_is_saved_with_the_run(tmp_path) -> None:
    run = fitted(two_wells, [1.5, 2.0])
    found = run.diagnose(two_wells)
    loaded = xi.load(run.save(tmp_path / "run.npz"))
    assert found
    assert list(loaded.diagnosis) == list(found)
    assert not [fact for fact in loaded.facts if fact.kind == "minimum"]


def test_a_kind_can_be_muted() -> None:
    run = fitted(two_wells, [1.5, 2.0])
    RunWriter(run).mute(("other-starts-differ",))
    assert run.diagnose(two_wells) == ()


@pytest.mark.parametrize(
    ("objective", "says"),
    [
        (lambda x, i: two_wells(x), "takes the recorded parameters and nothing else"),
        (lambda x: two_wells(x) + 1.0, "another function than the one that was minimized"),
        (lambda x: x, "must return one real number"),
    ],
)
def test_another_objective_is_refused(objective, says: str) -> None:
    run = fitted(two_wells, [1.5, 2.0])
    with pytest.raises(xi.XinvError, match=says):
        run.diagnose(objective)
    assert run.checks is None


def test_nothing_recorded_nothing_to_look_at() -> None:
    with xi.record(live=False) as run:
        pass
    with pytest.raises(xi.XinvError, match="no point at which to look"):
        run.diagnose(two_wells)


def test_without_scipy_a_descent_of_its_own_finds_it(monkeypatch) -> None:
    with xi.record(live=False) as run:
        x = numpy.array([1.5, 2.0])
        for _ in range(80):
            x = x - 0.03 * grad(two_wells)(x)
    for name in [each for each in sys.modules if each == "scipy.optimize" or each.startswith("scipy.optimize.")]:
        monkeypatch.setitem(sys.modules, name, None)
    assert the(run, "other-starts-differ", two_wells).values["reached"] < run.loss[-1] - 0.5


def test_a_least_squares_fit_is_diagnosed_by_its_sum_of_squares() -> None:
    def residuals(p):
        return p[0] * numpy.exp(-p[1] * T) - 2 * numpy.exp(-0.5 * T)

    with xi.record(live=False) as run:
        least_squares(residuals, [1.0, 1.0])
    scale = float(run.loss[0] / numpy.sum(residuals(numpy.array([1.0, 1.0])) ** 2))
    assert run.diagnose(lambda p: scale * float(numpy.sum(residuals(p) ** 2))) == ()


def test_dictionaries_of_parameters_are_told_by_their_names() -> None:
    def loss(q):
        return (q["depth"] ** 2 - 1) ** 2 + 0.4 * q["depth"] + (q["width"] - 2) ** 2

    known = xi.Problem("A well", parameters={"depth": xi.Parameter("depth", "m")})
    with xi.record("well", problem=known, live=False) as run:
        adam(lambda q, i: grad(loss)(q), {"depth": 1.5, "width": 1.0}, num_iters=200, step_size=0.03)
    finding = the(run, "other-starts-differ", loss)
    assert "depth at −1.05 m" in finding.text
