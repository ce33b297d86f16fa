"""Names that no file can have are refused before the first round, by any version of pathlib."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.settings import write_settings

QUESTIONS = ("exists", "is_dir", "is_file", "is_symlink")


@pytest.fixture(params=["this pathlib", "one that never raises"])
def pathlib_of_any_version(request, monkeypatch):
    """Python 3.14 answers False where the system answers with an error; earlier ones raise it."""
    if request.param == "one that never raises":
        answers = (os.path.exists, os.path.isdir, os.path.isfile, os.path.islink)
        for question, answer in zip(QUESTIONS, answers, strict=True):
            monkeypatch.setattr(Path, question, lambda self, answer=answer, **_: answer(self))


LONG = {
    "a name": "x" * 256,
    "one that is long in bytes": "é" * 128,
    "one inside": f"runs/{'y' * 300}/run",
    "many parts": "/".join(["z" * 200] * 30),
    "a null": "a\0b",
}


@pytest.mark.usefixtures("pathlib_of_any_version", "no_figures")
@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("command", ["run", "check", "exact"])
def test_an_output_folder_that_cannot_be_is_refused_at_once(call, empty, command, name):
    write_settings(empty / "my.toml", objective={"kind": "quadratic", "spectrum": [1.0]})
    code, out, err = call(command, "my.toml", "--out", LONG[name])
    assert (code, out) == (2, "")
    assert "round" not in err
    assert [path.name for path in empty.iterdir()] == ["my.toml"]


@pytest.mark.usefixtures("pathlib_of_any_version")
@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("command", ["resume", "verify", "check", "plot", "diff", "bounds"])
def test_an_input_that_cannot_be_is_refused_in_one_line(call, empty, command, name):
    words = (command, LONG[name], LONG[name]) if command == "diff" else (command, LONG[name])
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 or err.startswith("Usage")
    assert list(empty.iterdir()) == []
