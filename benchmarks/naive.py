"""The naive caption: a list of raw events and the request to explain them, sent with the bare `ollama` package.

This is what the paper does and what the pipeline is measured against. The events are told fairly: a few iterations
spread evenly over the run, each with its forward pass, its backward pass and the update, and the domain's own events,
with just enough digits to tell two numbers apart.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import numpy as np
import ollama

from xinv_nb.language.quantities import number, pair
from xinv_nb.models.server.ollama import CONTEXT, SEED
from xinv_nb.run import Run

LONGEST = 160
"""Tokens of a caption: the bare client has no other end for a model that repeats itself."""
_MOST_PARAMETERS = 3

QUESTION = "Explain in at most five sentences what happened in this run and why."


@dataclass(frozen=True)
class Answer:
    """What the bare client got, and how long it waited for the first word and for the end."""

    text: str
    first: float
    total: float
    ended: str


def event_list(run: Run, iterations: int = 5) -> list[str]:
    """Return some of a run's raw events in words: the loss, what moved most, its gradient, and the domain's events."""
    at = run.iterates
    at = np.unique(at[np.round(np.linspace(0, len(at) - 1, iterations)).astype(int)])
    entries = sorted(run.entries(), key=lambda entry: -np.ptp(np.nan_to_num(run.column(entry))))[:_MOST_PARAMETERS]
    told: list[str] = []
    for k in map(int, at):
        point = ", ".join(f"{entry.label} is {number(float(run.column(entry)[k]))}" for entry in entries)
        slope = ", ".join(
            f"with respect to {entry.label} is {number(float(run.column(entry, 'gradients')[k]))}" for entry in entries
        )
        told.append(f"iteration {k}, forward: {point}; the loss is {number(float(run.loss[k]))}")
        told += [
            f"iteration {k}, forward: {event.text}"
            for event in run.events
            if event.evaluation == k and event.phase == "forward" and event.name not in run.watches
        ][:2]
        told.append(f"iteration {k}, backward: the gradient of the loss {slope}")
        later = run.iterates[run.iterates > k]
        if len(later):
            moves = ((entry.label, *pair(*map(float, run.column(entry)[[k, later[0]]]))) for entry in entries)
            told.append(f"iteration {k}, update: " + ", ".join(f"{name} goes from {a} to {b}" for name, a, b in moves))
    return [f"[e{i + 1}] {text}" for i, text in enumerate(told)]


def ask(client: ollama.Client, model: str, run: Run, *, is_base: bool) -> tuple[Answer, str]:
    """Have a model explain the events; a base model continues a text. Returns the prompt as well."""
    events = "\n".join(event_list(run))
    prompt = (
        "These events were recorded while an optimizer searched for the parameters with the lowest loss.\n\n"
        f"{events}\n\n"
    )
    # A thread fewer than there are cores, as the pipeline asks for: on a busy machine all of them are far slower.
    threads = max(1, (os.cpu_count() or 2) - 1)
    options = {
        "temperature": 0.0,
        "seed": SEED,
        "num_ctx": CONTEXT,
        "num_predict": LONGEST,
        "num_thread": threads,
    }
    started = time.perf_counter()
    text, first, ended = "", 0.0, ""
    if is_base:
        prompt += "In plain words, what happened in this run and why:\n"
        parts = client.generate(model, prompt, raw=True, stream=True, options=options)
    else:
        prompt += QUESTION
        messages = [{"role": "user", "content": prompt}]
        parts = client.chat(model, messages, stream=True, options=options)
    for part in parts:
        piece = part.response if is_base else part.message.content
        if piece and not first:
            first = time.perf_counter() - started
        text += piece or ""
        ended = part.done_reason or ended
    if ended == "length" and text.count("."):
        text = text[: text.rindex(".") + 1]  # what was cut off in the middle is not held against the model
    return Answer(text.strip(), first, time.perf_counter() - started, ended), prompt
