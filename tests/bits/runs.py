"""Short runs whose digests are the same on every machine, and the program that computes them.

``python tests/bits/runs.py`` compares them with ``golden.json`` and names those that differ;
``--write`` rewrites the file, after a change of arithmetic that is meant; ``--json`` prints them
with what this process uses, for ``levels.py``.

An objective, oracle, outer rule, optimizer, schedule or start of kavg that says
``same_bits = "any machine"`` is among them by itself, in both precisions and, where ``dim`` is
free, in every dimension in which functions take another form.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import sys
from collections.abc import Iterator, Mapping
from itertools import cycle, product
from pathlib import Path
from typing import Any

import numpy as np

import kavg
from kavg import (
    Algorithm,
    Problem,
    aggregations,
    measures,
    objectives,
    optimizers,
    oracles,
    outer,
    periods,
    schedules,
    starts,
)
from kavg.engine.blas_threads import get_blas_controller
from kavg.errors import KavgError
from kavg.objectives.instances import small_settings
from kavg.portability import find_same_bits
from kavg.storage import digest

GOLDEN = Path(__file__).with_name("golden.json")
DIMENSIONS = (1, 2, 3, 10, 130, 1000)
PRECISIONS = ("float64", "float32")
NEWER = ("curved_valley", "deep_linear", "flat_minimum", "nested_ripples")
"""Objectives that came after the first runs were pinned."""
LENGTH = 16
"""Hexadecimal digits of a digest that are kept."""

ONE_OBJECTIVE = ("minibatch", "unlike_functions", "label_noise")
"""Oracles that do not suit every quadratic, with runs of their own."""

Run = tuple[Problem, Algorithm, dict[str, Any]]


def all_runs() -> dict[str, Run]:
    """The runs by name; a name says what alone is tried in it."""
    problems = (runs_of_objectives, runs_of_oracles, runs_of_batches, runs_of_functions)
    parts = (runs_of_optimizers, runs_of_aggregations, runs_of_outer_steps, runs_of_periods)
    families = (*problems, runs_of_rules, *parts, runs_of_measures, large_runs)
    return dict(run for family in families for run in family())


def runs_of_objectives() -> Iterator[tuple[str, Run]]:
    """Each objective, at points that signs and sums of exact numbers lead to."""
    method = Algorithm(P=3, K=3, gamma=0.05, outer=outer.BlockMomentum(mu=0.5))
    sizes = cycle(((1, None), (2, 2), (5, 1)))
    for name, objective in portable_objectives():
        for dtype in PRECISIONS:
            replicas, tile = next(sizes)
            # Noise that no function of NumPy but a shift and a product makes.
            noise = oracles.Rademacher(sigma2=0.25 * objective.dim)
            problem = Problem(objective, noise, exact_start(objective.dim))
            options = {"replicas": replicas, "tile": tile, "dtype": dtype}
            yield f"objective {name}, d = {objective.dim}, {dtype}", (problem, method, options)


def portable_objectives() -> Iterator[tuple[str, Any]]:
    """Instances of the kinds that promise the same bits, and some with other parameters.

    Sizes take turns, so that newer kinds come last: others would change their runs.
    """
    kinds = [
        (kind, cls)
        for kind, cls in objectives.KINDS.items()
        if find_same_bits(cls(**small_settings(cls))) == "any machine"
    ]
    for kind, cls in kinds:
        if kind not in NEWER:
            yield from ((kind, one) for one in instances(cls))
    spectra = ((0.01, 1.0, 2), (0.3, 7.0, 10), (1e-5, 3.0, 130))
    for low, high, dim in spectra:
        spectrum = objectives.LogSpectrum(low, high, dim)
        yield "quadratic of LogSpectrum", objectives.Quadratic(spectrum)
        yield "quadratic, rotated", objectives.Quadratic(spectrum, rotation_seed=dim)
    for dim in (3, 130):
        yield "double_well of other a, b", objectives.DoubleWell(dim, a=0.7, b=1.3)
        yield "cosine of another omega", objectives.Cosine(dim, lam=0.3, A=1.7, omega=40.7)
    for kind, cls in kinds:
        if kind in NEWER:
            yield from ((kind, one) for one in instances(cls))


def instances(cls: type[Any]) -> Iterator[Any]:
    """An instance in each dimension that a class can have."""
    fields = {field.name for field in dataclasses.fields(cls)}
    for dim in DIMENSIONS:
        if cls is objectives.Quadratic:
            yield cls(tuple(0.125 * (1 + i % 7) for i in range(dim)))
        elif "dim" in fields:
            try:
                yield cls(**small_settings(cls) | {"dim": dim})
            except KavgError:  # Rosenbrock has two coordinates at least.
                continue
        else:
            yield cls(**small_settings(cls))
            return


def exact_start(dim: int) -> tuple[float, ...]:
    """Points around 0, some far out, without a function of the C library."""
    return tuple(((37 * i + 11) % 64 - 31.5) / (16 if i % 9 else 2) for i in range(dim))


def runs_of_oracles() -> Iterator[tuple[str, Run]]:
    """Each law of noise, on a quadratic."""
    method = Algorithm(P=3, K=3, gamma=0.1, outer=outer.BlockMomentum(mu=0.5))
    sizes = cycle(((1, 2), (2, None), (5, 1)))
    for (name, law), dim, dtype in product(portable_oracles(), DIMENSIONS, PRECISIONS):
        bowl = objectives.Quadratic(tuple(0.125 * (1 + i % 7) for i in range(dim)))
        replicas, tile = next(sizes)
        options = {"replicas": replicas, "tile": tile, "dtype": dtype, "seed": 3}
        yield f"oracle {name}, d = {dim}, {dtype}", (Problem(bowl, law, 0.7), method, options)


def portable_oracles() -> Iterator[tuple[str, Any]]:
    """Instances of the kinds that promise the same bits, in each of their forms."""
    for kind, cls in oracles.KINDS.items():
        if kind in ONE_OBJECTIVE or find_same_bits(cls(**small_settings(cls))) != "any machine":
            continue
        flags = [field.name for field in dataclasses.fields(cls) if field.type == "bool"]
        for values in product((False, True), repeat=len(flags)):
            chosen = dict(zip(flags, values, strict=True))
            said = "".join(f", {flag}" for flag in flags if chosen[flag])
            yield f"{kind}{said}", cls(**small_settings(cls) | chosen)
    yield "gaussian, box_muller", oracles.Gaussian(sigma2=1.0, normals="box_muller")
    yield "student_t, nu = 7.5", oracles.StudentT(sigma2=2.0, nu=7.5, B=3)
    yield "shifted gaussian", oracles.Shifted(zeta2=2.0, noise=oracles.Gaussian(0.3), seed=5)


def runs_of_batches() -> Iterator[tuple[str, Run]]:
    """Mini-batches; those of kavg's own finite sums rest on BLAS."""
    method = Algorithm(P=4, K=3, gamma=0.1, outer=outer.Averaging())
    names = ("with_replacement", "without_replacement", "reshuffle")
    for sampling, parts in product(names, (None, oracles.Partition(skew=0.5, seed=2))):
        problem = Problem(Centres(), oracles.MiniBatch(3, sampling, parts), 0.7)
        said = f"oracle minibatch, {sampling}{', parts' if parts else ''}"
        yield said, (problem, method, {"replicas": 2, "tile": 3})


