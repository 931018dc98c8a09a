"""What the program has written where an operation of an observing tape stands: the expression, from its source."""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
import re
import textwrap
from types import CodeType
from typing import Any

from xinv_nb.recording.backends.autograd.observing import step_at

_MOST_LINES = 12
_LONGEST_NAME = 60
_BEGINNING = 40


def expression_at(node: Any) -> ast.expr | None:
    """Return the expression whose value a node is; of `a += b` it is `a + b`. None where the source is not there."""
    step = step_at(node)
    return None if step.code is None else _expression(step.code, step.instruction)


def is_reassigned(node: Any, name: str) -> bool:
    """Whether the expression of a node is assigned to a variable that stands in it, as in `loss = loss + size`."""
    step = step_at(node)
    if step.code is None or step.place is None:
        return False
    line = linecache.getline(step.place.file, step.place.line)
    return re.match(rf"\s*{re.escape(name)}\s*[-+]?=(?!=)", line) is not None


@functools.lru_cache(maxsize=1024)
def _expression(code: CodeType, instruction: int) -> ast.expr | None:
    text = _text(code, instruction)
    for source in (f"({text}\n)", text, f"{text} pass", f"def f():\n {text}"):
        try:
            (statement,) = ast.parse(source).body
        except (SyntaxError, ValueError):
            continue
        if isinstance(statement, ast.FunctionDef):
            statement = statement.body[-1]
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            return ast.BinOp(ast.Name(statement.target.id, ast.Load()), statement.op, statement.value)
        return getattr(statement, "value", None)
    return None


def _text(code: CodeType, instruction: int) -> str:
    """Return the text of the expression an instruction belongs to, before Python 3.11 that of the line."""
    if not hasattr(code, "co_positions"):
        lines = (line for start, end, line in code.co_lines() if start <= instruction < end)
        return linecache.getline(code.co_filename, next(lines, None) or code.co_firstlineno).strip()
    first, last, start, end = next(itertools.islice(code.co_positions(), instruction // 2, None))
    if first is None or last is None or start is None or end is None or last - first >= _MOST_LINES:
        return ""
    text = [linecache.getline(code.co_filename, line).encode() for line in range(first, last + 1)]
    text[-1] = text[-1][:end]
    text[0] = text[0][start:]
    return textwrap.dedent(b"".join(text).decode(errors="replace"))


class _Unwatched(ast.NodeTransformer):
    """Leaves out that something is watched."""

    def visit_Call(self, call: ast.Call) -> ast.AST:
        self.generic_visit(call)
        return call.args[0] if _is_watch(call) else call


def _is_watch(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not node.args:
        return False
    called = node.func
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) == "watch"


def unwatched(expression: ast.expr) -> ast.expr:
    """Return an expression without the calls of `watch` in it; itself where there are none.

    >>> ast.unparse(unwatched(ast.parse("2 * xi.watch(x, 'size')", mode="eval").body))
    '2 * x'
    """
    if not any(map(_is_watch, ast.walk(expression))):
        return expression
    found: ast.expr = _Unwatched().visit(ast.parse(ast.unparse(expression), mode="eval").body)
    return found


def called(expression: ast.expr) -> str:
    """Return what a reader calls the value of an expression: a variable by its name, else as it is written, in short.

    >>> called(ast.parse("data_misfit", mode="eval").body), called(ast.parse("2*x", mode="eval").body)
    ('data misfit', '2 * x')
    >>> called(ast.parse("sum(w * x[k] for k in range(3))", mode="eval").body)
    'sum(w * x[k] for k in range(3))'
    """
    text = expression.id.replace("_", " ") if isinstance(expression, ast.Name) else ast.unparse(expression)
    for each in ast.walk(expression):
        if isinstance(each, ast.GeneratorExp):  # of which `unparse` doubles the brackets of a call
            text = text.replace(f"({ast.unparse(each)})", ast.unparse(each))
    return text if len(text) <= _LONGEST_NAME else f"{text[:_BEGINNING].rstrip()}…"
