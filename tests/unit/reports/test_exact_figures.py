"""Pictures of exact moments: what they show is what was computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kavg import Algorithm, KavgError, Problem, simulate
from kavg.analysis.exact import stability_atlas
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.objectives import Quadratic
from kavg.oracles import Gaussian
from kavg.outer import Averaging, BlockMomentum, NesterovMomentum

pytest.importorskip("matplotlib")
from kavg.reports.figures import save
from kavg.reports.figures.exact import POINTS, atlas_figure, exact_figure

PROBLEM = Problem(Quadratic((0.1, 1.0)), Gaussian(1.0), start=3.0)
METHODS = [Algorithm(4, 3, 0.2, outer) for outer in (Averaging(), BlockMomentum(0.5))]
CHART = stability_atlas(1, np.linspace(0.05, 4, 30), np.linspace(0, 0.95, 20))


def exact(method=METHODS[0], rounds=40):
    return exact_trajectory(PROBLEM, method, rounds)


def run(method=METHODS[0], R=10, rounds=40):
    return simulate(PROBLEM, method, rounds=rounds, replicas=R, seed=1)


def test_lines_are_exact_and_points_are_means():
    found, measured = exact(), run()
    panel = exact_figure([found], [measured], quantities=["F"]).axes[0]
    line, points = panel.lines[0], panel.containers[0].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), found.F)
    np.testing.assert_array_equal(line.get_xdata(), found.rounds)
    assert len(points.get_xdata()) == POINTS
    means = dict(zip(measured.rounds, measured.F.mean(axis=1), strict=True))
    for x, y in zip(points.get_xdata(), points.get_ydata(), strict=True):
        assert y == pytest.approx(means[int(x)], rel=1e-12)
    assert points.get_xdata()[[0, -1]].tolist() == [0, 40]
    assert line.get_marker() == ""
    assert points.get_linestyle() == "None"


@pytest.mark.parametrize("axis", ["rounds", "steps", "gradients", "communications"])
def test_exact_and_measured_share_their_axes(axis):
    for panel in exact_figure([exact()], [run()], axis=axis).axes:
        points = panel.containers[0].lines[0].get_xdata()
        assert points[-1] == panel.lines[0].get_xdata()[-1]


def test_dispersion_on_a_logarithmic_axis_leaves_out_its_zero():
    panel = exact_figure([exact()], [run()]).axes[2]
    assert panel.get_yscale() == "log"
    assert np.isnan(panel.lines[0].get_ydata()[0])


def test_caption_and_legend_name_the_runs():
    named = [
        replace(exact(method), name=name) for method, name in zip(METHODS, ("$a_", ""), strict=True)
    ]
    figure = exact_figure(named, [run(method) for method in METHODS])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["$a_", "P=4 K=3"]
    assert "10 replicas" in figure.get_suptitle()
    assert "95 %" in figure.get_suptitle()
    assert exact_figure(named).get_suptitle() == "lines: exact expectations"
    assert "one replica" in exact_figure(named[:1], [run(R=1)]).get_suptitle()


@pytest.mark.parametrize(
    ("found", "measured"),
    [
        ([exact()], []),
        ([exact(rounds=1)], [run(R=1, rounds=1)]),
        ([exact(Algorithm(2, 3, 50.0, BlockMomentum(0.9)), 300)], []),
        (
            [exact(), exact(Algorithm(2, 3, 9.0, Averaging()))],
            [run(), run(Algorithm(2, 3, 9.0, Averaging()))],
        ),
        ([exact(each) for each in METHODS * 4], []),
    ],
    ids=["alone", "short", "overflow", "diverged", "many"],
)
def test_pictures_are_drawn_without_warnings(found, measured, tmp_path):
    png, svg = save(exact_figure(found, measured), tmp_path, "exact")
    assert png.stat().st_size > 5000
    assert svg.stat().st_size > 5000


def test_the_atlas_has_its_boundary_on_top():
    charts = [CHART, stability_atlas(3, CHART.gamma_h, CHART.mu, NesterovMomentum)]
    figure = atlas_figure(charts)
    for panel, chart in zip(figure.axes, charts, strict=False):
        best, boundary = panel.lines
        np.testing.assert_array_equal(boundary.get_xdata(), chart.boundary)
        np.testing.assert_array_equal(boundary.get_ydata(), chart.mu)
        stable = np.isfinite(best.get_ydata())
        assert np.array_equal(stable, chart.radius.min(axis=0) < 1)
        assert chart.rule in panel.get_title()


@pytest.mark.parametrize("high", [0.5, 1.9, 6.0])
def test_an_atlas_may_be_all_stable_or_not(high, tmp_path):
    chart = stability_atlas(2, np.linspace(0.1, high, 9), [0.0, 0.3, 0.6])
    assert save(atlas_figure([chart]), tmp_path, "atlas")[0].stat().st_size > 5000


@pytest.mark.parametrize(
    "call",
    [
        lambda: exact_figure([]),
        lambda: exact_figure([exact()], [run(), run()]),
        lambda: exact_figure([exact()], quantities=["loss"]),
        lambda: exact_figure([exact()], quantities=[]),
        lambda: exact_figure([exact()], axis="seconds"),
        lambda: atlas_figure([]),
        lambda: atlas_figure([stability_atlas(1, [1.0], [0.5])]),
    ],
)
def test_runs_that_cannot_be_drawn_are_refused(call):
    with pytest.raises(KavgError):
        call()
