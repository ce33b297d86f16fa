"""Imports point one way, heavy libraries come late, and nothing dangerous comes at all."""

from __future__ import annotations

import ast
import graphlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kavg

ROOT = Path(kavg.__file__).parent

BASIC = {"base", "errors"}
PARTS = {"objectives", "oracles", "outer", "schedules", "starts"}
ALLOWED = {
    # the vocabulary
    "errors": set(),
    "base": {"errors"},
    "version": set(),
    # what a problem and an algorithm are made of
    "comm": BASIC,
    "threads": BASIC,
    "noise": BASIC,
    "normals": BASIC | {"noise"},
    "outer": BASIC,
    "schedules": BASIC,
    "trajectory": BASIC,
    "arrays": BASIC,
    "cadence": BASIC,
    "files": BASIC,
    "memory": BASIC,
    "npz": BASIC | {"memory"},
    "readers": BASIC | {"memory", "npz"},
    "synthetic": BASIC | {"arrays"},
    "data": BASIC | {"arrays", "readers", "synthetic"},
    "objectives": BASIC | {"data"},
    "oracles": BASIC | {"noise", "normals"},
    "starts": BASIC | {"noise", "normals"},
    # rounds
    "local": BASIC,
    "limbs": BASIC,
    "means": BASIC | {"limbs"},
    "rounds": BASIC | {"trajectory"},
    "kept": BASIC | {"trajectory"},
    "record": BASIC | {"rounds", "threads", "trajectory"},
    "growing": BASIC | {"kept", "record", "rounds", "trajectory"},
    "simulate": BASIC
    | {"comm", "growing", "local", "means", "record", "rounds", "starts", "threads"}
    | {"trajectory"},
    # theory, which never sees the simulator
    "analysis": BASIC | {"objectives", "outer", "schedules", "trajectory"},
    # what is read and shown
    "text": BASIC | {"analysis", "trajectory"},
    "report": BASIC | {"analysis", "text", "trajectory"},
    "panels": BASIC | {"analysis", "trajectory"},
    "legend": BASIC | {"panels", "text"},
    "sheet": BASIC | {"legend"},
    "plots": BASIC | {"legend", "panels", "sheet", "text", "trajectory"},
    "exact_runs": BASIC | {"analysis", "objectives", "oracles", "starts"},
    "exact_plots": BASIC
    | {"analysis", "exact_runs", "legend", "panels", "sheet", "text", "trajectory"},
    "soundness": BASIC | {"trajectory"},
    "manifest": BASIC,
    "runs": BASIC | {"files", "kept", "manifest", "npz", "soundness", "trajectory"},
    "checkpoints": BASIC | {"files", "npz", "runs", "soundness", "trajectory", "version"},
    "differences": BASIC | {"trajectory"},
    # settings
    "refusals": BASIC,
    "overrides": BASIC | {"faults", "toml"},
    "toml": BASIC,
    "faults": BASIC,
    "sizes": BASIC | {"local", "memory", "objectives", "oracles", "synthetic"},
    "misfits": BASIC | {"sizes", "starts"},
    "tables": BASIC | PARTS | {"arrays", "refusals"},
    "config": BASIC
    | {"cadence", "data", "faults", "files", "misfits", "overrides", "tables", "toml"},
    "catalogue": BASIC | PARTS | {"data", "refusals", "tables"},
    # the command line
    "ranks": BASIC,
    "missing": BASIC | {"ranks"},
    "deadline": BASIC,
    "watchdog": BASIC | {"deadline", "missing", "ranks"},
    "watched": BASIC | {"deadline", "watchdog"},
    "agreement": BASIC | {"ranks", "rounds", "trajectory"},
    "launchers": BASIC,
    "starting": BASIC | {"deadline", "launchers", "watched"},
    "progress": BASIC,
    "signals": BASIC,
    "environment": BASIC | {"version"},
    "folders": BASIC | {"checkpoints", "files"},
    "keeper": BASIC | {"cadence", "checkpoints", "folders", "ranks", "trajectory"},
    "supervising": BASIC
    | {"folders", "growing", "keeper", "progress", "ranks", "signals", "trajectory"},
    "pictures": BASIC | {"environment", "folders", "plots", "runs", "sheet", "trajectory"},
    "jobs": BASIC
    | {
        "pictures",
        "agreement",
        "config",
        "environment",
        "plots",
        "progress",
        "ranks",
        "report",
        "rounds",
    }
    | {"runs", "sheet", "simulate", "trajectory", "version", "watched", "checkpoints", "folders"}
    | {"keeper", "signals", "supervising"},
    "resuming": BASIC
    | {
        "pictures",
        "checkpoints",
        "config",
        "environment",
        "files",
        "folders",
        "growing",
        "jobs",
        "keeper",
        "manifest",
        "ranks",
    }
    | {"record", "runs", "trajectory", "watched"},
    "verdict_report": BASIC | {"analysis", "text"},
    "verdict_plots": BASIC | {"analysis", "legend", "panels", "sheet", "text", "trajectory"},
    "bounds_report": BASIC | {"analysis", "starts", "text", "verdict_report"},
    "found": BASIC
    | {"pictures", "analysis", "config", "jobs", "runs", "sheet", "trajectory", "verdict_plots"}
    | {"verdict_report"},
    "checks": BASIC
    | {
        "pictures",
        "analysis",
        "bounds_report",
        "config",
        "folders",
        "found",
        "jobs",
        "ranks",
        "runs",
    }
    | {"stored", "trajectory"},
    "bench": BASIC
    | {
        "pictures",
        "comm",
        "data",
        "environment",
        "folders",
        "jobs",
        "legend",
        "means",
        "noise",
        "normals",
    }
    | {"objectives", "oracles", "outer", "panels", "ranks", "sheet", "simulate", "starts"}
    | {"threads"},
    "exact_jobs": BASIC
    | {
        "sizes",
        "pictures",
        "analysis",
        "config",
        "exact_plots",
        "exact_runs",
        "folders",
        "jobs",
        "ranks",
        "sheet",
    }
    | {"text", "trajectory"},
    "doctor": BASIC
    | {
        "pictures",
        "comm",
        "config",
        "environment",
        "jobs",
        "launchers",
        "runs",
        "simulate",
        "text",
        "threads",
    }
    | {"version"},
    "stored": BASIC | {"config", "folders", "runs", "trajectory"},
    "replay": BASIC
    | {"config", "differences", "jobs", "kept", "progress", "record", "rounds"}
    | {"simulate", "trajectory"},
    "judgement": BASIC | {"analysis", "differences", "text", "trajectory"},
    "receipts": BASIC
    | {
        "pictures",
        "config",
        "environment",
        "jobs",
        "judgement",
        "manifest",
        "ranks",
        "replay",
        "runs",
    }
    | {"stored", "text"},
    "comparison": BASIC
    | {
        "pictures",
        "analysis",
        "differences",
        "faults",
        "jobs",
        "ranks",
        "runs",
        "stored",
        "text",
        "toml",
    }
    | {"trajectory"},
    "world": BASIC | {"comm", "launchers", "starting"},
    "commands": BASIC
    | {"bench", "catalogue", "checks", "comparison", "config", "doctor", "exact_jobs", "jobs"}
    | {"pictures", "ranks", "receipts", "resuming", "version", "world"},
    "cli": BASIC
    | {"commands", "comm", "launchers", "ranks", "signals", "starting", "watched", "world"},
    "__main__": {"cli"},
    "__init__": BASIC | PARTS | {"comm", "rounds", "simulate", "trajectory", "version"},
}
"""Module or package of kavg, to those it may import; within a package all may, without cycles."""

