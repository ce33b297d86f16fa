"""The target of a comparison: the value that a recorded quantity is to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, final

from annotated_types import Interval

from kavg.errors import KavgError
from kavg.ranges import Finite, check_ranges

StartFraction = Annotated[float, Interval(gt=0, lt=1), "it is a share of the value at the start"]
FloorFactor = Annotated[float, Interval(gt=1), "a stationary value itself is reached at no round"]
TargetRule = Literal["isotonic", "stays", "first"]
"""How the time of a noisy curve is read; ``kavg.analysis.targets`` defines each."""

RISING: Final = ("train_accuracy", "held_out_accuracy")
"""Quantities that rise, so that no share of their start is a target."""


@final
@dataclass(frozen=True)
class Target:
    """The value that the mean of a recorded ``quantity`` is to reach, and the rule of the time.

    One of four gives the value:

    - ``below``: a value to reach from above; ``above``: one to reach from below (an accuracy);
    - ``fraction``: of the value at the start, for F of the gap ``F(w_1) - f_star``;
    - ``floor``: a multiple of the stationary value, where that is known exactly (quadratics).

    Raises:
        KavgError: unless exactly one of the four is given, within its range.

    >>> str(Target("grad_norm2", below=1e-3))
    'grad_norm2 <= 0.001'
    >>> str(Target("F", fraction=0.01))
    'F at 0.01 of its start'
    """

    quantity: str
    below: Finite | None = None
    above: Finite | None = None
    fraction: StartFraction | None = None
    floor: FloorFactor | None = None
    rule: TargetRule = "isotonic"

    def __post_init__(self) -> None:
        check_ranges(self)
        forms = ("below", "above", "fraction", "floor")
        given = [name for name in forms if getattr(self, name) is not None]
        if len(given) != 1:
            raise KavgError(
                f"a target must have exactly one of {', '.join(forms)}, "
                f"got {' and '.join(given) or 'none'}"
            )
        if self.quantity in RISING and given[0] in ("fraction", "floor"):
            raise KavgError(
                f"{self.quantity} rises, and {given[0]} gives a value to reach from above; use "
                "above, such as above = 0.9"
            )

    @property
    def increasing(self) -> bool:
        """True if the quantity reaches the target from below."""
        return self.above is not None

    def __str__(self) -> str:
        """Return the target in words, such as ``grad_norm2 <= 0.001``."""
        if self.fraction is not None:
            return f"{self.quantity} at {self.fraction:g} of its start"
        if self.floor is not None:
            return f"{self.quantity} at {self.floor:g} times its stationary value"
        if self.above is not None:
            return f"{self.quantity} >= {self.above:g}"
        return f"{self.quantity} <= {self.below:g}"
