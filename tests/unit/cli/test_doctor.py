"""Each item of ``kavg doctor``, fine and wrong."""

from __future__ import annotations

import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from helpers.ranks import run_ranks
from hypothesis import given
from hypothesis import strategies as st

from kavg import SerialComm
from kavg.cli.doctor import diagnosis as job
from kavg.cli.doctor import machine, mpi_library, selftest
from kavg.cli.doctor.finding import WIDTH, Finding, findings_table, fine, wrong
from kavg.cli.doctor.mpi_library import Launcher, Library, check_launcher, check_library, family
from kavg.errors import KavgError
from kavg.reports.text import cell_width
from kavg.storage.limits import MemoryLimit

MPICH = Library("MPICH Version:      5.0.2\nMPICH configure: --with-pm=hydra", Path("/m/libmpi.so"))
OPEN_MPI = Library("Open MPI v5.0.11, package: x", Path("/o/lib/libmpi.so"))
CRAY = Library("MPI VERSION    : CRAY MPICH version 8.1.29.8 (ANL base 3.4a2)")
NONE = Library(error="no MPI library could be loaded")
HYDRA = Launcher(Path("/m/bin/mpiexec"), "HYDRA build details:\n    Version:  5.0.2")
PRTE = Launcher(Path("/o/bin/mpiexec"), "mpiexec (Open MPI) 5.0.11\n\nReport bugs to x")
ODD = Launcher(Path("/odd/mpiexec"), "usage: mpiexec")


# The table


NAMES = st.sampled_from(["BLAS threads", "mpiexec"])


@given(st.lists(st.builds(Finding, NAMES, st.booleans(), st.text(), st.text())))
def test_a_table_is_never_wider_than_promised_and_counts_what_is_wrong(findings):
    lines = findings_table(findings).splitlines()
    assert max(map(cell_width, lines)) <= WIDTH
    bad = sum(not each.fine for each in findings)
    assert lines[-1].startswith(f"{bad} of {len(findings)} " if bad else "nothing is wrong")
    assert sum(line.startswith("wrong  ") for line in lines) == bad


def test_fixes_and_hints_are_labelled_and_keep_their_lines():
    said = findings_table([fine("A", "x", "more"), wrong("B", "y", "first\nsecond")])
    assert said.splitlines() == [
        "fine   A              x",
        "hint                  more",
        "wrong  B              y",
        "fix                   first",
        "                      second",
        "",
        "1 of 2 is wrong",
    ]


# Library and launcher


@pytest.mark.parametrize(
    ("words", "whose"),
    [
        (MPICH.description, "hydra"), (CRAY.description, "hydra"), (HYDRA.description, "hydra"),
        ("Intel(R) MPI Library for Linux* OS, Version 2021.13", "hydra"),
        ("MVAPICH Version: 4.0", "hydra"), (OPEN_MPI.description, "Open MPI"),
        (PRTE.description, "Open MPI"),
        (ODD.description, None), ("", None),
    ],
)  # fmt: skip
def test_the_family_of_a_library_is_read_from_its_name(words, whose):
    assert family(words) == whose


@pytest.mark.parametrize(
    ("mpi", "mpiexec", "is_fine"),
    [
        (MPICH, HYDRA, True), (CRAY, HYDRA, True), (OPEN_MPI, PRTE, True),
        (MPICH, PRTE, False), (OPEN_MPI, HYDRA, False), (CRAY, PRTE, False),
        (MPICH, ODD, True), (NONE, HYDRA, True), (NONE, None, True), (MPICH, None, False),
    ],
)  # fmt: skip
def test_a_launcher_belongs_to_its_library(monkeypatch, mpi, mpiexec, is_fine):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = check_launcher(mpi, mpiexec)
    assert found.fine == is_fine
    assert bool(found.fix) == (not is_fine)


