"""Parts of a method that contradict its aggregation."""

from __future__ import annotations

from typing import Any

from kavg.base.outer_rules import describe_outer_rule
from kavg.errors import KavgError


def require_averaging(method: Any, what: str, why: str) -> None:
    """Raise ``KavgError`` unless the outer rule is plain averaging, with the reason ``why``."""
    # By its description, as this module is below the outer rules and cannot know their classes.
    rule = describe_outer_rule(method.outer)
    if rule["kind"] != "averaging" or rule.get("alpha", 1.0) != 1.0:
        numbers = ", ".join(f"{name} = {value}" for name, value in rule.items() if name != "kind")
        raise KavgError(
            f"{what} needs the outer rule averaging, as {why}, got {rule['kind']}"
            f"{numbers and f' with {numbers}'}; use averaging with alpha = 1"
        )


def refuse_averaged_slots(method: Any, what: str) -> None:
    """Raise ``KavgError`` if the state of the local optimizer is averaged over learners."""
    if method.optimizer.slots and method.optimizer.at_average == "averaged":
        raise KavgError(
            f"{what} has no average from which learners go on, so the state of the optimizer "
            "cannot be averaged, got at_average='averaged'; use 'kept' or 'reset'"
        )
