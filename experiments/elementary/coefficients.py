"""The polynomials of kavg.elementary, made in 60 digits.

``python experiments/elementary/coefficients.py`` prints, for each polynomial, its coefficients as
the modules have them and its largest error over its largest value, before and after rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, getcontext
from itertools import pairwise
from math import factorial

import numpy as np

DIGITS = 60
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781641")


@dataclass(frozen=True)
class Polynomial:
    """A polynomial that interpolates ``sum_k term(k) x^k`` at Chebyshev nodes of [low, high]."""

    name: str
    term: Callable[[int], Decimal]
    degree: int
    low: Decimal
    high: Decimal
    dtype: str = "float64"

    def exact(self, x: Decimal) -> Decimal:
        """The function itself, by its power series."""
        return horner([self.term(k) for k in reversed(range(60))], x)

    def nodes(self) -> list[Decimal]:
        """The zeros of the Chebyshev polynomial of degree ``degree + 1``, moved to [low, high]."""
        count = self.degree + 1
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return [middle + half * cosine(PI * (2 * k + 1) / (2 * count)) for k in range(count)]

    def coefficients(self) -> list[Decimal]:
        """Highest power first, not rounded."""
        nodes = self.nodes()
        return interpolate(nodes, [self.exact(x) for x in nodes])

    def rounded(self) -> list[float]:
        """Highest power first, in the precision of the module.

        Once a coefficient is rounded, the next ones are made anew for what is left, with a node
        less: so they make good for its rounding, as far as they can.
        """
        nodes, found = self.nodes(), list[float]()
        values = [self.exact(x) for x in nodes]
        while nodes:
            found.append(self._round(interpolate(nodes, values)[-1]))
            # The node nearest to 0, where the coefficients that follow have no weight.
            least = min(range(len(nodes)), key=lambda i: abs(nodes[i]))
            values = [y - Decimal(found[-1]) for y in values]
            del nodes[least], values[least]
            values = [y / x for x, y in zip(nodes, values, strict=True)]
        return found[::-1]

    def _round(self, c: Decimal) -> float:
        return float(c) if self.dtype == "float64" else float(str(np.float32(c)))

    def error(self, coefficients: list[Decimal]) -> Decimal:
        """The largest error on 1000 points, over the largest value."""
        steps = [self.low + (self.high - self.low) * k / 1000 for k in range(1001)]
        exact = [self.exact(x) for x in steps]
        errors = [abs(horner(coefficients, x) - y) for x, y in zip(steps, exact, strict=True)]
        return max(errors) / max(map(abs, exact))


def interpolate(x: list[Decimal], y: list[Decimal]) -> list[Decimal]:
    """The polynomial through these points, by Newton's divided differences; highest power first."""
    found, basis = list[Decimal](), [Decimal(1)]
    for k in range(len(x)):
        found = add(found, [y[0] * b for b in basis])
        basis = add([Decimal(0), *basis], [-x[k] * b for b in basis])
        y = [(b - a) / (x[k + 1 + i] - x[i]) for i, (a, b) in enumerate(pairwise(y))]
    return found[::-1]


def cosine(angle: Decimal) -> Decimal:
    """The cosine, by its power series."""
    return sum(((-1) ** k * angle ** (2 * k) / factorial(2 * k) for k in range(60)), Decimal(0))


def add(a: list[Decimal], b: list[Decimal]) -> list[Decimal]:
    """The sum of two polynomials, lowest power first."""
    size = max(len(a), len(b))
    padded = ([*c, *[Decimal(0)] * (size - len(c))] for c in (a, b))
    return [one + other for one, other in zip(*padded, strict=True)]


def horner(coefficients: list[Decimal], x: Decimal) -> Decimal:
    """The polynomial at x; highest power first."""
    total = Decimal(0)
    for c in coefficients:
        total = total * x + c
    return total


def half_turn(degree: int) -> tuple[Decimal, Decimal]:
    """An interval a little wider than [0, 1/4], whose outermost Chebyshev nodes are 0 and 1/4.

    The polynomial is right there, where the sine has its zero and its peak.
    """
    excess = (1 / cosine(PI / (2 * (degree + 1))) - 1) / 8
    return -excess, Decimal("0.25") + excess


def sine_term(k: int) -> Decimal:
    """Of ``sin(pi sqrt(w)) / sqrt(w)`` in w."""
    return (-1) ** k * PI ** (2 * k + 1) / factorial(2 * k + 1)


def cosine_term(k: int) -> Decimal:
    """Of ``cos(pi sqrt(w))`` in w."""
    return (-1) ** k * PI ** (2 * k) / factorial(2 * k)


def logarithm_term(k: int) -> Decimal:
    """Of ``2 (artanh(s)/s - 1) / q`` in ``q = s^2``."""
    return Decimal(2) / (2 * k + 3)


def exponential_term(k: int) -> Decimal:
    """Of ``(exp r - 1 - r) / r^2`` in r."""
    return Decimal(1) / factorial(k + 2)


def polynomials() -> list[Polynomial]:
    """Those of sine.py, logarithm.py and exponential.py."""
    getcontext().prec = DIGITS
    quarter, half_log = Decimal("0.25"), Decimal("0.3466")
    # s = f / (2 + f) at f = sqrt(2) - 1, the larger end.
    q = (3 - 2 * Decimal(2).sqrt()) ** 2
    zero = Decimal(0)
    return [
        Polynomial("SINE64", sine_term, 7, *half_turn(7)),
        Polynomial("SINE32", sine_term, 4, *half_turn(4), "float32"),
        Polynomial("COSINE32", cosine_term, 5, zero, quarter, "float32"),
        Polynomial("LOG64", logarithm_term, 6, zero, q),
        Polynomial("LOG32", logarithm_term, 2, zero, q, "float32"),
        Polynomial("EXP64", exponential_term, 9, -half_log, half_log),
        Polynomial("EXP32", exponential_term, 4, -half_log, half_log, "float32"),
    ]


if __name__ == "__main__":
    for one in polynomials():
        exact, rounded = one.coefficients(), one.rounded()
        before, after = one.error(exact), one.error([Decimal(c) for c in rounded])
        print(f"{one.name} = (  # error {before:.1e}, rounded {after:.1e}")
        print(*(f"    {c!r}," for c in rounded), sep="\n")
        print(")")