class Centres:
    """``F(w) = (1/n) sum_i ||w - a_i||^2 / 2`` over 24 points: a finite sum without BLAS."""

    dim, examples = 3, 24
    same_bits = "any machine"
    L = kavg.base.Constant(1.0, "exact")
    f_star = kavg.base.Constant(0.0, "upper bound")

    def __init__(self) -> None:
        self.points = (np.arange(72) * 29 % 64 / 16 - 2).reshape(24, 3)
        self.labels = np.arange(24) % 3

    def value(self, x):
        """Return F at every row."""
        squares = np.square(x[..., None, :] - self.points)
        return sum(squares[..., i, k] for i in range(24) for k in range(3)) / 48

    def grad(self, x, out):
        """Write the gradient."""
        return np.subtract(x, sum(self.points) / 24, out=out)

    def plan_batches(self, tile, R, B, dtype="float64"):
        """Return the gradient of a batch."""

        def gradient(x, indices, out):
            taken = self.points[indices]
            out[...] = x - sum(taken[..., i, :] for i in range(B)) / B

        return gradient


def runs_of_functions() -> Iterator[tuple[str, Run]]:
    """Learners whose functions differ, and noise of labels, with the objectives that they suit."""
    method = Algorithm(P=5, K=3, gamma=0.02, outer=outer.BlockMomentum(mu=0.5))
    noise = oracles.Rademacher(sigma2=1.0)
    pairs = {
        "unlike_functions": (
            objectives.Cosine(3),
            oracles.UnlikeFunctions(objectives.SineBowl(3), noise),
        ),
        "scaled": (objectives.Cosine(3), oracles.Scaled(0.5, zeta2=2.0, noise=noise)),
        "label_noise": (objectives.FlatMinimum(), oracles.LabelNoise(0.5, B=2)),
        "label_noise of layers": (objectives.DeepLinear((2.0, 0.5), 3), oracles.LabelNoise(0.5)),
        "random_design": (objectives.Quadratic((0.5, 1.0)), oracles.RandomDesign(0.5, B=3)),
    }
    for (name, (objective, law)), dtype in product(pairs.items(), PRECISIONS):
        problem = Problem(objective, law, 0.75)
        yield (
            f"oracle {name}, {dtype}",
            (problem, method, {"replicas": 2, "tile": 2, "dtype": dtype}),
        )


