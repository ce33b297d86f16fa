"""Lock files: each is held by at most one process, and names its holder.

A lock names the host, the process, when the process and its machine started, since when it is held,
and the command.  It works on network file systems, as it needs no more than that ``link`` fails
where a name exists.  A lock whose holder has ended is taken over; that of a process which this
machine cannot judge is not.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shlex
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, final

from kavg.errors import KavgError
from kavg.storage.atomic import open_exclusively
from kavg.storage.locks.processes import (
    ProcessIdentity,
    has_ended,
    identify_process,
    parse_identity,
)
from kavg.storage.regular_files import read_regular

LARGEST: Final = 2**16
"""Bytes of a lock that are read at most."""
NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What a file system without hard links answers."""
MISSING: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
"""Where there is no folder there is no lock in it."""
PAUSE: Final = 0.02
SETTLING: Final = 2.0
"""Seconds within which a lock is expected to be readable, or taken over by another process."""


@final
@dataclass(frozen=True)
class LockHolder:
    """The content of a lock: a random ``token``, the process, since when, and its command.

    ``process`` is None if the lock cannot be read.
    """

    token: str
    process: ProcessIdentity | None
    since: str = ""
    command: str = ""

    def describe(self) -> str:
        """Describe the holder, as in ``"process 12 on node7 ('kavg run a.toml') since ..."``."""
        if self.process is None:
            return "a process that its lock does not name"
        pid, host = self.process.pid, self.process.host
        where = "" if host == identify_process().host else f" on {host!r}"
        return f"process {pid}{where} ({self.command!r}), since {self.since}"


@final
class LockFile:
    """A file that at most one process holds at a time."""

    def __init__(self, path: Path) -> None:
        self.path, self.token, self.pid = path, secrets.token_hex(4), os.getpid()

    def acquire(self) -> LockHolder | None:
        """Create the file; return the holder that had ended without removing it, if there was one.

        Raises ``LockHeld``, and ``OSError`` if the file cannot be created.
        """
        stale, end = None, time.monotonic() + SETTLING
        while not self._create():
            holder, is_over = read_holder(self.path), time.monotonic() > end
            if holder is None:  # removed meanwhile, or a link that leads nowhere
                if is_over and os.path.lexists(self.path):
                    raise LockHeld(LockHolder("", None), self.path)
                time.sleep(PAUSE)
                continue
            if holder.token == self.token:  # created, but the answer was lost on the network
                break
            if holder.process is not None and has_ended(holder.process):
                if self.remove_stale(holder):
                    stale = holder
                    continue
            elif holder.process is not None or is_over:
                raise LockHeld(holder, self.path)
            if is_over:
                raise LockHeld(holder, self.path)
            time.sleep(PAUSE)
        return stale

    def release(self) -> None:
        """Remove the file if this process holds it."""
        with suppress(OSError):
            holder = read_holder(self.path) if self.pid == os.getpid() else None
            if holder is not None and holder.token == self.token:
                self.path.unlink()

    def _create(self) -> bool:
        """True if the file is created, False if it exists."""
        # Complete before it has its name, so that nobody reads a part of it.
        draft = self.path.with_name(f"{self.path.name}.{self.token}.draft")
        try:
            self._write(draft)
            os.link(draft, self.path)
        except FileExistsError:
            return False
        except FileNotFoundError:
            # The holder of the lock may take the draft for one that was left.
            if not self.path.parent.is_dir():
                raise
            return False
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            return self._create_directly()
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return True

    def _create_directly(self) -> bool:
        try:
            self._write(self.path)
        except FileExistsError:
            return False
        return True

    def _write(self, path: Path) -> None:
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        words = [os.path.basename(word) for word in sys.argv[:1]] + sys.argv[1:]
        content = asdict(identify_process())
        content |= {"token": self.token, "since": since, "command": shlex.join(words)[:80]}
        with open_exclusively(path) as file:
            try:
                file.write(json.dumps(content).encode())
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                # A part of a lock names no holder, and nobody could take it over.
                with suppress(OSError):
                    path.unlink()
                raise

    def remove_stale(self, holder: LockHolder) -> bool:
        """Remove the lock of a holder that has ended; True if this process did.

        Of several processes that find it one may remove it, or a late one would remove the lock
        that the first has created meanwhile.  So each stale lock has a lock of its own.
        """
        if not holder.token.isalnum():
            return False
        inner = LockFile(self.path.with_name(f"{self.path.name}.{holder.token}"))
        try:
            inner.acquire()
            if read_holder(self.path) != holder:
                return False
            self.path.unlink()
            return True
        except LockHeld:
            return False
        finally:
            inner.release()


class LockHeld(KavgError):
    """A lock is held by another process, or by one of which this machine cannot tell."""

    def __init__(self, holder: LockHolder, path: Path) -> None:
        super().__init__(f"{str(path)!r} is held by {holder.describe()}")
        self.holder, self.path = holder, path


def read_holder(path: Path) -> LockHolder | None:
    """Read who holds a lock; None if there is no such file."""
    try:
        content: Any = json.loads(read_regular(path, LARGEST))
        process = parse_identity(content)
        texts = [content[key] for key in ("token", "since", "command")]
        if not all(isinstance(text, str) and len(text) <= 100 for text in texts):
            raise KavgError("it is not a lock of kavg")
        return LockHolder(texts[0], process, texts[1], texts[2])
    except OSError as error:
        return None if error.errno in MISSING else LockHolder("", None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return LockHolder("", None)
