"""The options of ``kavg compare`` as a ``ComparisonPlan``."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from kavg.analysis.methods.comparison import ComparisonPlan
from kavg.budgets import BUDGET_AXES, CLOCK, BudgetAxis, Clock
from kavg.cli.comparisons.options import ComparisonOptions
from kavg.errors import KavgError
from kavg.targets import Target, TargetRule
from kavg.text import shorten_repr

QUANTITY: Final = "grad_norm2"
"""The quantity that is compared if none is named."""
FORMS: Final = ("fraction", "floor")
"""Targets that are relative to the run's own values, with the names of their fields."""


def parse_plan(options: ComparisonOptions, usual: Target | None = None) -> ComparisonPlan:
    """Return the plan that the options describe; ``usual`` is the target if they have none.

    Raises:
        KavgError: if an option cannot be read.
    """
    axis, amount = parse_budget(options.at)
    clock = parse_clock(options.clock)
    # Without its clock, time would be the number of local steps.
    if axis == "time" and options.clock is None:
        raise KavgError(
            "--at time needs --clock step=S,communication=C: the time of a round is K S + C"
        )
    target = parse_target(options.target, options.quantity, options.rule.value) or usual
    quantity = options.quantity or (target.quantity if target is not None else QUANTITY)
    return ComparisonPlan(quantity, axis, amount, clock, target, options.level, options.baseline)


def parse_budget(text: str) -> tuple[BudgetAxis, float | None]:
    """Return axis and amount of ``--at``; no amount for an axis alone.

    >>> parse_budget("gradients=1e6"), parse_budget("communications")
    (('gradients', 1000000.0), ('communications', None))
    """
    axis, equals, amount = text.partition("=")
    if axis not in BUDGET_AXES:
        raise KavgError(
            f"--at must be one of {', '.join(BUDGET_AXES)}, with an amount or without, got "
            f"{shorten_repr(text)}; use gradients=1e6"
        )
    return axis, parse_amount("--at", amount) if equals else None


def parse_clock(text: str | None) -> Clock:
    """Return the clock of ``--clock``.

    >>> parse_clock("step=1,communication=10")
    Clock(step=1.0, communication=10.0)
    """
    if text is None:
        return CLOCK
    costs: dict[str, float] = {}
    for part in text.split(","):
        name, _, cost = part.partition("=")
        if name not in (field.name for field in fields(Clock)):
            raise KavgError(
                f"--clock must be step=S,communication=C, got {shorten_repr(text)}; use "
                "step=1,communication=10"
            )
        costs[name] = parse_amount("--clock", cost)
    return Clock(**costs)


def parse_target(text: str | None, quantity: str | None, rule: TargetRule) -> Target | None:
    """Return the target of ``--target``: ``QUANTITY=VALUE``, ``fraction=``, ``floor=``.

    An accuracy, whose name says so, is reached from below; all others from above.

    >>> parse_target("grad_norm2=1e-3", None, "isotonic")  # doctest: +ELLIPSIS
    Target(quantity='grad_norm2', below=0.001, ..., rule='isotonic')
    """
    if text is None:
        return None
    # The last =, as the name of a recorded measure may have one.
    name, _, number = text.rpartition("=")
    if not name:
        raise KavgError(
            f"--target must be QUANTITY=VALUE, fraction=SHARE or floor=FACTOR, got "
            f"{shorten_repr(text)}; use grad_norm2=1e-3"
        )
    value = parse_amount("--target", number)
    if name in FORMS:
        return Target(quantity or QUANTITY, rule=rule, **{name: value})
    side = "above" if name.endswith("accuracy") else "below"
    return Target(name, rule=rule, **{side: value})


def parse_amount(option: str, text: str) -> float:
    """Return a number that an option was given.

    Raises:
        KavgError: if the text is none.
    """
    try:
        return float(text)
    except ValueError:
        raise KavgError(f"{option} needs a number, got {shorten_repr(text)}; use 1e6") from None
