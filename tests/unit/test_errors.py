"""The kinds of KavgError and the exit codes they give a command."""

from __future__ import annotations

import pytest

from kavg.errors import CollectiveError, KavgError, NewerFormat, RunFailed


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KavgError("wrong input"), 2),
        (NewerFormat("format 7"), 2),
        (RunFailed("the disk is full"), 1),
        (CollectiveError("settings differ"), 2),
        (CollectiveError("ranks differ", 1), 1),
    ],
)
def test_each_kind_is_a_kavg_error_with_an_exit_code_of_its_own(error, code):
    assert isinstance(error, KavgError)
    assert error.code == code


def test_only_a_collective_error_is_collective():
    assert not isinstance(KavgError("one rank's own"), CollectiveError)
    assert not isinstance(RunFailed("one rank's own"), CollectiveError)


def test_a_collective_error_keeps_its_message():
    assert str(CollectiveError("the settings differ", 1)) == "the settings differ"
