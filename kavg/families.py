"""Registries of classes by ``kind``, their name in a settings file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from kavg.errors import KavgError


def collect_kinds(namespace: Mapping[str, object]) -> Mapping[str, type[Any]]:
    """Return the classes of a namespace that have a ``kind``, by kind, in alphabetical order.

    A package calls it with ``vars()`` after its imports, so importing a class is all that registers
    it: for settings and their schema, ``kavg list`` and the contract tests.

    Raises KavgError if two classes have the same kind.

    >>> from kavg.outer import Averaging
    >>> dict(collect_kinds({"Averaging": Averaging, "numbers": [1, 2]}))
    {'averaging': <class 'kavg.outer.averaging.Averaging'>}
    """
    kinds: dict[str, type[Any]] = {}
    for cls in (value for value in namespace.values() if isinstance(value, type)):
        kind = getattr(cls, "kind", None)
        if kind is None:
            continue
        if kinds.setdefault(kind, cls) is not cls:
            raise KavgError(
                f"kind must be the name of one class, got {kind!r} for {kinds[kind].__name__} and "
                f"{cls.__name__}; give one of them another"
            )
    # A read-only view, as all of kavg shares the mapping.
    return MappingProxyType(dict(sorted(kinds.items())))
