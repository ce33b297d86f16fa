"""Names that other programs use: the error names ours, and its place."""

from __future__ import annotations

import pytest
from helpers.raw_settings import list_errors, method, text

from kavg.config import synonyms
from kavg.config.advice import all_keys

HERE = {
    "gamma": "algorithm.0", "K": "algorithm.0", "P": "algorithm.0", "outer": "algorithm.0",
    "optimizer": "algorithm.0",
    "restart": "algorithm.0", "mu": "algorithm.0.outer", "alpha": "algorithm.0.outer",
    "B": "oracle", "sigma2": "oracle", "nu": "oracle",
    "dim": "objective", "hidden": "objective", "l2": "objective",
    "standardise": "objective", "held_out": "objective", "intercept": "objective",
    "label": "objective.data", "ignore": "objective.data", "separator": "objective.data",
    "missing": "objective.data",
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
    if key in synonyms.SYNONYMS["intercept"]:
        objective = objective.replace("network", "logistic_regression")
    if place == "objective.data":
        objective = (
            f'{{ kind = "network", data = {{ kind = "file", path = "digits", {key} = 3 }} }}'
        )
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
    (line,) = [line for line in lines if line.startswith(f"{where}: ")]
    advice = f"{where}: there is no key {foreign!r} here; use {ours!r}"
    assert line in (advice, f"{advice}, which is given already: leave {foreign!r} out")


@pytest.mark.parametrize("foreign", synonyms.SYNONYMS["kind"])
def test_foreign_names_of_kind_are_answered(foreign):
    assert list_errors(text(oracle=f"{{ {foreign} = 'gaussian' }}")) == [
        f"oracle: there is no key {foreign!r} here; use 'kind'"
    ]


def test_the_names_users_bring_along_are_known():
    brought = ["lr", "period", "sync_every", "tau", "beta", "num_workers", "batch_size", "epochs"]
    ours = ["gamma", "K", "K", "K", "mu", "P", "B", "rounds"]
    for name, key in zip(brought, ours, strict=True):
        assert key in synonyms.possible_meanings(name, all_keys())


@pytest.mark.parametrize("spelling", ["LR", "Learning-Rate", "learning_rate"])
def test_the_spelling_does_not_matter(spelling):
    (line,) = list_errors(text(algorithm=method(more=f", {spelling} = 1.0")))
    beginning = f"algorithm.0.{spelling}: there is no key {spelling!r} here; use 'gamma', which is"
    assert line.startswith(beginning)


def test_our_own_names_at_the_wrong_place_get_the_right_place():
    (line,) = list_errors(text(top="K = 3"))
    assert line == (
        "K: there is no key 'K' here; it belongs to [[algorithm]], where it is given already"
    )


@pytest.mark.parametrize(
    ("kind", "foreign", "ours"),
    [
        ("heavy_ball", "momentum", "beta"),
        ("nesterov_steps", "mu", "beta"),
        ("adam", "betas", "beta1"),
        ("adamw", "epsilon", "eps"),
        ("adamw", "max_grad_norm", "clip"),
        ("sgd", "l2", "weight_decay"),
    ],
)
def test_names_of_torch_are_answered_in_tables_of_optimizers(kind, foreign, ours):
    numbers = ", beta = 0.5" if kind in ("heavy_ball", "nesterov_steps") else ""
    table = f', optimizer = {{ kind = "{kind}"{numbers}, {foreign} = 0.1 }}'
    (line,) = list_errors(text(algorithm=method(more=table)))
    place = f"algorithm.0.optimizer.{foreign}"
    assert line.startswith(f"{place}: there is no key {foreign!r} here; use {ours!r}")


@pytest.mark.parametrize(
    ("kind", "foreign", "ours"),
    [
        ("averaging", "lr", "alpha"),
        ("block_momentum", "lr", "alpha"),
        ("nesterov", "learning_rate", "alpha"),
        ("nesterov_look_ahead", "lr", "alpha"),
        ("quasi_hyperbolic", "lr", "alpha"),
        ("slowmo", "lr", "alpha"),
        ("fed_adam", "betas", "beta1"),
        ("fed_adam", "eps", "tau"),
        ("fed_adam", "momentum", "beta1"),
        ("fed_adagrad", "epsilon", "tau"),
    ],
)
def test_names_of_torch_are_answered_in_tables_of_outer_rules(kind, foreign, ours):
    """A learning rate there is that of the outer step, and not gamma."""
    numbers = {
        "averaging": "",
        "fed_adam": ", alpha = 0.1",
        "fed_adagrad": ", alpha = 0.1",
        "quasi_hyperbolic": ", mu = 0.5, nu = 0.5",
    }.get(kind, ", mu = 0.5")
    rule = f'{{ kind = "{kind}"{numbers}, {foreign} = 0.1 }}'
    (line,) = list_errors(text(algorithm=method(outer=rule)))
    assert line == f"algorithm.0.outer.{foreign}: there is no key {foreign!r} here; use {ours!r}"


def test_momentum_beside_plain_sgd_is_that_of_another_optimizer():
    table = ', optimizer = { kind = "sgd", momentum = 0.9 }'
    (line,) = list_errors(text(algorithm=method(more=table)))
    assert line.startswith(
        "algorithm.0.optimizer.momentum: kind 'sgd' has no key 'momentum', which is 'beta' in "
        "kavg; use kind 'heavy_ball' or 'nesterov_steps'"
    )
