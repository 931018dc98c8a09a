"""Several fits in one recording: told apart, each by itself, with what sets them apart; and looks that are no fits."""

from __future__ import annotations

from itertools import pairwise

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, value_and_grad
from autograd.misc.optimizers import adam
from scipy.optimize import basinhopping, dual_annealing, least_squares, minimize, minimize_scalar

import xinv_nb as xi
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.shifting import shifted
from xinv_nb.recorded.excerpt import Places
from xinv_nb.run import Run

AIM = numpy.array([1.0, 2.0])


def bowl(x):
    return np.sum(np.array([1.0, 3.0]) * (x - AIM) ** 2)


def wells(x):
    return np.sum(x**4 - 4 * x**2 + 0.8 * x)


def recomputed(run: Run, fact: Fact) -> list[float]:
    """The numbers in the sentence of a fact of this kind, found by other means."""
    accepted = [numpy.flatnonzero(run.accepted[fit.start : fit.stop]) + fit.start for fit in run.fits]
    ends = [run.loss[rows[-1]] for rows in accepted]
    lowest = [min(run.loss[rows]) for rows in accepted]
    if "fits were made" in fact.text:
        sizes = [fit.options["step_size"] for fit in run.fits] if "step sizes" in fact.text else []
        return [len(ends), *sizes, *(ends if len(ends) <= 6 else [min(ends), max(ends)])]
    number = [fit.start for fit in run.fits].index(fact.span[0]) + 1 if "number" in fact.text.lower() else 0
    if "what follows" in fact.text.lower():
        as_low = sum(value - min(lowest) <= 1e-3 * abs(min(lowest)) for value in lowest)
        if "reached" in fact.text:
            return [as_low, min(lowest), number, *fact.span]
        return [min(lowest), number, *fact.span] if "lowest" in fact.text else [number, *fact.span]
    if "was lowest with" in fact.text:
        shown = run.fits[number - 1]
        rows = [shown.best, shown.start] if "started" in fact.text else [shown.best]
        told = [value for row in rows for points in run.parameters.values() for value in numpy.ravel(points[row])[:4]]
        return [number, *told]
    first, last = fact.span
    return [first] if first == last else [first, last, *([last - first + 1] if "points" in fact.text else [])]


def told(run: Run) -> str:
    return "\n".join([*(fact.text for fact in run.facts), *(caption.text for caption in run.captions)])


def descend(f, start, rate: float, count: int):
    x = numpy.array(start, dtype=float)
    for _ in range(count):
        x = x - rate * grad(f)(x)
    return x


def test_step_sizes_tried_from_one_start_are_fits_and_not_one_course():
    with xi.record() as run:
        for rate in (0.02, 0.15, 0.33):
            descend(bowl, [0.0, 0.0], rate, 25)
    assert [(fit.start, fit.stop, fit.options["step_size"]) for fit in run.fits] == [
        (0, 25, 0.02),
        (25, 50, 0.15),
        (50, 75, 0.33),
    ]
    assert run.fits[1].best == 49
    text = told(run)
    assert "3 fits were made from the same start, with step sizes of 0.02, 0.15 and 0.33" in text
    assert "number 2" in text
    assert "The loss rose" not in text
    assert run.phases[0].start == 25
    assert run.phases[-1].stop == 50


@pytest.mark.parametrize("what", ["step size", "learning rate", "fit", "run", "start"])
def test_which_of_the_fits_was_best_is_answered(what):
    with xi.record() as run:
        for rate in (0.02, 0.3):
            descend(bowl, [0.0, 0.0], rate, 25)
    for question in (f"Which {what} was best?", f"Which {what} worked best?"):
        assert "that of number 2" in run.ask(question).text


def test_the_fit_that_is_told_of_is_told_as_if_it_had_been_alone():
    with xi.record() as alone:
        descend(bowl, [0.0, 0.0], 0.15, 25)
    with xi.record() as run:
        descend(bowl, [0.0, 0.0], 0.02, 30)
        descend(bowl, [0.0, 0.0], 0.15, 25)
    own = [shifted(fact, Places(30)) for fact in alone.facts]
    assert [f.text for f in own] == [f.text for f in run.facts if f.kind not in ("fits", "ends")]
    assert run.captions[0].span == (30, 54)


