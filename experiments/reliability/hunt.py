"""Run the command on settings made up by Hypothesis: a result, or one clear report.

``python experiments/reliability/hunt.py [COUNT [SEED]]`` prints a table; 20,000 cases by default.

Every case is a call of the command in this process, in an empty folder, under a limit of memory
(``ulimit -v``) and of processor time.  It must end in one of these ways:

- *ran*: exit code 0 (3 where a bound is violated), a whole run folder that ``kavg verify`` accepts;
- *refused*: exit code 2, one report, nothing written;
- *interrupted*: at the limit of time, where the settings truly ask for more; nothing written but
  checkpoints that a run can go on from, where the settings ask for them.

Everything else is a failure: a traceback, a warning, a hang, a second report, a file left behind.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import itertools
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from zlib import crc32

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parent))
from hostile import Case, cases

from kavg.base import AdaptivePeriod
from kavg.cli import entry_point as cli
from kavg.cli import results
from kavg.cli import theorem_check as found
from kavg.cli.saved_run import load_checkpoint
from kavg.config import Config, settings_file
from kavg.errors import KavgError
from kavg.problem import Algorithm
from kavg.storage import manifest

NOTE = re.compile(
    r"\d+ examples?.*, \d+ features?|gamma L is |have scales from|counts the rows|classes for|"
    r"hidden units the same|above its start|F grew from|gradient has vanished|flat so far from|"
    r"learners keep an|learners keep \d+ arrays|earlier iterates are kept|is its K from round|"
    r"K begins with|K changes after round|one learner has no dispersion|it is w itself|"
    r"the centre moves by"
)
"""What was read of the data, and warnings: lines on stderr that are no reports of errors."""
SECONDS = 4.0
"""Processor time that a case may take.

A network on the digits takes 3 s of it, so other programs beside the hunt make it fail."""
MEMORY = 4 * 2**30
LARGE = 20_000
"""Local steps of a thousand numbers from which on a case may take more than ``SECONDS``."""
REPLAYED, DRAWN = 6, 16
"""One run in 6 is verified by running it again, one in 16 has its figures drawn."""
PLACE = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""A file system in memory, if there is one: each run waits for the disk several times."""
BATCH = 20
"""Cases of one seed; Hypothesis varies few cases within a seed, so many seeds bring variety."""


@dataclass
class Tally:
    """Outcomes of the cases by kind, and the cases that failed."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[tuple[Case, str]] = field(default_factory=list)
    seen: set[Case] = field(default_factory=set)
    verified: int = 0
    drawn: int = 0
    slowest: float = 0.0

    @property
    def cases(self) -> int:
        """The number of cases, all different."""
        return self.outcomes.total()

    def table(self) -> str:
        """The outcomes as a table of text."""
        kinds = ("valid", "mutated", "spoilt", "options")
        names = ("ran", "refused", "interrupted", "failed")
        lines = [f"{'':12}" + "".join(f"{kind:>10}" for kind in (*kinds, "all"))]
        for name in names:
            counts = [self.outcomes[kind, name] for kind in kinds]
            lines.append(f"{name:12}" + "".join(f"{n:10,}" for n in (*counts, sum(counts))))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        lines += [
            "",
            f"{self.cases:,} cases; {self.drawn:,} runs with figures, {self.verified:,} run again",
            f"slowest {self.slowest:.1f} s of processor time, largest memory {peak:.0f} MiB",
        ]
        return "\n".join(lines)


def write_data_files(folder: Path) -> None:
    """Write the files that settings may name: good ones, and ones that lie about their content."""
    features = np.arange(24.0).reshape(12, 2)
    np.savez(folder / "good.npz", features=features, labels=np.arange(12) % 2)
    rows = "".join(f"{a},{b},{i % 2}\n" for i, (a, b) in enumerate(features))
    (folder / "good.csv").write_text(f"a,b,label\n{rows}")
    np.savez(folder / "objects.npz", features=np.array([[print]], object), labels=[1])
    (folder / "bad.csv").write_bytes(b'a,label\n1,2\nx\0,"3\n')
    (folder / "folder.npz").mkdir()
    os.mkfifo(folder / "pipe.csv")
    lying = (folder / "good.npz").read_bytes().replace(b"(12, 2)", b"(99, 9)")
    (folder / "bad.npz").write_bytes(lying)
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("features", "labels"):
            file.writestr(f"{name}.npy", bytes(2_000_000))


class CommandCall:
    """A call of the command in this process: its output, exit code and processor time."""

    def __init__(self, words: list[str], limit: float) -> None:
        self.out, self.err, self.real = io.StringIO(), io.StringIO(), io.StringIO()
        self.interrupted = False
        kept = sys.argv, sys.stdout, sys.stderr, sys.__stderr__
        sys.argv = ["kavg", *words]
        sys.stdout, sys.stderr, sys.__stderr__ = self.out, self.err, self.real  # type: ignore[misc]
        began = time.process_time()
        try:
            self.code = self.run_command(limit)
        finally:
            sys.argv, sys.stdout, sys.stderr, sys.__stderr__ = kept  # type: ignore[misc]
        self.seconds = time.process_time() - began

    def run_command(self, limit: float) -> object:
        """Return the exit code of the command; a timer replaces the user's Ctrl-C."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.interrupted = True
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGPROF, stop)
        signal.setitimer(signal.ITIMER_PROF, limit, 5.0)
        try:
            cli.main()
        except SystemExit as left:
            return left.code
        except BaseException:
            return "main raised:\n" + traceback.format_exc()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
        return "main returned"

    @property
    def said(self) -> str:
        """All output to stderr, by Python or past it."""
        return self.err.getvalue() + self.real.getvalue()


