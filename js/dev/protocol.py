"""Makes `protocol.ts`, its part of the reasons, and `messages.ts` in `js/src/` from the types in `xinv_nb/view/`.

Run it after a change. A class becomes an interface, with the texts of its fields as comments; the classes whose names
begin with an underscore hold those of its fields that are always there.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NAMES = ("protocol", "reasons_protocol", "messages")

_MODULES = [f"xinv_nb.view.{name}" for name in NAMES]
_WIDTH = 110
_HEADER = """\
// What crosses the wire, field by field. Made by dev/protocol.py from the Python files of the same names in
// xinv_nb/view/: what is to change changes there. Decoding is in wire.ts, what the messages do in link.ts and store.ts.
"""
_PLAIN = {"str": "string", "int": "number", "float": "number", "bool": "boolean"}


@dataclass(frozen=True)
class _Field:
    name: str
    type: str
    text: str
    optional: bool


def typescript(source: str) -> str:
    """Return the TypeScript that says the same as the Python types in a text."""
    body = ast.parse(source).body
    fields: dict[str, list[_Field]] = {}
    parts = [_HEADER]
    for node, text in _with_texts(body):
        if isinstance(node, ast.ImportFrom) and node.module in _MODULES:
            names = ", ".join(sorted((alias.name for alias in node.names), key=str.lower))
            parts.append(f'import type {{ {names} }} from "./{node.module.rsplit(".", 1)[1]}";\n')
        if isinstance(node, ast.ClassDef):
            inherited = [field for base in node.bases for field in fields.get(ast.unparse(base), [])]
            fields[node.name] = inherited + _fields(node)
            if not node.name.startswith("_"):
                parts.append(_interface(node, fields[node.name]))
        elif isinstance(node, ast.Assign):
            parts.append(_comment(text, "") + _alias(ast.unparse(node.targets[0]), node.value))
    return "\n".join(parts)


def _with_texts(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each statement with the text that stands below it."""
    for node, following in zip(body, [*body[1:], None], strict=True):
        yield node, _text(following)


def _text(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""


def _fields(node: ast.ClassDef) -> list[_Field]:
    optional = any(ast.unparse(keyword) == "total=False" for keyword in node.keywords)
    return [
        _Field(ast.unparse(each.target), _type(each.annotation), text, optional)
        for each, text in _with_texts(node.body)
        if isinstance(each, ast.AnnAssign)
    ]


def _interface(node: ast.ClassDef, fields: list[_Field]) -> str:
    lines = "".join(
        f"{_comment(field.text, '  ')}  {field.name}{'?' if field.optional else ''}: {field.type};\n"
        for field in fields
    )
    return f"{_comment(ast.get_docstring(node) or '', '')}export interface {node.name} {{\n{lines}}}\n"


def _alias(name: str, value: ast.expr) -> str:
    line = f"export type {name} = {_type(value)};\n"
    if len(line) <= _WIDTH:
        return line
    return "\n  | ".join([f"export type {name} =", *_type(value).split(" | ")]) + ";\n"


def _comment(text: str, indent: str) -> str:
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH - len(indent) - 7)
    return f"{indent}/** {f'{chr(10)}{indent} *  '.join(lines)} */\n" if lines else ""


def _type(node: ast.expr) -> str:
    """Return a type's name in TypeScript."""
    if isinstance(node, ast.BinOp):
        return f"{_type(node.left)} | {_type(node.right)}"
    if isinstance(node, ast.Constant) and node.value is None:
        return "null"
    if isinstance(node, ast.Name):
        return _PLAIN.get(node.id, node.id)
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _generic(ast.unparse(node.value), inner)
    raise ValueError(f"no type of the wire: {ast.unparse(node)}")


def _generic(name: str, inner: list[ast.expr]) -> str:
    if name == "Literal":
        return " | ".join(ast.unparse(each).replace("'", '"') for each in inner)
    types = [_type(each) for each in inner]
    if name == "Sequence":
        is_union = isinstance(inner[0], ast.BinOp) or (
            " | " in types[0] and ast.unparse(inner[0]).startswith("Literal")
        )
        return f"({types[0]})[]" if is_union else f"{types[0]}[]"
    if name == "Mapping":
        return f"Record<{', '.join(types)}>"
    if name == "tuple":
        return f"readonly [{', '.join(types)}]"
    raise ValueError(f"no type of the wire: {name}")


def made() -> dict[Path, str]:
    """Return what the files of the front end are to say."""
    source = ROOT / "xinv_nb" / "view"
    target = ROOT / "js" / "src"
    return {target / f"{name}.ts": typescript((source / f"{name}.py").read_text(encoding="utf-8")) for name in NAMES}


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")
