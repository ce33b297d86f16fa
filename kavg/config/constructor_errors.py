"""Constructors' refusals as faults of a table, all at once.

A constructor stops at the first value it refuses.  So that all refused values of a table are
reported, beside what is wrong with its keys and each at its own key, every number is tried alone
among stand-ins for the others.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from kavg.errors import KavgError


def checked(given: Any, validate: Callable[[Any], Any], cls: type) -> Any:
    """A ``cls``, or at once all that is wrong with the keys of its table and with their values."""
    found: list[InitErrorDetails] = []
    try:
        return built(cls, validate(given))
    except ValidationError as error:
        found = [again(fault) for fault in error.errors()]
        refused = refusals(given, cls, besides={fault["loc"][0] for fault in found if fault["loc"]})
    except KavgError as error:
        refused = refusals(given, cls, besides=set())
        if not any(str(error).startswith(f"{key} must") for key in refused):
            found = [fault_at((), str(error), given)]
    found += [fault_at((key,), words, given[key]) for key, words in refused.items()]
    raise ValidationError.from_exception_data(cls.__name__, found)


def refusals(given: Any, cls: type, besides: set[Any]) -> dict[str, str]:
    """Each number that the constructor refuses for itself, tried among stand-ins, and why."""
    if not isinstance(given, dict):
        return {}
    hints = get_type_hints(cls)
    stand_ins = {field.name: stand_in(field, hints) for field in dataclasses.fields(cls)}
    found = {}
    for key in stand_ins.keys() & given.keys() - besides:
        if given_type(given[key]) == "number":
            try:
                cls(**stand_ins | {key: within_floats(given[key])})
            except KavgError as error:
                # A fault of two values that do not fit together may be the stand-ins' own.
                if str(error).startswith(f"{key} must"):
                    found[key] = str(error)
    return {key: found[key] for key in given if key in found}


def within_floats(number: int | float) -> float:
    """The number as NumPy takes it: whole ones beyond 64 bits are none to it."""
    try:
        return number if abs(number) < 2**63 else float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def stand_in(field: dataclasses.Field[Any], hints: Mapping[str, Any]) -> Any:
    """A value that no constructor refuses."""
    default = default_of(field)
    return example(hints[field.name]) if default is ... else default


def example(hint: Any) -> Any:
    """A harmless value of a type; None where constructors do not look."""
    if hint in (int, float):
        return 1 if hint is int else 0.5
    found = [example(part) for part in get_args(hint)] if get_origin(hint) is not Literal else []
    found = [part for part in found if part is not None]
    if get_origin(hint) is tuple:
        return tuple(found)
    return get_args(hint)[0] if get_origin(hint) is Literal else next(iter(found), None)


def again(fault: Any) -> InitErrorDetails:
    """A fault that pydantic found, to be raised with others."""
    context = {**fault.get("ctx", {}), "message": fault["msg"]}
    custom = PydanticCustomError(fault["type"], "{message}", context)
    return InitErrorDetails(type=custom, loc=fault["loc"], input=fault["input"])


def fault_at(location: tuple[str, ...], words: str, given: Any) -> InitErrorDetails:
    """A fault in our own words."""
    custom = PydanticCustomError("value_error", "{error}", {"error": words})
    return InitErrorDetails(type=custom, loc=location, input=given)


def built(cls: type, values: Any) -> Any:
    """Hand a model's validated values to the constructor."""
    names = {field.name: keyed(field) for field in dataclasses.fields(cls)}
    return cls(**{name: getattr(values, key) for name, key in names.items()})


def given_type(value: Any) -> str:
    """The TOML type of a value that was given."""
    if isinstance(value, (dict, BaseModel)):
        return "table"
    if isinstance(value, (list, tuple)):
        return "list"
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if number else "text" if isinstance(value, str) else "other"


def keyed(field: dataclasses.Field[Any]) -> str:
    """A field's key in TOML: its name, or what its metadata says."""
    return str(field.metadata.get("key", field.name))


def default_of(field: dataclasses.Field[Any]) -> Any:
    """A field's default, or pydantic's mark for none."""
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return ...
