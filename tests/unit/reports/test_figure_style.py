"""Figures are the same whatever the caller set in matplotlib."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from helpers.launch import run_process

from kavg.errors import KavgError
from kavg.reports.figures import save, trajectory_figure
from kavg.reports.figures.style import use_default_style
from kavg.trajectory import Trajectory

matplotlib = pytest.importorskip("matplotlib")

HOSTILE = {
    "LaTeX": {"text.usetex": True},
    "letters and colours": {
        "font.family": "no such font", "font.size": 30, "mathtext.fontset": "stix",
        "axes.facecolor": "black", "figure.facecolor": "black", "text.color": "white",
        "axes.unicode_minus": False, "axes.formatter.use_locale": True, "image.cmap": "hot",
    },
    "lines and layout": {
        "path.sketch": (1, 100, 2), "axes.linewidth": 5.0, "axes.spines.left": False,
        "lines.antialiased": False, "lines.linewidth": 9, "lines.dash_capstyle": "round",
        "lines.scale_dashes": False, "axes.autolimit_mode": "round_numbers",
        "axes.grid.axis": "x", "grid.color": "red", "xtick.direction": "in",
        "ytick.minor.visible": True, "axes.xmargin": 0.4, "figure.autolayout": True,
        "figure.constrained_layout.h_pad": 2.0, "figure.figsize": (1, 1),
        "path.simplify_threshold": 1.0, "agg.path.chunksize": 100,
    },
    "files": {
        "savefig.bbox": "tight", "savefig.dpi": 30, "savefig.transparent": True,
        "savefig.pad_inches": 3.0, "svg.fonttype": "none", "svg.hashsalt": "mine",
    },
}  # fmt: skip


def draw(folder):
    series = np.geomspace(1.0, 0.1, 5)[:, None] * np.ones(3)
    run = Trajectory("K-AVG \u4e2d", 2, 8, 1, np.arange(5), {"F": series}, series.T, series.T,
                     np.zeros(5))  # fmt: skip
    return [path.read_bytes() for path in save(trajectory_figure([run]), folder, "fig")]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", HOSTILE)
def test_settings_of_the_caller_change_no_bit(plain, tmp_path, name):
    with matplotlib.rc_context(HOSTILE[name]):
        before = dict(matplotlib.rcParams)
        assert draw(tmp_path) == plain
        assert dict(matplotlib.rcParams) == before


PROGRAM = """
import sys
from pathlib import Path
from kavg.reports.figures.style import use_default_style
with use_default_style():
    pass
sys.path.insert(0, {tests!r})
from unit.reports.test_figure_style import draw
draw(Path({folder!r}))
import matplotlib
print(matplotlib.rcParams["backend"])
"""


@pytest.mark.parametrize(
    ("backend", "kept"),
    [("module://no_such.backend", "module://no_such.backend"), ("no_such", "agg"), ("svg", "svg")],
)
def test_a_backend_that_is_not_there_costs_no_figure(plain, tmp_path, monkeypatch, backend, kept):
    """A notebook sets the first, for all programs that are started from it."""
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nbackend: agg\nlines.linewidth: 9\n")
    monkeypatch.setenv("MPLBACKEND", backend)
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path))
    here = os.path.dirname(__file__)
    program = PROGRAM.format(tests=os.path.dirname(os.path.dirname(here)), folder=str(tmp_path))
    job = run_process([sys.executable, "-c", program])
    assert (job.returncode, job.stdout) == (0, f"{kept}\n"), job.stderr
    assert [(tmp_path / f"fig.{ending}").read_bytes() for ending in ("png", "svg")] == plain


def test_a_matplotlib_that_fails_to_load_is_one_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(KavgError, match="figures need matplotlib"), use_default_style():
        pass
