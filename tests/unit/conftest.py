"""The command, called in this process."""

import sys
from pathlib import Path

import pytest
from helpers.launch import LAUNCH_VARIABLES

from kavg.cli import entry_point as cli
from kavg.cli import results


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """An empty folder, which is the current one, and no launcher."""
    monkeypatch.chdir(tmp_path)
    for variable in LAUNCH_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def no_figures(monkeypatch):
    """No run draws its trajectory; ``monkeypatch.undo()`` lets a test draw."""
    monkeypatch.setattr(results, "write_figures", lambda *_: [])


@pytest.fixture
def call(monkeypatch, capsys):
    """``call("run", "my.toml") -> (exit code, stdout, stderr)``."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["kavg", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return call


@pytest.fixture
def run(call):
    """``run("a", ...)``: a finished run of ``my.toml`` in the folder ``a``."""

    def run(folder, *sets):
        assert call("run", "my.toml", "-q", "--out", folder, *sets)[0] == 0
        return Path(folder)

    return run
