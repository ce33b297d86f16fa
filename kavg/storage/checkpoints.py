"""Checkpoint files: protected by a checksum, and unable to run code when read.

The checksum of the first line (``kavg.storage.checkpoint_line``) covers all other bytes of the
file, those of the line included, and is compared before anything is parsed.  In formats 1 and 2 the
rest is an ``.npz`` without pickled objects: the arrays of the runs as in ``trajectory.npz``, and
``about``, JSON text with the settings in TOML, a digest of the data, the sessions so far and the
fields of the runs that are not arrays.  A run in progress is stored as a run of as many rounds as
it has completed.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, final

import numpy as np

from kavg.errors import KavgError, NewerFormat
from kavg.storage import npz
from kavg.storage.atomic import sync_folder, write_atomically
from kavg.storage.checkpoint_line import FORMAT, LINE, LONGEST, MAGIC
from kavg.storage.regular_files import open_regular
from kavg.storage.text_files import parse_json
from kavg.storage.trajectories import build_trajectories, collect_arrays, collect_fields
from kavg.trajectory import Trajectory
from kavg.version import __version__

FOLDER: Final = "checkpoints"
NAME: Final = re.compile(r"(\d{6,18})\.ckpt")
DAMAGED: Final = (*npz.UNREADABLE, KeyError, AttributeError)
END_MAGIC: Final = b"PK\5\6"
END_BYTES: Final = 22
"""How an archive ends that has no comment: these bytes, which begin so."""
CHUNK: Final = 2**20


@final
@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A run in progress, or a finished one that is to be extended.

    ``runs`` are those of the algorithms of ``settings`` (TOML), in their order, as far as they have
    begun.  ``data`` is a digest of the data that the settings name; ``sessions`` record when, where
    and with which versions the rounds were computed, one entry for each start of the program.
    Of a sweep, ``sweep`` says which points are finished, with ``done``, their rounds; ``runs`` are
    then those of finished points.  It is None for other runs.
    """

    settings: str
    data: str
    runs: Sequence[Trajectory]
    sessions: Sequence[Mapping[str, Any]]
    sweep: Mapping[str, Any] | None = None

    @property
    def done(self) -> int:
        """Completed rounds, summed over all algorithms, or all points of a sweep."""
        if self.sweep is not None:
            return int(self.sweep["done"])
        return sum(run.done or 0 for run in self.runs)


def encode_checkpoint(checkpoint: Checkpoint) -> tuple[bytes, memoryview]:
    """Return the first line of the file and the rest of it, which has the size of the arrays.

    ``decode_checkpoint`` takes both as one.  Joining them here would copy the arrays again.
    """
    fields: dict[str, Any] = {
        "settings": checkpoint.settings,
        "data": checkpoint.data,
        "runs": [collect_fields(run) for run in checkpoint.runs],
        "sessions": list(checkpoint.sessions),
    }
    if checkpoint.sweep is not None:
        fields["sweep"] = dict(checkpoint.sweep)
    rest = io.BytesIO()
    np.savez(rest, **{"about": np.array(json.dumps(fields)), **collect_arrays(checkpoint.runs)})
    head = f"kavg checkpoint format={FORMAT} kavg={__version__} ".encode()
    checksum = _compute_checksum(head, rest.getbuffer())
    return head + b"sha256=" + checksum + b"\n", rest.getbuffer()


def _compute_checksum(head: bytes, rest: memoryview) -> bytes:
    sha = hashlib.sha256(head)
    sha.update(rest)
    return sha.hexdigest().encode()


def decode_checkpoint(content: bytes) -> Checkpoint:
    """Return the checkpoint that a file holds.

    Raises ``NewerFormat`` if only a newer kavg can read it, and another ``KavgError`` if it is
    damaged; the messages can follow the name of the file.
    """
    line = LINE.match(content)
    if line is None:
        known = content.startswith(MAGIC) and b"\n" in content[:LONGEST]
        raise KavgError("its first line is damaged" if known else _describe_foreign(content))
    rest = memoryview(content)[line.end() :]
    # Before the format, as a flipped digit is damage and not another format.
    if _compute_checksum(line["head"], rest) != line["checksum"]:
        raise KavgError("it is cut off or damaged: its checksum does not fit")
    return _decode_intact(line, rest)


