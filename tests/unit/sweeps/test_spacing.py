"""Values by rule: what they are, that they are the nearest floats, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.config.sweeps.spacing import Spacing, round_power
from kavg.errors import KavgError


@pytest.mark.parametrize(
    ("given_spacing", "values"),
    [
        ({"log2": (-3, 1)}, (0.125, 0.25, 0.5, 1.0, 2.0)),
        ({"log2": (0, 6), "per": 1}, (1, 2, 4, 8, 16, 32, 64)),
        ({"log2": (0.5, 1.5)}, (2**0.5, 2**1.5)),
        ({"log2": (-1, 1), "count": 3}, (0.5, 1.0, 2.0)),
        ({"log2": (4, 4)}, (16,)),
        ({"log10": (-3, 0)}, (0.001, 0.01, 0.1, 1.0)),
        ({"linear": (0.1, 0.7), "count": 4}, (0.1, 0.3, 0.5, 0.7)),
        ({"linear": (2, 2), "count": 1}, (2,)),
        ({"linear": (1, 9), "count": 3}, (1, 5, 9)),
        ({"range": (1, 9, 2)}, (1, 3, 5, 7, 9)),
        ({"range": (1, 8, 3)}, (1, 4, 7)),
        ({"range": (0, 2)}, (0, 1, 2)),
        ({"range": (0, 0.3, 0.1)}, (0.0, 0.1, 0.2, 0.3)),
    ],
)
def test_values(given_spacing, values):
    found = Spacing(**given_spacing).values
    assert found == pytest.approx(values, rel=1e-15)
    assert [*map(type, found)] == [*map(type, values)]


def test_an_octave_in_three_parts_has_exact_ends():
    values = Spacing(log2=(-12, -6), per=3).values
    assert len(values) == 19
    assert values[::3] == tuple(2.0**n for n in range(-12, -5))


# The nearest float to an irrational power lies between the exact powers of its neighbours.
@given(st.sampled_from([2, 10]), st.fractions(-30, 30, max_denominator=12))
def test_a_power_is_the_float_nearest_to_the_exact_one(base, exponent):
    value = Fraction(round_power(base, exponent))
    upward = Fraction(float(value)) * (1 + Fraction(1, 2**53))
    downward = Fraction(float(value)) * (1 - Fraction(1, 2**53))
    exact = Fraction(base) ** exponent.numerator
    assert downward**exponent.denominator <= exact <= upward**exponent.denominator


@pytest.mark.parametrize(
    ("given_spacing", "words"),
    [
        ({}, "needs exactly one of log2, log10, linear, uniform, range, got none"),
        ({"log2": (0, 1), "log10": (0, 1)}, "got log2 and log10"),
        ({"log2": (1, 0)}, "log2 must be [low, high] with low <= high, got [1.0, 0.0]"),
        ({"log2": (0, 1, 2)}, "log2 must be [low, high]"),
        ({"log2": (0, 5000)}, "log2 must have exponents from -1022 to 1023"),
        ({"range": (0, 1, 0)}, "range must be [first, last] or [first, last, step]"),
        ({"range": (0,)}, "range must be [first, last] or [first, last, step]"),
        ({"linear": (0, 1)}, "linear needs count, the number of values, as in count = 5"),
        ({"linear": (0, 1), "count": 1}, "count must be 1 for one number and more for two"),
        ({"linear": (0, 1), "count": 0}, "count must be a whole number of at least 1"),
        ({"linear": (0, 1), "per": 2}, "per goes with log2 and log10, got linear"),
        ({"log2": (0, 1), "per": 2, "count": 3}, "needs one of per and count, got both"),
        ({"log2": (0, 1.3), "per": 2}, "is no whole number of steps with per=2; use count"),
        ({"uniform": (0, 1), "count": 3}, "uniform takes no count; use linear"),
        ({"range": (0, 1e18)}, "has more than 100000 values; take fewer"),
        ({"linear": (0, 1), "count": 10**9}, "has more than 100000 values; take fewer"),
    ],
)
def test_what_is_refused(given_spacing, words):
    with pytest.raises(KavgError) as caught:
        Spacing(**given_spacing)
    assert words in str(caught.value)


def test_a_law_has_its_quantiles_and_other_forms_are_chosen_from():
    assert Spacing(uniform=(-1, 3)).draw(Fraction(1, 4)) == 0.0
    assert Spacing(log2=(-4, 4)).draw(Fraction(3, 4)) == 4.0
    assert Spacing(log10=(0, 2), per=1).draw(Fraction(2, 3)) == 100
    assert Spacing(range=(1, 4)).draw(Fraction(99, 100)) == 4
