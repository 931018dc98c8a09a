"""The documentation as a site: it is built without a warning, its programs run, and its lists are what the code has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.example_runs import projectile
from xinv_nb.options import parser
from xinv_nb.words.queries.kinds.definition import glossary

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SHOWN_ELSEWHERE = {"diagnosis.md", "facts.md", "reasons.md", "replay.md"}
"""Pages whose programs test_documentation runs, with what they print."""


def programs(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.S)


@pytest.mark.parametrize(
    "page",
    [page for page in sorted(DOCS.glob("*.md")) if programs(page) and page.name not in SHOWN_ELSEWHERE],
    ids=lambda page: page.name,
)
def test_the_programs_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch, capsys):
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell.instance()
    try:
        shell.user_ns["run"] = projectile()  # where a page speaks of a run that the reader has
        for program in programs(page):
            cell = program.replace("%%xinv throw", "%%xinv throw --no-model --quiet")
            assert shell.run_cell(cell).success, cell
        shell.run_line_magic("unload_ext", "xinv_nb")
    finally:
        InteractiveShell.clear_instance()


def options_table() -> str:
    rows = ["| option | what |", "|---|---|"]
    for action in parser()._actions:
        if action.option_strings:
            value = action.metavar or (" or ".join(action.choices) if action.choices else "")
            rows.append(f"| `{f'{action.option_strings[-1]} {value}'.strip()}` | {action.help} |")
    return "\n".join(rows)


def words_table() -> str:
    rows = [f"| {words.replace('|', ', ')} | {meaning} |" for words, meaning in glossary().items()]
    return "\n".join(["| word | meaning |", "|---|---|", *sorted(rows, key=str.casefold)])


@pytest.mark.parametrize(
    ("page", "begin", "table"), [("magic.md", "options", options_table), ("glossary.md", "words", words_table)]
)
def test_a_list_is_what_the_code_has(page: str, begin: str, table: Callable[[], str]):
    text = (DOCS / page).read_text("utf-8")
    shown = re.search(rf"<!-- {begin}: .*? -->\n\n(.*?)\n\n<!-- end of {begin} -->", text, re.S)
    assert shown is not None
    if os.environ.get("XINV_UPDATE_DOCS"):
        (DOCS / page).write_text(text[: shown.start(1)] + table() + text[shown.end(1) :], "utf-8")
    else:
        assert shown[1] == table(), "XINV_UPDATE_DOCS=1 brings it up to date"


def test_the_site_is_built_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    environment = os.environ | {"XINV_NB_DOCS_RUN": "off", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    front = (tmp_path / "index.html").read_text("utf-8")
    for page in DOCS.glob("*.md"):  # each is reached from the first
        assert f'href="{page.stem}.html"' in front or page.stem == "index"
