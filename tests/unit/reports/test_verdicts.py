"""The table of verdicts: outcomes, numbers, and each shared reason once."""

from __future__ import annotations

import json

import numpy as np

from kavg.analysis.bounds import BOUNDS
from kavg.analysis.bounds.setting import BoundValue
from kavg.analysis.estimate import Estimate
from kavg.analysis.verdict import Outcome, Verdict
from kavg.reports.verdicts import WIDTH, verdict_table, verdicts_json

WHY = "a theorem that is about something else, as this long reason says in more than a line of it"


def a_verdict(algorithm="K-AVG", bound=BOUNDS[0], reason=WHY):
    return Verdict(algorithm, bound, Outcome.NOT_APPLICABLE, reason, (), np.nan, None, None, None,
                   np.nan, ())  # fmt: skip


def a_decision(algorithm="K-AVG", bound=BOUNDS[0], reason=""):
    ratio = Estimate(*map(np.asarray, (0.5, 0.4, 0.6)), 0.95, 8)
    value = BoundValue(1.0, 1.0, 0.0)
    return Verdict(algorithm, bound, Outcome.HOLDS, reason, (), 0.1, ratio, value, ratio, 0.01, ())


def lines_of(*verdicts):
    return verdict_table(verdicts, level=0.05).splitlines()


def test_a_reason_that_rows_share_is_printed_once_and_referred_to():
    rows = [a_decision(), a_verdict(bound=BOUNDS[1]), a_verdict(bound=BOUNDS[2], reason="rare")]
    rows += [a_decision("M-AVG"), a_verdict("M-AVG", BOUNDS[1])]
    lines = lines_of(*rows)
    assert [line.split()[0] for line in lines if line.endswith("see note 1")] == [
        BOUNDS[1].name
    ] * 2
    assert f"note 1:  {WHY}" in lines
    assert "\n".join(lines).count(WHY) == 1
    assert sum(line.endswith("NOT APPLICABLE  rare") for line in lines) == 1
    assert lines[-1] == "2 HOLDS, 3 NOT APPLICABLE"


def test_numbers_stand_in_their_own_rows_and_a_reason_beside_them():
    numbers = "0.500 [0.400, 0.600] of 2 = 1 + 1 + 0"
    lines = lines_of(a_decision(reason="because"), a_decision(bound=BOUNDS[1]))
    assert sum(line.endswith(f"{numbers}; because") for line in lines) == 1
    assert sum(line.endswith(numbers) for line in lines) == 1
    assert not any("note" in line for line in lines)
    shared = lines_of(*(a_decision(bound=bound, reason="because") for bound in BOUNDS))
    assert sum(line.endswith(f"{numbers}; see note 1") for line in shared) == len(BOUNDS)
    assert "note 1:  because" in shared


def test_an_algorithm_without_any_theorem_takes_one_row():
    lines = lines_of(*(a_verdict(bound=bound) for bound in BOUNDS))
    start = f"  all {len(BOUNDS)} bounds"
    (row,) = (line for line in lines if line.startswith(start))
    assert " ".join(lines).count("theorem that is about") == 1
    assert "NOT APPLICABLE  a theorem that is" in row
    assert not any("note 1" in line for line in lines)
    assert max(map(len, lines)) <= WIDTH


def test_the_values_for_json_hold_every_reason():
    facts = verdicts_json([a_verdict(), a_decision()], level=0.05, rounds=3, replicas=8)
    first, second = json.loads(json.dumps(facts, allow_nan=False))["verdicts"]
    assert (first["reason"], first["ratio"], first["p"]) == (WHY, None, None)
    assert second["ratio"] == {"mean": 0.5, "low": 0.4, "high": 0.6}
