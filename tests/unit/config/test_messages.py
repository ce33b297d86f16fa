"""Errors of settings: each is said at its place, and all of them at once."""

from __future__ import annotations

import pytest
from helpers.raw_settings import LOGISTIC, list_errors, method, text
from hypothesis import given
from hypothesis import strategies as st

from kavg.config.settings_file import parse_config

PW = '{ kind = "piecewise", gammas = [0.1, "a"], boundaries = [3.5] }'
QUADRATIC = '{{ kind = "quadratic", spectrum = {} }}'
FAULTS = {
    "wrong type": (text("5.0"), "rounds: needs a whole number, got 5.0"),
    "true is no number": (text("true"), "rounds: needs a whole number, got True"),
    "a date": (text("2020-01-01"), "rounds: needs a whole number, got datetime"),
    "beyond TOML": (text("1" + "0" * 30), "rounds: needs a whole number below 2^63, got 1000"),
    "beyond all digits": (
        text("0x" + "f" * 5000),
        "this has a whole number of more than 4096 bits",
    ),
    "beyond floats": (text(top="start = 1" + "0" * 400), "start: needs a number, got 1000"),
    "zero": (text("0"), "rounds: rounds must be a whole number of at least 1, got rounds=0; use"),
    "seed": (text(top="seed = -1"), "seed: seed must be a whole number from 0 to 2^63 - 1, got"),
    "every": (text(top="record.every = 0"), "record.every: every must be a whole number"),
    "P": (text(algorithm=method(P="0")), "algorithm.0.P: P must be a whole number of at least 1"),
    "gamma": (
        text(algorithm=method(gamma="-1")),
        "algorithm.0.gamma: gamma must be a finite number",
    ),
    "nan": (
        text(algorithm=method(gamma="nan")),
        "algorithm.0.gamma: needs a finite number, got nan",
    ),
    "text": (
        text(algorithm=method(gamma="'0.1'")),
        "algorithm.0.gamma: needs a number or a table, got '0.1'",
    ),
    "mu": (
        text(algorithm=method(outer='{ kind = "nesterov", mu = 1 }')),
        "algorithm.0.outer.mu: mu must be a number of at least 0 and below 1, got mu=1.0; use 0",
    ),
    "schedule": (
        text(
            algorithm=method(gamma='{ kind = "warm_up", rounds = 0, then = { kind = "warm_up" } }')
        ),
        "algorithm.0.gamma.rounds: rounds must be a whole number of at least 1, got rounds=0",
        "algorithm.0.gamma.then: there is no kind 'warm_up'; it is one of gamma of [[algorithm]]; "
        "the kinds are: constant",
    ),
    "lists": (
        text(algorithm=method(gamma=PW)),
        "algorithm.0.gamma.gammas.1: needs a number, got 'a'",
        "algorithm.0.gamma.boundaries.0: needs a whole number, got 3.5",
    ),
    "two that do not fit": (
        text(objective=QUADRATIC.format("{ low = 1.0, high = 0.1, dim = 3 }")),
        "objective.spectrum: got low=1.0, high=0.1, dim=3; low must not exceed high",
    ),
    "unknown kind": (
        text(objective='{ kind = "cosin" }'),
        "objective: there is no kind 'cosin'; did you mean 'cosine'? The kinds are: cosine, ",
    ),
    "no kind": (text(oracle="{ sigma2 = 1.0 }"), "oracle: needs a kind, as in oracle = { kind = "),
    "foreign kind": (
        text(oracle='{ type = "gaussian" }'),
        "oracle: there is no key 'type' here; use 'kind'",
    ),
    "kind of another type": (text(oracle="{ kind = 3 }"), "oracle: there is no kind '3'; "),
    "text for a table": (text(objective='"cosine"'), "objective: needs a table, got 'cosine'"),
    "table for a list": (text(algorithm="{ P = 1 }"), "algorithm: needs a list, got {'P': 1}"),
    "number for a table": (text(algorithm="[3]"), "algorithm.0: needs a table, got 3"),
    "no algorithm": (text(algorithm="[]"), "algorithm: needs at least one [[algorithm]]"),
    "same names": (
        text(algorithm=method(more=', name = "a"')[:-1] + "," + method(more=', name = "a"')[1:]),
        "algorithm: algorithms must have different names, got 'a' twice",
    ),
    "a name to mislead a terminal": (
        text(algorithm=method(more=r', name = "a\u001b[31m"')),
        r"algorithm: names of algorithms must be readable text, got 'a\x1b[31m'",
    ),
    "choice": (text(top='mean = "mean"'), "mean: needs one of 'exact' or 'allreduce', got 'mean'"),
    "misspelt": (
        text(top="replica = 3"),
        "replica: there is no key 'replica' here; did you mean 'replicas'?",
    ),
    "unheard of": (text(top="foo = 3"), "foo: there is no key 'foo' here; known here: rounds, obj"),
    "empty key": (text(top='"" = 3'), "'': there is no key '' here; known here: rounds"),
    "a key of two lines": (text(top=r'"a\nb" = 3'), r"'a\nb': there is no key 'a\nb' here; known"),
    "start": (text(top="start = [1.0, 'a']"), "start.1: needs a number, got 'a'"),
    "synthetic data": (
        text(objective=LOGISTIC.format('{ kind = "classification", exampels = 3 }')),
        "objective.data.exampels: there is no key 'exampels' here; did you mean 'examples'?",
    ),
    "spectrum": (
        text(objective=QUADRATIC.format("{ low = 0.1, high = 1.0, d = 3 }")),
        "objective.spectrum.dim: is missing",
        "objective.spectrum.d: there is no key 'd' here; use 'dim'",
    ),
    "a constructor's several": (
        text(algorithm=method(outer='{ kind = "slowmo", mu = -1, alpha = -2 }')),
        "algorithm.0.outer.mu: mu must be a number of at least 0 and below 1, got mu=-1.0",
        "algorithm.0.outer.alpha: alpha must be a finite number above 0, got alpha=-2.0",
    ),
    "all of an objective": (
        text(objective=LOGISTIC.format('"digits", alpha = -1, held_out = 1, use = 0')),
        "objective.alpha: alpha must",
        "objective.held_out: held_out must",
        "objective.use: use must",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_is_reported_at_its_place(name):
    given_text, *wanted = FAULTS[name]
    found = list_errors(given_text)
    assert len(found) == len(wanted), found
    for line, beginning in zip(found, wanted, strict=True):
        assert line.startswith(beginning)


def test_an_overflow_before_the_run_is_one_error():
    far = '{ kind = "deep_linear", targets = [1e200, 1.0] }'
    (line,) = list_errors(text(objective=far))  # and no warning of NumPy
    assert line.startswith("start: F or its gradient is not finite there")


def test_an_empty_file_lacks_all_that_has_no_default():
    assert [line.split(" is missing; as in ")[0] for line in list_errors("")] == [
        "rounds:",
        "objective:",
        "oracle:",
        "algorithm:",
    ]


def test_all_errors_of_all_tables_are_reported_at_once():
    found = list_errors(
        """
        rounds = 0
        seed = -1
        lr = 0.1
        objective = { kind = "cosine", dim = 0, d = 4 }
        oracle = { kind = "gaussian", sigma2 = -1.0, B = "x" }
        [[algorithm]]
        P = 0
        K = 0
        tau = 3
        outer = { kind = "block_momentum", mu = 2 }
        [[algorithm]]
        P = 2
        K = 2
        gamma = -0.1
        outer = { kind = "averaging", beta = 0.5 }
        [record]
        every = 0
        """
    )
    assert sorted(line.split(": ")[0] for line in found) == [
        *("algorithm.0.K", "algorithm.0.P", "algorithm.0.gamma", "algorithm.0.outer.mu"),
        *("algorithm.0.tau", "algorithm.1.gamma", "algorithm.1.outer.beta", "lr", "objective.d"),
        *("objective.dim", "oracle.B", "oracle.sigma2", "record.every", "rounds", "seed"),
    ]


@given(
    P=st.integers(-2, 2), K=st.integers(-2, 2), gamma=st.floats(-1, 1), mu=st.floats(-0.5, 1.5),
    sigma2=st.floats(-1, 1), B=st.integers(-1, 2), dim=st.integers(-1, 2),
    rounds=st.integers(-1, 2), foreign=st.booleans(),
)  # fmt: skip
def test_exactly_the_wrong_values_are_named(P, K, gamma, mu, sigma2, B, dim, rounds, foreign):
    outer = f'{{ kind = "block_momentum", mu = {mu!r} }}'
    given_text = text(
        str(rounds),
        "lr = 3" if foreign else "",
        objective=f'{{ kind = "linear", dim = {dim} }}',
        oracle=f'{{ kind = "gaussian", sigma2 = {sigma2!r}, B = {B} }}',
        algorithm=method(P=P, K=K, gamma=repr(gamma), outer=outer),
    )
    wrong = {
        "rounds": rounds < 1, "objective.dim": dim < 1, "oracle.sigma2": sigma2 < 0,
        "oracle.B": B < 1, "algorithm.0.P": P < 1, "algorithm.0.K": K < 1, "lr": foreign,
        "algorithm.0.gamma": gamma <= 0, "algorithm.0.outer.mu": not 0 <= mu < 1,
    }  # fmt: skip
    expected = {place for place, is_wrong in wrong.items() if is_wrong}
    if expected:
        assert {line.split(": ")[0] for line in list_errors(given_text)} == expected
    else:
        parse_config(given_text)
