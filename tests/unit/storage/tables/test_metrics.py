"""``metrics.csv``: settings and series of each run, and tables that older versions wrote."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
from helpers.strategies import trajectories
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.storage.tables.metrics import compare_metrics, write_metrics
from kavg.trajectory import Trajectory


def a_run(name="K-AVG", **changes):
    series = {"F": np.arange(6.0).reshape(3, 2) / 7, "grad_norm2": np.ones((3, 2))}
    run = Trajectory(
        name, 4, 3, 2, np.array([0, 2, 5]), series, np.ones((2, 2)), np.empty(0), np.zeros(3),
        gammas=np.array([np.nan, 0.25, 0.1]), outer={"kind": "averaging"},
    )  # fmt: skip
    return replace(run, **changes)


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [*csv.reader(file)]


def test_there_is_a_line_for_each_round_and_replica_with_the_settings_of_its_run(tmp_path):
    rule = {"kind": "slowmo", "mu": 0.5, "alpha": 1.0}
    series = {"F": np.full((3, 2), -0.0), "z": np.ones((3, 2))}
    other = a_run('M, "AVG"\n', series=series, outer=rule)
    write_metrics(tmp_path / "metrics.csv", [a_run(), other])
    first, *lines = read(tmp_path / "metrics.csv")
    assert first == [
        "algorithm", "rule", "P", "K", "B", "mu", "replica", "gamma", "round", "step",
        "gradients", "communications", "seconds", "F", "grad_norm2", "z",
    ]  # fmt: skip
    assert len(lines) == 2 * 3 * 2
    assert lines[0][:9] == ["K-AVG", "averaging", "4", "3", "2", "", "0", "", "0"]
    assert lines[3] == [
        "K-AVG", "averaging", "4", "3", "2", "", "1", "0.25", "2", "6", "48", "2", "0.0",
        repr(3 / 7), "1.0", "",
    ]  # fmt: skip
    assert lines[11][:8] == [other.name, "slowmo", "4", "3", "2", "0.5", "1", "0.1"]
    assert lines[11][13:] == ["-0.0", "", "1.0"]


@settings(max_examples=50)
@given(st.lists(trajectories(), min_size=1, max_size=3))
def test_every_bit_is_kept_and_compared(tmp_path_factory, runs):
    path = tmp_path_factory.getbasetemp() / "metrics.csv"
    write_metrics(path, runs)
    assert compare_metrics(path, runs) is None
    header, *rows = read(path)
    column = header.index("F") if "F" in header else None
    values = [run.series.get("F", np.full((len(run.rounds), run.replicas), np.nan)) for run in runs]
    if column is not None:
        found = [float(row[column] or "nan") for row in rows]
        np.testing.assert_array_equal(found, np.concatenate([x.ravel() for x in values]))
    assert [row[header.index("mu")] for row in rows if row[1] == "slowmo"] == ["0.5"] * sum(
        len(run.rounds) * run.replicas for run in runs if run.outer.get("kind") == "slowmo"
    )


def old_table(runs):
    """What kavg wrote before a table had the settings of the algorithms."""
    names = list(dict.fromkeys(name for run in runs for name in run.series))
    yield [
        "algorithm",
        "replica",
        "round",
        "step",
        "gradients",
        "communications",
        "seconds",
        *names,
    ]
    for run in runs:
        for i, n in enumerate(run.rounds.tolist()):
            for r in range(run.replicas):
                values = [run.series[x][i, r].item() if x in run.series else "" for x in names]
                counts = [n, n * run.K, n * run.K * run.P * run.B, n]
                yield [run.name, r, *counts, run.seconds[i].round(6).item(), *values]


def with_plain_series(run):
    # K did not change in those versions.
    none = np.empty(0, np.int64)
    run = replace(run, Ks=none, counted=none)
    plain = {name: values for name, values in run.series.items() if name.isalpha()}
    return replace(run, series={"F": np.full((len(run.rounds), run.replicas), run.w[0, 0])} | plain)


@settings(max_examples=50)
@given(st.lists(trajectories(st.just('K, "AVG"')), min_size=1, max_size=3), st.data())
def test_tables_of_older_versions_are_compared_with_what_those_wrote(tmp_path_factory, runs, data):
    runs = [with_plain_series(run) for run in runs]
    path = tmp_path_factory.getbasetemp() / "old.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(old_table(runs))
    assert compare_metrics(path, runs) is None
    text = path.read_text()
    place = data.draw(st.integers(text.index("\n") + 1, len(text) - 1))
    path.write_text(f"{text[:place]}x{text[place + 1 :]}")
    line = text[:place].count("\n") + 1
    assert compare_metrics(path, runs) == f"differs from 'trajectory.npz' in line {line}"


def test_a_line_more_is_found_in_either_form(tmp_path):
    path = tmp_path / "metrics.csv"
    write_metrics(path, [a_run()])
    new = path.read_text()
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(old_table([a_run()]))
    for text in (new, path.read_text()):
        path.write_text(f"{text}\n")
        assert compare_metrics(path, [a_run()]) == "has more lines than 'trajectory.npz'"