def runs_of_rules() -> Iterator[tuple[str, Run]]:
    """Each outer rule with each schedule; starts, means and numbers of learners take turns."""
    bowl, noise = objectives.Quadratic((0.25, 1.0, 2.0)), oracles.Rademacher(sigma2=1.0)
    turns = cycle(product((1, 2, 3, 13), ("exact", "allreduce")))
    origins = cycle((0.3, (1.0, -2.0, 0.1), starts.Normal(scale=0.7, mean=0.1)))
    for rule, schedule in product(portable_rules(), portable_schedules()):
        (P, mean), start = next(turns), next(origins)
        method = Algorithm(P=P, K=3, gamma=schedule, outer=rule)
        name = (
            f"{rule.kind} with {schedule.kind}, P = {P}, mean {mean}, start {type(start).__name__}"
        )
        options = {"rounds": 5, "replicas": 2, "mean": mean, "seed": 7}
        yield name, (Problem(bowl, noise, start), method, options)
    # Learners that are near to each other and far from the start: the second pass of dispersion.
    far = Problem(objectives.Linear(dim=3), oracles.Rademacher(sigma2=1e-12), 0.0)
    method = Algorithm(P=5, K=3, gamma=1.0, outer=outer.Averaging())
    yield "a second pass of the dispersion", (far, method, {"replicas": 2, "tile": 2})
    for name, start in (
        ("Normal", starts.Normal(scale=3.0)),
        ("Normal of mean 1", starts.Normal(mean=1.0)),
    ):
        bowl = objectives.Quadratic((0.25,) * 130)
        yield f"start {name}", (Problem(bowl, oracles.Noiseless(), start), method, {"replicas": 3})


def runs_of_optimizers() -> Iterator[tuple[str, Run]]:
    """Each local optimizer with each treatment of its state, and one that clips and decays."""
    problem = Problem(
        objectives.Cosine(dim=5), oracles.Rademacher(sigma2=1.0), tuple(exact_start(5))
    )
    for kind, cls in optimizers.KINDS.items():
        given, names = small_settings(cls), {field.name for field in dataclasses.fields(cls)}
        states = ("reset", "kept", "averaged") if "at_average" in names else ()
        forms: dict[str, Any] = {state: {"at_average": state} for state in states}
        if "clip" in names:
            forms["clipped, with decay"] = {"clip": 0.75, "weight_decay": 0.125}
        forms = forms or {"as it is": {}}
        for (form, more), dtype in product(forms.items(), PRECISIONS):
            one = cls(**given | more)
            method = Algorithm(P=3, K=3, gamma=0.05, outer=outer.Averaging(), optimizer=one)
            yield f"optimizer {kind}, {form}, {dtype}", (problem, method, {"dtype": dtype})


