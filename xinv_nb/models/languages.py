"""In which languages a model may write: those whose sentences can be checked.

What a sentence claims can be read in English only. A sentence in another language could say anything, so that no model
is asked for one: the built-in text stands, and the reader is told.
"""

from __future__ import annotations

_ENGLISH = ("", "en", "english")
_LONGEST = 40


def not_there_yet(language: str | None) -> str:
    """Return what the reader is told of a language that captions are not written in, or "" for English.

    >>> not_there_yet("German"), not_there_yet("en-GB"), not_there_yet(None)
    ('German is not there yet: the text is in English', '', '')
    """
    named = " ".join((language or "").split())
    if named.lower().replace("_", "-").partition("-")[0] in _ENGLISH:
        return ""
    return f"{named[:_LONGEST]} is not there yet: the text is in English"
