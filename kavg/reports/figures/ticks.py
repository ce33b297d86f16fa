"""Ticks of logarithmic axes and of settings, few enough that their labels stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, frexp, isfinite, log10
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axis import Axis

MOST: Final = 5
"""Ticks of an axis at most."""
MANTISSAS: Final = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7))
STEPS: Final = (1, 2, 2.5, 5, 10)
PLAIN: Final = (1e-3, 1e5)
"""Magnitudes that are written without an exponent."""


def set_log_ticks(axis: Axis, low: float, high: float, most: int = MOST) -> None:
    """Give a logarithmic axis from ``low`` to ``high`` at most so many ticks, all with labels."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    ticks = log_ticks(low, high, most)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(format_ticks(ticks)))
    axis.set_minor_locator(NullLocator())


def set_linear_ticks(axis: Axis, low: float, high: float, *, whole: bool = False) -> None:
    """Give a linear axis from ``low`` to ``high`` a few ticks, and its label their power of ten.

    matplotlib writes the power at the end of the axis, where a long label meets it.
    """
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    ticks = linear_ticks(low, high, whole=whole)
    power = find_power(ticks)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter([f"{x / 10.0**power:.6g}" for x in ticks]))
    axis.set_minor_locator(NullLocator())
    add_power(axis, power)


def add_power(axis: Axis, power: int) -> None:
    """Write the power of ten of its ticks into the label of an axis."""
    label = axis.get_label_text()
    if power and label:
        unit = f"$10^{{{power}}}$" if axis.label.get_parse_math() else f"1e{power}"
        axis.set_label_text(f"{label} ({unit})")


def linear_ticks(low: float, high: float, most: int = MOST, *, whole: bool = False) -> list[float]:
    """Return round numbers from ``low`` to ``high``, whole ones if asked.

    >>> linear_ticks(-2.0, 42.0), linear_ticks(-0.2, 1.3, whole=True)
    ([0.0, 20.0, 40.0], [0.0, 1.0])
    """
    from matplotlib.ticker import MaxNLocator

    # A tick at the very end may lie outside by rounding.
    room = 1e-9 * (high - low)
    ticks = MaxNLocator(most - 1, steps=STEPS, integer=whole).tick_values(low, high)
    return [float(f"{x:.12g}") for x in ticks if low - room <= x <= high + room]


def find_power(ticks: Sequence[float]) -> int:
    """Return the power of ten by which the labels of ticks are divided: 0 for usual numbers.

    >>> find_power([0.0, 1e8, 2e8]), find_power([0.0, 1e4])
    (8, 0)
    """
    largest = max((abs(x) for x in ticks), default=0.0)
    return 0 if largest == 0 or PLAIN[0] <= largest < PLAIN[1] else floor(log10(largest) + 1e-12)


def log_ticks(low: float, high: float, most: int = MOST) -> list[float]:
    """Return round numbers from ``low`` to ``high``: powers of ten where there are three.

    >>> log_ticks(2e-9, 3e3)
    [1e-06, 0.001, 1.0, 1000.0]
    >>> log_ticks(0.8, 30)
    [1.0, 3.0, 10.0, 30.0]
    >>> log_ticks(2.0, 2.4)
    [2.0, 2.1, 2.2, 2.3, 2.4]
    """
    if not 0 < low < high < float("inf"):
        return [low] if low > 0 else []
    first, last = ceil(log10(low) - 1e-9), floor(log10(high) + 1e-9)
    if last - first >= 2:
        stride = ceil((last - first + 1) / most)
        # Exponents are multiples of the stride, so that equal ranges have equal ticks.
        return [10.0**n for n in range(first, last + 1) if n % stride == 0]
    for mantissas in MANTISSAS:
        numbers = (m * 10.0**n for n in range(first - 1, last + 2) for m in mantissas)
        inside = [float(f"{x:.3g}") for x in numbers if low * (1 - 1e-9) <= x <= high * (1 + 1e-9)]
        if 3 <= len(inside) <= most:
            return inside
    return linear_ticks(low, high, most)


def format_ticks(ticks: Sequence[float]) -> list[str]:
    r"""Return the labels of ticks, all plain or all with an exponent.

    >>> format_ticks([0.5, 1.0, 2.0]), format_ticks([1e-6, 2e-6])
    (['0.5', '1', '2'], ['$10^{-6}$', '$2{\\times}10^{-6}$'])
    """
    if all(x == 0 or PLAIN[0] <= abs(x) < PLAIN[1] for x in ticks):
        return [f"{x:.6g}" for x in ticks]
    return [_format_power(x) for x in ticks]


def _format_power(x: float) -> str:
    if x == 0 or not isfinite(x):
        return f"{x:g}"
    exponent = floor(log10(abs(x)) + 1e-12)
    mantissa = f"{x / 10.0**exponent:.4g}"
    return (
        f"$10^{{{exponent}}}$" if mantissa == "1" else rf"${mantissa}{{\times}}10^{{{exponent}}}$"
    )


def format_settings(values: Sequence[object]) -> list[str]:
    """Return the labels of values of a setting: powers of two as such where some are small.

    >>> format_settings([1, 4, 16]), format_settings([2.0**-12, 2.0**-6]), format_settings(["a"])
    (['1', '4', '16'], ['$2^{-12}$', '$2^{-6}$'], ['a'])
    """
    numbers = [x for x in values if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(numbers) < len(values):
        return [_plain([x])[0] if isinstance(x, float) else str(x) for x in values]
    # One notation for all, as a mixture is hard to compare.
    extreme = any(x and not 1e-2 <= abs(x) < PLAIN[1] for x in numbers)
    if extreme and is_power_of_two(numbers):
        return [f"$2^{{{frexp(x)[1] - 1}}}$" for x in numbers]
    return [_format_power(float(f"{x:.3g}")) for x in numbers] if extreme else _plain(numbers)


def is_power_of_two(values: Sequence[object]) -> bool:
    """True if all values are powers of two.

    >>> is_power_of_two([0.25, 1, 8]), is_power_of_two([3, "a"])
    (True, False)
    """
    return all(isinstance(x, int | float) and x > 0 and frexp(x)[0] == 0.5 for x in values)


def _plain(numbers: Sequence[float]) -> list[str]:
    return [f"{x:.3g}" if abs(x) < 1000 else f"{x:.5g}" for x in numbers]
