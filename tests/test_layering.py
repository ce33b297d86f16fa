"""Imports point one way, heavy libraries come late, and nothing dangerous comes at all."""

from __future__ import annotations

import ast
import graphlib
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kavg

ROOT = Path(kavg.__file__).parent

FLOORS = (
    # The vocabulary, in this order.
    (
        *("errors", "text", "arrays", "families", "protocols", "conversion", "descriptions"),
        *("ranges", "base", "portability", "gradients", "elementary"),
        *("optimizers", "aggregations", "measures", "problem", "trajectory"),
        *("recorded_periods", "budgets", "validation", "version"),
    ),
    ("engine", "oracles", "outer", "periods", "schedules", "storage", "targets"),
    ("methods", "mpi", "objectives", "starts"),
    ("analysis", "config", "__init__"),
    ("reports", "sweeps"),
    ("cli", "__main__"),
)
"""A module or package of kavg imports from lower floors only; the vocabulary in its own order."""
ORDERED = (FLOORS[0], FLOORS[-1])
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}

NEVER = (("analysis", "engine"), ("engine", "oracles"), ("storage", "config"))
"""Not even by a detour: theory does not see the simulator, the engine knows Protocols alone, and
what was stored is read without the settings that made it."""

ONLY_IN = {
    "annotated_types": {
        *("descriptions", "ranges", "config", "objectives", "oracles", "periods", "targets")
    },
    "mpi4py": {"mpi"},
    "typer": {"cli"},
    "pydantic": {"config"},
    "pydantic_core": {"config"},
    "tomli_w": {"config"},
    "tomllib": {"config"},
    "rich": {"cli", "reports"},
    "pandas": {"storage"},
    "polars": {"storage"},
    "pyarrow": {"storage"},
    "mnist1d": {"objectives"},
    "zipfile": {"storage"},
    "matplotlib": {"reports"},
    "sklearn": {"objectives"},
    "threadpoolctl": {"engine"},
}
"""Libraries, with the only modules that know of them."""

LATE = {"mpi4py", "scipy", "pydantic", "rich", "typer", "matplotlib", "sklearn", "threadpoolctl"}
LATE |= {"jax", "torch", "pandas", "polars", "pyarrow", "mnist1d"}
LINES = 220
LONG: dict[str, int] = {}


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


ARROWS = {
    one: {
        unit(imported)
        for module in MODULES
        if unit(module) == one
        for imported in kavg_modules(module)
    }
    - {one}
    for one in dict.fromkeys(map(unit, MODULES))
}
"""Each module or package of kavg, with those that it imports."""


def may_import(one, other):
    """True if ``other`` is on a lower floor, or stands before ``one`` on an ordered floor."""
    if FLOOR[one] != FLOOR[other]:
        return FLOOR[other] < FLOOR[one]
    floor = FLOORS[FLOOR[one]]
    return floor in ORDERED and floor.index(other) < floor.index(one)


@every_module
def test_imports_go_down(name):
    for other in {unit(imported) for imported in kavg_modules(name)} - {unit(name)}:
        assert may_import(unit(name), other), f"{name} must not import {other}"


def test_the_floors_list_what_exists():
    assert set(FLOOR) == {unit(name) for name in MODULES}


@pytest.mark.parametrize("name", [name for floor in FLOORS[1:] for name in floor])
def test_no_floor_is_higher_than_it_needs_to_be(name):
    assert any(FLOOR[other] == FLOOR[name] - 1 for other in ARROWS[name]) or name == "__main__"


def test_no_package_hides_a_module():
    """A name that a package's face exports is no name of a module in it."""
    for name in (name for name in MODULES if name.endswith("__init__")):
        package = MODULES[name].parent
        for node in TREES[name].body:
            if isinstance(node, ast.ImportFrom) and node.module != ".".join(
                ("kavg", *package.relative_to(ROOT).parts)
            ):
                hidden = {alias.asname or alias.name for alias in node.names} & {
                    path.stem for path in package.iterdir()
                }
                assert not hidden, f"{name} hides {hidden}"


