"""What no machine could hold is refused before it is taken, with numbers and what to reduce."""

from __future__ import annotations

import math
import re
import sys
import tracemalloc

import pytest
from helpers.launch import run_process
from helpers.settings import k_avg, settings_text
from hypothesis import given
from hypothesis import strategies as st

from kavg.cli.execution import run_algorithms
from kavg.cli.session import Session
from kavg.config.settings_file import parse_config
from kavg.config.sizes import memory_estimates
from kavg.engine.communicator import SerialComm
from kavg.errors import KavgError
from kavg.storage import limits
from kavg.storage.limits import format_bytes, memory_limit


def data(n, p, kind="logistic_regression", **more):
    table = {"kind": "classification", "examples": n, "features": p}
    return {"kind": kind, "data": table} | more


def cosine(dim):
    return {"kind": "cosine", "dim": dim}


def bowl(dim, **more):
    return {"kind": "quadratic", "spectrum": {"low": 0.1, "high": 1.0, "dim": dim}} | more


def minibatch(B, **more):
    return {"kind": "minibatch", "B": B} | more


def gaussian(B):
    return {"kind": "gaussian", "sigma2": 1.0, "B": B}


def adam(at_average):
    return {"kind": "adam", "at_average": at_average}


AVERAGING = {"outer": {"kind": "averaging"}}


def signs():
    return {"kind": "rademacher", "sigma2": 1.0}


def small(P=2, R=1, rounds=1, every=1, objective=None, oracle=None, measures=(), **parts):
    """Settings that take next to nothing, with these changes."""
    method = {"outer": {"kind": "nesterov", "mu": 0.5}} | parts
    return settings_text(
        rounds=rounds,
        replicas=R,
        start=None,
        record={"every": every, "measures": [*measures]},
        objective=objective or cosine(2),
        oracle=oracle or gaussian(1),
        algorithm=[k_avg(name="algorithm 1", P=P, K=1, gamma=0.01, **method)],
    )


MANY_DIRECTIONS = {"kind": "spread", "directions": [*range(10**5)]}

# Refused at once.

