"""What a measure may return: one real number for each replica."""

import numpy as np
import pytest
from helpers.user_code import run

import kavg

WRONG = {
    "w": lambda n, w: w,
    "one number for all": lambda n, w: np.linalg.norm(w),
    "a Python number": lambda n, w: 1.0,
    "None": lambda n, w: None,
    "text": lambda n, w: ["a"] * len(w),
    "complex": lambda n, w: w[:, 0] + 0j,
    "objects": lambda n, w: np.array([None] * len(w)),
    "ragged": lambda n, w: [[1.0], [1.0, 2.0]],
    "a column": lambda n, w: w[:, :1],
    "coordinates": lambda n, w: w.max(axis=0),
    "dates": lambda n, w: np.zeros(len(w), "M8[s]"),
    "a dictionary": lambda n, w: {"size": 1.0},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_measure_is_refused_by_name(name):
    words = r"the measure 'mine' must return one number a replica, shape \(2,\) and real, got"
    with pytest.raises(kavg.KavgError, match=words):
        run(record={"mine": WRONG[name]})


def test_a_single_replica_needs_its_axis_too():
    with pytest.raises(kavg.KavgError, match=r"shape \(1,\) and real, got float.* of shape \(\)"):
        run(record={"mine": lambda n, w: float(np.linalg.norm(w))}, replicas=1)


RIGHT = {
    "a list": lambda n, w: [float(row[0]) for row in w],
    "whole numbers": lambda n, w: np.full(len(w), n),
    "truth": lambda n, w: w[:, 0] > 1.9,
    "single precision": lambda n, w: w[:, 0].astype(np.float32),
    "half precision": lambda n, w: w[:, 0].astype(np.float16),
    "a tuple": lambda n, w: (n, n),
    "every other one": lambda n, w: np.repeat(w[:, 0], 2)[::2],
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_one_real_number_for_each_replica_is_recorded_as_float64(name):
    result = run(record={"mine": RIGHT[name]})
    assert result.mine.dtype == np.float64
    assert result.mine.shape == (5, 2)


def test_an_error_in_a_measure_says_which_and_when():
    def fails(n, w):
        return w[7]

    with pytest.raises(IndexError) as caught:
        run(record={"mine": fails})
    assert caught.value.__notes__ == ["kavg called it in the measure 'mine' after round 0"]


def test_an_error_in_on_round_says_when():
    def fails(now):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError) as caught:
        run(on_round=fails)
    assert caught.value.__notes__ == ["kavg called it in on_round after round 1"]
