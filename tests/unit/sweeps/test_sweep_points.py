"""Points of a sweep: which there are, their names, settings, rounds and stages."""

from __future__ import annotations

import pytest
from helpers.sweeps import BASE, labels, sweep_of

from kavg.config import parse_config, to_toml
from kavg.config.sweeps.tables import RandomTable
from kavg.errors import KavgError
from kavg.outer import SlowMo
from kavg.sweeps import list_sweep_warnings, load_sweep, parse_sweep
from kavg.sweeps.designs.axis_values import draw_values

SLOWMO = (
    BASE
    + """[[algorithm]]
P = 4
K = 2
gamma = 0.1
outer = { kind = "slowmo", mu = 0.5, alpha = 2.0 }
"""
)


def test_an_algorithm_is_multiplied_by_what_concerns_it():
    found = sweep_of(
        '[sweep.grid]\n"algorithm.*.K" = [1, 4]\n[sweep.tune]\n"algorithm.*.outer.mu" = [0.3, 0.7]'
    )
    assert labels(found) == [
        "K-AVG K=1", "K-AVG K=4",
        "M-AVG K=1 mu=0.3", "M-AVG K=1 mu=0.7", "M-AVG K=4 mu=0.3", "M-AVG K=4 mu=0.7",
    ]  # fmt: skip
    assert [point.number for point in found.points] == [*range(6)]
    assert [dict(point.cell) for point in found.points[-2:]] == [{"K": 4}, {"K": 4}]
    assert found.trials == {
        ("K-AVG", (("K", 1),)): 1, ("K-AVG", (("K", 4),)): 1,
        ("M-AVG", (("K", 1),)): 2, ("M-AVG", (("K", 4),)): 2,
    }  # fmt: skip
    assert found.places == {"K": "algorithm.*.K", "mu": "algorithm.*.outer.mu"}
    assert [found.count_points(stage) for stage in (0, 1)] == [6, 4]


def test_a_kind_that_is_varied_decides_what_else_is():
    found = sweep_of(
        '[sweep.grid]\n"algorithm.M-AVG.outer.mu" = [0.3, 0.7]\n'
        '"algorithm.M-AVG.outer" = [{ kind = "averaging" }, { kind = "block_momentum" }]\n'
        '"objective" = [{ kind = "cosine", dim = 2 }, { kind = "linear", dim = 1 }]\n'
        '"objective.omega" = [1.0, 2.0]'
    )
    mine = [point for point in found.points if point.algorithm == "M-AVG"]
    assert len(found.points) - len(mine) == 3
    assert len(mine) == 3 * 3
    assert {point.settings.get("mu") for point in mine} == {None, 0.3, 0.7}
    assert {point.settings["rule"] for point in mine} == {
        '{ kind = "averaging" }', '{ kind = "block_momentum" }',
    }  # fmt: skip


def test_the_last_place_of_the_file_advances_first():
    found = sweep_of(
        '[sweep.grid]\n"algorithm.0.K" = [1, 4]\n"objective.kind" = ["cosine", "double_well"]\n'
        "mean = ['exact', 'allreduce']"
    )
    assert labels(found)[:4] == [
        "K-AVG K=1 objective=cosine mean=exact", "K-AVG K=1 objective=cosine mean=allreduce",
        "K-AVG K=1 objective=double_well mean=exact",
        "K-AVG K=1 objective=double_well mean=allreduce",
    ]  # fmt: skip


def test_a_zip_may_set_a_value_in_a_table_that_a_grid_sets():
    found = sweep_of(
        '[sweep.zip]\nstart = [1.0, 2.0]\n"oracle.sigma2" = [4.0, 9.0]\n[sweep.grid]\n'
        'oracle = [{ kind = "gaussian" }, { kind = "rademacher" }]\n'
        '"algorithm.0.outer.kind" = ["averaging"]\n"algorithm.1.outer.kind" = ["nesterov"]'
    )
    sigma2 = [point.config.oracle.sigma2 for point in found.points]
    assert sigma2 == [point.settings["sigma2"] for point in found.points] == [4.0, 9.0] * 4


def test_tables_of_two_algorithms_do_not_set_one_another():
    rule = '[{ kind = "slowmo" }, { kind = "nesterov" }]'
    found = sweep_of(
        f'[sweep.zip]\n"algorithm.0.outer" = {rule}\n"algorithm.0.outer.mu" = [0.2, 0.4]\n'
        f'[sweep.tune.zip]\n"algorithm.1.outer" = {rule}\n"algorithm.1.outer.mu" = [0.2, 0.4]'
    )
    assert [point.config.algorithms[0].outer.mu for point in found.points] == [0.2, 0.4] * 2


