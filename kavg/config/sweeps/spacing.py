"""Values of a setting by rule, the same bits on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import ldexp
from typing import Annotated, Final, final

from kavg.errors import KavgError
from kavg.ranges import Count, Finite, check_ranges

FORMS: Final = ("log2", "log10", "linear", "uniform", "range")
"""The forms of ``Spacing``."""
BASES: Final[Mapping[str, int]] = {"log2": 2, "log10": 10}
EXPONENTS: Final[Mapping[str, tuple[int, int]]] = {"log2": (-1022, 1023), "log10": (-307, 308)}
"""The exponents whose powers are normal floats."""
MOST: Final = 100_000
"""Values of one setting."""
DIGITS: Final = 60
"""Decimal digits of a power before it is rounded to a float, which has 17."""
LARGEST: Final = 2**53
"""A larger whole number stays a float."""


@final
@dataclass(frozen=True)
class Spacing:
    """Values of a setting by rule: one of log2, log10, linear, range, uniform.

    ``log2 = [a, b]`` are the powers ``2^a, ..., 2^b`` with ``per`` values an octave (default 1) or
    ``count`` values in all; ``log10`` the same with decades.  ``linear = [a, b]`` are ``count``
    numbers at equal distances.  ``range = [first, last, step]`` are ``first, first + step, ...`` up
    to ``last``.  In ``[sweep.random]`` ``uniform`` and, without ``per`` and ``count``, ``log2`` and
    ``log10`` are laws to draw from.

    Each value is the float nearest to the exact number, so it is the same on every machine.

    Raises ``KavgError`` unless exactly one form is given, with numbers in ascending order.

    >>> Spacing(log2=(-1, 1), per=2).values
    (0.5, 0.7071067811865476, 1.0, 1.4142135623730951, 2.0)
    >>> Spacing(log10=(-3, -1)).values, Spacing(range=(1, 9, 2)).values
    ((0.001, 0.01, 0.1), (1, 3, 5, 7, 9))
    >>> Spacing(linear=(0.1, 0.5), count=5).values
    (0.1, 0.2, 0.3, 0.4, 0.5)
    """

    log2: tuple[Finite, ...] | None = None
    log10: tuple[Finite, ...] | None = None
    linear: tuple[Finite, ...] | None = None
    uniform: tuple[Finite, ...] | None = None
    range: tuple[Finite, ...] | None = None
    per: Annotated[Count, "it is the number of values an octave or decade"] | None = None
    count: Annotated[Count, "it is the number of values"] | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        given = [name for name in FORMS if getattr(self, name) is not None]
        if len(given) != 1:
            raise KavgError(
                f"needs exactly one of {', '.join(FORMS)}, got {' and '.join(given) or 'none'}"
            )
        self._check_numbers()
        self._check_counts()
        if not self.is_law and self._steps > MOST:
            raise KavgError(f"has more than {MOST} values; take fewer")

    @property
    def form(self) -> str:
        """The name of the form that is given."""
        return next(name for name in FORMS if getattr(self, name) is not None)

    @property
    def is_law(self) -> bool:
        """True if ``[sweep.random]`` draws from the whole interval."""
        return self.form == "uniform" or (
            self.form in BASES and self.per is None and self.count is None
        )

    @property
    def values(self) -> tuple[float, ...]:
        """All values in ascending order, whole numbers if all of them are whole."""
        low, high = self._limits
        steps = self._steps
        if self.form == "range":
            places = [low + i * self._step for i in range(steps + 1)]
        else:
            places = [low + (high - low) * Fraction(i, max(1, steps)) for i in range(steps + 1)]
        return _prefer_whole([self._value_at(place) for place in places])

    def draw(self, share: Fraction) -> float:
        """Return the value below which the law has this share, ``0 <= share < 1``.

        Where the form is no law, each of its values has the same probability.

        >>> Spacing(uniform=(0, 4)).draw(Fraction(1, 8)), Spacing(log2=(-2, 2)).draw(Fraction(1, 2))
        (0.5, 1.0)
        """
        if not self.is_law:
            return choose_by_share(self.values, share)
        low, high = self._limits
        return self._value_at(low + (high - low) * share)

    @property
    def _numbers(self) -> tuple[float, ...]:
        found: tuple[float, ...] = getattr(self, self.form)
        return found

    @property
    def _limits(self) -> tuple[Fraction, Fraction]:
        # As they were written: 0.1 is a tenth.
        low, high = (Fraction(repr(number)) for number in self._numbers[:2])
        return low, high

    @property
    def _step(self) -> Fraction:
        return Fraction(repr(self._numbers[2])) if len(self._numbers) > 2 else Fraction(1)

    @property
    def _steps(self) -> int:
        """The number of values after the first."""
        low, high = self._limits
        if self.form == "range":
            return int((high - low) // self._step)
        if self.count is not None:
            return self.count - 1
        return int((high - low) * (self.per or 1))

    def _value_at(self, place: Fraction) -> float:
        if self.form in BASES:
            return round_power(BASES[self.form], place)
        return float(place)

    def _check_numbers(self) -> None:
        form, numbers = self.form, self._numbers
        if form == "range":
            is_right = len(numbers) in (2, 3) and min(numbers[2:], default=1) > 0
            need = "[first, last] or [first, last, step] with first <= last and step > 0"
        else:
            is_right, need = len(numbers) == 2, "[low, high] with low <= high"
        # The length first: an empty list has no numbers[0].
        if not is_right or numbers[0] > numbers[1]:
            raise KavgError(f"{form} must be {need}, got {[*numbers]}")
        low, high = EXPONENTS.get(form, (-float("inf"), float("inf")))
        if numbers[0] < low or numbers[1] > high:
            raise KavgError(
                f"{form} must have exponents from {low} to {high}, got {[*numbers]}; "
                f"{form} = [-3, 0] ends at 1"
            )

    def _check_counts(self) -> None:
        form, per, count = self.form, self.per, self.count
        if per is not None and form not in BASES:
            raise KavgError(f"per goes with log2 and log10, got {form}; use linear with count")
        if per is not None and count is not None:
            raise KavgError("needs one of per and count, got both")
        if count is None and form == "linear":
            raise KavgError("linear needs count, the number of values, as in count = 5")
        if count is not None and form in ("range", "uniform"):
            raise KavgError(f"{form} takes no count; use linear = [low, high] with count")
        low, high = self._limits
        if count is not None and (count == 1) != (low == high):
            raise KavgError(f"count must be 1 for one number and more for two, got count={count}")
        if per is not None and ((high - low) * per).denominator != 1:
            raise KavgError(
                f"{form} = {[*self._numbers]} is no whole number of steps with per={per}; use count"
            )


def choose_by_share(values: Sequence[float], share: Fraction) -> float:
    """Return one of the values, each for the same part of ``0 <= share < 1``."""
    return values[int(share * len(values))]


def round_power(base: int, exponent: Fraction) -> float:
    """Return the float nearest to ``base ** exponent``, for the bases 2 and 10.

    Powers of 2 with a whole exponent are exact.  Others are computed with 60 decimal digits by
    Python's own decimal arithmetic, not by the C library, whose last bits differ.

    >>> round_power(2, Fraction(-3)), round_power(2, Fraction(1, 2)), round_power(10, Fraction(-1))
    (0.125, 1.4142135623730951, 0.1)
    """
    if base == 2 and exponent.denominator == 1:
        return ldexp(1.0, int(exponent))
    with localcontext(Context(prec=DIGITS)):
        return float(Decimal(base) ** (Decimal(exponent.numerator) / exponent.denominator))


def _prefer_whole(values: Sequence[float]) -> tuple[float, ...]:
    # Counts such as K are whole numbers, which TOML does not mix with floats.
    is_whole = all(value.is_integer() and abs(value) < LARGEST for value in values)
    return tuple(int(value) if is_whole else value for value in values)
