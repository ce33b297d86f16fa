"""Abstract or final: what a leaf of an abstract base may not do."""

from __future__ import annotations

from abc import ABC


def overridden(leaf: type, base: type[ABC]) -> set[str]:
    """The concrete methods and properties of ``base`` that ``leaf`` replaces."""
    concrete = vars(base).keys() - base.__abstractmethods__ - {"_abc_impl"}  # abc's own, in each
    named = {name for name in vars(leaf) if not name.startswith("__") or name == "__post_init__"}
    return named & concrete


def is_final(leaf: type) -> bool:
    return bool(getattr(leaf, "__final__", False))
