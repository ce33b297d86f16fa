"""Every call by which a command changes files, failed or killed once: what is lost, what is left.

``python experiments/reliability/inject.py`` prints the table; ``--help`` lists its options.

``inject.c``, compiled here and preloaded into the command, counts the calls that change files below
the folder of a case (open for writing, write, rename, unlink, mkdir, link, fsync, ...).  The N-th
kills the process (a write then leaves half of its bytes), or fails with ENOSPC, EIO or EACCES.  Of
each command and kind, ``--most`` numbers N are drawn with a seed, or all are tried if they are
fewer.  Afterwards ``kavg verify --files`` reads the folder, and the command is given again, or
``kavg resume`` where the run is unfinished.  A case is lost if

- after the fault the folder holds neither the old run nor the new one, whole, nor a checkpoint to
  go on from where one was there;
- a file of the user is missing or changed;
- the second command does not lead to the digest of an undisturbed run, with files that fit their
  manifest;
- a command prints a traceback.

*Left* are temporary names and locks that are still there after the second command.  The exit code
is 1 if anything was lost or left, or a command has no case of a kind.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# In the place of this folder, whose modules would hide those of the same name.
sys.path[0] = str(Path(__file__).parent.parent.parent / "tests")

from helpers.run_folder import read_digest, stored_checkpoints  # noqa: E402 - behind the path
from helpers.settings import k_avg, write_settings  # noqa: E402 - behind the path

from kavg.cli import entry_point  # noqa: E402 - behind the path
from kavg.storage import manifest  # noqa: E402 - behind the path

SOURCE = Path(__file__).with_name("inject.c")
KINDS = {"SIGKILL": 0, "ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EACCES": errno.EACCES}
RUN = ("run", "my.toml", "-q", "--out", "out")
FILES = ("verify", "--files", "out")
MINE = {"notes.md": "my own notes\n", "data/raw.csv": "1,2\n"}
"""Files of the user in a folder that is replaced."""
PLACE = "/dev/shm" if os.path.isdir("/dev/shm") else None
SECONDS = 60
"""A command that takes longer hangs."""


@dataclass(frozen=True)
class Scenario:
    """A command: what is done before it, its words, and those that are given after the fault."""

    before: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]
    again: tuple[str, ...]
    allowed: tuple[str, ...]

    has_mine: bool = True


OLD = (*RUN, "--set", "seed=2")
LONGER = ("resume", "out", "-q", "--rounds", "12")
SCENARIOS = {
    "run": Scenario((), RUN, RUN, ("nothing", "unfinished", "new"), has_mine=False),
    "run --force": Scenario((OLD,), (*RUN, "-f"), (*RUN, "-f"), ("old", "new")),
    "resume": Scenario((), ("resume", "out", "-q"), ("resume", "out", "-q"),
                       ("unfinished", "new")),
    "resume --rounds": Scenario((RUN,), LONGER, LONGER, ("old", "new")),
    "check": Scenario((RUN,), ("check", "out"), ("check", "out"), ("old",)),
    "plot": Scenario((RUN,), ("plot", "out"), ("plot", "out"), ("old",)),
}  # fmt: skip


@dataclass
class Outcome:
    """What one case came to; ``lost`` says what was, ``left`` lists names."""

    command: str
    kind: str
    number: int
    code: int = 0
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class PlantedFaults:
    """Faults of system calls, planted by the library that this process was started with."""

    def __init__(self, path: str) -> None:
        self.functions = ctypes.CDLL(path)

    def arm(self, folder: Path, number: int, code: int) -> None:
        """Let the call of this number below a folder fail, or kill this process."""
        self.functions.inject_arm(os.fsencode(folder), ctypes.c_long(number), code)

    def count(self) -> int:
        """The calls since then."""
        return int(self.functions.inject_count())


class Laboratory:
    """Runs cases in ``place``, each command in a process that is forked from this one."""

    def __init__(self, place: Path, faults: PlantedFaults) -> None:
        self.place, self.faults = place, faults
        self.said = place / "said"
        self.calls: dict[str, int] = {}
        self.digests: dict[str, dict[str, str]] = {}

    def call(self, words: Sequence[str], folder: Path, number: int = 0, code: int = 0) -> int:
        """Run the command in a folder with a fault; return its code, below 0 for a signal."""
        pid = os.fork()
        if not pid:
            self._be_command(words, folder, number, code)
        end = time.monotonic() + SECONDS
        while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                return 124
            time.sleep(0.002)
        return os.waitstatus_to_exitcode(ended[1])

    def _be_command(self, words: Sequence[str], folder: Path, number: int, code: int) -> None:
        status = 70
        try:
            os.chdir(folder)
            file = os.open(self.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, 1)
            os.dup2(file, 2)
            sys.argv = ["kavg", *words]
            self.faults.arm(folder, number, code)
            entry_point.main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            count = self.faults.count()
            self.faults.arm(Path("/nowhere"), 0, 0)
            (self.place / "count").write_text(str(count))
            sys.stdout.flush()
            os._exit(status)

    def prepare(self, name: str) -> None:
        """Lay out the folder that each case of a command begins with; run it undisturbed."""
        scenario, start = SCENARIOS[name], self.place / name
        start.mkdir()
        write_settings(
            start / "my.toml", rounds=6, replicas=2, figures=False,
            checkpoint={"every": 3}, algorithm=[k_avg(P=3)],
        )  # fmt: skip
        for words in scenario.before:
            code = self.call(words, start)
            assert code == 0, self.said.read_text()
        if name == "resume":
            self._stop_run(start)
        if scenario.has_mine:
            for path, text in MINE.items():
                (start / "out" / path).parent.mkdir(exist_ok=True)
                (start / "out" / path).write_text(text)
        old = read_digest(start / "out") if (start / "out" / "summary.json").exists() else ""
        folder = self.copy(name)
        code = self.call(scenario.words, folder)
        assert code in (0, 3), self.said.read_text()
        self.calls[name] = int((self.place / "count").read_text())
        self.digests[name] = {"old": old, "new": read_digest(folder / "out")}
        shutil.rmtree(folder)

    def _stop_run(self, start: Path) -> None:
        """Kill a run at the first call that leaves a checkpoint behind."""
        for number in range(10, 1000):
            self.call(RUN, start, number, KINDS["SIGKILL"])
            self.call(FILES, start)
            if stored_checkpoints(start / "out"):
                return
            shutil.rmtree(start / "out", ignore_errors=True)
        raise AssertionError(self.said.read_text())

    def copy(self, name: str) -> Path:
        """A copy of the folder that a command begins with."""
        folder = self.place / "case"
        shutil.copytree(self.place / name, folder)
        return folder

    def run_case(self, name: str, kind: str, number: int) -> Outcome:
        """Let one call fail, read the folder, give the command again, and judge each."""
        scenario, outcome = SCENARIOS[name], Outcome(name, kind, number)
        folder = self.copy(name)
        out = folder / "out"
        outcome.code = self.call(scenario.words, folder, number, KINDS[kind])
        self._judge(outcome, folder, "the fault", None)
        self.call(FILES, folder)
        state = state_of(out, self.digests[name])
        if state not in scenario.allowed:
            outcome.lost.append(f"after the fault there is {state}")
        self._judge(outcome, folder, "reading", state)
        again = ("resume", "out", "-q") if state == "unfinished" else scenario.again
        if (name, state) in (("run", "new"), ("resume", "new")):
            again = FILES
        code = self.call(again, folder)
        state = state_of(out, self.digests[name])
        if again == FILES and code == 1:  # the files of the user, which were added
            code = 0
        if code not in (0, 3) or state != scenario.allowed[-1]:
            outcome.lost.append(f"the second command ended with {code} and {state}")
        self._judge(outcome, folder, "the second command", state)
        outcome.left = sorted(
            str(path.relative_to(folder)) for path in folder.rglob(".*") if path.name != "."
        )
        shutil.rmtree(folder)
        return outcome

    def _judge(self, outcome: Outcome, folder: Path, when: str, state: str | None) -> None:
        said = self.said.read_text(errors="replace")
        if "Traceback" in said:
            outcome.lost.append(f"{when}: a traceback: {said.strip().splitlines()[-1]}")
        if state in ("old", "new"):
            changes = [
                each for each in manifest.list_changes(folder / "out")
                if not each.endswith("was added") or not is_expected(each)
            ]  # fmt: skip
            outcome.lost += [f"after {when}: {each}" for each in changes]
        if state is not None and SCENARIOS[outcome.command].has_mine:
            for path, text in MINE.items():
                place = folder / "out" / path
                if not place.is_file() or place.read_text() != text:
                    outcome.lost.append(f"after {when}: {path} of the user is lost")


def is_expected(change: str) -> bool:
    """True for a file of the user, and for a checkpoint beside a finished run."""
    return any(path in change for path in (*MINE, "checkpoints/"))


def state_of(out: Path, digests: dict[str, str]) -> str:
    """What a folder holds: nothing, an unfinished run, the old one, the new one, or another."""
    if (out / "summary.json").exists():
        digest = read_digest(out)
        names = [name for name, each in digests.items() if each == digest]
        return names[0] if names else "another run"
    return "unfinished" if stored_checkpoints(out) else "nothing"


def choose_cases(calls: dict[str, int], most: int, seed: int) -> list[tuple[str, str, int]]:
    """Draw the cases: of each command and kind ``most`` numbers of calls, or all.

    The first of each command and kind come before the second of any, and so on, so that those
    which the time allows are spread evenly.
    """
    draw = random.Random(seed)
    cells = [
        [(name, kind, number)
         for number in draw.sample(range(1, calls[name] + 1), min(most, calls[name]))]
        for name in SCENARIOS for kind in KINDS
    ]  # fmt: skip
    rows = [[case for case in row if case] for row in itertools.zip_longest(*cells)]
    for row in rows:
        # Each process takes every few of them, which would always be the same kinds.
        draw.shuffle(row)
    return [case for row in rows for case in row]


def warm_up() -> None:
    """Give each command once in this process, so that those forked from it have all modules."""
    here = os.getcwd()
    with (
        tempfile.TemporaryDirectory(dir=PLACE) as folder,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        os.chdir(folder)
        write_settings(Path("my.toml"), rounds=6, replicas=2, figures=False, algorithm=[k_avg(P=3)])
        for words in (RUN, LONGER, FILES, ("check", "out"), ("plot", "out")):
            sys.argv = ["kavg", *words]
            with contextlib.suppress(SystemExit):
                entry_point.main()
        os.chdir(here)


def work(given: argparse.Namespace) -> None:
    """Run every ``jobs``-th case, and print the outcomes as JSON, one a line."""
    began = time.monotonic()
    warm_up()
    with tempfile.TemporaryDirectory(dir=PLACE) as scratch:
        laboratory = Laboratory(Path(scratch), PlantedFaults(given.preloaded))
        for name in SCENARIOS:
            laboratory.prepare(name)
        print(json.dumps(laboratory.calls), flush=True)
        cases = choose_cases(laboratory.calls, given.most, given.seed)
        cases = cases[: given.only or None]
        for case in cases[given.work :: given.jobs]:
            if time.monotonic() - began > 60 * given.minutes:
                break
            print(json.dumps(vars(laboratory.run_case(*case))), flush=True)


def build(folder: Path) -> Path | None:
    """Compile the library; None where there is no C compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None or sys.platform != "linux":
        return None
    library = folder / "inject.so"
    words = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(words, check=True)
    return library


