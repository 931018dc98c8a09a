"""Numbers as a reader wants them: four significant digits at most, a unit beside them, pairs that can be told apart."""

from __future__ import annotations

import math

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DIGITS = 4


def number(value: float, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits, without trailing zeros, with a real minus sign.

    Very large and very small magnitudes are written as `1.2×10⁻⁵`; whole numbers below a million in full.

    >>> number(0.0123456), number(-2.0), number(1234567.0), number(1.2e-5), number(float("nan"))
    ('0.0123', '−2', '1.23×10⁶', '1.2×10⁻⁵', 'not a number')
    """
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinity" if value > 0 else "−infinity"
    if value == int(value) and abs(value) < 1e4:
        text = str(int(value))
    else:
        text = f"{value:.{digits}g}"
        if "e" not in text and abs(value) >= 10**digits:
            text = f"{value:.0f}" if abs(value) < 1e6 else f"{value:.{digits - 1}e}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return text.replace("-", "−")


def quantity(value: float, unit: str = "", digits: int = 3) -> str:
    """Return a number with its unit, such as `2.79 km`.

    >>> quantity(2.794, "km"), quantity(0.41, "%")
    ('2.79 km', '0.41 %')
    """
    return f"{number(value, digits)} {unit}".rstrip()


def pair(start: float, stop: float, unit: str = "") -> tuple[str, str]:
    """Return two numbers with just enough digits to tell them apart, the unit on the second.

    >>> pair(14.02, 14.01, "km"), pair(1.78, 2.794)
    (('14.02', '14.01 km'), ('1.78', '2.79'))
    """
    first, second = number(start), number(stop)
    if first == second and start != stop:
        first, second = number(start, _MOST_DIGITS), number(stop, _MOST_DIGITS)
    return first, f"{second} {unit}".rstrip()


def share(part: float) -> str:
    """Return a fraction as a percentage that never rounds to a lie: neither `0 %` nor `100 %` unless it is exact.

    >>> share(0.41), share(0.9996), share(0.0002), share(1.0)
    ('41 %', 'more than 99 %', 'less than 1 %', '100 %')
    """
    percent = 100 * part
    if 0 < percent < 1:
        return "less than 1 %"
    if 99 < percent < 100:
        return "more than 99 %"
    return f"{percent:.0f} %".replace("-", "−")


def asked(name: str, cotangent: float, directions: tuple[str, str] | None = None) -> str:
    """Return in words what a derivative of the loss asks of a quantity; `directions` say what less and more of it mean.

    >>> asked("apex", -0.5), asked("bend", 2.0, ("south", "north"))
    ('a higher apex would lower the loss', 'moving bend south would lower the loss')
    """
    if math.isnan(cotangent):
        return f"the gradient of {name} is not a number here"
    if cotangent == 0:
        return f"the loss does not change with {name} here"
    if directions is not None:
        return f"moving {name} {directions[1 if cotangent < 0 else 0]} would lower the loss"
    return f"a {'higher' if cotangent < 0 else 'lower'} {name} would lower the loss"
