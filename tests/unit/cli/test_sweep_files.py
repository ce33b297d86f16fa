"""The files of a sweep, as ``kavg verify --files`` judges them."""

from __future__ import annotations

import pytest
from helpers.sweep import SWEEP, write_sweep

from kavg.storage import manifest

POINT = "runs/my/points/0001"


@pytest.fixture
def here(empty, call):
    """A folder with a sweep of data, written with a folder for each point."""
    (empty / "d.csv").write_text("".join(f"{i % 7},{i % 5},{i % 2}\n" for i in range(40)))
    write_sweep(
        empty / "my.toml",
        objective={"kind": "logistic_regression", "data": "d.csv"},
        oracle={"kind": "minibatch", "B": 4},
        start=0.0,
        sweep={"grid": {"oracle.B": [2, 4]}, "target": SWEEP["target"]},
    )
    assert call("sweep", "my.toml", "-q", "--folders")[0] == 0
    return empty


def test_files_are_checked_without_the_data(call, here):
    (here / "d.csv").unlink()
    assert call("verify", "runs/my", "--files")[:2] == (0, "files        unchanged\n")
    assert call("verify", "runs/my", "-q")[0] == 2
    table = here / "runs/my/points.csv"
    table.write_text(table.read_text().replace("1", "2", 1))
    code, out, _ = call("verify", "runs/my", "--files")
    assert code == 1
    assert "'points.csv' was changed" in out


def test_figures_that_kavg_draws_of_a_point_are_not_strange_files(call, here):
    pytest.importorskip("matplotlib")
    assert call("plot", POINT, "--format", "svg")[0] == 0
    assert (here / POINT / "figures/trajectory.svg").is_file()
    assert call("verify", "runs/my", "--files")[:2] == (0, "files        unchanged\n")
    assert call("check", POINT)[0] == 0
    assert call("verify", "runs/my", "--files")[0] == 0
    (here / POINT / "figures/trajectory.svg").unlink()
    (here / POINT / "figures/mine.svg").write_text("mine")
    code, out, _ = call("verify", "runs/my", "--files")
    assert code == 1
    assert "'points/0001/figures/trajectory.svg' is missing" in " ".join(out.split())
    assert "'points/0001/figures/mine.svg' was added" in " ".join(out.split())


def test_no_manifest_of_a_point_hides_a_change(call, here):
    folder = here / POINT
    with (folder / "config.toml").open("a") as file:
        file.write("\n")
    # As if the point had been written so.
    (folder / manifest.NAME).write_bytes(manifest.build_manifest(folder))
    assert call("verify", POINT, "--files")[0] == 0
    code, out, _ = call("verify", "runs/my", "--files")
    assert code == 1
    assert "'points/0001/config.toml' was changed" in " ".join(out.split())
    (folder / manifest.NAME).write_text("nothing")
    code, out, _ = call("verify", "runs/my", "--files")
    assert code == 1
    assert "'points/0001/manifest.sha256' was changed" in " ".join(out.split())


def test_sweeps_are_drawn_and_compared_without_their_data(call, here):
    pytest.importorskip("matplotlib")
    before = call("compare", "runs/my")[1]
    (here / "d.csv").unlink()
    assert call("compare", "runs/my")[:2] == (0, before)
    assert call("compare", "runs/my", "--target", "fraction=0.5")[0] == 0
    assert call("plot", "runs/my", "--x", "B", "--format", "svg")[0] == 0
