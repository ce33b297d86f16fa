"""The value of each form of target."""

from __future__ import annotations

import numpy as np
import pytest

from kavg.analysis.targets import find_infimum, target_value
from kavg.base import Constant, unknown_constant
from kavg.errors import KavgError
from kavg.targets import Target


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ({"below": 0.5}, 0.5),
        ({"above": 0.9}, 0.9),
        ({"fraction": 0.25}, 4.0),
        ({"floor": 3.0}, 5.0),
    ],
)
def test_a_target_has_a_value(form, value):
    # Start 10, infimum 2, stationary value 3: 2 + 8/4, and 2 + 3 (3 - 2).
    assert target_value(Target("F", **form), 10.0, lowest=2.0, stationary=3.0) == value


@pytest.mark.parametrize(
    ("f_star", "quantity", "lowest"),
    [
        (Constant(-2.0, "exact", ""), "F", -2.0),
        (Constant(-2.0, "exact", ""), "grad_norm2", 0.0),
        (Constant(-np.inf, "exact", ""), "F", 0.0),
        (Constant(-3.0, "upper bound", ""), "F", 0.0),
        (unknown_constant("by whom"), "F", 0.0),
    ],
)
def test_shares_count_from_an_infimum_that_is_known(f_star, quantity, lowest):
    assert find_infimum(f_star, quantity) == lowest


@pytest.mark.parametrize(
    ("form", "words"),
    [({"fraction": 0.25}, "needs a finite start value of F, got inf"),
     ({"floor": 3.0}, "needs a finite stationary value of F, got None; use below")],
)  # fmt: skip
def test_a_number_that_is_not_known_is_asked_for(form, words):
    with pytest.raises(KavgError, match=words):
        target_value(Target("F", **form), float("inf"))
