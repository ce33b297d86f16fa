"""Whether the 64-bit words are fair and independent: bits, bytes, neighbours, addresses.

Run it with ``python experiments/noise/words.py [words] [seed]``.  The bits of a word are read as -1
and 1, so that flawless bits have sums of products of mean 0 and variance the number of words.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from math import prod, sqrt

import numpy as np
from findings import Finding, chi_square, normal, table, verdict
from numpy.typing import NDArray
from scipy import stats
from threadpoolctl import threadpool_limits

from kavg.oracles.streams import Purpose, Streams, Words, hash_parts, mix_words, odd_increments

LAYOUTS = {
    "many learners": (4, 0, 4, 2),
    "many replicas": (4, 4, 0, 2),
    "many words a step": (4, 4, 4, 0),
    "distant steps": (0, 4, 4, 2),
}
"""``(steps, learners, replicas, words a step)``; the 0 stands for as many as there are words."""
DISTANT = "distant steps"
"""The layout whose steps are spread over all 2^32 that have addresses."""
PURPOSES = (Purpose.NOISE, Purpose.BATCH)
CHUNK = 1 << 16
BINOMIAL = stats.binom.pmf(np.arange(65), 64, 0.5)


def drawn(layout: str, count: int, seed: int, purpose: Purpose) -> Words:
    """About so many words, ``(steps, learners, replicas, words a step)``."""
    free = count // prod(size or 1 for size in LAYOUTS[layout])
    steps, P, R, W = (size or free for size in LAYOUTS[layout])
    streams = Streams(seed=seed, purpose=purpose, R=R, tile=P, W=W)
    words = np.empty((steps, P, R, W), np.uint64)
    stride = 1 << 32 - steps.bit_length() if layout == DISTANT else 1
    for step in range(steps):
        words[step] = streams.words(step * stride)
    return words


# --- one word


def signs(words: Words) -> NDArray[np.float32]:
    """The bits of words as -1 and 1, ``(64, words)``."""
    octets = words.ravel().view(np.uint8).reshape(-1, 8)
    bits = np.unpackbits(octets, axis=1, bitorder="little")
    return (bits.astype(np.float32) * 2 - 1).T


def single(words: Words, draws: str) -> Iterator[Finding]:
    """Each bit, byte and lane of a word, and each pair of its bits."""
    n = words.size
    bits, products = np.zeros(64), np.zeros((64, 64))
    for part in chunks(words):
        sides = signs(part)
        bits += sides.sum(axis=1)
        products += sides @ sides.T
    yield chi_square("all bits", draws, float(np.sum(bits**2)) / n, 64)
    for total in bits:
        yield normal("each bit; the worst", draws, total / n, 1 / sqrt(n))
    octets = words.ravel().view(np.uint8).reshape(-1, 8)
    counts = np.array([np.bincount(octets[:, place], minlength=256) for place in range(8)])
    yield chi_square("bytes", draws, float(np.sum((counts - n / 256) ** 2) / (n / 256)), 8 * 255)
    lanes = words.ravel().view(np.uint16).reshape(-1, 4)
    counts = np.array([np.bincount(lanes[:, place], minlength=2**16) for place in range(4)])
    value = float(np.sum((counts - n / 2**16) ** 2) / (n / 2**16))
    yield chi_square("lanes of 16 bits", draws, value, 4 * (2**16 - 1))
    upper = products[np.triu_indices(64, 1)]
    yield chi_square("pairs of bits of a word", draws, float(np.sum(upper**2)) / n, len(upper))
    yield weights("1s in a word", words.ravel(), draws)


def chunks(words: Words) -> Iterator[Words]:
    """Pieces that fit a cache."""
    row = words.ravel()
    return (row[first : first + CHUNK] for first in range(0, len(row), CHUNK))


def weights(quantity: str, words: Words, draws: str) -> Finding:
    """How many bits are 1, against the binomial law; the rare ends are pooled."""
    found = np.bincount(np.bitwise_count(words), minlength=65)
    expected = len(words) * BINOMIAL
    inner = np.flatnonzero(expected >= 10)
    low, high = inner[0], inner[-1]
    found, expected = (
        np.array([row[:low].sum(), *row[low : high + 1], row[high + 1 :].sum()])
        for row in (found, expected)
    )
    kept = expected > 0.5
    value = float(np.sum((found[kept] - expected[kept]) ** 2 / expected[kept]))
    return chi_square(quantity, draws, value, int(kept.sum()) - 1)


# --- two words


def neighbours(words: Words) -> Iterator[tuple[str, Words, Words]]:
    """Pairs of arrays of words that stand side by side."""
    yield "learners", words[:, 1:], words[:, :-1]
    yield "replicas", words[:, :, 1:], words[:, :, :-1]
    yield "words of a step", words[..., 1:], words[..., :-1]
    yield "steps", words[1:], words[:-1]
    yield "learner and step", words[1:, 1:], words[:-1, :-1]


def dependence(pair: str, a: Words, b: Words, draws: str) -> Iterator[Finding]:
    """Every bit of the one against every bit of the other, and how their numbers of 1s agree."""
    n = a.size
    products = np.zeros((64, 64))
    together = 0
    for x, y in zip(chunks(a), chunks(b), strict=True):
        products += signs(x) @ signs(y).T
        ones = (np.bitwise_count(part).astype(np.int64) - 32 for part in (x, y))
        together += int(np.dot(*ones))
    yield chi_square(f"{pair}: 64 x 64 bits", draws, float(np.sum(products**2)) / n, 64 * 64)
    yield normal(f"{pair}: numbers of 1s", draws, together / (16 * n), 1 / sqrt(n))
    yield weights(f"{pair}: 1s of the xor", (a ^ b).ravel(), draws)


# --- addresses that differ in one bit

Address = dict[str, NDArray[np.uint64]]
WIDTHS = {"seed": 62, "learner": 40, "step": 32, "place": 32}
"""Bits of each part of an address that runs may use."""


def addresses(count: int, seed: int) -> Address:
    """Addresses of all sizes: each part is uniform below a power of 2 that is uniform itself."""
    rng = np.random.Generator(np.random.PCG64(seed))
    parts = {}
    for part, width in WIDTHS.items():
        whole = rng.integers(0, 2**63, count, dtype=np.uint64)
        parts[part] = whole >> rng.integers(63 - width, 64, count, dtype=np.uint64)
    return parts


def words_at(where: Address) -> Words:
    """The formula of kavg.oracles.streams: ``mix(key + c g)`` with ``c = 2^32 step + place``."""
    who = (where["seed"], int(Purpose.NOISE), where["learner"])
    counters = (where["step"] << np.uint64(32)) | where["place"]
    words = hash_parts(*who, 0) + odd_increments(hash_parts(*who, 1)) * counters
    mix_words(words, np.empty_like(words))
    return words


def mistaken(count: int, seed: int, draws: str) -> Iterator[Finding]:
    """The words of two addresses that differ in the order of two parts."""
    for one, other in (("learner", "step"), ("step", "place"), ("seed", "learner")):
        # Both below 2^32, as steps are.
        there = addresses(count, seed)
        for part in (one, other):
            there[part] &= np.uint64(2**32 - 1)
        apart = there[one] != there[other]
        there = {part: values[apart] for part, values in there.items()}
        swapped = there | {one: there[other], other: there[one]}
        yield from dependence(f"{one}, {other} swapped", words_at(there), words_at(swapped), draws)


def avalanche(count: int, seed: int, draws: str) -> Iterator[Finding]:
    """Each bit of an address, flipped, flips each bit of the word as often as not."""
    where = addresses(count, seed)
    words = words_at(where)
    for part, width in WIDTHS.items():
        sums = np.zeros((width, 64))
        for bit in range(width):
            flipped = where | {part: where[part] ^ np.uint64(1 << bit)}
            for some in chunks(words ^ words_at(flipped)):
                sums[bit] += signs(some).sum(axis=1)
        value = float(np.sum(sums**2)) / count
        yield chi_square(f"a flipped bit of the {part}", draws, value, sums.size)


# --- all


def of_layout(layout: str, count: int, seed: int) -> list[Finding]:
    """Two seeds and two purposes of a layout, and their dependence."""
    seed += 2 * list(LAYOUTS).index(layout)
    cases = list(product((seed, seed + 1), PURPOSES))
    sets = [drawn(layout, count, *case) for case in cases]
    found: list[Finding] = []
    for words, (s, p) in zip(sets, cases, strict=True):
        draws = layout if words is sets[0] else f"{layout}, {s}, {p.name}"
        found += single(words, draws)
        for pair, a, b in neighbours(words):
            found += dependence(pair, a, b, draws)
    found += dependence("purposes", sets[0], sets[1], layout)
    found += dependence("seeds", sets[0], sets[2], layout)
    return found


def main(count: int = 4_000_000, seed: int = 1) -> int:
    """Print the tables and the verdict; how many tests were rejected."""
    names = " and ".join(purpose.name for purpose in PURPOSES)
    print(f"{count} words a time: 4 layouts, 2 seeds each from {seed} on, purposes {names}")
    print("shown: the first seed and purpose of each; in brackets, standard errors\n")
    draws = "random addresses"
    # Products of 64 rows are too small for more threads, which would mostly wait.
    with threadpool_limits(1, "blas"):
        findings = [f for layout in LAYOUTS for f in of_layout(layout, count, seed)]
        flips = [*avalanche(count // 20, seed, draws), *mistaken(count, seed, draws)]
    lines, rejected = verdict([*findings, *flips])
    print("\n".join([*table(findings, tuple(LAYOUTS)), ""]))
    print("\n".join([*table(flips, (draws,)), "", *lines]))
    return rejected


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
