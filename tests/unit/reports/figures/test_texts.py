"""No text of a figure meets another or leaves the paper, at both widths and whatever is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.figure_samples import LONG, F, a_run, an_estimate, some_points
from helpers.figures import drawn_texts, legend_names, meeting_texts, outer_texts

from kavg.analysis.bounds import BOUNDS
from kavg.analysis.estimate import mean_interval
from kavg.analysis.exact import stability_atlas

pytest.importorskip("matplotlib")
from kavg.reports.figures import (
    Layout,
    ReferenceLine,
    SettingCurve,
    VariedAxis,
    atlas_figure,
    forest_figure,
    speed_up_figure,
    trajectory_figure,
    verdict_figure,
)
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity
from kavg.reports.figures.sweeps.sweep_figure import SweepView, draw_sweep
from kavg.reports.figures.typography import SIZE, fold_to_width, measure_width
from kavg.reports.figures.verdicts import VerdictPanel

N = np.arange(1, 201)
EXTRA = {"a quantity of a very long name indeed, which nobody wanted": np.ones((41, 12))}


def nine_runs():
    return [replace(a_run(floor=0.01 * 2**i), name=f"{LONG} ({i})") for i in range(9)]


def narrow_run():
    """Every quantity within a decade, where a logarithmic axis has many minor ticks."""
    run = a_run()
    flat = 0.021 + 0.004 * np.cos(np.arange(41))[:, None] * np.ones(12)
    return replace(run, series={"F": flat, "grad_norm2": flat / 30, "dispersion": flat / 1e5})


def bounds_of(names=3):
    values = np.outer(np.geomspace(1.0, 5e4, len(BOUNDS)), 100 / N)
    samples = np.outer(1 / N, [1.0, 2.0, 3.0])
    kinds = ("final_gap", "mean_grad_norm2", "mean_grad_norm2_local")
    return [
        VerdictPanel(LONG, kind, N, mean_interval(samples), 5.0, tuple(BOUNDS), values)
        for kind in kinds[:names]
    ]


def speed_ups(layout):
    axis = VariedAxis("P", tuple(2**i for i in range(11)))
    curves = [
        SettingCurve(f"{LONG} ({i})", an_estimate(axis.positions ** (0.3 + 0.1 * i)),
                     np.zeros(11, bool))
        for i in range(6)
    ]  # fmt: skip
    return speed_up_figure(curves, axis, layout)


GAMMAS = tuple(2.0 ** (i / 3) for i in range(-36, 1))
KINDS = {
    "three panels": lambda layout: trajectory_figure([a_run()], layout=layout),
    "narrow": lambda layout: trajectory_figure([narrow_run()], layout=layout),
    "nine": lambda layout: trajectory_figure(nine_runs(), layout=layout),
    "diverged": lambda layout: trajectory_figure(
        [a_run(), a_run("bad", diverged_at=40)], axis="seconds", layout=layout
    ),
    "huge": lambda layout: trajectory_figure(
        [a_run(scale=1e200), a_run(scale=1e-200, R=1)], layout=layout
    ),
    "many rounds": lambda layout: trajectory_figure(
        [a_run(P=4096, K=64, B=32)], axis="gradients", layout=layout
    ),
    "lines": lambda layout: trajectory_figure(
        [a_run(), a_run("M-AVG")],
        quantities=["F", "grad_norm2"],
        lines=[ReferenceLine("F", 1e-3), ReferenceLine("F", 0.02, "exact stationary value", 0)],
        layout=layout,
    ),
    "six quantities": lambda layout: trajectory_figure(
        [replace(a_run(), series=a_run().series | {f"measure_{i}": np.ones((41, 12))
                                                   for i in range(2)} | EXTRA)],
        layout=layout,
    ),
    "one round": lambda layout: trajectory_figure([a_run(rounds=0, R=1)], layout=layout),
    "bounds": lambda layout: verdict_figure(bounds_of(), layout),
    "one bound": lambda layout: verdict_figure(bounds_of(1), layout),
    "atlas": lambda layout: atlas_figure(
        [stability_atlas(K, np.linspace(0.1, 4, 20), np.linspace(0, 0.9, 9)) for K in (1, 2, 3, 4)],
        layout,
    ),
    "curves": lambda layout: draw_sweep(some_points(GAMMAS), SweepView("curves", "gamma"), F,
                                        layout=layout),
    "curves over names": lambda layout: draw_sweep(
        some_points(rule="a") + some_points(rule="b"), SweepView("curves", "rule"), F, layout=layout
    ),
    "one point": lambda layout: draw_sweep(
        some_points((0.1,), (0.0,)), SweepView("curves", "gamma"), F, layout=layout
    ),
    "long label": lambda layout: draw_sweep(
        some_points(mus=(0.0, 0.3, 0.5, 0.7)), SweepView("multiples", "gamma", by="mu"),
        PlottedQuantity("communications until grad_norm2 at 0.05 of its start"), layout=layout
    ),
    "multiples": lambda layout: draw_sweep(
        some_points(mus=(0.0, 0.3, 0.5, 0.7, 0.85, 0.9, 0.95)),
        SweepView("multiples", "gamma", by="mu"), F, layout=layout
    ),
    "heat map": lambda layout: draw_sweep(some_points(GAMMAS), SweepView(), F, layout=layout),
    "one cell": lambda layout: draw_sweep(
        some_points((0.1,), (0.5,))[1:], SweepView("heat-map", "gamma", "mu"), F, layout=layout
    ),
    "phase": lambda layout: draw_sweep(
        some_points(names=[f"{LONG} ({i})" for i in range(9)]), SweepView("phase"), F, layout=layout
    ),
    "speed-up": speed_ups,
    "forest": lambda layout: forest_figure(
        [(f"{LONG} ({i})", an_estimate(1.0 + i, 0.3)) for i in range(9)], "speed-up", layout=layout
    ),
}  # fmt: skip


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("kind", KINDS)
def test_texts_do_not_meet_and_stay_inside(kind, width):
    title = "A title of a figure that is long enough to need a second line in a column"
    figure = KINDS[kind](Layout(width, title, "P=4, B=1"))
    assert figure.get_size_inches()[0] == {"column": 3.35, "page": 6.9}[width]
    texts = drawn_texts(figure)
    assert len(texts) > 5
    assert meeting_texts(texts) == []
    assert outer_texts(figure, texts) == []
    assert {size for _, _, size in texts} == {SIZE}


def test_folding_breaks_at_blanks_and_inside_words_and_cuts():
    folded = fold_to_width("a few words and one_that_is_longer_than_any_line", 1.0)
    lines = folded.split("\n")
    assert "".join(lines).replace(" ", "") == "afewwordsandone_that_is_longer_than_any_line"
    assert all(measure_width(line) <= 1.0 for line in lines)
    cut = fold_to_width("word " * 40, 1.0, 2).split("\n")
    assert len(cut) == 2
    assert cut[1].endswith(" ...")
    assert measure_width(cut[1]) <= 1.0
    assert fold_to_width("", 1.0) == ""
    assert fold_to_width("WWW", 0.01) == "W\nW\nW"


def test_a_name_in_the_legend_is_folded():
    figure = trajectory_figure([a_run("long " * 60)], layout=Layout("column"))
    (name,) = legend_names(figure)
    assert name.count("\n") == 2
    assert name.endswith(" ...")
