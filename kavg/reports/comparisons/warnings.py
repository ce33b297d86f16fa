"""Warnings about a comparison that its numbers do not show; one line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kavg.analysis.methods.comparison import GroupComparison
from kavg.analysis.methods.contrast import Contrast
from kavg.analysis.methods.method import Method
from kavg.text import format_count

FEW: Final = 8
"""Replicas from which the intervals' coverage is near their level (experiments/statistics)."""
PROBLEM: Final = ("objective", "data", "start")
"""What both methods of a contrast should have in common, whatever their noise is."""


def list_comparison_warnings(comparisons: Sequence[GroupComparison]) -> list[str]:
    """Return what makes the contrasts of a comparison unfair or weak; each warning once."""
    # Contrasts with one baseline repeat what is wrong with it.
    found = [
        warning
        for comparison in comparisons
        for warning in (*_warn_of_contrasts(comparison), *_warn_of_replicas(comparison))
    ]
    return list(dict.fromkeys(found))


def _warn_of_contrasts(comparison: GroupComparison) -> Iterator[str]:
    for contrast in comparison.contrasts:
        yield from _warn_of_problem(contrast)
        pair = (contrast.baseline.method, contrast.reading.method)
        yield from _warn_of_effective_steps(*pair)
        yield from _warn_of_unequal_tuning(*pair)


def _warn_of_problem(contrast: Contrast) -> Iterator[str]:
    first, other = contrast.baseline.method.label, contrast.reading.method.label
    for place in PROBLEM:
        if place in contrast.unshared:
            yield (
                f"{first} and {other} have different {place}: their values are those of two "
                "problems, and a difference need not be one of the methods"
            )
    if "oracle" in contrast.unshared:
        yield f"{first} and {other} have different oracles, so that their noise is not alike"
    if "arithmetic" in contrast.unshared:
        yield (
            f"{first} and {other} were run with different arithmetic of kavg, by which the same "
            "seed has other draws; run both with one version to pair them"
        )


def _warn_of_effective_steps(first: Method, other: Method) -> Iterator[str]:
    # Methods that were tuned may have one gamma by the choice, and then it is the best of each.
    if first.tuning is not None and other.tuning is not None:
        return
    if first.gamma is None or first.gamma != other.gamma or first.mu == other.mu:
        return
    yield (
        f"{first.label} and {other.label} have the same gamma = {first.gamma:g}, with mu = "
        f"{first.mu:g} and {other.mu:g}: their effective steps gamma/(1 - mu) are "
        f"{first.effective_step:.3g} and {other.effective_step:.3g}; tune both (kavg sweep), or "
        "compare at an equal effective step"
    )


def _warn_of_unequal_tuning(first: Method, other: Method) -> Iterator[str]:
    a, b = first.tuning, other.tuning
    for each in (first, other):
        if each.tuning is not None and each.tuning.rivals > 1:
            yield (
                f"{each.label} is the best of {each.tuning.rivals} on the noise that it is judged "
                "on, so it looks better than it is; let the last stage keep = 1"
            )
    if a is None and b is None:
        return
    if a is None or b is None:
        tuned, plain = (first, other) if b is None else (other, first)
        yield f"{tuned.label} was tuned and {plain.label} was not: the choice is part of the gain"
    elif a.trials != b.trials:
        yield (
            f"tuning took {format_count(a.trials, 'trial')} for {first.label} and {b.trials} for "
            f"{other.label}: more trials find more; give both the same number"
        )
    elif a.gradients != b.gradients:
        yield (
            f"tuning took {a.gradients:.4g} gradients for {first.label} and {b.gradients:.4g} for "
            f"{other.label}"
        )


def _warn_of_replicas(comparison: GroupComparison) -> Iterator[str]:
    fewest = min(len(each.samples) for each in comparison.readings)
    if fewest == 1:
        yield "one replica has no confidence interval, so nothing is decided; set replicas = 32"
    elif fewest < FEW:
        yield (
            f"{fewest} replicas: intervals rest on the assumption of normal means, and miss more "
            f"often than stated below about {FEW}"
        )
