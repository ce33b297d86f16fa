"""The newest usable checkpoint of a folder, and what changed since its last session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kavg.cli.environment import describe_versions
from kavg.errors import KavgError, NewerFormat, OtherArithmetic
from kavg.portability import SameBits, is_portable
from kavg.reports.repetition import UNTRIED
from kavg.storage.checkpoints import FOLDER, list_checkpoints

T = TypeVar("T")


def find_checkpoint(folder: Path, load: Callable[[Path], T]) -> tuple[Path, T, list[str]]:
    """Return the newest checkpoint of a folder that ``load`` accepts: its path and its content.

    Beside it, the reasons why newer ones cannot be used.

    Raises:
        KavgError: None can be used, or one was written by a newer version of kavg.
    """
    rejected: list[str] = []
    for path in list_checkpoints(folder / FOLDER):
        try:
            loaded = load(path)
        except (NewerFormat, OtherArithmetic):
            # An intact file: falling back on an older one would lose the rounds in it.
            raise
        except KavgError as error:
            rejected.append(str(error))
            continue
        fallback = [f"continuing from the one before it, {path.name}"] if rejected else []
        return path, loaded, rejected + fallback
    raise KavgError(
        "\n  ".join([f"no checkpoint in {str(folder)!r} can be used:", *rejected])
        + "\n  kavg run with --force starts again"
    )


def list_version_warnings(sessions: Sequence[Any], same_bits: SameBits) -> list[str]:
    """Warn if the last session had a machine or versions on which other bits may depend."""
    last = find_last_session(sessions)
    versions = last.get("versions")
    then = {**last, **(versions if isinstance(versions, Mapping) else {})}
    changes = {
        name: f"{name} {then.get(name, 'not recorded')} then, {now} now"
        for name, now in describe_versions(same_bits).items()
        if then.get(name) != now
    }
    portable = is_portable(same_bits) and changes.keys() <= {"machine", "numpy"}
    said = UNTRIED if portable else "the last bits may differ from those of an uninterrupted run"
    return [f"{said}: {'; '.join(changes.values())}"] if changes else []


def find_last_session(sessions: Sequence[Any]) -> Mapping[str, Any]:
    """Return the facts of the last session; none if it was not recorded."""
    return sessions[-1] if sessions and isinstance(sessions[-1], Mapping) else {}
