"""Tables of runs whose K changes: the K of each row, and a column for varied periods."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import kavg
from kavg.errors import KavgError
from kavg.periods import DispersionControl, PiecewisePeriod
from kavg.storage.tables.metrics import compare_metrics, write_metrics
from kavg.storage.tables.reader import load_results
from kavg.storage.tables.result_files import list_table_disagreements, write_result_table
from kavg.storage.tables.result_table import ResultTable
from kavg.storage.trajectories import write_trajectories

PROBLEM = kavg.Problem(kavg.objectives.Cosine(dim=2), kavg.oracles.Gaussian(1.0), start=1.0)
PERIODS = {"number": 4, "pieces": PiecewisePeriod((1, 4), (2,)), "control": DispersionControl(0.02)}


@pytest.fixture(scope="module")
def runs():
    return [
        kavg.simulate(
            PROBLEM, kavg.Algorithm(3, K, 0.1, kavg.outer.Averaging(), name=name), rounds=4,
            replicas=2,
        )
        for name, K in PERIODS.items()
    ]  # fmt: skip


def test_every_row_has_the_K_of_its_round(runs):
    table = ResultTable(runs)
    assert table["K"].dtype == np.int64
    assert table["K"][:20].tolist() == [4] * 10 + [1, 1, 1, 1, 1, 1, 4, 4, 4, 4]
    assert table["step"][10:20].tolist() == [0, 0, 1, 1, 2, 2, 6, 6, 10, 10]
    control = np.repeat(runs[2].Ks, 2)
    assert table["K"][20:].tolist() == control.tolist()


def test_metrics_have_the_same_rows(runs, tmp_path):
    path = tmp_path / "metrics.csv"
    write_metrics(path, runs)
    assert compare_metrics(path, runs) is None
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = ResultTable(runs)
    for name in ("K", "step", "round", "replica"):
        assert [int(row[name]) for row in rows] == table[name].tolist(), name
    assert [float(row["F"]) for row in rows] == table["F"].tolist()
    path.write_text(path.read_text().replace("pieces,averaging,3,1", "pieces,averaging,3,2", 1))
    assert compare_metrics(path, runs) == "differs from 'trajectory.npz' in line 12"


def test_a_run_of_many_K_is_not_chosen_by_one(runs):
    table = ResultTable(runs)
    assert [run.name for run in table.select(K=4).runs] == ["number"]
    with pytest.raises(KavgError, match="none of 2 runs has"):
        table.take([1, 2]).select(K=4)


def test_varied_periods_have_a_column_of_their_own(runs, tmp_path):
    settings = [{"K": 4}, {"K": '{ kind = "piecewise" }'}, {}]
    table = ResultTable(runs, settings, [0, 1, 2], {"K": "algorithm.*.K"})
    assert table["K"][:12].tolist() == [4] * 10 + [1, 1]
    assert [*dict.fromkeys(table["setting.K"].tolist())] == ["4", '{ kind = "piecewise" }', ""]
    (column,) = (each for each in table.schema if each.name == "setting.K")
    assert (column.type, column.meaning) == ("text", "the setting algorithm.*.K")
    assert table.select(**{"setting.K": 4}).runs == [runs[0]]
    write_trajectories(tmp_path / "trajectory.npz", runs)
    write_result_table(tmp_path, table)
    assert list(list_table_disagreements(tmp_path, load_results(tmp_path))) == []


def test_varied_numbers_stay_in_the_column_of_K(runs):
    table = ResultTable(runs[:1], [{"K": 4}], [0], {"K": "algorithm.*.K"})
    assert "setting.K" not in table
    assert table["K"].tolist() == [4] * 10
