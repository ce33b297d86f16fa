"""Paragraphs and columns: as wide as allowed, nothing cut off, no trailing blanks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.reports.text import (
    NARROWEST,
    align_columns,
    cell_width,
    escape_unprintable,
    fold_line,
    wrap_text,
)  # fmt: skip

words = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=9)
sentences = st.lists(words, min_size=10, max_size=30).map(" ".join)
texts = sentences | st.text(max_size=150).map(escape_unprintable)
tables = st.lists(st.tuples(words, texts, words), min_size=1, max_size=5)


def squeezed(text):
    return re.sub(r"\s", "", text)


@given(texts, st.integers(20, 100), st.integers(0, 4), st.integers(0, 4))
def test_a_paragraph_keeps_its_width_its_indents_and_every_character(text, width, indent, hanging):
    first, *others = wrap_text(text, width, indent, hanging)
    assert squeezed("".join([first, *others])) == squeezed(text)
    assert all(line.startswith(" " * (indent + hanging)) for line in others if line)
    for line in (first, *others):
        assert cell_width(line) <= width
        assert line == line.rstrip()


@given(tables, st.integers(56, 100))
def test_columns_keep_every_character_and_their_width(rows, width):
    lines = align_columns(rows, width, flexible=1)
    assert sorted(squeezed("".join(lines))) == sorted(squeezed("".join(map("".join, rows))))
    for line in lines:
        assert cell_width(line) <= width
        assert line == line.rstrip()


def test_a_column_that_has_no_room_makes_lines_too_long_and_is_not_cut():
    lines = align_columns([("a" * 40, "b" * (NARROWEST + 1))], width=30)
    assert lines == ["  " + "a" * 40 + "  " + "b" * NARROWEST, " " * 44 + "b"]


def test_cells_before_a_wrapped_one_are_at_its_first_line_and_cells_after_at_its_last():
    assert align_columns([("x", "one two three four", "y")], width=24, flexible=1) == [
        "  x  one two three",
        "     four              y",
    ]


def test_numbers_are_aligned_to_the_right():
    assert align_columns([("", "x"), ("a", "1.25")], 80, flexible=0, numeric=True) == [
        "        x",
        "  a  1.25",
    ]
    assert align_columns([], 80) == []


def test_wide_characters_take_two_cells():
    assert align_columns([("中文", "1"), ("abc", "2")], 80) == ["  中文  1", "  abc   2"]


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"])
def test_the_environment_does_not_change_what_is_printed(monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    assert (
        fold_line("\x1b[31m[bold]red[/bold] :smile: 1.5") == r"\x1b[31m[bold]red[/bold] :smile: 1.5"
    )
    assert align_columns([("[bold]a[/bold]", ":smile:")], 80) == ["  [bold]a[/bold]  :smile:"]
