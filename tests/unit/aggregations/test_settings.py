"""Every method of the field in a settings file."""

from dataclasses import replace

import pytest
from helpers.methods import METHODS

import kavg
from kavg.config.config import Config
from kavg.config.settings_file import parse_config, to_toml


@pytest.mark.parametrize("name", METHODS)
def test_a_method_comes_back_from_its_settings(name):
    method = replace(METHODS[name], name=name)
    config = Config(3, kavg.objectives.Cosine(dim=3), kavg.oracles.Noiseless(), (method,))
    assert parse_config(to_toml(config)) == config
