"""Every fault in every phase on every rank under a launcher: how many jobs hang, what is lost.

``python experiments/reliability/faults.py run RESULTS.json`` runs the table, with this Python and
its ``mpiexec`` unless ``--launcher`` and ``--python`` say otherwise; ``page RESULTS.json`` prints
``docs/reliability.md`` from the results of one or more launchers.  The faults of the disk need the
right to mount a small one; without it they are not run, and counted so.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# In the place of this folder, whose file of the same name would hide the package of the tests.
sys.path[0] = str(Path(__file__).parent.parent.parent / "tests")

from faults.cases import DISK, FAULTS, PHASES, RANKS, cases, few  # noqa: E402 - behind the path
from faults.jobs_that_fail import (  # noqa: E402 - behind the path
    LIMIT,
    TIMEOUT,
    Ending,
    can_mount,
    ended,
    whole_digest,
    with_python,
)

ASK = "from mpi4py import MPI; print(MPI.Get_library_version())"


def main() -> None:
    """Run the table or print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    actions = parser.add_subparsers(required=True)
    run = actions.add_parser("run")
    run.add_argument("results", type=Path)
    run.add_argument("--launcher", default=str(Path(sys.executable).parent / "mpiexec"))
    run.add_argument("--python", default=sys.executable)
    run.add_argument("--options", default="", help="words for the launcher, quoted as one")
    run.add_argument("--seed", type=int, default=1)
    run.add_argument("--few-first", action="store_true", help="those that always run come first")
    run.add_argument("--skip", type=int, default=0, help="leave out so many cases")
    run.add_argument("--minutes", type=float, default=60, help="begin no case after these")
    run.set_defaults(act=run_table)
    page = actions.add_parser("page")
    page.add_argument("results", type=Path, nargs="+")
    page.set_defaults(act=print_page)
    given = parser.parse_args()
    given.act(given)


def run_table(given: argparse.Namespace) -> None:
    """One case after another, and the results to a file."""
    launcher = [given.launcher, *shlex.split(given.options)]
    full = with_python(launcher, RANKS, given.python)
    began, rows = time.monotonic(), []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        digest, mounts = whole_digest(place), can_mount(place)
        chosen = cases(given.seed)[given.skip :]
        chosen = [case for case in chosen if mounts or case.fault not in DISK]
        if given.few_first:
            chosen.sort(key=lambda case: case not in few(seed=given.seed))
        for i, case in enumerate(chosen):
            folder = place / str(i)
            folder.mkdir()
            ending = ended(case, folder, full, digest)
            rows.append(row(ending))
            print(f"{i + 1}/{len(chosen)} {told(rows[-1])}", flush=True)
            shutil.rmtree(folder)
            if (time.monotonic() - began) / 60 > given.minutes:
                break
    about = {
        "library": library(given.python),
        "options": given.options,
        "seed": given.seed,
        "python": platform.python_version(),
        "minutes": (time.monotonic() - began) / 60,
    }
    given.results.parent.mkdir(parents=True, exist_ok=True)
    given.results.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    print(f"cases = {len(rows)}, hangs = {count(rows, 'hang')}, lost = {count(rows, 'lost')}")


def row(ending: Ending) -> dict[str, Any]:
    """What is kept of a case."""
    case = ending.case
    facts = {"fault": case.fault, "phase": case.phase, "rank": case.rank, "at": case.at}
    return facts | {
        "seconds": ending.seconds,
        "code": ending.code,
        "hang": ending.hang,
        "lost": ending.lost,
        "wrong": ending.wrong,
        "left": ending.left,
        "again": case.again,
        "said": ending.said if ending.wrong else "",
    }


def told(one: dict[str, Any]) -> str:
    """A line for a case."""
    name = f"{one['fault']}, {one['phase']}, rank {one['rank']}, round {one['at']}"
    return f"{name}: {one['seconds']:.1f} s, code {one['code']}, {one['wrong'] or 'fine'}"


def library(python: str) -> str:
    """The first line of what the MPI library says of itself."""
    said = subprocess.run([python, "-c", ASK], capture_output=True, text=True, check=True).stdout
    return " ".join(said.strip("\0\n ").split("\n")[0].split(", package")[0].split())


def count(rows: list[dict[str, Any]], what: str) -> int:
    """In how many cases something is so."""
    return sum(bool(one[what]) for one in rows)


