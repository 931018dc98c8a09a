"""Several fits in the view: which rows belong together, the choice between them, fits as a comparison, the figure."""

from __future__ import annotations

import functools
import threading
from dataclasses import replace
from typing import Any

import numpy
import pytest
from autograd import grad, value_and_grad
from autograd import numpy as np
from autograd.misc.optimizers import adam
from scipy.optimize import minimize

import xinv_nb as xi
from tests.packet import numbers, unpack
from xinv_nb.models.captioning import Explaining
from xinv_nb.recorded.captions import Caption
from xinv_nb.recorded.writer import RunWriter
from xinv_nb.view import packets
from xinv_nb.view.fits import MOST_COMPARED, fit_runs, fits_for_view
from xinv_nb.view.head import Writer, state_in_words
from xinv_nb.view.record import record_bundle
from xinv_nb.view.scene import draw_frame, iterations_worth_drawing
from xinv_nb.view.widget import widget_of

AIM = numpy.array([1.5, -0.5])


def bowl(x: Any) -> Any:
    return np.sum(np.array([1.0, 3.0]) * (x - AIM) ** 2)


def wells(x: Any) -> Any:
    return np.sum(x**4 - 4 * x**2 + 0.8 * x)


def descend(f: Any, start: Any, rate: float, count: int) -> Any:
    x = numpy.array(start, dtype=float)
    for _ in range(count):
        x = x - rate * grad(f)(x)
    return x


def swept(**kwargs: Any) -> xi.Run:
    with xi.record("sweep", **kwargs) as run:
        for rate in (0.02, 0.15, 0.33):
            descend(bowl, [0.0, 0.0], rate, 25)
    return run


def started(count: int) -> xi.Run:
    dice = numpy.random.RandomState(3)
    with xi.record("starts") as run:
        for _ in range(count):
            minimize(value_and_grad(wells), 2 * dice.randn(2), jac=True, method="BFGS")
    return run


def gridded() -> xi.Run:
    with xi.record("arrows") as run:
        descend(bowl, [-2.0, 2.5], 0.12, 20)
        for a in numpy.linspace(-30, 30, 7):
            for b in numpy.linspace(-3, 3, 5):
                grad(bowl)(numpy.array([a, b]))
    return run


class Reader:
    """A browser, as the widget of a run sees it."""

    def __init__(self, run: xi.Run) -> None:
        self.widget, self.headers = widget_of(run), []
        self.widget.send = self._hear  # type: ignore[method-assign]

    def _hear(self, content: Any, buffers: Any = None) -> None:
        if content["type"] == "packet":
            self.headers.append(unpack(buffers[0])[0])

    def ask(self, **content: Any) -> dict[str, Any]:
        """Ask for something, and return all that is said in answer, in one."""
        before = len(self.headers)
        self.widget._on_request(self.widget, content, [])
        return functools.reduce(lambda one, other: one | other, self.headers[before:], {})


def first_header(run: xi.Run) -> dict[str, Any]:
    return unpack(packets.snapshot(run, packets.Sent(), Writer()))[0]


# ---------------------------------------------------------------------- what the browser is told


def test_a_run_of_one_fit_is_sent_as_ever() -> None:
    with xi.record() as run:
        descend(bowl, [0.0, 0.0], 0.15, 25)
    assert "fits" not in first_header(run)
    assert state_in_words(run)[1].endswith("· 25 iterations")


def test_an_optimizer_that_goes_on_where_another_stopped_is_one_curve() -> None:
    with xi.record() as run:
        end = descend(bowl, [0.0, 0.0], 0.02, 30)
        minimize(value_and_grad(bowl), end, jac=True, method="BFGS")
    assert len(run.fits) == 2
    assert "fits" not in first_header(run)


