"""Ranges of numbers, stated once: as annotations of the fields of a dataclass.

``mu: Momentum`` declares a number with ``0 <= mu < 1``.  The constructor checks and converts it
(``check_ranges``), a settings file is checked against it before anything is constructed, so that
all errors of a file are reported together, and the JSON schema shows its bounds.  A text after an
interval is advice, which ends the error's message.

All numbers enter here: they become ``int`` or ``float``, so ``K=np.int8(8)`` is the same value as
``K=8``, with the same hash, settings and digest.
"""

from __future__ import annotations

import math
import operator
from dataclasses import fields
from functools import cache
from os import PathLike, fsdecode
from types import FunctionType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from annotated_types import Interval

from kavg.conversion import is_real, is_row, to_number, to_row
from kavg.descriptions import describe_misfit, describe_range, describe_type
from kavg.errors import KavgError
from kavg.protocols import ABSENT, is_protocol, missing_members, plain_attribute, protocol_members
from kavg.text import shorten_repr

Count = Annotated[int, Interval(ge=1)]
Dimension = Annotated[Count, "it is the number of coordinates"]
RoundNumber = Annotated[int, Interval(ge=0), "use 0 for the start"]
Direction = Annotated[int, Interval(ge=0), "coordinates count from 0"]
BatchSize = Annotated[Count, "use B=1 for single examples"]
Seed = Annotated[int, Interval(ge=0, le=2**63 - 1)]
DataSeed = Annotated[int, Interval(ge=0, le=2**64 - 1)]
Finite = Annotated[float, Interval()]
Positive = Annotated[float, Interval(gt=0)]
NonNegative = Annotated[float, Interval(ge=0)]
Share = Annotated[float, Interval(ge=0, le=1)]
Momentum = Annotated[float, Interval(ge=0, lt=1), "use 0 for averaging"]
LocalMomentum = Annotated[float, Interval(ge=0, lt=1), "use 0 for SGD"]
Decay = Annotated[float, Interval(ge=0, lt=1), "use 0 for no memory of earlier values"]
Tolerance = Annotated[float, Interval(gt=0, lt=1), "use 1e-4 for four digits"]
Level = Annotated[float, Interval(gt=0, lt=1), "use 0.05 for 5 %"]
Confidence = Annotated[float, Interval(gt=0, lt=1), "use 0.95 for 95 %"]


def check_ranges(instance: Any) -> None:
    """Convert the fields of this dataclass to their types: for ``__post_init__``.

    Raises KavgError if a value is of another type or outside its range (``check_range``).

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Method:
    ...     K: Annotated[Count, "use K=1 for synchronous SGD"]
    ...     def __post_init__(self):
    ...         check_ranges(self)
    >>> Method(K=np.int8(3))
    Method(K=3)
    >>> Method(K=0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kavg.errors.KavgError: K must be a whole number of at least 1, got K=0; use K=1 for ...
    """
    hints = _hints(instance.__class__)
    for field in fields(instance):
        value = check_range(hints[field.name], field.name, getattr(instance, field.name))
        # A frozen dataclass can be assigned to in no other way.
        object.__setattr__(instance, field.name, value)


def check_count(name: str, value: int, advice: str) -> int:
    """Return an argument as an ``int``; raise KavgError unless it is a whole number from 1 on.

    ``check_ranges`` does it for all fields of a dataclass; this is for functions.

    >>> check_count("K", np.int8(3), "use K=1 for synchronous SGD")
    3
    >>> check_count("K", 0, "use K=1 for synchronous SGD")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kavg.errors.KavgError: K must be a whole number of at least 1, got K=0; use K=1 for ...
    """
    return int(check_range(Annotated[Count, advice], name, value))


def check_positive(name: str, value: float) -> float:
    """Return an argument as a ``float``; raise KavgError unless it is finite and above 0."""
    return float(check_range(Positive, name, value))


def check_not_negative(name: str, value: float) -> float:
    """Return an argument as a ``float``; raise KavgError unless it is finite and at least 0."""
    return float(check_range(NonNegative, name, value))


