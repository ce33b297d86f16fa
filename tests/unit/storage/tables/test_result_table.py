"""Tables of results: the same numbers in text, in Parquet and as arrays, whatever names are."""

from __future__ import annotations

import csv
import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers.experiment import experiment
from helpers.strategies import trajectories
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kavg
from kavg.errors import KavgError, NewerFormat
from kavg.storage.tables.columns import find_type, rename_taken, to_array, to_setting
from kavg.storage.tables.result_files import list_table_disagreements, write_result_table
from kavg.storage.tables.result_table import ResultTable
from kavg.storage.trajectories import write_trajectories

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
HOSTILE = TEXT | st.sampled_from(
    ["=cmd()", "'", "a,b", '"', "\r\n", "\t", "mu", "K", "gamma", "round", "replica", "F", "point",
     "series.F", "objective.omega", "setting.round", ""]
)  # fmt: skip
VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    HOSTILE,
    st.just(-0.0),
    st.just([1, {"a": 2.5}]),
)


@st.composite
def tables(draw):
    """Runs with any names and numbers, and settings of any names and values, some left out."""
    runs = draw(st.lists(trajectories(HOSTILE), max_size=3))
    names = draw(st.lists(HOSTILE, max_size=4, unique=True))
    any_settings = st.dictionaries(st.sampled_from(names), VALUES) if names else st.just({})
    settings = [draw(any_settings) for _ in runs]
    points = draw(st.sampled_from([(), range(7, 7 + len(runs))]))
    return ResultTable(runs, settings, points, dict.fromkeys(names, "objective.place"))


def write(folder, table, form="csv"):
    folder.mkdir(exist_ok=True)
    write_trajectories(folder / "trajectory.npz", table.runs)
    write_result_table(folder, table, form)
    return folder


def same(a, b):
    """Equal to the last bit; of a NaN not its payload, which text does not hold."""
    if a.dtype == object or b.dtype == object:
        return a.dtype == b.dtype and a.tolist() == b.tolist()
    plain = [np.where(np.isnan(x), np.nan, x) if x.dtype.kind == "f" else x for x in (a, b)]
    return a.dtype == b.dtype and plain[0].tobytes() == plain[1].tobytes()


def read_cells(folder):
    """The table as any program may read it: text by ``csv``, types by the schema."""
    schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    with (folder / "points.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert [cell.removeprefix("'") for cell in header] == [x["name"] for x in schema["columns"]]
    columns = zip(*rows, strict=True) if rows else [[] for _ in header]
    return {
        column["name"]: to_cells(cells, column["type"])
        for column, cells in zip(schema["columns"], columns, strict=True)
    }


def to_cells(cells, kind):
    if kind == "text":
        return np.array([cell.removeprefix("'") for cell in cells], object)
    if kind == "boolean":
        return np.array([{"true": True, "false": False}[cell] for cell in cells], bool)
    if kind == "integer":
        return np.array([int(cell) for cell in cells], np.int64)
    return np.array([math.nan if cell == "" else float(cell) for cell in cells])


# The same numbers everywhere.


@settings(max_examples=50)
@given(tables())
@example(ResultTable([]))
def test_text_and_arrays_hold_the_same_numbers(tmp_path_factory, table):
    folder = write(tmp_path_factory.mktemp("sweep"), table)
    loaded, cells = kavg.load_results(folder), read_cells(folder)
    assert loaded.schema[bool(loaded.points) :] == table.schema[bool(table.points) :]
    for name in table:
        assert same(table[name], loaded[name]), name
        assert same(table[name], cells[name]), name
        assert len(table[name]) == table.rows
    assert list(list_table_disagreements(folder, table)) == []


@settings(max_examples=50)
@given(tables())
def test_columns_are_unique_and_settings_and_series_are_all_there(table):
    names = [column.name for column in table.schema]
    assert len(names) == len({*names}) == len(table)
    for name in {name for each in table.settings for name in each}:
        assert name in names or f"setting.{name}" in names
    for run in table.runs:
        for name in run.series:
            assert any(x == name or (x.endswith(name) and x.startswith("series.")) for x in names)


@settings(max_examples=15)
@given(tables())
def test_parquet_holds_the_same_bits(tmp_path_factory, table):
    pyarrow = pytest.importorskip("pyarrow.parquet")
    folder = write(tmp_path_factory.mktemp("sweep"), table, "parquet")
    read = pyarrow.read_table(folder / "points.parquet")
    assert read.column_names == list(table)
    for name in table:
        found = read.column(name).to_numpy()
        bits = found.tolist() if found.dtype == object else found.tobytes()
        assert bits == (table[name].tolist() if found.dtype == object else table[name].tobytes())
        assert same(kavg.load_results(folder)[name], table[name])
    assert list(list_table_disagreements(folder, table)) == []


@settings(max_examples=25)
@given(tables())
@example(ResultTable([]))
def test_frames_hold_the_columns(table):
    for frame in (table.to_pandas, table.to_polars):
        pytest.importorskip(frame.__name__.removeprefix("to_"))
        made = frame()
        assert list(made.columns) == list(table)
        assert all(same(np.asarray(made[name].to_numpy()), table[name]) for name in table)
    assert [str(made[name].dtype) == "String" for name in table] == [
        column.type == "text" for column in table.schema
    ]


# A sweep that can be read by eye.


def sweep():
    problem = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Gaussian(0.1), 1.0)
    gammas = kavg.schedules.Piecewise((0.5, 0.25), (1,))
    plain = kavg.Algorithm(2, 1, gammas, kavg.outer.Averaging(), "K-AVG")
    momentum = kavg.Algorithm(2, 4, 0.125, kavg.outer.BlockMomentum(0.5), "M-AVG")
    runs = [kavg.simulate(problem, one, rounds=2, replicas=2) for one in (plain, momentum)]
    settings = [{"K": 1, "sigma2": 0.1}, {"K": 4, "mu": 0.5, "gamma": 0.125, "sigma2": 0.1}]
    return ResultTable(runs, settings, [3, 5], {"sigma2": "oracle.sigma2"})


