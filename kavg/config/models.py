"""Tables of a settings file, made from the constructors themselves.

Every dataclass that a user can name in TOML (an objective, an oracle, an outer rule, ...) becomes a
pydantic model with the same fields, so that a settings file is checked against the very signatures
that Python users call, all faults at once, and turned into the values they would have built.

A field annotated with a Protocol of ``kavg.base``, or with an abstract class that kinds are derived
from, is a table with a ``kind``; a union is told apart by what TOML gives: a number, a text, a list
or a table.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Interval
from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    WrapValidator,
    create_model,
)

from kavg import base, objectives, oracles, outer, schedules, starts
from kavg.config.constructor_errors import checked, default_of, given_type, keyed
from kavg.objectives.data.dataset import Data
from kavg.ranges import check_range

KINDS: Final[Mapping[Any, Mapping[str, type]]] = {
    base.Objective: objectives.KINDS,
    base.Oracle: oracles.KINDS,
    base.Outer: outer.KINDS,
    base.Schedule: schedules.KINDS,
    base.Start: starts.KINDS,
}
NAMES: Final[dict[type, str]] = {
    cls: kind for kinds in KINDS.values() for kind, cls in kinds.items()
}
IN_PYTHON_ONLY: Final = (Data,)
"""Types that a constructor takes but TOML cannot write."""

WHOLE: Final = Annotated[int, Strict(), Field(ge=-(2**63), lt=2**63)]
"""What TOML promises of whole numbers."""

SETTINGS = ConfigDict(extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)


class Tables:
    """Makes the model of a dataclass and remembers the fields of each table by its name."""

    def __init__(self) -> None:
        self.keys: dict[str, list[str]] = {}
        self.made: dict[type, Any] = {}

    def table(self, cls: type) -> Any:
        """The type that accepts the fields of ``cls`` as a table and gives back a ``cls``."""
        if cls not in self.made:
            self.made[cls] = self.model(cls)
        return self.made[cls]

    def model(self, cls: type) -> Any:
        """A fresh model of ``cls``; a field's metadata may rename its key or check its value."""
        kind = NAMES.get(cls)
        fields: dict[str, Any] = {"kind": (Literal[kind], ...)} if kind else {}
        hints = get_type_hints(cls, include_extras=True)
        for field in dataclasses.fields(cls):
            name = keyed(field)
            default = default_of(field)
            check = partial(validate_range, hints[field.name], field.name)
            hint = self.hint(hints[field.name])
            hint = Annotated[hint, AfterValidator(check)]
            if "check" in field.metadata:
                hint = Annotated[hint, AfterValidator(field.metadata["check"])]
            fields[name] = (hint, default)
            for part in inner_tables(hints[field.name]):
                self.keys[name] = self.keys[part.__name__]
        self.keys[kind or cls.__name__] = list(fields)
        model = create_model(cls.__name__, __config__=SETTINGS, __doc__=first_line(cls), **fields)
        return Annotated[model, WrapValidator(lambda given, to: checked(given, to, cls))]

    def hint(self, hint: Any) -> Any:
        """What TOML may hold where a constructor's annotation says ``hint``."""
        if get_origin(hint) is Annotated:
            kind, interval, *_ = get_args(hint)
            return Annotated[self.hint(kind), Field(json_schema_extra=json_bounds(interval))]
        if hint in KINDS:
            return self.kinds(KINDS[hint].values())
        if hint is int:
            return WHOLE
        if hint in (float, str, bool):
            return Annotated[hint, Strict()]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self.table(hint)
        if isinstance(hint, type) and kinds_of(hint) != [hint]:
            return self.kinds(kinds_of(hint))
        if get_origin(hint) in (Union, types.UnionType):
            return self.union(get_args(hint))
        if get_origin(hint) is tuple:
            parts = tuple(part if part is ... else self.hint(part) for part in get_args(hint))
            return types.GenericAlias(tuple, parts)
        return hint

    def kinds(self, classes: Any) -> Any:
        """One of several tables, told apart by their ``kind``."""
        return Annotated[
            Union[tuple(self.table(cls) for cls in classes)],  # noqa: UP007 - made at run time
            Field(discriminator="kind"),
        ]

    def union(self, members: tuple[Any, ...]) -> Any:
        """Members told apart by the TOML type of what is given."""
        named = [m for m in members if m not in IN_PYTHON_ONLY and m is not types.NoneType]
        choices = {toml_type(m): self.hint(m) for m in named}
        tables = [
            cls
            for member in named
            if toml_type(member) == "table" and member not in KINDS
            for cls in kinds_of(member)
        ]
        if len(tables) > 1:
            choices["table"] = self.kinds(tables)
        if len(choices) == 1:
            return next(iter(choices.values()))
        needed = " or ".join(f"a {name}" for name in choices)
        tagged = tuple(Annotated[choice, Tag(name)] for name, choice in choices.items())
        return Annotated[
            Union[tagged],  # noqa: UP007 - made at run time
            Discriminator(
                given_type,
                custom_error_type="wrong_type",
                custom_error_message=f"needs {needed}",
            ),
        ]


def kinds_of(cls: type) -> list[type]:
    """The kinds derived from an abstract class, in their order; otherwise the class itself.

    >>> from kavg.oracles.additive import AdditiveNoise
    >>> [NAMES[cls] for cls in kinds_of(AdditiveNoise)]
    ['gaussian', 'rademacher', 'sphere', 'student_t']
    """
    return [kind for kind in NAMES if issubclass(kind, cls)] or [cls]


def validate_range(hint: Any, name: str, value: Any) -> Any:
    """Return a value that lies in the range of its annotation; else raise KavgError."""
    check_range(hint, name, value)
    return value


def json_bounds(interval: Interval) -> dict[str, Any]:
    """Return the keywords by which JSON schema states the bounds of an interval."""
    bounds = {
        "minimum": interval.ge,
        "exclusiveMinimum": interval.gt,
        "maximum": interval.le,
        "exclusiveMaximum": interval.lt,
    }
    return {keyword: bound for keyword, bound in bounds.items() if bound is not None}


def toml_type(hint: Any) -> str:
    """The TOML type of a member of a union."""
    if hint in (int, float) or get_origin(hint) is Annotated:
        return "number"
    if hint is str or get_origin(hint) is Literal:
        return "text"
    return "list" if get_origin(hint) is tuple else "table"


def inner_tables(hint: Any) -> list[type]:
    """The tables without a kind that a key may hold."""
    members = get_args(hint) or (hint,)
    return [
        m
        for m in members
        if isinstance(m, type)
        and dataclasses.is_dataclass(m)
        and m not in NAMES
        and m not in IN_PYTHON_ONLY
    ]


def first_line(cls: type) -> str:
    """The first line of a docstring, for the schema."""
    return (cls.__doc__ or "").strip().split("\n")[0]


def plain(value: Any) -> Any:
    """A value as TOML would write it: tables with their ``kind``, lists, numbers, text.

    >>> from kavg.outer import BlockMomentum
    >>> plain(BlockMomentum(mu=0.5))
    {'kind': 'block_momentum', 'mu': 0.5}
    """
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if not dataclasses.is_dataclass(value):
        return value
    table = {"kind": NAMES[type(value)]} if type(value) in NAMES else {}
    for field in dataclasses.fields(value):
        part = getattr(value, field.name)
        if part is not None:
            table[keyed(field)] = plain(part)
    return table