def test_each_fit_is_sent_with_its_evaluations_and_what_it_is_called() -> None:
    fits = first_header(swept())["fits"]
    assert fits["story"] == [25, 50]
    assert fits["shown"] == 2
    assert [(s["start"], s["stop"], s["fit"], s["best"]) for s in fits["stretches"]] == [
        (0, 25, 1, 24),
        (25, 50, 2, 49),
        (50, 75, 3, 74),
    ]
    assert [s["text"].split(" · ")[0] for s in fits["stretches"]] == [f"step size {r}" for r in (0.02, 0.15, 0.33)]
    assert [s["text"].endswith(" · lowest") for s in fits["stretches"]] == [False, True, False]


def test_starts_of_a_solver_are_called_by_it_and_by_how_they_ended() -> None:
    texts = [stretch["text"] for stretch in first_header(started(5))["fits"]["stretches"]]
    lowest = "BFGS · ended at −10.3 · lowest"
    assert texts == ["BFGS · ended at −5.78", "BFGS · ended at −8.04", lowest, lowest, lowest]


def test_the_end_is_not_called_the_lowest_where_the_lowest_came_before() -> None:
    with xi.record() as run:
        for start, count in ((1.0, 10), (4.0, 3)):
            adam(lambda x, _: grad(lambda x: x**2)(x), start, num_iters=count, step_size=0.2)
    first, second = first_header(run)["fits"]["stretches"]
    assert first["text"] == "Adam · ended at 0.141 · reached the lowest, 0.00309"
    assert second["text"] == "Adam · ended at 13"


def test_losses_of_other_data_have_no_lowest() -> None:
    with xi.record() as run:
        for aim in (2.0, 5.0):
            descend(lambda x, aim=aim: (x - aim) ** 2 + aim, 0.0, 0.1, 20)
    assert not any("lowest" in stretch["text"] for stretch in first_header(run)["fits"]["stretches"])


def test_points_of_no_fit_are_sent_as_such_and_are_no_choice() -> None:
    fits = first_header(gridded())["fits"]
    assert [(s["start"], s["stop"], s["fit"]) for s in fits["stretches"]] == [(0, 20, 1), (20, 55, 0)]
    assert fits["story"] == [0, 20]


def test_of_very_many_fits_the_best_are_shown_each_by_itself() -> None:
    dice = numpy.random.RandomState(1)
    with xi.record("many") as run:
        for _ in range(400):
            minimize(value_and_grad(wells), 2 * dice.randn(2), jac=True, method="BFGS")
    header = first_header(run)
    fits = header["fits"]
    assert fits["count"] == 400
    named = [stretch for stretch in fits["stretches"] if stretch["fit"] > 0]
    assert 100 <= len(named) <= 101
    assert fits["shown"] in [stretch["fit"] for stretch in named]
    worst = max(run.loss[stretch["best"]] for stretch in named)
    assert sum(run.loss[fit.best] <= worst for fit in run.fits) >= 100
    spans = [(stretch["start"], stretch["stop"]) for stretch in fits["stretches"]]
    assert [start for start, _ in spans[1:]] == [stop for _, stop in spans[:-1]]
    assert len(str(fits)) < 25_000
    assert len(run.plot().axes[0].lines) == len(fits["stretches"])


def test_the_state_counts_what_is_told_of() -> None:
    assert "25 of 75 iterations" in state_in_words(swept())[1]
    assert "20 of 55 iterations" in state_in_words(gridded())[1]


def test_while_a_run_goes_on_its_fits_are_told_with_the_words_and_never_twice() -> None:
    sent, said = packets.Sent(), []
    with xi.record() as run:
        for rate in (0.02, 0.15):
            descend(bowl, [0.0, 0.0], rate, 60)
            for _ in range(2):
                said.append(unpack(packets.update(run, sent, Writer(), explain=True))[0])
        running = fits_for_view(run)
    assert [header.get("fits", "nothing new") for header in said][:2] == ["nothing new"] * 2
    assert said[2]["fits"]["stretches"][1]["text"] == "step size 0.15 · going on"
    assert said[2]["fits"]["story"] == [60, 120]
    assert "fits" not in said[3]
    assert running is not None
    assert "ended at" in first_header(run)["fits"]["stretches"][1]["text"]


