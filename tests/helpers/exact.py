"""What tests of exact moments share."""

from __future__ import annotations

import numpy as np


class AnchoredLookAhead:
    """An outer rule that keeps the look-ahead as the next anchor (docs/theory.md 4.8).

    Its coordinates are ``(y, v)``.  kavg has no such rule; CNTK and fairseq have.
    """

    memory = True

    def __init__(self, mu):
        self.mu = mu

    def start(self, w, v, out):
        out[...] = w

    def step(self, w, v, displacement, gamma):
        v *= self.mu
        v += displacement
        w += (1 + self.mu) * v


def assert_close(one, other, room=1e-9):
    """Assert that numbers agree up to ``room``, relative or absolute."""
    np.testing.assert_allclose(one, other, rtol=room, atol=room)
