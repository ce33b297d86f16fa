"""The contract of kinds: what settings need of every class of a family, so that none is forgotten.

A class belongs to a family if it has the family's methods.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from kavg import aggregations, objectives, optimizers, oracles, outer
from kavg.errors import KavgError
from kavg.families import collect_kinds
from kavg.objectives.instances import small_settings

METHODS: dict[ModuleType, set[str]] = {
    objectives: {"value", "grad"},
    oracles: {"constants", "plan"},
    outer: {"start", "step"},
    optimizers: {"plan", "slots"},
    aggregations: {"check_method"},
}
"""The packages in which a kind is a class of its own module, with their classes' methods."""
ATTRIBUTES: dict[ModuleType, set[str]] = {
    objectives: {"dim", "L", "f_star"},
    oracles: set(),
    outer: {"memory"},
    optimizers: {"at_average"},
    aggregations: set(),
}


def members(package: ModuleType) -> Iterator[type[Any]]:
    """The classes of a family, in whichever module of its package they are defined."""
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for name, cls in inspect.getmembers(importlib.import_module(info.name), inspect.isclass):
            is_own = cls.__module__ == info.name and not name.startswith("_")
            if is_own and not inspect.isabstract(cls) and METHODS[package] <= set(dir(cls)):
                yield cls


MEMBERS = {cls.__name__: (package, cls) for package in METHODS for cls in members(package)}
LISTED = {kind: (package, cls) for package in METHODS for kind, cls in package.KINDS.items()}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_class_has_a_kind_and_is_imported_in_its_package(name: str) -> None:
    package, cls = MEMBERS[name]
    kind = getattr(cls, "kind", None)
    words = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
    assert kind, f'{name} must have a kind, its name in settings, such as kind = "{words}"'
    assert re.fullmatch(r"[a-z][a-z0-9_]*", kind), f"kind must be like {words!r}, got {kind!r}"
    face = f"{package.__name__.replace('.', '/')}/__init__.py"
    assert getattr(package, name, None) is cls, f"{name} must be imported in {face}, as {name}"
    assert package.KINDS.get(kind) is cls, f"{name} must be imported above KINDS in {face}"


@pytest.mark.parametrize("kind", LISTED)
def test_a_kind_has_what_its_family_needs(kind: str) -> None:
    package, cls = LISTED[kind]
    instance = cls(**small_settings(cls))
    missing = {
        each for each in METHODS[package] | ATTRIBUTES[package] if not hasattr(instance, each)
    }
    assert not missing, f"{cls.__name__} must have {', '.join(sorted(missing))}"


@pytest.mark.parametrize("kind", LISTED)
def test_a_kind_is_a_final_frozen_dataclass_with_a_docstring(kind: str) -> None:
    _, cls = LISTED[kind]
    name, doc = cls.__name__, cls.__doc__ or ""
    assert dataclasses.is_dataclass(cls), f"{name} must be @dataclass(frozen=True)"
    assert cls.__dataclass_params__.frozen, f"{name} must be @dataclass(frozen=True)"
    assert getattr(cls, "__final__", False), f"{name} must be @final"
    assert not doc.startswith(f"{name}("), f"{name} must have a docstring: kavg list prints it"
    assert doc.count("Write here") == 0, (
        f"the docstring of {name} must have no words of the template"
    )


def test_two_classes_of_one_kind_are_refused() -> None:
    other = type("Other", (), {"kind": "averaging"})
    with pytest.raises(KavgError, match=r"'averaging' for Averaging and Other; give one of them"):
        collect_kinds({"Averaging": outer.Averaging, "Other": other})
    again = {"Averaging": outer.Averaging, "Mean": outer.Averaging}
    assert dict(collect_kinds(again)) == {"averaging": outer.Averaging}
