"""Who takes part in which workload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from experiments.benchmarks.contestants.contestant import LeftOut, Repeat, Runner, needed
from experiments.benchmarks.contestants.floor import floor
from experiments.benchmarks.contestants.kavg_contestant import Ours, sequential
from experiments.benchmarks.contestants.numpy_loop import Plain
from experiments.benchmarks.workloads import Workload

Prepare = Callable[[], Repeat]


def runners(workload: Workload, *, seed: int = 1) -> dict[str, Callable[[], Runner]]:
    """Those who follow the law of the workload: kavg, its peers with the same normals, the rest.

    >>> from experiments.benchmarks.workloads import double_well
    >>> list(runners(double_well("tiny", P=2, K=2, R=2, d=2)))[:3]
    ['kavg', 'JAX, float32 normals', 'PyTorch, float32 normals']
    """
    found: dict[str, Callable[[], Runner]] = {
        "kavg": lambda: Ours(workload, seed=seed),
        "JAX, float32 normals": lambda: jax(workload, normals="float32", seed=seed),
        "PyTorch, float32 normals": lambda: torch(workload, normals="float32", seed=seed),
        "JAX": lambda: jax(workload, seed=seed),
        "JAX, a call a round": lambda: jax(workload, by_round=True, seed=seed),
        "PyTorch": lambda: torch(workload, seed=seed),
        "NumPy loop": lambda: Plain(workload, seed=seed),
        "NumPy loop, replicas too": lambda: Plain(workload, apart=True, seed=seed),
        "kavg, plain sum": lambda: Ours(workload, mean="allreduce", seed=seed),
        "kavg, sequential noise": lambda: sequential(workload, seed=seed),
    }
    if not workload.additive:
        del found["kavg, sequential noise"]
    if not workload.additive or workload.R == 1:
        del found["NumPy loop, replicas too"]
    if not workload.small:
        del found["JAX, a call a round"]
    if not (workload.additive and workload.dtype == "float64"):
        del found["PyTorch, float32 normals"], found["JAX, float32 normals"]
    return found


def torch(workload: Workload, *, normals: str = "", seed: int = 1) -> Runner:
    """PyTorch, if it is there."""
    needed("torch")
    from experiments.benchmarks.contestants.torch_contestant import Torch

    return Torch(workload, normals=normals, seed=seed)


def jax(workload: Workload, *, normals: str = "", by_round: bool = False, seed: int = 1) -> Runner:
    """JAX, if it is there."""
    needed("jax")
    from experiments.benchmarks.contestants.jax_contestant import Jax

    return Jax(workload, normals=normals, by_round=by_round, seed=seed)


IN_SERIES: Final = ("kavg", "JAX, float32 normals", "PyTorch, float32 normals", "NumPy loop")
"""Who takes part in a series; the others differ from these by what the single workloads show."""


def roster(workload: Workload) -> dict[str, Prepare]:
    """Everybody who is timed on a workload, the floor last."""
    found: dict[str, Prepare] = dict(runners(workload))
    if workload.ladder:
        found = {name: found[name] for name in IN_SERIES}
    return found | {"floor": lambda: floor(workload)}


def prepared(roster: Mapping[str, Prepare]) -> tuple[dict[str, Repeat], dict[str, str]]:
    """Those who are ready, and why the others are not."""
    ready: dict[str, Repeat] = {}
    notes: dict[str, str] = {}
    for name, prepare in roster.items():
        try:
            ready[name] = prepare()
        except LeftOut as reason:
            notes[name] = str(reason)
    return ready, notes
