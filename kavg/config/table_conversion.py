"""Conversion of the tables of a settings file to values, with all their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import tomli_w
from pydantic import TypeAdapter, ValidationError

from kavg.config.config import Config
from kavg.config.consistency import collect_error
from kavg.config.data_paths import relate_data_path, replace_data_path, resolve_data_path
from kavg.config.messages import Types, describe_error, explain_errors
from kavg.config.methods import KEY, PARTS, has_own_K, write_out_methods
from kavg.config.models import ModelBuilder
from kavg.config.overrides import apply_override
from kavg.config.sweeps.tables import SweepTable
from kavg.config.tables import Place
from kavg.config.toml import parse_toml
from kavg.errors import KavgError
from kavg.methods import METHODS
from kavg.text import format_count, shorten

MOST: Final = 20
"""Errors of a file that are described; the others are counted."""


class WrongSettings(KavgError):
    """Errors of keys and values: ``errors`` are their places with what is wrong there.

    The first ``MOST`` of them; ``count`` is the number of all.
    """

    def __init__(self, errors: Sequence[tuple[Place, str]], count: int) -> None:
        self.errors, self.count = errors, count
        super().__init__(join_errors([describe_error(*error) for error in errors], count))


def parse_tables(
    text: str,
    overrides: Sequence[str] = (),
    folder: Path | None = None,
    data: str | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Return the tables of a settings file after ``overrides``, and the errors of these.

    The parts of methods that ``[[algorithm]]`` tables name are written out.

    The path of data is made absolute, or replaced by ``data`` (``parse_config``).
    """
    tables = parse_toml(text)
    errors: list[str] = []
    for override in overrides:
        with collect_error(errors, f"--set {shorten(override)}"):
            apply_override(tables, override)
    # Only now, as an override may name a method, change one of its parts, or P that they follow.
    errors += write_out_methods(tables)
    if data is not None:
        replace_data_path(tables, data)
    elif folder is not None:
        resolve_data_path(tables, folder)
    return tables, errors


def convert_tables(tables: dict[str, Any]) -> Config:
    """Convert the tables of a settings file, without a check of how the settings fit together.

    Raises ``WrongSettings`` with the errors of keys and values.
    """
    adapter, types = _settings_type()
    config: Config = _convert_with(adapter, types, tables)
    return config


def convert_sweep(tables: dict[str, Any]) -> SweepTable:
    """Convert the table ``sweep`` of a settings file; raise ``WrongSettings`` for its errors."""
    _, types = _settings_type()
    table: SweepTable = _convert_with(_sweep_type(), types, tables, ("sweep",))
    return table


def _convert_with(
    adapter: TypeAdapter[Any], types: Types, tables: dict[str, Any], inside: tuple[str, ...] = ()
) -> Any:
    content: Any = tables
    for key in inside:
        content = content[key]
    try:
        return adapter.validate_python(content)
    except ValidationError as error:
        # Described one by one: a hostile file has a hundred thousand.
        found = [*islice(explain_errors(error, tables, types, inside), MOST)]
        raise WrongSettings(found, error.error_count()) from None


def join_errors(lines: Sequence[str], count: int) -> str:
    """Return the first ``MOST`` lines, and how many of the ``count`` errors are not shown.

    >>> join_errors(["a: is missing"], 1)
    'a: is missing'
    """
    rest = [f"and {format_count(count - MOST, 'more error')}"] if count > MOST else []
    return "\n".join([*lines[:MOST], *rest])


def format_tables(tables: dict[str, Any], folder: Path | None = None) -> str:
    """Return tables as a settings file; a path of data is relative to ``folder`` (``to_toml``)."""
    if folder is not None:
        relate_data_path(tables, folder)
    return tomli_w.dumps(tables)


def json_schema() -> Mapping[str, Any]:
    """Return the JSON schema of a settings file, by which editors complete and check keys.

    It has the ranges of numbers and the first line of each docstring; only ``parse_config`` checks
    the combination of settings.  With a table ``sweep`` no key is required, as a sweep may give it.
    """
    schema = _settings_type()[0].json_schema()
    _allow_methods(schema["$defs"])
    required = schema.pop("required")
    return schema | {"if": {"required": ["sweep"]}, "else": {"required": required}}


def _allow_methods(definitions: dict[str, Any]) -> None:
    """Allow the name of a method, and beside it parts without a kind, which change numbers."""
    algorithm = definitions["Algorithm"]
    about = "The name of a method, which stands for its parts."
    with_own_K = [name for name in METHODS if has_own_K(name)]
    properties, whole = algorithm["properties"], {}
    properties[KEY] = {"enum": [*METHODS], "description": about}
    for part in PARTS:
        whole[part] = properties[part]
        kinds = (definitions[kind["$ref"].rsplit("/", 1)[1]] for kind in whole[part]["oneOf"])
        keys = {key: True for kind in kinds for key in kind["properties"] if key != "kind"}
        numbers = {"type": "object", "properties": keys, "additionalProperties": False}
        properties[part] = {"anyOf": [whole[part], numbers]}
    algorithm["required"] = ["P", "gamma"]
    algorithm["if"] = {"required": [KEY]}
    algorithm["then"] = {
        "anyOf": [{"required": ["K"]}, {"properties": {KEY: {"enum": with_own_K}}}],
    }
    algorithm["else"] = {"required": ["K", "outer"], "properties": whole}


@cache
def _settings_type() -> tuple[TypeAdapter[Config], Types]:
    # The type of a whole file, and those of the keys of each of its tables.
    models = ModelBuilder()
    whole = models.table(Config)
    return TypeAdapter(whole), models.types


# By itself too: the rest of the file need not be complete without the values of the sweep.
@cache
def _sweep_type() -> TypeAdapter[SweepTable]:
    return TypeAdapter(ModelBuilder().table(SweepTable))
