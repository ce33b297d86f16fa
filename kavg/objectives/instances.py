"""Small instances of the kinds that settings can name, for lists of them and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, get_args, get_type_hints

from kavg.base import AnalyticObjective
from kavg.errors import KavgError
from kavg.objectives.data.synthetic import Synthetic
from kavg.objectives.linear import Linear
from kavg.ranges import check_range

SMALL_VALUES: Final[Mapping[Any, tuple[Any, ...]]] = {
    int: (1, 2, 10),
    float: (1.0, 0.5, 3.0, -1.0),
    tuple[float, ...]: ((0.1, 1.0),),
    tuple[int, ...]: ((1, 2),),
    AnalyticObjective: (Linear(dim=1),),
    # Two classes, -1 and 1, serve regressions as well.
    Synthetic: (Synthetic("classification", examples=64, features=4),),
}
"""Values for a field without a default, by the field's type or a member of its union.

The first that is in the field's range is used.
"""


def small_settings(cls: type) -> dict[str, Any]:
    """Return values for the fields of a dataclass that have no default, by types and ranges.

    ``cls(**small_settings(cls))`` is then a small instance: one coordinate, two eigenvalues,
    64 examples.  Raises KavgError if ``SMALL_VALUES`` has no value for a field.

    >>> from kavg.objectives import Cosine, Quadratic
    >>> from kavg.outer import BlockMomentum
    >>> small_settings(Cosine), small_settings(Quadratic), small_settings(BlockMomentum)
    ({'dim': 1}, {'spectrum': (0.1, 1.0)}, {'mu': 0.5})
    """
    types, hints = get_type_hints(cls), get_type_hints(cls, include_extras=True)
    return {
        field.name: _small_value(cls, field.name, types[field.name], hints[field.name])
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    }


def _small_value(cls: type, name: str, plain: Any, hint: Any) -> Any:
    for member in (plain, *get_args(plain)):
        for value in SMALL_VALUES.get(member, ()):
            if _is_in_range(hint, value):
                return value
    raise KavgError(
        f"{cls.__name__}.{name} must have a default or a type that kavg.objectives.instances "
        f"knows a value for, got {hint}; add a value to SMALL_VALUES"
    )


def _is_in_range(hint: Any, value: Any) -> bool:
    try:
        check_range(hint, "value", value)
    except KavgError:
        return False
    return True
