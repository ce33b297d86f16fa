"""Settings of raw TOML values, right or wrong, and the errors they get."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kavg.config.settings_file import parse_config
from kavg.errors import KavgError

LOGISTIC = '{{ kind = "logistic_regression", data = {} }}'
TABLES = {
    "objective": '{ kind = "cosine", dim = 2 }',
    "oracle": '{ kind = "gaussian", sigma2 = 1.0 }',
    "algorithm": '[{ P = 4, K = 2, gamma = 0.1, outer = { kind = "averaging" } }]',
}


def text(rounds="5", top="", **tables):
    """A settings text; ``helpers.settings`` is for settings that are right."""
    lines = [f"{key} = {tables.get(key, table)}" for key, table in TABLES.items()]
    return "\n".join([f"rounds = {rounds}", *lines, top])


def method(P="4", K="2", gamma="0.1", outer='{ kind = "averaging" }', more=""):
    """The list of one algorithm."""
    return f"[{{ P = {P}, K = {K}, gamma = {gamma}, outer = {outer} {more} }}]"


def settings_from_data(source, oracle='{ kind = "minibatch", B = 2 }', P="4", more=""):
    """A logistic regression on a file of data."""
    objective = LOGISTIC.format(f"{json.dumps(str(source))}{more}")
    return text(objective=objective, oracle=oracle, algorithm=method(P=P))


def write_data(folder, name="my.npz", shift=0.0):
    """Write twelve examples of two classes, the sixth of them shifted."""
    features = np.arange(24.0).reshape(12, 2)
    features[5] += shift
    np.savez(folder / name, features=features, labels=np.arange(12) % 2)


def list_errors(given_text, overrides=(), folder=None):
    """The errors of a settings text, line by line."""
    with pytest.raises(KavgError) as caught:
        parse_config(given_text, overrides, folder)
    return str(caught.value).split("\n")
