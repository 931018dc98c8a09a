"""Numbers and names as a reader wants them: few digits, a unit beside them, pairs that can be told apart."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DIGITS = 6
_LARGEST_IN_FULL = 1e5
_SMALLEST_IN_FULL = 1e-3
_ANGLES = ("°", "′", "″")
"""Units that stand right at their number."""

_PER = re.compile(r"1/(?=[^\W\d_])")

_PLACES = frozenset({"closer", "nearer", "farther", "further", "under", "over", "center"})
"""Words in "er" that say where something goes."""

_SYMBOLS = re.compile(  # shorter names keep their letters anyway
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|omicron|sigma|upsilon|omega"
)


def number(value: float, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits, without trailing zeros, with a real minus sign.

    Below 100,000 whole digits are written in full; very large and very small magnitudes as `1.2×10⁻⁵`.

    >>> number(0.0123456), number(-2.0), number(2893.2), number(1234567.0), number(1.2e-5), number(float("nan"))
    ('0.0123', '−2', '2893', '1.23×10⁶', '1.2×10⁻⁵', 'not a number')
    """
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinity" if value > 0 else "−infinity"
    if value == 0:
        return "0"
    size = abs(float(f"{value:.{digits}g}"))
    in_full = size >= 10**digits and abs(value) < _LARGEST_IN_FULL - 0.5
    text = f"{value:.0f}" if in_full else f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return text.replace("-", "−")


def in_powers(value: float, digits: int = 3) -> str:
    """Return a number as `number` does, but below 0.001 with a power of ten.

    >>> in_powers(0.00047333), in_powers(0.02)
    ('4.73×10⁻⁴', '0.02')
    """
    if not 0 < abs(value) < _SMALLEST_IN_FULL:
        return number(value, digits)
    power = _power(float(f"{abs(value):.{digits}g}"))
    return f"{number(value / 10.0**power, digits)}×10{str(power).translate(_SUPERSCRIPTS)}"


def with_unit(text: str, unit: str) -> str:
    """Return a written number with its unit, such as `2.79 km`, `45°`, `1.79 per day`.

    >>> with_unit("2.79", "km"), with_unit("45", "°"), with_unit("1.79", "1/day"), with_unit("3", "")
    ('2.79 km', '45°', '1.79 per day', '3')
    """
    return f"{text}{unit}" if unit in _ANGLES else f"{text} {said_unit(unit)}".rstrip()


def said_unit(unit: str) -> str:
    """Return a unit as it stands behind a number: one over something is told as so much for each of it.

    >>> said_unit("1/day"), said_unit("km/h")
    ('per day', 'km/h')
    """
    return f"per {unit[2:]}" if _PER.match(unit) else unit


def quantity(value: float, unit: str = "", digits: int = 3) -> str:
    """Return a number with its unit, such as `2.79 km`.

    >>> quantity(2.794, "km"), quantity(0.41, "%")
    ('2.79 km', '0.41 %')
    """
    return with_unit(number(value, digits), unit if math.isfinite(value) else "")


def plus_minus(value: float, error: float, unit: str = "") -> str:
    """Return a number with its standard error, both to two digits of the error.

    >>> plus_minus(0.52344, 0.0312, "1/day"), plus_minus(12346.0, 678.0, "m"), plus_minus(1.2346e-7, 3.1e-9, "m²/s")
    ('0.523 ± 0.031 per day', '12350 ± 680 m', '(1.235 ± 0.031)×10⁻⁷ m²/s')
    """
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return quantity(value, unit)
    power = _power(max(abs(value), error))
    is_plain = _SMALLEST_IN_FULL <= max(abs(value), error) < _LARGEST_IN_FULL
    shift = 0 if is_plain else power
    decimals = 1 - _power(float(f"{error:.1e}")) + shift
    first, second = (round(number / 10.0**shift, decimals) + 0.0 for number in (value, error))
    text = f"{first:.{max(decimals, 0)}f} ± {second:.{max(decimals, 0)}f}".replace("-", "−")
    if not is_plain:
        text = f"({text})×10{str(shift).translate(_SUPERSCRIPTS)}"
    return with_unit(text, unit)


