"""The value of each form of target."""

from __future__ import annotations

import pytest

from kavg.analysis.targets import target_value
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
    ("form", "words"),
    [({"fraction": 0.25}, "needs a finite start value of F, got inf"),
     ({"floor": 3.0}, "needs a finite stationary value of F, got None; use below")],
)  # fmt: skip
def test_a_number_that_is_not_known_is_asked_for(form, words):
    with pytest.raises(KavgError, match=words):
        target_value(Target("F", **form), float("inf"))
