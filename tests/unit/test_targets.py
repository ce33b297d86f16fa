"""The value that names a target: exactly one form, within its range."""

from __future__ import annotations

import numpy as np
import pytest

from kavg.errors import KavgError
from kavg.targets import Target


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"below": np.float32(0.25)}, "F <= 0.25"),
        ({"below": -1.0}, "F <= -1"),
        ({"above": 0.9}, "F >= 0.9"),
        ({"fraction": 0.01}, "F at 0.01 of its start"),
        ({"floor": 2}, "F at 2 times its stationary value"),
    ],
)
def test_a_target_has_one_form_and_says_it(form, words):
    target = Target("F", **form)
    assert str(target) == words
    assert target.rule == "isotonic"
    assert target.increasing == ("above" in form)
    assert hash(target) == hash(Target("F", **form))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "exactly one of below, above, fraction, floor, got none"),
        ({"below": 1.0, "floor": 2.0}, "got below and floor"),
        ({"fraction": 1.0}, "fraction must be .* got fraction=1.0"),
        ({"floor": 1.0}, "a stationary value itself is reached at no round"),
        ({"below": float("nan")}, "below must be"),
        ({"below": 1.0, "rule": "last"}, "rule must be"),
    ],
)
def test_wrong_targets_are_refused(wrong, words):
    with pytest.raises(KavgError, match=words):
        Target("F", **wrong)


@pytest.mark.parametrize("form", [{"fraction": 0.5}, {"floor": 2.0}])
def test_a_share_of_an_accuracy_is_no_target(form):
    with pytest.raises(KavgError, match=r"held_out_accuracy rises, and .*; use above"):
        Target("held_out_accuracy", **form)
