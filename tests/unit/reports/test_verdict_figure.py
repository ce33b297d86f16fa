"""The figure of verdicts: bounds that agree are all seen, and what an axis cannot hold is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kavg.analysis.bounds import BOUNDS
from kavg.analysis.estimate import mean_interval
from kavg.errors import KavgError

pytest.importorskip("matplotlib")
from kavg.reports.figures import save, verdict_figure
from kavg.reports.figures.style import LARGEST, drawable, line_style
from kavg.reports.figures.verdicts import VerdictPanel

N = np.arange(1, 41)


def a_panel(name="K-AVG", bounds=3, values=None, samples=None):
    values = np.outer([1.0, 5.0, 1.0][:bounds], 100 / N) if values is None else values
    samples = np.outer(1 / N, [1.0, 2.0, 3.0]) if samples is None else samples
    return VerdictPanel(
        name, "final_gap", N, mean_interval(samples), 5.0, BOUNDS[:bounds], np.asarray(values)
    )


def test_bounds_are_lines_and_in_the_legend():
    figure = verdict_figure([a_panel(), a_panel("M-AVG", bounds=2)])
    first, second = figure.axes
    for panel in (first, second):
        measured, *bounds, _ = panel.lines
        np.testing.assert_allclose(measured.get_ydata(), 2 / N)
        assert len(bounds) == 2
    names = [text.get_text().replace("\n", " ") for text in figure.legends[0].get_texts()]
    one, apart, hidden = (bound.name for bound in BOUNDS[:3])
    assert names == ["measured", f"{one} (on this line: {hidden})", apart,
                     "smoothness alone, at the start"]  # fmt: skip
    assert "the sharpest is drawn" in figure.get_suptitle()
    assert [first.get_title(), second.get_title()] == ["K-AVG", "M-AVG"]
    colours = [[line.get_color() for line in panel.lines[1:3]] for panel in figure.axes]
    assert colours[0] == colours[1]


def test_of_bounds_that_look_alike_the_sharpest_is_drawn():
    values = np.outer([1.02, 1.0, 30.0], 100 / N)
    (panel,) = verdict_figure([a_panel(values=values)]).axes
    drawn = [line.get_ydata() for line in panel.lines[1:3]]
    np.testing.assert_allclose(drawn, values[[1, 2]])
    apart = verdict_figure([a_panel(values=np.outer([2.0, 1.0, 30.0], 100 / N))])
    assert len(apart.axes[0].lines) == 5
    assert "one line" not in apart.get_suptitle()


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e-300, 1e200, np.inf, np.nan])
def test_hostile_values_make_figures_without_warnings(scale, tmp_path):
    with np.errstate(all="ignore"):
        panel = a_panel("$_\n中", values=np.outer([1.0, scale, 2.0], 1 / N),
                        samples=np.outer(scale / N, [1.0, 2.0]))  # fmt: skip
    png, svg = save(verdict_figure([panel]), tmp_path, "bounds")
    assert png.stat().st_size > 5000
    assert svg.stat().st_size > 5000


def test_a_run_without_noise_at_a_minimum_has_zeros_alone(tmp_path):
    zeros = np.zeros((40, 2))
    panel = replace(a_panel(values=np.zeros((3, 40)), samples=zeros), smoothness=0.0)
    figure = verdict_figure([panel, a_panel("M-AVG")])
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "log"]
    save(figure, tmp_path, "bounds")


def test_only_what_an_axis_can_hold_is_drawn():
    values = [-2 * LARGEST, -1.0, 0.0, 1.0, LARGEST, np.inf, np.nan]
    assert np.isfinite(drawable(values)).tolist() == [False] + [True] * 4 + [False] * 2
    assert (
        np.isfinite(drawable(values, log=True)).tolist() == [False] * 3 + [True] * 2 + [False] * 2
    )


def test_the_first_lines_differ():
    looks = [line_style(place) for place in range(140)]
    assert len({(s["color"], s["linestyle"], s["marker"]) for s in looks}) == 140


def test_nothing_to_draw_is_an_error():
    with pytest.raises(KavgError, match="no bound applies"):
        verdict_figure([])
