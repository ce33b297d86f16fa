"""``kavg plot``: runs of several folders in one figure, and the figures of a sweep."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from helpers.figure_samples import a_run
from helpers.settings import k_avg, m_avg, write_settings

from kavg.storage.manifest import list_changes

pytest.importorskip("matplotlib")
from kavg.cli.plots import drawing
from kavg.reports.figures import save, trajectory_figure

SWEEP = """
seed = 1
rounds = 30
replicas = 4
start = 2.0
figures = false
objective = { kind = "quadratic", spectrum = [0.2, 1.0] }
oracle = { kind = "gaussian", sigma2 = 0.5 }

[[algorithm]]
name = "K-AVG"
P = 2
K = 2
gamma = 0.1
outer = { kind = "averaging" }

[[algorithm]]
name = "M-AVG"
P = 2
K = 2
gamma = 0.1
outer = { kind = "block_momentum", mu = 0.5 }

[sweep.grid]
"algorithm.*.P" = [1, 4]

[sweep.tune]
"algorithm.*.gamma" = [0.05, 0.2, 30.0]
"algorithm.M-AVG.outer.mu" = [0.3, 0.6]

[sweep.target]
quantity = "grad_norm2"
below = 0.2
"""


@pytest.fixture
def here(empty, no_figures, monkeypatch):
    """Two run folders, the second of M-AVG with another K."""
    monkeypatch.setattr(drawing, "write_figure", keep)
    write_settings(empty / "my.toml", rounds=6, algorithm=[k_avg()])
    write_settings(empty / "other.toml", rounds=6, algorithm=[m_avg(K=5)])
    return empty


DRAWN = {}


def keep(draw, stage, stem, formats):
    """Keep the figure and write an empty file, as files are another test's."""
    DRAWN["figure"] = draw()
    for each in formats:
        (stage / f"{stem}.{each}").touch()


def figure():
    return DRAWN.pop("figure")


