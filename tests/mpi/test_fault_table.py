"""Faults under mpiexec, by phase and rank: each job ends, says why once, and can go on.

A few cases always; the whole table with ``pytest -m faults``.
"""

from __future__ import annotations

import pytest
from faults.cases import DISK, FAULTS, PHASES, RANKS, cases, few
from faults.jobs_that_fail import can_mount, ended, whole_digest, with_python
from helpers.launch import mpiexec

pytestmark = [pytest.mark.mpi]


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        whole = metafunc.config.getoption("markexpr") == "faults"
        chosen = cases() if whole else few()
        metafunc.parametrize("case", chosen, ids=[case.name for case in chosen])


@pytest.fixture(scope="module")
def digest(tmp_path_factory):
    return whole_digest(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def mounts(tmp_path_factory):
    return can_mount(tmp_path_factory.mktemp("mounts"))


@pytest.mark.faults
@pytest.mark.timeout(150)
def test_a_fault_ends_the_job_and_the_run_goes_on(case, tmp_path, digest, mounts):
    if case.fault in DISK and not mounts:
        pytest.skip("a small disk needs the right to mount one")
    ending = ended(case, tmp_path, with_python([mpiexec()], RANKS), digest)
    assert not ending.wrong, f"{ending.wrong}\n{ending.said}"


def test_the_table_has_every_fault_in_every_phase_on_every_rank():
    found = {(case.fault, case.phase, case.rank) for case in cases()}
    assert len(found) == len(cases()) == len(FAULTS) * (5 * RANKS + 1) >= 100
    assert {case.fault for case in few()} == set(FAULTS)
    assert {case.phase for case in few()} == set(PHASES)
