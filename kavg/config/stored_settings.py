"""Settings of a stored run, whose data are found by their digest wherever they lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, final

from kavg.config.config import Config, hash_data
from kavg.config.data_paths import data_path, resolve_data_path
from kavg.config.kinds import to_plain
from kavg.config.settings_file import load_config, name_settings_file, parse_config
from kavg.config.toml import parse_toml, read_settings
from kavg.errors import KavgError
from kavg.storage import RunFolder, load_trajectories
from kavg.storage.regular_files import require_file
from kavg.storage.validation import is_finished
from kavg.trajectory import Trajectory

T = TypeVar("T")

SHOWN: Final = 12
"""Digits of a digest that a message shows."""


@final
class OtherData(KavgError):
    """The data that were found are not those that a run read."""


def describe_data(config: Config) -> dict[str, str]:
    """Return the facts by which the data of a run are found again: their digest and their path.

    The digest is ``""`` without data; the path, an absolute one, is there for a file only.
    """
    path = data_path({"objective": to_plain(config.objective)})
    return {"data": hash_data(config)} | ({"data_path": path} if path else {})


def load_run(
    folder: Path, data: Path | None = None, *, reads_data: bool = True
) -> tuple[Config, list[Trajectory]]:
    """Load the settings and trajectories of a finished run, and its data unless told otherwise.

    Unlike resuming it does not compare checksums, so that a run with a changed file
    can still be reported on.

    Raises:
        KavgError: A file cannot be read, or the two are not of one run.
    """
    if reads_data:
        config = load_stored_config(folder, data)
    else:
        config = load_config(require_file(folder / "config.toml"), reads_data=False)
    runs = load_trajectories(folder)
    if not is_finished(runs, config.algorithms, config.rounds):
        raise KavgError(
            f"config.toml and trajectory.npz in {str(folder)!r} are not of one run; "
            "run the settings again"
        )
    return config, runs


def load_stored_config(folder: Path, data: Path | None = None) -> Config:
    """Load the settings of a finished run, with the data that it read (``parse_stored_config``)."""
    path = folder / "config.toml"
    text, facts = (
        read_settings(require_file(path)),
        RunFolder(folder).read_table("environment.json"),
    )
    with name_settings_file(path):
        return parse_stored_config(text, folder, facts, data)


def parse_stored_config(
    text: str, folder: Path, facts: Mapping[str, Any], data: Path | None = None
) -> Config:
    """Parse the settings of the run in ``folder``, with the data that it read.

    They are looked for at ``data`` if given, else where the settings say, relative to the folder,
    and where they were when the run was made.  ``facts`` are those of ``describe_data``; without a
    digest any data will do.

    Raises:
        OtherData: The data that were found have another digest.
        KavgError: There are none, or the settings cannot be used.
    """

    def parse(place: str | None) -> Config:
        return parse_config(text, (), folder, data=place)

    return parse_with_data(parse, hash_data, (text, folder), facts, data)


def parse_with_data(
    parse: Callable[[str | None], T],
    digest: Callable[[T], str],
    source: tuple[str, Path],
    facts: Mapping[str, Any],
    data: Path | None,
) -> T:
    """Return the settings that ``parse`` makes with the path of the data, as they were when stored.

    ``source`` are the text of the settings and their folder, ``digest`` gives that of the data;
    see ``parse_stored_config`` for the rest.
    """
    text, folder = source
    tables = parse_toml(text)
    resolve_data_path(tables, folder)
    stored = data_path(tables)
    if stored is None:
        parsed = parse(None if data is None else str(data))
        remedy = "use the version of scikit-learn or kavg that made it"
        _require_digest(digest(parsed), "the objective", facts, remedy)
        return parsed
    places = [stored, facts.get("data_path")] if data is None else [os.path.abspath(data)]
    others: list[OtherData] = []
    for place in dict.fromkeys(each for each in places if isinstance(each, str)):
        if os.path.isfile(place):
            parsed = parse(place)
            try:
                _require_digest(digest(parsed), place, facts)
                return parsed
            except OtherData as error:
                others.append(error)
    if others:
        raise others[0]
    raise KavgError(
        f"{str(data) if data else stored}: no such file; the run read its data there, and "
        "--data PATH says where they are now"
    )


def _require_digest(
    found: str,
    place: str,
    facts: Mapping[str, Any],
    remedy: str = "give the right file with --data PATH",
) -> None:
    wanted = facts.get("data")
    if isinstance(wanted, str) and wanted != found:
        raise OtherData(
            f"{place} has data of the digest {found[:SHOWN] or 'of none'}..., and the run read "
            f"{wanted[:SHOWN] or 'none'}...; {remedy}"
        )
