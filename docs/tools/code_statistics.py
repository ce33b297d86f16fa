"""Print what the code is like: lines, functions, folders, doubled names, comments, docstrings.

``python docs/tools/code_statistics.py`` prints the table; ``--twice``, ``--questions`` and
``--one-line`` list what it counts.  ``tests/test_layering.py`` holds the limits.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "kavg"
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


class Code:
    """All modules of a folder, parsed once."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.paths = sorted(root.rglob("*.py"))
        self.texts = {path: path.read_text(encoding="utf-8") for path in self.paths}
        self.trees = {path: ast.parse(text) for path, text in self.texts.items()}

    def name(self, path: Path) -> str:
        """``engine/means.py``."""
        return path.relative_to(self.root).as_posix()

    def definitions(self) -> Iterator[tuple[Path, Definition]]:
        """Every function, method and class, with its file."""
        for path, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, Definition):
                    yield path, node

    def functions(self) -> list[Function]:
        """Every function and method."""
        return [node for _, node in self.definitions() if isinstance(node, Function)]

    def files_by_folder(self) -> Counter[str]:
        """Python files directly in each folder."""
        return Counter(self.name(path.parent) for path in self.paths)

    def defined_twice(self) -> dict[str, list[str]]:
        """Names of functions and classes at the top of two or more modules, with the modules."""
        found: dict[str, list[str]] = defaultdict(list)
        for path, tree in self.trees.items():
            for node in tree.body:
                if isinstance(node, Definition):
                    found[node.name].append(self.name(path))
        return {name: places for name, places in sorted(found.items()) if len(places) > 1}

    def docstrings(self) -> list[tuple[str, str]]:
        """Place and text of each docstring of a public function, method or class."""
        return [
            (f"{self.name(path)}:{node.lineno} {node.name}", text)
            for path, node in self.definitions()
            if not node.name.startswith("_") and (text := ast.get_docstring(node))
        ]

    def one_line_docstrings(self) -> list[tuple[str, str]]:
        """Those of a single line."""
        return [(place, text) for place, text in self.docstrings() if "\n" not in text]

    def questions(self) -> list[tuple[str, str]]:
        """Docstrings whose first line is a question, private ones and modules' included."""
        nodes = [(path, node) for path, tree in self.trees.items() for node in ast.walk(tree)]
        return [
            (f"{self.name(path)}:{getattr(node, 'lineno', 1)}", text.split("\n")[0])
            for path, node in nodes
            if isinstance(node, (ast.Module, *Definition.__args__))
            and (text := ast.get_docstring(node))
            and text.split("\n")[0].rstrip("\"'`").endswith("?")
        ]

    def comment_lines(self) -> int:
        """Lines that hold a comment."""
        return sum(
            token.type == tokenize.COMMENT
            for text in self.texts.values()
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
        )

    def lines(self) -> int:
        """Lines of all modules."""
        return sum(text.count("\n") for text in self.texts.values())


def body_length(function: Function) -> int:
    """Lines from the first statement behind the docstring to the end."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def table(code: Code) -> list[tuple[str, str]]:
    """What is printed: a name and a number a row."""
    files = [text.count("\n") for text in code.texts.values()]
    bodies = sorted(body_length(function) for function in code.functions())
    folder, most = code.files_by_folder().most_common(1)[0]
    one_line = len(code.one_line_docstrings()) / len(code.docstrings())
    parameters = [len(f.args.args + f.args.kwonlyargs) for f in code.functions()]
    return [
        ("files", f"{len(files)}"),
        ("lines", f"{code.lines()}"),
        ("lines of a file: median, largest", f"{statistics.median(files):g}, {max(files)}"),
        ("files in the fullest folder", f"{most} ({folder})"),
        ("functions", f"{len(bodies)}"),
        (
            "lines of a body: median, 90th percentile, largest",
            f"{statistics.median(bodies):g}, {bodies[int(0.9 * len(bodies))]}, {bodies[-1]}",
        ),
        ("functions with more than six parameters", f"{sum(n > 6 for n in parameters)}"),
        ("names defined in two or more modules", f"{len(code.defined_twice())}"),
        ("comment lines", f"{100 * code.comment_lines() / code.lines():.1f} %"),
        ("public docstrings of a single line", f"{100 * one_line:.0f} %"),
        ("docstrings that are questions", f"{len(code.questions())}"),
    ]


def main(words: list[str]) -> None:
    """Print the table, or one of the lists."""
    code = Code()
    if "--twice" in words:
        for name, places in code.defined_twice().items():
            print(name, *places)
    elif "--questions" in words or "--one-line" in words:
        found = code.questions() if "--questions" in words else code.one_line_docstrings()
        for place, text in found:
            print(f"{place}: {text}")
    else:
        for row, value in table(code):
            print(f"{row:52}{value}")


if __name__ == "__main__":
    main(sys.argv[1:])
