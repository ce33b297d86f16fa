"""What a run ran on."""

from __future__ import annotations

import json
import platform
from datetime import datetime

import numpy as np
import pytest

from kavg.cli.environment import LAUNCHERS, environment, installed, launcher, processor


@pytest.mark.parametrize("variable", LAUNCHERS)
def test_each_launcher_is_known_by_its_variable(variable):
    assert launcher({variable: ""}) == LAUNCHERS[variable]
    assert launcher({variable + "_": "1", "PATH": "/bin"}) is None


def test_the_launchers_that_users_have_are_known():
    assert {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "MPI_LOCALNRANKS"} <= set(LAUNCHERS)


def test_the_process_itself_is_looked_at(monkeypatch):
    for variable in LAUNCHERS:
        monkeypatch.delenv(variable, raising=False)
    assert launcher() is None
    monkeypatch.setenv("PMI_SIZE", "4")
    assert launcher() == "PMI"


def test_what_is_written_down():
    facts = environment(3, "MPICH 4")
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert (facts["ranks"], facts["mpi"]) == (3, "MPICH 4")
    assert facts["python"] == platform.python_version()
    assert facts["versions"]["numpy"] == np.__version__
    assert datetime.fromisoformat(facts["time"]).utcoffset().total_seconds() == 0
    assert None not in facts["versions"].values()


def test_what_is_not_installed_has_no_version():
    assert installed("a-package-that-nobody-wrote") is None
    assert installed("numpy") == np.__version__


def test_a_machine_without_proc_has_a_processor_too(monkeypatch):
    def refuse(*given, **options):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", refuse)
    assert processor() == platform.processor()
