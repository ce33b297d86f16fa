"""The number of ranks on this machine, which share its memory."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from kavg.mpi.launchers import detect_launch

VARIABLES: Final = (
    "MPI_LOCALNRANKS",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "MV2_COMM_WORLD_LOCAL_SIZE",
    "PALS_LOCAL_SIZE",
    "JSM_NAMESPACE_LOCAL_SIZE",
)
"""Variables in which launchers tell a rank how many there are on its machine."""
SLURM_VARIABLES: Final = ("SLURM_STEP_TASKS_PER_NODE", "SLURM_NODEID")
"""Ranks of each machine of a job step, such as ``4(x2),3``, and the number of this machine."""


def count_local_ranks(variables: Mapping[str, str] = os.environ) -> int:
    """Return how many ranks of this job are on this machine; 1 where no launcher says so.

    >>> count_local_ranks({"PMI_SIZE": "8", "MPI_LOCALNRANKS": "4"})
    4
    """
    if detect_launch(variables) is None:
        return 1
    texts = (variables.get(name, "") for name in VARIABLES)
    given = next((text for text in texts if text.isascii() and text.isdecimal()), None)
    return max(1, int(given) if given else _count_by_slurm(variables))


def _count_by_slurm(variables: Mapping[str, str]) -> int:
    tasks, node = (variables.get(name, "") for name in SLURM_VARIABLES)
    found = re.findall(r"(\d+)(?:\(x(\d+)\))?", tasks)
    counts = [int(count) for count, times in found for _ in range(min(int(times or 1), 10**5))]
    place = int(node) if node.isascii() and node.isdecimal() else 0
    return counts[place] if place < len(counts) else 1
