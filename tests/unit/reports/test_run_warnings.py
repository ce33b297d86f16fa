"""Warnings before a run: a line each, and none where all is well."""

from __future__ import annotations

import numpy as np
import pytest

import kavg
from kavg import Algorithm, Data, Problem, objectives, oracles, outer
from kavg.reports.run_warnings import list_setting_warnings

X = np.random.default_rng(1).uniform(-1, 1, (40, 3))


def warnings_of(objective, gamma=0.01):
    method = Algorithm(2, 2, gamma, outer.Averaging(), name="K-AVG")
    start = kavg.starts.Normal(0.1)
    return list_setting_warnings(Problem(objective, oracles.Noiseless(), start), [method])


def test_sound_settings_have_no_warning():
    assert warnings_of(objectives.Cosine(dim=3)) == []
    assert warnings_of(objectives.LogisticRegression(Data(X, X[:, 0] > 0))) == []
    assert warnings_of(objectives.Network(Data(X, np.arange(40) % 3))) == []
    assert warnings_of(objectives.RobustRegression(Data(X, np.full(40, 30.0)), scale=3.0)) == []
    # Rosenbrock has no L: nothing is known of its steps.
    assert warnings_of(objectives.Rosenbrock(), gamma=1e3) == []


WARNED = {
    "a large step": (lambda: (objectives.Quadratic((1.0, 100.0)), 0.03),
        "K-AVG: gamma L is 3, above 2: steps as long as these grow where F curves by L (exact); "
        "gamma below 0.02 is safe from it"),
    "a large step at first": (lambda: (objectives.Quadratic((1.0,)),
        kavg.schedules.Piecewise((3.0, 0.1), (5,))), "K-AVG: gamma L is 3, above 2"),
    "unlike scales": (
        lambda: (objectives.LogisticRegression(Data(X * [1, 500, 1], X[:, 0] > 0)), 1e-6),
        "arrays: features have scales from"),
    "a column that counts": (
        lambda: (objectives.LogisticRegression(
            Data(np.c_[X, np.arange(5, 45)], X[:, 0] > 0, names=("a", "b", "c", "Id"))), 1e-4),
        "arrays: the feature 'Id' counts the rows"),
    "many classes": (lambda: (objectives.Network(Data(X, np.arange(40) % 9)), 0.1),
        "arrays: 9 classes for 40 examples; for targets of a regression use robust regression"),
    "targets far beyond the scale of the loss": (
        lambda: (objectives.RobustRegression(Data(X, np.full(40, 30.0)), scale=2.5), 0.1),
        "arrays: targets are about 30, and a loss of scale = 2.5 is flat so far from them: a run "
        "may not move; scale = 30 is of their size"),
}  # fmt: skip


@pytest.mark.parametrize("name", WARNED)
def test_a_warning_is_one_line(name):
    make, words = WARNED[name]
    (warning,) = warnings_of(*make())
    assert warning.startswith(words)
    assert "\n" not in warning


def test_a_standardised_feature_has_no_scale():
    data = Data(X * [1, 500, 1], X[:, 0] > 0)
    assert warnings_of(objectives.LogisticRegression(data, standardise=True)) == []
