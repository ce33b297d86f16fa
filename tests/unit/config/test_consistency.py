"""Errors that show when parts of the settings meet."""

from __future__ import annotations

import pytest
from helpers.raw_settings import list_errors, method, settings_from_data, text, write_data

from kavg.config.settings_file import parse_config


@pytest.mark.parametrize(
    ("given_text", "beginning"),
    [
        (text(oracle='{ kind = "minibatch", B = 2 }'), "oracle: mini-batches need an objective"),
        (text(top="start = [1.0, 2.0, 3.0]"), "start: start must be one finite number or 2 of"),
        (text(top="start = []"), "start: start must be one finite number or 2 of them"),
        (text(top="start = 1e200"), "start: F or its gradient is not finite there, F=inf"),
        (
            text(oracle='{ kind = "shifted", zeta2 = 1.0 }', algorithm=method(P="1")),
            "oracle: one learner cannot differ from the mean of all, got P=1 and zeta2=1.0",
        ),
        (
            settings_from_data("my.npz", '{ kind = "minibatch", B = 2, partition = {} }', P="5"),
            "oracle: 12 examples cannot be dealt evenly to P=5 learners; use=10 in the objective",
        ),
        (
            settings_from_data("my.npz", '{ kind = "minibatch", B = 13, sampling = "reshuffle" }'),
            "oracle: 13 distinct examples cannot be drawn from 12",
        ),
        (
            settings_from_data("my.npz", more=", positive = [7.0]"),
            "objective: logistic regression needs two",
        ),
        (
            settings_from_data("my.npz", more=", use = 13"),
            "objective: use=13 examples were asked for",
        ),
        (text(objective='{ kind = "linear", dim = 9e1 }'), "objective.dim: needs a whole number"),
        (
            text(objective='{ kind = "linear", dim = 4611686018427387904 }'),
            "objective: is too large: ",
        ),
        (
            settings_from_data("my.npz", '{ kind = "minibatch", B = 99999999999999 }'),
            "oracle: is too large",
        ),
        (
            text(rounds=str(2**31 + 1), top="record = { every = 1_000_000 }"),
            "algorithm: algorithm 1: rounds=2147483649 and K=2 are more than 2^32 local steps",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, given_text, beginning):
    write_data(tmp_path)
    (line,) = list_errors(given_text, folder=tmp_path)
    assert line.startswith(beginning)


def test_several_parts_that_do_not_fit_are_reported_together():
    oracle = '{ kind = "minibatch", B = 2 }'
    found = list_errors(
        text(oracle=oracle, top="start = [1.0]", algorithm=method()[:-1] + "," + method()[1:])
    )
    assert [line.split(":")[0] for line in found] == ["start", "oracle"]


@pytest.mark.parametrize(("rounds", "oracle"), [(2**31, "gaussian"), (2**31 + 1, "none")])
def test_as_many_steps_as_have_noise_are_accepted(rounds, oracle):
    noise = "sigma2 = 1.0, " if oracle == "gaussian" else ""
    settings = text(
        str(rounds), "record = { every = 1_000_000 }", oracle=f"{{ {noise}kind = {oracle!r} }}"
    )
    assert parse_config(settings).rounds == rounds
