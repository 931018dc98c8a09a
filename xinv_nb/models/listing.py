"""What the Ollama server offers, in lines for a reader: each model, its size, where it runs and what it may do here."""

from __future__ import annotations

import threading

from xinv_nb.models.captioning import Explaining
from xinv_nb.models.language_model import LanguageModel
from xinv_nb.models.server.models import SUGGESTED_MODEL, Model, known_size, size_in_words
from xinv_nb.models.server.ollama import OllamaServer, Status
from xinv_nb.models.trial import Manner, known_ability

_MAY: dict[Manner, str] = {
    "paragraphs": "words whole captions",
    "sentences": "words single sentences",
    "none": "too small to word captions without changing what they say",
}


def listing(explaining: Explaining) -> list[str]:
    """Return a line about the server, and one for each of its models, or how to get one.

    Contacts the server, for two seconds at most.
    """
    host = explaining.host
    server = OllamaServer(host, allow_remote=host is not None)
    status = server.status()
    button = []
    if status.reachable and status.default is None:
        what = f"{SUGGESTED_MODEL} ({known_size(SUGGESTED_MODEL)})"
        button = [f"Or let the view of a run get {what}: press “built-in text” in its head."]
    return [status.text, *button, *(_line(server, status, model) for model in status.models)]


def _line(server: OllamaServer, status: Status, model: Model) -> str:
    parts = [size_in_words(model.size)] if model.local else ["runs in a cloud: used only if you name it"]
    if model.local:
        found = known_ability(LanguageModel(server, model.name, status, None, threading.Event()))
        parts.append("not tried yet" if found is None else _MAY[found.manner])
    if status.default is not None and model.name == status.default.name:
        parts.append("the default")
    return f"{model.name}  ({', '.join(parts)})"
