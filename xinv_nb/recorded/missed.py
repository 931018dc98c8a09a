"""What a recording could not take, as plain data: what a program did beside what was recorded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Missed:
    """What was seen to be missing from a recording; nothing, mostly.

    Examples
    --------
    >>> Missed(passes=12, threads=1).is_anything, Missed().is_anything
    (True, False)
    """

    whole: str = ""
    """A whole number, or an array of them, by which autograd was to differentiate and could not, as it is written."""
    written: str = ""
    """How it is written as a number that can be differentiated by."""
    parameter: str = ""
    """What the objective calls it."""
    line: int = 0
    """The line of the program that asked for that; 0 where it is not known."""
    file: str = ""
    operation: str = ""
    """What made a whole number of one that depends on the parameters, in that line, where autograd raised for it."""
    passes: int = 0
    """Derivatives that other threads took."""
    threads: int = 0
    """These threads."""
    solvers: int = 0
    """Other threads in which solvers were called."""
    processes: int = 0
    """Processes that were started."""

    @property
    def is_anything(self) -> bool:
        """Whether anything was missed."""
        return bool(self.whole or self.operation or self.passes or self.solvers or self.processes)
