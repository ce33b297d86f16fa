"""What the replicas that a sweep adds may cost: replicas, gradients, processor time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from math import inf
from typing import Final, Literal, final

from kavg.analysis.looks import Look
from kavg.config.sweeps.tables import UntilTable
from kavg.errors import KavgError
from kavg.ranges import Count, Positive, check_ranges
from kavg.sweeps.judgement.findings import Findings
from kavg.text import shorten_repr

Limit = Literal["replicas", "gradients", "seconds"]
LIMITS: Final[tuple[Limit, ...]] = ("replicas", "gradients", "seconds")


@final
@dataclass(frozen=True)
class LookBudget:
    """What looks may use together; None is no limit.

    ``replicas`` are the most of one point, ``gradients`` those of all stages and looks, ``seconds``
    the processor time of rank 0, after which no look is begun.  The looks and their levels follow
    from ``replicas`` alone, so the other two decide how many looks there are and never their bits.

    >>> LookBudget(replicas=64, gradients=1e6).limits
    {'replicas': 64, 'gradients': 1000000.0}
    """

    replicas: Count | None = None
    gradients: Positive | None = None
    seconds: Positive | None = None

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are given, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def override(self, other: LookBudget) -> LookBudget:
        """Return this budget with the limits that another one gives in place of its own."""
        return LookBudget(
            other.replicas or self.replicas,
            other.gradients or self.gradients,
            other.seconds or self.seconds,
        )

    def find_limit(self, findings: Findings, look: Look, seconds: float) -> Limit | None:
        """Return the limit that a further look would break; None if it may be begun.

        ``seconds`` of processor time have passed.
        """
        if findings.count_gradients() + cost_of_look(findings, look) > (self.gradients or inf):
            return "gradients"
        # Not foretold: the speed of a look says little about that of one with twice the replicas.
        return "seconds" if seconds >= (self.seconds or inf) else None


def cost_of_look(findings: Findings, look: Look) -> int:
    """Return the gradients of the last stage with the replicas of a look.

    Points that diverged are counted up to their end.
    """
    replicas = findings.sweep.stages[-1].replicas
    # Exact: a record counts the gradients of one replica times their number.
    each = sum(record.gradients // replicas for record in findings.records[-1].values())
    return each * look.replicas


def read_look_budget(table: UntilTable | None) -> LookBudget:
    """Return the budget of the table ``[sweep.until]``."""
    if table is None:
        return LookBudget()
    return LookBudget(table.replicas, table.gradients, table.seconds)


def parse_look_budget(text: str) -> LookBudget:
    """Return the budget of ``--budget``: ``512``, or ``gradients=1e9,seconds=600``.

    Raises ``KavgError`` for any other text.

    >>> parse_look_budget("512").replicas, parse_look_budget("seconds=600").seconds
    (512, 600.0)
    """
    # A number out of range is an error of its own, which says what its range is.
    found = _read_limits(text)
    if found is not None:
        return LookBudget(**found)  # type: ignore[arg-type]
    raise KavgError(
        "--budget must be a number of replicas or NAME=VALUE of replicas, gradients and seconds, "
        f"as in 512 or gradients=1e9,seconds=600; got {shorten_repr(text)}"
    )


def _read_limits(text: str) -> dict[str, float] | None:
    """The limits of a text by name; None if it is not one of limits."""
    found: dict[str, float] = {}
    with suppress(ValueError):
        for part in text.split(","):
            name, value = part.split("=") if "=" in part else ("replicas", part)
            name = name.strip()
            if name not in LIMITS or name in found:
                raise ValueError(name)
            found[name] = int(value) if name == "replicas" else float(value)
        return found
    return None
