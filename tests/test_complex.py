"""Complex parameters: told by their real and imaginary parts, which both move."""

import autograd.numpy as np
import numpy
import pytest
from autograd import grad
from numpy.testing import assert_allclose, assert_array_equal

import xinv_nb as xi

AIM = numpy.array([2.0 + 1.0j, -3.0j])


def distance(z):
    return np.sum(np.abs(z - AIM) ** 2)


@pytest.fixture
def descent():
    z = numpy.zeros(2, dtype=complex)
    with xi.record("phasor") as run:
        for _ in range(20):
            z = z - 0.1 * numpy.conj(grad(distance)(z))
    return run


def test_real_and_imaginary_part_are_followed(descent):
    entries = {entry.name: entry for entry in descent.entries()}
    assert list(entries) == ["Re z[0]", "Im z[0]", "Re z[1]", "Im z[1]"]
    z = descent.parameters["z"]
    assert_array_equal(descent.column(entries["Im z[1]"]), z[:, 1].imag)
    # The slope along the imaginary axis, by a difference.
    before, after = z[3].copy(), z[3].copy()
    before[1] -= 1e-6j
    after[1] += 1e-6j
    slope = (distance(after) - distance(before)) / 2e-6
    assert_allclose(descent.column(entries["Im z[1]"], "gradients")[3], slope, rtol=1e-6)


def test_what_moves_along_the_imaginary_axis_is_told(descent):
    told = [fact.text for fact in descent.facts]
    assert "Im z[1] fell from 0 to −2.96; the gradient asked for this at every iteration." in told
    assert "Re z[0] rose from 0 to 1.97; the gradient asked for this at every iteration." in told
    assert not any("nothing in this run shows" in text or "does not depend" in text for text in told)
    credit = next(fact for fact in descent.facts if fact.kind == "credit")
    assert credit.text.startswith("Along the path, moving Im z[1] accounts for 64 %")


def test_claims_of_the_parts_are_judged(descent):
    right, wrong = descent.check("Im z[1] fell from 0 to -2.96.")[0], descent.check("Im z[1] rose.")[0]
    assert (right.supported, wrong.supported) == (True, False)


def test_the_table_the_file_and_the_figure_hold_both_parts(descent, tmp_path):
    frame = descent.to_frame()
    assert_array_equal(frame["Im z[1]"], descent.parameters["z"][:, 1].imag)
    assert_array_equal(frame["∂loss/∂Im z[1]"], -descent.gradients["z"][:, 1].imag)
    descent.save(tmp_path / "run.xinv")
    again = xi.load(tmp_path / "run.xinv")
    assert again.entries() == descent.entries()
    assert again.facts == descent.facts
    descent.plot()


def test_a_real_parameter_beside_a_complex_one_has_one_part_and_a_name_of_the_problem_both():
    def loss(p):
        return np.abs(p["z"] - AIM[0]) ** 2 + (p["gain"] - 2.0) ** 2

    point = {"z": 0j, "gain": 1.0}
    problem = xi.Problem("Phasor", parameters={"z": xi.Parameter("phasor", "V", truth=2.0)})
    with xi.record(problem=problem) as run:
        for _ in range(8):
            slopes = grad(loss)(point)
            point = {name: value - 0.1 * numpy.conj(slopes[name]) for name, value in point.items()}
            point["gain"] = float(numpy.real(point["gain"]))
    assert [entry.label for entry in run.entries()] == ["Re phasor", "Im phasor", "gain"]
    assert [entry.parameter.truth for entry in run.entries()] == [2.0, 0.0, None]
    assert any("gain rose" in fact.text for fact in run.facts)