def test_each_row_has_the_settings_of_its_run():
    table = sweep()
    assert list(table) == [
        "point", "algorithm", "rule", "P", "K", "B", "mu", "sigma2", "replica", "gamma", "round",
        "step", "gradients", "communications", "seconds", "F", "grad_norm2", "dispersion",
    ]  # fmt: skip
    assert table.rows == 12
    assert table["point"].tolist() == [3] * 6 + [5] * 6
    assert table["replica"].tolist() == [0, 1] * 6
    assert table["round"].tolist() == [0, 0, 1, 1, 2, 2] * 2
    assert table["step"][6:].tolist() == [0, 0, 4, 4, 8, 8]
    assert table["gradients"][6:].tolist() == [0, 0, 8, 8, 16, 16]
    assert table["rule"].tolist() == ["averaging"] * 6 + ["block_momentum"] * 6
    assert same(table["mu"], np.repeat([np.nan, 0.5], 6))
    # What was varied is there at the start too, for a row to be found by it.
    assert same(table["gamma"], np.repeat([np.nan, 0.5, 0.25, 0.125, 0.125, 0.125], 2))
    assert same(table["F"], np.concatenate([run.F.ravel() for run in table.runs]))
    by_name = {column.name: column for column in table.schema}
    assert by_name["sigma2"].meaning == "the setting oracle.sigma2"
    assert (by_name["F"].type, by_name["K"].type, by_name["seconds"].unit) == (
        "number", "integer", "s",
    )  # fmt: skip


def test_gamma_is_that_of_the_round_unless_it_is_varied():
    table = ResultTable(sweep().runs[:1])
    assert same(table["gamma"], np.repeat([np.nan, 0.5, 0.25], 2))
    assert "point" not in table


def test_a_varied_schedule_has_a_column_of_its_own():
    schedule = {"kind": "inverse_sqrt", "gamma": 0.5}
    table = ResultTable(sweep().runs, [{"gamma": schedule}, {"gamma": 0.125}])
    assert table["setting.gamma"][0] == '{"kind": "inverse_sqrt", "gamma": 0.5}'
    assert table["setting.gamma"][6] == "0.125"
    assert np.isnan(table["gamma"][[0, 6]]).all()
    with pytest.raises(KavgError, match="'gamma' is not constant over a run"):
        table.select(gamma=0.125)


def test_an_algorithm_of_which_a_setting_is_not_varied_keeps_its_own():
    runs = sweep().runs
    table = ResultTable(runs, [{"gamma": 0.5}, {"sigma2": 1.0}])
    assert same(table["gamma"], np.repeat([0.5, 0.5, 0.25, np.nan, 0.125, 0.125], 2))
    assert same(table["sigma2"], np.repeat([np.nan, 1.0], 6))
    assert ResultTable(runs, [{"mu": 0.0}, {}])["mu"][-1] == 0.5


