"""What goes wrong with a server, in plain words: one sentence says why, a second what to do next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from xinv_nb.errors import XinvError


class OllamaUnavailable(XinvError):  # noqa: N818  # a state of affairs, mostly nobody's error
    """The server gave no complete answer: one sentence says why, a second what to do next.

    `command` is a shell command that helps, or ""; `missing` is the model that the server has not, or "".
    """

    def __init__(self, why: str, then: str = "", command: str = "", missing: str = "") -> None:
        super().__init__(f"{why} {then}".strip())
        self.command = command
        self.missing = missing


def stopped() -> OllamaUnavailable:
    """Return what is raised where the reader stopped it."""
    return OllamaUnavailable("Stopped before the answer was complete.")


def faults() -> tuple[type[Exception], ...]:
    """All that a connection lets through when a server is absent, broken or no Ollama."""
    import httpx
    import ollama

    unreadable = (ValueError, TypeError, AttributeError, KeyError)
    return (OSError, httpx.HTTPError, httpx.InvalidURL, ollama.ResponseError, *unreadable)


@dataclass(frozen=True)
class Faults:
    """Words the faults of one server."""

    host: str
    is_local: bool

    def absent(self) -> OllamaUnavailable:
        """Say that nobody answers."""
        if self.is_local:
            return OllamaUnavailable(
                f"Ollama is not running at {self.host}.",
                "Start it with `ollama serve`.",
                "ollama serve",
            )
        return OllamaUnavailable(f"No server can be reached at {self.host}.", "Check the address and the network.")

    def plainly(self, error: BaseException, verdict: str, limit: float, model: str) -> OllamaUnavailable:
        """Say what an error means; `verdict` and `limit` are those of the `Connection`."""
        import httpx
        import ollama

        if verdict == "stopped":
            return stopped()
        if verdict == "silent" or isinstance(error, httpx.ReadTimeout):
            return OllamaUnavailable(
                f"The server at {self.host} sent nothing for {limit:.3g} seconds.",
                "Try again, or choose a smaller model." if model else "Try again.",
            )
        if isinstance(error, ollama.ResponseError):
            return self._from_status(error.status_code, error.error, model)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return self.absent()
        if isinstance(error, httpx.HTTPError | OSError):
            return OllamaUnavailable(
                f"The connection to {self.host} broke before the answer was complete.",
                "Try again.",
            )
        return self._not_ollama()

    def _from_status(self, status: int, body: str, model: str) -> OllamaUnavailable:
        said = " ".join(str(body).split())
        said = said if len(said) <= 200 else said[:200] + "…"
        if said.startswith("<") or 300 <= status < 400:
            return self._not_ollama()
        if status == 404:
            if not (model and said.startswith("model ")):
                return self._not_ollama()
            pull = f"ollama pull {shlex.quote(model)}"
            why = f"The server at {self.host} has no model {model}."
            return OllamaUnavailable(why, f"Get it with `{pull}`.", pull, missing=model)
        if status == 503:
            return OllamaUnavailable(f"The server at {self.host} has too many requests.", "Try again in a minute.")
        if "system memory" in said or "out of memory" in said:
            return OllamaUnavailable(
                f"{model or 'The model'} does not fit into the server's memory.",
                "Choose a smaller model.",
            )
        what = "broke off" if status == -1 else f"refused the request (status {status})"
        because = f": {said.rstrip('.')}." if said else "."
        return OllamaUnavailable(f"The server at {self.host} {what}{because}", "Try again.")

    def _not_ollama(self) -> OllamaUnavailable:
        return OllamaUnavailable(
            f"What answers at {self.host} does not answer as Ollama does.",
            "Check the address and the port.",
        )
