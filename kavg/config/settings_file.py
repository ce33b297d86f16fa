"""Conversion of a settings file to a ``Config``, and back.

A settings file holds the keyword arguments of ``Problem``, ``Algorithm`` and ``simulate``.  Unknown
keys are errors with a suggestion, and all errors of a file are reported together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import TypeAdapter, ValidationError

from kavg.config.config import Config
from kavg.config.consistency import collect_error, consistency_errors
from kavg.config.kinds import to_plain
from kavg.config.messages import describe_errors, shorten
from kavg.config.models import ModelBuilder
from kavg.config.overrides import apply_override
from kavg.config.toml import decode_settings, parse_toml, read_settings
from kavg.errors import KavgError
from kavg.storage.atomic import resolve_links


def load_config(
    path: str | Path, overrides: Sequence[str] = (), content: bytes | None = None
) -> Config:
    """Load a settings file; ``overrides`` are texts such as ``"algorithm.0.K=4"``.

    Paths of data are relative to the folder of the file.  ``content`` is what was read already, of
    a pipe; paths are then relative to the current folder.  Raises ``KavgError`` with the path and
    all errors of the file, one a line.
    """
    path = Path(path)
    text = read_settings(path) if content is None else decode_settings(content, path)
    try:
        return parse_config(text, overrides, path.parent if content is None else Path())
    except KavgError as error:
        lines = str(error).split("\n")
        count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
        raise KavgError("\n  ".join([f"{path}: {count}", *lines])) from None


def parse_config(text: str, overrides: Sequence[str] = (), folder: Path | None = None) -> Config:
    """Parse the text of a settings file, after ``overrides`` such as ``"algorithm.0.K=4"``.

    Paths of data are relative to ``folder``, by default the current one.  Raises ``KavgError`` with
    all errors, one a line: those of the overrides, then those of keys and values, or, if all values
    are valid, those of their combination.
    """
    tables = parse_toml(text)
    errors: list[str] = []
    for override in overrides:
        with collect_error(errors, f"--set {shorten(override)}"):
            apply_override(tables, override)
    _resolve_data_path(tables, folder)
    adapter, keys = _settings_type()
    try:
        config = adapter.validate_python(tables)
    except ValidationError as error:
        errors += describe_errors(error, tables, keys)
    else:
        # Only now, as combinations cannot be checked while a value is invalid.
        errors += consistency_errors(config)
    if errors:
        raise KavgError("\n".join(errors))
    return config


def to_toml(config: Config) -> str:
    """Return a settings file that parses to this config, with every default written out.

    >>> text = to_toml(parse_config(EXAMPLE))
    >>> to_toml(parse_config(text)) == text
    True
    """
    return tomli_w.dumps(to_plain(config))


def json_schema() -> Mapping[str, Any]:
    """Return the JSON schema of a settings file, by which editors complete and check keys.

    It has the ranges of numbers and the first line of each docstring; only ``parse_config`` checks
    the combination of settings.
    """
    return _settings_type()[0].json_schema()


@cache
def _settings_type() -> tuple[TypeAdapter[Config], dict[str, list[str]]]:
    # The type of a whole file, and the known keys of each of its tables.
    models = ModelBuilder()
    whole = models.table(Config)
    return TypeAdapter(whole), models.keys | {"": models.keys["Config"]}


def _resolve_data_path(tables: dict[str, Any], folder: Path | None) -> None:
    objective = tables.get("objective")
    if folder is None or not isinstance(objective, dict):
        return
    source = objective.get("data")
    if isinstance(source, str) and source.endswith((".npz", ".csv")):
        tables["objective"] = objective | {"data": str(resolve_links(folder / source))}


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
