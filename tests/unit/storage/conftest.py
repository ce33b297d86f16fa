"""What several tests of storage begin with."""

from __future__ import annotations

import pytest
from helpers.checkpoint import write_two_checkpoints


@pytest.fixture
def folder(tmp_path):
    """A run folder with two checkpoints, after rounds 7 and 9."""
    write_two_checkpoints(tmp_path)
    return tmp_path