def test_the_launcher_of_the_library_is_named_where_it_can_be_found(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mpiexec").touch()
    ours = Library(MPICH.description, tmp_path / "lib" / "libmpi.so.12")
    assert check_launcher(ours, PRTE).fix == f"export PATH={tmp_path / 'bin'}:$PATH"


def test_a_site_may_have_srun_alone(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/srun" if name == "srun" else None)
    assert check_launcher(CRAY, None).fine


def test_no_library_is_no_error(monkeypatch):
    monkeypatch.setattr(mpi_library, "find_library_file", lambda: None)

    def load():
        raise KavgError("cannot load")

    found = mpi_library.load_library(load)
    assert found.error == "cannot load"
    assert check_library(found).fine
    assert "pip install" in check_library(found).fix
    assert check_library(MPICH).found == "MPICH 5.0.2, /m/libmpi.so"


def test_launchers_are_asked_for_their_names(monkeypatch, tmp_path):
    script = tmp_path / "mpiexec"
    script.write_text("#!/bin/sh\necho 'mpiexec (Open MPI) 5.0.11'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mpi_library.find_launcher().name == "Open MPI 5.0.11"
    script.write_text("not a program\n")
    script.write_bytes(b"\x7fELF")
    assert "is unknown" in mpi_library.find_launcher().description
    script.unlink()
    assert mpi_library.find_launcher() is None
    assert (HYDRA.name, ODD.name) == ("MPICH 5.0.2", "of unknown make")


# The machine


def test_versions_that_are_too_old_or_missing(monkeypatch):
    assert machine.check_versions().fine
    monkeypatch.setattr(machine, "requires", lambda name: ["numpy>=99.1", "gone>=1", "x>=1; a"])
    found = machine.check_versions()
    assert found.fix == "pip install 'numpy>=99.1' 'gone>=1'"
    assert "gone missing" in found.found


@pytest.mark.parametrize(
    ("ranks", "here", "grant", "mpiexec", "is_fine", "word"),
    [
        (1, 4, np.inf, HYDRA, True, "so up to 4 ranks; more would run, slower"),
        (1, 4, np.inf, PRTE, True, "so up to 4 ranks"),
        (1, 4, 1.5, HYDRA, False, "grants 1.5"),
        (4, 4, np.inf, HYDRA, True, "4 ranks"),
        (5, 4, np.inf, HYDRA, False, "5 ranks"),
    ],
)
def test_ranks_are_compared_with_cores_and_slots(
    monkeypatch, ranks, here, grant, mpiexec, is_fine, word
):
    monkeypatch.setattr(machine, "granted_cores", lambda: grant)
    found = machine.check_cores(ranks, here, mpiexec)
    assert found.fine == is_fine
    assert word in found.found
    assert ("--oversubscribe" in (found.fix or "")) == (mpiexec is PRTE)


def test_cores_are_limited_by_the_container(tmp_path):
    limit = tmp_path / "cpu.max"
    assert machine.granted_cores(limit) == np.inf
    limit.write_text("max 100000\n")
    assert machine.granted_cores(limit) == np.inf
    limit.write_text("150000 100000\n")
    assert machine.granted_cores(limit) == 1.5


def test_blas_threads_are_held_and_counted(monkeypatch):
    found = machine.check_blas(3, 4)
    assert found.fine
    assert "kavg holds it to 1 a rank: 3 ranks x 1 thread on 4 cores" in found.found

    class Two:
        def info(self):
            return [
                {"user_api": "blas", "internal_api": "x", "version": "1", "num_threads": 2},
                {"user_api": "openmp", "num_threads": 8},
            ]

    monkeypatch.setattr(machine, "get_blas_controller", Two)
    assert "OMP_NUM_THREADS=1" in machine.check_blas(1, 4).fix
    monkeypatch.setattr(Two, "info", lambda self: [])
    monkeypatch.setattr(machine, "os", namedtuple("os", "environ")({}))
    assert not machine.check_blas(1, 4).fine
    assert machine.check_unknown_blas({"MKL_NUM_THREADS": "1"}).fine


def test_a_place_to_write(tmp_path):
    assert machine.check_write_access(tmp_path).fine
    found = machine.check_write_access(tmp_path / "gone")
    assert not found.fine
    assert "No such file" in found.found
    assert not list(tmp_path.iterdir())


def test_room_on_the_disk(monkeypatch, tmp_path):
    assert not machine.check_disk_space(tmp_path / "gone").fine
    usage = namedtuple("usage", "free")
    for free, is_fine in ((2**30, True), (2**20, False)):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, free=free: usage(free))
        assert machine.check_disk_space(tmp_path).fine == is_fine


@pytest.mark.parametrize("size", [1, 2, 3])
def test_ranks_and_cores_of_this_machine_are_counted(monkeypatch, size):
    monkeypatch.setattr(job, "usable_cores", lambda: {0, 5})
    assert run_ranks(size, job.count_ranks_and_cores) == [(size, 2)] * size


def test_all_limits_of_memory_are_shown_and_too_little_is_wrong(monkeypatch):
    assert machine.check_memory().fine
    limits = [MemoryLimit(300.0 * 2**20, "/job/memory.max", 2), MemoryLimit(2.0**33, "the machine")]
    monkeypatch.setattr(machine, "list_memory_limits", lambda ranks: limits)
    monkeypatch.setattr(machine, "available_memory", lambda: 2.0**30)
    found = machine.check_memory()
    assert not found.fine
    limited = "150 MiB for each of 2 ranks (/job/memory.max), 8 GiB (the machine)"
    assert found.found == f"{limited}; 1 GiB available now"
    assert "more" in found.fix
    monkeypatch.setattr(machine, "list_memory_limits", lambda ranks: [])
    assert machine.check_memory().fine


# The self-test


@pytest.mark.parametrize("size", [2, 3])
def test_ranks_under_a_launcher_are_held_against_one_process(size):
    assert all(each.fine for each in run_ranks(size, selftest.try_these_ranks))


def test_a_library_that_adds_wrongly_is_found():
    class Wrong:
        def Get_rank(self):
            return 0

        def Get_size(self):
            return 1

        def Allreduce(self, sendbuf, recvbuf):
            recvbuf[...] = sendbuf
            recvbuf.flat[0] *= 1 + 2**-40

        def Allgather(self, sendbuf, recvbuf):
            SerialComm().Allgather(sendbuf, recvbuf)

    found = selftest.try_these_ranks(Wrong())
    assert not found.fine
    assert "but one process computes" in found.found


REFUSALS = [
    (1, "prterun has detected an attempt to run as root.", "OMPI_ALLOW_RUN_AS_ROOT=1"),
    (1, "There are not enough slots available in the system", "--oversubscribe"),
    (2, "kavg: x started 2 copies:\n  kavg doctor looks", "came with the library"),
    (9, "Bad termination", "by hand: /m/bin/mpiexec -n 2"),
    (0, "all well, but no folder", "by hand"),
]


@pytest.mark.parametrize(("code", "said", "fix"), REFUSALS)
def test_a_launcher_that_refuses_is_understood(monkeypatch, code, said, fix):
    def run(command, **options):
        return subprocess.CompletedProcess(command, code, "", said)

    monkeypatch.setattr(subprocess, "run", run)
    found = selftest.try_two_ranks(MPICH, HYDRA)
    assert not found.fine
    assert fix in found.fix


def test_a_launcher_that_hangs_or_cannot_start(monkeypatch):
    def run(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", run)
    assert "had not finished after 60 s" in selftest.try_two_ranks(MPICH, HYDRA).found
    monkeypatch.undo()
    assert "does not start" in selftest.try_two_ranks(MPICH, ODD).found


def test_without_a_launcher_one_process_is_tried():
    found = selftest.try_two_ranks(NONE, None)
    assert found.fine
    assert "pip install" in found.fix
    assert found.found.startswith("one process works")
