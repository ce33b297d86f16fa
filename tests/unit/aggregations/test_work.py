"""The gradients of rounds in which not all learners take all steps."""

from dataclasses import replace

import numpy as np
import pytest

import kavg
from kavg import Algorithm, KavgError, aggregations, outer
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.budgets import Budget
from kavg.periods import PiecewisePeriod
from kavg.storage.trajectories import write_trajectories
from kavg.validation import find_mismatch, validate_trajectory

BOWL = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Gaussian(1.0, B=2), 1.0)


def method(law, K=4, P=5, name="one"):
    return Algorithm(P, K, 0.1, outer.Averaging(), name, aggregation=law)


CASES = {
    "all": (method(aggregations.AllLearners()), 20),
    "groups": (method(aggregations.GroupedLearners(2, 5)), 20),
    "two of five": (method(aggregations.SampledLearners(2)), 8),
    "own steps": (method(aggregations.OwnSteps((1, 2, 4, 4, 2))), 13),
    "stragglers": (method(aggregations.Stragglers(2, K_slow=1)), 14),
}


@pytest.mark.parametrize("name", CASES)
def test_a_round_takes_the_steps_of_those_who_take_them(name, tmp_path):
    one, each = CASES[name]
    run = kavg.simulate(BOWL, one, rounds=3)
    expected = 2 * each * np.arange(4)
    assert np.array_equal(run.gradients, expected)
    assert np.array_equal(exact_trajectory(BOWL, one, 3).axis("gradients"), expected)
    write_trajectories(tmp_path / "trajectory.npz", [run])
    assert np.array_equal(kavg.load_trajectories(tmp_path)[0].gradients, expected)
    for amount, rounds in ((6 * each, 3), (6 * each - 1, 2)):
        budget = Budget("gradients", amount)
        assert budget.count_rounds(one, B=2) == budget.find_last_round(run) == rounds


def test_a_period_that_changes_is_counted_for_those_who_take_part():
    one = method(aggregations.SampledLearners(2), K=PiecewisePeriod((1, 4), (1,)))
    assert kavg.simulate(BOWL, one, rounds=3).gradients.tolist() == [0, 4, 20, 36]
    assert Budget("gradients", 20.0).count_rounds(one, B=2) == 2


def test_a_run_of_others_is_not_taken_for_one_of_these():
    one, all_of_them = CASES["two of five"][0], CASES["all"][0]
    run = kavg.simulate(BOWL, one, rounds=3)
    assert find_mismatch(BOWL, one, run) is None
    words = "5 of its learners must take a step, got 2"
    assert find_mismatch(BOWL, all_of_them, run) == words
    with pytest.raises(KavgError, match=words):
        kavg.simulate(BOWL, all_of_them, rounds=5, extends=run)
    for wrong in (0, 6, True, "2", float("nan")):
        with pytest.raises(ValueError, match="its active learners are"):
            validate_trajectory(replace(run, active=wrong))
