"""``kavg sweep``, and ``kavg run`` on a settings file with a table ``[sweep]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kavg.cli.options import Output
from kavg.cli.session import Session
from kavg.cli.sweeps.execution import run_stages
from kavg.cli.sweeps.loading import claim_new_sweep, load_shared_sweep
from kavg.cli.sweeps.options import Spread, SweepOptions
from kavg.cli.sweeps.output import SweepResults, store_sweep
from kavg.sweeps.criteria import choose_criterion
from kavg.sweeps.findings import Findings
from kavg.sweeps.spreading import SpreadName

SPREADS: Final[Mapping[Spread, SpreadName]] = {
    Spread.batches: "batches",
    Spread.learners: "learners",
}
"""The way of spreading that an option names; none for ``auto``."""


def run_sweep(
    session: Session,
    path: Path,
    grids: Sequence[str] | None,
    overrides: Sequence[str] | None,
    options: SweepOptions,
    output: Output,
    content: bytes | None = None,
) -> None:
    """Run a sweep from the start and write its folder; ``content`` is what was read of a pipe."""
    sweep = load_shared_sweep(session, path, overrides, grids, content)
    findings = Findings(sweep, choose_criterion(sweep), keeps_runs=session.rank == 0)
    spread = SPREADS.get(options.spread)
    with claim_new_sweep(session, sweep, output.folder(path), output, options) as manager:
        spreadings = run_stages(
            session, findings, quiet=output.quiet, manager=manager, spread=spread
        )
        store_sweep(
            session, SweepResults(findings, spreadings, options), manager, quiet=output.quiet
        )
