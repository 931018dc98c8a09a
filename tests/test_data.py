"""Groups of data that an objective marks, and the Jacobians of residuals: what is kept, and that it harms none."""

from __future__ import annotations

import autograd.numpy as np
import numpy
import pytest
from autograd import grad, hessian
from scipy.optimize import minimize

import xinv_nb as xi
from tests.test_storage import npy, rewritten, with_header
from xinv_nb.recorded import history, jacobians
from xinv_nb.recorded.file.reading import RunFileError

TIMES = numpy.arange(4.0)
DAYS = ["Mon", "Tue", "Wed", "Thu"]


def objective(marked):
    """A fit to two groups of data, which it marks or not."""

    def misfit(p):
        serum, urine = p[0] * np.exp(-p[1] * TIMES) - 2.0, p[0] * TIMES[:2] - 1.0
        if marked:
            serum = xi.data(serum, "serum", sigma=0.5, labels=DAYS)
            with xi.stage("kidney"):
                urine = xi.data(urine, "urine", sigma=numpy.array([0.1, 0.2]))
        return np.sum((serum / 0.5) ** 2) + np.sum((urine / numpy.array([0.1, 0.2])) ** 2)

    return misfit


def test_groups_are_kept_with_what_is_told_of_them():
    with xi.record() as run:
        for p in ([1.0, 0.5], [2.0, 0.3]):
            grad(objective(True))(numpy.array(p))
    assert list(run.data) == ["serum", "urine"]
    serum, urine = run.data["serum"], run.data["urine"]
    assert serum.residuals == pytest.approx(numpy.array([numpy.exp(-0.5 * TIMES) - 2, 2 * numpy.exp(-0.3 * TIMES) - 2]))
    assert serum.labels == tuple(DAYS)
    assert urine.labels == ()
    assert serum.sigma.tolist() == [0.5] * 4
    assert urine.sigma.tolist() == [0.1, 0.2]
    assert not run.notices


def test_marking_data_changes_no_bit_of_values_and_derivatives_of_any_order():
    p = numpy.array([1.3, 0.4])
    plain = [grad(objective(False))(p), hessian(objective(False))(p)]
    with xi.record():
        marked = [grad(objective(True))(p), hessian(objective(True))(p)]
    for one, other in zip(plain, marked, strict=True):
        assert one.tobytes() == other.tobytes()
    assert grad(objective(True))(p).tobytes() == plain[0].tobytes()
    r = [1.0, 2.0]
    assert xi.data(r, "list") is r


def test_calls_under_one_name_in_one_pass_are_one_group():
    def misfit(k):
        return sum(xi.data(k * t - 1.0, "subjects", labels=[f"subject {i}"]) ** 2 for i, t in enumerate(TIMES))

    with xi.record() as run:
        grad(misfit)(2.0)
    assert run.data["subjects"].residuals.tolist() == [(2 * TIMES - 1).tolist()]
    assert run.data["subjects"].labels == ("subject 0", "subject 1", "subject 2", "subject 3")


def test_data_marked_before_run_add_belong_to_that_evaluation_and_a_look_before_does_not():
    with xi.record("outer") as outer, xi.record() as run:
        xi.data([9.0, 9.0], "serum")  # a look at the start
        for k in (1.0, 2.0, 3.0):
            r = xi.data(k * numpy.ones(2), "serum")
            run.add(r @ r, k, residuals=r)
        run.add(0.5, 0.5, residuals=numpy.array([0.5, 0.5]))
    for recorded in (run, outer):
        assert recorded.data["serum"].residuals[:3].tolist() == [[1, 1], [2, 2], [3, 3]]
        assert numpy.isnan(recorded.data["serum"].residuals[3]).all()


def test_a_group_that_comes_later_or_changes_its_size_leaves_gaps_and_says_so():
    with xi.record() as run:
        run.add(1.0, 1.0)
        for k in (2, 2, 3):
            xi.data(numpy.ones(k), "late")
            run.add(1.0, 1.0)
    assert numpy.isnan(run.data["late"].residuals).all(axis=1).tolist() == [True, False, False, True]
    assert run.notices == [notice for notice in run.notices if "'late'" in notice]
    assert len(run.notices) == 1


def test_a_sigma_that_does_not_stay_the_same_is_not_known():
    with xi.record() as run:
        for sigma in (1.0, 1.0, 2.0, 1.0):
            xi.data([1.0, 2.0], "estimated", sigma=sigma)
            xi.data([1.0, 2.0], "broken", sigma=-1.0)
            run.add(1.0, 1.0)
    assert run.data["estimated"].sigma is None
    assert run.data["broken"].sigma is None


@pytest.mark.parametrize("recording", [False, True], ids=["outside", "recording"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], 3), "must be text"),
        (([1.0], ""), "must be text"),
        (([1.0, 2.0], "a", [1.0, 2.0, 3.0]), "2 residuals and 3 numbers"),
        (([1.0, 2.0], "a", "wide"), "must be a number"),
        ((numpy.ones(2), "a", None, ["x"]), "2 residuals and 1 labels"),
        ((numpy.ones(2), "a", None, "xy"), "must be a list"),
    ],
)
def test_what_does_not_fit_raises_at_the_call(recording, arguments, message):
    def call():
        with pytest.raises(xi.XinvError, match=message):
            xi.data(*arguments)

    if recording:
        with xi.record():
            call()
    else:
        call()


def test_residuals_that_are_no_real_numbers_become_a_notice():
    with xi.record() as run:
        assert xi.data("text", "words") == "text"
        xi.data(numpy.ones(2) * 1j, "waves")
        run.add(1.0, 1.0)
    assert not run.data
    assert len(run.notices) == 2