@pytest.mark.parametrize("name", [n for n in MODULES if n.endswith("__init__") and n != "__init__"])
def test_every_name_that_a_package_exports_exists(name):
    package = importlib.import_module(f"kavg.{name.removesuffix('.__init__')}")
    assert [name for name in getattr(package, "__all__", ()) if not hasattr(package, name)] == []


def test_no_module_imports_itself_by_a_detour():
    graph = {name: set(kavg_modules(name)) for name in MODULES}
    packages = {name.removesuffix(".__init__") for name in MODULES if name.endswith(".__init__")}
    renamed = {
        name: {f"{i}.__init__" if i in packages else i for i in found}
        for name, found in graph.items()
    }
    list(graphlib.TopologicalSorter(renamed).static_order())


@pytest.mark.parametrize(("one", "other"), NEVER)
def test_forbidden_imports_do_not_occur_by_a_detour(one, other):
    reached, waiting = set(), {one}
    while waiting:
        reached |= waiting
        waiting = set().union(*(ARROWS[name] for name in waiting)) - reached
    assert other not in reached


@every_module
def test_each_library_has_its_place(name):
    found = {imported.split(".")[0] for imported in imports(name)}
    for library, places in ONLY_IN.items():
        assert library not in found or unit(name) in places, f"{name} must not import {library}"
    known = set(ONLY_IN) | {"kavg", "numpy", "scipy"} | sys.stdlib_module_names
    assert found <= known, f"{name} imports {found - known}, which the table does not know"


FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "random", "ctypes"}
RESTORED = {"np.random.get_state", "np.random.set_state"}
ALLOWED = {
    "storage.changes.exchange": {"ctypes"},
    "objectives.data.generated_sets": {"random", *RESTORED},
}
"""Modules that need one of them: Python has no exchange of two names, and a package that generates
data seeds the global generators, which are put back."""
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
    found = {imported.split(".")[0] for imported in imports(name)} & FORBIDDEN_MODULES
    assert found <= ALLOWED.get(name, set())
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
    assert found <= ALLOWED.get(name, set()), f"{name} uses {found}"


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
    assert not loaded_by("import kavg.cli, kavg.cli.execution, kavg.cli.catalogue") & {
        "mpi4py", "matplotlib", "sklearn", "scipy",
    }  # fmt: skip


def test_reports_draw_nothing_until_asked():
    loaded = loaded_by("import kavg.reports, kavg.reports.figures, kavg.reports.bounds")
    assert not loaded & {"matplotlib", "rich", "mpi4py", "pydantic"}


SLOW = {"mpi4py", "matplotlib", "sklearn", "scipy", "pydantic"}
COMMAND = """
import contextlib, io, os, sys
os.environ.update({variables})
sys.argv = {words}
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    from kavg.cli import main
    main()
"""


@pytest.mark.parametrize("words", ["kavg --help", "kavg --version"])
def test_help_and_version_start_fast(words):
    assert not loaded_by(COMMAND.format(variables={}, words=words.split())) & (SLOW | {"rich"})


# Typer itself may check words with pydantic, and kavg.config knows the places of --set.
WITH_TYPER = SLOW - {"pydantic"}


@pytest.mark.parametrize("command", ["run", "check", "exact", "plot", "doctor"])
def test_the_help_of_a_command_starts_fast(command):
    words = ["kavg", command, "--help"]
    assert not loaded_by(COMMAND.format(variables={}, words=words)) & WITH_TYPER


@pytest.mark.parametrize("line", ["kavg re", "kavg resume ", "kavg run ", "kavg run x.toml --set "])
def test_completion_starts_fast(line):
    variables = {
        "_KAVG_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")),
    }  # fmt: skip
    assert not loaded_by(COMMAND.format(variables=variables, words=["kavg"])) & WITH_TYPER
