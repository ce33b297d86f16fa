"""``kavg schema``: the JSON schema of a settings file."""

from __future__ import annotations

from kavg.cli.command import command
from kavg.cli.session import Session


@command("kavg schema > kavg.schema.json")
def schema(session: Session) -> None:
    """Print the JSON schema of settings.

    Editors with TOML support complete and check settings files by it.
    """
    import json

    from kavg.cli.output import print_text
    from kavg.config.table_conversion import json_schema
    from kavg.mpi.collective import run_on_rank_0

    run_on_rank_0(session.comm, lambda: print_text(json.dumps(json_schema(), indent=2)))