def check_dimension(objective: Any) -> int:
    """Return ``objective.dim`` as an ``int``; raise KavgError unless it is a count from 1 on.

    A user's objective may have a number of NumPy, whose products wrap around.
    """
    return int(check_range(Dimension, "objective.dim", objective.dim))


# get_type_hints evaluates all annotations of a class at every call.
@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


def check_range(hint: Any, name: str, value: Any) -> Any:
    """Return a value converted to the type that ``hint`` states; raise KavgError if it has another.

    Numbers of NumPy, and arrays without axes, become Python numbers; bools are no numbers.  Lists
    and arrays of one axis become tuples, paths text.  A Protocol asks for its members alone.
    ``name`` is the field's, for the message.

    >>> check_range(Positive, "gamma", np.float32(0.5)), check_range(Seed, "seed", np.array(7))
    (0.5, 7)
    >>> check_range(tuple[Finite, ...] | None, "start", np.arange(3))
    (0.0, 1.0, 2.0)
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _check_number(name, value, *arguments)
    if not _is_of(hint, value):
        raise KavgError(describe_misfit(hint, name, value))
    if origin in (Union, UnionType):
        # The first member of this type decides, so that the message shows its range.
        member = next(one for one in arguments if _is_of(one, value))
        return check_range(member, name, value)
    if origin is tuple:
        return _check_row(arguments[0], name, value)
    if is_protocol(hint):
        _check_attributes(hint, name, value)
    return _convert(origin or hint, value)


def _is_of(hint: Any, value: Any) -> bool:
    """True if a value is of this type, whatever its range."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_is_of(member, value) for member in get_args(hint))
    if origin is Annotated:
        return is_real(value)
    if hint in (int, float):
        return to_number(value, hint) is not None
    if origin is tuple:
        return is_row(value)
    if origin is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if hint is bool:
        return isinstance(value, (bool, np.bool))
    if is_protocol(hint):
        # A class has the methods of its instances, and is none of them.
        return not isinstance(value, type) and not missing_members(hint, value)
    kind = origin or hint
    return not isinstance(kind, type) or kind is Any or isinstance(value, kind)


def _convert(kind: Any, value: Any) -> Any:
    if kind in (int, float):
        return to_number(value, kind)
    if kind is bool:
        return bool(value)
    if kind is PathLike:
        return fsdecode(value)
    # A text of NumPy, or a member of an enumeration of texts, becomes plain text.
    return str.__str__(value) if kind in (str, Literal) else value


def _check_number(name: str, value: Any, kind: type, interval: Interval, advice: str = "") -> Any:
    number = to_number(value, kind)
    # After the conversion, as a small number of another type may become 0.
    is_finite = number is not None and (kind is int or math.isfinite(number))
    if not is_finite or not _contains(interval, number):
        need = describe_range(kind, interval)
        end = f"; {advice}" if advice else ""
        raise KavgError(f"{name} must be {need}, got {name}={shorten_repr(value)}{end}")
    return number


def _contains(interval: Interval, value: Any) -> bool:
    comparisons = (operator.gt, operator.ge, operator.lt, operator.le)
    bounds = (interval.gt, interval.ge, interval.lt, interval.le)
    return all(
        bound is None or compare(value, bound)
        for compare, bound in zip(comparisons, bounds, strict=True)
    )


def _check_row(hint: Any, name: str, value: Any) -> tuple[Any, ...]:
    parts = to_row(value)
    if hint == Finite and {*map(type, parts)} == {float} and np.isfinite(parts).all():
        # A start may have millions of coordinates, which one by one take a microsecond each.
        return tuple(parts)
    return tuple(check_range(hint, f"{name}[{i}]", part) for i, part in enumerate(parts))


def _check_attributes(protocol: type, name: str, value: Any) -> None:
    # A property is not evaluated, as it may read data or iterate.
    for attribute, hint in protocol_members(protocol).items():
        given, place = plain_attribute(value, attribute), f"{name}.{attribute}"
        if hint and isinstance(given, FunctionType):
            need = describe_type(hint)
            raise KavgError(f"{place} must be {need}, got a method; write @property above it")
        if hint and given is not ABSENT and not hasattr(type(given), "__get__"):
            check_range(hint, place, given)
