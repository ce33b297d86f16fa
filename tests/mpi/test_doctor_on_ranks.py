"""``kavg doctor`` for real: with MPI, with none, under a launcher, and with the wrong one first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.launch import LAUNCH_VARIABLES, mpiexec, run_kavg_on_ranks

import kavg

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]

HOME = os.path.dirname(kavg.__path__[0])


def doctor(folder, path, *, first="", **variables):
    """Its exit code, and its rows by name: what was found, and the line behind."""
    clean = {name: value for name, value in os.environ.items() if name not in LAUNCH_VARIABLES}
    paths = os.pathsep.join(filter(None, [str(first), HOME]))
    job = subprocess.run(
        [sys.executable, "-m", "kavg", "doctor"], cwd=folder,
        env=clean | {"PYTHONPATH": paths, "PATH": path} | variables,
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert job.stderr == ""
    assert max(map(len, job.stdout.splitlines())) <= 100
    assert not list(Path(folder).iterdir())
    return job.returncode, rows(job.stdout)


def rows(said):
    """State and words by the name of the item; the words go on in the lines behind."""
    found, name = {}, ""
    for line in said.split("\n\n")[0].splitlines():
        if line[7:22].strip():
            name = line[7:22].strip()
            found[name] = [line[:7].strip(), line[22:]]
        else:
            found[name].append(line)
    return {name: (state, " ".join(" ".join(words).split())) for name, (state, *words)
            in found.items()}  # fmt: skip


ITEMS = ["versions", "MPI library", "mpiexec", "cores, slots", "BLAS threads", "memory",
         "write access", "disk space", "self-test"]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def test_with_an_mpi_two_ranks_find_the_digest_of_one_process(folder):
    code, found = doctor(folder, f"{Path(mpiexec()).parent}:/usr/bin:/bin")
    assert list(found) == ITEMS
    assert {name: state for name, (state, _) in found.items()} == dict.fromkeys(ITEMS, "fine")
    assert code == 0
    assert "ran 2 ranks" in found["self-test"][1]
    assert "as in one process" in found["self-test"][1]


def test_without_mpi_doctor_works_and_reports_no_error(folder, tmp_path):
    none = tmp_path / "none" / "mpi4py"
    none.mkdir(parents=True)
    (none / "__init__.py").write_text("def rc(**options): pass\n")
    (none / "MPI.py").write_text("raise RuntimeError('cannot load MPI library')\n")
    code, found = doctor(folder, "/nowhere", first=none.parent)
    assert code == 0
    assert found["MPI library"][1].startswith("none could be loaded; kavg runs in one process")
    assert "pip install 'kavg[mpich]'" in found["MPI library"][1]
    assert found["mpiexec"] == ("fine", "none on the PATH")
    assert found["self-test"][1].startswith("one process works, digest ")


FOREIGN = """#!/bin/sh
# Another MPI's launcher, as far as its copies can tell.
if [ "$1" = --version ]; then echo "mpiexec (Open MPI) 5.0.11"; exit; fi
shift 2
for rank in 0 1; do
  OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=$rank "$@" || code=$?
done
exit $code
"""


def test_another_mpi_first_on_the_path_is_found(folder, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mpiexec").write_text(FOREIGN)
    (tmp_path / "bin" / "mpiexec").chmod(0o755)
    code, found = doctor(folder, f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert code == 1
    assert found["mpiexec"][0] == found["self-test"][0] == "wrong"
    assert "Open MPI 5.0.11; the library is MPICH" in found["mpiexec"][1]
    assert "started 2 copies" in found["self-test"][1]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_under_a_launcher_its_own_ranks_are_examined(size):
    job = run_kavg_on_ranks(size, "doctor")
    found = rows(job.stdout)
    assert job.stdout.count("self-test") == 1
    assert found["self-test"][0] == "fine"
    words = "not run: a launcher started this one" if size == 1 else f"on these {size} ranks"
    assert found["self-test"][1].startswith(words)
    assert job.returncode == int(any(state == "wrong" for state, _ in found.values()))


def test_a_copy_that_is_alone_by_mistake_is_reported(folder):
    alone = {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"}
    code, found = doctor(folder, f"{Path(mpiexec()).parent}:/usr/bin:/bin", **alone)
    assert code == 1
    assert found["launcher"][0] == "wrong"
    assert "self-test" not in found  # which would start a launcher inside of another
