"""Checkpoints: files that are read only when they are whole, and that cannot run code.

The first line of a checkpoint is text, whatever its format will be one day::

    kavg checkpoint format=1 kavg=0.1.0 sha256=...

The sum is over all other bytes of the file, the line's own included, and is looked at before
anything else is.  In format 1 the rest is an ``.npz`` without pickled objects: the arrays of the
runs as in ``trajectory.npz``, and ``about``, JSON text that holds the settings in TOML, a digest of
the data, the sessions that led here and what in the runs is not an array.  A run in progress is
stored as the shorter run that it is so far.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from kavg.errors import KavgError, NewerFormat
from kavg.storage import npz
from kavg.storage.atomic import flush, written
from kavg.storage.text_files import parse_json
from kavg.storage.trajectories import about, arrays_of, rebuilt
from kavg.storage.validation import validate_trajectory
from kavg.trajectory import Trajectory
from kavg.version import __version__

FORMAT: Final = 1
FOLDER: Final = "checkpoints"
NAME: Final = re.compile(r"(\d{6,18})\.ckpt")
MAGIC: Final = b"kavg checkpoint "
LINE: Final = re.compile(
    rb"(?P<told>kavg checkpoint format=(?P<format>\d{1,9}) kavg=(?P<kavg>[\w.+!-]{1,40}) )"
    rb"sha256=(?P<sum>[0-9a-f]{64})\n"
)
DAMAGED: Final = (*npz.UNREADABLE, KeyError, AttributeError)
LONGEST: Final = 200
"""Bytes within which the first line ends."""


@final
@dataclass(frozen=True, eq=False)
class Checkpoint:
    """``runs``, begun or finished, of the algorithms of ``settings`` (TOML), in their order.

    ``data`` is a digest of the data that the settings name; ``sessions`` say when, where and under
    which versions the rounds were computed.
    """

    settings: str
    data: str
    runs: Sequence[Trajectory]
    sessions: Sequence[Mapping[str, Any]]

    @property
    def done(self) -> int:
        """Rounds done, over all algorithms."""
        return sum(run.done or 0 for run in self.runs)


def to_bytes(checkpoint: Checkpoint) -> tuple[bytes, memoryview]:
    """The first line and the rest of the file."""
    described = {
        "settings": checkpoint.settings,
        "data": checkpoint.data,
        "runs": [about(run) for run in checkpoint.runs],
        "sessions": list(checkpoint.sessions),
    }
    rest = io.BytesIO()
    np.savez(rest, **{"about": np.array(json.dumps(described)), **arrays_of(checkpoint.runs)})
    told = f"kavg checkpoint format={FORMAT} kavg={__version__} ".encode()
    return told + b"sha256=" + summed(told, rest.getbuffer()) + b"\n", rest.getbuffer()


def summed(told: bytes, rest: memoryview) -> bytes:
    """SHA-256 of the file but for the sum itself, in hexadecimal."""
    sha = hashlib.sha256(told)
    sha.update(rest)
    return sha.hexdigest().encode()


def from_bytes(content: bytes) -> Checkpoint:
    """The checkpoint, or a ``KavgError`` that says what is wrong with the file."""
    line = LINE.match(content)
    if line is None:
        known = content.startswith(MAGIC) and b"\n" in content[:LONGEST]
        raise KavgError("its first line is damaged" if known else not_ours(content))
    rest = memoryview(content)[line.end() :]
    if summed(line["told"], rest) != line["sum"]:
        raise KavgError("it is cut off or damaged: its checksum does not fit")
    if int(line["format"]) > FORMAT:
        version, needed = line["kavg"].decode(), int(line["format"])
        raise NewerFormat(
            f"it has format {needed}, written by kavg {version}; this is kavg {__version__}, "
            f"which reads formats up to {FORMAT}: use kavg {version} or newer"
        )
    try:
        return unpacked(rest)
    except DAMAGED as error:
        raise KavgError(f"its content is not what kavg writes: {error}") from None


def not_ours(content: bytes) -> str:
    """What a file is that does not begin as a checkpoint does."""
    cut = MAGIC.startswith(content[: len(MAGIC)]) or content.startswith(MAGIC)
    return "it is cut off" if cut else "it is no checkpoint of kavg"


def unpacked(rest: memoryview) -> Checkpoint:
    """The content of format 1."""
    arrays = npz.unpack_archive(io.BytesIO(rest), len(rest))
    described = parse_json(str(arrays.pop("about")))
    runs = [validate_trajectory(rebuilt(i, one, arrays)) for i, one in enumerate(described["runs"])]
    texts = (described["settings"], described["data"])
    sessions = described["sessions"]
    if not all(isinstance(text, str) for text in texts) or not isinstance(sessions, list):
        raise ValueError("settings and data must be text, sessions a list")
    return Checkpoint(*texts, runs, sessions)


def write(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write to ``folder``, whole or not at all, under the number of rounds done."""
    path = folder / f"{checkpoint.done:09d}.ckpt"
    folder.mkdir(parents=True, exist_ok=True)
    flush(folder.parent)
    with written(path) as partial, partial.open("wb") as file:
        file.writelines(to_bytes(checkpoint))
    return path


def read(path: Path) -> Checkpoint:
    """A checkpoint, or a ``KavgError`` that names the file."""
    try:
        if not path.is_file():  # a device may have no end
            raise KavgError("it is no file")
        return from_bytes(path.read_bytes())
    except OSError as error:
        raise KavgError(f"{str(path)!r} is refused: {error.strerror}") from None
    except KavgError as fault:
        kind = NewerFormat if isinstance(fault, NewerFormat) else KavgError
        raise kind(f"{str(path)!r} is refused: {fault}") from None


def stored(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the last first."""
    names = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    return sorted(names, key=lambda path: int(path.stem), reverse=True)
