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


def test_a_reason_why_bounds_do_not_apply_is_printed_once_with_their_names():
    rows = [a_decision(), a_verdict(bound=BOUNDS[1]), a_verdict(bound=BOUNDS[2], reason="rare")]
    rows += [a_decision("M-AVG"), a_verdict("M-AVG", BOUNDS[1]), a_verdict("M-AVG", BOUNDS[3])]
    lines = lines_of(*rows)
    text = " ".join("\n".join(lines).split())
    assert text.count(WHY) == 1
    assert f"NOT APPLICABLE, 3 verdicts: {WHY}" in text
    assert f"{WHY} {BOUNDS[1].name}: K-AVG {BOUNDS[1].name}, {BOUNDS[3].name}: M-AVG" in text
    assert sum(line.endswith("NOT APPLICABLE  rare") for line in lines) == 1
    assert lines[-1] == "2 HOLDS, 4 NOT APPLICABLE"


def test_numbers_stand_in_their_own_rows_and_a_reason_beside_them():
    numbers = "0.500 [0.400, 0.600] of 2 = 1 + 1 + 0"
    lines = lines_of(a_decision(reason="because"), a_decision(bound=BOUNDS[1]))
    assert sum(line.endswith(f"{numbers}; because") for line in lines) == 1
    assert sum(line.endswith(numbers) for line in lines) == 1
    assert not any("note" in line for line in lines)
    shared = lines_of(*(a_decision(bound=bound, reason="because") for bound in BOUNDS))
    assert sum(line.endswith(f"{numbers}; see note 1") for line in shared) == len(BOUNDS)
    assert "note 1:  because" in shared


def test_algorithms_without_any_theorem_take_two_lines_in_all():
    names = ("K-AVG", "M-AVG", "a" + chr(0x202E))
    lines = lines_of(*(a_verdict(name, bound) for name in names for bound in BOUNDS))
    assert lines.count("  no bound applies") == 3
    text = " ".join("\n".join(lines).split())
    assert text.count("theorem that is about") == 1
    assert f"NOT APPLICABLE, {3 * len(BOUNDS)} verdicts: {WHY}" in text
    assert f"  all {len(BOUNDS)} bounds: K-AVG, M-AVG, a\\u202e" in lines
    assert max(map(len, lines)) <= WIDTH


def test_the_values_for_json_hold_every_reason():
    facts = verdicts_json([a_verdict(), a_decision()], level=0.05, rounds=3, replicas=8)
    first, second = json.loads(json.dumps(facts, allow_nan=False))["verdicts"]
    assert (first["reason"], first["ratio"], first["p"]) == (WHY, None, None)
    assert second["ratio"] == {"mean": 0.5, "low": 0.4, "high": 0.6}
