"""``kavg diff``: the settings, the machines and the first round in which two runs differ."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.run_folder import change_environment, renew_manifest
from helpers.settings import write_settings

from kavg.version import __version__


@pytest.fixture(autouse=True)
def here(empty, no_figures):
    """An empty folder with one settings file; no launcher, no figures."""
    write_settings(empty / "my.toml", rounds=12, record={"every": 5})
    return empty


def test_the_same_run_twice(call, run):
    run("a")
    run("b")
    code, out, _ = call("diff", "a", "b")
    assert code == 0
    assert out.splitlines()[-1] == "same bits"
    assert out.count("same bits in 4 rounds and 3 replicas in common") == 2


def test_settings_machine_and_the_first_round(call, run):
    run("a")
    run("b", "--set", "algorithm.M-AVG.outer.mu=0.25", "--set", "rounds=10")
    change_environment(Path("b"), machine="sparc")
    code, out, _ = call("diff", "a", "b")
    said = out.splitlines()
    assert (code, said[-1]) == (1, "different")
    assert said[:2] == [
        "settings  rounds: 12 and 10",
        "settings  algorithm.1.outer.mu: 0.5 and 0.25",
    ]
    assert any(line.startswith("machine   machine: ") and "sparc" in line for line in said)
    assert "K-AVG: same bits in 3 rounds and 3 replicas in common" in said
    assert any(
        line.startswith("M-AVG: first difference at round 5, F of replica 0: ") for line in said
    )
    assert "M-AVG: F at round 10: up to " in out
    assert "first minus second " in out


def test_what_another_machine_lets_expect(call, run):
    run("a")
    same, other = (
        "the same bits, which do not depend on the processor",
        "last bits may differ, as they",
    )
    untried = "the same bits, but not everywhere tried: machine"
    simd = f"{other} depend on SIMD extensions"
    arithmetic = "other numbers are possible, as the two runs have different arithmetic"
    for changes, expected in (
        ({"cores": 99}, None),
        ({"processor": "another", "blas": "none"}, same),
        ({"processor": "another", "machine": "sparc"}, untried),
        ({"simd": "none", "same_bits": "one kind of machine"}, simd),
        ({"simd": "none", "same_bits": ["any machine"]}, simd),
        ({"ranks": 3, "mpi": "another"}, None),
        ({"ranks": 3, "processor": "another"}, same),
        ({"machine": "sparc", "versions": {"kavg": "0"}}, f"{other} depend on kavg"),
        ({"arithmetic": 1}, arithmetic),
    ):
        change_environment(run("b", "--force"), **changes)
        code, out, _ = call("diff", "a", "b")
        said = [line for line in out.splitlines() if line.startswith("expected")]
        assert (code, said) == (0, [f"expected  {expected}"] if expected else [])
    run("b", "--force", "--set", "seed=2")
    change_environment(Path("b"), processor="another")
    assert "expected" not in call("diff", "a", "b")[1]
    change_environment(Path("b"), arithmetic=1)
    assert f"expected  {arithmetic}" in call("diff", "a", "b")[1]


def test_a_plain_mean_depends_on_the_ranks_and_their_mpi(call, run):
    ranks = "last bits may differ, as they depend on ranks"
    plain = ["--set", "mean=allreduce"]
    for name in ("a", "b"):
        change_environment(run(name, *plain), ranks=3, mpi="MPICH 4")
    for changes, expected in (
        ({"mpi": "MPICH 5"}, ranks),
        ({"mpi": "MPICH 4", "ranks": 2}, ranks),
        ({"processor": "another"}, ranks),
        ({"ranks": 3}, "the same bits, which do not depend on the processor"),
        ({"mpi": "MPICH 5", "same_bits": "unknown"}, f"{ranks[:-5]}processor, ranks"),
    ):
        change_environment(Path("b"), **changes)
        assert f"expected  {expected}\n" in call("diff", "a", "b")[1]
    for name in ("a", "b"):
        change_environment(Path(name), ranks=1, processor="one", mpi=name)
    assert "expected" not in call("diff", "a", "b")[1]


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("machine", {"machine": "sparc"}),
        ("numpy", {"versions": {"numpy": "1.0", "kavg": __version__}}),
    ],
)
def test_diff_and_verify_agree_on_what_the_bits_depend_on(call, run, name, facts):
    run("a")
    change_environment(run("b"), **facts)
    renew_manifest(Path("b"))
    untried = f"expected  the same bits, but not everywhere tried: {name}\n"
    assert untried in call("diff", "a", "b")[1]
    said = " ".join(call("verify", "b", "-q")[1].split())
    assert f"environment {name} " in said
    assert "): the same bits are expected, but not everywhere tried" in said
    assert "may differ" not in said


def test_a_run_of_several_parts_is_one_line(call, run):
    run("a")
    assert call("resume", "a", "--rounds", "15", "-q")[0] == 0
    run("b", "--set", "rounds=15")
    code, out, _ = call("diff", "a", "b")
    assert (code, out.count("machine   ")) == (0, 1)
    assert out.startswith("machine   sessions: 2 and 1\n")


def test_algorithms_of_one_side_only(call, run):
    run("a")
    run("b", "--set", "algorithm.1.name=other", "--set", "algorithm.0.K=3")
    code, out, _ = call("diff", "a", "b")
    assert code == 1
    assert "M-AVG: only in the first\n" in out
    assert "other: only in the second\n" in out


def test_more_replicas_begin_with_the_same(call, run):
    run("a")
    run("b", "--set", "replicas=5")
    code, out, _ = call("diff", "a", "b")
    assert code == 1
    assert out.count("same bits in 4 rounds and 3 replicas in common") == 2
    assert out.count("replicas: 3 and 5") == 3


def test_one_replica_gives_no_interval(call, run):
    run("a", "--set", "replicas=1")
    run("b", "--set", "replicas=1", "--set", "seed=2")
    code, out, _ = call("diff", "a", "b")
    assert code == 1
    assert "no confidence interval" in out


def test_settings_need_not_load_any_more(call, run):
    run("a")
    folder = run("b")
    (folder / "config.toml").write_text("objective = 3\nnew = [1, { a = 2 }]")
    code, out, _ = call("diff", "a", "b")
    assert code == 0
    assert "settings  new.1.a: 'nothing' and 2\n" in out


@pytest.mark.parametrize("damage", ["gone", "no settings", "deep settings", "bad arrays"])
def test_unreadable_runs_are_refused(call, run, damage):
    run("a")
    if damage != "gone":
        folder = run("b")
        if damage == "no settings":
            (folder / "config.toml").unlink()
        if damage == "deep settings":
            (folder / "config.toml").write_text(
                "a = " + "[" * 300 + "]" * 300 + "\nb." + "c." * 99 + "d = 1"
            )
        if damage == "bad arrays":
            (folder / "trajectory.npz").write_bytes(b"PK")
    code, out, err = call("diff", "a", "b")
    if damage == "deep settings":
        assert code == 0
    else:
        assert (code, out, err.count("\n")) == (2, "", 1)
