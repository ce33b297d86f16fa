"""Identity of a process: enough to tell later, from elsewhere, whether it has ended."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, final

from kavg.errors import KavgError

ENDED: Final = ("Z", "X")
"""States of a process that has ended and whose number is not free yet."""


@final
@dataclass(frozen=True)
class ProcessIdentity:
    """A process, told apart from all others on any machine and from later ones of its number.

    ``machine`` is a digest of the machine's identifier, ``boot`` the identifier of its current
    boot, ``namespace`` that of the container's process numbers and ``started`` the time at which
    the process started, in ticks since the boot.  These four are empty where the system has none.
    """

    host: str
    machine: str
    boot: str
    namespace: str
    pid: int
    started: str


def identify_process() -> ProcessIdentity:
    """Return the identity of this process."""
    machine = _read_line("/etc/machine-id")
    namespace = ""
    with suppress(OSError):
        namespace = os.readlink("/proc/self/ns/pid")
    return ProcessIdentity(
        host=socket.gethostname(),
        # The identifier itself is confidential (machine-id(5)), a digest of it is not.
        machine=hashlib.sha256(machine.encode()).hexdigest()[:12] if machine else "",
        boot=_read_line("/proc/sys/kernel/random/boot_id"),
        namespace=namespace,
        pid=os.getpid(),
        started=_state_and_start(os.getpid())[1],
    )


def parse_identity(content: Mapping[str, Any]) -> ProcessIdentity:
    """Return the identity that a file holds.

    Raises ``KavgError`` if parts are missing or of another type.
    """
    parts = {field.name: content.get(field.name) for field in fields(ProcessIdentity)}
    pid = parts.pop("pid")
    if not isinstance(pid, int) or pid < 1 or not all(isinstance(x, str) for x in parts.values()):
        raise KavgError("it does not identify a process")
    return ProcessIdentity(pid=pid, **{name: str(text) for name, text in parts.items()})


def has_ended(process: ProcessIdentity) -> bool | None:
    """True if a process has ended, False if it is running, None if this machine cannot tell.

    It cannot tell for a process of another machine, nor for one in another container.  Where the
    machine has no identifier, one of another boot may be of another machine of the same name.
    """
    here = identify_process()
    if (process.host, process.machine) != (here.host, here.machine):
        return None
    if process.boot != here.boot:
        return True if here.machine and process.boot and here.boot else None
    if process.namespace != here.namespace:
        return None
    try:
        os.kill(process.pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # another user's
        pass
    state, started = _state_and_start(process.pid)
    is_another = bool(started and process.started) and started != process.started
    return state in ENDED or is_another


def _state_and_start(pid: int) -> tuple[str, str]:
    """State and start of a process; empty where the system does not report them."""
    line = _read_line(f"/proc/{pid}/stat")
    # The second field is the program's name in brackets, which may hold blanks and brackets.
    words = line.rpartition(")")[2].split()
    return (words[0], words[19]) if len(words) > 19 else ("", "")


def _read_line(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""
