"""What it takes to write and read the table of a sweep, and whether readers keep its bits.

``python experiments/tables/reading.py`` makes 100 points of 100 recorded rounds and 100 replicas, a
million rows, and prints a table of the CPU time and the size of each way.  ``--points`` makes
fewer.  pandas, polars and pyarrow are tried if they are installed.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import kavg
from kavg.storage.tables.lines import find_difference
from kavg.storage.tables.result_files import write_result_table
from kavg.storage.trajectories import write_trajectories

ROUNDS = REPLICAS = 100


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--times", type=int, default=3, help="the least of so many times is given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("| way | CPU s | MB | F has the same bits |\n|---|--:|--:|---|")
        for cells in measure_ways(make_table(given.points), Path(folder), given.times):
            print(f"| {' | '.join(cells)} |")


def make_table(points: int) -> kavg.ResultTable:
    """Points with uniform numbers in place of measured ones, which have as many digits."""
    generator = np.random.default_rng(1)
    shape = (ROUNDS, REPLICAS)
    ones = np.ones((REPLICAS, 1))
    runs = [
        kavg.Trajectory(
            "M-AVG", 16, 8, 1, np.arange(ROUNDS),
            {name: generator.random(shape) for name in ("F", "grad_norm2", "dispersion")},
            ones, ones, np.linspace(0, 1, ROUNDS), gammas=np.full(ROUNDS, 0.1),
            outer={"kind": "block_momentum", "mu": 0.5},
        )
        for _ in range(points)
    ]  # fmt: skip
    return kavg.ResultTable(runs, [{"K": 8, "omega": i / 7} for i in range(points)], range(points))


def measure_ways(table: kavg.ResultTable, folder: Path, times: int) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each way to write or to read the table in a folder."""
    for name, file, way in (*list_writers(table, folder), *list_readers(table, folder)):
        seconds, found = take_least(way, times)
        size = (folder / file).stat().st_size / 1e6
        same = "" if found is None else "yes" if same_bits(found, table["F"]) else "no"
        yield name, f"{seconds:.2f}", f"{size:.0f}", same


def list_writers(
    table: kavg.ResultTable, folder: Path
) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Yield the name, the file and the function of each way to write."""
    npz = folder / "trajectory.npz"
    yield "write trajectory.npz", npz.name, lambda: write_trajectories(npz, table.runs)
    yield "write points.csv", "points.csv", lambda: write_result_table(folder, table)
    if find_spec("pyarrow"):
        yield (
            "write points.parquet",
            "points.parquet",
            lambda: write_result_table(folder, table, "parquet"),
        )


def list_readers(
    table: kavg.ResultTable, folder: Path
) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Yield the name, the file and the function of each way to read, which returns the column F."""
    text = folder / "points.csv"
    yield "kavg.load_results, column F", "trajectory.npz", lambda: kavg.load_results(folder)["F"]
    yield "all columns", "trajectory.npz", lambda: dict(kavg.load_results(folder))["F"]
    yield "comparison with points.csv", text.name, lambda: compare_text(text, table)
    yield "csv.reader and float", text.name, lambda: read_by_csv(text)
    if find_spec("pandas"):
        import pandas

        yield "to_pandas", "trajectory.npz", lambda: kavg.load_results(folder).to_pandas()["F"]
        yield "pandas.read_csv", text.name, lambda: pandas.read_csv(text)["F"]
    if find_spec("polars"):
        import polars

        yield "to_polars", "trajectory.npz", lambda: kavg.load_results(folder).to_polars()["F"]
        yield "polars.read_csv", text.name, lambda: polars.read_csv(text)["F"]
    if find_spec("pyarrow"):
        import pyarrow.parquet

        parquet = folder / "points.parquet"
        yield (
            "pyarrow.parquet.read_table",
            parquet.name,
            lambda: pyarrow.parquet.read_table(parquet)["F"],
        )


def compare_text(path: Path, table: kavg.ResultTable) -> None:
    """Compare a table line by line with its file, as ``kavg verify`` does."""
    if find_difference(path, table.format_lines()):
        raise SystemExit("the table was not written as it is")


def read_by_csv(path: Path) -> list[float]:
    """Read the column F as a program without libraries would."""
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    column = header.index("F")
    return [float(row[column]) for row in rows]


def take_least(way: Callable[[], Any], times: int) -> tuple[float, Any]:
    """Return the least CPU time of some calls, and what the last returned."""
    best = np.inf
    for _ in range(times):
        start = time.process_time()
        found = way()
        best = min(best, time.process_time() - start)
    return best, found


def same_bits(found: Any, expected: np.ndarray[Any, Any]) -> bool:
    """True if a column has the bits of an array."""
    return np.asarray(found, np.float64).tobytes() == expected.tobytes()


if __name__ == "__main__":
    main()
