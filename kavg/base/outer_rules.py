"""What is read off an outer rule: the shape of its memory, its kind and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from sys import float_info

from kavg.base.algorithms import Outer
from kavg.errors import KavgError


def memory_shape(outer: Outer, R: int, d: int) -> tuple[int, ...]:
    """Return the shape of ``v``: as many arrays ``(R, d)``, side by side, as the rule remembers.

    >>> from kavg.outer import Averaging, BlockMomentum
    >>> memory_shape(BlockMomentum(mu=0.5), R=2, d=3), memory_shape(Averaging(), R=2, d=3)
    ((2, 3), (0,))
    """
    return (R, int(outer.memory) * d) if outer.memory else (0,)


def check_restart(restart: int | None, outer: Outer) -> None:
    """Raise ``KavgError`` if the memory of a rule is to be restarted that has none."""
    if restart is not None and not outer.memory:
        raise KavgError(
            "restart sets the memory of the outer rule to zero every so many rounds, and "
            f"{type(outer).__name__} has none; leave restart out"
        )


def describe_outer_rule(rule: Outer, restart: int | None = None) -> dict[str, str | float]:
    """Return the kind of an outer rule and its numbers, as plain values that a file can hold.

    An outer step ``alpha`` of 1 is left out, and so is ``restart`` where the memory is carried on.
    A class of a user is called by its own name, and its numbers are those of its dataclass fields.

    >>> from kavg.outer import BlockMomentum
    >>> describe_outer_rule(BlockMomentum(mu=0.5))
    {'kind': 'block_momentum', 'mu': 0.5}
    >>> describe_outer_rule(BlockMomentum(mu=0.5, alpha=0.7), restart=10)
    {'kind': 'block_momentum', 'mu': 0.5, 'alpha': 0.7, 'restart': 10.0}
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
    described: dict[str, str | float] = {"kind": kind if isinstance(kind, str) else cls.__name__}
    described |= drop_unit_step(numbers)
    return described if restart is None else described | {"restart": float(restart)}


def drop_unit_step(described: Mapping[str, str | float]) -> dict[str, str | float]:
    """Return what was described of a rule without an outer step ``alpha`` of 1.

    Most rules had no alpha up to kavg 0.5, and ``SlowMo`` recorded it always.

    >>> drop_unit_step({"kind": "slowmo", "mu": 0.5, "alpha": 1.0})
    {'kind': 'slowmo', 'mu': 0.5}
    """
    return {name: value for name, value in described.items() if (name, value) != ("alpha", 1.0)}
