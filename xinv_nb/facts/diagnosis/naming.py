"""What findings call an objective."""

from __future__ import annotations

from xinv_nb.language.slots import Named

_NAMELESS = ("", "objective", "loss")
"""What a function is called that has no name, or none that tells anything."""


def called(name: str, nameless: str = "the objective") -> Named:
    """Return what a reader calls an objective of that name.

    >>> called("elbo").label, called("objective").label
    ('elbo', 'the objective')
    """
    return Named(name, nameless, is_of_domain=True) if name in _NAMELESS else Named(name, name, is_of_domain=False)