def runs_of_aggregations() -> Iterator[tuple[str, Run]]:
    """Each aggregation whose learners carry more than a mean, in its forms."""
    problem = Problem(
        objectives.Cosine(dim=5), oracles.Rademacher(sigma2=1.0), tuple(exact_start(5))
    )
    law = aggregations.StaleGradients
    forms = {
        "elastic": aggregations.ElasticAveraging(0.3),
        "gossip, ring": aggregations.Gossip(),
        "gossip, complete": aggregations.Gossip("complete"),
        "stale_gradients, geometric": law(mean=0.7),
        "stale_gradients, uniform": law("uniform"),
        "stale_gradients, constant": law("constant"),
        "groups": aggregations.GroupedLearners(1, (2, 3)),
        "sampled": aggregations.SampledLearners(2),
        "sampled, unbiased": aggregations.SampledLearners(3, (1.0, 2.0, 1.5, 3.0, 0.7)),
        "sampled, normalised": aggregations.SampledLearners(
            3, (1.0, 2.0, 1.5, 3.0, 0.7), "normalised"
        ),
        "own_steps": aggregations.OwnSteps((1, 3, 2, 3, 1)),
        "own_steps, FedNova": aggregations.OwnSteps((1, 3, 2, 3, 1), "fednova"),
        "stragglers": aggregations.Stragglers(2, K_slow=1, weights="fednova"),
        "elastic, last": aggregations.ElasticAveraging(0.3, "last"),
    }
    for (form, part), dtype in product(forms.items(), PRECISIONS):
        method = Algorithm(P=5, K=3, gamma=0.05, outer=outer.Averaging(), aggregation=part)
        options = {"dtype": dtype, "replicas": 2, "rounds": 6}
        yield f"aggregation {form}, {dtype}", (problem, method, options)


def runs_of_outer_steps() -> Iterator[tuple[str, Run]]:
    """Each outer rule with another outer step, and with restarts where it has memory."""
    problem = Problem(
        objectives.Cosine(dim=5), oracles.Rademacher(sigma2=1.0), tuple(exact_start(5))
    )
    for rule, dtype in product(portable_rules(), PRECISIONS):
        options = {"dtype": dtype, "replicas": 2, "rounds": 6}
        method = Algorithm(P=3, K=2, gamma=0.05, outer=dataclasses.replace(rule, alpha=0.7))
        yield f"outer step of {rule.kind}, {dtype}", (problem, method, options)
        if rule.memory:
            method = dataclasses.replace(method, restart=4)
            yield f"restarts of {rule.kind}, {dtype}", (problem, method, options)


def runs_of_periods() -> Iterator[tuple[str, Run]]:
    """Each period, under a step size whose quotients come near to whole numbers."""
    problem = Problem(
        objectives.Cosine(dim=5), oracles.Rademacher(sigma2=1.0), tuple(exact_start(5))
    )
    gamma, rule = schedules.InverseSqrt(0.1, rounds=3), periods.QuadraticSynchronization
    each = [
        periods.PiecewisePeriod((1, 4, 2), (2, 4)),
        periods.WarmUpPeriod(2, then=rule(alpha=0.1, least=2, power=3)),
        rule(alpha=0.2),
        periods.DispersionControl(spread=0.05),
    ]
    assert {type(one) for one in each} == set(periods.KINDS.values())
    for K, dtype in product(each, PRECISIONS):
        method = Algorithm(P=5, K=K, gamma=gamma, outer=outer.BlockMomentum(mu=0.5))
        yield f"period {K.kind}, {dtype}", (problem, method, {"dtype": dtype, "rounds": 8})


def runs_of_measures() -> Iterator[tuple[str, Run]]:
    """All measures of rounds, beside each other, in the rounds that are recorded."""
    bowl = objectives.Quadratic((0.5, -1.0, 2.0), rotation_seed=4)
    problem = Problem(bowl, oracles.Rademacher(sigma2=1.0), (1.0, -0.5, 0.25))
    given = {"distance": {"point": 0.125}, "suffix": {"after": 1}, "spread": {"directions": (0, 2)}}
    record = [cls(**given.get(kind, {})) for kind, cls in measures.KINDS.items()]
    laws = {"all": aggregations.AllLearners(), "elastic": aggregations.ElasticAveraging(0.25)}
    for (name, law), dtype in product(laws.items(), PRECISIONS):
        method = Algorithm(5, 3, 0.05, outer.BlockMomentum(0.5), aggregation=law)
        options = {"dtype": dtype, "replicas": 2, "rounds": 5, "every": 2, "record": record}
        yield f"measures of {name}, {dtype}", (problem, method, options)


def large_runs() -> Iterator[tuple[str, Run]]:
    """More coordinates than blocks, halved sums and one chunk of an Allreduce have."""
    method = Algorithm(P=2, K=2, gamma=0.05, outer=outer.BlockMomentum(mu=0.5))
    others = ("none", "shifted", "scaled", "random_design")
    laws = {name: law for name, law in portable_oracles() if name not in others}
    functions = (
        objectives.DoubleWell,
        objectives.Cosine,
        objectives.SineBowl,
        objectives.Logarithm,
    )
    for (name, law), function, dtype in zip(laws.items(), cycle(functions), cycle(PRECISIONS)):
        problem = Problem(function(20_011), law, exact_start(20_011))
        options = {"rounds": 2, "dtype": dtype}
        yield f"large {function.kind}, {name}, {dtype}", (problem, method, options)
    flat = Problem(objectives.Linear(140_001), oracles.Gaussian(sigma2=1.0), 0.0)
    yield "large linear, in two chunks", (flat, method, {"rounds": 2})


