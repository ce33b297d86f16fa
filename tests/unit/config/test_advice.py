"""Advice on wrong keys, kinds and values: whoever follows it gets settings that are accepted."""

from __future__ import annotations

import datetime
import tomllib

import pytest
from helpers.advice import TABLES, build_file, errors_of, followed, path_of
from helpers.raw_settings import list_errors, method, text
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.config.advice import all_keys, name_place
from kavg.config.examples import sample_value, smallest_table, table_with
from kavg.config.kinds import NAMES, rest_hint
from kavg.config.messages import format_steps
from kavg.config.samples import EITHER
from kavg.config.synonyms import SYNONYMS, SYNONYMS_BY_KIND
from kavg.config.tables import tables_in_file

OURS = sorted(all_keys())
FOREIGN = sorted({name for names in SYNONYMS.values() for name in names} - all_keys())
COUNTED = [f"{start}_{word}" for start in ("n", "num", "max") for word in ("runs", "workers")]
VALUES = [
    "words", "0.5", "3", "true", "gaussian", "constant", "averaging", "60s", "", 1.5, 2.0, 0.01, 7,
    True, [], [0.5], [0.1, 0.2], [1, "a"], ["0.5", "1"], {}, {"kind": 3}, {"P": 1},
    datetime.date(2020, 1, 1),
]  # fmt: skip


def test_every_sample_is_accepted():
    for table in TABLES:
        for key in table.keys:
            content = table_with(table.cls, key)
            assert errors_of(build_file(table, content)) == [], (table.path, table.cls, key)


def advice_on(name, table, file):
    where = format_steps((*place_in(file, table), name))
    (words,) = [line for line in errors_of(file) if line.startswith(f"{where}: ")]
    return words.removeprefix(f"{where}: ")


def place_in(file, table):
    (found,) = [each for each in tables_in_file(file) if each.path == table.path]
    return found.place


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(TABLES), st.sampled_from([*OURS, *FOREIGN, *COUNTED]), st.data())
def test_advice_on_any_key_in_any_table_leads_to_settings_that_are_accepted(table, name, data):
    if name in table.keys or rest_hint(table.cls):
        return
    content = smallest_table(table.cls)
    # Some other keys are there already, as those that the advice may name.
    more = data.draw(st.lists(st.sampled_from(table.keys), max_size=3)) if table.keys else []
    kept = {*content, *EITHER.get(table.cls, ())}
    content |= {key: sample_value(table.cls, key) for key in more if key not in kept}
    file = build_file(table, content | {name: 3})
    words = advice_on(name, table, file)
    results = followed(words, name, table, file)
    for result in results:
        assert errors_of(result) == [], words


KEYS = [(table, key) for table in TABLES for key in table.keys]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(KEYS), st.sampled_from(VALUES))
def test_the_example_of_what_is_needed_is_accepted(place, value):
    table, key = place
    file = build_file(table, table_with(table.cls, key) | {key: value})
    for line in errors_of(file):
        if "[[algorithm]], in double brackets" in line or " as in " not in line:
            assert ": needs " not in line or "[[algorithm]]" in line, line
            continue
        where, example = line.split(": ")[0], tomllib.loads(line.split("as in ")[-1])
        (named,) = example
        steps = [step for step in where.split(".") if not step.isdecimal()]
        path = tuple(steps[: steps.index(named)]) if named in steps else ()
        homes = [each for each in tables_in_file(file) if each.path == path]
        assert homes, line
        for home in homes:
            home.content[named] = example[named]
        assert not any(other.startswith(f"{where}: ") for other in errors_of(file)), line


@pytest.mark.parametrize("table", TABLES)
def test_the_name_of_a_place_leads_back_to_it(table):
    assert path_of(name_place(table.path)) == table.path


