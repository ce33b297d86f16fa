"""The value of a target on a problem: absolute, a share of the start, or above the noise floor."""

from __future__ import annotations

from math import isfinite

from kavg.base import Constant
from kavg.errors import KavgError
from kavg.targets import Target


def find_infimum(f_star: Constant, quantity: str) -> float:
    """Return the value that shares and ratios of a quantity count from: ``f_star`` for F, else 0.

    It is 0 too for an ``f_star`` that is not known exactly, or not finite.

    >>> find_infimum(Constant(-2.0, "exact", "by hand"), "F")
    -2.0
    """
    is_known = quantity == "F" and f_star.how == "exact" and isfinite(f_star.value)
    return f_star.value if is_known else 0.0


def target_value(
    target: Target, start: float, *, lowest: float = 0.0, stationary: float | None = None
) -> float:
    """Return the value that a quantity is to reach.

    ``start`` is the mean of the quantity over replicas at the start, ``lowest`` its infimum
    (``f_star`` for F, 0 for squared norms) and ``stationary`` its mean under the stationary law.
    A fraction f is ``lowest + f (start - lowest)``, a floor c is ``lowest + c (stationary -
    lowest)``.  Methods have different stationary values, so give the largest of those compared:
    every method can then reach the target.

    Raises:
        KavgError: if the number that the target refers to is not known.

    >>> target_value(Target("F", fraction=0.25), start=5.0, lowest=1.0)
    2.0
    >>> target_value(Target("grad_norm2", floor=2.0), start=8.0, stationary=0.5)
    1.0
    """
    if target.fraction is not None:
        return lowest + target.fraction * (_known(target, "start", start) - lowest)
    if target.floor is not None:
        return lowest + target.floor * (_known(target, "stationary", stationary) - lowest)
    absolute = target.above if target.above is not None else target.below
    assert absolute is not None  # Target has exactly one of the four
    return absolute


def _known(target: Target, name: str, value: float | None) -> float:
    if value is None or not isfinite(value):
        raise KavgError(
            f"the target '{target}' needs a finite {name} value of {target.quantity}, got {value}; "
            "use below, an absolute value"
        )
    return value