def portable_rules() -> list[Any]:
    """An instance of each outer rule; those of the first versions come first.

    Starts and means take turns, so one that came between others would change their runs.
    """
    first = ("averaging", "block_momentum", "nesterov", "slowmo")
    kinds = (*first, *(kind for kind in outer.KINDS if kind not in first))
    return [outer.KINDS[kind](**small_settings(outer.KINDS[kind])) for kind in kinds]


def portable_schedules() -> list[Any]:
    """An instance of each schedule."""
    root = schedules.InverseSqrt(0.1, rounds=3)
    steps = [schedules.ConstantStep(0.1), root, schedules.Piecewise((0.1, 0.03), (2,))]
    steps.append(schedules.WarmUp(rounds=4, then=root))
    assert {type(one) for one in steps} == set(schedules.KINDS.values())
    return steps


def digest_of(run: Run) -> str:
    """The first digits of the digest of a run of three rounds, or as many as it says."""
    problem, algorithm, options = run
    trajectory = kavg.simulate(problem, algorithm, **{"rounds": 3, "seed": 1} | options)
    return digest(trajectory)[:LENGTH]


def digests_of_constants() -> Iterator[tuple[str, str]]:
    """The constants of theory that a run folder holds, bit for bit."""
    for name, objective in portable_objectives():
        found = [getattr(objective, each, None) for each in ("L", "f_star", "pl", "well")]
        numbers = [float(getattr(one, "value", one)).hex() for one in found if one is not None]
        yield f"constants of {name}, d = {objective.dim}", shorten(" ".join(numbers))


def shorten(text: str) -> str:
    """The first digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def all_digests() -> dict[str, str]:
    """Every digest by name, and one of all."""
    found = {name: digest_of(run) for name, run in all_runs().items()}
    found |= dict(digests_of_constants())
    return {"all": shorten("".join(found.values())), **found}


def uses() -> dict[str, Any]:
    """What this process uses, and results of functions that differ between machines."""
    # Here, so that another machine needs NumPy alone to compare digests.
    from kavg.cli.environment import blas_name, simd_extensions

    x = np.linspace(0.001, 3.0, 4099)
    functions = (math.exp, math.log, math.sin, math.tanh, math.expm1, math.atan)
    libm = [f(float(each)).hex() for f in functions for each in x]
    vector = [f(x.astype(kind)).tobytes() for f in (np.exp, np.log, np.tanh) for kind in PRECISIONS]
    blas = np.matvec(np.sin(np.outer(x[:64], x[:97])), x[:97]).tobytes()
    threads = [
        one["num_threads"] for one in get_blas_controller().info() if one["user_api"] == "blas"
    ]
    return {
        "simd": simd_extensions(),
        "blas": blas_name(),
        "threads": max(threads, default=1),
        "functions": {
            "C library": shorten(" ".join(libm)),
            "NumPy": hashlib.sha256(b"".join(vector)).hexdigest()[:LENGTH],
            "BLAS": hashlib.sha256(blas).hexdigest()[:LENGTH],
        },
    }


def read_golden() -> dict[str, str]:
    """The golden values by name."""
    golden: dict[str, str] = json.loads(GOLDEN.read_text())
    return golden


def differences(found: Mapping[str, str], golden: Mapping[str, str]) -> list[str]:
    """The names whose digests differ, or that only one side has."""
    return [
        name
        for name in {**golden, **found}
        if name != "all" and found.get(name) != golden.get(name)
    ]


def main(words: list[str]) -> int:
    """Print, compare or write."""
    found = all_digests()
    if words == ["--json"]:
        print(json.dumps({"uses": uses(), "digests": found}))
        return 0
    if words == ["--write"]:
        GOLDEN.write_text(json.dumps(found, indent=0) + "\n")
        print(f"{len(found) - 1} digests written to {GOLDEN}")
        return 0
    others = differences(found, read_golden())
    print(*others, f"{len(others)} of {len(found) - 1} differ", sep="\n")
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
