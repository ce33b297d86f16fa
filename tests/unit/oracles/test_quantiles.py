"""The table of quantiles: the same bits everywhere, and the moments of the normal law."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from helpers.experiment import experiment
from scipy import special

from kavg.oracles.quantiles import CORRECTION, SIZE, normal_quantiles, upper_quantiles

moments = experiment("noise/moments")
P = (np.arange(SIZE) + 0.5) / SIZE


def test_the_table_has_the_same_bits_on_every_machine() -> None:
    content = normal_quantiles().astype("<f4").tobytes()
    assert hashlib.sha256(content).hexdigest()[:16] == "db521ab60a158a41"


def test_the_table_ascends_and_has_the_opposite_of_each_entry() -> None:
    table = normal_quantiles()
    assert table.shape == (SIZE,)
    assert np.all(np.diff(table) > 0)
    np.testing.assert_array_equal(table, -table[::-1])
    assert not table.flags.writeable


def test_quantiles_are_right_to_the_last_digits() -> None:
    p = P[: SIZE // 2]
    np.testing.assert_allclose(upper_quantiles(p), -special.ndtri(p), rtol=2e-15)


def test_entries_are_hardly_moved_from_the_quantiles() -> None:
    """They are moved by 1.3 parts in 65,536 of the law at most, and where they are many by less."""
    moved = special.ndtr(normal_quantiles().astype(np.float64)) - P
    assert np.abs(moved).max() < 1.3 / SIZE
    assert np.abs(moved[SIZE // 4 : -SIZE // 4]).max() < 0.2 / SIZE


def test_the_moments_of_the_table_are_those_of_the_normal_law() -> None:
    """Entries are fractions, so the moments have no rounding."""
    count = len(CORRECTION)
    upper = normal_quantiles()[SIZE // 2 :]
    *errors, next_error = moments.moment_errors(upper, range(2, 2 * count + 3, 2))
    assert max(map(abs, errors)) < 5e-8
    assert abs(errors[0]) < 1e-9
    # Else a number less would have done.
    assert abs(next_error) > 1e-4


def test_the_script_finds_the_numbers_of_the_correction() -> None:
    assert moments.find_correction(len(CORRECTION)) == pytest.approx(CORRECTION, rel=1e-6)


def test_moments_are_added_up_without_rounding() -> None:
    assert moments.moment_errors(np.array([1.5, 0.5]), [2, 4]) == [0.25, -0.4375 / 3]
