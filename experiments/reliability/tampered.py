"""Run folders that were tampered with: each command answers, once, and touches nothing else.

``python experiments/reliability/tampered.py [COUNT [SEED]]`` prints a table, by default of
720 folders.

A folder is that of a finished run, of one with verdicts, or of an unfinished one.  One to three of
its files are changed: cut off, emptied, flipped, overwritten, removed, made huge, exchanged with
those of another run, or replaced by a folder, a pipe, a device, or a link to a file of the user, to
nothing or to itself; ``figures`` or ``checkpoints`` may be links, and folders may be nested.  In
half of the cases the manifest is renewed, so that it knows nothing of the change.  Three commands
read each folder, or write to it.  It is a failure if one of them

- prints a traceback or more than one error, ends with a code that it does not have, or takes more
  than 20 s;
- changes a file outside of the folder;
- leaves a temporary name or a lock;
- is ``kavg verify`` and accepts a folder whose manifest is older than the change.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# In the place of this folder, whose modules would hide those of the same name.
sys.path[0] = str(Path(__file__).parent.parent.parent / "tests")

from helpers.checkpoint import write_two_checkpoints  # noqa: E402 - behind the path
from helpers.run_folder import renew_manifest  # noqa: E402 - behind the path
from helpers.settings import k_avg, write_settings  # noqa: E402 - behind the path

from kavg.cli import entry_point, results, theorem_check  # noqa: E402 - behind the path
from kavg.cli.plots import drawing  # noqa: E402 - behind the path
from kavg.errors import KavgError  # noqa: E402 - behind the path

SECONDS = 20
PLACE = "/dev/shm" if os.path.isdir("/dev/shm") else None
COMMANDS = (
    "verify run -q", "check run", "check run --out other", "plot run", "plot run --out other",
    "diff run whole", "diff whole run", "resume run -q", "resume run -q --rounds 7",
    "run my.toml -q --out run", "run my.toml -q --force --out run",
)  # fmt: skip
KINDS = ("finished", "judged", "unfinished")


def surroundings(path: Path) -> Path:
    """The folder in which the run folder of a file lies."""
    return next(place for place in path.parents if (place / "mine").is_dir())


def cut(path: Path, draw: random.Random) -> None:
    """Cut a file off."""
    os.truncate(path, draw.randrange(path.stat().st_size))


def flip(path: Path, draw: random.Random) -> None:
    """Flip a bit."""
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def overwrite(path: Path, draw: random.Random) -> None:
    """Write other bytes."""
    texts = (b"", b"{}", b"[]", b"null", b"[" * 99_999, b"PK\5\6" + bytes(18), b"\0" * 999,
             b"a = [[[1]]]\n", b"kavg checkpoint format=9 ", draw.randbytes(3000))  # fmt: skip
    path.write_bytes(draw.choice(texts))


def make_huge(path: Path, draw: random.Random) -> None:
    """Extend a file by a hole."""
    os.truncate(path, draw.choice((2**24, 2**32, 2**44)))


def replace_file(path: Path, draw: random.Random) -> None:
    """Put a folder, a pipe or a link in the place of a file."""
    path.unlink()
    mine = surroundings(path) / "mine" / "notes.md"
    kinds: tuple[Callable[[], Any], ...] = (
        path.mkdir,
        lambda: os.mkfifo(path),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.symlink_to(mine),
        lambda: path.symlink_to("nowhere"),
        lambda: path.symlink_to(path.name),
    )
    draw.choice(kinds)()


def remove(path: Path, draw: random.Random) -> None:  # noqa: ARG001 - as the others
    """Remove a file."""
    path.unlink()


def take_from_another(path: Path, draw: random.Random) -> None:
    """Put a file of another run in the place of one."""
    path.unlink()
    others = [each for each in (surroundings(path) / "whole").iterdir() if each.is_file()]
    same = [each for each in others if each.name == path.name]
    shutil.copy(draw.choice(same or others), path)


CHANGES = (cut, flip, overwrite, make_huge, replace_file, remove, take_from_another)


@dataclass(frozen=True)
class Case:
    """One folder: its kind, the seed of what is changed, and the commands."""

    kind: str
    number: int
    commands: tuple[str, ...]


def tamper(folder: Path, draw: random.Random) -> bool:
    """Change some files of a folder; True if its manifest then is older than the change."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    chosen = draw.sample(files, draw.randint(1, min(3, len(files))))
    for path in chosen:
        draw.choice(CHANGES)(path, draw)
    extra = draw.random()
    for name, limit in (("figures", 0.1), ("checkpoints", 0.2)):
        if limit - 0.1 <= extra < limit:
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).symlink_to(folder.parent / "mine")
    if 0.2 <= extra < 0.25:
        (folder / ("deep/" * 150)).mkdir(parents=True)
    sizes = [path.lstat().st_size for path in folder.rglob("*")]
    if draw.random() < 0.5 and sum(sizes) < 2**28:  # a larger one takes long to read
        try:
            renew_manifest(folder)
        except (OSError, KavgError):
            return True
        return False
    return True


