"""Pictures: they save under any names and values, say what they show, and read in grey."""

from __future__ import annotations

import sys
from itertools import combinations

import numpy as np
import pytest

from kavg.errors import KavgError
from kavg.reports.figures.style import COLOURS
from kavg.trajectory import AXES, Trajectory

pytest.importorskip("matplotlib")
from kavg.reports.figures import save, trajectory_figure

HOSTILE = [
    "",
    "_hidden",
    "$x_",
    "$\\frac{$",
    "中文 \U0001f600",
    "a\nb\t\x1b[0m\ud800",
    "long " * 60,
    "x" * 500,
]


def a_run(name="K-AVG", R=12, rounds=40, diverged_at=None, floor=0.01, **series):
    n = np.arange(rounds + 1)
    noise = np.random.default_rng(1).gamma(5.0, 0.2, size=(rounds + 1, R))
    decay = (np.exp(-n / 8) + floor)[:, None] * noise
    series = {"F": decay, "grad_norm2": decay**2, "dispersion": decay * (n > 0)[:, None]} | series
    if diverged_at is not None:
        growth = np.exp(np.minimum(n**2.0, 700))[:, None]
        with np.errstate(over="ignore"):
            series = {key: x * growth * growth for key, x in series.items()}
        for x in series.values():
            x[-1, 0] = np.nan
    w = np.zeros((R, 2))
    return Trajectory(name, 4, 2, 1, n, series, w, w, n / 10, diverged_at)


def test_files_are_whole_and_repeatable(tmp_path):
    runs = [a_run(), a_run("M-AVG", floor=0.03)]
    png, svg = save(trajectory_figure(runs), tmp_path / "figures", "fig")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text(encoding="utf-8").rstrip().endswith("</svg>")
    again = save(trajectory_figure(runs), tmp_path / "again", "fig")
    assert [path.read_bytes() for path in again] == [png.read_bytes(), svg.read_bytes()]
    assert sorted(path.name for path in png.parent.iterdir()) == ["fig.png", "fig.svg"]


def test_a_failed_save_leaves_the_old_picture(tmp_path):
    (tmp_path / "fig.png").write_text("old")
    figure = trajectory_figure([a_run()])
    figure.savefig = lambda file, **_: file.write(b"half") and 1 / 0
    with pytest.raises(ZeroDivisionError):
        save(figure, tmp_path, "fig")
    assert [path.name for path in tmp_path.iterdir()] == ["fig.png"]
    assert (tmp_path / "fig.png").read_text() == "old"


@pytest.mark.parametrize("axis", AXES)
def test_axes_are_named(axis):
    figure = trajectory_figure([a_run()], axis=axis)
    assert len(figure.axes) == 3
    for panel in figure.axes:
        assert panel.get_ylabel()
        assert axis.rstrip("s")[:4] in panel.get_xlabel() or axis == "seconds"


def test_lines_are_the_means_and_bands_hold_them():
    run = a_run(floor=1.0)
    panel = trajectory_figure([run], axis="rounds", quantities=["F"]).axes[0]
    line = panel.lines[-1]
    np.testing.assert_array_equal(line.get_xdata(), run.rounds)
    np.testing.assert_allclose(line.get_ydata(), run.F.mean(axis=1))
    assert len(panel.collections) == 1
    assert panel.get_yscale() == "linear"


def test_replicas_are_drawn_only_when_few():
    assert len(trajectory_figure([a_run(R=8)], quantities=["F"]).axes[0].lines) == 9
    assert len(trajectory_figure([a_run(R=9)], quantities=["F"]).axes[0].lines) == 1
    assert len(trajectory_figure([a_run(R=1)], quantities=["F"]).axes[0].lines) == 1


def test_scales_and_the_zero_of_dispersion():
    figure = trajectory_figure([a_run(F=np.geomspace(1, 1e-4, 41)[:, None] * np.ones(12))])
    assert [panel.get_yscale() for panel in figure.axes] == ["log", "log", "log"]
    line = figure.axes[2].lines[-1].get_ydata()
    assert np.isnan(line[0])
    assert np.isfinite(line[1:]).all()