def test_data_are_thinned_with_the_parameters_and_the_best_stays(monkeypatch):
    monkeypatch.setattr(history, "BUDGET", 400_000)
    with xi.record() as run:
        for k in range(500):
            xi.data(numpy.full(1000, float(k)), "pixels")
            run.add(abs(k - 77.0), float(k))
    assert len(run.data["pixels"].residuals) == len(run.kept) < 60
    assert run.data["pixels"].residuals[:, 0].tolist() == run.kept.tolist()
    assert 77 in run.kept


# ---------------------------------------------------------------------- Jacobians


def line(run, steps=6, **more):
    """A straight line fitted by Gauss and Newton, a part of the way at each step."""
    jacobian = numpy.column_stack([numpy.ones(5), numpy.arange(5.0)])
    data, x = numpy.array([1.0, 2.9, 5.2, 7.1, 8.8]), numpy.zeros(2)
    for _ in range(steps):
        r = jacobian @ x - data
        run.add(r @ r, x, residuals=r, jacobian=jacobian, **more)
        x = x - 0.9 * numpy.linalg.lstsq(jacobian, r, rcond=None)[0]
    return jacobian


def test_jacobians_are_kept_also_in_the_file(tmp_path):
    with xi.record() as run:
        jacobian = line(run)
        xi.data(numpy.ones(2), "more", sigma=2.0, labels=["a", "b"])
        run.add(1.0, numpy.zeros(2), residuals=numpy.ones(5))
    again = xi.load(run.save(tmp_path / "run.npz"))
    for each in (run, again):
        assert each.history.jacobians.evaluations == [0, 1, 2, 3, 4, 5]
        assert each.history.jacobians.at(3).tolist() == jacobian.tolist()
        assert each.history.jacobians.at(6) is None
    assert again.data["more"].residuals.tobytes() == run.data["more"].residuals.tobytes()
    assert again.data["more"].sigma.tolist() == [2.0, 2.0]
    assert again.data["more"].labels == ("a", "b")


def test_a_jacobian_may_come_later_and_one_of_another_shape_is_turned_down():
    with xi.record() as run:
        for x in (1.0, 2.0):
            run.add(x, [x, x], residuals=[x, x, x])
        assert run.history.keep_jacobian(0, numpy.ones((3, 2)))
        assert not run.history.keep_jacobian(1, numpy.ones((2, 3)))
        assert not run.history.keep_jacobian(1, numpy.ones((3, 2)) * 1j)
        assert not run.history.keep_jacobian(1, object())
    assert run.history.jacobians.evaluations == [0]


def test_jacobians_stay_within_their_budget_the_best_and_the_latest_among_them(monkeypatch):
    monkeypatch.setattr(jacobians, "BUDGET", 8 * 10 * 10)
    with xi.record() as run:
        for k in range(100):
            run.add(abs(k - 33.0), [1.0], residuals=numpy.ones(10), jacobian=numpy.full((10, 1), float(k)))
    kept = run.history.jacobians
    assert len(kept) <= 10
    assert {33, 99} <= set(kept.evaluations)
    assert kept.at(33)[0, 0] == 33
    with xi.record() as large:
        large.add(1.0, [1.0], residuals=numpy.ones(90), jacobian=numpy.ones((90, 1)))
    assert not len(large.history.jacobians)


def test_a_jacobian_of_sampled_parameters_is_not_kept():
    with xi.record() as run:
        run.add(1.0, numpy.zeros(5000), residuals=[1.0, 1.0], jacobian=numpy.ones((2, 5000)))
    assert not len(run.history.jacobians)


@pytest.fixture
def saved(tmp_path):
    with xi.record() as run:
        for _ in range(2):
            xi.data(numpy.ones(2), "serum", sigma=2.0, labels=["a", "b"])
            run.add(1.0, [1.0], residuals=[1.0, 1.0], jacobian=[[1.0], [2.0]])
    return run.save(tmp_path / "run.npz")


@pytest.mark.parametrize(
    "members",
    [
        {"jacobians": npy(numpy.ones((1, 2, 1)))},
        {"jacobians": npy(numpy.ones((2, 3, 1)))},
        {"jacobians": npy(numpy.ones((2, 2, 1), dtype=int))},
        {"jacobian_evaluation": npy(numpy.array([1, 0]))},
        {"jacobian_evaluation": npy(numpy.array([0, 2]))},
        {"data0_residuals": npy(numpy.ones((3, 2)))},
        {"data0_residuals": npy(numpy.ones((2, 3)))},
        {"data0_sigma": npy(numpy.ones(3))},
        {"data0_sigma": npy(-numpy.ones(2))},
    ],
    ids=str,
)
def test_a_file_that_claims_what_does_not_fit_is_damaged(members, saved):
    with pytest.raises(RunFileError):
        xi.load(rewritten(saved, **members))


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["data"][0].update(labels=["a"]),
        lambda header: header["data"][0].update(labels="ab"),
        lambda header: header["data"][0].update(name=3),
        lambda header: header.update(data={}),
        lambda header: header["data"].append(header["data"][0]),
    ],
)
def test_a_header_that_claims_what_does_not_fit_is_damaged(change, saved):
    with pytest.raises(RunFileError):
        xi.load(with_header(saved, change))


def test_a_solver_of_scipy_may_look_at_marked_data():
    with xi.record() as run:
        minimize(objective(True), [1.0, 1.0], jac=grad(objective(True)), method="BFGS", options={"maxiter": 3})
    assert len(run.data["serum"].residuals) == run.evaluations