def test_another_fit_can_be_chosen_and_is_kept_in_the_file(tmp_path):
    with xi.record() as run:
        for rate in (0.02, 0.15):
            descend(bowl, [0.0, 0.0], rate, 25)
    best = run.captions[0].text
    run.choose_fit(0)
    assert run.captions[0].span == (0, 24)
    assert run.captions[0].text != best
    assert "What follows tells of number 1" in run.captions[0].text
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert again.captions == run.captions
    assert again.fits == run.fits
    run.choose_fit(None)
    assert run.captions[0].text == best
    with pytest.raises(xi.XinvError, match="2 fits, numbers 0 to 1"):
        run.choose_fit(2)


def test_starts_of_a_solver_are_counted_and_those_that_came_as_low():
    dice = numpy.random.RandomState(3)
    with xi.record() as run:
        results = [minimize(value_and_grad(wells), 2 * dice.randn(2), jac=True, method="BFGS") for _ in range(5)]
    assert [fit.optimizer for fit in run.fits] == ["BFGS"] * 5
    assert [run.loss[fit.best] for fit in run.fits] == [result.fun for result in results]
    text = told(run)
    assert "5 fits were made from different starts, by BFGS" in text
    assert "3 of them reached the lowest loss, −10.3" in text
    assert "3 of them reached the lowest loss, −10.3, at the same point; what follows" in text
    assert "own test for convergence" in run.fits[0].ending


def several_starts():
    with xi.record() as run:
        for start in ([-1.0, -1.2], [1.0, 1.0], [-0.5, -2.0]):
            minimize(value_and_grad(wells), start, jac=True, method="BFGS")
    return run


@pytest.mark.parametrize(
    "question",
    [
        "Which start was best?",
        "Which start ended lowest?",
        "Which starting point gave the lowest loss?",
        "What are the best parameters?",
        "Where did the best start end?",
        "Which one was the best?",
    ],
)
def test_which_start_was_best_is_answered_with_its_values(question):
    run = several_starts()
    (first, second), best = run.parameters["x"][run.fits[0].best], run.loss[run.fits[0].best]
    text = run.ask(question, model=False).text
    assert f"2 of them reached the lowest loss, −{-best:.3g}, at the same point" in text
    assert f"Number 3 was lowest with x[0] at −{-first:.3g} and x[1] at −{-second:.3g}" in text
    assert "it started with x[0] at −0.5 and x[1] at −2." in text


def test_the_best_values_are_in_the_summary_of_several_fits():
    run = several_starts()
    assert "It was lowest with x[0] at −1.46" in run.captions[0].text
    run.choose_fit(1)
    assert "number 2: evaluations" in run.captions[0].text
    assert "It was lowest with" in run.captions[0].text


def test_a_start_that_all_fits_share_is_not_told_with_the_best():
    with xi.record() as run:
        for rate in (0.02, 0.15, 0.33):
            descend(bowl, [0.0, 0.0], rate, 25)
    assert "It was lowest with x[0] at 1 and x[1] at 2." in run.captions[0].text


def test_a_check_of_the_gradient_before_a_descent_is_no_part_of_it():
    start = numpy.array([-2.0, 2.5])
    with xi.record() as run:
        for move in numpy.eye(2):
            for size in (1e-6, -1e-6):
                grad(bowl)(start + size * move)
        descend(bowl, start, 0.1, 20)
    assert [(fit.start, fit.stop) for fit in run.fits] == [(4, 24)]
    assert "as for the check of a gradient" in told(run)


def test_each_of_many_fits_tells_why_it_stopped():
    dice = numpy.random.RandomState(1)
    with xi.record() as run:
        for _ in range(30):
            minimize(value_and_grad(wells), 2 * dice.randn(2), jac=True, method="BFGS")
    for number in (0, 29):
        run.choose_fit(number)
        text = " ".join(fact.text for fact in run.facts if fact.kind == "ending")
        assert "its own test for convergence is met" in text


def test_many_starts_are_told_by_their_range():
    dice = numpy.random.RandomState(1)
    with xi.record() as run:
        for _ in range(40):
            minimize(value_and_grad(wells), 2 * dice.randn(2), jac=True, method="L-BFGS-B")
    assert len(run.fits) == 40
    (fact, *_) = run.facts
    assert fact.text.startswith("40 fits were made from different starts, by L-BFGS-B; they ended at losses from")