def print_page(given: argparse.Namespace) -> None:
    """Print the whole document; exit with 1 if anything went wrong in a case."""
    every: dict[str, dict[str, Any]] = {}
    for path in given.results:
        found = json.loads(path.read_text())
        one = every.setdefault(found["about"]["library"], found)
        if one is not found:  # a table that was run in parts, the later of which count
            one["about"]["minutes"] += found["about"]["minutes"]
            one["rows"] = list(
                {place_of(each): each for each in one["rows"] + found["rows"]}.values()
            )
    print("\n".join(page(list(every.values()))))
    if wrong := [one for found in every.values() for one in found["rows"] if one["wrong"]]:
        sys.exit("\n".join(map(told, wrong)))


def place_of(one: dict[str, Any]) -> tuple[str, str, int]:
    """Which cell of the table a case is."""
    return one["fault"], one["phase"], one["rank"]


def page(every: list[dict[str, Any]]) -> Iterator[str]:
    """Its lines."""
    yield HEAD
    for found in every:
        yield from chapter(found["about"], found["rows"])


def chapter(about: dict[str, Any], rows: list[dict[str, Any]]) -> Iterator[str]:
    """One launcher: the counts, by fault and by phase, and what was wrong."""
    yield f"\n## {about['library'].replace('Version: ', '')}\n"
    yield f"cases = {len(rows)}, hangs = {count(rows, 'hang')}, lost = {count(rows, 'lost')}\n"
    missing = len(cases(about["seed"])) - len(rows)
    again = sum(one["again"] > 0 for one in rows)
    yield (
        f"Seed {about['seed']}, Python {about['python']}, {about['minutes']:.1f} minutes; "
        f"cases of the table that were not run: {missing}; cases with anything wrong: "
        f"{count(rows, 'wrong')}; drawn to resume on two ranks, not in one process: {again}; cases "
        f"that left a temporary name on the disk: {count(rows, 'left')}."
    )
    yield from table("fault", FAULTS, rows)
    yield from table("phase", PHASES, rows)
    wrong = [one for one in rows if one["wrong"]]
    if wrong:
        yield "\nWhat was wrong:\n"
        yield from (f"- {told(one)}" for one in wrong)


def table(by: str, names: tuple[str, ...], rows: list[dict[str, Any]]) -> Iterator[str]:
    """Counts and seconds from the fault to the end of the job, SIGSTOP apart from the phases."""
    apart = by == "phase"
    yield f"\n| {by} | cases | hangs | lost | other faults | median s | largest s |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name in names:
        mine = [one for one in rows if one[by] == name]
        timed = [one["seconds"] for one in mine if not (apart and one["fault"] == "SIGSTOP")]
        others = sum(bool(one["wrong"]) and not one["hang"] and not one["lost"] for one in mine)
        seconds = [f"{of(timed):.1f}" for of in STATISTICS] if timed else ["", ""]
        numbers = [len(mine), count(mine, "hang"), count(mine, "lost"), others, *seconds]
        yield f"| {name} | {' | '.join(map(str, numbers))} |"


STATISTICS: tuple[Callable[[list[float]], float], ...] = (statistics.median, max)

HEAD = f"""\
# Reliability

Printed by `python experiments/reliability/faults.py page`, from results of the same script's `run`.

Each case is a real job of {RANKS} ranks under `mpiexec` with one fault, planted in one phase on one
rank: an exception, `sys.exit`, a signal that the rank sends itself, a disk of 4 MB that is filled,
a disk that becomes read-only.  The phases are the start-up (before the settings are agreed upon),
the local steps, the collective (while others are in it too), recording, the middle of the file of a
checkpoint (rank 0 alone writes), and the end (rank 0 writes the run folder, the others wait).  The
round is drawn with a seed.  A full or read-only disk hits the next thing that is written.

A case is fine if

- the job ends within {LIMIT} s of the fault, of which a rank that stops (SIGSTOP) takes the
  `timeout` of the settings, {TIMEOUT} s, and no process is left behind;
- its exit code is not 0, and 143 or 130 after SIGTERM or SIGINT;
- the reason is said once, with one traceback for an exception and `sys.exit` and none else; for
  SIGSTOP with the rank and the round; for SIGKILL by the launcher;
- every checkpoint and run folder under its final name is whole; after SIGTERM and SIGINT the round
  that was under way is kept, otherwise the last checkpoint that was due;
- `kavg resume` leads to the digest of the uninterrupted run; where no checkpoint was due yet,
  `kavg run` does (with `--force`, if there is a folder).

A *hang* is a job that had to be given up; *lost* is a case without the rounds that had to be kept,
or whose digest is another.  Seconds are from the fault to the end of the launcher; those by phase
leave SIGSTOP out."""


if __name__ == "__main__":
    main()
