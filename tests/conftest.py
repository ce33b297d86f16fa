"""Hypothesis profiles: ``ci`` (default) is derandomised, ``dev`` searches anew each time."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("dev", settings.get_profile("ci"), derandomize=False, max_examples=400)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Containers set it; then each process of a test compiles all of kavg, a third of its time to start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGXCPU, signal.SIGUSR1, signal.SIGUSR2)


@pytest.fixture(autouse=True)
def default_signals():
    """Signals as a terminal leaves them, also under nohup and after a run that one ended.

    Commands inherit that a signal is ignored, and a test that sends it would wait for ever.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """``-n 2`` gives each process a half of the tests in their order, and then what is left.

    So what the tests of a file share is computed once, and neither process waits for the other.
    """
    if getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "worksteal"