def _power(size: float) -> int:
    return math.floor(math.log10(size))


def pair(start: float, stop: float, unit: str = "") -> tuple[str, str]:
    """Return two numbers with just enough digits to tell them apart, the unit on the second.

    Two that agree in six digits are written alike.

    >>> pair(14.02, 14.01, "km"), pair(1.78, 2.794), pair(15.1, 15.09)
    (('14.02', '14.01 km'), ('1.78', '2.79'), ('15.10', '15.09'))
    """
    for digits in range(3, _MOST_DIGITS + 1):
        first, second = number(start, digits), number(stop, digits)
        if first != second or start == stop:
            break
    if digits > 3 and first != second:
        first, second = _aligned(start, stop, first, second)
    return first, with_unit(second, unit if math.isfinite(stop) else "")


def _aligned(start: float, stop: float, first: str, second: str) -> tuple[str, str]:
    """Write two numbers with the same number of decimals: those of the one that has more."""
    if "×" in first + second or not (first[-1] + second[-1]).isdecimal():
        return first, second
    decimals = max(len(text.partition(".")[2]) for text in (first, second))
    if decimals == 0:
        return first, second
    one, two = (f"{value:.{decimals}f}".replace("-", "−") for value in (start, stop))
    return one, two


def share(part: float) -> str:
    """Return a fraction as a percentage that never rounds to a lie: `0 %` and `100 %` only if they are exact.

    >>> share(0.41), share(0.9996), share(0.0002), share(1.0), share(1.004)
    ('41 %', 'more than 99 %', 'less than 1 %', '100 %', 'more than 100 %')
    """
    percent = 100 * part
    if 0 < percent < 1:
        return "less than 1 %"
    if 99 < percent < 100:
        return "more than 99 %"
    if 100 < percent < 101:
        return "more than 100 %"
    if -1 < percent < 0:
        return f"{number(percent, 1)} %"
    return f"{percent:.0f} %".replace("-", "−")


def sentence_start(name: str) -> str:
    """Return a name as a sentence begins with it: a plain word gets its capital, a name out of a program keeps its own.

    >>> sentence_start("travel time"), sentence_start("dd"), sentence_start("theta[0]"), sentence_start("pH")
    ('Travel time', 'dd', 'theta[0]', 'pH')
    """
    words = re.fullmatch(r"[^\W\d_]+(?:[ '’-][^\W_]+)*", name)
    plain = words is not None and name == name.lower() and not _SYMBOLS.fullmatch(name)
    if not plain or (len(name) < 4 and " " not in name):
        return name
    return name[0].upper() + name[1:]


def listed(parts: Sequence[str]) -> str:
    """Return parts of a sentence as a list.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def is_state(direction: str) -> bool:
    """Whether a direction of the domain is what something becomes, such as "thicker", and not where it goes.

    >>> [is_state(each) for each in ("thicker", "more rigid", "south", "left", "closer")]
    [True, True, False, False, False]
    """
    word = direction.lower()
    return word.startswith(("more ", "less ")) or (word.endswith("er") and word not in _PLACES)


def asked(name: str, cotangent: float, directions: tuple[str, str] | None = None, loss: str = "") -> str:
    """Return in words what a derivative of the loss asks of a quantity; `directions` say what less and more of it mean.

    >>> asked("the apex", -0.5), asked("bend", 2.0, ("south", "north"))
    ('a higher apex would lower the loss', 'moving bend south would lower the loss')
    >>> asked("the wall", -0.5, ("thinner", "thicker"))
    'a thicker wall would lower the loss'
    """
    loss = loss or "the loss"
    if math.isnan(cotangent):
        return f"the gradient of {name} is not a number here"
    if cotangent == 0:
        return f"{loss} does not change with {name} here"
    direction = (directions or ("lower", "higher"))[1 if cotangent < 0 else 0]
    if directions is not None and not is_state(direction):
        return f"moving {name} {direction} would lower {loss}"
    article, _, bare = name.partition(" ")
    bare = bare if article in ("the", "a", "an") and bare else name
    return f"a{'n' if direction[0].lower() in 'aeiou' else ''} {direction} {bare} would lower {loss}"
