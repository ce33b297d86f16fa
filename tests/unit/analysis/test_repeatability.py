"""More than rounding, more than chance: where two runs part, and what explains it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from kavg.analysis.differences import (
    compare_mappings,
    first_difference,
    flatten_tables,
    restrict_to_common,
    restrict_trajectory,
    trajectory_shape,
)
from kavg.analysis.repeatability import (
    measure_discrepancies,
    paired_p_value,
    rounding_ratio,
    significant_discrepancies,
)
from kavg.errors import KavgError
from kavg.reports.repetition import (
    ALIKE,
    DIFFERENT,
    SAME,
    judge_repetition,
)
from kavg.trajectory import State, Trajectory

FINITE = st.floats(-1e3, 1e3)


def a_run(series, name="K-AVG", K=2, w=None, every=1, **others):
    T, R = next(iter(series.values())).shape
    w = np.ones((R, 2)) if w is None else w
    rounds = np.arange(T, dtype=np.int64) * every
    return Trajectory(name, 3, K, 1, rounds, series, w, np.empty(0), np.zeros(T), **others)


@st.composite
def runs(draw):
    T, R = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    names = draw(st.lists(st.sampled_from(["F", "grad_norm2", "x"]), min_size=1, unique=True))
    series = {name: draw(npst.arrays(np.float64, (T, R), elements=FINITE)) for name in names}
    return a_run(series, w=draw(npst.arrays(np.float64, (R, 3), elements=FINITE)))


# Where they part.


@given(runs())
def test_a_run_does_not_part_from_itself(run):
    assert first_difference(run, replace(run)) is None


@given(run=runs(), data=st.data())
def test_the_first_bit_is_found(run, data):
    name = data.draw(st.sampled_from(sorted(run.series)))
    T, R = run.series[name].shape
    changed = {key: values.copy() for key, values in run.series.items()}
    places = data.draw(st.lists(st.tuples(st.integers(0, T - 1), st.integers(0, R - 1)),
                                min_size=1, unique=True))  # fmt: skip
    bit = np.uint64(1 << data.draw(st.integers(0, 63)))
    for place in places:
        changed[name].view(np.uint64)[place] ^= bit
    found = first_difference(run, replace(run, series=changed))
    assert (found.round, found.replica) == min(places)
    assert found.quantity == name
    assert found.a == run.series[name][min(places)]


def test_the_sign_of_zero_is_a_bit():
    a, b = a_run({"F": np.zeros((2, 1))}), a_run({"F": np.array([[0.0], [-0.0]])})
    assert first_difference(a, b).round == 1


def test_the_earliest_round_counts_whatever_the_quantity():
    F, x = np.zeros((4, 2)), np.zeros((4, 2))
    a = a_run({"F": F, "x": x})
    F, x = F.copy(), x.copy()
    F[3, 0], x[1, 1] = 5.0, 7.0
    found = first_difference(a, a_run({"F": F, "x": x}))
    assert str(found) == "round 1, x of replica 1: 0.0 and 7.0, 7 apart"


def test_the_last_iterate_counts_where_all_series_agree():
    a = a_run({"F": np.ones((3, 2))})
    w = a.w.copy()
    w[1, 1] = 2.0
    found = first_difference(a, replace(a, w=w))
    assert str(found) == "round 2, w, coordinate 1, of replica 1: 1.0 and 2.0, 1 apart"
    longer = replace(a, w=w, rounds=np.array([0, 1, 3]))
    assert first_difference(a, longer) is None  # the ends are of different rounds


@pytest.mark.parametrize("name", ["w", "v"])
def test_snapshots_are_compared_too(name):
    states = tuple(State(n, np.ones((2, 2)), np.ones((2, 2))) for n in (3, 5))
    a = replace(a_run({"F": np.ones((9, 2))}), states=states)
    assert first_difference(a, a) is None
    other = getattr(states[1], name).copy()
    other[1, 0] = 7.0
    b = replace(a, states=(states[0], replace(states[1], **{name: other})))
    where = f"round 5, {name}, coordinate 0, of replica 1"
    assert str(first_difference(a, b)) == f"{where}: 1.0 and 7.0, 6 apart"
    assert first_difference(a, replace(b, states=states[:1])) is None


@given(run=runs(), data=st.data())
def test_runs_are_compared_on_what_they_share(run, data):
    T, R = run.series[next(iter(run.series))].shape
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, T - 1), min_size=1))))
    r = data.draw(st.integers(1, R))
    names = data.draw(st.lists(st.sampled_from(sorted(run.series)), min_size=1, unique=True))
    part = restrict_trajectory(run, rows, r, names)
    assert first_difference(run, part) is None
    first, second = restrict_to_common(run, part)
    assert trajectory_shape(first) == trajectory_shape(second) == trajectory_shape(part)


def test_runs_with_nothing_in_common_do_not_differ():
    a = a_run({"F": np.ones((2, 1))})
    assert first_difference(a, replace(a, rounds=np.array([5, 6]))) is None
    assert first_difference(a, a_run({"x": np.zeros((2, 1))})) is None


TREES = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner),
)


@given(st.dictionaries(st.text("ab", min_size=1), TREES), st.text("xyz", min_size=1))
def test_settings_that_differ_are_named_by_their_places(tables, key):
    assert list(compare_mappings(flatten_tables(tables), flatten_tables(tables))) == []
    found = list(compare_mappings(flatten_tables(tables), flatten_tables(tables | {key: 1})))
    assert (key, "nothing", 1) in found
    assert all(place in (key, "") for place, *_ in found)


def test_true_is_not_one():
    assert list(compare_mappings({"a": True}, {"a": 1})) == [("a", True, 1)]
    assert list(compare_mappings({"a": 1.0}, {"a": 1})) == [("a", 1.0, 1)]


# What explains a difference.


@given(run=runs(), data=st.data())
def test_one_rounding_of_float32_a_step_is_explained(run, data):
    sign = data.draw(npst.arrays(np.float64, run.w.shape[:1], elements=st.sampled_from([-1.0, 1])))
    growth = 1 + 2.0**-24 * run.steps[:, None] * sign
    moved = {name: values * growth for name, values in run.series.items()}
    found = measure_discrepancies(run, replace(run, series=moved))
    assert all(gap.rounding <= 1 and gap.p == 1.0 for gap in found)
    assert significant_discrepancies(found) == []


@given(run=runs(), name=st.data())
def test_a_hundred_times_as_much_is_not(run, name):
    name = name.draw(st.sampled_from(sorted(run.series)))
    assume((np.abs(run.series[name][-1]) > 1e-3).all())
    growth = 1 + 100 * 2.0**-24 * (1 + run.steps[:, None])
    moved = run.series | {name: run.series[name] * growth}
    (gap,) = (
        gap
        for gap in measure_discrepancies(run, replace(run, series=moved))
        if gap.quantity == name
    )
    assert gap.rounding > 1


def test_a_value_that_is_no_number_is_never_excused():
    a = np.ones((2, 3))
    for strange in (np.nan, np.inf):
        b = a.copy()
        b[1, 1] = strange
        assert rounding_ratio(a, b, np.arange(2)) == np.inf
    assert rounding_ratio(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1, int)) == 0.0


def test_p_values_are_uniform_where_nothing_differs():
    # 2000 tests of 8 normals: the share below 0.05 has deviation 0.005.
    draws = np.random.Generator(np.random.Philox(key=1)).standard_normal((2000, 8))
    share = np.mean([paired_p_value(row) <= 0.05 for row in draws])
    assert abs(share - 0.05) < 0.02
    assert paired_p_value(np.zeros(5)) == 1.0
    assert paired_p_value(np.ones(5)) == paired_p_value(np.array([2.0])) == 0.0
    assert paired_p_value(np.array([1e308, -1e308, 1e308, -1.1e308])) > 0.5


def test_only_the_same_rounds_and_quantities_are_held_side_by_side():
    a = a_run({"F": np.ones((2, 2))})
    for b in (a_run({"F": np.ones((3, 2))}), a_run({"x": np.ones((2, 2))})):
        with pytest.raises(KavgError, match="same rounds and quantities"):
            measure_discrepancies(a, b)


# What is said of a repetition.


def chaotic(seed, shift=0.0, R=40):
    """Replicas that ended in one of two basins at random, more of them in one if shifted."""
    draws = np.random.Generator(np.random.Philox(key=seed)).random(R)
    F = np.where(draws < 0.5 + shift, -1.0, 1.0)
    return a_run({"F": np.stack([np.ones(R), F])})


def test_the_three_verdicts():
    a, b = chaotic(1), chaotic(2)
    assert judge_repetition([a], [replace(a)], same_environment=True, level=0.05).verdict == SAME
    assert judge_repetition([a], [replace(a)], same_environment=False, level=0.05).verdict == SAME
    here = judge_repetition([a], [b], same_environment=True, level=0.05)
    assert here.verdict == DIFFERENT
    assert here.lines[0].startswith("K-AVG: round 1, F of replica ")
    there = judge_repetition([a], [b], same_environment=False, level=0.05)
    assert there.verdict == ALIKE
    assert there.lines[0] == here.lines[0]
    assert "times what rounding explains" in there.lines[1]
    moved = judge_repetition([a], [chaotic(2, shift=0.5)], same_environment=False, level=0.05)
    assert moved.verdict == DIFFERENT


def test_one_replica_is_excused_by_rounding_alone():
    a, b = a_run({"F": np.array([[1.0], [1.0]])}), a_run({"F": np.array([[1.0], [-1.0]])})
    assert judge_repetition([a], [b], same_environment=False, level=0.05).verdict == DIFFERENT
    near = replace(a, series={"F": a.F * (1 + 2.0**-26)})
    assert judge_repetition([a], [near], same_environment=False, level=0.05).verdict == ALIKE


def test_the_chance_of_a_wrong_difference_is_kept_over_the_table():
    # 400 tables of 6 quantities, no difference in law: at most 5 % wrong, +- 2.2 % (2 deviations).
    wrong = 0
    generator = np.random.Generator(np.random.Philox(key=5))
    for _ in range(400):
        a, b = (
            [a_run({q: generator.standard_normal((3, 20)) for q in "xyz"}, name) for name in "AB"]
            for _ in range(2)
        )
        wrong += judge_repetition(a, b, same_environment=False, level=0.05).verdict == DIFFERENT
    assert wrong <= 400 * (0.05 + 0.022)


@pytest.mark.parametrize("change", [
    {"rounds": np.array([0, 2])}, {"diverged_at": 3}, {"series": {"x": np.ones((2, 40))}},
])  # fmt: skip
def test_runs_of_another_shape_are_different_anywhere(change):
    a = chaotic(1)
    for same in (False, True):
        found = judge_repetition([a], [replace(a, **change)], same_environment=same, level=0.05)
        assert found.verdict == DIFFERENT
        assert found.lines[0].startswith("K-AVG: ")
