"""The first line of a checkpoint: text, in this format and in every later one.

::

    kavg checkpoint format=2 kavg=0.4.0 sha256=...

In format 2 runs have a number of their arithmetic.  Format 1 is that of kavg 0.3.0 and before,
which had another arithmetic and do not resume a later format.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from kavg.storage.regular_files import open_regular

FORMAT: Final = 2
SAME_ARITHMETIC: Final = 2
"""The first format with the arithmetic of this kavg; runs in earlier ones are not resumed."""
MAGIC: Final = b"kavg checkpoint "
LINE: Final = re.compile(
    rb"(?P<head>kavg checkpoint format=(?P<format>\d{1,9}) kavg=(?P<kavg>[\w.+!-]{1,40}) )"
    rb"sha256=(?P<checksum>[0-9a-f]{64})\n"
)
LONGEST: Final = 200
"""Bytes within which the first line ends."""


def read_checksum(path: Path) -> str:
    """Return the checksum in the first line of a checkpoint; empty if it has none.

    Raises ``OSError`` if the file cannot be read, and ``KavgError`` if it is no regular file.
    """
    with open_regular(path) as file:
        line = LINE.match(file.read(LONGEST))
    return line["checksum"].decode() if line else ""


def find_other_version(path: Path) -> str:
    """Return the version of kavg that alone resumes a checkpoint; empty if this one does.

    Only its first line is read: empty as well if that is no line of a checkpoint.  Raises
    ``OSError`` if the file cannot be read, and ``KavgError`` if it is no regular file.
    """
    with open_regular(path) as file:
        line = LINE.match(file.read(LONGEST))
    is_own = line is None or SAME_ARITHMETIC <= int(line["format"]) <= FORMAT
    return "" if line is None or is_own else line["kavg"].decode()
