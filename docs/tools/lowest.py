"""Install the lowest versions that setup.cfg allows, then try kavg, its unit tests and its digests.

``python docs/tools/lowest.py [--newest] PYTHON ...`` prints a table with a column for each Python,
which is a version or a path as uv takes it (``pip install uv``); 1 if anything fails.  On the first
Python the lowest versions must be the floors themselves; later ones may need newer wheels.  Nothing
is compiled.  ``--newest`` installs the newest versions, as pip would.
"""

from __future__ import annotations

import argparse
import configparser
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTRA = "test"
RUN = "kavg run experiments/quickstart.toml --quiet --set rounds=20 --out {scratch}/run"
TRIALS = (
    "kavg --version",
    "kavg --help",
    "kavg run --help",
    "kavg list objectives",
    "kavg bounds experiments/quickstart.toml",
    RUN,
    "kavg check {scratch}/run",
    "kavg plot {scratch}/run",
    "mpiexec -n 2 kavg verify --quiet {scratch}/run",
    "kavg exact experiments/theory/quadratic.toml --set rounds=20 --out {scratch}/exact",
    "kavg run experiments/digits/digits.toml --quiet --set rounds=2 --out {scratch}/digits",
)
"""Commands that must leave with 0; ``verify`` holds two ranks against the run of one process."""
TESTS = "python -m pytest -q -o filterwarnings=default tests/unit tests/bits"
"""Warnings are not errors here: old versions give them to new ones."""


@dataclass(frozen=True)
class Column:
    """What was found with one Python: its version, those of the packages, and the results."""

    python: str
    versions: dict[str, str]
    results: dict[str, str]

    @property
    def failed(self) -> bool:
        """True if a command or a test failed."""
        return any("fail" in result for result in self.results.values())


def floors() -> dict[str, str]:
    """Package to floor, of all that kavg and its tests require."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    required = [
        parser["options"]["install_requires"],
        parser["options.extras_require"][EXTRA],
    ]
    return dict(line.split(">=") for line in "\n".join(required).split())


def build_wheel(folder: Path) -> Path:
    """A wheel of this checkout."""
    call("uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


def try_python(python: str, wheel: Path, folder: Path, *, newest: bool) -> Column:
    """Install into a virtual environment and try everything there."""
    venv = folder / "venv"
    call("uv", "venv", "--quiet", "--python", python, str(venv))
    target = ("--python", str(venv / "bin" / "python"))
    # Of a wheel's requirements uv would take the newest: only those named here are direct.
    required = [f"{package}>={floor}" for package, floor in floors().items()]
    resolution = ("--resolution", "highest" if newest else "lowest-direct")
    call("uv", "pip", "install", "--quiet", *target, *resolution, "--only-binary=:all:", *required)
    call("uv", "pip", "install", "--quiet", *target, "--no-deps", str(wheel))
    listed = json.loads(call("uv", "pip", "list", "--format", "json", *target))
    versions = {package["name"]: package["version"] for package in listed}
    results = {"commands": try_commands(venv, folder), "unit tests": try_tests(venv, folder)}
    number = call(
        str(venv / "bin" / "python"), "-c", "import platform as p; print(p.python_version())"
    )
    return Column(number.strip(), versions, results)


def call(*words: str) -> str:
    """What a command prints; CalledProcessError, with its words shown, if it fails."""
    job = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return job.stdout


def run(command: str, venv: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with the programs of an environment, with stderr in stdout."""
    path = os.pathsep.join([str(venv / "bin"), os.environ["PATH"]])
    return subprocess.run(
        command.replace("{scratch}", str(scratch)).split(),
        cwd=ROOT, env=os.environ | {"PATH": path}, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def try_commands(venv: Path, scratch: Path) -> str:
    """``all work``, or the first command that fails; why goes to stderr."""
    for command in TRIALS:
        job = run(command, venv, scratch)
        if job.returncode:
            print(job.stdout[-2000:], file=sys.stderr)
            return f"`{command}` fails".replace("{scratch}/", "")
    return "all work"


def try_tests(venv: Path, scratch: Path) -> str:
    """The counts of pytest's last line; failures go to stderr."""
    job = run(TESTS, venv, scratch)
    if job.returncode:
        print(job.stdout[-4000:], file=sys.stderr)
    last = job.stdout.strip().split("\n")[-1]
    counts = re.findall(r"\d+ (?:passed|failed|errors?|skipped)", last)
    return ", ".join(counts) or "failed to start"


def table(columns: Sequence[Column]) -> Iterator[str]:
    """Markdown: a row for each package, the commands and the tests."""
    yield "| | floor | " + " | ".join(f"Python {column.python}" for column in columns) + " |"
    yield "|---|---|" + "---|" * len(columns)
    for package, floor in floors().items():
        yield f"| {package} | {floor} | " + " | ".join(c.versions[package] for c in columns) + " |"
    for what in columns[0].results:
        yield f"| {what} | | " + " | ".join(column.results[what] for column in columns) + " |"


def untrue_floors(column: Column) -> list[str]:
    """Floors that are not what was installed as the lowest."""
    return [
        f"{package}>={floor}: the lowest that can be installed is {column.versions[package]}"
        for package, floor in floors().items()
        if re.sub(r"(\.0)+$", "", floor) != re.sub(r"(\.0)+$", "", column.versions[package])
    ]


def main() -> int:
    """Try all Pythons and print the table; 1 if a floor is untrue or anything fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pythons", nargs="+", metavar="PYTHON")
    parser.add_argument("--newest", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        wheel, columns = build_wheel(Path(name)), []
        for python in given.pythons:
            folder = Path(tempfile.mkdtemp(dir=name))
            columns.append(try_python(python, wheel, folder, newest=given.newest))
    print("\n".join(table(columns)))
    untrue = [] if given.newest else untrue_floors(columns[0])
    print("\n".join(untrue), end="\n" * bool(untrue), file=sys.stderr)
    return int(bool(untrue) or any(column.failed for column in columns))


if __name__ == "__main__":
    sys.exit(main())