def test_fits_of_other_data_are_not_compared():
    rng = numpy.random.RandomState(0)
    groups = [rng.weibull(1.5, 60) * 3, rng.weibull(0.9, 90) * 8]

    def fit(life):
        def nll(p):
            k, lam = np.exp(p)
            return -np.sum(np.log(k / lam) + (k - 1) * np.log(life / lam) - (life / lam) ** k)

        return minimize(value_and_grad(nll), [0.0, 1.0], jac=True, method="BFGS")

    with xi.record() as run:
        results = [fit(life) for life in groups]
    text = told(run)
    assert len(run.fits) == 2
    assert "cannot be compared" in text
    assert "lowest loss of all" not in text
    assert [run.loss[each.best] for each in run.fits] == [result.fun for result in results]


def test_an_optimizer_that_goes_on_where_another_stopped_is_one_story_of_two_fits():
    def valley(x, iteration=0):
        return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

    with xi.record() as run:
        x = adam(grad(valley), numpy.array([-1.2, 1.0]), num_iters=100, step_size=0.02)
        minimize(value_and_grad(valley), x, jac=True, method="BFGS")
    assert [fit.optimizer for fit in run.fits] == ["Adam", "BFGS"]
    assert run.fits[0].options["step_size"] == 0.02
    assert (run.phases[0].start, run.phases[-1].stop) == (0, run.evaluations)
    assert not [fact for fact in run.facts if fact.kind == "fits"]


@pytest.mark.parametrize("look", ["grid", "line", "check", "again"])
def test_evaluations_that_no_optimizer_made_change_no_story(look):
    with xi.record() as alone:
        end = descend(bowl, [-2.0, 2.5], 0.12, 20)
    with xi.record() as run:
        end = descend(bowl, [-2.0, 2.5], 0.12, 20)
        if look == "grid":
            points = [(a, b) for a in numpy.linspace(-3, 3, 7) for b in numpy.linspace(-3, 3, 5)]
        elif look == "line":
            points = [end + t * numpy.array([1.0, -2.0]) for t in numpy.linspace(-1, 1, 11)]
        elif look == "check":
            points = [run.parameters["x"][-1] + 1e-6 * s * e for e in numpy.eye(2) for s in (1, -1)]
        else:
            points = [run.parameters["x"][-3]]
        for point in points:
            grad(bowl)(numpy.array(point))
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 20)]
    assert [f.text for f in run.facts if f.kind != "fits"] == [shifted(fact, Places(0)).text for fact in alone.facts]
    (fact,) = [fact for fact in run.facts if fact.kind == "fits"]
    assert fact.span == (20, run.evaluations - 1)
    assert "no step" in fact.text


@pytest.mark.parametrize("look", ["grid", "line", "check"])
@pytest.mark.parametrize("method", ["plain", "momentum", "adam"])
def test_a_descent_that_a_look_interrupts_is_one_fit(look, method):
    def program(*, looks):
        x, v, m = numpy.array([-2.0, 2.5]), numpy.zeros(2), numpy.zeros(2)
        for k in range(30):
            g = grad(bowl)(x)
            if method == "plain":
                x = x - 0.05 * g
            elif method == "momentum":
                v = 0.8 * v - 0.02 * g
                x = x + v
            else:
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                x = x - 0.1 * m / (1 - 0.9 ** (k + 1)) / (numpy.sqrt(v / (1 - 0.999 ** (k + 1))) + 1e-8)
            if not looks or k != 14:
                continue
            if look == "grid":
                points = [(a, b) for a in numpy.linspace(-3, 3, 7) for b in numpy.linspace(-3, 3, 5)]
            elif look == "line":
                points = [x + t * numpy.array([1.0, -2.0]) for t in numpy.linspace(-1, 1, 11)]
            else:
                points = [x + 1e-6 * s * e for e in numpy.eye(2) for s in (1, -1)]
            for point in points:
                grad(bowl)(numpy.array(point))

    with xi.record() as alone:
        program(looks=False)
    with xi.record() as run:
        program(looks=True)
    more = run.evaluations - alone.evaluations
    ((first, after),) = run.fits[0].looks
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, run.evaluations)]
    assert (first, after) == (15, 15 + more)
    places = Places(0, ((first, after),))
    own = [shifted(fact, places) for fact in alone.facts]
    assert [f.text for f in run.facts if f.kind != "fits"] == [f.text for f in own]
    (fact,) = [fact for fact in run.facts if fact.kind == "fits"]
    assert fact.span == (first, after - 1)
    assert "no step" in fact.text
    assert run.widget() is not None
    assert run.uncertainty is not None


