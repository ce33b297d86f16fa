"""Each method of the field against its transcription, round by round, with the same noise."""

from dataclasses import replace

import pytest
from helpers.method_reference import largest_difference
from helpers.methods import METHODS

each_method = pytest.mark.parametrize("name", METHODS)


@each_method
def test_the_engine_agrees_with_the_transcription(name):
    assert largest_difference(METHODS[name]) < 1e-11


@each_method
def test_the_transcription_with_another_step_size_differs(name):
    method = METHODS[name]
    assert largest_difference(method, replace(method, gamma=method.gamma * 1.001)) > 1e-6