def run_all(given: argparse.Namespace, library: Path) -> tuple[dict[str, int], list[Any]]:
    """Run the cases in ``jobs`` processes; return the calls of each command and the outcomes."""
    words = [sys.executable, __file__, "--preloaded", str(library), "--jobs", str(given.jobs),
             "--most", str(given.most), "--seed", str(given.seed),
             "--only", str(given.only), "--minutes", str(given.minutes)]  # fmt: skip
    variables = os.environ | {"LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            [*words, "--work", str(i)], env=variables, stdout=subprocess.PIPE, text=True
        )
        for i in range(given.jobs)
    ]
    lines = [json.loads(line) for each in workers for line in each.communicate()[0].splitlines()]
    assert not any(each.returncode for each in workers), "a process of the experiment failed"
    outcomes = [line for line in lines if "kind" in line]
    return next(line for line in lines if "kind" not in line), outcomes


def count_empty(outcomes: list[Any]) -> int:
    """How many pairs of a command and a kind have no case."""
    return len(SCENARIOS) * len(KINDS) - len({(one["command"], one["kind"]) for one in outcomes})


def table(calls: dict[str, int], outcomes: list[Any], drawn: int) -> Iterator[str]:
    """The counts by command and kind, and what was lost or left."""
    lost = [one for one in outcomes if one["lost"]]
    left = [one for one in outcomes if one["left"]]
    yield f"cases = {len(outcomes)}, losses = {len(lost)}, rubbish left = {len(left)}\n"
    yield f"{len(outcomes)} of {drawn} drawn cases were run; empty cells: {count_empty(outcomes)}\n"
    yield "| command | calls | kind | cases | of these ended with 0 | losses | rubbish left |"
    yield "|---|---:|---|---:|---:|---:|---:|"
    for name in SCENARIOS:
        for kind in KINDS:
            mine = [one for one in outcomes if (one["command"], one["kind"]) == (name, kind)]
            numbers = [
                len(mine),
                sum(one["code"] == 0 for one in mine),
                sum(bool(one["lost"]) for one in mine),
                sum(bool(one["left"]) for one in mine),
            ]
            yield f"| {name} | {calls[name]} | {kind} | {' | '.join(map(str, numbers))} |"
    for one in (*lost, *left):
        words = "; ".join([*one["lost"], *(f"left {name}" for name in one["left"])])
        yield f"\n- {one['command']}, {one['kind']} at call {one['number']}: {words}"


def main() -> None:
    """Build the library, run the cases and print the table; exit with 1 unless all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=60, help="cases of a command and a kind")
    parser.add_argument("--only", type=int, default=0, help="so many of all these cases")
    parser.add_argument("--minutes", type=float, default=11, help="begin no case after these")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preloaded", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work is not None:
        work(given)
        return
    with tempfile.TemporaryDirectory() as scratch:
        library = build(Path(scratch))
        if library is None:
            print("not run: this needs Linux and a C compiler")
            return
        calls, outcomes = run_all(given, library)
    drawn = len(choose_cases(calls, given.most, given.seed))
    print("\n".join(table(calls, outcomes, drawn)))
    sys.exit(count_empty(outcomes) > 0 or any(one["lost"] or one["left"] for one in outcomes))


if __name__ == "__main__":
    main()
