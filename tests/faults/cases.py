"""The table of fault x phase x rank: a seeded list of cases, and a smaller one of each fault."""

from __future__ import annotations

import random
from dataclasses import dataclass

RANKS = 3
ROUNDS, EVERY = 12, 4
"""Rounds of each of the two algorithms, and from one checkpoint to the next."""
ALL = 2 * ROUNDS
NAMES = ("K-AVG", "M-AVG")

PHASES = ("start-up", "local steps", "collective", "recording", "checkpoint", "end")
SIGNALS = {"SIGTERM": 143, "SIGINT": 130}
DISK = ("full disk", "unwritable folder")
FAULTS = ("exception", "sys.exit", "SIGKILL", *SIGNALS, "SIGSTOP", *DISK)


@dataclass(frozen=True)
class Case:
    """``at`` counts the rounds of all algorithms; ``again`` ranks resume (0: without mpiexec)."""

    fault: str
    phase: str
    rank: int
    at: int
    again: int

    @property
    def name(self) -> str:
        """For a test's name."""
        return f"{self.fault}, {self.phase}, rank {self.rank}, round {self.at}"

    @property
    def safe(self) -> int:
        """Rounds that a checkpoint must hold, whatever the ranks that did not fail were doing.

        Rank 0 writes after a round, before it enters the next.  So a round that another rank is in
        tells that the checkpoint due two rounds before was written.
        """
        return done_for_sure(self) // EVERY * EVERY


def done_for_sure(case: Case) -> int:
    """Rounds whose checkpoint, where one was due, was written when the fault came."""
    if case.phase == "start-up":
        return 0
    if case.phase == "end":
        return ALL
    if case.fault in SIGNALS:  # it is written behind the round that is under way
        return case.at
    before = 1 if case.rank == 0 or case.phase == "recording" else 2
    return max(case.at - before, 0)


def place(at: int) -> str:
    """Where a rank is that waits in such a round."""
    if at > ALL:
        return "after the last round"
    return f"(round {(at - 1) % ROUNDS + 1} of {NAMES[(at - 1) // ROUNDS]})"


def cases(seed: int = 1) -> list[Case]:
    """Every fault in every phase on every rank; only rank 0 writes checkpoints."""
    chance = random.Random(seed)
    found = []
    for fault in FAULTS:
        for phase in PHASES:
            for rank in range(1 if phase == "checkpoint" else RANKS):
                at = chance.randrange(EVERY + 2, ALL) if phase != "checkpoint" else 0
                at = at or EVERY * chance.randint(1, ALL // EVERY)
                again = chance.choice((0, 0, 0, 0, 2))
                found.append(Case(fault, phase, rank, at, again))
    return found


def few(count: int = 12, seed: int = 1) -> list[Case]:
    """Some cases with every fault, every phase and every rank, but SIGSTOP, which waits, once."""
    chance, every = random.Random(seed), cases(seed)
    found: list[Case] = []
    for fault in FAULTS:
        found.append(fresh(found, [case for case in every if case.fault == fault], chance))
    others = [case for case in every if case.fault != "SIGSTOP"]
    while len(found) < count:
        found.append(fresh(found, others, chance))
    return found


def fresh(found: list[Case], among: list[Case], chance: random.Random) -> Case:
    """The next case, of a phase and then of a rank of which there are the fewest."""
    left = [case for case in among if case not in found]

    def seen(case: Case) -> tuple[int, int, float]:
        phases = sum(one.phase == case.phase for one in found)
        return phases, sum(one.rank == case.rank for one in found), chance.random()

    return min(left, key=seen)
