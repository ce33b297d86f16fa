"""The ranks of a run: they begin alike, and one that fails does not leave the others waiting.

What a rank finds between two collectives, an exception of the user's code or a value that is not
finite, is held back until the next sum that all ranks make.  It travels there as a number added to
the rank's request, so no round has a collective more.  Then every rank stops in the same place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, TypeVar, TypeVarTuple, final

import numpy as np

from kavg.base import Communicator
from kavg.engine.agreement import group_ranks, group_texts, name_ranks
from kavg.engine.communicator import SerialComm
from kavg.errors import CollectiveError, KavgError, RunFailed

T = TypeVar("T")
Given = TypeVarTuple("Given")

STOPPED: Final = 2**34
"""What a rank that has stopped adds to its request; all ranks' requests together are below it."""
CALLS: Final = ("Get_rank", "Get_size", "Allreduce", "Allgather")
FAILURES: Final = (Exception, KeyboardInterrupt, SystemExit)
"""What is held back: a signal that ends the job at once derives from neither."""


@final
class Divergence(Exception):
    """A value is not finite after round ``n``, so the run ends; ``what`` names the value."""

    def __init__(self, what: str, n: int) -> None:
        super().__init__(f"found that {what} is not finite in round {n}")
        self.what, self.n = what, n


@final
class Ranks:
    """The ranks of a communicator, and what this one has found that must stop all of them.

    With one rank, or without ``shares_failures``, an exception is raised where it occurs: the
    command has a communicator that ends all ranks then.  A divergence is always shared.

    >>> ranks = Ranks()
    >>> ranks.attempt(lambda: 3, default=0), ranks.signal, ranks.is_alone
    (3, 0, True)
    """

    def __init__(self, comm: Communicator | None = None, *, shares_failures: bool = True) -> None:
        self.comm: Communicator = SerialComm() if comm is None else comm
        size = _count_ranks(self.comm)
        self.is_alone = size == 1
        self.shares_failures = shares_failures and not self.is_alone
        self.largest_request = (STOPPED - 1) // size
        self.failure: BaseException | None = None
        # The round in progress, and the one in which this rank failed; 0 before the first.
        self.place = self.failed_in = 0
        self.releases: list[Callable[[], None]] = []
        """What gives back the communicators of parts of the ranks, when all are done."""

    @property
    def signal(self) -> int:
        """What this rank adds to its request: 0 unless it has stopped."""
        return 0 if self.failure is None else STOPPED

    def attempt(self, action: Callable[[*Given], T], default: T, *given: *Given) -> T:
        """Return ``action(*given)``; ``default`` if it fails, or this rank has stopped before.

        The exception is held back until ``check`` raises it.
        """
        # Arguments and not a closure, and one rank does no more: it is microseconds a round.
        if self.is_alone:
            return action(*given)
        if self.failure is not None:
            return default
        try:
            return action(*given)
        except FAILURES as error:
            if not (self.shares_failures or isinstance(error, Divergence)):
                raise
            self.failure, self.failed_in = error, self.place
            return default

    def ask(self, request: Callable[[], int]) -> int:
        """Return this rank's request; raise KavgError if it is too large to be told apart."""
        asked = int(request())
        if not 0 <= asked <= self.largest_request:
            raise KavgError(
                f"a request must be a whole number from 0 to {self.largest_request}, got {asked}"
            )
        return asked

    def check(self, requested: int) -> None:
        """Stop all ranks if the sum of their requests says that one has stopped.

        Raises on each rank that failed its own exception, and on the others ``CollectiveError``;
        ``Divergence`` if all ranks found the same.  One ``Allgather`` then, else nothing.
        """
        if requested >= STOPPED:
            raise self._share_failures()

    def meet(self) -> None:
        """Wait for all ranks before the first round and after the last, so failures are shared.

        One ``Allreduce`` of a number, where failures are shared; raises as ``check``.
        """
        if self.shares_failures:
            total = np.empty(1)
            self.comm.Allreduce(np.array([float(self.signal)]), total)
            self.check(int(total[0]))
        elif self.failure is not None:
            raise self.failure

    def release(self) -> None:
        """Give back what the run made of the communicator.  Collective, after the last round.

        A generator that a caller abandons never comes here, as its ranks end at different times;
        MPI frees the rest at the end of the job.
        """
        while self.releases:
            self.releases.pop()()

    def agree(self, describe: Callable[[], Mapping[str, str]]) -> None:
        """Compare what this rank is about to do with that of the others, before the first step.

        ``describe`` returns short texts by name.  One ``Allgather`` of 33 bytes; one more, of the
        texts, if they differ.  Raises ``CollectiveError`` on every rank, with what each
        rank has, or as ``check`` if a rank failed before.
        """
        if not self.shares_failures:
            return
        none: Mapping[str, str] = {}
        facts = self.attempt(describe, none)
        text = "\n".join(f"{name}\t{fact}" for name, fact in facts.items())
        failed = b"\0" if self.failure is None else b"\1"
        groups = group_ranks(self.comm, failed + hashlib.sha256(text.encode()).digest())
        if any(content.startswith(b"\1") for content in groups):
            raise self._share_failures()
        if len(groups) > 1:
            self._compare(text)

    def _compare(self, text: str) -> None:
        everyone = group_texts(self.comm, text)
        tables = [dict(line.split("\t", 1) for line in each.split("\n")) for each in everyone]
        lines = []
        for name in dict.fromkeys(name for table in tables for name in table):
            have: dict[str, list[int]] = {}
            for table, ranks in zip(tables, everyone.values(), strict=True):
                have.setdefault(table.get(name, ""), []).extend(ranks)
            if name in OPTIONAL:
                have.pop("()", None)
            if len(have) > 1:
                each = [f"{fact} on {name_ranks(sorted(who))}" for fact, who in have.items()]
                lines.append(f"{name}: {'; '.join(each[:SHOWN])}{'; ...' * (len(each) > SHOWN)}")
        if lines:
            raise CollectiveError(
                "\n  ".join(
                    ["ranks must be given the same run, but they differ in", *lines,
                     "call it with the same arguments on every rank of comm"]
                )
            )  # fmt: skip

    def _share_failures(self) -> BaseException:
        """Return what this rank must raise, after all ranks have heard why the others stop."""
        own = self.failure
        reports = group_texts(self.comm, "" if own is None else self._report(own))
        if len(reports) == 1 and isinstance(own, Divergence):
            return own
        if own is not None and not isinstance(own, Divergence):
            return own
        found = [f"{name_ranks(ranks)} {text}" for text, ranks in reports.items() if text]
        return CollectiveError(
            f"{'; '.join(found)}; all ranks stop, as each round needs every one of them",
            RunFailed.code,
        )

    def _report(self, failure: BaseException) -> str:
        if isinstance(failure, Divergence):
            return f"{failure}, and others did not"
        where = f"in round {self.failed_in}" if self.failed_in else "before the first round"
        return f"failed {where}: {type(failure).__name__}: {failure!s:.300}"


OPTIONAL: Final = ("record",)
"""Facts that a rank may leave empty, ``()``: it may be one rank alone that measures."""
SHOWN: Final = 4
"""Different values of a fact that a message shows."""


def _count_ranks(comm: Communicator) -> int:
    """Return the size of a communicator; raise KavgError if ranks cannot run together on it."""
    advice = "pass an intracommunicator such as mpi4py.MPI.COMM_WORLD, or leave comm out"
    if not all(callable(getattr(comm, name, None)) for name in CALLS):
        raise KavgError(
            f"comm must have the calls of mpi4py's Comm ({', '.join(CALLS)}), "
            f"got {comm!r:.60}; {advice}"
        )
    try:
        comm.Get_rank()
        size = comm.Get_size()
        is_inter = bool(getattr(comm, "Is_inter", bool)())
    except Exception as error:
        raise KavgError(
            f"comm is no communicator of this rank ({str(error).split(',')[0]:.60}): "
            "MPI.COMM_NULL and a communicator that was freed have no ranks; "
            "call kavg on the members of a communicator alone"
        ) from None
    if is_inter:
        raise KavgError(f"comm is an intercommunicator; use comm.Merge(), or {advice}")
    return size
