"""Columns of the tables: their names, types, units and meanings."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any, Final, Literal, final

import numpy as np
from numpy.typing import NDArray

Setting = bool | int | float | str
"""A value of a setting as a table holds it."""
ColumnType = Literal["integer", "number", "boolean", "text"]
TYPES: Final[tuple[ColumnType, ...]] = ("integer", "number", "boolean", "text")
LARGEST: Final = 2**63 - 1
"""The largest integer of a column of integers."""


@final
@dataclass(frozen=True)
class Column:
    """A column of a table: its name, the type of its values, their unit and their meaning.

    Where a value is missing a column of numbers has NaN and one of text the empty text; the other
    types have values in all rows.  Unit ``1`` is that of a number without dimension.
    """

    name: str
    type: ColumnType
    unit: str
    meaning: str


FACTS: Final = (
    Column("point", "integer", "", "number of the point in the sweep"),
    Column("algorithm", "text", "", "name of the algorithm"),
    Column("rule", "text", "", "kind of the outer rule"),
    Column("P", "integer", "learners", "number of learners"),
    Column("K", "integer", "local steps", "local steps of a learner in a round"),
    Column("B", "integer", "examples", "examples (or draws) of a stochastic gradient"),
    Column("mu", "number", "1", "momentum of the outer rule; missing if the rule has none"),
)
"""Columns that are constant over a run; varied settings follow."""
REPLICA: Final = Column("replica", "integer", "", "number of the replica, from 0")
AXES: Final = (
    Column("gamma", "number", "w / gradient", "local step size of the round; missing at the start"),
    Column("round", "integer", "rounds", "rounds done; the start is 0"),
    Column("step", "integer", "local steps", "local steps done by a learner"),
    Column("gradients", "integer", "gradients", "single-example gradients of all learners"),
    Column("communications", "integer", "averagings", "averagings done, one a round"),
    Column("seconds", "number", "s", "wall time since the start of the run"),
)
"""Columns that are the same for all replicas of a round; recorded series follow."""
SERIES: Final = (
    Column("F", "number", "F", "objective at the meta-iterate"),
    Column("grad_norm2", "number", "(F / w)^2", "squared norm of the exact gradient there"),
    Column("dispersion", "number", "w^2", "mean squared distance of learners from their mean"),
    Column("train_accuracy", "number", "1", "share of training examples that are classified right"),
    Column("held_out_accuracy", "number", "1", "the same of the held-out examples"),
    Column("held_out_F", "number", "F", "objective over the held-out examples"),
    Column("displacement_norm2", "number", "w^2", "squared mean displacement of the round"),
    Column("lag_product", "number", "w^2", "its product with that of the round before"),
    Column("move_product", "number", "w^2", "its product with the move of the meta-iterate"),
    Column("lag_correlation", "number", "1", "cosine of the angle between the two displacements"),
    Column(
        "aligned_gain", "number", "1", "move of the meta-iterate along the displacement, over it"
    ),
    Column("consensus2", "number", "w^2", "mean squared distance of learners' own iterates from w"),
    Column("distance2", "number", "w^2", "squared distance from the best point known"),
    Column(
        "effective_step", "number", "w / gradient", "step size times the gain of the outer rule"
    ),
    Column("sharpness", "number", "F / w^2", "largest eigenvalue of the Hessian, estimated"),
    Column("spread", "number", "w^2", "dispersion of the learners along a direction"),
)
"""Series whose meaning is known."""
KNOWN_SERIES: Final = {each.name: each for each in SERIES}


def to_setting(value: Any) -> Setting:
    """Return a value of a setting as one that a table holds: what is no scalar becomes JSON text.

    >>> to_setting(np.float64(0.5)), to_setting([1, 2]), to_setting(2**80)
    (0.5, '[1, 2]', '1208925819614629174706176')
    """
    if isinstance(value, np.generic):
        value = value.item()
    # A float would lose its digits.
    if isinstance(value, int) and abs(value) > LARGEST:
        return str(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def find_type(values: Sequence[Setting | None]) -> ColumnType:
    """Return the type of a column that holds these values; None is one that is missing.

    >>> find_type([1, 2]), find_type([1, None]), find_type([1, 0.5]), find_type([1, "a"])
    ('integer', 'number', 'number', 'text')
    """
    # By type, as True == 1 and isinstance(True, int).
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    return "number" if kinds <= {int, float, type(None)} and kinds != {type(None)} else "text"


def to_array(values: Sequence[Setting | None], kind: ColumnType) -> NDArray[Any]:
    """Return the values of a column as an array of its type.

    >>> to_array([1, None], "number"), to_array([1, "a", None], "text")
    (array([ 1., nan]), array(['1', 'a', ''], dtype=object))
    """
    if kind == "text":
        # Objects: NumPy's own text drops null characters at the end, and is as wide as the widest.
        return np.array(["" if each is None else to_cell(each) for each in values], object)
    if kind == "number":
        return np.array([nan if each is None else each for each in values], np.float64)
    return np.array(values, bool if kind == "boolean" else np.int64)


def to_cell(value: Setting) -> str:
    """Return a value as the text of a cell.

    >>> to_cell(True), to_cell(0.1), to_cell("a")
    ('true', '0.1', 'a')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def rename_taken(names: Sequence[str], taken: Collection[str], prefix: str) -> Mapping[str, str]:
    """Return distinct columns of settings or series by their names: those taken get a prefix.

    >>> rename_taken(["F", "mu"], ["mu"], "series.")
    {'F': 'F', 'mu': 'series.mu'}
    """
    columns: dict[str, str] = {}
    for name in names:
        column = name
        while column in taken or column in columns.values() or (column != name and column in names):
            column = f"{prefix}{column}"
        columns[name] = column
    return columns


def describe_series(column: str, name: str) -> Column:
    """Return the column of a recorded series, under the name that it has in the table.

    >>> describe_series("F", "F").unit, describe_series("distance", "distance").meaning
    ('F', 'the recorded series distance')
    """
    # A spread along direction 3 is called spread_3.
    known = KNOWN_SERIES.get(name) or KNOWN_SERIES.get(re.sub(r"^(spread)_\d+$", r"\1", name))
    if known is None or column != name:
        return Column(column, "number", "", f"the recorded series {name}")
    return replace(known, name=column)
