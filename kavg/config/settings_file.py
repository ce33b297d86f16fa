"""Conversion of a settings file to a ``Config``, and back.

A settings file holds the keyword arguments of ``Problem``, ``Algorithm`` and ``simulate``.  Unknown
keys are errors with a suggestion, and all errors of a file are reported together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kavg.config.config import Config
from kavg.config.consistency import consistency_errors
from kavg.config.kinds import to_plain
from kavg.config.messages import describe_error
from kavg.config.table_conversion import (
    WrongSettings,
    convert_tables,
    format_tables,
    join_errors,
    parse_tables,
)
from kavg.config.toml import decode_settings, read_settings
from kavg.errors import KavgError
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.text import escape_unprintable, format_count

SWEEP: Final = (
    "sweep: these settings are many runs; kavg sweep and kavg run run them, other commands take a "
    "file without [sweep], such as best.toml in the folder of a sweep"
)


def load_config(
    path: str | Path,
    overrides: Sequence[str] = (),
    content: bytes | None = None,
    *,
    reads_data: bool = True,
) -> Config:
    """Load a settings file; ``overrides`` are texts such as ``"algorithm.0.K=4"``.

    Paths of data are relative to the folder of the file; without ``reads_data`` they are not read.
    ``content`` is what was read already, of a pipe; paths are then relative to the current folder.
    Raises ``KavgError`` with the path and all errors of the file, one a line.
    """
    path = Path(path)
    text = read_settings(path) if content is None else decode_settings(content, path)
    folder = path.parent if content is None else Path()
    with name_settings_file(path):
        return parse_config(text, overrides, folder, reads_data=reads_data)


@contextmanager
def name_settings_file(path: Path) -> Iterator[None]:
    """Put the path and the number of errors in front of errors raised inside the block."""
    try:
        yield
    except KavgError as error:
        lines = str(error).split("\n")
        others = re.fullmatch(r"and (\d+) more errors?", lines[-1])
        count = len(lines) + (int(others[1]) - 1 if others else 0)
        title = f"{escape_unprintable(str(path))}: {format_count(count, 'error')}"
        raise type(error)("\n  ".join([title, *lines])) from None


def parse_config(
    text: str,
    overrides: Sequence[str] = (),
    folder: Path | None = None,
    *,
    data: str | None = None,
    reads_data: bool = True,
) -> Config:
    """Parse the text of a settings file, after ``overrides`` such as ``"algorithm.0.K=4"``.

    Paths of data are relative to ``folder``, by default the current one.  Raises ``KavgError`` with
    the first ``MOST`` errors, one a line, and the number of the others: those of the overrides,
    then those of keys and values, or, if all values are valid, those of their combination.

    ``data`` is another path for the file of data.  Without ``reads_data`` no data are read, and the
    combination of settings that need them is not checked.
    """
    tables, errors = parse_tables(text, overrides, folder, data)
    if "sweep" in tables:
        raise KavgError(SWEEP)
    count = len(errors)
    try:
        config = convert_tables(tables)
    except WrongSettings as error:
        errors += [describe_error(*found) for found in error.errors]
        count += error.count
    else:
        # Only now, as combinations cannot be checked while a value is invalid.
        if reads_data or not isinstance(config.objective, EmpiricalRisk):
            errors += consistency_errors(config)
        if not errors:
            return config
        count = len(errors)
    raise KavgError(join_errors(errors, count))


def to_toml(config: Config, folder: Path | None = None) -> str:
    """Return a settings file that parses to this config, with every default written out.

    In a run folder, ``folder``, the path of data in the same project is relative to it.

    >>> text = to_toml(parse_config(EXAMPLE))
    >>> to_toml(parse_config(text)) == text
    True
    """
    return format_tables(to_plain(config), folder)


EXAMPLE = """\
seed = 1
rounds = 200
replicas = 64
start = 2.0

[objective]
kind = "cosine"
dim = 100

[oracle]
kind = "gaussian"
sigma2 = 1.0

[[algorithm]]
name = "K-AVG"
P = 16
K = 8
gamma = 0.05
outer = { kind = "averaging" }

[[algorithm]]
name = "M-AVG"
P = 16
K = 8
gamma = 0.05
outer = { kind = "block_momentum", mu = 0.5 }
"""
