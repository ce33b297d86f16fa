"""Ranges of numbers: stated in annotations, checked by every constructor."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Annotated, Any, get_args, get_type_hints

import numpy as np
import pytest
from annotated_types import Interval
from helpers.constructors import CLASSES, SETTINGS, arguments
from hypothesis import given
from hypothesis import strategies as st

from kavg import outer
from kavg.errors import KavgError
from kavg.oracles import Partition
from kavg.outer import Averaging
from kavg.ranges import Count, Momentum, NonNegative, Positive, Seed, Share, check_range

OTHER_CHECKS = {"boundaries"}
"""Fields with numbers that no interval describes."""


def interval_in(hint: Any) -> Interval | None:
    """The interval of a type, or of a member of it."""
    if isinstance(hint, Interval):
        return hint
    parts = get_args(hint) + getattr(hint, "__metadata__", ())
    return next(filter(None, map(interval_in, parts)), None)


def outside(interval: Interval) -> list[float]:
    bounds = (interval.ge, -1), (interval.le, 1), (interval.gt, 0), (interval.lt, 0)
    return [bound + step for bound, step in bounds if bound is not None] or [math.inf]


CASES = [
    (cls, field.name, value)
    for cls in CLASSES
    for hints in [get_type_hints(cls, include_extras=True)]
    for field in fields(cls)
    # A number in a list of lists, beside texts, is no number of the field.
    if (interval := interval_in(hints[field.name])) is not None and field.name != "mixing"
    for value in outside(interval)
]


@pytest.mark.parametrize(("cls", "name", "value"), CASES)
def test_every_constructor_checks_the_ranges_of_its_fields(cls, name, value):
    settings = arguments(cls)
    cls(**settings)
    wrong = {"gammas": (value,), "mixing": ((value,),)}.get(name, value)
    with pytest.raises(KavgError, match=rf"^{name}(\[0\])* must be a .*number.*, got {name}"):
        cls(**settings | {name: wrong})


@pytest.mark.parametrize("cls", SETTINGS)
def test_every_number_has_a_range(cls):
    hints = get_type_hints(cls, include_extras=True)
    plain = get_type_hints(cls)
    for field in fields(cls):
        numbers = {int, float} & {plain[field.name], *get_args(plain[field.name])}
        if numbers and field.name not in OTHER_CHECKS:
            message = f"{field.name} must have a range as its type, such as Positive of kavg.ranges"
            assert interval_in(hints[field.name]) is not None, message


NUMBERS = st.one_of(
    st.floats(), st.integers(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, 10**400, -(10**400)])
)
BOUND = st.none() | st.sampled_from([-1, 0, 0.5, 2])


@given(NUMBERS, BOUND, BOUND, BOUND, BOUND, st.sampled_from([int, float]))
def test_exactly_the_numbers_in_the_interval_pass(value, gt, ge, lt, le, kind):
    inside = isinstance(value, int) or (kind is float and math.isfinite(value))
    inside = inside and (kind is int or abs(value) < 10**308 * 1.7976931348623158)
    inside = inside and (gt is None or value > gt) and (ge is None or value >= ge)
    inside = inside and (lt is None or value < lt) and (le is None or value <= le)
    hint = Annotated[kind, Interval(gt=gt, ge=ge, lt=lt, le=le)]
    if inside:
        check_range(hint, "x", value)
    else:
        with pytest.raises(KavgError, match=r"^x must be a (finite |whole )?number"):
            check_range(hint, "x", value)


@pytest.mark.parametrize("value", ["3", None, True, 1.0, np.float64(1), (1,)])
def test_values_that_are_no_whole_number_are_refused(value):
    with pytest.raises(KavgError, match="x must be a whole number of at least 1, got x="):
        check_range(Count, "x", value)


@pytest.mark.parametrize("value", [1, 1.0, np.int64(1), np.float32(1), np.float64(1)])
def test_numbers_of_numpy_are_numbers(value):
    check_range(Positive, "x", value)
    check_range(Positive | None, "x", value)
    check_range(Count, "x", int(value))
    check_range(Count, "x", np.int64(value))


@given(st.from_type(Momentum), st.from_type(Seed), st.from_type(Share))
def test_hypothesis_draws_what_is_accepted(mu, seed, skew):
    assert outer.BlockMomentum(mu).mu == mu
    assert Partition(skew, seed).seed == seed


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (Positive, 0, "x must be a finite number above 0, got x=0"),
        (NonNegative, math.nan, "x must be a finite number of at least 0, got x=nan"),
        (Share, 2, "x must be a number from 0 to 1, got x=2"),
        (Momentum, 1, "x must be a number of at least 0 and below 1, got x=1; use 0 for averaging"),
        (Seed, -1, "x must be a whole number from 0 to 2^63 - 1, got x=-1"),
        (Positive | str, -1, "x must be a finite number above 0, got x=-1"),
        (tuple[Positive, ...], (1, -1), "x[1] must be a finite number above 0, got x[1]=-1"),
    ],
)
def test_messages_name_the_range(hint, value, message):
    with pytest.raises(KavgError) as error:
        check_range(hint, "x", value)
    assert str(error.value) == message


@pytest.mark.parametrize("value", [None, "text", 3])
def test_members_of_a_union_are_accepted(value):
    assert check_range(Count | str | None, "x", value) == value


@pytest.mark.parametrize("value", [(), Averaging(), True, b"text", Averaging])
def test_other_values_than_the_members_of_a_union_are_refused(value):
    with pytest.raises(KavgError, match=r"^x must be a whole number of at least 1, text or None"):
        check_range(Count | str | None, "x", value)
