"""The documentation shows what the code beside it gives. XINV_UPDATE_DOCS=1 brings it up to date."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import xinv_nb as xi
from xinv_nb.view.questions import questions

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "facts.md"
MOST = 14
"""Facts shown of each run."""

EXAMPLE = re.compile(
    r"(?:```python\n(?P<code>.*?)```|<!-- run: (?P<notebook>\S+) -->)\s+```text\n(?P<facts>.*?)```", re.S
)


def run_of(example: re.Match[str]) -> xi.Run:
    names: dict[str, object] = {}
    if example["code"]:
        exec(example["code"], names)
        run = names["run"]
        assert isinstance(run, xi.Run)
        return run
    notebook = json.loads((ROOT / "demo_notebooks" / example["notebook"]).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"]).replace("150_000", "2_000").replace("%load_ext xinv_nb", "")
        if cell["cell_type"] != "code":
            continue
        if not source.startswith("%%xinv"):
            exec(source, names)
            continue
        line, source = source.split("\n", 1)
        problem = names[re.findall(r"--problem (\w+)", line)[0]]
        with xi.record(line.split()[1], problem=problem) as run:
            exec(source, names)
        return run
    raise AssertionError(f"no cell of {example['notebook']} is recorded")


def listed(run: xi.Run) -> str:
    facts = [f"{fact.id:<4} {fact.kind:<16} {fact.text}" for fact in run.facts[:MOST]]
    return "\n".join([*facts, f"… and {len(run.facts) - MOST} more"] if len(run.facts) > MOST else facts) + "\n"


def without_numbers(text: str) -> str:
    """What is said; the last digit of a number may differ from machine to machine."""
    return re.sub(r"[−-]?\d[\d.,×⁰¹²³⁴⁵⁶⁷⁸⁹⁻]*", "#", text)


def test_the_page_of_facts_shows_what_its_code_gives():
    page = PAGE.read_text(encoding="utf-8")
    examples = list(EXAMPLE.finditer(page))
    assert len(examples) == 3
    for example in reversed(examples):
        now = listed(run_of(example))
        if os.environ.get("XINV_UPDATE_DOCS"):
            page = page[: example.start("facts")] + now + page[example.end("facts") :]
            PAGE.write_text(page, encoding="utf-8")
        else:
            assert without_numbers(example["facts"]) == without_numbers(now)


def test_the_view_groups_facts_as_the_page_does_and_forgets_no_kind():
    rows = re.findall(r"^\| ([^|]+\?) \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {question: kinds.split(", ") for question, kinds in rows}
    assert dict(questions()) == told | {"What sets these runs apart?": ["difference"]}
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "xinv_nb" / "analysis").glob("*.py"))
    assert set(re.findall(r'Fact\(\s*"", *"([a-z ]+)"', sources)) <= {kind for kinds in told.values() for kind in kinds}