def command_line(case: Case) -> list[str]:
    """The words of the command line of a case."""
    sets = [word for one in case.sets for word in ("--set", one)]
    if case.command == "bounds":
        return ["bounds", f"./{case.name}", *sets]
    out = [] if case.out is None else [f"--out={case.out}"]
    return [case.command, f"./{case.name}", *sets, *out]


def try_case(case: Case, folder: Path, tally: Tally) -> str:
    """Run a case; return its outcome, and what is wrong if it failed."""
    (folder / case.name).write_bytes(case.text)
    before = list_paths(folder)
    call = CommandCall(command_line(case), SECONDS)
    tally.slowest = max(tally.slowest, call.seconds)
    new = sorted(list_paths(folder) - before)
    if "Traceback" in call.said or not isinstance(call.code, int | None):
        return f"failed: {call.code} {call.said}"
    if call.interrupted:
        return judge_interruption(case, folder, call, new)
    if call.code in (0, None, 3):
        return judge_run(case, folder, call, new, tally)
    reports = len(list_reports(call.said))
    if call.code != 2 or reports != 1 or new:
        return f"failed: code {call.code}, {reports} reports, left {new}: {call.said}"
    return "refused"


def list_reports(said: str) -> list[str]:
    """List the lines that report an error: not what was read of the data, and no warning."""
    lines = [line for line in said.splitlines() if line.startswith(("kavg: ", "Error: "))]
    return [line for line in lines if not NOTE.search(line)]


def judge_interruption(case: Case, folder: Path, call: CommandCall, new: list[str]) -> str:
    """Return "interrupted" if the settings ask for that much work, or what is wrong."""
    with contextlib.suppress(KavgError, MemoryError):
        asked = settings_file.load_config(folder / case.name, case.sets)
        if estimate_work(asked) > LARGE and not list_strays(folder, new):
            return "interrupted"
    return f"failed: still running after {SECONDS} s, left {new}: {call.said}"


def list_strays(folder: Path, new: list[str]) -> list[str]:
    """List the files that are neither a usable checkpoint nor a folder around one."""
    whole = [
        Path(name) for name in new if name.endswith(".ckpt") and load_checkpoint(folder / name)
    ]
    around = {str(place) for path in whole for place in (path, *path.parents)}
    return [name for name in new if name not in around]


def estimate_work(asked: Config) -> float:
    """Estimate the local steps of the settings, in units of a thousand numbers."""
    numbers = asked.replicas * asked.objective.dim
    numbers *= getattr(asked.objective, "examples", 1)
    return sum(
        asked.rounds * most_steps(a, asked.rounds) * (1 + a.P * numbers / 1000)
        for a in asked.algorithms
    )


