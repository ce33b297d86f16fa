"""Warnings about a comparison that its numbers do not show; one line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, final

from kavg.analysis.methods.comparison import GroupComparison
from kavg.analysis.methods.contrast import Contrast
from kavg.analysis.methods.method import Method
from kavg.text import format_count

FEW: Final = 8
"""Replicas from which the intervals' coverage is near their level (experiments/statistics)."""
PROBLEM: Final = ("objective", "data", "start")
"""What both methods of a contrast should have in common, whatever their noise is."""


@final
@dataclass(frozen=True)
class Caution:
    """A warning about ``methods``, with a word for its ``kind``."""

    kind: str
    methods: tuple[str, ...]
    text: str


def list_comparison_warnings(comparisons: Sequence[GroupComparison]) -> list[str]:
    """Return what makes the contrasts of a comparison unfair or weak.

    What is wrong with the same methods in several cells of a sweep is described once, for the first
    cell, and the others are counted.
    """
    found: dict[tuple[str, tuple[str, ...]], tuple[str, set[int]]] = {}
    for place, comparison in enumerate(comparisons):
        for each in (*_warn_of_contrasts(comparison), *_warn_of_replicas(comparison)):
            found.setdefault((each.kind, each.methods), (each.text, set()))[1].add(place)
    return [_count_cells(text, len(cells) - 1) for text, cells in found.values()]


def _count_cells(text: str, others: int) -> str:
    return f"{text} (and {format_count(others, 'more cell')} like it)" if others else text


def _warn_of_contrasts(comparison: GroupComparison) -> Iterator[Caution]:
    for contrast in comparison.contrasts:
        pair = (contrast.baseline.method, contrast.reading.method)
        names = (pair[0].label, pair[1].label)
        for kind, text in (
            *_describe_problems(contrast),
            *_describe_steps(*pair),
            *_describe_choices(*pair),
        ):
            yield Caution(kind, names, text)
        for method in pair:
            if method.tuning is not None and method.tuning.rivals > 1:
                text = _describe_rivals(method.label, method.tuning.rivals)
                yield Caution("rivals", (method.label,), text)


def _describe_problems(contrast: Contrast) -> Iterator[tuple[str, str]]:
    first, other = contrast.baseline.method.label, contrast.reading.method.label
    for place in PROBLEM:
        if place in contrast.unshared:
            yield (
                place,
                f"{first} and {other} have different {place}: their values are those of two "
                "problems, and a difference need not be one of the methods",
            )
    if "oracle" in contrast.unshared:
        yield (
            "oracle",
            f"{first} and {other} have different oracles, so that their noise is not alike",
        )
    if "arithmetic" in contrast.unshared:
        yield (
            "arithmetic",
            f"{first} and {other} were run with different arithmetic of kavg, by which the same "
            "seed has other draws; run both with one version to pair them",
        )


def _describe_steps(first: Method, other: Method) -> Iterator[tuple[str, str]]:
    # Methods that were tuned may have one gamma by the choice, and then it is the best of each.
    if first.tuning is not None and other.tuning is not None:
        return
    if first.gamma is None or first.gamma != other.gamma or first.mu == other.mu:
        return
    # Adaptive rules have no effective step.
    if first.effective_step is None or other.effective_step is None:
        return
    yield (
        "gamma",
        f"{first.label} and {other.label} have the same gamma = {first.gamma:g}, with mu = "
        f"{first.mu:g} and {other.mu:g}: their effective steps gamma/(1 - mu) are "
        f"{first.effective_step:.3g} and {other.effective_step:.3g}; tune both (kavg sweep), or "
        "compare at an equal effective step",
    )


def _describe_choices(first: Method, other: Method) -> Iterator[tuple[str, str]]:
    a, b = first.tuning, other.tuning
    if a is None and b is None:
        return
    if a is None or b is None:
        tuned, plain = (first, other) if b is None else (other, first)
        yield (
            "tuned",
            f"{tuned.label} was tuned and {plain.label} was not: the choice is part of the gain",
        )
    elif a.trials != b.trials:
        yield (
            "trials",
            f"tuning took {format_count(a.trials, 'trial')} for {first.label} and {b.trials} for "
            f"{other.label}: more trials find more; give both the same number",
        )
    elif a.gradients != b.gradients:
        yield (
            "gradients",
            f"tuning took {a.gradients:.4g} gradients for {first.label} and {b.gradients:.4g} for "
            f"{other.label}",
        )


def _describe_rivals(name: str, rivals: int) -> str:
    return (
        f"{name} is the best of {rivals} on the noise that it is judged on, so it looks better "
        "than it is; let the last stage keep = 1"
    )


def _warn_of_replicas(comparison: GroupComparison) -> Iterator[Caution]:
    fewest = min(len(each.samples) for each in comparison.readings)
    if fewest == 1:
        yield Caution(
            "replicas",
            (),
            "one replica has no confidence interval, so nothing is decided; set replicas = 32",
        )
    elif fewest < FEW:
        yield Caution(
            "replicas",
            (),
            f"{fewest} replicas: intervals rest on the assumption of normal means, and miss more "
            f"often than stated below about {FEW}",
        )