def _decode_intact(line: re.Match[bytes], rest: memoryview) -> Checkpoint:
    """Decode what fits its checksum."""
    if int(line["format"]) > FORMAT:
        version, needed = line["kavg"].decode(), int(line["format"])
        raise NewerFormat(
            f"it has format {needed}, written by kavg {version}; this is kavg {__version__}, "
            f"which reads formats up to {FORMAT}: use kavg {version} or newer"
        )
    try:
        return _decode_content(rest)
    except DAMAGED as error:
        raise KavgError(f"its content is not what kavg writes: {error}") from None


def _describe_foreign(content: bytes) -> str:
    is_truncated = MAGIC.startswith(content[: len(MAGIC)]) or content.startswith(MAGIC)
    return "it is cut off" if is_truncated else "it is not a checkpoint of kavg"


def _decode_content(rest: memoryview) -> Checkpoint:
    """Decode both formats.  A checksum is no signature, so the content is validated as well."""
    arrays = npz.unpack_archive(io.BytesIO(rest), len(rest))
    fields = parse_json(str(arrays.pop("about")))
    runs = build_trajectories(fields["runs"], arrays)
    settings, data, sessions = fields["settings"], fields["data"], fields["sessions"]
    sweep = fields.get("sweep")
    are_texts = isinstance(settings, str) and isinstance(data, str)
    if not are_texts or not isinstance(sessions, list):
        raise ValueError("settings and data must be text, sessions a list")
    if sweep is not None and not (isinstance(sweep, dict) and type(sweep.get("done")) is int):
        raise ValueError("of a sweep, the number of rounds that are done must be there")
    return Checkpoint(settings, data, runs, sessions, sweep)


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint to ``folder``, whole or not at all, named after its number of rounds."""
    path = folder / f"{checkpoint.done:09d}.ckpt"
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "it is a link, which is not followed")
    folder.mkdir(parents=True, exist_ok=True)
    sync_folder(folder.parent)
    with write_atomically(path) as file:
        file.writelines(encode_checkpoint(checkpoint))
    return path


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises what ``decode_checkpoint`` raises, with the name of the file, and ``KavgError`` if the
    file cannot be read.
    """
    try:
        with open_regular(path) as file:
            line = _validate_checksum(file)
            file.seek(line.end())
            return _decode_intact(line, memoryview(file.read()))
    except OSError as error:
        raise KavgError(f"{str(path)!r} is refused: {error.strerror}") from None
    except KavgError as error:
        kind = NewerFormat if isinstance(error, NewerFormat) else KavgError
        raise kind(f"{str(path)!r} is refused: {error}") from None


def _validate_checksum(file: BinaryIO) -> re.Match[bytes]:
    """Return the first line of a file that fits its checksum; its content is not in memory then.

    Raises ``KavgError`` if it cannot be a checkpoint.
    """
    head = file.read(LONGEST)
    line = LINE.match(head)
    size = file.seek(0, os.SEEK_END)
    if line is None or size <= LONGEST:
        file.seek(0)
        decode_checkpoint(file.read(LONGEST))
        raise KavgError("it is cut off")
    # Of the formats so far the end is known: a file of any size is refused at once.
    file.seek(-END_BYTES, os.SEEK_END)
    is_ended = int(line["format"]) > FORMAT or file.read(len(END_MAGIC)) == END_MAGIC
    file.seek(line.end())
    sha = hashlib.sha256(line["head"])
    while is_ended and (chunk := file.read(CHUNK)):
        sha.update(chunk)
    if sha.hexdigest().encode() != line["checksum"]:
        raise KavgError("it is cut off or damaged: its checksum does not fit")
    return line


def list_checkpoints(folder: Path) -> list[Path]:
    """List the checkpoints in a folder, the one with the most rounds first.

    They may be damaged; files of other names are left out.  Raises ``OSError`` without the folder.
    """
    paths = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    # By number, not by name: names have more than nine digits from 10^9 rounds on.
    return sorted(paths, key=lambda path: int(path.stem), reverse=True)
