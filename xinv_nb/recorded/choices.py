"""What a reader chose to be told of a run, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinv_nb.errors import XinvError

if TYPE_CHECKING:
    from typing_extensions import Self

MOST_SPANS = 32
"""Stretches chosen by the reader of which the facts are kept: the latest ones."""


class Choices:
    """What a reader chose: parameters, stretches, a fit, and what is not to be told."""

    def __init__(self) -> None:
        self._chosen_parameters: tuple[str, ...] = ()
        self._chosen_spans: tuple[tuple[int, int], ...] = ()
        self._chosen_fit: int | None = None
        self._muted: tuple[str, ...] = ()

    @property
    def evaluations(self) -> int:
        """Number of recorded evaluations."""
        raise NotImplementedError

    @property
    def chosen_parameters(self) -> tuple[str, ...]:
        """Names of the parameters that the user wants to see; all where there are none."""
        return self._chosen_parameters

    @property
    def chosen_spans(self) -> tuple[tuple[int, int], ...]:
        """Stretches of the run that a reader asked about, as first and last evaluation: see `choose_span`."""
        return self._chosen_spans

    @property
    def chosen_fit(self) -> int | None:
        """The number of the fit, from 0, that the reader wants to be told of; the best where None."""
        return self._chosen_fit

    @property
    def muted(self) -> tuple[str, ...]:
        """The kinds of findings that the user does not want to be told of."""
        return self._muted

    def choose_span(self, span: tuple[int, int]) -> None:
        """Have `facts` tell also of the stretch from evaluation `span[0]` to `span[1]`, both included.

        Raises
        ------
        XinvError
            The run has no such evaluations.

        Examples
        --------
        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> with xi.record() as run:
        ...     slopes = [grad(lambda x: x**2)(x) for x in (4.0, 3.0, 2.0)]
        >>> run.choose_span((0, 1))
        >>> run.facts[-1].text
        'x fell from 4 to 3; the gradient asked for this.'
        """
        first, last = self._checked(span)
        if (first, last) not in self._chosen_spans:
            self._chosen_spans = (*self._chosen_spans, (first, last))[-MOST_SPANS:]

    def with_span(self, span: tuple[int, int]) -> Self:
        """Return the same run with `facts` that tell also of a stretch; this one goes on telling what it tells.

        >>> import xinv_nb as xi
        >>> from autograd import grad
        >>> with xi.record() as run:
        ...     slopes = [grad(lambda x: x**2)(x) for x in (4.0, 3.0, 2.0)]
        >>> run.with_span((0, 1)).chosen_spans, run.chosen_spans
        (((0, 1),), ())
        """
        known = self._checked(span)
        if known in self._chosen_spans:
            return self
        run = object.__new__(type(self))  # no copy by way of its file
        run.__dict__.update(self.__dict__, memo={})
        run._chosen_spans = (*self._chosen_spans, known)
        return run

    def _checked(self, span: tuple[int, int]) -> tuple[int, int]:
        first, last = (int(end) for end in span)
        if not 0 <= first <= last < self.evaluations:
            raise XinvError(
                f"The run has no evaluations {first} to {last}; choose two between 0 and {self.evaluations - 1}, "
                "the first one first."
            )
        return first, last
