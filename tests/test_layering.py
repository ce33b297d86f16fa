"""Imports point one way, and some things stand nowhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = [
    {"base", "version"},
    {"comm", "noise", "schedules", "outer", "arrays", "readers", "trajectory", "threads", "ranks"},
    {"environment", "progress", "overrides", "refusals", "analysis.estimate"},
    {"starts", "synthetic", "runs", "text", "panels"},
    {"data", "legend"},
    {"objectives", "report", "plots"},
    {"oracles", "local", "means", "misfits"},
    {"rounds", "tables", "faults"},
    {"record"},
    {"simulate"},
    {"config", "catalogue"},
    {"jobs"},
    {"cli"},
    {"__init__", "__main__"},
]
"""A module imports only from layers above its own line here; a folder counts as one module."""

FAMILIES = ("objectives", "oracles", "analysis.bounds")
SOURCES = {
    ".".join(path.relative_to(ROOT / "kavg").with_suffix("").parts): ast.parse(path.read_text())
    for path in sorted((ROOT / "kavg").glob("**/*.py"))
    if path.parent.name == "kavg" or path.name != "__init__.py" or path.parent.name in FAMILIES
}


def unit(module: str) -> str:
    """A module, or the folder that it is a member of."""
    return next((family for family in FAMILIES if module.startswith(family)), module)


def imported(tree: ast.AST) -> set[str]:
    """Full names of what a module imports, at its top or later."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if node.module in ("kavg", "kavg.analysis") else {node.module}
    return found


def level(module: str) -> int:
    places = [i for i, layer in enumerate(LAYERS) if unit(module) in layer]
    assert places, f"{module} stands in no layer: add it to LAYERS"
    return places[0]


@pytest.mark.parametrize("module", SOURCES)
def test_imports_point_one_way(module):
    for name in imported(SOURCES[module]):
        if name.startswith("kavg."):
            other = name.removeprefix("kavg.")
            inside = unit(other) == unit(module)
            assert inside or level(other) < level(module), f"{module} imports {other}"


@pytest.mark.parametrize("module", [m for m in SOURCES if m.startswith("analysis")])
def test_theory_does_not_see_the_simulator(module):
    machinery = ("simulate", "local", "means", "noise", "oracles", "comm")
    seen = {name.removeprefix("kavg.").split(".")[0] for name in imported(SOURCES[module])}
    assert not seen & set(machinery)


@pytest.mark.parametrize("module", [m for m in SOURCES if m != "cli"])
def test_only_the_command_line_knows_of_mpi4py(module):
    assert not any(name.startswith("mpi4py") for name in imported(SOURCES[module]))


@pytest.mark.parametrize("module", SOURCES)
def test_nothing_read_can_run_code_and_no_generator_is_global(module):
    assert not imported(SOURCES[module]) & {"pickle", "marshal", "shelve", "dill"}
    for node in ast.walk(SOURCES[module]):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "compile", "__import__")
            assert not re.match(r"np\.random\.(seed|rand|randn|normal|uniform|choice)$", called)
            assert "allow_pickle=True" not in ast.unparse(node)


HEAVY = ("scipy", "pydantic", "rich", "typer", "matplotlib", "sklearn", "mpi4py", "threadpoolctl")


def test_import_kavg_loads_numpy_alone():
    program = f"import sys, kavg; print([name for name in {HEAVY} if name in sys.modules])"
    job = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert job.stdout.strip() == "[]"


@pytest.mark.parametrize("path", sorted((ROOT / "kavg").glob("**/*.py")), ids=lambda p: p.name)
def test_files_can_be_read_in_a_sitting(path):
    assert len(path.read_text().splitlines()) <= 300
