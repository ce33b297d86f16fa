"""``method = "fedavgm"`` in ``[[algorithm]]``: its parts, what is given beside it, and errors."""

from __future__ import annotations

import json
import tomllib

import pytest
from helpers.raw_settings import list_errors, text
from helpers.sweeps import BASE, labels, sweep_errors, sweep_of

from kavg import methods, outer, periods, simulate
from kavg.cli.catalogue import list_kinds
from kavg.config.settings_file import parse_config, to_toml
from kavg.config.table_conversion import json_schema
from kavg.errors import KavgError

SMALL = {"P": 1, "K": 2, "gamma": 0.05}


def algorithm(given, overrides=()):
    """The algorithm of a settings file whose table has these keys."""
    (found,) = parse_config(text(algorithm=f"[{{ {given} }}]"), overrides).algorithms
    return found


def own_K(name):
    """The key ``K``, nothing for the method that has a K of its own."""
    return "" if name == "synchronous_sgd" else "K = 2, "


@pytest.mark.parametrize("name", methods.METHODS)
def test_a_method_is_the_same_in_settings_as_in_python(name):
    made = methods.METHODS[name](**SMALL)
    found = algorithm(f'method = "{name}", P = 1, {own_K(name)}gamma = 0.05')
    assert found.name == name
    assert (found.outer, found.K, found.optimizer) == (made.outer, made.K, made.optimizer)
    assert (found.aggregation, found.restart, found.P) == (made.aggregation, made.restart, 1)


@pytest.mark.parametrize("name", methods.METHODS)
def test_a_method_runs_and_is_stored_with_its_parts(name):
    table = f'{{ method = "{name}", P = 1, {own_K(name)}gamma = 0.05 }}'
    config = parse_config(text(algorithm=f"[{table}]"))
    stored = to_toml(config)
    (table,) = tomllib.loads(stored)["algorithm"]
    assert "method" not in table
    assert {"outer", "optimizer", "aggregation"} <= set(table)
    assert parse_config(stored) == config
    assert simulate(config.problem, config.algorithms[0], rounds=3).diverged_at is None


def test_parts_that_are_given_are_used():
    beginning = 'method = "fedavgm", P = 4, K = 2, gamma = 0.1'
    assert algorithm(beginning).outer == outer.BlockMomentum(0.9)
    assert algorithm(f"{beginning}, outer.mu = 0.5").outer == outer.BlockMomentum(0.5)
    given = f'{beginning}, outer = {{ kind = "block_momentum", mu = 0.3 }}'
    assert algorithm(given).outer == outer.BlockMomentum(0.3)
    given = f'{beginning}, outer = {{ kind = "slowmo", mu = 0.3 }}'
    assert algorithm(given).outer == outer.SlowMo(0.3)
    assert algorithm(f'{beginning}, name = "mine", restart = 5').restart == 5
    assert algorithm(f'{beginning}, name = "mine"').name == "mine"


def test_a_method_keeps_numbers_of_its_own_beside_those_that_are_given():
    given = 'method = "fedavgm", P = 4, K = 2, gamma = 0.1, outer = { alpha = 0.7 }'
    assert algorithm(given).outer == outer.BlockMomentum(0.9, alpha=0.7)


def test_the_command_line_names_methods_and_changes_their_parts():
    plain = 'P = 4, K = 2, gamma = 0.1, outer = { kind = "averaging" }'
    with_method = 'P = 4, K = 2, gamma = 0.1, method = "fedavgm"'
    assert algorithm(with_method, ["algorithm.0.outer.mu=0.5"]).outer == outer.BlockMomentum(0.5)
    found = algorithm(with_method, ["algorithm.0.method=slowmo", "algorithm.0.outer.mu=0.5"])
    assert found.outer == outer.SlowMo(0.5)
    # What is given in the file is used: a method gives the other parts.
    assert algorithm(plain, ["algorithm.0.method=slowmo"]).outer == outer.Averaging()


