"""Each method of the field against its transcription, round by round, with the same noise."""

from dataclasses import replace

import pytest
from helpers.method_reference import largest_difference
from helpers.methods import METHODS, method
from hypothesis import given
from hypothesis import strategies as st

import kavg

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


def parts_of_methods(name):
    """The different values of a part among the methods."""
    found = [getattr(each, name) for each in METHODS.values()]
    return st.sampled_from([part for i, part in enumerate(found) if part not in found[:i]])


@given(
    optimizer=parts_of_methods("optimizer"),
    aggregation=parts_of_methods("aggregation"),
    rule=parts_of_methods("outer"),
    K=parts_of_methods("K"),
    restart=st.sampled_from([None, 2]),
)
def test_all_combinations_of_parts_agree_with_the_transcription(
    optimizer, aggregation, rule, K, restart
):
    parts = {"optimizer": optimizer, "aggregation": aggregation, "K": K, "restart": restart}
    try:
        # Small steps, so that none of the combinations diverges.
        combined = method(rule, gamma=0.01, **parts)
    except kavg.KavgError:
        return  # parts that contradict each other
    try:
        found = largest_difference(combined)
    except kavg.KavgError as error:
        if "K1 must divide K" not in str(error):
            raise
        return  # known in a round of that K alone
    assert found < 1e-9
