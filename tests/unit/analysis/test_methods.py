"""Comparison of methods at an equal budget: readings, pairs, contrasts, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kavg import objectives, oracles, outer
from kavg.analysis.estimate import paired_difference, unpaired_difference
from kavg.analysis.fieller import ratio_interval, unpaired_ratio
from kavg.analysis.methods.arrivals import summarize_arrivals
from kavg.analysis.methods.comparison import (
    ComparisonPlan,
    MethodGroup,
    compare_methods,
    find_baseline,
)
from kavg.analysis.methods.contrast import Side
from kavg.analysis.methods.method import Method, list_noise_differences
from kavg.analysis.targets import compare_times
from kavg.budgets import Clock
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.targets import Target
from kavg.trajectory import Trajectory

PROBLEM = Problem(objectives.Quadratic((1.0, 2.0)), oracles.Gaussian(sigma2=1.0), start=2.0)
NOISE = {"seed": 1, "objective.kind": "quadratic", "oracle.sigma2": 1.0, "data": ""}


def method(label="K-AVG", values=None, *, mu=0.0, rounds=None, noise=NOISE, **changes):
    """A method whose F has these values ``(T, R)``; every round is recorded unless ``rounds``."""
    F = np.asarray([[8.0, 8.0, 8.0], [2.0, 2.2, 2.1]] if values is None else values, float)
    P, K = changes.pop("P", 2), changes.pop("K", 4)
    recorded = np.arange(len(F)) if rounds is None else np.asarray(rounds)
    w = np.zeros((F.shape[1], 2))
    run = Trajectory(
        label, P, K, 1, recorded, {"F": F, "grad_norm2": 2 * F}, w, w, np.zeros(len(F)),
        diverged_at=changes.pop("diverged_at", None),
    )  # fmt: skip
    rule = outer.BlockMomentum(mu) if mu else outer.Averaging()
    algorithm = Algorithm(P=P, K=K, gamma=changes.pop("gamma", 0.1), outer=rule, name=label)
    return Method(label, run, PROBLEM, algorithm, noise, **changes)


def compare(*methods, **plan):
    group = MethodGroup(methods, {})
    return compare_methods([group], ComparisonPlan(**{"quantity": "F", **plan}))[0]


def same(a, b):
    return (a.mean, a.low, a.high, a.level) == (b.mean, b.low, b.high, b.level)


def test_methods_are_read_at_the_largest_budget_that_all_have():
    short = method(values=[[4.0] * 3, [3.0] * 3, [2.0] * 3])
    long = method("M-AVG", values=[[4.0] * 3, [2.5] * 3, [1.5] * 3, [1.0] * 3])
    found = compare(short, long)
    assert found.budget.amount == 16.0
    assert [(each.round, each.used) for each in found.readings] == [(2, 16.0), (2, 16.0)]
    assert [each.samples[0] for each in found.readings] == [2.0, 1.5]


def test_equal_communications_and_equal_gradients_are_other_rounds():
    few = method(K=1, values=[[4.0] * 3, [3.0] * 3, [2.0] * 3, [1.0] * 3, [0.5] * 3])
    many = method("K = 4", K=4, values=[[4.0] * 3, [1.0] * 3, [0.1] * 3])
    assert [each.round for each in compare(few, many).readings] == [4, 1]
    at = compare(few, many, axis="communications")
    assert [each.round for each in at.readings] == [2, 2]
    clock = Clock(step=1.0, communication=2.0)
    timed = compare(few, many, axis="time", clock=clock)
    assert (timed.budget.amount, [each.round for each in timed.readings]) == (12.0, [4, 2])


def test_nothing_is_interpolated_between_recorded_rounds():
    rare = method(values=[[4.0] * 3, [3.0] * 3, [2.0] * 3], rounds=[0, 10, 20])
    often = method("M-AVG", values=np.linspace(4, 1, 26)[:, None] * np.ones(3))
    found = compare(rare, often, amount=8.0 * 15)
    assert [(each.round, each.used) for each in found.readings] == [(10, 80.0), (15, 120.0)]


def test_contrasts_of_shared_noise_are_paired_and_hold_together():
    a = method(values=[[8.0, 8.0, 8.0], [2.0, 3.0, 4.0]])
    b = method("M-AVG", values=[[8.0, 8.0, 8.0], [1.0, 2.1, 2.9]])
    c = method("other", values=[[8.0, 8.0, 8.0], [2.1, 3.0, 3.9]])
    found = compare(a, b, c, level=0.2)
    first, second = found.contrasts
    level = 1 - 0.2 / 4
    assert found.level == pytest.approx(level)
    x, y = b.run.F[-1], a.run.F[-1]
    assert same(first.difference, paired_difference(x, y, found.level))
    assert same(first.ratio, ratio_interval(x, y, found.level))
    assert (first.is_paired, first.replicas, first.side) == (True, (3, 3), Side.LOWER)
    assert second.side is Side.UNDECIDED
    assert compare(b, a).contrasts[0].side is Side.HIGHER


def test_readings_are_pointwise():
    found = compare(method(), method("M-AVG"), level=0.1)
    assert {each.estimate.level for each in found.readings} == {0.9}


def test_the_replicas_that_both_have_are_paired():
    a = method(values=[[8.0] * 5, [2.0, 3.0, 4.0, 50.0, 60.0]])
    b = method("M-AVG", values=[[8.0] * 3, [1.0, 2.1, 2.9]])
    contrast = compare(a, b).contrasts[0]
    assert contrast.replicas == (3, 3)
    assert contrast.difference.mean == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 2}, ["seed"]),
        ({"oracle.sigma2": 2.0, "oracle.nu": 3.0}, ["oracle"]),
        ({"objective.kind": "cosine", "data": "ab"}, ["objective", "data"]),
        ({"seed": True}, ["seed"]),
        ({}, []),
    ],
)
def test_noise_is_shared_only_where_all_it_depends_on_is_the_same(change, words):
    a, b = method(), method("M-AVG", noise=NOISE | change)
    assert list_noise_differences(a, b) == words
    assert compare(a, b).contrasts[0].is_paired is not bool(words)


def test_replicas_of_another_seed_are_independent():
    x, y = [1.0, 2.1, 2.9], [2.0, 3.0, 4.0, 5.0]
    a = method(values=[[8.0] * 4, y])
    b = method("M-AVG", values=[[8.0] * 3, x], noise=NOISE | {"seed": 2})
    found = compare(a, b)
    contrast = found.contrasts[0]
    assert contrast.replicas == (3, 4)
    assert same(contrast.difference, unpaired_difference(x, y, found.level))
    assert same(contrast.ratio, unpaired_ratio(x, y, found.level))


def test_ratios_of_F_are_those_of_its_distance_from_the_infimum():
    wells = Problem(objectives.DoubleWell(dim=1), oracles.Gaussian(sigma2=1.0))
    f_star = wells.objective.f_star.value
    gaps = np.array([[3.0, 3.0, 3.0], [0.2, 0.3, 0.4]])
    a = replace(method(values=f_star + gaps), problem=wells)
    b = replace(method("M-AVG", values=f_star + gaps / 2), problem=wells)
    assert compare(a, b).contrasts[0].ratio.mean == pytest.approx(0.5)
    # Of the squared norm of the gradient, whose infimum is 0 everywhere.
    square = compare(a, b, quantity="grad_norm2").contrasts[0].ratio.mean
    assert square == pytest.approx(np.mean(f_star + gaps[1] / 2) / np.mean(f_star + gaps[1]))


def test_all_groups_hold_together():
    groups = [MethodGroup((method(), method("M-AVG")), {"K": K}) for K in (1, 2, 4)]
    plan = ComparisonPlan("F", target=Target("F", below=5.0))
    found = compare_methods(groups, plan)
    assert [each.level for each in found] == pytest.approx([1 - 0.05 / 9] * 3)


# Divergence


@pytest.mark.parametrize("rounds", [2, 4])
def test_a_method_that_diverged_within_the_budget_is_no_number(rounds):
    wild = method("wild", values=[[8.0] * 3, [80.0] * 3], diverged_at=2)
    found = compare(method(values=[[8.0] * 3] * (rounds + 1)), wild)
    assert found.budget.amount == 8.0 * rounds
    assert found.readings[1].diverged_at == 2
    contrast = found.contrasts[0]
    assert (contrast.difference, contrast.ratio, contrast.side) == (None, None, Side.UNDECIDED)


def test_a_method_that_diverged_later_is_compared_before():
    wild = method("wild", values=[[8.0] * 3, [80.0] * 3], diverged_at=2)
    found = compare(method(values=[[8.0] * 3] * 5), wild, amount=8.0)
    assert found.readings[1].diverged_at is None
    assert found.contrasts[0].side is Side.HIGHER


def test_if_all_diverged_there_is_nothing_to_compare():
    wild = method("wild", values=[[8.0] * 3, [80.0] * 3], diverged_at=2)
    with pytest.raises(KavgError, match=r"every run diverged.*with --at gradients=N"):
        compare(wild, replace(wild, label="other"))


# Targets


def falling(rate, R=12, T=60, seed=0):
    """Curves that fall by a factor a round, with noise that replicas do not share."""
    noise = np.random.Generator(np.random.Philox(seed)).normal(0, 0.05, (T, R))
    return rate ** np.arange(T)[:, None] * np.exp(noise)


def test_speed_up_is_the_time_of_the_baseline_over_that_of_the_method():
    slow, fast = method(values=falling(0.9)), method("fast", values=falling(0.81))
    found = compare(slow, fast, target=Target("F", fraction=0.1), axis="communications")
    assert found.target_value == pytest.approx(0.1 * slow.run.F[0].mean())
    times = [float(each.time.estimate.mean) for each in found.readings]
    assert times == pytest.approx([np.log(0.1) / np.log(0.9), np.log(0.1) / np.log(0.81)], rel=0.05)
    speed_up = found.contrasts[0].speed_up
    assert speed_up.level == found.level
    assert speed_up.low < times[0] / times[1] < speed_up.high
    assert 1.8 < speed_up.low < 2 < speed_up.high < 2.2


def test_times_are_counted_on_the_axis_of_the_budget():
    slow, fast = method(values=falling(0.9)), method("fast", values=falling(0.81))
    rounds = compare(slow, fast, target=Target("F", below=0.1), axis="communications")
    gradients = compare(slow, fast, target=Target("F", below=0.1))
    for a, b in zip(rounds.readings, gradients.readings, strict=True):
        assert float(b.time.estimate.mean) == pytest.approx(8 * float(a.time.estimate.mean))


def test_the_floor_of_a_target_is_the_highest_of_those_compared():
    from kavg.analysis.exact.stationary_values import stationary_values

    a, b = method(values=falling(0.9)), method("M-AVG", mu=0.5, values=falling(0.81))
    found = compare(a, b, target=Target("F", floor=2.0))
    assert found.target_value == pytest.approx(
        2 * max(stationary_values(PROBLEM, each.algorithm)["F"] for each in (a, b)), rel=1e-12
    )


def test_times_of_unequal_numbers_of_replicas_are_not_paired():
    slow, fast = method(values=falling(0.9)), method("fast", values=falling(0.81, R=8, seed=1))
    contrast = compare(slow, fast, target=Target("F", below=0.1)).contrasts[0]
    assert (contrast.is_paired, contrast.is_time_paired) == (True, False)
    times = (contrast.baseline.joint_time, contrast.reading.joint_time)
    assert same(contrast.speed_up, compare_times(*times, paired=False))


def late(R, arrived, at=20, T=41):
    """Replicas of which the first so many fall from 1 to 0 at a round, and the others never."""
    here = np.arange(T)[:, None] >= at + np.arange(R)
    return np.where(here & (np.arange(R) < arrived), 0.0, 1.0)


def test_replicas_that_did_not_arrive_are_censored_at_one_time_for_all():
    some, all_ = method(values=late(8, 6)), method("all", values=late(8, 8, at=30))
    short = method("short", values=late(8, 5, T=31))
    plan = {"target": Target("F", below=0.5, rule="first"), "axis": "communications", "amount": 30}
    readings = compare(some, all_, short, **plan).readings
    found = summarize_arrivals(readings)
    # Rounds 20, 21, ... of the replicas; half of 8 have arrived with the fourth.
    assert [float(each.median.mean) for each in found] == [23, 33, 23]
    assert {each.until for each in found} == {30.0}
    means = [np.minimum(20 + np.arange(6), 30).sum() + 60, 240, sum(range(20, 25)) + 90]
    assert [float(8 * each.mean.mean) for each in found] == means
    assert {each.median.level for each in found} == {0.95}


def test_nothing_is_said_of_single_replicas_where_all_or_none_arrived():
    found = compare(
        method(values=late(8, 8)),
        method("none", values=late(8, 0)),
        method("wild", values=late(8, 3), diverged_at=41),
        target=Target("F", below=0.5, rule="first"),
    )
    assert summarize_arrivals(found.readings) == []


def test_a_method_that_diverged_never_arrives():
    wild = method("wild", values=falling(0.5, T=6), diverged_at=6)
    found = compare(method(values=falling(0.9)), wild, target=Target("F", below=0.5))
    assert found.readings[1].time is None
    assert found.contrasts[0].speed_up is None


def test_the_floor_of_a_sweep_goes_before_those_of_its_winners():
    a, b = method(values=falling(0.9)), method("M-AVG", mu=0.5, values=falling(0.81))
    swept = [replace(each, floors={"F": 0.25}) for each in (a, b)]
    assert compare(*swept, target=Target("F", floor=2.0)).target_value == 0.5


# Refusals


def test_a_budget_beyond_a_run_is_refused():
    with pytest.raises(KavgError, match=r"at most 8, where 'K-AVG' ends, got 16.*kavg resume"):
        compare(method(), method("M-AVG"), amount=16.0)


def test_a_budget_before_the_first_record_is_refused():
    rare = method(values=[[4.0] * 3, [3.0] * 3], rounds=[0, 10])
    with pytest.raises(KavgError, match=r"no recorded round but its start.*its first is at 80"):
        compare(rare, method("M-AVG", values=[[4.0] * 3] * 20), amount=72.0)


def test_a_quantity_that_was_not_recorded_is_refused_with_those_that_were():
    with pytest.raises(KavgError, match=r"'K-AVG' did not record 'accuracy'; it has F, grad_norm2"):
        compare(method(), method("M-AVG"), quantity="accuracy")


def test_a_single_method_is_refused():
    with pytest.raises(KavgError, match="needs two or more methods, got one"):
        compare(method())


def test_a_baseline_is_found_by_label_or_algorithm():
    a, b = method("first", mu=0.5), replace(method("M-AVG"), label="M-AVG (b)")
    group = MethodGroup((a, b), {})
    assert find_baseline(group, None) is a
    assert find_baseline(group, "M-AVG") is b
    assert find_baseline(group, "M-AVG (b)") is b
    with pytest.raises(KavgError, match=r"--baseline must be one of 'first', 'M-AVG \(b\)'"):
        find_baseline(group, "none")


def test_the_effective_step_of_each_rule():
    assert method(gamma=0.2).effective_step == 0.2
    assert method(gamma=0.2, mu=0.75).effective_step == pytest.approx(0.8)
    slowmo = Algorithm(P=1, K=1, gamma=0.2, outer=outer.SlowMo(mu=0.5, alpha=3.0))
    assert replace(method(), algorithm=slowmo).effective_step == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("rule", "step"),
    [
        (outer.Averaging(alpha=0.5), 0.05),
        (outer.BlockMomentum(0.75, alpha=0.5), 0.2),
        (outer.NesterovMomentum(0.75), 0.4),
        (outer.NesterovLookAhead(0.9, alpha=0.7), 0.7),
        (outer.SlowMo(0.5, alpha=2.0), 0.4),
        (outer.QuasiHyperbolic(0.9, nu=0.7, alpha=2.0), 0.2),
        (outer.FedAdam(alpha=0.1), None),
        (outer.FedAdagrad(alpha=0.1), None),
    ],
)
def test_the_effective_step_is_gamma_times_the_gain_of_the_rule(rule, step):
    one = method()
    found = replace(one, algorithm=replace(one.algorithm, outer=rule)).effective_step
    assert found == (step if step is None else pytest.approx(step))


def test_where_the_memory_restarts_no_step_is_the_one_in_the_end():
    one = method(mu=0.5)
    assert one.effective_step is not None
    restarted = replace(one, algorithm=replace(one.algorithm, restart=3))
    assert restarted.effective_step is None


def test_adaptive_rules_are_not_warned_of_for_their_effective_step():
    from kavg.reports.comparisons.warnings import _describe_steps

    one, other = method(), method("M-AVG", mu=0.5)
    assert len(list(_describe_steps(one, other))) == 1
    adaptive = replace(other, algorithm=replace(other.algorithm, outer=outer.FedAdam(alpha=0.1)))
    assert list(_describe_steps(other, adaptive)) == []
