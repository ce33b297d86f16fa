"""Slopes with limits, and the claims about scaling run small.

The claims' own intervals have confidence .999 each (``scaling.LEVEL``) and the seeds are fixed.
"""

import numpy as np
import pytest
from helpers.experiment import experiment
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kavg.analysis.rates import slope
from kavg.errors import KavgError

scaling = experiment("theory/scaling")
LADDER = st.lists(st.floats(0.1, 100), min_size=2, max_size=6, unique_by=lambda x: round(x, 2))


def ladder(x, beta, R, spread, seed, shared=0.0):
    """Positive samples with mean ``x^beta``; ``shared`` of the noise is common to all rungs."""
    random = np.random.default_rng(seed)
    own, common = random.standard_normal((len(x), R)), random.standard_normal(R)
    z = spread * (np.sqrt(1 - shared) * own + np.sqrt(shared) * common)
    return np.asarray(x)[:, None] ** beta * np.exp(z - spread**2 / 2)


@given(LADDER, st.floats(-3, 3), st.floats(1e-6, 1e6), st.integers(2, 5))
def test_a_power_law_has_its_exponent_and_no_width(x, beta, scale, R):
    exact = scale * np.repeat(np.power(x, beta)[:, None], R, axis=1)
    found = slope(x, exact)
    assert found.value == pytest.approx(beta, abs=1e-9)
    assert found.high - found.low < 1e-9
    assert found.residual < 1e-9


@given(LADDER, st.integers(0, 99), st.randoms(use_true_random=False))
def test_order_of_points_and_units_do_not_matter(x, seed, random):
    samples = ladder(x, -1.0, 8, 0.3, seed)
    order = random.sample(range(len(x)), len(x))
    units = slope(7.0 * np.array(x)[order], 3.0 * samples[order])
    for name in ("value", "low", "high", "residual"):
        assert getattr(units, name) == pytest.approx(getattr(slope(x, samples), name), abs=1e-9)


@given(LADDER, st.integers(0, 99), st.floats(0.5, 0.98))
def test_a_higher_level_is_wider_about_the_same_slope(x, seed, level):
    samples = ladder(x, 1.0, 8, 0.3, seed)
    narrow, wide = slope(x, samples, level), slope(x, samples, (1 + level) / 2)
    assert narrow.value == wide.value
    assert wide.low < narrow.low <= narrow.value <= narrow.high < wide.high


def test_two_rungs_by_hand():
    """Log means 0 and log 4 against log 1 and log 2: slope 2; u_r is linear in the samples."""
    found = slope([1.0, 2.0], [[0.9, 1.1], [4.0, 4.0]], level=0.95)
    assert found.value == pytest.approx(2.0)
    # u = -(s/m - 1)/log 2 = +-.1/log 2, so the standard error is .1/log 2; t(1 df) is 12.706.
    assert found.high - 2.0 == pytest.approx(0.1 / np.log(2) * stats.t(1).ppf(0.975))
    assert found.replicas == 2


def test_the_residual_is_the_distance_from_the_line():
    found = slope([1.0, 10.0, 100.0], [[1.0], [np.exp(0.3)], [1.0]])
    assert found.value == pytest.approx(0.0)
    assert found.residual == pytest.approx(0.2)
    assert np.isnan(found.low)
    assert not found.contains(0.0)


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_the_interval_covers_the_slope_as_often_as_it_claims(shared):
    """1,000 repetitions at 90 %, independent rungs and shared noise; the level is about 1e-4."""
    x = [1.0, 2.0, 4.0, 8.0]
    held = sum(
        slope(x, ladder(x, -1.0, 40, 0.5, seed, shared), 0.9).contains(-1.0) for seed in range(1000)
    )
    assert stats.binom(1000, 0.9).ppf(1e-4) <= held <= stats.binom(1000, 0.9).ppf(1 - 1e-4)


def test_shared_noise_narrows_the_interval():
    x = [1.0, 2.0, 4.0]
    alone, paired = (slope(x, ladder(x, -1.0, 40, 0.5, 1, shared)) for shared in (0.0, 0.99))
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)


@pytest.mark.parametrize(
    ("x", "samples", "words"),
    [
        ([1.0, 2.0], [[1.0, 1.0]], r"shapes \(2,\) and \(1, 2\)"),
        ([1.0, 1.0], [[1.0], [1.0]], r"got \[1.0, 1.0\]"),
        ([0.0, 1.0], [[1.0], [1.0]], r"got \[0.0, 1.0\]"),
        ([1.0, 2.0], [[1.0, -1.0], [1.0, 1.0]], "leave out points"),
        ([1.0, 2.0], [[np.inf], [1.0]], "leave out points"),
    ],
)
def test_numbers_without_a_slope_are_refused(x, samples, words):
    with pytest.raises(KavgError, match=words):
        slope(x, samples)


# --- the claims


@pytest.mark.parametrize("claims", scaling.MEASURED, ids=lambda claims: claims.__name__)
def test_every_claim_is_confirmed(claims):
    for claim in claims(48):
        assert claim.stands, f"{claim.words}: {claim.measured}, not {claim.expected}"


def test_best_mu_moves_as_claimed():
    assert all(claim.stands for claim in scaling.best_mu_moves())


def test_a_false_claim_is_not_confirmed():
    level = slope([1, 2, 4], [[1.0, 1.0]] * 3)
    assert scaling.slope_claim("a floor that does not care", level, 0.0).stands
    assert not scaling.slope_claim("said to fall like 1/P", level, -1.0).stands