def most_steps(algorithm: Algorithm, rounds: int) -> int:
    """Return the local steps of the longest of some rounds; at most ``most`` where K adapts."""
    if isinstance(algorithm.K, AdaptivePeriod):
        return int(getattr(algorithm.K, "most", algorithm.count_local_steps(1)))
    return max(map(algorithm.count_local_steps, {1, 1 + rounds // 2, rounds}))


def judge_run(case: Case, folder: Path, call: CommandCall, new: list[str], tally: Tally) -> str:
    """Return "ran" if the run folder is whole and nothing lies beside it, or what is wrong."""
    if list_reports(call.said):
        return f"failed: it ran, and said {call.said}"
    if case.command == "bounds":
        return f"failed: left {new}" if new else "ran"
    out = Path(case.out if case.out is not None else f"runs/{Path(case.name).stem}")
    above = {str(place) for place in (out, *out.parents)}
    strange = [name for name in new if not name.startswith(f"{out}/") and name not in above]
    faults = manifest.list_changes(folder / out)
    if strange or faults:
        return f"failed: left {strange}, {faults}"
    tally.drawn += (folder / out / "figures" / "trajectory.png").exists()
    if crc32(case.text) % REPLAYED == 0:
        tally.verified += 1
        again = CommandCall(["verify", "-q", "--", str(out)], SECONDS * 2)
        if again.code != 0 or not again.out.getvalue().endswith("same bits\n"):
            return f"failed: verify left with {again.code}: {again.out.getvalue()}{again.said}"
    return "ran"


def list_paths(folder: Path) -> set[str]:
    """List all files and folders below a folder."""
    return {
        os.path.relpath(os.path.join(place, name), folder)
        for place, folders, files in os.walk(folder)
        for name in (*folders, *files)
    }


@contextlib.contextmanager
def limit_resources() -> Iterator[None]:
    """Limit the memory and turn warnings into errors."""
    before, here = resource.getrlimit(resource.RLIMIT_AS), Path.cwd()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, before[1]))
    try:
        with warnings.catch_warnings(action="error"):
            yield
    finally:
        os.chdir(here)
        results.draw_if_possible = found.draw_if_possible = HONEST
        resource.setrlimit(resource.RLIMIT_AS, before)


def hunt(count: int, start: int = 0, progress: bool = False) -> Tally:
    """Try ``count`` different cases, of the seeds from ``start`` on."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="hunt", dir=PLACE) as laid, limit_resources():
        write_data_files(Path(laid))

        def one(case: Case) -> None:
            if case not in tally.seen and tally.cases < count:
                try_in_own_folder(case, Path(laid), tally)
                if progress and tally.cases % 500 == 0:
                    words = f"{tally.cases} cases, {len(tally.failures)} failed"
                    print(words, file=sys.stderr, flush=True)

        for number in itertools.count(start):
            run_batch(one, number)
            if tally.cases == count:
                return tally
    raise AssertionError


def run_batch(one: Callable[[Case], None], number: int) -> None:
    """Try the cases of one seed."""
    options = settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(options(given(case=cases())(one)))()


HONEST = results.draw_if_possible


def try_in_own_folder(case: Case, laid: Path, tally: Tally) -> None:
    """Try a case in a folder of its own and enter its outcome."""
    faulthandler.dump_traceback_later(600, exit=True)
    drawn = crc32(case.text + case.name.encode()) % DRAWN == 0
    results.draw_if_possible = found.draw_if_possible = HONEST if drawn else skip_figure
    tally.seen.add(case)
    with tempfile.TemporaryDirectory(prefix="hunt", dir=laid.parent) as place:
        folder = Path(place) / "here"
        shutil.copytree(laid, folder, symlinks=True, copy_function=link_file)
        os.chdir(folder)
        outcome = try_case(case, folder, tally)
        os.chdir(laid)
    tally.outcomes[case.kind, outcome.partition(":")[0]] += 1
    if outcome.startswith("failed"):
        tally.failures.append((case, outcome))
    faulthandler.cancel_dump_traceback_later()


def skip_figure(draw: Callable[[], object]) -> None:
    """Draw nothing: a figure takes longer than all else together."""


def link_file(source: str, target: str) -> None:
    """Link a file instead of copying it; no case writes to it."""
    os.link(source, target)


def main(count: int = 20_000, start: int = 0) -> None:
    """Hunt; print the table and the cases that failed."""
    tally = hunt(count, start, progress=True)
    print(f"hunt: {count:,} cases made up by Hypothesis, seed {start}\n\n{tally.table()}")
    for case, outcome in tally.failures:
        print(f"\n{case}\n{outcome}")
    sys.exit(1 if tally.failures else 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
