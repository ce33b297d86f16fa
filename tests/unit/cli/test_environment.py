"""What a run ran on."""

from __future__ import annotations

import json
import platform
import sys
import threading
from datetime import datetime
from functools import partial

import numpy as np
import pytest
from helpers.launch import LAUNCH_VARIABLES, run_process
from helpers.ranks import run_ranks

from kavg import SerialComm
from kavg.cli import environment
from kavg.cli.environment import (
    describe_environment,
    describe_session,
    describe_versions,
    installed_version,
    processor_name,
)
from kavg.mpi.launchers import LAUNCHERS, detect_launch
from kavg.reports.repetition import BIT_DEPENDENCIES


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_launcher_of_this_process_is_recorded(monkeypatch, launcher):
    for variable in LAUNCH_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert describe_environment(1, None)["launcher"] is None
    for variable in launcher[1:]:
        if variable is not None:
            monkeypatch.setenv(variable, "4")
    assert describe_environment(1, None)["launcher"] == detect_launch().launcher
    assert launcher.name in (detect_launch().launcher, "PMI")


def test_the_environment_is_described():
    facts = describe_environment(3, "MPICH 4")
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert (facts["ranks"], facts["mpi"]) == (3, "MPICH 4")
    assert facts["python"] == platform.python_version()
    assert facts["versions"]["numpy"] == np.__version__
    assert datetime.fromisoformat(facts["time"]).utcoffset().total_seconds() == 0
    assert None not in facts["versions"].values()


def test_a_package_that_is_not_installed_has_no_version():
    assert installed_version("a-package-that-nobody-wrote") is None
    assert installed_version("numpy") == np.__version__


def test_metadata_of_a_package_is_read_once(monkeypatch):
    read = []
    monkeypatch.setattr(environment, "version", lambda name: read.append(name) or "1")
    installed_version.cache_clear()
    try:
        describe_environment(1, None)
        describe_versions()
    finally:
        installed_version.cache_clear()
    assert sorted(read) == sorted(environment.PACKAGES)


def test_a_machine_without_proc_has_a_processor_too(monkeypatch):
    def refuse(*given, **options):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", refuse)
    assert processor_name() == platform.processor()


def test_what_the_last_bits_depend_on_is_recorded_of_every_session():
    facts, session, versions = (
        describe_environment(2, None),
        describe_session(2),
        describe_versions(),
    )
    for place in (name.removeprefix("versions.") for name in BIT_DEPENDENCIES if name != "ranks"):
        known = {**facts, **facts["versions"]}
        assert known[place] == {**session, **session["versions"]}[place] == versions[place]
    assert facts["c_library"].startswith(("glibc ", "macOS ", "not glibc"))


def test_ranks_on_unlike_machines_are_named(monkeypatch):
    own, versions = threading.local(), describe_versions()
    monkeypatch.setattr(
        environment,
        "describe_versions",
        lambda _: versions | {"processor": own.processor},
    )

    def list_by(comm, processors, promise="one kind of machine"):
        own.processor = processors[comm.Get_rank()]
        return environment.list_unlike_ranks(comm, promise)

    assert list_by(SerialComm(), "A") == []
    portable = partial(list_by, processors="ABA", promise="any machine")
    assert run_ranks(3, portable) == [[]] * 3
    assert run_ranks(3, partial(list_by, processors="AAA")) == [[]] * 3
    first, *others = run_ranks(3, partial(list_by, processors="ABA"))
    assert others == [first, first]
    assert [line.split(", c_library")[0] for line in first[1:]] == [
        f"ranks 0, 2: machine {platform.machine()}, processor A",
        f"rank 1: machine {platform.machine()}, processor B",
    ]


PROGRAM = """
import sys
if "scipy" in sys.argv:
    import scipy.linalg
from kavg.cli.environment import blas_name, simd_extensions
print(blas_name(), *simd_extensions(), sep="\\n")
"""


def recorded(*words):
    job = run_process([sys.executable, "-c", PROGRAM, *words])
    assert job.returncode == 0, job.stderr
    blas, *simd = job.stdout.splitlines()
    return blas, simd


def test_the_kernel_and_the_instructions_in_use_are_recorded(monkeypatch):
    blas, simd = recorded()
    assert recorded("scipy") == (blas, simd)  # which brings a BLAS of its own
    if "openblas" not in blas or platform.machine() != "x86_64":
        pytest.skip("the variables are those of OpenBLAS and of NumPy on x86-64")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", simd[-1])
    older, fewer = recorded()
    assert older.endswith("Nehalem")
    assert fewer == simd[:-1]


def test_a_blas_without_a_known_kernel_is_recorded_by_its_name(monkeypatch):
    class Nothing:
        def info(self):
            return []

    monkeypatch.setattr(environment, "get_blas_controller", Nothing)
    assert (
        environment.blas_name().split()[0]
        in environment.np.show_config("dicts")["Build Dependencies"]["blas"]["name"]
    )


def test_without_glibc_the_c_library_is_said_not_to_be_it(monkeypatch):
    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(environment.os, "confstr", unknown)
    monkeypatch.setattr(environment.sys, "platform", "linux")
    assert environment.c_library_name() == "not glibc"
