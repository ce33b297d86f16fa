"""Planned functions are given the arrays that they were planned for, or say so."""

from __future__ import annotations

import numpy as np
import pytest

from kavg import KavgError
from kavg.elementary.block_function import BLOCK
from kavg.elementary.sine import Sine
from kavg.elementary.sine_by_table import SineByTable
from kavg.elementary.tanh import plan_tanh
from kavg.objectives.ripples import RippleGradient

PLANS = {
    "sine": lambda n, dtype: Sine(3.0, n, dtype),
    "sine by table": lambda n, dtype: SineByTable(3.0, n),
    "ripples": lambda n, dtype: RippleGradient(2.0, 3.0, 2.0, rows=n, dim=1, dtype=dtype),
    "tanh": lambda n, dtype: plan_tanh(2.0, -1.0, size=n, dtype=dtype),
    "tanh of small numbers": lambda n, dtype: plan_tanh(1e-200, 1.0, size=n, dtype=dtype),
}
OTHER_ARRAYS = {
    "a larger out": ((1, 2), (3, 2), "float64", "float64"),
    "more numbers": ((4, 2), (4, 2), "float64", "float64"),
    "x of another precision": ((3, 2), (3, 2), "float32", "float64"),
    "out of another precision": ((3, 2), (3, 2), "float64", "float32"),
    "another precision": ((3, 2), (3, 2), "float32", "float32"),
    "a larger out with gaps": ((1, 2), (3, 2, 2), "float64", "float64"),
}


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("case", OTHER_ARRAYS)
def test_other_arrays_than_were_planned_are_refused_and_left_alone(name, case):
    x_shape, out_shape, x_dtype, out_dtype = OTHER_ARRAYS[case]
    function = PLANS[name](6, "float64")
    x, out = np.ones(x_shape, x_dtype), np.full(out_shape, 7.0, out_dtype)
    out = out[..., 0] if out.ndim == 3 else out
    for _ in range(2):  # what was refused must not be taken for the arrays of the call before
        with pytest.raises(KavgError, match="float64 and up to 6 numbers that were planned, got"):
            function(x, out)
    assert (out == 7.0).all()


def test_a_float32_plan_refuses_float64():
    for name in set(PLANS) - {"sine by table"}:
        x = np.ones(3)
        with pytest.raises(KavgError, match=r"the float32 .*, got float64 \(3,\)"):
            PLANS[name](6, "float32")(x, np.empty_like(x))


@pytest.mark.parametrize("name", PLANS)
def test_blocks_of_the_largest_size_take_any_number(name):
    x = np.linspace(-1.0, 1.0, 2 * BLOCK + 1)
    out, alone = np.full_like(x, np.nan), np.empty(1)
    PLANS[name](BLOCK, "float64")(x, out)
    PLANS[name](1, "float64")(x[-1:], alone)
    assert out[-1] == alone[0]
    assert np.isfinite(out).all()
