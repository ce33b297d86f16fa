"""Trajectories sent from rank to rank as bytes of arrays; nothing is pickled."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Communicator
from kavg.storage import npz
from kavg.storage.text_files import parse_json
from kavg.storage.trajectories import build_trajectories, collect_arrays, collect_fields
from kavg.trajectory import Trajectory

CHUNK: Final = 2**24
"""Bytes that each rank sends at once: all ranks' together stay below the 2^31 of an MPI count."""


def gather_runs(
    comm: Communicator, own: Sequence[Trajectory] | None
) -> list[list[Trajectory] | None]:
    """Return the runs of each rank, on every rank; None of a rank that has none to give.

    An ``Allgather`` of their sizes, and one for each ``CHUNK`` bytes of the largest.

    >>> from kavg import SerialComm
    >>> gather_runs(SerialComm(), None)
    [None]
    """
    if comm.Get_size() == 1:
        return [None if own is None else list(own)]
    content = b"" if own is None else encode_runs(own)
    return [decode_runs(each) if each else None for each in _gather_bytes(comm, content)]


def encode_runs(runs: Sequence[Trajectory]) -> bytes:
    """Encode trajectories as an uncompressed archive, which ``decode_runs`` reads."""
    content = io.BytesIO()
    about = json.dumps([collect_fields(run) for run in runs])
    np.savez(content, **{"about": np.array(about), **collect_arrays(runs)})
    return content.getvalue()


def decode_runs(content: bytes) -> list[Trajectory]:
    """Return the trajectories that ``encode_runs`` encoded, with the same bits."""
    arrays = npz.unpack_archive(io.BytesIO(content), len(content))
    return build_trajectories(parse_json(str(arrays.pop("about"))), arrays)


def _gather_bytes(comm: Communicator, content: bytes) -> list[bytes]:
    size = comm.Get_size()
    lengths = np.empty(size, np.int64)
    comm.Allgather(np.array([len(content)], np.int64), lengths)
    longest = int(lengths.max())
    mine = np.zeros(longest, np.uint8)
    mine[: len(content)] = np.frombuffer(content, np.uint8)
    everyone: NDArray[np.uint8] = np.empty((size, longest), np.uint8)
    for first in range(0, longest, CHUNK):
        part = mine[first : first + CHUNK]
        gathered = np.empty((size, len(part)), np.uint8)
        comm.Allgather(part, gathered)
        everyone[:, first : first + CHUNK] = gathered
    return [row[:length].tobytes() for row, length in zip(everyone, lengths, strict=True)]