def test_runs_are_selected_by_what_is_constant_in_them():
    table = sweep()
    chosen = table.select(algorithm="M-AVG", K=4)
    assert chosen.runs == [table.runs[1]]
    assert chosen["point"].tolist() == [5] * 6
    assert table.select(sigma2=0.1).rows == 12
    assert table.select(gamma=0.125).runs == [table.runs[1]]
    with pytest.raises(KavgError, match=r"none of 2 runs has {'K': 7}"):
        table.select(K=7)
    with pytest.raises(KavgError, match="'round' is not constant over a run; choose by point, alg"):
        table.select(round=1)


def test_a_missing_column_is_named_and_the_mapping_is_one():
    table = sweep()
    with pytest.raises(KavgError, match="there is no column 'lr'; there are: point, algorithm"):
        table["lr"]
    assert "lr" not in table
    assert table.get("lr") is None
    assert table != sweep()
    assert table in [sweep(), table]
    assert repr(table).startswith("<ResultTable of 2 runs, 12 rows: point, algorithm")
    with pytest.raises(KavgError, match="settings must be one a run, got 1 of 2"):
        ResultTable(table.runs, [{}])


def test_a_plain_run_is_a_table_too(tmp_path):
    runs = sweep().runs
    write_trajectories(tmp_path / "trajectory.npz", runs)
    for place in (tmp_path, str(tmp_path), tmp_path / "trajectory.npz"):
        table = kavg.load_results(place)
        assert list(table)[:6] == ["algorithm", "rule", "P", "K", "B", "mu"]
        assert same(table["mu"], np.repeat([np.nan, 0.5], 6))


def test_what_older_runs_lack_is_missing():
    old = [replace(run, outer={}, gammas=np.empty(0)) for run in sweep().runs]
    table = ResultTable(old)
    assert table["rule"].tolist() == [""] * 12
    assert np.isnan([table["mu"], table["gamma"]]).all()
    assert [column.type for column in table.schema if column.name == "mu"] == ["number"]
    assert next(line for i, line in enumerate(table.format_lines()) if i == 1).startswith(
        "K-AVG,,2,1,1,,0,,0,0,0,0,"
    )


def test_every_way_to_read_a_large_table_keeps_the_bits(tmp_path):
    reading = experiment("tables/reading")
    cells = [*reading.measure_ways(reading.make_table(2), tmp_path, 1)]
    # Readers of text by others may round: pandas before 3 does, unless it is told not to.
    same = {name: same for name, _, _, same in cells if same and "read_csv" not in name}
    assert {"kavg.load_results, column F", "csv.reader and float"} <= {*same}
    assert {*same.values()} == {"yes"}


# Columns.


def test_types_are_the_narrowest_that_hold_all_values():
    assert find_type([True, False]) == "boolean"
    assert find_type([True, 1]) == find_type([True, None]) == find_type([None]) == "text"
    assert find_type([1, 2.5, None]) == find_type([1.0]) == "number"
    assert find_type([None, 3]) == "number"
    assert to_array([True, 1, None], "text").tolist() == ["true", "1", ""]
    assert to_setting(np.float32(0.5)) == 0.5
    assert type(to_setting(np.int64(3))) is int
    assert to_setting(2**63) == "9223372036854775808"


def test_a_series_never_hides_another():
    columns = rename_taken(["F", "series.F"], ["F"], "series.")
    assert columns == {"F": "series.series.F", "series.F": "series.F"}
    both = ResultTable(sweep().runs[:1], [{"round": 1, "setting.round": 2}])
    assert both["setting.setting.round"].tolist() == [1] * 6
    assert both["setting.round"].tolist() == [2] * 6


# Damage.