def names(drawn):
    return [text.get_text() for text in drawn.legends[0].get_texts()]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The folder of a small sweep, run once."""
    from helpers.launch import run_process

    place = tmp_path_factory.mktemp("sweep")
    (place / "s.toml").write_text(SWEEP)
    job = run_process(["kavg", "sweep", "s.toml", "-q", "--out", "swept"], cwd=place)
    assert job.returncode == 0, job.stderr
    return place / "swept"


def test_two_folders_are_one_figure_whose_names_carry_what_differs(call, here):
    for name in ("my", "other"):
        assert call("run", f"{name}.toml", "-q")[0] == 0
    code, out, err = call("plot", "runs/my", "runs/other", "--quantity", "F", "--out", "new",
                          "--width", "column", "--format", "pdf", "--format", "svg",
                          "--title", "Both")  # fmt: skip
    assert (code, err) == (0, "")
    assert out.split() == ["new/trajectory.pdf", "new/trajectory.svg"]
    drawn = figure()
    first, second = names(drawn)
    assert first.startswith("K-AVG, K=")
    assert "K=5" in second
    assert "μ=" in second
    assert len(drawn.axes) == 1
    assert drawn.get_size_inches()[0] == 3.35
    assert drawn.get_suptitle().startswith("Both\nP=")


def test_runs_that_are_alike_are_called_by_their_folders(call, here):
    call("run", "my.toml", "-q")
    call("run", "my.toml", "-q", "--set", "seed=5", "--out", "runs/again")
    assert call("plot", "runs/my", "runs/again", "--out", "new")[0] == 0
    assert [name.split(", ")[-1] for name in names(figure())] == ["my", "again"]


def test_a_target_and_exact_stationary_values_are_lines(call, here):
    bowl = "objective={ kind = 'quadratic', spectrum = [1.0] }"
    call("run", "my.toml", "-q", "--set", bowl, "--set", "oracle={kind='gaussian', sigma2=1.0}")
    words = ["plot", "runs/my", "--quantity", "F", "--target", "0.5", "--floor"]
    code, _, err = call(*words)
    assert (code, err) == (0, "")
    assert names(figure())[1:] == ["target 0.5", "exact stationary value"]
    code, _, err = call("plot", "runs/my", "--target", "0.5")
    assert code == 2
    assert "--target is a value of one quantity" in err


def test_without_a_stationary_value_the_reason_is_said_and_the_figure_drawn(call, here):
    call("run", "my.toml", "-q", "--set", "objective={ kind = 'cosine', dim = 2 }")
    code, _, err = call("plot", "runs/my", "--floor")
    assert code == 0
    assert err.startswith("kavg: K-AVG: no stationary value: exact moments need a Quadratic")
    assert len(names(figure())) == 1


def test_a_figure_of_a_run_is_entered_in_its_manifest(call, here, monkeypatch):
    call("run", "my.toml", "-q")
    code, out, _ = call("plot", "runs/my", "--format", "pdf")
    assert (code, out) == (0, "runs/my/figures/trajectory.pdf\n")
    assert list_changes(here / "runs/my") == []
    (here / "runs/my/figures/trajectory.pdf").write_text("changed")
    assert list_changes(here / "runs/my") != []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("runs/my runs/other", "--out DIR"),
        ("runs/my --kind curves", "are for the folder of a sweep"),
        ("runs/my --stage 1", "are for the folder of a sweep"),
        ("runs/my --quantity loss", "quantities must be one or more of F"),
        ("runs/my --format gif", "Invalid value"),
        ("runs/my --width wide", "Invalid value"),
        ("runs/my nowhere --out new", "there is no 'nowhere'"),
    ],
)
def test_wrong_words_are_reported_and_nothing_is_written(call, here, words, said):
    call("run", "my.toml", "-q")
    call("run", "other.toml", "-q")
    code, out, err = call("plot", *words.split())
    assert (code, out) == (2, "")
    assert said.lower() in err.lower()
    assert not (here / "new").exists()


@pytest.mark.parametrize(
    ("words", "stem", "said"),
    [
        ("--x gamma --y mu", "heat-map", "K-AVG by itself, as it has no μ"),
        ("--kind curves", "curves", "stage 1 of 2, seed 1"),
        ("--kind curves --x gamma --by P", "curves", "least over μ"),
        ("--kind multiples --x gamma --by mu", "multiples", "least over P"),
        ("--kind heat-map --quantity grad_norm2", "heat-map", "hatched: diverged"),
        ("--kind phase --x P --y gamma", "phase", "stage 2 of 2, seed 2"),
        ("--kind speed-up", "speed-up", "seed 2"),
        ("--stage 2 --kind curves --x P --quantity F", "curves", "95 % confidence"),
        ("--stage 2 --kind curves --x P --target 0.5 --axis rounds", "curves", "seed 2"),
    ],
)
def test_a_sweep_is_drawn_by_kind_and_axes(call, here, swept, words, stem, said):
    code, out, err = call("plot", swept, *words.split(), "--out", "new")
    assert (code, err) == (0, "")
    assert out.split() == [f"new/{stem}.png", f"new/{stem}.svg"]
    assert said in figure().get_suptitle().replace("\n", " ")


def test_several_problems_have_a_panel_each(call, here, swept, tmp_path):
    content = json.loads((swept / "sweep.json").read_text())
    shutil.copytree(swept, tmp_path / "copy")
    (tmp_path / "copy/sweep.json").write_text(json.dumps(content | {"problem": ["P"]}))
    assert call("plot", tmp_path / "copy", "--kind", "curves", "--out", "new")[0] == 0
    assert [panel.get_title() for panel in figure().axes] == ["P=1", "P=4"]


def test_a_speed_up_is_that_of_the_judged_times(call, here, swept):
    call("plot", swept, "--kind", "speed-up", "--out", "new")
    winners = json.loads((swept / "sweep.json").read_text())["winners"]
    times = {(w["algorithm"], w["settings"]["P"]): w["time"]["mean"] for w in winners}
    ratio = times["K-AVG", 1] / times["K-AVG", 4]
    panel = figure().axes[0]
    assert panel.lines[1].get_ydata()[1] == pytest.approx(ratio, rel=1e-9)
    assert "speed-up over P = 1" in panel.get_ylabel()


def test_costs_are_named_by_what_they_count(call, here, swept):
    call("plot", swept, "--kind", "curves", "--out", "new")
    assert figure().axes[0].get_ylabel().replace("\n", " ") == "gradients until ‖∇F‖² <= 0.2"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--stage 3", "--stage must be from 1 to 2"),
        ("--kind curves --y mu", "y is for heat-map and phase"),
        ("--x nothing", "no point of the sweep varies 'nothing'"),
        ("--target 1e-3", "use --stage 2"),
        ("--quantity F", "use --stage 2"),
        ("--stage 2 --quantity loss", "one --quantity of F"),
        ("--floor", "--floor is for the folders of runs"),
    ],
)
def test_wrong_words_for_a_sweep_are_reported(call, here, swept, words, said):
    code, out, err = call("plot", swept, *words.split(), "--out", "new")
    assert (code, out) == (2, "")
    assert said in err
    assert not (here / "new").exists()


def test_a_sweep_and_a_run_are_not_drawn_together(call, here, swept):
    call("run", "my.toml", "-q")
    code, _, err = call("plot", swept, "runs/my", "--out", "new")
    assert code == 2
    assert "kavg compare takes several" in err


def test_a_damaged_sweep_gets_one_sentence(call, here, swept, tmp_path):
    import shutil

    copy = Path(shutil.copytree(swept, tmp_path / "copy"))
    content = json.loads((copy / "sweep.json").read_text())
    for broken in ({}, {**content, "points": []}, {**content, "stages": [{}, {}]}):
        (copy / "sweep.json").write_text(json.dumps(broken))
        code, out, err = call("plot", copy, "--out", "new")
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_a_point_that_diverged_has_failed_even_if_it_was_at_the_target_before(call, here):
    text = SWEEP.partition("[sweep.grid]")[0].replace("rounds = 30", "rounds = 150")
    target = """[sweep.grid]
"algorithm.*.gamma" = [0.1, 30.0]

[sweep.target]
quantity = "F"
below = 1e9
rule = "first"
"""
    (here / "s.toml").write_text(text + target)
    code, _, err = call("sweep", "s.toml", "-q", "--out", "swept")
    assert code == 0, err
    assert call("plot", "swept", "--kind", "curves", "--x", "gamma")[0] == 0
    crosses = [line for line in figure().axes[0].lines if line.get_marker() == "x"]
    assert [line.get_xdata().tolist() for line in crosses] == [[30.0], [30.0]]


def test_the_figure_is_the_one_that_is_saved(tmp_path):
    drawing.write_figure(lambda: trajectory_figure([a_run()]), tmp_path, "fig", ["png"])
    (again,) = save(trajectory_figure([a_run()]), tmp_path / "again", "fig", ["png"])
    assert (tmp_path / "fig.png").read_bytes() == again.read_bytes()