ONLY_IN = {
    "mpi4py": {"bench", "world"},  # a worker of bench is a command of its own
    "typer": {"cli", "commands"},
    "pydantic": {"config", "faults", "refusals", "tables"},
    "pydantic_core": {"refusals"},
    "tomli_w": {"config"},
    "tomllib": {"overrides", "toml"},
    "rich": {"progress"},
    "zipfile": {"npz"},
    "matplotlib": {"bench", "exact_plots", "legend", "panels", "plots", "sheet", "verdict_plots"},
    "sklearn": {"readers"},
    "threadpoolctl": {"threads"},
    "jax": {"bench"},
    "torch": {"bench"},
}
"""Libraries, with the only modules that know of them."""

LATE = {"mpi4py", "scipy", "pydantic", "rich", "typer", "matplotlib", "sklearn", "threadpoolctl"}
LATE |= {"jax", "torch"}
LINES = 220
LONG = {
    "base": 270,  # Protocols: two thirds of it are docstrings
    "commands": 330,  # a command's options take a line or more each
}


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
every_module = pytest.mark.parametrize("name", MODULES)


def imports(name):
    """Every module that a module names in an import, wherever it stands."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            # "from kavg import x" and "from kavg.analysis import x" may mean modules.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def kavg_modules(name):
    """Those of kavg that a module imports, by their names within it."""
    for imported in imports(name):
        first, _, rest = imported.partition(".")
        if first == "kavg":
            yield next(
                (m for m in (rest, rest.rpartition(".")[0]) if m and (m in MODULES
                 or f"{m}.__init__" in MODULES)), "__init__"
            )  # fmt: skip


def unit(name):
    return name.split(".")[0]


@every_module
def test_a_module_imports_what_it_may(name):
    found = {unit(imported) for imported in kavg_modules(name)} - {unit(name)}
    assert unit(name) in ALLOWED, f"give {unit(name)} its place in ALLOWED"
    assert found <= ALLOWED[unit(name)], f"{name} must not import {found - ALLOWED[unit(name)]}"


def test_the_table_lists_what_exists_and_has_no_cycle():
    assert set(ALLOWED) <= {unit(name) for name in MODULES}
    assert set().union(*ALLOWED.values()) <= set(ALLOWED)
    list(graphlib.TopologicalSorter(ALLOWED).static_order())


def test_no_module_imports_itself_by_a_detour():
    graph = {name: set(kavg_modules(name)) for name in MODULES}
    packages = {name.removesuffix(".__init__") for name in MODULES if name.endswith(".__init__")}
    renamed = {
        name: {f"{i}.__init__" if i in packages else i for i in found}
        for name, found in graph.items()
    }
    list(graphlib.TopologicalSorter(renamed).static_order())


def test_theory_never_sees_the_simulator():
    reached, waiting = set(), {"analysis"}
    while waiting:
        reached |= waiting
        waiting = set().union(*(ALLOWED[name] for name in waiting)) - reached
    assert not reached & {"rounds", "local", "means", "runs", "config", "cli", "oracles"}


@every_module
def test_each_library_has_its_place(name):
    found = {imported.split(".")[0] for imported in imports(name)}
    for library, places in ONLY_IN.items():
        assert library not in found or unit(name) in places, f"{name} must not import {library}"
    known = set(ONLY_IN) | {"kavg", "numpy", "scipy"} | sys.stdlib_module_names
    assert found <= known, f"{name} imports {found - known}, which the table does not know"


FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "random", "ctypes"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
GLOBAL_RANDOM = {
    "seed", "rand", "randn", "randint", "random", "normal", "uniform", "choice", "shuffle",
    "permutation", "standard_normal", "get_state", "set_state", "default_rng", "RandomState",
}  # fmt: skip


def dotted(node):
    """``np.random.seed`` as text, or None."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else None
    return node.id if isinstance(node, ast.Name) else None


