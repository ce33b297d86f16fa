"""Ranges of numbers, stated once: as annotations of the fields of a dataclass.

``mu: Momentum`` declares a number with ``0 <= mu < 1``.  The constructor checks it
(``check_ranges``), a settings file is checked against it before anything is constructed, so that
all errors of a file are reported together, and the JSON schema shows its bounds.  A text after an
interval is advice, which ends the error's message.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from numbers import Integral, Real
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from annotated_types import Interval

from kavg.errors import KavgError

Count = Annotated[int, Interval(ge=1)]
Dimension = Annotated[Count, "it is the number of coordinates"]
BatchSize = Annotated[Count, "use B=1 for single examples"]
Seed = Annotated[int, Interval(ge=0, le=2**63 - 1)]
DataSeed = Annotated[int, Interval(ge=0, le=2**64 - 1)]
Finite = Annotated[float, Interval()]
Positive = Annotated[float, Interval(gt=0)]
NonNegative = Annotated[float, Interval(ge=0)]
Share = Annotated[float, Interval(ge=0, le=1)]
Momentum = Annotated[float, Interval(ge=0, lt=1), "use 0 for averaging"]

POWERS: Final[Mapping[Any, str]] = {2**63 - 1: "2^63 - 1", 2**64 - 1: "2^64 - 1"}
"""Bounds that messages show as powers and not in 20 digits."""


def check_ranges(instance: Any) -> None:
    """Raise KavgError if a field of this dataclass is outside its range: for ``__post_init__``.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Method:
    ...     K: Annotated[Count, "use K=1 for synchronous SGD"]
    >>> check_ranges(Method(K=0))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kavg.errors.KavgError: K must be a whole number of at least 1, got K=0; use K=1 for ...
    """
    hints = _hints(instance.__class__)
    for field in fields(instance):
        check_range(hints[field.name], field.name, getattr(instance, field.name))


def check_count(name: str, value: int, advice: str) -> None:
    """Raise KavgError unless an argument is a whole number of at least 1.

    ``check_ranges`` does it for all fields of a dataclass; this is for functions.

    >>> check_count("K", 0, "use K=1 for synchronous SGD")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kavg.errors.KavgError: K must be a whole number of at least 1, got K=0; use K=1 for ...
    """
    check_range(Annotated[Count, advice], name, value)


def check_positive(name: str, value: float) -> None:
    """Raise KavgError unless an argument is a finite number above 0."""
    check_range(Positive, name, value)


def check_not_negative(name: str, value: float) -> None:
    """Raise KavgError unless an argument is a finite number of at least 0."""
    check_range(NonNegative, name, value)


# get_type_hints evaluates all annotations of a class at every call.
@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


def check_range(hint: Any, name: str, value: Any) -> None:
    """Raise KavgError if a value, or a number in it, is outside the range that its type states.

    ``name`` is the field's, for the message.  Types without a range accept everything; in a union,
    numbers are checked against the members that have a range.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        _check_number(name, value, *arguments)
    elif origin is tuple and isinstance(value, Iterable):
        for i, part in enumerate(value):
            check_range(arguments[0], f"{name}[{i}]", part)
    elif origin in (Union, UnionType):
        for member in arguments:
            if isinstance(value, Real) or get_origin(member) is tuple:
                check_range(member, name, value)


def _check_number(name: str, value: Any, kind: type, interval: Interval, advice: str = "") -> None:
    if not (_is_number(value, kind) and _contains(interval, value)):
        need = _describe_range(kind, interval)
        end = f"; {advice}" if advice else ""
        raise KavgError(f"{name} must be {need}, got {name}={value!r}{end}")


def _is_number(value: Any, kind: type) -> bool:
    if kind is int:
        # bool is an Integral, but ``P = true`` is a mistake.
        return isinstance(value, Integral) and not isinstance(value, bool)
    try:
        return isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _contains(interval: Interval, value: Any) -> bool:
    comparisons = (operator.gt, operator.ge, operator.lt, operator.le)
    bounds = (interval.gt, interval.ge, interval.lt, interval.le)
    return all(
        bound is None or compare(value, bound)
        for compare, bound in zip(comparisons, bounds, strict=True)
    )


def _describe_range(kind: type, interval: Interval) -> str:
    is_bounded = interval.le is not None or interval.lt is not None
    number = "a whole number" if kind is int else "a number" if is_bounded else "a finite number"
    if interval.le is not None:
        high = POWERS.get(interval.le, interval.le)
        return f"{number} from {interval.ge} to {high}"
    if interval.gt is not None:
        number += f" above {interval.gt}"
    if interval.ge is not None:
        number += f" of at least {interval.ge}"
    return number if interval.lt is None else f"{number} and below {interval.lt}"
