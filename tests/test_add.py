"""Evaluations by hand: a loop with no autograd, what it is told of, and what does not fit."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize

import xinv_nb as xi

TARGET = np.array([1.0, -2.0, 0.5])
SPEAKS_OF_GRADIENTS = ("gradient", "slope", "level", "minimum", "converged to", "uphill")


def bowl(x):
    """Return the loss and its derivative, as a simulator in another language would."""
    return float((x - TARGET) @ (x - TARGET)), 2 * (x - TARGET)


def descend(run, steps=30, rate=0.1, *, with_gradients=True, **more):
    x = np.zeros(3)
    for _ in range(steps):
        loss, slope = bowl(x)
        run.add(loss, x, slope if with_gradients else None, **more)
        x = x - rate * slope
    return x


def in_a_new_python(code):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# ---------------------------------------------------------------------- without autograd


def test_a_loop_by_hand_without_autograd_gets_phases_facts_captions_the_view_and_a_file(tmp_path):
    path, page = tmp_path / "run.npz", tmp_path / "run.html"
    told = in_a_new_python(f"""
        import sys
        import xinv_nb as xi

        with xi.record("throw", problem=xi.Problem("A throw", parameters={{"speed": xi.Parameter(unit="m/s")}})) as run:
            v = 10.0
            for _ in range(40):
                reach = v**2 / 9.81
                miss = reach - 20.0
                slope = 2 * miss * 2 * v / 9.81
                run.add(miss**2, {{"speed": v}}, {{"speed": slope}}, reach=(reach, "m"))
                v -= 0.01 * slope
        assert run.status == "finished" and run.evaluations == 40 and not run.notices
        assert [phase.kind for phase in run.phases]
        facts = [fact.text for fact in run.facts]
        assert "speed rose from 10 to 14 m/s; the gradient asked for this at every iteration." in facts, facts
        assert "Reach rose from 10.2 to 20 m." in facts
        assert run.captions[0].heading == "Summary" and "by" in run.captions[0].text
        widget = run.widget()
        assert widget is run.widget()
        run.plot()
        page = run.to_html({str(page)!r}).read_text(encoding="utf-8")
        assert "A throw" in page and "speed rose" in page
        run.save({str(path)!r})
        again = xi.load({str(path)!r})
        assert [fact.text for fact in again.facts] == facts
        assert "autograd" not in sys.modules
        print(again.captions[0].text == run.captions[0].text)
    """)
    assert told == "True"


def test_a_cell_that_imports_autograd_only_after_its_recording_began_is_captured():
    told = in_a_new_python("""
        import sys
        import xinv_nb as xi

        before = list(sys.meta_path)
        with xi.record() as outer:
            with xi.record() as run:
                assert "autograd" not in sys.modules
                import autograd.numpy as np
                from autograd import grad

                def loss(x):
                    xi.watch(x**2, "square")
                    return np.sum((x - 1.0) ** 2)

                x = np.zeros(2)
                for _ in range(5):
                    x = x - 0.1 * grad(loss)(x)
        from autograd import core, tracer
        assert core.trace is tracer.trace, "autograd is as it was"
        assert sys.meta_path == before
        assert run.watches["square"].cotangents.shape == (5, 2)
        print(run.evaluations, outer.evaluations, run.objectives.keys())
    """)
    assert told == "5 5 dict_keys(['loss'])"


def test_recording_leaves_no_lookout_behind_where_autograd_never_came():
    told = in_a_new_python("""
        import sys
        import xinv_nb as xi

        before = list(sys.meta_path)
        with xi.record() as run:
            pass
        print(sys.meta_path == before, "autograd" in sys.modules, "run.add(" in run.notices[0])
    """)
    assert told == "True False True"


# ---------------------------------------------------------------------- what is recorded


def test_numbers_names_and_structure_are_recorded_as_they_are_given():
    with xi.record() as run:
        for k in range(3):
            wind = {"x": 1.0 * k, "y": [0.0, 2.0 * k]}
            run.add(
                k, {"drag": np.float32(0.5), "wind": wind}, {"wind": wind, "drag": -k}, energy=(k, "J"), grid=[k, 1]
            )
    assert list(run.parameters) == ["drag", "wind.x", "wind.y"]
    assert run.parameters["wind.y"].tolist() == [[0, 0], [0, 2], [0, 4]]
    assert run.gradients["drag"].tolist() == [0, -1, -2]
    assert run.loss.tolist() == [0, 1, 2]
    assert run.watches["energy"].values.tolist() == [0, 1, 2]
    assert run.watches["energy"].unit == "J"
    assert run.watches["grid"].values.tolist() == [[0, 1], [1, 1], [2, 1]]
    assert np.isnan(run.watches["energy"].cotangents).all()
    assert run.point(2) == {"drag": 0.5, "wind": {"x": 2.0, "y": pytest.approx([0, 4])}}


def test_whole_numbers_beyond_64_bits_are_numbers_and_a_quantity_may_be_called_self():
    with xi.record() as run:
        run.add(10**30, [10**20, 1], self=2.0)
    assert run.loss.tolist() == [1e30]
    assert run.parameters["x"].tolist() == [[1e20, 1.0]]
    assert run.watches["self"].values.tolist() == [2.0]


def test_names_that_no_file_can_hold_as_text_do_not_stop_the_captions():
    with xi.record("run \ud800") as run:
        run.add(1.0, {"a\ud800": 1.0})
    assert run.captions


def test_a_copy_is_taken_for_optimizers_change_their_arrays_in_place():
    x = np.array([1.0, 2.0])
    with xi.record() as run:
        run.add(3.0, x, x)
        x += 1
        run.add(5.0, x, x)
    assert run.parameters["x"].tolist() == run.gradients["x"].tolist() == [[1, 2], [2, 3]]


def test_a_number_alone_is_a_parameter_and_a_large_array_is_summarised():
    with xi.record() as run:
        run.add(1.0, 2.0, 3.0)
    assert (run.parameters["x"].tolist(), run.gradients["x"].tolist()) == ([2], [3])
    with xi.record() as run:
        run.add(1.0, {"field": np.ones((100, 100))}, {"field": np.full((100, 100), 2.0)})
    assert run.history.width < 100
    assert run.column(run.entries()[0], "gradients").tolist() == [2.0]


def test_what_the_simulator_reported_belongs_to_the_evaluation_that_it_led_to():
    with xi.record() as outer, xi.record() as run:
        for k in range(3):
            with xi.stage("flight"):
                xi.event("step {k}", k=k)
            run.add(1.0 / (k + 1), float(k), -1.0)
        xi.event("done")
    for each in (run, outer):
        said = [(event.evaluation, event.text, event.stage) for event in each.events if event.kind == "happening"]
        assert said == [(0, "step 0", "flight"), (1, "step 1", "flight"), (2, "step 2", "flight"), (2, "done", "")]


def test_scipys_trials_are_told_from_iterates_and_its_end_is_told():
    def objective(x):
        loss, slope = (
            (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2,
            np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)]),
        )
        run.add(loss, x, slope)
        return loss, slope

    with xi.record() as run:
        found = minimize(objective, [-1.2, 1.0], jac=True, method="BFGS")
    assert run.evaluations == found.nfev
    assert 0 < np.count_nonzero(~run.accepted) < run.evaluations
    assert run.optimizer == "BFGS"
    assert run.parameters["x"][run.accepted][-1].tolist() == found.x.tolist()


# ---------------------------------------------------------------------- residuals


def least_squares(run, factor, steps=15, **more):
    times = np.linspace(0, 1, 6)
    jacobian = np.stack([np.ones(6), times], axis=1)
    x = np.array([4.0, -1.0])
    for _ in range(steps):
        residuals = jacobian @ x - (1 + 2 * times)
        run.add(factor * residuals @ residuals, x, residuals=residuals, jacobian=jacobian, **more)
        x = x - 0.1 * jacobian.T @ residuals
    return jacobian


@pytest.mark.parametrize(("factor", "times"), [(0.5, 1.0), (1.0, 2.0)])
def test_residuals_and_their_jacobian_give_the_gradient(factor, times, tmp_path):
    with xi.record() as run:
        jacobian = least_squares(run, factor)
    assert run.residuals.shape == (15, 6)
    assert run.gradients["x"] == pytest.approx(times * run.residuals @ jacobian)
    assert run.has_gradients
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert np.array_equal(again.residuals, run.residuals)
    assert [fact.text for fact in again.facts] == [fact.text for fact in run.facts]


def test_a_jacobian_by_name_is_one_in_columns():
    residuals, whole = np.array([1.0, -2.0]), np.arange(8.0).reshape(2, 4)
    parts = {"b": whole[:, 1:].reshape(2, 3), "a": whole[:, 0]}
    with xi.record() as columns:
        columns.add(5.0, {"a": 1.0, "b": np.zeros(3)}, residuals=residuals, jacobian=whole)
    with xi.record() as by_name:
        by_name.add(5.0, {"a": 1.0, "b": np.zeros(3)}, residuals=residuals, jacobian=parts)
    for name, expected in (("a", [-16.0]), ("b", [[-18.0, -20.0, -22.0]])):
        assert columns.gradients[name] == pytest.approx(np.array(expected))
        assert by_name.gradients[name] == pytest.approx(np.array(expected))


def test_a_loss_that_is_no_sum_of_squares_gets_no_gradient_from_the_jacobian():
    with xi.record() as run:
        least_squares(run, 0.7)
    assert not run.has_gradients
    assert "run.add(…, gradients=…)" in run.notices[0]


def test_gradients_that_are_given_come_before_those_of_the_jacobian():
    with xi.record() as run:
        run.add(5.0, [1.0], [7.0], residuals=[1.0, 2.0], jacobian=[[1.0], [1.0]])
    assert run.gradients["x"].tolist() == [[7.0]]


def test_runs_without_residuals_have_none():
    with xi.record() as run:
        descend(run, 3)
    assert run.residuals is None


def test_residuals_are_thinned_with_the_parameters(monkeypatch):
    monkeypatch.setattr("xinv_nb.recorded.history.BUDGET", 40 * (8 * 1000 + 16))
    with xi.record() as run:
        for k in range(200):
            run.add(1.0 / (k + 1), float(k), -1.0, residuals=np.full(1000, float(k)))
    assert len(run.kept) <= 40
    assert run.residuals.shape == (len(run.kept), 1000)
    assert run.residuals[:, 0].tolist() == run.kept.tolist() == run.parameters["x"].tolist()


# ---------------------------------------------------------------------- where no gradient is known


def everything_said(run):
    texts = [fact.text for fact in run.facts] + [caption.text for caption in run.captions]
    return [*texts, *(caption.text for caption in run.explain(model=False, level="expert")), *run.notices]


@pytest.mark.parametrize("rate", [0.1, 0.01, 1.2], ids=["falling", "slow", "diverging"])
def test_without_gradients_less_is_said_and_nothing_of_gradients(rate, tmp_path):
    with xi.record() as run:
        descend(run, 60, rate, with_gradients=False, height=(3.0, "m"))
    with xi.record() as known:
        descend(known, 60, rate, height=(3.0, "m"))
    assert not run.has_gradients
    assert known.has_gradients
    assert np.isnan(run.gradients["x"]).all()
    for text in everything_said(run):
        assert not any(word in text for word in SPEAKS_OF_GRADIENTS), text
    assert not any(event.phase == "backward" for event in run.events)
    assert not any(phase.kind == "converged" for phase in run.phases)
    silenced = {"advice"} if known.diagnosis else set()  # by what the gradients let find
    assert {fact.kind for fact in run.facts} - silenced < {fact.kind for fact in known.facts}
    assert any(fact.kind == "movement" for fact in run.facts)
    claim = run.check("The gradient asked for more x[0] at every iteration.")[0]
    assert claim.supported is None
    for question in ("What did the gradient ask for?", "Did the gradient vanish?"):
        assert run.ask(question, model=False).status == "the recording does not show it"
    assert run.to_html(tmp_path / "run.html").exists()
    assert run.plot().axes
    assert "gradient" not in " ".join(xi.compare(run, known).statements)
    again = xi.load(run.save(tmp_path / "run.npz"))
    assert not again.has_gradients
    assert everything_said(again) == everything_said(run)
    assert list(again.facts) == list(run.facts)


@pytest.mark.parametrize(
    "sentence",
    [
        "The gradient at iteration 3 was zero.",
        "The gradient vanished.",
        "A higher height would lower the loss.",
        "The gradient asked for less height at every iteration.",
    ],
)
def test_a_claim_about_a_gradient_that_is_not_known_is_left_open(sentence):
    with xi.record() as run:
        for k in range(60):
            run.add(1.0 + 0.3**k, [0.3**k], height=(6.0 - k / 10, "m"))
    assert [claim.supported for claim in run.check(sentence) if claim.supported is not None] == []


def test_facts_about_a_bound_without_gradients_are_the_same_after_loading(tmp_path):
    with xi.record(problem=xi.Problem("A beam", parameters={"a": xi.Parameter(bounds=(1.0, 4.0))})) as run:
        for k in range(40):
            run.add(max(1.0, 3 * 0.9**k) ** 2, {"a": max(1.0, 3 * 0.9**k)})
    assert any(fact.text == "a lay at its lower bound of 1 from iteration 11 to the end." for fact in run.facts)
    assert list(xi.load(run.save(tmp_path / "run.npz")).facts) == list(run.facts)


def test_a_flat_end_without_gradients_is_a_plateau_not_converged():
    with xi.record() as run:
        for k in range(80):
            run.add(1.0 + np.exp(-k / 3), [float(np.exp(-k / 3))])
    with xi.record() as known:
        for k in range(80):
            run_x = float(np.exp(-k / 3))
            known.add(1.0 + run_x, [run_x], [run_x])
    assert run.phases[-1].kind == "plateau"
    assert known.phases[-1].kind == "converged"


def test_trials_without_a_gradient_do_not_silence_what_the_iterates_say():
    with xi.record() as run:
        descend(run, 20)
        run.add(30.0, TARGET + 3)
        assert not run.has_gradients
        run.history.set_accepted(20, accepted=False)
    assert run.has_gradients
    assert any("the gradient asked for this" in fact.text for fact in run.facts)


def test_a_gradient_that_is_not_finite_is_told_and_one_that_is_not_given_is_not():
    with xi.record() as run:
        descend(run, 5)
        run.add(1.0, np.zeros(3), [np.nan, 0.0, 0.0])
    assert any("stopped being finite" in notice for notice in run.notices)
    assert [event.evaluation for event in run.events if event.kind == "not finite"] == [5]


def test_a_simulation_that_breaks_is_recorded_with_its_loss():
    with xi.record() as run:
        descend(run, 12)
        run.add(np.nan, np.ones(3), height=np.inf)
        run.add(np.inf, [np.nan, 0.0, 0.0])
    assert np.isnan(run.loss[12])
    assert any(fact.kind in ("gap", "phase", "course") and "not" in fact.text for fact in run.facts)
    assert not any("gradient stopped" in text for text in everything_said(run))


# ---------------------------------------------------------------------- what does not fit


MISFITS = {
    "another shape": (lambda run: run.add(1.0, np.zeros(4), np.zeros(4)), r"of shape \(3,\).*of shape \(4,\)"),
    "an axis more": (lambda run: run.add(1.0, np.zeros((1, 3)), np.zeros((1, 3))), r"of shape \(1, 3\)"),
    "other names": (lambda run: run.add(1.0, {"y": np.zeros(3)}), "must be x as in the evaluations before.*given y"),
    "a gradient of another length": (lambda run: run.add(1.0, np.zeros(3), np.zeros(2)), r"gradients must.*\(2,\)"),
    "a gradient by name": (lambda run: run.add(1.0, np.zeros(3), {"a": 1.0}), "gradients must be x in the parameters"),
    "text for the loss": (lambda run: run.add("low", np.zeros(3)), "loss must be a number.*the text 'low'"),
    "a number that is too large": (lambda run: run.add(10**400, np.zeros(3)), "loss is beyond the largest"),
    "several losses": (lambda run: run.add([1.0, 2.0], np.zeros(3)), r"loss must be one number.*\(2,\)"),
    "nothing for the loss": (lambda run: run.add(None, np.zeros(3)), "loss must be a number.*NoneType"),
    "text for a parameter": (lambda run: run.add(1.0, ["a", "b", "c"]), "parameters must be a number.*text"),
    "truth for a parameter": (lambda run: run.add(1.0, np.ones(3) > 0), "parameters must be.*true or false"),
    "a ragged array": (lambda run: run.add(1.0, [[1.0], [1.0, 2.0]]), "parameters must be a number or an array"),
    "a complex number": (lambda run: run.add(1.0, np.ones(3) * 1j), "parameters is complex"),
    "no parameters": (lambda run: run.add(1.0, {}), "at least one number"),
    "a name that is none": (lambda run: run.add(1.0, {3: 1.0}), "names of parameters must be text; 3 is none"),
    "residuals at once": (lambda run: run.add(1.0, np.zeros(3), residuals=[1.0]), "residuals must be none"),
    "a jacobian alone": (lambda run: run.add(1.0, np.zeros(3), jacobian=np.ones((2, 3))), "hand residuals over"),
    "text for a quantity": (lambda run: run.add(1.0, np.zeros(3), height="tall"), "height must be.*the text 'tall'"),
    "a pair that is none": (lambda run: run.add(1.0, np.zeros(3), height=(1.0, 2.0)), "pair of value and unit"),
    "another unit": (lambda run: run.add(1.0, np.zeros(3), height=(1.0, "km")), "height must be in m.*given km"),
}


def state(run):
    history = run.history
    columns = (history.loss, history.values, history.gradients, history.accepted)
    watched = [(name, watch.values.tolist(), watch.unit) for name, watch in run.watches.items()]
    return [column.array.tolist() for column in columns], list(run.events), run.notices, watched, list(run.objectives)


@pytest.mark.parametrize(("misfit", "message"), MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_raises_and_leaves_the_recording_as_it_was(misfit, message):
    with xi.record() as run:
        descend(run, 2, height=(3.0, "m"))
        xi.event("waiting")
        before = state(run)
        with pytest.raises(xi.XinvError, match=message):
            misfit(run)
        assert state(run) == before
        run.add(1.0, np.zeros(3), np.zeros(3), height=(3.0, "m"))
    assert run.evaluations == 3
    assert [event.evaluation for event in run.events if event.text == "waiting"] == [2]


@pytest.mark.parametrize(
    ("misfit", "message"),
    [
        (lambda run: run.add(1.0, [1.0], residuals=[1.0, 2.0, 3.0]), "must be a vector of 2.*given a vector of 3"),
        (lambda run: run.add(1.0, [1.0]), "residuals must be a vector of 2 .*given none"),
        (lambda run: run.add(1.0, [1.0], residuals=[[1.0, 2.0]]), r"must be a vector.*\(1, 2\)"),
        (lambda run: run.add(1.0, [1.0], residuals=[1.0, 2.0], jacobian=np.ones((1, 2))), r"the shape \(2, 1\)"),
        (lambda run: run.add(1.0, [1.0], residuals=[1.0, 2.0], jacobian={"x": np.ones(3)}), "The parts of jacobian"),
    ],
    ids=["longer", "missing", "a table", "a jacobian of another shape", "a part of another shape"],
)
def test_residuals_that_do_not_fit_raise(misfit, message):
    with xi.record() as run:
        run.add(5.0, [1.0], residuals=[1.0, 2.0])
        with pytest.raises(xi.XinvError, match=message):
            misfit(run)
    assert run.evaluations == 1


def test_a_run_that_is_not_open_takes_nothing(tmp_path):
    with xi.record() as run:
        descend(run, 2)
    for closed in (run, xi.load(run.save(tmp_path / "run.npz")), xi.Run("never opened")):
        before = closed.evaluations
        with pytest.raises(xi.XinvError, match="recording that is open"):
            closed.add(1.0, np.zeros(3), np.zeros(3))
        assert closed.evaluations == before


def test_an_error_points_at_the_call_and_not_into_the_recording():
    with pytest.raises(xi.XinvError) as caught, xi.record() as run:
        run.add("low", 1.0)
    files = [frame.path.name for frame in caught.traceback]
    assert set(files) <= {"test_add.py", "run.py"}


# ---------------------------------------------------------------------- several recordings


def test_nested_recordings_hand_evaluations_outward_never_inward():
    with xi.record() as outer:
        outer.add(9.0, [1.0, 2.0], [0.0, 0.0])
        with xi.record() as inner:
            inner.add(4.0, {"a": 1.0}, {"a": 2.0})
            outer.add(8.0, [1.5, 2.0], [0.0, 0.0])
        outer.add(7.0, [1.7, 2.0], [0.0, 0.0])
    assert inner.loss.tolist() == [4.0]
    assert outer.loss.tolist() == [9.0, 8.0, 7.0]
    assert [each.loss.tolist() for each in outer.objectives.values()] == [[9.0, 8.0, 7.0], [4.0]]


def test_passes_of_autograd_and_evaluations_by_hand_mix():
    def loss(x):
        return anp.sum((x - 1.0) ** 2)

    with xi.record() as run:
        x = np.zeros(2)
        for _ in range(4):
            value, slope = value_and_grad(loss)(x)
            run.add(3 * value, {"scaled": 2 * x}, {"scaled": 1.5 * slope})
            x = x - 0.1 * slope
    assert {name: each.evaluations for name, each in run.objectives.items()} == {"loss": 4, "objective": 4}


def test_an_evaluation_handed_over_inside_a_pass_is_recorded_with_plain_numbers():
    def loss(x):
        run.add(x**2, {"inner": x}, {"inner": 2 * x})
        return x**2

    with xi.record() as run:
        slope = grad(loss)(3.0)
    assert slope == 6.0
    assert run.objectives["objective"].parameters["inner"].tolist() == [3.0]
    assert run.objectives["loss"].gradients["x"].tolist() == [6.0]
