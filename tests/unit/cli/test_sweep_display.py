"""The progress of a sweep: lines in a log, a bar on a terminal."""

from __future__ import annotations

import io
import re

import pytest
from helpers.sweep import write_sweep

from kavg import SerialComm
from kavg.cli.session import Session
from kavg.cli.sweeps import display
from kavg.cli.sweeps.display import SweepLines, format_duration, format_share, open_sweep_display


def test_a_line_is_written_for_each_tenth_and_at_the_end_of_a_stage():
    stream = io.StringIO()
    show = SweepLines(stream, seconds=0)
    for i in range(101):
        show("stage 1 of 2", i / 100, f"{i} of 100 points")
    show("stage 2 of 2", 1.0, "4 of 4 points")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 12
    assert lines[-2] == "stage 1 of 2  [####################]  100 %  100 of 100 points"
    assert lines[-1].startswith("stage 2 of 2")


def test_lines_are_seldom_but_the_end_is_always_shown():
    stream = io.StringIO()
    show = SweepLines(stream, seconds=1e9)
    for i in range(101):
        show("stage 1 of 1", i / 100, "")
    assert [line.split("]")[1].strip() for line in stream.getvalue().splitlines()] == [
        "0 %",
        "100 %",
    ]


def test_names_cannot_move_the_cursor():
    assert "\x1b" not in format_share("stage 1 of 1", 0.5, "best \x1b[2J")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (120, "2 min"), (7200, "2.0 h")]
)
def test_durations_have_one_unit(seconds, text):
    assert format_duration(seconds) == text


def test_a_terminal_gets_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    with display._open_bar(stream) as show:
        show("stage 1 of 2", 0.5, "6 of 12 points, best [red]M-AVG")
        show("stage 1 of 2", 1.0, "12 of 12 points, best [red]M-AVG")
    assert "12 of 12 points, best [red]M-AVG" in stream.getvalue()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_narrow_terminal_shows_points_time_and_the_beginning_of_the_best(monkeypatch, width):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    best = "best M-AVG mu=0.85 gamma=0.0009766: F <= 0.2 after 2925 gradients"
    with display._open_bar(stream) as show:
        show("stage 1 of 2", 0.5, f"6 of 12 points, 9 s left, {best}")
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).strip()
    last = re.split(r"[\r\n]+", shown)[-1]
    assert re.match(r"stage 1 of 2 .* 50% 6 of 12 points", last)
    assert len(last) <= width
    assert ("9 s left" in last) == (width >= 80)
    assert ("after 2925 gradients" in last) == (width == 200)


def test_progress_shows_points_time_and_the_best(call, empty):
    write_sweep(empty / "my.toml")
    code, _, err = call("sweep", "my.toml")
    assert code == 0
    last = [line for line in err.splitlines() if line.startswith("stage")][-1]
    assert last.startswith("stage 2 of 2  [####################]  100 %  4 of 4 points, best ")
    assert "AVG K=1 gamma=0.1: grad_norm2 at 0.5 of its start after" in last
    assert call("sweep", "my.toml", "-q", "--out", "b")[2].count("stage") == 1  # the stages ahead


def test_time_left_is_shown_once_it_is_known(call, empty):
    write_sweep(empty / "my.toml", rounds=1000, record={"every": 1000})
    lines = call("sweep", "my.toml", "--set", "checkpoint.every='never'")[2].splitlines()
    stage = [line for line in lines if line.startswith("stage 1 of 2")]
    assert "  0 %  " in stage[0]
    assert "left" not in stage[0]


def test_a_quiet_sweep_shows_nothing(capsys):
    with open_sweep_display(Session(SerialComm()), quiet=True) as show:
        show("stage 1 of 1", 0.5, "")
    assert capsys.readouterr().err == ""