def test_zip_advances_together_and_rows_that_do_not_differ_are_one():
    found = sweep_of('[sweep.zip]\n"objective.omega" = [1, 2, 2]\n"algorithm.M-AVG.K" = [1, 2, 3]')
    assert labels(found) == [
        "K-AVG omega=1.0", "K-AVG omega=2.0",
        "M-AVG omega=1.0 K=1", "M-AVG omega=2.0 K=2", "M-AVG omega=2.0 K=3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "place", ['"algorithm.*.gamma" = [1, 1.0]', "start = [[0, 1], [0.0, 1.0]]"]
)
def test_rows_of_a_zip_that_are_one_setting_in_two_spellings_are_one(place):
    assert len({*labels(sweep_of(f"[sweep.zip]\n{place}"))}) == 2
    assert len(sweep_of(f"[sweep.zip]\n{place}").points) == 2


def test_random_has_its_number_of_trials_whatever_the_grid_is():
    random = (
        '[sweep.tune.random]\ntrials = 7\nseed = 3\n"algorithm.*.gamma" = { log2 = [-8, -2] }\n'
        '"algorithm.M-AVG.outer.mu" = { uniform = [0.0, 0.9] }\n'
    )
    found = sweep_of(f'{random}[sweep.grid]\n"algorithm.*.K" = [1, 4]')
    assert {*found.trials.values()} == {7}
    gammas = [point.settings["gamma"] for point in found.points]
    # The four pairs of an algorithm and K have the same draws.
    assert gammas == gammas[:7] * 4
    assert all(2**-8 <= gamma < 2**-2 for gamma in gammas)


# Stored, so that no machine and no later version draws others.
def test_draws_are_those_of_their_address():
    found = draw_values("algorithm[0] . K", (1, 2, 3, 4), RandomTable(trials=8, seed=1))
    assert found == draw_values("algorithm.0.K", (1, 2, 3, 4), RandomTable(trials=8, seed=1))
    assert found != draw_values("algorithm.0.K", (1, 2, 3, 4), RandomTable(trials=8, seed=2))
    assert found != draw_values("algorithm.0.P", (1, 2, 3, 4), RandomTable(trials=8, seed=1))
    assert found == DRAWN


DRAWN = (4, 4, 3, 4, 4, 2, 1, 1)


def test_the_effective_step_sets_gamma_by_the_momentum_of_the_rule():
    tune = '[sweep.tune]\n"algorithm.*.effective_step" = [0.4]\n"algorithm.M-AVG.outer.mu" = [0.75]'
    found = parse_sweep(SLOWMO + tune)
    assert [point.config.algorithms[0].gamma for point in found.points] == pytest.approx(
        [0.4, 0.1, 0.1]
    )
    assert [*found.points[1].settings] == ["effective_step", "gamma", "mu"]
    assert found.places["gamma"] == "algorithm.*.gamma"
    slowmo = found.points[2].config.algorithms[0]
    assert isinstance(slowmo.outer, SlowMo)
    assert slowmo.outer.alpha * slowmo.gamma / (1 - slowmo.outer.mu) == pytest.approx(0.4)


def test_short_names_are_unique_and_say_what_is_varied():
    found = parse_sweep(
        SLOWMO.replace("seed = 5", "seed = 5\nstart = { kind = 'normal', mean = 1.0 }")
        + '[sweep.grid]\n"algorithm.M-AVG.K" = [1]\n"algorithm.0.K" = [2]\n"start.mean" = [0.5]\n'
        'mean = ["exact", "allreduce"]\n"algorithm.2.outer.kind" = ["slowmo"]\nstart = '
        '[{ kind = "normal" }]\n"objective.kind" = ["cosine"]'
    )
    assert [*found.places] == ["K", "start.mean", "mean", "rule", "start", "objective"]
    assert found.points[0].settings["start"] == '{ kind = "normal" }'
    assert found.points[-1].settings["rule"] == "slowmo"


def test_a_setting_of_any_number_is_a_float_and_a_count_is_whole():
    found = sweep_of('[sweep.grid]\n"algorithm.*.K" = {log2=[0, 2]}\n"objective.omega" = [1, 2]')
    assert found.points[0].settings == {"K": 1, "omega": 1.0}
    settings = found.points[0].settings
    assert {name: type(value) for name, value in settings.items()} == {"K": int, "omega": float}


