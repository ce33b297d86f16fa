"""The manifest of a folder: name, size and SHA-256 of every file, and a checksum of itself.

``sha256sum -c manifest.sha256`` reads it too, for which lines with ``#`` are comments::

    # kavg manifest 1
    # 226 bytes
    9f4a...  config.toml
    # sha256 of the lines above: 5b1c...

It detects accidents, not intent: anyone who can write the folder can write a new manifest.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final, final

from kavg.errors import KavgError
from kavg.storage.changes.replacement import STAGE
from kavg.storage.locks.folder_lock import INSIDE
from kavg.storage.regular_files import open_regular, read_regular

NAME: Final = "manifest.sha256"
HEAD: Final = b"# kavg manifest 1\n"
DEEPEST: Final = 100
"""Folders in folders that are read at most."""
LARGEST: Final = 2**24
"""Bytes of a manifest that are read at most."""
ENTRY: Final = re.compile(rb"# (\d{1,18}) bytes\n(\\?)([0-9a-f]{64})  ([^\n]+)\n")
ESCAPES: Final = {b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r"}
"""How sha256sum writes characters of a name that a line cannot hold."""


@final
@dataclass(frozen=True)
class Entry:
    """Size in bytes and SHA-256 in hexadecimal of one file."""

    size: int
    sha256: str


def compute_entry(path: Path) -> Entry:
    """Read a file and compute its entry.

    Raises ``OSError`` if it cannot be read, and ``KavgError`` if it is no regular file.
    """
    with open_regular(path, inf) as file:
        size = os.fstat(file.fileno()).st_size
        return Entry(size, hashlib.file_digest(file, "sha256").hexdigest())


def list_files(folder: Path) -> dict[str, Path]:
    """List all files in a folder and below, but for its manifest and lock, by their relative names.

    Links are listed and not followed.  Raises ``KavgError`` if a folder in it cannot be read, or
    lies more than ``DEEPEST`` folders deep.
    """
    files: dict[str, Path] = {}
    waiting = [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        name = place.relative_to(folder).as_posix()
        if depth > DEEPEST:
            raise KavgError(f"{name[:40]!r} and so on is nested more than {DEEPEST} folders deep")
        try:
            with os.scandir(place) as entries:
                found = [
                    (place / each.name, each.is_dir(follow_symlinks=False)) for each in entries
                ]
        except OSError as error:
            raise KavgError(f"{name!r} cannot be read: {error.strerror}") from None
        waiting += [(path, depth + 1) for path, is_folder in found if is_folder]
        files |= {
            path.relative_to(folder).as_posix(): path for path, is_folder in found if not is_folder
        }
    return {name: path for name, path in files.items() if name not in (NAME, INSIDE, STAGE)}


def build_manifest(folder: Path) -> bytes:
    """Build the manifest of a folder as it is now.

    Every file is read; ``update_manifest`` reads only those that were added.  Raises ``OSError``.
    """
    return format_manifest({name: compute_entry(path) for name, path in list_files(folder).items()})


def update_manifest(folder: Path, files: Mapping[str, Path]) -> bytes | None:
    """Build the manifest that a folder has once files are added to it or replaced.

    ``files`` are the new ones by their relative names, wherever they are.  All other entries are
    kept, so that changes of other files are still detected.  None if the folder has no manifest, or
    a damaged one: the original content of its other files is then unknown.
    """
    try:
        entries = dict(read_manifest(folder))
    except KavgError:
        return None
    return format_manifest(entries | {name: compute_entry(path) for name, path in files.items()})


def format_manifest(entries: Mapping[str, Entry]) -> bytes:
    """Format a manifest, sorted by name.

    >>> print(format_manifest({"a.txt": Entry(0, hashlib.sha256().hexdigest())}).decode()[:76])
    # kavg manifest 1
    # 0 bytes
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c
    """
    lines = HEAD + b"".join(_format_entry(name, entries[name]) for name in sorted(entries))
    return lines + checksum_line(lines)


def _format_entry(name: str, entry: Entry) -> bytes:
    escaped = os.fsencode(name)
    # The backslash comes first, as the other replacements contain one.
    for character, replacement in ESCAPES.items():
        escaped = escaped.replace(character, replacement)
    mark = b"" if escaped == os.fsencode(name) else b"\\"
    return b"# %d bytes\n%s%s  %s\n" % (entry.size, mark, entry.sha256.encode(), escaped)


def checksum_line(lines: bytes) -> bytes:
    """The last line of a manifest, which covers all lines above it."""
    return b"# sha256 of the lines above: %s\n" % hashlib.sha256(lines).hexdigest().encode()


def read_manifest(folder: Path) -> Mapping[str, Entry]:
    """Read the entries of a folder's manifest, by the relative names of the files.

    Raises ``KavgError`` unless it is there and whole.
    """
    path = folder / NAME
    if not path.is_file():
        raise KavgError(f"{NAME} is missing, so changes of the files cannot be detected")
    try:
        content = read_regular(path, LARGEST)
    except OSError as error:
        raise KavgError(f"{NAME} cannot be read: {error.strerror}") from None
    except KavgError as error:
        raise KavgError(f"{NAME} cannot be read: {error}") from None
    return parse_manifest(content)


def parse_manifest(content: bytes) -> Mapping[str, Entry]:
    """Parse a manifest.

    Raises ``KavgError`` unless its bytes are those that ``format_manifest`` makes of its entries.
    """
    lines = content[: content.rfind(b"\n", 0, -1) + 1]
    if content != lines + checksum_line(lines):
        raise KavgError(f"{NAME} is damaged itself")
    entries = {}
    for size, mark, sha256, escaped in ENTRY.findall(lines):
        name = re.sub(rb"\\(.)", _unescape, escaped) if mark else escaped
        entries[os.fsdecode(name)] = Entry(int(size), sha256.decode())
    if format_manifest(entries) != content:
        raise KavgError(f"{NAME} was written by another version of kavg, or not by kavg")
    return entries


def _unescape(match: re.Match[bytes]) -> bytes:
    return {b"n": b"\n", b"r": b"\r"}.get(match[1], match[1])


def list_changes(folder: Path) -> list[str]:
    """Describe each file of a folder that is not as the manifest says; empty if all are.

    If there is no whole manifest, that is the only description.
    """
    try:
        return list(compare_files(read_manifest(folder), list_files(folder)))
    except KavgError as error:
        return [str(error)]


def validate_files(folder: Path, names: Iterable[str]) -> None:
    """Raise KavgError if one of these files of a folder is not as it was written.

    Unlike ``list_changes`` it reads no others.
    """
    entries = read_manifest(folder)
    for name in names:
        if name not in entries:
            raise KavgError(f"{name!r} was changed: {NAME} does not list it")
        change = _describe_change(folder / name, entries[name])
        if change is not None:
            raise KavgError(f"{name!r} was changed: {change}")


def compare_files(entries: Mapping[str, Entry], files: Mapping[str, Path]) -> Iterator[str]:
    """Describe each file that is missing, was added, or is not as its entry says."""
    for name in sorted(entries.keys() | files.keys()):
        if name not in files:
            yield f"{name!r} is missing"
        elif name not in entries:
            yield f"{name!r} was added"
        elif (change := _describe_change(files[name], entries[name])) is not None:
            yield f"{name!r} was changed: {change}"


def _describe_change(path: Path, was: Entry) -> str | None:
    """How a file differs from its entry; None if it does not."""
    if path.is_symlink() or not path.is_file():
        return "it is not a file any more"
    size = path.stat().st_size
    if size != was.size:  # before reading the file, which may have become huge
        return f"it has {size} bytes instead of {was.size}"
    try:
        return None if compute_entry(path) == was else "its SHA-256 differs"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
