"""Execution of a stage on all ranks, wave by wave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, final

from kavg.base import Communicator
from kavg.engine.communicator import SerialComm
from kavg.sweeps.execution.batches import PointBatch, run_point_batch
from kavg.sweeps.execution.exchange import gather_runs
from kavg.sweeps.execution.spreading import Spreading
from kavg.trajectory import Trajectory


@final
class BatchStopped(Exception):
    """A batch ended before its last round, because a rank asked for it."""


class BatchObserver(Protocol):
    """What a command does between rounds and batches, on every rank."""

    def request(self) -> int:
        """Return 1 if this rank asks to stop, else 0."""
        ...

    def on_round(self, batch: PointBatch, n: int) -> None:
        """Act after round ``n`` of a batch of this rank."""
        ...


@final
@dataclass(frozen=True, eq=False)
class FinishedBatch:
    """A batch with the runs of its points."""

    batch: PointBatch
    runs: tuple[Trajectory, ...]


def run_stage(
    batches: Sequence[PointBatch],
    spreading: Spreading,
    comm: Communicator,
    observer: BatchObserver,
) -> Iterator[list[FinishedBatch]]:
    """Run the batches of a stage; yield those of each wave once it is finished, on every rank.

    After a request to stop, a wave is yielded without the batches that were stopped.  The caller
    then ends the iteration, on all ranks alike.
    """
    run = _run_shared if spreading.over == "learners" else _run_apart
    for wave in spreading.waves:
        chosen = [batches[i] for i in wave]
        found = run(chosen, comm, observer)
        yield [
            FinishedBatch(batch, tuple(runs))
            for batch, runs in zip(chosen, found, strict=False)
            if runs is not None
        ]


def _run_shared(
    wave: Sequence[PointBatch], comm: Communicator, observer: BatchObserver
) -> list[list[Trajectory] | None]:
    """All ranks run each batch together: every rank gets all runs, and stops in the same round."""
    return [_run_until_stopped(batch, comm, observer) for batch in wave]


def _run_apart(
    wave: Sequence[PointBatch], comm: Communicator, observer: BatchObserver
) -> list[list[Trajectory] | None]:
    """Each rank runs its own batch of the wave, and all ranks get the runs of all."""
    rank = comm.Get_rank()
    own = wave[rank] if rank < len(wave) else None
    runs = None if own is None else _run_until_stopped(own, SerialComm(), observer)
    return gather_runs(comm, runs)


def _run_until_stopped(
    batch: PointBatch, comm: Communicator, observer: BatchObserver
) -> list[Trajectory] | None:
    try:
        return run_point_batch(batch, comm, observer.request, partial(_watch, batch, observer))
    except BatchStopped:
        return None


def _watch(batch: PointBatch, observer: BatchObserver, n: int, requested: int) -> None:
    observer.on_round(batch, n)
    if requested:
        raise BatchStopped
