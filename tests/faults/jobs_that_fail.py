"""Runs one case of the fault table under a launcher, and judges how it ended."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.cases import ALL, DISK, EVERY, ROUNDS, SIGNALS, Case, place
from helpers.run_folder import read_digest
from helpers.settings import write_settings

from kavg.cli import results
from kavg.cli.commands import resume as resume_command
from kavg.cli.commands import run as run_command
from kavg.cli.options import Output
from kavg.cli.session import Session
from kavg.config.settings_file import load_config
from kavg.engine.communicator import SerialComm
from kavg.errors import KavgError
from kavg.storage import digest, joint_digest, load_trajectories
from kavg.storage.checkpoints import FOLDER, list_checkpoints, read_checkpoint

PLANTED = str(Path(__file__).parent / "planted.py")
ROOT = Path(__file__).parent.parent.parent
TIMEOUT, LIMIT, HANG = 5, 10, 40
"""Seconds: of the settings, to end within behind a fault, and when a job is given up."""


def write_my_settings(folder: Path) -> Path:
    """Write ``my.toml`` there: two algorithms, with checkpoints, that may wait for a while."""
    return write_settings(
        folder / "my.toml",
        rounds=ROUNDS,
        replicas=8,
        timeout=TIMEOUT,
        checkpoint={"every": EVERY},
        objective={"kind": "cosine", "dim": 100},
    )


@dataclass
class Ending:
    """How a job ended: seconds from the fault, its exit code, what it said, what was wrong.

    ``hang`` and ``lost`` are among what is wrong; ``left`` are temporary names on the disk.
    """

    case: Case
    seconds: float = float("nan")
    code: int | None = None
    said: str = ""
    hang: bool = False
    lost: bool = False
    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    kept: int = 0

    def refuse(self, fine: bool, words: str) -> None:
        """Note what is wrong unless all is fine."""
        if not fine:
            self.wrong.append(words)


def can_mount(folder: Path) -> bool:
    """May this process mount a small disk?"""
    try:
        with small_disk(folder / "probe"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of 4 MB, mounted there: room for two run folders with figures."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)],
        check=True,
        capture_output=True,
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def whole_digest(folder: Path) -> str:
    """The digest of the uninterrupted run, in this process."""
    return computed(folder / "whole", write_my_settings(folder))


def computed(out: Path, settings: Path) -> str:
    """The digest of a run from its start, over what may be there."""
    session, output = Session(SerialComm()), Output(out, force=out.exists(), quiet=True)
    quietly(lambda: run_command.run(session, settings, output=output))
    return digest_in(out)


def digest_in(out: Path) -> str:
    """The digest that a finished run says, which must be that of its arrays."""
    said = read_digest(out)
    runs = load_trajectories(out)
    return said if said == joint_digest(runs) and all(map(digest, runs)) else "of other arrays"


def quietly(action: Callable[[], object]) -> None:
    """Act without a word and without a picture."""
    draw, results.draw_if_possible = results.draw_if_possible, lambda draw: None
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            action()
    finally:
        results.draw_if_possible = draw


def ended(case: Case, folder: Path, launcher: Sequence[str], digest: str) -> Ending:
    """Run the case in ``folder``; ``launcher`` is all in front of the program's own words."""
    write_my_settings(folder)
    disk = folder / "disk"
    if case.fault not in DISK:
        disk.mkdir()
        return judged(case, folder, launcher, digest)
    with small_disk(disk):
        return judged(case, folder, launcher, digest)


def judged(case: Case, folder: Path, launcher: Sequence[str], digest: str) -> Ending:
    """Let the job fail, mend the disk, look at what is left and go on from there."""
    ending = Ending(case)
    words = [PLANTED, case.fault, case.phase, str(case.rank), str(case.at)]
    run(ending, folder, [*launcher, *words, "run", "../my.toml", "--out", "out", "-q"])
    judge_end(ending)
    disk = folder / "disk"
    if case.fault in DISK:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        (disk / "filler").unlink(missing_ok=True)
    ending.left = sorted(path.name for path in disk.rglob(".*.*") if path.suffix != ".toml")
    judge_files(ending, disk / "out", digest)
    judge_resume(ending, folder, launcher, digest)
    return ending


