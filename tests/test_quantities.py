"""Numbers as a reader sees them: short, apart from each other, and never rounded to a lie."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinv_nb.claims.numerals import numbers_in
from xinv_nb.language.quantities import asked, number, pair, quantity, sentence_start, share

TABLE = json.loads((Path(__file__).parent / "numbers.json").read_text(encoding="utf-8"))
"""Numbers and how they are written, which the front end's tests read as well."""

finite = st.floats(-1e300, 1e300, allow_subnormal=False)


@given(finite)
def test_a_number_is_within_half_a_digit_of_its_value(value: float) -> None:
    (read,) = numbers_in(number(value))
    assert math.isclose(read, value, rel_tol=5.001e-3)


@given(finite)
def test_a_number_is_short(value: float) -> None:
    assert len(number(value)) <= 12
    assert "e" not in number(value)
    assert "-" not in number(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (1.0, "1"), (2893.2, "2893"), (12345.6, "12346"), (99999.6, "1×10⁵"), (999.6, "1000"),
        (1e15, "1×10¹⁵"), (1.3e-15, "1.3×10⁻¹⁵"), (-4.2, "−4.2"), (0.1 + 0.2, "0.3"), (1e-4, "0.0001"),
        (math.inf, "infinity"), (-math.inf, "−infinity"), (math.nan, "not a number"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_write_them(value: float, text: str) -> None:
    assert number(value) == text


@given(finite, finite)
def test_a_pair_tells_its_numbers_apart_or_they_agree_in_six_digits(start: float, stop: float) -> None:
    first, second = pair(start, stop)
    if first == second:
        assert math.isclose(start, stop, rel_tol=2e-6, abs_tol=0)
    else:
        assert (numbers_in(first)[0] < numbers_in(second)[0]) == (start < stop)


def test_a_pair_has_no_more_digits_than_it_needs() -> None:
    assert pair(1.78, 2.794) == ("1.78", "2.79")
    assert pair(15.1, 15.09, "km") == ("15.10", "15.09 km")
    assert pair(2893.1, 2893.4) == ("2893.1", "2893.4")
    assert pair(1.0, 1.0000000001) == ("1", "1")


@given(st.floats(0, 50))
def test_a_share_is_exact_at_its_ends(part: float) -> None:
    text = share(part)
    assert text.endswith(" %")
    assert (text == "0 %") == (part == 0)
    assert (text == "100 %") == (100 * part == 100)
    if text[0].isdigit():
        assert abs(numbers_in(text)[0] - 100 * part) <= 0.5


def test_units_stand_beside_their_numbers() -> None:
    assert (quantity(45.0, "°"), quantity(20.0, "°C"), quantity(3.0)) == ("45°", "20 °C", "3")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("travel time", "Travel time"), ("range", "Range"), ("the first point", "The first point"), ("age", "age"),
        ("dd", "dd"), ("x", "x"), ("theta", "theta"), ("theta[0]", "theta[0]"), ("w_1", "w_1"), ("pH", "pH"),
        ("d2", "d2"), ("η", "η"), ("温度", "温度"), ("<b>k</b>", "<b>k</b>"), ("öltank", "Öltank"),
        ("wind.x", "wind.x"),
    ],
)  # fmt: skip
def test_plain_words_get_a_capital_and_names_of_programs_do_not(name: str, text: str) -> None:
    assert sentence_start(name) == text


def test_what_the_gradient_asks_is_grammatical() -> None:
    assert asked("the second point", -1.0) == "a higher second point would lower the loss"
    assert asked("x", 1.0) == "a lower x would lower the loss"
    assert asked("bend", -1.0, ("south", "north")) == "moving bend north would lower the loss"
    assert asked("x", 0.0) == "the loss does not change with x here"
    assert asked("x", math.nan) == "the gradient of x is not a number here"


def test_a_pair_is_aligned_by_its_digits_not_by_zeros() -> None:
    assert pair(-0.99976, -1.00114) == ("−0.9998", "−1.0011")


@pytest.mark.parametrize(("value", "digits", "text"), TABLE["numbers"])
def test_a_number_is_written_as_in_the_view(value: float | str, digits: int, text: str) -> None:
    assert number(float(value), digits) == text


@pytest.mark.parametrize(("value", "unit", "text"), TABLE["quantities"])
def test_a_number_with_its_unit_is_written_as_in_the_view(value: float | str, unit: str, text: str) -> None:
    assert quantity(float(value), unit) == text


@pytest.mark.parametrize(("start", "stop", "unit", "first", "second"), TABLE["pairs"])
def test_two_numbers_are_written_as_in_the_view(
    start: float | str, stop: float | str, unit: str, first: str, second: str
) -> None:
    assert pair(float(start), float(stop), unit) == (first, second)
