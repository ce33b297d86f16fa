"""A digest of the code and settings that determine what a command prints.

Comments, docstrings and layout do not count, for they change no number: what is hashed is the
syntax tree.  The files are those that a script imports, here and in kavg, step by step; of kavg
only ``NUMBERS`` count.  A marker's ``of PATH ...`` names other files in their place.
"""

from __future__ import annotations

import ast
import configparser
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NUMBERS = (
    "__init__", "base", "problem", "trajectory", "schedules", "starts",
    "engine", "oracles", "objectives", "outer", "analysis",
    "optimizers", "aggregations", "periods", "methods", "measures", "elementary",
)  # fmt: skip
"""Modules and packages of kavg that make numbers; the others read, write and show them."""
TABLES = {"run": "run_summary", "check": "verdicts", "bounds": "bounds"}
"""The module of kavg.reports that makes the tables of a command."""
LENGTH = 12


def digest_of_code(program: str, code: str, of: str) -> str:
    """The digest for a command, a Python program of a page, or the paths of ``of``."""
    parts = sorted(content(path) for path in files_of(program, code, of))
    text = "\n".join([program, canonical(code), *parts])
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def digest_of_text(text: str | bytes) -> str:
    """The digest of what was printed."""
    raw = text.encode() if isinstance(text, str) else text
    return hashlib.sha256(raw).hexdigest()[:LENGTH]


def files_of(program: str, code: str, of: str) -> set[Path]:
    """The files that matter: those of ``of``, else what the command names and they import."""
    if of:
        return {file for name in of.split() for file in files_at(ROOT / name)}
    words = program.split()
    files = {ROOT / word for word in words if re.search(r"\.(py|toml)$", word)}
    files |= {path for word in words if (path := module(word, ROOT))}
    if "kavg" in words:
        files.add(ROOT / "kavg" / "__init__.py")
        files |= {ROOT / "kavg" / "reports" / f"{TABLES.get(word)}.py" for word in words}
    return with_imports({file for file in files if file.exists()}, code)


def files_at(path: Path) -> list[Path]:
    """A file, or the Python and settings files below a folder."""
    if path.is_dir():
        return [file for suffix in ("py", "toml") for file in path.rglob(f"*.{suffix}")]
    return [path]


def with_imports(files: set[Path], code: str) -> set[Path]:
    """Those files and what they, and a program of a page, import step by step."""
    found: set[Path] = set()
    waiting = list(files | set(imports(ast.parse(code), ROOT)))
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            if file.suffix == ".py":
                waiting += imports(ast.parse(file.read_text(encoding="utf-8")), file.parent)
    return found


def imports(tree: ast.AST, home: Path) -> Iterator[Path]:
    """Files of this repository that a program in the folder ``home`` imports itself."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            path = module(name, home)
            if path and is_counted(path):
                yield path


def module(name: str, home: Path) -> Path | None:
    """The file of a module, looked up beside its importer, in the root and in tests."""
    for folder in (home, ROOT, ROOT / "tests"):
        place = folder.joinpath(*name.split("."))
        for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if name and path.is_file():
                return path
    return None


def is_counted(path: Path) -> bool:
    """True outside kavg, and for what makes numbers in it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] != "kavg" or parts[1] in NUMBERS


def content(path: Path) -> str:
    """A file without what changes no number; of setup.cfg what kavg and its tests require."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return canonical(text)
    if path.suffix == ".toml":
        return json.dumps(tomllib.loads(text), sort_keys=True, default=str)
    if path.suffix == ".cfg":
        parser = configparser.ConfigParser()
        parser.read_string(text)
        return json.dumps([dict(parser["options"]), parser["options.extras_require"]["test"]])
    return text


def canonical(code: str) -> str:
    """A Python program as its syntax tree, the same in every version of Python."""
    return repr(plain(ast.parse(code)))


def plain(node: object) -> object:
    """A node as nested tuples, without docstrings and fields that are empty, as new ones are."""
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        if isinstance(node, ast.JoinedStr):  # Python 3.12 puts empty texts between its parts
            fields = [("values", [each for each in node.values if not is_empty(each)])]
        return type(node).__name__, *((name, plain(value)) for name, value in fields)
    if isinstance(node, list):
        return tuple(plain(each) for each in node if not is_docstring(each))
    return node


def is_empty(node: ast.expr) -> bool:
    """True for the constant ""."""
    return isinstance(node, ast.Constant) and node.value == ""


def is_docstring(node: object) -> bool:
    """True for a statement that is a string and nothing else."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
