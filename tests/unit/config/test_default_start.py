"""Where runs begin if the settings do not say."""

from __future__ import annotations

import pytest

from kavg.config import parse_config, to_toml
from kavg.reports.run_warnings import list_setting_warnings
from kavg.starts import Normal

SETTINGS = """
rounds = 2
objective = {{ kind = "{kind}", data = {{ kind = "classification", examples = 40, features = 3 }} }}
oracle = {{ kind = "minibatch", B = 4 }}
algorithm = [{{ P = 2, K = 2, gamma = 0.1, outer = {{ kind = "averaging" }} }}]
"""


def warnings_of(config):
    return [
        text for text in list_setting_warnings(config.problem, config.algorithms) if "unit" in text
    ]


def test_a_network_begins_at_random():
    config = parse_config(SETTINGS.format(kind="network"))
    assert config.start == config.problem.start == Normal(scale=0.1)
    assert parse_config(to_toml(config)) == config
    assert not warnings_of(config)


def test_other_objectives_begin_at_0():
    assert parse_config(SETTINGS.format(kind="logistic_regression")).problem.start == 0.0


@pytest.mark.parametrize("start", [0, 0.5])
def test_hidden_units_that_begin_alike_are_warned_of(start):
    config = parse_config(SETTINGS.format(kind="network"), [f"start={start}"])
    assert config.start == start
    (text,) = warnings_of(config)
    assert text.startswith(f"start = {start:g} gives all 32 hidden units the same weights")
    assert not warnings_of(
        parse_config(SETTINGS.format(kind="network"), [f"start={start}", "objective.hidden=1"])
    )
