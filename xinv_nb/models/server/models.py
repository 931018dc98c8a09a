"""The models of a server: what it tells of them, which of them may be asked, and which is asked where none is named."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinv_nb.models.server.faults import OllamaUnavailable

if TYPE_CHECKING:
    from xinv_nb.models.server.connection import Connection

LARGEST_DEFAULT = 8_000_000_000
"""A model of more bytes than this is never the default where a smaller one will do."""

SUGGESTED_MODEL = "llama3.2"
SUGGESTED_SIZE = 2_019_393_189
"""Bytes of it: a server tells the size of a model only once it downloads it."""


@dataclass(frozen=True)
class Model:
    """A model as the server lists it."""

    name: str
    digest: str
    size: int
    """Bytes on the server's disk."""
    local: bool
    """Whether it runs on the server itself, and not in a cloud behind it."""


def listed(connection: Connection) -> list[Model]:
    """Return the models of a server: those that run on it first, then by name."""
    found = []
    for entry in connection.ask("/api/tags")["models"] or ():
        name = str(entry.get("name") or entry["model"])
        found.append(
            Model(
                name=name,
                digest=str(entry.get("digest", "")),
                size=int(entry.get("size") or 0),
                local=not is_cloud(name, entry),
            )
        )
    return sorted(found, key=lambda model: (not model.local, model.name))


def best(connection: Connection, models: Sequence[Model]) -> Model | None:
    """Return the best model for captions without asking anybody, or None.

    It runs on the server itself and was made to answer (it has a chat template). Among those it is the largest of at
    most 8 GB, because larger ones are too slow on most computers; if all are larger, it is the smallest.
    """
    import ollama

    def preference(model: Model) -> tuple[bool, int]:
        too_large = model.size > LARGEST_DEFAULT
        return too_large, model.size if too_large else -model.size

    for model in sorted((m for m in models if m.local), key=preference):
        # One broken model on the server's disk must not hide the others.
        with contextlib.suppress(ollama.ResponseError):
            shown = connection.ask("/api/show", {"model": model.name})
            if not is_cloud(model.name, shown) and not objection(model.name, shown):
                return model
    return None


def objection(
    model: str, shown: Mapping[str, Any], allow_cloud: Collection[str] = frozenset()
) -> OllamaUnavailable | None:
    """Return why a model may not or can not be asked, or None; `shown` is what the server tells of it."""
    if is_cloud(model, shown) and full_name(model) not in allow_cloud:
        return OllamaUnavailable(
            f"{model} runs in a cloud, and what happened in this run would be sent there.",
            "Choose a local model, or name this one as allowed.",
        )
    # Servers before 0.6.4 do not tell capabilities.
    if "completion" not in (shown.get("capabilities") or ["completion"]):
        return OllamaUnavailable(f"{model} does not write text.", "Choose a chat model.")
    # A prompt and nothing around it: the model continues a text, it answers no question. Newer
    # models have a renderer, which is part of the server, in place of the template.
    template = "".join(str(shown.get("template", "")).split())
    if template in ("", "{{.Prompt}}") and not shown.get("renderer"):
        return OllamaUnavailable(
            f"{model} is a base model without a chat template and cannot answer.",
            "Choose a chat model.",
        )
    return None


def full_name(model: str) -> str:
    """Return the name with its tag.

    >>> full_name("llama3.2"), full_name("localhost:5000/me/mine:1b")
    ('llama3.2:latest', 'localhost:5000/me/mine:1b')
    """
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def is_suggested(model: str) -> bool:
    """Whether this is the suggested model, by any of its names."""
    return full_name(model) in (f"{SUGGESTED_MODEL}:latest", f"{SUGGESTED_MODEL}:3b")


def known_size(model: str) -> str:
    """Return about how much there is to download, or "" where that is not known before it begins.

    >>> known_size("llama3.2"), known_size("other:1b")
    ('about 2 GB', '')
    """
    return f"about {SUGGESTED_SIZE / 1e9:.0f} GB" if is_suggested(model) else ""


def is_cloud(model: str, described: Mapping[str, Any]) -> bool:
    """Whether a model runs elsewhere: its name can say so, or what the server tells of it."""
    tag = full_name(model).rpartition(":")[2].lower()
    named = tag == "cloud" or tag.endswith("-cloud")
    return named or bool(described.get("remote_host") or described.get("remote_model"))


def size_in_words(size: int) -> str:
    """Return bytes as a reader knows them.

    >>> size_in_words(2_019_393_189), size_in_words(98_000_000)
    ('2.0 GB', '98 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