def test_parts_follow_the_P_and_the_K_that_are_run():
    elastic = 'method = "easgd", P = 4, K = 2, gamma = 0.1'
    assert algorithm(elastic).aggregation.alpha == 0.225
    assert algorithm(elastic, ["algorithm.*.P=9"]).aggregation.alpha == 0.1
    later = 'method = "post_local_sgd", P = 4, K = 8, gamma = 0.1'
    assert periods.PiecewisePeriod((1, 8), (100,)) == algorithm(later).K
    assert periods.PiecewisePeriod((1, 4), (100,)) == algorithm(later, ["algorithm.0.K=4"]).K


def test_a_K_beside_a_method_that_has_its_own_is_not_dropped_without_a_word():
    beginning = 'method = "synchronous_sgd", P = 4, gamma = 0.1'
    assert algorithm(beginning).K == algorithm(f"{beginning}, K = 1").K == 1
    for K, got in (("8", "8"), ('{ kind = "qsr", alpha = 0.1 }', "{'kind': 'qsr', 'alpha': 0.1}")):
        (line,) = list_errors(text(algorithm=f"[{{ {beginning}, K = {K} }}]"))
        assert line == (
            f"algorithm.0.method: synchronous_sgd has K = 1 of its own, got K = {got}; leave K "
            "out, or give the parts in place of the method"
        )
    for K in ("-3", "0", "2.5", '"words"', "true"):
        (line,) = list_errors(text(algorithm=f"[{{ {beginning}, K = {K} }}]"))
        assert line.startswith("algorithm.0.K: "), line


def test_methods_of_one_name_are_told_apart_by_names():
    one = 'method = "fedavg", P = 4, K = 2, gamma = 0.1'
    config = parse_config(text(algorithm=f'[{{ {one} }}, {{ {one}, name = "other" }}]'))
    assert [each.name for each in config.algorithms] == ["fedavg", "other"]
    config = parse_config(text(algorithm=f"[{{ {one} }}, {{ {one} }}]"))
    assert [each.name for each in config.algorithms] == ["algorithm 1", "algorithm 2"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ('"fedavgmm"', "there is no method 'fedavgmm'; did you mean 'fedavgm'?"),
        ('"zzz"', f"there is no method 'zzz'; use one of {', '.join(methods.METHODS)}"),
        ("3", f"there is no method 3; use one of {', '.join(methods.METHODS)}"),
        ('"lookahead"', "Lookahead has one learner, got P=4; use P=1, or fedavg with its alpha"),
    ],
)
def test_an_unknown_method_is_one_error(given, error):
    table = f"[{{ method = {given}, P = 4, K = 2, gamma = 0.1, restart = 5 }}]"
    assert list_errors(text(algorithm=table)) == [f"algorithm.0.method: {error}"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("P = 4, gamma = 0.1", "algorithm.0.K: is missing"),
        ("P = 0, K = 2, gamma = 0.1", "algorithm.0.P: P must be a whole number of at least 1"),
        ("P = 4, K = 2, gamma = 0.1, mu = 0.5", "algorithm.0.mu: there is no key 'mu' here"),
        ("P = 4, K = 2, gamma = 0.1, outer.mu = 2.0", "algorithm.0.outer.mu: mu must be a number"),
        ('P = 4, K = 2, gamma = 0.1, outer = "slowmo"', "algorithm.0.outer: needs a table"),
    ],
)
def test_errors_beside_a_method_are_said_at_their_places(given, error):
    (line,) = list_errors(text(algorithm=f'[{{ method = "fedavgm", {given} }}]'))
    assert line.startswith(error)


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("optimizer = { b1 = 0.8 }", "optimizer.b1: there is no key 'b1' here; use 'beta1'"),
        ("outer = { lr = 0.5 }", "outer.lr: there is no key 'lr' here; use 'alpha'"),
        (
            "outer = { alpha = 0.5, lr = 0.5 }",
            "outer.lr: there is no key 'lr' here; use 'alpha', which is given already: leave 'lr' "
            "out",
        ),
    ],
)
def test_a_number_of_a_method_is_not_one_that_the_file_gives(part, error):
    table = f'[{{ method = "diloco", P = 4, K = 2, gamma = 0.1, {part} }}]'
    (line,) = list_errors(text(algorithm=table))
    assert line == f"algorithm.0.{error}"


