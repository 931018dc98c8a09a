"""Numbers as they stand in a text: their value, how exactly they are written, and what is said around them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

DIGITS = r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?"
_SIGNS = "−–—‒‐‑-"
NUMBER = re.compile(rf"[{_SIGNS}]?{DIGITS}(?:\s?[×x]\s?10(?:\^-?[0-9]+|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|[eE][+-]?[0-9]+)?")
_PLAIN_DIGITS = str.maketrans(f"⁻⁰¹²³⁴⁵⁶⁷⁸⁹{_SIGNS}", f"-0123456789{'-' * len(_SIGNS)}")
_ROUGHLY = 0.05
_ROUNDED = 0.1
_LOOSE_HALF = 1.0001


@dataclass(frozen=True)
class Number:
    """A number of a text with its unit (`"%"` for a percentage) and what limits it."""

    value: float
    half: float = 0.0
    """Half a unit of the last digit that is written: what rounding may have changed."""
    unit: str = ""
    limit: str = ""
    """`"more"`, `"less"`, or an empty string."""
    about: bool = False

    def fits(self, true: float) -> bool:
        """Whether `true` may be written as this number.

        >>> Number(0.41, 0.005).fits(0.4132), Number(0.41, 0.005).fits(0.4161), Number(80, 0.5, about=True).fits(79.1)
        (True, False, True)
        """
        if math.isnan(true) or math.isinf(true):
            return False
        if self.limit == "more":
            return true > self.value
        if self.limit == "less":
            return true < self.value
        if self.value == 0 and not self.about:
            return true == 0  # what is only rounded to 0 is not 0
        room = self.half * _LOOSE_HALF
        if self.about:
            room = max(room, _ROUGHLY * max(abs(self.value), abs(true)))
        return abs(true - self.value) <= room + 1e-12 * abs(true)

    def is_near(self, true: float) -> bool:
        """Whether rounding has taken away no more than may be left out: 1 is not said of 1.3, nor 2 of 2.3.

        >>> Number(1.0, 0.5).fits(1.3), Number(1.0, 0.5).is_near(1.3), Number(5.0, 0.5).is_near(4.56)
        (True, False, True)
        """
        return bool(self.limit) or self.unit == "%" or abs(self.value - true) <= _ROUNDED * abs(true)


def value_of(match: re.Match[str], text: str) -> float:
    """Return the value of a matched number; a hyphen right behind a letter or digit is no sign: "iterations 3-7"."""
    return float(_plain(match, text))


def half_of(match: re.Match[str], text: str) -> float:
    """Return half a unit of the last digit of a matched number."""
    mantissa, _, exponent = _plain(match, text).lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    try:
        return 0.5 * 10.0 ** (int(exponent or 0) - decimals)
    except OverflowError:
        return math.inf


def _plain(match: re.Match[str], text: str) -> str:
    plain = re.sub(r"\s?[×x]\s?10\^?(?=[-⁻⁰¹²³⁴⁵⁶⁷⁸⁹0-9])", "e", match.group()).translate(_PLAIN_DIGITS)
    if plain.startswith("-") and match.start() > 0 and text[match.start() - 1].isalnum():
        plain = plain[1:]
    return plain.replace(",", "")


def numbers_in(text: str) -> list[float]:
    """Return the numbers of a text in their order.

    >>> numbers_in("from 1.2×10⁻³ to −4 km, 41 %")
    [0.0012, -4.0, 41.0]
    """
    return [value_of(match, text) for match in NUMBER.finditer(text)]