def test_the_text_of_a_sweep_gives_the_same_points_with_the_same_numbers():
    """TOML writes tables, such as spacings, after lists."""
    found = sweep_of('[sweep.grid]\n"algorithm.*.K" = {log2=[0, 2]}\n"objective.omega" = [1, 2]')
    again = parse_sweep(found.text)
    assert again.points == found.points
    assert again.text == found.text


def test_rounds_follow_from_the_budget():
    grid = '[sweep.grid]\n"algorithm.*.K" = [1, 4]\n[sweep.budget]\n'
    cases = {
        "gradients = 1600": [400, 100],
        "communications = 30": [30, 30],
        "time = 100\nclock = { step = 1.0, communication = 6.0 }": [14, 10],
    }
    for budget, rounds in cases.items():
        found = sweep_of(grid + budget, without="rounds")
        assert [point.config.rounds for point in found.points] == rounds * 2, budget
        assert found.budget.axis == budget.split()[0]


def test_stages_run_with_seeds_replicas_and_rounds_of_their_own():
    tune = '[sweep.tune]\n"algorithm.*.K" = [1, 2, 4]\n'
    plain = sweep_of(tune)
    assert [(s.seed, s.replicas, s.keep) for s in plain.stages] == [(5, 2, None), (6, 2, 1)]
    halving = sweep_of(
        f"{tune}[[sweep.stage]]\nshare = 0.3\nreplicas = 4\n[[sweep.stage]]\nkeep = 2\nrounds = 3\n"
        "[[sweep.stage]]\nkeep = 1\nseed = 77"
    )
    found = [stage.configure(halving.points[0].config) for stage in halving.stages]
    assert [(c.seed, c.replicas, c.rounds) for c in found] == [(5, 4, 2), (6, 2, 3), (77, 2, 8)]
    assert [halving.count_points(i) for i in range(3)] == [6, 4, 2]
    many = sweep_of(f"{tune}[[sweep.stage]]\n[[sweep.stage]]\nkeep = 5")
    assert many.count_points(1) == 6
    assert len(sweep_of('[sweep.grid]\n"algorithm.*.K" = [1, 2]').stages) == 1


GAMMAS = '"algorithm.*.gamma" = [0.1, 0.2]\n'
MU = '"algorithm.*.outer.mu" = [0.1, 0.3, 0.5]\n'
K = '"algorithm.*.K" = [1, 4]\n'
UNFAIR = {
    "alike": (f"[sweep.tune]\n{GAMMAS}[sweep.grid]\n{K}",),
    "more trials": (
        f"[sweep.tune]\n{GAMMAS}{MU}",
        "tuned with unlike numbers of trials in a cell: K-AVG 2, M-AVG 6",
    ),
    "more gradients": (
        f'[sweep.tune]\n{GAMMAS}[sweep.grid]\n"algorithm.M-AVG.K" = [4]',
        "tuned with unlike numbers of gradients a trial and replica: K-AVG 64, M-AVG 128",
    ),
    "one gamma": (
        f"[sweep.grid]\n{K}",
        "gamma is not varied, and the algorithms have unlike momentum (K-AVG mu=0, M-AVG mu=0.5)",
    ),
    "one noise": (
        f"[sweep.tune]\n{GAMMAS}[[sweep.stage]]\n[[sweep.stage]]\nkeep = 2\nseed = 5",
        "the last stage has seed 5 of an earlier one",
        "the last stage runs 2 points of each cell",
    ),
    "one stage": (
        f"[sweep.tune]\n{GAMMAS}[[sweep.stage]]\nreplicas = 8",
        "the last stage runs all points of each cell",
    ),
    "ends of unlike cost": (
        f'[sweep.grid]\n{GAMMAS}"algorithm.M-AVG.P" = [64]',
        "compared at their ends with unlike numbers of gradients a replica: K-AVG 64, M-AVG 1024;",
    ),
    "costs of unlike points": (
        f'[sweep.grid]\n{GAMMAS}"algorithm.M-AVG.P" = [64]\n'
        "[sweep.target]\nquantity = 'F'\nfraction = 0.1",
    ),
}


@pytest.mark.parametrize("name", UNFAIR)
def test_a_comparison_that_is_not_fair_is_warned_of(name):
    more, *wanted = UNFAIR[name]
    found = list_sweep_warnings(sweep_of(more))
    assert len(found) == len(wanted), found
    for line, beginning in zip(found, wanted, strict=True):
        assert line.startswith(beginning)