def damage(folder, **changes):
    path = folder / "schema.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"points": []}, "it must describe 2 points"),
        ({"points": 3}, "it must describe 2 points"),
        ({"points": [{"point": 1}] * 2}, "'settings'"),
        ({"points": [{"point": -1, "settings": {}}] * 2}, "the number of a point is -1"),
        ({"points": [{"point": 1, "settings": [1]}] * 2}, "settings must be an object"),
        ({"points": [{"point": 1, "settings": {"a": [1]}}] * 2}, r"a setting is \[1\]"),
        ({"points": [{"point": 1, "settings": {"a": {"number": "x"}}}] * 2}, "a setting is"),
        ({"places": 3}, "places must be an object"),
        ({"format": 2}, "it has format 2, this kavg reads 1; use a newer kavg"),
    ],
)
def test_a_damaged_schema_is_refused(tmp_path, changes, words):
    folder = write(tmp_path, sweep())
    damage(folder, **changes)
    with pytest.raises(
        KavgError, match=rf"schema.json' is not one that kavg wrote.*{words}"
    ) as got:
        kavg.load_results(folder)
    assert isinstance(got.value, NewerFormat) == ("format" in changes)


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 99999, b"\xff", b"{}", None])
def test_a_schema_that_is_none_is_refused(tmp_path, content):
    folder = write(tmp_path, sweep())
    (folder / "schema.json").unlink()
    if content is not None:
        (folder / "schema.json").write_bytes(content)
    with pytest.raises(KavgError, match=r"schema.json' "):
        kavg.load_results(folder)


def test_arrays_that_are_missing_or_damaged_are_refused(tmp_path):
    folder = write(tmp_path, sweep())
    (folder / "trajectory.npz").write_bytes(b"PK")
    with pytest.raises(KavgError, match="is not a trajectory that kavg wrote"):
        kavg.load_results(folder)
    (folder / "trajectory.npz").unlink()
    with pytest.raises(KavgError, match=r"there is no .*trajectory.npz"):
        kavg.load_results(folder)


CHANGES = {
    "a number": lambda text: text.replace("0.125", "0.1250001", 1),
    "a line less": lambda text: text[: text.rindex("5,M-AVG")],
    "a line more": lambda text: text + "\n",
    "no text": lambda text: text.encode("utf-16"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_table_that_is_not_that_of_the_arrays_is_found(tmp_path, name):
    folder = write(tmp_path, sweep())
    path = folder / "points.csv"
    changed = CHANGES[name](path.read_text())
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    (found,) = list_table_disagreements(folder, kavg.load_results(folder))
    assert found.startswith("'points.csv' ")


def test_another_schema_and_no_table_are_found(tmp_path):
    folder = write(tmp_path, sweep())
    table = kavg.load_results(folder)
    damage(folder, places={"K": "elsewhere"})
    (found,) = list_table_disagreements(folder, table)
    assert (
        found == "'schema.json' describes another table than that of the arrays in 'trajectory.npz'"
    )
    (folder / "points.csv").unlink()
    assert list(list_table_disagreements(folder, table)) == [
        "there is no 'points.csv' or 'points.parquet'"
    ]


def test_a_parquet_table_that_is_not_that_of_the_arrays_is_found(tmp_path):
    pytest.importorskip("pyarrow")
    folder = write(tmp_path, sweep(), "parquet")
    table = kavg.load_results(folder)
    other = replace(table.runs[1], series=table.runs[1].series | {"F": -table.runs[1].F})
    moved = ResultTable([table.runs[0], other], table.settings, table.points, table.places)
    assert list(list_table_disagreements(folder, moved)) == [
        "'points.parquet' differs from 'trajectory.npz' in the column 'F'"
    ]
    assert "other columns or rows" in next(list_table_disagreements(folder, table.take([0])))
    (folder / "points.parquet").write_bytes(b"PAR1")
    assert next(list_table_disagreements(folder, table)) == "'points.parquet' cannot be read"


def test_parts_of_a_parquet_file_hold_some_runs_each(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow.parquet")
    from kavg.storage.tables import parquet

    table = ResultTable([*sweep().runs, *sweep().runs[:1]])
    for most, groups in ((5, 3), (12, 2), (99, 1)):
        monkeypatch.setattr(parquet, "GROUP", most)
        write_result_table(tmp_path, table, "parquet")
        file = pyarrow.ParquetFile(tmp_path / "points.parquet")
        assert file.num_row_groups == groups
        assert same(file.read(["F"]).column(0).to_numpy(), table["F"])


@pytest.mark.parametrize(
    ("library", "make", "words"),
    [
        ("pandas", lambda table, folder: table.to_pandas(), "run: pip install pandas"),
        ("polars", lambda table, folder: table.to_polars(), "run: pip install polars"),
        ("pyarrow", lambda table, folder: write_result_table(folder, table, "parquet"),
         r"run: pip install 'kavg\[table\]', or choose csv"),
    ],
)  # fmt: skip
def test_a_library_that_is_missing_is_named(tmp_path, monkeypatch, library, make, words):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(KavgError, match=words):
        make(sweep(), tmp_path)
    assert list(tmp_path.iterdir()) == []
