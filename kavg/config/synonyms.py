"""The names that other programs use for the settings of kavg."""

from __future__ import annotations

import re
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
    "P": ("workers", "world_size", "nodes", "agents", "clients", "learners", "p"),
    "restart": ("reset_every", "restart_every", "restart_period"),
    "mu": (
        "beta",
        "momentum",
        "block_momentum",
        "slowmo_factor",
        "slowmo_momentum",
        "outer_momentum",
        "server_momentum",
    ),
    "alpha": ("slowmo_lr", "outer_lr", "server_lr", "server_learning_rate", "block_lr"),
    "l2": ("weight_decay", "regularisation", "regularization"),
    "B": ("batch_size", "batch", "minibatch_size", "b"),
    "rounds": ("N", "iterations", "iters", "steps", "epochs", "max_iter", "meta_iterations"),
    "replicas": ("R", "repetitions", "repeats", "trials", "runs", "seeds", "replicates"),
    "sigma2": ("sigma", "variance", "noise_std", "std", "noise_variance"),
    "dim": ("d", "dimension", "dimensions", "ndim", "size"),
    "kind": ("type", "name", "class"),
    "nu": ("df", "dof", "degrees_of_freedom"),
    "start": ("x0", "w0", "w1", "init", "initial", "initialisation", "initialization"),
    "seed": ("random_seed", "random_state"),
    "optimizer": (
        "inner_optimizer",
        "local_optimizer",
        "client_optimizer",
        "base_optimizer",
        "optim",
    ),
    "outer": ("outer_optimizer", "outer_optim_spec", "server_optimizer"),
    "hidden": ("hidden_units", "width", "hidden_size"),
    "algorithm": ("algorithms", "methods"),
    "objective": ("problem", "function", "loss"),
    "oracle": ("noise", "gradient", "gradients"),
    "record": ("log", "logging", "recorded"),
    "every": ("cadence", "log_every", "frequency"),
    "checkpoint": ("checkpoints", "checkpointing", "save", "saving"),
    "label": ("target", "labels", "label_column", "target_column", "class_column"),
    "ignore": ("drop_columns", "ignore_columns", "exclude"),
    "separator": ("sep", "delimiter"),
    "missing": ("dropna", "missing_values", "na_values"),
    "standardise": ("standardize", "normalize", "normalise", "scale_features"),
    "intercept": ("fit_intercept", "add_intercept", "bias"),
    "held_out": ("test_size", "validation_split", "test_fraction"),
}
"""The names of kavg, each with the names that other programs use for the same thing.

Names of counts may also begin as in ``COUNTING``.
"""

_OF_STEPS: Final = {
    "clip": ("max_norm", "grad_clip", "clip_norm", "max_grad_norm", "gradient_clipping"),
    "weight_decay": ("l2", "wd", "decay", "regularisation", "regularization"),
}
_OF_STATE: Final = _OF_STEPS | {"at_average": ("state", "at_sync", "buffers", "sync_state")}
_OF_MOMENTUM: Final = _OF_STATE | {"beta": ("momentum", "mu", "local_momentum", "inner_momentum")}
_OF_MOMENTS: Final = _OF_STATE | {
    "beta1": ("b1", "betas"),
    "beta2": ("b2", "betas"),
    "eps": ("epsilon",),
}

_OF_OUTER_STEP: Final = {"alpha": ("lr", "learning_rate", "step_size", "stepsize", "eta")}
_OF_OUTER_MOMENTS: Final = _OF_OUTER_STEP | {
    "beta1": ("b1", "betas", "beta", "mu", "momentum", "server_momentum", "outer_momentum"),
    "beta2": ("b2", "betas"),
    "tau": ("eps", "epsilon"),
}

SYNONYMS_BY_KIND: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "qsr": {"least": ("H_base", "K_base", "K0", "base"), "most": ("limit", "cap", "K_max")},
    "warm_up": {"rounds": ("warmup_steps", "warmup_iterations", "start_localSGD_iter")},
    # Which sgd has not: it belongs to the kinds of the same table that have it.
    "sgd": _OF_STEPS | {"beta": _OF_MOMENTUM["beta"]},
    "heavy_ball": _OF_MOMENTUM,
    "nesterov_steps": _OF_MOMENTUM,
    "adam": _OF_MOMENTS,
    "adamw": _OF_MOMENTS,
    "averaging": _OF_OUTER_STEP,
    "block_momentum": _OF_OUTER_STEP,
    "nesterov": _OF_OUTER_STEP,
    "nesterov_look_ahead": _OF_OUTER_STEP,
    "quasi_hyperbolic": _OF_OUTER_STEP,
    "slowmo": _OF_OUTER_STEP,
    "fed_adam": _OF_OUTER_MOMENTS,
    "fed_adagrad": {key: _OF_OUTER_MOMENTS[key] for key in ("alpha", "beta1", "tau")},
    "logistic_regression": {"alpha": ("l2", "weight_decay", "regularisation", "regularization")},
    "curved_valley": {"condition": ("kappa", "cond", "condition_number")},
    "network": {"l2": ("alpha", "weight_decay", "regularisation", "regularization")},
    "normal": {"scale": ("std", "sigma", "stddev", "standard_deviation"), "mean": ("mu", "loc")},
}
"""What a name means in a table of a kind, where that differs from its meaning elsewhere."""

COUNTING: Final = re.compile(r"\A(n|num|nb|no_of|number_of|max|total)_(?=.)")
"""The beginning of a count in other programs: ``num_workers``, ``n_runs``, ``max_rounds``."""


def possible_meanings(name: str, keys: frozenset[str], kind: str | None = None) -> list[str]:
    """Return the keys that a name may stand for, the likeliest first.

    ``keys`` are all keys of kavg, and ``kind`` is that of the table the name was found in.  Upper
    and lower case, hyphens and underscores make no difference.

    >>> keys = frozenset({"gamma", "K", "replicas", "alpha", *SYNONYMS})
    >>> possible_meanings("Learning-Rate", keys), possible_meanings("n_runs", keys)
    (['gamma'], ['replicas'])
    """
    folded = _fold_case(name)
    counted = COUNTING.sub("", folded, count=1)
    spellings = {name, folded, counted}
    known = SYNONYMS_BY_KIND.get(kind or "", {})
    ours = [key for key, foreign in known.items() if spellings & {*foreign}]
    ours += [name] if name in keys else []
    ours += sorted(key for key in keys if _fold_case(key) in (folded, counted))
    ours += [key for key, foreign in SYNONYMS.items() if spellings & {*foreign}]
    return list(dict.fromkeys(ours))


def _fold_case(name: str) -> str:
    return name.lower().replace("-", "_")
