"""``--set place=value``: values of any type at any place, and errors in words."""

from __future__ import annotations

import copy
import shlex

import pytest
from helpers.raw_settings import list_errors, method, text
from hypothesis import given, settings
from hypothesis import strategies as st

import kavg
from kavg.config.examples import format_text
from kavg.config.overrides import apply_override
from kavg.config.places import join_steps, setting_places
from kavg.config.settings_file import parse_config


@pytest.mark.parametrize(
    ("override", "place", "value"),
    [
        ("rounds=7", lambda c: c.rounds, 7),
        (" rounds = 7 ", lambda c: c.rounds, 7),
        ("rounds=1_000 # many", lambda c: c.rounds, 1000),
        ("mean=allreduce", lambda c: c.mean, "allreduce"),
        ("mean='allreduce'", lambda c: c.mean, "allreduce"),
        ("start=[1.0, 2.0]", lambda c: c.start, (1.0, 2.0)),
        ("start.kind=normal", lambda c: c.start, kavg.starts.Normal()),
        ("record.every=5", lambda c: c.record.every, 5),
        ("objective={kind='linear', dim=2}", lambda c: c.objective, kavg.objectives.Linear(2)),
        ("objective.kind=saturating", lambda c: c.objective, kavg.objectives.Saturating(2)),
        ("algorithm.1.K=9", lambda c: [a.K for a in c.algorithms], [2, 9]),
        ("algorithm.*.K=9", lambda c: [a.K for a in c.algorithms], [9, 9]),
        ("algorithm.M-AVG.K=9", lambda c: [a.K for a in c.algorithms], [2, 9]),
        ("algorithm.*.outer.mu=0.25", lambda c: c.algorithms[1].outer.mu, 0.25),
        ("algorithm.0.name=a=b", lambda c: c.algorithms[0].name, "a=b"),
    ],
)
def test_set_changes_the_value_at_a_place(override, place, value):
    momentum = '{ kind = "block_momentum", mu = 0.5 }'
    runs = [method(outer=momentum, more=f', name = "{name}"')[1:-1] for name in ("K-AVG", "M-AVG")]
    assert place(parse_config(text(algorithm=f"[{', '.join(runs)}]"), [override])) == value


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("rounds", "--set rounds: needs place=value, got 'rounds'; as in --set rounds=100"),
        (
            "rounds=0x" + "f" * 5000,
            f"--set rounds=0x{'f' * 48}...: this has a whole number of more",
        ),
        ("=3", "--set =3: needs place=value, got '=3'"),
        ("rounds=", "rounds: needs a whole number, got ''"),
        ("rounds=[1,", "rounds: needs a whole number, got '[1,'"),
        ("rounds=3\nseed=4", r"rounds: needs a whole number, got '3\nseed=4'"),
        ("rounds=" + "9" * 5000, "rounds: needs a whole number, got '9999"),
        ("rounds.x=3", "--set rounds.x=3: there is no place 'x' inside 5"),
        ("algorithm.2.K=3", "--set algorithm.2.K=3: there is no entry '2'; use a number below 1"),
        ("algorithm.-1.K=3", "--set algorithm.-1.K=3: there is no entry '-1'"),
        ("algorithm.²=3", "--set algorithm.²=3: there is no entry '²'"),
        ("algorithm.L.K=3", "--set algorithm.L.K=3: there is no entry 'L'; use a number below 1, "),
        ("algorithm.0.lr=3", "algorithm.0.lr: there is no key 'lr' here; use 'gamma'"),
        ("x.y.z=3", "x: there is no key 'x' here"),
        ("oracle..B=3", "oracle.'': there is no key '' here"),
    ],
)
def test_wrong_overrides_are_refused(override, words):
    (line,) = list_errors(text(), [override])
    assert line.startswith(words)


def test_errors_of_overrides_come_with_those_of_the_file_and_the_last_one_counts():
    assert len(list_errors(text("0"), ["bad", "algorithm.7.K=1", "lr=2"])) == 4
    assert parse_config(text(), ["rounds=3", "rounds=4"]).rounds == 4


names = st.text(min_size=1).filter(lambda name: name.isprintable() and name.strip())


@settings(deadline=None)
@given(names | st.sampled_from(["0", "1", "*", "a.b", "mu = 0.5", "[x]", '"', "'", "\\", " a "]))
def test_an_algorithm_of_any_printable_name_can_be_set(name):
    place = join_steps("algorithm", name, "K")
    tables = {"algorithm": [{"name": f"{name}, too"}, {"name": name}]}
    assert place in setting_places(tables)
    quoted = [f"algorithm.{format_text(name)}.K", f"algorithm[{format_text(name)}] . K"]
    quoted += [f"algorithm['{name}'].K"] if "'" not in name else []
    for one in (place, *quoted):
        changed = copy.deepcopy(tables)
        apply_override(changed, f"{one}=4")
        assert [run.get("K") for run in changed["algorithm"]] == [None, 4]


DIGITS = "M-AVG, mu = 0.5"


@pytest.mark.parametrize(
    "override",
    [
        f"algorithm.{DIGITS}.gamma=0.1",
        "algorithm.M.gamma=0.1",
        "algorithm[7].gamma=0.1",
        'algorithm["m-avg, mu = 0.5"].gamma=0.1',
        "rounds.x=3",
        "algorithm.0.outer.mu.x=3",
        "rounds",
    ],
)
def test_the_message_on_a_wrong_place_shows_one_that_is_accepted(override):
    outer = '{ kind = "block_momentum", mu = 0.5 }'
    given_text = text(algorithm=method(outer=outer, more=f', name = "{DIGITS}"'))
    (line,) = list_errors(given_text, [override])
    _, example = shlex.split(line.split("as in ")[1])
    if "algorithm" in override and "outer" not in override:
        assert example == f'algorithm["{DIGITS}"].K=8'
    parse_config(given_text, [example])


@pytest.mark.parametrize(
    ("written", "value"),
    [(".1", 0.1), ("1.", 1.0), (".5e-1", 0.05), ("+.5", 0.5), (" 2.e-1 ", 0.2), ("1", 1.0)],
)
def test_numbers_may_be_written_as_shells_write_them(written, value):
    config = parse_config(text(), [f"algorithm.0.gamma={written}"])
    assert config.algorithms[0].gamma == value


@pytest.mark.parametrize(
    "override", ["a." * 200 + "b=1", "a" * 10**6, "a[" * 1000 + "=1", '"' * 999]
)
def test_hostile_overrides_are_refused_in_one_short_line(override):
    (line,) = list_errors(text(), [override])
    assert len(line) < 400


def test_all_stages_of_a_sweep_can_be_set_at_once():
    assert "sweep.stage.*.replicas" in setting_places({})
    tables = {"sweep": {"stage": [{}, {"keep": 1}]}}
    apply_override(tables, "sweep.stage.*.replicas=9")
    assert tables["sweep"]["stage"] == [{"replicas": 9}, {"keep": 1, "replicas": 9}]