def test_a_grid_before_the_loop_is_no_part_of_it():
    with xi.record() as run:
        for a in numpy.linspace(-3, 3, 6):
            for b in numpy.linspace(-3, 3, 6):
                grad(bowl)(numpy.array([a, b]))
        descend(bowl, [-2.0, 2.5], 0.12, 20)
    assert [(fit.start, fit.stop) for fit in run.fits] == [(36, 56)]
    assert run.phases[0].start == 36


@pytest.mark.parametrize("rate", [0.05, 0.25, 0.32, 0.34])
@pytest.mark.parametrize("seed", range(5))
def test_a_loop_that_runs_through_is_one_fit(rate, seed):
    """Steps that shrink, ring, grow or are thrown about by noise are no new starts."""
    dice = numpy.random.RandomState(seed)
    data = dice.randn(200, 2) + AIM
    with xi.record() as run:
        x = dice.randn(2)
        for _ in range(60):
            batch = data[dice.randint(0, 200, 8)] if rate == 0.05 else data
            x = x - rate * grad(lambda x, batch=batch: np.mean(np.array([1.0, 3.0]) * (x - batch) ** 2))(x)
    assert len(run.fits) == 1
    assert run.phases[0].start == 0
    assert run.phases[-1].stop == 60


def test_random_starts_of_a_loop_of_ones_own_are_fits():
    dice = numpy.random.RandomState(0)
    starts = [3 * dice.randn(3) for _ in range(4)]
    with xi.record() as run:
        for start in starts:
            descend(lambda x: np.sum((x - 1.0) ** 2) + 0.1 * np.sum((x - 1.0) ** 4), start, 0.08, 30)
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 30), (30, 60), (60, 90), (90, 120)]


def test_a_stretch_within_another_fit_can_be_explained():
    with xi.record() as run:
        for rate in (0.02, 0.15):
            descend(bowl, [0.0, 0.0], rate, 25)
    (caption,) = run.explain(model=False, span=(3, 9))
    assert caption.span == (3, 9)
    assert "from iteration 3 to 9 the loss fell" in caption.text.lower()
    (caption,) = run.explain(model=False, span=(20, 30))
    assert "belong to 2 fits" in caption.text


def test_hops_are_fits_of_their_own_and_an_annealing_is_one():
    def bumpy(x):
        return float(numpy.cos(14.5 * x[0] - 0.3) + (x[0] + 0.2) * x[0])

    with xi.record() as run:
        basinhopping(bumpy, [1.0], niter=5, seed=1)
    assert [fit.optimizer for fit in run.fits] == ["BFGS"] * 6
    with xi.record() as run:
        dual_annealing(bumpy, [(-2, 2)], maxiter=50, seed=1)
    assert [fit.optimizer for fit in run.fits] == ["Dual annealing"]


def test_a_search_that_starts_others_stands_at_the_best_point_of_all_and_has_no_noise():
    with xi.record() as run:
        dual_annealing(lambda x: numpy.cos(14.5 * x[0] - 0.3) + (x[0] + 0.2) * x[0], [(-2, 2)], maxiter=30, seed=1)
    own = run.loss[run.accepted]
    late = numpy.flatnonzero(run.accepted)[-1]
    assert run.loss[late] == own.min()
    assert "noise" not in told(run)
    assert "batches" not in told(run)


def test_a_fit_that_breaks_off_after_its_first_step_did_not_stand_still():
    def breaks(x):
        if x[0] > 1.5:
            raise ValueError("no simulation there")
        return (x[0] - 2) ** 2

    with xi.record() as run, pytest.raises(ValueError, match="no simulation"):
        minimize(breaks, [0.0], method="BFGS")
    assert "hardly changed" not in told(run)
    assert "still falling" in told(run)


