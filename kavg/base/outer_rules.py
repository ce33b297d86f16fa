"""What is read off an outer rule: the shape of its memory, its kind and its numbers."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from sys import float_info

from kavg.base.algorithms import Outer


def memory_shape(outer: Outer, R: int, d: int) -> tuple[int, ...]:
    """Return the shape of ``v``: as many arrays ``(R, d)``, side by side, as the rule remembers.

    >>> from kavg.outer import Averaging, BlockMomentum
    >>> memory_shape(BlockMomentum(mu=0.5), R=2, d=3), memory_shape(Averaging(), R=2, d=3)
    ((2, 3), (0,))
    """
    return (R, int(outer.memory) * d) if outer.memory else (0,)


def describe_outer_rule(rule: Outer) -> dict[str, str | float]:
    """Return the kind of an outer rule and its numbers, as plain values that a file can hold.

    A class of a user is called by its own name, and its numbers are those of its dataclass fields.

    >>> from kavg.outer import BlockMomentum
    >>> describe_outer_rule(BlockMomentum(mu=0.5))
    {'kind': 'block_momentum', 'mu': 0.5}
    """
    cls = type(rule)
    # A class that derives from one of kavg inherits its kind, and is another rule.
    kind = vars(cls).get("kind")
    names: list[str] = [each.name for each in fields(rule)] if is_dataclass(rule) else []
    values = {name: getattr(rule, name) for name in names if name != "kind"}
    numbers = {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, float | int) and abs(value) <= float_info.max
    }
    return {"kind": kind if isinstance(kind, str) else cls.__name__, **numbers}
