"""Sweeps of stored settings, with the data that they read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kavg.config.config import hash_data
from kavg.config.data_paths import data_path
from kavg.config.kinds import to_plain
from kavg.config.settings_file import name_settings_file
from kavg.config.stored_settings import parse_with_data
from kavg.engine.options import MeanName
from kavg.portability import SameBits, find_weakest_promise
from kavg.sweeps.parser import parse_sweep
from kavg.sweeps.sweep import Sweep


def load_stored_sweep(
    text: str,
    folder: Path,
    facts: Mapping[str, Any],
    data: Path | None = None,
    *,
    reads_data: bool = True,
) -> Sweep:
    """Return the sweep whose settings were stored in ``folder``, as ``parse_stored_config`` does.

    Without ``reads_data`` no data are looked for (``parse_sweep``).

    Raises:
        OtherData: The data that were found have another digest.
        KavgError: There are none, or the settings cannot be used.
    """

    def parse(place: str | None) -> Sweep:
        return parse_sweep(text, (), (), folder, data=place)

    with name_settings_file(folder / "config.toml"):
        if not reads_data:
            return parse_sweep(text, (), (), folder, reads_data=False)
        return parse_with_data(parse, hash_sweep_data, (text, folder), facts, data)


def describe_sweep_data(sweep: Sweep) -> dict[str, str]:
    """Return the facts by which the data of a sweep are found again, as ``describe_data`` does."""
    path = data_path({"objective": to_plain(sweep.points[0].config.objective)})
    return {"data": hash_sweep_data(sweep)} | ({"data_path": path} if path else {})


def hash_sweep_data(sweep: Sweep) -> str:
    """Return the digests of all data of the points, each once; ``""`` without data."""
    # Points of one problem share its objective.
    configs = {id(point.config.objective): point.config for point in sweep.points}
    return "".join(sorted({hash_data(config) for config in configs.values()}))


def find_sweep_promise(sweep: Sweep) -> SameBits:
    """Return where a sweep has the same digest: the weakest promise of its points."""
    return find_weakest_promise(*{point.config.same_bits for point in sweep.points})


def find_sweep_mean(sweep: Sweep) -> MeanName:
    """Return the mean that makes bits depend on ranks if any point has it, else the exact one."""
    means = {point.config.mean for point in sweep.points}
    return "allreduce" if "allreduce" in means else "exact"
