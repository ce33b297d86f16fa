"""The kinds of a sweep's figures show what they were given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.figures import legend_names

from kavg.analysis.estimate import Estimate
from kavg.errors import KavgError

pytest.importorskip("matplotlib")
from helpers.figure_samples import F, an_estimate, some_points

from kavg.analysis.targets import measure_time
from kavg.reports.figures import (
    HeatMap,
    PhaseMap,
    SettingCurve,
    SettingPanel,
    VariedAxis,
    forest_figure,
    heat_map_figure,
    phase_figure,
    setting_figure,
    speed_up_figure,
)
from kavg.reports.figures.sweeps.arrangement import ALGORITHM, arrange_maps
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity, name_cost, plot_final
from kavg.reports.figures.sweeps.point_values import (
    PointValue,
    final_value,
    time_value,
    varied_settings,
)
from kavg.reports.figures.sweeps.rankings import arrange_phases
from kavg.reports.figures.sweeps.sweep_figure import (
    SweepView,
    choose_view,
    draw_sweep,
    write_sweep_figures,
)
from kavg.targets import Target

GRID = VariedAxis("gamma", (0.25, 0.5, 1.0, 2.0))
NONE = np.zeros(4, bool)


def a_curve(name="M-AVG", means=(3.0, 1.0, 2.0, 4.0), failed=NONE, best=1):
    return SettingCurve(name, an_estimate(means), np.asarray(failed), best)


def figure_of(*curves, axis=GRID, quantity=F):
    return setting_figure([SettingPanel("", curves)], axis, quantity)


def stars(panel):
    return [line for line in panel.lines if line.get_marker() == "*"]


def test_a_curve_is_its_means_with_a_band_and_a_star():
    curve = a_curve()
    figure = figure_of(curve)
    (panel,) = figure.axes
    np.testing.assert_array_equal(panel.lines[0].get_xdata(), GRID.positions)
    np.testing.assert_allclose(panel.lines[0].get_ydata(), curve.estimate.mean)
    assert len(panel.collections) == 1
    (star,) = stars(panel)
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (0.5, curve.estimate.mean[1])
    assert panel.get_xscale() == "log"
    assert [text.get_text() for text in panel.get_xticklabels()] == ["0.25", "0.5", "1", "2"]
    assert "means of 8 replicas" in figure.get_suptitle()
    assert "95 %" in figure.get_suptitle()
    assert "star: the least" in figure.get_suptitle()


def test_the_legend_says_where_the_best_is_at_an_end_of_the_grid():
    figure = figure_of(a_curve("inside"), a_curve("low", best=0), a_curve("high", best=3))
    assert [name.split(" (")[0] for name in legend_names(figure)] == ["inside", "low", "high"]
    assert ["end of its grid" in name.replace("\n", " ") for name in legend_names(figure)] == [
        False, True, True,
    ]  # fmt: skip


def test_the_legend_names_no_end_of_what_was_not_searched():
    found = figure_of(a_curve(best=0), quantity=replace(F, is_searched=False))
    assert legend_names(found) == legend_names(figure_of(a_curve()))
    assert len(stars(found.axes[0])) == 1


def test_failed_points_are_crosses_and_no_line_passes_them():
    figure = figure_of(a_curve(failed=[False, False, True, False]))
    (panel,) = figure.axes
    lines = [line.get_xdata().tolist() for line in panel.lines if line.get_linestyle() == "-"]
    assert [0.25, 0.5] in lines
    assert [2.0] in lines
    (cross,) = [line for line in panel.lines if line.get_marker() == "x"]
    assert cross.get_xdata().tolist() == [1.0]
    assert "cross: diverged" in figure.get_suptitle()


def test_a_mean_that_is_about_to_diverge_sets_no_scale():
    calm = figure_of(a_curve()).axes[0].get_ylim()
    wild = figure_of(a_curve(), a_curve("wild", (1.0, 2.0, 3.0, 1e30)))
    assert wild.axes[0].get_ylim()[1] < 100 * calm[1]


def test_small_multiples_share_their_axes_and_name_the_outer_ones():
    panels = [SettingPanel(f"K={K}", (a_curve(),)) for K in (1, 2, 4, 8)]
    figure = setting_figure(panels, GRID, F)
    assert [panel.get_title() for panel in figure.axes] == ["K=1", "K=2", "K=4", "K=8"]
    assert len({panel.get_ylim() for panel in figure.axes}) == 1
    assert figure.get_supylabel() == "$F$"
    assert not any(panel.get_ylabel() for panel in figure.axes)
    assert [bool(panel.get_xlabel()) for panel in figure.axes] == [False, True, True, True]


def a_map(values, failed=None, p=None):
    values = np.asarray(values, float)
    return HeatMap("M-AVG", values, np.isnan(values) if failed is None else failed, p)


AXES = (VariedAxis("gamma", (0.1, 0.2, 0.4)), VariedAxis("mu", (0.0, 0.5)))


def outlines(panel):
    from matplotlib.collections import LineCollection

    return [c for c in panel.collections if isinstance(c, LineCollection)]


def test_a_heat_map_has_its_star_its_hatching_and_its_contours():
    p = np.array([[0.0, 0.3, 0.0], [0.002, 1.0, 0.0]])
    values = [[3.0, 2.0, np.nan], [2.0, 1.0, 5.0]]
    figure = heat_map_figure([a_map(values, p=p)], AXES, F, (0.95, 0.999))
    panel = figure.axes[0]
    np.testing.assert_array_equal(np.ma.filled(panel.collections[0].get_array(), np.nan), values)
    (star,) = stars(panel)
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (1.5, 1.5)
    hatched = [c for c in panel.collections if c.get_hatch()]
    assert [len(c.get_paths()) for c in hatched] == [1]
    # Each contour is dark over light; two cells one above another have 6 outer edges, three 8.
    assert [len(c.get_segments()) for c in outlines(panel)] == [8, 8, 6, 6]
    assert "95 % (solid) and 99.9 % (dotted)" in figure.get_suptitle()
    assert "hatched: diverged" in figure.get_suptitle()
    assert figure.get_suptitle().startswith("shades: one replica")
    assert [text.get_text() for text in panel.get_yticklabels()] == ["0", "0.5"]


def test_the_best_of_an_accuracy_is_the_greatest():
    assert plot_final("train_accuracy").is_greatest
    quantity = PlottedQuantity("held_out_accuracy", is_greatest=True)
    figure = heat_map_figure([a_map([[0.5, 0.9, 0.4], [0.2, 0.1, 0.3]])], AXES, quantity)
    (star,) = stars(figure.axes[0])
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (1.5, 0.5)
    assert "star: the greatest" in figure.get_suptitle()


def test_shades_are_logarithmic_over_decades_and_cut_where_a_run_explodes():
    from matplotlib.colors import LogNorm

    wide = heat_map_figure([a_map([[1e-4, 1e-2, 1.0], [1e-3, 1e-1, 1e30]])], AXES, F)
    image = wide.axes[0].collections[0]
    assert isinstance(image.norm, LogNorm)
    assert (image.norm.vmin, image.norm.vmax) == (1e-4, 1.0)
    narrow = heat_map_figure([a_map([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]])], AXES, F)
    assert not isinstance(narrow.axes[0].collections[0].norm, LogNorm)


def test_a_phase_diagram_hatches_what_is_undecided():
    won = np.array([[0, 1, 1], [0, 0, -1]])
    chart = PhaseMap("", won, np.array([[True, False, True], [True, True, False]]), won < 0)
    figure = phase_figure([chart], AXES, ["K-AVG", "M-AVG"])
    assert legend_names(figure) == ["K-AVG", "M-AVG", "undecided", "all failed"]
    cells = {
        (c.get_hatch(), tuple(np.round(c.get_facecolor()[0], 3))): len(c.get_paths())
        for c in figure.axes[0].collections
    }
    assert sorted(cells.values()) == [1, 1, 1, 3]
    assert sum(n for (hatch, _), n in cells.items() if hatch == "////") == 1
    assert "not decided at 95 %" in figure.get_suptitle()


def test_a_speed_up_has_the_line_of_linear_and_lower_limits():
    ratio = an_estimate([1.0, 3.8, 13.0], 0.02)
    ratio.mean[2], ratio.high[2], ratio.low[2] = np.inf, np.inf, 9.0
    curve = SettingCurve("M-AVG", ratio, np.zeros(3, bool))
    figure = speed_up_figure([curve], VariedAxis("P", (2, 8, 32)))
    (panel,) = figure.axes
    linear = panel.lines[0]
    assert linear.get_ydata().tolist() == [1.0, 4.0, 16.0]
    assert legend_names(figure) == ["M-AVG", "linear"]
    (limit,) = [line for line in panel.lines if line.get_marker() == "^"]
    assert (limit.get_xdata()[0], limit.get_ydata()[0]) == (32.0, 9.0)
    assert "hollow: at least" in figure.get_suptitle()
    assert panel.get_xscale() == panel.get_yscale() == "log"
    assert panel.get_ylabel() == "speed-up over P = 2"
    other = speed_up_figure([curve], VariedAxis("kappa", (2, 8, 32)))
    assert legend_names(other) == ["M-AVG"]


def number(mean, low, high):
    return Estimate(np.asarray(mean), np.asarray(low), np.asarray(high), 0.95, 32)


def test_a_forest_has_a_row_for_each_estimate_and_arrows_where_there_is_no_end():
    rows = [("one", number(2.9, 2.6, 3.3)), ("two", number(np.inf, 3.1, np.inf)),
            ("three", number(1.1, 0.0, 5.0))]  # fmt: skip
    figure = forest_figure(rows, "speed-up")
    (panel,) = figure.axes
    assert [text.get_text() for text in panel.get_yticklabels()] == ["one", "two", "three"]
    marks = [(line.get_marker(), line.get_ydata()[0]) for line in panel.lines[1:]]
    assert marks == [("s", 0), (">", 1), ("<", 2), ("s", 2)]
    assert panel.get_xscale() == "log"
    low, high = panel.get_xlim()
    assert low < 1 < 5 < high


def test_a_mean_without_an_interval_is_hollow_in_a_forest():
    rows = [("one", number(2.9, 2.9, 2.9)), ("two", number(1.3, np.nan, np.nan))]
    figure = forest_figure(rows, "ratio")
    exact, unknown = figure.axes[0].lines[1:]
    assert exact.get_markerfacecolor() == exact.get_color()
    assert unknown.get_markerfacecolor() == "white"
    assert "; hollow: no interval" in figure.get_suptitle()
    assert "hollow" not in forest_figure(rows[:1], "ratio").get_suptitle()


@pytest.mark.parametrize(
    "call",
    [
        lambda: setting_figure([], GRID, F),
        lambda: figure_of(a_curve(means=(1.0, 2.0), failed=NONE[:2])),
        lambda: heat_map_figure([], AXES, F),
        lambda: heat_map_figure([a_map([[1.0, 2.0]])], AXES, F),
        lambda: phase_figure([PhaseMap("", np.full((2, 3), 2), NONE[:1], NONE[:1])], AXES, ["a"]),
        lambda: speed_up_figure([a_curve()], VariedAxis("rule", ("a", "b", "c", "d"))),
        lambda: forest_figure([], "ratio"),
        lambda: forest_figure([("a", an_estimate([1.0, 2.0]))], "ratio"),
        lambda: VariedAxis("K", ()),
        lambda: VariedAxis("K", (1, 1)),
        lambda: SweepView(kind="pie"),
        lambda: SweepView(kind="curves", y="mu"),
        lambda: draw_sweep([], SweepView(), F),
        lambda: draw_sweep(some_points(), SweepView(x="K"), F),
        lambda: draw_sweep(some_points(mus=(0.0,)), SweepView(kind="phase"), F),
        lambda: draw_sweep(some_points(), SweepView(kind="speed-up"), F),
    ],
)
def test_what_cannot_be_drawn_is_refused(call):
    with pytest.raises(KavgError):
        call()


# Points of a sweep


def test_a_best_over_several_problems_is_never_drawn():
    points = [
        PointValue("a", {"gamma": gamma, "dim": dim, "sigma2": sigma2}, number(value, value, value))
        for dim, sigma2, value in ((2, 0.1, 1.0), (4, 0.1, 5.0), (4, 0.2, 9.0))
        for gamma in (1, 2, 3, 4)
    ]
    view = SweepView(problem=("dim", "sigma2"))
    figure = draw_sweep(points, view, F)
    titles = [panel.get_title() for panel in figure.axes]
    assert titles == [
        "dim=2, \u03c3\u00b2=0.1",
        "dim=4, \u03c3\u00b2=0.1",
        "dim=4, \u03c3\u00b2=0.2",
    ]
    assert [max(panel.lines[0].get_ydata()) for panel in figure.axes] == [1.0, 5.0, 9.0]
    assert "least over" not in figure.get_suptitle()
    # By name they may be on an axis, without a best; the rest is apart.
    over = draw_sweep(points, replace(view, kind="curves", x="dim"), F)
    assert len(over.axes) == 2
    assert "star" not in over.get_suptitle()
    assert len(draw_sweep(points, replace(view, kind="curves", x="gamma", by="dim"), F).axes) == 3
    assert "least over dim, " in draw_sweep(points, SweepView("curves", "gamma"), F).get_suptitle()


def test_settings_drawn_at_random_are_no_heat_map_and_no_panels():
    points = [PointValue("a", {"gamma": i, "mu": i / 40}, number(1, 1, 1)) for i in range(40)]
    assert choose_view(points, SweepView()) == SweepView("curves", "gamma")
    assert choose_view(points, SweepView("multiples")).by == ALGORITHM
    assert choose_view(points, SweepView(y="mu")).kind == "heat-map"


def test_a_view_takes_the_settings_that_vary_most():
    points = some_points()
    assert varied_settings(points) == ["gamma", "mu"]
    assert choose_view(points, SweepView()) == SweepView("heat-map", "gamma", "mu")
    one = some_points(mus=(0.5,), names=("", "M-AVG"))[6:]
    assert choose_view(one, SweepView()) == SweepView("curves", "gamma")
    assert choose_view(points, SweepView(kind="multiples")).by == "mu"
    assert choose_view(points, SweepView(kind="curves", x="mu")) == SweepView("curves", "mu")
    by_P = [PointValue("a", {"gamma": g, "P": P}, number(1, 1, 1)) for g in (1, 2, 3)
            for P in (1, 2)]  # fmt: skip
    assert choose_view(by_P, SweepView(kind="speed-up")).x == "P"


def test_a_curve_shows_the_best_over_what_is_not_on_an_axis():
    points = some_points()
    figure = draw_sweep(points, SweepView("curves", "gamma"), F)
    best = {}
    for point in points:
        if point.algorithm == "M-AVG" and not point.has_failed:
            gamma = point.settings["gamma"]
            best[gamma] = min(best.get(gamma, np.inf), point.mean)
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() not in ("None", "-")]
    np.testing.assert_allclose(lines[0].get_ydata(), [best[x] for x in sorted(best)])
    assert "least over μ" in figure.get_suptitle()


def test_a_heat_map_is_one_for_each_algorithm_and_marks_the_set_of_the_best():
    points = [each for each in some_points() if each.algorithm == "M-AVG"]
    figure = draw_sweep(points, SweepView("heat-map", "gamma", "mu"), F)
    values = figure.axes[0].collections[0].get_array()
    assert values.shape == (3, 6)
    best = min(points, key=lambda each: np.inf if each.has_failed else each.mean)
    at = values[
        (0.0, 0.5, 0.9).index(best.settings["mu"]),
        sorted({p.settings["gamma"] for p in points}).index(best.settings["gamma"]),
    ]
    assert at == best.mean == values.min()
    assert len(outlines(figure.axes[0])) == 4
    both = draw_sweep(some_points(), SweepView("heat-map", "gamma", "mu"), F)
    assert [panel.get_title() for panel in both.axes[:2]] == ["K-AVG", "M-AVG"]


def test_a_cell_may_be_the_best_if_one_of_its_points_may():
    noise = np.random.default_rng(1).normal(0.0, 0.1, (2, 32))
    points = [
        final_value("M-AVG", {"gamma": gamma, "mu": 0.5, "K": K}, base + noise[place], F)
        for place, gamma in enumerate((0.1, 0.2))
        for K, base in ((1, 1.0), (4, 5.0))
    ]
    (_, _), (chart,) = arrange_maps(points, ("gamma", "mu"), [], F)
    assert (chart.p_values > 0.05).all()


def test_an_algorithm_without_a_setting_is_a_row_of_its_own():
    points = [
        replace(each, settings={"gamma": each.settings["gamma"]})
        if each.algorithm == "K-AVG"
        else each
        for each in some_points(mus=(0.1 + 0.2, 0.5))
    ]
    figure = draw_sweep(points, SweepView("heat-map", "gamma", "mu"), F)
    panel = figure.axes[0]
    assert [text.get_text() for text in panel.get_yticklabels()] == ["K-AVG", "0.3", "0.5"]
    assert [each.get_title() for each in figure.axes[:-1]] == ["M-AVG"]
    row = panel.collections[0].get_array()[0]
    means = {p.settings["gamma"]: p.mean for p in points if p.algorithm == "K-AVG"}
    np.testing.assert_allclose(row, [means[gamma] for gamma in sorted(means)])
    assert "K-AVG by itself, as it has no μ" in figure.get_suptitle()
    columns = draw_sweep(points, SweepView("heat-map", "mu", "gamma"), F).axes[0]
    assert columns.get_xticklabels()[0].get_text() == "K-AVG"


def test_one_replica_has_no_contours():
    figure = draw_sweep(some_points(R=1), SweepView(), F)
    assert not outlines(figure.axes[0])
    assert "truly" not in figure.get_suptitle()


def test_the_caption_says_what_the_contours_of_times_compare():
    quantity = name_cost("gradients", Target("F", below=0.1))
    caption = draw_sweep(some_points(), SweepView(), quantity).get_suptitle()
    words = " ".join(caption.split())
    assert "around the truly least mean of the replicas' own times with 95 %" in words
    plain = draw_sweep(some_points(), SweepView(), F).get_suptitle()
    assert "around the truly least mean with 95 %" in " ".join(plain.split())


def test_a_phase_is_undecided_where_replicas_do_not_tell():
    rng = np.random.default_rng(5)
    points = [
        final_value(name, {"K": K, "P": P}, mean + rng.normal(0, 0.1, 16), F)
        for K in (1, 8)
        for P in (1, 16)
        for name, mean in (("K-AVG", 1.0), ("M-AVG", 3.0 - 2.0 * (K == 8)))
    ]
    figure = draw_sweep(points, SweepView("phase", "K", "P"), F)
    assert "undecided" in legend_names(figure)
    hatched = [c for c in figure.axes[0].collections if c.get_hatch() == "////"]
    columns = {path.vertices[:, 0].min() for c in hatched for path in c.get_paths()}
    assert columns == {1.0}
    assert sum(len(c.get_paths()) for c in hatched) == 2


def timed(name, arrivals, above=0.0, T=100):
    """A point whose replicas fall from 1 to ``above`` at their arrivals, by its time to 0.1."""
    curve = np.where(np.arange(T)[:, None] < np.asarray(arrivals), 1.0, above)
    return time_value(name, {"K": 1, "P": 4}, measure_time(np.arange(T), curve, 0.1))


def phase_of(*points):
    quantity = PlottedQuantity("rounds until F <= 0.1")
    _, names, (chart,) = arrange_phases(points, ("K", "P"), None, quantity, 0.95)
    return names[chart.winner[0, 0]], bool(chart.decided[0, 0])


def test_a_phase_is_decided_by_the_times_of_the_means_not_of_the_replicas():
    # Six replicas of the faster one never arrive by themselves, and their mean does.
    r = np.arange(16)
    slow, fast = timed("K-AVG", 30 + r % 3), timed("M-AVG", 10 + r % 3, 0.12 * (r < 6))
    assert slow.samples.mean() < fast.samples.mean()
    assert phase_of(slow, fast) == ("M-AVG", True)
    # Against five others the interval that is known is too narrow for the level.
    others = [timed(f"rule {i}", 30 + r % 3) for i in range(5)]
    assert phase_of(fast, *others[:4]) == ("M-AVG", True)
    assert phase_of(fast, *others) == ("M-AVG", False)


def test_a_method_that_may_have_arrived_sooner_leaves_a_phase_undecided():
    noise = 0.105 + 0.05 * np.random.default_rng(2).standard_normal(16)
    late, open_ = timed("K-AVG", np.full(16, 60)), timed("M-AVG", np.full(16, 40), noise)
    assert open_.has_failed
    assert phase_of(late, open_) == ("K-AVG", False)
    never = timed("M-AVG", np.full(16, 40), np.full(16, 0.5))
    assert phase_of(late, never) == ("K-AVG", True)


def test_speed_ups_divide_the_times_of_each_algorithm():
    rounds = np.arange(60)
    noise = np.random.default_rng(1).normal(1.0, 0.01, 16)
    points = []
    for P in (1, 4):
        for gamma, slow in ((0.1, 2.0), (0.2, 1.0)):
            curve = np.exp(-rounds[:, None] * P / (10 * slow)) * noise
            time = measure_time(rounds, curve, 0.1)
            points.append(time_value("M-AVG", {"P": P, "gamma": gamma}, time))
    quantity = PlottedQuantity("rounds to F <= 0.1")
    figure = draw_sweep(points, SweepView("speed-up"), quantity)
    line = figure.axes[0].lines[1]
    assert line.get_xdata().tolist() == [1.0, 4.0]
    np.testing.assert_allclose(line.get_ydata(), [1.0, 4.0], rtol=0.05)


def test_a_sweep_that_varies_nothing_has_no_figure(tmp_path):
    points = some_points(gammas=(0.1,), mus=(0.0,))
    assert write_sweep_figures(points, F, tmp_path, "tuning") == []
    paths = write_sweep_figures(some_points(), F, tmp_path, "tuning")
    assert [path.name for path in paths] == ["tuning.png", "tuning.svg"]
    again = write_sweep_figures(some_points(), F, tmp_path / "again", "tuning")
    assert [a.read_bytes() for a in paths] == [b.read_bytes() for b in again]


def test_settings_that_are_lists_are_compared_as_text():
    points = [final_value("a", {"spectrum": s}, [1.0, 2.0], F) for s in ([1, 2], [1, 3])]
    figure = draw_sweep(points, SweepView(), F)
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert labels == ["[1, 2]", "[1, 3]"]
