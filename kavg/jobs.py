"""What the commands do, on every rank; rank 0 speaks and writes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from kavg.base import Algorithm, Communicator, KavgError
from kavg.config import Config, data_digest, fingerprint, load, to_toml
from kavg.environment import environment, installed
from kavg.progress import Progress, shown_on, silent
from kavg.ranks import on_rank_0, together
from kavg.report import summary, table
from kavg.runs import digest, joint_digest, load_trajectories, note, write_run
from kavg.simulate import simulate
from kavg.trajectory import Trajectory
from kavg.version import __version__


def run(
    comm: Communicator,
    path: Path,
    overrides: Sequence[str],
    folder: Path,
    *,
    force: bool,
    quiet: bool,
    mpi: str | None,
) -> None:
    """Load, agree, run, report, write."""
    config = agreed(comm, path, overrides)
    on_rank_0(comm, lambda: check_folder(folder, force))
    runs = all_algorithms(comm, config, quiet)
    if comm.Get_rank() > 0:
        return
    words = "" if quiet else f"\n{table(runs)}\n"
    finish(comm, config, runs, folder, force=force, mpi=mpi, words=words)


def agreed(comm: Communicator, path: Path, overrides: Sequence[str]) -> Config:
    """The settings, which must be the same on all ranks."""
    return together(comm, "the settings", lambda: load(path, overrides), identity)


def finish(
    comm: Communicator,
    config: Config,
    runs: Sequence[Trajectory],
    folder: Path,
    *,
    force: bool,
    mpi: str | None,
    words: str,
    draw: Callable[[Path], object] | None = None,
    verdicts: Mapping[str, Any] | None = None,
) -> None:
    """Write the run folder, and say what came of the run and where it is: for rank 0 alone.

    ``draw`` adds figures to the folder it is given.
    """
    folder = folder if force else unused(folder)
    report = described(runs)

    def figures(place: Path) -> None:
        draw_if_possible(lambda: write_figures(runs, "rounds", place))
        if draw is not None:
            draw_if_possible(lambda: draw(place))

    write_run(
        folder,
        config=to_toml(config),
        trajectories=runs,
        summary=report,
        environment=environment(comm.Get_size(), mpi) | {"data": data_digest(config)},
        draw=figures,
        verdicts=verdicts,
    )
    if words:
        say(words)
    say(f"digest  {report['digest']}\nfolder  {folder}")
    if not installed("matplotlib"):
        say("no figure: pip install 'kavg[plot]' draws one")


def say(words: str) -> None:
    """Print for the user."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def identity(config: Config) -> str:
    """What must be the same on all ranks: program, numpy, settings and data."""
    versions = f"kavg {__version__}, numpy {installed('numpy')}"
    return f"{versions}, settings and data {fingerprint(config)}"


def check_folder(folder: Path, force: bool) -> None:
    """Refuse what is not to be overwritten or cannot be written, before any work is done."""
    name = repr(str(folder))
    try:
        if folder.exists() and not force:
            raise KavgError(f"{name} exists already; use --force to overwrite it, or --out DIR")
        if folder.exists() and not replaceable(folder):
            raise KavgError(
                f"{name} is not a run folder of kavg and is not overwritten; use --out DIR"
            )
        above = next(path for path in folder.resolve().parents if path.exists())
    except OSError as error:
        raise KavgError(f"cannot write {name}: {error.strerror}; use --out DIR") from None
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise KavgError(
            f"cannot write {name}: {str(above)!r} is not a folder to write in; use --out DIR"
        )


def replaceable(folder: Path) -> bool:
    """Is it a run folder, or an empty one?"""
    ours = ("config.toml", "trajectory.npz", "summary.json")
    return folder.is_dir() and (
        all((folder / name).exists() for name in ours) or not any(folder.iterdir())
    )


def unused(folder: Path) -> Path:
    """``folder``, or ``folder-2``, ... if another run has taken it since this one began."""
    tries = (folder if i == 1 else folder.with_name(f"{folder.name}-{i}") for i in count(1))
    return next(path for path in tries if not path.exists())


def all_algorithms(comm: Communicator, config: Config, quiet: bool) -> list[Trajectory]:
    """Run one algorithm after another on the same problem and noise."""
    if quiet or comm.Get_rank() > 0:
        return [one(comm, config, algorithm, silent) for algorithm in config.algorithms]
    with shown_on(sys.stderr) as progress:
        return [one(comm, config, algorithm, progress) for algorithm in config.algorithms]


def one(comm: Communicator, config: Config, algorithm: Algorithm, progress: Progress) -> Trajectory:
    """Run one algorithm."""
    return simulate(
        config.problem,
        algorithm,
        rounds=config.rounds,
        replicas=config.replicas,
        seed=config.seed,
        comm=comm,
        mean=config.mean,
        dtype=config.dtype,
        every=config.record.every,
        on_round=lambda done: progress(algorithm.name, done.n, config.rounds),
    )


def described(runs: Sequence[Trajectory]) -> dict[str, Any]:
    """The summary, with digests."""
    report = summary(runs)
    for facts, run in zip(report["algorithms"].values(), runs, strict=True):
        facts["digest"] = digest(run)
    return {"digest": joint_digest(runs), **report}


def draw_if_possible(draw: Callable[[], object]) -> None:
    """A figure, where matplotlib is installed; a picture that fails never costs a run."""
    if not installed("matplotlib"):
        return
    try:
        draw()
    except Exception as error:
        sys.stderr.write(f"kavg: no figure: {error}\n")


def write_figures(runs: Sequence[Trajectory], axis: str, figures: Path) -> list[Path]:
    """``trajectory.png`` and ``.svg``."""
    from kavg.plots import trajectory_figure
    from kavg.sheet import save

    figures.mkdir(parents=True, exist_ok=True)
    return list(save(trajectory_figure(runs, axis=axis), figures, "trajectory"))


def draw(folder: Path, axis: str, figures: Path) -> None:
    """Draw a finished run again, and say where."""
    runs = load_trajectories(folder)
    try:
        paths = write_figures(runs, axis, figures)
        note(folder, paths)
    except OSError as error:
        raise KavgError(f"cannot write {str(figures)!r}: {error.strerror}") from None
    for path in paths:
        say(str(path))
