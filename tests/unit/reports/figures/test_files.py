"""Files of figures: every format opens, and equal figures are equal files."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
import zlib

import pytest
from helpers.figure_samples import F, a_run, some_points
from helpers.figures import drawn_texts, meeting_texts, outer_texts

from kavg.errors import KavgError
from kavg.storage.recovery import TARGETS

pytest.importorskip("matplotlib")
from matplotlib.text import Text

from kavg.reports.figures import Layout, ReferenceLine, save, trajectory_figure
from kavg.reports.figures import files as figure_files
from kavg.reports.figures.sweeps.sweep_figure import SweepView, draw_sweep

FORMATS = ("png", "svg", "pdf")


def find_package(name):
    """True if LaTeX finds a file of a package."""
    if not shutil.which("kpsewhich"):
        return False
    job = subprocess.run(["kpsewhich", name], capture_output=True, timeout=60, check=False)
    return job.returncode == 0


def a_figure():
    return trajectory_figure([a_run("100 % of a_b & {c}")], layout=Layout("column", "Title $_"))


def test_every_format_opens(tmp_path):
    from matplotlib import image

    png, svg, pdf = save(a_figure(), tmp_path, "fig", FORMATS)
    pixels = image.imread(png)
    assert pixels.shape[1] == round(3.35 * 200)
    assert ET.parse(svg).getroot().tag.endswith("svg")
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert b"/FontFile2" in content  # TrueType, which publishers ask for
    assert sum(b"BT" in zlib.decompress(part.split(b"endstream")[0].lstrip(b"\r\n"))
               for part in content.split(b"stream\n")[1::2] if part[:1] == b"x") >= 1  # fmt: skip


def test_equal_figures_are_equal_files(tmp_path):
    first = save(a_figure(), tmp_path / "a", "fig", FORMATS)
    again = save(a_figure(), tmp_path / "b", "fig", FORMATS)
    assert [a.read_bytes() for a in first] == [b.read_bytes() for b in again]


@pytest.mark.parametrize("kind", ["heat-map", "curves", "phase"])
def test_equal_sweeps_are_equal_files(kind, tmp_path):
    first, again = (
        save(draw_sweep(some_points(), SweepView(kind), F), tmp_path / name, "fig", ["svg"])
        for name in "ab"
    )
    assert first[0].read_bytes() == again[0].read_bytes()


def test_a_format_has_the_same_layout_whatever_else_is_written(tmp_path):
    _, alone = save(a_figure(), tmp_path / "a", "fig", ["png", "pdf"])
    (only,) = save(a_figure(), tmp_path / "b", "fig", ["pdf"])
    assert alone.read_bytes() == only.read_bytes()


def test_what_is_saved_was_laid_out(tmp_path):
    figure = a_figure()
    save(figure, tmp_path, "fig", ["svg"])
    texts = drawn_texts(figure)
    assert meeting_texts(texts) == []
    assert outer_texts(figure, texts) == []


def test_drafts_of_every_format_are_mended_after_a_crash():
    for each in figure_files.FORMATS:
        assert TARGETS["figures"].fullmatch(f".heat-map.{each}.0123abcd.partial")


@pytest.mark.parametrize("formats", [[], ["gif"], ["png", "jpg"]])
def test_other_formats_are_refused(formats, tmp_path):
    with pytest.raises(KavgError, match="formats must be one or more of png, svg, pdf, pgf"):
        save(a_figure(), tmp_path, "fig", formats)
    assert not list(tmp_path.iterdir())


def test_pgf_without_a_latex_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KavgError, match=r"xelatex, lualatex or pdflatex.*use pdf"):
        save(a_figure(), tmp_path, "fig", ["pgf"])


@pytest.mark.skipif(not figure_files._find_tex(), reason="no LaTeX is installed")
@pytest.mark.parametrize("kind", ["run", "heat-map"])
def test_pgf_is_text_that_latex_sets(kind, tmp_path):
    figure = a_figure() if kind == "run" else draw_sweep(some_points(), SweepView(kind), F)
    (path,) = save(figure, tmp_path, "fig", ["pgf"])
    text = path.read_text(encoding="utf-8")
    assert r"\begin{pgfpicture}" in text
    assert [each.name for each in tmp_path.iterdir()] == ["fig.pgf"]
    if kind == "run":
        assert r"a\_b \& \{c\}" in text


PGF = pytest.mark.skipif(
    not shutil.which("pdflatex") or not find_package("pgf.sty"),
    reason="needs pdflatex and pgf: apt-get install texlive-latex-base texlive-pictures",
)
DOCUMENT = r"""\documentclass{article}
\usepackage{pgf}
\begin{document}
\input{fig.pgf}
\end{document}
"""


def draw_kind(kind):
    return a_figure() if kind == "run" else draw_sweep(some_points(), SweepView(kind), F)


@PGF
@pytest.mark.parametrize("kind", ["run", "heat-map", "curves", "phase"])
def test_pdflatex_sets_a_pgf(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(figure_files, "TEX_SYSTEMS", ("pdflatex",))
    save(draw_kind(kind), tmp_path, "fig", ["pgf"])
    (tmp_path / "paper.tex").write_text(DOCUMENT)
    job = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert job.returncode == 0, job.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF-")
    assert b"Missing character" not in (tmp_path / "paper.log").read_bytes()


@pytest.mark.parametrize("kind", ["run", "heat-map", "curves", "phase"])
def test_texts_of_a_pgf_have_no_character_that_latex_lacks(kind):
    figure = draw_kind(kind)
    texts = figure.findobj(Text)
    before = [text.get_text() for text in texts]
    has_mu = "\N{GREEK SMALL LETTER MU}" in "".join(before)
    assert has_mu == (kind == "curves")
    with figure_files._prepare_tex(figure, "pgf"):
        found = "".join(text.get_text() for text in texts)
    assert not {each for each in found if ord(each) >= 0x180} - {"\N{MINUS SIGN}"}
    assert (r"\ensuremath{\mu}" in found) == has_mu
    assert [text.get_text() for text in texts] == before


def test_a_heat_map_has_no_images(tmp_path):
    (path,) = save(draw_sweep(some_points(), SweepView(), F), tmp_path, "fig", ["svg"])
    assert "<image" not in path.read_text(encoding="utf-8")


def test_a_latex_that_fails_is_one_error():
    class LatexError(Exception): ...

    figure = a_figure()
    with (
        pytest.raises(KavgError, match=r"LaTeX could not measure .*: no fontspec; use pdf"),
        figure_files._prepare_tex(figure, "pgf"),
    ):
        raise LatexError("no fontspec\nand much more")
    assert "100 % of a_b" in figure.legends[0].get_texts()[0].get_text()


def test_names_of_users_are_escaped_for_latex_and_left_as_they_were():
    figure = a_figure()
    texts = figure.legends[0].get_texts()
    with figure_files._prepare_tex(figure, "pgf"):
        assert texts[0].get_text() == r"100 % of a\_b \& \{c\}"
    assert texts[0].get_text() == "100 % of a_b & {c}"


def test_lines_are_drawn_where_their_axis_shows_them_and_named_once():
    lines = [
        ReferenceLine("F", 1e-3, "target 0.001"),
        ReferenceLine("F", -1.0, "below"),
        *(ReferenceLine("F", 0.02 * (i + 1), "exact stationary value", i) for i in range(2)),
    ]
    runs = [a_run(floor=1e-3), a_run("M-AVG", floor=1e-3)]
    figure = trajectory_figure(runs, quantities=["F", "grad_norm2"], lines=lines)
    flat = [[line.get_ydata()[0] for line in panel.lines if len(set(line.get_ydata())) == 1]
            for panel in figure.axes]  # fmt: skip
    assert flat == [[1e-3, 0.02, 0.04], []]
    assert figure.axes[0].get_ylim()[0] < 1e-3
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["K-AVG", "M-AVG", "target 0.001", "below", "exact stationary value"]