def test_a_few_points_on_a_line_through_the_end_are_a_look_at_it():
    with xi.record() as run:
        end = minimize(bowl, [5.0, -3.0], jac=grad(bowl), method="BFGS").x
        for off in (-1.0, -0.5, 0.25, 1.0):
            grad(bowl)(end + numpy.array([0.5 * off, off]))
    assert [fit.optimizer for fit in run.fits] == ["BFGS"]
    assert "4 points along a line" in told(run)


def test_a_descent_on_from_an_end_is_no_look_at_it():
    with xi.record() as run:
        end = minimize(bowl, [5.0, 2.0], jac=grad(bowl), method="BFGS", options={"maxiter": 1}).x
        descend(bowl, end + numpy.array([0.1, 0.0]), 0.05, 12)
    assert len(run.fits) == 2


@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_starts_of_descents_that_had_not_come_to_rest_and_are_of_unequal_length(decay):
    def two(x):
        return (x[0] - 1) ** 2 * (x[0] + 2) ** 2 + 3 * x[1] ** 2

    with xi.record() as run:
        for start, count in ((-3.0, 27), (0.5, 30), (3.0, 33)):
            x = numpy.array([start, 1.0])
            for k in range(count):
                x = x - 0.01 / (1 + decay * k) * grad(two)(x)
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 27), (27, 57), (57, 90)]
    assert "3 fits were made from different starts" in run.captions[0].text


def test_starts_of_descents_with_momentum_that_had_not_come_to_rest():
    with xi.record() as run:
        for start, count in ((0.0, 20), (5.0, 31), (-4.0, 17)):
            x, v = numpy.array([start, start]), numpy.zeros(2)
            for _ in range(count):
                v = 0.8 * v - 0.03 * grad(bowl)(x)
                x = x + v
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 20), (20, 51), (51, 68)]
    assert "momentum" not in told(run)


def test_a_descent_that_is_clipped_or_kicked_by_chance_goes_on():
    dice, x = numpy.random.default_rng(0), numpy.array([3.0, -2.0])
    with xi.record() as run:
        for _ in range(60):
            x = numpy.clip(x - 0.05 * grad(bowl)(x) + 0.01 * dice.normal(size=2), -2.5, 2.5)
    assert len(run.fits) == 1


def test_finite_differences_of_a_later_fit_are_no_trials():
    with xi.record() as run:
        ends = [minimize(wells, [start, start], method="BFGS") for start in (1.0, -1.0)]
    run.choose_fit(1)
    texts = [fact.text for fact in run.facts if fact.kind == "trials"]
    assert f"{2 * ends[1].njev} of {ends[1].nfev} evaluations were for the solver's own finite differences" in texts[0]
    trials = ends[1].nfev - 2 * ends[1].njev - ends[1].nit - 1
    assert len(texts) == 1 + (trials > 0)
    assert all(text.startswith(f"{trials} of") for text in texts[1:])


def test_finite_differences_of_a_later_fit_count_from_its_own_start():
    from scipy.optimize import minimize

    from xinv_nb.recorded.excerpt import excerpt

    with xi.record() as run:
        for start in (3.0, -2.0):
            minimize(lambda x: float((x[0] - 1.0) ** 4 + x[0] ** 2), [start], method="BFGS")
    second = run.history.calls[1]
    (call,) = excerpt(run, second.start, run.evaluations).history.calls
    assert call.differences[0] == [1, 2]
    assert call.differences[-1][1] <= run.evaluations - second.start


def test_while_a_recording_goes_on_no_fit_is_said_to_have_ended():
    with xi.record() as run:
        descend(bowl, [0.0, 0.0], 0.02, 25)
        descend(bowl, [0.0, 0.0], 0.15, 25)
        assert "ended at losses" not in told(run)
    assert "ended at losses" in told(run)


def test_a_recording_of_a_plot_alone_is_no_descent():
    with xi.record() as run:
        for a in numpy.linspace(-3, 3, 6):
            for b in numpy.linspace(3, -3, 5):
                grad(bowl)(numpy.array([a, b]))
    assert run.fits == ()
    assert list(run.diagnosis) == []
    assert [caption.text for caption in run.captions] == [
        "Evaluations 0 to 29 are 30 points on a grid, as for a plot: no step of an optimizer led there."
    ]
    assert "fell" not in told(run)
    assert run.widget() is not None
    assert run.plot() is not None


