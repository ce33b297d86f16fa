"""The members that a Protocol names, and whether a value has them.

A user's own objective, oracle or rule derives from nothing of kavg, so its members are all that can
be checked before it is used.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from types import FunctionType, MappingProxyType
from typing import Any, get_type_hints

ABSENT = object()
"""The mark of an attribute that a class does not define."""


def is_protocol(hint: Any) -> bool:
    """True if a type is a Protocol, and not a class that implements one."""
    return bool(getattr(hint, "_is_protocol", False))


@cache
def protocol_members(protocol: type) -> Mapping[str, Any]:
    """Return the public members of a Protocol: the type of an attribute, None for a method.

    >>> from kavg.base import Outer
    >>> dict(protocol_members(Outer))
    {'memory': bool | int, 'start': None, 'step': None}
    """
    members: dict[str, Any] = {}
    for base in filter(is_protocol, protocol.__mro__):
        for name, member in vars(base).items():
            if isinstance(member, property):
                hints = get_type_hints(member.fget, include_extras=True)
                members.setdefault(name, hints["return"])
            elif isinstance(member, FunctionType) and (name == "__call__" or name[0] != "_"):
                members.setdefault(name, None)
    return MappingProxyType(members)


def missing_members(protocol: type, value: object) -> list[str]:
    """List the members of a Protocol that a value lacks; no property is evaluated.

    A method that cannot be called is missing too.

    >>> from kavg.base import Outer
    >>> missing_members(Outer, "block_momentum")
    ['memory', 'start', 'step']
    """
    return [
        name
        for name, hint in protocol_members(protocol).items()
        if not (_has_attribute(value, name) if hint else callable(getattr(value, name, None)))
    ]


def _has_attribute(value: object, name: str) -> bool:
    # hasattr would evaluate a property, which may read data or iterate for a constant.
    return plain_attribute(value, name) is not ABSENT or hasattr(value, name)


def plain_attribute(value: object, name: str) -> Any:
    """Return an attribute as its object or class holds it, a property for one; else ``ABSENT``."""
    return inspect.getattr_static(value, name, ABSENT)


def find_definer(value: object, name: str) -> object | None:
    """Return what defines an attribute: the object itself, or the first of its classes that does.

    None if nothing does; what ``__getattr__`` would find does not count.

    >>> find_definer(True, "imag"), find_definer(True, "real_part")
    (<class 'int'>, None)
    """
    try:
        # Not vars, which may ask __getattr__ of a wrapper.
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = {}
    if name in own:
        return value
    return next((cls for cls in type(value).__mro__ if name in vars(cls)), None)


def has_own_plan(value: object, plan: str, *, of: str) -> bool:
    """True if a value has a method ``plan`` that belongs to its method ``of``.

    What defines the plan must define the other as well, or derive from what does: a plan of a base,
    or of an object inside, is one of another method.

    >>> class Base:
    ...     def grad(self): ...
    ...     def plan_gradient(self): ...
    >>> class Changed(Base):
    ...     def grad(self): ...
    >>> has_own_plan(Base(), "plan_gradient", of="grad")
    True
    >>> has_own_plan(Changed(), "plan_gradient", of="grad")
    False
    """
    planner, definer = find_definer(value, plan), find_definer(value, of)
    if planner is None or definer is None:
        return False
    lineage = planner.__mro__ if isinstance(planner, type) else ()
    is_own = planner is value or any(each is definer for each in lineage)
    return is_own and callable(getattr(value, plan, None))
