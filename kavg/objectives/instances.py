"""Small instances of the kinds that settings can name, for lists of them and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, get_args, get_type_hints

from kavg.errors import KavgError
from kavg.objectives.data.synthetic import Synthetic

SMALL_VALUES: Final[Mapping[Any, Any]] = {
    int: 1,
    float: 1.0,
    tuple[float, ...]: (0.1, 1.0),
    # Two classes, -1 and 1, serve regressions as well.
    Synthetic: Synthetic("classification", examples=64, features=4),
}
"""A value for a field without a default, by the field's type or a member of its union."""


def small_settings(cls: type) -> dict[str, Any]:
    """Return values for the fields of a dataclass that have no default, by their types.

    ``cls(**small_settings(cls))`` is then a small instance: one coordinate, two eigenvalues,
    64 examples.  Raises KavgError if a type is not in ``SMALL_VALUES``.

    >>> from kavg.objectives import Cosine, Quadratic
    >>> small_settings(Cosine), small_settings(Quadratic)
    ({'dim': 1}, {'spectrum': (0.1, 1.0)})
    """
    hints = get_type_hints(cls)
    return {
        field.name: _small_value(cls, field.name, hints[field.name])
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    }


def _small_value(cls: type, name: str, hint: Any) -> Any:
    for member in (hint, *get_args(hint)):
        if member in SMALL_VALUES:
            return SMALL_VALUES[member]
    raise KavgError(
        f"{cls.__name__}.{name} must have a default or one of the types that "
        f"kavg.objectives.instances knows a value for, got {hint}; add a value to SMALL_VALUES"
    )
