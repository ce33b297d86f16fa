"""Finite resolution: different values, the extremes of Box and Muller, what streams share.

Run it with ``python experiments/noise/resolution.py [draws]``.  The normals are those of the code
itself, at words of our choice: the mixer is a bijection, so a key can be found for every word.
What the table of quantiles can give is printed by ``law.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from kavg.base import Floats
from kavg.oracles.box_muller import PolarNormals
from kavg.oracles.normals import Normals
from kavg.oracles.streams import MULTIPLIERS, SHIFTS, Purpose, Words

Floats32 = NDArray[np.float32]
Plan = type[Normals] | type[PolarNormals]
CHUNK = 1 << 16
HALF = 1 << 32


# --- normals of chosen words


def unmixed(words: Words) -> Words:
    """The inverse of ``kavg.oracles.streams.mix_words``."""
    for shift, multiplier in zip(SHIFTS[:0:-1], MULTIPLIERS[::-1], strict=True):
        words = unshifted(words, shift) * np.uint64(pow(int(multiplier), -1, 2**64))
    return unshifted(words, SHIFTS[0])


def unshifted(words: Words, shift: np.uint64) -> Words:
    """The inverse of ``w xor (w >> shift)``; three terms are enough for a shift of 22 or more."""
    return np.bitwise_xor(words, (words >> shift) ^ (words >> np.uint64(2 * shift)))


def normals_of(words: Words, plan: Plan = PolarNormals) -> Floats32:
    """What the code makes of these words, ``(2, words)``: the first pair of each."""
    normals = plan(seed=1, purpose=Purpose.NOISE, R=1, tile=len(words), d=2, dtype="float32")
    normals.streams.keys = unmixed(words)[:, None, None]
    assert np.array_equal(normals.streams.words(0).ravel(), words)
    return normals.draw(0, 1.0)[:, 0].T.copy()


def extreme_words() -> Words:
    """Both halves near every eighth of their range."""
    near = [eighth * HALF // 8 + off for eighth in range(9) for off in range(-300, 301)]
    halves = np.array([half for half in near if 0 <= half < HALF], np.uint64)
    few = halves[(halves < 8) | (halves % np.uint64(HALF // 8) == 0) | (halves >= HALF - 2)]
    pairs = (*product(halves, few), *product(few, halves))
    return np.unique([(upper << np.uint64(32)) | lower for upper, lower in pairs])


def extremes() -> Iterator[str]:
    """The largest and the smallest values, and those next to the largest."""
    values = np.abs(normals_of(extreme_words()))
    assert np.isfinite(values).all()
    largest = np.unique(values)[::-1]
    radii = np.unique(normals_of(np.arange(1 << 20, dtype=np.uint64) << np.uint64(33)))[::-1]
    lost = 2 * special.ndtr(-float(largest[0]))
    yield f"the largest |z|: {largest[0]:.7g}; the exact law has {lost:.1e} beyond it"
    yield f"the five largest lengths of a pair: {', '.join(f'{r:.4f}' for r in radii[:5])}"
    many = [f"{np.sum(radii > k)} beyond {k}" for k in (4, 5, 6)]
    yield f"different lengths of a pair: {', '.join(many)}"
    smallest, zero = largest[largest > 0].min(), "occurs" if largest[-1] == 0 else "does not occur"
    yield f"the smallest |z| above 0: {smallest:.1e}; 0 itself {zero}"


# --- moments of Box and Muller's normals without sampling error


def lengths() -> Iterator[tuple[Words, int]]:
    """The whole range of the upper 31 bits in pieces, and how many numbers each stands for.

    Each of the smallest 2**24, where the logarithm is steep, then every 256th.
    """
    block = 1 << 24
    for first in range(0, 1 << 31, block):
        stride = 1 if first == 0 else 256
        numbers = np.arange(first + stride // 2, first + block, stride, dtype=np.uint64)
        yield from ((part, stride) for part in np.array_split(numbers, len(numbers) // CHUNK))


def length_moments() -> tuple[float, float]:
    """``E r^2 - 2`` and ``E r^4 - 8``, r the length of a pair."""
    sums = np.zeros(3)
    for numbers, stride in lengths():
        pair = normals_of(numbers << np.uint64(33)).astype(float)
        squares = np.sum(pair * pair, axis=0)
        sums += stride * np.array([len(squares), squares.sum(), np.sum(squares**2)])
    return sums[1] / sums[0] - 2, sums[2] / sums[0] - 8


def angle_moments() -> Floats:
    """Means of cosine, sine, ``cosine^2 - 1/2`` and their product: every 64th angle."""
    sums, count = np.zeros(4), 0
    for first in range(0, HALF, CHUNK << 6):
        lower = np.arange(first, first + (CHUNK << 6), 64, dtype=np.uint64)
        first_normals, second = normals_of(lower | np.uint64(1 << 63)).astype(float)
        scale = np.sqrt(first_normals**2 + second**2)
        c, s = first_normals / scale, second / scale
        sums += [c.sum(), s.sum(), np.sum(c * c - 0.5), np.sum(c * s)]
        count += len(lower)
    return sums / count


def moments() -> tuple[list[str], float]:
    """Lines of what the moments lack, and the most that any of them does."""
    second, fourth = length_moments()
    angles = angle_moments()
    names = ("E cos", "E sin", "E cos^2 - 1/2", "E cos sin")
    lines = [
        f"moments over all words: E z^2 - 1 = {second / 2:.1e}, E z^4 - 3 = {fourth * 3 / 8:.1e},",
        "  " + ", ".join(f"{n} = {a:.1e}" for n, a in zip(names, angles, strict=True)),
    ]
    return lines, max(abs(second), abs(fourth), *map(abs, angles))


# --- different values


def distinct(plan: Plan, draws: int) -> tuple[int, int]:
    """How many different values so many draws take, and how many draws there were."""
    normals = plan(seed=1, purpose=Purpose.NOISE, R=1, tile=draws // 100, d=100, dtype="float32")
    values = normals.draw(0, 1.0)
    return len(np.unique(values)), values.size


def expected_distinct(draws: int) -> float:
    """Sum over float32 values of ``1 - exp(-n p)``, p the mass that rounds to the value."""
    total = 0.0
    for exponent in range(-40, 3):
        x = 2.0**exponent * (1 + (np.arange(4096) + 0.5) / 4096)
        spacing = 2.0 ** (exponent - 23)
        p = stats.norm.pdf(x) * spacing
        total += 2 * float(np.sum(-np.expm1(-draws * p))) * 2**23 / 4096
    return total


# --- streams


@dataclass(frozen=True)
class Run:
    """A run of P learners with ``places`` words a step and learner, and so many steps."""

    P: int
    places: int
    steps: int

    @property
    def shifted(self) -> float:
        """Bounds the probability that a stream runs into another with its own increment."""
        return self.P**2 * self.places * self.steps / 2**126

    @property
    def shared_words(self) -> float:
        """The expected number of pairs of words that are equal: what truly random words have."""
        return (self.P * self.places * self.steps) ** 2 / 2**65

    @property
    def shared_columns(self) -> float:
        """The expected number of pairs of columns that walk through one set of 2^32 words."""
        return (self.P * self.places) ** 2 / 2**33

    @property
    def shared_by_columns(self) -> float:
        """The expected number of words that two such columns have in common."""
        return self.steps**2 / 2**32

    def row(self) -> str:
        """All bounds of a run."""
        bounds = (self.shifted, self.shared_words, self.shared_columns, self.shared_by_columns)
        cells = "".join(f"{bound:12.1e}" for bound in bounds)
        return f"{self.P:9,} {self.places:9,} {self.steps:13,}{cells}"


RUNS = (
    Run(16, 320, 10**6),
    Run(1000, 500, 10**6),
    Run(1000, 5000, 10**8),
    Run(10**6, 5000, 10**6),
)


def main(draws: int = 10_000_000) -> int:
    """Print all of it; 1 if a moment is off by more than 1e-6."""
    print("\n".join(["Box and Muller:", *extremes()]))
    lines, error = moments()
    print("\n".join([*lines, ""]))
    for name, plan in (("the table", Normals), ("Box and Muller", PolarNormals)):
        found, size = distinct(plan, draws)
        print(f"different values in {size:,} draws of {name}: {found:,}")
    print(f"  of exact normals rounded to float32 {expected_distinct(draws):,.0f} are expected\n")
    print("expected numbers for a run of P learners:")
    words = ("overlaps", "equal words", "columns", "words each")
    head = "".join(f"{word:>12}" for word in words)
    print(f"{'P':>9} {'words':>9} {'steps':>13}{head}")
    print("\n".join(run.row() for run in RUNS))
    return int(error > 1e-6)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
