"""Data as people have them: sensible results without a word about scales and intercepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kavg
from kavg.errors import KavgError
from kavg.objectives import LogisticRegression, Network, RobustRegression
from kavg.objectives.data import Data, DataFile, Preparation, Synthetic, prepare_data
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk


def accuracy(objective: EmpiricalRisk, rounds: int = 60, gamma: float = 0.1) -> float:
    """Accuracy on held-out examples after a short run with momentum."""
    problem = kavg.Problem(objective, kavg.oracles.MiniBatch(8), kavg.starts.Normal(0.1))
    method = kavg.Algorithm(4, 4, gamma, kavg.outer.BlockMomentum(0.5))
    run = kavg.simulate(problem, method, rounds=rounds, replicas=3, seed=1)
    return float(run.series["held_out_accuracy"][-1].mean())


@pytest.mark.parametrize(
    ("objective", "least"),
    [
        (Network("iris", held_out=0.3, hidden=8), 0.9),
        (Network("wine", held_out=0.3, hidden=8), 0.93),
        (Network("breast_cancer", held_out=0.3, hidden=8), 0.93),
        (LogisticRegression("breast_cancer", held_out=0.3), 0.94),
        (LogisticRegression("iris", positive=(0,), held_out=0.3), 0.99),
        (LogisticRegression("wine", positive=(0,), held_out=0.3), 0.95),
    ],
    ids=lambda each: getattr(each, "kind", None),
)
def test_bundled_data_are_learned_as_they_come(objective: EmpiricalRisk, least: float) -> None:
    pytest.importorskip("sklearn")
    assert accuracy(objective) >= least


def test_standardising_keeps_a_column_of_ones() -> None:
    # Standardised to zeros it was no intercept any more: iris fell from 0.973 to 0.827.
    x = np.linspace(3.0, 5.0, 40)
    data = Data(np.stack([np.ones(40), x], axis=1), x > 3.5)
    F = LogisticRegression(data, standardise=True, held_out=0.25)
    assert (F.split.train.features[:, 0] == 1).all()
    assert F.split.held_out is not None
    assert (F.split.held_out.features[:, 0] == 1).all()
    assert accuracy(F, rounds=200) == 1.0


def split_of(source: Any, **choices: Any) -> Any:
    return prepare_data(source, Preparation(**({"intercept": None} | choices)))


def written(tmp_path: Path, factor: float, ones: str = "") -> str:
    rows = [f"{ones}{i % 5},{factor * (i % 7)},{i % 2}\n" for i in range(20)]
    (tmp_path / "a.csv").write_text("".join(rows))
    return str(tmp_path / "a.csv")


def test_files_are_standardised_if_scales_differ_by_more_than_100(tmp_path: Path) -> None:
    for factor, expected in ((60.0, False), (70.0, True)):  # 6 factor / 4 is 90 and 105
        report = split_of(written(tmp_path, factor)).report
        assert report.is_standardised is expected
        assert ("standardised" in report.line) is expected
    assert not split_of(written(tmp_path, 1e6), standardise=False).report.is_standardised
    assert split_of(written(tmp_path, 1.0), standardise=True).report.is_standardised


def test_files_get_an_intercept_unless_they_have_one(tmp_path: Path) -> None:
    with_intercept = split_of(written(tmp_path, 1.0))
    assert with_intercept.report.has_intercept
    assert (with_intercept.train.features[:, -1] == 1).all()
    assert with_intercept.train.features.shape[1] == 3
    assert not split_of(written(tmp_path, 1.0), intercept=False).report.has_intercept
    assert not split_of(written(tmp_path, 1.0, ones="1,")).report.has_intercept
    assert split_of(written(tmp_path, 1.0, ones="0,")).report.has_intercept


@pytest.mark.parametrize("source", [Synthetic("classification", examples=3, features=40),
                                    Data([[1.0, 1e6], [2.0, 5e6]], [0, 1])])  # fmt: skip
def test_arrays_and_synthetic_data_are_taken_as_they_are(source: Data | Synthetic) -> None:
    report = split_of(source).report
    assert not report.is_standardised
    assert not report.has_intercept
    given = source.draw() if isinstance(source, Synthetic) else source
    assert np.array_equal(np.sort(split_of(source).train.features, 0), np.sort(given.features, 0))


def test_an_intercept_is_the_last_coordinate() -> None:
    data = Data([[2.0], [3.0], [5.0]], [1.0, 0.0, 1.0])
    for cls in (LogisticRegression, RobustRegression):
        plain, more = cls(data), cls(data, intercept=True)
        assert (plain.dim, more.dim) == (1, 2)
        ones = cls(Data([[2.0, 1.0], [3.0, 1.0], [5.0, 1.0]], data.labels))
        w = np.array([0.3, -0.7])
        assert np.array_equal(more.value(w), ones.value(w))
        assert more.L == ones.L


def test_classes_can_be_positive_by_name() -> None:
    data = Data([[1.0], [2.0], [3.0]], ["setosa", "virginica", "versicolor"])
    by_name = LogisticRegression(data, positive=("virginica",))
    by_number = LogisticRegression(data, positive=(2,))
    assert by_name.value(np.ones(1)) == by_number.value(np.ones(1))
    with pytest.raises(KavgError, match="names the class 'rose'; the classes are 'setosa', 've"):
        LogisticRegression(data, positive=("rose",)).value(np.ones(1))
    with pytest.raises(KavgError, match=r"found 3 values .setosa = 0, versicolor = 1, virginica"):
        LogisticRegression(data).value(np.ones(1))


def test_targets_of_a_regression_are_no_classes() -> None:
    x = np.arange(60.0)[:, None]
    with pytest.raises(KavgError, match="found 60 values from 0 to 59 for 60 examples; for real"):
        Network(Data(x, np.arange(60))).dim  # noqa: B018 - asking is the test
    with pytest.raises(KavgError, match="for real targets use robust regression"):
        Network(Data(x, np.arange(60) / 4)).dim  # noqa: B018
    with pytest.raises(KavgError, match="robust regression for real targets"):
        LogisticRegression(Data(x, np.arange(60) / 4)).value(np.ones(1))
    with pytest.raises(KavgError, match="needs numbers as labels, found the classes a = 0, b = 1"):
        RobustRegression(Data(x, ["a", "b"] * 30)).value(np.ones(1))
    assert Network(Data(x, np.arange(60) % 30), hidden=2).dim == 2 + 2 + 60 + 30


def test_a_data_file_is_a_source(tmp_path: Path) -> None:
    path = written(tmp_path, 1.0)
    F = LogisticRegression(DataFile(path, label=0, ignore=(1,)), positive=(0, 1), intercept=False)
    assert F.dim == 1
    assert set(F.labels) == {0.0, 1.0, 2.0, 3.0, 4.0}
