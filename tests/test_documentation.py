"""The documentation shows what the code beside it gives. XINV_UPDATE_DOCS=1 brings it up to date."""

from __future__ import annotations

import json
import os
import re
import sys
import types
import warnings
from pathlib import Path

import numpy
import pytest
from IPython.core.interactiveshell import InteractiveShell

import xinv_nb as xi
from xinv_nb.facts.diagnosis.finding import PART
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.diagnosis.kinds import all_finding_kinds
from xinv_nb.facts.kind import Question
from xinv_nb.facts.kinds import all_kinds
from xinv_nb.language.bank import bank_of
from xinv_nb.recording.backends import registry
from xinv_nb.view.questions import questions

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "facts.md"
DIAGNOSIS = ROOT / "docs" / "diagnosis.md"
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST = 14
"""Facts shown of each run."""

EXAMPLE = re.compile(
    r"(?:```python\n(?P<code>.*?)```|<!-- run: (?P<notebook>\S+) -->)\s+```text\n(?P<facts>.*?)```", re.S
)

FINDINGS = re.compile(r"<!-- findings: .*? -->\n\n(.*?)\n\n<!-- end of findings -->", re.S)
TABLE = re.compile(r"<!-- kinds: .*? -->\n\n(.*?)\n\n<!-- end of kinds -->", re.S)


def run_of(example: re.Match[str]) -> xi.Run:
    names: dict[str, object] = {}
    if example["code"]:
        exec(example["code"], names)
        run = names["run"]
        assert isinstance(run, xi.Run)
        return run
    notebook = json.loads((ROOT / "demo_notebooks" / example["notebook"]).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"]).replace("%load_ext xinv_nb", "")
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


@pytest.mark.parametrize("name", ["reasons.md", "replay.md"])
def test_a_page_with_a_program_prints_what_it_shows(capsys, name):
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    exec(re.findall(r"```python\n(.*?)```", page, re.S)[0], {})
    (shown,) = re.findall(r"```text\n(.*?)```", page, re.S)
    assert capsys.readouterr().out == shown


def table() -> str:
    """The kinds of facts as they are declared, under the questions that they answer."""
    rows = ["| question | kind | method |", "|---|---|---|"]
    for question in Question:
        kinds = [kind for kind in all_kinds() if kind.question is question]
        begins = (question.value, *[""] * len(kinds))
        rows += [f"| {begin} | {kind.name} | {kind.method} |" for begin, kind in zip(begins, kinds, strict=False)]
    return "\n".join(rows)


def test_the_table_of_kinds_is_what_the_kinds_declare():
    page = PAGE.read_text(encoding="utf-8")
    (shown,) = TABLE.finditer(page)
    if os.environ.get("XINV_UPDATE_DOCS"):
        PAGE.write_text(page[: shown.start(1)] + table() + page[shown.end(1) :], encoding="utf-8")
    else:
        assert shown[1] == table(), "XINV_UPDATE_DOCS=1 brings it up to date"


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.name)
def test_a_kind_tells_its_method_in_one_cell_of_the_table(kind):
    assert kind.method
    assert not set("|\n") & set(kind.method + kind.name)


def findings_table() -> str:
    """The kinds of findings as they are declared, the gravest first, each with the advice of its part of the bank."""
    rows = ["| kind | severity | what it means | evidence | what to do | example |", "|---|---|---|---|---|---|"]
    for kind in sorted(all_finding_kinds(), key=lambda kind: (kind.severity != "warning", kind.rank)):
        cells = (f"`{kind.name}`", kind.severity, kind.means, kind.seen_by, advice_of(kind), kind.example)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def advice_of(kind: FindingKind) -> str:
    """What to do about a kind, with the names of its slots where a finding has what they stand for."""
    own = {form: sentence for (part, form), sentence in bank_of().own.items() if part == PART.format(kind.name)}
    said = own.get("advice") or next(sentence for form, sentence in own.items() if form.endswith(", advice"))
    counted = re.sub(r"\{(\w+):\w*\|(\w+)\}", r"{\1} \2", re.sub(r"[\[\]]", "", said))
    return re.sub(r"\{(\w+)\}", lambda slot: f"*{slot[1].lower().replace('_', ' ')}*", counted)


def test_the_table_of_findings_is_what_the_kinds_declare():
    page = DIAGNOSIS.read_text(encoding="utf-8")
    (shown,) = FINDINGS.finditer(page)
    if os.environ.get("XINV_UPDATE_DOCS"):
        DIAGNOSIS.write_text(page[: shown.start(1)] + findings_table() + page[shown.end(1) :], encoding="utf-8")
    else:
        assert shown[1] == findings_table(), "XINV_UPDATE_DOCS=1 brings it up to date"


@pytest.mark.parametrize("kind", all_finding_kinds(), ids=lambda kind: kind.name)
def test_a_kind_of_finding_is_told_in_one_row_of_the_table(kind):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.name), "a stable id in small letters and hyphens"
    for cell in (kind.means, kind.seen_by, kind.example, advice_of(kind)):
        assert cell
        assert not set("|\n{}") & set(cell)


