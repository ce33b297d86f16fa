"""The blocks of a Markdown page and the markers before them.

A marker is a comment on the lines before a block: a fence, a table, an image, or everything down
to ``<!-- end -->``::

    <!-- printed by (quick): kavg run my.toml --out {scratch}/run | sed '/^digest/d' -->
    <!-- printed by (slow; code 0123456789ab; text 0123456789ab; 98 s on AMD EPYC): python x.py -->
    <!-- by hand: definitions -->

The command is one for bash in the root of the repository; ``{scratch}`` is an empty folder.  What
follows its first `` | `` is a filter, so that blocks with the same command share one run.  The
command ``the block above`` runs the fence before, Python or shell.  Options, parted by ``;``:

- ``quick``, compared by running, or ``slow``, compared by digests;
- ``exit N``: the exit code, where it is not 0;
- ``of PATH ...``: the files and folders whose code matters, where imports do not say;
- ``code`` and ``text`` digests, seconds and machine of a slow block: ``pages.py`` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

EXEMPT = ("sh", "toml", "python")
"""Languages of fences that no program prints."""
NUMBER = re.compile(r"(?<![\w`.])[-+]?\.?\d")
DIGEST = re.compile(r"\b[0-9a-f]{32,}\b")
COMMENT = re.compile(r"<!-- (by hand|printed by)\b *(?:\(([^()]*)\))? *: *(.+) -->")
END = "<!-- end -->"


@dataclass(frozen=True)
class Marker:
    """What stands in a comment: the options and the command, or the reason of a block by hand."""

    options: tuple[str, ...]
    command: str
    by_hand: bool = False

    @property
    def program(self) -> str:
        """The command without its filter."""
        return self.command.partition(" | ")[0]

    @property
    def filter(self) -> str:
        """What is left of the output, as a command that reads it; "" for all of it."""
        return self.command.partition(" | ")[2]

    @property
    def slow(self) -> bool:
        """True if the block is compared by digests."""
        return "slow" in self.options

    def option(self, name: str, default: str = "") -> str:
        """The value of an option, such as 2 of ``exit 2``."""
        values = [one.partition(" ")[2] for one in self.options if one.partition(" ")[0] == name]
        return values[0] if values else default


@dataclass(frozen=True)
class Block:
    """Lines ``start`` to ``stop`` of a page; the marker is at lines ``comment``, if there is one.

    ``kind`` is fence, table, image, region or prose (a line of it); ``info`` the language of a
    fence; ``above`` language and text of the fence before this block.
    """

    kind: str
    start: int
    stop: int
    text: str
    info: str = ""
    marker: Marker | None = None
    comment: tuple[int, int] = (0, 0)
    above: tuple[str, str] = ("", "")

    @property
    def printed(self) -> Marker | None:
        """The marker, if a command prints the block."""
        return self.marker if self.marker and not self.marker.by_hand else None


def parse_marker(comment: str) -> Marker | None:
    """The marker in a comment, None for a comment of another kind.

    Raises ValueError if it looks like a marker and is none.
    """
    if not re.match(r"<!-- *(printed|by hand)", comment):
        return None
    match = COMMENT.fullmatch(" ".join(comment.split()))
    if match is None:
        raise ValueError(f"a marker must be 'printed by (OPTIONS): COMMAND', got {comment}")
    kind, options, command = match.groups()
    return Marker(tuple(re.split(r" *; *", options or "")), command, kind == "by hand")


def blocks(lines: Sequence[str]) -> Iterator[Block]:
    """All blocks of a page, prose line by line."""
    i, marker, comment, above = 0, None, (0, 0), ("", "")
    while i < len(lines):
        kind, start, stop, after = extent(lines, i)
        if kind == "comment":
            marker, comment = parse_marker("\n".join(lines[start:stop])), (start, stop)
            end = end_of_region(lines, stop) if marker else None
            if end is None:
                i = after
                continue
            kind, start, stop, after = "region", stop, end, end + 1
        if kind != "blank":
            info = lines[i][3:].strip() if kind == "fence" else ""
            text = "\n".join(lines[start:stop])
            yield Block(kind, start, stop, text, info, marker, comment, above)
            marker, above = None, (info, text) if kind == "fence" else above
        i = after


def extent(lines: Sequence[str], i: int) -> tuple[str, int, int, int]:
    """Kind of what begins at line i, where its text starts and stops, and the next line."""
    line = lines[i]
    if line.startswith("```"):
        stop = first(lines, i + 1, lambda each: each.startswith("```"))
        return "fence", i + 1, stop, stop + 1
    if line.startswith("<!--"):
        stop = first(lines, i, lambda each: "-->" in each) + 1
        return "comment", i, stop, stop
    if line.startswith("|"):
        stop = first(lines, i, lambda each: not each.startswith("|"))
        return "table", i, stop, stop
    kind = "blank" if not line.strip() else "image" if line.startswith("![") else "prose"
    return kind, i, i + 1, i + 1


def first(lines: Sequence[str], i: int, is_it: Callable[[str], bool]) -> int:
    """The first line from i on that is as wanted, else the end."""
    return next((k for k in range(i, len(lines)) if is_it(lines[k])), len(lines))


def end_of_region(lines: Sequence[str], i: int) -> int | None:
    """The line of ``<!-- end -->`` if it is the next comment."""
    k = first(lines, i, lambda each: each.startswith("<!--"))
    return k if k < len(lines) and lines[k] == END else None


def missing_marker(block: Block) -> str | None:
    """Why a block needs a marker and has none, or has one and needs a block; else None."""
    if block.kind == "prose":
        if block.marker:
            return "a marker that no block follows"
        return "a digest outside of a block" if DIGEST.search(block.text) else None
    if block.marker:
        return None
    if block.kind == "fence" and block.info not in EXEMPT:
        return f"a block of {block.info or 'no language'} without a marker"
    if block.kind == "table" and any(map(NUMBER.search, block.text.split("\n")[2:])):
        return "a table with numbers without a marker"
    if block.kind == "image" and "](http" not in block.text:
        return "a figure without a marker"
    return None