def test_a_diverged_run_does_not_set_the_scale_and_is_named():
    calm, bad = a_run(), a_run("bad", diverged_at=40)
    figure = trajectory_figure([calm, bad])
    for with_bad, alone in zip(figure.axes, trajectory_figure([calm]).axes, strict=True):
        assert with_bad.get_ylim() == alone.get_ylim()
    assert figure.legends[0].get_texts()[1].get_text() == "bad (diverged at round 40)"


def test_curves_end_just_outside_the_axes():
    # Renderers fail on paths that run off by many decades.
    for panel in trajectory_figure([a_run(), a_run("bad", diverged_at=40)]).axes:
        low, high = panel.get_ylim()
        room = (1 + 1e-9) * (high - low)
        lowest = low / 10.1 if panel.get_yscale() == "log" else low - room
        for line in panel.lines:
            assert np.nanmax(line.get_ydata()) <= high + room
            assert np.nanmin(line.get_ydata()) >= lowest


@pytest.mark.parametrize(
    "runs",
    [
        [a_run(name) for name in HOSTILE],
        [a_run(R=1), a_run(R=1, rounds=0)],
        [a_run(rounds=0)],
        [a_run(diverged_at=40)],
        [a_run(diverged_at=40, R=3), a_run(R=3)],
        [a_run(**dict.fromkeys(("F", "grad_norm2", "dispersion"), np.zeros((41, 12))))],
        [a_run(F=np.full((41, 12), np.nan), grad_norm2=np.full((41, 12), np.inf))],
        [
            a_run(
                F=np.full((41, 12), 1e308),
                grad_norm2=np.geomspace(1e-320, 1e300, 492).reshape(41, 12),
            )
        ],
        [a_run(F=-np.ones((41, 12)))],
        [a_run(**{"odd $ 中": np.ones((41, 12))}), a_run("without")],
        [a_run(f"algorithm {i}") for i in range(20)],
    ],
    ids=["names", "one", "point", "bad", "few", "zero", "nan", "huge", "negative", "extra", "many"],
)
def test_hostile_runs_make_pictures_without_warnings(runs, tmp_path):
    png, svg = save(trajectory_figure(runs), tmp_path, "fig")
    assert png.stat().st_size > 5000
    assert svg.stat().st_size > 5000


def test_colours_differ_in_lightness():
    def lightness(colour):
        rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        Y = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92) @ [
            0.2126,
            0.7152,
            0.0722,
        ]
        return 116 * np.cbrt(Y) - 16 if Y > 0.0089 else 903.3 * Y

    gaps = [abs(lightness(a) - lightness(b)) for a, b in combinations(COLOURS, 2)]
    assert min(gaps) > 10


def test_wrong_arguments_are_refused(monkeypatch, tmp_path):
    with pytest.raises(KavgError, match="no axis 'epochs'"):
        trajectory_figure([a_run()], axis="epochs")
    with pytest.raises(KavgError, match=r"quantities must be one or more of F, .*, got \['loss'\]"):
        trajectory_figure([a_run()], quantities=["loss"])
    with pytest.raises(KavgError, match="stem"):
        save(trajectory_figure([a_run()]), tmp_path, "a/b")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(KavgError, match=r"pip install 'kavg\[plot\]'"):
        trajectory_figure([a_run()])


@pytest.mark.parametrize("peak", [1e12, 1e99, 1e104, 1e300])
def test_a_run_about_to_diverge_does_not_flatten_the_others_and_is_named(peak):
    growth = np.geomspace(1.0, peak, 41)[:, None] * np.ones(12)
    wild = a_run("wild", F=growth, grad_norm2=growth, dispersion=growth)
    alone = trajectory_figure([a_run()])
    both = trajectory_figure([a_run(), wild])
    assert [p.get_ylim() for p in both.axes] == [p.get_ylim() for p in alone.axes]
    assert both.legends[0].get_texts()[1].get_text() == f"wild (cut: F up to {peak:.0e})"
    # Alone it has nobody to flatten.
    assert trajectory_figure([wild]).axes[0].get_ylim()[1] > min(peak, 1e100) / 2


def test_runs_that_start_apart_or_at_a_minimum_are_no_runaways():
    low = a_run("low", F=np.full((41, 12), 1e-12), dispersion=np.zeros((41, 12)))
    rising = a_run("rising", F=np.linspace(0, 1, 41)[:, None] * np.ones(12))
    for run in (low, rising):
        figure = trajectory_figure([a_run(), run])
        assert figure.legends[0].get_texts()[1].get_text() == run.name
