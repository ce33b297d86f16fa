"""``record.measures`` in settings: run, resumed, repeated, swept, and beside exact means."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.same import same_bits
from helpers.settings import k_avg, m_avg, settings_text, write_settings

import kavg
from kavg import measures
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.cli import execution
from kavg.config import parse_config
from kavg.config.settings_file import load_config, to_toml
from kavg.config.sizes import memory_estimates
from kavg.storage.limits import MemoryLimit

NAMES = ["alignment", "sharpness", {"kind": "spread", "directions": [0, 4]}, "distance"]
ELASTIC = k_avg(name="EASGD", aggregation={"kind": "elastic", "alpha": 0.2})
SERIES = {
    "F", "grad_norm2", "dispersion", "displacement_norm2", "lag_product", "move_product",
    "lag_correlation", "aligned_gain", "sharpness", "spread_0", "spread_4", "distance2",
}  # fmt: skip


@pytest.fixture(autouse=True)
def here(empty, no_figures):
    """An empty folder with one settings file; no launcher, no figures."""
    write_settings(empty / "my.toml", record={"every": 3, "measures": NAMES})
    return empty


def test_settings_run_as_python_does(run):
    config, (first, second) = load_config("my.toml"), kavg.load_trajectories(run("a"))
    assert set(first.series) == SERIES
    for algorithm, found in zip(config.algorithms, (first, second), strict=True):
        record = ["alignment", "sharpness", measures.Spread(directions=(0, 4)), "distance"]
        options = {"rounds": 8, "replicas": 3, "seed": 1, "every": 3, "record": record}
        assert same_bits(found, kavg.simulate(config.problem, algorithm, **options))


def test_names_are_written_out_with_their_defaults(run):
    text = (run("a") / "config.toml").read_text()
    assert "tolerance = 0.0001" in text
    assert load_config("a/config.toml").record == load_config("my.toml").record
    assert parse_config(to_toml(load_config("my.toml"))).record == load_config("my.toml").record


def test_columns_have_a_unit_and_a_meaning(run):
    table = kavg.load_results(run("a"))
    schema = {column.name: column for column in table.schema}
    for name in SERIES - {"F"}:
        assert schema[name].unit, name
        assert "recorded series" not in schema[name].meaning, name
    assert schema["spread_4"].meaning == "dispersion of the learners along a direction"


def test_a_run_that_was_stopped_is_resumed(call, run, monkeypatch):
    whole = kavg.load_trajectories(run("whole"))
    add = execution.Run.add

    def stop(self, now):
        if now.n == 5 and self.algorithm.name == "M-AVG":
            raise KeyboardInterrupt
        add(self, now)

    with monkeypatch.context() as patched:
        patched.setattr(execution.Run, "add", stop)
        assert call("run", "my.toml", "-q", "--out", "b", "--set", "checkpoint.every=2")[0] != 0
    assert call("resume", "b", "-q")[0] == 0
    for one, other in zip(whole, kavg.load_trajectories("b"), strict=True):
        assert same_bits(one, other)


@pytest.mark.parametrize("words", [(), ("--sample", "3", "--seed", "2")])
def test_a_run_is_verified(call, run, words):
    code, out, err = call("verify", run("a"), "-q", *words)
    assert code == 0, out + err


def test_a_value_that_was_changed_is_found(call, run, monkeypatch):
    run("a")
    monkeypatch.setattr(measures.alignment.PlannedAlignment, "update", lambda *_: None)
    assert call("verify", "a", "-q")[0] == 1


def test_a_sweep_records_measures_and_has_targets_of_them(call, here):
    write_settings(
        here / "sweep.toml",
        record={"measures": ["distance", "alignment"]},
        algorithm=[m_avg()],
        sweep={
            "grid": {"algorithm.*.gamma": [0.05, 0.1]},
            "target": {"quantity": "distance2", "fraction": 0.9},
        },
    )
    code, out, err = call("sweep", "sweep.toml", "-q", "--out", "s")
    assert code == 0, out + err
    table = kavg.load_results("s")
    config = load_config("my.toml")
    alone = kavg.simulate(
        config.problem, config.algorithms[1], rounds=8, replicas=3, seed=1,
        record=["distance", "alignment"],
    )  # fmt: skip
    found = table.select(point=0)["lag_product"].reshape(9, 3)
    np.testing.assert_array_equal(found, alone.lag_product)


def test_exact_means_stand_beside_measured_ones(call, here):
    write_settings(
        here / "bowl.toml",
        objective={"kind": "quadratic", "spectrum": [0.5, 1.0]},
        replicas=400,
        record={"measures": ["alignment", "distance", "effective_step", "spread"]},
    )
    code, out, err = call("exact", "bowl.toml", "-q", "--out", "e")
    assert code == 0, err
    config = load_config("bowl.toml")
    wanted = config.record.round_measures
    exact = exact_trajectory(config.problem, config.algorithms[0], 8, measures=wanted)
    rows = [line.split() for line in out.splitlines() if line.startswith("  lag product")]
    assert float(rows[0][2]) == pytest.approx(exact.measured["lag_product"][-1], rel=1e-5)
    assert "aligned gain" not in out  # a ratio has no exact mean


def test_consensus_of_methods_side_by_side(call, here):
    write_settings(
        here / "both.toml", record={"measures": ["consensus"]}, algorithm=[k_avg(), ELASTIC]
    )
    assert call("run", "both.toml", "-q", "--out", "c")[0] == 0
    averaged, elastic = kavg.load_trajectories("c")
    np.testing.assert_array_equal(averaged.consensus2, 0.0)
    assert (elastic.consensus2[1:] > 0).all()


WRONG = {
    "a name": (["sharpnes"], "record: there is no measure 'sharpnes'; use alignment, "),
    "a text": ("sharpness", "record.measures: needs a list"),
    "a number": ([3], "record.measures.0: needs a table or a text"),
    "a direction": ([{"kind": "spread", "directions": [5]}], "record: directions of the spread"),
    "both": ([{"kind": "spread", "directions": [0], "vector": [1.0]}], "directions or a vector"),
    "twice": (["distance", "distance"], "the name 'distance2' in record is taken"),
    "a key": ([{"kind": "sharpness", "tol": 0.1}], "tolerance"),
}


@pytest.mark.parametrize(("given", "said"), WRONG.values(), ids=WRONG)
def test_measures_that_cannot_be_recorded(call, here, given, said):
    write_settings(here / "bad.toml", record={"measures": given})
    code, _, err = call("run", "bad.toml", "-q")
    assert code == 2
    assert said in " ".join(err.split())


def test_memory_that_no_machine_has_is_refused(call, here, monkeypatch):
    few = [MemoryLimit(5e6, "a test")]
    monkeypatch.setattr(memory_estimates, "list_memory_limits", lambda ranks: few)
    averages = [{"kind": "ema", "name": f"{i}"} for i in range(60)]
    bowl = {"kind": "cosine", "dim": 2000}
    write_settings(here / "big.toml", rounds=2, objective=bowl, record={"measures": averages})
    code, _, err = call("run", "big.toml", "-q")
    assert code == 2
    assert "rounds of 3 replicas with measures would take about" in " ".join(err.split())


def test_the_list_has_a_section(call):
    code, out, _ = call("list", "measures")
    assert code == 0
    for kind in measures.KINDS:
        assert f"  {kind}(" in out


def test_settings_text_without_measures_records_what_it_did():
    config = parse_config(settings_text())
    assert config.record.measures == ()