def run(ending: Ending, folder: Path, command: Sequence[str]) -> None:
    """Run the job until its end or until it is given up; nothing of it may stay behind."""
    token, mark = f"KAVG_FAULT_CASE={secrets.token_hex(8)}", folder / "mark"
    variables = environment() | {"KAVG_FAULT_MARK": str(mark)}
    variables |= dict([token.split("=")])
    with (folder / "said").open("wb") as said:
        job = subprocess.Popen(
            command, cwd=folder / "disk", env=variables, stdout=said, stderr=said,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            ending.code = job.wait(HANG)
        except subprocess.TimeoutExpired:
            ending.hang = True
        over = time.time()
        left = behind(token)
        for number in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        job.wait()
    # Open MPI ends its own messages with a zero, in front of whatever comes next.
    ending.said = (folder / "said").read_text(errors="replace").replace("\0", "")
    ending.refuse(not ending.hang, f"it did not end within {HANG} s")
    ending.refuse(ending.hang or not left, f"{len(left)} processes were left behind")
    ending.refuse(mark.exists(), "the fault did not happen")
    if mark.exists():
        ending.seconds = over - float(mark.read_text())


def environment() -> dict[str, str]:
    """Variables under which any Python finds this kavg."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def behind(token: str, patience: float = 3.0) -> list[int]:
    """The processes of a job that are still there when they had time to go."""
    end = time.monotonic() + patience
    while (found := having(token)) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def having(token: str) -> list[int]:
    """The processes in whose variables a token stands; none where the system does not tell."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if token.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def judge_end(ending: Ending) -> None:
    """In time, with the right code, and said once."""
    case, code = ending.case, ending.code
    lines = [line for line in ending.said.splitlines() if line.startswith("kavg: ")]
    ending.refuse(ending.seconds <= LIMIT, f"it ended {ending.seconds:.1f} s after the fault")
    if case.fault in SIGNALS:
        ending.refuse(code == SIGNALS[case.fault], f"its exit code was {code}")
    ending.refuse(code != 0, "its exit code was 0")
    if case.fault == "SIGKILL":  # the launcher says it
        ending.refuse(ending.said != "" and len(lines) <= 1, "it was not said once")
    else:
        ending.refuse(len(lines) == 1, f"it was said {len(lines)} times")
    tracebacks = ending.said.count("Traceback (most recent call last)")
    wanted = int(case.fault in ("exception", "sys.exit"))
    ending.refuse(tracebacks == wanted, f"{tracebacks} tracebacks, wanted {wanted}")
    if case.fault == "SIGSTOP" and lines:
        places = [place(case.at), place(case.at + 1)]
        if case.phase == "start-up":
            places = ["before the first round"]
        if case.phase == "end":  # a collective may be over for the others when one stops in it
            places = [place(ALL + 1), "at the end of the job"]
        named = f"rank {case.rank} has not responded for {TIMEOUT} s "
        ending.refuse(named in lines[0], "the rank that stopped was not named")
        ending.refuse(any(one in lines[0] for one in places), f"the round was not {places}")


def judge_files(ending: Ending, out: Path, digest: str) -> None:
    """What has its final name is whole, and no round that was to be kept is missing."""
    try:
        if (out / "summary.json").exists():
            load_config(out / "config.toml")
            ending.refuse(digest_in(out) == digest, "the run folder has another digest")
            ending.kept = ALL
        elif (out / FOLDER).is_dir():
            ending.kept = max(
                (read_checkpoint(path).done for path in list_checkpoints(out / FOLDER)), default=0
            )
    except (KavgError, OSError, ValueError) as error:
        ending.wrong.append(f"a file is half-written: {error}")
    case = ending.case
    ending.lost = ending.kept < case.safe
    # On a disk on which nothing can be written there may be no folder at all.
    ending.refuse(not ending.lost, f"{ending.kept} rounds were kept, needed are {case.safe}")


def judge_resume(ending: Ending, folder: Path, launcher: Sequence[str], digest: str) -> None:
    """From what is left, or from the start, one comes to the right digest."""
    disk, again = folder / "disk", ending.case.again
    out = disk / "out"
    try:
        if not ending.kept:
            found = computed(out, folder / "my.toml")
        elif again:
            resume_on_ranks(launcher, again, disk)
            found = digest_in(out)
        else:
            quietly(lambda: resume_command.resume(Session(SerialComm()), out, quiet=True))
            found = digest_in(out)
    except (KavgError, OSError, ValueError, subprocess.SubprocessError) as error:
        found = f"{type(error).__name__}: {error}"
    if found != digest:
        ending.lost = True
        ending.wrong.append(f"going on led to {found}")


def resume_on_ranks(launcher: Sequence[str], size: int, disk: Path) -> None:
    """``kavg resume`` on another number of ranks."""
    at = launcher.index("-n") + 1
    command = [*launcher[:at], str(size), *launcher[at + 1 :], "-m", "kavg"]
    subprocess.run(
        [*command, "resume", "out", "-q"],
        cwd=disk, env=environment(), check=True, capture_output=True, timeout=60,
    )  # fmt: skip


def with_python(launcher: Sequence[str], ranks: int, python: str = sys.executable) -> list[str]:
    """All in front of the program's own words."""
    return [*launcher, "-n", str(ranks), python]
