"""Times of every commit: ``history.csv``, a line a workload and contestant, and its figure.

``python -m experiments.benchmarks --history`` adds the lines of its run.
``python -m experiments.benchmarks.history`` draws ``runs/bench/history.png``: kavg's time over
that of JAX and PyTorch, by commit.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationError,
)

from experiments.benchmarks.instruction_set import InstructionSet
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.timing import CPU, WALL
from kavg.errors import KavgError
from kavg.storage.atomic import write_bytes

HISTORY: Final = Path(__file__).with_name("history.csv")
CODE: Final = ("kavg", "experiments/benchmarks/*.py")
"""What a time depends on; a page that was printed again does not change it."""
NANOSECONDS: Final = {"ns": 1.0, "us": 1e3, "ms": 1e6}
"""Nanoseconds in the first word of a unit."""


Name = Annotated[str, Field(pattern=r"^[^\r\n\x00]+$")]
"""A name on one line."""


def check_day(text: str) -> str:
    """Return a date as it is written; raise ValueError unless the calendar has it."""
    date.fromisoformat(text)
    return text


Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(check_day)]


class Line(BaseModel):
    """A line of the file; ``ratio`` is the time of the reference, mostly kavg, over this one.

    ``commit`` ends with ``+`` if the code differed from it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: Day
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{12}\+?$")]
    machine: Name
    isa: InstructionSet
    clock: Annotated[str, Field(pattern=f"^({CPU}|{WALL})$")]
    workload: Name
    contestant: Name
    ns: Annotated[PositiveFloat, Field(allow_inf_nan=False)]
    ratio: Annotated[PositiveFloat, Field(allow_inf_nan=False)]

    @property
    def key(self) -> tuple[str, ...]:
        """What there is one line of."""
        return (
            self.commit, self.machine, self.isa, self.clock, self.workload, self.contestant,
        )  # fmt: skip


COLUMNS: Final = tuple(Line.model_fields)


def read_history(path: Path) -> list[Line]:
    """Read and check the file; empty if there is none.

    Raises:
        KavgError: if it cannot be read, a line is not of this kind, or two have one key.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise KavgError(f"cannot read {str(path)!r}: {error}") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: dict[tuple[str, ...], Line] = {}
    try:
        if tuple(next(rows, ())) != COLUMNS:
            raise KavgError(f"{path}: the first line must be {','.join(COLUMNS)}")
        for row in rows:
            line = parse_line(row, f"{path}, line {rows.line_num}")
            if line.key in found:
                raise KavgError(f"{path}, line {rows.line_num}: a second line of {line.key}")
            found[line.key] = line
    except csv.Error as error:
        raise KavgError(f"{path}, line {rows.line_num}: {error}") from None
    return list(found.values())


def parse_line(row: Sequence[str], place: str) -> Line:
    """One line from its cells."""
    if len(row) != len(COLUMNS):
        raise KavgError(f"{place}: must have {len(COLUMNS)} cells, got {len(row)}")
    try:
        return Line.model_validate(dict(zip(COLUMNS, row, strict=True)))
    except ValidationError as error:
        first = error.errors()[0]
        raise KavgError(
            f"{place}: {first['loc'][0]}: {first['msg']}, got {first['input']!r}"
        ) from None


def write_history(path: Path, lines: Sequence[Line]) -> None:
    """Write the file, whole or not at all."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(line.model_dump(mode="json").values() for line in lines)
    write_bytes(path, text.getvalue().encode())


def add_run(path: Path, lines: Iterator[Line]) -> None:
    """Add the lines of a run; one of the same key takes the place of the older."""
    older = {line.key: line for line in read_history(path)}
    newer = {line.key: line for line in lines}
    write_history(path, list((older | newer).values()))


def lines_of(facts: Mapping[str, Any], found: Sequence[Measured], commit: str) -> Iterator[Line]:
    """The lines of a run: its medians, to four digits."""
    for each in found:
        sizes = ", ".join(f"{letter} = {value}" for letter, value in each.sizes.items())
        for name in each.seconds:
            ratio = each.ratio(name)
            if ratio is None:  # kavg was left out
                continue
            factor = NANOSECONDS[each.unit.split()[0]]
            yield Line(
                date=facts["time"][:10],
                commit=commit,
                machine=facts["processor"],
                isa=facts["isa"],
                clock=each.clock,
                workload=f"{each.name}: {sizes}" if sizes else each.name,
                contestant=name,
                ns=float(f"{each.time(name) * factor:.4g}"),
                ratio=float(f"{ratio.median:.4g}"),
            )


def current_commit() -> str:
    """The commit of this checkout, with ``+`` if the code that is timed differs from it.

    Raises:
        KavgError: if this is no checkout.
    """
    root = HISTORY.parents[2]

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise KavgError(f"--history needs a git checkout: {done.stderr.strip()}")
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", *CODE)
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def main(
    file: Annotated[Path, typer.Option(help="The history.")] = HISTORY,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("runs/bench"),
) -> None:
    """Draw kavg's time over that of JAX and PyTorch by commit, a panel a workload."""
    from experiments.benchmarks.reports.history_figure import history_figure
    from kavg.reports.figures import save

    try:
        png, _ = save(history_figure(read_history(file)), out, "history")
    except (KavgError, OSError) as error:
        sys.stderr.write(f"history: {error}\n")
        sys.exit(getattr(error, "code", 1))
    print(png)


if __name__ == "__main__":
    typer.run(main)
