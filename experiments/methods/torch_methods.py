"""Methods of the field in PyTorch: ``torch.optim`` inside and outside, averaging by hand.

Nothing of kavg is used.  P learners have a parameter and an optimizer each, an outer optimizer has
the pseudo-gradient, and gradients are those of autograd plus noise that is stored beside the
results in ``torch_numbers.json``; ``against_torch.py`` gives kavg the same noise.

    python experiments/methods/torch_methods.py          prints the largest change of a number
    python experiments/methods/torch_methods.py --write  writes the numbers
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

FILE = Path(__file__).with_name("torch_numbers.json")
ROUNDS, P, K, R, D = 20, 3, 4, 2, 3
GAMMA = 0.03
START = ((1.5, -0.75, 0.25), (-2.0, 0.5, 1.0))
"""One start a replica, (R, D)."""
CURVATURE, HEIGHT, OMEGA = 1.0, 0.5, 3.0

Make = Callable[..., torch.optim.Optimizer]
SGD, Adam, AdamW, Adagrad = (
    torch.optim.SGD,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.Adagrad,
)


@dataclass(frozen=True)
class Case:
    """An inner optimizer, what becomes of its state at the average, and an outer optimizer.

    With ``restart`` the outer optimizer is a new one every so many rounds; the first ``single``
    rounds have one local step; ``accumulate`` sums all gradients of a round before one step.
    """

    inside: Make = SGD
    options: Mapping[str, Any] = field(default_factory=dict)
    state: str = "reset"
    clip: float | None = None
    outside: Make = SGD
    outer_options: Mapping[str, Any] = field(default_factory=lambda: {"lr": 1.0})
    restart: int | None = None
    single: int = 0
    accumulate: bool = False


BETAS: Mapping[str, Any] = {"betas": (0.8, 0.95), "eps": 1e-6}
INSIDE: Mapping[str, tuple[Make, Mapping[str, Any]]] = {
    "heavy ball": (SGD, {"momentum": 0.7}),
    "Nesterov inside": (SGD, {"momentum": 0.7, "nesterov": True}),
    "Adam": (Adam, BETAS),
    "AdamW": (AdamW, {**BETAS, "weight_decay": 0.1}),
}
OUTSIDE: Mapping[str, tuple[Make, Mapping[str, Any]]] = {
    "averaging": (SGD, {"lr": 1.0}),
    "averaging, alpha = 0.7": (SGD, {"lr": 0.7}),
    "block momentum": (SGD, {"lr": 1.0, "momentum": 0.6}),
    "block momentum, alpha = 0.7": (SGD, {"lr": 0.7, "momentum": 0.6}),
    "Nesterov outside": (SGD, {"lr": 1.0, "momentum": 0.6, "nesterov": True}),
    "Nesterov outside, alpha = 0.7": (SGD, {"lr": 0.7, "momentum": 0.6, "nesterov": True}),
    "Adagrad outside": (Adagrad, {"lr": 0.3, "eps": 1e-3}),
}
CASES: Mapping[str, Case] = {
    **{
        f"{name}, {state}": Case(make, options, state)
        for name, (make, options) in INSIDE.items()
        for state in ("reset", "kept", "averaged")
    },
    **{name: Case(outside=make, outer_options=opts) for name, (make, opts) in OUTSIDE.items()},
    "clipped": Case(clip=1.5),
    "heavy ball, kept, clipped": Case(SGD, {"momentum": 0.7}, "kept", 1.5),
    "AdamW, kept, clipped": Case(AdamW, {**BETAS, "weight_decay": 0.1}, "kept", 1.5),
    "SGD with weight decay": Case(SGD, {"weight_decay": 0.1}),
    "DiLoCo": Case(
        AdamW,
        {"weight_decay": 0.1},
        "kept",
        None,
        SGD,
        {"lr": 0.7, "momentum": 0.9, "nesterov": True},
    ),
    "Adam, kept, with weight decay": Case(Adam, {**BETAS, "weight_decay": 0.1}, "kept"),
    "Nesterov inside, kept, clipped, with decay": Case(
        SGD, {"momentum": 0.7, "nesterov": True, "weight_decay": 0.1}, "kept", 1.5
    ),
    "momentum inside and outside": Case(
        SGD, {"momentum": 0.7}, "averaged", outer_options={"lr": 0.7, "momentum": 0.6}
    ),
    "restarts": Case(outer_options={"lr": 1.0, "momentum": 0.6}, restart=7),
    "DiLoCo, restarts": Case(
        AdamW,
        {"weight_decay": 0.1},
        "kept",
        outer_options={"lr": 0.7, "momentum": 0.9, "nesterov": True},
        restart=7,
    ),
    "post-local SGD": Case(single=8),
    "post-local, Adam, kept": Case(Adam, BETAS, "kept", single=8),
    "mini-batch SGD": Case(accumulate=True),
    "mini-batch SGD, momentum": Case(accumulate=True, outer_options={"lr": 1.0, "momentum": 0.6}),
}


def draw_noise() -> list[Any]:
    """Normal numbers in steps of 1/64, (ROUNDS K, P, R, D); short in the file, and exact."""
    numbers = random.Random(1)

    def draw(sizes: tuple[int, ...]) -> Any:
        if not sizes:
            return round(64 * numbers.gauss(0.0, 1.0)) / 64
        return [draw(sizes[1:]) for _ in range(sizes[0])]

    return draw((ROUNDS * K, P, R, D))


def objective(x: torch.Tensor) -> torch.Tensor:
    """A bowl with ripples, summed over coordinates."""
    return (CURVATURE / 2 * x**2 + HEIGHT * (1 - torch.cos(OMEGA * x))).sum()


def take_steps(
    x: torch.Tensor, optimizer: torch.optim.Optimizer, noise: list[Any], case: Case
) -> None:
    """Take the local steps of a round, each at the gradient plus its noise."""
    optimizer.zero_grad()
    for each in noise:
        objective(x).backward()
        assert x.grad is not None
        x.grad += torch.tensor(each, dtype=torch.float64)
        if case.accumulate:
            continue
        if case.clip is not None:
            torch.nn.utils.clip_grad_norm_([x], case.clip)
        optimizer.step()
        optimizer.zero_grad()
    if case.accumulate:
        optimizer.step()


def settle(optimizers: list[torch.optim.Optimizer], learners: list[Any], state: str) -> None:
    """Reset the optimizers' states, average them over learners, or leave them as they are."""
    if state == "kept":
        return
    states = [each.state[x] for each, x in zip(optimizers, learners, strict=True)]
    for name in list(states[0]):
        if state == "averaged" and name != "step":
            mean = torch.stack([each[name] for each in states]).mean(0)
            for each in states:
                each[name].copy_(mean)
    if state == "reset":
        for each in optimizers:
            each.state.clear()


