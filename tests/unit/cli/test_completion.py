"""Completions for a shell: run folders, settings files, places of ``--set``, choices."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from kavg.cli.commands.list import Section
from kavg.cli.entry_point import COMPLETION, main
from kavg.cli.plots.options import Axis
from kavg.config.advice import all_keys
from kavg.config.kinds import FAMILIES
from kavg.config.places import setting_places
from kavg.config.settings_file import EXAMPLE
from kavg.trajectory import AXES


@pytest.fixture
def here(empty):
    """Settings files, run folders and others."""
    (empty / "my.toml").write_text(EXAMPLE)
    (empty / "deep").mkdir()
    (empty / "deep" / "more.toml").touch()
    for name in ("runs/one", "runs/other", "runs/half", "runs/a b", "elsewhere"):
        (empty / name).mkdir(parents=True)
    for name in ("runs/one", "runs/a b", "elsewhere"):
        (empty / name / "summary.json").touch()
    (empty / "runs/half/checkpoints").mkdir()
    return empty


@pytest.fixture
def complete(monkeypatch, capsys):
    """``complete("kavg", "re")``: what bash is offered for the last word."""

    def complete(*words):
        monkeypatch.setenv(COMPLETION, "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        assert said.err == ""
        assert left.value.code == 0
        return said.out.split()

    return complete


def test_commands_and_options_are_offered(complete):
    assert complete("kavg", "re") == ["resume"]
    assert complete("kavg", "ver") == ["verify"]
    assert "--until-decided" in complete("kavg", "check", "my.toml", "--un")


@pytest.mark.parametrize("command", ["run", "bounds", "exact", "check"])
def test_settings_files_are_offered(here, complete, command):
    assert {"my.toml", "deep/more.toml"} <= set(complete("kavg", command, ""))
    assert complete("kavg", command, "de") == ["deep/more.toml"]


@pytest.mark.parametrize("command", ["resume", "plot", "verify", "diff runs/one"])
def test_run_folders_are_offered_and_no_others(here, complete, command):
    words = ["kavg", *command.split()]
    # A name with a blank would need quotes, which bash does not add.
    assert complete(*words, "") == ["elsewhere", "runs/half", "runs/one"]
    assert complete(*words, "runs/o") == ["runs/one"]
    assert complete(*words, "els") == ["elsewhere"]
    assert complete(*words, "nowhere/x") == []


def test_check_completes_settings_files_and_run_folders(here, complete):
    assert complete("kavg", "check", "") == [
        "deep/more.toml", "my.toml", "elsewhere", "runs/half", "runs/one",
    ]  # fmt: skip


def test_places_are_those_of_the_settings_file(here, complete):
    algorithm = complete("kavg", "run", "my.toml", "--set", "algorithm.M")
    keys = ("P", "K", "gamma", "outer.kind", "outer.mu", "outer.alpha", "name", "optimizer.kind")
    assert algorithm[: len(keys)] == [f"algorithm.M-AVG.{key}=" for key in keys]
    assert algorithm[-1] == "algorithm.M-AVG.restart="
    objective = complete("kavg", "check", "my.toml", "-s", "objective.d")
    assert objective == ["objective.dim="]


@pytest.mark.parametrize("text", [b"", b"a = [", b"\xff", b"[" * 100_000, None])
def test_without_a_readable_settings_file_all_kinds_are_offered(here, complete, text):
    (here / "my.toml").unlink()
    if text is not None:
        (here / "my.toml").write_bytes(text)
    places = complete("kavg", "run", "my.toml", "--set", "o")
    assert {"objective.dim=", "objective.data.kind=", "oracle.nu="} <= set(places)


def test_a_pipe_is_not_waited_for(here, complete):
    (here / "my.toml").unlink()
    os.mkfifo(here / "my.toml")
    assert "rounds=" in complete("kavg", "run", "my.toml", "--set", "r")


def test_choices_are_offered(complete):
    assert complete("kavg", "plot", "x", "--axis", "s") == ["steps", "seconds"]
    assert complete("kavg", "list", "o") == ["objectives", "oracles", "outer", "optimizers"]


def test_choices_are_those_of_the_library():
    assert tuple(Axis) == tuple(AXES)
    assert tuple(Section) == ("all", *FAMILIES, "methods")


@pytest.mark.parametrize("word", ["nonsense", "complete_nonsense", "complete_bash", ""])
def test_a_wrong_completion_request_prints_no_error(monkeypatch, capsys, word):
    monkeypatch.setenv(COMPLETION, word)
    monkeypatch.delenv("COMP_WORDS", raising=False)
    monkeypatch.setattr(sys, "argv", ["kavg"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == ""


# Places


def test_every_place_that_is_offered_is_a_key_of_some_table_and_every_key_is_offered():
    known = all_keys()
    places = setting_places(
        {"start": {}, "algorithm": [{"gamma": {}, "K": {}}], "oracle": {"noise": {}}}
    )
    keys = {part for place in places for part in place.split(".")} - {"*", "0"}
    assert keys == known


def test_algorithms_are_selected_by_name_or_number():
    tables = {"algorithm": [{"name": "A"}, {}, {"name": "with.dot"}, "no table", {"name": " "}]}
    places = [place for place in setting_places(tables) if place.endswith(".K")]
    selectors = [place.removeprefix("algorithm").removesuffix(".K") for place in places]
    assert selectors == [".*", ".A", ".1", '["with.dot"]', ".2", ".4"]


def test_a_name_that_needs_quotes_is_completed_as_bash_reads_it(here, complete):
    (here / "my.toml").write_text(EXAMPLE.replace('"M-AVG"', '"M-AVG, mu = 0.5"'))
    assert 'algorithm\\[\\"M-AVG,\\' in complete("kavg", "run", "my.toml", "--set", "algorithm")


# Real shells


def shell_offers(name, script, folder):
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"there is no {name}")
    bin_folder = os.path.dirname(sys.executable)
    job = subprocess.run(
        [path, "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PATH": f"{bin_folder}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert job.stderr == ""
    return job.stdout.split()


def test_bash_loads_the_script_and_asks(here):
    script = """
        source <(_KAVG_COMPLETE=source_bash kavg)
        COMP_WORDS=(kavg resume runs/o) COMP_CWORD=2
        _kavg_completion kavg
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    assert shell_offers("bash", script, here) == ["runs/one"]


def test_fish_loads_the_script_and_asks(here):
    script = '_KAVG_COMPLETE=source_fish kavg | source; complete -C "kavg resume runs/o"'
    assert shell_offers("fish", script, here) == ["runs/one"]


def test_zsh_loads_the_script(here):
    script = """
        autoload -U compinit; compinit -u
        eval "$(_KAVG_COMPLETE=source_zsh kavg)"
        _TYPER_COMPLETE_ARGS="kavg resume runs/o" _KAVG_COMPLETE=complete_zsh kavg
    """
    assert shell_offers("zsh", script, here) == ["_arguments", "'*:", ':(("runs/one"))\'']
