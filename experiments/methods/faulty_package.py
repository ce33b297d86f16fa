"""A copy of the package, in which faults are planted, and its tests in processes of their own."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from compileall import compile_dir
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 120
"""Within which the tests of a fault must have ended."""


@dataclass(frozen=True)
class Fault:
    """A change of a file: ``old`` becomes ``new``."""

    what: str
    old: str
    new: str
    file: str

    def plant(self, text: str) -> str:
        """Return the text with the fault; raise ``ValueError`` unless it has one place."""
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"{self.file}: {self.what}: occurs {count} times: {self.old}")
        return text.replace(self.old, self.new)


class Package:
    """A copy of the package, in which faults are planted one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "kavg", folder / "kavg", ignore=ignored)
        compile_dir(folder / "kavg", quiet=2)

    @contextmanager
    def plant(self, fault: Fault) -> Iterator[None]:
        """Plant a fault as long as the context lasts."""
        path = self.folder / fault.file
        text = path.read_text(encoding="utf-8")
        # What was compiled is told by size and second alone, which a fault may leave as they are.
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
        path.write_text(fault.plant(text), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")

    def find_failures(self, tests: Sequence[str], laws: Sequence[str], *options: str) -> list[str]:
        """Run some tests on the package as it is, and return those that fail.

        Of the methods of ``tests/helpers/methods.py`` those named by ``laws`` alone are tested, or
        all if none is.  Raises ``RuntimeError`` if the tests cannot be run, or do not end.
        """
        # Its server has imported what every process needs.
        context = get_context("forkserver")
        context.set_forkserver_preload(["numpy", "pytest"])
        ours, theirs = context.Pipe(duplex=False)
        arguments = (self.folder, tests, laws, options, theirs)
        child = context.Process(target=run_tests, args=arguments)
        child.start()
        # Else a process that ends without a word would leave the pipe open.
        theirs.close()
        try:
            code, failed = ours.recv() if ours.poll(SECONDS) else (None, [])
        except EOFError:
            code, failed = None, []
        child.kill()
        child.join()
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            end = (self.folder / "log").read_text(encoding="utf-8")[-2000:]
            raise RuntimeError(f"pytest {tests} ended with {code}:\n{end}")
        return failed


class Watcher:
    """A plugin of pytest: laws of other methods are left out, and what fails is noted."""

    def __init__(self, laws: Sequence[str]) -> None:
        self.laws = laws
        self.failed: list[str] = []

    def pytest_sessionstart(self) -> None:
        """Leave out Hypothesis's search for a smaller example of what fails."""
        from hypothesis import Phase, settings

        ci = settings.get_profile("ci")
        settings.register_profile("first", ci, phases=(Phase.explicit, Phase.generate))
        settings.load_profile("first")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep what is not about another method of ``tests/helpers/methods.py``."""
        from helpers.methods import METHODS

        others = set(METHODS) - set(self.laws) if self.laws else set()
        items[:] = [item for item in items if find_name(item) not in others]

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note what has failed."""
        if report.failed:
            self.failed.append(report.nodeid)


def find_name(item: Any) -> object:
    """Return the parameter ``name`` of a test, None if it has none."""
    call = getattr(item, "callspec", None)
    return None if call is None else call.params.get("name")


def run_tests(
    folder: Path, tests: Sequence[str], laws: Sequence[str], options: Sequence[str], out: Connection
) -> None:
    """Run tests on the package of a folder, as the body of a process."""
    sys.dont_write_bytecode = True
    os.chdir(ROOT)
    with open(folder / "log", "wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    paths = shlex.join([str(folder), str(ROOT / "tests"), str(ROOT / "docs" / "tools")])
    given = f"pythonpath={paths}", "addopts=--import-mode=importlib -p no:cacheprovider"
    watcher = Watcher(laws)
    settings = [part for each in given for part in ("-o", each)]
    code = pytest.main(["-q", *options, *settings, *tests], plugins=[watcher])
    import kavg

    assert Path(kavg.__file__).is_relative_to(folder), kavg.__file__
    out.send((int(code), watcher.failed))
