"""Pydantic models of the tables of a settings file, derived from the constructors.

Every dataclass that a user can name in TOML (an objective, an oracle, an outer rule, ...) becomes
a model with the same fields, so that a settings file is validated against the very signatures that
Python users call, with all errors at once, and converted to the values they would construct.

A field annotated with a Protocol of ``kavg.base`` is a table with a ``kind``; the members of a
union are distinguished by their TOML type: a number, a text, a list or a table.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable
from functools import partial
from itertools import filterfalse
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Interval
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    create_model,
)

from kavg.config.kinds import (
    IN_PYTHON_ONLY,
    KINDS,
    NAMES,
    concrete_classes,
    field_default,
    field_key,
    holds_rest,
    rest_hint,
)
from kavg.ranges import check_range

WHOLE: Final = Annotated[int, Strict(), Field(ge=-(2**63), lt=2**63)]
"""The whole numbers that TOML promises."""

SETTINGS: Final = ConfigDict(extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)


class Closed(BaseModel):
    """A table whose keys are those of its model."""

    model_config = SETTINGS


def _open_model(value: Any) -> type[BaseModel]:
    """A table that may have other keys too, all of one type of value."""

    def fill(namespace: dict[str, Any]) -> None:
        namespace["model_config"] = SETTINGS | ConfigDict(extra="allow")
        # The type is known at run time only, which a class statement cannot annotate with.
        namespace["__annotations__"] = {"__pydantic_extra__": dict[str, value]}
        namespace["__module__"] = __name__

    return types.new_class("Open", (BaseModel,), {}, fill)


class ModelBuilder:
    """Builds the model of each dataclass once.

    ``types`` maps a class to its keys, and each key to the type that its value must have.
    """

    def __init__(self) -> None:
        self.types: dict[type, dict[str, Any]] = {}
        self._tables: dict[type, Any] = {}

    def table(self, cls: type) -> Any:
        """Return the type of a table with the fields of ``cls``, validated to a ``cls``.

        A field's annotation gives its TOML type and range; ``metadata["key"]`` renames its key,
        and the functions in ``metadata["checks"]`` validate or replace its value.
        """
        if cls not in self._tables:
            validate = AfterValidator(partial(_construct, cls))
            self._tables[cls] = Annotated[self._model(cls), validate]
        return self._tables[cls]

    def _model(self, cls: type) -> type[BaseModel]:
        kind = NAMES.get(cls)
        fields: dict[str, Any] = {"kind": (Literal[kind], ...)} if kind else {}
        hints = get_type_hints(cls, include_extras=True)
        for field in filterfalse(holds_rest, dataclasses.fields(cls)):
            key, hint = field_key(field), hints[field.name]
            # On the whole field: pydantic's own bounds would report one end of an interval only.
            in_range = AfterValidator(partial(_validate_range, hint, field.name))
            checks = [in_range, *map(AfterValidator, field.metadata.get("checks", ()))]
            fields[key] = (Annotated[self._toml_type(hint), *checks], field_default(field))
        self.types[cls] = {key: hint for key, (hint, _) in fields.items()}
        summary = (cls.__doc__ or "").strip().split("\n")[0]
        rest = rest_hint(cls)
        base = Closed if rest is None else _open_model(self._toml_type(rest))
        return create_model(cls.__name__, __base__=base, __doc__=summary, **fields)

    def _toml_type(self, hint: Any) -> Any:
        if get_origin(hint) is Annotated:
            kind, interval, *_ = get_args(hint)
            return Annotated[self._toml_type(kind), Field(json_schema_extra=_bounds(interval))]
        if hint in KINDS:
            return self._tables_by_kind(KINDS[hint].values())
        if hint is int:
            return WHOLE
        if hint in (float, str, bool):
            return Annotated[hint, Strict()]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self.table(hint)
        if isinstance(hint, type) and concrete_classes(hint) != [hint]:
            return self._tables_by_kind(concrete_classes(hint))
        if get_origin(hint) in (Union, types.UnionType):
            return self._union(get_args(hint))
        if get_origin(hint) is tuple:
            parts = [part if part is ... else self._toml_type(part) for part in get_args(hint)]
            return types.GenericAlias(tuple, tuple(parts))
        return hint

    def _tables_by_kind(self, classes: Iterable[type]) -> Any:
        return Annotated[
            Union[tuple(self.table(cls) for cls in classes)],  # noqa: UP007 - made at run time
            Field(discriminator="kind"),
        ]

    def _union(self, hints: tuple[Any, ...]) -> Any:
        members = [m for m in hints if m not in IN_PYTHON_ONLY and m is not types.NoneType]
        choices = {_toml_type_name(m): self._toml_type(m) for m in members}
        tables = [
            cls
            for member in members
            if _toml_type_name(member) == "table" and member not in KINDS
            for cls in concrete_classes(member)
        ]
        if len(tables) > 1:
            choices["table"] = self._tables_by_kind(tables)
        if len(choices) == 1:
            return next(iter(choices.values()))
        needed = " or ".join(f"a {name}" for name in choices)
        tagged = tuple(Annotated[choice, Tag(name)] for name, choice in choices.items())
        return Annotated[
            Union[tagged],  # noqa: UP007 - made at run time
            Discriminator(
                _given_type_name,
                custom_error_type="wrong_type",
                custom_error_message=f"needs {needed}",
            ),
        ]


def _construct(cls: type, values: BaseModel) -> Any:
    # A KavgError is a ValueError, which pydantic reports at the place of the table.
    given = {
        field.name: values.model_extra if holds_rest(field) else getattr(values, field_key(field))
        for field in dataclasses.fields(cls)
    }
    return cls(**given)


def _validate_range(hint: Any, name: str, value: Any) -> Any:
    return check_range(hint, name, value)


def _bounds(interval: Interval) -> dict[str, Any]:
    bounds = {
        "minimum": interval.ge,
        "exclusiveMinimum": interval.gt,
        "maximum": interval.le,
        "exclusiveMaximum": interval.lt,
    }
    return {keyword: bound for keyword, bound in bounds.items() if bound is not None}


def _toml_type_name(hint: Any) -> str:
    if hint in (int, float) or get_origin(hint) is Annotated:
        return "number"
    if hint is str or get_origin(hint) is Literal:
        return "text"
    return "list" if get_origin(hint) is tuple else "table"


def _given_type_name(value: Any) -> str:
    if isinstance(value, (dict, BaseModel)):
        return "table"
    if isinstance(value, (list, tuple)):
        return "list"
    # In Python True is an int; in TOML it is not a number.
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if number else "text" if isinstance(value, str) else "other"
