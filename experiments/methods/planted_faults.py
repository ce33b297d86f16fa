"""Small faults planted in the source of each method, and the test that catches each of them.

    python experiments/methods/planted_faults.py              the table; 1 if a fault survives
    python experiments/methods/planted_faults.py slowmo ema   of some methods alone

``faults/*.toml`` has for each method at least three changes of its source: an old text, which
occurs once, and a new one.  Each is made in a copy of the package, on which the tests that belong
to the method run: its unit tests, its transcription, its laws.  They stop at the first failure.
Where nothing is planted, all tests that caught something must pass.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faulty_package import Fault, Package

FAULTS: Final = Path(__file__).parent / "faults"
SHARED: Final = (
    "tests/properties/test_method_reference.py::test_the_engine_agrees_with_the_transcription",
    "tests/properties/test_method_laws.py",
)
"""The tests of all methods, of which those of one are run."""


@dataclass(frozen=True)
class Method:
    """A method with its faults, its tests, and its names in ``tests/helpers/methods.py``."""

    family: str
    name: str
    tests: tuple[str, ...]
    laws: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def stages(self) -> list[tuple[str, ...]]:
        """The tests in the order in which they run: each stage is collected by itself."""
        return [self.tests, *((test,) for test in SHARED if self.laws)]


def load_methods(folder: Path = FAULTS) -> list[Method]:
    """Return the methods of all files of a folder."""
    methods = []
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for given in table["method"]:
            faults = [Fault(*each[:3], *(each[3:] or [given["file"]])) for each in given["faults"]]
            tests, laws = given.get("tests", table.get("tests", [])), given.get("laws", [])
            lists = tuple(tests), tuple(laws), tuple(faults)
            methods.append(Method(path.stem, given["name"], *lists))
    return methods


def find_catcher(package: Package, method: Method, fault: Fault) -> str | None:
    """Return the first test that fails with a fault, None if all pass."""
    with package.plant(fault):
        for tests in method.stages:
            failed = package.find_failures(tests, method.laws, "-x")
            if failed:
                return failed[0]
    return None


def print_table(package: Package, methods: Sequence[Method]) -> int:
    """Print a row a method, and the sums; 1 if a fault survives, or a test fails without one."""
    print("| part | method | faults | caught | caught by |\n|---|---|--:|--:|---|")
    caught: list[str] = []
    survivors: list[Fault] = []
    for method in methods:
        found = {fault: find_catcher(package, method, fault) for fault in method.faults}
        tests = [test for test in found.values() if test is not None]
        caught += tests
        survivors += [fault for fault, test in found.items() if test is None]
        names = dict.fromkeys(f"`{test.rpartition('::')[2].partition('[')[0]}`" for test in tests)
        counts = f"{len(found)} | {len(tests)}"
        print(f"| {method.family} | `{method.name}` | {counts} | {', '.join(names)} |", flush=True)
    print(f"| | **all** | {len(caught) + len(survivors)} | {len(caught)} | |")
    for fault in survivors:
        print(f"survives: {fault.file}: {fault.what}: {fault.new}", file=sys.stderr)
    without = package.find_failures(sorted(set(caught)), ()) if caught else []
    for test in without:
        print(f"fails where nothing is planted: {test}", file=sys.stderr)
    return int(bool(survivors or without))


def main(arguments: Sequence[str]) -> int:
    """Print the table of the methods that are named, or of all."""
    parser = argparse.ArgumentParser(description="Faults planted in methods, and what catches them")
    parser.add_argument("names", nargs="*", help="methods; all if none is named")
    parser.add_argument("--faults", type=Path, default=FAULTS, help="the folder of their files")
    given = parser.parse_args(arguments)
    methods = [one for one in load_methods(given.faults) if one.name in (given.names or [one.name])]
    with tempfile.TemporaryDirectory() as folder:
        return print_table(Package(Path(folder).resolve()), methods)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