def path(case: Case, noise: list[Any], replica: int) -> list[list[float]]:
    """Return the outer parameters after each round, (ROUNDS, D)."""
    w = torch.tensor(START[replica], dtype=torch.float64, requires_grad=True)
    outer = case.outside([w], **case.outer_options)
    learners = [w.detach().clone().requires_grad_() for _ in range(P)]
    inner = [case.inside([x], lr=GAMMA, **case.options) for x in learners]
    found, taken = [], 0
    for n in range(ROUNDS):
        steps = noise[taken : taken + (1 if n < case.single else K)]
        taken += len(steps)
        if case.restart and n % case.restart == 0:
            outer = case.outside([w], **case.outer_options)
        for j, (x, optimizer) in enumerate(zip(learners, inner, strict=True)):
            with torch.no_grad():
                x.copy_(w)
            take_steps(x, optimizer, [step[j][replica] for step in steps], case)
        settle(inner, learners, case.state)
        w.grad = w.detach() - torch.stack([x.detach() for x in learners]).mean(0)
        outer.step()
        found.append(w.tolist())
    return found


def simulate(noise: list[Any]) -> dict[str, list[list[list[float]]]]:
    """Return the paths of all cases, (R, ROUNDS, D) each."""
    return {name: [path(case, noise, r) for r in range(R)] for name, case in CASES.items()}


def as_text(noise: list[Any], found: Mapping[str, Any]) -> str:
    """JSON with a line a case."""
    facts = {
        "made by": f"torch {torch.__version__}",
        "P": P, "K": K, "gamma": GAMMA, "start": START,
        "cosine": {"lam": CURVATURE, "A": HEIGHT, "omega": OMEGA},
        "noise": noise,
    }  # fmt: skip
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items()]
    cases = [f"  {json.dumps(name)}: {json.dumps(w)}" for name, w in found.items()]
    return "{\n" + ",\n".join([*lines, '"w": {\n' + ",\n".join(cases) + "\n}"]) + "\n}\n"


def largest_change(found: Mapping[str, Any]) -> float:
    """Return the largest difference from the file's numbers, infinite for other cases."""
    stored = json.loads(FILE.read_text())["w"]
    if list(stored) != list(found):
        return float("inf")
    pairs = [(torch.tensor(found[name]), torch.tensor(stored[name])) for name in found]
    return max(float((new - old).abs().max()) for new, old in pairs)


def main(words: list[str]) -> int:
    """Write the numbers, or compare them with those of the file."""
    torch.set_default_dtype(torch.float64)
    noise = draw_noise()
    found = simulate(noise)
    if words == ["--write"]:
        FILE.write_text(as_text(noise, found))
        return 0
    change = largest_change(found)
    print(f"{len(found)} methods, {ROUNDS} rounds: largest change of a number {change:.1g}")
    return int(change > 1e-13)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
