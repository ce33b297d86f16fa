"""Addressed words by hand, one at a time and in Python's own whole numbers."""

from __future__ import annotations

MASK = 2**64 - 1


def mixed(word: int) -> int:
    """What ``mix_words`` makes of a word."""
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


def unmixed(word: int) -> int:
    """The inverse of ``mixed``."""
    word = _unxorshift(word, 31)
    word = _unxorshift((word * pow(0x94D049BB133111EB, -1, 2**64)) & MASK, 27)
    return _unxorshift((word * pow(0xBF58476D1CE4E5B9, -1, 2**64)) & MASK, 30)


def _unxorshift(word: int, shift: int) -> int:
    undone = word
    for _ in range(64 // shift):
        undone = word ^ (undone >> shift)
    return undone


def hashed_by_hand(*parts: int) -> int:
    """What ``hash_parts`` makes of whole numbers."""
    word = 0
    for part in parts:
        word = mixed(((word + part + 1) * 0x9E3779B97F4A7C15) & MASK)
    return word


def stream_by_hand(seed: int, purpose: int, j: int) -> tuple[int, int]:
    """Key and increment of a learner's stream."""
    odd = hashed_by_hand(seed, purpose, j, 1) | 1
    if (odd ^ (odd >> 1)).bit_count() < 24:
        odd ^= 0xAAAAAAAAAAAAAAAA
    return hashed_by_hand(seed, purpose, j, 0), odd


def word_by_hand(seed: int, purpose: int, j: int, step: int, place: int) -> int:
    """The word of an address."""
    key, odd = stream_by_hand(seed, purpose, j)
    return mixed((key + (2**32 * step + place) * odd) & MASK)


def part_by_hand(address: tuple[int, int, int, int], bits: int, index: int) -> int:
    """The part of so many bits at this index of a step; ``address`` is (seed, purpose, j, step)."""
    place, within = divmod(index * bits, 64)
    return word_by_hand(*address, place) >> within & (2**bits - 1)