def test_a_sweep_varies_the_parts_of_a_method():
    base = BASE.replace('outer = { kind = "averaging" }', 'method = "fedavgm"')
    sweep = sweep_of(grids=["algorithm.0.outer.mu=0.3,0.7"], base=base)
    assert labels(sweep)[:2] == ["K-AVG mu=0.3", "K-AVG mu=0.7"]
    assert [p.config.algorithms[0].outer.mu for p in sweep.points[:2]] == [0.3, 0.7]
    (line,) = sweep_errors(grids=["algorithm.0.method='fedavg','fedavgm'"], base=base)
    assert line.endswith("method cannot be varied: it stands for the parts of an algorithm; give "
                         "each method an [[algorithm]]")  # fmt: skip


def test_the_schema_has_methods_in_place_of_an_outer_rule():
    table = json.loads(json.dumps(json_schema()))["$defs"]["Algorithm"]
    assert table["properties"]["method"]["enum"] == [*methods.METHODS]
    assert set(table["required"]) == {"P", "gamma"}
    assert (table["if"], table["else"]["required"]) == ({"required": ["method"]}, ["K", "outer"])


WITH_METHODS = {
    'method = "diloco", K = 8, P = 4, gamma = 0.1': True,
    'method = "diloco", K = 8, P = 4, gamma = 0.1, outer = { alpha = 0.5 }': True,
    'method = "diloco", K = 8, P = 4, gamma = 0.1, outer = { kind = "slowmo", mu = 0.5 }': True,
    'method = "hier_avg", K = 8, P = 4, gamma = 0.1, aggregation = { groups = 2, K1 = 4 }': True,
    'method = "synchronous_sgd", P = 4, gamma = 0.1': True,
    'K = 8, P = 4, gamma = 0.1, outer = { kind = "averaging" }': True,
    'method = "diloco", P = 4, gamma = 0.1': False,
    'method = "diloco", K = 8, P = 4, gamma = 0.1, outer = { beta = 0.5 }': False,
    "K = 8, P = 4, gamma = 0.1, outer = { mu = 0.5 }": False,
    'P = 4, gamma = 0.1, outer = { kind = "averaging" }': False,
    "K = 8, P = 4, gamma = 0.1": False,
}


@pytest.mark.parametrize(("given", "accepted"), WITH_METHODS.items())
def test_the_schema_accepts_what_settings_accept(given, accepted):
    jsonschema = pytest.importorskip("jsonschema")
    content = tomllib.loads(text(algorithm=f"[{{ {given} }}]"))
    found = [*jsonschema.Draft202012Validator(json_schema()).iter_errors(content)]
    assert (not found) == accepted, found
    if accepted:
        algorithm(given)
    else:
        with pytest.raises(KavgError):
            algorithm(given)


def test_the_list_has_every_method_with_its_numbers():
    listed = list_kinds("methods")
    assert listed in list_kinds()
    assert "  fedavgm(P, K, gamma, mu=0.9, alpha=1.0)\n" in listed
    for name, make in methods.METHODS.items():
        assert f"\n  {name}(P, K, gamma" in listed
        assert make.__name__ == name
        assert getattr(methods, name) is make


def test_methods_of_python_take_their_numbers_by_name():
    assert methods.fedavgm(4, 2, 0.1, mu=0.5, alpha=0.7).outer == outer.BlockMomentum(0.5, 0.7)
    assert methods.easgd(4, 2, 0.1, beta=0.4).outer == outer.Averaging(0.4)
    with pytest.raises(KavgError, match=r"mu must be a number .* got mu=1\.0"):
        methods.m_avg(4, 2, 0.1, mu=1.0)
