"""Run the commands that print blocks of the pages, and write or compare what they print.

``python docs/tools/pages.py --check`` runs all quick commands and compares; of slow blocks it
compares digests, of the code and of the text.  ``--check --quick`` leaves slow blocks out.
``--write`` runs commands again and writes what they print; with ``--stale`` only where it differs.
``--list`` shows all blocks.  NAME ... chooses blocks, for all three: those whose page begins with a
NAME or whose command contains it.  How a marker is written stands at the top of ``markers.py``.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from commands import (
    Output,
    Runner,
    code_digest,
    environment,
    machine,
    marker_of,
    printed,
    unknown_word,
)
from digests import ROOT, digest_of_text
from markers import Block, blocks, missing_marker

GLOBS = ("README.md", "docs/*.md", "experiments/**/README.md")


@dataclass(frozen=True)
class Page:
    """A document, line by line, with its blocks."""

    path: Path
    lines: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        """The path from the root of the repository."""
        inside = self.path.is_relative_to(ROOT)
        return self.path.relative_to(ROOT).as_posix() if inside else str(self.path)

    def place(self, block: Block) -> str:
        """Where a block is: page and line."""
        return f"{self.name}:{block.start + 1}"

    def figure(self, block: Block) -> Path:
        """The file of an image."""
        match = re.search(r"\]\(([^)]+)\)", block.text)
        assert match, block.text
        return self.path.parent / match[1]

    def shown(self, block: Block) -> str | bytes:
        """What the page shows: the text of a block, or the bytes of a figure's file."""
        return self.figure(block).read_bytes() if block.kind == "image" else block.text.strip("\n")

    def known(self) -> list[Block]:
        """The blocks that a command prints, as far as it is one."""
        printed = [block for block in self.blocks if block.printed and block.kind != "prose"]
        return [block for block in printed if not unknown_word(block)]


def read_page(path: Path) -> Page:
    """Read and parse a document; ValueError if a marker cannot be read."""
    lines = tuple(path.read_text(encoding="utf-8").split("\n"))
    try:
        return Page(path, lines, tuple(blocks(lines)))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_pages() -> list[Page]:
    """All documents that are checked."""
    return [read_page(path) for pattern in GLOBS for path in sorted(ROOT.glob(pattern))]


def choose(every: Sequence[Page], names: Sequence[str]) -> list[Page]:
    """The pages with those of their blocks that ``names`` choose; all of them without a name."""
    if not names:
        return list(every)
    pages = [replace(page, blocks=tuple(chosen_blocks(page, names))) for page in every]
    return [page for page in pages if page.blocks]


def chosen_blocks(page: Page, names: Sequence[str]) -> Iterator[Block]:
    """The blocks of a page that begins with a name, or whose command contains one."""
    for block in page.blocks:
        command = block.printed.command if block.printed else ""
        if any(page.name.startswith(name) or name in command for name in names):
            yield block


# --- check


def faults(every: Sequence[Page], runner: Runner, *, quick: bool = False) -> Iterator[str]:
    """All that is wrong with the pages, one after another; ``quick`` leaves slow blocks out."""
    known = [(page, block) for page in every for block in page.known()]
    runner.run_all((b for _, b in known if not marker_of(b).slow), os.cpu_count() or 1)
    for page in every:
        yield from marker_faults(page)
    for page, block in known:
        if not (quick and marker_of(block).slow) and (fault := fault_of(page, block, runner)):
            yield f"{page.place(block)}: {fault}"


def marker_faults(page: Page) -> Iterator[str]:
    """What is wrong with the markers of a page, without running anything."""
    for block in page.blocks:
        fault = missing_marker(block)
        if fault is None and block.printed and (unknown := unknown_word(block)):
            fault = f"unknown command: {unknown}"
        if fault:
            yield f"{page.place(block)}: {fault}"


def fault_of(page: Page, block: Block, runner: Runner) -> str | None:
    """Why a block has to be written again, or None."""
    return slow_fault(page, block) if marker_of(block).slow else quick_fault(page, block, runner)


def slow_fault(page: Page, block: Block) -> str | None:
    """How the digests of a block differ from those of its text and code."""
    marker = marker_of(block)
    if not marker.option("code"):
        return f"never printed by {marker.program!r}"
    if marker.option("text") != digest_of_text(page.shown(block)):
        return "the text is not what was printed"
    if marker.option("code") != code_digest(block):
        return f"the code behind {marker.program!r} has changed"
    return None