@every_module
def test_nothing_that_runs_strings_or_foreign_bytes(name):
    assert not {imported.split(".")[0] for imported in imports(name)} & FORBIDDEN_MODULES
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Call):
            called = dotted(node.func)
            assert called not in FORBIDDEN_CALLS, f"{name}:{node.lineno} calls {called}"
            allowed = {k.arg: k.value for k in node.keywords}.get("allow_pickle")
            assert not (isinstance(allowed, ast.Constant) and allowed.value), f"{name} unpickles"
            if called == "np.load":
                assert allowed is not None, f"{name}:{node.lineno} must say allow_pickle=False"


@every_module
def test_no_random_numbers_without_an_address(name):
    forbidden = {f"{np}.random.{word}" for np in ("np", "numpy") for word in GLOBAL_RANDOM}
    found = {dotted(node) for node in ast.walk(TREES[name])} & forbidden
    assert not found, f"{name} uses {found}"


@every_module
def test_no_state_of_a_module_changes(name):
    for node in ast.walk(TREES[name]):
        assert not isinstance(node, ast.Global), f"{name}:{node.lineno} has a global"


@every_module
def test_a_module_can_be_read_in_one_sitting(name):
    lines = MODULES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= LONG.get(name, LINES), f"{name} has {lines} lines; part it in two"


def loaded_by(code):
    """The libraries that a fresh process has loaded after ``code``."""
    report = "import sys; print(*{name.split('.')[0] for name in sys.modules})"
    job = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{report}"],
        env=os.environ | {"PYTHONPATH": str(ROOT.parent)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return set(job.stdout.split())


def test_importing_kavg_loads_numpy_alone():
    assert not loaded_by("import kavg") & LATE
    assert not loaded_by("from kavg.analysis import estimate") & (LATE - {"scipy"})


def test_a_serial_command_does_not_load_mpi_or_pictures():
    assert not loaded_by("import kavg.cli, kavg.jobs, kavg.catalogue") & {
        "mpi4py", "matplotlib", "sklearn", "scipy",
    }  # fmt: skip
