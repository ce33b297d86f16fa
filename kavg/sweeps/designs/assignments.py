"""The design of a sweep: what its factors assign to each algorithm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from kavg.config.advice import explain_unknown_key
from kavg.config.tables import Place, find_table, is_setting, tables_in_file
from kavg.outer import FedAdagrad, FedAdam, QuasiHyperbolic
from kavg.sweeps.designs.axes import ALGORITHM, SettingAxis
from kavg.sweeps.designs.axis_values import spell_value
from kavg.sweeps.designs.factors import Factor, order_factors, rank_axis
from kavg.text import shorten_repr

Tables = Mapping[str, Any]
ADAPTIVE: Final = (FedAdam.kind, FedAdagrad.kind)
"""Outer rules whose steps do not grow with gamma."""


@final
@dataclass(frozen=True)
class Assignment:
    """The settings of one point as tables, and the values that were assigned to make them.

    ``rows`` are the rows of the factors, in their order.
    """

    tables: Tables
    chosen: tuple[tuple[SettingAxis, Any], ...]
    rows: tuple[int, ...]


def assign_values(
    factors: Sequence[Factor], tables: Tables, algorithm: int
) -> Iterator[Assignment]:
    """Yield every combination of the values that concern an algorithm or its problem.

    ``tables`` are the settings with this one algorithm, whose number in the file is ``algorithm``.
    A setting that the algorithm cannot have, by its kinds at this point, does not multiply it.

    >>> K, mu = [SettingAxis((), "", path, (0,), (1, 2)) for path in (("K",), ("outer", "mu"))]
    >>> tables = {"algorithm": [{"outer": {"kind": "averaging"}}]}
    >>> for found in assign_values([Factor((K,)), Factor((mu,))], tables, 0):
    ...     print(found.tables["algorithm"], found.rows)
    [{'outer': {'kind': 'averaging'}, 'K': 1}] (0, 0)
    [{'outer': {'kind': 'averaging'}, 'K': 2}] (1, 0)
    """
    order = order_factors(factors)
    start = Assignment(tables, (), (0,) * len(factors))
    return _assign_rest(order, factors, start, algorithm)


def _assign_rest(
    order: Sequence[int], factors: Sequence[Factor], before: Assignment, algorithm: int
) -> Iterator[Assignment]:
    if not order:
        yield before
        return
    first, *rest = order
    seen: set[str] = set()
    for row in range(factors[first].rows):
        after = _apply_row(factors[first], row, before, algorithm)
        added = after.chosen[len(before.chosen) :]
        new = repr([(axis.place, spell_value(value)) for axis, value in added])
        # Rows that differ in what does not concern this algorithm are one.
        if new not in seen:
            seen.add(new)
            rows = (*before.rows[:first], row, *before.rows[first + 1 :])
            moved = Assignment(after.tables, after.chosen, rows)
            yield from _assign_rest(rest, factors, moved, algorithm)


def _apply_row(factor: Factor, row: int, before: Assignment, algorithm: int) -> Assignment:
    tables, chosen = before.tables, before.chosen
    # Kinds of this row first: they decide whether its other settings exist.
    for axis in sorted(factor.axes, key=rank_axis):
        if axis.concerns(algorithm) and is_setting(tables, axis.place):
            value = axis.values[row]
            tables = replace_value(tables, axis.place, _value_to_set(axis, value, tables))
            chosen = (*chosen, (axis, value))
    return Assignment(tables, chosen, before.rows)


def replace_value(content: Any, place: Place, value: Any) -> Any:
    """Return tables with another value at a place, in copies of the tables on the way to it.

    >>> tables = {"algorithm": [{"K": 1}], "seed": 3}
    >>> replace_value(tables, ("algorithm", 0, "K"), 4), tables["algorithm"]
    ({'algorithm': [{'K': 4}], 'seed': 3}, [{'K': 1}])
    """
    step, *rest = place
    # Not a deep copy, as points share all that they do not vary.
    changed = content.copy()
    changed[step] = replace_value(content[step], tuple(rest), value) if rest else value
    return changed


def _value_to_set(axis: SettingAxis, value: Any, tables: Tables) -> Any:
    """The value at the axis's place: for an effective step the gamma with which a rule has it.

    Adaptive rules have none, and their gamma is the value itself.
    """
    outer = tables["algorithm"][0].get("outer") if axis.is_derived else None
    if not isinstance(outer, dict) or type(value) not in (int, float):
        return value
    # A rule without them averages; what is no number is reported where the point is converted.
    mu, alpha = outer.get("mu", 0.0), outer.get("alpha", 1.0)
    if outer.get("kind") == QuasiHyperbolic.kind:
        mu = 0.0  # its weights sum to 1
    if outer.get("kind") in ADAPTIVE:
        return value
    if not all(type(number) in (int, float) for number in (mu, alpha)) or not alpha:
        return value
    return value * (1.0 - mu) / alpha


def explain_missing(axis: SettingAxis, tables: Tables) -> str:
    """Return why a place is none of the settings of an algorithm.

    >>> from kavg.sweeps.designs.axes import read_axis
    >>> axis = read_axis(("sweep",), "algorithm.0.gama", (), [{}])
    >>> explain_missing(axis, {"algorithm": [{"outer": {"kind": "averaging"}}]})
    "there is no key 'gama' here; did you mean 'gamma'?"
    """
    if is_setting(tables, axis.place):
        return "no point has this setting, as another place sets the table that it stands in"
    table, (key, *inner) = find_table(tables, axis.place)
    if key not in table.keys:
        return explain_unknown_key(str(key), table, tables_in_file(tables))
    if key not in table.content:
        return f"there is no {shorten_repr(str(key))} in these settings that could have it; add it"
    value = shorten_repr(table.content[str(key)])
    return f"there is no place {shorten_repr(str(inner[0]))} inside {value}"


def single_out(tables: Tables, number: int) -> dict[str, Any]:
    """Return the settings with one algorithm alone, without ``sweep``."""
    rest = {key: value for key, value in tables.items() if key not in ("sweep", ALGORITHM[0])}
    return rest | {"algorithm": [tables["algorithm"][number]]}
