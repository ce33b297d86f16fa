"""Which points go on, what their target is, and whom they are compared with."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from helpers.settings import k_avg, m_avg, settings_text
from hypothesis import given
from hypothesis import strategies as st

from kavg import KavgError, simulate
from kavg.analysis.exact.stationary_values import stationary_values
from kavg.sweeps import parse_sweep
from kavg.sweeps.judgement.aims import Aim, parse_aim
from kavg.sweeps.judgement.criteria import Criterion, choose_criterion
from kavg.sweeps.judgement.grid_ends import list_grid_ends
from kavg.sweeps.judgement.scores import (
    PointRecord,
    describe_record,
    keep_best,
    order_records,
    parse_record,
    score_run,
)

QUADRATIC = {"kind": "quadratic", "spectrum": [1.0, 0.5]}
GAMMAS = [0.05, 0.1, 0.2]


def sweep_of(**table):
    changes = {key: table.pop(key) for key in ("algorithm", "objective") if key in table}
    return parse_sweep(settings_text(sweep=table, **changes))


def record(number, reached=None, final=1.0, **changes):
    fields = {"samples": (1.0,), "digest": "", "diverged_at": None, "rounds": 1, "gradients": 1}
    return PointRecord(number, reached, final, **fields | changes)


NO_TARGET = Criterion(None, "grad_norm2")


@given(st.permutations(range(6)))
def test_the_soonest_come_first_then_the_lowest_then_those_that_diverged(order):
    records = [
        record(0, reached=3.0, final=9.0),
        record(1, reached=4.0, final=0.1),
        record(2, final=0.5),
        record(3, final=0.6),
        record(4, final=None, diverged_at=2),
        record(5, final=None, diverged_at=9),
    ]
    found = order_records([records[i] for i in order], NO_TARGET)
    assert [each.number for each in found] == list(range(6))


def test_a_share_of_the_start_is_one_without_an_infimum():
    sweep = sweep_of(
        objective={"kind": "linear", "dim": 2},
        target={"quantity": "F", "fraction": 0.5},
        grid={"algorithm.*.K": [1]},
    )
    point = sweep.points[0]
    run = simulate(point.config.problem, point.config.algorithms[0], rounds=2, replicas=2, seed=1)
    value = choose_criterion(sweep).find_value(point, point.config, run)
    assert value == pytest.approx(0.5 * run.F[0].mean())


def test_a_mean_that_overflows_is_none_and_can_be_described():
    sweep = sweep_of(
        grid={"algorithm.*.gamma": [1e-30]},
        objective={"kind": "quadratic", "spectrum": [1.0]},
        target={"quantity": "F", "below": 1.0},
    )
    point, criterion = sweep.points[0], choose_criterion(sweep)
    problem = replace(point.config.problem, start=1.2e154)
    method = point.config.algorithms[0]
    run = simulate(problem, method, rounds=1, replicas=4)
    found = score_run(point, point.config, run, criterion)
    assert run.diverged_at is found.final is found.reached is None
    assert describe_record(found, criterion) == "F inf"


def test_of_a_quantity_that_rises_the_greatest_mean_is_the_best():
    sweep = sweep_of(tune={"algorithm.*.gamma": GAMMAS}, target={"quantity": "F", "above": 1e9})
    found = order_records([record(0, final=0.1), record(1, final=0.9)], choose_criterion(sweep))
    assert [each.number for each in found] == [1, 0]


def test_the_best_of_each_algorithm_and_cell_are_kept_in_the_order_of_points():
    sweep = sweep_of(grid={"algorithm.*.K": [1, 2]}, tune={"algorithm.*.gamma": GAMMAS})
    records = [record(point.number, final=-point.number) for point in sweep.points]
    kept = keep_best(sweep.points, records, 2, NO_TARGET)
    numbers = [point.number for point in kept]
    assert numbers == sorted(numbers)
    groups = {}
    for point in sweep.points:
        groups.setdefault((point.algorithm, point.settings["K"]), []).append(point.number)
    assert numbers == sorted(n for group in groups.values() for n in group[-2:])
    assert keep_best(sweep.points, records, None, NO_TARGET) == list(sweep.points)


def test_a_record_comes_back_as_it_was():
    stored = record(3, reached=2.5, samples=(1.0, None), digest="ab", gradients=7)
    assert parse_record(stored.to_json()) == stored
    for wrong in (
        {"number": "3"},
        {"digest": 3},
        {"rounds": None},
        {"color": 1},
        {"final": "1"},
        {"samples": ["1"]},
    ):
        with pytest.raises((ValueError, TypeError)):
            parse_record(stored.to_json() | wrong)


# Targets relative to stationary values


def test_a_floor_is_one_value_that_each_algorithm_comes_near():
    algorithm = [k_avg(), m_avg()]
    sweep = sweep_of(
        algorithm=algorithm,
        objective=QUADRATIC,
        grid={"algorithm.*.K": [1, 2]},
        tune={"algorithm.*.gamma": [*GAMMAS, 1e9]},
        target={"quantity": "F", "floor": 2.0},
    )
    floors = choose_criterion(sweep).floors
    for K in (1, 2):
        lowest = {}
        for point in sweep.points:
            if point.settings["K"] == K and point.settings["gamma"] < 1e9:
                config = point.config
                value = stationary_values(config.problem, config.algorithms[0])["F"]
                lowest[point.algorithm] = min(lowest.get(point.algorithm, value), value)
        found = {floors[point.number] for point in sweep.points if point.settings["K"] == K}
        assert found == {max(lowest.values())}
    assert len(set(floors.values())) == 2


@pytest.mark.parametrize(
    ("objective", "gammas", "reason"),
    [({"kind": "cosine", "dim": 2}, GAMMAS, "cosine"), (QUADRATIC, [1e8, 1e9], "F")],
)
def test_a_floor_that_is_not_known_is_refused(objective, gammas, reason):
    sweep = sweep_of(
        objective=objective,
        tune={"algorithm.*.gamma": gammas},
        target={"quantity": "F", "floor": 2.0},
    )
    with pytest.raises(KavgError, match="floor") as caught:
        choose_criterion(sweep)
    assert reason in str(caught.value).lower() or reason in str(caught.value)


# Ends of the grid


@pytest.mark.parametrize(
    ("gammas", "best", "words"),
    [
        (GAMMAS, 0, ["the best of K-AVG has the least gamma that was tried, in 1 cell; "]),
        (GAMMAS, 2, ["the best of K-AVG has the largest gamma that was tried, in 1 cell; "]),
        (GAMMAS, 1, []),
        (GAMMAS[:2], 0, []),
    ],
)
def test_a_winner_at_an_end_of_its_grid_is_said(gammas, best, words):
    sweep = sweep_of(algorithm=[k_avg()], tune={"algorithm.*.gamma": gammas})
    winner = SimpleNamespace(point=sweep.points[best])
    lines = list_grid_ends(sweep.points, SimpleNamespace(winners=[winner]))
    assert [line.split("a wider")[0] for line in lines] == words


def test_settings_of_the_problem_are_those_that_no_algorithm_has_and_nobody_tunes():
    grid = {"algorithm.*.K": [1, 2], "objective.omega": [1.0, 2.0]}
    sweep = sweep_of(algorithm=[k_avg()], grid=grid, tune={"oracle.B": [1, 2]})
    assert sweep.problem_settings == ["omega"]


# Aims


@pytest.mark.parametrize(
    ("text", "width"), [("width=0.05", 0.05), ("width=1e-3", 1e-3), ("decided", None)]
)
def test_aims_are_parsed_and_printed(text, width):
    assert parse_aim(text) == Aim(width)
    assert parse_aim(str(parse_aim(text))) == Aim(width)


@pytest.mark.parametrize(
    "text", ["", "width", "width=", "width=0", "width=nan", "width=-1", "height=1", "width=inf"]
)
def test_other_aims_are_refused(text):
    with pytest.raises(KavgError, match="--until must be"):
        parse_aim(text)