def test_a_line_ends_where_the_next_optimizer_begins_also_before_the_words_tell_of_it() -> None:
    sent, said = packets.Sent(), []
    with xi.record() as run:
        for start in (3.0, -4.0):
            minimize(value_and_grad(wells), numpy.array([start, start]), jac=True, method="BFGS")
            said.append(unpack(packets.update(run, sent, Writer()))[0])
        said.append(unpack(packets.update(run, sent, Writer()))[0])
        said.append(unpack(packets.update(run, sent, Writer(), explain=True))[0])
    begin = run.fits[1].start
    assert [header.get("begins", "as before") for header in said] == ["as before", [begin], "as before", []]
    assert said[3]["fits"]["stretches"][1]["start"] == begin


def test_a_run_that_has_grown_since_it_was_looked_at_is_still_one_fit() -> None:
    with xi.record() as run:
        end = descend(bowl, [0.0, 0.0], 0.001, 300)
        assert fits_for_view(run) is None
        descend(bowl, end, 0.001, 2)
        assert fits_for_view(run) is None


# ---------------------------------------------------------------------- the choice


def test_the_reader_chooses_a_fit_and_all_that_is_told_is_of_it() -> None:
    run = swept()
    RunWriter(run).keep_captions(run.captions)
    reader = Reader(run)
    said = reader.ask(type="fit", fit=1)
    assert run.chosen_fit == 0
    assert said["fits"]["shown"] == 1
    assert said["fits"]["story"] == [0, 25]
    assert (said["phases"][0]["start"], said["phases"][-1]["stop"]) == (0, 25)
    assert said["captions"][0]["span"] == [0, 24]
    assert "What follows tells of number 1" in "".join(part["text"] for part in said["captions"][0]["parts"])
    assert said["facts"][0]["id"] == "F1"
    assert [fact.text for fact in run.facts] == [fact["text"] for fact in said["facts"]]


def test_the_best_fit_is_told_again_as_if_none_had_been_chosen() -> None:
    run = swept()
    before = run.captions
    reader = Reader(run)
    reader.ask(type="fit", fit=3)
    reader.ask(type="fit", fit=2)
    assert run.chosen_fit is None
    assert run.captions == before


@pytest.mark.parametrize("fit", [0, -1, 4, 10**12])
def test_a_fit_that_there_is_not_changes_nothing(fit: int) -> None:
    run = swept()
    said = Reader(run).ask(type="fit", fit=fit)
    assert run.chosen_fit is None
    assert said["captions"][0]["span"] == [25, 49], "the reader is told what stands"


def test_while_a_run_goes_on_no_fit_is_chosen() -> None:
    with xi.record() as run:
        descend(bowl, [0.0, 0.0], 0.02, 25)
        descend(bowl, [0.0, 0.0], 0.15, 25)
        assert Reader(run).ask(type="fit", fit=1) == {}
    assert run.chosen_fit is None


def test_an_open_widget_follows_a_choice_that_is_made_in_python() -> None:
    run = swept()
    reader = Reader(run)
    run.choose_fit(2)
    assert reader.headers[-1]["fits"]["shown"] == 3


def test_a_model_that_was_answering_says_nothing_of_the_fit_that_was_shown_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Reader(swept())
    explainer = reader.widget.explainer
    explainer.explaining = Explaining("a model")
    begun, sent = threading.Event(), []

    def answer(run: xi.Run, question: str, explaining: Explaining, span: Any, stop: Any = None) -> Caption:
        if stop is None:
            return first
        begun.set()
        assert stop.wait(60)
        return replace(first, text="Of another fit.")

    first = reader.widget.run.ask("Why did it stop?", model=False)
    first = replace(first, sentences=(first.text,))
    monkeypatch.setattr("xinv_nb.view.explaining.answer", answer)
    explainer.answer("Why did it stop?", None, sent.append)
    assert begun.wait(60)
    reader.widget.run.choose_fit(0)
    assert explainer._asked.wait(60)
    assert sent == [first]