@pytest.mark.parametrize("outer_method", ["Nelder-Mead", "BFGS", "bounded"])
@pytest.mark.parametrize("inner_method", ["loop", "BFGS", "least_squares"])
def test_what_is_minimized_inside_of_another_objective_is_told_as_that(outer_method, inner_method, tmp_path):
    def inner(w, strength):
        return np.sum((w - AIM) ** 2) + np.exp(strength) * np.sum(w**2)

    def trained(strength):
        w = numpy.zeros(2)
        if inner_method == "loop":
            for _ in range(30):
                w = w - 0.1 * grad(inner)(w, strength)
        elif inner_method == "BFGS":
            w = minimize(value_and_grad(inner), w, args=(strength,), jac=True, method="BFGS").x
        else:
            of = numpy.exp(strength / 2)
            w = least_squares(lambda w: numpy.concatenate([w - AIM, of * w]), w).x
        return w

    def outer(strength):
        return float(numpy.sum((trained(float(numpy.ravel(strength)[0])) - 0.8 * AIM) ** 2))

    with xi.record() as run:
        if outer_method == "bounded":
            result = minimize_scalar(outer, bounds=(-5, 0), method="bounded")
        else:
            result = minimize(outer, [0.0], method=outer_method)
    assert next(iter(run.objectives)) == "outer"
    assert run.evaluations == result.nfev
    assert [fit.start for fit in run.fits if fit.objective == "outer"] == [0]
    inside = next(each for name, each in run.objectives.items() if name != "outer")
    if inside.history.objective == "inner":
        assert f"Inside of outer, in {result.nfev} of its evaluations, inner was minimized" in run.captions[0].text
    else:  # a function without a name
        assert f"Inside of {result.nfev} of the evaluations another objective was minimized" in run.captions[0].text
    assert f"with {inside.evaluations} evaluations in all; what follows tells" in run.captions[0].text
    assert "with other data or settings" not in told(run)
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert again.facts == run.facts
    assert "what follows tells of outer" not in told(inside)


def test_a_penalty_inside_of_an_objective_is_not_minimized_there():
    def penalty(x):
        return np.sum(x**4)

    with xi.record() as run:
        minimize(lambda x: float(bowl(x) + penalty(x)), [3.0, 3.0], jac=lambda x: grad(bowl)(x) + grad(penalty)(x))
    assert "was minimized" not in told(run)


def near(rule, start, count, f=bowl):
    """One descent by a rule from a start, by a loop that counts its steps."""
    x, m, v = numpy.array(start, dtype=float), numpy.zeros(len(start)), numpy.zeros(len(start))
    for k in range(count):
        g = grad(f)(x)
        if rule == "plain":
            x = x - 0.02 * g
        elif rule == "momentum":
            m = 0.8 * m - 0.01 * g
            x = x + m
        elif rule == "adam":
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            x = x - 0.1 * m / (1 - 0.9 ** (k + 1)) / (numpy.sqrt(v / (1 - 0.999 ** (k + 1))) + 1e-8)
        else:
            v = 0.9 * v + 0.1 * g**2
            x = x - 0.05 * g / (numpy.sqrt(v) + 1e-8)
    return x


@pytest.mark.parametrize("rule", ["plain", "momentum", "adam", "rmsprop"])
@pytest.mark.parametrize("counts", [(12, 12, 12), (12, 19, 9, 15)])
def test_starts_within_the_scale_of_the_steps_are_fits(rule, counts, tmp_path):
    starts = [(0.0, 0.5), (0.3, 0.2), (1.6, 2.9), (0.4, 0.1)][: len(counts)]
    with xi.record() as run:
        for start, count in zip(starts, counts, strict=True):
            near(rule, start, count)
    edges = numpy.cumsum([0, *counts]).tolist()
    assert [(fit.start, fit.stop) for fit in run.fits] == list(pairwise(edges))
    assert f"{len(counts)} fits were made from different starts" in run.captions[0].text
    assert xi.load(run.save(tmp_path / "run.npz")).fits == run.fits


