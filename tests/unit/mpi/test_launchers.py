"""What a launcher's variables say, and a world of one by mistake."""

from __future__ import annotations

import re

import pytest

from kavg.errors import KavgError
from kavg.mpi import launchers
from kavg.mpi.launchers import (
    LAUNCHERS,
    Launch,
    detect_launch,
    is_reporting_copy,
    library_name,
    loaded_library_path,
    missing_library_error,
    mpiexec_beside,
    validate_library,
    validate_world_size,
)

MPICH = """MPICH Version:      5.0.2
MPICH Release date: a day
MPICH configure:    --with-device=ch4:ucx,ofi --with-pm=hydra:gforker
"""
OPEN_MPI = "Open MPI v5.0.11, package: Open MPI user@localhost Distribution, ident: 5.0.11"


@pytest.mark.parametrize(("launcher", "of", "at"), LAUNCHERS)
def test_size_and_rank_are_read_from_the_variables_of_a_launcher(launcher, of, at):
    found = detect_launch({at: "3"} if of is None else {of: "4", at: "3"})
    assert (found.variable, found.size) == ((at, None) if of is None else (of, 4))
    assert found.rank == 3
    assert found.launcher == launcher or of == "PMI_SIZE"


@pytest.mark.parametrize(
    ("variables", "launcher"),
    [
        ({"HYDI_CONTROL_FD": "9"}, "MPICH's mpiexec"),
        ({"I_MPI_HYDRA_TOPOLIB": "x", "HYDI_CONTROL_FD": "9"}, "Intel MPI's mpiexec"),
        ({"SLURM_STEP_NUM_TASKS": "2"}, "Slurm's srun"),
        ({"SLURM_STEP_NUM_TASKS": "1", "HYDI_CONTROL_FD": "9"}, "MPICH's mpiexec"),
        ({}, "a PMI launcher"),
    ],
)
def test_launchers_that_use_pmi_are_distinguished(variables, launcher):
    found = detect_launch({"PMI_SIZE": "2", "PMI_RANK": "1", **variables})
    assert (found.launcher, found.size, found.rank) == (launcher, 2, 1)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"PMI_SIZE": "many"},
        {"SLURM_NTASKS": "64", "SLURM_PROCID": "0"},  # a batch script, itself one process
        {"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"},
    ],
)
def test_one_process_alone_has_no_launch(variables):
    assert detect_launch(variables) is None


def test_some_launchers_give_only_the_rank():
    found = detect_launch({"PMIX_RANK": "1"})
    assert (found.size, found.rank) == (None, 1)


@pytest.mark.parametrize("library", [MPICH, OPEN_MPI])
@pytest.mark.parametrize(
    ("launch", "size", "refused"),
    [
        (None, 1, False),
        (Launch("a launcher", "X_SIZE", 4, 2), 4, False),
        (Launch("a launcher", "X_SIZE", 1, 0), 1, False),
        (Launch("a launcher", "X_SIZE", 4, 2), 1, True),
        (Launch("a launcher", "X_RANK", None, 0), 1, False),
        (Launch("a launcher", "X_RANK", None, 1), 1, True),
        (Launch("a launcher", "X_RANK", None, 1), 2, False),
    ],
)
def test_a_world_of_one_is_refused_where_more_were_started(library, launch, size, refused):
    if not refused:
        validate_world_size(size, library, launch)
        return
    with pytest.raises(KavgError, match="has an MPI world of its own") as fault:
        validate_world_size(size, library, launch)
    for word in (launch.launcher, launch.variable, library_name(library), "kavg doctor"):
        assert word in str(fault.value)


@pytest.mark.parametrize(
    ("library", "launcher", "refused"),
    [
        (MPICH, "Open MPI", True),
        (MPICH, "MPICH's mpiexec", False),
        (MPICH.replace("--with-pm=", "--with-pmix --with-pm="), "Open MPI", False),
        ("MPICH Version: of another make", "Open MPI", False),
        (OPEN_MPI, "Open MPI", False),
    ],
)
def test_a_library_that_would_end_the_process_is_not_begun(library, launcher, refused):
    launch = Launch(launcher, "X_SIZE", 2, 0)
    if not refused:
        validate_library(library, launch)
        return
    with pytest.raises(KavgError, match="cannot connect to it"):
        validate_library(library, launch)


def test_one_copy_reports_for_all():
    of_four = [Launch("x", "X_SIZE", 4, rank) for rank in range(4)]
    assert list(map(is_reporting_copy, of_four)) == [True, False, False, False]
    # Copy 0 of an unknown number may well be alone, and finds no fault.
    numbered = [Launch("x", "X_RANK", None, rank) for rank in range(4)]
    assert list(map(is_reporting_copy, numbered)) == [False, True, False, False]
    assert is_reporting_copy(None)


def test_without_a_library_the_launcher_is_named():
    words = str(
        missing_library_error("cannot load\nmore", Launch("jsrun", "JSM_NAMESPACE_SIZE", 2, 0))
    )
    assert "jsrun started 2 copies" in words
    assert "(cannot load)" in words
    assert "\n" not in words


def test_the_advice_for_slurm_names_its_own_options(monkeypatch):
    monkeypatch.setattr(launchers, "loaded_library_path", lambda: None)
    slurm = Launch("Slurm's srun", "SLURM_STEP_NUM_TASKS", 2, 0)
    with pytest.raises(KavgError, match="srun --mpi="):
        validate_world_size(1, OPEN_MPI, slurm)


def test_the_launcher_beside_the_library_is_found(tmp_path):
    library = tmp_path / "lib" / "libmpi.so.12"
    assert mpiexec_beside(None) is mpiexec_beside(library) is None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mpiexec").touch()
    assert mpiexec_beside(library) == tmp_path / "bin" / "mpiexec"
    assert mpiexec_beside(tmp_path / "lib" / "machine" / "libmpi.so.12") == mpiexec_beside(library)


def test_the_loaded_library_is_read_from_the_process(tmp_path):
    maps = tmp_path / "maps"
    start = "7f00-7f01 r-xp 00000000 00:2f 123  "
    maps.write_text(
        f"{start}/opt/libmpi/other.so\n{start}/a b/lib/libmpi.so.12\n{start}/x/libmpifort.so\n"
    )
    assert str(loaded_library_path(maps)) == "/a b/lib/libmpi.so.12"
    maps.write_text(f"{start}/usr/lib/libc.so\n")
    assert loaded_library_path(maps) is None
    assert loaded_library_path(tmp_path / "none") is None


def test_library_names_are_shortened():
    assert library_name(OPEN_MPI) == "Open MPI v5.0.11"
    assert re.fullmatch(r"MPICH 5\.0\.2", library_name(MPICH + "\0"))
