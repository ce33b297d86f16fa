"""MPI libraries that are installed where mpi4py does not look, or under another name."""

from __future__ import annotations

import pytest

from kavg.cli.doctor import mpi_library
from kavg.cli.doctor.mpi_library import Library, check_library
from kavg.mpi import launchers
from kavg.mpi.launchers import Launch, missing_library_error
from kavg.mpi.shared_libraries import advise_on_library, find_library_file

PLACES = [
    "usr/lib/x86_64-linux-gnu/libmpich.so.12",
    "usr/lib/aarch64-linux-gnu/libmpich.so.12",
    "usr/lib64/mpich/lib/libmpi.so.12",
    "usr/lib64/openmpi/lib/libmpi.so.40",
    "usr/lib64/mpi/gcc/mpich/lib64/libmpi.so.12",
    "usr/lib/libmpich.so.12",
    "usr/local/lib/libmpi.so.12",
    "opt/mpich/lib/libmpi.so.12",
]


@pytest.fixture
def install(tmp_path):
    def install(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
        path.with_name(f"{path.name}.2.1").touch()
        return path

    return install


@pytest.mark.parametrize("name", PLACES)
def test_the_library_of_a_distribution_is_found(tmp_path, install, name):
    assert find_library_file(tmp_path) is advise_on_library(tmp_path) is None
    path = install(name)
    assert find_library_file(tmp_path) == path
    advice = advise_on_library(tmp_path)
    if path.name.startswith("libmpich"):  # mpi4py is linked to the other name
        assert advice.startswith(
            f"mkdir -p $HOME/mpich && ln -sf {path} $HOME/mpich/libmpi.so.12 && "
        )
    assert advice.endswith(("PATH=$HOME/mpich:$LD_LIBRARY_PATH", f"{path.parent}:$LD_LIBRARY_PATH"))


def test_both_doctor_and_a_launched_rank_say_how_to_load_it(monkeypatch, tmp_path, install):
    path = install(PLACES[0])
    monkeypatch.setattr(mpi_library, "find_library_file", lambda: path)
    for module in (mpi_library, launchers):
        monkeypatch.setattr(module, "advise_on_library", lambda: advise_on_library(tmp_path))
    found = check_library(Library(error="none could be loaded"))
    assert not found.fine
    assert found.found == f"{path} is there, but mpi4py does not find it"
    assert found.fix.startswith(f"{advise_on_library(tmp_path)}\nor pip install ")
    assert check_library(Library("MPICH Version: 5.0", path)).fine
    error = missing_library_error("cannot load", Launch("PMI", "PMI_SIZE", 2, 0))
    assert f"; {advise_on_library(tmp_path)}, or pip install" in str(error)
