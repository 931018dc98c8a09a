"""The widget of several runs on shared axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xinv_nb.errors import XinvError
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.view.compare import comparison, comparison_story, title_of, what_differs
from xinv_nb.view.fits import fit_runs
from xinv_nb.view.host import keeps_outputs
from xinv_nb.view.page import page_of
from xinv_nb.view.record import comparison_bundle
from xinv_nb.view.story import as_text
from xinv_nb.view.widget import PlotWidget

_LEAST = 2


class Comparison(PlotWidget):
    """Overlays runs, or the fits of one, as they stand when it is made. Made by `xinv_nb.compare`."""

    def __init__(self, runs: Sequence[RecordedRun]) -> None:
        if all(isinstance(run, RecordedRun) for run in runs):
            runs = fit_runs(runs[0]) if len(runs) == 1 else runs
        else:
            runs = ()
        if len(runs) < _LEAST:
            raise XinvError(
                "compare needs two or more runs, such as xi.compare(first, second), or one run of several fits"
            )
        self.runs = tuple(runs)
        super().__init__()
        self._has_kernel = False  # nothing is asked of it

    def __repr__(self) -> str:
        """Return what an untrusted or printed notebook shows in the widget's place."""
        return "\n".join([f"{title_of(self.runs)}:", *self.statements])

    def _ipython_display_(self) -> None:
        """Show the runs laid over each other, and leave the record of it in the notebook."""
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        display(bundle[0] if isinstance(bundle, tuple) else bundle, raw=True)  # type: ignore[no-untyped-call]
        if keeps_outputs():
            display(comparison_bundle(self.runs), raw=True)  # type: ignore[no-untyped-call]

    @property
    def statements(self) -> list[str]:
        """The differences in words, computed from the recordings."""
        return [fact.text for fact in what_differs(self.runs)]

    def snapshot(self) -> bytes:
        """Return everything there is to show, as one packet."""
        return comparison(self.runs)

    def to_html(self, path: str | Path) -> Path:
        """Write one self-contained interactive page, without network or kernel; returns its path.

        Examples
        --------
        >>> import tempfile
        >>> import xinv_nb as xi
        >>> with xi.record("one") as one, xi.record("other") as other:
        ...     pass
        >>> xi.compare(one, other).to_html(Path(tempfile.mkdtemp()) / "both.html").name
        'both.html'
        """
        story = comparison_story(self.runs)
        Path(path).write_text(page_of(story.title, as_text(story), self.snapshot()), encoding="utf-8")
        return Path(path)
