"""The errors that a caller of xinv_nb can meet; each message says what was wrong and what to do."""

from __future__ import annotations


class XinvError(Exception):
    """Base class of every error that xinv_nb raises on purpose.

    Nothing that goes wrong while recording, drawing or captioning is raised into the user's cell: it becomes a notice
    of the run. Errors are for calls that cannot do what was asked, such as an unknown option.
    """