def call(words: Sequence[str], folder: Path, said: Path) -> int:
    """Run the command in a process that is forked from this one; return its code, or 124."""
    pid = os.fork()
    if not pid:
        status = 70
        try:
            os.chdir(folder)
            for stream in (1, 2):
                os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
            sys.argv = ["kavg", *words]
            entry_point.main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            sys.stdout.flush()
            os._exit(status)
    end = time.monotonic() + SECONDS
    while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return 124
        time.sleep(0.002)
    return os.waitstatus_to_exitcode(ended[1])


def prepare(place: Path) -> None:
    """Lay out the folders that are tampered with, another run, and files of the user."""
    write_settings(place / "my.toml", rounds=6, replicas=2, algorithm=[k_avg(P=3)], figures=False)
    (place / "mine").mkdir()
    (place / "mine" / "notes.md").write_text("years of work\n")
    for name in ("finished", "judged", "whole"):
        words = ["run", "my.toml", "-q", "--out", name]
        assert call([*words, "--set", f"seed={len(name)}"], place, place / "said") == 0
    assert call(["check", "judged"], place, place / "said") in (0, 3)
    write_two_checkpoints(place / "unfinished")
    (place / "said").unlink()


def outside(place: Path) -> list[tuple[str, bytes]]:
    """All files that are not those of the run, nor of what a command is told to write."""
    files = [path for name in ("mine", "whole", "my.toml") for path in
             [place / name, *(place / name).rglob("*")] if path.is_file()]  # fmt: skip
    return sorted((str(path), path.read_bytes()) for path in files)


def try_case(case: Case, laid: Path) -> list[str]:
    """Tamper with a folder, run the commands, and return what failed."""
    with tempfile.TemporaryDirectory(dir=PLACE) as scratch:
        place, said = Path(scratch) / "here", Path(scratch) / "said"
        shutil.copytree(laid, place)
        (place / case.kind).rename(place / "run")
        is_stale = tamper(place / "run", random.Random(case.number))
        before = outside(place)
        failures: list[str] = []
        for i, command in enumerate(case.commands):
            said.unlink(missing_ok=True)
            code = call(command.split(), place, said)
            text = said.read_text(errors="replace")
            failures += [f"{command}: {each}" for each in judge(code, text)]
            if i == 0 and code == 0 and is_stale and case.kind != "unfinished":
                failures.append(f"{command}: accepted a folder that was changed")
        if outside(place) != before:
            failures.append("a file outside of the folder was changed")
        left = [path.name for path in place.rglob(".*")]
        return failures + ([f"left {left}"] if left else [])


def judge(code: int, text: str) -> Iterator[str]:
    """What is wrong with the end of a command."""
    if code not in (0, 1, 2, 3):
        yield f"ended with {code}: {text[-300:]}"
    if "Traceback" in text:
        yield f"a traceback: {text[-300:]}"
    errors = [line for line in text.splitlines() if line.startswith("kavg: ")]
    # Besides the error there may be notices: a checkpoint that is refused, the one before it.
    if len(errors) > 4:
        yield f"{len(errors)} errors"


def draw_cases(count: int, seed: int) -> Iterator[Case]:
    """Draw the cases."""
    draw = random.Random(seed)
    for number in range(count):
        commands = ("verify run --files", *draw.sample(COMMANDS, 2))
        yield Case(KINDS[number % len(KINDS)], draw.randrange(2**32), commands)


def draw_nothing(_draw: object, figures: Path, _stem: object, _formats: object) -> None:
    """In the place of figures, which take longer than all else together."""
    figures.mkdir(parents=True, exist_ok=True)
    (figures / "trajectory.png").write_bytes(b"a picture")


def hunt(count: int, seed: int) -> tuple[Counter[str], list[tuple[Case, list[str]]]]:
    """Try the cases; return the number of folders of each kind, and what failed."""
    kept = drawing.write_figure, theorem_check.draw_if_possible, results.draw_if_possible
    drawing.write_figure = draw_nothing
    theorem_check.draw_if_possible = results.draw_if_possible = lambda _: None
    tried: Counter[str] = Counter()
    failed = []
    try:
        with tempfile.TemporaryDirectory(dir=PLACE) as scratch:
            prepare(Path(scratch))
            for case in draw_cases(count, seed):
                tried[case.kind] += 1
                if failures := try_case(case, Path(scratch)):
                    failed.append((case, failures))
    finally:
        drawing.write_figure, theorem_check.draw_if_possible, results.draw_if_possible = kept
    return tried, failed


def main(count: int = 720, seed: int = 0) -> None:
    """Hunt; print the counts and the cases that failed."""
    tried, failed = hunt(count, seed)
    print(f"tampered: {count} run folders, {3 * count:,} commands, seed {seed}\n")
    print("".join(f"{name:12}" for name in (*KINDS, "all", "failed")).rstrip())
    numbers = (*(tried[kind] for kind in KINDS), tried.total(), len(failed))
    print("".join(f"{number:<12}" for number in numbers).rstrip())
    for case, failures in failed:
        print(f"\n{case}\n  " + "\n  ".join(failures))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
