"""The choice of the best of several trials, and its judgement on fresh noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kavg.analysis.estimate import mean_interval
from kavg.analysis.selection import judge_selection, select_trial
from kavg.errors import KavgError

trials = arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)),
                elements=st.integers(-50, 50))  # fmt: skip


@given(trials, trials)
def test_the_least_mean_is_chosen_and_read_from_the_other_noise(choosing, judging):
    judging = np.resize(judging, (len(choosing), judging.shape[1]))
    found = judge_selection(choosing, judging)
    assert found.trial == choosing.mean(axis=1).argmin()
    assert found.trials == len(choosing)
    assert found.apparent.low == mean_interval(choosing[found.trial]).low
    assert found.judged.high == mean_interval(judging[found.trial]).high


def test_a_trial_that_diverged_is_never_chosen():
    assert select_trial([np.nan, np.inf, 5.0, -np.inf]) == 2
    diverged = [[1.0, np.inf], [3.0, 4.0], [-np.inf, np.inf]]
    found = judge_selection(diverged, [[np.nan, np.nan], [2.0, 4.0], [np.nan, np.nan]])
    assert (found.trial, float(found.judged.mean)) == (1, 3.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: select_trial([np.nan, np.inf]), "widen the grid"),
        (lambda: select_trial([[1.0]]), "finite score"),
        (lambda: judge_selection([[1.0, 2.0]], np.ones((2, 2))), "got 1 and 2"),
        (lambda: judge_selection([1.0, 2.0], np.ones((2, 2))), r"shape \(2,\)"),
    ],
)
def test_wrong_trials_are_refused(call, words):
    with pytest.raises(KavgError, match=words):
        call()