def test_a_grid_of_the_command_line_takes_the_place_of_that_of_the_file():
    file = '[sweep.grid]\n"algorithm[*].K" = [1, 4]\n"algorithm.*.P" = [1]'
    found = sweep_of(file, grids=["algorithm.* . K=8"])
    assert [dict(point.settings) for point in found.points] == [{"P": 1, "K": 8}] * 2
    found = sweep_of(grids=["mean=exact,allreduce", "algorithm.*.gamma=.5,1e-3", "start=[1.0, 2]"])
    assert {point.settings["mean"] for point in found.points} == {"exact", "allreduce"}
    assert {point.settings["gamma"] for point in found.points} == {0.5, 0.001}
    assert {point.settings["start"] for point in found.points} == {1.0, 2.0}


def test_the_settings_of_a_point_are_a_file_that_runs():
    found = sweep_of('[sweep.grid]\n"algorithm.*.K" = [1, 4]')
    for point in found.points:
        assert parse_config(to_toml(point.config)) == point.config


def test_the_text_of_a_sweep_makes_it_again(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(BASE)
    found = load_sweep(path, ["rounds=4"], ["algorithm.*.K={log2=[0, 3]}"])
    again = parse_sweep(found.text)
    assert again.points == found.points
    assert again.text == found.text


def test_points_of_one_problem_share_it_so_that_data_are_read_once():
    found = sweep_of('[sweep.grid]\n"objective.omega" = [1.0, 2.0]\n"algorithm.*.K" = [1, 4]')
    assert len({id(point.config.objective) for point in found.points}) == 2
    assert len({id(point.config.oracle) for point in found.points}) == 2


def test_data_are_found_beside_the_file(tmp_path, monkeypatch):
    import numpy as np

    np.savez(tmp_path / "my.npz", features=np.arange(24.0).reshape(12, 2), labels=np.arange(12) % 2)
    base = BASE.replace(
        '{ kind = "cosine", dim = 2 }', '{ kind = "logistic_regression", data = "my.npz" }'
    ).replace('kind = "gaussian", sigma2 = 1.0', 'kind = "minibatch", B = 2')
    path = tmp_path / "a.toml"
    path.write_text(base)
    monkeypatch.chdir("/")
    with pytest.raises(KavgError, match=r"'?objective.data'?: a path that is varied must be abs"):
        load_sweep(path, (), ["objective.data=my.npz,other.npz"])
    varied = load_sweep(path, (), [f"objective.data={tmp_path / 'my.npz'}"])
    assert varied.points[0].config.objective.examples == 12
    found = load_sweep(path, (), ["oracle.B=1,2"])
    assert {point.settings["B"] for point in found.points} == {1, 2}
    folder = tmp_path / "runs" / "a"
    assert 'data = "../../my.npz"' in found.to_toml(folder)


@pytest.mark.parametrize(
    ("rule", "gamma"),
    [
        ('{ kind = "block_momentum", mu = 0.75, alpha = 0.5 }', 0.2),
        ('{ kind = "nesterov_look_ahead", mu = 0.75 }', 0.1),
        ('{ kind = "quasi_hyperbolic", mu = 0.75, nu = 0.5, alpha = 2.0 }', 0.2),
        ('{ kind = "averaging", alpha = 0.5 }', 0.8),
        ('{ kind = "fed_adam", alpha = 0.5 }', 0.4),
    ],
)
def test_the_effective_step_of_a_rule_has_its_outer_step(rule, gamma):
    base = BASE.replace('{ kind = "averaging" }', rule)
    sweep = sweep_of('[sweep.tune]\n"algorithm.0.effective_step" = [0.4]', base=base)
    assert sweep.points[0].config.algorithms[0].gamma == pytest.approx(gamma)


def test_quasi_hyperbolic_momentum_is_not_warned_of_as_longer_steps():
    base = BASE.replace(
        '{ kind = "averaging" }', '{ kind = "quasi_hyperbolic", mu = 0.9, nu = 0.5 }'
    )
    base = base.replace('{ kind = "block_momentum", mu = 0.5 }', '{ kind = "averaging" }')
    sweep = sweep_of('[sweep.grid]\n"algorithm.*.K" = [1, 2]', base=base)
    assert not [line for line in list_sweep_warnings(sweep) if "unlike momentum" in line]
