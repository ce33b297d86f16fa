"""The names that other programs use for the settings of kavg, and where the settings belong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "gamma": ("lr", "learning_rate", "step_size", "stepsize", "eta", "local_lr", "inner_lr"),
    "K": (
        "period",
        "sync_every",
        "tau",
        "H",
        "k",
        "k_steps",
        "block_size",
        "local_steps",
        "local_sgd_steps",
        "slowmo_freq",
        "localsgd_frequency",
        "global_sync_iter",
    ),
    "P": (
        "num_workers",
        "n_workers",
        "workers",
        "world_size",
        "num_nodes",
        "n_agents",
        "clients",
        "learners",
        "p",
    ),
    "mu": (
        "beta",
        "momentum",
        "block_momentum",
        "slowmo_factor",
        "slowmo_momentum",
        "outer_momentum",
        "server_momentum",
    ),
    "alpha": ("slowmo_lr", "outer_lr", "server_learning_rate", "block_lr"),
    "B": ("batch_size", "batch", "b"),
    "rounds": ("N", "iterations", "steps", "epochs", "num_rounds", "max_iter", "meta_iterations"),
    "replicas": ("R", "repetitions", "n_repetitions", "trials", "runs", "seeds"),
    "sigma2": ("sigma", "variance", "noise_std", "std", "noise_variance"),
    "dim": ("d", "dimension", "n_dim", "ndim", "size"),
    "kind": ("type", "name", "class"),
    "nu": ("df", "degrees_of_freedom"),
    "start": ("x0", "w0", "w1", "init", "initial", "initialisation"),
    "seed": ("random_seed", "random_state"),
    "outer": ("outer_optimizer", "outer_optim_spec", "server_optimizer"),
    "hidden": ("hidden_units", "width", "hidden_size"),
    "algorithm": ("algorithms", "method", "methods"),
    "objective": ("problem", "function", "loss"),
    "oracle": ("noise", "gradient", "gradients"),
    "record": ("log", "logging", "recorded"),
    "every": ("cadence", "log_every", "frequency"),
    "checkpoint": ("checkpoints", "checkpointing", "save", "saving"),
}
"""The names of kavg, each with the names that other programs use for the same thing."""

DATA_TABLE: Final = "data, as in data = { kind = 'file', path = 'iris.csv', label = 'species' }"
PLACES: Final[Mapping[str, str]] = {
    "gamma": "[[algorithm]]",
    "K": "[[algorithm]]",
    "P": "[[algorithm]]",
    "outer": "[[algorithm]]",
    "mu": "outer, as in outer = { kind = 'block_momentum', mu = 0.5 }",
    "alpha": "outer, as in outer = { kind = 'slowmo', mu = 0.5, alpha = 1.0 }",
    "B": "[oracle]",
    "sigma2": "[oracle], the variance of the whole gradient vector",
    "nu": "[oracle]",
    "dim": "[objective]",
    "hidden": "[objective]",
    "standardise": "[objective], of a kind over data",
    "intercept": "[objective], of a regression",
    "held_out": "[objective], of a kind over data",
    "label": DATA_TABLE,
    "columns": DATA_TABLE,
    "ignore": DATA_TABLE,
    "missing": DATA_TABLE,
    "separator": DATA_TABLE,
    "header": DATA_TABLE,
    "rounds": "the top of the file",
    "replicas": "the top of the file",
    "seed": "the top of the file",
    "start": "the top of the file",
    "every": "record or checkpoint, as in record = { every = 1 }",
}
"""Where each setting belongs, for a key in the wrong table."""


def canonical_name(name: str) -> str:
    """Return the name that kavg uses for a setting, or the same name if it is no synonym.

    Upper and lower case, hyphens and underscores make no difference in a synonym.

    >>> canonical_name("learning-rate"), canonical_name("momentum"), canonical_name("gamma")
    ('gamma', 'mu', 'gamma')
    """
    spellings = {name, name.lower().replace("-", "_")}
    names = (ours for ours, synonyms in SYNONYMS.items() if spellings & {*synonyms})
    return next(names, name)
