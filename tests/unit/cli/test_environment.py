"""What a run ran on."""

from __future__ import annotations

import json
import platform
from datetime import datetime

import numpy as np
import pytest
from helpers.launch import LAUNCH_VARIABLES

from kavg.cli.environment import describe_environment, installed_version, processor_name
from kavg.mpi.launchers import LAUNCHERS, detect_launch


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


def test_a_machine_without_proc_has_a_processor_too(monkeypatch):
    def refuse(*given, **options):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", refuse)
    assert processor_name() == platform.processor()
