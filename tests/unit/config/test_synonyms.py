"""Names that other programs use: the error names ours, and its place."""

from __future__ import annotations

import pytest
from helpers.raw_settings import list_errors, method, text

from kavg.config import synonyms

HERE = {
    "gamma": "algorithm.0", "K": "algorithm.0", "P": "algorithm.0", "outer": "algorithm.0",
    "mu": "algorithm.0.outer", "alpha": "algorithm.0.outer",
    "B": "oracle", "sigma2": "oracle", "nu": "oracle",
    "dim": "objective", "hidden": "objective",
    "every": "record",
}  # fmt: skip
FOREIGN = [
    (ours, name) for ours, names in synonyms.SYNONYMS.items() for name in names if ours != "kind"
]


def with_keys(place, key):
    """A file in which ``key`` stands at ``place``."""
    more = {place: f", {key} = 3"}
    outer = f'{{ kind = "slowmo", mu = 0.5 {more.get("algorithm.0.outer", "")} }}'
    data = '"digits", hidden' if key in synonyms.SYNONYMS["hidden"] else '"digits", dim'
    objective = f'{{ kind = "network", data = {data.split(",")[0]} {more.get("objective", "")} }}'
    if key in synonyms.SYNONYMS["dim"]:
        objective = f'{{ kind = "cosine" {more.get("objective", "")} }}'
    return text(
        top=f'{key} = 3' if place == "" else f"record.{key} = 3" if place == "record" else "",
        objective=objective,
        oracle=f'{{ kind = "student_t", sigma2 = 1.0 {more.get("oracle", "")} }}',
        algorithm=method(outer=outer, more=more.get("algorithm.0", "")),
    )  # fmt: skip


@pytest.mark.parametrize(("ours", "foreign"), FOREIGN)
def test_a_foreign_name_is_answered_with_ours_at_its_place(ours, foreign):
    place = HERE.get(ours, "")
    lines = list_errors(with_keys(place, foreign))
    where = f"{place}.{foreign}".lstrip(".")
    assert f"{where}: there is no key {foreign!r} here; use {ours!r}" in lines


@pytest.mark.parametrize(("ours", "foreign"), [f for f in FOREIGN if f[0] in synonyms.PLACES])
def test_a_foreign_name_at_the_wrong_place_gets_the_right_place(ours, foreign):
    place = "oracle" if HERE.get(ours, "") != "oracle" else "algorithm.0"
    (line,) = [
        one for one in list_errors(with_keys(place, foreign)) if f"{place}.{foreign}: " in one
    ]
    assert line.endswith(f"here; use {ours!r} in {synonyms.PLACES[ours]}")


@pytest.mark.parametrize("foreign", synonyms.SYNONYMS["kind"])
def test_foreign_names_of_kind_are_answered(foreign):
    assert list_errors(text(oracle=f"{{ {foreign} = 'gaussian' }}")) == [
        f"oracle: there is no key {foreign!r} here; use 'kind'"
    ]


def test_the_names_users_bring_along_are_known():
    brought = ["lr", "period", "sync_every", "tau", "beta", "num_workers", "batch_size", "epochs"]
    ours = ["gamma", "K", "K", "K", "mu", "P", "B", "rounds"]
    assert [synonyms.canonical_name(name) for name in brought] == ours


@pytest.mark.parametrize("spelling", ["LR", "Learning-Rate", "learning_rate"])
def test_the_spelling_does_not_matter(spelling):
    (line,) = list_errors(text(algorithm=method(more=f", {spelling} = 1.0")))
    assert line == f"algorithm.0.{spelling}: there is no key {spelling!r} here; use 'gamma'"


def test_no_foreign_name_means_two_things_or_is_ours_at_that_place():
    names = [name for _, name in FOREIGN]
    assert len(set(names)) == len(names)


def test_our_own_names_at_the_wrong_place_get_the_right_place():
    (line,) = list_errors(text(top="K = 3"))
    assert line == "K: there is no key 'K' here; it belongs to [[algorithm]]"
