"""Settings: what is right comes back unchanged, what is wrong is said all at once."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.strategies import SMALL, additive_noise, algorithms, outer_rules, step_sizes
from hypothesis import given
from hypothesis import strategies as st

import kavg
from kavg.config import synonyms
from kavg.config.config import Config, Record, hash_config
from kavg.config.settings_file import EXAMPLE, json_schema, load_config, parse_config, to_toml
from kavg.errors import KavgError
from kavg.objectives.data import Synthetic
from kavg.objectives.instances import small_settings
from kavg.oracles import MiniBatch, Partition, Shifted

TABLES = {
    "objective": '{ kind = "cosine", dim = 2 }',
    "oracle": '{ kind = "gaussian", sigma2 = 1.0 }',
    "algorithm": '[{ P = 4, K = 2, gamma = 0.1, outer = { kind = "averaging" } }]',
}


def text(rounds="5", top="", **tables):
    lines = [f"{key} = {tables.get(key, table)}" for key, table in TABLES.items()]
    return "\n".join([f"rounds = {rounds}", *lines, top])


def one(P="4", K="2", gamma="0.1", outer='{ kind = "averaging" }', more=""):
    return f"[{{ P = {P}, K = {K}, gamma = {gamma}, outer = {outer} {more} }}]"


def said(given_text, overrides=(), folder=None):
    """The faults of a file, line by line."""
    with pytest.raises(KavgError) as caught:
        parse_config(given_text, overrides, folder)
    return str(caught.value).split("\n")


def table(pairs):
    return "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"


# Right settings come back unchanged.

DATA = Synthetic("classification", examples=24, features=3)
FULL = {"data": DATA, "held_out": 0.25, "split_seed": 3, "use": 12, "standardise": True}
OBJECTIVES = [
    *(cls(**small_settings(cls)) for cls in kavg.objectives.KINDS.values()),
    kavg.objectives.Quadratic(kavg.objectives.LogSpectrum(0.1, 1.0, dim=3), rotation_seed=5),
    kavg.objectives.LogisticRegression(**FULL, alpha=0.1, positive=(1.0,)),
    kavg.objectives.Network(**FULL, hidden=3, l2=0.01),
    kavg.objectives.RobustRegression(**FULL, scale=2.0),
    kavg.objectives.Cosine(dim=3, lam=0.0, A=0.5, omega=2.0),
]


def a_config(objective, oracle, methods, **others):
    named = [replace(m, name=f"algorithm {i}") for i, m in enumerate(methods, start=1)]
    return Config(3, objective, oracle, tuple(named), **others)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: type(o).__name__)
def test_every_objective_comes_back(objective):
    method = kavg.Algorithm(2, 1, 0.1, kavg.outer.Averaging())
    config = a_config(objective, kavg.oracles.Noiseless(), [method], start=0.5)
    assert parse_config(to_toml(config)) == config


@given(
    oracle=st.one_of(
        additive_noise(),
        st.builds(Shifted, zeta2=SMALL, noise=st.just(kavg.oracles.Sphere(1.0)), seed=st.just(7)),
        st.builds(Shifted, zeta2=SMALL),
    ),
    methods=st.lists(algorithms(P=st.integers(2, 9)), min_size=1, max_size=3),
    start=st.one_of(
        st.floats(-5, 5),
        st.just((0.5, -1.0, 1e-300)),
        st.builds(kavg.starts.Normal, scale=SMALL, mean=st.floats(-1, 1)),
    ),
    seed=st.integers(0, 2**63 - 1),
    replicas=st.integers(1, 9),
    mean=st.sampled_from(["exact", "allreduce"]),
    every=st.integers(1, 50),
)
def test_any_config_comes_back(oracle, methods, start, seed, replicas, mean, every):
    others = {"seed": seed, "replicas": replicas, "mean": mean, "record": Record(every)}
    config = a_config(kavg.objectives.Cosine(3), oracle, methods, start=start, **others)
    assert parse_config(to_toml(config)) == config
    assert hash_config(parse_config(to_toml(config))) == hash_config(config)


@pytest.mark.parametrize("sampling", ["with_replacement", "without_replacement", "reshuffle"])
@pytest.mark.parametrize("partition", [None, Partition(), Partition(skew=0.5, seed=9)])
def test_mini_batches_come_back(sampling, partition):
    objective = kavg.objectives.LogisticRegression(DATA)
    method = kavg.Algorithm(3, 1, 0.1, kavg.outer.Averaging())
    config = a_config(objective, MiniBatch(4, sampling, partition), [method])
    assert parse_config(to_toml(config)) == config


@given(st.text().filter(lambda name: name.isprintable() and name.strip()))
def test_any_readable_name_survives(name):
    given_text = text(algorithm=one(more=f", name = {json.dumps(name, ensure_ascii=False)}"))
    config = parse_config(given_text.replace("\x7f", ""))
    assert [run.name for run in config.algorithms] == [name]
    assert parse_config(to_toml(config)) == config


def test_the_example_and_its_defaults():
    config = parse_config(EXAMPLE)
    assert config.problem.start == 2.0
    assert [run.name for run in config.algorithms] == ["K-AVG", "M-AVG"]
    assert (config.mean, config.record) == ("exact", Record(1))
    assert config.algorithms[1].outer == kavg.outer.BlockMomentum(0.5)


def test_nameless_algorithms_are_called_after_their_place():
    config = parse_config(text(algorithm=one()[:-1] + "," + one()[1:]))
    assert [run.name for run in config.algorithms] == ["algorithm 1", "algorithm 2"]


def test_whole_numbers_will_do_for_numbers():
    config = parse_config(text(top="start = 2", algorithm=one(gamma="1")))
    assert (config.start, config.algorithms[0].gamma) == (2.0, 1.0)
    assert isinstance(config.start, float)


# Each fault has its place, what was given and what is needed.

PW = '{ kind = "piecewise", gammas = [0.1, "a"], boundaries = [3.5] }'
QUADRATIC = '{{ kind = "quadratic", spectrum = {} }}'
LOGISTIC = '{{ kind = "logistic_regression", data = {} }}'
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
    "P": (text(algorithm=one(P="0")), "algorithm.0.P: P must be a whole number of at least 1"),
    "gamma": (text(algorithm=one(gamma="-1")), "algorithm.0.gamma: gamma must be a finite number"),
    "nan": (text(algorithm=one(gamma="nan")), "algorithm.0.gamma: needs a finite number, got nan"),
    "text": (
        text(algorithm=one(gamma="'0.1'")),
        "algorithm.0.gamma: needs a number or a table, got '0.1'",
    ),
    "mu": (
        text(algorithm=one(outer='{ kind = "nesterov", mu = 1 }')),
        "algorithm.0.outer.mu: mu must be a number of at least 0 and below 1, got mu=1.0; use 0",
    ),
    "schedule": (
        text(algorithm=one(gamma='{ kind = "warm_up", rounds = 0, then = { kind = "warm_up" } }')),
        "algorithm.0.gamma.rounds: rounds must be a whole number of at least 1, got rounds=0",
        "algorithm.0.gamma.then: there is no kind 'warm_up'; the kinds are: constant",
    ),
    "lists": (
        text(algorithm=one(gamma=PW)),
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
    "no kind": (text(oracle="{ sigma2 = 1.0 }"), "oracle: needs a kind, as in kind = '...'"),
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
        text(algorithm=one(more=', name = "a"')[:-1] + "," + one(more=', name = "a"')[1:]),
        "algorithm: algorithms must have different names, got 'a' twice",
    ),
    "a name to mislead a terminal": (
        text(algorithm=one(more=r', name = "a\u001b[31m"')),
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
        text(algorithm=one(outer='{ kind = "slowmo", mu = -1, alpha = -2 }')),
        "algorithm.0.outer.mu: mu must be a number of at least 0 and below 1, got mu=-1.0",
        "algorithm.0.outer.alpha: alpha must be a finite number above 0, got alpha=-2.0",
    ),
    "all of an objective": (
        text(objective=LOGISTIC.format('"digits", alpha = -1, held_out = 1, use = 0')),
        "objective.alpha: alpha must",
        "objective.held_out: held_out must",
        "objective.use: use must",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_said_at_its_place(name):
    given_text, *wanted = FAULTS[name]
    found = said(given_text)
    assert len(found) == len(wanted), found
    for line, beginning in zip(found, wanted, strict=True):
        assert line.startswith(beginning)


def test_an_empty_file_lacks_all_that_has_no_default():
    assert [line.split(" is missing; as in ")[0] for line in said("")] == [
        "rounds:",
        "objective:",
        "oracle:",
        "algorithm:",
    ]


def test_all_faults_of_all_tables_at_once():
    found = said(
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
        algorithm=one(P=P, K=K, gamma=repr(gamma), outer=outer),
    )
    wrong = {
        "rounds": rounds < 1, "objective.dim": dim < 1, "oracle.sigma2": sigma2 < 0,
        "oracle.B": B < 1, "algorithm.0.P": P < 1, "algorithm.0.K": K < 1, "lr": foreign,
        "algorithm.0.gamma": gamma <= 0, "algorithm.0.outer.mu": not 0 <= mu < 1,
    }  # fmt: skip
    expected = {place for place, is_wrong in wrong.items() if is_wrong}
    if expected:
        assert {line.split(": ")[0] for line in said(given_text)} == expected
    else:
        parse_config(given_text)


# The names that others use.

HERE = {
    "gamma": "algorithm.0", "K": "algorithm.0", "P": "algorithm.0", "outer": "algorithm.0",
    "mu": "algorithm.0.outer", "alpha": "algorithm.0.outer",
    "B": "oracle", "sigma2": "oracle", "nu": "oracle",
    "dim": "objective", "hidden": "objective",
    "every": "record",
}  # fmt: skip
FOREIGN = [
    (ours, name) for ours, names in synonyms.SYNONYMS.items() for name in names if ours != "kind"
]


def with_keys(place, key):
    """A file in which ``key`` stands at ``place``."""
    more = {place: f", {key} = 3"}
    outer = f'{{ kind = "slowmo", mu = 0.5 {more.get("algorithm.0.outer", "")} }}'
    data = '"digits", hidden' if key in synonyms.SYNONYMS["hidden"] else '"digits", dim'
    objective = f'{{ kind = "network", data = {data.split(",")[0]} {more.get("objective", "")} }}'
    if key in synonyms.SYNONYMS["dim"]:
        objective = f'{{ kind = "cosine" {more.get("objective", "")} }}'
    return text(
        top=f'{key} = 3' if place == "" else f"record.{key} = 3" if place == "record" else "",
        objective=objective,
        oracle=f'{{ kind = "student_t", sigma2 = 1.0 {more.get("oracle", "")} }}',
        algorithm=one(outer=outer, more=more.get("algorithm.0", "")),
    )  # fmt: skip


@pytest.mark.parametrize(("ours", "foreign"), FOREIGN)
def test_a_foreign_name_is_answered_with_ours_at_its_place(ours, foreign):
    place = HERE.get(ours, "")
    lines = said(with_keys(place, foreign))
    where = f"{place}.{foreign}".lstrip(".")
    assert f"{where}: there is no key {foreign!r} here; use {ours!r}" in lines


@pytest.mark.parametrize(("ours", "foreign"), [f for f in FOREIGN if f[0] in synonyms.PLACES])
def test_a_foreign_name_at_the_wrong_place_is_sent_home(ours, foreign):
    place = "oracle" if HERE.get(ours, "") != "oracle" else "algorithm.0"
    (line,) = [one for one in said(with_keys(place, foreign)) if f"{place}.{foreign}: " in one]
    assert line.endswith(f"here; use {ours!r} in {synonyms.PLACES[ours]}")


@pytest.mark.parametrize("foreign", synonyms.SYNONYMS["kind"])
def test_foreign_names_of_kind(foreign):
    assert said(text(oracle=f"{{ {foreign} = 'gaussian' }}")) == [
        f"oracle: there is no key {foreign!r} here; use 'kind'"
    ]


def test_the_names_users_bring_along_are_known():
    brought = ["lr", "period", "sync_every", "tau", "beta", "num_workers", "batch_size", "epochs"]
    ours = ["gamma", "K", "K", "K", "mu", "P", "B", "rounds"]
    assert [synonyms.canonical_name(name) for name in brought] == ours


@pytest.mark.parametrize("spelling", ["LR", "Learning-Rate", "learning_rate"])
def test_the_spelling_does_not_matter(spelling):
    (line,) = said(text(algorithm=one(more=f", {spelling} = 1.0")))
    assert line == f"algorithm.0.{spelling}: there is no key {spelling!r} here; use 'gamma'"


def test_no_foreign_name_means_two_things_or_is_ours_at_that_place():
    names = [name for _, name in FOREIGN]
    assert len(set(names)) == len(names)


def test_our_own_names_at_the_wrong_place_are_sent_home():
    (line,) = said(text(top="K = 3"))
    assert line == "K: there is no key 'K' here; it belongs to [[algorithm]]"


# --set.


@pytest.mark.parametrize(
    ("override", "place", "value"),
    [
        ("rounds=7", lambda c: c.rounds, 7),
        (" rounds = 7 ", lambda c: c.rounds, 7),
        ("rounds=1_000 # many", lambda c: c.rounds, 1000),
        ("mean=allreduce", lambda c: c.mean, "allreduce"),
        ("mean='allreduce'", lambda c: c.mean, "allreduce"),
        ("start=[1.0, 2.0]", lambda c: c.start, (1.0, 2.0)),
        ("start.kind=normal", lambda c: c.start, kavg.starts.Normal()),
        ("record.every=5", lambda c: c.record.every, 5),
        ("objective={kind='linear', dim=2}", lambda c: c.objective, kavg.objectives.Linear(2)),
        ("objective.kind=saturating", lambda c: c.objective, kavg.objectives.Saturating(2)),
        ("algorithm.1.K=9", lambda c: [a.K for a in c.algorithms], [2, 9]),
        ("algorithm.*.K=9", lambda c: [a.K for a in c.algorithms], [9, 9]),
        ("algorithm.M-AVG.K=9", lambda c: [a.K for a in c.algorithms], [2, 9]),
        ("algorithm.*.outer.mu=0.25", lambda c: c.algorithms[1].outer.mu, 0.25),
        ("algorithm.0.name=a=b", lambda c: c.algorithms[0].name, "a=b"),
    ],
)
def test_set(override, place, value):
    momentum = '{ kind = "block_momentum", mu = 0.5 }'
    runs = [one(outer=momentum, more=f', name = "{name}"')[1:-1] for name in ("K-AVG", "M-AVG")]
    assert place(parse_config(text(algorithm=f"[{', '.join(runs)}]"), [override])) == value


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("rounds", "--set rounds: needs place=value, got 'rounds'; as in --set rounds=100"),
        (
            "rounds=0x" + "f" * 5000,
            f"--set rounds=0x{'f' * 48}...: this has a whole number of more",
        ),
        ("=3", "--set =3: needs place=value, got '=3'"),
        ("rounds=", "rounds: needs a whole number, got ''"),
        ("rounds=[1,", "rounds: needs a whole number, got '[1,'"),
        ("rounds=3\nseed=4", r"rounds: needs a whole number, got '3\nseed=4'"),
        ("rounds=" + "9" * 5000, "rounds: needs a whole number, got '9999"),
        ("rounds.x=3", "--set rounds.x=3: there is no place 'x' inside 5"),
        ("algorithm.2.K=3", "--set algorithm.2.K=3: there is no entry '2'; use a number below 1"),
        ("algorithm.-1.K=3", "--set algorithm.-1.K=3: there is no entry '-1'"),
        ("algorithm.²=3", "--set algorithm.²=3: there is no entry '²'"),
        ("algorithm.L.K=3", "--set algorithm.L.K=3: there is no entry 'L'; use a number below 1, "),
        ("algorithm.0.lr=3", "algorithm.0.lr: there is no key 'lr' here; use 'gamma'"),
        ("x.y.z=3", "x: there is no key 'x' here"),
        ("oracle..B=3", "oracle.'': there is no key '' here"),
    ],
)
def test_set_says_what_it_cannot_do(override, words):
    (line,) = said(text(), [override])
    assert line.startswith(words)


def test_faults_of_set_come_with_those_of_the_file_and_the_last_one_counts():
    assert len(said(text("0"), ["bad", "algorithm.7.K=1", "lr=2"])) == 4
    assert parse_config(text(), ["rounds=3", "rounds=4"]).rounds == 4


# Files.


def written(folder, content, name="my.toml"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def said_of(path):
    with pytest.raises(KavgError) as caught:
        load_config(path)
    return str(caught.value)


def test_the_file_is_named_and_its_faults_counted(tmp_path):
    path = written(tmp_path, text("0", "lr = 1"))
    assert said_of(path).split("\n")[0] == f"{path}: 2 errors"
    assert said_of(written(tmp_path, text("0"))).startswith(f"{path}: 1 error\n  rounds: ")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_of_other_systems(tmp_path, line_end, mark):
    path = written(tmp_path, mark + text().replace("\n", line_end))
    assert load_config(path) == parse_config(text())


def test_what_is_no_settings_file(tmp_path):
    missing = tmp_path / "missing.toml"
    assert (
        said_of(missing) == f"cannot read the settings {str(missing)!r}: No such file or directory"
    )
    assert said_of(tmp_path).endswith("Is a directory")
    assert said_of(tmp_path / ("x" * 300)).endswith("File name too long")
    assert said_of(written(tmp_path, b"rounds = '\xff'")).endswith("it is not UTF-8 text")
    assert "this is not TOML: " in said_of(written(tmp_path, "rounds = "))
    assert "this is not TOML: " in said_of(written(tmp_path, "rounds = 1\nrounds = 2"))
    assert "this is not TOML: " in said_of(written(tmp_path, b"\x00\x01"))
    assert "this is not TOML: " in said_of(written(tmp_path, "rounds = " + "[" * 5000))
    assert "this is not TOML: " in said_of(written(tmp_path, "rounds = " + "9" * 5000))
    assert "4 errors" in said_of(written(tmp_path, ""))


def data_file(folder, name="my.npz", shift=0.0):
    features = np.arange(24.0).reshape(12, 2)
    features[5] += shift
    np.savez(folder / name, features=features, labels=np.arange(12) % 2)


def from_data(source, oracle='{ kind = "minibatch", B = 2 }', P="4", more=""):
    objective = LOGISTIC.format(f"{json.dumps(str(source))}{more}")
    return text(objective=objective, oracle=oracle, algorithm=one(P=P))


def test_data_are_looked_up_beside_the_settings(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "elsewhere").mkdir()
    data_file(tmp_path)
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = written(tmp_path / "sub", from_data("../my.npz"))
    config = load_config(path)
    assert config.objective.data == str(tmp_path / "my.npz")
    assert parse_config(to_toml(config)) == config
    absolute = written(tmp_path / "sub", from_data(tmp_path / "my.npz"))
    assert load_config(absolute) == config


def test_a_missing_data_file_is_a_fault_of_the_settings(tmp_path):
    words = said_of(written(tmp_path, from_data("gone.npz")))
    assert f"objective: {tmp_path / 'gone.npz'}: no such file" in words


# Faults that show when parts meet.


@pytest.mark.parametrize(
    ("given_text", "beginning"),
    [
        (text(oracle='{ kind = "minibatch", B = 2 }'), "oracle: mini-batches need an objective"),
        (text(top="start = [1.0, 2.0, 3.0]"), "start: start must be one finite number or 2 of"),
        (text(top="start = []"), "start: start must be one finite number or 2 of them"),
        (text(top="start = 1e200"), "start: F or its gradient is not finite there, F=inf"),
        (
            text(oracle='{ kind = "shifted", zeta2 = 1.0 }', algorithm=one(P="1")),
            "oracle: one learner cannot differ from the mean of all, got P=1 and zeta2=1.0",
        ),
        (
            from_data("my.npz", '{ kind = "minibatch", B = 2, partition = {} }', P="5"),
            "oracle: 12 examples cannot be dealt evenly to P=5 learners; use=10 in the objective",
        ),
        (
            from_data("my.npz", '{ kind = "minibatch", B = 13, sampling = "reshuffle" }'),
            "oracle: 13 distinct examples cannot be drawn from 12",
        ),
        (
            from_data("my.npz", more=", positive = [7.0]"),
            "objective: logistic regression needs two",
        ),
        (from_data("my.npz", more=", use = 13"), "objective: use=13 examples were asked for"),
        (text(objective='{ kind = "linear", dim = 9e1 }'), "objective.dim: needs a whole number"),
        (
            text(objective='{ kind = "linear", dim = 4611686018427387904 }'),
            "objective: is too large: ",
        ),
        (from_data("my.npz", '{ kind = "minibatch", B = 99999999999999 }'), "oracle: is too large"),
    ],
)
def test_parts_that_do_not_fit(tmp_path, given_text, beginning):
    data_file(tmp_path)
    (line,) = said(given_text, folder=tmp_path)
    assert line.startswith(beginning)


def test_parts_that_do_not_fit_are_said_together():
    oracle = '{ kind = "minibatch", B = 2 }'
    found = said(text(oracle=oracle, top="start = [1.0]", algorithm=one()[:-1] + "," + one()[1:]))
    assert [line.split(":")[0] for line in found] == ["start", "oracle"]


# The hash_config, by which ranks know that they read the same.

CHANGES = [
    "rounds=6", "seed=1", "replicas=2", "mean=allreduce", "start=0.5", "record.every=2",
    "objective.lam=2.0", "objective.dim=3", "oracle.sigma2=2.0", "oracle.B=2", "algorithm.0.P=5",
    "algorithm.0.K=3", "algorithm.0.gamma=0.2", "algorithm.0.name=x",
    "algorithm.0.outer={kind='block_momentum', mu=0.0}",
]  # fmt: skip


def test_the_fingerprint_changes_with_any_setting():
    prints = [hash_config(parse_config(text(), [change])) for change in CHANGES]
    assert len({hash_config(parse_config(text())), *prints}) == len(CHANGES) + 1
    assert hash_config(parse_config(text())) == hash_config(
        parse_config(text(top="seed = 0 # as by default"))
    )


@pytest.mark.parametrize("held_out", ["", ", held_out = 0.25", ", use = 5"])
def test_the_fingerprint_changes_with_the_data(tmp_path, held_out):
    path = written(tmp_path, from_data("my.npz", more=held_out))
    data_file(tmp_path)
    before = [hash_config(load_config(path)) for _ in range(2)]
    assert before[0] == before[1]
    changed = []
    for example in range(12):
        features = np.arange(24.0).reshape(12, 2)
        features[example] += 2.0**-40
        np.savez(tmp_path / "my.npz", features=features, labels=np.arange(12) % 2)
        changed.append(hash_config(load_config(path)))
    # Examples that neither train nor test may differ.
    assert len({*changed, before[0]}) == (6 if "use" in held_out else 13)


# The json_schema, for editors.


def parts(node):
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from parts(part)


def test_the_schema_knows_every_key_and_kind():
    whole = json.loads(json.dumps(json_schema(), allow_nan=False))
    definitions = whole["$defs"]
    nodes = list(parts(whole))
    for node in nodes:
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/$defs/") in definitions
        for target in node.get("discriminator", {}).get("mapping", {}).values():
            assert target.removeprefix("#/$defs/") in definitions
    kinds = {n["const"] for n in nodes if "const" in n}
    for family in (kavg.objectives, kavg.oracles, kavg.outer, kavg.schedules, kavg.starts):
        assert kinds >= set(family.KINDS)


def test_the_schema_fits_the_example():
    whole = json_schema()
    top = whole["$ref"].rsplit("/", 1)[1] if "$ref" in whole else None
    config = whole["$defs"][top] if top else whole
    data = json.loads(json.dumps(_toml(EXAMPLE)))
    assert set(config["required"]) == {"rounds", "objective", "oracle", "algorithm"}
    assert set(data) <= set(config["properties"])
    assert config["additionalProperties"] is False
    for run in data["algorithm"]:
        assert set(run) <= set(whole["$defs"]["Algorithm"]["properties"])
        assert set(whole["$defs"]["Algorithm"]["required"]) <= set(run)


def _toml(given_text):
    import tomllib

    return tomllib.loads(given_text)


@given(step_sizes(), outer_rules())
def test_the_kinds_are_those_of_the_constructors(gamma, outer):
    method = kavg.Algorithm(2, 1, gamma, outer)
    config = a_config(kavg.objectives.Linear(1), kavg.oracles.Noiseless(), [method])
    back = parse_config(to_toml(config)).algorithms[0]
    assert type(back.outer) is type(outer)
    assert [back.step_size(n) for n in (1, 2, 5)] == [method.step_size(n) for n in (1, 2, 5)]