@pytest.mark.parametrize("rule", ["plain", "momentum", "adam", "rmsprop", "clipped", "noisy", "looking ahead"])
@pytest.mark.parametrize("seed", range(4))
def test_epochs_are_no_starts(rule, seed):
    dice = numpy.random.default_rng(seed)
    data = dice.normal(size=(60, 2)) + AIM
    x, m, v, t = dice.normal(size=2), numpy.zeros(2), numpy.zeros(2), 0
    with xi.record() as run:
        for epoch in range(5):
            order = dice.permutation(60)
            for k in range(10):
                t += 1
                batch = data[order[6 * k : 6 * k + 6]] if rule == "noisy" else data
                g = grad(lambda x, batch=batch: np.mean(np.array([1.0, 3.0]) * (x - batch) ** 2))(x)
                if rule == "momentum":
                    m = 0.8 * m - 0.05 * g
                    x = x + m
                elif rule == "adam":
                    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                    x = x - 0.1 * 0.7**epoch * m / (1 - 0.9**t) / (numpy.sqrt(v / (1 - 0.999**t)) + 1e-8)
                elif rule == "rmsprop":
                    v = 0.9 * v + 0.1 * g**2
                    x = x - 0.05 * g / (numpy.sqrt(v) + 1e-8)
                elif rule == "clipped":
                    x = numpy.clip(x - 0.1 * g, -2.0, 1.5)
                else:
                    x = x - 0.3 * 0.9**k * g  # the step size begins anew with each epoch
            if rule == "looking ahead":
                m = m if epoch else x
                x = m = m + 0.5 * (x - m)
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 50)]


def test_a_start_that_breaks_is_a_fit_of_its_own():
    def quartic(x):
        return np.sum(x**4)

    with xi.record() as run, numpy.errstate(all="ignore"):
        for start in ([1.5, 0.6], [4.0, 0.4], [1.1, 1.4], [0.8, -1.2]):
            descend(quartic, start, 0.05, 14)
    assert not numpy.isfinite(run.loss[27])
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 14), (14, 28), (28, 42), (42, 56)]
    assert "1 of them at no number" in told(run)
    assert "fell from" in run.captions[0].text


def test_a_descent_of_one_parameter_from_another_start_is_no_search_on_a_line():
    with xi.record() as run:
        for start in (-0.2, 3.0, 0.4):
            x = start
            for _ in range(40):
                x = x - 0.1 * grad(lambda x: 2 * (x - 1.0) ** 2)(x)
    assert run.accepted.all()
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, 40), (40, 80), (80, 120)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("first", ["loop", "adam", "solver"])
def test_gradients_at_points_drawn_by_themselves_are_no_fit(first, seed):
    dice = numpy.random.RandomState(seed)
    slope = grad(bowl)
    with xi.record() as run:
        if first == "loop":
            descend(bowl, [-2.0, 2.5], 0.12, 30)
        elif first == "adam":
            adam(lambda x, i: slope(x), numpy.array([-2.0, 2.5]), num_iters=60, step_size=0.1)
        else:
            minimize(value_and_grad(bowl), [-2.0, 2.5], jac=True, method="BFGS")
        end = run.evaluations
        for _ in range(40):
            slope(dice.uniform(-5, 5, 2))
    assert [(fit.start, fit.stop) for fit in run.fits] == [(0, end)]
    (fact,) = [fact for fact in run.facts if fact.kind == "fits"]
    assert fact.span == (end, run.evaluations - 1)
    assert "no step of an optimizer led there" in fact.text


@pytest.mark.parametrize("seed", range(4))
def test_a_second_fit_of_lively_steps_is_a_fit_all_the_same(seed):
    dice = numpy.random.RandomState(seed)
    data = dice.randn(60, 2)
    for rate, momentum, noise in ((0.3, 0.0, 0.0), (0.2, 0.9, 0.0), (0.45, 0.0, 1.0), (0.1, 0.8, 1.0)):
        with xi.record() as run:
            for start in ([-4.0, 3.0], [40.0, -30.0]):
                x, v = numpy.array(start), numpy.zeros(2)
                for k in range(60):
                    away = noise * data[k]
                    g = grad(lambda x, away=away: np.sum(np.array([1.0, 3.0]) * (x - away) ** 2) / 2)(x)
                    v = momentum * v - rate * g
                    x = x + v
        assert [(fit.start, fit.stop) for fit in run.fits if fit.stop - fit.start > 3] == [(0, 60), (60, 120)] or len(
            run.fits
        ) == 1
        assert not [fact for fact in run.facts if "no step of an optimizer" in fact.text]
