"""autograd as a backend of recordings: what `protocol` asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xinv_nb.recording.backends.autograd import boxes, hearing, hook
from xinv_nb.recording.backends.protocol import Backend, Derivatives


class AutogradBackend:
    """Observes autograd's passes, and hears NumPy warn inside them."""

    library = "autograd"

    def is_ready(self) -> bool:
        """Whether autograd was imported far enough to be observed."""
        return hook.is_ready()

    def install(self) -> None:
        """Begin to observe; raises `UnsupportedAutogradError` where autograd keeps its passes elsewhere."""
        hook.install()
        hearing.hear()

    def uninstall(self) -> None:
        """Leave autograd, and the filters of Python's warnings, as they were."""
        hook.uninstall()
        hearing.stop_hearing()

    def renew_lock(self) -> None:
        """Take a new lock in a forked process."""
        hearing.renew_lock()

    def plain_value(self, value: Any) -> Any:
        """Return the number or array inside autograd's boxes."""
        return boxes.plain_value(value)

    def derivatives(self, function: Callable[[Any], Any]) -> Derivatives:
        """Return the derivatives of a function from one row of numbers to one number."""
        from xinv_nb.recording.backends.autograd.derivatives import AutogradDerivatives  # imports autograd

        return AutogradDerivatives(function)

    def optimizers(self) -> Mapping[str, Callable[..., Any]]:
        """Return the optimizers that come with autograd, by the names that a recording has for them."""
        from xinv_nb.recording.backends.autograd.derivatives import optimizers  # imports autograd

        return optimizers()


BACKEND: Backend = AutogradBackend()
