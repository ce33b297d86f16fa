"""Methods against PyTorch's numbers, which ``experiments/methods/torch_methods.py`` stored."""

from dataclasses import replace

import pytest
from helpers.experiment import experiment

import kavg

torch = experiment("methods/against_torch")
METHODS = torch.methods()


def test_every_method_of_the_file_is_compared():
    assert list(METHODS) == list(torch.stored()["w"])


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_the_path_of_torch(name):
    assert torch.difference(name, METHODS[name]) <= torch.TOLERANCE


@pytest.mark.parametrize("name", METHODS)
def test_the_comparison_finds_another_step_size(name):
    algorithm = METHODS[name]
    other = replace(algorithm, gamma=algorithm.gamma * (1 + 1e-9))
    assert torch.difference(name, other) > torch.TOLERANCE


def test_treatments_of_the_state_are_far_apart():
    kinds = {name.rpartition(", ")[0] for name in METHODS if name.endswith(", averaged")}
    for kind in kinds:
        for state in ("reset", "kept", "averaged"):
            own = METHODS[f"{kind}, {state}"]
            for other in {"reset", "kept", "averaged"} - {state}:
                assert torch.difference(f"{kind}, {other}", own) > 1e-3, (kind, state, other)


@pytest.mark.parametrize("alpha", [1.0, 0.7])
def test_learners_start_where_those_of_the_anchored_form_do(alpha):
    name = "Nesterov outside" if alpha == 1 else f"Nesterov outside, alpha = {alpha}"
    anchored = torch.method(kavg.outer.NesterovMomentum(0.6, alpha))
    assert torch.difference(name, anchored) <= torch.TOLERANCE
