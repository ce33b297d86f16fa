"""``kavg exact``: the means of a run on a quadratic beside the exact moments."""

from __future__ import annotations

from kavg.cli.command import command
from kavg.cli.options import OUTPUT, ConfigArgument, Output, SetOption
from kavg.cli.session import Session


@command("kavg exact experiments/theory/quadratic.toml")
def exact(
    session: Session, config: ConfigArgument, overrides: SetOption = None, output: Output = OUTPUT
) -> None:
    """Compare a quadratic with exact moments.

    Run CONFIG, whose objective must be a quadratic, print the means over replicas beside the exact
    moments, and write a run folder with a figure of both.
    """
    from kavg.cli.exact_moments import compare_with_moments
    from kavg.cli.execution import load_shared_config

    settings = load_shared_config(session, config, overrides)
    compare_with_moments(session, settings, output.folder(config), output)
