"""Parser of the settings of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from kavg.config.consistency import collect_error
from kavg.config.messages import describe_error
from kavg.config.settings_file import name_settings_file
from kavg.config.sweeps.tables import SweepTable
from kavg.config.table_conversion import (
    WrongSettings,
    convert_sweep,
    format_tables,
    join_errors,
    parse_tables,
)
from kavg.config.toml import decode_settings, parse_toml, read_settings
from kavg.errors import KavgError
from kavg.sweeps.designs.assignments import assign_values, single_out
from kavg.sweeps.designs.builder import Assigned, PointBuilder, find_data_error
from kavg.sweeps.designs.checks import (
    check_quantity,
    check_size,
    check_stages,
    list_base_errors,
    list_name_errors,
    list_overridden_values,
    list_rounds_errors,
    list_unused_axes,
)
from kavg.sweeps.designs.columns import describe_places, shorten_places
from kavg.sweeps.designs.factors import Factor, list_factors
from kavg.sweeps.designs.grids import add_grid
from kavg.sweeps.stage import list_stage_errors, list_stages
from kavg.sweeps.sweep import Sweep
from kavg.text import shorten

MOST_POINTS: Final = 20_000
"""Points of a sweep: the settings of each are checked, and held in memory."""


def load_sweep(
    path: str | Path,
    overrides: Sequence[str] = (),
    grids: Sequence[str] = (),
    content: bytes | None = None,
) -> Sweep:
    """Load the sweep of a settings file (``parse_sweep``; arguments as of ``load_config``).

    Raises ``KavgError`` with the path and all errors of the file, one a line.
    """
    path = Path(path)
    text = read_settings(path) if content is None else decode_settings(content, path)
    folder = path.parent if content is None else Path()
    with name_settings_file(path):
        return parse_sweep(text, overrides, grids, folder)


def parse_sweep(
    text: str,
    overrides: Sequence[str] = (),
    grids: Sequence[str] = (),
    folder: Path | None = None,
    *,
    data: str | None = None,
    reads_data: bool = True,
) -> Sweep:
    """Parse the settings of a sweep, after ``overrides``, with more ``grids``: ``"place=1,4,16"``.

    ``data`` and ``reads_data`` are as those of ``parse_config``.

    Raises ``KavgError`` with the first errors, one a line, and the number of the others: those of
    ``[sweep]``, and those of the settings of its points, by the place that sets the value.

    >>> from kavg.config.settings_file import EXAMPLE
    >>> sweep = parse_sweep(EXAMPLE, grids=["algorithm.*.K=1,4", "algorithm.*.outer.mu=0.3,0.7"])
    >>> for point in sweep.points:
    ...     print(point.label)
    K-AVG K=1
    K-AVG K=4
    M-AVG K=1 mu=0.3
    M-AVG K=1 mu=0.7
    M-AVG K=4 mu=0.3
    M-AVG K=4 mu=0.7
    """
    tables, errors = parse_tables(text, overrides, folder, data)
    for grid in grids:
        with collect_error(errors, f"--grid {shorten(grid)}"):
            add_grid(tables, grid)
    if "sweep" not in tables and not errors:
        raise KavgError(
            "sweep: these settings vary nothing; add [sweep.grid] with a line such as "
            '"algorithm.*.K" = [1, 4, 16], or --grid "algorithm.*.K=1,4,16"'
        )
    # Before names are added, so that the same text comes of it again.
    written = format_tables(tables)
    # TOML writes tables after values, and the order of keys is that of the points' numbers.
    tables |= {key: value for key, value in parse_toml(written).items() if key == "sweep"}
    table = _convert_sweep(tables, errors)
    if table is None:
        raise KavgError(join_errors(errors, len(errors)))
    return _make_sweep(written, tables, table, errors, reads_data=reads_data)


def _convert_sweep(tables: dict[str, Any], errors: list[str]) -> SweepTable | None:
    """The table of the sweep; None, with the errors of the whole file, if it cannot be used."""
    table, algorithms = None, tables.get("algorithm")
    try:
        table = convert_sweep(tables) if "sweep" in tables else None
    except WrongSettings as error:
        errors += [describe_error(*found) for found in error.errors]
    is_list = isinstance(algorithms, list) and all(isinstance(one, dict) for one in algorithms)
    if table is None or not (algorithms and is_list):
        errors += list_base_errors(tables) or ([] if errors else ["algorithm: is missing"])
        return None
    tables["algorithm"] = [
        one | {"name": one.get("name") or f"algorithm {i}"}
        for i, one in enumerate(algorithms, start=1)
    ]
    return table


def _make_sweep(
    written: str,
    tables: dict[str, Any],
    table: SweepTable,
    errors: list[str],
    *,
    reads_data: bool,
) -> Sweep:
    budget = None if table.budget is None else table.budget.budget
    factors = list_factors(table, tables["algorithm"], errors)
    axes = [axis for factor in factors for axis in factor.axes]
    is_tuned = any(axis.is_tuned for axis in axes)
    assigned = _assign_all(factors, tables, errors)
    errors += list_unused_axes(axes, assigned, tables)
    errors += list_overridden_values(assigned)
    errors += list_name_errors(tables["algorithm"])
    errors += list_stage_errors(
        table.stages, is_tuned=table.tune is not None, has_budget=budget is not None
    )
    errors += list_rounds_errors(tables, axes, budget)
    if not factors and not errors:
        errors.append("sweep: varies nothing; add [sweep.grid], [sweep.zip] or [sweep.random]")
    if errors:
        errors = [*dict.fromkeys((*errors, *list_base_errors(tables)))]
        raise KavgError(join_errors(errors, len(errors)))
    names = shorten_places(axes)
    builder = PointBuilder(budget, names, reads_data=reads_data)
    points = builder.build(assigned)
    if builder.errors:
        raise KavgError(join_errors([*builder.errors.values()], len(builder.errors)))
    first = points[0].config
    stages = list_stages(table.stages, first.seed, first.replicas, is_tuned=is_tuned)
    places, until = describe_places(names), table.until
    sweep = Sweep(written, tuple(points), places, stages, table.target, budget, until)
    if reads_data:  # what is recorded, and the memory of batches, may depend on them
        check_stages(sweep)
        check_quantity(sweep)
    check_size(sweep)
    return sweep


def _assign_all(
    factors: Sequence[Factor], tables: dict[str, Any], errors: list[str]
) -> list[Assigned]:
    """The assignments of all algorithms, in the order of the rows of the factors."""
    each = (
        ((number, found) for found in assign_values(factors, single_out(tables, number), number))
        for number in range(len(tables["algorithm"]))
    )
    # One more than allowed: a product of many lists is never made in full.
    assigned = [*islice(chain.from_iterable(each), MOST_POINTS + 1)]
    if len(assigned) > MOST_POINTS:
        errors.append(
            f"sweep: needs at most {MOST_POINTS} points, got more; take fewer values, or "
            "[sweep.random] with trials"
        )
    elif (wrong := find_data_error(assigned)) is not None:
        errors.append(wrong)
    # Kinds were assigned first, wherever they stand in the file.
    return sorted(assigned, key=lambda pair: (pair[0], pair[1].rows))
