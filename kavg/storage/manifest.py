"""The receipt of a folder: name, size and SHA-256 of every file, and of the receipt itself.

``sha256sum -c manifest.sha256`` reads it too, for which lines with ``#`` are comments::

    # kavg manifest 1
    # 226 bytes
    9f4a...  config.toml
    # sha256 of the lines above: 5b1c...

It finds accidents.  Whoever can write the folder can also write a new receipt.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from kavg.errors import KavgError

NAME: Final = "manifest.sha256"
HEAD: Final = b"# kavg manifest 1\n"
LARGEST: Final = 2**24
ENTRY: Final = re.compile(rb"# (\d{1,18}) bytes\n(\\?)([0-9a-f]{64})  ([^\n]+)\n")
LETTERS: Final = {b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r"}
"""How sha256sum writes the letters of a name that a line cannot hold."""


@final
@dataclass(frozen=True)
class Entry:
    """Size in bytes and SHA-256 in hex of one file."""

    size: int
    sha256: str


def entry(path: Path) -> Entry:
    """What there is to say of a file."""
    with path.open("rb") as file:
        return Entry(
            os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
        )


def listed(folder: Path) -> dict[str, Path]:
    """All that lies in a folder, however deep, by its name from there; links are not followed."""
    found = {}
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in (*files, *links):
            path = Path(place, name)
            found[path.relative_to(folder).as_posix()] = path
    found.pop(NAME, None)
    return found


def manifest_of(folder: Path) -> bytes:
    """The manifest of a folder as it is now."""
    return sealed({name: entry(path) for name, path in listed(folder).items()})


def updated(folder: Path, paths: Iterable[Path]) -> bytes | None:
    """Its manifest once these files in it were written; None if it has none, or a damaged one.

    All other entries stay as they were: what was changed by someone else is still found.
    """
    try:
        entries = dict(stored(folder))
    except KavgError:
        return None
    home = folder.resolve()
    for path in (path.resolve() for path in paths):
        if path.is_relative_to(home):
            entries[path.relative_to(home).as_posix()] = entry(path)
    return sealed(entries)


def sealed(entries: Mapping[str, Entry]) -> bytes:
    """The text of a manifest.

    >>> print(sealed({"a.txt": Entry(0, hashlib.sha256().hexdigest())}).decode()[:76])
    # kavg manifest 1
    # 0 bytes
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c
    """
    lines = HEAD + b"".join(line(name, entries[name]) for name in sorted(entries))
    return lines + seal(lines)


def line(name: str, of: Entry) -> bytes:
    """The two lines of a file."""
    spelt = os.fsencode(name)
    for letter, written in LETTERS.items():
        spelt = spelt.replace(letter, written)
    mark = b"" if spelt == os.fsencode(name) else b"\\"
    return b"# %d bytes\n%s%s  %s\n" % (of.size, mark, of.sha256.encode(), spelt)


def seal(lines: bytes) -> bytes:
    """The last line."""
    return b"# sha256 of the lines above: %s\n" % hashlib.sha256(lines).hexdigest().encode()


def stored(folder: Path) -> Mapping[str, Entry]:
    """The entries of a folder's manifest, which must be whole."""
    path = folder / NAME
    if not path.is_file():
        raise KavgError(f"{NAME} is missing, without which nothing can be said of the files")
    try:
        with path.open("rb") as file:
            return entries_of(file.read(LARGEST))
    except OSError as error:
        raise KavgError(f"{NAME} cannot be read: {error.strerror}") from None


def entries_of(content: bytes) -> Mapping[str, Entry]:
    """The entries of a manifest, to the last bit what ``sealed`` makes of them."""
    lines = content[: content.rfind(b"\n", 0, -1) + 1]
    if content != lines + seal(lines):
        raise KavgError(f"{NAME} is damaged itself")
    entries = {}
    for size, mark, sha256, spelt in ENTRY.findall(lines):
        name = re.sub(rb"\\(.)", unescaped, spelt) if mark else spelt
        entries[os.fsdecode(name)] = Entry(int(size), sha256.decode())
    if sealed(entries) != content:
        raise KavgError(f"{NAME} is of another version of kavg, or not of kavg")
    return entries


def unescaped(found: re.Match[bytes]) -> bytes:
    """The letter that a name could not show."""
    return {b"n": b"\n", b"r": b"\r"}.get(found[1], found[1])


def differences(folder: Path) -> list[str]:
    """What is not as it was written, one line a file; none if all is."""
    try:
        entries = stored(folder)
    except KavgError as fault:
        return [str(fault)]
    return list(compared(entries, listed(folder)))


def check(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder in which one of these files is not as it was written."""
    entries = stored(folder)
    for name in names:
        why = changed(folder / name, entries[name]) if name in entries else f"{NAME} lacks it"
        if why:
            raise KavgError(f"{name!r} was changed: {why}")


def compared(entries: Mapping[str, Entry], found: Mapping[str, Path]) -> Iterator[str]:
    """Each file of the manifest or the folder that is not the same in both."""
    for name in sorted(entries.keys() | found.keys()):
        if name not in found:
            yield f"{name!r} is missing"
        elif name not in entries:
            yield f"{name!r} was added"
        elif why := changed(found[name], entries[name]):
            yield f"{name!r} was changed: {why}"


def changed(path: Path, was: Entry) -> str:
    """How a file differs from what it was; a file of another size is not read."""
    if path.is_symlink() or not path.is_file():
        return "it is no file any more"
    size = path.stat().st_size
    if size != was.size:
        return f"it has {size} bytes instead of {was.size}"
    try:
        return "" if entry(path) == was else "its SHA-256 is another"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