def test_a_model_answers_the_first_question_after_a_fit_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(swept())
    explainer = reader.widget.explainer
    stops = []
    reader.widget.run.choose_fit(0)
    explainer._asked.start_work(lambda stop: stops.append(stop.is_set()))
    assert explainer._asked.wait(60)
    assert stops == [False]


def test_a_model_that_was_writing_writes_of_the_fit_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    run = swept()
    reader = Reader(run)
    begun = threading.Event()
    written = []
    worker = reader.widget.explainer._captions
    monkeypatch.setattr(worker, "start", lambda run, *_: (written.append(run.captions[0].span), begun.set()))
    reader.widget.explainer.write(reader.widget.explainer.explaining)
    reader.ask(type="fit", fit=3)
    assert begun.is_set()
    assert written == [(25, 49), (50, 74)]


def test_the_record_that_stays_tells_of_the_fit_that_was_chosen() -> None:
    run = swept()
    run.choose_fit(0)
    assert "What follows tells of number 1" in record_bundle(run)["text/plain"]


def test_the_scene_is_drawn_of_the_fit_over_its_own_start() -> None:
    seen: list[tuple[float, ...]] = []
    run = swept(problem=xi.Problem("p", scene=lambda ax, x: seen.append(tuple(x))))
    assert min(iterations_worth_drawing(run)) == 25
    assert max(iterations_worth_drawing(run)) == 49
    for at, start in ((40, 25), (60, 50)):
        seen.clear()
        assert not draw_frame(run, at).error
        assert seen == [tuple(run.parameters["x"][start]), tuple(run.parameters["x"][at])]


def of_two_objectives() -> xi.Run:
    def risk(y: Any) -> Any:
        return np.sum((y - 2.0) ** 4)

    with xi.record("both") as run:
        for rate in (0.02, 0.15):
            descend(bowl, [0.0, 0.0], rate, 25)
        descend(risk, [0.0], 0.02, 12)
    return run


def test_another_objective_can_be_shown_and_the_first_one_again() -> None:
    run = of_two_objectives()
    reader = Reader(run)
    first = unpack(reader.widget.snapshot())[0]
    assert first["objectives"] == {"names": ["bowl · 50 evaluations", "risk · 12 evaluations"], "shown": 0}
    said = reader.ask(type="objective", objective=1)
    other, body = unpack(reader.widget.snapshot())
    assert other["objectives"]["shown"] == 1
    assert other["run"] == first["run"]
    assert [series["name"] for series in other["series"]] == ["y[0]"]
    columns = {spec["key"]: numbers(body, spec, other["rows"]) for spec in other["columns"]}
    numpy.testing.assert_array_equal(columns["loss"], run.objectives["risk"].loss)
    assert said["captions"][0]["span"] == [0, 11]
    reader.ask(type="objective", objective=0)
    assert unpack(reader.widget.snapshot())[0]["fits"] == first["fits"]


@pytest.mark.parametrize("objective", [-1, 2])
def test_an_objective_that_there_is_not_changes_nothing(objective: int) -> None:
    reader = Reader(of_two_objectives())
    reader.ask(type="objective", objective=objective)
    assert unpack(reader.widget.snapshot())[0]["objectives"]["shown"] == 0


def test_a_fit_that_was_chosen_of_one_objective_is_that_of_it_alone() -> None:
    run = of_two_objectives()
    reader = Reader(run)
    reader.ask(type="fit", fit=1)
    reader.ask(type="objective", objective=1)
    reader.ask(type="fit", fit=1)
    reader.ask(type="objective", objective=0)
    assert unpack(reader.widget.snapshot())[0]["fits"]["shown"] == 1
    assert run.chosen_fit == 0


