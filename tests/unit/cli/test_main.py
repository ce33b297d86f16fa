"""The command line: what it says, what it writes, and the code it leaves with."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib

import pytest
from helpers.run_folder import RUN_FILES, list_files, read_digest, read_summary
from helpers.settings import settings_text, write_settings

import kavg
from kavg.cli import entry_point as cli
from kavg.cli import execution as jobs
from kavg.cli import results
from kavg.errors import KavgError
from kavg.mpi.launchers import Launch
from kavg.storage import load_trajectories


@pytest.fixture(autouse=True)
def here(empty, no_figures):
    """An empty folder with one settings file; no launcher, no figures."""
    write_settings(empty / "my.toml", rounds=4)
    return empty


def kavg_command(*words):
    return [sys.executable, "-W", "error", "-m", "kavg", *words]


def process(*words, **variables):
    """The same in a process of its own."""
    paths = [os.path.dirname(os.path.dirname(kavg.__file__)), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        kavg_command(*words),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | variables,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


# run


def test_run_writes_a_folder_and_prints_its_path(call, here):
    code, out, err = call("run", "my.toml")
    assert code == 0
    assert list_files(here) == {"my.toml"} | {f"runs/my/{name}" for name in RUN_FILES}
    digest = read_digest(here / "runs/my")
    assert f"digest  {digest}\nfolder  runs/my\n" in out
    assert "M-AVG" in out
    assert "round 4 of 4" in err


def test_quiet_prints_the_digest_and_the_folder_only(call):
    code, out, err = call("run", "my.toml", "--quiet")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["digest", "folder"]


def test_set_changes_settings_and_out_the_folder(call, here):
    code, *_ = call("run", "my.toml", "-q", "--set", "rounds=2", "--set", "algorithm.*.K=3",
                    "--out", "a/b c")  # fmt: skip
    stored = tomllib.loads((here / "a/b c/config.toml").read_text())
    assert code == 0
    assert (stored["rounds"], [run["K"] for run in stored["algorithm"]]) == (2, [3, 3])
    assert load_trajectories(here / "a/b c")[0].rounds[-1] == 2


def test_the_stored_settings_give_the_same_digest(call, here):
    call("run", "my.toml", "-q", "--set", "replicas=2")
    call("run", "runs/my/config.toml", "-q", "--out", "again")
    assert read_digest(here / "again") == read_digest(here / "runs/my")


def test_an_older_run_is_not_overwritten_without_force(call, here):
    call("run", "my.toml", "-q")
    before = {name: (here / "runs/my" / name).read_bytes() for name in RUN_FILES}
    code, out, err = call("run", "my.toml", "-q", "--set", "seed=2")
    assert (code, out) == (2, "")
    assert err == "kavg: 'runs/my' exists already; use --force to overwrite it, or --out DIR\n"
    assert before == {name: (here / "runs/my" / name).read_bytes() for name in RUN_FILES}
    assert call("run", "my.toml", "-q", "--set", "seed=2", "--force")[0] == 0
    assert before != {name: (here / "runs/my" / name).read_bytes() for name in RUN_FILES}
    assert len(list((here / "runs").iterdir())) == 1


def test_force_does_not_touch_what_kavg_did_not_write(call, here):
    (here / "thesis").mkdir()
    (here / "thesis" / "chapter.tex").write_text("years of work")
    (here / "thesis" / "summary.json").write_text("{}")
    for folder in ("thesis", "my.toml", "."):
        code, _, err = call("run", "my.toml", "--force", "--out", folder)
        assert code == 2
        assert "is not a run folder of kavg and is not overwritten; use --out DIR" in err
    assert list_files(here) == {"my.toml", "thesis/chapter.tex", "thesis/summary.json"}


def test_a_place_that_cannot_be_written_is_refused_before_any_work(call, here, monkeypatch):
    monkeypatch.setattr(jobs, "complete_run", None)
    for folder in ("my.toml/x", "x" * 300):
        code, _, err = call("run", "my.toml", "--out", folder)
        assert code == 2
        assert err.startswith("kavg: cannot write ")
    assert list_files(here) == {"my.toml"}


def test_a_run_that_comes_second_does_not_overwrite_the_first(call, here, monkeypatch):
    honest = jobs.run_algorithms

    def meanwhile(*given, **named):
        (here / "runs/my").mkdir(parents=True)
        (here / "runs/my/other").write_text("first")
        return honest(*given, **named)

    monkeypatch.setattr(jobs, "run_algorithms", meanwhile)
    code, out, _ = call("run", "my.toml", "-q")
    assert code == 0
    assert "folder  runs/my-2\n" in out
    assert (here / "runs/my/other").read_text() == "first"


def test_all_errors_are_reported_once_and_nothing_is_written(call, here):
    (here / "my.toml").write_text(settings_text(rounds=None).replace("K = 2", "tau = 2"))
    code, out, err = call("run", "my.toml", "--set", "algorithm.0.lr=1")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "kavg: my.toml: 6 errors",
        "  rounds: is missing; as in rounds = 200",
        "  algorithm.0.K: is missing; as in K = 8",
        "  algorithm.0.tau: there is no key 'tau' here; use 'K'",
        "  algorithm.0.lr: there is no key 'lr' here; use 'gamma', which is given already: leave "
        "'lr' out",
        "  algorithm.1.K: is missing; as in K = 8",
        "  algorithm.1.tau: there is no key 'tau' here; use 'K'",
    ]
    assert list_files(here) == {"my.toml"}
    assert not (here / "runs").exists()


def test_an_algorithm_that_diverges_is_reported_and_the_others_run(call, here):
    code, out, _ = call("run", "my.toml", "--set", "algorithm.0.gamma=1e120")
    assert code == 0
    facts = read_summary(here / "runs/my")["algorithms"]
    at = facts["K-AVG"]["diverged_at"]
    assert f"diverged at round {at}" in out
    assert facts["M-AVG"]["diverged_at"] is None
    diverged, other = load_trajectories(here / "runs/my")
    assert diverged.rounds[-1] == at - 1
    assert other.rounds[-1] == 4


@pytest.mark.parametrize("name", ["Ünï-中文 平均", "x" * 300, "$\\frac$", "[red]", "a,b", "--set"])
def test_any_readable_name_survives(call, here, name):
    code, *_ = call("run", "my.toml", "--set", f"algorithm.0.name={name}")
    assert code == 0
    assert load_trajectories(here / "runs/my")[0].name == name
    assert name in (here / "runs/my/metrics.csv").read_text(encoding="utf-8")


# Pictures


def test_figures_are_drawn_and_drawn_again(here):
    job = process("run", "my.toml", "-q", MPLBACKEND="Agg")
    assert job.returncode == 0, job.stderr
    figures = here / "runs/my/figures"
    assert list_files(figures) == {"trajectory.png", "trajectory.svg"}
    job = process("plot", "runs/my", "--axis", "gradients", "--out", "new", MPLBACKEND="Agg")
    assert job.returncode == 0, job.stderr
    assert job.stdout.split() == ["new/trajectory.png", "new/trajectory.svg"]
    assert (here / "new/trajectory.png").read_bytes()[:4] == b"\x89PNG"


def test_without_matplotlib_a_run_explains_how_to_get_figures(call, here, monkeypatch):
    monkeypatch.setattr(
        results, "installed_version", lambda name: None if name == "matplotlib" else "1"
    )
    code, out, _ = call("run", "my.toml", "-q")
    assert code == 0
    assert out.endswith("no figure: pip install 'kavg[plot]' draws one\n")
    assert list_files(here / "runs/my") == RUN_FILES


def test_a_picture_that_fails_does_not_cost_the_run(call, here, monkeypatch):
    def fail(*_):
        raise RuntimeError("no fonts")

    monkeypatch.setattr(results, "write_figures", fail)
    code, out, err = call("run", "my.toml", "-q")
    assert code == 0
    assert "folder  runs/my" in out
    assert err == "kavg: no figure: no fonts\n"
    assert list_files(here / "runs/my") == RUN_FILES


def test_plot_refuses_wrong_folders_and_axes(call, here, monkeypatch):
    code, _, err = call("plot", "nowhere")
    assert (code, err.count("\n")) == (2, 1)
    call("run", "my.toml", "-q")
    monkeypatch.undo()
    monkeypatch.chdir(here)
    code, _, err = call("plot", "runs/my", "--out", "my.toml")
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = call("plot", "runs/my", "--axis", "time")
    assert code == 2
    assert "'rounds', 'steps', 'gradients', 'communications'" in err


# Other commands


def test_list_shows_every_kind_with_its_constants(call):
    code, out, _ = call("list")
    assert code == 0
    for family in (kavg.objectives, kavg.oracles, kavg.outer, kavg.schedules, kavg.starts):
        for kind in family.KINDS:
            assert f"  {kind}(" in out
    assert call("list", "starts")[1].startswith("starts\n")
    code, _, err = call("list", "things")
    assert code == 2
    assert "'things' is not one of 'all', 'objectives', 'oracles', " in err


def test_schema_is_json(call):
    code, out, _ = call("schema")
    assert code == 0
    assert "$defs" in json.loads(out)


def test_version_and_help(call):
    assert call("--version") == (0, f"kavg {kavg.__version__}\n", "")
    code, out, err = call("--help")
    assert (code, err) == (0, "")
    for command in ("run", "list", "plot", "schema"):
        assert f"  {command} " in out
        assert call(command, "-h")[0] == 0


@pytest.mark.parametrize(
    "words", [["--wrong"], ["wrong"], ["run"], ["run", "my.toml", "--wrong"], ["run", "a", "b"]]
)
def test_wrong_usage_is_reported_once(call, here, words):
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert err.count("Error: ") == 1
    assert "Traceback" not in err
    assert list_files(here) == {"my.toml"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("sweep my.toml --table xml", "'--table': 'xml' is not one of 'csv', 'parquet'."),
        ("verify runs --sample 1.5", "'--sample': needs a whole number, got '1.5'"),
        ("check runs --level high", "'--level': needs a number, got 'high'"),
    ],
)
def test_a_wrong_value_of_an_option_is_explained_in_words_of_users(call, words, said):
    code, _, err = call(*words.split())
    assert code == 2
    assert err.endswith(f"Error: Invalid value for {said}\n")


def test_no_arguments_is_a_call_for_help(call):
    code, out, err = call()
    assert code == 2
    assert "Usage: " in out + err


@pytest.mark.parametrize("name", ["gone.toml", ".", "\udcff.toml"])
def test_settings_that_cannot_be_read(call, name):
    code, out, err = call("run", name)
    assert (code, out) == (2, "")
    assert err.count("cannot read the settings") == 1


def test_a_crash_shows_its_traceback_once_and_writes_nothing(call, here, monkeypatch):
    def crash(*given, **options):
        raise RuntimeError("a bug")

    monkeypatch.setattr(jobs, "complete_run", crash)
    # Pytest's capture stands in for sys.stderr, not for the real one that abort speaks to.
    monkeypatch.setattr(sys, "__stderr__", real := io.StringIO())
    code, *_ = call("run", "my.toml", "-q")
    assert code == 1
    assert real.getvalue().startswith("kavg: Traceback")
    assert real.getvalue().count("RuntimeError: a bug") == 1
    assert list_files(here) == {"my.toml"}


@pytest.mark.parametrize("variables", [{}, {"PYTHONIOENCODING": "ascii"}])
def test_a_terminal_without_our_characters_costs_nothing(here, variables):
    words = ("--set", "algorithm.0.name=Ünï", "--set", "figures=false", "--out", "ö")
    for quiet in ([], ["-q", "--force"]):
        job = process("run", "my.toml", *words, *quiet, **variables)
        assert job.returncode == 0, job.stderr


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # where JAX is loaded by a test
def test_an_interrupted_run_ends_at_once_and_writes_a_checkpoint(here):
    job = subprocess.Popen(
        kavg_command("run", "my.toml", "--set", "rounds=100000000", "--set", "record.every=1000"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A background job may have been told to ignore SIGINT; its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(kavg.__file__))},
    )  # fmt: skip
    try:
        said = job.stderr.readline()
        began = time.monotonic()
        job.send_signal(signal.SIGINT)
        _, err = job.communicate(timeout=30)
    finally:
        job.kill()
    assert said.startswith("K-AVG")
    assert time.monotonic() - began < 5
    assert job.returncode == 130
    assert (said + err).count("kavg: stopped by SIGINT after round ") == 1
    assert "Traceback" not in err
    (checkpoint,) = list_files(here) - {"my.toml"}
    assert re.fullmatch(r"runs/my/checkpoints/\d{9}\.ckpt", checkpoint)


PATHS = {
    "none": "gone", "empty": "", "long": "x" * 300, "longer": "y/" * 3000, "a file": "note",
    "below a file": "note/run", "an empty folder": "empty", "a device": "/dev/null",
    "no UTF-8": "a\udce4", "of two lines": "a\nb", "a folder without end": "loop",
}  # fmt: skip
READERS = [
    "run",
    "check",
    "bounds",
    "exact",
    "plot",
    "verify",
    "resume",
    "diff my.toml",
    "diff whole",
]


@pytest.mark.parametrize("command", READERS)
def test_a_path_that_leads_nowhere_gets_one_report(call, here, command):
    assert call("run", "my.toml", "-q", "--out", "whole")[0] == 0
    (here / "note").write_text("no settings")
    (here / "empty").mkdir()
    (here / "loop").symlink_to("loop")
    before = sorted(os.walk(here))
    for name, path in PATHS.items():
        if command == "verify" and name.startswith(("empty", "an empty")):
            continue  # of which it says what is missing, and leaves with 1
        code, out, err = call(*command.split(), path)
        assert (code, out) == (2, ""), name
        assert len(re.findall("^(kavg|Error): ", err, re.MULTILINE)) == 1, (name, err)
        assert "Traceback" not in err, name
    assert sorted(os.walk(here)) == before


@pytest.mark.parametrize("command", ["run my.toml", "check my.toml", "exact my.toml", "plot whole"])
def test_a_folder_that_cannot_be_written_gets_one_report(call, here, command):
    assert call("run", "my.toml", "-q", "--out", "whole")[0] == 0
    (here / "note").write_text("no folder")
    (here / "loop").symlink_to("loop")
    before = sorted(os.walk(here))
    for path in ("note", "note/run", "x" * 300, "y/" * 3000, "loop", "loop/run", "/dev/null/run"):
        code, out, err = call(*command.split(), "--out", path)
        assert (code, out, err.count("\n")) == (2, "", 1), (path, err)
    assert sorted(os.walk(here)) == before


@pytest.mark.parametrize(("rank", "says"), [(0, True), (1, False), (None, True)])
def test_copies_that_are_no_ranks_stay_until_one_has_explained(monkeypatch, capsys, rank, says):
    """Some launchers end all copies, by SIGTERM, once one has left."""
    launch = None if rank is None else Launch("Open MPI", "SIZE", 2, rank)
    before, seen = signal.getsignal(signal.SIGTERM), []

    def stay(seconds):
        said, ignored = capsys.readouterr().err, signal.getsignal(signal.SIGTERM)
        seen.append((seconds, said, ignored))

    monkeypatch.setattr(cli.time, "sleep", stay)
    try:
        assert cli._explain_missing_world(KavgError("alone"), launch) == 2
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    words = "kavg: alone\n" if says else ""
    if launch is None:  # nobody else is there
        assert (seen, capsys.readouterr().err) == ([], words)
    else:
        assert seen == [(cli.LINGER, words, signal.SIG_IGN)]