def quick_fault(page: Page, block: Block, runner: Runner) -> str | None:
    """How a block differs from what its command prints."""
    try:
        now, shown = printed(block, runner.output(block)), page.shown(block)
    except ValueError as error:
        return str(error)
    if now == shown:
        return None
    if isinstance(now, bytes) or isinstance(shown, bytes):
        return "the figure is another"
    lines = list(difflib.unified_diff(shown.split("\n"), now.split("\n"), lineterm="", n=1))[2:]
    return "\n".join([f"{marker_of(block).program!r} prints (+), not (-)", *lines[:40]])


# --- write


def select(page: Page, runner: Runner, *, stale: bool) -> list[Block]:
    """The blocks that commands print, or those of them that differ."""
    return [block for block in page.known() if not stale or fault_of(page, block, runner)]


def write(page: Page, wanted: Sequence[Block], runner: Runner) -> list[str]:
    """Put what commands print in the place of blocks; what kept some from being written."""
    lines, failed = list(page.lines), []
    for block in sorted(wanted, key=lambda block: -block.start):  # line numbers stay
        output = runner.output(block)
        try:
            now = printed(block, output)
        except ValueError as error:
            failed.append(f"{page.place(block)}: {error}")
            continue
        if isinstance(now, bytes):
            page.figure(block).write_bytes(now)
        else:
            lines[block.start : block.stop] = now.split("\n")
        if marker_of(block).slow:
            first, last = block.comment
            lines[first:last] = [with_digests("\n".join(lines[first:last]), block, output, now)]
    page.path.write_text("\n".join(lines), encoding="utf-8")
    return failed


def with_digests(comment: str, block: Block, output: Output, now: str | bytes) -> str:
    """The comment with new digests, seconds and machine."""
    options = [
        *(each for each in marker_of(block).options if re.match(r"(slow$|exit |of )", each)),
        f"code {code_digest(block)}",
        f"text {digest_of_text(now)}",
        f"{output.seconds:.0f} s on {machine()}",
    ]
    return re.sub(r"\([^()]*\)", f"({'; '.join(options)})", comment, count=1)


# --- the command


def listed(every: Iterable[Page]) -> Iterator[str]:
    """A line for each block: where, quick or when it ran how long, and the command."""
    for page in every:
        for block in page.blocks:
            if marker := block.printed:
                times = [option for option in marker.options if " s on " in option]
                kind = "quick" if not marker.slow else times[0] if times else "slow"
                yield f"{page.place(block)}: {kind}\n    {marker.command}"


def check(every: Sequence[Page], runner: Runner, *, quick: bool) -> int:
    """Print what is wrong, and what to do; 1 if anything is."""
    found = list(faults(every, runner, quick=quick))
    print("\n".join([*found, f"{len(every)} pages, {len(found)} faults"]))
    if found:
        print("python docs/tools/pages.py --write --stale prints again what a command prints")
    return int(bool(found))


def rewrite(every: Sequence[Page], runner: Runner, *, stale: bool) -> int:
    """Write blocks of all pages; 1 if a command failed."""
    failed = []
    for page in every:
        if wanted := select(page, runner, stale=stale):
            print(f"{page.name}: {len(wanted)} blocks", flush=True)
            failed += write(page, wanted, runner)
    print("\n".join(failed), end="\n" * bool(failed))
    return int(bool(failed))


def main() -> int:
    """Check, write or list; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true")
    action.add_argument("--write", action="store_true")
    action.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a page, or part of a command")
    parser.add_argument("--quick", action="store_true", help="with --check: no slow blocks")
    parser.add_argument("--stale", action="store_true", help="with --write: only what differs")
    given = parser.parse_args()
    every = choose(read_pages(), given.names)
    if given.names and not every:
        print(f"no page begins with {given.names} and no command contains it; --list shows all")
        return 2
    if given.list:
        print("\n".join(listed(every)))
        return 0
    if find_spec("kavg") is None or shutil.which("kavg", path=environment()["PATH"]) is None:
        print("kavg is not installed, so its commands cannot run: pip install -e '.[test]'")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder))
        if given.check:
            return check(every, runner, quick=given.quick)
        return rewrite(every, runner, stale=given.stale)


if __name__ == "__main__":
    sys.exit(main())