HUGE = {
    "dim": ({"objective": {"kind": "linear", "dim": 10**12}},
            "objective: is too large: one point of 1000000000000 coordinates would take about"),
    "spectrum": ({"objective": bowl(10**12)}, "objective: is too large: a spectrum of"),
    "rotation": ({"objective": bowl(10**6, rotation_seed=1)},
                 "objective: is too large: a rotation of 1000000 coordinates would take about"),
    "examples": ({"objective": data(10**12, 3), "oracle": minibatch(1)},
                 "objective: is too large: a table of 1000000000000 by 3"),
    "features": ({"objective": data(9, 10**12), "oracle": minibatch(1)},
                 "objective: is too large: a table of 9 by 1000000000000"),
    "hidden": ({"objective": data(9, 1, "network", hidden=10**12), "oracle": minibatch(1)},
               "objective: is too large: one point of"),
    "units": ({"objective": data(10**5, 1, "network", hidden=10**7),
               "oracle": minibatch(1)}, "objective: is too large: 10000000 hidden units for"),
    "B": ({"objective": data(9, 1), "oracle": minibatch(10**12)}, "oracle: is too large: batches"),
    "B of many": ({"objective": data(9, 1), "oracle": minibatch(10**8), "P": 10**4},
                  "oracle: is too large: batches of 100000000 for 10000 learners and replicas"),
    "epochs": ({"objective": data(10**6, 1), "P": 10**5,
                "oracle": minibatch(1, sampling="reshuffle")}, "oracle: is too large: batc"),
    "replicas": ({"R": 10**18}, "replicas: is too large: 1000000000000000000 replicas of 2"),
    "rounds": ({"rounds": 10**15, "oracle": {"kind": "none"}},
               "record: is too large: 1000000000000002 recorded rounds of 1"),
    "learners": ({"P": 2**62, "rounds": 2}, "algorithm: algorithm 1: rounds=2, P=461168601842738"),
    "own iterates": ({"P": 10**9, "objective": cosine(1000), "aggregation": {"kind": "gossip"},
                      **AVERAGING},
                     "algorithm: is too large: 1 arrays of 1 by 1000 that each of 1000000000 lear"),
    "earlier iterates": ({"aggregation": {"kind": "stale_gradients", "longest": 10**12},
                          **AVERAGING},
                         "algorithm: is too large: 1e+12 earlier iterates and 2 updates of 1 repl"),
    "an age of 300 digits": ({"aggregation": {"kind": "stale_gradients", "mean": 1e300},
                              **AVERAGING, "rounds": 1},
                             "algorithm: is too large: 2e+301 earlier iterates and 2 updates of 1"),
    "updates": ({"P": 10**11, "aggregation": {"kind": "stale_gradients", "mean": 3.0},
                 **AVERAGING},
                "algorithm: is too large: 80 earlier iterates and 100000000000 updates of 1 repli"),
    "groups": ({"P": 10**9, "aggregation": {"kind": "groups", "K1": 1, "groups": 10**9}},
               "replicas: is too large: points of 1000000000 groups would take"),
    "draws": ({"P": 10**12, "aggregation": {"kind": "sampled", "m": 10}},
              "replicas: is too large: draws for 1000000000000 learners and 1 replicas would"),
    "kept state": ({"P": 10**9, "objective": cosine(1000), "optimizer": adam("kept")},
                   "algorithm: is too large: 2 arrays of 1 by 1000 that each of 1000000000 learn"),
    "directions": ({"objective": cosine(10**6), "measures": [MANY_DIRECTIONS]},
                   "record: is too large: rounds of 1 replicas with measures would take about"),
    "variance by a batch": ({"oracle": gaussian(2**62)}, "algorithm: algorithm 1: rounds=1, P=2"),
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_settings_that_are_too_large_are_refused_without_taking_memory(name):
    changes, words = HUGE[name]
    parse_config(small())  # what is loaded late is loaded now
    tracemalloc.start()
    try:
        with pytest.raises(KavgError) as caught:
            parse_config(small(**changes))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (line,) = str(caught.value).split("\n")
    assert line.startswith(words)
    assert re.search(r"of memory, and there are .*iB \(.*\); \w+|cannot be counted; reduce", line)
    assert peak < 60_000_000  # the examples of "epochs" themselves are 50 MB


def test_rounds_need_not_all_be_recorded():
    parse_config(small(rounds=10**15, every=10**9, oracle={"kind": "none"}))


def test_learners_take_time_and_not_memory():
    parse_config(small(P=10**18))


# The estimates are near what is taken.

MEASURED = {
    "dim": {"objective": cosine(300_000), "rounds": 2, "P": 4},
    "replicas": {"R": 5000, "objective": cosine(50), "rounds": 2, "P": 4},
    "one dimension": {"R": 50_000, "objective": cosine(1), "rounds": 2, "oracle": signs()},
    "rotation": {"objective": bowl(700, rotation_seed=1)},
    "recorded": {"rounds": 2000, "R": 100, "oracle": {"kind": "none"}},
    "examples": {"objective": data(20_000, 50), "oracle": minibatch(4)},
    "batch": {"objective": data(2000, 50), "oracle": minibatch(30_000), "P": 1},
    "batches": {"objective": data(2000, 5), "oracle": minibatch(1000), "P": 1000},
    "epochs": {"objective": data(2000, 5), "P": 1000,
               "oracle": minibatch(10, sampling="reshuffle")},
    "units": {"objective": data(2000, 5, "network", hidden=500), "oracle": minibatch(10)},
    "measures": {
        "objective": cosine(200_000), "P": 4, "rounds": 2,
        "measures": ["alignment", "sharpness", "uniform", "distance"],
    },
    "directions": {
        "objective": cosine(100_000), "P": 4, "rounds": 2,
        "measures": [{"kind": "spread", "directions": [*range(50)]}],
    },
    "slots": {"objective": cosine(300_000), "P": 4, "rounds": 2, "optimizer": adam("reset")},
    "averaged slots": {
        "objective": cosine(300_000), "P": 4, "rounds": 2, "optimizer": adam("averaged"),
    },
    "own iterates": {
        "objective": cosine(500), "P": 2000, "rounds": 2, "aggregation": {"kind": "gossip"},
        **AVERAGING,
    },
    "earlier iterates": {
        "objective": cosine(3000), "P": 20, "rounds": 2,
        "aggregation": {"kind": "stale_gradients"}, **AVERAGING,
    },
    "updates": {
        "objective": cosine(300), "P": 5000, "R": 2, "rounds": 2,
        "aggregation": {"kind": "stale_gradients", "mean": 0.0}, **AVERAGING,
    },
    "kept slots": {
        "objective": cosine(500), "P": 2000, "rounds": 2, "optimizer": adam("kept"),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", MEASURED)
def test_an_estimate_is_true_to_a_factor_of_two(name, monkeypatch):
    asked, honest = [], memory_estimates._check_memory

    def check_room(numbers, what, advice):
        asked.append(8 * numbers)
        honest(numbers, what, advice)

    monkeypatch.setattr(memory_estimates, "_check_memory", check_room)
    parse_config(small())
    tracemalloc.start()
    try:
        config = parse_config(small(**MEASURED[name]))
        run_algorithms(Session(SerialComm()), config, quiet=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.5 < max(asked) / peak < 2


# How much there is.


@given(st.floats(0, 1e30))
def test_sizes_are_printed_to_three_digits(size):
    number, unit = format_bytes(size).split()
    assert float(number) * 1024 ** limits.UNITS.index(unit) == pytest.approx(size, rel=0.006)
    assert float(number) < 1025 or unit == "EiB"


def test_the_smallest_limit_is_named(monkeypatch):
    monkeypatch.setattr(limits, "read_group_limits", lambda: {"/job/memory.max": 300.0 * 2**20})
    with pytest.raises(KavgError, match=r"there are 300 MiB \(/job/memory.max\); take fewer"):
        parse_config(small(R=10**7))
    monkeypatch.setattr(memory_estimates, "count_local_ranks", lambda: 1000)
    with pytest.raises(KavgError, match=r"there are 307 KiB for each of 1000 ranks \(/job/"):
        parse_config(small(R=10**5))


def test_where_the_system_reports_no_memory_there_is_no_limit(monkeypatch):
    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(limits.os, "sysconf", unknown)
    monkeypatch.setattr(limits, "read_group_limits", dict)
    monkeypatch.setitem(sys.modules, "resource", None)
    assert memory_limit() == math.inf


LIMITED = """
import resource
from kavg.storage.limits import list_memory_limits
resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, resource.RLIM_INFINITY))
resource.setrlimit(resource.RLIMIT_DATA, (2 * 2**30, resource.RLIM_INFINITY))
print(*(each for each in list_memory_limits() if "ulimit" in each.source), sep=", ")
"""


def test_the_limits_of_the_shell_count():
    said = run_process([sys.executable, "-c", LIMITED]).stdout
    assert said == "2 GiB (ulimit -d), 3 GiB (ulimit -v)\n"


DESIGN = """
rounds = 2
[objective]
kind = "quadratic"
spectrum = [0.5, 1.0]
[oracle]
{oracle}
[[algorithm]]
P = 2
K = 2
gamma = 0.1
outer = {{ kind = "averaging" }}
"""


@pytest.mark.parametrize(
    ("oracle", "message"),
    [
        (
            'kind = "random_design"\nlabel_variance = 1.0\nB = 1_000_000_000_000',
            "oracle: is too large: batches of 1000000000000 examples .* reduce B",
        ),
        (
            'kind = "unlike_functions"\nfunction = { kind = "quadratic", spectrum = '
            "{ low = 0.1, high = 1.0, dim = 1_000_000_000_000 } }",
            "oracle: is too large: a spectrum of 1000000000000 eigenvalues .* reduce dim",
        ),
        (
            'kind = "unlike_functions"\nfunction = { kind = "cosine", dim = 3 }',
            "oracle: function must have the dimension of the objective, got 3 and 2",
        ),
        (
            'kind = "label_noise"\nlabel_variance = 1.0',
            "oracle: label_noise needs an objective with labels, got Quadratic",
        ),
    ],
)
def test_oracles_that_do_not_fit_are_refused_before_the_run(oracle, message):
    with pytest.raises(KavgError, match=message):
        parse_config(DESIGN.format(oracle=oracle))


def test_several_ranks_gather_what_learners_keep(monkeypatch):
    asked = []
    monkeypatch.setattr(memory_estimates, "_check_memory", lambda *said: asked.append(said[0]))
    for ranks, copies in ((1, 2.0), (4, 3.5)):
        monkeypatch.setattr(memory_estimates, "count_local_ranks", lambda ranks=ranks: ranks)
        asked.clear()
        parse_config(small(P=1000, R=3, objective=cosine(10**4), optimizer=adam("kept")))
        assert copies * 2 * 1000 * 3 * 10**4 in asked
