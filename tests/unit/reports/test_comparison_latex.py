"""The table of a comparison for LaTeX: what is escaped, and that LaTeX accepts it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.reports.comparisons.latex import escape_latex, typeset

NAMES = (
    "50 % & {x}_1 \\ $ # ^ ~ < > |",
    "[bold]*",
    "*",
    "\N{GREEK SMALL LETTER MU} = 0.5 \N{GREEK SMALL LETTER LAMDA}\N{GREEK SMALL LETTER OMICRON}",
    "\N{LATIN SMALL LETTER U WITH DIAERESIS}bung \u4e2d",
    '"quoted" `x` -- ??? !`',
)


@given(st.text())
def test_nothing_that_latex_acts_on_is_left(text):
    escaped = escape_latex(text)
    plain = re.sub(r"\\(?:text\w+\{\}|ensuremath\{\\\w+\}|[&%$#_{}])", "", escaped)
    assert not set(plain) & set("\\&%$#_{}~^<>|")
    assert all(ord(character) < 0x180 for character in escaped)


def test_letters_of_greek_are_letters_and_others_are_named():
    mu, omicron = "\N{GREEK SMALL LETTER MU}", "\N{GREEK SMALL LETTER OMICRON}"
    assert escape_latex(mu) == r"\ensuremath{\mu}"
    assert escape_latex("\N{GREEK SMALL LETTER LAMDA}") == r"\ensuremath{\lambda}"
    assert escape_latex(omicron + "\u4e2d") == "U+03BFU+4E2D"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5 [-0.12, 1.12]", "$0.5$ [$-0.12$, $1.12$]"),
        ("1.5e-06", r"$1.5\cdot10^{-6}$"),
        ("-2e+12 (3 of 8 replicas)", r"$-2\cdot10^{12}$ ($3$ of $8$ replicas)"),
        ("diverged at round 7", "diverged at round $7$"),
        ("a_1", "a\\_$1$"),
        ("8 [7.25, inf]", r"$8$ [$7.25$, $\infty$]"),
        ("inf [a]", "inf [a]"),
        ("7 % of it", r"$7$ \% of it"),
    ],
)
def test_numbers_are_set_as_mathematics(text, expected):
    assert typeset(text) == expected


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_latex_accepts_the_table(call, empty):
    from helpers.settings import k_avg, write_settings

    methods = [k_avg(P=1, name=name, gamma=0.05 * (i + 1)) for i, name in enumerate(NAMES)]
    write_settings(empty / "my.toml", rounds=4, replicas=4, algorithm=methods, figures=False)
    assert call("run", "my.toml", "-q", "--out", "a")[0] == 0
    assert call("compare", "a", "--target", "F=1e-5", "--latex", "table.tex")[0] == 0
    (empty / "page.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\input{table}\\end{document}"
    )
    job = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert job.returncode == 0, job.stdout[-2000:]
