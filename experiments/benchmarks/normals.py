"""Normals alone: kavg's addressed draws beside the generators of NumPy, JAX and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from experiments.benchmarks.contestants.contestant import Repeat, needed, repeated
from experiments.benchmarks.contestants.floor import CHUNK, noise
from experiments.benchmarks.contestants.passes import Floor
from kavg.oracles.box_muller import PolarNormals
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose

SIZES: Final = (CHUNK, 2**20)
"""Values a draw: a tile, and far more than a cache holds."""
PRECISIONS: Final = ("float32", "float64")
GENERATORS: Final = {
    "SFC64": np.random.SFC64,
    "Philox": np.random.Philox,
    "PCG64": np.random.PCG64,
}


def fillers(size: int) -> dict[str, Callable[[], Repeat]]:
    """What prepares each contestant for draws of ``size`` normals.

    >>> list(fillers(16))[:3]
    ['kavg', 'kavg, Box and Muller', 'JAX, float32']
    """
    found: dict[str, Callable[[], Repeat]] = {
        "kavg": lambda: addressed(size, Normals),
        "kavg, Box and Muller": lambda: addressed(size, PolarNormals),
    }
    for precision in PRECISIONS:
        found[f"JAX, {precision}"] = partial(jax, size, precision)
        found[f"PyTorch, {precision}"] = partial(torch, size, precision)
    for name, bits in GENERATORS.items():
        for precision in PRECISIONS:
            found[f"NumPy {name}, {precision}"] = partial(numpy, size, bits, precision)
    return found | {"floor": lambda: random_bits(size)}


def addressed(size: int, law: type[Normals | PolarNormals]) -> Repeat:
    """Kavg's draws of a tile of learners with 1024 coordinates each, or of one learner."""
    tile = max(1, size // 1024) if size <= CHUNK else 1
    d = size // tile
    normals = law(seed=1, purpose=Purpose.NOISE, R=1, tile=tile, d=d, dtype="float32")
    steps = iter(range(2**62))

    def repeat(times: int) -> None:
        for _ in range(times):
            normals.draw(next(steps), 1.0)

    return repeat


def random_bits(size: int) -> Floor:
    """Random bits and one conversion, a cache full at a time: what every normal begins with."""
    return Floor(noise(min(CHUNK, size), "float32", size))


def numpy(size: int, bits: Any, precision: Any) -> Repeat:
    """``Generator.standard_normal`` into an array that is there already."""
    generator, out = np.random.Generator(bits(1)), np.empty(size, precision)
    return repeated(lambda: generator.standard_normal(dtype=out.dtype.type, out=out))


def torch(size: int, precision: str) -> Repeat:
    """``Tensor.normal_``."""
    needed("torch")
    from experiments.benchmarks.contestants.torch_contestant import normals

    return normals(size, precision)


def jax(size: int, precision: str) -> Repeat:
    """``jax.random.normal`` with a new key for each draw."""
    needed("jax")
    from experiments.benchmarks.contestants.jax_contestant import normals

    return normals(size, precision)
