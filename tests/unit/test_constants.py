"""Constants of the theory: how they were obtained is one of four words."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

from kavg.base import Constant, NoiseConstants, unknown_constant
from kavg.errors import KavgError

ONE = Constant(1.0, "exact")


@pytest.mark.parametrize("how", ["estimate", "Exact", "", "upper_bound", None, 1])
def test_how_a_constant_was_obtained_is_checked(how):
    with pytest.raises(
        KavgError, match="how must be one of exact, upper bound, estimated, unknown"
    ):
        Constant(2.0, how)


@pytest.mark.parametrize(("value", "how"), [(nan, "exact"), (nan, "estimated"), (2.0, "unknown")])
def test_nan_and_unknown_are_one(value, how):
    with pytest.raises(KavgError, match="NaN if it is unknown, and only then, got value="):
        Constant(value, how)


def test_a_constant_is_a_float():
    assert type(Constant(np.float32(2), "exact").value) is float
    assert Constant(2, "exact") == Constant(np.int8(2), "exact", "")
    assert Constant(inf, "exact").value == inf
    assert unknown_constant("why").source == "why"
    with pytest.raises(KavgError, match="value must be a number, got value='2'"):
        Constant("2", "exact")


def test_constants_of_noise_are_constants():
    assert NoiseConstants(ONE, ONE, ONE, np.int8(3)).B == 3
    with pytest.raises(KavgError, match="M_v must be a Constant"):
        NoiseConstants(ONE, 0.0, ONE)
