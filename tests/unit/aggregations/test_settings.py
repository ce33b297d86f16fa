"""Every method of the field in a settings file."""

from dataclasses import replace

import pytest
from helpers.methods import METHODS

import kavg
from kavg import Algorithm
from kavg.aggregations import Gossip, StaleGradients
from kavg.config.config import Config
from kavg.config.settings_file import parse_config, to_toml
from kavg.outer import Averaging
from kavg.reports.announcements import list_announcements


@pytest.mark.parametrize("name", METHODS)
def test_a_method_comes_back_from_its_settings(name):
    method = replace(METHODS[name], name=name)
    config = Config(3, kavg.objectives.Cosine(dim=3), kavg.oracles.Noiseless(), (method,))
    assert parse_config(to_toml(config)) == config


def test_what_is_kept_is_said_before_a_run():
    methods = [
        Algorithm(4, 2, 0.1, Averaging(), name=part.kind, aggregation=part)
        for part in (Gossip(), StaleGradients(), StaleGradients(mean=0))
    ]
    config = Config(3, kavg.objectives.Cosine(dim=64), kavg.oracles.Noiseless(), tuple(methods))
    assert list_announcements(config) == [
        "gossip: learners keep an array each: 2 KiB over all ranks",
        "stale_gradients: 80 earlier iterates are kept: 40 KiB on each rank",
    ]
