"""The kinds that a settings file can name, and its values as plain tables.

A new kind is one file in its package and one import in that package's ``__init__.py``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from os import PathLike
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from kavg import (
    aggregations,
    base,
    measures,
    objectives,
    optimizers,
    oracles,
    outer,
    periods,
    schedules,
    starts,
)
from kavg.objectives.data.dataset import Data
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk

FAMILIES: Final[Mapping[str, Mapping[str, type]]] = {
    "objectives": objectives.KINDS,
    "oracles": oracles.KINDS,
    "aggregations": aggregations.KINDS,
    "measures": measures.KINDS,
    "outer": outer.KINDS,
    "optimizers": optimizers.KINDS,
    "periods": periods.KINDS,
    "schedules": schedules.KINDS,
    "starts": starts.KINDS,
}
"""The classes of each family by their ``kind``."""

KINDS: Final[Mapping[Any, Mapping[str, type]]] = {
    base.Objective: FAMILIES["objectives"],
    base.AnalyticObjective: {
        kind: cls
        for kind, cls in FAMILIES["objectives"].items()
        if not issubclass(cls, EmpiricalRisk)
    },
    base.Oracle: FAMILIES["oracles"],
    base.Aggregation: FAMILIES["aggregations"],
    base.RoundMeasure: FAMILIES["measures"],
    base.Outer: FAMILIES["outer"],
    base.LocalOptimizer: FAMILIES["optimizers"],
    base.Period: FAMILIES["periods"],
    base.Schedule: FAMILIES["schedules"],
    base.Start: FAMILIES["starts"],
}
"""The same by the Protocol that annotates a field."""

NAMES: Final[Mapping[type, str]] = {
    cls: kind for kinds in FAMILIES.values() for kind, cls in kinds.items()
}
"""The ``kind`` of each class."""

IN_PYTHON_ONLY: Final = (Data, PathLike[str])
"""Types that a constructor takes but TOML cannot write."""


def concrete_classes(cls: type) -> list[type]:
    """Return the classes with a kind that derive from an abstract class, else the class itself.

    >>> from kavg.oracles.additive import AdditiveNoise
    >>> {"gaussian", "student_t"} <= {NAMES[cls] for cls in concrete_classes(AdditiveNoise)}
    True
    """
    return [candidate for candidate in NAMES if issubclass(candidate, cls)] or [cls]


def field_key(field: dataclasses.Field[Any]) -> str:
    """Return the key of a field in TOML: its name, or ``metadata["key"]``.

    >>> from kavg.config import Config
    >>> [field_key(field) for field in dataclasses.fields(Config)][:4]
    ['rounds', 'objective', 'oracle', 'algorithm']
    """
    return str(field.metadata.get("key", field.name))


def table_classes(hint: Any) -> list[type]:
    """Return the classes that a table is converted to at a field with this annotation.

    None where a table cannot stand.

    >>> from kavg.base import Outer
    >>> [NAMES[cls] for cls in table_classes(Outer)][:2], table_classes(float)
    (['averaging', 'block_momentum'], [])
    """
    members = get_args(hint) or (hint,)
    return [cls for member in members for cls in _classes_of_member(member)]


def _classes_of_member(member: Any) -> list[type]:
    if get_origin(member) in (Union, UnionType):  # entries of a list of several types
        return table_classes(member)
    if member in KINDS:
        return list(KINDS[member].values())
    if not isinstance(member, type) or member in IN_PYTHON_ONLY:
        return []
    return [cls for cls in concrete_classes(member) if dataclasses.is_dataclass(cls)]


@cache
def key_hints(cls: type) -> Mapping[str, Any]:
    """Return the annotation of each field of a dataclass, without ranges, by its key in TOML.

    >>> from kavg.problem import Algorithm
    >>> list(key_hints(Algorithm))
    ['P', 'K', 'gamma', 'outer', 'name', 'optimizer', 'aggregation', 'restart']
    """
    hints = get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if not holds_rest(field)]
    return {field_key(field): hints[field.name] for field in fields}


@cache
def rest_hint(cls: type) -> Any:
    """Return the annotation of the values whose keys a user chooses, None if there are none.

    A field with ``metadata["rest"]`` holds them: a mapping of all keys that are no other field's.

    >>> from kavg.config.sweeps.tables import AxisValues, GridTable
    >>> from kavg.problem import Algorithm
    >>> rest_hint(GridTable) == AxisValues, rest_hint(Algorithm)
    (True, None)
    """
    field = next(filter(holds_rest, dataclasses.fields(cls)), None)
    return None if field is None else get_args(get_type_hints(cls)[field.name])[1]


def holds_rest(field: dataclasses.Field[Any]) -> bool:
    """True if a field holds the values of all keys that are no other field's (``rest_hint``)."""
    return bool(field.metadata.get("rest"))


def class_kinds(cls: type) -> tuple[str, ...]:
    """Return the values that ``kind`` may have in the table of a class, none where it has none.

    >>> from kavg.objectives.data.synthetic import Synthetic
    >>> from kavg.outer import Averaging
    >>> class_kinds(Averaging), class_kinds(Synthetic)
    (('averaging',), ('regression', 'classification'))
    """
    return (NAMES[cls],) if cls in NAMES else get_args(key_hints(cls).get("kind"))


def field_default(field: dataclasses.Field[Any]) -> Any:
    """Return the default of a field, or ``...``, pydantic's mark of a required field."""
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return ...


def to_plain(value: Any) -> Any:
    """Return a value as TOML writes it: tables with their ``kind``, lists, numbers, text.

    >>> from kavg.outer import BlockMomentum
    >>> to_plain(BlockMomentum(mu=0.5))
    {'kind': 'block_momentum', 'mu': 0.5, 'alpha': 1.0}
    """
    if isinstance(value, (list, tuple)):
        return [to_plain(part) for part in value]
    if not dataclasses.is_dataclass(value):
        return value
    table = {"kind": NAMES[type(value)]} if type(value) in NAMES else {}
    for field in dataclasses.fields(value):
        part = getattr(value, field.name)
        if part is not None:  # TOML has no null
            table[field_key(field)] = to_plain(part)
    return table
