"""Hypothesis profiles: ``ci`` (default) is derandomised, ``dev`` searches anew each time."""

import os
import signal

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

# Under nohup commands would inherit that SIGHUP is ignored, and tests that send it would wait.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
