"""Normals by Box and Muller: functions of their address, with their law, and its ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.addressed import word_by_hand
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from kavg.base import Precision
from kavg.oracles import Gaussian
from kavg.oracles.box_muller import PolarNormals
from kavg.oracles.streams import Purpose, Streams
from kavg.oracles.uniform_pairs import UniformPairs

LEVEL = 1e-5
"""Level of every test by p-value, seeds fixed."""
DIMENSIONS = [1, 2, 3, 10, 63, 64, 1000]


def plan(R: int, tile: int, d: int, dtype: Precision = "float64") -> PolarNormals:
    return PolarNormals(seed=3, purpose=Purpose.NOISE, R=R, tile=tile, d=d, dtype=dtype)


@given(
    st.integers(0, 2**40), st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([1, 2, 9])
)
def test_a_plain_twin_is_as_near_as_float32(j: int, step: int, R: int, d: int) -> None:
    normals = plan(R, 2, d)
    normals.streams.select(range(j, j + 2))
    word = word_by_hand(3, 1, j + 1, step, R * ((d + 1) // 2) - 1)
    radius = np.sqrt(-2 * np.log(((word >> 33) + 0.5) / 2**31))
    angle = np.pi * (word & 0xFFFFFFFF) / 2**31
    # The last coordinate is a cosine if d is odd, else a sine.
    expected = 1.5 * radius * (np.cos(angle) if d % 2 else np.sin(angle))
    np.testing.assert_allclose(normals.draw(step, 1.5)[1, -1, -1], expected, rtol=0, atol=2e-3)


def test_golden_normals() -> None:
    drawn = plan(1, 1, 5).draw(0, 1.0)[0, 0]
    assert [float(each).hex() for each in drawn] == [
        "-0x1.ae37b40000000p-4",
        "0x1.5b5d760000000p+0",
        "0x1.160c620000000p+0",
        "-0x1.196d780000000p+0",
        "-0x1.1f65280000000p+1",
    ]


@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_tile_and_number_of_replicas_keeps_the_bits(d: int, dtype: Precision) -> None:
    large = plan(4, 9, d, dtype)
    whole = large.draw(70, 1.5).copy()
    assert whole.dtype == dtype
    for first, stop, R in [(0, 1, 4), (2, 5, 1), (8, 9, 3), (1, 9, 2)]:
        small = plan(R, stop - first, d, dtype)
        small.streams.select(range(first, stop))
        np.testing.assert_array_equal(small.draw(70, 1.5), whole[first:stop, :R])
        large.streams.select(range(first, stop))
        np.testing.assert_array_equal(large.draw(70, 1.5), whole[first:stop])


def test_they_are_normal_and_independent() -> None:
    normals = plan(25, 20, 40)
    z = np.stack([normals.draw(step, 1.0).copy() for step in range(25)])
    assert stats.kstest(z.ravel(), "norm").pvalue > LEVEL
    first, second = z[..., 0::2].ravel(), z[..., 1::2].ravel()
    assert stats.kstest(first**2 + second**2, stats.chi2(2).cdf).pvalue > LEVEL
    assert abs(np.mean(first * second)) < 5 / first.size**0.5
    assert abs(np.mean((first**2 - 1) * (second**2 - 1))) < 5 * 2 / first.size**0.5


class ExtremeWords:
    """Streams whose upper 31 bits and lower 32 bits are the smallest and the largest there are."""

    def __init__(self) -> None:
        uppers = np.array([0, 1, 2**31 - 1, 2**31 - 64, 2**31 - 65, 2**30], np.uint64)
        lowers = np.array([0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**30], np.uint64)
        self.out: NDArray[np.uint64] = ((uppers << np.uint64(33)) | lowers)[None, None, None]
        self.spare = np.empty_like(self.out)


def test_uniforms_lie_strictly_between_0_and_1_and_angles_in_a_turn() -> None:
    planned: Any = ExtremeWords()
    pairs = UniformPairs(planned)
    pairs.lay_out()
    ((_, uniform, sine, cosine),) = pairs.convert(planned.out)
    assert uniform.min() > 0
    assert uniform.max() < 1
    np.testing.assert_allclose(uniform[:2], [2.0**-32, 3 * 2.0**-32], rtol=2e-7)
    np.testing.assert_allclose(cosine, [1, 1, -1, -1, 1, 0], atol=1e-8)
    np.testing.assert_allclose(sine, [0, 0, 0, 0, 0, 1], atol=1e-8)
    assert np.sqrt(-2 * np.log(uniform.min())) == pytest.approx(6.66, abs=0.005)


def test_uniforms_and_angles_pass_kolmogorov_and_smirnov() -> None:
    streams = Streams(seed=1, purpose=Purpose.NOISE, R=50, tile=50, W=100)
    pairs = UniformPairs(streams)
    pairs.lay_out()
    parts = [[each.copy() for each in part[1:]] for part in pairs.convert(streams.block(3))]
    uniform, sine, cosine = (
        np.concatenate(each).astype(np.float64) for each in zip(*parts, strict=True)
    )
    turn = np.arctan2(sine, cosine) / (2 * np.pi) + 0.5
    for half in (uniform, turn):
        assert stats.kstest(half, "uniform").pvalue > LEVEL


def test_gaussian_noise_is_made_as_it_says() -> None:
    settings: Any = {"seed": 3, "R": 2, "tile": 2, "d": 4, "dtype": "float64"}
    drawn = Gaussian(sigma2=1.0, normals="box_muller").plan_draws(**settings).draw(3, 1.0)
    np.testing.assert_array_equal(drawn, plan(2, 2, 4).draw(3, 1.0))
    assert not np.array_equal(drawn, Gaussian(sigma2=1.0).plan_draws(**settings).draw(3, 1.0))