SAID = {
    "a key of other kinds": (
        text(objective='{ kind = "rosenbrock", dim = 2 }'),
        "objective.dim: kind 'rosenbrock' has no key 'dim' (its dim is 2); use kind 'cosine', ",
    ),
    "one that follows from the others": (
        text(objective='{ kind = "quadratic", spectrum = [1.0], dim = 2 }'),
        "objective.dim: kind 'quadratic' has no key 'dim' (its dim follows from its other keys); ",
    ),
    "one that no instance has of its own": (
        text(algorithm=method(more=', optimizer = { kind = "sgd", at_average = "kept" }')),
        "algorithm.0.optimizer.at_average: kind 'sgd' has no key 'at_average' (its at_average is "
        "reset); use kind 'adam', ",
    ),
    "an outer step that is needed is a small one": (
        text(algorithm=method(outer='{ kind = "fed_adam" }')),
        "algorithm.0.outer.alpha: is missing; as in alpha = 0.1",
    ),
    "noise without a variance": (
        text(oracle='{ kind = "none", sigma2 = 1.0 }'),
        "oracle.sigma2: kind 'none' has no key 'sigma2'; use kind 'gaussian', ",
    ),
    "a momentum that averages": (
        text(algorithm=method(outer='{ kind = "averaging", momentum = 0.5 }')),
        "algorithm.0.outer.momentum: kind 'averaging' has no key 'momentum', which is 'mu' in kavg",
    ),
    "a momentum of learners without any": (
        text(algorithm=method(more=', optimizer = { kind = "sgd", momentum = 0.5 }')),
        "algorithm.0.optimizer.momentum: kind 'sgd' has no key 'momentum', which is 'beta' in "
        "kavg; use kind 'heavy_ball' or 'nesterov_steps', or leave it out",
    ),
    "a method at the top": (
        text(top='method = "diloco"'),
        "method: there is no key 'method' here; it belongs to [[algorithm]]",
    ),
    "a condition number": (
        text(objective='{ kind = "curved_valley", dim = 2, kappa = 10.0 }'),
        "objective.kappa: there is no key 'kappa' here; use 'condition'",
    ),
    "a method in a misspelt key": (
        text(algorithm=method(more=', metod = "diloco"')),
        "algorithm.0.metod: there is no key 'metod' here; did you mean 'method'?",
    ),
    "a missing key beside one that is called as the kind": (
        text(algorithm=method(more=', aggregation = { kind = "groups" }')),
        "algorithm.0.aggregation.K1: is missing; as in K1 = 1",
        "algorithm.0.aggregation.groups: is missing; as in groups = ",
    ),
    "slowmo's step": (
        text(algorithm=method(outer='{ kind = "slowmo", mu = 0.5, lr = 1.0 }')),
        "algorithm.0.outer.lr: there is no key 'lr' here; use 'alpha'",
    ),
    "spread of a start": (
        text(top='start = { kind = "normal", std = 0.1, mu = 0.0 }'),
        "start.std: there is no key 'std' here; use 'scale'",
        "start.mu: there is no key 'mu' here; use 'mean'",
    ),
    "size of a start": (
        text(top='start = { kind = "normal", size = 3 }'),
        "start.size: there is no key 'size' here; use 'dim' in [objective], where it is given",
    ),
    "repetitions": (
        text(top="n_runs = 3"),
        "n_runs: there is no key 'n_runs' here; use 'replicas'",
    ),
    "a kind one table too high": (
        text(algorithm=method(more=', kind = "slowmo"')),
        "algorithm.0.kind: there is no key 'kind' here; it belongs to outer of [[algorithm]], ",
    ),
    "a kind of another table": (
        text(objective='{ kind = "gaussian" }'),
        "objective: there is no kind 'gaussian'; it is one of [oracle]; the kinds are: ",
    ),
    "a key that is called as its table's kind": (
        text(algorithm=method(outer='{ kind = "block_momentum", block_momentum = 0.5 }')),
        "algorithm.0.outer.mu: is missing; as in mu = 0.5",
        "algorithm.0.outer.block_momentum: there is no key 'block_momentum' here; use 'mu'",
    ),
    "two names of one key": (
        text(algorithm=method(more=", lr = 0.1")),
        "algorithm.0.lr: there is no key 'lr' here; use 'gamma', which is given already: leave 'lr",
    ),
    "only one of the algorithms has it": (
        text(algorithm=method(outer='{ kind = "slowmo", mu = 0.5 }')[:-1] + "," + method()[1:])
        + "\nalpha = 0.5",
        "alpha: there is no key 'alpha' here; it belongs to algorithm.0.outer",
    ),
    "a table of double brackets": (
        text(algorithm=method()[1:-1]),
        "algorithm: needs a list, got {'P': 4, 'K': 2, 'gamma': 0.1, 'outer': {'kind': 'averagi...;"
        " write [[algorithm]], in double brackets, in place of [algorithm]",
    ),
    "a kind without its table": (
        text(algorithm=method(outer='"averaging"')),
        "algorithm.0.outer: needs a table, got 'averaging'; as in outer = { kind = \"averaging\" }",
    ),
    "a number for a table": (
        text(algorithm=method(gamma='{ kind = "warm_up", rounds = 2, then = 0.01 }')),
        "algorithm.0.gamma.then: needs a table, got 0.01; "
        'as in then = { kind = "constant", gamma = 0.01 }',
    ),
    "a time without its table": (
        text(top='checkpoint = "60s"'),
        "checkpoint: needs a table, got '60s'; as in checkpoint = { every = \"60s\" }",
    ),
    "a list for one number": (
        text(algorithm=method(gamma="[0.1]")),
        "algorithm.0.gamma: needs a number or a table, got [0.1]; as in gamma = 0.1",
    ),
    "a boolean as text": (
        text(top='figures = "True"'),
        "figures: needs true or false, got 'True'; as in figures = true",
    ),
    "a whole number with a point": (
        text("5.0"),
        "rounds: needs a whole number, got 5.0; as in rounds = 5",
    ),
    "a name that is a number": (
        text(algorithm=method(more=", name = 3")),
        'algorithm.0.name: needs text in quotes, got 3; as in name = "3"',
    ),
    "no kind": (
        text(oracle="{ sigma2 = 2.0, B = 3 }"),
        'oracle: needs a kind, as in oracle = { kind = "gaussian", sigma2 = 2.0, B = 3 }',
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_said(name):
    given_text, *wanted = SAID[name]
    found = list_errors(given_text)
    assert len(found) == len(wanted), found
    for line, beginning in zip(found, wanted, strict=True):
        assert line.startswith(beginning)


def test_no_foreign_name_means_two_things():
    names = [name for foreign in SYNONYMS.values() for name in foreign]
    assert len(set(names)) == len(names)
    assert set(SYNONYMS) <= all_keys()
    assert set(SYNONYMS_BY_KIND) <= {*NAMES.values()}


# Hostile files.


@pytest.mark.parametrize(
    ("hostile", "words", "lines"),
    [
        ("\n".join(f"key{i} = {i}" for i in range(100_000)), "and 99980 more errors", 21),
        ("a = " + "[" * 5000, "it is nested too deeply", 1),
        ("a = " + "[" * 100 + "]" * 100, "there is no key 'a' here", 1),
        ("start = [" + "'a'," * 100_000 + "]", "and 99980 more errors", 21),
        (f"{'k' * 1_000_000} = 3", "kkk...", 1),
        (f"'a{chr(0x202E)}b' = 3", r"'a\u202eb': there is no key 'a\u202eb' here", 1),
        (f"mean = '{'x' * 1_000_000}'", "'xxx", 1),
    ],
)
def test_hostile_settings_are_refused_in_a_few_short_lines(hostile, words, lines):
    found = list_errors(text(top=hostile))
    assert len(found) == lines
    assert any(words in line for line in found)
    assert all(len(line) < 1000 and line.isprintable() for line in found)


def test_a_path_of_half_a_million_parts_is_refused_in_one_line(tmp_path):
    data = f'{{ kind = "logistic_regression", data = "{"a/" * 500_000}x.npz" }}'
    (line,) = list_errors(text(objective=data), folder=tmp_path)
    assert line.startswith("objective: a/a/")
    assert len(line) < 1000


# Syntax.

BROKEN = [
    ("gamma = .05", "gamma = 0.05"),
    ("gamma = -.5e-3", "gamma = -0.5e-3"),
    ("gammas = [.1, .01]", "gammas = [0.1, 0.01]"),
    ("gamma = 1.", "gamma = 1.0"),
    ("rounds = 1,000", "rounds = 1000"),
    ("rounds = 007", "rounds = 7"),
    ("figures = True", "figures = true"),
    ("figures = off", "figures = false"),
    ("mean = exact", 'mean = "exact"'),
    ("rounds: 5", "rounds = 5"),
    ("rounds 5", "rounds = 5"),
    ("rounds == 5", "rounds = 5"),
    ("rounds = 5;", "rounds = 5"),
    ('"rounds": 5,', "rounds = 5"),
    ("start = (1.0, 2.0)", "start = [1.0, 2.0]"),
    ('mean = "exact', 'mean = "exact"'),
    ("mean = “exact”", 'mean = "exact"'),
    ('outer = { "kind": "averaging" }', 'outer = { kind = "averaging" }'),
    ('outer = { kind = "slowmo", mu = .5, }', 'outer = { kind = "slowmo", mu = 0.5 }'),
]


@pytest.mark.parametrize(("line", "mended"), BROKEN)
def test_a_mistake_of_syntax_is_answered_with_the_line_as_toml(line, mended):
    for before in ("", "seed = 1\n"):
        (words,) = list_errors(f"{before}{line}\nreplicas = 3")
        assert words.startswith("this is not TOML: ")
        assert words.split("; as in ")[1].split() == mended.split()


@pytest.mark.parametrize(
    "line", ["a = None", "= 3", "a = [1,", "x" * 1000, "a = '''", "[a", "\x00"]
)
def test_a_line_that_nobody_can_mend_is_shown_as_it_is(line):
    (words,) = list_errors(line)
    assert words.startswith("this is not TOML: ")
    assert words.isprintable()
    assert "as in" not in words
