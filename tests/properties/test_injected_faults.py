"""Calls that change files, failed or killed: a few cases of ``inject.py``, and its counts."""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from helpers.experiment import experiment
from helpers.launch import run_process

inject = experiment("reliability/inject")
SCRIPT = Path(inject.__file__)
needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or not any(map(shutil.which, ("cc", "gcc", "clang"))),
    reason="needs Linux and a C compiler",
)


@needs_compiler
@pytest.mark.slow
@pytest.mark.timeout(290)
def test_nothing_is_lost_or_left_when_a_call_fails_or_kills():
    job = run_process([sys.executable, SCRIPT, "--jobs", 1, "--only", 24], seconds=280)
    assert job.returncode == 0, job.stdout + job.stderr
    assert "cases = 24, losses = 0, rubbish left = 0" in job.stdout
    assert re.search(r"\n24 of \d{4} drawn cases were run; empty cells: 0\n", job.stdout)


def test_the_cases_are_of_each_command_and_kind_and_the_same_for_a_seed():
    calls = dict.fromkeys(inject.SCENARIOS, 50)
    cases = inject.choose_cases(calls, 3, 1)
    assert len({case[:2] for case in cases}) == 6 * 4
    assert len(cases) == len(set(cases)) == 6 * 4 * 3
    assert cases == inject.choose_cases(calls, 3, 1) != inject.choose_cases(calls, 3, 2)
    assert len(inject.choose_cases(calls, 99, 1)) == 6 * 4 * 50


@pytest.mark.parametrize("rounds", [1, 2, 7])
def test_the_cases_that_the_time_allows_are_spread_evenly(rounds):
    cases = inject.choose_cases({name: 5 + i for i, name in enumerate(inject.SCENARIOS)}, 60, 1)
    counts = Counter(case[:2] for case in cases[: 6 * 4 * min(rounds, 5)])
    assert set(counts.values()) == {min(rounds, 5)}
    assert len(cases) == len(set(cases)) == 4 * sum(range(5, 11))


@pytest.mark.parametrize(
    ("cells", "wrong", "code"), [(24, None, 0), (23, None, 1), (24, "lost", 1), (24, "left", 1)]
)
def test_the_exit_code_is_1_if_anything_is_wrong_or_was_not_tried(
    monkeypatch, capsys, cells, wrong, code
):
    calls = dict.fromkeys(inject.SCENARIOS, 50)
    pairs = [(name, kind) for name in inject.SCENARIOS for kind in inject.KINDS]
    outcomes = [vars(inject.Outcome(*pair, 7)) for pair in pairs[:cells]]
    outcomes[0] |= {wrong: ["a file"]} if wrong else {}
    monkeypatch.setattr(inject, "build", Path)
    monkeypatch.setattr(inject, "run_all", lambda given, library: (calls, outcomes))
    monkeypatch.setattr(sys, "argv", ["inject.py"])
    with pytest.raises(SystemExit) as ended:
        inject.main()
    assert int(ended.value.code) == code
    said = f"{cells} of {24 * 50} drawn cases were run; empty cells: {24 - cells}"
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["lost", "left"])
def test_the_table_counts_what_was_lost_and_left(wrong):
    calls = dict.fromkeys(inject.SCENARIOS, 50)
    outcome = vars(inject.Outcome("plot", "EIO", 7, 2, **{wrong: ["a file"]}))
    lines = list(inject.table(calls, [outcome, vars(inject.Outcome("run", "SIGKILL", 9, -9))], 9))
    counts = "losses = 1, rubbish left = 0" if wrong == "lost" else "losses = 0, rubbish left = 1"
    assert lines[0] == f"cases = 2, {counts}\n"
    (row,) = [line for line in lines if re.match(r"\| plot \| 50 \| EIO", line)]
    assert row.endswith("| 1 | 0 | 1 | 0 |" if wrong == "lost" else "| 1 | 0 | 0 | 1 |")
    assert "plot, EIO at call 7: " in lines[-1]
