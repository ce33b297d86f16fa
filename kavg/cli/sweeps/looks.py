"""Looks at a sweep: replicas are added to its last stage until ``--until`` is met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, final

from kavg.analysis.looks import Look, plan_looks
from kavg.cli.session import Session
from kavg.errors import KavgError
from kavg.mpi.collective import run_on_rank_0, share_bytes
from kavg.sweeps.execution.spreading import Spreading
from kavg.sweeps.judgement.aims import Aim, parse_aim
from kavg.sweeps.judgement.findings import Findings
from kavg.sweeps.judgement.results import LEVEL, judge_sweep
from kavg.sweeps.sweep import Sweep

GROWTH: Final = 16
"""The default budget of replicas, in multiples of those of the last stage."""


@final
@dataclass(frozen=True)
class LookPlan:
    """The looks at the last stage, and the aim that ends them; a single look without an aim."""

    looks: tuple[Look, ...]
    aim: Aim | None = None

    def describe(self, look: Look) -> dict[str, object] | None:
        """Describe the look that was the last one for ``sweep.json``; None without an aim."""
        if self.aim is None:
            return None
        count = len(self.looks)
        return {"aim": str(self.aim), "look": look.number, "looks": count, "level": look.level}


def plan_sweep_looks(sweep: Sweep, until: str | None, budget: int | None) -> LookPlan:
    """Return the looks that ``--until`` and ``--budget`` ask for.

    Raises:
        KavgError: An option is wrong.
    """
    replicas = sweep.stages[-1].replicas
    if until is None:
        if budget is not None:
            raise KavgError("--budget needs --until; --set replicas=R sets the number of replicas")
        return LookPlan((Look(1, replicas, LEVEL),))
    aim = parse_aim(until)
    if aim.width is None and len({point.algorithm for point in sweep.points}) < 2:
        raise KavgError("--until decided compares algorithms, and there is one; use width=W")
    return LookPlan(plan_looks(replicas, budget or GROWTH * replicas, LEVEL), aim)


def run_looks(
    session: Session, findings: Findings, plan: LookPlan, run: Callable[[], Sequence[Spreading]]
) -> tuple[Look, Sequence[Spreading]]:
    """Run a sweep, and its last stage again with more replicas until the aim is reached.

    Replicas are a prefix, so a look runs those of the one before it again: all of them together
    are at most twice the work of the last.  Returns the last look, and how ``run`` spread it.
    """
    begun = findings.sweep.stages[-1].replicas
    for look in plan.looks:
        # A sweep that is resumed goes on in the look in which it was stopped.
        if look.replicas < begun:
            continue
        if look.replicas > findings.sweep.stages[-1].replicas:
            findings.repeat_last_stage(look.replicas)
        spreadings = run()
        if plan.aim is None or _is_reached(session, findings, plan.aim, look):
            break
    return look, spreadings


def _is_reached(session: Session, findings: Findings, aim: Aim, look: Look) -> bool:
    """True on all ranks if rank 0, which has the runs, finds the aim reached."""
    found: list[bytes] = []

    def judge() -> None:
        result = judge_sweep(findings, look.level)
        found.append(b"\1" if aim.is_reached(result) else b"\0")

    run_on_rank_0(session.comm, judge)
    return share_bytes(session.comm, found[0] if found else None) == b"\1"
