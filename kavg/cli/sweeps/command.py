"""``kavg sweep``, and ``kavg run`` on a settings file with a table ``[sweep]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kavg.cli.environment import installed_version
from kavg.cli.options import Output
from kavg.cli.session import Session
from kavg.cli.sweeps.execution import run_stages
from kavg.cli.sweeps.loading import (
    SweepSource,
    claim_new_sweep,
    load_shared_sweep,
    share_criterion,
)
from kavg.cli.sweeps.looks import LookPlan, plan_sweep_looks, run_looks
from kavg.cli.sweeps.options import Spread, SweepOptions, TableForm
from kavg.cli.sweeps.output import SweepResults, store_sweep
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on
from kavg.sweeps.execution.spreading import Spreading, SpreadName
from kavg.sweeps.judgement.findings import Findings
from kavg.sweeps.sweep import Sweep

SPREADS: Final[Mapping[Spread, SpreadName]] = {
    Spread.batches: "batches",
    Spread.learners: "learners",
}
"""The way of spreading that an option names; none for ``auto``."""


def run_sweep(session: Session, source: SweepSource, options: SweepOptions, output: Output) -> None:
    """Run a sweep from the start and write its folder."""
    sweep = load_shared_sweep(session, source)
    plan = agree_on(
        session.comm,
        "the options",
        lambda: _plan_looks(sweep, options),
        repr,
    )
    criterion = share_criterion(session, sweep)
    findings = Findings(sweep, criterion, keeps_runs=session.rank == 0)
    spread, quiet = SPREADS.get(options.spread), output.quiet
    folder = output.folder(source.path)
    with claim_new_sweep(session, sweep, folder, output, options) as manager:

        def run() -> list[Spreading]:
            return run_stages(session, findings, quiet=quiet, manager=manager, spread=spread)

        last, spreadings = run_looks(session, findings, plan, run)
        results = SweepResults(findings, spreadings, options, last)
        store_sweep(session, results, manager, quiet=quiet)


def _plan_looks(sweep: Sweep, options: SweepOptions) -> LookPlan:
    # Before the first round, as the table is written after the last.
    if options.table is TableForm.parquet and not installed_version("pyarrow"):
        raise KavgError("--table parquet needs pyarrow: pip install 'kavg[table]'")
    return plan_sweep_looks(sweep, options.until, options.budget)
