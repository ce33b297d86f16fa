"""Conversion of a settings file to a ``Config``, and back.

A settings file holds the keyword arguments of ``Problem``, ``Algorithm`` and ``simulate``.  Unknown
keys are errors with a suggestion, and all errors of a file are reported together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import tomli_w
from pydantic import TypeAdapter, ValidationError

from kavg.config.config import Config
from kavg.config.consistency import collect_error, consistency_errors
from kavg.config.data_paths import relate_data_path, replace_data_path, resolve_data_path
from kavg.config.kinds import to_plain
from kavg.config.messages import Types, describe_errors
from kavg.config.models import ModelBuilder
from kavg.config.overrides import apply_override
from kavg.config.toml import decode_settings, parse_toml, read_settings
from kavg.errors import KavgError
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.text import escape_unprintable, format_count, shorten

MOST: Final = 20
"""Errors of a file that are described; the others are counted."""


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
    tables = parse_toml(text)
    errors: list[str] = []
    for override in overrides:
        with collect_error(errors, f"--set {shorten(override)}"):
            apply_override(tables, override)
    if data is not None:
        replace_data_path(tables, data)
    elif folder is not None:
        resolve_data_path(tables, folder)
    adapter, types = _settings_type()
    count = len(errors)
    try:
        config = adapter.validate_python(tables)
    except ValidationError as error:
        # Described one by one: a hostile file has a hundred thousand.
        errors += islice(describe_errors(error, tables, types), MOST)
        count += error.error_count()
    else:
        # Only now, as combinations cannot be checked while a value is invalid.
        if reads_data or not isinstance(config.objective, EmpiricalRisk):
            errors += consistency_errors(config)
        if not errors:
            return config
        count = len(errors)
    if count > MOST:
        errors[MOST:] = [f"and {format_count(count - MOST, 'more error')}"]
    raise KavgError("\n".join(errors))


def to_toml(config: Config, folder: Path | None = None) -> str:
    """Return a settings file that parses to this config, with every default written out.

    In a run folder, ``folder``, the path of data in the same project is relative to it.

    >>> text = to_toml(parse_config(EXAMPLE))
    >>> to_toml(parse_config(text)) == text
    True
    """
    tables = to_plain(config)
    if folder is not None:
        relate_data_path(tables, folder)
    return tomli_w.dumps(tables)


def json_schema() -> Mapping[str, Any]:
    """Return the JSON schema of a settings file, by which editors complete and check keys.

    It has the ranges of numbers and the first line of each docstring; only ``parse_config`` checks
    the combination of settings.
    """
    return _settings_type()[0].json_schema()


@cache
def _settings_type() -> tuple[TypeAdapter[Config], Types]:
    # The type of a whole file, and those of the keys of each of its tables.
    models = ModelBuilder()
    whole = models.table(Config)
    return TypeAdapter(whole), models.types


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
