"""Settings: what is right comes back unchanged, and a hash tells what differs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.raw_settings import method, settings_from_data, text, write_data
from helpers.strategies import SMALL, additive_noise, algorithms, outer_rules, step_sizes
from hypothesis import given
from hypothesis import strategies as st

import kavg
from kavg.config.config import Config, Record, hash_config
from kavg.config.settings_file import EXAMPLE, load_config, parse_config, to_toml
from kavg.objectives.data import Synthetic
from kavg.objectives.instances import small_settings
from kavg.oracles import MiniBatch, Partition, Shifted

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
    given_text = text(algorithm=method(more=f", name = {json.dumps(name, ensure_ascii=False)}"))
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
    config = parse_config(text(algorithm=method()[:-1] + "," + method()[1:]))
    assert [run.name for run in config.algorithms] == ["algorithm 1", "algorithm 2"]


def test_whole_numbers_will_do_for_numbers():
    config = parse_config(text(top="start = 2", algorithm=method(gamma="1")))
    assert (config.start, config.algorithms[0].gamma) == (2.0, 1.0)
    assert isinstance(config.start, float)


@given(step_sizes(), outer_rules())
def test_the_kinds_are_those_of_the_constructors(gamma, outer):
    method = kavg.Algorithm(2, 1, gamma, outer)
    config = a_config(kavg.objectives.Linear(1), kavg.oracles.Noiseless(), [method])
    back = parse_config(to_toml(config)).algorithms[0]
    assert type(back.outer) is type(outer)
    assert [back.step_size(n) for n in (1, 2, 5)] == [method.step_size(n) for n in (1, 2, 5)]


# The hash by which ranks know that they read the same.


def written(folder, content, name="my.toml"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


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
    path = written(tmp_path, settings_from_data("my.npz", more=held_out))
    write_data(tmp_path)
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