def test_one_objective_is_no_choice_and_while_a_run_goes_on_none_is_offered() -> None:
    with xi.record() as run:
        descend(bowl, [0.0, 0.0], 0.02, 5)
        grad(wells)(numpy.ones(2))
        assert "objectives" not in unpack(widget_of(run).snapshot())[0]
    assert "objectives" in unpack(widget_of(run).snapshot())[0]
    assert "objectives" not in unpack(widget_of(swept()).snapshot())[0]


# ---------------------------------------------------------------------- the fits compared


def test_the_fits_of_one_run_are_compared_by_themselves() -> None:
    run = swept()
    compared = xi.compare(run)
    assert [each.name for each in compared.runs] == ["fit 1", "fit 2", "fit 3"]
    assert "3 fits were made from the same start, with step sizes of 0.02, 0.15 and 0.33" in compared.statements[0]
    assert any("fit 2 reached the lowest loss" in text for text in compared.statements)
    header, body = unpack(compared.snapshot())
    assert header["head"]["title"] == "sweep: 3 fits compared"
    assert header["head"]["state"] == "3 fits"
    assert header["rows"] == 25
    columns = {spec["key"]: numbers(body, spec, header["rows"]) for spec in header["columns"]}
    numpy.testing.assert_array_equal(columns["p1"], run.loss[25:50])


def test_of_many_fits_the_best_are_compared_and_the_title_says_so() -> None:
    run = started(20)
    compared = xi.compare(run)
    assert len(compared.runs) == MOST_COMPARED
    lowest = sorted(run.loss[fit.best] for fit in run.fits)
    assert sorted(each.loss[each.accepted].min() for each in compared.runs) == lowest[:MOST_COMPARED]
    assert "the best 12 of 20 fits compared" in repr(compared)


def test_losses_of_other_data_are_not_compared() -> None:
    with xi.record() as run:
        for aim in (2.0, 5.0):
            descend(lambda x, aim=aim: (x - aim) ** 2 + aim, 0.0, 0.1, 20)
    statements = xi.compare(run).statements
    assert "cannot be compared" in statements[0]
    assert not any("reached" in text for text in statements)


def test_one_press_lays_the_fits_over_each_other() -> None:
    said = Reader(swept()).ask(type="compare_fits", request=7)
    assert said["comparison"]["request"] == 7
    assert said["comparison"]["length"] > 1000


def test_a_run_of_one_fit_is_no_comparison() -> None:
    with pytest.raises(xi.XinvError, match="or one run of several fits"):
        xi.compare(gridded())
    assert len(fit_runs(gridded())) == 1


# ---------------------------------------------------------------------- the figure


def lines(run: xi.Run, place: int = 0) -> list[Any]:
    return [line for line in run.plot().axes[place].lines if len(line.get_xdata())]


def test_the_figure_draws_each_fit_as_its_own_curve_and_one_before_the_others() -> None:
    loss = lines(swept())
    assert [(line.get_xdata()[0], line.get_xdata()[-1]) for line in loss] == [(0, 24), (25, 49), (50, 74)]
    assert loss[1].get_linewidth() > loss[0].get_linewidth()
    assert loss[0].get_alpha() < 1
    assert loss[1].get_alpha() is None


def test_points_of_no_fit_are_dots_in_the_figure_and_do_not_stretch_it() -> None:
    run = gridded()
    axes = run.plot().axes[0]
    curve, points = axes.lines
    assert points.get_linestyle() == "None"
    assert axes.get_ylim()[1] < 2 * run.loss[:20].max() < run.loss.max()
    assert numpy.array_equal(curve.get_ydata(), run.loss[:20])


def test_a_fit_that_ran_away_does_not_squash_the_one_that_is_told_of() -> None:
    with xi.record() as run:
        descend(bowl, [0.0, 0.0], 0.1, 25)
        descend(bowl, [0.0, 0.0], 0.5, 25)
    low, high = numpy.log(run.plot().axes[0].get_ylim())
    first, last = numpy.log(run.loss[[0, 24]])
    assert run.loss.max() > 1e12
    assert high - low < 2.5 * (first - last)
