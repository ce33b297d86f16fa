"""Looks at a sweep: replicas are added to its last stage until ``--until`` is met."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from kavg.analysis.looks import Look, plan_looks
from kavg.cli.session import Session
from kavg.errors import KavgError
from kavg.mpi.collective import run_on_rank_0, share_bytes
from kavg.sweeps.execution.spreading import Spreading
from kavg.sweeps.judgement.aims import Aim, parse_aim
from kavg.sweeps.judgement.findings import Findings
from kavg.sweeps.judgement.look_budget import (
    LookBudget,
    parse_look_budget,
    read_look_budget,
)
from kavg.sweeps.judgement.results import LEVEL, judge_sweep
from kavg.sweeps.sweep import Sweep

GROWTH: Final = 16
"""The default budget of replicas, in multiples of those of the last stage."""


@final
@dataclass(frozen=True)
class LookPlan:
    """The looks at the last stage, the aim that ends them, and what they may use.

    Without an aim there is a single look.
    """

    looks: tuple[Look, ...]
    aim: Aim | None = None
    budget: LookBudget = field(default_factory=LookBudget)


@final
@dataclass(frozen=True)
class LastLook:
    """The last look of a plan, and what ended it: ``aim``, or a limit of the budget by name."""

    plan: LookPlan
    look: Look
    ended_by: str

    def to_json(self) -> dict[str, object] | None:
        """Return the content of ``sweep.json`` about it; None without an aim."""
        if self.plan.aim is None:
            return None
        return {
            "aim": str(self.plan.aim),
            "budget": self.plan.budget.limits,
            "look": self.look.number,
            "looks": len(self.plan.looks),
            "level": self.look.level,
            "ended_by": self.ended_by,
        }


def plan_sweep_looks(sweep: Sweep, until: str | None, budget: str | None) -> LookPlan:
    """Return the looks that ``--until`` and ``--budget`` ask for, or ``[sweep.until]``.

    An option takes the place of what the table says.

    Raises:
        KavgError: An option is wrong.
    """
    replicas, table = sweep.stages[-1].replicas, sweep.until
    if until is None and table is None:
        if budget is not None:
            raise KavgError("--budget needs --until; --set replicas=R sets the number of replicas")
        return LookPlan((Look(1, replicas, LEVEL),))
    aim = Aim(None if table is None else table.width) if until is None else parse_aim(until)
    if aim.width is None and len({point.algorithm for point in sweep.points}) < 2:
        raise KavgError("until decided compares algorithms, and there is one; use width=W")
    limits = LookBudget(replicas=GROWTH * replicas).override(read_look_budget(table))
    if budget is not None:
        limits = limits.override(parse_look_budget(budget))
    most = limits.replicas or GROWTH * replicas
    return LookPlan(plan_looks(replicas, most, LEVEL), aim, limits)


def run_looks(
    session: Session, findings: Findings, plan: LookPlan, run: Callable[[], Sequence[Spreading]]
) -> tuple[LastLook, Sequence[Spreading]]:
    """Run a sweep, and its last stage again with more replicas until the aim is reached.

    Replicas are a prefix, so a look runs those of the one before it again: all of them together
    are at most twice the work of the last.  Returns the last look, and how ``run`` spread it.
    """
    begun, clock = findings.sweep.stages[-1].replicas, time.process_time()
    # A sweep that is resumed goes on in the look in which it was stopped.
    left = [look for look in plan.looks if look.replicas >= begun]
    for i, look in enumerate(left):
        if look.replicas > findings.sweep.stages[-1].replicas:
            findings.repeat_last_stage(look.replicas)
        spreadings = run()
        passed = time.process_time() - clock
        end = _find_end(session, findings, LastLook(plan, look, ""), left[i + 1 :], passed)
        if end:
            break
    return LastLook(plan, look, end), spreadings


def _find_end(
    session: Session, findings: Findings, last: LastLook, left: Sequence[Look], seconds: float
) -> str:
    """What ends the looks, on all ranks; empty if the next of those ``left`` is to be made.

    Rank 0 decides, which alone has the runs, and whose clock counts.
    """
    plan, found = last.plan, [""]

    def judge() -> None:
        # The aim first: a sweep that reached it at its last look was not ended by a limit.
        if plan.aim is not None and plan.aim.is_reached(judge_sweep(findings, last.look.level)):
            found[0] = "aim"
        elif not left:
            found[0] = "replicas"
        else:
            found[0] = plan.budget.find_limit(findings, left[0], seconds) or ""

    run_on_rank_0(session.comm, judge)
    return (share_bytes(session.comm, found[0].encode()) or b"").decode()
