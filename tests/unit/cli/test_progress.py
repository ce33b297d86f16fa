"""Progress: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.cli import progress
from kavg.cli.progress import WIDTH, ProgressLines, format_bar, open_progress_on, show_nothing


@given(st.integers(1, 10**9), st.data())
def test_a_bar_has_one_width_and_is_full_at_the_end_only(rounds, data):
    n = data.draw(st.integers(0, rounds))
    line = format_bar("name", n, rounds)
    inside = line[line.index("[") + 1 : line.index("]")]
    assert len(inside) == WIDTH
    assert (inside == "#" * WIDTH) == (n == rounds)
    assert ("100 %" in line) == (n == rounds)


@given(st.integers(1, 500), st.floats(0, 1))
def test_lines_are_few_and_the_last_round_is_always_shown(rounds, seconds):
    stream, clock = io.StringIO(), iter(range(10**6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress.time, "monotonic", lambda: next(clock))
        lines = ProgressLines(stream, seconds)
        for name in ("K-AVG", "M-AVG"):
            for n in range(1, rounds + 1):
                lines(name, n, rounds)
    said = stream.getvalue().splitlines()
    assert 2 <= len(said) <= 2 * 11
    assert [line for line in said if "100 %" in line] == [
        format_bar("K-AVG", rounds, rounds),
        format_bar("M-AVG", rounds, rounds),
    ]


def test_fast_rounds_do_not_flood_a_log(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(progress.time, "monotonic", lambda: 0.0)
    lines = ProgressLines(stream)
    for n in range(1, 1001):
        lines("K-AVG", n, 1000)
    assert stream.getvalue().splitlines() == [
        format_bar("K-AVG", 1, 1000),
        format_bar("K-AVG", 1000, 1000),
    ]


def test_a_pipe_gets_lines_without_control_characters():
    stream = io.StringIO()
    with open_progress_on(stream) as show:
        show("K-AVG", 5, 5)
    assert stream.getvalue() == format_bar("K-AVG", 5, 5) + "\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("name", ["K-AVG", "[red]", "x\\", "x\\[red]", "[/]", "中文"])
def test_a_terminal_shows_each_name_as_it_is(monkeypatch, name):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    stream = Terminal()
    with open_progress_on(stream) as show:
        show(name, 1, 2)
        show(name, 2, 2)
    assert name in stream.getvalue()
    assert "100%" in stream.getvalue()


def test_a_quiet_display_prints_nothing(capsys):
    show_nothing("K-AVG", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_rounds_of_unlike_K_are_shown_by_their_local_steps(monkeypatch):
    assert format_bar("QSR", 2, 4, (3, 12)) == (
        "QSR  [#######-----------------------]  25 %  round 2 of 4"
    )
    stream = io.StringIO()
    monkeypatch.setattr(progress.time, "monotonic", iter(range(10**6)).__next__)
    lines = ProgressLines(stream, seconds=0.0)
    for n, steps in enumerate((1, 2, 4, 100), start=1):
        lines("QSR", n, 4, (steps, 100))
    assert [line.split("  ")[2] for line in stream.getvalue().splitlines()] == ["1 %", "100 %"]
