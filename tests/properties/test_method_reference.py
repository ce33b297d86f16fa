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
    # A little smaller, so that periods that follow from it stay as they are.
    other = replace(method, gamma=lambda n: (1 - 1e-6) * method.step_size(n))
    assert largest_difference(method, other) > 1e-10