def test_the_page_of_findings_shows_what_its_code_gives(capsys):
    page = DIAGNOSIS.read_text(encoding="utf-8")
    (example,) = EXAMPLE.finditer(page)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(example["code"], "well.py", "exec"), {})
    now = capsys.readouterr().out
    if os.environ.get("XINV_UPDATE_DOCS"):
        DIAGNOSIS.write_text(page[: example.start("facts")] + now + page[example.end("facts") :], encoding="utf-8")
    else:
        assert example["facts"] == now


def test_the_view_groups_facts_as_the_page_does_and_forgets_no_kind():
    told: dict[str, list[str]] = {}
    for question, kind in re.findall(r"^\| ([^|]*?) ?\| ([a-z ]+) \|", TABLE.findall(PAGE.read_text("utf-8"))[0], re.M)[
        1:
    ]:
        told.setdefault(question or list(told)[-1], []).append(kind)
    assert dict(questions()) == told


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "js" / "README.md"]), ids=lambda path: path.name
)
def test_what_a_page_names_is_there(page):
    """Files and folders that a page names, from the root or from beside it; `<…>` stands for a name."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:xinv_nb|js|tests|docs|benchmarks|demo_notebooks|\.\.|\.ci)/[\w./-]*)`", text)
    named += [link for link in re.findall(r"\]\(([^)#\s]+)\)", text) if "://" not in link]
    assert not [name for name in named if not ((ROOT / name).exists() or (page.parent / name).exists())]


def test_what_the_readme_imports_is_installed_by_its_first_command():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    installed = re.findall(r"^(?:dependencies|demo) = (\[.*?^\]|\[.*?\]$)", project, re.M | re.S)
    packages = {"xinv_nb", *re.findall(r'"([a-z]+)', " ".join(installed))}
    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.S))
    imported = set(re.findall(r"^(?:from|import) (\w+)", code, re.M))
    assert {"autograd", "scipy"} <= imported <= packages


def test_the_readmes_evaluations_by_hand_are_recorded():
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.S) if "run.add(" in block)
    exec(code, names := {})
    run = names["run"]
    assert run.evaluations == 20
    assert numpy.allclose(run.loss, (run.watches["reach"].values - 20) ** 2)
    assert float(run.parameters["speed"][-1]) == pytest.approx((20 * 9.81) ** 0.5, rel=1e-3)
    assert any(fact.text.startswith("Speed rose") or fact.text.startswith("speed rose") for fact in run.facts)


def test_the_smallest_backend_records(monkeypatch):
    """The library is made up, as the page says: it is there to be observed."""

    def own(function):
        return lambda x: (function(x), 2 * x)[1]

    monkeypatch.setitem(sys.modules, "slopes", slopes := types.ModuleType("slopes"))
    monkeypatch.setattr(slopes, "gradient_of", own, raising=False)
    monkeypatch.setitem(sys.modules, "backend_of_slopes", module := types.ModuleType("backend_of_slopes"))
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?BACKEND = .*?)```", page.split("## A backend")[1], re.S)
    exec(code, vars(module))
    monkeypatch.setitem(registry._BACKENDS, "slopes", "backend_of_slopes")

    def cost(bend):
        xi.event("it bends by {size:.1f}", size=bend[0])
        return float(numpy.sum(bend**2))

    with xi.record() as run:
        x = numpy.array([3.0, 1.0])
        for _ in range(20):
            x -= 0.2 * slopes.gradient_of(cost)(x)
    assert slopes.gradient_of is own
    assert run.loss.tolist() == [float(numpy.sum(point**2)) for point in run.parameters["bend"]]
    assert run.parameters["bend"][0].tolist() == [3.0, 1.0]
    assert (run.gradients["bend"] == 2 * run.parameters["bend"]).all()
    assert [event.text for event in run.events if event.kind == "happening"][:2] == [
        "it bends by 3.0",
        "it bends by 1.8",
    ]
    assert not run.notices
    assert run.captions[0].text.startswith("The loss fell from 10 to ")


def test_the_fit_of_the_readme_is_told_as_it_says():
    section = README.partition("## Any fit by SciPy, as it stands")[2]
    prepared, cell = re.findall(r"```python\n(.*?)```", section, re.S)[:2]
    shell = InteractiveShell.instance()
    try:
        shell.run_line_magic("load_ext", "xinv_nb")
        shell.run_cell(prepared)
        first, rest = cell.split("\n", 1)
        shell.run_cell(f"{first} --no-model --quiet\n{rest}")
        shell.run_line_magic("unload_ext", "xinv_nb")
    finally:
        InteractiveShell.clear_instance()
    run = shell.user_ns["decay"]
    (told,) = re.findall(r"^> (.*)$", section, re.M)
    assert run.captions[0].text.startswith(told)
    _, covariance = shell.user_ns["curve_fit"](
        shell.user_ns["activity"], shell.user_ns["hours"], shell.user_ns["counts"], p0=[50, 0.1]
    )
    assert list(run.uncertainty.errors.values()) == pytest.approx(numpy.sqrt(numpy.diag(covariance)), rel=1e-4)


def test_every_promise_names_a_test_that_exists() -> None:
    root = Path(__file__).parent.parent
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", (root / "docs" / "faults.md").read_text(encoding="utf-8"))
    assert named
    assert [each for each in named if f"def {each[1]}(" not in (root / each[0]).read_text(encoding="utf-8")] == []
