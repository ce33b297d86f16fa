"""The history of times: what is written is read again, and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.benchmarks.history import (
    COLUMNS,
    HISTORY,
    Line,
    add_run,
    current_commit,
    lines_of,
    parse_line,
    read_history,
    write_history,
)
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.timing import CPU
from kavg.errors import KavgError

GOOD = {
    "date": "2026-11-27", "commit": "0123456789ab", "machine": "AMD EPYC", "isa": "avx2",
    "clock": CPU, "workload": "small, many replicas: P = 8, d = 10", "contestant": "JAX",
    "ns": "12.5", "ratio": "0.5",
}  # fmt: skip
FACTS = {"time": "2026-11-27T12:00:00+00:00", "processor": "AMD EPYC", "isa": "avx2"}

words = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=9)
lines = st.builds(
    Line,
    date=st.dates().map(str),
    commit=st.from_regex(r"[0-9a-f]{12}\+?", fullmatch=True),
    machine=words,
    isa=st.sampled_from(["native", "avx2"]),
    clock=st.sampled_from(["CPU time", "wall time"]),
    workload=words,
    contestant=words,
    ns=st.floats(1e-3, 1e12),
    ratio=st.floats(1e-6, 1e6),
)


@given(st.lists(lines, unique_by=lambda line: line.key, max_size=4))
def test_what_is_written_is_read(tmp_path_factory, some):
    path = tmp_path_factory.mktemp("history") / "history.csv"
    write_history(path, some)
    assert read_history(path) == some


def line(**other):
    return Line.model_validate(GOOD | other)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("date", "27.11.2026"), ("date", "2026-13-47"), ("date", "2026-02-29"),
        ("commit", "main"), ("commit", "0123456789ab*"),
        ("machine", "two\nlines"),
        ("isa", "avx"), ("clock", "time"), ("workload", ""), ("contestant", ""), ("ns", "nan"),
        ("ns", "0"), ("ns", "fast"), ("ratio", "inf"), ("ratio", "-1"),
    ],
)  # fmt: skip
def test_a_line_with_a_wrong_cell_is_refused(column, text):
    assert parse_line(list(GOOD.values()), "here").ns == 12.5
    with pytest.raises(KavgError, match=f"here: {column}: .* got {re.escape(repr(text))}"):
        parse_line(list((GOOD | {column: text}).values()), "here")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the first line must be date,commit,machine"),
        ("date,commit\n", "the first line must be date,commit,machine"),
        (",".join(COLUMNS) + "\n1,2\n", "line 2: must have 9 cells, got 2"),
        (",".join(COLUMNS) + '\n"1\n', "line 2: unexpected end of data"),
        (b"\xff", "cannot read"),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path, text, complaint):
    path = tmp_path / "history.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(KavgError, match=complaint):
        read_history(path)


def test_two_lines_of_one_key_are_refused(tmp_path):
    path = tmp_path / "history.csv"
    write_history(path, [line(), line(ns="2")])
    with pytest.raises(KavgError, match="line 3: a second line of"):
        read_history(path)
    write_history(path, [line(), line(commit="0123456789ab+"), line(isa="native")])
    assert len(read_history(path)) == 3


def a_run(**seconds):
    return Measured("g", "small", {"P": 2, "d": 3}, "us a round", 1e6, seconds, clock=CPU)


def test_a_run_adds_its_medians_and_replaces_lines_of_its_commit(tmp_path):
    path = tmp_path / "history.csv"
    first = a_run(kavg=[1e-6, 3e-6, 2e-6], JAX=[4e-6] * 3)
    add_run(path, lines_of(FACTS, [first], "a" * 12))
    add_run(path, lines_of(FACTS, [first], "b" * 12))
    add_run(path, lines_of(FACTS, [a_run(kavg=[1e-6], JAX=[1e-6])], "a" * 12))
    found = read_history(path)
    assert [(x.commit[0], x.contestant, x.ns, x.ratio) for x in found] == [
        ("a", "kavg", 1000.0, 1.0),
        ("a", "JAX", 1000.0, 1.0),
        ("b", "kavg", 2000.0, 1.0),
        ("b", "JAX", 4000.0, 0.5),
    ]
    assert found[0].workload == "small: P = 2, d = 3"
    assert found[0].date == "2026-11-27"


def test_a_contestant_without_a_ratio_has_no_line():
    alone = Measured("g", "small", {}, "ns", 1.0, {"JAX": [1.0]}, {"kavg": "failed"})
    assert list(lines_of(FACTS, [alone], "a" * 12)) == []


def test_the_commit_of_a_checkout_is_a_commit():
    try:
        commit = current_commit()
    except KavgError as error:
        pytest.skip(str(error))
    assert line(commit=commit).commit == commit


def test_the_history_in_the_repository_is_sound():
    read_history(HISTORY)


def test_the_figure_has_a_panel_a_workload_and_a_line_a_peer():
    pytest.importorskip("matplotlib")
    from experiments.benchmarks.reports.history_figure import history_figure

    drawn = [
        line(commit=digit * 12, workload=workload, contestant=who, ratio=ratio)
        for digit, ratio in (("1", "0.5"), ("2", "0.25"))
        for workload in ("small: P = 1", "large", "scaling in P: P = 10")
        for who in ("kavg", "JAX", "PyTorch, float32 normals", "floor")
    ]
    figure = history_figure(drawn)
    assert [axes.get_title() for axes in figure.axes] == ["small\nP = 1", "large"]
    jax = figure.axes[0].lines[0]
    assert (list(jax.get_xdata()), list(jax.get_ydata())) == ([0, 1], [0.5, 0.25])
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {
        "JAX", "PyTorch, float32 normals",
    }  # fmt: skip
    both = history_figure([*drawn, line(isa="native", workload="large")])
    names = {text.get_text() for text in both.legends[0].get_texts()}
    assert names == {"JAX; avx2", "PyTorch, float32 normals; avx2", "JAX; native"}
    with pytest.raises(KavgError, match="nothing to draw"):
        history_figure([line(contestant="floor")])
