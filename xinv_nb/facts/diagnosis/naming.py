"""What findings call an objective."""

from __future__ import annotations

from xinv_nb.facts.measures.objective import told_of_loss
from xinv_nb.language.slots import Named
from xinv_nb.recorded.run import RecordedRun

_NAMELESS = ("", "objective", "loss")
"""What a function is called that has no name, or none that tells anything."""


def called_in(run: RecordedRun, nameless: str = "the objective") -> Named:
    """Return what a reader calls the objective that a run shows: as the user told, or as in the program.

    >>> called_in(RecordedRun()).label
    'the objective'
    """
    told = told_of_loss(run)
    return called(run.history.objective, nameless) if told is None else Named(told.name, told.name)


def called(name: str, nameless: str = "the objective") -> Named:
    """Return what a reader calls an objective of that name.

    >>> called("elbo").label, called("objective").label
    ('elbo', 'the objective')
    """
    return Named(name, nameless, is_of_domain=True) if name in _NAMELESS else Named(name, name, is_of_domain=False)
