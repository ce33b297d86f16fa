"""What ranks tell each other beside the sums: texts of one length, compared as bytes.

A text is sent as its SHA-256 and its first bytes, so buffers have one size and nothing is pickled.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np

from kavg.base import Communicator

TEXT_BYTES: Final = 4000
"""Bytes of a text that ranks exchange; the digest beside them covers the whole text."""
DIGEST_BYTES: Final = hashlib.sha256().digest_size


def group_ranks(comm: Communicator, content: bytes) -> dict[bytes, list[int]]:
    """Return the ranks that passed each content, rank 0's content first.

    All contents must have the same length.  One ``Allgather``.
    """
    # Bytes in buffers, as mpi4py would pickle objects: what ranks send must not run as code.
    everyone = np.empty((comm.Get_size(), len(content)), np.uint8)
    comm.Allgather(np.frombuffer(content, np.uint8), everyone)
    groups: dict[bytes, list[int]] = {}
    for rank, row in enumerate(everyone):
        groups.setdefault(row.tobytes(), []).append(rank)
    return groups


def group_texts(comm: Communicator, text: str) -> dict[str, list[int]]:
    """Return the ranks that passed each text, rank 0's first; texts are cut to ``TEXT_BYTES``.

    One ``Allgather``.
    """
    groups: dict[str, list[int]] = {}
    for content, ranks in group_ranks(comm, encode_text(text)).items():
        groups.setdefault(decode_text(content), []).extend(ranks)
    return groups


def encode_text(text: str) -> bytes:
    """Return the digest of a text and its first bytes, of one length for all texts.

    >>> decode_text(encode_text("12 learners"))
    '12 learners'
    """
    encoded = text.encode(errors="backslashreplace")  # names of files need not be UTF-8
    beginning = encoded[:TEXT_BYTES].ljust(TEXT_BYTES, b"\0")
    return hashlib.sha256(encoded).digest() + beginning


def decode_text(content: bytes) -> str:
    """Return the text that ``encode_text`` encoded, truncated to ``TEXT_BYTES`` bytes.

    A character of which only some bytes are left becomes the replacement character.
    """
    return content[DIGEST_BYTES:].rstrip(b"\0").decode(errors="replace")


def name_ranks(ranks: list[int]) -> str:
    """Return rank numbers as text, at most eight of them.

    >>> name_ranks([0, 2, 3])
    'ranks 0, 2, 3'
    """
    numbers = ", ".join(map(str, ranks[:8])) + (", ..." if len(ranks) > 8 else "")
    return f"rank{'s' if len(ranks) > 1 else ''} {numbers}"
